/* SPDX-License-Identifier: MIT */
/* RFS: what is recorded, who owns a slot, and when a flow changes CPU. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <leat/rfs.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { NONE = LEAT_RPS_NO_CPU, SIZE = 16, EMPTY = 0xffff };

#define STOP UINT32_MAX

static void test_round(void **state)
{
	static const struct {
		uint32_t entries, shown;
	} rows[] = {
		{0, 0},
		{1, 1},
		{2, 2},
		{3, 4},
		{100, 128},
		{2340, 4096},
		{33000, 65536},
		{32768, 32768},
		{(1u << 28) + 1, 1u << 29},
		{1u << 29, 1u << 29},
		{(1u << 29) + 1, 0},
		{UINT32_MAX, 0},
	};

	for (unsigned i = 0; i < COUNT(rows); i++)
		assert_int_equal(leat_rfs_round(rows[i].entries), rows[i].shown);
}

/* The low bits that hold the CPU are those of the highest id, all of them. */
static void test_cpu_mask(void **state)
{
	static const struct {
		unsigned n_cpus;
		uint32_t mask;
	} rows[] = {{1, 0}, {2, 1}, {3, 3}, {4, 3}, {5, 7}, {64, 63}, {65, 127}, {1024, 1023}};

	for (unsigned i = 0; i < COUNT(rows); i++) {
		struct leat_rps_sock_flow_table t;
		uint32_t ents[SIZE];
		uint16_t last = (uint16_t)(rows[i].n_cpus - 1);

		leat_rfs_sock_init(&t, ents, SIZE, rows[i].n_cpus);
		assert_int_equal(t.cpu_mask, rows[i].mask);
		for (unsigned j = 0; j < SIZE; j++)
			assert_int_equal(ents[j], EMPTY);
		leat_rfs_record(&t, 0xabcdef35, last);
		assert_int_equal(ents[5], (0xabcdef35 & ~rows[i].mask) | last);
		assert_int_equal(leat_rfs_desired(&t, 0xabcdef35), last);
	}
}

static void test_record(void **state)
{
	struct leat_rps_sock_flow_table t;
	uint32_t ents[SIZE];

	leat_rfs_sock_init(&t, ents, SIZE, 4);
	assert_int_equal(leat_rfs_desired(&t, 0x12345671), NONE);
	leat_rfs_record(&t, 0x12345671, 2);
	assert_int_equal(leat_rfs_desired(&t, 0x12345671), 2);
	leat_rfs_record(&t, 0x12345671, 3);
	assert_int_equal(leat_rfs_desired(&t, 0x12345671), 3);

	/* another flow of the slot: not its entry, until it takes it */
	assert_int_equal(leat_rfs_desired(&t, 0x22345671), NONE);
	leat_rfs_record(&t, 0x22345671, 0);
	assert_int_equal(leat_rfs_desired(&t, 0x22345671), 0);
	assert_int_equal(leat_rfs_desired(&t, 0x12345671), NONE);

	/* beyond the table's bits a CPU would read as another flow's hash */
	leat_rfs_record(&t, 0x22345671, 4);
	leat_rfs_record(&t, 0x22345671, NONE);
	assert_int_equal(leat_rfs_desired(&t, 0x22345671), 0);
	for (unsigned i = 0; i < SIZE; i++) {
		if (i != 1)
			assert_int_equal(ents[i], EMPTY);
	}
}

static void test_no_hash(void **state)
{
	struct leat_rps_sock_flow_table t;
	uint32_t ents[1];

	leat_rfs_sock_init(&t, ents, 1, 4);
	leat_rfs_record(&t, 0, 1);
	assert_int_equal(ents[0], EMPTY);
	ents[0] = 1; /* of a flow whose hash has only low bits */
	assert_int_equal(leat_rfs_desired(&t, 2), 1);
	assert_int_equal(leat_rfs_desired(&t, 0), NONE);
}

/* An empty entry has a hash's upper bits too; nobody recorded them. */
static void test_empty_is_nobody(void **state)
{
	struct leat_rps_sock_flow_table t;
	uint32_t ents[SIZE];

	leat_rfs_sock_init(&t, ents, SIZE, 4);
	for (uint32_t hash = 0xfff0; hash <= 0xffff; hash++)
		assert_int_equal(leat_rfs_desired(&t, hash), NONE);
	leat_rfs_record(&t, 0xfffe, 2);
	assert_int_equal(leat_rfs_desired(&t, 0xfffe), 2);
}

