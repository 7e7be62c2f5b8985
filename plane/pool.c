/* SPDX-License-Identifier: MIT */
#include "pool.h"

#include <errno.h>
#include <sys/mman.h>

/* Strides are odd multiples of the cache line, so that buffers do not all meet in the same
 * sets. */
enum {
	SMALL_STRIDE = POOL_HEADROOM + POOL_SMALL + 64,
	BIG_STRIDE = POOL_HEADROOM + POOL_BIG + 64,
};
_Static_assert(SMALL_STRIDE % 128 == 64, "small stride");
_Static_assert(BIG_STRIDE % 128 == 64, "big stride");

/* A descriptor shares no cache line with another, which may be in use by another CPU. */
struct descriptor {
	_Alignas(64) struct leat_pkt pkt;
};

static void push(struct leat_pkt **list, struct leat_pkt *pkt)
{
	pkt->frag_list = *list;
	*list = pkt;
}

/* Make `n` packets with buffers of `stride` bytes out of memory at `pkt` and `buffer`. */
static void make(struct pool *p, struct leat_pkt **list, struct descriptor *d, uint8_t *buffer,
		 uint32_t n, uint32_t stride)
{
	for (uint32_t i = n; i-- > 0;) {
		d[i].pkt.head = buffer + (size_t)i * stride;
		d[i].pkt.size = stride;
		d[i].pkt.owner = p;
		push(list, &d[i].pkt);
	}
}

int pool_init(struct pool *p, uint32_t smalls, uint32_t bigs)
{
	size_t descriptors = (smalls + (size_t)bigs) * sizeof(struct descriptor);
	size_t small_bytes = (size_t)smalls * SMALL_STRIDE;
	uint8_t *m;

	*p = (struct pool){.smalls = smalls, .bigs = bigs, .all_smalls = smalls, .all_bigs = bigs};
	p->size = descriptors + small_bytes + (size_t)bigs * BIG_STRIDE;
	m = mmap(NULL, p->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		 -1, 0);
	if (m == MAP_FAILED)
		return -ENOMEM;
	p->memory = m;
	make(p, &p->small, (struct descriptor *)m, m + descriptors, smalls, SMALL_STRIDE);
	make(p, &p->big, (struct descriptor *)m + smalls, m + descriptors + small_bytes, bigs,
	     BIG_STRIDE);
	return 0;
}

void pool_fini(struct pool *p)
{
	if (p->memory)
		munmap(p->memory, p->size);
	p->memory = NULL;
}

static void keep(struct pool *p, struct leat_pkt *pkt)
{
	if (pool_is_big(pkt)) {
		push(&p->big, pkt);
		p->bigs++;
	} else {
		push(&p->small, pkt);
		p->smalls++;
	}
}

/* Take over what others gave back. */
static void collect(struct pool *p)
{
	struct leat_pkt *pkt, *next;

	if (!__atomic_load_n(&p->returned, __ATOMIC_RELAXED))
		return;
	for (pkt = __atomic_exchange_n(&p->returned, NULL, __ATOMIC_ACQUIRE); pkt; pkt = next) {
		next = pkt->frag_list;
		keep(p, pkt);
	}
}

static struct leat_pkt *take(struct pool *p, struct leat_pkt **list, uint32_t *count)
{
	struct leat_pkt *pkt;

	if (!*list)
		collect(p);
	pkt = *list;
	if (!pkt)
		return NULL;
	*list = pkt->frag_list;
	(*count)--;
	leat_pkt_init(pkt, pkt->head + POOL_HEADROOM, 0);
	return pkt;
}

struct leat_pkt *pool_small(struct pool *p)
{
	return take(p, &p->small, &p->smalls);
}

struct leat_pkt *pool_big(struct pool *p)
{
	return take(p, &p->big, &p->bigs);
}

/* Packets of one other pool, linked, on their way there. */
struct parcel {
	struct pool *to;
	struct leat_pkt *first, *last;
};

static void send_back(struct parcel *b)
{
	struct leat_pkt *old;

	if (!b->to)
		return;
	old = __atomic_load_n(&b->to->returned, __ATOMIC_RELAXED);
	do
		b->last->frag_list = old;
	while (!__atomic_compare_exchange_n(&b->to->returned, &old, b->first, true,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED));
	b->to = NULL;
}

static void add(struct parcel *b, struct pool *to, struct leat_pkt *pkt)
{
	if (b->to != to) {
		send_back(b);
		*b = (struct parcel){to, NULL, pkt};
	}
	pkt->frag_list = b->first;
	b->first = pkt;
}

void pool_give(struct pool *own, struct leat_pkt *const *pkts, unsigned n)
{
	struct parcel parcel = {NULL, NULL, NULL};
	struct leat_pkt *next;

	for (unsigned i = 0; i < n; i++) {
		for (struct leat_pkt *pkt = pkts[i]; pkt; pkt = next) {
			next = pkt->frag_list;
			if (pkt->owner == own)
				keep(own, pkt);
			else
				add(&parcel, pkt->owner, pkt);
		}
	}
	send_back(&parcel);
}
