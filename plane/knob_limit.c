/* SPDX-License-Identifier: MIT */
/*
 * PORT/gso_max_size and the other limits, as `ip -d link` shows them. What a port takes at most is
 * its tso_max_size; GRO may build what GSO is then to cut.
 */
#include "knob_at.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

static uint32_t tso_max_size(const struct port *port)
{
	return port->tso_max_size ? port->tso_max_size : CONF_LEGACY_MAX_SIZE;
}

static void print(char *text, size_t size, uint32_t n)
{
	snprintf(text, size, "%" PRIu32, n);
}

static int parse(const struct knob_at *at, const char *value, uint32_t max, uint32_t *n)
{
	uint64_t number;
	int err = knob_number(at, value, max, &number);

	if (!err && number == 0)
		return knob_complain(at, -EINVAL, "'%s' is not a number from 1 to %" PRIu32, value,
				     max);
	if (!err)
		*n = (uint32_t)number;
	return err;
}

/* The size of both families up to 64 KB, above it of IPv6 alone: so the kernel has it. */
static int set_both(const struct knob_at *at, const char *value, uint32_t max, uint32_t *both,
		    uint32_t *ip4)
{
	int err = parse(at, value, max, both);

	if (!err && *both <= CONF_LEGACY_MAX_SIZE)
		*ip4 = *both;
	return err;
}

void knob_read_gso_max_size(const struct knob_at *at, char *text, size_t size)
{
	print(text, size, at->port_conf->gso.max_size);
}

int knob_set_gso_max_size(const struct knob_at *at, const char *value)
{
	return set_both(at, value, tso_max_size(at->port), &at->port_conf->gso.max_size,
			&at->port_conf->gso.max_size4);
}

void knob_read_gso_ipv4_max_size(const struct knob_at *at, char *text, size_t size)
{
	print(text, size, at->port_conf->gso.max_size4);
}

int knob_set_gso_ipv4_max_size(const struct knob_at *at, const char *value)
{
	return parse(at, value, tso_max_size(at->port), &at->port_conf->gso.max_size4);
}

void knob_read_gso_max_segs(const struct knob_at *at, char *text, size_t size)
{
	print(text, size, at->port_conf->gso.max_segs);
}

int knob_set_gso_max_segs(const struct knob_at *at, const char *value)
{
	uint32_t n = 0;
	int err = parse(at, value, UINT16_MAX, &n);

	if (!err)
		at->port_conf->gso.max_segs = (uint16_t)n;
	return err;
}

void knob_read_gro_max_size(const struct knob_at *at, char *text, size_t size)
{
	print(text, size, at->port_conf->gro_max_size);
}

int knob_set_gro_max_size(const struct knob_at *at, const char *value)
{
	return set_both(at, value, LEAT_GRO_SIZE_MAX, &at->port_conf->gro_max_size,
			&at->port_conf->gro_ipv4_max_size);
}

void knob_read_gro_ipv4_max_size(const struct knob_at *at, char *text, size_t size)
{
	print(text, size, at->port_conf->gro_ipv4_max_size);
}

int knob_set_gro_ipv4_max_size(const struct knob_at *at, const char *value)
{
	return parse(at, value, LEAT_GRO_SIZE_MAX, &at->port_conf->gro_ipv4_max_size);
}

void knob_read_tso_max_size(const struct knob_at *at, char *text, size_t size)
{
	print(text, size, tso_max_size(at->port));
}

void knob_read_tso_max_segs(const struct knob_at *at, char *text, size_t size)
{
	(void)at;
	print(text, size, UINT16_MAX);
}

/* What it is already it may be set to, as what is [fixed]. */
static int set_read_only(const struct knob_at *at, const char *value, uint32_t now)
{
	uint64_t n;
	int err = knob_number(at, value, UINT32_MAX, &n);

	if (err || n == now)
		return err;
	return knob_complain(at, -EOPNOTSUPP, "read-only: what a %s port can take",
			     at->port->ops->kind);
}

int knob_set_tso_max_size(const struct knob_at *at, const char *value)
{
	return set_read_only(at, value, tso_max_size(at->port));
}

int knob_set_tso_max_segs(const struct knob_at *at, const char *value)
{
	return set_read_only(at, value, UINT16_MAX);
}
