/* SPDX-License-Identifier: MIT */
/*
 * gso_udp.c - a segment's UDP header: each segment is a datagram of its own (USO).
 *
 * The super-packet's own length field is not looked at: producers disagree on what it says (the
 * whole, or one segment), and nothing here depends on it.
 */
#include "gso.h"

bool leat_gso_udp_check(const struct leat_pkt *pkt)
{
	return pkt->payload - leat_pkt_inner(pkt)->transport == UDP_HLEN;
}

uint32_t leat_gso_udp_sum(const struct leat_pkt *pkt)
{
	return leat_csum_partial(pkt->data + leat_pkt_inner(pkt)->transport, UDP_LEN, 0);
}

uint32_t leat_gso_udp_finish(uint8_t *udp, uint32_t n)
{
	return put_be16(udp + UDP_LEN, (uint16_t)(UDP_HLEN + n));
}