static void test_off(void **state)
{
	const struct leat_rps_sock_flow_table t = {.size = 0};

	leat_rfs_record(&t, 0x12345671, 0);
	assert_int_equal(leat_rfs_desired(&t, 0x12345671), NONE);
}

/* What is recorded, else what the map says. */
static void test_pick(void **state)
{
	const struct leat_rps_map map = {.len = 2, .cpus = {1, 2}}, none = {.len = 0};
	const struct leat_rps_sock_flow_table off = {.size = 0};
	struct leat_rps_sock_flow_table t;
	uint32_t ents[SIZE];

	leat_rfs_sock_init(&t, ents, SIZE, 4);
	leat_rfs_record(&t, 0x12345671, 3);
	assert_int_equal(leat_rfs_pick(&t, &map, 0x12345671), 3);
	assert_int_equal(leat_rfs_pick(&t, &none, 0x12345671), 3);
	assert_int_equal(leat_rfs_pick(&off, &map, 0x12345671), 1);
	assert_int_equal(leat_rfs_pick(&t, &map, 0x92345671), 2); /* another flow's record */
	assert_int_equal(leat_rfs_pick(&t, &map, 0x12345672), 1);
	assert_int_equal(leat_rfs_pick(&t, &none, 0x12345672), NONE);
	assert_int_equal(leat_rfs_pick(&t, &map, 0), NONE);
}

static void test_dev_table(void **state)
{
	struct leat_rps_dev_flow_table t;
	struct leat_rps_dev_flow flows[4096];

	memset(flows, 0, sizeof(flows));
	leat_rfs_dev_init(&t, flows, 12);
	for (unsigned i = 0; i < COUNT(flows); i++) {
		assert_int_equal(flows[i].cpu, NONE);
		assert_int_equal(flows[i].filter, 0xffff);
		assert_int_equal(flows[i].last_qtail, 0);
	}
	assert_ptr_equal(leat_rfs_flow(&t, 0x51ccc178), &flows[1964]);
	assert_ptr_equal(leat_rfs_flow(&t, 0x5c2b394a), &flows[4028]);
	leat_rfs_dev_init(&t, flows, 0);
	assert_ptr_equal(leat_rfs_flow(&t, 0x51ccc178), &flows[0]);
}

/* Three CPUs with these heads, and CPU 3 without a worker. */
struct cpus {
	uint32_t count[3];
	const uint32_t *head[4];
	struct leat_rps_heads heads;
};

static void make_cpus(struct cpus *c, uint32_t head0, uint32_t head1)
{
	*c = (struct cpus){
		.count = {head0, head1, 77},
		.head = {&c->count[0], &c->count[1], &c->count[2], NULL},
		.heads = {4, c->head},
	};
}

static void test_switch(void **state)
{
	static const struct {
		uint16_t cpu;
		uint32_t last_qtail, head0;
		uint16_t desired, want;
		uint32_t want_qtail;
	} rows[] = {
		/* the CPU is the one desired: nothing to decide */
		{0, 9, 5, 0, 0, 9},
		{0, 5, 9, 0, 0, 5},
		/* a: none yet, or no CPU at all */
		{NONE, 0, 5, 1, 1, 500},
		{4, 9, 5, 1, 1, 500},
		{1024, 9, 5, 1, 1, 500},
		/* b: offline */
		{3, 9, 5, 1, 1, 500},
		/* c: the head has reached the last packet's tail, or not */
		{0, 9, 8, 1, 0, 9},
		{0, 9, 9, 1, 1, 500},
		{0, 9, 10, 1, 1, 500},
		{0, 9, 9, 2, 2, 77},
		/* c: wrapped counters */
		{0, 2, 0xfffffffe, 1, 0, 2},
		{0, 2, 1, 1, 0, 2},
		{0, 2, 2, 1, 1, 500},
		{0, 0xfffffffe, 2, 1, 1, 500},
		{0, 0xfffffffe, 0xfffffffe, 1, 1, 500},
		{0, 0xfffffffe, 0xfffffffd, 1, 0, 0xfffffffe},
		{0, 0, 0xffffffff, 1, 0, 0},
		{0, 0xffffffff, 0, 1, 1, 500},
		{0, 0, 0x7fffffff, 1, 1, 500},
		{0, 0, 0x80000000, 1, 0, 0},
		{0, 0x80000000, 0, 1, 0, 0x80000000},
		/* nowhere to go: stays until finished, then is nowhere */
		{0, 9, 8, NONE, 0, 9},
		{0, 9, 8, 3, 0, 9},
		{0, 9, 9, NONE, NONE, 9},
		{0, 9, 9, 3, NONE, 9},
		{0, 9, 9, 4, NONE, 9},
		{3, 9, 5, 3, NONE, 9},
		{NONE, 9, 5, NONE, NONE, 9},
	};

	for (unsigned i = 0; i < COUNT(rows); i++) {
		struct leat_rps_dev_flow flow = {rows[i].cpu, 7, rows[i].last_qtail};
		struct cpus c;
		uint16_t cpu;

		make_cpus(&c, rows[i].head0, 500);
		cpu = leat_rfs_switch(&flow, rows[i].desired, &c.heads);
		if (cpu != rows[i].want || flow.last_qtail != rows[i].want_qtail)
			fail_msg("row %u: cpu %u, last_qtail %u", i, cpu, flow.last_qtail);
		assert_int_equal(flow.cpu, cpu);
		assert_int_equal(flow.filter, 7);
	}
}

