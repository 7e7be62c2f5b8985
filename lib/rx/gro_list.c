/* SPDX-License-Identifier: MIT */
/*
 * gro_list.c - fraglists: what would merge as TCP or UDP is chained, but stays a list of packets.
 * Each member's headers, in front of its payload, are its own, and so are the checksums, which have
 * been verified; the head's lengths alone are the whole's. So nothing but the lengths may have to
 * be made again, and as in Linux flags must be the same, PSH and FIN included.
 */
#include <leat/csum.h>

#include "gro.h"

enum { LIST_SEGS_MAX = 64 };

/* What is to be completed cannot stay as it is. */
static enum leat_gro_reason refuse_partial(const struct leat_pkt *pkt, enum leat_gro_reason why)
{
	if (why == LEAT_GRO_MERGED && (pkt->csum == LEAT_CSUM_PARTIAL || is_remcsum(pkt)))
		return LEAT_GRO_LIST_PARTIAL;
	return why;
}

static enum leat_gro_reason refuse_tcp(const struct leat_gro_conf *conf, const struct leat_pkt *pkt,
				       struct leat_gro_seg *seg)
{
	return refuse_partial(pkt, leat_gro_tcp.refuse(conf, pkt, seg));
}

static enum leat_gro_reason refuse_udp(const struct leat_gro_conf *conf, const struct leat_pkt *pkt,
				       struct leat_gro_seg *seg)
{
	return refuse_partial(pkt, leat_gro_udp.refuse(conf, pkt, seg));
}

static enum leat_gro_reason differ_tcp(const struct leat_gro_flow *flow, const struct leat_pkt *pkt,
				       const struct leat_gro_seg *seg)
{
	if (seg->ends != 0) /* which the first packet has not */
		return LEAT_GRO_TCP_WORD;
	return leat_gro_tcp.differ(flow, pkt, seg);
}

static enum leat_gro_reason differ_udp(const struct leat_gro_flow *flow, const struct leat_pkt *pkt,
				       const struct leat_gro_seg *seg)
{
	return leat_gro_udp.differ(flow, pkt, seg);
}

static uint32_t complete_tcp(const struct leat_gro_flow *flow)
{
	return LEAT_GSO_FRAGLIST |
	       (leat_pkt_inner(flow->head)->version == 4 ? LEAT_GSO_TCPV4 : LEAT_GSO_TCPV6);
}

static uint32_t complete_udp(const struct leat_gro_flow *flow)
{
	const struct leat_pkt *head = flow->head;
	uint16_t transport = leat_pkt_inner(head)->transport;

	store_be16(head->data + transport + UDP_LEN, (uint16_t)(head->len - transport));
	return LEAT_GSO_FRAGLIST | LEAT_GSO_UDP_L4;
}

const struct leat_gro_proto leat_gro_list_tcp = {
	.refuse = refuse_tcp,
	.verify = leat_csum_verify,
	.differ = differ_tcp,
	.complete = complete_tcp,
	.size_max = UINT16_MAX + 1,
	.segs_max = LIST_SEGS_MAX,
	.csum_offset = TCP_CHECK,
	.whole = true,
	.pseudo = true,
};

const struct leat_gro_proto leat_gro_list_udp = {
	.refuse = refuse_udp,
	.verify = leat_csum_verify,
	.differ = differ_udp,
	.complete = complete_udp,
	.size_max = UINT16_MAX + 1,
	.segs_max = LIST_SEGS_MAX,
	.csum_offset = UDP_CHECK,
	.whole = true,
	.pseudo = true,
};
