/* SPDX-License-Identifier: MIT */
/*
 * What the pattern of a row stands for: each number that there is, and the paths.
 */
#include "knob_at.h"

#include "rxfh.h"

#include <stdio.h>
#include <string.h>

/* The first number from `n` on that N stands for in a row, or KNOB_NONE. */
static uint32_t next_queue(uint32_t n, unsigned queues)
{
	return n < queues ? n : KNOB_NONE;
}

static uint32_t next_context(uint32_t n, const struct rxfh *rxfh)
{
	if (n == 0) /* whose knobs have rows of their own */
		n = 1;
	while (n < LEAT_RXFH_CONTEXTS_MAX && !rxfh->context[n])
		n++;
	return n < LEAT_RXFH_CONTEXTS_MAX ? n : KNOB_NONE;
}

static uint32_t next_rule(uint32_t n, const struct rxfh *rxfh)
{
	const struct leat_ntuple_rule *rule = rxfh_rule(rxfh, n);

	return rule ? rule->location : KNOB_NONE;
}

/* Where a row has its N, or NULL. */
static const char *find_hole(const char *pattern)
{
	return strchr(strchr(pattern, '/'), 'N');
}

static bool has(const struct knob *knob, const char *part)
{
	return strstr(knob->pattern, part) != NULL;
}

uint32_t knob_next(const struct knob *knob, const struct knob_at *at, uint32_t n)
{
	if (has(knob, "/rx-N/"))
		return next_queue(n, at->port->rxqs);
	if (has(knob, "/tx-N/")) /* as in the kernel, none where nothing is to choose */
		return next_queue(n, at->port->txqs > 1 ? at->port->txqs : 0);
	if (has(knob, "/context/N/"))
		return next_context(n, at->port_conf->rxfh);
	if (has(knob, "/ntuple/N"))
		return next_rule(n, at->port_conf->rxfh);
	return n == 0 ? 0 : KNOB_NONE;
}

void knob_spell(const struct knob *knob, const struct knob_at *at, char *path)
{
	const char *rest = strchr(knob->pattern, '/');
	const char *hole = find_hole(knob->pattern);

	if (!at->port)
		snprintf(path, KNOB_PATH_MAX, "%s", knob->pattern);
	else if (!hole)
		snprintf(path, KNOB_PATH_MAX, "%s%s", at->port->name, rest);
	else
		snprintf(path, KNOB_PATH_MAX, "%s%.*s%u%s", at->port->name, (int)(hole - rest),
			 rest, at->n, hole + 1);
}
