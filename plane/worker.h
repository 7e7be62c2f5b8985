/* SPDX-License-Identifier: MIT */
/*
 * worker.h - one thread per CPU, and the receive queues it serves.
 */
#ifndef PLANE_WORKER_H
#define PLANE_WORKER_H

#include "conf.h"
#include "pool.h"
#include "reader.h"
#include "ring.h"
#include "rxq.h"
#include "stats.h"
#include "steer.h"

#include <pthread.h>

struct plane;
struct xmit;

struct worker {
	/* What the worker alone writes. */
	struct plane *plane;
	unsigned index; /* in plane->worker */
	uint16_t cpu;
	pthread_t thread;
	struct rxq *rxqs;    /* those it serves, linked by next */
	struct stage *stage; /* n_cpus: packets on their way to each CPU's backlog */
	struct xmit *xmit;   /* scratch memory of transmit */
	int epoll;
	bool starved; /* the pool was empty when a queue was last read */
	uint64_t now; /* ns, CLOCK_MONOTONIC, of this turn */
	struct worker_stats stats;
	struct pool pool;

	/* What others write too. */
	struct ring backlog;
	struct rxq *given; /* atomic: queues handed over to this worker, linked by next */
	struct reader reader;
	bool idle; /* atomic: asleep until there is work, nothing held */
	/* Atomic, after plane->stop: 1, it will not steer any more; 2, its backlog is empty for good. */
	uint8_t drained;
};

/* Memory and descriptors of a worker; 0 or -errno. */
int worker_init(struct worker *w, struct plane *plane, unsigned index, uint16_t cpu,
		uint32_t backlog_room, uint32_t smalls, uint32_t bigs);
void worker_fini(struct worker *w);

/* Start a thread, a worker's or an application's, pinned to `cpu`. 0 or -errno. */
int thread_start(pthread_t *thread, uint16_t cpu, void *(*run)(void *), void *arg);

/* Start its thread, pinned to its CPU; it ends after plane->stop. 0 or -errno. */
int worker_start(struct worker *w);
void worker_join(struct worker *w);

/* The thread: turns until plane->stop, then worker_drain(). */
void worker_run(struct worker *w);
void worker_drain(struct worker *w);

/* A turn begins: the value in force, to be used until the next; adopt what it changes, and the
 * queues given to this worker. */
const struct conf *worker_enter(struct worker *w);

/* What a turn does for a queue of the worker: read a batch, have it steered, move flows on. */
void worker_poll(struct worker *w, const struct conf *conf, struct rxq *q);

/* Let n packets of a queue, hashed and free to go, into GRO and on. *Takes* them. */
void worker_pass(struct worker *w, const struct conf *conf, struct rxq *q, struct leat_pkt **in,
		 unsigned n);

/* Process a batch of the backlog; its packets are released, and so finished, afterwards. Gives
 * how many. */
unsigned worker_backlog(struct worker *w, const struct conf *conf);

/* Unless packets are at hand, sleep until there is something to do: a queue readable, a packet in
 * the backlog, a queue given, a new configuration, held packets due. */
void worker_rest(struct worker *w, const struct conf *conf);

/* CLOCK_MONOTONIC, ns. */
uint64_t worker_clock(void);

#endif
