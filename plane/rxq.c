/* SPDX-License-Identifier: MIT */
#include "rxq.h"

#include "plane.h"
#include "rxfh.h"
#include "trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>

/* A super-packet is transmitted with one writev of at most IOV_MAX (1024) slices. */
enum { GRO_SEGS_MAX = 1000 };

/* How long, in ns, GRO holds a packet at most while its queue is never empty: the kernel's jiffy. */
enum { JIFFY = 1000000 };

static void conf_gro(struct leat_gro_conf *gc, const struct port_conf *pc)
{
	*gc = (struct leat_gro_conf){
		.max_segs = GRO_SEGS_MAX,
		.max_size = pc->gro_max_size,
		.max_size4 = pc->gro_ipv4_max_size,
		.udp = pc->rx & CONF_RX_UDP_GRO_FWD,
		.fraglist = pc->rx & CONF_RX_GRO_LIST,
		.sctp = pc->rx & CONF_RX_GRO_SCTP,
		.accecn = pc->rx & CONF_RX_GRO_ACCECN,
		.no_jumbogram = !(pc->rx & CONF_RX_GRO_JUMBO),
	};
	(void)!getrandom(&gc->key, sizeof(gc->key), 0);
}

int rxq_init(struct rxq *q, struct port *port, uint16_t queue, unsigned n_cpus)
{
	struct leat_gro_conf gc = {0}; /* no knob changes what memory GRO needs */

	*q = (struct rxq){
		.port = port, .queue = queue, .ready = true, .filters = LEAT_ARFS_NO_FILTER};
	q->gro_mem = aligned_alloc(64, (leat_gro_size(&gc) + 63) & ~(size_t)63);
	q->fence = calloc(n_cpus, sizeof(*q->fence));
	q->interrupts = calloc(n_cpus, sizeof(*q->interrupts));
	if (q->gro_mem && q->fence && q->interrupts && move_init(&q->move) == 0)
		return 0;
	rxq_fini(q);
	return -ENOMEM;
}

void rxq_fini(struct rxq *q)
{
	free(q->gro_mem);
	free(q->fence);
	free(q->interrupts);
	move_fini(&q->move);
	q->gro_mem = q->fence = NULL;
	q->interrupts = NULL;
}

void rxq_flush(struct worker *w, const struct conf *c, struct rxq *q, uint64_t before)
{
	struct leat_pkt *out[PORT_BATCH];
	unsigned n;

	if (!q->merging || !q->gro.held)
		return;
	do {
		n = leat_gro_flush(&q->gro, before, out, PORT_BATCH);
		if (n)
			steer(w, c, q, out, n);
	} while (n == PORT_BATCH);
}

uint64_t rxq_deadline(const struct worker *w, const struct conf *c, const struct rxq *q)
{
	uint64_t timeout = c->port[q->port->index].gro_flush_timeout;

	if (q->ready)
		timeout = JIFFY;
	else if (timeout == 0)
		return UINT64_MAX;
	return timeout < w->now ? w->now - timeout + 1 : 0;
}

void rxq_note_tails(struct rxq *q, const struct worker *w)
{
	for (unsigned i = 0; i < w->plane->n_workers; i++) {
		const struct worker *other = &w->plane->worker[i];

		q->fence[other->cpu] = __atomic_load_n(&other->backlog.tail, __ATOMIC_RELAXED);
	}
}

bool rxq_passed_tails(const struct rxq *q, const struct worker *w)
{
	for (unsigned i = 0; i < w->plane->n_workers; i++) {
		const struct worker *other = &w->plane->worker[i];
		uint32_t head = __atomic_load_n(&other->backlog.head, __ATOMIC_ACQUIRE);

		if ((int32_t)(head - q->fence[other->cpu]) < 0)
			return false;
	}
	return true;
}

/* From now on wait for every backlog's present tail. */
static void raise_fence(struct rxq *q, const struct worker *w)
{
	rxq_note_tails(q, w);
	q->fenced = true;
	trace(TRACE_fence_raise, w->cpu, q->queue, 0, NULL, 0);
}

bool rxq_open(struct rxq *q, const struct worker *w)
{
	if (q->fenced && rxq_passed_tails(q, w)) {
		trace(TRACE_fence_pass, w->cpu, q->queue, 0, NULL, 0);
		q->fenced = false;
	}
	return !q->fenced;
}

/* Whether the queue is as `c` has it. A queue that was on its way to another worker may have missed
 * a value; what it points to may then have been freed, and its address been used again. */
static bool is_made(const struct rxq *q, const struct conf *c)
{
	const struct port_conf *pc = &c->port[q->port->index];

	return c->generation - q->generation + 1 <= 2 && q->parse == c->parse &&
	       q->rxfh == pc->rxfh && q->rx == pc->rx && q->gro_max_size == pc->gro_max_size &&
	       q->gro_ipv4_max_size == pc->gro_ipv4_max_size &&
	       q->flows.flows == pc->rxq[q->queue].flows.flows;
}

