/* SPDX-License-Identifier: MIT */
/* The flow limit: whom it refuses, and when. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "rng.h"

#include <leat/flow_limit.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { LEN = 4096, BITS = 12, BACKLOG = 1000, FULL = BACKLOG / 2 };

static uint8_t buckets[LEN];
static struct leat_flow_limit limit;

static int make(void **state)
{
	memset(buckets, 0x5a, sizeof(buckets));
	return leat_flow_limit_init(&limit, LEN, buckets);
}

static bool drop(uint32_t hash, uint32_t qlen)
{
	return leat_flow_limit_drop(&limit, hash, qlen, BACKLOG);
}

static void test_lengths(void **state)
{
	static const struct {
		uint32_t len;
		int err;
	} rows[] = {{1, 0},	     {2, 0},
		    {4096, 0},	     {0, -EINVAL},
		    {3, -EINVAL},    {4095, -EINVAL},
		    {4097, -EINVAL}, {1u << 31, -EINVAL},
		    {6144, -EINVAL}, {UINT32_MAX, -EINVAL}};
	struct leat_flow_limit fl = {.bits = 77};
	uint8_t *mem;

	for (unsigned i = 0; i < COUNT(rows); i++) {
		mem = test_malloc(rows[i].err ? 1 : rows[i].len);
		assert_int_equal(leat_flow_limit_init(&fl, rows[i].len, mem), rows[i].err);
		for (uint32_t hash = 1; !rows[i].err && hash; hash <<= 1) /* no step outside */
			leat_flow_limit_drop(&fl, hash, 1, 1);
		test_free(mem);
	}
	assert_int_equal(fl.bits, 12);
}

/* Which counter a hash is told apart by. */
static void test_buckets(void **state)
{
	static const struct {
		uint32_t hash;
		unsigned bucket;
	} rows[] = {{0x51ccc178, 1964}, {0xc626b0ea, 354},  {0x5c2b394a, 4028},
		    {0xafc7327f, 2414}, {0x10e828a2, 1379}, {0, 0}};

	for (unsigned i = 0; i < COUNT(rows); i++) {
		assert_int_equal(buckets[rows[i].bucket], 0);
		assert_false(drop(rows[i].hash, FULL));
		assert_int_equal(buckets[rows[i].bucket], 1);
	}
}

/* Half of the history is a flow's share, and less than half a backlog is nobody's business. */
static void test_threshold(void **state)
{
	for (unsigned i = 0; i < 1000; i++)
		assert_false(drop(1, FULL - 1));
	assert_int_equal(limit.head, 0);
	for (unsigned i = 0; i < 64; i++)
		assert_false(drop(1, FULL));
	for (unsigned i = 0; i < 1000; i++) /* what is refused is remembered all the same */
		assert_true(drop(1, i % 2 ? FULL : UINT32_MAX));
	for (unsigned i = 0; i < 64; i++)
		assert_false(drop(2, FULL)); /* 64 of each */
	assert_true(drop(2, FULL));
	for (unsigned i = 0; i < 64; i++)
		assert_false(drop(3 + i, FULL));
	assert_false(drop(1, FULL));
}

static void test_half(void **state)
{
	static const struct {
		uint32_t max_backlog, qlen;
		unsigned remembered;
	} rows[] = {{1000, 499, 0},
		    {1000, 500, 1},
		    {999, 498, 0},
		    {999, 499, 1},
		    {0, 0, 1},
		    {1, 0, 1},
		    {2, 0, 0},
		    {2, 1, 1},
		    {UINT32_MAX, INT32_MAX - 1, 0},
		    {UINT32_MAX, INT32_MAX, 1}};

	for (unsigned i = 0; i < COUNT(rows); i++) {
		make(state);
		leat_flow_limit_drop(&limit, 1, rows[i].qlen, rows[i].max_backlog);
		assert_int_equal(limit.head, rows[i].remembered);
	}
}

/* As in the kernel, a flow of counter 0 that is there first and alone is never refused: it meets
 * the history's first entries, which take from its counter as if they had been packets. */
static void test_counter_0(void **state)
{
	for (unsigned i = 0; i < 1000; i++)
		assert_false(drop(0, FULL));
	assert_int_equal(buckets[0], 1);
}

/* The obvious version: look through the last 128 packets. */
static void test_model(void **state)
{
	static uint32_t past[100000];
	struct rng rng = rng_start("flow_limit");
	unsigned n = 0, dropped = 0;

	while (n < COUNT(past)) {
		uint32_t hash = 1 + (rng_once_in(&rng, 2) ? 0 : rng_below(&rng, 1 + n / 1000));
		uint32_t bucket = (uint32_t)(hash * 0x61c88647u) >> (32 - BITS);
		bool full = !rng_once_in(&rng, 10);
		unsigned share = 0;

		if (!full) {
			assert_false(drop(hash, rng_below(&rng, FULL)));
			continue;
		}
		past[n++] = bucket;
		for (unsigned i = n > 128 ? n - 128 : 0; i < n; i++)
			share += past[i] == bucket;
		assert_int_equal(drop(hash, FULL + rng_below(&rng, FULL)), share > 64);
		dropped += share > 64;
	}
	assert_in_range(dropped, n / 100, n / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_lengths, make),
		cmocka_unit_test_setup(test_buckets, make),
		cmocka_unit_test_setup(test_threshold, make),
		cmocka_unit_test_setup(test_half, make),
		cmocka_unit_test_setup(test_counter_0, make),
		cmocka_unit_test_setup(test_model, make),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
