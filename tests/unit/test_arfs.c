/* SPDX-License-Identifier: MIT */
/*
 * Accelerated RFS: the reverse map on machines of several shapes, the guards one by one, expiry at
 * its borders and across the counters' wrap.
 */
#include <leat/arfs.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { CPUS = 16, BITS = 4, SIZE = 1 << BITS };

/* A machine: which core, cache and node a CPU is part of. */
struct machine {
	unsigned core[CPUS], cache[CPUS], node[CPUS];
};

static uint16_t distance(const void *arg, unsigned a, unsigned b)
{
	const struct machine *m = arg;

	if (a == b)
		return LEAT_ARFS_SAME;
	if (m->core[a] == m->core[b])
		return LEAT_ARFS_SIBLING;
	if (m->cache[a] == m->cache[b])
		return LEAT_ARFS_CACHE;
	return m->node[a] == m->node[b] ? LEAT_ARFS_NODE : LEAT_ARFS_FAR;
}

/* Two nodes of two caches of two cores of two threads; CPU n + 8 is n's sibling. */
static struct machine big(void)
{
	struct machine m;

	for (unsigned cpu = 0; cpu < CPUS; cpu++) {
		m.core[cpu] = cpu % 8;
		m.cache[cpu] = cpu % 8 / 2;
		m.node[cpu] = cpu % 8 / 4;
	}
	return m;
}

struct mapping {
	const char *name;
	unsigned queues;
	uint16_t cpu_of[8];
	struct {
		unsigned cpu;
		uint16_t queue, distance;
	} want[6];
};

static const struct mapping mappings[] = {
	{"each its own",
	 4,
	 {0, 1, 2, 3},
	 {{0, 0, LEAT_ARFS_SAME}, {3, 3, LEAT_ARFS_SAME}, {2, 2, LEAT_ARFS_SAME}}},
	{"a sibling before the cache, the cache before the node",
	 3,
	 {0, 3, 5},
	 {{8, 0, LEAT_ARFS_SIBLING},
	  {1, 0, LEAT_ARFS_CACHE},
	  {9, 0, LEAT_ARFS_CACHE},
	  {2, 1, LEAT_ARFS_CACHE},
	  {6, 2, LEAT_ARFS_NODE},
	  {15, 2, LEAT_ARFS_NODE}}},
	{"of two as near, the first",
	 3,
	 {2, 3, 4},
	 {{0, 0, LEAT_ARFS_NODE}, {1, 0, LEAT_ARFS_NODE}, {10, 0, LEAT_ARFS_SIBLING}}},
	{"two on one CPU", 2, {1, 1}, {{1, 0, LEAT_ARFS_SAME}, {9, 0, LEAT_ARFS_SIBLING}}},
	{"far ones take turns",
	 2,
	 {0, 1},
	 {{4, 0, LEAT_ARFS_FAR},
	  {5, 1, LEAT_ARFS_FAR},
	  {14, 0, LEAT_ARFS_FAR},
	  {15, 1, LEAT_ARFS_FAR},
	  {2, 0, LEAT_ARFS_NODE},
	  {3, 0, LEAT_ARFS_NODE}}},
	{"one for all", 1, {6}, {{0, 0, LEAT_ARFS_FAR}, {6, 0, LEAT_ARFS_SAME}, {13, 0, 3}}},
};

static void test_rmap(void **state)
{
	const struct machine m = big();

	(void)state;
	for (size_t i = 0; i < COUNT(mappings); i++) {
		const struct mapping *t = &mappings[i];
		struct leat_cpu_rmap_entry mem[CPUS];
		struct leat_cpu_rmap rmap;

		leat_cpu_rmap_init(&rmap, CPUS, mem, t->cpu_of, t->queues, distance, &m);
		assert_int_equal(leat_cpu_rmap_queue(&rmap, CPUS), LEAT_ARFS_NO_QUEUE);
		for (size_t k = 0; k < COUNT(t->want); k++) {
			unsigned cpu = t->want[k].cpu;

			if (k && cpu == 0)
				break;
			if (leat_cpu_rmap_queue(&rmap, cpu) != t->want[k].queue ||
			    mem[cpu].distance != t->want[k].distance)
				fail_msg("%s: cpu %u: queue %u at %u", t->name, cpu, mem[cpu].queue,
					 mem[cpu].distance);
		}
	}
}

static void test_rmap_of_nothing(void **state)
{
	struct leat_cpu_rmap_entry mem[1];
	struct leat_cpu_rmap rmap;

	(void)state;
	leat_cpu_rmap_init(&rmap, 1, mem, NULL, 0, distance, NULL);
	assert_int_equal(leat_cpu_rmap_queue(&rmap, 0), LEAT_ARFS_NO_QUEUE);
}

/* CPU 0 has a backlog, CPU 1 is offline, CPU 2 has one too. */
static uint32_t head0, head2;
static const uint32_t *const head[] = {&head0, NULL, &head2};
static const struct leat_rps_heads heads = {3, head};

static struct leat_rps_dev_flow flows[SIZE];
static struct leat_rps_dev_flow_table table;

