/* SPDX-License-Identifier: MIT */
#include "rxfh_text.h"

#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* By enum leat_rss_flow, and by enum leat_rss_xfrm. */
static const char *const flow_name[LEAT_RSS_FLOWS] = {"tcp4", "udp4", "sctp4", "ip4",
						      "tcp6", "udp6", "sctp6", "ip6"};
static const char *const xfrm_name[] = {"none", "symmetric-xor", "symmetric-or-xor"};

static const struct {
	char letter;
	uint32_t bit;
} field[] = {{'s', LEAT_RXH_IP_SRC},
	     {'d', LEAT_RXH_IP_DST},
	     {'f', LEAT_RXH_L4_B_0_1},
	     {'n', LEAT_RXH_L4_B_2_3},
	     {'l', LEAT_RXH_IP6_FL}};

enum {
	FIELDS = sizeof(field) / sizeof(field[0]),
	XFRMS = sizeof(xfrm_name) / sizeof(xfrm_name[0]),
	WORDS_MAX = 8 * LEAT_RSS_INDIR_MAX, /* bytes of a table's words */
};

/* --- the key --- */

int rxfh_read_key(const char *text, uint8_t *key, size_t *len, char *err, size_t err_len)
{
	size_t digits = 0;

	for (const char *c = text; *c; c++)
		digits += *c != ':';
	*len = digits / 2;
	if (*len >= LEAT_RSS_KEY_MIN && *len <= LEAT_RSS_KEY_MAX &&
	    text_bytes(text, key, (unsigned)*len))
		return 0;
	return text_refuse(&(struct text){err, err_len},
			   "'%.64s': wants %u to %u bytes as aa:bb:...", text, LEAT_RSS_KEY_MIN,
			   LEAT_RSS_KEY_MAX);
}

void rxfh_write_key(const uint8_t *key, size_t len, char *text, size_t size)
{
	struct text out = {text, size};

	for (size_t i = 0; i < len; i++)
		text_add(&out, i ? ":%02x" : "%02x", key[i]);
}

/* --- the indirection table --- */

struct table {
	uint16_t *indir;
	unsigned entries, n_queues;
	struct text err;
};

static int refuse_queue(const struct table *t, uint64_t queue)
{
	return text_refuse(&t->err, "queue %llu: there are %u, from 0", (unsigned long long)queue,
			   t->n_queues);
}

/* "0,1,0,1" */
static int read_list(const struct table *t, const char *text)
{
	unsigned n = 0;

	for (const char *at = text;; at++) {
		char *end;
		unsigned long queue = strtoul(at, &end, 10);

		if (*at < '0' || *at > '9' || (*end && *end != ','))
			return text_refuse(&t->err, "'%s': wants numbers between commas", text);
		if (queue >= t->n_queues)
			return refuse_queue(t, queue);
		if (n == t->entries)
			return text_refuse(&t->err, "more entries than the table's %u", t->entries);
		t->indir[n++] = (uint16_t)queue;
		at = end;
		if (!*at)
			break;
	}
	if (leat_rss_indir_replicate(t->indir, n, t->entries))
		return text_refuse(&t->err, "%u entries do not divide the table's %u", n,
				   t->entries);
	return 0;
}

/* What the words say. */
struct wish {
	uint64_t start, equal;
	bool weighing;
	unsigned weights;
	uint32_t weight[LEAT_RSS_INDIR_MAX];
};

static int add_weight(const struct table *t, struct wish *w, const char *word)
{
	uint64_t weight;

	if (!w->weighing || w->weights == LEAT_RSS_INDIR_MAX ||
	    !text_number(word, UINT32_MAX, &weight))
		return text_refuse(&t->err,
				   "'%s': wants default, [start S] equal N, [start S] weight W... "
				   "or queues between commas",
				   word);
	w->weight[w->weights++] = (uint32_t)weight;
	return 0;
}

static int read_word(const struct table *t, struct wish *w, const char *word, char **rest)
{
	uint64_t *number = strcmp(word, "start") == 0 ? &w->start :
			   strcmp(word, "equal") == 0 ? &w->equal :
							NULL;

	if (number) {
		const char *value = text_word(rest);

		if (value && text_number(value, t->n_queues, number))
			return 0;
		return text_refuse(&t->err, "%s: wants a number up to %u", word, t->n_queues);
	}
	if (strcmp(word, "weight") == 0 && !w->weighing) {
		w->weighing = true;
		return 0;
	}
	return add_weight(t, w, word);
}

