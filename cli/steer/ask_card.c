/* SPDX-License-Identifier: MIT */
/*
 * From the texts to the card. Where a text is wrong the message begins with its option.
 */
#include "ask.h"

#include "plane/cpulist.h"
#include "plane/ntuple_text.h"
#include "plane/port/filter.h"
#include "plane/rxfh_text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of Microsoft's RSS verification suite. */
static const uint8_t verification_key[] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

/* A configuration that is being changed, with the memory that it points to. */
struct change {
	struct leat_rss_conf conf;
	uint8_t key[LEAT_RSS_KEY_MAX];
	uint16_t indir[LEAT_RSS_INDIR_MAX];
	bool indir_set;
};

struct message {
	char *text;
	size_t size;
};

__attribute__((format(printf, 2, 3))) static int complain(struct message to, const char *format,
							  ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(to.text, to.size, format, args);
	va_end(args);
	return -1;
}

/* What the parser of `option`'s text said. */
static int refuse(struct message to, const char *option, const char *why)
{
	return complain(to, "--%s: %s", option, why);
}

/* --- contexts --- */

static int set_key(struct change *c, const char *text, char *why, size_t size)
{
	c->conf.key = c->key;
	return rxfh_read_key(text, c->key, &c->conf.key_len, why, size);
}

static int set_indir(struct change *c, const char *text, char *why, size_t size)
{
	bool is_default;

	c->conf.indir = c->indir;
	c->indir_set = true;
	return rxfh_read_indir(text, c->indir, c->conf.indir_size, c->conf.n_queues, &is_default,
			       why, size);
}

static int set_fields(struct change *c, const char *text, char *why, size_t size)
{
	return rxfh_read_fields(text, c->conf.fields, why, size);
}

static int set_xfrm(struct change *c, const char *text, char *why, size_t size)
{
	return rxfh_read_xfrm(text, &c->conf.xfrm, why, size);
}

static const struct setting {
	const char *name;
	int (*set)(struct change *c, const char *text, char *why, size_t size);
} settings[] = {{"key", set_key}, {"indir", set_indir}, {"fields", set_fields}, {"xfrm", set_xfrm}};

enum { SETTINGS = sizeof(settings) / sizeof(settings[0]) };

static const struct setting *find_setting(const char *name, size_t len)
{
	for (unsigned i = 0; i < SETTINGS; i++) {
		if (strlen(settings[i].name) == len && memcmp(settings[i].name, name, len) == 0)
			return &settings[i];
	}
	return NULL;
}

/* Put one value in place of another. */
static int replace(struct card *card, struct rxfh *made)
{
	rxfh_drop(card->owned);
	card->owned = made;
	card->rxfh = made->use;
	return 0;
}

/* As it is now, to be changed; one that there is not is as context 0. */
static struct change current(const struct card *card, unsigned id)
{
	const struct leat_rss *rss =
		card->rxfh.context[id] ? card->rxfh.context[id] : card->rxfh.context[0];
	struct change c = {.indir_set = id == 0};

	leat_rss_conf_of(rss, &c.conf);
	return c;
}

static int put_context(struct card *card, unsigned id, const struct change *c, struct message to)
{
	struct rxfh *made;
	int err = rxfh_set_context(card->owned, id, &c->conf, c->indir_set, &made);

	if (err == -EINVAL)
		return complain(to,
				"context %u: the key is too short for what is hashed, or xfrm "
				"wants fields in pairs of source and destination",
				id);
	return err ? complain(to, "%s", strerror(-err)) : replace(card, made);
}

static int begin(const struct ask *ask, struct card *card, struct message to)
{
	struct leat_rss_conf conf = {
		.key = verification_key,
		.key_len = sizeof(verification_key),
		.n_queues = ask->queues ? (unsigned)ask->queues : CARD_QUEUES,
		.indir_size = (unsigned)ask->entries,
		.inner = ask->inner,
	};
	struct rxfh *made;
	int err = rxfh_new(conf.n_queues, &conf, &made);

	return err ? complain(to, "%s", strerror(-err)) : replace(card, made);
}

static int change_default(const struct ask *ask, struct card *card, struct message to)
{
	const char *const text[SETTINGS] = {ask->key, ask->indir, ask->fields, ask->xfrm};
	struct change c = current(card, 0);
	char why[256];

	for (unsigned i = 0; i < SETTINGS; i++) {
		if (text[i] && settings[i].set(&c, text[i], why, sizeof(why)))
			return refuse(to, settings[i].name, why);
	}
	card->own_key = ask->key;
	return put_context(card, 0, &c, to);
}

/* "1:indir=equal 2" */
static int change_context(struct card *card, const char *text, struct message to)
{
	char *name, *value, why[256];
	const struct setting *setting;
	struct change c;
	unsigned long id = strtoul(text, &name, 10);

	if (name == text || *name != ':' || id < 1 || id >= LEAT_RXFH_CONTEXTS_MAX)
		return complain(to,
				"--context: '%s' does not begin with a number from 1 to %u and a "
				"colon",
				text, LEAT_RXFH_CONTEXTS_MAX - 1);
	name++;
	value = name + strcspn(name, "=");
	setting = find_setting(name, (size_t)(value - name));
	if (!setting || !*value)
		return complain(to, "--context: '%s' is not key=, indir=, fields= or xfrm=", name);
	c = current(card, (unsigned)id);
	if (setting->set(&c, value + 1, why, sizeof(why)))
		return refuse(to, "context", why);
	return put_context(card, (unsigned)id, &c, to);
}

