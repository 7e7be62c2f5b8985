/* SPDX-License-Identifier: MIT */
/*
 * The decision of RPS and RFS: which CPU a packet goes to. Each flow has an entry in either table;
 * half of them are where the application wants them, the others go where the map puts them. The
 * floor is the one load without which nothing is known of the flow.
 */
#include "bench.h"

#include <leat/rfs.h>
#include <stdlib.h>

enum {
	CPUS = 64,
	BATCH = 64,	   /* as many as the plane decides on at once, */
	AHEAD = 16,	   /* and asks for ahead */
	PACKETS = 1 << 20, /* however many flows, or a curve would show what reading hashes costs */
};

struct steering {
	struct leat_rps_sock_flow_table sock;
	struct leat_rps_dev_flow_table flows;
	struct leat_rps_map map;
	uint32_t counter[CPUS]; /* every CPU's backlog head */
	const uint32_t *head[CPUS];
	struct leat_rps_heads heads;
	uint32_t *hash; /* of each packet: the flows take turns */
	uint64_t sum;
};

static uint16_t decide(struct steering *s, uint32_t hash)
{
	struct leat_rps_dev_flow *flow = leat_rfs_flow(&s->flows, hash);
	uint16_t cpu = leat_rfs_switch(flow, leat_rfs_pick(&s->sock, &s->map, hash), &s->heads);

	flow->last_qtail = s->counter[cpu];
	return cpu;
}

static uint64_t decide_batch(struct steering *s, const uint32_t *hash)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < AHEAD; i++)
		leat_rfs_prefetch(&s->sock, &s->flows, hash[i]);
	for (uint32_t i = 0; i < BATCH; i++) {
		if (i + AHEAD < BATCH)
			leat_rfs_prefetch(&s->sock, &s->flows, hash[i + AHEAD]);
		sum += decide(s, hash[i]);
	}
	return sum;
}

static uint64_t run(void *state)
{
	struct steering *s = state;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < PACKETS; i += BATCH)
		sum += decide_batch(s, &s->hash[i]);
	s->sum = sum;
	return PACKETS;
}

static uint64_t load(void *state)
{
	struct steering *s = state;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < PACKETS; i++)
		sum += leat_rfs_flow(&s->flows, s->hash[i])->cpu;
	s->sum = sum;
	return PACKETS;
}

static void drop(void *state)
{
	struct steering *s = state;

	free(s->sock.ents);
	free(s->flows.flows);
	free(s->hash);
	free(s);
}

static struct steering *make_tables(uint32_t flows)
{
	struct steering *s = bench_alloc(sizeof(*s));
	uint32_t size = leat_rfs_round(flows);
	unsigned bits = (unsigned)__builtin_ctz(size);
	uint64_t random = 1;

	*s = (struct steering){.map = {.len = CPUS}, .heads = {CPUS, s->head}};
	s->hash = bench_alloc(PACKETS * sizeof(*s->hash));
	leat_rfs_sock_init(&s->sock, bench_alloc(size * sizeof(*s->sock.ents)), size, CPUS);
	leat_rfs_dev_init(&s->flows, bench_alloc(size * sizeof(*s->flows.flows)), bits);
	for (unsigned i = 0; i < CPUS; i++) {
		s->map.cpus[i] = (uint16_t)i;
		s->head[i] = &s->counter[i];
	}
	for (uint32_t i = 0; i < PACKETS; i++)
		s->hash[i] = i < flows ? bench_random(&random) : s->hash[i - flows];
	for (uint32_t i = 0; i < flows; i += 2)
		leat_rfs_record(&s->sock, s->hash[i], (uint16_t)(s->hash[i] % CPUS));
	return s;
}

static int make(const struct bench *b, const struct bench_case *c, struct work *ours,
		struct work *theirs, const char **why)
{
	(void)b;
	(void)why;
	*ours = (struct work){.run = run, .drop = drop, .state = make_tables(c->n[0])};
	*theirs = (struct work){.run = load, .state = ours->state}; /* of the same table */
	return 0;
}

static const struct bench_case cases[] = {
	{"rfs decision, 32768 flows", "one table load", "packet", 0, 8, make, {32768}},
	{"rfs decision, 1 M flows", "one table load", "packet", 0, 25, make, {1 << 20}},
};

static const struct curve curves[] = {
	{"decision", {.make = make}, 0, false, false, 0},
	{"one table load", {.make = make}, 0, true, false, 0},
};

static const struct plot plots[] = {
	{"steer", "RPS and RFS: which CPU?", "flows", "ns a packet", 1, 1 << 20, curves,
	 BENCH_LEN(curves)},
};

const struct subject subject_steer = {cases, BENCH_LEN(cases), plots, BENCH_LEN(plots)};
