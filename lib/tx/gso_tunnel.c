/* SPDX-License-Identifier: MIT */
/*
 * gso_tunnel.c - the header between two IP headers: what kind it is, its length and its checksums.
 *
 * A tunnel is a row: the outer protocol, the bytes that its header has at least, and the bits of
 * gso_type that say so. FOU and GUE may carry GRE, which is then a second header with a type bit and
 * checksum of its own; where they carry IP, they may have the bit of IP in IP beside their own.
 *
 * An outer checksum covers the whole inner packet, but costs no second pass over it (local checksum
 * offload): an inner checksum that is right, or will be once the port has completed it, makes the
 * inner transport header and payload sum to the complement of their pseudo-header. Only where it
 * stays unfinished, for the receiver (remote checksum offload), is of another kind (SCTP), or is the
 * member's own affair (fraglist), is the payload summed.
 */
#include "gso.h"

enum { GRE_WORD = 4 }; /* bytes of what a flag adds */

static const struct {
	uint32_t types;	  /* one of these */
	uint8_t protocol; /* of the outer IP header; 0: the inner IP header's */
	uint8_t hlen;	  /* UDP header included */
} tunnels[] = {
	[LEAT_TUNNEL_IP] = {LEAT_GSO_IPXIP4 | LEAT_GSO_IPXIP6, 0, 0},
	[LEAT_TUNNEL_GRE] = {LEAT_GSO_GRE | LEAT_GSO_GRE_CSUM, PROTO_GRE, GRE_HLEN},
	[LEAT_TUNNEL_VXLAN] = {LEAT_GSO_UDP_TUNNEL | LEAT_GSO_UDP_TUNNEL_CSUM, PROTO_UDP, 16},
	[LEAT_TUNNEL_GENEVE] = {LEAT_GSO_UDP_TUNNEL | LEAT_GSO_UDP_TUNNEL_CSUM, PROTO_UDP, 16},
	[LEAT_TUNNEL_GUE] = {LEAT_GSO_UDP_TUNNEL | LEAT_GSO_UDP_TUNNEL_CSUM, PROTO_UDP, 8},
	[LEAT_TUNNEL_FOU] = {LEAT_GSO_UDP_TUNNEL | LEAT_GSO_UDP_TUNNEL_CSUM, PROTO_UDP, 8},
};

/* Where the tunnel has a GRE header, or 0. */
static uint32_t find_gre(const struct leat_pkt *pkt)
{
	const struct leat_level *l = &pkt->lvl[0];
	const uint8_t *gue = pkt->data + l->transport + UDP_HLEN;
	uint32_t gap = pkt->lvl[1].network - l->transport;

	if (l->tunnel == LEAT_TUNNEL_GRE)
		return l->transport;
	if (l->tunnel == LEAT_TUNNEL_FOU && gap > UDP_HLEN)
		return l->transport + UDP_HLEN;
	if (l->tunnel == LEAT_TUNNEL_GUE && gap >= UDP_HLEN + GUE_HLEN &&
	    !(gue[GUE_HLEN_UNITS] & GUE_VARIANT) && gue[GUE_PROTOCOL] == PROTO_GRE)
		return l->transport + UDP_HLEN + GUE_HLEN + (gue[GUE_HLEN_UNITS] & GUE_UNITS) * 4u;
	return 0;
}

/* The type bit of the GRE header at `at`; 0 if it is one whose segments cannot be copies. */
static uint32_t gre_type(const struct leat_pkt *pkt, uint32_t at)
{
	uint32_t room = pkt->lvl[1].network - at, hlen = GRE_HLEN;
	uint32_t flags;

	if (at + GRE_HLEN > pkt->lvl[1].network)
		return 0;
	flags = load_be16(pkt->data + at);
	hlen += (flags & GRE_CSUM ? GRE_WORD : 0u) + (flags & GRE_KEY ? GRE_WORD : 0u);
	if (flags & ~(uint32_t)(GRE_CSUM | GRE_KEY) || hlen > room)
		return 0;
	return flags & GRE_CSUM ? LEAT_GSO_GRE_CSUM : LEAT_GSO_GRE;
}

static uint32_t ipxip_type(const struct leat_pkt *pkt)
{
	return pkt->lvl[0].version == 4 ? LEAT_GSO_IPXIP4 : LEAT_GSO_IPXIP6;
}

