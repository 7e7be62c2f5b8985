/* SPDX-License-Identifier: MIT */
/*
 * link.h - set a network interface up, over rtnetlink.
 *
 * A link is bound to the network namespace it was opened in and to the interface that had the
 * name then. All calls give 0 or -errno.
 */
#ifndef PLANE_PORT_LINK_H
#define PLANE_PORT_LINK_H

#include <stdint.h>

struct mnl_socket;

struct link {
	struct mnl_socket *socket; /* NULL: not open */
	unsigned index;
	uint32_t seq;
};

int link_open(struct link *l, const char *name);
void link_close(struct link *l);

int link_set_mtu(struct link *l, uint32_t mtu);
int link_set_txqueuelen(struct link *l, uint32_t packets);
int link_set_mac(struct link *l, const uint8_t mac[6]);
int link_set_up(struct link *l);

/* Frames go straight to the device: no qdisc. */
int link_set_noqueue(struct link *l);

/* Add an IPv4 or IPv6 address with a prefix length: "192.0.2.1/24". -EINVAL: not one. */
int link_add_address(struct link *l, const char *cidr);

#endif
