/* SPDX-License-Identifier: MIT */
/*
 * The receive queue of a frame, in the kernel: what leat_parse() and leat_rxfh_pick() make of it,
 * with the flows of accelerated RFS between rules and table.
 *
 * TUN runs `steer` on the way to a device's queue; the queue is what it gives, mod the number of
 * queues. It runs `filter` when the frame is put there, and only while there are rules that drop:
 * the first cannot. Both see the frame as the stack has it: a VLAN tag may lie beside it, and a
 * super-packet is not segmented yet.
 *
 * A frame on a TAP is never so long that its IP length cannot be told (BIG TCP), so that case of
 * the parser is not here. Functions that are not static are verified on their own, which keeps the
 * verifier's work small.
 */
#include "steer.h"

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include <leat/parse.h>

enum {
	TAG_HLEN = 4,
	FRAGMENT = 0x3fff, /* of IPv4's frag_off: more fragments, and the offset */
	EXTENSION_UNIT = 8,
	FRAGMENT_OFFSET = 0xfff8, /* of bytes 2 and 3 of IPv6's fragment header */
	L4_LEN = 4,
	AH_SPI = 4,
	AH_MIN = 8,
	TCP_DOFF = 12,
	TCP_CHECK = 16,
	UDP_LEN = 4,
	UDP_CHECK = 6,
	SCTP_HLEN = 12,
	TOEPLITZ_ROWS = 2 * LEAT_RSS_INPUT_MAX,
};

enum {
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

struct head_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(uint32_t));
	__uint(value_size, sizeof(struct steer_head));
};

struct context_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP); /* of any number of entries */
	__uint(max_entries, 1);
	__uint(key_size, sizeof(uint32_t));
	__uint(value_size, sizeof(struct leat_rss));
};

struct rule_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct leat_ntuple_key));
	__uint(value_size, sizeof(struct steer_rule));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__array(values, struct head_map);
} heads SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, STEER_PLACES);
	__type(key, uint32_t);
	__array(values, struct context_map);
} contexts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, STEER_PLACES);
	__type(key, uint32_t);
	__array(values, struct rule_map);
} rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, STEER_FILTERS_MAX);
	__type(key, uint32_t);
	__type(value, struct steer_flow);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, uint64_t);
} dropped SEC(".maps");

/* --- the fields of a level --- */

/* Headers from Ethernet on, or from IP on in a tunnel without Ethernet. */
struct level {
	struct leat_ntuple_key key;
	uint8_t label[4]; /* IPv6: the flow label, 12 zeroes first */
	uint32_t l4;  /* offset of what is behind the IP header; 0 in a fragment, or without IP */
	uint32_t end; /* of the IP packet */
};

