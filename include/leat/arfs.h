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

/* Whether a port may forget `filter`, which it holds for the flow at index `flow_id` of the target
 * queue's table `t`: not while that entry still names the filter, its CPU is valid, and that CPU's
 * backlog head has advanced by less than 10 times the table's size since the flow's last packet. */
bool leat_arfs_may_expire(const struct leat_rps_dev_flow_table *t, uint32_t flow_id,
			  uint16_t filter, const struct leat_rps_heads *heads);

#ifdef __cplusplus
}
#endif

#endif
