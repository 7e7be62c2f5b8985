/* SPDX-License-Identifier: MIT */
#include "gen_request.h"

#include "../text.h"
#include "gen_flow.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
	FLOWS_MAX = 1 << 20,
	DEPTH_MAX = 1 << 20,
};

static int refuse(const struct gen_request *r, const char *option, const char *value,
		  const char *wanted)
{
	return port_fail(r->err, r->err_len, EINVAL, "%s: %s=%s: not %s", r->name, option, value,
			 wanted);
}

/* A number, and where the text goes on; ULONG_MAX if there is none. */
static unsigned long read_number(const char **text)
{
	bool is_number = **text >= '0' && **text <= '9';
	char *end;
	unsigned long value = strtoul(*text, &end, 10);

	*text = end;
	return is_number ? value : ULONG_MAX;
}

static int parse_size(struct gen_request *r, const char *text)
{
	const char *at = text;

	r->min = r->max = read_number(&at);
	if (*at == '-') {
		at++;
		r->max = read_number(&at);
	}
	if (!*at && r->min >= GEN_NUMBER_LEN && r->min <= r->max && r->max <= GEN_PAYLOAD_MAX)
		return 0;
	return refuse(r, "size", text, "a number or two, MIN-MAX, from 16 to 1960");
}

static int parse_choices(struct gen_request *r, const char *proto, const char *ip)
{
	r->tcp = strcmp(proto, "tcp") == 0;
	if (!r->tcp && strcmp(proto, "udp") != 0)
		return refuse(r, "proto", proto, "udp or tcp");
	r->ip4 = strcmp(ip, "4") == 0 || strcmp(ip, "both") == 0;
	r->ip6 = strcmp(ip, "6") == 0 || strcmp(ip, "both") == 0;
	return r->ip4 || r->ip6 ? 0 : refuse(r, "ip", ip, "4, 6 or both");
}

/* Drawn from the seed, unless given. */
static int parse_key(struct gen_request *r, const char *text)
{
	uint64_t state = ~(uint64_t)r->seed;

	if (text)
		return text_bytes(text, r->key, GEN_KEY_LEN) ?
			       0 :
			       refuse(r, "key", text, "40 bytes in hexadecimal");
	for (unsigned i = 0; i < GEN_KEY_LEN; i++)
		r->key[i] = (uint8_t)gen_random(&state);
	return 0;
}

static int parse_numbers(struct gen_request *r, const struct port_args *args)
{
	const struct {
		const char *name;
		unsigned long otherwise, min, max, *value;
	} number[] = {
		{"queues", 1, 1, PORT_QUEUES_MAX, &r->queues},
		{"flows", 1000, 0, FLOWS_MAX, &r->flows},
		{"rate", 0, 0, UINT32_MAX, &r->rate},
		{"count", 0, 0, 1ul << 60, &r->count},
		{"seed", 1, 0, ULONG_MAX, &r->seed},
		{"burst", 1, 1, 1u << 20, &r->burst},
		{"depth", 0, 0, DEPTH_MAX, &r->depth},
		{"filters", 8192, 0, UINT16_MAX, &r->filters},
	};

	for (unsigned i = 0; i < sizeof(number) / sizeof(number[0]); i++) {
		int e = port_number(args, number[i].name, number[i].otherwise, number[i].min,
				    number[i].max, number[i].value, r->err, r->err_len);

		if (e)
			return e;
	}
	return 0;
}

/* Rings have free-running counters. */
static void round_depth(struct gen_request *r)
{
	unsigned long depth = 1;

	while (depth < r->depth)
		depth *= 2;
	if (r->depth)
		r->depth = depth;
}

int gen_read_request(struct gen_request *r, const struct port_args *args)
{
	static const char *const names[] = {"queues",	"flows",   "rate",	   "count",
					    "seed",	"burst",   "size",	   "proto",
					    "ip",	"key",	   "depth",	   "filters",
					    "features", "partial", "tso_max_size", NULL};
	int e = port_known(args, names, r->err, r->err_len);

	if (!e)
		e = parse_numbers(r, args);
	if (!e)
		round_depth(r);
	if (!e)
		e = parse_size(r, port_option(args, "size", "64"));
	if (!e)
		e = parse_choices(r, port_option(args, "proto", "udp"),
				  port_option(args, "ip", "4"));
	if (!e)
		e = parse_key(r, port_option(args, "key", NULL));
	return e;
}