static void set_entry(uint32_t hash, struct leat_rps_dev_flow flow)
{
	leat_rfs_dev_init(&table, flows, BITS);
	*leat_rfs_flow(&table, hash) = flow;
}

static const struct {
	const char *name;
	enum leat_arfs_reason want;
	uint16_t to, cpu, filter;
	bool no_table;
	struct leat_rps_dev_flow there; /* the target's entry; heads are at 1000 */
} guards[] = {
	{"free", LEAT_ARFS_STEER, 1, 0, 0xffff, false, {0, 0xffff, 999}},
	{"no queue", LEAT_ARFS_UNMAPPED, LEAT_ARFS_NO_QUEUE, 0, 0xffff, false, {0, 0xffff, 0}},
	{"same queue", LEAT_ARFS_SAME_QUEUE, 3, 0, 0xffff, false, {0, 0xffff, 0}},
	{"no table", LEAT_ARFS_NO_TABLE, 1, 0, 0xffff, true, {0, 0xffff, 0}},
	{"another's, active", LEAT_ARFS_TAKEN, 1, 0, 0xffff, false, {0, 7, 999}},
	{"another's, though it has one", LEAT_ARFS_TAKEN, 1, 0, 8, false, {0, 7, 999}},
	{"another's, at the border", LEAT_ARFS_TAKEN, 1, 0, 8, false, {0, 7, 1000 - 159}},
	{"another's, gone", LEAT_ARFS_STEER, 1, 0, 8, false, {0, 7, 1000 - 160}},
	{"another's, its CPU offline", LEAT_ARFS_STEER, 1, 0, 8, false, {1, 7, 999}},
	{"another's, of no CPU", LEAT_ARFS_STEER, 1, 0, 8, false, {0xffff, 7, 999}},
	{"its own, on that CPU", LEAT_ARFS_STEERED, 1, 0, 7, false, {0, 7, 999}},
	{"its own, on another CPU", LEAT_ARFS_STEER, 1, 2, 7, false, {0, 7, 999}},
};

static void test_guards(void **state)
{
	(void)state;
	head0 = head2 = 1000;
	for (size_t i = 0; i < COUNT(guards); i++) {
		struct leat_arfs_ask ask = {
			.hash = 0x51ccc178,
			.cpu = guards[i].cpu,
			.from = 3,
			.to = guards[i].to,
			.filter = guards[i].filter,
			.table = guards[i].no_table ? NULL : &table,
		};

		set_entry(ask.hash, guards[i].there);
		if (leat_arfs_decide(&ask, &heads) != guards[i].want)
			fail_msg("%s: %s", guards[i].name,
				 leat_arfs_reason_name(leat_arfs_decide(&ask, &heads)));
	}
}

static const struct {
	const char *name;
	bool want;
	uint32_t head;
	uint16_t filter;
	struct leat_rps_dev_flow flow;
} expiries[] = {
	{"fresh", false, 1000, 5, {0, 5, 1000}},
	{"still in the backlog", false, 1000, 5, {0, 5, 1200}},
	{"last packet before it is gone", false, 1159, 5, {0, 5, 1000}},
	{"gone", true, 1160, 5, {0, 5, 1000}},
	{"another's entry", true, 1000, 5, {0, 6, 1000}},
	{"nobody's entry", true, 1000, 5, {0, 0xffff, 1000}},
	{"offline", true, 1000, 5, {1, 5, 1000}},
	{"no CPU", true, 1000, 5, {0xffff, 5, 1000}},
	{"a CPU out of range", true, 1000, 5, {3, 5, 1000}},
	{"fresh across the wrap", false, 10, 5, {0, 5, UINT32_MAX - 100}},
	{"gone across the wrap", true, 60, 5, {0, 5, UINT32_MAX - 99}},
	{"last before, across the wrap", false, 59, 5, {0, 5, UINT32_MAX - 99}},
	{"waiting across the wrap", false, UINT32_MAX - 5, 5, {0, 5, 20}},
};

static void test_expiry(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(expiries); i++) {
		head0 = expiries[i].head;
		set_entry(77, expiries[i].flow);
		if (leat_arfs_may_expire(&table, leat_hash_32(77, BITS), expiries[i].filter,
					 &heads) != expiries[i].want)
			fail_msg("%s", expiries[i].name);
	}
	assert_true(leat_arfs_may_expire(&table, SIZE, 5, &heads));
}

/* Ten times the largest tables are more than counters can tell: such a filter is for ever. */
static void test_expiry_of_large_tables(void **state)
{
	const struct leat_rps_dev_flow_table large = {28, flows};

	(void)state;
	flows[0] = (struct leat_rps_dev_flow){0, 5, 0};
	head0 = INT32_MAX;
	assert_false(leat_arfs_may_expire(&large, 0, 5, &heads));
}

static void test_names(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LEAT_ARFS_REASONS; i++)
		assert_non_null(leat_arfs_reason_name((enum leat_arfs_reason)i));
	assert_null(leat_arfs_reason_name(LEAT_ARFS_REASONS));
	assert_string_equal(leat_arfs_reason_name(LEAT_ARFS_TAKEN), "taken");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rmap),
		cmocka_unit_test(test_rmap_of_nothing),
		cmocka_unit_test(test_guards),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_expiry_of_large_tables),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
