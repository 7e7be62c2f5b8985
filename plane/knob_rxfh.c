/* SPDX-License-Identifier: MIT */
/*
 * PORT/rxfh/: the hash and the table that choose a packet's receive queue, in ethtool's words; below
 * context/N/ the same of the contexts that rules name.
 */
#include "knob_at.h"

#include "cpulist.h"
#include "rxfh.h"
#include "rxfh_text.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { WHY_MAX = 512 };

static const struct leat_rss *rss_of(const struct knob_at *at)
{
	return at->port_conf->rxfh->use.context[at->n];
}

/* What is set now, to be changed in a part. */
static struct leat_rss_conf current(const struct knob_at *at)
{
	struct leat_rss_conf conf;

	leat_rss_conf_of(rss_of(at), &conf);
	return conf;
}

static int complain_errno(const struct knob_at *at, int err)
{
	return knob_complain(at, err, "%s", strerror(-err));
}

/* The context is to be as `conf`; `wants` is what that has to be for the library to take it. */
static int apply(const struct knob_at *at, const struct leat_rss_conf *conf, bool indir_set,
		 const char *value, const char *wants)
{
	struct rxfh *made;
	int err = rxfh_set_context(at->port_conf->rxfh, at->n, conf, indir_set, &made);

	if (err == -EINVAL)
		return knob_complain(at, err, "'%s': wants %s", value, wants);
	if (err)
		return complain_errno(at, err);
	conf_set_rxfh(at->port_conf, made);
	return 0;
}

static int change(const struct knob_at *at, const struct leat_rss_conf *conf, const char *value,
		  const char *wants)
{
	return apply(at, conf, rxfh_indir_set(at->port_conf->rxfh, at->n), value, wants);
}

void knob_read_key(const struct knob_at *at, char *text, size_t size)
{
	rxfh_write_key(rss_of(at)->key, rss_of(at)->key_len, text, size);
}

int knob_set_key(const struct knob_at *at, const char *value)
{
	struct leat_rss_conf conf = current(at);
	uint8_t key[LEAT_RSS_KEY_MAX];
	char why[WHY_MAX];

	if (rxfh_read_key(value, key, &conf.key_len, why, sizeof(why)))
		return knob_complain(at, -EINVAL, "%s", why);
	conf.key = key;
	return change(at, &conf, value,
		      "4 bytes more than is hashed: 44 with ports and flow label");
}

void knob_read_indir(const struct knob_at *at, char *text, size_t size)
{
	rxfh_write_indir(rss_of(at)->indir, rss_of(at)->indir_size, text, size);
}

int knob_set_indir(const struct knob_at *at, const char *value)
{
	struct leat_rss_conf conf = current(at);
	uint16_t indir[LEAT_RSS_INDIR_MAX];
	bool is_default;
	char why[WHY_MAX];

	if (rxfh_read_indir(value, indir, conf.indir_size, conf.n_queues, &is_default, why,
			    sizeof(why)))
		return knob_complain(at, -EINVAL, "%s", why);
	conf.indir = indir;
	return apply(at, &conf, !is_default, value, "queues that there are");
}

void knob_read_indir_size(const struct knob_at *at, char *text, size_t size)
{
	snprintf(text, size, "%u", (unsigned)rss_of(at)->indir_size);
}

/* A table that a user set is kept: repeated, or cut where it repeats itself. */
int knob_set_indir_size(const struct knob_at *at, const char *value)
{
	struct leat_rss_conf conf = current(at);
	bool indir_set = rxfh_indir_set(at->port_conf->rxfh, at->n);
	uint16_t indir[LEAT_RSS_INDIR_MAX];
	uint64_t entries;
	int err = knob_number(at, value, LEAT_RSS_INDIR_MAX, &entries);

	if (err)
		return err;
	if (entries == 0 || (entries & (entries - 1)))
		return knob_complain(at, -EINVAL, "'%s' is not a power of two", value);
	if (indir_set && !leat_rss_indir_resizable(conf.indir, conf.indir_size, (unsigned)entries))
		return knob_complain(at, -EINVAL, "'%s': the table that was set needs more", value);
	if (indir_set) {
		memcpy(indir, conf.indir, conf.indir_size * sizeof(*indir));
		leat_rss_indir_replicate(indir, conf.indir_size, (unsigned)entries);
	}
	conf.indir = indir_set ? indir : NULL;
	conf.indir_size = (unsigned)entries;
	return apply(at, &conf, indir_set, value, "a power of two");
}

void knob_read_fields(const struct knob_at *at, char *text, size_t size)
{
	rxfh_write_fields(rss_of(at)->fields, text, size);
}

