/* SPDX-License-Identifier: MIT */
/*
 * xps_priority.c - the priority of a packet that is forwarded, by what its headers say.
 */
#include <leat/xps.h>

#include "../hdr.h"

enum { PCP_SHIFT = 13 }; /* the priority in the 16 bits of a VLAN tag behind its type */

/* The kernel's priorities. */
enum { BESTEFFORT = 0, BULK = 2, INTERACTIVE_BULK = 4, INTERACTIVE = 6 };

/* By the upper two of the four TOS bits of RFC 1349: low delay, high throughput. The other two,
 * reliability and cost (now ECN), change nothing. */
static unsigned tos_priority(unsigned tos)
{
	static const uint8_t priority[] = {BESTEFFORT, BULK, INTERACTIVE, INTERACTIVE_BULK};

	return priority[tos >> 3 & 3];
}

unsigned leat_xps_priority(const struct leat_pkt *pkt)
{
	const uint8_t *ip = pkt->data + pkt->lvl[0].network;
	unsigned pcp = 0;

	if (pkt->depth >= LEAT_DEPTH_LINK && pkt->vlans)
		pcp = load_be16(pkt->data + ETH_HLEN) >> PCP_SHIFT;
	if (pcp || pkt->depth < LEAT_DEPTH_NETWORK)
		return pcp;
	if (pkt->lvl[0].version == 4)
		return tos_priority(ip[IP4_TOS]);
	return tos_priority((load_be32(ip + IP6_VTF) & IP6_TCLASS_MASK) >> 20);
}
