/* SPDX-License-Identifier: MIT */
#include "arfs.h"

#include "plane.h"
#include "steering.h"
#include "trace.h"

enum {
	TURNS_PER_LOOK = 16, /* turns in which one filter of a queue is looked at */
	FORGET_BATCH = 64,   /* filters of a queue forgotten in a turn when all are to be */
};

/* --- a queue's ring of filters --- */

static void link_filter(struct rxq *q, uint16_t id)
{
	struct arfs_filter *all = q->port->arfs->filter;
	uint16_t first = q->filters;

	if (first == LEAT_ARFS_NO_FILTER) {
		all[id].prev = all[id].next = q->filters = id;
		return;
	}
	all[id].next = first;
	all[id].prev = all[first].prev;
	all[all[id].prev].next = id;
	all[first].prev = id;
}

static void unlink_filter(struct rxq *q, uint16_t id)
{
	struct arfs_filter *all = q->port->arfs->filter;

	if (q->filters == id)
		q->filters = all[id].next == id ? LEAT_ARFS_NO_FILTER : all[id].next;
	all[all[id].prev].next = all[id].next;
	all[all[id].next].prev = all[id].prev;
}

/* The entry's filter. Relaxed: other queues' workers look at it. */
static void set_filter(struct leat_rps_dev_flow *flow, uint16_t id)
{
	__atomic_store_n(&flow->filter, id, __ATOMIC_RELAXED);
}

/* The queue has the filter no more. */
static void let_go(struct rxq *q, uint16_t id)
{
	struct leat_rps_dev_flow *flow = leat_rfs_flow(&q->flows, q->port->arfs->filter[id].hash);

	unlink_filter(q, id);
	if (flow->filter == id)
		set_filter(flow, LEAT_ARFS_NO_FILTER);
}

void arfs_adopt(struct rxq *q, uint16_t id)
{
	if (id == LEAT_ARFS_NO_FILTER)
		return;
	set_filter(leat_rfs_flow(&q->flows, q->port->arfs->filter[id].hash), id);
	link_filter(q, id);
}

/* --- steering --- */

static bool is_on(const struct conf *c, const struct port_conf *pc, unsigned queue)
{
	return pc->arfs && c->sock.size && pc->rxq[queue].rps_flow_cnt;
}

/* The filter that the flow has on this queue. */
static uint16_t own_filter(const struct rxq *q, uint32_t hash, const struct leat_rps_dev_flow *flow)
{
	uint16_t id = flow->filter;

	return id != LEAT_ARFS_NO_FILTER && q->port->arfs->filter[id].hash == hash ?
		       id :
		       LEAT_ARFS_NO_FILTER;
}

static uint32_t index_of(const struct leat_rps_dev_flow_table *t, uint32_t hash)
{
	return (uint32_t)(leat_rfs_flow(t, hash) - t->flows);
}

/* The filter's id, or -errno. */
static int ask_port(const struct rxq *q, const struct leat_arfs_ask *ask)
{
	uint32_t flow_id = ask->table ? index_of(ask->table, ask->hash) : 0;

	return q->port->ops->flow_steer(q->port, ask->hash, ask->to, flow_id);
}

/* Have the port steer a flow without a filter. False: it would not. A port that has a filter of
 * that hash all the same, and does not heed it, is asked in vain. */
static bool add_filter(struct rxq *q, struct move *m, const struct leat_arfs_ask *ask)
{
	int id = ask_port(q, ask);
	struct arfs_filter *f;

	if (id < 0)
		return false;
	f = &q->port->arfs->filter[id];
	if (__atomic_exchange_n(&f->live, true, __ATOMIC_RELAXED))
		return false;
	f->hash = ask->hash;
	f->origin = q->queue;
	m->filter = (uint16_t)id;
	return true;
}

/* Likewise the flow's own filter: the hash keeps it. */
static bool move_filter(struct rxq *q, struct move *m, const struct leat_arfs_ask *ask)
{
	int id;

	let_go(q, ask->filter);
	id = ask_port(q, ask);
	if (id < 0)
		arfs_adopt(q, ask->filter);
	else
		m->filter = ask->filter;
	return id >= 0;
}

/* move_claim, then move_steer: in this order, so that who sees a frame on the other queue sees
 * that it has to wait. */
static bool steer_flow(struct worker *w, struct rxq *q, const struct leat_arfs_ask *ask)
{
	struct move *m = move_begin(w, q, &w->plane->rxq[q->port->index][ask->to], ask->hash);
	bool done;

	if (!m)
		return false;
	trace(TRACE_move_steer, w->cpu, q->queue, ask->hash, NULL, 0);
	done = ask->filter == LEAT_ARFS_NO_FILTER ? add_filter(q, m, ask) : move_filter(q, m, ask);
	if (!done)
		move_cancel(w, q, m);
	return done;
}

