/* SPDX-License-Identifier: MIT */
/*
 * arfs.h - accelerated RFS: have the port itself deliver a flow to the queue that is served by, or
 * near, the CPU where the application reads it.
 *
 * A reverse map gives for each CPU the nearest receive queue; when RFS switches a flow to another
 * CPU whose nearest queue is another, the port is asked to steer the flow's hash there, and a
 * filter's id is kept in the *new* queue's flow table. The port asks from time to time, filter by
 * filter, whether it may forget one: that is so when the table's entry is no longer the filter's,
 * or so many packets went through the flow's CPU since its last that it counts as gone.
 *
 * Threads: a reverse map is a value; the decisions are pure functions of the tables given. Source:
 * Linux set_rps_cpu(), rps_may_expire_flow(), lib/cpu_rmap.c; Documentation/networking/scaling.rst.
 */
#ifndef LEAT_ARFS_H
#define LEAT_ARFS_H

#include <leat/rfs.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	LEAT_ARFS_NO_FILTER = 0xffff, /* leat_rps_dev_flow.filter */
	LEAT_ARFS_NO_QUEUE = 0xffff,
	LEAT_ARFS_FAR = 0xffff, /* a distance: not near any queue's CPU */
};

/* How far a CPU is from another: the kernel's cpu_rmap distances. */
enum leat_arfs_distance {
	LEAT_ARFS_SAME,	   /* the same CPU */
	LEAT_ARFS_SIBLING, /* a hardware thread of the same core */
	LEAT_ARFS_CACHE,   /* they share a last-level cache, or a package */
	LEAT_ARFS_NODE,	   /* the same NUMA node */
};

struct leat_cpu_rmap_entry {
	uint16_t queue;
	uint16_t distance; /* enum leat_arfs_distance or LEAT_ARFS_FAR */
};

/* For each CPU the nearest queue. */
struct leat_cpu_rmap {
	unsigned n_cpus;
	struct leat_cpu_rmap_entry *cpu; /* n_cpus of them, the caller's memory */
};

/* The distance between two CPUs, from who knows the machine; a distance, or LEAT_ARFS_FAR. */
typedef uint16_t leat_arfs_distance_fn(const void *arg, unsigned a, unsigned b);

/* Fill `rmap` for queues 0 to n_queues - 1, queue q served by CPU cpu_of[q]: each CPU gets a
 * nearest queue; of several, those of farther CPUs take turns (CPU mod n_queues, the kernel's
 * initial value), the others the lowest. */
void leat_cpu_rmap_init(struct leat_cpu_rmap *rmap, unsigned n_cpus,
			struct leat_cpu_rmap_entry *mem, const uint16_t *cpu_of, unsigned n_queues,
			leat_arfs_distance_fn *distance, const void *arg);

/* The queue for `cpu`; LEAT_ARFS_NO_QUEUE for a CPU out of range. */
uint16_t leat_cpu_rmap_queue(const struct leat_cpu_rmap *rmap, unsigned cpu);

/* What is to be known of a flow that RFS sends to CPU `cpu`. */
struct leat_arfs_ask {
	uint32_t hash;
	uint16_t cpu;
	uint16_t from;	 /* the queue it comes on */
	uint16_t to;	 /* leat_cpu_rmap_queue() of the CPU */
	uint16_t filter; /* the one that the flow has, LEAT_ARFS_NO_FILTER: none */
	const struct leat_rps_dev_flow_table *table; /* of queue `to`; NULL: rps_flow_cnt is 0 */
};

enum leat_arfs_reason {
	LEAT_ARFS_STEER,      /* ask the port */
	LEAT_ARFS_UNMAPPED,   /* no queue is near the CPU */
	LEAT_ARFS_SAME_QUEUE, /* it comes on the nearest already */
	LEAT_ARFS_NO_TABLE,   /* the other queue has no flow table */
	LEAT_ARFS_TAKEN,      /* its entry there has another flow's filter, still active */
	LEAT_ARFS_STEERED,    /* its entry there has its filter and CPU: only frames on their way */
	LEAT_ARFS_REASONS,
};

/* Whether to ask the port to steer the flow, by the kernel's guards, or why not. The target's table
 * may be in use by another thread; what is read of it is a hint. */
enum leat_arfs_reason leat_arfs_decide(const struct leat_arfs_ask *ask,
				       const struct leat_rps_heads *heads);

/* "taken"; NULL past the last. */
const char *leat_arfs_reason_name(enum leat_arfs_reason reason);

/* Whether a port may forget `filter`, which it holds for the flow at index `flow_id` of the target
 * queue's table `t`: not while that entry still names the filter, its CPU is valid, and that CPU's
 * backlog head has advanced by less than 10 times the table's size since the flow's last packet. */
bool leat_arfs_may_expire(const struct leat_rps_dev_flow_table *t, uint32_t flow_id,
			  uint16_t filter, const struct leat_rps_heads *heads);

#ifdef __cplusplus
}
#endif

#endif
