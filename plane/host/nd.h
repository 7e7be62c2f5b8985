/* SPDX-License-Identifier: MIT */
/*
 * nd.h - neighbour solicitations and advertisements (RFC 4861).
 */
#ifndef PLANE_HOST_ND_H
#define PLANE_HOST_ND_H

#include "host.h"

/* An ICMPv6 message of `len` bytes, its checksum right. HOST_PROTOCOL: one of another kind. */
enum host_reason nd_judge(const struct host_view *view, const struct leat_pkt *pkt, uint32_t len);

/* Make a solicitation of one of our addresses the advertisement. */
void nd_advert(const struct host *host, struct leat_pkt *pkt);

/* Make the empty packet a solicitation of `dst`. */
void nd_solicit(const struct host *host, const struct addr_own *own, const struct addr *dst,
		struct leat_pkt *pkt);

#endif
