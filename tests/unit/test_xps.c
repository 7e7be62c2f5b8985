/* SPDX-License-Identifier: MIT */
/* XPS: the lists that setting masks makes, and the queue they, the classes and the fallback pick. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <leat/parse.h>
#include <leat/xps.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { CPUS = 70, RXQS = 6, QUEUES = 4, WORDS = (LEAT_CPUS_MAX + 63) / 64 };

/* A value in memory of just its size, so that a sanitizer sees a step outside. */
static void *make_sized(struct leat_xps *xps, unsigned n_cpus, unsigned n_rxqs, unsigned n_queues)
{
	size_t size = leat_xps_size(n_cpus, n_rxqs, n_queues);
	void *mem = test_malloc(size);

	memset(mem, 0x5a, size);
	assert_int_equal(leat_xps_init(xps, n_cpus, n_rxqs, n_queues, mem), 0);
	return mem;
}

static void *make(struct leat_xps *xps)
{
	return make_sized(xps, CPUS, RXQS, QUEUES);
}

/* Set the mask of the lowest 64 CPUs, or receive queues. */
static int set_by(struct leat_xps *xps, enum leat_xps_by by, unsigned queue, uint64_t ids)
{
	const uint64_t words[WORDS] = {ids};

	return leat_xps_set(xps, by, queue, words);
}

static void set(struct leat_xps *xps, unsigned queue, uint64_t cpus)
{
	assert_int_equal(set_by(xps, LEAT_XPS_CPUS, queue, cpus), 0);
}

static int by_cpu(const struct leat_xps *xps, unsigned cpu, uint32_t hash)
{
	return leat_xps_lookup(xps, LEAT_XPS_CPUS, cpu, 0, hash);
}

/* The list of an id and class, read by the hashes that pick each of its places. */
static void check_list(const struct leat_xps *xps, enum leat_xps_by by, unsigned id, unsigned tc,
		       unsigned len, const uint16_t *queues)
{
	if (len == 0)
		assert_int_equal(leat_xps_lookup(xps, by, id, tc, 0), LEAT_XPS_NO_QUEUE);
	for (unsigned i = 0; i < len; i++) {
		uint32_t first = (uint32_t)((((uint64_t)i << 32) + len - 1) / len);
		uint32_t last = (uint32_t)((((uint64_t)(i + 1) << 32) - 1) / len);

		assert_int_equal(leat_xps_lookup(xps, by, id, tc, first), queues[i]);
		assert_int_equal(leat_xps_lookup(xps, by, id, tc, last), queues[i]);
		assert_true(leat_xps_uses(xps, by, queues[i], id));
	}
}

static void test_counts(void **state)
{
	static const struct {
		unsigned n_cpus, n_rxqs, n_queues;
		bool good;
	} rows[] = {
		{1, 1, 1, true},	   {1024, 256, 256, true},    {3, 2, 5, true},
		{0, 1, 1, false},	   {1, 0, 1, false},	      {1, 1, 0, false},
		{1025, 1, 1, false},	   {1, 257, 1, false},	      {1, 1, 257, false},
		{UINT32_MAX, 1, 1, false}, {1, UINT32_MAX, 1, false}, {1, 1, UINT32_MAX, false},
	};

	for (unsigned i = 0; i < COUNT(rows); i++) {
		size_t size = leat_xps_size(rows[i].n_cpus, rows[i].n_rxqs, rows[i].n_queues);
		struct leat_xps xps = {.n_queues = 99};
		void *mem;

		assert_int_equal(size != 0, rows[i].good);
		if (!rows[i].good) {
			assert_int_equal(leat_xps_init(&xps, rows[i].n_cpus, rows[i].n_rxqs,
						       rows[i].n_queues, NULL),
					 -EINVAL);
			assert_int_equal(xps.n_queues, 99);
			continue;
		}
		mem = make_sized(&xps, rows[i].n_cpus, rows[i].n_rxqs, rows[i].n_queues);
		for (unsigned c = 0; c < rows[i].n_cpus; c++)
			assert_int_equal(by_cpu(&xps, c, 1), LEAT_XPS_NO_QUEUE);
		for (unsigned q = 0; q < rows[i].n_rxqs; q++)
			assert_int_equal(leat_xps_lookup(&xps, LEAT_XPS_RXQS, q, 0, 1),
					 LEAT_XPS_NO_QUEUE);
		test_free(mem);
	}
}

