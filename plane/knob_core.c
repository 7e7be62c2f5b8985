/* SPDX-License-Identifier: MIT */
/*
 * net/core/, and what a port has only one of.
 */
#include "knob_at.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void knob_read_sock_flow_entries(const struct knob_at *at, char *text, size_t size)
{
	snprintf(text, size, "%" PRIu32, at->conf->rps_sock_flow_entries);
}

int knob_set_sock_flow_entries(const struct knob_at *at, const char *value)
{
	uint64_t n;
	int err = knob_number(at, value, LEAT_RFS_ENTRIES_MAX, &n);

	if (err)
		return err;
	err = conf_set_sock_flow_entries(at->conf, (uint32_t)n, at->plane->n_cpus);
	return err ? knob_complain(at, err, "%s: %s", value, strerror(-err)) : 0;
}

void knob_read_max_backlog(const struct knob_at *at, char *text, size_t size)
{
	snprintf(text, size, "%" PRIu32, at->conf->max_backlog);
}

/* No more than the rings, made once, have room for. */
int knob_set_max_backlog(const struct knob_at *at, const char *value)
{
	uint64_t n;
	int err = knob_number(at, value, at->plane->worker[0].backlog.mask + UINT64_C(1), &n);

	if (!err)
		at->conf->max_backlog = (uint32_t)n;
	return err;
}

void knob_read_busy_poll(const struct knob_at *at, char *text, size_t size)
{
	snprintf(text, size, "%" PRIu32, at->conf->busy_poll);
}

int knob_set_busy_poll(const struct knob_at *at, const char *value)
{
	uint64_t n;
	int err = knob_number(at, value, INT32_MAX, &n);

	if (!err)
		at->conf->busy_poll = (uint32_t)n;
	return err;
}

void knob_read_gro_normal_batch(const struct knob_at *at, char *text, size_t size)
{
	snprintf(text, size, "%" PRIu32, at->conf->gro_normal_batch);
}

int knob_set_gro_normal_batch(const struct knob_at *at, const char *value)
{
	uint64_t n;
	int err = knob_number(at, value, INT32_MAX, &n);

	if (!err && n == 0)
		return knob_complain(at, -EINVAL, "'%s' is not a number from 1 to %d", value,
				     INT32_MAX);
	if (!err)
		at->conf->gro_normal_batch = (uint32_t)n;
	return err;
}

void knob_read_gro_flush_timeout(const struct knob_at *at, char *text, size_t size)
{
	snprintf(text, size, "%" PRIu64, at->port_conf->gro_flush_timeout);
}

int knob_set_gro_flush_timeout(const struct knob_at *at, const char *value)
{
	uint64_t n;
	int err = knob_number(at, value, INT64_MAX, &n); /* added to times without overflow */

	if (!err)
		at->port_conf->gro_flush_timeout = n;
	return err;
}

void knob_read_arfs_filters(const struct knob_at *at, char *text, size_t size)
{
	snprintf(text, size, "%" PRIu32, at->port_conf->arfs_filters);
}

/* Filters that a port has beyond a lowered limit stay until they expire. */
int knob_set_arfs_filters(const struct knob_at *at, const char *value)
{
	uint64_t n;
	int err = knob_number(at, value, LEAT_ARFS_NO_FILTER, &n);

	if (!err)
		at->port_conf->arfs_filters = (uint32_t)n;
	return err;
}
