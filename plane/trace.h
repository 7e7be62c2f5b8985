/* SPDX-License-Identifier: MIT */
/*
 * trace.h - what the plane does to keep flows in order, step by step, for a test to judge.
 *
 * The steps have the names of doc/decisions/order.md and of its model, tests/spin/order.pml, which
 * prints the same lines. Only a plane compiled with LEAT_TRACE writes them (the tests', see
 * tests/spin/traced.c); otherwise they are nothing.
 *
 * All threads write to one array, whose next place is an atomic counter: that is the order of the
 * steps. A step that lets another thread go on (a head released, a queue given, drained) is written
 * before it takes effect, one that depends on such a step after it was seen: so a cause is in front
 * of its consequence.
 */
#ifndef PLANE_TRACE_H
#define PLANE_TRACE_H

#include <leat/pkt.h>

/* clang-format off */
/* The steps, and what `arg` is. Queues are those of one port; reads that give nothing are written
 * only while the queue drains. */
#define TRACE_EVENTS(EVENT)                                                    \
	EVENT(receive)       /* of queue: frames * 2 + 1 if that emptied it */ \
	EVENT(decide)        /* for pkt of queue: its CPU */                   \
	EVENT(stage)         /* pkt: its CPU */                                \
	EVENT(enqueue)       /* pkt, unless it is dropped: the CPU */          \
	EVENT(drop)          /* pkt, staged or enqueued: the CPU */            \
	EVENT(process)       /* pkt */                                         \
	EVENT(processed)     /* all that cpu has begun to */                   \
	EVENT(release)       /* of cpu's backlog: packets */                   \
	EVENT(give)          /* queue: the CPU */                              \
	EVENT(take)          /* queue */                                       \
	EVENT(fence_raise)   /* of queue */                                    \
	EVENT(fence_pass)    /* of queue */                                    \
	EVENT(move_claim)    /* hash on queue: the other queue */              \
	EVENT(move_steer)    /* hash on queue */                               \
	EVENT(move_cancel)   /* hash on queue */                               \
	EVENT(move_park)     /* pkt on queue */                                \
	EVENT(move_see)      /* hash on queue, the new one */                  \
	EVENT(move_shut)     /* hash on queue, the old one: 1 if seen */       \
	EVENT(move_drain)    /* hash on queue, the old one */                  \
	EVENT(move_finish)   /* hash on queue, the new one */                  \
	EVENT(value_both)                                                      \
	EVENT(value_push)                                                      \
	EVENT(value_pushed)  /* queues that have to drain */                   \
	EVENT(value_drain)   /* of queue */                                    \
	EVENT(value_clear)   /* of queue */                                    \
	EVENT(value_settled)
/* clang-format on */

#define TRACE_NUMBER(name) TRACE_##name,
enum trace_event { TRACE_EVENTS(TRACE_NUMBER) };
#undef TRACE_NUMBER

#ifdef LEAT_TRACE
/* Make room for so many steps; 0 or -ENOMEM. What comes after them is lost, and counted. */
int trace_begin(uint64_t n);

/* Write them to a file, a line each: "name cpu queue hash pkt arg"; forget them. Gives how many, or
 * -errno; -EOVERFLOW: some were lost. */
int64_t trace_end(const char *path);

/* cpu: of the worker whose step it is, -1 for the configuring thread. */
void trace(enum trace_event event, int cpu, unsigned queue, uint32_t hash,
	   const struct leat_pkt *pkt, unsigned arg);
#else
static inline void trace(enum trace_event event, int cpu, unsigned queue, uint32_t hash,
			 const struct leat_pkt *pkt, unsigned arg)
{
	(void)event, (void)cpu, (void)queue, (void)hash, (void)pkt, (void)arg;
}
#endif

#endif
