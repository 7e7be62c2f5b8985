/* SPDX-License-Identifier: MIT */
/*
 * parse_tunnel.c - tunnel headers: each kind has a function that moves past its header and says
 * what EtherType follows, or why it cannot be followed.
 *
 * Only what a receiver merges and a sender segments by copying the header is followed: nothing
 * that counts packets (GRE sequence numbers), nothing meant for the tunnel's end itself (GUE
 * control messages, Geneve OAM), no header whose fields are not known to be ignorable. Options and
 * private data are not looked into: they are the same in all segments, or the packets do not
 * merge. A GRE header in FOU or GUE is part of the tunnel header, and so may not have a checksum,
 * for which there would be no place: a level has one.
 *
 * A receiver must ignore VXLAN's reserved bits (RFC 7348, 5), so the bit of remote checksums means
 * something only at a port where they were agreed on. GUE is the draft's, variants 0 and 1, with
 * Linux's private flag for remote checksums and no other optional field.
 */
#include "parse_tunnel.h"

const struct leat_parse_conf leat_parse_default = {
	.tunnel =
		{
			{.port = 4789, .tunnel = LEAT_TUNNEL_VXLAN},
			{.port = 6081, .tunnel = LEAT_TUNNEL_GENEVE},
			{.port = 6080, .tunnel = LEAT_TUNNEL_GUE},
		},
	.tunnels = 3,
};

static enum leat_parse_reason skip_gre(const uint8_t *frame, uint32_t limit, unsigned allowed,
				       struct inside *in)
{
	const uint8_t *gre = frame + in->at;
	unsigned flags;

	if (limit - in->at < GRE_HLEN)
		return LEAT_PARSE_TUNNEL_HEADER;
	flags = load_be16(gre + GRE_FLAGS);
	if (flags & ~allowed)
		return LEAT_PARSE_TUNNEL_HEADER;
	in->at += GRE_HLEN + (flags & GRE_CSUM ? 4 : 0) + (flags & GRE_KEY ? 4 : 0);
	in->type = load_be16(gre + GRE_PROTOCOL);
	return LEAT_PARSE_OK;
}

/* What an IP protocol number says comes next, of IP itself and in FOU and GUE. */
static enum leat_parse_reason skip_protocol(const uint8_t *frame, uint32_t limit, unsigned protocol,
					    struct inside *in)
{
	switch (protocol) {
	case PROTO_IPIP: in->type = ETYPE_IP4; return LEAT_PARSE_OK;
	case PROTO_IPV6: in->type = ETYPE_IP6; return LEAT_PARSE_OK;
	case PROTO_GRE: return skip_gre(frame, limit, GRE_KEY, in);
	default: return LEAT_PARSE_TUNNEL_INNER;
	}
}

/* The entry for the UDP port at which level 0's tunnel ends: there is one, as the level says. */
static const struct leat_tunnel_port *tunnel_port(const struct leat_parse_conf *conf,
						  const struct leat_pkt *pkt)
{
	const uint8_t *udp = pkt->data + pkt->lvl[0].transport;

	return find_tunnel_port(conf, load_be16(udp + L4_DPORT));
}

static enum leat_parse_reason skip_vxlan(const struct leat_parse_conf *conf,
					 const struct leat_pkt *pkt, uint32_t limit,
					 struct inside *in)
{
	const uint8_t *vxlan = pkt->data + in->at;
	uint32_t flags;

	if (limit - in->at < VXLAN_HLEN)
		return LEAT_PARSE_TUNNEL_HEADER;
	flags = load_be32(vxlan + VXLAN_FLAGS);
	if (!(flags & VXLAN_F_VNI))
		return LEAT_PARSE_TUNNEL_HEADER;
	in->at += VXLAN_HLEN;
	in->type = ETYPE_TEB;
	if (!(flags & VXLAN_F_RCO) || !tunnel_port(conf, pkt)->remcsum)
		return LEAT_PARSE_OK;
	in->remcsum = true;
	in->csum_start = in->at + (vxlan[VXLAN_RCO] & VXLAN_RCO_START) * 2u;
	in->csum_field =
		in->csum_start + (vxlan[VXLAN_RCO] & VXLAN_RCO_UDP ? UDP_CHECK : TCP_CHECK);
	return LEAT_PARSE_OK;
}

static enum leat_parse_reason skip_geneve(const uint8_t *frame, uint32_t limit, struct inside *in)
{
	const uint8_t *geneve = frame + in->at;

	if (limit - in->at < GENEVE_HLEN || (geneve[GENEVE_OPT_LEN] & GENEVE_VERSION))
		return LEAT_PARSE_TUNNEL_HEADER;
	if (geneve[GENEVE_FLAGS] & GENEVE_F_OAM)
		return LEAT_PARSE_TUNNEL_INNER;
	in->at += GENEVE_HLEN + geneve[GENEVE_OPT_LEN] * 4u;
	in->type = load_be16(geneve + GENEVE_PROTOCOL);
	return LEAT_PARSE_OK;
}

/* The optional fields in the `len` bytes behind a GUE header; what follows them there is private
 * data. in->at is the header's end. */
static bool read_gue_fields(const uint8_t *gue, uint32_t len, struct inside *in)
{
	const uint8_t *field = gue + GUE_HLEN;
	unsigned flags = load_be16(gue + GUE_FLAGS);

	if (flags == 0)
		return true;
	if (flags != GUE_F_PRIVATE || len < GUE_PRIVATE_LEN)
		return false;
	if (load_be32(field) == 0)
		return true;
	if (load_be32(field) != 1u << GUE_RCO_BIT || len < GUE_PRIVATE_LEN + GUE_RCO_LEN)
		return false;
	field += GUE_PRIVATE_LEN;
	in->remcsum = true;
	in->csum_start = in->at + load_be16(field);
	in->csum_field = in->at + load_be16(field + 2);
	return true;
}

