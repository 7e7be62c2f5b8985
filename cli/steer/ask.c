/* SPDX-License-Identifier: MIT */
#include "ask.h"

#include "better.h"

#include <stdio.h>
#include <string.h>

static int take_text(const char **to, const char *value)
{
	*to = value;
	return 0;
}

#define TAKE_TEXT(name)                                                          \
	static int take_##name(void *to, char *value, char *err, size_t err_len) \
	{                                                                        \
		(void)err, (void)err_len;                                        \
		return take_text(&((struct ask *)to)->name, value);              \
	}

TAKE_TEXT(key)
TAKE_TEXT(indir)
TAKE_TEXT(fields)
TAKE_TEXT(xfrm)
TAKE_TEXT(cpus)
TAKE_TEXT(svg)

static int take_another(struct ask_texts *to, const char *value, char *err, size_t err_len)
{
	if (to->n == ASK_TEXTS_MAX) {
		snprintf(err, err_len, "over %u of them", ASK_TEXTS_MAX);
		return -1;
	}
	to->text[to->n++] = value;
	return 0;
}

static int take_rule(void *to, char *value, char *err, size_t err_len)
{
	return take_another(&((struct ask *)to)->rules, value, err, err_len);
}

static int take_context(void *to, char *value, char *err, size_t err_len)
{
	return take_another(&((struct ask *)to)->contexts, value, err, err_len);
}

static int take_rps(void *to, char *value, char *err, size_t err_len)
{
	return take_another(&((struct ask *)to)->rps, value, err, err_len);
}

static int take_queues(void *to, char *value, char *err, size_t err_len)
{
	return args_number(value, 1, CARD_QUEUES_MAX, &((struct ask *)to)->queues, err, err_len);
}

static int take_entries(void *to, char *value, char *err, size_t err_len)
{
	unsigned long *n = &((struct ask *)to)->entries;

	if (args_number(value, 1, LEAT_RSS_INDIR_MAX, n, err, err_len))
		return -1;
	if ((*n & (*n - 1)) == 0)
		return 0;
	snprintf(err, err_len, "%lu is not a power of two", *n);
	return -1;
}

static int take_better(void *to, char *value, char *err, size_t err_len)
{
	unsigned long *n = &((struct ask *)to)->better;

	*n = BETTER_TRIES;
	return value ? args_number(value, 1, BETTER_TRIES_MAX, n, err, err_len) : 0;
}

static int take_flows(void *to, char *value, char *err, size_t err_len)
{
	struct ask *ask = to;

	ask->shown_set = true;
	return args_number(value, 0, UINT32_MAX, &ask->shown, err, err_len);
}

static int take_inner(void *to, char *value, char *err, size_t err_len)
{
	(void)value, (void)err, (void)err_len;
	((struct ask *)to)->inner = true;
	return 0;
}

static int take_json(void *to, char *value, char *err, size_t err_len)
{
	(void)value, (void)err, (void)err_len;
	((struct ask *)to)->json = true;
	return 0;
}

const struct args_option ask_options[] = {
	{"key", 'k', "HEX", "hash by this key (Microsoft's verification key)", take_key},
	{"queues", 'q', "N", "so many receive queues (16)", take_queues},
	{"indir", 'i', "LIST", "the table: 'equal 4', 'weight 6 1', '0,1,2' ... (default)",
	 take_indir},
	{"entries", 0, "N", "so many entries in the table, a power of two (128)", take_entries},
	{"fields", 'f', "LIST", "what is hashed, as udp4:sd,tcp4:sdfn (addresses and ports)",
	 take_fields},
	{"xfrm", 'x', "NAME", "symmetric-xor, symmetric-or-xor or none", take_xfrm},
	{"inner", 0, NULL, "hash the headers inside a tunnel", take_inner},
	{"context", 'c', "N:X=Y", "RSS context N has this key, indir, fields, xfrm; repeat",
	 take_context},
	{"rule", 'r', "RULE",
	 "an n-tuple rule as of ethtool -N, at location N if \"N:\" begins it; repeat", take_rule},
	{"cpus", 0, "LIST", "the queues' CPUs, in turn (each queue has its own)", take_cpus},
	{"rps-cpus", 0, "MASK", "RPS over these CPUs, of queue Q alone if \"Q:\" begins it; repeat",
	 take_rps},
	{"better", 'b', "[=N]", "try N (1000) other keys on the flows of the capture", take_better},
	{"flows", 'n', "N", "list the N largest flows (10; in JSON 10000)", take_flows},
	{"svg", 's', "FILE", "draw flows, queues and CPUs; - is standard output", take_svg},
	{"json", 'j', NULL, "print JSON", take_json},
	{0},
};
