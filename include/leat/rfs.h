/* SPDX-License-Identifier: MIT */
/*
 * rfs.h - Receive Flow Steering: the CPU where the application reads the flow, and the rule that
 * no flow changes CPU before its old CPU has finished with it.
 *
 * Two tables. rps_sock_flow_table, one for all: application threads record under a flow's hash
 * the CPU they run on. rps_dev_flow_table, one per receive queue: the CPU the flow's packets go
 * to now, and last_qtail, the tail counter of that CPU's backlog after the flow's last packet.
 * The old CPU has finished when its backlog's head counter, advanced after processing, has
 * passed last_qtail. Counters are free-running 32-bit and wrap; they are compared by signed
 * difference.
 *
 * Unlike Linux, plain RPS goes through the second table too, so that a changed map does not
 * reorder a flow; see doc/decisions.
 *
 * Threads: the sock table may be recorded to and read by any number of threads at once (its
 * entries are hints, accessed relaxed). A dev table belongs to the thread that serves its queue;
 * others may look at its entries (arfs.h), so they are written with relaxed stores.
 * Source: Linux include/net/rps.h, get_rps_cpu(), scaling.rst.
 */
#ifndef LEAT_RFS_H
#define LEAT_RFS_H

#include <leat/rps.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	LEAT_RFS_ENTRIES_MAX = 1 << 29,
	LEAT_RFS_EMPTY = 0xffff, /* an entry of the sock table: no record, whatever the hash */
};

struct leat_rps_sock_flow_table {
	uint32_t size;	   /* entries, a power of two; 0: RFS is off */
	uint32_t cpu_mask; /* low bits of an entry that hold the CPU; the others the hash's */
	uint32_t *ents;
};

struct leat_rps_dev_flow {
	uint16_t cpu;	 /* LEAT_RPS_NO_CPU: none yet */
	uint16_t filter; /* accelerated RFS: the filter's id, 0xffff none */
	uint32_t last_qtail;
};

struct leat_rps_dev_flow_table {
	uint32_t bits; /* log2 of the entries */
	struct leat_rps_dev_flow *flows;
};

/* What the decision needs to know of the CPUs. head[c] is CPU c's backlog head counter, NULL
 * where no worker runs (the kernel's "offline"); c < n. */
struct leat_rps_heads {
	unsigned n;
	const uint32_t *const *head;
};

/* Entries rounded up to a power of two as the kernel shows them: 100 gives 128, 0 gives 0;
 * 0 as well beyond LEAT_RFS_ENTRIES_MAX. */
uint32_t leat_rfs_round(uint32_t entries);

/* Make a table of `size` (from leat_rfs_round) empty entries in `ents`, caller's memory;
 * n_cpus: one more than the highest CPU id. */
void leat_rfs_sock_init(struct leat_rps_sock_flow_table *t, uint32_t *ents, uint32_t size,
			unsigned n_cpus);

/* The same for a queue's table: 1 << bits flows, 0 <= bits <= 29. */
void leat_rfs_dev_init(struct leat_rps_dev_flow_table *t, struct leat_rps_dev_flow *flows,
		       unsigned bits);

/* An application thread on `cpu` reads or writes the flow of `hash`. 0 is no hash: nothing is
 * recorded, nor is a CPU beyond the table's n_cpus rounded up. Writes only what changed. */
void leat_rfs_record(const struct leat_rps_sock_flow_table *t, uint32_t hash, uint16_t cpu);

/* The CPU recorded for `hash`, LEAT_RPS_NO_CPU if none or another flow owns the slot. */
static inline uint16_t leat_rfs_desired(const struct leat_rps_sock_flow_table *t, uint32_t hash)
{
	uint32_t ident, other;

	if (hash == 0 || t->size == 0)
		return LEAT_RPS_NO_CPU;
	ident = __atomic_load_n(&t->ents[hash & (t->size - 1)], __ATOMIC_RELAXED);
	/* A mask: what the table says of the next packet is a toss, which a branch would lose. */
	other = ((ident ^ hash) & ~t->cpu_mask) | (ident == LEAT_RFS_EMPTY);
	return (uint16_t)((ident & t->cpu_mask) | (0u - (other != 0)));
}

/* Where a packet is to go: the CPU recorded for `hash`, else where the map puts it;
 * LEAT_RPS_NO_CPU if neither says. */
static inline uint16_t leat_rfs_pick(const struct leat_rps_sock_flow_table *t,
				     const struct leat_rps_map *map, uint32_t hash)
{
	uint32_t cpu = leat_rfs_desired(t, hash);
	uint32_t none = 0u - (cpu == LEAT_RPS_NO_CPU);

	return (uint16_t)((cpu & ~none) | (leat_rps_pick(map, hash) & none));
}

/* The queue's entry for `hash`. */
static inline struct leat_rps_dev_flow *leat_rfs_flow(const struct leat_rps_dev_flow_table *t,
						      uint32_t hash)
{
	return &t->flows[t->bits ? leat_hash_32(hash, t->bits) : 0];
}

/* Have both entries of `hash` come to the cache, for a decision that is to be made some 16 packets
 * later: then what is not there comes side by side. Changes nothing. (GCC would take a function that
 * does only this for one without effect, and drop its calls, were it not always inlined.) */
__attribute__((always_inline)) static inline void leat_rfs_prefetch(
	const struct leat_rps_sock_flow_table *t, const struct leat_rps_dev_flow_table *flows,
	uint32_t hash)
{
	if (t->size)
		__builtin_prefetch(&t->ents[hash & (t->size - 1)]);
	__builtin_prefetch(leat_rfs_flow(flows, hash), 1);
}

/* Whether CPU `flow->cpu` has finished with the flow: it has none, is offline, or its head has
 * passed last_qtail. */
bool leat_rfs_finished(const struct leat_rps_dev_flow *flow, const struct leat_rps_heads *heads);

/* Send the flow to `desired` if its CPU is another and has finished; else leave it. Gives the
 * CPU the flow is on now, always one that is online; LEAT_RPS_NO_CPU if it has finished with its
 * own and `desired` is not. On a switch last_qtail becomes desired's head. The caller stores the
 * tail after its enqueue to flow->last_qtail, relaxed. */
uint16_t leat_rfs_switch(struct leat_rps_dev_flow *flow, uint16_t desired,
			 const struct leat_rps_heads *heads);

#ifdef __cplusplus
}
#endif

#endif
