/* SPDX-License-Identifier: MIT */
#include "move.h"

#include "arfs.h"
#include "plane.h"
#include "steering.h"
#include "trace.h"

#include <errno.h>
#include <stdlib.h>

int move_init(struct move_queue *m)
{
	m->parked = calloc(MOVE_PARKED, sizeof(struct leat_pkt *));
	return m->parked ? 0 : -ENOMEM;
}

void move_fini(struct move_queue *m)
{
	free(m->parked);
	m->parked = NULL;
}

/* --- one flow: the old queue's side --- */

static uint64_t make_key(uint32_t hash, unsigned to)
{
	return (uint64_t)hash << 32 | (to + 1);
}

/* Relaxed: what is in the slot changes only once all who had the move are done with it. */
static uint64_t get_key(const struct move *m)
{
	return __atomic_load_n(&m->key, __ATOMIC_RELAXED);
}

static uint32_t get_hash(const struct move *m)
{
	return (uint32_t)(get_key(m) >> 32);
}

static unsigned get_queue(const struct move *m)
{
	return (uint32_t)get_key(m) - 1;
}

static void wake_server(const struct worker *w, const struct rxq *q)
{
	wake_up(&w->plane->on_cpu[__atomic_load_n(&q->cpu, __ATOMIC_RELAXED)]->reader.wake);
}

static void leave(struct rxq *q, struct move *m)
{
	m->until = 0;
	m->next_leaving = q->move.leaving;
	q->move.leaving = m;
}

