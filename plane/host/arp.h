/* SPDX-License-Identifier: MIT */
/*
 * arp.h - the Address Resolution Protocol, for IPv4 over Ethernet (RFC 826).
 */
#ifndef PLANE_HOST_ARP_H
#define PLANE_HOST_ARP_H

#include "host.h"

enum host_reason arp_judge(const struct host_view *view, const struct leat_pkt *pkt);

/* Make a request for one of our addresses the reply. */
void arp_reply(const struct host *host, struct leat_pkt *pkt);

/* Make the empty packet a request for `dst`. */
void arp_request(const struct host *host, const struct addr_own *own, const struct addr *dst,
		 struct leat_pkt *pkt);

#endif
