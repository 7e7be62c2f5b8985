/* SPDX-License-Identifier: MIT */
#include "better.h"

#include "random.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	FLOWS_TRIED_MAX = 1 << 14,
	SEED = 2,
	HASH_BITS = 32,
};

/* The flows that context 0's table chooses for, the largest first: every other one is of a half. */
struct samples {
	const struct flow **flow;
	uint32_t n;
	bool types[LEAT_RSS_FLOWS];
};

static int compare(const void *a, const void *b)
{
	const struct flow *x = *(const struct flow *const *)a, *y = *(const struct flow *const *)b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return memcmp(&x->id, &y->id, sizeof(x->id));
}

static int take_samples(struct samples *s, const struct tally *tally)
{
	*s = (struct samples){.flow = malloc((tally->outer.n + 1) * sizeof(struct flow *))};
	if (!s->flow)
		return -ENOMEM;
	for (uint32_t i = 0; i < tally->outer.n; i++) {
		const struct flow *f = &tally->outer.flow[i];

		if (f->choice.rxfh.by != LEAT_RXFH_BY_INDIR || f->input_len == 0)
			continue;
		s->types[flows_type(f)] = true;
		s->flow[s->n++] = f;
	}
	qsort(s->flow, s->n, sizeof(struct flow *), compare);
	if (s->n > FLOWS_TRIED_MAX)
		s->n = FLOWS_TRIED_MAX;
	return 0;
}

/* Of every `step`th flow from `first` on. */
static double try_key(const struct leat_rss *rss, const struct samples *s, uint32_t first,
		      uint32_t step)
{
	double load[CARD_QUEUES_MAX] = {0};

	for (uint32_t i = first; i < s->n; i += step) {
		const struct flow *f = s->flow[i];
		uint32_t hash = leat_toeplitz_hash(&rss->toeplitz, f->input, f->input_len);

		load[leat_rss_pick(rss, hash)] += (double)f->bytes;
	}
	return luck_unevenness(load, rss->n_queues);
}

static bool lacks_nothing(const struct leat_rss *rss, const struct samples *s)
{
	struct key_quality q;

	for (unsigned t = 0; t < LEAT_RSS_FLOWS; t++) {
		if (!s->types[t])
			continue;
		key_judge(rss, t, &q);
		if (q.rank < (q.bits < HASH_BITS ? q.bits : HASH_BITS) || q.dead || q.cancels ||
		    q.low_rank < (q.bits < q.low ? q.bits : q.low))
			return false;
	}
	return true;
}

static bool is_symmetric(const struct leat_rss *rss, const struct samples *s)
{
	struct key_quality q;

	for (unsigned t = 0; t < LEAT_RSS_FLOWS; t++) {
		if (!s->types[t])
			continue;
		key_judge(rss, t, &q);
		if (!q.symmetric)
			return false;
	}
	return true;
}

static void draw_key(uint8_t *key, size_t len, uint64_t *state)
{
	for (size_t i = 0; i < len; i++)
		key[i] = (uint8_t)(random_next(state) >> 56);
}

/* Have in `rss` the key that spreads the first half best. */
static void search(struct leat_rss *rss, const struct samples *s, unsigned tries, struct better *b)
{
	uint8_t key[LEAT_RSS_KEY_MAX];
	struct leat_rss_conf conf;
	uint64_t state = SEED;

	leat_rss_conf_of(rss, &conf);
	b->chosen_by.best = HUGE_VAL;
	for (b->tried = 0; b->tried < tries; b->tried++) {
		double got;

		draw_key(key, conf.key_len, &state);
		leat_toeplitz_init(&rss->toeplitz, key, conf.key_len);
		got = try_key(rss, s, 0, 2);
		if (got >= b->chosen_by.best || !lacks_nothing(rss, s))
			continue;
		b->chosen_by.best = got;
		b->key_len = conf.key_len;
		memcpy(b->key, key, conf.key_len);
	}
	leat_toeplitz_init(&rss->toeplitz, b->key, b->key_len);
}

static int draw_luck(struct better *b, const struct leat_rss *rss, const struct samples *s)
{
	struct luck_unit *unit = malloc(s->n * sizeof(*unit));
	uint32_t n = 0;
	int err;

	if (!unit)
		return -ENOMEM;
	for (uint32_t i = 1; i < s->n; i += 2)
		unit[n++] = (struct luck_unit){(double)s->flow[i]->bytes, rss, 0};
	err = luck_draw(&b->luck, unit, n, rss->n_queues, b->held_out.present);
	free(unit);
	return err;
}

static int compare_keys(struct better *b, const struct leat_rss *present, struct leat_rss *rss,
			const struct samples *s, unsigned tries)
{
	b->flows = s->n;
	b->chosen_by.present = try_key(present, s, 0, 2);
	b->held_out.present = try_key(present, s, 1, 2);
	b->all.present = try_key(present, s, 0, 1);
	search(rss, s, tries, b);
	if (b->key_len == 0)
		return 0;
	b->held_out.best = try_key(rss, s, 1, 2);
	b->all.best = try_key(rss, s, 0, 1);
	if (draw_luck(b, rss, s))
		return -ENOMEM;
	b->loses_symmetry = is_symmetric(present, s) && !is_symmetric(rss, s);
	b->is_better = b->luck.above < 0.025 && b->held_out.best <= b->luck.high;
	return 0;
}

int better_search(struct better *better, const struct tally *tally, unsigned tries)
{
	const struct leat_rss *present = tally->card->rxfh.context[0];
	struct leat_rss *rss = malloc(sizeof(*rss));
	struct samples s;
	int err = take_samples(&s, tally);

	*better = (struct better){0};
	if (!rss)
		err = -ENOMEM;
	if (!err && s.n >= 2) {
		*rss = *present;
		err = compare_keys(better, present, rss, &s, tries);
	}
	free(s.flow);
	free(rss);
	return err;
}
