/* SPDX-License-Identifier: MIT */
/* XPS: the lists that setting masks makes, and the queue they and the fallback pick. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <leat/xps.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { CPUS = 70, QUEUES = 4, WORDS = (LEAT_CPUS_MAX + 63) / 64 };

/* A value in memory of just its size, so that a sanitizer sees a step outside. */
static void *make(struct leat_xps *xps, unsigned n_cpus, unsigned n_queues)
{
	void *mem = test_malloc(leat_xps_size(n_cpus, n_queues));

	memset(mem, 0x5a, leat_xps_size(n_cpus, n_queues));
	assert_int_equal(leat_xps_init(xps, n_cpus, n_queues, mem), 0);
	return mem;
}

/* Set the mask of the lowest 64 CPUs. */
static void set(struct leat_xps *xps, uint16_t queue, uint64_t cpus)
{
	const uint64_t words[WORDS] = {cpus};

	leat_xps_set(xps, queue, words);
}

static void check_list(const struct leat_xps *xps, unsigned cpu, unsigned len,
		       const uint16_t *queues)
{
	assert_int_equal(xps->map[cpu].len, len);
	for (unsigned i = 0; i < len; i++)
		assert_int_equal(xps->map[cpu].queues[i], queues[i]);
}

static void test_counts(void **state)
{
	static const struct {
		unsigned n_cpus, n_queues;
		bool good;
	} rows[] = {
		{1, 1, true},	 {1024, 256, true},	 {3, 5, true},
		{0, 1, false},	 {1, 0, false},		 {1025, 1, false},
		{1, 257, false}, {UINT32_MAX, 1, false}, {1, UINT32_MAX, false},
	};

	for (unsigned i = 0; i < COUNT(rows); i++) {
		size_t size = leat_xps_size(rows[i].n_cpus, rows[i].n_queues);
		struct leat_xps xps = {.n_cpus = 99};
		void *mem;

		assert_int_equal(size != 0, rows[i].good);
		assert_int_equal(size % 8, 0);
		if (rows[i].good) {
			mem = make(&xps, rows[i].n_cpus, rows[i].n_queues);
			for (unsigned c = 0; c < rows[i].n_cpus; c++)
				assert_int_equal(leat_xps_pick(&xps, c, 1), LEAT_XPS_NO_QUEUE);
			test_free(mem);
		} else {
			assert_int_equal(
				leat_xps_init(&xps, rows[i].n_cpus, rows[i].n_queues, NULL),
				-EINVAL);
			assert_int_equal(xps.n_cpus, 99);
		}
	}
}

/* Every list full, to its last place. */
static void test_full(void **state)
{
	static const unsigned rows[][2] = {{1, 1}, {3, 5}, {1024, 3}, {65, 256}};
	uint64_t all[WORDS];

	memset(all, 0xff, sizeof(all));
	for (unsigned i = 0; i < COUNT(rows); i++) {
		struct leat_xps xps;
		void *mem = make(&xps, rows[i][0], rows[i][1]);

		for (unsigned q = rows[i][1]; q-- > 0;)
			leat_xps_set(&xps, (uint16_t)q, all);
		for (unsigned c = 0; c < rows[i][0]; c++) {
			assert_int_equal(xps.map[c].len, rows[i][1]);
			for (unsigned q = 0; q < rows[i][1]; q++)
				assert_int_equal(xps.map[c].queues[q], rows[i][1] - 1 - q);
		}
		test_free(mem);
	}
}

/* Appended in the order they come, removed by moving the last into the gap. */
static void test_set(void **state)
{
	static const struct {
		uint16_t queue;
		uint64_t cpus;
		unsigned len; /* of CPU 1's list after it */
		uint16_t list[QUEUES];
	} rows[] = {
		{2, 2, 1, {2}},		 {0, 6, 2, {2, 0}},
		{3, 3, 3, {2, 0, 3}},	 {0, 2, 3, {2, 0, 3}}, /* there already */
		{1, 2, 4, {2, 0, 3, 1}}, {2, 1, 3, {1, 0, 3}}, /* the first: the last moves */
		{0, 0, 2, {1, 3}},	 {3, 1, 1, {1}},       /* the last itself */
		{2, 5, 1, {1}},				       /* not there */
		{1, 0, 0, {0}},		 {4, 2, 0, {0}},       /* no queue of the port */
		{65535, 2, 0, {0}},	 {3, 2, 1, {3}},
	};
	struct leat_xps xps;
	void *mem = make(&xps, CPUS, QUEUES);

	for (unsigned i = 0; i < COUNT(rows); i++) {
		set(&xps, rows[i].queue, rows[i].cpus);
		check_list(&xps, 1, rows[i].len, rows[i].list);
	}
	check_list(&xps, 0, 1, (const uint16_t[]){2});
	check_list(&xps, 2, 1, (const uint16_t[]){2});
	test_free(mem);
}

