/* SPDX-License-Identifier: MIT */
/*
 * wild_kind.c - the kinds of traffic there are, what they are called, where they go; and the
 * random numbers that all of it is made from.
 */
#include <stdio.h>
#include <string.h>

#include "wild_frame.h"

#define INNER(type_, ...)                                             \
	{                                                             \
		.type = (type_), .vlans = WILD_VLANS_ANY, __VA_ARGS__ \
	}
#define BOTH(t4, ...) INNER(t4, __VA_ARGS__), INNER((t4) + 1, __VA_ARGS__)
#define TRANSPORTS(...) \
	BOTH(WILD_TCP4, __VA_ARGS__), BOTH(WILD_UDP4, __VA_ARGS__), BOTH(WILD_SCTP4, __VA_ARGS__)
#define ENCAP(...) \
	TRANSPORTS(.outer = 4, .encap = __VA_ARGS__), TRANSPORTS(.outer = 6, .encap = __VA_ARGS__)
#define NO_SCTP(...)                                               \
	BOTH(WILD_TCP4, .outer = 4, .encap = __VA_ARGS__),         \
		BOTH(WILD_UDP4, .outer = 4, .encap = __VA_ARGS__), \
		BOTH(WILD_TCP4, .outer = 6, .encap = __VA_ARGS__), \
		BOTH(WILD_UDP4, .outer = 6, .encap = __VA_ARGS__)

static const struct wild_kind kinds[] = {
	TRANSPORTS(.encap = WILD_NONE),
	BOTH(WILD_UFO4, .encap = WILD_NONE),
	ENCAP(WILD_IP),
	ENCAP(WILD_GRE),
	ENCAP(WILD_GRE, .key = true),
	ENCAP(WILD_GRE, .csum = true),
	ENCAP(WILD_GRE, .csum = true, .key = true),
	ENCAP(WILD_GRE, .eth = true),
	ENCAP(WILD_GRE, .eth = true, .csum = true, .key = true),
	ENCAP(WILD_VXLAN, .eth = true),
	ENCAP(WILD_VXLAN, .eth = true, .csum = true),
	ENCAP(WILD_GENEVE),
	ENCAP(WILD_GENEVE, .csum = true),
	ENCAP(WILD_GENEVE, .eth = true),
	ENCAP(WILD_GENEVE, .eth = true, .csum = true),
	ENCAP(WILD_GUE),
	ENCAP(WILD_GUE, .csum = true),
	ENCAP(WILD_FOU),
	ENCAP(WILD_FOU, .csum = true),
	NO_SCTP(WILD_GUE, .gre = true),
	NO_SCTP(WILD_GUE, .gre = true, .key = true, .csum = true, .eth = true),
	NO_SCTP(WILD_FOU, .gre = true, .eth = true),
	NO_SCTP(WILD_FOU, .gre = true, .key = true, .csum = true),
	NO_SCTP(WILD_VXLAN, .eth = true, .remcsum = true),
	NO_SCTP(WILD_VXLAN, .eth = true, .csum = true, .remcsum = true),
	NO_SCTP(WILD_GUE, .remcsum = true),
	NO_SCTP(WILD_GUE, .csum = true, .remcsum = true),
};

const struct wild_kind *wild_kinds(unsigned *n)
{
	*n = sizeof(kinds) / sizeof(kinds[0]);
	return kinds;
}

void wild_kind_name(const struct wild_kind *kind, char name[WILD_NAME])
{
	static const char *const types[WILD_TYPES] = {"tcp4", "tcp6", "udp4",  "udp6",
						      "ufo4", "ufo6", "sctp4", "sctp6"};
	static const char *const encaps[WILD_ENCAPS] = {"",	  "",	 "gre", "vxlan",
							"geneve", "gue", "fou"};
	static const char *const ips[2][2] = {{"ipip", "sit"}, {"4in6", "6in6"}};

	if (kind->encap == WILD_NONE)
		snprintf(name, WILD_NAME, "%s", types[kind->type]);
	else if (kind->encap == WILD_IP)
		snprintf(name, WILD_NAME, "%s/%s", types[kind->type],
			 ips[kind->outer == 6][kind->type % 2]);
	else
		snprintf(name, WILD_NAME, "%s/%s%d%s%s%s%s%s", types[kind->type],
			 encaps[kind->encap], kind->outer, kind->gre ? "-gre" : "",
			 kind->key ? "-key" : "", kind->csum ? "-csum" : "",
			 kind->eth && kind->encap != WILD_VXLAN ? "-eth" : "",
			 kind->remcsum ? "-remcsum" : "");
}

const struct leat_parse_conf wild_ports = {
	.tunnel = {{4789, LEAT_TUNNEL_VXLAN, 0, false},
		   {4790, LEAT_TUNNEL_VXLAN, 0, true},
		   {6081, LEAT_TUNNEL_GENEVE, 0, false},
		   {6080, LEAT_TUNNEL_GUE, 0, false},
		   {5554, LEAT_TUNNEL_FOU, 4, false},
		   {5556, LEAT_TUNNEL_FOU, 41, false},
		   {5547, LEAT_TUNNEL_FOU, 47, false}},
	.tunnels = 7,
};

/* Documentation addresses (RFC 5737, RFC 3849). */
const struct wild_place wild_somewhere = {
	.dst_mac = {2, 0, 0, 0, 0, 2},
	.src_mac = {2, 0, 0, 0, 0, 1},
	.src4 = {192, 0, 2, 1},
	.dst4 = {198, 51, 100, 2},
	.src6 = {0x20, 1, 0x0d, 0xb8, [15] = 1},
	.dst6 = {0x20, 1, 0x0d, 0xb8, [7] = 1, [15] = 2},
	.inner_dst_mac = {2, 0, 0, 0, 1, 2},
	.vni = 42,
	.gre_key = 0x1ea7,
};

uint64_t wild_next(struct wild_rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

struct wild_rng wild_rng_start(uint64_t seed, uint64_t number)
{
	struct wild_rng rng = {seed};

	rng.state = wild_next(&rng) ^ number * 0xd1342543de82ef95u;
	return rng;
}

uint32_t wild_below(struct wild_rng *rng, uint32_t n)
{
	return (uint32_t)((wild_next(rng) >> 32) * n >> 32);
}

uint32_t wild_between(struct wild_rng *rng, uint32_t lo, uint32_t hi)
{
	return lo + (hi > lo ? wild_below(rng, hi - lo + 1) : 0);
}

bool wild_once_in(struct wild_rng *rng, uint32_t n)
{
	return wild_below(rng, n) == 0;
}
