/* SPDX-License-Identifier: MIT */
/*
 * flow_hash.h - private: the keyed hash of a packet's flow, to be inlined where it is computed for
 * each packet. flow.c says what it is.
 */
#ifndef LEAT_LIB_FLOW_HASH_H
#define LEAT_LIB_FLOW_HASH_H

#include <leat/flow.h>

#include "hdr.h"

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

static inline uint64_t hash_ip4(const uint8_t *ip, uint64_t sport, uint64_t dport,
				const struct leat_flow_key *key)
{
	uint64_t src = (uint64_t)load_raw32(ip + IP4_SRC) << 16 | sport;
	uint64_t dst = (uint64_t)load_raw32(ip + IP4_DST) << 16 | dport;
	bool swap = src > dst;

	return mix((swap ? dst : src) ^ key->k[0], (swap ? src : dst) ^ key->k[1]);
}

static inline uint64_t hash_ip6(const uint8_t *ip, uint64_t sport, uint64_t dport,
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
static inline uint64_t mix_ip4(uint64_t hash, const uint8_t *ip, const struct leat_flow_key *key)
{
	uint64_t src = load_raw32(ip + IP4_SRC), dst = load_raw32(ip + IP4_DST);

	return mix(hash ^ key->k[0], key->k[1] ^ (src > dst ? dst << 32 | src : src << 32 | dst));
}

static inline uint64_t mix_ip6(uint64_t hash, const uint8_t *ip, const struct leat_flow_key *key)
{
	bool swap = memcmp(ip + IP6_SRC, ip + IP6_DST, 16) > 0;
	const uint8_t *a = ip + (swap ? IP6_DST : IP6_SRC), *b = ip + (swap ? IP6_SRC : IP6_DST);

	for (size_t i = 0; i < 16; i += 4)
		hash = mix(hash ^ key->k[0],
			   key->k[1] ^ ((uint64_t)load_raw32(a + i) << 32 | load_raw32(b + i)));
	return hash;
}

/* Of a packet that has an IP header: never 0; with the ports and the protocol of what is behind it
 * if they are to count. */
static inline uint32_t flow_hash(const struct leat_pkt *pkt, bool ports, bool protocol,
				 const struct leat_flow_key *key)
{
	const struct leat_level *l = leat_pkt_inner(pkt), *out = &pkt->lvl[0];
	const uint8_t *ip = pkt->data + l->network, *l4 = pkt->data + l->transport;
	uint64_t sport = ports ? load_raw16(l4 + L4_SPORT) : 0;
	uint64_t dport = ports ? load_raw16(l4 + L4_DPORT) : 0;
	uint64_t hash, kind = (protocol ? (uint64_t)l->protocol << 8 : 0) | l->version;
	uint32_t high;

	hash = l->version == 4 ? hash_ip4(ip, sport, dport, key) : hash_ip6(ip, sport, dport, key);
	hash = mix(hash ^ key->k[1], key->k[0] ^ kind);
	if (l != out)
		hash = out->version == 4 ? mix_ip4(hash, pkt->data + out->network, key) :
					   mix_ip6(hash, pkt->data + out->network, key);
	high = (uint32_t)(hash >> 32);
	return high ? high : 1;
}

#endif
