/* SPDX-License-Identifier: MIT */
/*
 * gso_tcp.c - a segment's TCP header.
 *
 * It is the super-packet's with the sequence number moved on. FIN and PSH belong to the last
 * byte, so to the last segment; CWR is said once, so by the first (RFC 3168 6.1.2), unless it is a
 * bit of AccECN's counter; all else, the options' timestamps included, is each segment's.
 */
#include "gso.h"

bool leat_gso_tcp_check(const struct leat_pkt *pkt)
{
	unsigned transport = leat_pkt_inner(pkt)->transport;
	unsigned hlen = pkt->payload - transport;

	return hlen >= TCP_HLEN && tcp_hlen(pkt->data + transport) == hlen;
}

uint32_t leat_gso_tcp_sum(const struct leat_pkt *pkt)
{
	const uint8_t *tcp = pkt->data + leat_pkt_inner(pkt)->transport;
	uint32_t sum;

	sum = leat_csum_partial(tcp, TCP_SEQ, 0);
	sum = leat_csum_partial(tcp + TCP_ACK_SEQ, TCP_WORD - TCP_ACK_SEQ, sum);
	sum = leat_csum_partial(tcp + TCP_WINDOW, TCP_CHECK - TCP_WINDOW, sum);
	return leat_csum_partial(tcp + TCP_URG_PTR, tcp_hlen(tcp) - TCP_URG_PTR, sum);
}

uint16_t leat_gso_tcp_later(const struct leat_pkt *pkt)
{
	return (uint16_t)(pkt->gso_type & LEAT_GSO_TCP_ACCECN ? 0xffff : ~TCP_CWR);
}

uint32_t leat_gso_tcp_finish(const struct leat_gso *gso, uint8_t *tcp, uint32_t n)
{
	uint32_t seq = load_be32(tcp + TCP_SEQ) + gso->off;
	uint16_t word = load_be16(tcp + TCP_WORD); /* data offset and flags */

	if (gso->off > 0)
		word &= gso->later;
	if (gso->off + n < gso->payload)
		word &= (uint16_t) ~(TCP_FIN | TCP_PSH);
	return leat_csum_add(put_be32(tcp + TCP_SEQ, seq), put_be16(tcp + TCP_WORD, word));
}
