/* SPDX-License-Identifier: MIT */
/*
 * flow.c - a packet's flow, and its keyed hash.
 *
 * The hash folds 128-bit products of secret-keyed words, the scheme of the wyhash family: without
 * the key nobody can say which flows collide. Both directions must hash alike, so the two ends
 * are put in order first; a commutative mixture instead (sums, XORs) would let a sender choose
 * ends that cancel out. In a tunnel the outer addresses count too, but no outer port: senders
 * choose it for each direction.
 */
#include <leat/flow.h>

#include "hdr.h"

/* Fragments are hashed and compared by their addresses alone: later ones have no ports. */
static bool has_ports(const struct leat_pkt *pkt, const struct leat_level *l)
{
	return pkt->depth == LEAT_DEPTH_TRANSPORT && !(l->flags & LEAT_IP_FRAGMENT);
}

bool leat_flow_get(const struct leat_pkt *pkt, struct leat_flow *flow)
{
	const struct leat_level *l;
	const uint8_t *ip;

	if (pkt->levels == 0)
		return false;
	l = leat_pkt_inner(pkt);
	ip = pkt->data + l->network;
	*flow = (struct leat_flow){.version = l->version, .protocol = l->protocol};
	if (l->version == 4) {
		memcpy(flow->src, ip + IP4_SRC, 4);
		memcpy(flow->dst, ip + IP4_DST, 4);
	} else {
		memcpy(flow->src, ip + IP6_SRC, 16);
		memcpy(flow->dst, ip + IP6_DST, 16);
	}
	if (has_ports(pkt, l)) {
		flow->sport = load_be16(pkt->data + l->transport + L4_SPORT);
		flow->dport = load_be16(pkt->data + l->transport + L4_DPORT);
	}
	return true;
}

#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 wide;
#endif

/* The two halves of a * b, XORed. */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
	wide product = (wide)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
	uint64_t low = (a & 0xffffffff) * (b & 0xffffffff);
	uint64_t mid = (a >> 32) * (b & 0xffffffff) + (low >> 32);
	uint64_t mid2 = (a & 0xffffffff) * (b >> 32) + (mid & 0xffffffff);

	return a * b ^ ((a >> 32) * (b >> 32) + (mid >> 32) + (mid2 >> 32));
#endif
}

static uint64_t hash_ip4(const uint8_t *ip, uint64_t sport, uint64_t dport,
			 const struct leat_flow_key *key)
{
	uint64_t src = (uint64_t)load_raw32(ip + IP4_SRC) << 16 | sport;
	uint64_t dst = (uint64_t)load_raw32(ip + IP4_DST) << 16 | dport;
	bool swap = src > dst;

	return mix((swap ? dst : src) ^ key->k[0], (swap ? src : dst) ^ key->k[1]);
}

static uint64_t hash_ip6(const uint8_t *ip, uint64_t sport, uint64_t dport,
			 const struct leat_flow_key *key)
{
	uint64_t s0 = load_raw64(ip + IP6_SRC), s1 = load_raw64(ip + IP6_SRC + 8);
	uint64_t d0 = load_raw64(ip + IP6_DST), d1 = load_raw64(ip + IP6_DST + 8);
	bool swap = s0 != d0 ? s0 > d0 : s1 != d1 ? s1 > d1 : sport > dport;
	/* A mask, since which end is the greater is a coin toss that branches lose. */
	uint64_t diff = 0 - (uint64_t)swap, diff0 = (s0 ^ d0) & diff, diff1 = (s1 ^ d1) & diff;
	uint64_t ports = (sport << 16 | dport) ^ (((sport ^ dport) * 0x10001) & diff);
	uint64_t hash = mix(s0 ^ diff0 ^ key->k[0], s1 ^ diff1 ^ key->k[1]);

	hash = mix(hash ^ d0 ^ diff0, key->k[1] ^ d1 ^ diff1);
	return mix(hash ^ ports, key->k[0]);
}

/* A tunnel's ends, the lesser first, mixed into the hash of what is inside. */
static uint64_t mix_addresses(uint64_t hash, const uint8_t *data, const struct leat_level *l,
			      const struct leat_flow_key *key)
{
	size_t len = l->version == 4 ? 4 : 16;
	const uint8_t *src = data + l->network + (l->version == 4 ? IP4_SRC : IP6_SRC);
	bool swap = memcmp(src, src + len, len) > 0;
	const uint8_t *a = swap ? src + len : src, *b = swap ? src : src + len;

	for (size_t i = 0; i < len; i += 4)
		hash = mix(hash ^ key->k[0],
			   key->k[1] ^ ((uint64_t)load_raw32(a + i) << 32 | load_raw32(b + i)));
	return hash;
}

uint32_t leat_flow_hash(const struct leat_pkt *pkt, const struct leat_flow_key *key)
{
	uint64_t sport = 0, dport = 0, protocol = 0, hash;
	const struct leat_level *l;
	const uint8_t *ip;
	uint32_t high;

	if (pkt->levels == 0)
		return 0;
	l = leat_pkt_inner(pkt);
	ip = pkt->data + l->network;
	if (has_ports(pkt, l)) {
		sport = load_be16(pkt->data + l->transport + L4_SPORT);
		dport = load_be16(pkt->data + l->transport + L4_DPORT);
	}
	/* What follows a fragment header is not the same protocol in all fragments. */
	if (!(l->flags & LEAT_IP_FRAGMENT))
		protocol = l->protocol;
	hash = l->version == 4 ? hash_ip4(ip, sport, dport, key) : hash_ip6(ip, sport, dport, key);
	hash = mix(hash ^ key->k[1], key->k[0] ^ (protocol << 8 | l->version));
	if (pkt->levels > 1)
		hash = mix_addresses(hash, pkt->data, &pkt->lvl[0], key);
	high = (uint32_t)(hash >> 32);
	return high ? high : 1;
}
