/* SPDX-License-Identifier: MIT */
/*
 * gro_tunnel.c - what lies between the outer IP header and the inner one: the same bytes in every
 * packet of a super-packet, but for the outer UDP length and checksum, or a GRE checksum.
 *
 * Those GSO writes anew, and so they must be what it will write. A tunnel's checksum covers the
 * inner transport's segment, whose own checksum makes it sum up to the complement of its
 * pseudo-header: so long as that checksum is right, the headers alone tell whether the outer one is
 * too (the kernel's local checksum offload, read backwards).
 *
 * In a super-packet a UDP checksum field that is used holds the folded pseudo-header sum of the
 * whole, not complemented, as in the kernel; GSO asks no more of it than not to be 0. A GRE checksum
 * stays the first packet's, and so does either where the members stay whole.
 */
#include "gro_ip.h"

enum {
	GRE_FLAGS = 0,
	GRE_C = 0x80, /* of the 8 bits at GRE_FLAGS: a checksum and a reserved half follow */
	GRE_CHECK = 4,
	GRE_RESERVED = 6,
	GRE_HLEN = 4,
	GRE_CHECK_LEN = 4,
};

/* Sum of the tunnel packet from its UDP or GRE header on, with the inner checksum as it will be. */
static uint32_t sum_inside(const struct leat_pkt *pkt)
{
	const struct leat_level *in = leat_pkt_inner(pkt);
	uint32_t from = pkt->lvl[0].transport, sum;

	if (is_remcsum(pkt) || (in->protocol != PROTO_TCP && in->protocol != PROTO_UDP))
		return leat_csum_pkt(pkt, from, pkt->len - from, 0);
	sum = leat_csum_pseudo(pkt->data, in, pkt->len - in->transport);
	return leat_csum_partial(pkt->data + from, in->transport - from, ~sum);
}

static enum leat_gro_reason refuse_udp(const struct leat_pkt *pkt)
{
	const struct leat_level *out = &pkt->lvl[0];
	const uint8_t *uh = pkt->data + out->transport;
	uint32_t len = pkt->len - out->transport, sum;

	if (load_be16(uh + UDP_LEN) != len)
		return LEAT_GRO_LENGTH;
	if (load_raw16(uh + UDP_CHECK) == 0)
		return LEAT_GRO_MERGED;
	sum = leat_csum_add(sum_inside(pkt), leat_csum_pseudo(pkt->data, out, len));
	return leat_csum_fold(sum) == 0xffff ? LEAT_GRO_MERGED : LEAT_GRO_TUNNEL_CSUM;
}

/* 0xffff is right where 0 is, but GSO would write 0, and into the reserved half too. */
static enum leat_gro_reason refuse_gre(const struct leat_pkt *pkt)
{
	const uint8_t *gre = pkt->data + pkt->lvl[0].transport;

	if ((gre[GRE_FLAGS] & GRE_C) == 0)
		return LEAT_GRO_MERGED;
	if (load_raw16(gre + GRE_CHECK) == 0xffff || load_raw16(gre + GRE_RESERVED) != 0)
		return LEAT_GRO_TUNNEL_CSUM;
	return leat_csum_fold(sum_inside(pkt)) == 0xffff ? LEAT_GRO_MERGED : LEAT_GRO_TUNNEL_CSUM;
}

enum leat_gro_reason leat_gro_tunnel_refuse_ip(const struct leat_pkt *pkt)
{
	return refuse_level(pkt, 1);
}

enum leat_gro_reason leat_gro_tunnel_refuse(const struct leat_pkt *pkt)
{
	switch (pkt->lvl[0].protocol) {
	case PROTO_UDP: return refuse_udp(pkt);
	case PROTO_GRE: return refuse_gre(pkt);
	default: return LEAT_GRO_MERGED;
	}
}

static bool has_check(const uint8_t *uh)
{
	return load_raw16(uh + UDP_CHECK) != 0;
}

static bool same_header(const struct leat_pkt *head, const struct leat_pkt *pkt)
{
	const struct leat_level *out = &pkt->lvl[0];
	const uint8_t *a = head->data + out->transport, *b = pkt->data + out->transport;
	uint32_t len = pkt->lvl[1].network - (uint32_t)out->transport, skip = 0;

	if (out->protocol == PROTO_UDP) { /* the ports are the flow's */
		if (has_check(a) != has_check(b))
			return false;
		skip = UDP_HLEN;
	} else if (out->protocol == PROTO_GRE) {
		if (load_raw32(a) != load_raw32(b))
			return false;
		skip = (b[GRE_FLAGS] & GRE_C) != 0 ? GRE_HLEN + GRE_CHECK_LEN : GRE_HLEN;
	}
	return same_bytes(a + skip, b + skip, len - skip);
}

enum leat_gro_reason leat_gro_tunnel_differ(const struct leat_gro_flow *flow,
					    const struct leat_pkt *pkt)
{
	return same_header(flow->head, pkt) ? differ_level(flow, pkt, 1) : LEAT_GRO_TUNNEL;
}

static uint32_t complete_udp(struct leat_pkt *head, bool whole)
{
	const struct leat_level *out = &head->lvl[0];
	uint8_t *uh = head->data + out->transport;
	uint32_t len = head->len - out->transport;
	uint32_t type = is_remcsum(head) ? LEAT_GSO_TUNNEL_REMCSUM : 0;

	store_be16(uh + UDP_LEN, (uint16_t)len);
	if (!has_check(uh))
		return type | LEAT_GSO_UDP_TUNNEL;
	if (!whole)
		store_raw16(uh + UDP_CHECK, leat_csum_fold(leat_csum_pseudo(head->data, out, len)));
	return type | LEAT_GSO_UDP_TUNNEL_CSUM;
}

uint32_t leat_gro_tunnel_complete(struct leat_pkt *head, bool whole)
{
	const struct leat_level *out = &head->lvl[0];

	switch (out->protocol) {
	case PROTO_UDP: return complete_udp(head, whole);
	case PROTO_GRE:
		return (head->data[out->transport + GRE_FLAGS] & GRE_C) != 0 ? LEAT_GSO_GRE_CSUM :
									       LEAT_GSO_GRE;
	default: return out->version == 4 ? LEAT_GSO_IPXIP4 : LEAT_GSO_IPXIP6;
	}
}
