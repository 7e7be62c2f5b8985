/* SPDX-License-Identifier: MIT */
/*
 * Fields are a table: name, where in a key, how written, and of which flow types. A value and its
 * mask are read and written alike, bytes in network order, the mask's bits turned over.
 */
#include "ntuple_text.h"

#include "text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 1024, ADDRESS_MAX = 16, MAC_LEN = 6 };

enum kind { DECIMAL, HEXADECIMAL, ADDRESS, MAC };

#define TYPE(name) (1u << LEAT_NTUPLE_##name)
#define TYPES(version)                                                                       \
	(TYPE(TCP##version) | TYPE(UDP##version) | TYPE(SCTP##version) | TYPE(AH##version) | \
	 TYPE(ESP##version) | TYPE(IP##version))
#define PORTS (TYPE(TCP4) | TYPE(UDP4) | TYPE(SCTP4) | TYPE(TCP6) | TYPE(UDP6) | TYPE(SCTP6))
#define SPIS  (TYPE(AH4) | TYPE(ESP4) | TYPE(AH6) | TYPE(ESP6))
#define ALL   (TYPES(4) | TYPES(6) | TYPE(ETHER))

#define AT(member) offsetof(struct leat_ntuple_key, member)

static const struct field {
	const char *name;
	uint8_t at, len; /* an IPv4 address is the first 4 bytes of the 16 */
	uint8_t kind;
	uint32_t types;
} field[] = {
	{"src", AT(mac_src), MAC_LEN, MAC, TYPE(ETHER)},
	{"dst", AT(mac_dst), MAC_LEN, MAC, TYPE(ETHER)},
	{"proto", AT(ether_type), 2, HEXADECIMAL, TYPE(ETHER)},
	{"src-ip", AT(src), ADDRESS_MAX, ADDRESS, TYPES(4) | TYPES(6)},
	{"dst-ip", AT(dst), ADDRESS_MAX, ADDRESS, TYPES(4) | TYPES(6)},
	{"tos", AT(tos), 1, HEXADECIMAL, TYPES(4)},
	{"tclass", AT(tos), 1, HEXADECIMAL, TYPES(6)},
	{"l4proto", AT(protocol), 1, DECIMAL, TYPE(IP4) | TYPE(IP6)},
	{"src-port", AT(l4), 2, DECIMAL, PORTS},
	{"dst-port", AT(l4) + 2, 2, DECIMAL, PORTS},
	{"spi", AT(l4), 4, HEXADECIMAL, SPIS},
	{"l4data", AT(l4), 4, HEXADECIMAL, TYPE(IP4) | TYPE(IP6)},
	{"vlan-etype", AT(vlan_etype), 2, HEXADECIMAL, ALL},
	{"vlan", AT(vlan_tci), 2, DECIMAL, ALL},
	{"dst-mac", AT(mac_dst), MAC_LEN, MAC, ALL & ~TYPE(ETHER)},
};

enum { FIELDS = sizeof(field) / sizeof(field[0]) };

static size_t field_len(const struct field *f, unsigned flow)
{
	return f->kind == ADDRESS && flow <= LEAT_NTUPLE_IP4 ? 4 : f->len;
}

/* --- reading --- */

struct reader {
	struct leat_ntuple_rule *rule;
	char *rest;	    /* words to come */
	bool acts, context; /* there was an action, a context */
	struct text err;
};

static bool read_number(const char *word, uint8_t *to, size_t len)
{
	uint64_t number;

	if (!text_number(word, UINT64_MAX >> (64 - 8 * len), &number))
		return false;
	while (len-- > 0) {
		to[len] = (uint8_t)number;
		number >>= 8;
	}
	return true;
}

/* Read a field's value, or its mask, to `to`. */
static int read_value(const struct reader *r, const struct field *f, const char *word, uint8_t *to)
{
	size_t len = field_len(f, r->rule->value.flow);
	static const char *const wants[] = {"a number", "a number", "an address", "aa:bb:..."};
	bool done = false;

	if (!word)
		return text_refuse(&r->err, "%s: wants a value", f->name);
	if (f->kind == ADDRESS)
		done = inet_pton(len == 4 ? AF_INET : AF_INET6, word, to) == 1;
	else if (f->kind == MAC)
		done = text_bytes(word, to, (unsigned)len);
	else
		done = read_number(word, to, len);
	if (done)
		return 0;
	return text_refuse(&r->err, "%s '%s': wants %s of %zu bytes", f->name, word, wants[f->kind],
			   len);
}

/* The next word if it is `word`. */
static bool skip_word(struct reader *r, const char *word)
{
	char *at = r->rest + strspn(r->rest, " \t");
	size_t len = strlen(word);

	if (strncmp(at, word, len) != 0 || !strchr(" \t", at[len]))
		return false;
	r->rest = at + len;
	return true;
}

static int read_field(struct reader *r, const struct field *f)
{
	uint8_t *value = (uint8_t *)&r->rule->value + f->at;
	uint8_t *mask = (uint8_t *)&r->rule->mask + f->at;
	size_t len = field_len(f, r->rule->value.flow);
	int err = read_value(r, f, text_word(&r->rest), value);

	memset(mask, 0, len);
	if (!err && skip_word(r, "m"))
		err = read_value(r, f, text_word(&r->rest), mask);
	for (size_t i = 0; i < len; i++) {
		mask[i] ^= 0xff;
		value[i] &= mask[i];
	}
	return err;
}

static int read_action(struct reader *r, const char *word)
{
	uint64_t queue;

	if (r->acts)
		return text_refuse(&r->err, "more than one action");
	r->acts = true;
	if (word && strcmp(word, "-1") == 0) {
		r->rule->action = LEAT_NTUPLE_DROP;
		return 0;
	}
	if (!word || !text_number(word, UINT16_MAX, &queue))
		return text_refuse(&r->err, "action '%s': wants a queue, or -1 to drop",
				   word ? word : "");
	r->rule->queue = (uint16_t)queue;
	return 0;
}

static int read_context(struct reader *r, const char *word)
{
	uint64_t context;

	if (r->context)
		return text_refuse(&r->err, "more than one context");
	r->context = true;
	if (!word || !text_number(word, UINT16_MAX, &context))
		return text_refuse(&r->err, "context '%s': wants a number", word ? word : "");
	r->rule->context = (uint16_t)context;
	return 0;
}

/* All has been read: does it say what to do? */
static int conclude(const struct reader *r)
{
	if (!r->acts && !r->context)
		return text_refuse(&r->err, "wants an action or a context");
	if (!r->context)
		return 0;
	if (r->rule->action == LEAT_NTUPLE_DROP)
		return text_refuse(&r->err, "wants a queue to add to the context's, or no action");
	r->rule->action = LEAT_NTUPLE_CONTEXT;
	return 0;
}

static const struct field *find_field(const char *name, unsigned flow)
{
	for (size_t i = 0; i < FIELDS; i++) {
		if (strcmp(field[i].name, name) == 0 && field[i].types >> flow & 1)
			return &field[i];
	}
	return NULL;
}

static int read_word(struct reader *r, const char *word)
{
	unsigned flow = r->rule->value.flow;
	const struct field *f;

	if (strcmp(word, "action") == 0)
		return read_action(r, text_word(&r->rest));
	if (strcmp(word, "context") == 0)
		return read_context(r, text_word(&r->rest));
	f = find_field(word, flow);
	if (!f)
		return text_refuse(&r->err, "%s has no '%s'",
				   leat_ntuple_flow_name((enum leat_ntuple_flow)flow), word);
	return read_field(r, f);
}

static int read_type(const struct reader *r, const char *word)
{
	unsigned flow = 0;

	while (flow < LEAT_NTUPLE_FLOWS &&
	       strcmp(leat_ntuple_flow_name((enum leat_ntuple_flow)flow), word) != 0)
		flow++;
	if (flow == LEAT_NTUPLE_FLOWS)
		return text_refuse(&r->err, "'%s' is no flow type (tcp4, ip6, ether, ...)", word);
	r->rule->value.flow = (uint8_t)flow;
	return 0;
}

/* "flow-type TYPE ..." */
static int read_fields(struct reader *r, const char *text)
{
	char copy[WORDS_MAX], *word;
	int err;

	if (strlen(text) >= sizeof(copy))
		return text_refuse(&r->err, "longer than %u bytes", WORDS_MAX);
	memcpy(copy, text, strlen(text) + 1);
	r->rest = copy;
	word = text_word(&r->rest);
	if (!word || strcmp(word, "flow-type") != 0)
		return text_refuse(&r->err, "wants flow-type TYPE or filter EXPRESSION first");
	word = text_word(&r->rest);
	err = read_type(r, word ? word : "");
	while (!err && (word = text_word(&r->rest)))
		err = read_word(r, word);
	return err ? err : conclude(r);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Step back from `end` over blanks and the word before them: where it begins. */
static const char *back_word(const char *text, const char *end, size_t *len)
{
	const char *at;

	while (end > text && is_blank(end[-1]))
		end--;
	for (at = end; at > text && !is_blank(at[-1]); at--)
		;
	*len = (size_t)(end - at);
	return at;
}

static bool is_word(const char *at, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(at, word, len) == 0;
}

/* Read the pair of words that ends at *end and step back over it. 1: it is none of ours. */
static int read_pair(struct reader *r, const char *text, const char **end)
{
	size_t value_len, name_len;
	const char *value_at = back_word(text, *end, &value_len);
	const char *name = back_word(text, value_at, &name_len);
	bool action = is_word(name, name_len, "action");
	char value[16] = "";

	if (!action && !is_word(name, name_len, "context"))
		return 1;
	if (value_len < sizeof(value))
		memcpy(value, value_at, value_len);
	*end = name;
	return action ? read_action(r, value) : read_context(r, value);
}

/* "EXPRESSION [action N] [context C]": from the end, for an expression may have such words too. */
static int read_filter(struct reader *r, const char *text, struct ntuple_expression *expression)
{
	const char *end = text + strlen(text);
	int err = 0;

	while (!err)
		err = read_pair(r, text, &end);
	if (err < 0)
		return err;
	text += strspn(text, " \t");
	while (end > text && is_blank(end[-1]))
		end--;
	if (end <= text)
		return text_refuse(&r->err, "filter: wants an expression");
	r->rule->value.flow = LEAT_NTUPLE_ETHER;
	*expression = (struct ntuple_expression){text, (size_t)(end - text)};
	return conclude(r);
}

int ntuple_read(const char *text, struct leat_ntuple_rule *rule,
		struct ntuple_expression *expression, char *err, size_t err_len)
{
	struct reader r = {.rule = rule, .err = {err, err_len}};
	const char *first = text + strspn(text, " \t");

	memset(rule, 0, sizeof(*rule));
	*expression = (struct ntuple_expression){0};
	if (strncmp(first, "filter", 6) == 0 && is_blank(first[6]))
		return read_filter(&r, first + 6, expression);
	return read_fields(&r, text);
}

/* --- writing --- */

static void write_value(struct text *out, const struct field *f, const uint8_t *from, size_t len)
{
	char address[INET6_ADDRSTRLEN];
	uint64_t number = 0;

	if (f->kind == ADDRESS) {
		inet_ntop(len == 4 ? AF_INET : AF_INET6, from, address, sizeof(address));
		text_add(out, "%s", address);
		return;
	}
	for (size_t i = 0; i < len; i++) {
		if (f->kind == MAC)
			text_add(out, i ? ":%02x" : "%02x", from[i]);
		number = number << 8 | from[i];
	}
	if (f->kind != MAC)
		text_add(out, f->kind == DECIMAL ? "%llu" : "0x%llx", (unsigned long long)number);
}

static void write_field(struct text *out, const struct field *f,
			const struct leat_ntuple_rule *rule)
{
	const uint8_t *value = (const uint8_t *)&rule->value + f->at;
	const uint8_t *mask = (const uint8_t *)&rule->mask + f->at;
	struct field as_mask = *f;
	uint8_t any[ADDRESS_MAX], looks = 0, ignores = 0;
	size_t len = field_len(f, rule->value.flow);

	for (size_t i = 0; i < len; i++) {
		any[i] = mask[i] ^ 0xff;
		looks |= mask[i];
		ignores |= any[i];
	}
	if (!looks)
		return;
	text_add(out, " %s ", f->name);
	write_value(out, f, value, len);
	if (!ignores)
		return;
	if (f->kind == DECIMAL)
		as_mask.kind = HEXADECIMAL;
	text_add(out, " m ");
	write_value(out, &as_mask, any, len);
}

static void write_action(struct text *out, const struct leat_ntuple_rule *rule)
{
	if (rule->action == LEAT_NTUPLE_CONTEXT)
		text_add(out, " context %u", (unsigned)rule->context);
	if (rule->action == LEAT_NTUPLE_DROP)
		text_add(out, " action -1");
	else if (rule->action == LEAT_NTUPLE_QUEUE || rule->queue)
		text_add(out, " action %u", (unsigned)rule->queue);
}

void ntuple_write(const struct leat_ntuple_rule *rule, const char *expression, char *text,
		  size_t size)
{
	struct text out = {text, size};

	if (expression) {
		text_add(&out, "filter %s", expression);
	} else {
		text_add(&out, "flow-type %s",
			 leat_ntuple_flow_name((enum leat_ntuple_flow)rule->value.flow));
		for (size_t i = 0; i < FIELDS; i++) {
			if (field[i].types >> rule->value.flow & 1)
				write_field(&out, &field[i], rule);
		}
	}
	write_action(&out, rule);
}