int knob_set_fields(const struct knob_at *at, const char *value)
{
	struct leat_rss_conf conf = current(at);
	char why[WHY_MAX];

	if (rxfh_read_fields(value, conf.fields, why, sizeof(why)))
		return knob_complain(at, -EINVAL, "%s", why);
	return change(
		at, &conf, value,
		"ports of types that have them, the flow label of IPv6 types and with a key of "
		"44 bytes, pairs as xfrm allows");
}

void knob_read_xfrm(const struct knob_at *at, char *text, size_t size)
{
	snprintf(text, size, "%s", rxfh_xfrm_name((enum leat_rss_xfrm)rss_of(at)->xfrm));
}

int knob_set_xfrm(const struct knob_at *at, const char *value)
{
	struct leat_rss_conf conf = current(at);
	char why[WHY_MAX];

	if (rxfh_read_xfrm(value, &conf.xfrm, why, sizeof(why)))
		return knob_complain(at, -EINVAL, "%s", why);
	return change(at, &conf, value, "fields in pairs of source and destination, no flow label");
}

void knob_read_inner(const struct knob_at *at, char *text, size_t size)
{
	snprintf(text, size, "%s", rss_of(at)->inner ? "on" : "off");
}

int knob_set_inner(const struct knob_at *at, const char *value)
{
	struct leat_rss_conf conf = current(at);
	int err = knob_switch(at, value, &conf.inner);

	return err ? err : change(at, &conf, value, "on or off");
}

/* --- contexts --- */

void knob_read_context(const struct knob_at *at, char *text, size_t size)
{
	struct cpulist set = {0};

	for (unsigned id = 1; id < LEAT_RXFH_CONTEXTS_MAX; id++) {
		if (at->port_conf->rxfh->context[id])
			cpulist_add(&set, id);
	}
	cpulist_print(&set, LEAT_RXFH_CONTEXTS_MAX, text, size);
}

/* As context 0, but for its table, which is the default. */
static int add_context(const struct knob_at *at, unsigned id)
{
	struct knob_at to = *at;
	struct leat_rss_conf conf = current(at);

	to.n = id;
	conf.indir = NULL;
	return apply(&to, &conf, false, "", "what context 0 has");
}

static int delete_context(const struct knob_at *at, unsigned id)
{
	struct rxfh *made;
	uint32_t rule;
	int err = rxfh_del_context(at->port_conf->rxfh, id, &rule, &made);

	if (err == -EBUSY)
		return knob_complain(at, err, "context %u is named by rule %u", id, rule);
	if (err == -ENOENT)
		return knob_complain(at, err, "there is no context %u", id);
	if (err == -EINVAL)
		return knob_complain(at, err, "context %u stays", id);
	if (err)
		return complain_errno(at, err);
	conf_set_rxfh(at->port_conf, made);
	return 0;
}

static int add_free_context(const struct knob_at *at)
{
	for (unsigned id = 1; id < LEAT_RXFH_CONTEXTS_MAX; id++) {
		if (!at->port_conf->rxfh->context[id])
			return add_context(at, id);
	}
	return knob_complain(at, -ENOSPC, "there are contexts 0 to %u", LEAT_RXFH_CONTEXTS_MAX - 1);
}

/* There are to be those of the set, and context 0. */
static int set_contexts(const struct knob_at *at, const struct cpulist *set)
{
	int err = 0;

	for (unsigned id = 1; id < LEAT_RXFH_CONTEXTS_MAX && !err; id++) {
		if (!at->port_conf->rxfh->context[id] && cpulist_has(set, id))
			err = add_context(at, id);
		else if (at->port_conf->rxfh->context[id] && !cpulist_has(set, id))
			err = delete_context(at, id);
	}
	return err;
}

/* "new", "N delete", or all that there are to be: "1-3,7". */
int knob_set_context(const struct knob_at *at, const char *value)
{
	char number[8] = "";
	size_t len = strcspn(value, " ");
	struct cpulist set;
	uint64_t id;

	if (strcmp(value, "new") == 0)
		return add_free_context(at);
	if (len < sizeof(number) && strcmp(value + len, " delete") == 0) {
		memcpy(number, value, len);
		if (text_number(number, UINT16_MAX, &id))
			return delete_context(at, (unsigned)id);
	}
	if (cpulist_parse(&set, value, LEAT_RXFH_CONTEXTS_MAX) == 0)
		return set_contexts(at, &set);
	return knob_complain(at, -EINVAL, "'%s': wants new, N delete, or numbers up to %u", value,
			     LEAT_RXFH_CONTEXTS_MAX - 1);
}