static void test_finished(void **state)
{
	static const struct {
		uint16_t cpu;
		uint32_t last_qtail;
		bool finished;
	} rows[] = {
		{NONE, 9, true}, {4, 9, true},		 {3, 9, true},
		{0, 9, false},	 {0, 5, true},		 {0, 4, true},
		{0, 6, false},	 {0, 0x80000005, false}, {0, 0x80000006, true},
	};

	for (unsigned i = 0; i < COUNT(rows); i++) {
		const struct leat_rps_dev_flow flow = {rows[i].cpu, 0xffff, rows[i].last_qtail};
		struct cpus c;

		make_cpus(&c, 5, 0);
		assert_int_equal(leat_rfs_finished(&flow, &c.heads), rows[i].finished);
	}
}

/* Threads: any number record and read one table, and a flow's CPUs take turns at what is the
 * flow's without a lock of its own, with the counters alone between them. */
enum { WORKERS = 2, BURST = 8, BURSTS = 2000, HASH = 0x51ccc178 };

struct shared {
	struct leat_rps_sock_flow_table sock;
	uint32_t ents[SIZE];
	uint32_t tail[WORKERS], head[WORKERS]; /* a backlog of nothing but its counters */
	uint32_t processed;		       /* the flow's: plain */
};

struct worker {
	struct shared *shared;
	uint16_t cpu;
};

static void *work(void *arg)
{
	const struct worker *w = arg;
	struct shared *s = w->shared;
	uint32_t head = 0, tail;

	while ((tail = __atomic_load_n(&s->tail[w->cpu], __ATOMIC_ACQUIRE)) != STOP) {
		if (head == tail)
			sched_yield();
		for (; head != tail; head++) {
			s->processed++;
			leat_rfs_record(&s->sock, HASH, 1 - w->cpu);
		}
		__atomic_store_n(&s->head[w->cpu], head, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct shared s = {.processed = 0};
	const uint32_t *const head[] = {&s.head[0], &s.head[1]};
	const struct leat_rps_heads heads = {WORKERS, head};
	struct worker workers[WORKERS] = {{&s, 0}, {&s, 1}};
	struct leat_rps_dev_flow flow = {.cpu = NONE};
	uint32_t moves = 0;
	pthread_t threads[WORKERS];

	leat_rfs_sock_init(&s.sock, s.ents, SIZE, WORKERS);
	for (unsigned i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	for (unsigned i = 0; i < BURST * BURSTS; i++) {
		uint16_t was = flow.cpu, desired = leat_rfs_desired(&s.sock, HASH), cpu;

		cpu = leat_rfs_switch(&flow, desired != NONE ? desired : 0, &heads);
		moves += was != cpu;
		flow.last_qtail = __atomic_add_fetch(&s.tail[cpu], 1, __ATOMIC_RELEASE);
		while (i % BURST == BURST - 1 && !leat_rfs_finished(&flow, &heads))
			sched_yield();
	}
	for (unsigned i = 0; i < WORKERS; i++) {
		__atomic_store_n(&s.tail[i], STOP, __ATOMIC_RELEASE);
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
	/* each burst ends with the other CPU recorded */
	assert_in_range(moves, BURSTS, BURST * BURSTS);
	assert_int_equal(s.processed, BURST * BURSTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_cpu_mask),
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_no_hash),
		cmocka_unit_test(test_empty_is_nobody),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_pick),
		cmocka_unit_test(test_dev_table),
		cmocka_unit_test(test_switch),
		cmocka_unit_test(test_finished),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
