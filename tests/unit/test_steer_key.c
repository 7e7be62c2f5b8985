/* SPDX-License-Identifier: MIT */
/*
 * test_steer_key.c - what leat steer says of a key is what the hash does: the rank is the number of
 * values that it has, counted, and the symmetry and the cancelling show in packets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../cli/steer/key.h"
#include "../rng.h"

enum {
	KEY = 40,
	ADDRESSES = LEAT_RXH_IP_SRC | LEAT_RXH_IP_DST,
	PORTS = LEAT_RXH_L4_B_0_1 | LEAT_RXH_L4_B_2_3,
	ROUNDS = 200,
	COUNTED = 20,
};

static const uint8_t verification_key[KEY] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

static void fill_key(uint8_t key[KEY], const void *pattern, size_t len)
{
	for (size_t i = 0; i < KEY; i++)
		key[i] = ((const uint8_t *)pattern)[i % len];
}

static void init(struct leat_rss *rss, const uint8_t key[KEY], uint32_t tcp4, uint32_t tcp6,
		 enum leat_rss_xfrm xfrm)
{
	const struct leat_rss_conf conf = {
		.key = key,
		.key_len = KEY,
		.n_queues = 16,
		.fields = {[LEAT_RSS_TCP4] = tcp4, [LEAT_RSS_TCP6] = tcp6},
		.xfrm = xfrm,
	};

	assert_int_equal(leat_rss_init(rss, &conf), 0);
}

static struct key_quality judge(const uint8_t key[KEY], uint32_t fields, enum leat_rss_xfrm xfrm)
{
	struct key_quality quality;
	struct leat_rss rss;

	init(&rss, key, fields, fields, xfrm);
	key_judge(&rss, LEAT_RSS_TCP4, &quality);
	return quality;
}

static void test_verification_key(void **state)
{
	struct key_quality q = judge(verification_key, ADDRESSES | PORTS, LEAT_RSS_XFRM_NONE);

	assert_int_equal(q.bits, 96);
	assert_int_equal(q.rank, 32);
	assert_int_equal(q.low, 7);
	assert_int_equal(q.low_rank, 7);
	assert_int_equal(q.dead, 0);
	assert_int_equal(q.distinct, 96);
	assert_int_equal(q.period, 0);
	assert_false(q.symmetric);
	assert_false(q.cancels);
}

static void test_repeated_key(void **state)
{
	struct key_quality q;
	uint8_t key[KEY];

	fill_key(key, "\x6d\x5a", 2);
	q = judge(key, ADDRESSES | PORTS, LEAT_RSS_XFRM_NONE);
	assert_int_equal(q.period, 16);
	assert_int_equal(q.rank, 16);
	assert_int_equal(q.distinct, 16);
	assert_int_equal(q.low_rank, 7);
	assert_true(q.symmetric);
	assert_true(q.cancels);
	fill_key(key, "\xff", 1);
	q = judge(key, ADDRESSES | PORTS, LEAT_RSS_XFRM_NONE);
	assert_int_equal(q.period, 1);
	assert_int_equal(q.rank, 1);
	assert_int_equal(q.low_rank, 1);
	fill_key(key, "", 1);
	q = judge(key, ADDRESSES | PORTS, LEAT_RSS_XFRM_NONE);
	assert_int_equal(q.rank, 0);
	assert_int_equal(q.dead, 96);
	for (unsigned f = 0; f < 4; f++)
		assert_int_equal(q.field[f].dead, q.field[f].bits);
}

/* A repeated key under symmetric-xor: equal columns of both ends cancel, and nothing is left. */
static void test_repeated_key_xored(void **state)
{
	struct key_quality q;
	uint8_t key[KEY];

	fill_key(key, "\x6d\x5a", 2);
	q = judge(key, ADDRESSES | PORTS, LEAT_RSS_SYM_XOR);
	assert_int_equal(q.bits, 48);
	assert_int_equal(q.rank, 0);
	assert_true(q.symmetric);
	q = judge(verification_key, ADDRESSES | PORTS, LEAT_RSS_SYM_XOR);
	assert_int_equal(q.rank, 32);
	q = judge(verification_key, ADDRESSES | PORTS, LEAT_RSS_SYM_OR_XOR);
	assert_int_equal(q.bits, 96);
	assert_int_equal(q.rank, 32);
	assert_true(q.symmetric);
}

static void test_fields(void **state)
{
	struct key_quality q = judge(verification_key, LEAT_RXH_IP_SRC | LEAT_RXH_L4_B_2_3, 0);

	assert_int_equal(q.bits, 48);
	assert_int_equal(q.field[0].bits, 32);
	assert_int_equal(q.field[1].bits, 0);
	assert_int_equal(q.field[2].bits, 0);
	assert_int_equal(q.field[3].bits, 16);
	assert_false(q.symmetric);
}

