/* SPDX-License-Identifier: MIT */
#include "rxfh.h"

#include "port/filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

struct rxfh_context {
	struct leat_rss rss;
	unsigned users;
	bool indir_set;
};

struct rxfh_rules {
	unsigned users;
	struct leat_ntuple table; /* in the memory behind */
	_Alignas(ALIGNMENT) uint8_t mem[];
};

static void *new_aligned(size_t size)
{
	return aligned_alloc(ALIGNMENT, (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1));
}

/* --- parts --- */

static int new_context(const struct leat_rss_conf *want, bool indir_set,
		       struct rxfh_context **context)
{
	struct rxfh_context *c = new_aligned(sizeof(*c));
	int err = c ? leat_rss_init(&c->rss, want) : -ENOMEM;

	if (err) {
		free(c);
		return err;
	}
	c->users = 1;
	c->indir_set = indir_set;
	*context = c;
	return 0;
}

static void drop_context(struct rxfh_context *c)
{
	if (c && --c->users == 0)
		free(c);
}

/* The rules' filters have the rules as users. */
static void share_filters(const struct leat_ntuple *t)
{
	for (unsigned i = 0; i < t->n_rules; i++) {
		if (t->rule[i].filter)
			filter_share((struct filter *)t->rule[i].arg);
	}
}

static int new_rules(const struct leat_ntuple_rule *rule, unsigned n, struct rxfh_rules **rules)
{
	struct rxfh_rules *r = new_aligned(sizeof(*r) + leat_ntuple_size(n));
	unsigned bad;
	int err = r ? leat_ntuple_init(&r->table, rule, n, r->mem, &bad) : -ENOMEM;

	if (err) {
		free(r);
		return err;
	}
	r->users = 1;
	share_filters(&r->table);
	*rules = r;
	return 0;
}

static void drop_rules(struct rxfh_rules *r)
{
	if (!r || --r->users)
		return;
	for (unsigned i = 0; i < r->table.n_rules; i++) {
		if (r->table.rule[i].filter)
			filter_drop((struct filter *)r->table.rule[i].arg);
	}
	free(r);
}

/* --- the value --- */

static struct rxfh *copy(const struct rxfh *from)
{
	struct rxfh *to = malloc(sizeof(*to));

	if (!to)
		return NULL;
	*to = *from;
	to->users = 1;
	for (unsigned id = 0; id < LEAT_RXFH_CONTEXTS_MAX; id++) {
		if (to->context[id])
			to->context[id]->users++;
	}
	if (to->rules)
		to->rules->users++;
	return to;
}

static void put_context(struct rxfh *rxfh, unsigned id, struct rxfh_context *context)
{
	drop_context(rxfh->context[id]);
	rxfh->context[id] = context;
	rxfh->use.context[id] = context ? &context->rss : NULL;
}

static void use_rules(struct rxfh *rxfh)
{
	rxfh->use.ntuple = rxfh->ntuple && rxfh->rules ? &rxfh->rules->table : NULL;
}

int rxfh_new(unsigned n_queues, const struct leat_rss_conf *want, struct rxfh **made)
{
	struct rxfh *rxfh = calloc(1, sizeof(*rxfh));
	struct rxfh_context *context;
	int err = rxfh ? new_context(want, false, &context) : -ENOMEM;

	if (err) {
		free(rxfh);
		return err;
	}
	rxfh->users = 1;
	rxfh->ntuple = true;
	rxfh->use.n_queues = n_queues;
	put_context(rxfh, 0, context);
	*made = rxfh;
	return 0;
}

void rxfh_share(struct rxfh *rxfh)
{
	if (rxfh)
		rxfh->users++;
}

void rxfh_drop(struct rxfh *rxfh)
{
	if (!rxfh || --rxfh->users)
		return;
	for (unsigned id = 0; id < LEAT_RXFH_CONTEXTS_MAX; id++)
		drop_context(rxfh->context[id]);
	drop_rules(rxfh->rules);
	free(rxfh);
}

int rxfh_set_context(const struct rxfh *from, unsigned id, const struct leat_rss_conf *want,
		     bool indir_set, struct rxfh **made)
{
	struct rxfh_context *context;
	int err = id < LEAT_RXFH_CONTEXTS_MAX ? new_context(want, indir_set, &context) : -EINVAL;
	struct rxfh *to;

	if (err)
		return err;
	to = copy(from);
	if (!to) {
		drop_context(context);
		return -ENOMEM;
	}
	put_context(to, id, context);
	*made = to;
	return 0;
}

