/* SPDX-License-Identifier: MIT */
/*
 * The hop between CPUs. Two real ones: one sends batches, the other takes them out and notes what it
 * got. And up to 128 that one thread plays in turn, on the real tables and rings, which shows
 * instructions and cache footprint, not what a line costs that changes hands.
 */
#include "bench.h"

#include "ring.h"

#include <errno.h>
#include <leat/rfs.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { BATCH = 32, ROOM = 1024, ITEMS = 1 << 13 };

/* --- our ring, as peer.h has one --- */

static void *make_ring(unsigned room)
{
	struct ring *r = aligned_alloc(64, sizeof(*r));

	if (!r || ring_init(r, room))
		abort();
	return r;
}

static void drop_ring(void *ring)
{
	ring_fini(ring);
	free(ring);
}

static unsigned send_ring(void *ring, void *const *items, unsigned n)
{
	uint32_t tail;

	return ring_enqueue(ring, (struct leat_pkt *const *)items, n, ROOM, &tail);
}

static unsigned poll_ring(void *ring, void **items, unsigned n)
{
	n = ring_peek(ring, (struct leat_pkt **)items, n);
	ring_release(ring, n);
	return n;
}

static const struct peer_ring our_ring = {make_ring, drop_ring, send_ring, poll_ring};

/* --- two CPUs --- */

struct hopping {
	const struct peer_ring *ops;
	void *ring;
	int cpu[2];
	cpu_set_t before; /* where this thread could run */
	pthread_t thread;
	bool running;
	bool ready;	   /* atomic: the other CPU polls */
	long before_run;   /* this thread's switches */
	long switched;	   /* the other's, since it was ready */
	uint32_t received; /* atomic */
	void *item[ITEMS]; /* never looked into */
	void *got[ITEMS];
};

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* Times that the thread was made to leave its CPU. */
static long switches(void)
{
	struct rusage usage = {.ru_nivcsw = 0};

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nivcsw;
}

static void *receive(void *state)
{
	struct hopping *h = state;
	long before;
	uint32_t n = 0;

	pin(h->cpu[1]);
	before = switches();
	__atomic_store_n(&h->ready, true, __ATOMIC_RELEASE);
	while (n < ITEMS) {
		uint32_t room = ITEMS - n;

		n += h->ops->poll(h->ring, h->got + n, room < BATCH ? room : BATCH);
	}
	__atomic_store_n(&h->received, n, __ATOMIC_RELEASE);
	h->switched = switches() - before;
	return NULL;
}

static void join(struct hopping *h)
{
	if (h->running)
		pthread_join(h->thread, NULL);
	h->running = false;
}

static void prepare(void *state)
{
	struct hopping *h = state;

	join(h);
	h->received = 0;
	h->switched = 0;
	h->ready = false;
	pin(h->cpu[0]);
	if (pthread_create(&h->thread, NULL, receive, h))
		abort();
	h->running = true;
	while (!__atomic_load_n(&h->ready, __ATOMIC_ACQUIRE))
		;
	h->before_run = switches();
}

static uint64_t run(void *state)
{
	struct hopping *h = state;

	for (uint32_t i = 0; i < ITEMS; i += BATCH) {
		unsigned sent = 0;

		while (sent < BATCH)
			sent += h->ops->send(h->ring, h->item + i + sent, BATCH - sent);
	}
	while (!__atomic_load_n(&h->received, __ATOMIC_ACQUIRE))
		;
	return ITEMS;
}

static bool disturbed(void *state)
{
	struct hopping *h = state;

	join(h);
	return h->switched > 0 || switches() > h->before_run;
}

static size_t output(void *state, unsigned i, uint8_t *to)
{
	struct hopping *h = state;
	uint32_t number;

	join(h);
	for (uint32_t k = 0; to && i == 0 && k < ITEMS; k++, to += sizeof(number)) {
		number = (uint32_t)((uint8_t *)h->got[k] - (uint8_t *)h->item);
		memcpy(to, &number, sizeof(number));
	}
	return i == 0 ? ITEMS * sizeof(number) : 0;
}

static void drop(void *state)
{
	struct hopping *h = state;

	join(h);
	sched_setaffinity(0, sizeof(h->before), &h->before);
	h->ops->drop(h->ring);
	free(h);
}

static void make_hop(const struct peer_ring *ops, const int *cpu, struct work *work)
{
	struct hopping *h = bench_alloc(sizeof(*h));

	*h = (struct hopping){.ops = ops, .ring = ops->make(ROOM), .cpu = {cpu[0], cpu[1]}};
	sched_getaffinity(0, sizeof(h->before), &h->before);
	for (uint32_t i = 0; i < ITEMS; i++)
		h->item[i] = &h->item[i];
	*work = (struct work){.prepare = prepare,
			      .run = run,
			      .output = output,
			      .drop = drop,
			      .state = h,
			      .wall = true,
			      .disturbed = disturbed};
	if (!h->ring) {
		*work = (struct work){0};
		free(h);
	}
}

static int make(const struct bench *b, const struct bench_case *c, struct work *ours,
		struct work *theirs, const char **why)
{
	(void)c;
	if (b->cpu[1] < 0) {
		*why = "needs two CPUs";
		return -1;
	}
	make_hop(&our_ring, b->cpu, ours);
	if (b->peer && b->peer->ring)
		make_hop(b->peer->ring, b->cpu, theirs);
	return 0;
}

/* --- many CPUs, played --- */

enum { PLAYED_MAX = 128, FLOW_BITS = 12, HASHES = 1 << 16, TO = 4 };

