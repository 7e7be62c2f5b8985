/* SPDX-License-Identifier: MIT */
/*
 * PORT/rxfh/: key as "6d:5a:...", indir as "0,1,0,1", fields as "tcp4:sdfn,ip4:sd,...", xfrm.
 * Names and letters are ethtool's.
 *
 * By the time leat has a packet its queue is chosen. So these change the hash that RPS and RFS go
 * by, of packets whose port gives none, and indir, which would be of the queue, is fixed.
 */
#include "knob_at.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
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
	     {'n', LEAT_RXH_L4_B_2_3}};

enum { FIELDS = sizeof(field) / sizeof(field[0]) };

/* What is set now, to be changed in a part. */
static struct leat_rss_conf current(const struct knob_at *at)
{
	const struct leat_rss *rss = at->port_conf->rss;
	struct leat_rss_conf conf = {
		.key = rss->key,
		.key_len = rss->key_len,
		.indir = rss->indir,
		.indir_size = rss->indir_size,
		.n_queues = rss->n_queues,
		.xfrm = (enum leat_rss_xfrm)rss->xfrm,
	};

	memcpy(conf.fields, rss->fields, sizeof(conf.fields));
	return conf;
}

static int apply(const struct knob_at *at, const struct leat_rss_conf *conf, const char *value,
		 const char *wants)
{
	int err = conf_set_rss(at->conf, at->port->index, conf);

	if (err == -EINVAL)
		return knob_complain(at, err, "'%s': wants %s", value, wants);
	return err ? knob_complain(at, err, "%s", strerror(-err)) : 0;
}

void knob_read_key(const struct knob_at *at, char *text, size_t size)
{
	const struct leat_rss *rss = at->port_conf->rss;

	for (unsigned i = 0; i < rss->key_len && 3 * i + 3 <= size; i++)
		snprintf(text + 3 * i, 4, i + 1u < rss->key_len ? "%02x:" : "%02x", rss->key[i]);
}

int knob_set_key(const struct knob_at *at, const char *value)
{
	static const char wants[] = "40 to 256 bytes as aa:bb:...";
	struct leat_rss_conf conf = current(at);
	uint8_t key[LEAT_RSS_KEY_MAX];
	size_t digits = 0;

	for (const char *c = value; *c; c++)
		digits += *c != ':';
	conf.key_len = digits / 2;
	if (conf.key_len > sizeof(key) || !port_bytes(value, key, (unsigned)conf.key_len))
		return knob_complain(at, -EINVAL, "'%s': wants %s", value, wants);
	conf.key = key;
	return apply(at, &conf, value, wants);
}

__attribute__((format(printf, 3, 4))) static void append(char **text, size_t *size,
							 const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(*text, *size, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= *size)
		n = 0; /* KNOB_TEXT_MAX has room for all there is */
	*text += n;
	*size -= (size_t)n;
}

void knob_read_indir(const struct knob_at *at, char *text, size_t size)
{
	const struct leat_rss *rss = at->port_conf->rss;

	for (unsigned i = 0; i < rss->indir_size; i++)
		append(&text, &size, i ? ",%u" : "%u", (unsigned)rss->indir[i]);
	append(&text, &size, " [fixed]");
}

int knob_set_indir(const struct knob_at *at, const char *value)
{
	(void)value;
	return knob_complain(at, -EOPNOTSUPP, "fixed: the queue is chosen by %s",
			     at->port->ops == &port_tap ? "the kernel" : "the port's own table");
}

void knob_read_fields(const struct knob_at *at, char *text, size_t size)
{
	const struct leat_rss *rss = at->port_conf->rss;

	for (unsigned flow = 0; flow < LEAT_RSS_FLOWS; flow++) {
		append(&text, &size, flow ? ",%s:" : "%s:", flow_name[flow]);
		for (unsigned i = 0; i < FIELDS; i++) {
			if (rss->fields[flow] & field[i].bit)
				append(&text, &size, "%c", field[i].letter);
		}
	}
}

/* The index of the len bytes at name, or n. */
static unsigned find(const char *const *names, unsigned n, const char *name, size_t len)
{
	unsigned i = 0;

	while (i < n && (strlen(names[i]) != len || memcmp(names[i], name, len) != 0))
		i++;
	return i;
}

/* Letters up to the next comma; steps over them. */
static int parse_letters(const char **at, uint32_t *bits)
{
	for (*bits = 0; **at && **at != ','; ++*at) {
		unsigned i = 0;

		while (i < FIELDS && field[i].letter != **at)
			i++;
		if (i == FIELDS)
			return -EINVAL;
		*bits |= field[i].bit;
	}
	return 0;
}

static bool is_empty(const uint32_t *fields)
{
	uint32_t any = 0;

	for (unsigned flow = 0; flow < LEAT_RSS_FLOWS; flow++)
		any |= fields[flow];
	return any == 0;
}

/* "udp4:sd": flow types not named keep theirs. */
static int parse_fields(const char *value, uint32_t *fields)
{
	for (const char *at = value;; at++) {
		size_t len = strcspn(at, ":,");
		unsigned flow = find(flow_name, LEAT_RSS_FLOWS, at, len);

		if (flow == LEAT_RSS_FLOWS || at[len] != ':')
			return -EINVAL;
		at += len + 1;
		if (parse_letters(&at, &fields[flow]))
			return -EINVAL;
		if (!*at)
			return 0;
	}
}

int knob_set_fields(const struct knob_at *at, const char *value)
{
	static const char wants[] = "TYPE:LETTERS between commas, types tcp4 udp4 sctp4 ip4 tcp6 "
				    "udp6 sctp6 ip6, letters s d f n, as xfrm allows";
	struct leat_rss_conf conf = current(at);

	if (parse_fields(value, conf.fields))
		return knob_complain(at, -EINVAL, "'%s': wants %s", value, wants);
	if (is_empty(conf.fields)) /* which leat_rss_init() takes for the default */
		return knob_complain(at, -EINVAL,
				     "'%s': leaves nothing to hash; rx-hashing turns it off",
				     value);
	return apply(at, &conf, value, wants);
}

void knob_read_xfrm(const struct knob_at *at, char *text, size_t size)
{
	snprintf(text, size, "%s", xfrm_name[at->port_conf->rss->xfrm]);
}

int knob_set_xfrm(const struct knob_at *at, const char *value)
{
	struct leat_rss_conf conf = current(at);
	unsigned n = sizeof(xfrm_name) / sizeof(xfrm_name[0]);
	unsigned i = find(xfrm_name, n, value, strlen(value));

	if (i == n)
		return knob_complain(at, -EINVAL,
				     "'%s' is not none, symmetric-xor or "
				     "symmetric-or-xor",
				     value);
	conf.xfrm = (enum leat_rss_xfrm)i;
	return apply(at, &conf, value, "fields in pairs of source and destination");
}