/* Every list full, to its last place. */
static void test_full(void **state)
{
	static const unsigned rows[][3] = {{1, 1, 1}, {3, 7, 5}, {1024, 2, 3}, {65, 256, 256}};
	uint16_t queues[LEAT_XPS_QUEUES_MAX];
	uint64_t all[WORDS];

	memset(all, 0xff, sizeof(all));
	for (unsigned i = 0; i < COUNT(rows); i++) {
		unsigned n = rows[i][2];
		struct leat_xps xps;
		void *mem = make_sized(&xps, rows[i][0], rows[i][1], n);

		for (unsigned q = 0; q < n; q++) {
			queues[q] = (uint16_t)(n - 1 - q);
			leat_xps_set(&xps, LEAT_XPS_CPUS, n - 1 - q, all);
			leat_xps_set(&xps, LEAT_XPS_RXQS, n - 1 - q, all);
		}
		for (unsigned c = 0; c < rows[i][0]; c++)
			check_list(&xps, LEAT_XPS_CPUS, c, 0, n, queues);
		for (unsigned q = 0; q < rows[i][1]; q++)
			check_list(&xps, LEAT_XPS_RXQS, q, 0, n, queues);
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
		{1, 0, 0, {0}},		 {3, 2, 1, {3}},
	};
	struct leat_xps xps;
	void *mem = make(&xps);

	for (unsigned i = 0; i < COUNT(rows); i++) {
		set(&xps, rows[i].queue, rows[i].cpus);
		check_list(&xps, LEAT_XPS_CPUS, 1, 0, rows[i].len, rows[i].list);
	}
	check_list(&xps, LEAT_XPS_CPUS, 0, 0, 1, (const uint16_t[]){2});
	check_list(&xps, LEAT_XPS_CPUS, 2, 0, 1, (const uint16_t[]){2});
	assert_int_equal(set_by(&xps, LEAT_XPS_CPUS, QUEUES, 2), -EINVAL); /* none of the port's */
	assert_int_equal(set_by(&xps, LEAT_XPS_CPUS, UINT32_MAX, 2), -EINVAL);
	check_list(&xps, LEAT_XPS_CPUS, 1, 0, 1, (const uint16_t[]){3});
	for (unsigned id = 0; id < RXQS; id++) /* the other lists are not touched */
		check_list(&xps, LEAT_XPS_RXQS, id, 0, 0, NULL);
	test_free(mem);
}

/* A mask is as wide as the CPUs: bits past them are nobody's. */
static void test_wide_mask(void **state)
{
	const uint64_t words[WORDS] = {1ull << 63, 1ull << 0 | 1ull << 5 | 1ull << 6};
	struct leat_xps xps;
	void *mem = make(&xps);

	leat_xps_set(&xps, LEAT_XPS_CPUS, 3, words);
	for (unsigned cpu = 0; cpu < CPUS + 10; cpu++)
		assert_int_equal(by_cpu(&xps, cpu, 7),
				 cpu == 63 || cpu == 64 || cpu == 69 ? 3 : LEAT_XPS_NO_QUEUE);
	test_free(mem);
}

static void test_lookup(void **state)
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
	void *mem = make(&xps);

	set(&xps, 3, 2);
	set(&xps, 1, 3);
	set(&xps, 0, 2);
	for (unsigned i = 0; i < COUNT(rows); i++)
		assert_int_equal(by_cpu(&xps, rows[i].cpu, rows[i].hash), rows[i].queue);
	test_free(mem);
}

static const struct leat_xps_tcs two_classes = {
	.num_tc = 2, .map = {[1] = 1, [6] = 1, [15] = 1}, .queues = {{3, 0}, {1, 3}}};

