/* SPDX-License-Identifier: MIT */
/*
 * n-tuple rules: what a packet costs that matches one of many. Each rule is of one flow; they differ
 * in their masks too, of which each kind is looked up apart.
 */
#include "bench.h"
#include "frames.h"

#include <leat/ntuple.h>
#include <leat/parse.h>
#include <stdlib.h>
#include <string.h>

enum { POOL = 16384, PAYLOAD = 64, STRIDE = 256 };

struct matching {
	struct frames frames;
	struct leat_ntuple table;
	void *memory;
	uint64_t sum;
};

static uint64_t run(void *state)
{
	struct matching *m = state;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < m->frames.n; i++)
		sum += leat_ntuple_match(&m->table, m->frames.pkts[i])->location;
	m->sum = sum;
	return m->frames.n;
}

static void drop(void *state)
{
	struct matching *m = state;

	frames_drop(&m->frames);
	free(m->memory);
	free(m);
}

/* The rule of a packet's flow, one of many kinds of masks. */
static struct leat_ntuple_rule make_rule(const struct leat_pkt *pkt, uint32_t i, uint32_t masks)
{
	struct leat_ntuple_rule rule = {.location = i, .action = LEAT_NTUPLE_QUEUE};

	leat_ntuple_key(pkt, &rule.value);
	memset(rule.mask.src, 0xff, 4);
	memset(rule.mask.l4, 0xff, 2);
	rule.mask.tos = (uint8_t)(i % masks);
	return rule;
}

/* n: rules, masks. */
static int make(const struct bench *b, const struct bench_case *c, struct work *ours,
		struct work *theirs, const char **why)
{
	struct matching *m = bench_alloc(sizeof(*m));
	struct frames_conf conf = {FRAMES_TCP, POOL, c->n[0], PAYLOAD, STRIDE};
	struct leat_ntuple_rule *rule = bench_alloc(c->n[0] * sizeof(*rule));
	unsigned bad;

	(void)b;
	(void)theirs;
	(void)why;
	frames_make(&m->frames, &conf);
	frames_reset(&m->frames, LEAT_CSUM_UNNECESSARY);
	leat_parse(NULL, m->frames.pkts, m->frames.n);
	for (uint32_t i = 0; i < c->n[0]; i++)
		rule[i] = make_rule(&m->frames.pkt[i], i, c->n[1]);
	m->memory = bench_alloc(leat_ntuple_size(c->n[0]));
	if (leat_ntuple_init(&m->table, rule, c->n[0], m->memory, &bad))
		abort();
	free(rule);
	*ours = (struct work){.run = run, .drop = drop, .state = m};
	return 0;
}

static const struct curve curves[] = {
	{"1 mask", {.make = make, .n = {0, 1}}, 0, false, false, 0},
	{"8 masks", {.make = make, .n = {0, 8}}, 0, false, false, 0},
	{"64 masks", {.make = make, .n = {0, 64}}, 0, false, false, 0},
};

static const struct plot plots[] = {
	{"rules", "n-tuple rules", "rules", "ns a packet", 1, POOL, curves, BENCH_LEN(curves)},
};

const struct subject subject_rules = {NULL, 0, plots, BENCH_LEN(plots)};
