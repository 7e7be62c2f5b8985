/* SPDX-License-Identifier: MIT */
#include "picture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	HEIGHT = 480,	/* of all bytes */
	ROOM = 17,	/* of a line of words */
	OWN_MAX = 24,	/* flows with a box of their own, */
	OWN_PART = 200, /* each with at least one in so many bytes */
	GAP = 3,
};

static unsigned count_queues(const struct account *a)
{
	return a->card->rxfh.n_queues + (a->tally->drop.packets > 0);
}

static uint32_t count_own(const struct account *a)
{
	uint32_t n = a->tally->outer.n < OWN_MAX ? a->tally->outer.n : OWN_MAX;

	while (n > 0 && a->largest[n - 1]->bytes < a->tally->all.bytes / OWN_PART)
		n--;
	return n;
}

static bool allocate(struct picture *p, const struct account *a)
{
	uint32_t own = count_own(a);

	p->n_queues = count_queues(a);
	p->flow = calloc(own + p->n_queues, sizeof(*p->flow));
	p->queue = calloc(p->n_queues, sizeof(*p->queue));
	p->cpu = calloc(LEAT_CPUS_MAX, sizeof(*p->cpu));
	p->link = calloc((size_t)p->n_queues * LEAT_CPUS_MAX, sizeof(*p->link));
	return p->flow && p->queue && p->cpu && p->link;
}

static unsigned queue_of(const struct account *a, const struct flow *f)
{
	return f->choice.rxfh.by == LEAT_RXFH_BY_DROP ? a->card->rxfh.n_queues :
							f->choice.rxfh.queue;
}

static int compare_queues(const void *a, const void *b)
{
	const struct queue_box *x = a, *y = b;

	if (x->box.y != y->box.y)
		return x->box.y < y->box.y ? -1 : 1;
	return x->queue < y->queue ? -1 : 1;
}

/* By their CPU, which is in box.y meanwhile; what is dropped is last. */
static void sort_queues(struct picture *p, const struct account *a)
{
	for (unsigned q = 0; q < p->n_queues; q++) {
		bool dropped = q == a->card->rxfh.n_queues;
		const struct load *load = dropped ? &a->tally->drop : &a->tally->queue[q];

		p->queue[q] = (struct queue_box){{.bytes = (double)load->bytes}, q, load->flows};
		if (dropped)
			p->queue[q].box.y = LEAT_CPUS_MAX;
		else if (!a->card->rps[q])
			p->queue[q].box.y = a->card->cpu[q];
		if (!dropped && load->bytes > p->most)
			p->most = load->bytes;
	}
	qsort(p->queue, p->n_queues, sizeof(*p->queue), compare_queues);
}

/* place[q] is queue q's box. */
static void find_places(const struct picture *p, unsigned *place)
{
	for (unsigned i = 0; i < p->n_queues; i++)
		place[p->queue[i].queue] = i;
}

/* The CPUs that have a queue or a packet. */
static void find_cpus(struct picture *p, const struct account *a, unsigned *box_of)
{
	bool used[LEAT_CPUS_MAX] = {false};

	for (unsigned q = 0; q < a->card->rxfh.n_queues; q++)
		used[a->card->cpu[q]] |= !a->card->rps[q];
	for (unsigned c = 0; c < LEAT_CPUS_MAX; c++) {
		const struct load *load = &a->tally->cpu[c];

		if (!used[c] && !load->packets)
			continue;
		box_of[c] = p->n_cpus;
		p->cpu[p->n_cpus++] = (struct cpu_box){{.bytes = (double)load->bytes}, c};
	}
}

static void add_links(struct picture *p, const struct account *a, const unsigned *place,
		      const unsigned *box_of)
{
	for (uint32_t i = 0; i < a->tally->outer.n; i++) {
		const struct flow *f = a->largest[i];
		unsigned q = place[queue_of(a, f)];

		if (f->choice.rxfh.by != LEAT_RXFH_BY_DROP)
			p->link[q * p->n_cpus + box_of[f->choice.cpu]] += (double)f->bytes;
	}
}

static void add_box(struct picture *p, const struct flow *flow, uint32_t flows, double bytes,
		    unsigned queue)
{
	p->flow[p->n_flows++] = (struct flow_box){{.bytes = bytes}, flow, flows, queue};
}

/* Each queue's flows: those with a box of their own, and the rest. */
static void add_flows(struct picture *p, const struct account *a, const unsigned *place)
{
	uint32_t own = count_own(a);

	for (unsigned q = 0; q < p->n_queues; q++) {
		double rest = p->queue[q].box.bytes;
		uint64_t flows = p->queue[q].flows;

		for (uint32_t i = 0; i < own; i++) {
			const struct flow *f = a->largest[i];

			if (place[queue_of(a, f)] != q)
				continue;
			add_box(p, f, 1, (double)f->bytes, q);
			rest -= (double)f->bytes;
			flows--;
		}
		if (flows)
			add_box(p, NULL, (uint32_t)flows, rest, q);
	}
}

/* --- sizes --- */

/* Give the box its height; what its column takes with it. */
static double size_box(const struct picture *p, struct box *box, double least)
{
	box->height = box->bytes * p->scale;
	box->room = box->height > least ? box->height : least;
	return box->room + GAP;
}

static double larger(double a, double b)
{
	return a > b ? a : b;
}

/* How high the highest column is. */
static double size_boxes(struct picture *p)
{
	double flows = 0, queues = 0, cpus = 0;

	for (unsigned i = 0; i < p->n_flows; i++)
		flows += size_box(p, &p->flow[i].box, ROOM);
	for (unsigned i = 0; i < p->n_queues; i++)
		queues += size_box(p, &p->queue[i].box, larger(ROOM, p->mean));
	for (unsigned i = 0; i < p->n_cpus; i++)
		cpus += size_box(p, &p->cpu[i].box, ROOM);
	return larger(flows, larger(queues, cpus));
}

/* Spread a column's boxes, `stride` bytes apart, over the height. */
static void place_boxes(const struct picture *p, void *first, size_t stride, unsigned n)
{
	double room = 0, y = 0, gap;

	for (unsigned i = 0; i < n; i++)
		room += ((struct box *)((char *)first + i * stride))->room;
	gap = (p->height - room) / n;
	for (unsigned i = 0; i < n; i++) {
		struct box *box = (struct box *)((char *)first + i * stride);

		box->y = y + gap / 2;
		y += box->room + gap;
	}
}

int picture_init(struct picture *p, const struct account *a)
{
	unsigned place[CARD_QUEUES_MAX + 1], box_of[LEAT_CPUS_MAX] = {0};

	*p = (struct picture){.bytes = (double)a->tally->all.bytes};
	if (!allocate(p, a))
		return -ENOMEM;
	p->scale = p->bytes > 0 ? HEIGHT / p->bytes : 0;
	p->mean = (p->bytes - (double)a->tally->drop.bytes) * p->scale / a->card->rxfh.n_queues;
	sort_queues(p, a);
	find_places(p, place);
	find_cpus(p, a, box_of);
	add_links(p, a, place, box_of);
	add_flows(p, a, place);
	p->height = size_boxes(p);
	place_boxes(p, p->flow, sizeof(*p->flow), p->n_flows);
	place_boxes(p, p->queue, sizeof(*p->queue), p->n_queues);
	place_boxes(p, p->cpu, sizeof(*p->cpu), p->n_cpus);
	return 0;
}

void picture_fini(struct picture *p)
{
	free(p->flow);
	free(p->queue);
	free(p->cpu);
	free(p->link);
}