static void test_copy(void **state)
{
	struct leat_xps xps, copy;
	void *mem = make(&xps), *other = make(&copy);

	assert_int_equal(leat_xps_set_tcs(&xps, &two_classes), 0);
	set(&xps, 2, 3);
	set(&xps, 1, 2);
	set_by(&xps, LEAT_XPS_RXQS, 3, 1 << 5);
	leat_xps_copy(&copy, &xps, other);
	set(&copy, 0, 2);
	set(&xps, 2, 0);
	assert_int_equal(copy.n_queues, QUEUES);
	assert_int_equal(leat_xps_tc(&copy, 15), 1);
	check_list(&copy, LEAT_XPS_CPUS, 0, 0, 1, (const uint16_t[]){2});
	check_list(&copy, LEAT_XPS_CPUS, 1, 0, 3, (const uint16_t[]){2, 1, 0});
	check_list(&copy, LEAT_XPS_CPUS, 2, 0, 0, NULL);
	check_list(&copy, LEAT_XPS_RXQS, 5, 1, 1, (const uint16_t[]){3});
	check_list(&xps, LEAT_XPS_CPUS, 0, 0, 0, NULL);
	check_list(&xps, LEAT_XPS_CPUS, 1, 0, 1, (const uint16_t[]){1});
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

	for (unsigned i = 0; i < COUNT(rows); i++) {
		struct leat_xps xps;
		void *mem = make_sized(&xps, 1, 1, rows[i].n_queues);

		assert_int_equal(leat_xps_tx_hash(&xps, 0, rows[i].rxq, rows[i].hash),
				 rows[i].queue);
		test_free(mem);
	}
}

/* Of a class: a number from its first queue on counts from there, others from 0; then it wraps. */
static void test_tx_hash_tc(void **state)
{
	static const struct leat_xps_tcs tcs = {.num_tc = 3, .queues = {{2, 0}, {3, 4}, {1, 7}}};
	static const struct {
		unsigned tc;
		int rxq;
		uint32_t hash;
		uint16_t queue;
	} rows[] = {
		{0, 0, 0, 0},		{0, 1, 0, 1},
		{0, 2, 0, 0},		{0, 5, 0, 1},
		{1, 0, 0, 4},		{1, 2, 0, 6},
		{1, 3, 0, 4},		{1, 4, 0, 4},
		{1, 6, 0, 6},		{1, 7, 0, 4},
		{2, 0, 0, 7},		{2, 7, 0, 7},
		{2, 65535, 0, 7},	{0, -1, 0x7fffffff, 0},
		{0, -1, 0x80000000, 1}, {1, -1, 0, 4},
		{1, -1, 0x55555555, 4}, {1, -1, 0x55555556, 5},
		{1, -1, 0xffffffff, 6}, {2, -1, 0xffffffff, 7},
		{3, -1, 0xffffffff, 7}, /* no such class: all queues */
	};
	struct leat_xps xps;
	void *mem = make_sized(&xps, 1, 1, 8);

	assert_int_equal(leat_xps_set_tcs(&xps, &tcs), 0);
	for (unsigned i = 0; i < COUNT(rows); i++)
		assert_int_equal(leat_xps_tx_hash(&xps, rows[i].tc, rows[i].rxq, rows[i].hash),
				 rows[i].queue);
	test_free(mem);
}

static void test_classes(void **state)
{
	static const struct {
		struct leat_xps_tcs tcs;
		bool good;
	} rows[] = {
		{{.num_tc = 0}, true},
		{{.num_tc = 0, .map = {9}, .queues = {{9, 9}}}, true}, /* says nothing */
		{{.num_tc = 1, .queues = {{4, 0}}}, true},
		{{.num_tc = 1, .queues = {{1, 3}}}, true}, /* the others are of no class */
		{{.num_tc = 4, .queues = {{1, 3}, {1, 2}, {1, 1}, {1, 0}}}, true},
		{{.num_tc = 17}, false},
		{{.num_tc = 1, .queues = {{0, 0}}}, false},
		{{.num_tc = 1, .queues = {{5, 0}}}, false},
		{{.num_tc = 1, .queues = {{1, 4}}}, false},
		{{.num_tc = 1, .queues = {{65535, 1}}}, false},
		{{.num_tc = 1, .queues = {{1, 65535}}}, false},
		{{.num_tc = 2, .queues = {{2, 0}, {2, 1}}}, false},
		{{.num_tc = 2, .queues = {{1, 2}, {3, 1}}}, false},
		{{.num_tc = 2, .queues = {{3, 1}, {1, 2}}}, false},
		{{.num_tc = 2, .queues = {{2, 0}, {2, 2}}, .map = {[15] = 2}}, false},
		{{.num_tc = 2, .queues = {{2, 0}, {2, 2}}, .map = {[15] = 1}}, true},
	};
	struct leat_xps xps;
	void *mem = make(&xps);

	for (unsigned i = 0; i < COUNT(rows); i++) {
		int err;

		assert_int_equal(leat_xps_set_tcs(&xps, &two_classes), 0);
		set(&xps, 1, 2);
		set_by(&xps, LEAT_XPS_RXQS, 3, 1);
		err = leat_xps_set_tcs(&xps, &rows[i].tcs);
		assert_int_equal(err, rows[i].good ? 0 : -EINVAL);
		assert_int_equal(xps.tcs.num_tc, err ? 2 : rows[i].tcs.num_tc);
		for (unsigned tc = 0; tc < LEAT_XPS_TCS_MAX; tc++) { /* emptied, or as it was */
			check_list(&xps, LEAT_XPS_CPUS, 1, tc, err && tc == 0, (uint16_t[]){1});
			check_list(&xps, LEAT_XPS_RXQS, 0, tc, err && tc == 1, (uint16_t[]){3});
		}
	}
	test_free(mem);
}

