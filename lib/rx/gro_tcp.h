/* SPDX-License-Identifier: MIT */
/*
 * gro_tcp.h - private: what continues a TCP flow: the next byte, the same acknowledgment, window,
 * flags and options. PSH and FIN are the exception: they end a super-packet, and GSO puts them on
 * its last segment again. Here, so that gro.c can have it inlined: TCP is most of what comes.
 */
#ifndef LEAT_LIB_RX_GRO_TCP_H
#define LEAT_LIB_RX_GRO_TCP_H

#include "gro_ip.h"

enum {
	TCP_ENDS = TCP_PSH | TCP_FIN,
	TCP_NEVER = TCP_SYN | TCP_RST | TCP_URG,
};

/* CWR tells the peer something once, and GSO leaves it on the first segment alone; but in AccECN
 * it is part of a counter, and GSO leaves it on all. */
static inline bool flags_good(const struct leat_gro_conf *conf, unsigned flags)
{
	if ((flags & (TCP_NEVER | TCP_CWR)) == 0)
		return true;
	return conf->accecn && (flags & TCP_NEVER) == 0;
}

/* A checksum of 0xffff is right where 0 is, but GSO would write 0. A pseudo-header sum may be it. */
static inline bool is_minus_zero(const struct leat_pkt *pkt, const uint8_t *th)
{
	return load_raw16(th + TCP_CHECK) == 0xffff && pkt->csum != LEAT_CSUM_PARTIAL &&
	       !is_remcsum(pkt);
}

static inline enum leat_gro_reason tcp_refuse(const struct leat_gro_conf *conf,
					      const struct leat_pkt *pkt, struct leat_gro_seg *seg)
{
	enum leat_gro_reason why = refuse_ip(pkt);
	const uint8_t *th = seg->l4;

	if (why != LEAT_GRO_MERGED)
		return why;
	if (!flags_good(conf, th[TCP_FLAGS]))
		return LEAT_GRO_TCP_FLAGS;
	if (seg->len == 0)
		return LEAT_GRO_NO_PAYLOAD;
	if (is_minus_zero(pkt, th))
		return LEAT_GRO_L4_CSUM;
	seg->seq = load_be32(th + TCP_SEQ);
	seg->ends = th[TCP_FLAGS] & TCP_ENDS;
	return LEAT_GRO_MERGED;
}

/* Linux ignores the urgent pointer where URG is not set; but GSO copies the first packet's. */
static inline bool same_word(const uint8_t *a, const uint8_t *b)
{
	uint32_t differ = load_be32(a + TCP_WORD) ^ load_be32(b + TCP_WORD);

	return (differ & ~((uint32_t)TCP_ENDS << 16)) == 0 &&
	       load_raw16(a + TCP_URG_PTR) == load_raw16(b + TCP_URG_PTR);
}

static inline enum leat_gro_reason tcp_differ(const struct leat_gro_flow *flow,
					      const struct leat_pkt *pkt,
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

#endif
