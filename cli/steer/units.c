/* SPDX-License-Identifier: MIT */
#include "units.h"

#include "key.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Whether a context's hash of a flow type is symmetric. */
typedef bool symmetries[LEAT_RXFH_CONTEXTS_MAX][LEAT_RSS_FLOWS];

static void find_symmetries(const struct card *card, symmetries symmetric)
{
	struct key_quality quality;

	for (unsigned c = 0; c < LEAT_RXFH_CONTEXTS_MAX; c++) {
		const struct leat_rss *rss = card->rxfh.context[c];

		for (unsigned t = 0; rss && t < LEAT_RSS_FLOWS; t++) {
			key_judge(rss, t, &quality);
			symmetric[c][t] = quality.symmetric;
		}
	}
}

/* The same for both directions. */
static void order_ends(struct leat_flow *id)
{
	struct leat_flow other = *id;
	int order = memcmp(id->src, id->dst, sizeof(id->src));

	if (order < 0 || (order == 0 && id->sport <= id->dport))
		return;
	memcpy(other.src, id->dst, sizeof(other.src));
	memcpy(other.dst, id->src, sizeof(other.dst));
	other.sport = id->dport;
	other.dport = id->sport;
	*id = other;
}

/* `packets` and `bytes` are those of the flow's that count. */
static void add(struct units *units, const struct card *card, symmetries symmetric,
		const struct flow *flow, uint64_t packets, uint64_t bytes)
{
	struct unit *u = &units->unit[units->n];

	if (flow->choice.rxfh.by == LEAT_RXFH_BY_DROP || packets == 0)
		return;
	*u = (struct unit){
		.id = flow->id,
		.table = card_table(card, &flow->choice),
		.queue = flow->choice.rxfh.queue,
		.now = flow->choice.rxfh.queue,
		.context = flow->choice.rxfh.context,
		.load = {1, (double)packets, (double)bytes},
	};
	if (u->table)
		u->queue = (uint16_t)card_offset(card, &flow->choice);
	if (u->table && symmetric[flow->choice.rxfh.context][flows_type(flow)])
		order_ends(&u->id);
	units->n++;
}

static int compare(const void *a, const void *b)
{
	const struct unit *x = a, *y = b;
	int order = memcmp(&x->id, &y->id, sizeof(x->id));

	if (order == 0)
		order = x->context - y->context;
	if (order == 0)
		order = !x->table - !y->table;
	return order ? order : x->now - y->now;
}

/* Sorted, so that the draws do not depend on the order of frames. What has its queue moves with
 * nothing. */
static void join(struct units *units)
{
	size_t n = 0;

	qsort(units->unit, units->n, sizeof(*units->unit), compare);
	for (size_t i = 0; i < units->n; i++) {
		struct unit *u = &units->unit[i];

		if (n == 0 || !u->table || compare(&units->unit[n - 1], u) != 0) {
			units->unit[n++] = *u;
			continue;
		}
		for (unsigned m = 0; m < 3; m++)
			units->unit[n - 1].load[m] += u->load[m];
	}
	units->n = n;
}

int units_init(struct units *units, const struct tally *tally, bool inside)
{
	symmetries symmetric = {0};

	units->n = 0;
	units->unit = malloc((tally->outer.n + (size_t)tally->inside.n + 1) * sizeof(*units->unit));
	if (!units->unit)
		return -ENOMEM;
	find_symmetries(tally->card, symmetric);
	for (uint32_t i = 0; i < tally->outer.n; i++) {
		const struct flow *f = &tally->outer.flow[i];

		add(units, tally->card, symmetric, f, f->packets - (inside ? f->seen_packets : 0),
		    f->bytes - (inside ? f->seen_bytes : 0));
	}
	for (uint32_t i = 0; inside && i < tally->inside.n; i++) {
		const struct flow *f = &tally->inside.flow[i];

		if (f->kind != HIDDEN_FRAGMENT)
			add(units, tally->card, symmetric, f, f->packets, f->bytes);
	}
	join(units);
	return 0;
}

void units_fini(struct units *units)
{
	free(units->unit);
}
