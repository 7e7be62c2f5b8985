/* SPDX-License-Identifier: MIT */
/*
 * ring.h - the one queue between threads: many producers, one consumer, in order.
 *
 * A CPU's backlog is one ring, and so is an application thread's inbox. tail counts what was ever
 * enqueued, head what was ever *finished*: the consumer peeks, processes, then releases. So head
 * and tail are the kernel's input_queue_head and input_queue_tail, and "head has passed a tail"
 * means that everything before it has been processed, not just taken out. Both are free-running.
 *
 * A producer reserves a batch with one compare-and-swap of tail and then fills its slots; a slot
 * is empty while it is NULL. Pairs: slot store-release with slot load-acquire (the packet);
 * head store-release with head load-acquire (the slot may be filled again; all that was done
 * with the packet is visible). Consumer and producers write different cache lines.
 */
#ifndef PLANE_RING_H
#define PLANE_RING_H

#include <leat/pkt.h>

struct ring {
	_Alignas(64) uint32_t tail; /* producers */
	_Alignas(64) uint32_t head; /* the consumer */
	_Alignas(64) uint32_t mask; /* nobody, once made */
	struct leat_pkt **slot;
};

/* Room for at least `room` packets, at most 1 << 30. Gives 0 or -ENOMEM. */
int ring_init(struct ring *r, uint32_t room);
void ring_fini(struct ring *r);

/* Packets enqueued and not yet released. */
static inline uint32_t ring_len(const struct ring *r)
{
	uint32_t head = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);

	return __atomic_load_n(&r->tail, __ATOMIC_RELAXED) - head;
}

/* Producer: enqueue the first of `n` packets as long as fewer than `limit` are in the ring.
 * Gives how many went in; *tail becomes the tail counter after the last of them. */
static inline unsigned ring_enqueue(struct ring *r, struct leat_pkt *const *pkts, unsigned n,
				    uint32_t limit, uint32_t *tail)
{
	uint32_t at = __atomic_load_n(&r->tail, __ATOMIC_RELAXED);
	uint32_t room;

	if (limit > r->mask + 1)
		limit = r->mask + 1;
	do {
		uint32_t len = at - __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);

		/* `at` may be older than head: the swap will then fail and bring a newer one. */
		room = (int32_t)len < 0 ? limit : len < limit ? limit - len : 0;
		if (room > n)
			room = n;
		if (room == 0)
			break;
	} while (!__atomic_compare_exchange_n(&r->tail, &at, at + room, true, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	for (unsigned i = 0; i < room; i++)
		__atomic_store_n(&r->slot[(at + i) & r->mask], pkts[i], __ATOMIC_RELEASE);
	*tail = at + room;
	return room;
}

/* Consumer: look at up to `n` packets without taking them; gives how many. */
static inline unsigned ring_peek(const struct ring *r, struct leat_pkt **pkts, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		pkts[i] = __atomic_load_n(&r->slot[(r->head + i) & r->mask], __ATOMIC_ACQUIRE);
		if (!pkts[i])
			break;
	}
	return i;
}

/* Consumer: `n` peeked packets have been processed. */
static inline void ring_release(struct ring *r, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		__atomic_store_n(&r->slot[(r->head + i) & r->mask], NULL, __ATOMIC_RELAXED);
	__atomic_store_n(&r->head, r->head + n, __ATOMIC_RELEASE);
}

static inline bool ring_empty(const struct ring *r)
{
	return !__atomic_load_n(&r->slot[r->head & r->mask], __ATOMIC_RELAXED);
}

#endif