/* Bring the queue to its port's configuration: its flow table, hash and GRO. */
static void remake(struct rxq *q, struct worker *w, const struct conf *c)
{
	const struct port_conf *pc = &c->port[q->port->index];
	const struct rxq_conf *qc = &pc->rxq[q->queue];
	struct leat_gro_conf gc;

	if (is_made(q, c)) {
		q->generation = c->generation;
		return;
	}
	rxq_flush(w, c, q, UINT64_MAX);
	rxq_count(q);
	if (q->flows.flows)
		raise_fence(q, w);
	q->generation = c->generation;
	q->flows = qc->flows;
	q->parse = c->parse;
	q->rxfh = pc->rxfh;
	q->rss = pc->rxfh->use.context[0];
	q->move.value = pc->old ? MOVE_HOLDING : MOVE_SETTLED;
	q->rx = pc->rx;
	q->gro_max_size = pc->gro_max_size;
	q->gro_ipv4_max_size = pc->gro_ipv4_max_size;
	q->merging = pc->rx & CONF_RX_GRO;
	if (q->merging) {
		conf_gro(&gc, pc);
		leat_gro_init(&q->gro, &gc, q->gro_mem);
	}
}

/* A queue that cannot be watched (no memory, or too many watched) is not its port's end: the others,
 * and what is transmitted, go on, and moving the queue to another CPU is a new attempt. */
static void watch(struct rxq *q, const struct worker *w)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = q};

	if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, q->port->ops->fd(q->port, q->queue), &ev))
		fprintf(stderr, "leat: %s: queue rx-%u will not be watched: %s\n", q->port->name,
			(unsigned)q->queue, strerror(errno));
	q->ready = true;
}

static void unwatch(struct rxq *q, const struct worker *w)
{
	epoll_ctl(w->epoll, EPOLL_CTL_DEL, q->port->ops->fd(q->port, q->queue), NULL);
}

void rxq_give(struct rxq *q, struct worker *to)
{
	trace(TRACE_give, q->cpu, q->queue, 0, NULL, to->cpu);
	__atomic_store_n(&q->cpu, to->cpu, __ATOMIC_RELAXED);
	q->next = __atomic_load_n(&to->given, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&to->given, &q->next, q, true, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED))
		;
	wake_up(&to->reader.wake);
}

static uint16_t assigned(const struct rxq *q, const struct conf *c)
{
	return c->port[q->port->index].rxq[q->queue].cpu;
}

void rxq_take(struct worker *w, const struct conf *c)
{
	struct rxq *q, *next;

	if (!__atomic_load_n(&w->given, __ATOMIC_RELAXED))
		return;
	for (q = __atomic_exchange_n(&w->given, NULL, __ATOMIC_ACQUIRE); q; q = next) {
		next = q->next;
		if (assigned(q, c) != w->cpu) {
			rxq_give(q, w->plane->on_cpu[assigned(q, c)]);
			continue;
		}
		trace(TRACE_take, w->cpu, q->queue, 0, NULL, 0);
		q->next = w->rxqs;
		w->rxqs = q;
		watch(q, w);
		remake(q, w, c);
	}
}

void rxq_adopt(struct worker *w, const struct conf *c)
{
	struct rxq **link = &w->rxqs;

	while (*link) {
		struct rxq *q = *link;

		remake(q, w, c);
		if (assigned(q, c) == w->cpu) {
			link = &q->next;
			continue;
		}
		rxq_flush(w, c, q, UINT64_MAX);
		unwatch(q, w);
		*link = q->next;
		rxq_give(q, w->plane->on_cpu[assigned(q, c)]);
	}
}

/* The device is gone: never look at the queue again. */
static void lose(struct worker *w, struct rxq *q)
{
	unwatch(q, w);
	port_lost(q->port);
}

unsigned rxq_receive(struct worker *w, struct rxq *q, struct leat_pkt **in)
{
	int n = q->port->ops->receive(q->port, q->queue, &w->pool, in, PORT_BATCH);
	uint32_t bytes = 0;
	bool empty;

	if (n < 0)
		lose(w, q);
	w->starved = !pool_has(&w->pool);
	if (w->starved)
		stat_add(&w->stats.no_buffer, 1);
	for (int i = 0; i < n; i++) {
		bytes += in[i]->len;
		in[i]->port = (uint16_t)q->port->index;
		in[i]->rxq = q->queue;
		in[i]->stamp = w->now;
	}
	empty = n < PORT_BATCH && bytes < PORT_BATCH_BYTES;
	if (empty) /* the port tells of frames, not of buffers: who needs to know asks again */
		q->ready = w->starved && move_must_read(q);
	n = n < 0 ? 0 : n;
	move_read(q, (unsigned)n, empty && !w->starved);
	return (unsigned)n;
}

unsigned rxq_parse(struct worker *w, struct rxq *q, struct leat_pkt **in, unsigned n)
{
	struct port *port = q->port;

	leat_parse(q->parse, in, n);
	for (unsigned i = 0; i < n; i++) {
		if (in[i]->reason)
			stat_add(&q->parse_count[in[i]->reason], 1);
	}
	return port->ops->check ? port->ops->check(port, q->queue, &w->pool, in, n) : n;
}

void rxq_count(struct rxq *q)
{
	for (unsigned i = 0; q->merging && i < LEAT_GRO_REASONS; i++) {
		if (q->gro.count[i])
			stat_add(&q->gro_count[i], q->gro.count[i]);
		q->gro.count[i] = 0;
	}
}
