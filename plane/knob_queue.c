/* SPDX-License-Identifier: MIT */
/*
 * PORT/queues/rx-N/: what the kernel keeps in sysfs for a receive queue, and for its interrupt in
 * /proc/irq.
 */
#include "cpulist.h"
#include "knob_at.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int knob_cpus(const struct knob_at *at, const char *value, knob_set_parser *parse,
	      struct cpulist *set)
{
	const struct plane *plane = at->plane;
	int err = parse(set, value, plane->n_cpus);

	if (err == -EOVERFLOW)
		return knob_complain(at, err, "'%s' names a CPU above %u, the last with a worker",
				     value, plane->n_cpus - 1);
	if (err)
		return knob_complain(at, err, "'%s' is not a CPU %s", value,
				     parse == cpulist_parse ? "list" : "mask or list");
	for (unsigned cpu = 0; cpu < plane->n_cpus; cpu++) {
		if (cpulist_has(set, cpu) && !plane->on_cpu[cpu])
			return knob_complain(at, -EINVAL, "no worker runs on CPU %u", cpu);
	}
	return 0;
}

void knob_print_map(const struct knob_at *at, const struct leat_rps_map *map, char *text,
		    size_t size)
{
	struct cpulist set = {{0}};

	for (unsigned i = 0; i < map->len; i++)
		cpulist_add(&set, map->cpus[i]);
	cpulist_print_mask(&set, at->plane->n_cpus, text, size);
}

int knob_parse_map(const struct knob_at *at, const char *value, struct leat_rps_map *map)
{
	struct cpulist set;
	int err = knob_cpus(at, value, cpulist_parse_mask, &set);

	if (err)
		return err;
	map->len = 0;
	for (unsigned cpu = 0; cpu < at->plane->n_cpus; cpu++) {
		if (cpulist_has(&set, cpu))
			map->cpus[map->len++] = (uint16_t)cpu;
	}
	return 0;
}

void knob_read_rps_cpus(const struct knob_at *at, char *text, size_t size)
{
	knob_print_map(at, &at->port_conf->rxq[at->n].rps, text, size);
}

int knob_set_rps_cpus(const struct knob_at *at, const char *value)
{
	return knob_parse_map(at, value, &at->port_conf->rxq[at->n].rps);
}

void knob_read_rps_flow_cnt(const struct knob_at *at, char *text, size_t size)
{
	snprintf(text, size, "%" PRIu32, at->port_conf->rxq[at->n].rps_flow_cnt);
}

int knob_set_rps_flow_cnt(const struct knob_at *at, const char *value)
{
	uint64_t n;
	int err = knob_number(at, value, LEAT_RFS_ENTRIES_MAX, &n);

	if (err)
		return err;
	err = conf_set_flow_cnt(at->conf, at->port->index, at->n, (uint32_t)n);
	return err ? knob_complain(at, err, "%s: %s", value, strerror(-err)) : 0;
}

void knob_read_affinity_list(const struct knob_at *at, char *text, size_t size)
{
	snprintf(text, size, "%u", (unsigned)at->port_conf->rxq[at->n].cpu);
}

static void print_cpu(const struct knob_at *at, unsigned cpu, char *text, size_t size)
{
	struct cpulist set = {{0}};

	cpulist_add(&set, cpu);
	cpulist_print_mask(&set, at->plane->n_cpus, text, size);
}

void knob_read_affinity(const struct knob_at *at, char *text, size_t size)
{
	print_cpu(at, at->port_conf->rxq[at->n].cpu, text, size);
}

/* Whose worker serves the queue, or is the next to: behind smp_affinity by the time that handing
 * over takes. */
static unsigned effective_cpu(const struct knob_at *at)
{
	const struct rxq *q = &at->plane->rxq[at->port->index][at->n];

	return __atomic_load_n(&q->cpu, __ATOMIC_RELAXED);
}

void knob_read_effective_affinity(const struct knob_at *at, char *text, size_t size)
{
	print_cpu(at, effective_cpu(at), text, size);
}

void knob_read_effective_affinity_list(const struct knob_at *at, char *text, size_t size)
{
	snprintf(text, size, "%u", effective_cpu(at));
}

int knob_set_effective_affinity(const struct knob_at *at, const char *value)
{
	return knob_keep(at, value, knob_read_effective_affinity, "set smp_affinity");
}

int knob_set_effective_affinity_list(const struct knob_at *at, const char *value)
{
	return knob_keep(at, value, knob_read_effective_affinity_list, "set smp_affinity_list");
}

/* A queue has one CPU: which of several serves it would be a guess, so several are refused. */
static int take_affinity(const struct knob_at *at, const char *value, knob_set_parser *parse)
{
	struct cpulist set;
	unsigned cpu = 0;
	int err = knob_cpus(at, value, parse, &set);

	if (err)
		return err;
	if (cpulist_count(&set) != 1)
		return knob_complain(at, -EINVAL, "'%s' names %u CPUs: one serves a queue", value,
				     cpulist_count(&set));
	while (!cpulist_has(&set, cpu))
		cpu++;
	at->port_conf->rxq[at->n].cpu = (uint16_t)cpu;
	return 0;
}

int knob_set_affinity_list(const struct knob_at *at, const char *value)
{
	return take_affinity(at, value, cpulist_parse);
}

int knob_set_affinity(const struct knob_at *at, const char *value)
{
	return take_affinity(at, value, cpulist_parse_mask);
}