/* Is `type` of an IP in IP tunnel, with nothing in between? */
static bool is_ipxip(const struct leat_pkt *pkt, uint32_t type)
{
	const struct leat_level *inner = &pkt->lvl[1];

	return inner->network == pkt->lvl[0].transport && type == ipxip_type(pkt) &&
	       pkt->lvl[0].protocol == (inner->version == 4 ? PROTO_IPIP : PROTO_IPV6);
}

/* Does the outer UDP header go with `type`, of which other headers have been taken away? */
static bool is_udp_tunnel(const struct leat_pkt *pkt, uint32_t type)
{
	const struct leat_level *l = &pkt->lvl[0];
	uint32_t rest = type & ~(LEAT_GSO_UDP_TUNNEL | LEAT_GSO_UDP_TUNNEL_CSUM);

	if (type & LEAT_GSO_UDP_TUNNEL) {
		if (type & LEAT_GSO_UDP_TUNNEL_CSUM ||
		    load_raw16(pkt->data + l->transport + UDP_CHECK) != 0)
			return false;
	} else if (!(type & LEAT_GSO_UDP_TUNNEL_CSUM)) {
		return false;
	}
	if (l->tunnel == LEAT_TUNNEL_FOU || l->tunnel == LEAT_TUNNEL_GUE)
		rest &= ~ipxip_type(pkt);
	if (rest & LEAT_GSO_TUNNEL_REMCSUM && leat_pkt_inner(pkt)->protocol == PROTO_SCTP)
		return false;
	return rest == (l->flags & LEAT_REMCSUM ? LEAT_GSO_TUNNEL_REMCSUM : 0);
}

bool leat_gso_tunnel_check(const struct leat_pkt *pkt, struct gso_plan *plan)
{
	const struct leat_level *outer = &pkt->lvl[0], *inner = &pkt->lvl[1];
	uint32_t type = pkt->gso_type & GSO_TUNNELS, gre, bit;

	if (outer->tunnel == LEAT_TUNNEL_NONE || outer->tunnel > LEAT_TUNNEL_FOU ||
	    !(type & tunnels[outer->tunnel].types) ||
	    outer->transport + tunnels[outer->tunnel].hlen > inner->network ||
	    (inner->transport - outer->transport) & 1) /* sums are of whole words */
		return false;
	if (outer->tunnel == LEAT_TUNNEL_IP)
		return is_ipxip(pkt, type);
	if (outer->protocol != tunnels[outer->tunnel].protocol)
		return false;
	gre = find_gre(pkt);
	if (gre != 0) {
		bit = gre_type(pkt, gre);
		if (bit == 0 || (type & (LEAT_GSO_GRE | LEAT_GSO_GRE_CSUM)) != bit)
			return false;
		plan->gre = bit == LEAT_GSO_GRE_CSUM ? (uint16_t)gre : 0;
		type &= ~bit;
	}
	return outer->tunnel == LEAT_TUNNEL_GRE ? type == 0 : is_udp_tunnel(pkt, type);
}

/* The sum of the written inner packet from its transport header on. */
static uint32_t sum_inner(const struct leat_gso *gso, const struct gso_seg *s)
{
	uint32_t len = gso->hdr_len - gso->transport;

	if (gso->lco)
		return (uint16_t)~leat_csum_fold(
			leat_csum_add(gso->pseudo, sum_be32(len + s->shown)));
	return leat_csum_add(leat_csum_partial(s->hdr + gso->transport, len, 0), sum_payload(s));
}

void leat_gso_tunnel_seal(const struct leat_gso *gso, const struct gso_seg *s)
{
	uint32_t from = gso->lvl[0].transport, len = gso->hdr_len - from + s->shown;
	uint8_t *udp = s->hdr + from, *gre = s->hdr + gso->gre;
	uint32_t inner = 0, sum;

	if (gso->gre || gso->udp_csum)
		inner = sum_inner(gso, s);
	if (gso->gre) {
		store_raw16(gre + GRE_CHECK, 0);
		sum = leat_csum_partial(gre, gso->transport - gso->gre, inner);
		store_raw16(gre + GRE_CHECK, (uint16_t)~leat_csum_fold(sum));
	}
	if (gso->lvl[0].protocol != PROTO_UDP)
		return;
	store_be16(udp + UDP_LEN, (uint16_t)len);
	if (gso->udp_csum) {
		store_raw16(udp + UDP_CHECK, 0);
		sum = leat_csum_add(gso->outer_pseudo, sum_be32(len));
		sum = leat_csum_partial(udp, gso->transport - from, leat_csum_add(sum, inner));
		store_udp_check(udp + UDP_CHECK, sum);
	}
}
