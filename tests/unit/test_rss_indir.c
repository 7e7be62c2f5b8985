/* SPDX-License-Identifier: MIT */
/* Indirection tables: what ethtool -X makes of its words, and what may become of a table's size. */
#include <errno.h>
#include <leat/rss.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { MAX = LEAT_RSS_INDIR_MAX };

static void expect(const uint16_t *indir, const uint16_t *want, unsigned size)
{
	assert_memory_equal(indir, want, size * sizeof(*want));
}

static void test_equal(void **state)
{
	static const uint16_t four[] = {0, 1, 2, 3, 0, 1, 2, 3}, three[] = {2, 3, 4, 2, 3, 4, 2, 3};
	uint16_t indir[8];

	leat_rss_indir_equal(indir, 8, 0, 4);
	expect(indir, four, 8);
	leat_rss_indir_equal(indir, 8, 2, 3);
	expect(indir, three, 8);
}

static void test_weight(void **state)
{
	static const struct {
		uint32_t weight[5];
		unsigned n, start;
		uint16_t want[8];
	} rows[] = {
		{{1}, 1, 0, {0, 0, 0, 0, 0, 0, 0, 0}},
		{{1, 2, 0, 1}, 4, 0, {0, 0, 1, 1, 1, 1, 3, 3}},
		{{1, 1}, 2, 3, {3, 3, 3, 3, 4, 4, 4, 4}},
		{{0, 0, 8}, 3, 0, {2, 2, 2, 2, 2, 2, 2, 2}},
		{{1, 1, 1}, 3, 0, {0, 0, 1, 1, 1, 2, 2, 2}}, /* up to 8/3, 16/3, 8 rounded down */
		{{5, 1, 1, 1}, 4, 0, {0, 0, 0, 0, 0, 1, 2, 3}},
	};
	static const uint32_t none[] = {0, 0}, many[] = {4, 5}, vast[] = {UINT32_MAX, 9};
	uint16_t indir[8], before[8];

	for (unsigned i = 0; i < COUNT(rows); i++) {
		assert_int_equal(
			leat_rss_indir_weight(indir, 8, rows[i].start, rows[i].weight, rows[i].n),
			0);
		expect(indir, rows[i].want, 8);
	}
	memcpy(before, indir, sizeof(before));
	assert_int_equal(leat_rss_indir_weight(indir, 8, 0, none, 2), -EINVAL);
	assert_int_equal(leat_rss_indir_weight(indir, 8, 0, many, 2), -EINVAL);
	assert_int_equal(leat_rss_indir_weight(indir, 8, 0, vast, 2), -EINVAL);
	assert_int_equal(leat_rss_indir_weight(indir, 8, 0, many, 0), -EINVAL);
	expect(indir, before, 8);
}

static void test_replicate(void **state)
{
	static const uint16_t want[] = {3, 1, 3, 1, 3, 1, 3, 1};
	uint16_t indir[8] = {3, 1, 9, 9, 9, 9, 9, 9}, before[8];

	memcpy(before, indir, sizeof(before));
	assert_int_equal(leat_rss_indir_replicate(indir, 3, 8), -EINVAL);
	assert_int_equal(leat_rss_indir_replicate(indir, 0, 8), -EINVAL);
	assert_int_equal(leat_rss_indir_replicate(indir, 16, 8), -EINVAL);
	expect(indir, before, 8);
	assert_int_equal(leat_rss_indir_replicate(indir, 2, 8), 0);
	expect(indir, want, 8);
	assert_int_equal(leat_rss_indir_replicate(indir, 8, 8), 0);
	expect(indir, want, 8);
}

/* Of every size that is allowed, each hash keeps its queue. */
static void test_resize(void **state)
{
	static const uint16_t table[16] = {0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1};
	static const uint16_t last[8] = {0, 1, 0, 1, 0, 1, 0, 2};
	static const unsigned sizes[] = {1, 2, 4, 8, 16, 32, 64};
	uint16_t grown[64];

	for (unsigned i = 0; i < COUNT(sizes); i++)
		assert_int_equal(leat_rss_indir_resizable(table, 16, sizes[i]), sizes[i] >= 4);
	assert_true(leat_rss_indir_resizable(last, 8, 8));
	assert_false(leat_rss_indir_resizable(last, 8, 4));
	assert_false(leat_rss_indir_resizable(last, 8, 2));
	assert_false(leat_rss_indir_resizable(table, 16, 0));
	assert_false(leat_rss_indir_resizable(table, 16, 24));
	assert_false(leat_rss_indir_resizable(table, 12, 8));
	memcpy(grown, table, sizeof(table));
	assert_int_equal(leat_rss_indir_replicate(grown, 16, 64), 0);
	for (unsigned hash = 0; hash < 64; hash++)
		assert_int_equal(grown[hash], table[hash % 16]);
}

/* rss_drv.py: a table of at least four entries for each queue. And so no queue has more than a
 * quarter over its share. */
static void test_size(void **state)
{
	static uint16_t indir[MAX];

	for (unsigned n = 1; n <= MAX / 4; n++) {
		unsigned size = leat_rss_indir_size(n), most;

		assert_true(size >= 128 && size <= MAX && (size & (size - 1)) == 0);
		assert_true(size >= 4 * n && (size == 128 || size < 8 * n));
		leat_rss_indir_equal(indir, size, 0, n);
		most = (size + n - 1) / n;
		assert_true((uint64_t)most * n * 4 <= (uint64_t)size * 5);
		assert_int_equal(indir[size - 1], (size - 1) % n);
	}
	assert_int_equal(leat_rss_indir_size(65535), MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal),	  cmocka_unit_test(test_weight),
		cmocka_unit_test(test_replicate), cmocka_unit_test(test_resize),
		cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
