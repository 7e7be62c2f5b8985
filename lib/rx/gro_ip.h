/* SPDX-License-Identifier: MIT */
/*
 * gro_ip.h - private: what the IP headers of a flow's packets must have in common, level by level,
 * and the headers before and between them, link and tunnel. Inlined into each transport's answers.
 *
 * IPv4 identifications either count up by one or are all the same, each level for itself, which
 * the second packet decides. That, and that an IPv4 header checksum is the one GSO would compute,
 * is what makes the way back exact.
 */
#ifndef LEAT_LIB_RX_GRO_IP_H
#define LEAT_LIB_RX_GRO_IP_H

#include <leat/csum.h>

#include "gro.h"

/* A one's-complement sum is 0 if it is a multiple of 0xffff, which so many bits at a time do not
 * change. A checksum of 0xffff stands for the same as 0, but GSO would write 0. */
static inline bool ip4_csum_right(const uint8_t *ip)
{
	uint64_t sum = add64(add64(load_raw64(ip), load_raw64(ip + 8)), load_raw32(ip + 16));

	return sum % 0xffff == 0 && load_raw16(ip + IP4_CHECK) != 0xffff;
}

/* Linux lets no packet with the reserved bit merge; nobody sends one. */
static inline enum leat_gro_reason refuse_ip4(const uint8_t *ip, uint32_t len, uint8_t flags)
{
	if ((flags & LEAT_IP_OPTIONS) != 0)
		return LEAT_GRO_IP_OPTIONS;
	if ((load_be16(ip + IP4_FRAG_OFF) & ~IP4_DF) != 0)
		return LEAT_GRO_IP_FRAGMENT;
	if (!ip4_csum_right(ip))
		return LEAT_GRO_IP_CSUM;
	return load_be16(ip + IP4_TOT_LEN) == len ? LEAT_GRO_MERGED : LEAT_GRO_LENGTH;
}

static inline enum leat_gro_reason refuse_ip6(const uint8_t *ip, uint32_t len, uint8_t flags)
{
	if ((flags & LEAT_IP_FRAGMENT) != 0)
		return LEAT_GRO_IP_FRAGMENT;
	return load_be16(ip + IP6_PAYLOAD_LEN) == len - IP6_HLEN ? LEAT_GRO_MERGED :
								   LEAT_GRO_LENGTH;
}

static inline enum leat_gro_reason refuse_level(const struct leat_pkt *pkt, unsigned i)
{
	const struct leat_level *l = &pkt->lvl[i];
	const uint8_t *ip = pkt->data + l->network;
	uint32_t len = pkt->len - l->network;

	return l->version == 4 ? refuse_ip4(ip, len, l->flags) : refuse_ip6(ip, len, l->flags);
}

static inline enum leat_gro_reason refuse_ip(const struct leat_pkt *pkt)
{
	enum leat_gro_reason why = refuse_level(pkt, 0);

	return why != LEAT_GRO_MERGED || pkt->levels == 1 ? why : refuse_level(pkt, 1);
}

static inline bool same_addresses(uint8_t version, const uint8_t *a, const uint8_t *b)
{
	if (version == 4)
		return load_raw64(a + IP4_SRC) == load_raw64(b + IP4_SRC);
	return same_bytes(a + IP6_SRC, b + IP6_SRC, 32);
}

/* A tunnel's UDP source port may stand for the inner flow, so it is of the flow too. */
static inline bool match_tunnel(const struct leat_pkt *a, const struct leat_pkt *b)
{
	return b->lvl[0].protocol != PROTO_UDP ||
	       load_raw32(a->data + a->lvl[0].transport + L4_SPORT) ==
		       load_raw32(b->data + b->lvl[0].transport + L4_SPORT);
}

static inline bool match_level(const struct leat_pkt *a, const struct leat_pkt *b, unsigned i)
{
	const struct leat_level *la = &a->lvl[i], *lb = &b->lvl[i];

	return la->version == lb->version && la->protocol == lb->protocol &&
	       same_addresses(lb->version, a->data + la->network, b->data + lb->network);
}

/* Do two packets have the same addresses and protocols, at every level? */
static inline bool match_ip(const struct leat_pkt *a, const struct leat_pkt *b)
{
	if (a->levels != b->levels || !match_level(a, b, 0))
		return false;
	return b->levels == 1 || (match_tunnel(a, b) && match_level(a, b, 1));
}

/* How far the ID is ahead of the first packet's tells how they go on; the second may choose. */
static inline bool id_fits(const struct leat_gro_flow *flow, unsigned level, const uint8_t *ip)
{
	uint16_t ahead = (uint16_t)(load_be16(ip + IP4_ID) - flow->id[level]);

	return ahead == (flow->segs & flow->id_mask[level]) || (ahead == 0 && flow->segs == 1);
}

static inline enum leat_gro_reason differ_ip4(const struct leat_gro_flow *flow, unsigned level,
					      const uint8_t *a, const uint8_t *b)
{
	if (a[IP4_TOS] != b[IP4_TOS])
		return LEAT_GRO_TOS;
	if (a[IP4_TTL] != b[IP4_TTL])
		return LEAT_GRO_TTL;
	if (load_raw16(a + IP4_FRAG_OFF) != load_raw16(b + IP4_FRAG_OFF))
		return LEAT_GRO_DF;
	return id_fits(flow, level, b) ? LEAT_GRO_MERGED : LEAT_GRO_IP_ID;
}

