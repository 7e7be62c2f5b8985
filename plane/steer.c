/* SPDX-License-Identifier: MIT */
/*
 * A flow's entry in its queue's table says which CPU it is on and the backlog tail behind its
 * last packet there. The wish (RFS: where the application reads it; else RPS: where the map puts
 * it; else here) is followed only once that CPU has finished with the flow.
 *
 * Within a batch, packets for other CPUs are staged and enqueued at the end, with one
 * reservation per CPU. A staged packet's flow is marked as unfinished until its tail is known,
 * and packets for this CPU are processed before the others are enqueued, so that nothing in the
 * batch overtakes.
 */
#include "steer.h"

#include "plane.h"
#include "trace.h"

enum {
	AHEAD = 16, /* packets: doc/decisions/rps.md */
	/* Added to a head counter: a tail that no head reaches while the packet is staged. */
	UNSENT = 1 << 30,
};

/* The CPU the packet should go to; of the queue that it is of, which in software may be another than
 * it came on. */
static uint16_t wish(const struct worker *w, const struct conf *c, const struct port_conf *pc,
		     const struct rxq *rxq, const struct leat_pkt *pkt)
{
	const struct rxq_conf *q = &pc->rxq[pkt->rxq];
	uint16_t cpu = LEAT_RPS_NO_CPU, here = pkt->rxq == rxq->queue ? w->cpu : q->cpu;
	uint32_t hash = pkt->hash;

	if (hash == 0)
		return here;
	if (q->rps_flow_cnt)
		cpu = leat_rfs_pick(&c->sock, &q->rps, hash);
	if (cpu >= w->plane->n_cpus || !w->plane->on_cpu[cpu])
		cpu = leat_rps_pick(&q->rps, hash);
	return cpu == LEAT_RPS_NO_CPU ? here : cpu;
}

/* Whether all that the flow has in this worker's own backlog has been processed. */
static bool may_process(const struct worker *w, const struct leat_rps_dev_flow *flow)
{
	return flow->cpu == w->cpu && leat_rfs_finished(flow, &w->plane->heads);
}

static void trace_pkts(enum trace_event event, const struct worker *w, struct leat_pkt *const *pkts,
		       unsigned n, unsigned arg)
{
	for (unsigned i = 0; i < n; i++)
		trace(event, w->cpu, pkts[i]->rxq, pkts[i]->hash, pkts[i], arg);
}

/* Relaxed: the workers of other queues may look at the entry (arfs.c). */
static void set_tail(struct leat_rps_dev_flow *flow, uint32_t tail)
{
	__atomic_store_n(&flow->last_qtail, tail, __ATOMIC_RELAXED);
}

static void put(struct worker *w, struct leat_pkt *pkt, struct leat_rps_dev_flow *flow)
{
	struct stage *s = &w->stage[flow->cpu];

	s->pkt[s->n] = pkt;
	s->flow[s->n++] = flow;
	set_tail(flow, __atomic_load_n(w->plane->head[flow->cpu], __ATOMIC_RELAXED) + UNSENT);
	trace(TRACE_stage, w->cpu, pkt->rxq, pkt->hash, pkt, flow->cpu);
}

/* Flow limit: drop of the staged packets those of a flow that has too much of the backlog. Gives
 * how many are left; the flows that want the tail stay as they are. */
static unsigned limit_flows(struct worker *w, const struct conf *c, struct stage *s,
			    const struct worker *to)
{
	struct leat_flow_limit *limit = c->flow_limit[w->index];
	uint32_t qlen = ring_len(&to->backlog);
	struct leat_pkt *refused[STAGE_MAX];
	unsigned kept = 0, n = 0;

	for (unsigned i = 0; i < s->n; i++) {
		if (qlen + kept <= c->max_backlog &&
		    leat_flow_limit_drop(limit, s->pkt[i]->hash, qlen + kept, c->max_backlog))
			refused[n++] = s->pkt[i];
		else
			s->pkt[kept++] = s->pkt[i];
	}
	stat_add(&w->stats.flow_limit_count, n);
	trace_pkts(TRACE_drop, w, refused, n, to->cpu);
	stat_add(&s->dropped, n);
	pool_give(&w->pool, refused, n);
	return kept;
}

/* Enqueue what is staged for one CPU; drop what its backlog has no room for. */
static void enqueue(struct worker *w, const struct conf *c, struct stage *s, struct worker *to)
{
	uint32_t tail;
	unsigned n = c->flow_limit[w->index] ? limit_flows(w, c, s, to) : s->n;
	unsigned sent;

	trace_pkts(TRACE_enqueue, w, s->pkt, n, to->cpu);
	sent = ring_enqueue(&to->backlog, s->pkt, n, c->max_backlog + 1, &tail);
	for (unsigned i = 0; i < s->n; i++)
		set_tail(s->flow[i], tail);
	if (to != w) {
		stat_add(&w->stats.hops, sent);
		if (sent && wake_up(&to->reader.wake))
			stat_add(&s->woken, 1);
	}
	if (sent < n) {
		stat_add(&s->dropped, n - sent);
		trace_pkts(TRACE_drop, w, s->pkt + sent, n - sent, to->cpu);
		pool_give(&w->pool, s->pkt + sent, n - sent);
	}
	s->n = 0;
}

static void enqueue_all(struct worker *w, const struct conf *c, const uint16_t *cpus, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		enqueue(w, c, &w->stage[cpus[i]], w->plane->on_cpu[cpus[i]]);
}

void deliver(struct worker *w, const struct conf *c, struct leat_pkt **pkts, unsigned n)
{
	stat_add(&w->stats.processed, n);
	trace_pkts(TRACE_process, w, pkts, n, 0);
	w->plane->app->process(w, c, pkts, n);
	trace(TRACE_processed, w->cpu, 0, 0, NULL, 0);
}

void steer(struct worker *w, const struct conf *c, struct rxq *q, struct leat_pkt **pkts,
	   unsigned n)
{
	const struct port_conf *pc = &c->port[q->port->index];
	struct leat_pkt *here[STAGE_MAX];
	uint16_t staged[STAGE_MAX]; /* CPUs: a batch does not cost more because there are many */
	unsigned n_here = 0, n_staged = 0, moves = 0;

	for (unsigned i = 0; i < n && i < AHEAD; i++)
		leat_rfs_prefetch(&c->sock, &q->flows, pkts[i]->hash);
	for (unsigned i = 0; i < n; i++) {
		struct leat_rps_dev_flow *flow = leat_rfs_flow(&q->flows, pkts[i]->hash);
		uint16_t before = flow->cpu;

		if (i + AHEAD < n)
			leat_rfs_prefetch(&c->sock, &q->flows, pkts[i + AHEAD]->hash);
		leat_rfs_switch(flow, wish(w, c, pc, q, pkts[i]), &w->plane->heads);
		moves += flow->cpu != before && before != LEAT_RPS_NO_CPU;
		trace(TRACE_decide, w->cpu, q->queue, pkts[i]->hash, pkts[i], flow->cpu);
		if (may_process(w, flow)) {
			here[n_here++] = pkts[i];
			continue;
		}
		if (flow->cpu != w->cpu && pc->arfs)
			arfs_consider(w, c, q, pkts[i], flow, flow->cpu != before);
		if (w->stage[flow->cpu].n == 0)
			staged[n_staged++] = flow->cpu;
		put(w, pkts[i], flow);
	}
	stat_add(&w->stats.flow_moves, moves);
	if (n_here)
		deliver(w, c, here, n_here);
	enqueue_all(w, c, staged, n_staged);
}