/* Steer a flow that has no filter yet, if there is room for one more, and if it is here by its
 * hash alone: a rule that put it here would do so again. */
static bool steer_new_flow(struct worker *w, const struct port_conf *pc, struct rxq *q,
			   const struct leat_pkt *pkt, const struct leat_arfs_ask *ask)
{
	struct arfs *arfs = q->port->arfs;

	if (__atomic_load_n(&arfs->used, __ATOMIC_RELAXED) >= pc->arfs_filters ||
	    !steering_is_natural(pc, pkt, q->queue))
		return false;
	if (__atomic_fetch_add(&arfs->used, 1, __ATOMIC_RELAXED) < pc->arfs_filters &&
	    steer_flow(w, q, ask))
		return true;
	__atomic_fetch_sub(&arfs->used, 1, __ATOMIC_RELAXED);
	return false;
}

/* The flow of a filter goes back to where it comes from without. False: it cannot be now. */
static bool send_back(struct worker *w, struct rxq *q, uint16_t id)
{
	struct arfs *arfs = q->port->arfs;
	struct arfs_filter *f = &arfs->filter[id];

	if (!move_begin(w, q, &w->plane->rxq[q->port->index][f->origin], f->hash))
		return false;
	let_go(q, id);
	__atomic_store_n(&f->live, false, __ATOMIC_RELAXED);
	trace(TRACE_move_steer, w->cpu, q->queue, f->hash, NULL, 0);
	q->port->ops->flow_forget(q->port, id);
	__atomic_fetch_sub(&arfs->used, 1, __ATOMIC_RELEASE);
	stat_add(&q->arfs_stats.expired, 1);
	return true;
}

/* A filter never brings a flow to its own queue: so a flow that is on its own has none. */
static bool steer_any(struct worker *w, const struct port_conf *pc, struct rxq *q,
		      const struct leat_pkt *pkt, const struct leat_arfs_ask *ask)
{
	uint16_t own = ask->filter;
	bool done;

	if (own == LEAT_ARFS_NO_FILTER) {
		done = steer_new_flow(w, pc, q, pkt, ask);
		stat_add(&q->arfs_stats.added, done);
		return done;
	}
	if (q->port->arfs->filter[own].origin == ask->to)
		return send_back(w, q, own);
	done = steer_flow(w, q, ask);
	stat_add(&q->arfs_stats.moved, done);
	return done;
}

void arfs_consider(struct worker *w, const struct conf *c, struct rxq *q,
		   const struct leat_pkt *pkt, struct leat_rps_dev_flow *flow, bool moved)
{
	const struct port_conf *pc = &c->port[q->port->index];
	struct leat_arfs_ask ask = {.hash = pkt->hash, .cpu = flow->cpu, .from = q->queue};
	enum leat_arfs_reason reason;

	if (!is_on(c, pc, q->queue) || leat_rfs_desired(&c->sock, pkt->hash) != flow->cpu)
		return;
	ask.to = leat_cpu_rmap_queue(&pc->rmap, flow->cpu);
	ask.filter = own_filter(q, pkt->hash, flow);
	if (ask.to < pc->rxqs && pc->rxq[ask.to].rps_flow_cnt)
		ask.table = &pc->rxq[ask.to].flows;
	reason = leat_arfs_decide(&ask, &w->plane->heads);
	if (reason == LEAT_ARFS_STEER && steer_any(w, pc, q, pkt, &ask))
		return;
	if (moved && (reason == LEAT_ARFS_STEER || reason == LEAT_ARFS_TAKEN))
		stat_add(&q->arfs_stats.failed, 1);
}

/* --- expiry --- */

/* The next filter of the ring: if it may, it goes. */
static void look(struct worker *w, struct rxq *q, bool on)
{
	const struct arfs_filter *all = q->port->arfs->filter;
	uint16_t id = q->filters;

	q->filters = all[id].next;
	if (!on || leat_arfs_may_expire(&q->flows, index_of(&q->flows, all[id].hash), id,
					&w->plane->heads))
		send_back(w, q, id);
}

void arfs_turn(struct worker *w, const struct conf *c, struct rxq *q)
{
	const struct port_conf *pc = &c->port[q->port->index];
	bool on = is_on(c, pc, q->queue);

	if (q->filters == LEAT_ARFS_NO_FILTER || (on && w->stats.turns % TURNS_PER_LOOK))
		return;
	for (unsigned n = on ? 1 : FORGET_BATCH; n > 0 && q->filters != LEAT_ARFS_NO_FILTER; n--)
		look(w, q, on);
	q->forgetting = !on && q->filters != LEAT_ARFS_NO_FILTER;
}

bool arfs_busy(const struct rxq *q)
{
	return q->forgetting;
}
