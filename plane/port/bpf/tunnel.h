/* SPDX-License-Identifier: MIT */
/*
 * tunnel.h - of the steering program: leat_parse()'s second level, what lies in a tunnel.
 */
#ifndef PLANE_PORT_BPF_TUNNEL_H
#define PLANE_PORT_BPF_TUNNEL_H

#include "level.h"

enum {
	TCP_CHECK = 16,
	UDP_CHECK = 6,

	GRE_HLEN = 4,
	GRE_CSUM = 0x8000, /* of the first 16 bits; each adds 4 bytes */
	GRE_KEY = 0x2000,

	VXLAN_HLEN = 8,
	VXLAN_F_VNI = 0x08,	/* of the first byte */
	VXLAN_F_RCO = 0x20,	/* of the second */
	VXLAN_RCO_START = 0x7f, /* of the last: where to sum from, in units of 2 bytes ... */
	VXLAN_RCO_UDP = 0x80,	/* ... and that UDP's field is meant, not TCP's */

	GENEVE_HLEN = 8,
	GENEVE_VERSION = 0xc0, /* of the first byte, whose rest are options, in units of 4 bytes */
	GENEVE_F_OAM = 0x80,   /* of the second */

	GUE_HLEN = 4,
	GUE_VARIANT = 0xc0, /* of the first byte */
	GUE_VARIANT_1 = 0x40,
	GUE_CONTROL = 0x20,
	GUE_UNITS = 0x1f, /* of 4 bytes: the fields */
	GUE_F_PRIVATE = 1,
	GUE_PRIVATE_LEN = 4,
	GUE_RCO = 0x80,	    /* of the first byte of the private flags: two offsets follow */
	GUE_FIELDS_LEN = 8, /* private flags and offsets */
};

/* What it carries, as offsets in the frame. */
struct inside {
	uint32_t at, end;    /* the inner network header, and where the tunnel's packet ends */
	uint32_t csum_start; /* with `remcsum`: where its sum begins ... */
	uint32_t csum_field; /* ... and where it is to be */
	uint16_t type;	     /* EtherType of what is at `at` */
	bool remcsum;
};

static __always_inline bool skip_gre(struct __sk_buff *skb, uint32_t limit, uint16_t allowed,
				     struct inside *in)
{
	uint8_t gre[GRE_HLEN];
	uint16_t flags;

	if (!load(skb, in->at, limit, gre, sizeof(gre)))
		return false;
	flags = load_be16(gre);
	in->at += GRE_HLEN + (flags & GRE_CSUM ? 4 : 0) + (flags & GRE_KEY ? 4 : 0);
	in->type = load_be16(gre + 2);
	return !(flags & ~allowed);
}

/* What an IP protocol number says comes next, of IP itself and in FOU and GUE. */
static __always_inline bool skip_protocol(struct __sk_buff *skb, uint32_t limit, uint8_t protocol,
					  struct inside *in)
{
	if (protocol == IPPROTO_GRE)
		return skip_gre(skb, limit, GRE_KEY, in);
	in->type = protocol == IPPROTO_IPIP ? ETH_P_IP : ETH_P_IPV6;
	return protocol == IPPROTO_IPIP || protocol == IPPROTO_IPV6;
}

static __always_inline bool skip_vxlan(struct __sk_buff *skb, uint32_t limit, bool remcsum,
				       struct inside *in)
{
	uint8_t vxlan[VXLAN_HLEN];

	if (!load(skb, in->at, limit, vxlan, sizeof(vxlan)) || !(vxlan[0] & VXLAN_F_VNI))
		return false;
	in->at += VXLAN_HLEN;
	in->type = ETH_P_TEB;
	in->remcsum = remcsum && (vxlan[1] & VXLAN_F_RCO);
	in->csum_start = in->at + (vxlan[7] & VXLAN_RCO_START) * 2u;
	in->csum_field = in->csum_start + (vxlan[7] & VXLAN_RCO_UDP ? UDP_CHECK : TCP_CHECK);
	return true;
}

static __always_inline bool skip_geneve(struct __sk_buff *skb, uint32_t limit, struct inside *in)
{
	uint8_t geneve[GENEVE_HLEN];

	if (!load(skb, in->at, limit, geneve, sizeof(geneve)) || (geneve[0] & GENEVE_VERSION) ||
	    (geneve[1] & GENEVE_F_OAM))
		return false;
	in->at += GENEVE_HLEN + geneve[0] * 4u;
	in->type = load_be16(geneve + 2);
	return true;
}

/* The optional fields in the `len` bytes that end with the GUE header, at in->at; what follows them
 * there is private data. */
static __always_inline bool read_gue_fields(struct __sk_buff *skb, uint32_t len, uint16_t flags,
					    struct inside *in)
{
	uint8_t field[GUE_FIELDS_LEN];
	uint32_t at = in->at - len;

	if (flags == 0)
		return true;
	if (flags != GUE_F_PRIVATE || !load(skb, at, in->at, field, GUE_PRIVATE_LEN))
		return false;
	if (!field[0] && !field[1] && !field[2] && !field[3])
		return true;
	if (field[0] != GUE_RCO || field[1] || field[2] || field[3] ||
	    !load(skb, at, in->at, field, sizeof(field)))
		return false;
	in->remcsum = true;
	in->csum_start = in->at + load_be16(field + GUE_PRIVATE_LEN);
	in->csum_field = in->at + load_be16(field + GUE_PRIVATE_LEN + 2);
	return true;
}

