/* SPDX-License-Identifier: MIT */
/*
 * gso_udp.c - a segment's UDP header: each segment is a datagram of its own (USO).
 *
 * The super-packet's own length field is not looked at: producers disagree on what it says (the
 * whole, or one segment), and nothing here depends on it.
 */
#include "gso.h"

bool leat_gso_udp_check(const struct leat_pkt *pkt, uint32_t segs)
{
	return pkt->payload - leat_pkt_inner(pkt)->transport == UDP_HLEN &&
	       segs <= LEAT_UDP_MAX_SEGMENTS;
}

uint32_t leat_gso_udp_sum(const struct leat_pkt *pkt)
{
	return leat_csum_partial(pkt->data + leat_pkt_inner(pkt)->transport, UDP_LEN, 0);
}

void leat_gso_udp_finish(const struct leat_gso *gso, uint8_t *udp, uint32_t n, uint32_t sum)
{
	uint32_t changed = put_be16(udp + UDP_LEN, (uint16_t)(UDP_HLEN + n));
	uint16_t check = leat_csum_fold(sum);

	if (!gso->csum_partial) {
		check = (uint16_t)~leat_csum_fold(leat_csum_add(sum, changed));
		if (check == 0)
			check = 0xffff; /* 0 would say: no checksum */
	}
	store_raw16(udp + UDP_CHECK, check);
}