/* A queue joins lists of its own class; one of no class joins none. */
static void test_set_tc(void **state)
{
	static const struct leat_xps_tcs tcs = {
		.num_tc = 2, .map = {0, 1}, .queues = {{1, 2}, {2, 0}}};
	struct leat_xps xps;
	void *mem = make(&xps);

	assert_int_equal(leat_xps_set_tcs(&xps, &tcs), 0);
	assert_int_equal(leat_xps_queue_tc(&xps, 0), 1);
	assert_int_equal(leat_xps_queue_tc(&xps, 1), 1);
	assert_int_equal(leat_xps_queue_tc(&xps, 2), 0);
	assert_int_equal(leat_xps_queue_tc(&xps, 3), LEAT_XPS_NO_TC);
	assert_int_equal(set_by(&xps, LEAT_XPS_CPUS, 3, 1), -EINVAL);
	assert_false(leat_xps_uses(&xps, LEAT_XPS_CPUS, 3, 0));
	for (unsigned q = 3; q-- > 0;)
		set(&xps, q, 7);
	for (unsigned cpu = 0; cpu < 3; cpu++) {
		check_list(&xps, LEAT_XPS_CPUS, cpu, 0, 1, (const uint16_t[]){2});
		check_list(&xps, LEAT_XPS_CPUS, cpu, 1, 2, (const uint16_t[]){1, 0});
		check_list(&xps, LEAT_XPS_CPUS, cpu, 2, 0, NULL);
	}
	assert_false(leat_xps_uses(&xps, LEAT_XPS_CPUS, 2, 3));
	assert_false(leat_xps_uses(&xps, LEAT_XPS_CPUS, 2, CPUS));
	test_free(mem);
}

/* CPU 0 has queue 0, CPU 1 queue 1, receive queue 4 queue 2; class 1 has queue 3 alone. */
static void test_pick(void **state)
{
	static const struct {
		struct leat_xps_sender sender;
		uint16_t queue;
	} rows[] = {
		/* the flow's receive queue, the CPU, the packet's receive queue, the hash */
		{{.cpu = 1, .flow_rxq = 4, .flow_txq = -1, .rxq = 0}, 2},
		{{.cpu = 1, .flow_rxq = 5, .flow_txq = -1, .rxq = 0}, 1},
		{{.cpu = 0, .flow_rxq = -1, .flow_txq = -1, .rxq = 4}, 0},
		{{.cpu = 2, .flow_rxq = 0, .flow_txq = -1, .rxq = 4}, 1},
		{{.cpu = 2, .flow_rxq = -1, .flow_txq = -1, .rxq = -1, .hash = 0xffffffff}, 2},
		{{.cpu = 99, .flow_rxq = 99, .flow_txq = -1, .rxq = -1, .hash = 0}, 0},
		/* the queue that the flow had, unless it may move */
		{{.cpu = 1, .flow_rxq = 4, .flow_txq = 0, .rxq = 0}, 0},
		{{.cpu = 1, .flow_rxq = 4, .flow_txq = 3, .rxq = 0}, 3},
		{{.cpu = 1, .flow_rxq = 4, .flow_txq = 0, .ooo_okay = true}, 2},
		{{.cpu = 1, .flow_rxq = -1, .flow_txq = 0, .ooo_okay = true}, 1},
		{{.cpu = 1, .flow_rxq = -1, .flow_txq = QUEUES}, 1}, /* the port has it not */
		{{.cpu = 1, .flow_rxq = -1, .flow_txq = 65535}, 1},
		/* of the priority's class, which has no lists */
		{{.cpu = 1, .flow_rxq = 4, .flow_txq = -1, .rxq = 0, .priority = 1}, 3},
		{{.cpu = 1, .flow_rxq = 4, .flow_txq = -1, .rxq = 0, .priority = 31}, 3},
		{{.cpu = 1, .flow_rxq = 4, .flow_txq = -1, .rxq = 0, .priority = 2}, 2},
		{{.cpu = 1, .flow_rxq = 4, .flow_txq = 1, .rxq = 0, .priority = 1}, 1},
	};
	struct leat_xps xps;
	void *mem = make(&xps);

	assert_int_equal(leat_xps_set_tcs(&xps, &two_classes), 0);
	set(&xps, 0, 1);
	set(&xps, 1, 2);
	set_by(&xps, LEAT_XPS_RXQS, 2, 1 << 4);
	for (unsigned i = 0; i < COUNT(rows); i++)
		assert_int_equal(leat_xps_pick(&xps, &rows[i].sender), rows[i].queue);
	test_free(mem);
	mem = make_sized(&xps, 1, 1, 1); /* one queue is one queue */
	assert_int_equal(leat_xps_pick(&xps, &rows[7].sender), 0);
	test_free(mem);
}

