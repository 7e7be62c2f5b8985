/* SPDX-License-Identifier: MIT */
#include "gen_card.h"

#include <errno.h>
#include <leat/arfs.h>
#include <leat/flow.h>
#include <leat/parse.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { NO_QUEUE = 0xffff };

/* A frame on a ring. */
struct frame {
	const struct gen_flow *flow;
	struct gen_at at;
	uint32_t len;
	uint32_t hash;
};

struct ring {
	_Alignas(64) uint32_t head; /* atomic: the receiver's */
	_Alignas(64) uint32_t tail; /* atomic: under the lock */
	struct frame *frame;	    /* depth of them */
};

/* Where a flow's frames go: its value's part, worked out beforehand. */
struct target {
	uint32_t hash;
	uint16_t queue; /* NO_QUEUE: dropped */
	bool by_hash;	/* no rule put it there: a filter comes first */
};

/* The exact-match table: filters in chains by hash. */
struct filter {
	uint32_t hash;
	uint16_t queue;
	uint16_t next; /* in its chain, or of the free ones */
};

struct gen_card {
	pthread_mutex_t lock; /* what arrives, and by what it is steered */
	struct gen_card_conf conf;
	uint64_t random;
	uint64_t left;	      /* atomic: frames to arrive */
	uint64_t dropped;     /* atomic: by a rule */
	struct gen_flow *now; /* whose burst it is */
	uint32_t burst;	      /* frames of it to arrive */
	struct target *target;
	uint16_t *chain; /* 1 << bits of them */
	unsigned bits;
	struct filter *filter;
	uint16_t unused; /* the first free filter */
	struct ring ring[];
};

static struct gen_card *allocate(const struct gen_card_conf *conf)
{
	size_t size = sizeof(struct gen_card) + conf->queues * sizeof(struct ring);
	struct gen_card *card = aligned_alloc(64, (size + 63) & ~(size_t)63);

	if (!card)
		return NULL;
	memset(card, 0, size);
	card->conf = *conf;
	pthread_mutex_init(&card->lock, NULL);
	while (1u << card->bits < conf->filters)
		card->bits++;
	card->target = calloc(conf->flows + 1, sizeof(*card->target));
	card->chain = malloc(sizeof(*card->chain) << card->bits);
	card->filter = calloc(conf->filters + 1, sizeof(*card->filter));
	for (unsigned q = 0; q < conf->queues; q++)
		card->ring[q].frame = calloc(card->conf.depth, sizeof(struct frame));
	return card;
}

static bool is_whole(const struct gen_card *card)
{
	for (unsigned q = 0; q < card->conf.queues; q++) {
		if (!card->ring[q].frame)
			return false;
	}
	return card->target && card->chain && card->filter;
}

struct gen_card *gen_card_new(const struct gen_card_conf *conf)
{
	struct gen_card *card = allocate(conf);

	if (!card || !is_whole(card)) {
		gen_card_free(card);
		return NULL;
	}
	card->random = conf->seed;
	card->left = conf->flows ? conf->count : 0;
	memset(card->chain, 0xff, sizeof(*card->chain) << card->bits);
	for (uint32_t i = 0; i < conf->filters; i++)
		card->filter[i].next =
			(uint16_t)(i + 1 < conf->filters ? i + 1 : LEAT_ARFS_NO_FILTER);
	card->unused = conf->filters ? 0 : LEAT_ARFS_NO_FILTER;
	return card;
}

void gen_card_free(struct gen_card *card)
{
	if (!card)
		return;
	for (unsigned q = 0; q < card->conf.queues; q++)
		free(card->ring[q].frame);
	free(card->target);
	free(card->chain);
	free(card->filter);
	pthread_mutex_destroy(&card->lock);
	free(card);
}

/* --- steering --- */

static struct target choose(const struct gen_card *card, const struct gen_flow *flow,
			    const struct leat_rxfh *rxfh)
{
	uint8_t frame[GEN_HDR_ROOM + GEN_NUMBER_LEN];
	struct leat_rxfh_choice choice;
	struct leat_pkt pkt, *one = &pkt;

	leat_pkt_init(&pkt, frame,
		      gen_flow_write(flow, &flow->at, card->conf.filler, GEN_NUMBER_LEN, frame));
	leat_parse(NULL, &one, 1);
	leat_rxfh_pick(rxfh, &pkt, &choice);
	return (struct target){
		.hash = choice.hash,
		.queue = choice.by == LEAT_RXFH_BY_DROP ? NO_QUEUE : choice.queue,
		.by_hash = choice.by == LEAT_RXFH_BY_INDIR,
	};
}

/* Under the lock, as flows are numbered meanwhile. */
int gen_card_steer(struct gen_card *card, const struct leat_rxfh *rxfh)
{
	pthread_mutex_lock(&card->lock);
	for (uint32_t i = 0; i < card->conf.flows; i++)
		card->target[i] = choose(card, &card->conf.flow[i], rxfh);
	pthread_mutex_unlock(&card->lock);
	return 0;
}

static uint16_t *chain_of(struct gen_card *card, uint32_t hash)
{
	return &card->chain[card->bits ? leat_hash_32(hash, card->bits) : 0];
}