/* The first rule that names context `id`, or NULL. */
static const struct leat_ntuple_rule *find_user(const struct rxfh *rxfh, unsigned id)
{
	for (unsigned i = 0; rxfh->rules && i < rxfh->rules->table.n_rules; i++) {
		const struct leat_ntuple_rule *rule = &rxfh->rules->table.rule[i];

		if (rule->action == LEAT_NTUPLE_CONTEXT && rule->context == id)
			return rule;
	}
	return NULL;
}

int rxfh_del_context(const struct rxfh *from, unsigned id, uint32_t *rule, struct rxfh **made)
{
	const struct leat_ntuple_rule *user;
	struct rxfh *to;

	if (id == 0)
		return -EINVAL;
	if (id >= LEAT_RXFH_CONTEXTS_MAX || !from->context[id])
		return -ENOENT;
	user = find_user(from, id);
	if (user) {
		*rule = user->location;
		return -EBUSY;
	}
	to = copy(from);
	if (!to)
		return -ENOMEM;
	put_context(to, id, NULL);
	*made = to;
	return 0;
}

/* The index of the first rule at `location` or after. */
static unsigned find(const struct leat_ntuple *t, uint32_t location)
{
	unsigned low = 0, high = t->n_rules;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (t->rule[middle].location < location)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct leat_ntuple_rule *rxfh_rule(const struct rxfh *rxfh, uint32_t location)
{
	const struct leat_ntuple *t = rxfh->rules ? &rxfh->rules->table : NULL;
	unsigned i = t ? find(t, location) : 0;

	return t && i < t->n_rules ? &t->rule[i] : NULL;
}

uint32_t rxfh_rules_end(const struct rxfh *rxfh)
{
	const struct leat_ntuple *t = rxfh->rules ? &rxfh->rules->table : NULL;

	return t && t->n_rules ? t->rule[t->n_rules - 1].location + 1 : 0;
}

bool rxfh_indir_set(const struct rxfh *rxfh, unsigned id)
{
	return rxfh->context[id]->indir_set;
}

/* Another value with these rules. */
static int with_rules(const struct rxfh *from, const struct leat_ntuple_rule *rule, unsigned n,
		      struct rxfh **made)
{
	struct rxfh_rules *rules = NULL;
	int err = n ? new_rules(rule, n, &rules) : 0;
	struct rxfh *to;

	if (err)
		return err;
	to = copy(from);
	if (!to) {
		drop_rules(rules);
		return -ENOMEM;
	}
	drop_rules(to->rules);
	to->rules = rules;
	use_rules(to);
	*made = to;
	return 0;
}

/* Another value where `rule`, if it is not NULL, takes the place of the one at `location`. */
static int replace(const struct rxfh *from, uint32_t location, const struct leat_ntuple_rule *rule,
		   struct rxfh **made)
{
	static const struct leat_ntuple none;
	const struct leat_ntuple *t = from->rules ? &from->rules->table : &none;
	unsigned at = find(t, location), n = at;
	unsigned rest = at < t->n_rules && t->rule[at].location == location ? at + 1 : at;
	struct leat_ntuple_rule *all = malloc((t->n_rules + 1) * sizeof(*all));
	int err;

	if (!all)
		return -ENOMEM;
	if (at > 0)
		memcpy(all, t->rule, at * sizeof(*all));
	if (rule)
		all[n++] = *rule;
	if (rest < t->n_rules)
		memcpy(all + n, t->rule + rest, (t->n_rules - rest) * sizeof(*all));
	err = with_rules(from, all, n + t->n_rules - rest, made);
	free(all);
	return err;
}

int rxfh_set_rule(const struct rxfh *from, const struct leat_ntuple_rule *rule, struct rxfh **made)
{
	bool in_context = rule->action == LEAT_NTUPLE_CONTEXT;

	if (in_context &&
	    (rule->context >= LEAT_RXFH_CONTEXTS_MAX || !from->context[rule->context]))
		return -ENOENT;
	if (rule->action != LEAT_NTUPLE_DROP && rule->queue >= from->use.n_queues)
		return -ERANGE;
	return rule->location < RXFH_LOCATIONS ? replace(from, rule->location, rule, made) :
						 -EINVAL;
}

int rxfh_del_rule(const struct rxfh *from, uint32_t location, struct rxfh **made)
{
	const struct leat_ntuple_rule *rule = rxfh_rule(from, location);

	if (!rule || rule->location != location)
		return -ENOENT;
	return replace(from, location, NULL, made);
}

int rxfh_set_ntuple(const struct rxfh *from, bool on, struct rxfh **made)
{
	struct rxfh *to = copy(from);

	if (!to)
		return -ENOMEM;
	to->ntuple = on;
	use_rules(to);
	*made = to;
	return 0;
}
