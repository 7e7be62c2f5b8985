/* SPDX-License-Identifier: MIT */
/*
 * net/core/: RPS's defaults, and its flow limit.
 */
#include "knob_at.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void knob_read_rps_default_mask(const struct knob_at *at, char *text, size_t size)
{
	knob_print_map(at, &at->conf->rps_default_mask, text, size);
}

/* The rps_cpus of queues that are yet to be: as long as nothing runs, of all. */
int knob_set_rps_default_mask(const struct knob_at *at, const char *value)
{
	struct leat_rps_map *map = &at->conf->rps_default_mask;
	int err = knob_parse_map(at, value, map);

	if (err || at->plane->n_running)
		return err;
	for (unsigned p = 0; p < at->conf->n_ports; p++) {
		struct port_conf *pc = &at->conf->port[p];

		for (unsigned q = 0; q < pc->rxqs; q++)
			pc->rxq[q].rps = *map;
	}
	return 0;
}

void knob_read_flow_limit_cpu_bitmap(const struct knob_at *at, char *text, size_t size)
{
	struct cpulist set = {{0}};

	for (unsigned i = 0; i < at->conf->n_workers; i++) {
		if (at->conf->flow_limit[i])
			cpulist_add(&set, at->plane->worker[i].cpu);
	}
	cpulist_print_mask(&set, at->plane->n_cpus, text, size);
}

int knob_set_flow_limit_cpu_bitmap(const struct knob_at *at, const char *value)
{
	struct cpulist set;
	int err = knob_cpus(at, value, cpulist_parse_mask, &set);

	for (unsigned i = 0; i < at->conf->n_workers && !err; i++) {
		err = conf_set_flow_limit(at->conf, i, cpulist_has(&set, at->plane->worker[i].cpu));
		if (err)
			knob_complain(at, err, "a table of %" PRIu32 ": %s",
				      at->conf->flow_limit_table_len, strerror(-err));
	}
	return err;
}

void knob_read_flow_limit_table_len(const struct knob_at *at, char *text, size_t size)
{
	snprintf(text, size, "%" PRIu32, at->conf->flow_limit_table_len);
}

int knob_set_flow_limit_table_len(const struct knob_at *at, const char *value)
{
	uint64_t n;
	int err = knob_number(at, value, LEAT_FLOW_LIMIT_LEN_MAX, &n);

	if (!err && (n == 0 || n & (n - 1)))
		return knob_complain(at, -EINVAL, "'%s' is not a power of two", value);
	if (!err)
		at->conf->flow_limit_table_len = (uint32_t)n;
	return err;
}
