/* SPDX-License-Identifier: MIT */
/*
 * fuzz_knob.c - the words of ethtool -X and -N. Input: which kind of value, then its text. What is
 * read is within its limits, and what is written of it reads as the same. Rules, a line each, up to
 * a 0, make a table, and what is behind is a frame: it matches what comparing in turn finds.
 */
#include "ntuple_text.h"
#include "rxfh_text.h"

#include <leat/parse.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 32768, WHY_MAX = 128, QUEUES = 5, RULES_MAX = 40, LARGEST = 16384 };

static char written[TEXT_MAX], why[WHY_MAX];

static void insist(bool that)
{
	if (!that)
		abort();
}

/* A refusal says why, and ends. */
static bool is_refused(int err)
{
	insist(err == 0 || (*why && memchr(why, 0, sizeof(why))));
	return err != 0;
}

static void read_key(const char *text)
{
	uint8_t key[LEAT_RSS_KEY_MAX], again[LEAT_RSS_KEY_MAX];
	size_t len, len_again;

	if (is_refused(rxfh_read_key(text, key, &len, why, sizeof(why))))
		return;
	rxfh_write_key(key, len, written, sizeof(written));
	insist(rxfh_read_key(written, again, &len_again, why, sizeof(why)) == 0);
	insist(len == len_again && memcmp(key, again, len) == 0);
}

static void read_indir(const char *text)
{
	uint16_t indir[64], again[64];
	bool is_default;

	if (is_refused(rxfh_read_indir(text, indir, 64, QUEUES, &is_default, why, sizeof(why))))
		return;
	for (unsigned i = 0; i < 64; i++)
		insist(indir[i] < QUEUES);
	rxfh_write_indir(indir, 64, written, sizeof(written));
	insist(!rxfh_read_indir(written, again, 64, QUEUES, &is_default, why, sizeof(why)));
	insist(!is_default && memcmp(indir, again, sizeof(indir)) == 0);
}

static void read_fields(const char *text)
{
	uint32_t fields[LEAT_RSS_FLOWS] = {0}, again[LEAT_RSS_FLOWS] = {0};

	if (is_refused(rxfh_read_fields(text, fields, why, sizeof(why))))
		return;
	rxfh_write_fields(fields, written, sizeof(written));
	insist(rxfh_read_fields(written, again, why, sizeof(why)) == 0);
	insist(memcmp(fields, again, sizeof(fields)) == 0);
}

static void read_xfrm(const char *text)
{
	enum leat_rss_xfrm xfrm;

	if (!is_refused(rxfh_read_xfrm(text, &xfrm, why, sizeof(why))))
		insist(strcmp(rxfh_xfrm_name(xfrm), text) == 0);
}

/* Cut where there is no room, never past it. */
static void write_short(const struct leat_ntuple_rule *rule)
{
	char cut[40];

	for (size_t size = 1; size < sizeof(cut); size++) {
		ntuple_write(rule, NULL, cut, size);
		insist(memchr(cut, 0, size) != NULL);
	}
}

static bool is_same(const struct leat_ntuple_rule *a, const struct leat_ntuple_rule *b)
{
	return memcmp(&a->value, &b->value, sizeof(a->value)) == 0 &&
	       memcmp(&a->mask, &b->mask, sizeof(a->mask)) == 0 && a->action == b->action &&
	       a->queue == b->queue && a->context == b->context;
}

/* Whether the text is a rule of fields. */
static bool read_rule(const char *text, struct leat_ntuple_rule *rule)
{
	struct ntuple_expression expression, expression_again;
	struct leat_ntuple_rule again;
	char *copy = NULL;

	if (is_refused(ntuple_read(text, rule, &expression, why, sizeof(why))))
		return false;
	if (expression.len) {
		copy = strndup(expression.at, expression.len);
		insist(copy && strlen(copy) == expression.len);
	}
	ntuple_write(rule, copy, written, sizeof(written));
	insist(ntuple_read(written, &again, &expression_again, why, sizeof(why)) == 0);
	insist(is_same(rule, &again));
	insist(expression.len == expression_again.len);
	insist(!copy || memcmp(copy, expression_again.at, expression.len) == 0);
	write_short(rule);
	free(copy);
	return !expression.len;
}

static bool matches(const struct leat_ntuple_rule *rule, const struct leat_ntuple_key *key)
{
	const uint8_t *k = (const void *)key, *v = (const void *)&rule->value;
	const uint8_t *m = (const void *)&rule->mask;

	for (size_t i = 0; i < offsetof(struct leat_ntuple_key, flow); i++) {
		if ((k[i] ^ v[i]) & m[i])
			return false;
	}
	return leat_ntuple_flows(key->flow) >> rule->value.flow & 1;
}

/* The rule that the frame matches is the first that does. */
static void match(const struct leat_ntuple *t, const uint8_t *frame, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct leat_pkt pkt, *one = &pkt;
	const struct leat_ntuple_rule *found;
	struct leat_ntuple_key key;
	unsigned i = 0;

	insist(copy != NULL);
	memcpy(copy, frame, len);
	leat_pkt_init(&pkt, copy, (uint32_t)len);
	leat_parse(NULL, &one, 1);
	found = leat_ntuple_match(t, &pkt);
	leat_ntuple_key(&pkt, &key);
	while (i < t->n_rules && !matches(&t->rule[i], &key))
		i++;
	insist(found == (i < t->n_rules ? &t->rule[i] : NULL));
	free(copy);
}

/* Locations that go down, so that a table has to sort. */
static void make_table(const struct leat_ntuple_rule *rules, unsigned n, const uint8_t *frame,
		       size_t len)
{
	size_t size = leat_ntuple_size(n);
	void *mem = aligned_alloc(64, size ? size : 64);
	struct leat_ntuple t;
	unsigned bad;

	insist(mem != NULL);
	insist(leat_ntuple_init(&t, rules, n, mem, &bad) == 0);
	match(&t, frame, len);
	free(mem);
}

static void read_rules(char *text, const uint8_t *frame, size_t len)
{
	struct leat_ntuple_rule rules[RULES_MAX];
	unsigned n = 0;

	for (char *line = text, *next; line && n < RULES_MAX; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		if (!read_rule(line, &rules[n]))
			continue;
		rules[n].location = RULES_MAX - n;
		n++;
	}
	make_table(rules, n, frame, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;
	size_t len;

	if (size < 1 || size > LARGEST)
		return 0;
	text = strndup((const char *)data + 1, size - 1);
	insist(text != NULL);
	len = strlen(text) + 2; /* of the text, and what is in front and behind */
	*why = 0;
	switch (data[0]) {
	case 'k': read_key(text); break;
	case 'i': read_indir(text); break;
	case 'f': read_fields(text); break;
	case 'x': read_xfrm(text); break;
	default: read_rules(text, data + (len < size ? len : size), len < size ? size - len : 0);
	}
	free(text);
	return 0;
}
