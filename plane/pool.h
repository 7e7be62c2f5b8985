/* SPDX-License-Identifier: MIT */
/*
 * pool.h - packet buffers of a declared number: one pool per worker.
 *
 * Two sizes: small holds a wire-sized frame, big the largest a device may hand over. The owner
 * takes and gives back without atomics, last in first out, so that buffers stay in cache;
 * others give back through a list that the owner takes over whole. Memory is touched only when
 * used.
 */
#ifndef PLANE_POOL_H
#define PLANE_POOL_H

#include <leat/pkt.h>

enum {
	POOL_HEADROOM = 128,
	POOL_SMALL = 2048,	/* bytes of a small buffer behind its headroom */
	POOL_BIG = 65536 + 256, /* a 64 KB IP packet and what is before it */
};

struct pool {
	struct leat_pkt *small, *big;  /* the owner's, linked by frag_list */
	uint32_t smalls, bigs;	       /* how many are in them */
	uint32_t all_smalls, all_bigs; /* how many there are */
	struct leat_pkt *returned __attribute__((aligned(64))); /* atomic: given back by others */
	uint32_t parked[2]; /* atomic: small ones, big ones that wait on queues (move.h) */
	void *memory;
	size_t size;
};

/* Gives 0 or -ENOMEM. Packets' owner is the pool. */
int pool_init(struct pool *p, uint32_t smalls, uint32_t bigs);
void pool_fini(struct pool *p);

/* A packet with size bytes of room at head + POOL_HEADROOM, data there, len 0; NULL if there is
 * none. */
struct leat_pkt *pool_small(struct pool *p);
struct leat_pkt *pool_big(struct pool *p);

/* Whether the owner has a buffer of either size, short of what others have just given back. */
static inline bool pool_has(const struct pool *p)
{
	return p->small && p->big;
}

/* Whether a packet is in a big buffer. */
static inline bool pool_is_big(const struct leat_pkt *pkt)
{
	return pkt->size > POOL_HEADROOM + POOL_SMALL + 64;
}

/* Give back `n` packets with their chains, each to its owner. `own`: the pool of the calling
 * worker, NULL for a thread that has none. */
void pool_give(struct pool *own, struct leat_pkt *const *pkts, unsigned n);

#endif
