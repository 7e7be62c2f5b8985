/* SPDX-License-Identifier: MIT */
#include "verdict.h"

#include "units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *const measure_name[MEASURES] = {"flows", "packets", "bytes"};

bool verdict_is_fault(const struct spread *spread)
{
	return spread->luck.draws && spread->luck.above < 0.025;
}

static int draw(struct spread spread[MEASURES], const struct units *units, unsigned n_queues)
{
	struct luck_unit *unit = malloc((units->n + 1) * sizeof(*unit));
	double load[CARD_QUEUES_MAX];
	int err = unit ? 0 : -ENOMEM;

	for (unsigned m = 0; !err && m < MEASURES; m++) {
		memset(load, 0, sizeof(load));
		for (size_t i = 0; i < units->n; i++) {
			const struct unit *u = &units->unit[i];

			unit[i] = (struct luck_unit){u->load[m], u->table, u->queue};
			load[u->now] += u->load[m];
		}
		spread[m].observed = luck_unevenness(load, n_queues);
		err = luck_draw(&spread[m].luck, unit, units->n, n_queues, spread[m].observed);
	}
	free(unit);
	return err;
}

static int draw_now(struct verdict *v, const struct tally *tally)
{
	struct units units;
	int err = units_init(&units, tally, false);

	if (!err)
		err = draw(v->now, &units, tally->card->rxfh.n_queues);
	v->units = units.n;
	units_fini(&units);
	return err;
}

static int draw_inside(struct verdict *v, const struct tally *tally)
{
	struct units units;
	int err;

	if (!v->hides) {
		memcpy(v->inside, v->now, sizeof(v->inside));
		return 0;
	}
	err = units_init(&units, tally, true);
	if (!err)
		err = draw(v->inside, &units, tally->card->rxfh.n_queues);
	units_fini(&units);
	return err;
}

static int compare_inputs(const void *a, const void *b)
{
	const struct flow *x = *(const struct flow *const *)a, *y = *(const struct flow *const *)b;

	if (x->choice.rxfh.context != y->choice.rxfh.context)
		return x->choice.rxfh.context < y->choice.rxfh.context ? -1 : 1;
	if (x->input_len != y->input_len)
		return x->input_len < y->input_len ? -1 : 1;
	return memcmp(x->input, y->input, x->input_len);
}

static int count_inputs(struct verdict *v, const struct tally *tally)
{
	const struct flow **by_input = malloc((tally->outer.n + 1) * sizeof(struct flow *));
	size_t n = 0;

	if (!by_input)
		return -ENOMEM;
	for (uint32_t i = 0; i < tally->outer.n; i++) {
		const struct flow *f = &tally->outer.flow[i];

		v->unhashed += f->input_len == 0;
		if (card_table(tally->card, &f->choice))
			by_input[n++] = f;
	}
	qsort(by_input, n, sizeof(struct flow *), compare_inputs);
	for (size_t i = 0; i < n; i++)
		v->inputs += i == 0 || compare_inputs(&by_input[i - 1], &by_input[i]) != 0;
	free(by_input);
	return 0;
}

/* Bytes of each kind by queue, now and with the inner headers hashed. */
struct covered_load {
	double now[HIDDEN_KINDS][CARD_QUEUES_MAX], would[HIDDEN_KINDS][CARD_QUEUES_MAX];
};

static void add_outer(struct verdict *v, struct covered_load *load, const struct flow *f)
{
	struct covered *c = &v->covered[f->kind];

	c->packets += f->packets;
	c->bytes += f->bytes;
	c->flows++;
	if (f->choice.rxfh.by == LEAT_RXFH_BY_DROP)
		return;
	load->now[f->kind][f->choice.rxfh.queue] += (double)f->bytes;
	load->would[f->kind][f->choice.rxfh.queue] += (double)(f->bytes - f->seen_bytes);
}

static void add_inside(struct verdict *v, struct covered_load *load, const struct flow *f)
{
	v->covered[f->kind].inside++;
	if (f->kind != HIDDEN_FRAGMENT && f->choice.rxfh.by != LEAT_RXFH_BY_DROP)
		load->would[f->kind][f->choice.rxfh.queue] += (double)f->bytes;
}

static int count_covered(struct verdict *v, const struct tally *tally)
{
	unsigned n_queues = tally->card->rxfh.n_queues;
	struct covered_load *load = calloc(1, sizeof(*load));

	if (!load)
		return -ENOMEM;
	for (uint32_t i = 0; i < tally->outer.n; i++)
		add_outer(v, load, &tally->outer.flow[i]);
	for (uint32_t i = 0; i < tally->inside.n; i++)
		add_inside(v, load, &tally->inside.flow[i]);
	for (unsigned k = 0; k < HIDDEN_KINDS; k++) {
		struct covered *c = &v->covered[k];

		c->observed = luck_unevenness(load->now[k], n_queues);
		c->would = luck_unevenness(load->would[k], n_queues);
		v->hides |= k != HIDDEN_FRAGMENT && c->inside > c->flows;
	}
	free(load);
	return 0;
}

/* Flows whose whole packets overtake, or are overtaken by, their fragments. */
static void count_split(struct verdict *v, const struct tally *tally)
{
	for (uint32_t i = 0; i < tally->inside.n; i++) {
		const struct flow *f = &tally->inside.flow[i], *whole;

		if (f->kind != HIDDEN_FRAGMENT)
			continue;
		whole = flows_find(&tally->outer, &f->id, HIDDEN_NOTHING, f->hash);
		v->split += whole && whole->choice.rxfh.queue != f->choice.rxfh.queue;
	}
}

static void judge_keys(struct verdict *v, const struct tally *tally)
{
	const struct leat_rss *rss = tally->card->rxfh.context[0];

	for (uint32_t i = 0; i < tally->outer.n; i++) {
		const struct flow *f = &tally->outer.flow[i];

		if (card_table(tally->card, &f->choice) == rss)
			v->type_flows[flows_type(f)]++;
	}
	for (unsigned t = 0; t < LEAT_RSS_FLOWS; t++) {
		if (rss->fields[t])
			key_judge(rss, t, &v->key[t]);
	}
}

static double judge_table(const struct leat_rss *rss, unsigned n_queues)
{
	double load[CARD_QUEUES_MAX] = {0};

	for (unsigned i = 0; i < rss->indir_size; i++)
		load[rss->indir[i]]++;
	return luck_unevenness(load, n_queues);
}

int verdict_find(struct verdict *v, const struct tally *tally)
{
	int err;

	*v = (struct verdict){
		.table = judge_table(tally->card->rxfh.context[0], tally->card->rxfh.n_queues)};
	err = count_covered(v, tally);
	if (!err)
		err = count_inputs(v, tally);
	if (!err)
		err = draw_now(v, tally);
	if (!err)
		err = draw_inside(v, tally);
	count_split(v, tally);
	judge_keys(v, tally);
	return err;
}
