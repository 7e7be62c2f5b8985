/* SPDX-License-Identifier: MIT */
/*
 * No flow ever out of order: CPUs with backlogs, one random step of one of them at a time.
 *
 * Packets of random flows arrive, are steered and queued; CPUs process some, and later say so by
 * their head counter; threads record flows on other CPUs, maps change, CPUs go and come back. The
 * steering is the library's. The same steps are then taken with two mistakes, a decision that
 * does not wait for the old CPU and a head that moves before processing, and must reorder: so
 * the test can fail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <leat/rfs.h>

#include "rng.h"

#include <cmocka.h>

enum {
	CPUS_MAX = 8,
	FLOWS_MAX = 200,
	RXQS = 2,
	RING = 64,
	STEPS = 200000,
	SOCK = 256,
	DEV_BITS = 8
};

enum mistake { NO_MISTAKE, NO_WAIT, EARLY_HEAD };

struct flow {
	uint32_t hash;
	uint32_t sent, seen; /* numbers of the last packet */
	uint16_t cpu;	     /* it was last queued on */
	uint8_t rxq;
};

struct backlog {
	struct packet {
		struct flow *flow;
		uint32_t number;
	} ring[RING];
	uint32_t tail, next, head; /* head <= next <= tail: told, processed, queued */
};

struct sim {
	struct rng rng;
	enum mistake mistake;
	unsigned n_cpus, n_flows;
	struct flow flows[FLOWS_MAX];
	struct backlog cpus[CPUS_MAX];
	const uint32_t *head[CPUS_MAX];
	struct leat_rps_heads heads;
	struct leat_rps_sock_flow_table sock;
	uint32_t ents[SOCK];
	struct leat_rps_map maps[RXQS];
	struct leat_rps_dev_flow_table dev[RXQS];
	struct leat_rps_dev_flow devs[RXQS][1 << DEV_BITS];
	uint64_t moved, reordered, received, processed, dropped;
};

static bool is_online(const struct sim *s, unsigned cpu)
{
	return cpu < s->n_cpus && s->head[cpu] != NULL;
}

static uint16_t any_cpu(struct sim *s)
{
	return (uint16_t)rng_below(&s->rng, s->n_cpus);
}

/* Any set of CPUs, the empty one and offline ones included. */
static void change_map(struct sim *s)
{
	struct leat_rps_map *map = &s->maps[rng_below(&s->rng, RXQS)];
	uint32_t mask = rng_below(&s->rng, 1u << s->n_cpus);

	map->len = 0;
	for (unsigned c = 0; c < s->n_cpus; c++) {
		if (mask >> c & 1)
			map->cpus[map->len++] = (uint16_t)c;
	}
}

/* The CPU by record, by map, or the one that serves the queue: CPUs 0 and 1 do and stay. */
static uint16_t choose_cpu(const struct sim *s, const struct flow *flow)
{
	uint16_t cpu = leat_rfs_desired(&s->sock, flow->hash);

	if (!is_online(s, cpu))
		cpu = leat_rps_pick(&s->maps[flow->rxq], flow->hash);
	if (!is_online(s, cpu))
		cpu = flow->rxq;
	return cpu;
}

static void receive(struct sim *s)
{
	struct flow *flow = &s->flows[rng_below(&s->rng, s->n_flows)];
	struct leat_rps_dev_flow *entry = leat_rfs_flow(&s->dev[flow->rxq], flow->hash);
	uint16_t cpu = choose_cpu(s, flow);
	struct backlog *b;

	if (s->mistake == NO_WAIT)
		entry->cpu = cpu;
	else
		cpu = leat_rfs_switch(entry, cpu, &s->heads);
	s->received++;
	flow->sent++;
	b = &s->cpus[cpu];
	if (b->tail - b->next == RING) {
		s->dropped++;
		return;
	}
	b->ring[b->tail % RING] = (struct packet){flow, flow->sent};
	entry->last_qtail = ++b->tail;
	s->moved += flow->cpu != cpu;
	flow->cpu = cpu;
}

static void process(struct sim *s, struct backlog *b, uint32_t n)
{
	for (; n > 0 && b->next != b->tail; n--, b->next++) {
		struct packet *p = &b->ring[b->next % RING];

		s->reordered += (int32_t)(p->number - p->flow->seen) <= 0;
		p->flow->seen = p->number;
		s->processed++;
	}
}

static void tell(struct sim *s, struct backlog *b)
{
	b->head = s->mistake == EARLY_HEAD ? b->tail : b->next;
}

