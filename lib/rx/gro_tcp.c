/* SPDX-License-Identifier: MIT */
/*
 * gro_tcp.c - TCP's super-packet. What may be in one says gro_tcp.h.
 */
#include "gro_tcp.h"

static uint32_t complete(const struct leat_gro_flow *flow)
{
	const struct leat_level *l = leat_pkt_inner(flow->head);
	uint8_t *flags = flow->head->data + l->transport + TCP_FLAGS;
	uint32_t type = l->version == 4 ? LEAT_GSO_TCPV4 : LEAT_GSO_TCPV6;

	*flags |= flow->ends;
	store_pseudo(flow->head, TCP_CHECK);
	return (*flags & TCP_CWR) != 0 ? type | LEAT_GSO_TCP_ACCECN : type;
}

const struct leat_gro_proto leat_gro_tcp = {
	.refuse = tcp_refuse,
	.verify = leat_csum_verify,
	.differ = tcp_differ,
	.complete = complete,
	.size_max = UINT32_MAX,
	.segs_max = UINT16_MAX,
	.csum_offset = TCP_CHECK,
	.pseudo = true,
};
