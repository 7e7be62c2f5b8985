/* SPDX-License-Identifier: MIT */
/*
 * A worker's thread: made, started, ended. The path it runs is in worker.c.
 */
#include "plane.h"
#include "xmit.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

int worker_init(struct worker *w, struct plane *plane, unsigned index, uint16_t cpu,
		uint32_t backlog_room, uint32_t smalls, uint32_t bigs)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};

	w->plane = plane;
	w->index = index;
	w->cpu = cpu;
	w->reader.wake.fd = -1;
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (w->epoll < 0)
		return -errno;
	if (wake_init(&w->reader.wake) ||
	    epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->reader.wake.fd, &ev))
		return -errno;
	w->stage = calloc(plane->n_cpus, sizeof(*w->stage));
	w->xmit = xmit_new();
	if (!w->stage || !w->xmit || pool_init(&w->pool, smalls, bigs))
		return -ENOMEM;
	return ring_init(&w->backlog, backlog_room);
}

void worker_fini(struct worker *w)
{
	ring_fini(&w->backlog);
	pool_fini(&w->pool);
	xmit_free(w->xmit);
	free(w->stage);
	wake_fini(&w->reader.wake);
	if (w->epoll >= 0)
		close(w->epoll);
}

static void *run_worker(void *arg)
{
	worker_run(arg);
	return NULL;
}

int thread_start(pthread_t *thread, uint16_t cpu, void *(*run)(void *), void *arg)
{
	cpu_set_t set;
	pthread_attr_t attr;
	pthread_t started;
	int err;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_attr_init(&attr);
	pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
	err = pthread_create(&started, &attr, run, arg);
	pthread_attr_destroy(&attr);
	if (!err)
		*thread = started;
	return -err;
}

int worker_start(struct worker *w)
{
	return thread_start(&w->thread, w->cpu, run_worker, w);
}

void worker_join(struct worker *w)
{
	pthread_join(w->thread, NULL);
}

static bool all_drained(const struct plane *plane, uint8_t so_far)
{
	for (unsigned i = 0; i < plane->n_workers; i++) {
		if (__atomic_load_n(&plane->worker[i].drained, __ATOMIC_ACQUIRE) < so_far)
			return false;
	}
	return true;
}

/* The end: steer what GRO holds, then process backlogs until no worker can add to them, then what
 * waited for these. */
void worker_drain(struct worker *w)
{
	const struct conf *c = w->plane->conf;

	rxq_take(w, c);
	for (struct rxq *q = w->rxqs; q; q = q->next)
		rxq_flush(w, c, q, UINT64_MAX);
	__atomic_store_n(&w->drained, 1, __ATOMIC_RELEASE);
	while (!all_drained(w->plane, 1) || !ring_empty(&w->backlog)) {
		if (worker_backlog(w, c) == 0)
			sched_yield();
	}
	rxq_take(w, c); /* that another passed on meanwhile */
	__atomic_store_n(&w->drained, 2, __ATOMIC_RELEASE);
	while (!all_drained(w->plane, 2))
		sched_yield();
	for (struct rxq *q = w->rxqs; q; q = q->next)
		move_end(w, c, q);
}