/* A CPU stops: what it has queued is dropped, and its counter is not seen any more; or a stopped
 * one starts, its counter anywhere. */
static void stop_or_start(struct sim *s, uint16_t cpu)
{
	struct backlog *b = &s->cpus[cpu];

	if (cpu < RXQS)
		return;
	if (is_online(s, cpu)) {
		s->dropped += b->tail - b->next;
		s->head[cpu] = NULL;
	} else {
		b->tail = b->next = b->head = (uint32_t)rng_next(&s->rng);
		s->head[cpu] = &b->head;
	}
}

static void step(struct sim *s)
{
	uint32_t what = rng_below(&s->rng, 1000);
	uint16_t cpu = any_cpu(s);
	struct flow *flow = &s->flows[rng_below(&s->rng, s->n_flows)];

	if (what < 500)
		receive(s);
	else if (what < 700 && is_online(s, cpu))
		process(s, &s->cpus[cpu], rng_below(&s->rng, RING));
	else if (what < 900 && is_online(s, cpu))
		tell(s, &s->cpus[cpu]);
	else if (what < 980)
		leat_rfs_record(&s->sock, flow->hash, cpu);
	else if (what < 995)
		change_map(s);
	else if (what >= 998)
		stop_or_start(s, cpu);
}

struct row {
	unsigned n_cpus, n_flows, bits;
	uint32_t sock;
};

static void init(struct sim *s, const struct row *row, uint64_t seed, enum mistake mistake)
{
	memset(s, 0, sizeof(*s));
	s->rng.state = seed;
	s->mistake = mistake;
	s->n_cpus = row->n_cpus;
	s->n_flows = row->n_flows;
	s->heads = (struct leat_rps_heads){row->n_cpus, s->head};
	leat_rfs_sock_init(&s->sock, s->ents, row->sock, row->n_cpus);
	for (unsigned i = 0; i < RXQS; i++)
		leat_rfs_dev_init(&s->dev[i], s->devs[i], row->bits);
	for (unsigned i = 0; i < row->n_cpus; i++) {
		struct backlog *b = &s->cpus[i];

		b->tail = b->next = b->head = UINT32_MAX - 1000; /* wraps soon */
		s->head[i] = &b->head;
	}
	for (unsigned i = 0; i < row->n_flows; i++)
		s->flows[i] = (struct flow){.hash = (uint32_t)rng_next(&s->rng) | 1,
					    .cpu = LEAT_RPS_NO_CPU,
					    .rxq = (uint8_t)rng_below(&s->rng, RXQS)};
}

static void run(struct sim *s, const struct row *row, uint64_t seed, enum mistake mistake)
{
	uint64_t queued = 0;

	init(s, row, seed, mistake);
	for (unsigned i = 0; i < STEPS; i++)
		step(s);
	for (unsigned c = 0; c < s->n_cpus; c++) {
		if (is_online(s, c))
			queued += s->cpus[c].tail - s->cpus[c].next;
	}
	assert_int_equal(s->received, s->processed + s->dropped + queued);
}

static const struct row rows[] = {
	{2, 10, DEV_BITS, SOCK},	/* a slot for each flow */
	{4, FLOWS_MAX, 4, SOCK},	/* flows share slots */
	{8, FLOWS_MAX, 0, 16},		/* all share one; records overwrite each other */
	{8, FLOWS_MAX, DEV_BITS, SOCK}, /* few share */
	{8, 20, DEV_BITS, 0},		/* maps alone */
};

static struct rng seeds;

static void test_never_out_of_order(void **state)
{
	static struct sim s;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t seed = rng_next(&seeds);

		run(&s, &rows[i], seed, NO_MISTAKE);
		printf("row %u: %" PRIu64 " packets, %" PRIu64 " moves, %" PRIu64 " dropped", i,
		       s.received, s.moved, s.dropped);
		assert_int_equal(s.reordered, 0);
		assert_in_range(s.processed, STEPS / 10, STEPS);
		assert_in_range(s.moved, STEPS / 100, STEPS);

		run(&s, &rows[i], seed, NO_WAIT);
		printf("; without waiting %" PRIu64 " reordered", s.reordered);
		assert_int_not_equal(s.reordered, 0);

		run(&s, &rows[i], seed, EARLY_HEAD);
		printf(", with an early head %" PRIu64 "\n", s.reordered);
		assert_int_not_equal(s.reordered, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_never_out_of_order)};

	seeds = rng_start("rfs_model");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
