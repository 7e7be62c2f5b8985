/* SPDX-License-Identifier: MIT */
/*
 * The path, in the order of the picture:
 *
 *   port rxq -> parse -> RSS hash -> GRO -> RFS/RPS -> backlog (another CPU) -> app -> ...
 *
 * and, from the application on, in xmit.c: ... XPS -> GSO -> port txq.
 */
#include "plane.h"
#include "steering.h"
#include "trace.h"

#include <time.h>

uint64_t worker_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

const struct conf *worker_enter(struct worker *w)
{
	const struct conf *c = __atomic_load_n(&w->plane->conf, __ATOMIC_ACQUIRE);

	if (c->generation != __atomic_load_n(&w->reader.generation, __ATOMIC_RELAXED)) {
		rxq_adopt(w, c);
		__atomic_store_n(&w->reader.generation, c->generation, __ATOMIC_RELEASE);
	}
	rxq_take(w, c);
	return c;
}

/* Give packets to the rest of the path, in portions of gro_normal_batch segments. */
static void pass_on(struct worker *w, const struct conf *c, struct rxq *q, struct leat_pkt **pkts,
		    unsigned n)
{
	unsigned from = 0, segs = 0;

	for (unsigned i = 0; i < n; i++) {
		segs += pkts[i]->gso_segs ? pkts[i]->gso_segs : 1;
		if (segs < c->gro_normal_batch && i + 1 < n)
			continue;
		steer(w, c, q, pkts + from, i + 1 - from);
		from = i + 1;
		segs = 0;
	}
}

void worker_pass(struct worker *w, const struct conf *c, struct rxq *q, struct leat_pkt **in,
		 unsigned n)
{
	struct leat_pkt *out[2 * PORT_BATCH];

	if (q->merging)
		pass_on(w, c, q, out, leat_gro_receive(&q->gro, in, n, w->now, out));
	else
		pass_on(w, c, q, in, n);
}

/* One batch of one queue. */
static void receive(struct worker *w, const struct conf *c, struct rxq *q)
{
	struct leat_pkt *in[PORT_BATCH];
	unsigned n = rxq_receive(w, q, in);

	n = rxq_parse(w, q, in, n);
	n = steering_receive(w, c, q, in, n);
	worker_pass(w, c, q, in, n);
}

void worker_poll(struct worker *w, const struct conf *c, struct rxq *q)
{
	if (rxq_open(q, w) && q->ready && move_may_read(w, q))
		receive(w, c, q);
	rxq_flush(w, c, q, rxq_deadline(w, c, q));
	move_turn(w, c, q);
	arfs_turn(w, c, q);
	rxq_count(q);
}

static void poll_all(struct worker *w, const struct conf *c)
{
	for (struct rxq *q = w->rxqs; q; q = q->next)
		worker_poll(w, c, q);
	for (struct rxq *q = w->starved ? w->rxqs : NULL; q; q = q->next)
		rxq_flush(w, c, q, UINT64_MAX); /* what GRO holds are buffers too */
}

unsigned worker_backlog(struct worker *w, const struct conf *c)
{
	struct leat_pkt *pkts[PORT_BATCH];
	unsigned n = ring_peek(&w->backlog, pkts, PORT_BATCH);

	if (n) {
		deliver(w, c, pkts, n);
		trace(TRACE_release, w->cpu, 0, 0, NULL, n);
		ring_release(&w->backlog, n);
	}
	return n;
}

static void turn(struct worker *w)
{
	const struct conf *c = worker_enter(w);

	w->now = worker_clock();
	poll_all(w, c);
	worker_backlog(w, c);
	worker_rest(w, c);
	stat_add(&w->stats.turns, 1);
}

void worker_run(struct worker *w)
{
	while (!__atomic_load_n(&w->plane->stop, __ATOMIC_RELAXED))
		turn(w);
	worker_drain(w);
}