static __always_inline bool skip_gue(struct __sk_buff *skb, uint32_t limit, struct inside *in)
{
	uint8_t gue[GUE_HLEN];
	uint32_t len;

	if (!load(skb, in->at, limit, gue, sizeof(gue)))
		return false;
	if ((gue[0] & GUE_VARIANT) == GUE_VARIANT_1) { /* an IP header's first bits */
		in->type = gue[0] >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP;
		return true;
	}
	len = (gue[0] & GUE_UNITS) * 4u;
	if ((gue[0] & (GUE_VARIANT | GUE_CONTROL)) || in->at + GUE_HLEN + len > limit)
		return false;
	in->at += GUE_HLEN + len;
	return read_gue_fields(skb, len, load_be16(gue + 2), in) &&
	       skip_protocol(skb, limit, gue[1], in);
}

/* The entry for a UDP destination port, or NULL. */
static __always_inline const struct leat_tunnel_port *find_tunnel_port(
	const struct leat_parse_conf *conf, const struct leat_ntuple_key *key)
{
	for (uint32_t i = 0; i < LEAT_TUNNEL_PORTS_MAX && i < conf->tunnels; i++) {
		if (conf->tunnel[i].port == load_be16(key->l4 + 2))
			return &conf->tunnel[i];
	}
	return NULL;
}

static __always_inline bool is_udp(const struct leat_ntuple_key *key)
{
	return key->flow == LEAT_NTUPLE_UDP4 || key->flow == LEAT_NTUPLE_UDP6;
}

/* Skip UDP's header and that of the tunnel it begins. */
static __always_inline bool skip_udp_tunnel(struct __sk_buff *skb, uint32_t limit,
					    const struct leat_parse_conf *conf,
					    const struct leat_ntuple_key *key, struct inside *in)
{
	const struct leat_tunnel_port *port = find_tunnel_port(conf, key);
	__be16 len = 0;

	if (!port || bpf_skb_load_bytes(skb, in->at + UDP_LEN, &len, sizeof(len)))
		return false;
	if (in->at + bpf_ntohs(len) > in->end)
		return false;
	in->end = in->at + bpf_ntohs(len);
	in->at += sizeof(struct udphdr);
	limit = min_of(limit, in->end);
	switch (port->tunnel) {
	case LEAT_TUNNEL_VXLAN: return skip_vxlan(skb, limit, port->remcsum, in);
	case LEAT_TUNNEL_GENEVE: return skip_geneve(skb, limit, in);
	case LEAT_TUNNEL_GUE: return skip_gue(skb, limit, in);
	case LEAT_TUNNEL_FOU: return skip_protocol(skb, limit, port->protocol, in);
	default: return false;
	}
}

/* Fill `in`, where the level begins a tunnel that can be followed. */
__attribute__((noinline)) int open_tunnel(struct __sk_buff *skb, uint32_t limit,
					  const struct leat_parse_conf *conf,
					  const struct level *outer, struct inside *in)
{
	uint32_t end;

	if (!conf || !outer || !in || !outer->l4)
		return false;
	in->at = outer->l4;
	in->end = outer->end;
	if (is_udp(&outer->key))
		return skip_udp_tunnel(skb, limit, conf, &outer->key, in);
	end = min_of(limit, in->end);
	if (outer->key.protocol == IPPROTO_GRE)
		return skip_gre(skb, end, GRE_CSUM | GRE_KEY, in);
	return skip_protocol(skb, end, outer->key.protocol, in);
}

/* Is the checksum that the tunnel leaves to the receiver the inner transport's? */
static __always_inline bool names_csum(const struct inside *in, const struct level *l)
{
	uint32_t check = is_udp(&l->key) ? UDP_CHECK : TCP_CHECK;

	return (is_udp(&l->key) || l->key.flow == LEAT_NTUPLE_TCP4 ||
		l->key.flow == LEAT_NTUPLE_TCP6) &&
	       in->csum_start == l->l4 && in->csum_field == l->l4 + check;
}

/* Fill `inner`, zeroed, with what the outer level carries, if that is an IP packet which the parser
 * takes for one. */
__attribute__((noinline)) int parse_inner(struct __sk_buff *skb, const struct steer_head *head,
					  const struct level *outer, struct level *inner)
{
	struct inside in = {};
	uint32_t limit, end;

	if (!head || !outer || !inner)
		return false;
	limit = find_limit(skb, head);
	if (!open_tunnel(skb, limit, &head->parse, outer, &in))
		return false;
	end = min_of(limit, in.end);
	inner->key.ether_type[0] = (uint8_t)(in.type >> 8);
	inner->key.ether_type[1] = (uint8_t)in.type;
	if (in.type == ETH_P_TEB)
		in.at = parse_link(skb, in.at, end, &inner->key);
	if (!in.at || in.at > end ||
	    (load_be16(inner->key.ether_type) == ETH_P_IP && end - in.at < sizeof(struct iphdr)))
		return false;
	inner->key.flow = LEAT_NTUPLE_ETHER;
	parse_network(skb, in.at, limit, in.end, inner);
	if (inner->key.flow == LEAT_NTUPLE_ETHER || (in.remcsum && !names_csum(&in, inner)))
		return false;
	/* A second encapsulation: its ports are not looked at. */
	if (is_udp(&inner->key) && find_tunnel_port(&head->parse, &inner->key))
		inner->key.flow += LEAT_NTUPLE_IP4 - LEAT_NTUPLE_UDP4;
	return true;
}

#endif
