/* SPDX-License-Identifier: MIT */
/*
 * neigh.h - the neighbour table: the way to an address that nobody has sent from yet.
 *
 * Replies go back the way their request came (endpoint.h), so only what is sent first needs this
 * table. It holds what ARP and neighbour discovery told us, and whom we have asked for. It is
 * bounded: a full bucket forgets the entry that was longest not renewed. An entry is good until
 * another answer changes it; answers nobody asked for change entries and make none.
 *
 * Threads: any; a lock.
 */
#ifndef PLANE_HOST_NEIGH_H
#define PLANE_HOST_NEIGH_H

#include "addr.h"

#include <leat/flow.h>
#include <pthread.h>

enum {
	NEIGH_BITS = 8, /* log2 of the buckets */
	NEIGH_DEPTH = 4,
	NEIGH_AGAIN = 1000000000, /* ns after which a neighbour is asked for again (RetransTimer) */
};

struct neigh_entry {
	struct addr addr; /* version 0: free */
	uint64_t path;	  /* ADDR_NO_PATH: asked for */
	uint64_t renewed; /* ns: when last asked for or told */
};

struct neigh {
	pthread_mutex_t lock;
	uint64_t key; /* random */
	struct neigh_entry entry[1u << NEIGH_BITS][NEIGH_DEPTH];
};

/* An empty table. */
void neigh_init(struct neigh *table);
void neigh_fini(struct neigh *table);

/* `addr` is at the end of `path`. `make`: remember it though we did not ask. */
void neigh_learn(struct neigh *table, const struct addr *addr, uint64_t path, bool make,
		 uint64_t now);

/* The way to `addr`, or ADDR_NO_PATH. *ask, if the caller could ask for it: then it says whether it is
 * time to, and that it will be done. */
uint64_t neigh_find(struct neigh *table, const struct addr *addr, uint64_t now, bool *ask);

#endif
