/* SPDX-License-Identifier: MIT */
/*
 * PORT/queues/tx-N/: what the kernel keeps in sysfs for a transmit queue; and PORT/mqprio: the
 * traffic classes, as `tc qdisc add dev PORT root mqprio` takes them.
 */
#include "cpulist.h"
#include "knob_at.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void read_mask(const struct knob_at *at, enum leat_xps_by by, char *text, size_t size)
{
	const struct leat_xps *xps = &at->port_conf->xps;
	struct cpulist set = {{0}};

	for (unsigned id = 0; id < xps->map[by].n_ids; id++) {
		if (leat_xps_uses(xps, by, at->n, id))
			cpulist_add(&set, id);
	}
	cpulist_print_mask(&set, xps->map[by].n_ids, text, size);
}

static int set_mask(const struct knob_at *at, enum leat_xps_by by, const struct cpulist *set)
{
	int err = leat_xps_set(&at->port_conf->xps, by, at->n, set->bit);

	return err ? knob_complain(at, err, "the queue is of no traffic class") : 0;
}

void knob_read_xps_cpus(const struct knob_at *at, char *text, size_t size)
{
	read_mask(at, LEAT_XPS_CPUS, text, size);
}

int knob_set_xps_cpus(const struct knob_at *at, const char *value)
{
	struct cpulist set;
	int err = knob_cpus(at, value, cpulist_parse_mask, &set);

	return err ? err : set_mask(at, LEAT_XPS_CPUS, &set);
}

void knob_read_xps_rxqs(const struct knob_at *at, char *text, size_t size)
{
	read_mask(at, LEAT_XPS_RXQS, text, size);
}

int knob_set_xps_rxqs(const struct knob_at *at, const char *value)
{
	unsigned rxqs = at->port->rxqs;
	struct cpulist set;
	int err = cpulist_parse_mask(&set, value, rxqs);

	if (err == -EOVERFLOW)
		return knob_complain(at, err, "'%s' names a queue above rx-%u, the last", value,
				     rxqs - 1);
	if (err)
		return knob_complain(at, err, "'%s' is not a mask or list of receive queues",
				     value);
	return set_mask(at, LEAT_XPS_RXQS, &set);
}

void knob_read_traffic_class(const struct knob_at *at, char *text, size_t size)
{
	snprintf(text, size, "%d", leat_xps_queue_tc(&at->port_conf->xps, at->n));
}

int knob_set_traffic_class(const struct knob_at *at, const char *value)
{
	return knob_keep(at, value, knob_read_traffic_class, "the port's mqprio says it");
}

void knob_read_mqprio(const struct knob_at *at, char *text, size_t size)
{
	const struct leat_xps_tcs *tcs = &at->port_conf->xps.tcs;
	FILE *f = fmemopen(text, size, "w");

	if (!f)
		return;
	fprintf(f, "num_tc %u", tcs->num_tc);
	for (unsigned i = 0; tcs->num_tc && i < LEAT_XPS_PRIOS; i++)
		fprintf(f, "%s %u", i ? "" : " map", tcs->map[i]);
	for (unsigned i = 0; i < tcs->num_tc; i++)
		fprintf(f, "%s %u@%u", i ? "" : " queues", tcs->queues[i].count,
			tcs->queues[i].offset);
	fclose(f);
}

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

static bool take_word(const char **text, const char *word)
{
	const char *at = skip_blanks(*text);
	size_t len = strlen(word);

	if (strncmp(at, word, len) != 0)
		return false;
	*text = at + len;
	return true;
}

/* A number below 65536 in front of one of `ends`. */
static bool take_number(const char **text, const char *ends, uint16_t *number)
{
	const char *at = skip_blanks(*text);
	char *end;
	unsigned long n;

	if (!isdigit((unsigned char)*at))
		return false;
	n = strtoul(at, &end, 10);
	if (n > UINT16_MAX || (*end && !strchr(ends, *end)))
		return false;
	*text = end;
	*number = (uint16_t)n;
	return true;
}

/* "map P..." and "queues COUNT@OFFSET...": priorities that are not named have class 0. */
static bool take_classes(const char **text, struct leat_xps_tcs *tcs)
{
	uint16_t n = 0;

	if (!take_word(text, "map"))
		return false;
	for (unsigned i = 0; i < LEAT_XPS_PRIOS && take_number(text, " \t", &n); i++)
		tcs->map[i] = n <= UINT8_MAX ? (uint8_t)n : UINT8_MAX; /* there is no such class */
	if (!take_word(text, "queues"))
		return false;
	for (unsigned i = 0; i < tcs->num_tc; i++) {
		struct leat_xps_tc *tc = &tcs->queues[i];

		if (!take_number(text, "@", &tc->count) || !take_word(text, "@") ||
		    !take_number(text, " \t", &tc->offset))
			return false;
	}
	return true;
}

/* "num_tc N map P... queues COUNT@OFFSET...", or "num_tc 0". */
static bool parse_mqprio(const char *text, struct leat_xps_tcs *tcs)
{
	uint16_t n;

	if (!take_word(&text, "num_tc") || !take_number(&text, " \t", &n) || n > LEAT_XPS_TCS_MAX)
		return false;
	tcs->num_tc = (uint8_t)n;
	return (n == 0 || take_classes(&text, tcs)) && *skip_blanks(text) == 0;
}

int knob_set_mqprio(const struct knob_at *at, const char *value)
{
	struct leat_xps_tcs tcs = {0};

	if (!parse_mqprio(value, &tcs))
		return knob_complain(at, -EINVAL,
				     "'%s': wants num_tc N (0 to %d) map CLASS... queues "
				     "COUNT@OFFSET..., or num_tc 0",
				     value, LEAT_XPS_TCS_MAX);
	if (leat_xps_set_tcs(&at->port_conf->xps, &tcs))
		return knob_complain(at, -EINVAL,
				     "'%s': priorities are of classes 0 to %d, and each class has "
				     "queues of its own, of tx-0 to tx-%u",
				     value, tcs.num_tc - 1, at->port->txqs - 1);
	return 0;
}