static unsigned priority(const uint8_t *frame, uint32_t len)
{
	uint8_t copy[64];
	struct leat_pkt pkt, *pkts[] = {&pkt};

	memcpy(copy, frame, len);
	leat_pkt_init(&pkt, copy, len);
	leat_parse(NULL, pkts, 1);
	return leat_xps_priority(&pkt);
}

static void test_priority(void **state)
{
	/* as `ip route` and tc-prio(8) have it */
	static const struct {
		uint8_t tos, priority;
	} rows[] = {{0x00, 0}, {0x02, 0}, {0x04, 0}, {0x06, 0}, {0x08, 2}, {0x0a, 2},
		    {0x0e, 2}, {0x10, 6}, {0x12, 6}, {0x16, 6}, {0x18, 4}, {0x1e, 4},
		    {0xe0, 0}, {0xb8, 4}, {0x88, 2}, {0x01, 0}, {0xff, 4}, {0x50, 6}};
	static const uint8_t frame4[14 + 20] = {
		[12] = 0x08, [14] = 0x45, [17] = 20, [22] = 64, [23] = 59};
	static const uint8_t frame6[14 + 40] = {[12] = 0x86, [13] = 0xdd, [14] = 0x60, [20] = 59};
	static const uint8_t tagged[18 + 20] = {
		[12] = 0x81, [16] = 0x08, [18] = 0x45, [21] = 20, [26] = 64, [27] = 59};
	uint8_t f[64];

	for (unsigned i = 0; i < COUNT(rows); i++) {
		memcpy(f, frame4, sizeof(frame4));
		f[15] = rows[i].tos;
		assert_int_equal(priority(f, sizeof(frame4)), rows[i].priority);
		memcpy(f, frame6, sizeof(frame6));
		f[14] |= rows[i].tos >> 4;
		f[15] = (uint8_t)(rows[i].tos << 4 | 0xf); /* and a flow label */
		assert_int_equal(priority(f, sizeof(frame6)), rows[i].priority);
		memcpy(f, tagged, sizeof(tagged));
		f[19] = rows[i].tos;
		assert_int_equal(priority(f, sizeof(tagged)), rows[i].priority);
		f[14] = (uint8_t)((i % 7 + 1) << 5 | 0x1f);
		assert_int_equal(priority(f, sizeof(tagged)), i % 7 + 1);
	}
	for (uint32_t len = 0; len <= 18; len++) /* cut short: what there is */
		assert_int_equal(priority(f, len), len == 18 ? f[14] >> 5 : 0);
	memcpy(f, frame4, sizeof(frame4));
	f[13] = 6; /* no IP */
	f[15] = 0x10;
	assert_int_equal(priority(f, sizeof(frame4)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),	cmocka_unit_test(test_full),
		cmocka_unit_test(test_set),	cmocka_unit_test(test_wide_mask),
		cmocka_unit_test(test_lookup),	cmocka_unit_test(test_copy),
		cmocka_unit_test(test_tx_hash), cmocka_unit_test(test_tx_hash_tc),
		cmocka_unit_test(test_classes), cmocka_unit_test(test_set_tc),
		cmocka_unit_test(test_pick),	cmocka_unit_test(test_priority),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