static inline enum leat_gro_reason differ_ip6(const uint8_t *a, const uint8_t *b, uint32_t len)
{
	uint32_t differ = load_be32(a + IP6_VTF) ^ load_be32(b + IP6_VTF);

	if ((differ & IP6_TCLASS_MASK) != 0)
		return LEAT_GRO_TOS;
	if (a[IP6_HOP_LIMIT] != b[IP6_HOP_LIMIT])
		return LEAT_GRO_TTL;
	if (differ != 0)
		return LEAT_GRO_FLOW_LABEL;
	if (a[IP6_NEXTHDR] != b[IP6_NEXTHDR] ||
	    !same_bytes(a + IP6_HLEN, b + IP6_HLEN, len - IP6_HLEN))
		return LEAT_GRO_EXTENSIONS;
	return LEAT_GRO_MERGED;
}

/* Is the link header the same, and are the headers in the same places? Any number of tags more
 * or less shows in an EtherType. */
static inline enum leat_gro_reason differ_layout(const struct leat_pkt *head,
						 const struct leat_pkt *pkt)
{
	if (!same_bytes(head->data, pkt->data, pkt->lvl[0].network))
		return LEAT_GRO_LINK;
	return memcmp(head->lvl, pkt->lvl, sizeof(pkt->lvl)) == 0 ? LEAT_GRO_MERGED :
								    LEAT_GRO_EXTENSIONS;
}

static inline enum leat_gro_reason differ_level(const struct leat_gro_flow *flow,
						const struct leat_pkt *pkt, unsigned i)
{
	const struct leat_level *l = &pkt->lvl[i];
	const uint8_t *a = flow->head->data + l->network, *b = pkt->data + l->network;

	return l->version == 4 ? differ_ip4(flow, i, a, b) :
				 differ_ip6(a, b, l->transport - (uint32_t)l->network);
}

static inline bool has_gre_check(const uint8_t *gre)
{
	return (load_be16(gre + GRE_FLAGS) & GRE_CSUM) != 0;
}

static inline bool has_udp_check(const uint8_t *uh)
{
	return load_raw16(uh + UDP_CHECK) != 0;
}

/* Is the tunnel's header the same? Its length and checksum GSO makes anew. The offsets are the
 * same. */
static inline bool same_tunnel(const struct leat_pkt *head, const struct leat_pkt *pkt)
{
	enum { CHECK_LEN = 4 }; /* GRE's, reserved bytes included */
	const struct leat_level *out = &pkt->lvl[0];
	const uint8_t *a = head->data + out->transport, *b = pkt->data + out->transport;
	uint32_t len = pkt->lvl[1].network - (uint32_t)out->transport, skip = 0;

	if (out->protocol == PROTO_UDP) { /* the ports are the flow's */
		if (has_udp_check(a) != has_udp_check(b))
			return false;
		skip = UDP_HLEN;
	} else if (out->protocol == PROTO_GRE) {
		if (load_raw32(a) != load_raw32(b))
			return false;
		skip = has_gre_check(b) ? GRE_HLEN + CHECK_LEN : GRE_HLEN;
	}
	return same_bytes(a + skip, b + skip, len - skip);
}

/* The packet is of the flow by match_ip(). On LEAT_GRO_MERGED all offsets are the same too. */
static inline enum leat_gro_reason differ_ip(const struct leat_gro_flow *flow,
					     const struct leat_pkt *pkt)
{
	enum leat_gro_reason why = differ_layout(flow->head, pkt);

	if (why == LEAT_GRO_MERGED)
		why = differ_level(flow, pkt, 0);
	if (why != LEAT_GRO_MERGED || pkt->levels == 1)
		return why;
	return same_tunnel(flow->head, pkt) ? differ_level(flow, pkt, 1) : LEAT_GRO_TUNNEL;
}

/* The first packet of the flow. */
static inline void hold_ip(struct leat_gro_flow *flow, const struct leat_pkt *pkt)
{
	for (unsigned i = 0; i < pkt->levels; i++) {
		flow->id[i] = load_be16(pkt->data + pkt->lvl[i].network + IP4_ID);
		flow->id_mask[i] = UINT16_MAX;
	}
}

/* The second. */
static inline void decide_ids(struct leat_gro_flow *flow, const struct leat_pkt *pkt)
{
	for (unsigned i = 0; i < pkt->levels; i++) {
		const struct leat_level *l = &pkt->lvl[i];

		if (l->version == 4 && load_be16(pkt->data + l->network + IP4_ID) == flow->id[i])
			flow->id_mask[i] = 0;
	}
}

/* The checksum field of a super-packet, which GSO completes. */
static inline void store_pseudo(struct leat_pkt *head, unsigned csum_offset)
{
	const struct leat_level *l = leat_pkt_inner(head);
	uint32_t sum = leat_csum_pseudo(head->data, l, head->len - l->transport);

	store_raw16(head->data + l->transport + csum_offset, leat_csum_fold(sum));
}

#endif
