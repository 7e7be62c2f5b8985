/* SPDX-License-Identifier: MIT */
/*
 * gro_tunnel.c - what lies between the outer IP header and the inner one: the same bytes in every
 * packet of a super-packet, but for the outer UDP length and checksum, or a GRE checksum. Those GSO
 * writes anew, and so they must be what it will write.
 *
 * In a super-packet a UDP checksum field that is used holds the folded pseudo-header sum of the
 * whole, not complemented, which is what the kernel leaves there and relies on; leat's GSO asks no
 * more of it than not to be 0. A GRE checksum stays the first packet's, and so does either where
 * the members stay whole.
 */
#include "gro_ip.h"

enum { GRE_RESERVED = 6 }; /* the other half of a checksum */

/* 0xffff is right where 0 is, but GSO would write 0, and into the reserved half too. */
static bool is_gre_csum_other(const uint8_t *gre)
{
	return load_raw16(gre + GRE_CHECK) == 0xffff || load_raw16(gre + GRE_RESERVED) != 0;
}

enum leat_gro_reason leat_gro_tunnel_refuse(const struct leat_pkt *pkt)
{
	const struct leat_level *out = &pkt->lvl[0];
	const uint8_t *l4 = pkt->data + out->transport;

	if (out->protocol == PROTO_UDP && load_be16(l4 + UDP_LEN) != pkt->len - out->transport)
		return LEAT_GRO_LENGTH;
	if (!has_tunnel_csum(out, l4))
		return LEAT_GRO_MERGED;
	if (out->protocol == PROTO_GRE && is_gre_csum_other(l4))
		return LEAT_GRO_TUNNEL_CSUM;
	return leat_csum_verify_tunnel(pkt) ? LEAT_GRO_MERGED : LEAT_GRO_TUNNEL_CSUM;
}

/* One that is left to the receiver: only the outer checksum vouches for the bytes, unless someone
 * did who is trusted. */
bool leat_gro_tunnel_covers(const struct leat_pkt *pkt)
{
	return pkt->csum != LEAT_CSUM_NONE || has_udp_check(pkt->data + pkt->lvl[0].transport);
}

/* Do FOU or GUE have a GRE header in front of the inner packet? The parser lets none with a
 * checksum by. */
static bool has_inner_gre(const struct leat_pkt *pkt)
{
	const struct leat_level *out = &pkt->lvl[0];
	const uint8_t *gue = pkt->data + out->transport + UDP_HLEN;

	if (out->tunnel == LEAT_TUNNEL_FOU)
		return pkt->lvl[1].network > out->transport + UDP_HLEN;
	return out->tunnel == LEAT_TUNNEL_GUE && (gue[GUE_HLEN_UNITS] & GUE_VARIANT) == 0 &&
	       gue[GUE_PROTOCOL] == PROTO_GRE;
}

static uint32_t complete_udp(struct leat_pkt *head, bool whole)
{
	const struct leat_level *out = &head->lvl[0];
	uint8_t *uh = head->data + out->transport;
	uint32_t len = head->len - out->transport;
	uint32_t type = is_remcsum(head) ? LEAT_GSO_TUNNEL_REMCSUM : 0;

	if (has_inner_gre(head))
		type |= LEAT_GSO_GRE;
	store_be16(uh + UDP_LEN, (uint16_t)len);
	if (!has_udp_check(uh))
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
		return has_gre_check(head->data + out->transport) ? LEAT_GSO_GRE_CSUM :
								    LEAT_GSO_GRE;
	default: return out->version == 4 ? LEAT_GSO_IPXIP4 : LEAT_GSO_IPXIP6;
	}
}