/* A mask is as wide as the CPUs: bits past them are nobody's. */
static void test_wide_mask(void **state)
{
	const uint64_t words[WORDS] = {1ull << 63, 1ull << 0 | 1ull << 5 | 1ull << 6};
	struct leat_xps xps;
	void *mem = make(&xps, CPUS, QUEUES);

	leat_xps_set(&xps, 3, words);
	for (unsigned cpu = 0; cpu < CPUS + 10; cpu++)
		assert_int_equal(leat_xps_pick(&xps, cpu, 7),
				 cpu == 63 || cpu == 64 || cpu == 69 ? 3 : LEAT_XPS_NO_QUEUE);
	test_free(mem);
}

static void test_pick(void **state)
{
	static const struct {
		unsigned cpu;
		uint32_t hash;
		int queue;
	} rows[] = {
		{0, 0x51ccc178, 1}, /* the only one, whatever the hash */
		{0, 0xffffffff, 1},
		{0, 0, 1},
		{1, 0x51ccc178, 3}, /* by the high bits, in the order they were set */
		{1, 0xc626b0ea, 0},
		{1, 0x55555555, 3},
		{1, 0x55555556, 1},
		{1, 0xaaaaaaab, 0},
		{1, 0, 3},
		{1, 0xffffffff, 0},
		{2, 0x51ccc178, LEAT_XPS_NO_QUEUE}, /* no mask names it */
		{CPUS, 0x51ccc178, LEAT_XPS_NO_QUEUE},
		{UINT32_MAX, 0x51ccc178, LEAT_XPS_NO_QUEUE},
	};
	struct leat_xps xps;
	void *mem = make(&xps, CPUS, QUEUES);

	set(&xps, 3, 2);
	set(&xps, 1, 3);
	set(&xps, 0, 2);
	for (unsigned i = 0; i < COUNT(rows); i++)
		assert_int_equal(leat_xps_pick(&xps, rows[i].cpu, rows[i].hash), rows[i].queue);
	test_free(mem);
}

static void test_copy(void **state)
{
	struct leat_xps xps, copy;
	void *mem = make(&xps, CPUS, QUEUES), *other = make(&copy, CPUS, QUEUES);

	set(&xps, 2, 3);
	set(&xps, 1, 2);
	leat_xps_copy(&copy, &xps, other);
	set(&copy, 3, 2);
	set(&xps, 2, 0);
	assert_int_equal(copy.n_cpus, CPUS);
	assert_int_equal(copy.n_queues, QUEUES);
	check_list(&copy, 0, 1, (const uint16_t[]){2});
	check_list(&copy, 1, 3, (const uint16_t[]){2, 1, 3});
	check_list(&copy, 2, 0, NULL);
	check_list(&xps, 0, 0, NULL);
	check_list(&xps, 1, 1, (const uint16_t[]){1});
	test_free(mem);
	test_free(other);
}

static void test_tx_hash(void **state)
{
	static const struct {
		unsigned n_queues;
		int rxq;
		uint32_t hash;
		uint16_t queue;
	} rows[] = {
		/* forwarded: the receive queue's number, wrapped */
		{4, 0, 0xffffffff, 0},
		{4, 3, 0, 3},
		{4, 4, 0, 0},
		{4, 7, 0, 3},
		{3, 8, 0, 2},
		{1, 5, 0xffffffff, 0},
		{256, 65535, 0, 255},
		/* else the hash's high bits */
		{4, -1, 0x51ccc178, 1},
		{8, -1, 0x51ccc178, 2},
		{3, -1, 0xc626b0ea, 2},
		{16, -1, 0xafc7327f, 10},
		{4, -1, 0, 0},
		{256, -1, 0xffffffff, 255},
		{1, -1, 0xffffffff, 0},
	};

	for (unsigned i = 0; i < COUNT(rows); i++)
		assert_int_equal(leat_xps_tx_hash(rows[i].n_queues, rows[i].rxq, rows[i].hash),
				 rows[i].queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),	cmocka_unit_test(test_full),
		cmocka_unit_test(test_set),	cmocka_unit_test(test_wide_mask),
		cmocka_unit_test(test_pick),	cmocka_unit_test(test_copy),
		cmocka_unit_test(test_tx_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