/* A CPU, the receive queue it serves, and what it has decided for others but not sent yet: as
 * plane/steer.h has it. */
struct played {
	struct leat_rps_dev_flow_table flows;
	struct ring *backlog;
	struct stage {
		unsigned n;
		struct leat_pkt *pkt[BATCH];
		struct leat_rps_dev_flow *flow[BATCH];
	} stage[PLAYED_MAX];
};

struct play {
	uint32_t cpus, at;
	bool idle; /* nothing comes */
	struct leat_rps_map map;
	const uint32_t *head[PLAYED_MAX];
	struct leat_rps_heads heads;
	struct played cpu[PLAYED_MAX];
	uint32_t hash[HASHES];
	struct leat_pkt pkt;
	uint64_t processed;
};

/* Gives the CPU if it is the first for it, else LEAT_RPS_NO_CPU. */
static uint16_t stage(struct play *p, struct played *from, uint32_t hash)
{
	struct leat_rps_dev_flow *flow = leat_rfs_flow(&from->flows, hash);
	uint16_t cpu = leat_rfs_switch(flow, leat_rps_pick(&p->map, hash), &p->heads);
	struct stage *s = &from->stage[cpu];

	s->flow[s->n] = flow;
	s->pkt[s->n++] = &p->pkt;
	return s->n == 1 ? cpu : LEAT_RPS_NO_CPU;
}

static void send_stage(struct play *p, struct stage *s, uint16_t cpu)
{
	uint32_t tail = 0;

	ring_enqueue(p->cpu[cpu].backlog, s->pkt, s->n, ROOM, &tail);
	for (unsigned k = 0; k < s->n; k++)
		s->flow[k]->last_qtail = tail;
	s->n = 0;
}

static void receive_batch(struct play *p, struct played *cpu)
{
	uint16_t staged[BATCH];
	unsigned n = 0;

	for (unsigned k = 0; k < BATCH; k++) {
		uint16_t first = stage(p, cpu, p->hash[p->at++ % HASHES]);

		if (first != LEAT_RPS_NO_CPU)
			staged[n++] = first;
	}
	for (unsigned i = 0; i < n; i++)
		send_stage(p, &cpu->stage[staged[i]], staged[i]);
}

static void poll_backlog(struct play *p, struct ring *r)
{
	struct leat_pkt *pkts[BATCH];
	unsigned n;

	while ((n = ring_peek(r, pkts, BATCH)) > 0) {
		ring_release(r, n);
		p->processed += n;
	}
}

/* Each CPU's turn: a batch from its queue, that goes to a few CPUs, then its own backlog. */
static uint64_t take_turns(void *state)
{
	struct play *p = state;
	uint64_t before = p->processed;
	unsigned turns = 0;

	for (unsigned round = 0; round < 2048 / p->cpus; round++) {
		for (uint32_t i = 0; i < p->cpus; i++, turns++) {
			if (!p->idle)
				receive_batch(p, &p->cpu[i]);
			poll_backlog(p, p->cpu[i].backlog);
		}
	}
	return p->idle ? turns : p->processed - before;
}

static void drop_play(void *state)
{
	struct play *p = state;

	for (uint32_t i = 0; i < p->cpus; i++) {
		drop_ring(p->cpu[i].backlog);
		free(p->cpu[i].flows.flows);
	}
	free(p);
}

/* Hashes come in runs, so that a batch is for a few CPUs, as bursts of flows are. */
static void draw_hashes(struct play *p)
{
	uint64_t random = 1;

	for (uint32_t i = 0; i < HASHES; i++) {
		if (i % BATCH < TO)
			p->hash[i] = bench_random(&random);
		else
			p->hash[i] = p->hash[i - TO];
	}
}

/* n: CPUs, each with a queue; idle. */
static int make_play(const struct bench *b, const struct bench_case *c, struct work *ours,
		     struct work *theirs, const char **why)
{
	struct play *p = bench_alloc(sizeof(*p));

	(void)b;
	(void)theirs;
	(void)why;
	memset(p, 0, sizeof(*p));
	p->cpus = c->n[0];
	p->idle = c->n[1];
	p->map.len = (uint16_t)p->cpus;
	p->heads = (struct leat_rps_heads){p->cpus, p->head};
	draw_hashes(p);
	for (uint32_t i = 0; i < p->cpus; i++) {
		struct played *cpu = &p->cpu[i];

		p->map.cpus[i] = (uint16_t)i;
		cpu->backlog = make_ring(ROOM);
		p->head[i] = &cpu->backlog->head;
		leat_rfs_dev_init(&cpu->flows, bench_alloc(sizeof(*cpu->flows.flows) << FLOW_BITS),
				  FLOW_BITS);
	}
	*ours = (struct work){.run = take_turns, .drop = drop_play, .state = p};
	return 0;
}

static const struct bench_case cases[] = {
	{"hop between two CPUs, batches of 32", NULL, "packet", 1.0, 0, make, {0}},
};

static const struct curve curves[] = {
	{"a packet", {.make = make_play}, 0, false, false, 0},
	{"a turn in which nothing came", {.make = make_play, .n = {0, true}}, 0, false, false, 0},
};

static const struct plot plots[] = {
	{"cpus", "Queues and CPUs, one queue on each, played by one thread", "CPUs", "ns", 2,
	 PLAYED_MAX, curves, BENCH_LEN(curves)},
};

const struct subject subject_hop = {cases, BENCH_LEN(cases), plots, BENCH_LEN(plots)};
