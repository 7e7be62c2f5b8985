/* SPDX-License-Identifier: MIT */
/*
 * net/vxlan/dstport and the like: the UDP ports at which tunnels end, as "4789,8472". The kernel
 * knows them from the sockets of its devices; here they are to be said. A port of VXLAN may be
 * "4789:remcsumrx", one of FOU is "5555:4": the protocol inside, as `ip fou` has it.
 */
#include "knob_at.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What may be inside of FOU. */
static bool is_inside(unsigned long protocol)
{
	return protocol == 4 || protocol == 41 || protocol == 47 || protocol == 6 || protocol == 17;
}

static int print_port(const struct leat_tunnel_port *p, const char *comma, char *text, size_t size)
{
	if (p->tunnel == LEAT_TUNNEL_FOU)
		return snprintf(text, size, "%s%u:%u", comma, p->port, p->protocol);
	return snprintf(text, size, "%s%u%s", comma, p->port, p->remcsum ? ":remcsumrx" : "");
}

void knob_read_tunnel(const struct knob_at *at, char *text, size_t size)
{
	const struct leat_parse_conf *pc = at->conf->parse;
	size_t len = 0;

	*text = 0;
	for (unsigned i = 0; i < pc->tunnels; i++) {
		if (pc->tunnel[i].tunnel == at->bit)
			len += (size_t)print_port(&pc->tunnel[i], len ? "," : "", text + len,
						  size - len);
	}
}

/* The port at `*text`, stepped over; false: there is none. */
static bool parse_port(const char **text, unsigned tunnel, struct leat_tunnel_port *port)
{
	static const char remcsum[] = ":remcsumrx";
	unsigned long number, inside = 0;
	const char *at = *text;
	char *end;

	if (*at < '0' || *at > '9')
		return false;
	number = strtoul(at, &end, 10);
	at = end;
	*port = (struct leat_tunnel_port){.port = (uint16_t)number, .tunnel = (uint8_t)tunnel};
	if (tunnel == LEAT_TUNNEL_VXLAN && strncmp(at, remcsum, strlen(remcsum)) == 0) {
		port->remcsum = true;
		at += strlen(remcsum);
	} else if (tunnel == LEAT_TUNNEL_FOU) {
		if (at[0] != ':' || at[1] < '0' || at[1] > '9')
			return false;
		inside = strtoul(at + 1, &end, 10);
		port->protocol = (uint8_t)inside;
		at = end;
	}
	*text = at;
	return number >= 1 && number <= UINT16_MAX &&
	       (tunnel != LEAT_TUNNEL_FOU || is_inside(inside));
}

static bool has_port(const struct leat_parse_conf *pc, unsigned port)
{
	unsigned i = 0;

	while (i < pc->tunnels && pc->tunnel[i].port != port)
		i++;
	return i < pc->tunnels;
}

/* The others' ports. */
static struct leat_parse_conf without(const struct leat_parse_conf *pc, unsigned tunnel)
{
	struct leat_parse_conf others = {.tunnels = 0};

	for (unsigned i = 0; i < pc->tunnels; i++) {
		if (pc->tunnel[i].tunnel != tunnel)
			others.tunnel[others.tunnels++] = pc->tunnel[i];
	}
	return others;
}

int knob_set_tunnel(const struct knob_at *at, const char *value)
{
	struct leat_parse_conf pc = without(at->conf->parse, at->bit);
	struct leat_tunnel_port port;
	const char *text = value;
	int err;

	while (*text) {
		if (!parse_port(&text, at->bit, &port) || (*text && *text != ','))
			return knob_complain(at, -EINVAL, "'%s': wants ports between commas%s",
					     value,
					     at->bit == LEAT_TUNNEL_FOU ?
						     ", each with the protocol inside (4, 6, 17, "
						     "41, 47), as 5555:4" :
						     "");
		if (has_port(&pc, port.port))
			return knob_complain(at, -EINVAL, "%u: twice, or another tunnel's",
					     port.port);
		if (pc.tunnels == LEAT_TUNNEL_PORTS_MAX)
			return knob_complain(at, -EINVAL, "'%s': no more than %d ports of tunnels",
					     value, LEAT_TUNNEL_PORTS_MAX);
		pc.tunnel[pc.tunnels++] = port;
		text += *text == ',';
	}
	err = conf_set_parse(at->conf, &pc);
	return err ? knob_complain(at, err, "%s", strerror(-err)) : 0;
}