/* The link to the filter of `hash`, or the chain's last. */
static uint16_t *find(struct gen_card *card, uint32_t hash)
{
	uint16_t *link = chain_of(card, hash);

	while (*link != LEAT_ARFS_NO_FILTER && card->filter[*link].hash != hash)
		link = &card->filter[*link].next;
	return link;
}

static int set_filter(struct gen_card *card, uint32_t hash, uint16_t queue)
{
	uint16_t *link = find(card, hash), id = *link;

	if (id == LEAT_ARFS_NO_FILTER) {
		id = card->unused;
		if (id == LEAT_ARFS_NO_FILTER)
			return -ENOSPC;
		card->unused = card->filter[id].next;
		card->filter[id] = (struct filter){hash, queue, LEAT_ARFS_NO_FILTER};
		*link = id;
	}
	card->filter[id].queue = queue;
	return id;
}

int gen_card_flow_steer(struct gen_card *card, uint32_t hash, uint16_t queue)
{
	int id;

	pthread_mutex_lock(&card->lock);
	id = set_filter(card, hash, queue);
	pthread_mutex_unlock(&card->lock);
	return id;
}

void gen_card_flow_forget(struct gen_card *card, uint16_t filter)
{
	uint16_t *link;

	pthread_mutex_lock(&card->lock);
	link = find(card, card->filter[filter].hash);
	*link = card->filter[filter].next;
	card->filter[filter].next = card->unused;
	card->unused = filter;
	pthread_mutex_unlock(&card->lock);
}

/* --- the wire --- */

static struct gen_flow *pick_flow(struct gen_card *card)
{
	if (card->burst == 0) {
		card->now =
			card->conf.flow + leat_reciprocal_scale((uint32_t)gen_random(&card->random),
								card->conf.flows);
		card->burst = card->conf.burst;
	}
	return card->now;
}

static uint32_t pick_size(struct gen_card *card)
{
	const struct gen_card_conf *c = &card->conf;

	if (c->min == c->max)
		return c->min;
	return c->min +
	       leat_reciprocal_scale((uint32_t)gen_random(&card->random), c->max - c->min + 1);
}

static uint16_t pick_queue(struct gen_card *card, const struct target *target)
{
	uint16_t id = target->by_hash ? *find(card, target->hash) : LEAT_ARFS_NO_FILTER;

	return id == LEAT_ARFS_NO_FILTER ? target->queue : card->filter[id].queue;
}

/* Put the flow's next frame on the ring. False: it is full. */
static bool put(struct gen_card *card, struct ring *r, struct gen_flow *flow, uint32_t hash)
{
	uint32_t head = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);
	uint32_t len;

	if (r->tail - head == card->conf.depth)
		return false;
	len = pick_size(card);
	r->frame[r->tail % card->conf.depth] =
		(struct frame){.flow = flow, .at = flow->at, .len = len, .hash = hash};
	__atomic_store_n(&r->tail, r->tail + 1, __ATOMIC_RELEASE);
	gen_step(&flow->at, len);
	return true;
}

/* The next frame of the wire. False: it has to wait. */
static bool arrive(struct gen_card *card)
{
	struct gen_flow *flow = pick_flow(card);
	const struct target *target = &card->target[flow - card->conf.flow];
	uint16_t queue = pick_queue(card, target);

	if (queue == NO_QUEUE) {
		gen_step(&flow->at, pick_size(card));
		__atomic_store_n(&card->dropped, card->dropped + 1, __ATOMIC_RELAXED);
	} else if (!put(card, &card->ring[queue], flow, target->hash)) {
		return false;
	}
	card->burst--;
	return true;
}

uint64_t gen_card_rule_dropped(const struct gen_card *card)
{
	return __atomic_load_n(&card->dropped, __ATOMIC_RELAXED);
}

unsigned gen_card_arrive(struct gen_card *card, unsigned n)
{
	unsigned i = 0;

	pthread_mutex_lock(&card->lock);
	while (i < n && i < card->left && arrive(card))
		i++;
	if (card->left != UINT64_MAX)
		__atomic_store_n(&card->left, card->left - i, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&card->lock);
	return i;
}

/* --- a queue --- */

unsigned gen_card_waiting(const struct gen_card *card, unsigned queue)
{
	const struct ring *r = &card->ring[queue];

	return __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE) -
	       __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);
}

void gen_card_write(const struct gen_card *card, unsigned queue, unsigned i, struct leat_pkt *pkt)
{
	const struct ring *r = &card->ring[queue];
	const struct frame *f = &r->frame[(r->head + i) % card->conf.depth];

	pkt->len = pkt->headlen =
		gen_flow_write(f->flow, &f->at, card->conf.filler, f->len, pkt->data);
	pkt->hash = f->hash;
	pkt->hash_type = LEAT_HASH_L4;
	pkt->csum = LEAT_CSUM_UNNECESSARY;
}

void gen_card_take(struct gen_card *card, unsigned queue, unsigned n)
{
	struct ring *r = &card->ring[queue];

	__atomic_store_n(&r->head, r->head + n, __ATOMIC_RELEASE);
}

bool gen_card_ended(const struct gen_card *card)
{
	return __atomic_load_n(&card->left, __ATOMIC_ACQUIRE) == 0;
}
