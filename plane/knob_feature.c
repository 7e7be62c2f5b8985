/* SPDX-License-Identifier: MIT */
/*
 * PORT/features/: on and off as ethtool -k shows them. What the port cannot do is fixed.
 *
 * Features depend on each other as in the kernel: segmentation left to the port needs checksums
 * and slices left to it, ECN and fixed IDs need a TCP segmentation, and what the port does only to
 * partially segmented packets needs partial GSO. Taking away what others need takes them away too;
 * what was wanted is remembered, and comes back with what it needs.
 *
 * Generic segmentation is fixed: it is not for the sender to leave it, as in the kernel, but for us
 * to do what the port cannot.
 */
#include "knob_at.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char requested[] = "off [requested on]"; /* but something it needs is off */
static const uint32_t tso = LEAT_GSO_TCPV4 | LEAT_GSO_TCPV6;

static void print(char *text, size_t size, bool on, bool fixed)
{
	snprintf(text, size, "%s%s", on ? "on" : "off", fixed ? " [fixed]" : "");
}

/* 1, 0, or -errno with a message. What is fixed may be set to what it reads. */
static int parse(const struct knob_at *at, const char *value, bool now, bool fixed)
{
	char text[16];
	bool on;
	int err;

	print(text, sizeof(text), now, fixed);
	if (strcmp(value, text) == 0)
		return now;
	err = knob_switch(at, value, &on);
	if (err)
		return err;
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
	print(text, size, at->port_conf->gso.csum_partial, !(at->port->features & PORT_TX_CSUM));
}

int knob_set_csum(const struct knob_at *at, const char *value)
{
	int on = parse(at, value, false, !(at->port->features & PORT_TX_CSUM));

	if (on < 0)
		return on;
	conf_set_offload(at->port_conf, on, at->port_conf->gso.crc_partial, at->port_conf->wanted);
	return 0;
}

void knob_read_crc(const struct knob_at *at, char *text, size_t size)
{
	print(text, size, at->port_conf->gso.crc_partial, !(at->port->features & PORT_TX_CRC));
}

int knob_set_crc(const struct knob_at *at, const char *value)
{
	int on = parse(at, value, false, !(at->port->features & PORT_TX_CRC));

	if (on < 0)
		return on;
	conf_set_offload(at->port_conf, at->port_conf->gso.csum_partial, on, at->port_conf->wanted);
	return 0;
}

void knob_read_gso(const struct knob_at *at, char *text, size_t size)
{
	uint32_t in_force = at->port_conf->gso.features;

	if (at->port_conf->wanted & ~in_force & at->bit)
		snprintf(text, size, "%s", requested);
	else
		print(text, size, in_force & at->bit, !(at->port->gso & at->bit));
}

static const char *missing(const struct knob_at *at)
{
	uint32_t in_force = at->port_conf->gso.features;

	if (!at->port_conf->gso.csum_partial)
		return "tx-checksum-ip-generic";
	if (!(at->port->features & PORT_SG))
		return "tx-scatter-gather";
	if (at->bit == LEAT_GSO_SCTP && !at->port_conf->gso.crc_partial)
		return "tx-checksum-sctp";
	if ((at->bit & at->port->partial) && !(in_force & LEAT_GSO_PARTIAL))
		return "tx-gso-partial";
	if (at->bit == LEAT_GSO_TCP_ECN && !(in_force & tso))
		return "tx-tcp-segmentation or tx-tcp6-segmentation";
	if (at->bit == CONF_MANGLEID && !(in_force & LEAT_GSO_TCPV4))
		return "tx-tcp-segmentation";
	return NULL;
}

int knob_set_gso(const struct knob_at *at, const char *value)
{
	uint32_t wanted = at->port_conf->wanted;
	int on;

	if ((wanted & at->bit) && strcmp(value, requested) == 0)
		return 0;
	on = parse(at, value, false, !(at->port->gso & at->bit));
	if (on < 0)
		return on;
	if (on && missing(at))
		return knob_complain(at, -EINVAL, "needs %s on", missing(at));
	set_bit(&wanted, at->bit & at->port->gso, on);
	conf_set_offload(at->port_conf, at->port_conf->gso.csum_partial,
			 at->port_conf->gso.crc_partial, wanted);
	return 0;
}

/* As ethtool does it: on if one of them is. */
void knob_read_tso(const struct knob_at *at, char *text, size_t size)
{
	print(text, size, at->port_conf->gso.features & at->bit, !(at->port->gso & at->bit));
}
