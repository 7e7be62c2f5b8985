/* SPDX-License-Identifier: MIT */
/*
 * The two ways Linux scales a hash, on hashes of the RSS verification suite: reciprocal_scale
 * chooses among CPUs and queues by the high bits, hash_32 a bucket among 2^bits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <leat/rps.h>

#include <cmocka.h>

static const uint32_t lens[] = {2, 3, 4, 8, 16};

enum { LENS = sizeof(lens) / sizeof(lens[0]) };

static const struct {
	uint32_t hash;
	uint32_t scaled[LENS];
} scale_rows[] = {
	{0x51ccc178, {0, 0, 1, 2, 5}},	{0xc626b0ea, {1, 2, 3, 6, 12}},
	{0xafc7327f, {1, 2, 2, 5, 10}}, {0x00000000, {0, 0, 0, 0, 0}},
	{0xffffffff, {1, 2, 3, 7, 15}},
};

static const struct {
	uint32_t hash;
	uint32_t bucket; /* of 4096 */
} hash_32_rows[] = {
	{0x51ccc178, 1964}, {0xc626b0ea, 354},	{0x5c2b394a, 4028},
	{0xafc7327f, 2414}, {0x10e828a2, 1379}, {0x00000000, 0},
};

static void test_reciprocal_scale(void **state)
{
	for (unsigned i = 0; i < sizeof(scale_rows) / sizeof(scale_rows[0]); i++) {
		for (unsigned j = 0; j < LENS; j++)
			assert_int_equal(leat_reciprocal_scale(scale_rows[i].hash, lens[j]),
					 scale_rows[i].scaled[j]);
	}
}

static void test_hash_32(void **state)
{
	for (unsigned i = 0; i < sizeof(hash_32_rows) / sizeof(hash_32_rows[0]); i++)
		assert_int_equal(leat_hash_32(hash_32_rows[i].hash, 12), hash_32_rows[i].bucket);
	assert_int_equal(leat_hash_32(1, 32), 0x61c88647);
	assert_int_equal(leat_hash_32(3, 1), 0); /* the product wraps */
	assert_int_equal(leat_hash_32(2, 1), 1);
}

/* An RPS map chooses by the same scale; hash 0 and an empty map choose nothing. */
static void test_rps_pick(void **state)
{
	struct leat_rps_map map = {.len = 0};

	assert_int_equal(leat_rps_pick(&map, 0x51ccc178), LEAT_RPS_NO_CPU);
	for (unsigned j = 0; j < LENS; j++) {
		map.len = (uint16_t)lens[j];
		for (unsigned c = 0; c < lens[j]; c++)
			map.cpus[c] = (uint16_t)(10 + 3 * c);
		assert_int_equal(leat_rps_pick(&map, 0), LEAT_RPS_NO_CPU);
		for (unsigned i = 0; i < 3; i++)
			assert_int_equal(leat_rps_pick(&map, scale_rows[i].hash),
					 10 + 3 * scale_rows[i].scaled[j]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reciprocal_scale),
		cmocka_unit_test(test_hash_32),
		cmocka_unit_test(test_rps_pick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
