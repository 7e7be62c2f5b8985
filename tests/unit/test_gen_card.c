/* SPDX-License-Identifier: MIT */
/*
 * The steerable card of port gen: whose queue a frame is put on, and that it stays there when its
 * flow is steered elsewhere.
 */
#include "plane/pool.h"
#include "plane/port/gen_card.h"

#include <errno.h>
#include <leat/parse.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { QUEUES = 4, FLOWS = 8, DEPTH = 16, FILTERS = 2 };

static struct gen_flow flows[FLOWS];
static struct gen_filler filler;
static struct leat_rss rss;
static struct leat_rxfh rxfh;
static struct gen_card *card;

static const uint8_t key[LEAT_RSS_KEY_MIN] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e};

/* All flows on `queue`. */
static void steer_to(uint16_t queue)
{
	struct leat_rss_conf conf = {.key = key,
				     .key_len = sizeof(key),
				     .indir = &queue,
				     .indir_size = 1,
				     .n_queues = QUEUES};

	assert_int_equal(leat_rss_init(&rss, &conf), 0);
	rxfh = (struct leat_rxfh){.n_queues = QUEUES, .context = {&rss}};
	assert_int_equal(gen_card_steer(card, &rxfh), 0);
}

static int setup(void **state)
{
	struct gen_card_conf conf = {
		.flow = flows,
		.flows = FLOWS,
		.filler = &filler,
		.queues = QUEUES,
		.depth = DEPTH,
		.filters = FILTERS,
		.min = 64,
		.max = 64,
		.burst = 1,
		.count = UINT64_MAX,
		.seed = 1,
	};

	gen_filler_init(&filler, 1);
	for (unsigned i = 0; i < FLOWS; i++)
		gen_flow_init(&flows[i], i, false, false, 1);
	card = gen_card_new(&conf);
	assert_non_null(card);
	steer_to(1);
	return 0;
}

static int teardown(void **state)
{
	gen_card_free(card);
	return 0;
}

static void arrive(unsigned n)
{
	assert_int_equal(gen_card_arrive(card, n), n);
	assert_int_equal(gen_card_rule_dropped(card), 0);
}

/* The i-th frame that waits on the queue. */
static void look(unsigned queue, unsigned i, uint32_t *flow, uint64_t *seq, uint32_t *hash)
{
	*flow = 0; /* for the checker, which does not know that assert_true() ends the test */
	*seq = 0;
	static uint8_t frame[2048];
	struct leat_pkt pkt, *one = &pkt;

	leat_pkt_init(&pkt, frame, 0);
	gen_card_write(card, queue, i, &pkt);
	*hash = pkt.hash;
	leat_parse(NULL, &one, 1);
	assert_true(gen_read(&pkt, flow, seq));
}

static void test_table(void **state)
{
	arrive(10);
	assert_int_equal(gen_card_waiting(card, 1), 10);
	gen_card_take(card, 1, 4);
	assert_int_equal(gen_card_waiting(card, 1), 6);
	assert_int_equal(gen_card_waiting(card, 0), 0);
}

/* Frames of before wait on the old queue, those of after on the new one, each flow numbered on. */
static void test_steered(void **state)
{
	uint64_t next[FLOWS] = {0}, seq;
	uint32_t flow, hash;

	arrive(DEPTH);
	steer_to(3);
	arrive(DEPTH);
	assert_int_equal(gen_card_waiting(card, 1), DEPTH);
	assert_int_equal(gen_card_waiting(card, 3), DEPTH);
	for (unsigned i = 0; i < 2 * DEPTH; i++) {
		look(i < DEPTH ? 1 : 3, i % DEPTH, &flow, &seq, &hash);
		assert_int_equal(seq, next[flow]++);
	}
}

static void test_full_ring(void **state)
{
	assert_int_equal(gen_card_arrive(card, 2 * DEPTH), DEPTH);
	assert_int_equal(gen_card_arrive(card, 1), 0);
	gen_card_take(card, 1, 3);
	assert_int_equal(gen_card_arrive(card, DEPTH), 3);
}

