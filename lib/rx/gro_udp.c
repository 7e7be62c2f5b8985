/* SPDX-License-Identifier: MIT */
/*
 * gro_udp.c - datagrams of a UDP flow. Each is whole, so nothing but its IP headers and its size
 * has to fit; but it needs a checksum, as Linux demands.
 */
#include "gro_ip.h"

static enum leat_gro_reason refuse(const struct leat_gro_conf *conf, const struct leat_pkt *pkt,
				   struct leat_gro_seg *seg)
{
	enum leat_gro_reason why = refuse_ip(pkt);
	const uint8_t *uh = seg->l4;

	(void)conf;
	if (why != LEAT_GRO_MERGED)
		return why;
	if (load_be16(uh + UDP_LEN) != UDP_HLEN + seg->len)
		return LEAT_GRO_LENGTH;
	if (seg->len == 0)
		return LEAT_GRO_NO_PAYLOAD;
	if (load_raw16(uh + UDP_CHECK) == 0)
		return LEAT_GRO_UDP_ZERO_CSUM;
	return LEAT_GRO_MERGED;
}

static enum leat_gro_reason differ(const struct leat_gro_flow *flow, const struct leat_pkt *pkt,
				   const struct leat_gro_seg *seg)
{
	(void)seg;
	return differ_ip(flow, pkt);
}

static uint32_t complete(const struct leat_gro_flow *flow)
{
	struct leat_pkt *head = flow->head;
	uint16_t transport = leat_pkt_inner(head)->transport;

	store_be16(head->data + transport + UDP_LEN, (uint16_t)(head->len - transport));
	store_pseudo(head, UDP_CHECK);
	return LEAT_GSO_UDP_L4;
}

const struct leat_gro_proto leat_gro_udp = {
	.refuse = refuse,
	.verify = leat_csum_verify,
	.differ = differ,
	.complete = complete,
	.size_max = UINT16_MAX + 1,
	.segs_max = LEAT_GRO_UDP_SEGS_MAX,
	.csum_offset = UDP_CHECK,
	.pseudo = true,
};
