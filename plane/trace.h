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

/* What `arg` is. Steps of a port are those of its queues; there is one port. */
#define TRACE_EVENTS(event)                                                                     \
	event(receive)	     /* of queue, and it gave some, or drains: frames * 2 + 1 if that left it empty */ \
	event(decide)	     /* for pkt of queue: its CPU */                                    \
	event(stage)	     /* pkt of queue: its CPU */                                        \
	event(enqueue)	     /* pkt of queue, or not (drop): the CPU */                         \
	event(drop)	     /* pkt, which was to be enqueued */                                \
	event(process)	     /* pkt */                                                          \
	event(processed)     /* all that the CPU had begun to */                                \
	event(release)	     /* packets of the CPU's backlog */                                 \
	event(give)	     /* queue: the CPU */                                               \
	event(take)	     /* queue */                                                        \
	event(fence_raise)   /* queue */                                                        \
	event(fence_pass)    /* queue */                                                        \
	event(move_claim)    /* hash on queue: the other queue */                               \
	event(move_steer)    /* hash on queue */                                                \
	event(move_cancel)   /* hash on queue */                                                \
	event(move_park)     /* pkt on queue */                                                 \
	event(move_drain)    /* hash on queue, the old one */                                   \
	event(move_finish)   /* hash on queue, the new one */                                   \
	event(value_both)    /* */                                                              \
	event(value_push)    /* */                                                              \
	event(value_pushed)  /* queues */                                                       \
	event(value_drain)   /* queue */                                                        \
	event(value_clear)   /* queue */                                                        \
	event(value_settled) /* */

enum trace_event {
#define TRACE_EVENT(name) TRACE_##name,
	TRACE_EVENTS(TRACE_EVENT)
#undef TRACE_EVENT
};

#ifdef LEAT_TRACE
/* Make room for so many steps; 0 or -ENOMEM. What comes after them is lost, and counted. */
int trace_begin(uint64_t steps);

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