static __always_inline uint32_t min_of(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static __always_inline uint16_t load_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* A header, all of it before `limit`. */
static __always_inline bool load(struct __sk_buff *skb, uint32_t at, uint32_t limit, void *to,
				 uint32_t len)
{
	return at + len <= limit && bpf_skb_load_bytes(skb, at, to, len) == 0;
}

static __always_inline bool is_vlan(const uint8_t *ether_type)
{
	return load_be16(ether_type) == ETH_P_8021Q || load_be16(ether_type) == ETH_P_8021AD;
}

/* The outermost tag, where it lies beside the frame. */
static __always_inline uint32_t take_tag(struct __sk_buff *skb, struct leat_ntuple_key *key)
{
	uint16_t etype = (uint16_t)skb->vlan_proto;
	uint16_t tci = bpf_htons((uint16_t)skb->vlan_tci);

	__builtin_memcpy(key->vlan_etype, &etype, 2);
	__builtin_memcpy(key->vlan_tci, &tci, 2);
	return 1;
}

/* The Ethernet header at `at` and its tags; gives the offset behind them, 0 if they are cut. */
__attribute__((noinline)) uint32_t parse_link(struct __sk_buff *skb, uint32_t at, uint32_t limit,
					      struct leat_ntuple_key *key)
{
	uint32_t tags = 0;
	struct ethhdr eth;

	if (!key || !load(skb, at, limit, &eth, sizeof(eth)))
		return 0;
	__builtin_memcpy(key->mac_dst, eth.h_dest, ETH_ALEN);
	__builtin_memcpy(key->mac_src, eth.h_source, ETH_ALEN);
	__builtin_memcpy(key->ether_type, &eth.h_proto, 2);
	if (at == 0 && skb->vlan_present)
		tags = take_tag(skb, key);
	at += ETH_HLEN;
	for (; tags < LEAT_VLANS_MAX && is_vlan(key->ether_type); tags++) {
		uint8_t tag[TAG_HLEN];

		if (!load(skb, at, limit, tag, sizeof(tag)))
			return 0;
		if (tags == 0) {
			__builtin_memcpy(key->vlan_etype, key->ether_type, 2);
			__builtin_memcpy(key->vlan_tci, tag, 2);
		}
		__builtin_memcpy(key->ether_type, tag + 2, 2);
		at += TAG_HLEN;
	}
	return at;
}

/* Whether there is a whole transport header in the `room` bytes at `at`. */
static __always_inline bool is_whole(struct __sk_buff *skb, uint32_t at, uint32_t room,
				     uint8_t protocol)
{
	uint8_t doff;
	__be16 len;

	switch (protocol) {
	case IPPROTO_TCP:
		if (room < sizeof(struct tcphdr) ||
		    bpf_skb_load_bytes(skb, at + TCP_DOFF, &doff, sizeof(doff)))
			return false;
		doff >>= 4;
		return doff >= 5 && room >= doff * 4u;
	case IPPROTO_UDP:
		if (room < sizeof(struct udphdr) ||
		    bpf_skb_load_bytes(skb, at + UDP_LEN, &len, sizeof(len)))
			return false;
		return bpf_ntohs(len) >= sizeof(struct udphdr);
	case IPPROTO_SCTP: return room >= SCTP_HLEN;
	default: return false;
	}
}

/* What is behind an IP header that is of no fragment. */
__attribute__((noinline)) int parse_l4(struct __sk_buff *skb, uint32_t limit, struct level *l)
{
	uint32_t at, room;
	uint8_t first;

	if (!l)
		return 0;
	at = l->l4;
	limit = min_of(limit, l->end);
	room = limit - at;
	first = l->key.flow == LEAT_NTUPLE_IP4 ? LEAT_NTUPLE_TCP4 : LEAT_NTUPLE_TCP6;
	if (limit < at || !load(skb, at, limit, l->key.l4, L4_LEN))
		return 0;
	if (l->key.protocol == IPPROTO_AH && room >= AH_MIN) {
		bpf_skb_load_bytes(skb, at + AH_SPI, l->key.l4, L4_LEN);
		l->key.flow = first + LEAT_NTUPLE_AH4;
	} else if (l->key.protocol == IPPROTO_ESP) {
		l->key.flow = first + LEAT_NTUPLE_ESP4;
	} else if (is_whole(skb, at, room, l->key.protocol)) {
		l->key.flow = first + (l->key.protocol == IPPROTO_TCP ? LEAT_NTUPLE_TCP4 :
				       l->key.protocol == IPPROTO_UDP ? LEAT_NTUPLE_UDP4 :
									LEAT_NTUPLE_SCTP4);
	}
	return 0;
}

/* The IPv4 header at `at`, in what ends at `end`. */
static __always_inline void parse_ip4(struct __sk_buff *skb, uint32_t at, uint32_t limit,
				      uint32_t end, struct level *l)
{
	uint32_t hlen, total;
	struct iphdr ip;

	if (!load(skb, at, limit, &ip, sizeof(ip)))
		return;
	hlen = ip.ihl * 4u;
	total = bpf_ntohs(ip.tot_len);
	if (ip.version != 4 || hlen < sizeof(ip) || total < hlen || at + total > end ||
	    limit < at + hlen)
		return;
	__builtin_memcpy(l->key.src, &ip.saddr, 4);
	__builtin_memcpy(l->key.dst, &ip.daddr, 4);
	l->key.tos = ip.tos;
	l->key.protocol = ip.protocol;
	l->key.flow = LEAT_NTUPLE_IP4;
	l->l4 = ip.frag_off & bpf_htons(FRAGMENT) ? 0 : at + hlen;
	l->end = at + total;
}

static __always_inline bool is_extension(uint8_t protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
	       protocol == IPPROTO_FRAGMENT || protocol == IPPROTO_DSTOPTS;
}

/* Move over extension headers, *protocol saying what lies there: gives the offset of what can be
 * followed no further, 0 in a fragment. */
static __always_inline uint32_t skip_extensions(struct __sk_buff *skb, uint32_t at, uint32_t limit,
						uint8_t *protocol)
{
	bool fragment = false, later = false;

	for (int n = 0; n < LEAT_EXTENSIONS_MAX && is_extension(*protocol) && !later; n++) {
		uint8_t header[EXTENSION_UNIT];
		uint32_t hlen = EXTENSION_UNIT;

		if (!load(skb, at, limit, header, sizeof(header)))
			break;
		if (*protocol == IPPROTO_FRAGMENT) {
			fragment = true;
			later = load_be16(header + 2) & FRAGMENT_OFFSET;
		} else {
			hlen += header[1] * EXTENSION_UNIT;
		}
		if (at + hlen > limit)
			break;
		at += hlen;
		*protocol = header[0];
	}
	return fragment ? 0 : at;
}

static __always_inline void parse_ip6(struct __sk_buff *skb, uint32_t at, uint32_t limit,
				      uint32_t end, struct level *l)
{
	uint32_t l4 = at + sizeof(struct ipv6hdr);
	struct ipv6hdr ip;

	if (!load(skb, at, min_of(limit, end), &ip, sizeof(ip)))
		return;
	l->end = l4 + bpf_ntohs(ip.payload_len);
	if (ip.version != 6 || l->end > end)
		return;
	__builtin_memcpy(l->key.src, &ip.saddr, 16);
	__builtin_memcpy(l->key.dst, &ip.daddr, 16);
	l->label[1] = ip.flow_lbl[0] & 0xf;
	l->label[2] = ip.flow_lbl[1];
	l->label[3] = ip.flow_lbl[2];
	l->key.tos = (uint8_t)(ip.priority << 4 | ip.flow_lbl[0] >> 4);
	l->key.flow = LEAT_NTUPLE_IP6;
	l->key.protocol = ip.nexthdr;
	l->l4 = skip_extensions(skb, l4, min_of(limit, l->end), &l->key.protocol);
}

/* What l->key.ether_type says is at `at`, of which nothing from `limit` on is looked at, in what
 * ends at `end`. */
__attribute__((noinline)) int parse_network(struct __sk_buff *skb, uint32_t at, uint32_t limit,
					    uint32_t end, struct level *l)
{
	if (!l)
		return 0;
	if (load_be16(l->key.ether_type) == ETH_P_IP)
		parse_ip4(skb, at, limit, end, l);
	else if (load_be16(l->key.ether_type) == ETH_P_IPV6)
		parse_ip6(skb, at, limit, end, l);
	if (l->l4)
		parse_l4(skb, limit, l);
	return 0;
}

/* Bytes of the frame that are looked at. A tag beside it will be in it when it is read. */
static __always_inline uint32_t find_limit(const struct __sk_buff *skb,
					   const struct steer_head *head)
{
	return min_of(skb->len, head->first - (skb->vlan_present ? TAG_HLEN : 0));
}

/* leat_ntuple_key() of the frame, in l->key, which is zeroed. */
static __always_inline void parse(struct __sk_buff *skb, const struct steer_head *head,
				  struct level *l)
{
	uint32_t limit = find_limit(skb, head);
	uint32_t at = parse_link(skb, 0, limit, &l->key);

	if (at) {
		l->key.flow = LEAT_NTUPLE_ETHER;
		parse_network(skb, at, limit, skb->len, l);
	} else {
		__builtin_memset(&l->key, 0, sizeof(l->key));
		l->key.flow = LEAT_NTUPLE_FLOWS;
	}
}

/* --- what is in a tunnel --- */

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

/* --- the hash --- */

/* What two bytes of input contribute, from nibble `row` of it on. */
static __always_inline uint32_t toeplitz(const struct leat_rss *rss, uint32_t row, uint32_t v)
{
	const uint32_t(*t)[16] = rss->toeplitz.table;

	if (row > TOEPLITZ_ROWS - 4)
		return 0;
	t += row;
	return t[0][v >> 12 & 15] ^ t[1][v >> 8 & 15] ^ t[2][v >> 4 & 15] ^ t[3][v & 15];
}

/* The halves of a pair that `fields` chooses, transformed; *row moves on. */
static __always_inline uint32_t hash_pair(const struct leat_rss *rss, uint32_t *row,
					  const uint8_t *src, const uint8_t *dst, uint32_t len,
					  uint32_t fields)
{
	uint32_t hash = 0;

	for (uint32_t half = 0; half < 2; half++) {
		if (!(fields >> half & 1))
			continue;
		for (uint32_t i = 0; i < len; i += 2) {
			uint32_t s = load_be16(src + i), d = load_be16(dst + i);
			uint32_t v = half ? d : s;

			if (rss->xfrm != LEAT_RSS_XFRM_NONE)
				v = rss->xfrm == LEAT_RSS_SYM_OR_XOR && !half ? s | d : s ^ d;
			hash ^= toeplitz(rss, *row, v);
			*row += 4;
		}
	}
	return hash;
}

/* enum leat_rss_flow of an enum leat_ntuple_flow of IP. */
static __always_inline uint32_t find_flow(uint8_t flow)
{
	uint32_t first = flow >= LEAT_NTUPLE_TCP6 ? LEAT_NTUPLE_TCP6 : LEAT_NTUPLE_TCP4;
	uint32_t other = min_of(flow - first, LEAT_RSS_IP4);

	return first == LEAT_NTUPLE_TCP6 ? LEAT_RSS_TCP6 + other : other;
}

/* leat_rss_hash() of a level; 0 for none. */
__attribute__((noinline)) uint32_t hash_level(const struct leat_rss *rss, const struct level *l)
{
	uint32_t fields, row = 0, hash;
	const struct leat_ntuple_key *key = &l->key;

	if (!rss || !l || key->flow >= LEAT_NTUPLE_ETHER)
		return 0;
	fields = rss->fields[find_flow(key->flow) % LEAT_RSS_FLOWS];
	if (key->flow < LEAT_NTUPLE_TCP6)
		hash = hash_pair(rss, &row, key->src, key->dst, 4, fields / LEAT_RXH_IP_SRC);
	else
		hash = hash_pair(rss, &row, key->src, key->dst, 16, fields / LEAT_RXH_IP_SRC);
	hash ^= hash_pair(rss, &row, key->l4, key->l4 + 2, 2, fields / LEAT_RXH_L4_B_0_1);
	if (!(fields & LEAT_RXH_IP6_FL))
		return hash;
	return hash ^ toeplitz(rss, row, load_be16(l->label)) ^
	       toeplitz(rss, row + 4, load_be16(l->label + 2));
}

/* --- the choice --- */

/* The types that a packet of type `flow` is of, as a set of bits. */
static __always_inline uint32_t types_of(uint8_t flow)
{
	uint32_t types = 1u << (flow & 31);

	if (flow >= LEAT_NTUPLE_FLOWS)
		return 0;
	if (flow < LEAT_NTUPLE_IP4)
		types |= 1u << LEAT_NTUPLE_IP4;
	else if (flow > LEAT_NTUPLE_IP4 && flow < LEAT_NTUPLE_IP6)
		types |= 1u << LEAT_NTUPLE_IP6;
	return types | 1u << LEAT_NTUPLE_ETHER;
}

/* The rule of group `i`, or NULL. */
static __always_inline const struct steer_rule *match_group(const struct steer_group *g, uint32_t i,
							    void *table,
							    const struct leat_ntuple_key *key)
{
	struct leat_ntuple_key masked;
	const uint64_t *k = (const void *)key, *m = (const void *)&g->mask;
	uint64_t *to = (void *)&masked;

	for (unsigned word = 0; word < sizeof(masked) / sizeof(*to); word++)
		to[word] = k[word] & m[word];
	masked.flow = g->mask.flow;
	masked.STEER_GROUP = (uint8_t)i;
	return bpf_map_lookup_elem(table, &masked);
}

/* The first rule for the frame, or NULL. */
static __always_inline const struct steer_rule *match(const struct steer_head *head,
						      const struct leat_ntuple_key *key)
{
	const struct steer_rule *best = NULL;
	uint32_t types = types_of(key->flow);
	void *table = head->groups ? bpf_map_lookup_elem(&rules, &head->place) : NULL;

	if (!table)
		return NULL;
	for (uint32_t i = 0; i < LEAT_NTUPLE_GROUPS_MAX && i < head->groups; i++) {
		const struct steer_group *g = &head->group[i];
		const struct steer_rule *rule;

		if (best && best->index < g->first)
			break;
		if (!(types >> (g->mask.flow & 31) & 1))
			continue;
		rule = match_group(g, i, table, key);
		if (rule && (!best || rule->index < best->index))
			best = rule;
	}
	return best;
}

/* leat_rss_hash() of the frame. */
static __always_inline uint32_t hash_frame(struct __sk_buff *skb, const struct steer_head *head,
					   const struct leat_rss *rss, const struct level *outer)
{
	struct level inner = {};

	if (rss->inner && parse_inner(skb, head, outer, &inner))
		return hash_level(rss, &inner);
	return hash_level(rss, outer);
}

/* The context's queue for the frame; context 0's unless a flow of that hash has one of its own. */
static __always_inline uint32_t spread(struct __sk_buff *skb, const struct steer_head *head,
				       const struct steer_rule *rule, const struct level *outer)
{
	uint32_t id = rule ? rule->context : 0, hash;
	void *table = bpf_map_lookup_elem(&contexts, &head->place);
	const struct leat_rss *rss = table ? bpf_map_lookup_elem(table, &id) : NULL;
	const struct steer_flow *flow;

	if (!rss)
		return 0;
	hash = hash_frame(skb, head, rss, outer);
	flow = rule ? NULL : bpf_map_lookup_elem(&flows, &hash);
	if (flow)
		return flow->queue;
	return rss->indir[hash & (rss->indir_size - 1u) & (LEAT_RSS_INDIR_MAX - 1)] +
	       (rule ? rule->queue : 0);
}

static __always_inline const struct steer_head *find_head(void)
{
	uint32_t zero = 0;
	void *table = bpf_map_lookup_elem(&heads, &zero);

	return table ? bpf_map_lookup_elem(table, &zero) : NULL;
}

SEC("socket")
int steer(struct __sk_buff *skb)
{
	const struct steer_head *head = find_head();
	const struct steer_rule *rule;
	struct level outer = {};

	if (!head)
		return 0;
	parse(skb, head, &outer);
	rule = match(head, &outer.key);
	if (rule && rule->action != LEAT_NTUPLE_CONTEXT)
		return rule->queue;
	return (int)(spread(skb, head, rule, &outer) % head->queues);
}

/* Gives how many bytes of the frame go on. */
SEC("socket")
int filter(struct __sk_buff *skb)
{
	const struct steer_head *head = find_head();
	const struct steer_rule *rule;
	struct level outer = {};
	uint32_t zero = 0;
	uint64_t *count;

	if (!head)
		return (int)skb->len;
	parse(skb, head, &outer);
	rule = match(head, &outer.key);
	if (!rule || rule->action != LEAT_NTUPLE_DROP)
		return (int)skb->len;
	count = bpf_map_lookup_elem(&dropped, &zero);
	if (count)
		++*count;
	return 0;
}

char licence[] SEC("license") = "MIT";