/* The hash of some flow. */
static uint32_t a_hash(uint32_t *flow)
{
	uint64_t seq;
	uint32_t hash;

	arrive(1);
	look(1, gen_card_waiting(card, 1) - 1, flow, &seq, &hash);
	return hash;
}

/* Frames of `flow` on the queue; all are taken. */
static unsigned count(unsigned queue, uint32_t flow)
{
	unsigned n = gen_card_waiting(card, queue), of = 0;

	for (unsigned i = 0; i < n; i++) {
		uint32_t it, hash;
		uint64_t seq;

		look(queue, i, &it, &seq, &hash);
		of += it == flow;
	}
	gen_card_take(card, queue, n);
	return of;
}

static void arrive_many(void)
{
	for (unsigned i = 0; i < 8; i++)
		arrive(1);
}

/* Let enough arrive for each flow to have some: on queue `queue` there are frames of `flow`. */
static bool comes_on(unsigned queue, uint32_t flow)
{
	unsigned there = 0, elsewhere = 0;

	for (unsigned i = 0; i < 40; i++) {
		arrive_many();
		for (unsigned q = 0; q < QUEUES; q++)
			*(q == queue ? &there : &elsewhere) += count(q, flow);
	}
	return there > 0 && elsewhere == 0;
}

static void test_filter(void **state)
{
	uint32_t flow, other, hash = a_hash(&flow);
	int id = gen_card_flow_steer(card, hash, 2);

	assert_true(id >= 0);
	count(1, flow);
	assert_true(comes_on(2, flow));
	other = (flow + 1) % FLOWS;
	assert_true(comes_on(1, other));
	assert_int_equal(gen_card_flow_steer(card, hash, 3), id); /* keeps its filter */
	assert_true(comes_on(3, flow));
	gen_card_flow_forget(card, (uint16_t)id);
	assert_true(comes_on(1, flow));
}

static void test_full_table(void **state)
{
	int first = gen_card_flow_steer(card, 11, 2);

	assert_true(gen_card_flow_steer(card, 12, 2) >= 0);
	assert_int_equal(gen_card_flow_steer(card, 13, 2), -ENOSPC);
	assert_int_equal(gen_card_flow_steer(card, 11, 3), first);
	gen_card_flow_forget(card, (uint16_t)first);
	assert_int_equal(gen_card_flow_steer(card, 13, 2), first);
	assert_int_equal(gen_card_flow_steer(card, 11, 2), -ENOSPC);
}

/* Steer by one rule for all UDP. */
static void steer_by_rule(const struct leat_ntuple_rule *rule, void *mem, struct leat_ntuple *t)
{
	unsigned bad;

	assert_int_equal(leat_ntuple_init(t, rule, 1, mem, &bad), 0);
	rxfh.ntuple = t;
	assert_int_equal(gen_card_steer(card, &rxfh), 0);
}

/* A rule comes before a filter, and may drop. */
static void test_rule(void **state)
{
	struct leat_ntuple_rule rule = {.action = LEAT_NTUPLE_QUEUE, .queue = 0};
	void *mem = aligned_alloc(64, (leat_ntuple_size(1) + 63) & ~(size_t)63);
	uint32_t flow, hash = a_hash(&flow);
	struct leat_ntuple table;

	count(1, flow);
	rule.value.flow = LEAT_NTUPLE_UDP4;
	assert_true(gen_card_flow_steer(card, hash, 2) >= 0);
	steer_by_rule(&rule, mem, &table);
	assert_true(comes_on(0, flow));
	rule.action = LEAT_NTUPLE_DROP;
	steer_by_rule(&rule, mem, &table);
	assert_int_equal(gen_card_arrive(card, 100), 100);
	assert_int_equal(gen_card_rule_dropped(card), 100);
	for (unsigned q = 0; q < QUEUES; q++)
		assert_int_equal(gen_card_waiting(card, q), 0);
	free(mem);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_table, setup, teardown),
		cmocka_unit_test_setup_teardown(test_steered, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_ring, setup, teardown),
		cmocka_unit_test_setup_teardown(test_filter, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_table, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rule, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