static enum leat_parse_reason skip_gue(const uint8_t *frame, uint32_t limit, struct inside *in)
{
	const uint8_t *gue = frame + in->at;
	uint32_t len;

	if (limit - in->at < GUE_HLEN)
		return LEAT_PARSE_TUNNEL_HEADER;
	/* Variant 1 is the first bits of an IP header, 4 and 6 having them in common. */
	if ((gue[GUE_HLEN_UNITS] & GUE_VARIANT) == GUE_VARIANT_1) {
		in->type = gue[0] >> 4 == 6 ? ETYPE_IP6 : ETYPE_IP4;
		return LEAT_PARSE_OK;
	}
	if (gue[GUE_HLEN_UNITS] & GUE_VARIANT)
		return LEAT_PARSE_TUNNEL_HEADER;
	if (gue[GUE_HLEN_UNITS] & GUE_CONTROL)
		return LEAT_PARSE_TUNNEL_INNER;
	len = (gue[GUE_HLEN_UNITS] & GUE_UNITS) * 4u;
	if (limit - in->at < GUE_HLEN + len)
		return LEAT_PARSE_TUNNEL_HEADER;
	in->at += GUE_HLEN + len;
	if (!read_gue_fields(gue, len, in))
		return LEAT_PARSE_TUNNEL_HEADER;
	return skip_protocol(frame, limit, gue[GUE_PROTOCOL], in);
}

static enum leat_parse_reason skip_tunnel(const struct leat_parse_conf *conf,
					  const struct leat_pkt *pkt, uint32_t limit,
					  struct inside *in)
{
	const struct leat_level *l = &pkt->lvl[0];

	switch (l->tunnel) {
	case LEAT_TUNNEL_GRE: return skip_gre(pkt->data, limit, GRE_CSUM | GRE_KEY, in);
	case LEAT_TUNNEL_VXLAN: return skip_vxlan(conf, pkt, limit, in);
	case LEAT_TUNNEL_GENEVE: return skip_geneve(pkt->data, limit, in);
	case LEAT_TUNNEL_GUE: return skip_gue(pkt->data, limit, in);
	case LEAT_TUNNEL_IP: return skip_protocol(pkt->data, limit, l->protocol, in);
	case LEAT_TUNNEL_FOU:
		return skip_protocol(pkt->data, limit, tunnel_port(conf, pkt)->protocol, in);
	default: return LEAT_PARSE_TUNNEL_HEADER;
	}
}

/* The Ethernet header at in->at, and its tags. */
static enum leat_parse_reason skip_inner_link(const uint8_t *frame, uint32_t limit,
					      struct inside *in)
{
	unsigned tags = 0;
	int type;

	in->mac = in->at;
	type = skip_link(frame, limit, &in->at, &tags);
	in->type = (uint16_t)type;
	return type < 0 ? LEAT_PARSE_SHORT_LINK : LEAT_PARSE_OK;
}

enum leat_parse_reason leat_parse_tunnel_open(const struct leat_parse_conf *conf,
					      const struct leat_pkt *pkt, uint32_t end,
					      struct inside *in)
{
	const struct leat_level *l = &pkt->lvl[0];
	enum leat_parse_reason reason;
	uint32_t limit;

	*in = (struct inside){.at = l->transport, .end = end};
	if (l->flags & LEAT_IP_FRAGMENT)
		return LEAT_PARSE_FRAGMENT;
	if (l->protocol == PROTO_UDP) {
		in->end = in->at + load_be16(pkt->data + in->at + UDP_LEN);
		in->at += UDP_HLEN;
		if (in->end > end)
			return LEAT_PARSE_TUNNEL_HEADER;
	}
	limit = min_of(pkt->headlen, in->end);
	reason = skip_tunnel(conf, pkt, limit, in);
	if (reason != LEAT_PARSE_OK)
		return reason;
	if (in->at > limit)
		return LEAT_PARSE_TUNNEL_HEADER;
	return in->type == ETYPE_TEB ? skip_inner_link(pkt->data, limit, in) : LEAT_PARSE_OK;
}

/* Is the checksum that the tunnel leaves to the receiver the inner transport's? */
static bool names_csum(const struct leat_pkt *pkt, const struct inside *in)
{
	const struct leat_level *l = &pkt->lvl[1];
	uint32_t check = l->protocol == PROTO_TCP ? TCP_CHECK : UDP_CHECK;

	return pkt->depth == LEAT_DEPTH_TRANSPORT && !(l->flags & LEAT_IP_FRAGMENT) &&
	       l->protocol != PROTO_SCTP && in->csum_start == l->transport &&
	       in->csum_field == l->transport + check;
}

enum leat_parse_reason leat_parse_tunnel_close(struct leat_pkt *pkt, const struct inside *in,
					       enum leat_parse_reason reason)
{
	if (pkt->levels < 2)
		return reason == LEAT_PARSE_NOT_IP ? LEAT_PARSE_TUNNEL_INNER : reason;
	if (in->remcsum && !names_csum(pkt, in)) {
		leat_parse_outer(pkt);
		return LEAT_PARSE_TUNNEL_HEADER;
	}
	if (in->remcsum)
		pkt->lvl[0].flags |= LEAT_REMCSUM;
	pkt->inner_mac = (uint16_t)in->mac;
	if (pkt->lvl[1].tunnel != LEAT_TUNNEL_NONE)
		reason = LEAT_PARSE_TUNNEL_DEPTH;
	if (reason != LEAT_PARSE_OK) {
		pkt->depth = LEAT_DEPTH_NETWORK; /* what was found of the outer level is not it */
		pkt->payload = 0;
	}
	return reason;
}
