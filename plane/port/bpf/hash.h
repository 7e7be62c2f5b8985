/* SPDX-License-Identifier: MIT */
/*
 * hash.h - of the steering program: leat_rss_hash() of a level.
 *
 * The hash is a sum, without carries, of what each two bytes of the input contribute by the place
 * that they have in it; so no input is put together, only places are counted.
 */
#ifndef PLANE_PORT_BPF_HASH_H
#define PLANE_PORT_BPF_HASH_H

#include "level.h"

enum { TOEPLITZ_ROWS = 2 * LEAT_RSS_INPUT_MAX };

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

#endif
