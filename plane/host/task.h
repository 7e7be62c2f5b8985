/* SPDX-License-Identifier: MIT */
/*
 * task.h - a thread of an application, as endpoints know it.
 *
 * What it takes to transmit on one's own CPU as a worker does: buffers, scratch memory, a part in
 * the configuration. The thread may run on any CPU, be moved, sleep and compute as it likes: which
 * CPU it is on is asked for in each call, as the kernel does in recvmsg and sendmsg.
 *
 * Threads: a task is used by one thread at a time.
 */
#ifndef PLANE_HOST_TASK_H
#define PLANE_HOST_TASK_H

#include "../pool.h"
#include "../reader.h"

struct conf;
struct plane;
struct port;
struct xmit;

struct task {
	struct plane *plane;
	struct reader reader;
	struct pool pool;
	struct xmit *xmit;
	uint64_t bad_gso; /* atomic: packets whose offload fields contradict their headers */
};

/* A task with so many buffers of its own, to send from; one that only answers in the buffers it
 * received needs few. 0 or -ENOMEM. Before the workers run, or else not from a worker. */
int task_init(struct task *task, struct plane *plane, uint32_t smalls, uint32_t bigs);

/* Not for a thread that the application's stop waits for. */
void task_fini(struct task *task);

/* Transmit `n` packets, at most 64, from `port`; in between plane_back() and plane_leave().
 * *Takes* them. */
void task_xmit(struct task *task, const struct conf *conf, struct port *port,
	       struct leat_pkt **pkts, unsigned n);

/* The CPU that the calling thread is on. */
uint16_t task_cpu(void);

/* Hold the plane's conf_lock. 0; or -ESHUTDOWN: the plane is being stopped, which holds the lock
 * until application threads have ended. */
int task_lock_conf(struct plane *plane);

#endif
