/* SPDX-License-Identifier: MIT */
/*
 * gro_tcp.c - what continues a TCP flow: the next byte, the same acknowledgment, window, flags and
 * options. PSH and FIN are the exception: they end a super-packet, and GSO puts them on its last
 * segment again.
 */
#include "gro_ip.h"

enum { TCP_ENDS = TCP_PSH | TCP_FIN, TCP_NEVER = TCP_SYN | TCP_RST | TCP_URG | TCP_CWR };

/* A checksum of 0xffff is right where 0 is, but GSO would write 0. */
static enum leat_gro_reason refuse(const struct leat_pkt *pkt, struct leat_gro_seg *seg)
{
	enum leat_gro_reason why = refuse_ip(pkt);
	const uint8_t *th = seg->l4;

	if (why != LEAT_GRO_MERGED)
		return why;
	if ((th[TCP_FLAGS] & (TCP_NEVER | TCP_ACK)) != TCP_ACK)
		return LEAT_GRO_TCP_FLAGS;
	if (seg->len == 0)
		return LEAT_GRO_NO_PAYLOAD;
	if (load_raw16(th + TCP_CHECK) == 0xffff && pkt->csum != LEAT_CSUM_PARTIAL)
		return LEAT_GRO_L4_CSUM;
	seg->seq = load_be32(th + TCP_SEQ);
	seg->ends = th[TCP_FLAGS] & TCP_ENDS;
	return LEAT_GRO_MERGED;
}

/* Linux ignores the urgent pointer where URG is not set; but GSO copies the first packet's. */
static bool same_word(const uint8_t *a, const uint8_t *b)
{
	uint32_t differ = load_be32(a + TCP_WORD) ^ load_be32(b + TCP_WORD);

	return (differ & ~((uint32_t)TCP_ENDS << 16)) == 0 &&
	       load_raw16(a + TCP_URG_PTR) == load_raw16(b + TCP_URG_PTR);
}

static enum leat_gro_reason differ(const struct leat_gro_flow *flow, const struct leat_pkt *pkt,
				   const struct leat_gro_seg *seg)
{
	enum leat_gro_reason why = differ_ip(flow, pkt);
	const uint8_t *a, *b = seg->l4;

	if (why != LEAT_GRO_MERGED)
		return why;
	a = flow->head->data + (b - pkt->data);
	if (!same_word(a, b))
		return LEAT_GRO_TCP_WORD;
	if (load_raw32(a + TCP_ACK_SEQ) != load_raw32(b + TCP_ACK_SEQ))
		return LEAT_GRO_TCP_ACK;
	if (!same_bytes(a + TCP_HLEN, b + TCP_HLEN, tcp_hlen(b) - TCP_HLEN))
		return LEAT_GRO_TCP_OPTIONS;
	return seg->seq == flow->seq ? LEAT_GRO_MERGED : LEAT_GRO_TCP_SEQ;
}

static uint32_t complete(const struct leat_gro_flow *flow)
{
	const struct leat_level *l = leat_pkt_inner(flow->head);

	flow->head->data[l->transport + TCP_FLAGS] |= flow->ends;
	return l->version == 4 ? LEAT_GSO_TCPV4 : LEAT_GSO_TCPV6;
}

const struct leat_gro_proto leat_gro_tcp = {
	.refuse = refuse,
	.differ = differ,
	.complete = complete,
	.size_max = UINT32_MAX,
	.segs_max = UINT16_MAX,
	.csum_offset = TCP_CHECK,
};
