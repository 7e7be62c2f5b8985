/* SPDX-License-Identifier: MIT */
/*
 * PORT/features/: on and off as ethtool -k shows them. What the port cannot do is fixed.
 *
 * Features depend on each other as in the kernel: segmentation left to the port needs checksums
 * and slices left to it, ECN and fixed IDs need a TCP segmentation. Taking away what others need
 * takes them away too; what was wanted is remembered, and comes back with what it needs.
 */
#include "knob_at.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const uint32_t tso = LEAT_GSO_TCPV4 | LEAT_GSO_TCPV6;

static void print(char *text, size_t size, bool on, bool fixed)
{
	snprintf(text, size, "%s%s", on ? "on" : "off", fixed ? " [fixed]" : "");
}

/* 1, 0, or -errno with a message. */
static int parse(const struct knob_at *at, const char *value, bool now, bool fixed)
{
	bool on = strcmp(value, "on") == 0;

	if (!on && strcmp(value, "off") != 0)
		return knob_complain(at, -EINVAL, "'%s' is neither on nor off", value);
	if (fixed && on != now)
		return knob_complain(at, -EOPNOTSUPP, "fixed: %s port cannot turn it %s",
				     at->port->ops->kind, value);
	return on;
}

static void set_bit(uint32_t *bits, uint32_t bit, bool on)
{
	*bits = on ? *bits | bit : *bits & ~bit;
}

void knob_read_rx(const struct knob_at *at, char *text, size_t size)
{
	print(text, size, at->port_conf->rx & at->bit, false);
}

int knob_set_rx(const struct knob_at *at, const char *value)
{
	int on = parse(at, value, false, false);

	if (on < 0)
		return on;
	set_bit(&at->port_conf->rx, at->bit, on);
	return 0;
}

void knob_read_fixed(const struct knob_at *at, char *text, size_t size)
{
	print(text, size, at->port->features & at->bit, true);
}

int knob_set_fixed(const struct knob_at *at, const char *value)
{
	int on = parse(at, value, at->port->features & at->bit, true);

	return on < 0 ? on : 0;
}

void knob_read_csum(const struct knob_at *at, char *text, size_t size)
{
	print(text, size, at->port_conf->tx_csum, !(at->port->features & PORT_TX_CSUM));
}

int knob_set_csum(const struct knob_at *at, const char *value)
{
	int on = parse(at, value, false, !(at->port->features & PORT_TX_CSUM));

	if (on < 0)
		return on;
	conf_set_offload(at->port_conf, on, at->port_conf->wanted);
	return 0;
}

void knob_read_gso(const struct knob_at *at, char *text, size_t size)
{
	if (at->port_conf->wanted & ~at->port_conf->gso & at->bit)
		snprintf(text, size, "off [requested on]");
	else
		print(text, size, at->port_conf->gso & at->bit, !(at->port->gso & at->bit));
}

static const char *missing(const struct knob_at *at)
{
	if (!at->port_conf->tx_csum)
		return "tx-checksum-ip-generic";
	if (!(at->port->features & PORT_SG))
		return "tx-scatter-gather";
	if (at->bit == LEAT_GSO_TCP_ECN && !(at->port_conf->gso & tso))
		return "tx-tcp-segmentation or tx-tcp6-segmentation";
	if (at->bit == LEAT_GSO_TCP_FIXEDID && !(at->port_conf->gso & LEAT_GSO_TCPV4))
		return "tx-tcp-segmentation";
	return NULL;
}

int knob_set_gso(const struct knob_at *at, const char *value)
{
	int on = parse(at, value, false, !(at->port->gso & at->bit));
	uint32_t wanted = at->port_conf->wanted;

	if (on < 0)
		return on;
	if (on && missing(at))
		return knob_complain(at, -EINVAL, "needs %s on", missing(at));
	set_bit(&wanted, at->bit, on);
	conf_set_offload(at->port_conf, at->port_conf->tx_csum, wanted);
	return 0;
}