/* The 12 bits in front of the label that are always 0 are none of the input. */
static void test_flow_label(void **state)
{
	struct key_quality q;
	struct leat_rss rss;

	init(&rss, verification_key, 0, LEAT_RXH_IP6_FL, LEAT_RSS_XFRM_NONE);
	key_judge(&rss, LEAT_RSS_TCP6, &q);
	assert_int_equal(q.bits, 20);
	assert_int_equal(q.rank, 20);
	assert_false(q.symmetric);
}

/* How many values a function of 16 bits of input has, counted. */
static unsigned count_values(const struct leat_rss *rss, uint32_t mask)
{
	static uint32_t seen[1 << 16];
	unsigned n = 0;

	for (uint32_t i = 0; i < 1 << 16; i++) {
		uint8_t input[] = {(uint8_t)(i >> 8), (uint8_t)i};
		uint32_t hash = leat_toeplitz_hash(&rss->toeplitz, input, sizeof(input)) & mask;
		unsigned at = 0;

		while (at < n && seen[at] != hash)
			at++;
		if (at == n)
			seen[n++] = hash;
		if (n > 1 << 10) /* enough */
			break;
	}
	return n;
}

/* Keys that repeat soon have a small rank. */
static void test_rank_counted(void **state)
{
	struct rng rng = rng_start("rank_counted");

	for (unsigned round = 0; round < COUNTED; round++) {
		uint8_t key[KEY], byte = (uint8_t)rng_next(&rng);
		struct key_quality q;
		struct leat_rss rss;

		fill_key(key, &byte, 1);
		init(&rss, key, LEAT_RXH_L4_B_0_1, 0, LEAT_RSS_XFRM_NONE);
		key_judge(&rss, LEAT_RSS_TCP4, &q);
		assert_int_equal(count_values(&rss, UINT32_MAX), 1u << q.rank);
		assert_int_equal(count_values(&rss, 127), 1u << q.low_rank);
	}
}

static void draw_bytes(struct rng *rng, uint8_t *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)rng_next(rng);
}

static uint32_t hash_ends(const struct leat_rss *rss, uint8_t end[2][6], unsigned first)
{
	uint8_t input[12];

	for (unsigned i = 0; i < 2; i++) {
		memcpy(input + 4 * i, end[first ^ i], 4);
		memcpy(input + 8 + 2 * i, end[first ^ i] + 4, 2);
	}
	return leat_toeplitz_hash(&rss->toeplitz, input, sizeof(input));
}

/* Keys of 32 bits repeated are symmetric in addresses, those of 16 in ports too. */
static void test_symmetry_tried(void **state)
{
	struct rng rng = rng_start("symmetry_tried");
	unsigned symmetric = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		uint8_t key[KEY], pattern[4], end[2][6];
		struct key_quality q;
		struct leat_rss rss;
		bool differs = false;

		draw_bytes(&rng, pattern, sizeof(pattern));
		fill_key(key, pattern, round % 2 ? 2 : 4);
		init(&rss, key, ADDRESSES | PORTS, 0, LEAT_RSS_XFRM_NONE);
		key_judge(&rss, LEAT_RSS_TCP4, &q);
		for (unsigned i = 0; i < 100; i++) {
			draw_bytes(&rng, end[0], sizeof(end));
			differs |= hash_ends(&rss, end, 0) != hash_ends(&rss, end, 1);
		}
		assert_int_equal(q.symmetric, !differs);
		symmetric += q.symmetric;
	}
	assert_true(symmetric >= ROUNDS / 2 && symmetric < ROUNDS);
}

static void test_key_rank(void **state)
{
	static const struct {
		uint32_t column[4];
		unsigned n;
		uint32_t mask;
		unsigned rank;
	} rows[] = {
		{{0}, 0, UINT32_MAX, 0},
		{{0, 0}, 2, UINT32_MAX, 0},
		{{1, 2, 3}, 3, UINT32_MAX, 2},
		{{0x80000000, 0x80000001, 1}, 3, UINT32_MAX, 2},
		{{0x80000000, 0x80000001, 1}, 3, 1, 1},
		{{7, 11, 13, 14}, 4, UINT32_MAX, 4},
		{{7, 7, 0, 9}, 4, UINT32_MAX, 2},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(key_rank(rows[i].column, rows[i].n, rows[i].mask), rows[i].rank);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verification_key),   cmocka_unit_test(test_repeated_key),
		cmocka_unit_test(test_repeated_key_xored), cmocka_unit_test(test_fields),
		cmocka_unit_test(test_flow_label),	   cmocka_unit_test(test_rank_counted),
		cmocka_unit_test(test_symmetry_tried),	   cmocka_unit_test(test_key_rank),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
