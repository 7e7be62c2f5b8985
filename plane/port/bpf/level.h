/* SPDX-License-Identifier: MIT */
/*
 * level.h - of the steering program: leat_parse() and leat_ntuple_key(), one level of headers.
 *
 * A frame on a TAP is never so long that its IP length cannot be told (BIG TCP), so that case of the
 * parser is not here. Functions that are not static are verified on their own, which keeps the
 * verifier's work small.
 */
#ifndef PLANE_PORT_BPF_LEVEL_H
#define PLANE_PORT_BPF_LEVEL_H

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
	UDP_LEN = 4,
	SCTP_HLEN = 12,
};

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

#endif