/* --- rules --- */

/* "3:flow-type ..." is at location 3; others are behind the last. */
static const char *find_location(const struct card *card, const char *text, uint32_t *location)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	*location = rxfh_rules_end(card->owned);
	if (end == text || *end != ':' || n >= RXFH_LOCATIONS)
		return text;
	*location = (uint32_t)n;
	return end + 1;
}

static int put_rule(struct card *card, const struct leat_ntuple_rule *rule, struct message to)
{
	struct rxfh *made;
	int err = rxfh_set_rule(card->owned, rule, &made);

	switch (err) {
	case 0: return replace(card, made);
	case -ENOENT: return complain(to, "there is no context %u", rule->context);
	case -ERANGE:
		return complain(to, "there is no queue %u of %u", rule->queue, card->rxfh.n_queues);
	default: return complain(to, "%s", strerror(-err));
	}
}

static int add_rule(struct card *card, const char *text, struct message to)
{
	struct ntuple_expression expression;
	struct leat_ntuple_rule rule;
	struct filter *filter = NULL;
	uint32_t location;
	char why[256];
	int err;

	text = find_location(card, text, &location);
	if (ntuple_read(text, &rule, &expression, why, sizeof(why)))
		return refuse(to, "rule", why);
	rule.location = location;
	if (expression.len) {
		filter = filter_new(expression.at, expression.len, why, sizeof(why));
		if (!filter)
			return refuse(to, "rule", why);
		rule.filter = filter_match;
		rule.arg = filter;
	}
	err = put_rule(card, &rule, (struct message){why, sizeof(why)});
	if (filter)
		filter_drop(filter);
	return err ? refuse(to, "rule", why) : 0;
}

/* --- CPUs --- */

static int refuse_cpus(struct message to, const char *option, const char *text, int err)
{
	if (err == -EOVERFLOW)
		return complain(to, "--%s: '%s' has a CPU over %u", option, text,
				LEAT_CPUS_MAX - 1);
	return complain(to, "--%s: '%s' is no set of CPUs", option, text);
}

static unsigned next_cpu(const struct cpulist *set, unsigned cpu)
{
	while (!cpulist_has(set, cpu % LEAT_CPUS_MAX))
		cpu++;
	return cpu % LEAT_CPUS_MAX;
}

static int set_cpus(const struct ask *ask, struct card *card, struct message to)
{
	struct cpulist set;
	unsigned cpu = 0;
	int err;

	for (unsigned q = 0; q < card->rxfh.n_queues; q++)
		card->cpu[q] = (uint16_t)q;
	if (!ask->cpus)
		return 0;
	err = cpulist_parse(&set, ask->cpus, LEAT_CPUS_MAX);
	if (err || cpulist_count(&set) == 0)
		return refuse_cpus(to, "cpus", ask->cpus, err);
	for (unsigned q = 0; q < card->rxfh.n_queues; q++) {
		cpu = next_cpu(&set, cpu);
		card->cpu[q] = (uint16_t)cpu++;
	}
	return 0;
}

static struct leat_rps_map *make_map(const struct cpulist *set)
{
	struct leat_rps_map *map = calloc(1, sizeof(*map));

	for (unsigned cpu = 0; map && cpu < LEAT_CPUS_MAX; cpu++) {
		if (cpulist_has(set, cpu))
			map->cpus[map->len++] = (uint16_t)cpu;
	}
	return map;
}

/* "3:f" is of queue 3, "f" of all. */
static int set_rps(struct card *card, const char *text, struct message to)
{
	char *mask;
	unsigned long queue = strtoul(text, &mask, 10), first = 0, n = card->rxfh.n_queues;
	struct cpulist set;
	int err;

	if (mask > text && *mask == ':') {
		if (queue >= n)
			return complain(to, "--rps-cpus: there is no queue %lu of %lu", queue, n);
		first = queue;
		n = 1;
		mask++;
	} else {
		mask = (char *)text;
	}
	err = cpulist_parse_mask(&set, mask, LEAT_CPUS_MAX);
	if (err)
		return refuse_cpus(to, "rps-cpus", text, err);
	for (unsigned long q = first; q < first + n; q++) {
		free(card->rps[q]);
		card->rps[q] = make_map(&set);
		if (!card->rps[q])
			return complain(to, "%s", strerror(ENOMEM));
	}
	return 0;
}

static int change_all(struct card *card, const struct ask_texts *texts,
		      int (*change)(struct card *card, const char *text, struct message to),
		      struct message to)
{
	for (unsigned i = 0; i < texts->n; i++) {
		if (change(card, texts->text[i], to))
			return -1;
	}
	return 0;
}

int ask_card(const struct ask *ask, struct card *card, char *err, size_t err_len)
{
	struct message to = {err, err_len};

	if (begin(ask, card, to) || change_default(ask, card, to) || set_cpus(ask, card, to))
		return -1;
	if (change_all(card, &ask->contexts, change_context, to) ||
	    change_all(card, &ask->rules, add_rule, to) || change_all(card, &ask->rps, set_rps, to))
		return -1;
	return 0;
}
