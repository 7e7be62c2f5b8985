/* SPDX-License-Identifier: MIT */
/*
 * What a worker does between two turns: nothing while there is work at hand, else it asks which
 * queues are readable, and sleeps until one is. System calls are what it saves: a queue known to
 * be readable is read without asking, and a worker whose queues are all empty asks and sleeps with
 * one call.
 */
#include "plane.h"

#include <poll.h>
#include <sys/epoll.h>

/* While some queues are busy, the others are asked after once in so many turns. */
enum { TURNS_PER_LOOK = 4 };

/* When held packets of the queue are due, ns; UINT64_MAX: none are held. */
static uint64_t gro_due(const struct conf *c, const struct rxq *q)
{
	uint64_t oldest = q->merging ? leat_gro_oldest(&q->gro) : UINT64_MAX;

	return oldest == UINT64_MAX ? oldest : oldest + c->port[q->port->index].gro_flush_timeout;
}

/* When there is something to do that nobody wakes for, ns; UINT64_MAX: never. */
static uint64_t due(const struct worker *w, const struct conf *c)
{
	uint64_t first = UINT64_MAX;

	for (const struct rxq *q = w->rxqs; q; q = q->next) {
		uint64_t gro = gro_due(c, q), move = move_due(q, w->now);

		first = gro < first ? gro : first;
		first = move < first ? move : first;
	}
	return first;
}

/* Whether a flow on its way from or to the queue wants its worker now. */
static bool is_moving(const struct worker *w, const struct rxq *q)
{
	return move_due(q, w->now) <= w->now;
}

/* Packets to be had without asking, in a queue or the backlog; or flows on their way. */
static bool has_packets(const struct worker *w)
{
	for (const struct rxq *q = w->rxqs; q; q = q->next) {
		if (q->ready || q->fenced || is_moving(w, q) || arfs_busy(q))
			return true;
	}
	return !ring_empty(&w->backlog);
}

/* Flows on their way that another worker has done its part of. */
static bool has_moves(const struct worker *w)
{
	for (const struct rxq *q = w->rxqs; q; q = q->next) {
		if (is_moving(w, q))
			return true;
	}
	return false;
}

/* Work that the eventfd does not tell of because it came before the worker said it sleeps. */
static bool has_work(const struct worker *w, const struct conf *c)
{
	return has_moves(w) || !ring_empty(&w->backlog) ||
	       __atomic_load_n(&w->given, __ATOMIC_RELAXED) ||
	       __atomic_load_n(&w->plane->conf, __ATOMIC_RELAXED) != c ||
	       __atomic_load_n(&w->plane->stop, __ATOMIC_RELAXED);
}

/* The interrupt that a queue would have: packets are there, where none were. */
static void interrupt(const struct worker *w, struct rxq *q)
{
	if (!q->ready)
		stat_add(&q->interrupts[w->cpu], 1);
	q->ready = true;
}

/* Ask which queues are readable; wait for one until `until`, 0: do not wait. */
static void look(struct worker *w, uint64_t until)
{
	struct epoll_event ev[32];
	struct timespec ts = {0, 0};
	int n;

	if (until != UINT64_MAX && until > w->now) {
		ts.tv_sec = (time_t)((until - w->now) / 1000000000u);
		ts.tv_nsec = (long)((until - w->now) % 1000000000u);
	}
	n = epoll_pwait2(w->epoll, ev, 32, until == UINT64_MAX ? NULL : &ts, NULL);
	for (int i = 0; i < n; i++) {
		if (ev[i].data.ptr)
			interrupt(w, ev[i].data.ptr);
		else
			wake_drain(&w->reader.wake);
	}
}

/* Buffers are given back without a wake-up: look again soon, or when there is work. */
static void await_buffers(struct worker *w)
{
	static const struct timespec soon = {0, 50000};
	struct pollfd fd = {.fd = w->reader.wake.fd, .events = POLLIN};

	ppoll(&fd, 1, &soon, NULL);
	w->starved = false;
	look(w, 0);
}

static void sleep_until_work(struct worker *w, const struct conf *c)
{
	uint64_t until = due(w, c);

	wake_arm(&w->reader.wake);
	if (!has_work(w, c)) {
		__atomic_store_n(&w->idle, until == UINT64_MAX && !w->starved, __ATOMIC_RELEASE);
		stat_add(&w->stats.sleeps, 1);
		if (w->starved)
			await_buffers(w);
		else
			look(w, until);
		__atomic_store_n(&w->idle, false, __ATOMIC_RELAXED);
	}
	wake_disarm(&w->reader.wake);
}

/* Busy polling: for so long, and not for longer than what nobody wakes for may wait, look without
 * sleeping. True: there is something to do. Not for a worker without buffers: it would find the queue
 * that it cannot read again and again. */
static bool spin(struct worker *w, const struct conf *c)
{
	uint64_t end = w->now + c->busy_poll * UINT64_C(1000), first = due(w, c);

	if (first < end)
		end = first;
	do {
		look(w, 0);
		w->now = worker_clock();
	} while (!has_packets(w) && !has_work(w, c) && w->now < end);
	return has_packets(w) || has_work(w, c);
}

void worker_rest(struct worker *w, const struct conf *c)
{
	if (has_packets(w)) {
		if (w->stats.turns % TURNS_PER_LOOK == 0)
			look(w, 0);
	} else if (w->starved || !c->busy_poll || !spin(w, c)) {
		sleep_until_work(w, c);
	}
}
