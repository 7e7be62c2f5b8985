/* SPDX-License-Identifier: MIT */
/*
 * udp.h - a datagram's headers: taken off what was received, put in front of what is sent.
 */
#ifndef PLANE_HOST_UDP_H
#define PLANE_HOST_UDP_H

#include "endpoint.h"

/* Describe a packet that was judged to be an endpoint's; it becomes its payload. */
void udp_take(struct leat_pkt *pkt, struct datagram *d);

/* Whether the payload of `d`, to a peer of this version, makes datagrams that a port of `mtu`, 0 being any, can send.
 * 0, -EMSGSIZE or -EINVAL. */
int udp_check(const struct datagram *d, unsigned version, uint32_t mtu);

/* Put headers in front of the payload, which ENDPOINT_HEADROOM bytes are: the packet becomes a frame
 * on its way from our address `src`, link address `mac`, by `path`, with a partial checksum. */
void udp_put(const struct datagram *d, const struct addr *src, const struct addr *dst,
	     const uint8_t *mac, uint64_t path);

#endif