static int fill(const struct table *t, const struct wish *w)
{
	uint64_t queues = w->weighing ? w->weights : w->equal;

	if (w->weighing == (w->equal > 0) || queues == 0)
		return text_refuse(&t->err, "wants either equal N or weight W...");
	if (w->start + queues > t->n_queues)
		return refuse_queue(t, w->start + queues - 1);
	if (w->equal)
		leat_rss_indir_equal(t->indir, t->entries, (unsigned)w->start, (unsigned)w->equal);
	else if (leat_rss_indir_weight(t->indir, t->entries, (unsigned)w->start, w->weight,
				       w->weights))
		return text_refuse(&t->err, "weight: wants a sum from 1 to the table's %u",
				   t->entries);
	return 0;
}

static int read_words(const struct table *t, const char *text)
{
	char copy[WORDS_MAX], *rest = copy;
	struct wish w = {0};

	if (strlen(text) >= sizeof(copy))
		return text_refuse(&t->err, "longer than %u bytes", WORDS_MAX);
	memcpy(copy, text, strlen(text) + 1);
	for (char *word = text_word(&rest); word; word = text_word(&rest)) {
		int err = read_word(t, &w, word, &rest);

		if (err)
			return err;
	}
	return fill(t, &w);
}

int rxfh_read_indir(const char *text, uint16_t *indir, unsigned entries, unsigned n_queues,
		    bool *is_default, char *err, size_t err_len)
{
	const struct table t = {indir, entries, n_queues, {err, err_len}};

	*is_default = strcmp(text, "default") == 0;
	if (*is_default) {
		leat_rss_indir_equal(indir, entries, 0, n_queues);
		return 0;
	}
	return *text >= '0' && *text <= '9' ? read_list(&t, text) : read_words(&t, text);
}

void rxfh_write_indir(const uint16_t *indir, unsigned entries, char *text, size_t size)
{
	struct text out = {text, size};

	for (unsigned i = 0; i < entries; i++)
		text_add(&out, i ? ",%u" : "%u", (unsigned)indir[i]);
}

/* --- fields and transform --- */

/* The index of the len bytes at name, or n. */
static unsigned find(const char *const *names, unsigned n, const char *name, size_t len)
{
	unsigned i = 0;

	while (i < n && (strlen(names[i]) != len || memcmp(names[i], name, len) != 0))
		i++;
	return i;
}

/* Letters up to the next comma; steps over them. */
static bool read_letters(const char **at, uint32_t *bits)
{
	for (*bits = 0; **at && **at != ','; ++*at) {
		unsigned i = 0;

		while (i < FIELDS && field[i].letter != **at)
			i++;
		if (i == FIELDS)
			return false;
		*bits |= field[i].bit;
	}
	return true;
}

static bool is_empty(const uint32_t *fields)
{
	uint32_t any = 0;

	for (unsigned flow = 0; flow < LEAT_RSS_FLOWS; flow++)
		any |= fields[flow];
	return any == 0;
}

int rxfh_read_fields(const char *text, uint32_t fields[LEAT_RSS_FLOWS], char *err, size_t err_len)
{
	const struct text refusal = {err, err_len};

	for (const char *at = text;; at++) {
		size_t len = strcspn(at, ":,");
		unsigned flow = find(flow_name, LEAT_RSS_FLOWS, at, len);

		if (flow == LEAT_RSS_FLOWS || at[len] != ':')
			break;
		at += len + 1;
		if (!read_letters(&at, &fields[flow]))
			break;
		if (*at)
			continue;
		if (!is_empty(fields))
			return 0;
		/* which leat_rss_init() takes for the default */
		return text_refuse(&refusal,
				   "'%s': leaves nothing to hash; rx-hashing turns it off", text);
	}
	return text_refuse(
		&refusal,
		"'%s': wants TYPE:LETTERS between commas, types tcp4 udp4 sctp4 ip4 tcp6 "
		"udp6 sctp6 ip6, letters s d f n l",
		text);
}

void rxfh_write_fields(const uint32_t fields[LEAT_RSS_FLOWS], char *text, size_t size)
{
	struct text out = {text, size};

	for (unsigned flow = 0; flow < LEAT_RSS_FLOWS; flow++) {
		text_add(&out, flow ? ",%s:" : "%s:", flow_name[flow]);
		for (unsigned i = 0; i < FIELDS; i++) {
			if (fields[flow] & field[i].bit)
				text_add(&out, "%c", field[i].letter);
		}
	}
}

const char *rxfh_flow_name(enum leat_rss_flow flow)
{
	return flow_name[flow];
}

int rxfh_read_xfrm(const char *text, enum leat_rss_xfrm *xfrm, char *err, size_t err_len)
{
	unsigned i = find(xfrm_name, XFRMS, text, strlen(text));

	if (i == XFRMS)
		return text_refuse(&(struct text){err, err_len},
				   "'%s' is not none, symmetric-xor or symmetric-or-xor", text);
	*xfrm = (enum leat_rss_xfrm)i;
	return 0;
}

const char *rxfh_xfrm_name(enum leat_rss_xfrm xfrm)
{
	return xfrm_name[xfrm];
}
