/* SPDX-License-Identifier: MIT */
/*
 * outer.h - private: what there is behind an IP header of a packet that may have two.
 */
#ifndef LEAT_LIB_RX_OUTER_H
#define LEAT_LIB_RX_OUTER_H

#include "../hdr.h"

/* Are there ports behind level `l`? Where there are two levels, depth speaks of the inner. */
static inline bool has_ports(const struct leat_pkt *pkt, const struct leat_level *l)
{
	if (l->flags & LEAT_IP_FRAGMENT)
		return false;
	if (l != leat_pkt_inner(pkt))
		return l->protocol == PROTO_UDP;
	return pkt->depth == LEAT_DEPTH_TRANSPORT;
}

#endif