/* Who serves `to` has to finish the move, even if no frame of it ever comes. */
static void announce(struct worker *w, struct rxq *to, struct move *m)
{
	m->next_coming = __atomic_load_n(&to->move.arrivals, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&to->move.arrivals, &m->next_coming, m, true,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
	wake_server(w, to);
}

/* move_claim. Acquire: pairs with the release of who had the slot before (finish). */
struct move *move_begin(struct worker *w, struct rxq *from, struct rxq *to, uint32_t hash)
{
	struct moves *moves = from->port->moves;
	struct move *m = &moves->slot[leat_hash_32(hash, MOVE_BITS)];
	uint64_t none = 0;

	if (get_key(m) || !__atomic_compare_exchange_n(&m->key, &none, make_key(hash, to->queue),
						       false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return NULL;
	__atomic_fetch_add(&moves->underway, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&m->drained, false, __ATOMIC_RELAXED);
	__atomic_store_n(&m->from, from->queue, __ATOMIC_RELAXED);
	m->filter = LEAT_ARFS_NO_FILTER;
	trace(TRACE_move_claim, w->cpu, from->queue, hash, NULL, to->queue);
	leave(from, m);
	announce(w, to, m);
	return m;
}

/* The old queue's worker is done with it. Release: pairs with the acquire in is_finished(), so that
 * `flow` can be read, and what was enqueued before has moved its tails. */
static void let_go(const struct worker *w, const struct rxq *q, struct move **link,
		   struct leat_rps_dev_flow flow)
{
	struct move *m = *link;
	const struct rxq *to = &w->plane->rxq[q->port->index][get_queue(m)];

	*link = m->next_leaving;
	m->flow = flow;
	trace(TRACE_move_drain, q->cpu, q->queue, get_hash(m), NULL, 0);
	__atomic_store_n(&m->drained, true, __ATOMIC_RELEASE);
	wake_server(w, to);
}

void move_cancel(struct worker *w, struct rxq *from, struct move *move)
{
	struct move **link = &from->move.leaving;

	while (*link != move)
		link = &(*link)->next_leaving;
	move->filter = LEAT_ARFS_NO_FILTER;
	trace(TRACE_move_cancel, from->cpu, from->queue, get_hash(move), NULL, 0);
	let_go(w, from, link, (struct leat_rps_dev_flow){.cpu = LEAT_RPS_NO_CPU});
}

void move_read(struct rxq *q, unsigned n, bool empty)
{
	q->move.reads++;
	q->move.frames += n;
	if (empty)
		q->move.emptied = q->move.reads;
	if (n || move_must_read(q))
		trace(TRACE_receive, q->cpu, q->queue, 0, NULL, n * 2 + empty);
}

/* Whether all that the device held for the queue when it had been read so often has been read. */
static bool has_drained(const struct rxq *q, uint64_t reads, uint64_t frames)
{
	uint32_t most = q->port->rx_ring;

	return q->move.emptied > reads || (most && q->move.frames - frames >= most);
}

/* Whether what its sender put on the old queue is there: a later frame of it came to the new one, or
 * there was time enough. Acquire: pairs with see(), so that a read from now on gives it. */
static bool is_shut(const struct move *m, uint64_t now)
{
	return __atomic_load_n(&m->seen, __ATOMIC_ACQUIRE) || now >= m->until;
}

/* move_shut: from here on the queue has to be read empty. It is looked at again even if it is not
 * readable. */
static void begin_drain(struct rxq *q, struct move **link)
{
	struct move *m = *link;

	trace(TRACE_move_shut, q->cpu, q->queue, get_hash(m), NULL,
	      __atomic_load_n(&m->seen, __ATOMIC_RELAXED));
	*link = m->next_leaving;
	m->next_leaving = q->move.draining;
	q->move.draining = m;
	m->reads = q->move.reads;
	m->frames = q->move.frames;
	q->ready = true;
}

/* The time runs from now, not from this turn's beginning: the port was told in between. */
static void shut(const struct worker *w, struct rxq *q)
{
	struct move **link = &q->move.leaving;

	while (*link) {
		struct move *m = *link;

		if (!m->until)
			m->until = worker_clock() + MOVE_WAIT;
		if (is_shut(m, w->now))
			begin_drain(q, link);
		else
			link = &m->next_leaving;
	}
}

/* move_drain. What flushing GRO steers may begin moves, but those do not drain yet. */
static void drain(struct worker *w, const struct conf *c, struct rxq *q)
{
	struct move **link = &q->move.draining;

	while (*link && !has_drained(q, (*link)->reads, (*link)->frames))
		link = &(*link)->next_leaving;
	if (!*link)
		return;
	rxq_flush(w, c, q, UINT64_MAX);
	for (link = &q->move.draining; *link;) {
		struct move *m = *link;

		if (has_drained(q, m->reads, m->frames))
			let_go(w, q, link, *leat_rfs_flow(&q->flows, get_hash(m)));
		else
			link = &m->next_leaving;
	}
}

/* --- the new queue's side --- */

/* The move of a flow that is on its way here, or NULL. Relaxed: who sees the frame was handed it
 * after the port was told, which was after the slot was taken; and nobody but this queue's worker
 * frees it. */
static struct move *find_coming(const struct rxq *q, uint32_t hash)
{
	struct move *m = &q->port->moves->slot[leat_hash_32(hash, MOVE_BITS)];

	return get_key(m) == make_key(hash, q->queue) ? m : NULL;
}

/* Whether a frame has to wait: its flow is on its way here, or was on another queue before. */
static bool is_held(const struct rxq *q, const struct conf *c, const struct leat_pkt *pkt)
{
	unsigned port = q->port->index;

	if (c->port[port].old && q->move.value != MOVE_CLEAR)
		return steering_old_queue(c, port, pkt, q->queue) != q->queue;
	return pkt->hash && find_coming(q, pkt->hash);
}

/* Whether one in `share` of what may be parked at most is: half of the buffers of either kind of the
 * worker that reads, as the others will come back to it. Those parked on a queue that it has handed
 * over meanwhile are its own still. */
static bool has_parked(const struct worker *w, const struct rxq *q, unsigned share)
{
	uint32_t small = __atomic_load_n(&w->pool.parked[false], __ATOMIC_RELAXED);
	uint32_t big = __atomic_load_n(&w->pool.parked[true], __ATOMIC_RELAXED);

	return q->move.n_parked * share >= MOVE_PARKED || small * 2 * share >= w->pool.all_smalls ||
	       big * 2 * share >= w->pool.all_bigs;
}

bool move_must_read(const struct rxq *q)
{
	return q->move.draining || q->move.value == MOVE_DRAINING;
}

/* Rather than drop frames, do not read a queue that others need not wait for; the room that is left
 * is for what has to be read when they do. */
bool move_may_read(const struct worker *w, const struct rxq *q)
{
	return move_must_read(q) || q->move.n_parked == 0 || !has_parked(w, q, 2);
}

/* By each buffer of the frame's: a super-packet's slices are of either kind. */
static void count_parked(const struct leat_pkt *pkt, uint32_t by)
{
	for (const struct leat_pkt *s = pkt; s; s = s->frag_list) {
		struct pool *owner = s->owner;

		__atomic_fetch_add(&owner->parked[pool_is_big(s)], by, __ATOMIC_RELAXED);
	}
}

/* move_see. The first frame of a flow is here, so all before it are on the old queue, whose worker
 * waits for that. Release: pairs with is_shut(). */
static void see(const struct worker *w, const struct rxq *q, struct move *m)
{
	uint16_t from = __atomic_load_n(&m->from, __ATOMIC_RELAXED);

	if (__atomic_load_n(&m->seen, __ATOMIC_RELAXED))
		return;
	trace(TRACE_move_see, w->cpu, q->queue, get_hash(m), NULL, 0);
	__atomic_store_n(&m->seen, true, __ATOMIC_RELEASE);
	wake_server(w, &w->plane->rxq[q->port->index][from]);
}

/* move_park. A frame that there is no room for is a gap, not a swap: those behind it wait too. */
static void park(struct worker *w, struct rxq *q, struct leat_pkt *pkt)
{
	struct move *m = find_coming(q, pkt->hash);

	if (m)
		see(w, q, m);
	if (has_parked(w, q, 1)) {
		stat_add(&q->move.fence_dropped, 1);
		pool_give(&w->pool, &pkt, 1);
		return;
	}
	stat_add(&q->move.fenced, 1);
	trace(TRACE_move_park, w->cpu, q->queue, pkt->hash, pkt, 0);
	q->move.parked[q->move.n_parked++] = pkt;
	count_parked(pkt, 1);
}

static bool has_arrivals(const struct rxq *q)
{
	return q->move.coming || __atomic_load_n(&q->move.arrivals, __ATOMIC_RELAXED);
}

unsigned move_park(struct worker *w, const struct conf *c, struct rxq *q, struct leat_pkt **pkts,
		   unsigned n)
{
	const struct port_conf *pc = &c->port[q->port->index];
	unsigned go = 0;

	if (!pc->old && !has_arrivals(q))
		return n;
	for (unsigned i = 0; i < n; i++) {
		if (is_held(q, c, pkts[i]))
			park(w, q, pkts[i]);
		else
			pkts[go++] = pkts[i];
	}
	return go;
}

/* Let go on, in order, those that are not held any more. */
static void release(struct worker *w, const struct conf *c, struct rxq *q)
{
	struct leat_pkt *out[PORT_BATCH];
	unsigned n = 0, kept = 0;

	for (unsigned i = 0; i < q->move.n_parked; i++) {
		struct leat_pkt *pkt = q->move.parked[i];

		if (is_held(q, c, pkt)) {
			q->move.parked[kept++] = pkt;
			continue;
		}
		count_parked(pkt, 0u - 1);
		out[n++] = pkt;
		if (n == PORT_BATCH) {
			worker_pass(w, c, q, out, n);
			n = 0;
		}
	}
	q->move.n_parked = kept;
	if (n)
		worker_pass(w, c, q, out, n);
}

/* Acquire: pairs with let_go(); of the head, in leat_rfs_finished(), with the release after
 * processing. */
static bool is_finished(const struct worker *w, const struct move *m)
{
	return __atomic_load_n(&m->drained, __ATOMIC_ACQUIRE) &&
	       leat_rfs_finished(&m->flow, &w->plane->heads);
}

static void take_arrivals(struct rxq *q)
{
	struct move *m, *next;

	if (!__atomic_load_n(&q->move.arrivals, __ATOMIC_RELAXED))
		return;
	for (m = __atomic_exchange_n(&q->move.arrivals, NULL, __ATOMIC_ACQUIRE); m; m = next) {
		next = m->next_coming;
		m->next_coming = q->move.coming;
		q->move.coming = m;
	}
}

/* move_finish. Nobody but this worker frees the slot, and only here, so that what comes on the
 * queue later in this turn or the next is behind what is released. */
static void finish(struct worker *w, const struct conf *c, struct rxq *q)
{
	struct move **link = &q->move.coming;
	bool any = false;

	take_arrivals(q);
	while (*link) {
		struct move *m = *link;

		if (!is_finished(w, m)) {
			link = &m->next_coming;
			continue;
		}
		*link = m->next_coming;
		trace(TRACE_move_finish, w->cpu, q->queue, get_hash(m), NULL, 0);
		arfs_adopt(q, m->filter);
		__atomic_store_n(&m->seen, false, __ATOMIC_RELAXED);
		__atomic_store_n(&m->key, 0, __ATOMIC_RELEASE);
		__atomic_fetch_sub(&q->port->moves->underway, 1, __ATOMIC_RELEASE);
		any = true;
	}
	if (any && q->move.n_parked)
		release(w, c, q);
}

/* --- a new value --- */

static void begin_draining(struct rxq *q)
{
	q->move.value = MOVE_DRAINING;
	q->move.value_reads = q->move.reads;
	q->move.value_frames = q->move.frames;
	q->ready = true; /* read it at least once */
}

/* value_drain. Release: pairs with the acquire in wait_for_all(). */
static void drain_for_value(struct worker *w, const struct conf *c, struct rxq *q)
{
	if (!has_drained(q, q->move.value_reads, q->move.value_frames))
		return;
	rxq_flush(w, c, q, UINT64_MAX);
	trace(TRACE_value_drain, w->cpu, q->queue, 0, NULL, 0);
	__atomic_fetch_sub(&q->port->moves->undrained, 1, __ATOMIC_ACQ_REL);
	q->move.value = MOVE_WAITING;
}

/* All that was enqueued by any queue before it had drained is below the tails of now. */
static void wait_for_all(struct worker *w, struct rxq *q)
{
	if (__atomic_load_n(&q->port->moves->undrained, __ATOMIC_ACQUIRE))
		return;
	rxq_note_tails(q, w);
	q->move.value = MOVE_CLEARING;
}

/* value_clear. */
static void clear(struct worker *w, const struct conf *c, struct rxq *q)
{
	if (!rxq_passed_tails(q, w))
		return;
	trace(TRACE_value_clear, w->cpu, q->queue, 0, NULL, 0);
	q->move.value = MOVE_CLEAR;
	release(w, c, q);
	__atomic_fetch_sub(&q->port->moves->uncleared, 1, __ATOMIC_RELEASE);
}

static void follow_value(struct worker *w, const struct conf *c, struct rxq *q)
{
	const struct port_conf *pc = &c->port[q->port->index];

	if (!pc->old)
		q->move.value = MOVE_SETTLED;
	else if (!pc->pushed)
		q->move.value = MOVE_HOLDING;
	else if (q->move.value < MOVE_DRAINING)
		begin_draining(q);
	else if (q->move.value == MOVE_DRAINING)
		drain_for_value(w, c, q);
	else if (q->move.value == MOVE_WAITING)
		wait_for_all(w, q);
	else if (q->move.value == MOVE_CLEARING)
		clear(w, c, q);
}

/* --- all of it --- */

void move_turn(struct worker *w, const struct conf *c, struct rxq *q)
{
	if (q->fenced) /* its table does not know what it steered before */
		return;
	if (q->move.draining)
		drain(w, c, q);
	shut(w, q);
	if (has_arrivals(q))
		finish(w, c, q);
	if (c->port[q->port->index].old || q->move.value != MOVE_SETTLED)
		follow_value(w, c, q);
}

/* Until another worker has done its part there is nothing to do for a flow, but it has an end. */
static uint64_t leaving_due(const struct rxq *q, uint64_t now)
{
	uint64_t due = UINT64_MAX;

	for (const struct move *m = q->move.leaving; m; m = m->next_leaving) {
		if (is_shut(m, now))
			return now;
		due = m->until < due ? m->until : due;
	}
	return due;
}

/* Who lets go of a flow wakes the worker that serves its new queue, or the one that did just before:
 * hence once in a while. */
static uint64_t coming_due(const struct rxq *q, uint64_t now)
{
	for (const struct move *m = q->move.coming; m; m = m->next_coming) {
		if (__atomic_load_n(&m->drained, __ATOMIC_RELAXED))
			return now;
	}
	return q->move.coming ? now + MOVE_WAIT : UINT64_MAX;
}

uint64_t move_due(const struct rxq *q, uint64_t now)
{
	uint64_t leaving, coming;

	if (q->move.draining || __atomic_load_n(&q->move.arrivals, __ATOMIC_RELAXED) ||
	    q->move.n_parked || (q->move.value >= MOVE_DRAINING && q->move.value < MOVE_CLEAR))
		return now;
	leaving = leaving_due(q, now);
	coming = coming_due(q, now);
	return leaving < coming ? leaving : coming;
}

void move_end(struct worker *w, const struct conf *c, struct rxq *q)
{
	for (unsigned i = 0; i < q->move.n_parked; i += PORT_BATCH) {
		unsigned rest = q->move.n_parked - i;

		deliver(w, c, q->move.parked + i, rest < PORT_BATCH ? rest : PORT_BATCH);
	}
	q->move.n_parked = 0;
}
