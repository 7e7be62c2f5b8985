/* SPDX-License-Identifier: MIT */
/*
 * GRO of TCP over IPv4, 1448 bytes a segment, in bursts. Frames come from a pool of one size whatever
 * the number of flows, so that a curve shows the algorithm and not the memory.
 */
#include "bench.h"
#include "merging.h"

enum {
	PAYLOAD = 1448,
	BURST = 64,
	POOL = 16384,
	ROUNDS_MAX = 32, /* segments of each flow between two flushes */

	GROWTH_FLOWS = 65536,
	GROWTH_POOL = 4 * GROWTH_FLOWS,
	GROWTH_SEGS = 4, /* in each super-packet, however many flows there are */
	GROWTH_STRIDE = 256,
};

static uint32_t pool(const struct bench *b, uint32_t flows)
{
	uint32_t least = 4 * flows;

	if (!b->quick)
		return POOL;
	return least > 1024 ? least : 1024;
}

/* With one flow it is flushed after each burst, as Linux does; many are held. */
static uint32_t epoch(uint32_t frames, uint32_t flows, uint32_t burst)
{
	uint32_t rounds = frames / flows;

	if (flows == 1)
		return burst;
	return flows * (rounds > ROUNDS_MAX ? ROUNDS_MAX : rounds);
}

static void restore(void *owner)
{
	frames_restore(owner);
}

static void ask_peer(const struct bench *b, struct merging *m, struct work *theirs)
{
	struct peer_gro gro = {
		.restore = restore,
		.owner = &m->frames,
		.frame = m->frames.frame,
		.frames = m->frames.n,
		.len = m->frames.len,
		.burst = m->conf.burst,
		.epoch = m->conf.epoch,
		.flows = m->conf.frames.flows,
		.verify = m->conf.verify,
	};

	if (b->peer && b->peer->gro && b->peer->gro(&gro, theirs))
		*theirs = (struct work){0};
}

/* n: flows, verify, burst. */
static int make(const struct bench *b, const struct bench_case *c, struct work *ours,
		struct work *theirs, const char **why)
{
	uint32_t flows = c->n[0], burst = c->n[2];
	struct merging_conf conf = {
		.frames = {FRAMES_TCP, pool(b, flows), flows, PAYLOAD, 0},
		.burst = burst,
		.verify = c->n[1],
	};

	(void)why;
	conf.epoch = epoch(conf.frames.n, flows, burst);
	ask_peer(b, merging_make(&conf, ours), theirs);
	return 0;
}

/* Ours alone: super-packets of 4 segments, n[0] flows. */
static void make_grown(uint32_t flows, bool quick, struct work *work)
{
	uint32_t n = quick ? GROWTH_POOL / 16 : GROWTH_POOL;
	struct merging_conf conf = {
		.frames = {FRAMES_TCP, n, flows, PAYLOAD, GROWTH_STRIDE},
		.burst = BURST,
		.epoch = n,
		.gro = {.buckets = GROWTH_FLOWS, .flows = GROWTH_FLOWS, .max_segs = GROWTH_SEGS},
	};

	merging_make(&conf, work);
	work->output = NULL;
}

static int make_growth(const struct bench *b, const struct bench_case *c, struct work *ours,
		       struct work *theirs, const char **why)
{
	(void)why;
	make_grown(b->quick ? (c->n[0] + 15) / 16 : c->n[0], b->quick, ours);
	make_grown(1, b->quick, theirs);
	return 0;
}

static const struct bench_case cases[] = {
	{"gro, 1 flow", NULL, "packet", 0.8, 0, make, {1, false, BURST}},
	{"gro, 64 flows held", NULL, "packet", 0.25, 0, make, {64, false, BURST}},
	{"gro, 1024 flows held", NULL, "packet", 0.04, 0, make, {1024, false, BURST}},
	{"gro, 4096 flows held", NULL, "packet", 0.01, 0, make, {4096, false, BURST}},
	{"gro, checksums verified, 1 flow", NULL, "packet", 0.7, 0, make, {1, true, BURST}},
	{"gro, 65536 flows", "ours, 1 flow", "packet", 2.5, 0, make_growth, {65536}},
};

static const struct curve flows[] = {
	{"leat", {.make = make, .n = {0, false, BURST}}, 0, false, false, 4096},
	{NULL, {.make = make, .n = {0, false, BURST}}, 0, true, true, 4096},
	{"leat, super-packets of 4", {.make = make_growth}, 0, false, false, 0},
};

static const struct curve bursts[] = {
	{"leat", {.make = make, .n = {1}}, 2, false, false, 0},
	{NULL, {.make = make, .n = {1}}, 2, true, true, 128},
	{"leat, checksums verified", {.make = make, .n = {1, true}}, 2, false, false, 0},
};

static const struct plot plots[] = {
	{"gro-flows", "GRO: flows held", "flows", "ns a packet", 1, GROWTH_FLOWS, flows,
	 BENCH_LEN(flows)},
	{"gro-burst", "GRO: packets of one flow received at a time", "packets in a burst",
	 "ns a packet", 1, 256, bursts, BENCH_LEN(bursts)},
};

const struct subject subject_gro = {cases, BENCH_LEN(cases), plots, BENCH_LEN(plots)};
