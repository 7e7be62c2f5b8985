/* SPDX-License-Identifier: MIT */
/*
 * stats.h - counters of one writer that anyone may read.
 */
#ifndef PLANE_STATS_H
#define PLANE_STATS_H

#include <jansson.h>
#include <stdint.h>

struct plane;

/* A worker's own. What others count for it, dropped and received_rps, is in their stages. */
struct worker_stats {
	uint64_t processed;	   /* packets given to the application here */
	uint64_t flow_limit_count; /* packets that this CPU's flow limit dropped */
	uint64_t hops;		   /* packets this CPU sent to another's backlog */
	uint64_t flow_moves;	   /* flows that changed CPU, decided here */
	uint64_t no_buffer;	   /* receive found the pool empty */
	uint64_t no_route;	   /* packets of a port that is joined to none */
	uint64_t bad_gso;	   /* packets whose offload fields contradict their headers */
	uint64_t sleeps;
	uint64_t turns;
};

static inline void stat_add(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

static inline uint64_t stat_read(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* Everything a plane counts, as one JSON object with the members "ports" (a list: name, kind,
 * steering: who chooses its receive queues, rx and tx queues with packets, bytes, segments, largest,
 * errors, dropped, contended), "cpus" (a list: the members of stats_softnet() and struct
 * worker_stats), "gro" (per port: reason: count), "parse" (reason: count), "steering" (per port:
 * filters that accelerated RFS made, changed and gave up, flows it failed to steer; packets that waited
 * for their flow to change queue, that there was no room for, that a rule dropped),
 * "app" (what the application counts). The caller's reference. */
json_t *stats_json(struct plane *plane);

/* The same, or those of its members that `now` has, as text for a person. `since`: an earlier
 * stats_json, for rates over `seconds`, or NULL. The caller frees it. */
char *stats_text(const json_t *now, const json_t *since, double seconds);

/* Of each CPU what /proc/net/softnet_stat has, under its names: "cpu", "processed", "dropped",
 * "time_squeeze" (0), "received_rps" (times another CPU woke it for its backlog),
 * "flow_limit_count", "backlog_len". The caller's reference. */
json_t *stats_softnet(const struct plane *plane);

/* The same as softnet_stat prints it, with a line of names above. The caller frees it. */
char *stats_softnet_text(const json_t *softnet);

/* Of each receive queue the interrupt that it would have: "irq" (its number), "counts" (by CPU: how
 * often packets came to the queue while its worker there had nothing of it to read), "kind" and
 * "port", "queue", "name" (left-rx-0), "effective_affinity" (the CPU that serves it). The caller's
 * reference. */
json_t *stats_interrupts(const struct plane *plane);

/* The same as /proc/interrupts prints it. The caller frees it. */
char *stats_interrupts_text(const json_t *interrupts);

/* What GRO did, why, and how often: by port ("left"), queue ("rx-0") and reason, all of them. Of
 * the port of that name alone; NULL: of all. NULL if there is none. The caller's reference. */
json_t *stats_gro(struct plane *plane, const char *name);

/* The same as a table for a person. The caller frees it. */
char *stats_gro_text(const json_t *gro);

#endif
