/* SPDX-License-Identifier: MIT */
/* What chooses a packet's receive queue: rules, contexts, tables, and whose hash the packet keeps. */
#include <leat/parse.h>
#include <leat/rxfh.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../frame.h"

enum { QUEUES = 8, CONTEXT = 5 };

static uint8_t key[2][LEAT_RSS_KEY_MIN];
static struct leat_rss rss[2];
static struct leat_rxfh rxfh = {.n_queues = QUEUES};
static struct leat_ntuple ntuple;
static void *mem;

/* Context 0 spreads over queues 0 to 3, context 5 over 6 and 7. */
static int make(void **state)
{
	static const uint16_t two[] = {6, 7};
	static const uint16_t four[] = {3, 2, 1, 0};
	const struct leat_rss_conf conf[2] = {
		{.key = key[0], .key_len = 40, .n_queues = QUEUES, .indir = four, .indir_size = 4},
		{.key = key[1], .key_len = 40, .n_queues = QUEUES, .indir = two, .indir_size = 2},
	};

	for (size_t i = 0; i < sizeof(key); i++)
		key[i / 40][i % 40] = (uint8_t)(i * i * 7 + i);
	rxfh.context[0] = &rss[0];
	rxfh.context[CONTEXT] = &rss[1];
	return leat_rss_init(&rss[0], &conf[0]) || leat_rss_init(&rss[1], &conf[1]) ? -1 : 0;
}

/* Rules by destination port: location 10 + i is for port i. */
static void use_rules(struct leat_ntuple_rule *rule, unsigned n)
{
	unsigned bad;

	for (unsigned i = 0; i < n; i++) {
		rule[i].location = 10 + i;
		rule[i].value.l4[3] = (uint8_t)i;
		memset(rule[i].mask.l4 + 2, 0xff, 2);
	}
	mem = aligned_alloc(64, leat_ntuple_size(n));
	assert_int_equal(leat_ntuple_init(&ntuple, rule, n, mem, &bad), 0);
	rxfh.ntuple = &ntuple;
}

static int no_rules(void **state)
{
	free(mem);
	mem = NULL;
	rxfh.ntuple = NULL;
	return 0;
}

static struct leat_rxfh_choice pick(const struct frame *f)
{
	struct leat_rxfh_choice choice;
	struct arena arena = {0};

	memset(&choice, 0x55, sizeof(choice));
	leat_rxfh_pick(&rxfh, arena_frame(&arena, f), &choice);
	arena_clear(&arena);
	return choice;
}

/* Its hash by the context's key, and the queue of the context's table, plus. */
static void expect(const struct frame *f, unsigned context, unsigned plus)
{
	struct leat_rxfh_choice choice = pick(f);
	const struct leat_rss *by = rxfh.context[context];
	struct arena arena = {0};
	enum leat_hash_type type;
	uint32_t hash = leat_rss_hash(by, arena_frame(&arena, f), &type);

	assert_int_equal(choice.context, context);
	assert_int_equal(choice.hash, hash);
	assert_int_equal(choice.hash_type, type);
	assert_int_equal(choice.queue, (leat_rss_pick(by, hash) + plus) % QUEUES);
	arena_clear(&arena);
}

static void test_indir(void **state)
{
	bool seen[QUEUES] = {false};

	for (uint16_t port = 0; port < 100; port++) {
		struct frame f = {.dport = port};

		expect(&f, 0, 0);
		assert_int_equal(pick(&f).by, LEAT_RXFH_BY_INDIR);
		assert_int_equal(pick(&f).rule, -1);
		seen[pick(&f).queue] = true;
	}
	for (unsigned q = 0; q < QUEUES; q++)
		assert_int_equal(seen[q], q < 4);
}

/* The table's first entry. */
static void test_no_hash(void **state)
{
	static const uint8_t arp[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x06, 0, 1};
	struct leat_rxfh_choice choice;
	struct arena arena = {0};

	leat_rxfh_pick(&rxfh, arena_add(&arena, arp, sizeof(arp)), &choice);
	assert_int_equal(choice.queue, 3);
	assert_int_equal(choice.hash_type, LEAT_HASH_NONE);
	arena_clear(&arena);
}

static void test_rules(void **state)
{
	struct leat_ntuple_rule rule[] = {
		{.action = LEAT_NTUPLE_QUEUE, .queue = 5},
		{.action = LEAT_NTUPLE_DROP},
		{.action = LEAT_NTUPLE_CONTEXT, .context = CONTEXT},
		{.action = LEAT_NTUPLE_CONTEXT, .context = CONTEXT, .queue = 3}, /* past the last */
		{.action = LEAT_NTUPLE_CONTEXT, .context = 0, .queue = 1},
		{.action = LEAT_NTUPLE_CONTEXT, .context = CONTEXT + 1}, /* there is none */
		{.action = LEAT_NTUPLE_CONTEXT, .context = UINT16_MAX},
	};
	static const struct {
		unsigned by, context, plus;
	} rows[] = {
		{LEAT_RXFH_BY_RULE, 0, 0},	    {LEAT_RXFH_BY_DROP, 0, 0},
		{LEAT_RXFH_BY_CONTEXT, CONTEXT, 0}, {LEAT_RXFH_BY_CONTEXT, CONTEXT, 3},
		{LEAT_RXFH_BY_CONTEXT, 0, 1},	    {LEAT_RXFH_BY_CONTEXT, 0, 0},
		{LEAT_RXFH_BY_CONTEXT, 0, 0},	    {LEAT_RXFH_BY_INDIR, 0, 0},
	};
	enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

	use_rules(rule, ROWS - 1);
	for (unsigned i = 0; i < ROWS * 20; i++) {
		unsigned row = i % ROWS;
		struct frame f = {.dport = (uint16_t)row, .sport = (uint16_t)i};
		struct leat_rxfh_choice choice = pick(&f);

		assert_int_equal(choice.by, rows[row].by);
		assert_int_equal(choice.rule, row < ROWS - 1 ? 10 + (int)row : -1);
		if (choice.by == LEAT_RXFH_BY_DROP)
			assert_int_equal(choice.queue, 0);
		else if (choice.by == LEAT_RXFH_BY_RULE)
			assert_int_equal(choice.queue, 5);
		else
			expect(&f, rows[row].context, rows[row].plus);
	}
}

/* A rule's own queue leaves the packet the hash of context 0. */
static void test_hash_of_rule(void **state)
{
	struct leat_ntuple_rule rule[] = {{.action = LEAT_NTUPLE_QUEUE, .queue = 7}};
	struct leat_rxfh_choice without = pick(&(struct frame){.dport = 0, .sport = 9}), with;

	use_rules(rule, 1);
	with = pick(&(struct frame){.dport = 0, .sport = 9});
	assert_int_equal(with.queue, 7);
	assert_int_equal(with.hash, without.hash);
	assert_int_equal(with.hash_type, without.hash_type);
	assert_int_equal(with.context, 0);
}

#define test(name) cmocka_unit_test_teardown(name, no_rules)

int main(void)
{
	const struct CMUnitTest tests[] = {test(test_indir), test(test_no_hash), test(test_rules),
					   test(test_hash_of_rule)};

	return cmocka_run_group_tests(tests, make, NULL);
}
