/* SPDX-License-Identifier: MIT */
/*
 * gso_tunnel.c - the header between two IP headers: what kind it is, its length and its checksums.
 *
 * A tunnel is a row: the bits of gso_type that say so, the outer protocol, and the bytes that its
 * header has at least. FOU and GUE may carry IP or GRE without a checksum, whose bits they may have
 * beside their own; the bytes are the tunnel header's and copied with it.
 *
 * An outer checksum covers the whole inner packet, but costs no second pass over it (local checksum
 * offload): an inner checksum that is right, or will be once the port has completed it, makes the
 * inner transport header and payload sum to the complement of their pseudo-header. Only where it
 * stays unfinished, for the receiver (remote checksum offload), is of another kind (SCTP), or is
 * the member's own affair (fraglist), is the payload summed.
 */
#include "gso.h"

enum { GRE_WORD = 4 }; /* bytes of what a flag adds */

#define UDP_TYPES  (LEAT_GSO_UDP_TUNNEL | LEAT_GSO_UDP_TUNNEL_CSUM)
#define IP_TYPES   (LEAT_GSO_IPXIP4 | LEAT_GSO_IPXIP6)
#define GRE_TYPES  (LEAT_GSO_GRE | LEAT_GSO_GRE_CSUM)
#define BARE_TYPES (IP_TYPES | LEAT_GSO_GRE)

static const struct tunnel {
	uint32_t types;	  /* one of these ... */
	uint32_t beside;  /* ... and perhaps these */
	uint8_t protocol; /* of the outer IP header; 0: as the inner IP version has it */
	uint8_t hlen;	  /* UDP's included */
} tunnels[] = {
	[LEAT_TUNNEL_IP] = {IP_TYPES, 0, 0, 0},
	[LEAT_TUNNEL_GRE] = {GRE_TYPES, 0, PROTO_GRE, GRE_HLEN},
	[LEAT_TUNNEL_VXLAN] = {UDP_TYPES, LEAT_GSO_TUNNEL_REMCSUM, PROTO_UDP, 16},
	[LEAT_TUNNEL_GENEVE] = {UDP_TYPES, 0, PROTO_UDP, 16},
	[LEAT_TUNNEL_GUE] = {UDP_TYPES, LEAT_GSO_TUNNEL_REMCSUM | BARE_TYPES, PROTO_UDP, 8},
	[LEAT_TUNNEL_FOU] = {UDP_TYPES, BARE_TYPES, PROTO_UDP, 8},
};

/* The type of the GRE header; 0 if it is one whose segments cannot be copies. */
static uint32_t gre_type(const struct leat_pkt *pkt)
{
	uint32_t room = pkt->lvl[1].network - (uint32_t)pkt->lvl[0].transport, hlen = GRE_HLEN;
	uint32_t flags = load_be16(pkt->data + pkt->lvl[0].transport + GRE_FLAGS);

	hlen += (flags & GRE_CSUM ? GRE_WORD : 0u) + (flags & GRE_KEY ? GRE_WORD : 0u);
	if (flags & ~(uint32_t)(GRE_CSUM | GRE_KEY) || hlen > room)
		return 0;
	return flags & GRE_CSUM ? LEAT_GSO_GRE_CSUM : LEAT_GSO_GRE;
}

static uint32_t ipxip_type(const struct leat_pkt *pkt)
{
	if (pkt->lvl[1].network != pkt->lvl[0].transport)
		return 0;
	return pkt->lvl[0].version == 4 ? LEAT_GSO_IPXIP4 : LEAT_GSO_IPXIP6;
}

/* The type of the UDP header, of the two that `type` may have: a checksum that nobody writes anew
 * would be wrong in every segment. */
static uint32_t udp_type(const struct leat_pkt *pkt, uint32_t type)
{
	const uint8_t *udp = pkt->data + pkt->lvl[0].transport;

	if (type & LEAT_GSO_UDP_TUNNEL_CSUM)
		return LEAT_GSO_UDP_TUNNEL_CSUM;
	return load_raw16(udp + UDP_CHECK) == 0 ? LEAT_GSO_UDP_TUNNEL : 0;
}

/* Is the inner checksum left to the receiver just where headers and type say so? */
static bool is_remote(const struct leat_pkt *pkt)
{
	bool remote = pkt->gso_type & LEAT_GSO_TUNNEL_REMCSUM;

	return remote == !!(pkt->lvl[0].flags & LEAT_REMCSUM) &&
	       !(remote && leat_pkt_inner(pkt)->protocol == PROTO_SCTP);
}

static bool is_row(const struct leat_pkt *pkt, const struct tunnel *row)
{
	const struct leat_level *outer = &pkt->lvl[0], *inner = &pkt->lvl[1];
	uint8_t ip = inner->version == 4 ? PROTO_IPIP : PROTO_IPV6;

	return row->types && outer->protocol == (row->protocol ? row->protocol : ip) &&
	       outer->transport + row->hlen <= inner->network &&
	       !((inner->transport - outer->transport) & 1); /* sums are of whole words */
}

bool leat_gso_tunnel_check(const struct leat_pkt *pkt)
{
	uint32_t all = pkt->gso_type & GSO_TUNNELS, type;
	const struct tunnel *row;

	if (pkt->lvl[0].tunnel > LEAT_TUNNEL_FOU)
		return false;
	row = &tunnels[pkt->lvl[0].tunnel];
	if (!is_row(pkt, row) || !is_remote(pkt))
		return false;
	switch (row->protocol) {
	case PROTO_GRE: type = gre_type(pkt); break;
	case PROTO_UDP: type = udp_type(pkt, all); break;
	default: type = ipxip_type(pkt);
	}
	return type && (all & ~row->beside) == type;
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

static uint16_t udp_len(const struct leat_gso *gso, const struct gso_seg *s)
{
	return (uint16_t)(gso->hdr_len - gso->lvl[0].transport + s->shown);
}

static void seal_gre(const struct leat_gso *gso, const struct gso_seg *s)
{
	uint8_t *gre = s->hdr + gso->lvl[0].transport;
	uint32_t len = gso->transport - gso->lvl[0].transport, sum;

	store_raw16(gre + GRE_CHECK, 0);
	sum = leat_csum_partial(gre, len, sum_inner(gso, s));
	store_raw16(gre + GRE_CHECK, (uint16_t)~leat_csum_fold(sum));
}

static void seal_udp(const struct leat_gso *gso, const struct gso_seg *s)
{
	uint8_t *udp = s->hdr + gso->lvl[0].transport;
	uint32_t len = gso->transport - gso->lvl[0].transport, sum;

	store_raw16(udp + UDP_CHECK, 0);
	sum = leat_csum_add(gso->outer_pseudo, put_be16(udp + UDP_LEN, udp_len(gso, s)));
	sum = leat_csum_partial(udp, len, leat_csum_add(sum, sum_inner(gso, s)));
	store_udp_check(udp + UDP_CHECK, sum);
}

void leat_gso_tunnel_seal(const struct leat_gso *gso, const struct gso_seg *s)
{
	if (gso->gso_type & LEAT_GSO_GRE_CSUM)
		seal_gre(gso, s);
	else if (gso->gso_type & LEAT_GSO_UDP_TUNNEL_CSUM)
		seal_udp(gso, s);
	else if (gso->gso_type & LEAT_GSO_UDP_TUNNEL)
		store_be16(s->hdr + gso->lvl[0].transport + UDP_LEN, udp_len(gso, s));
}
