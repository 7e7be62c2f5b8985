/* SPDX-License-Identifier: MIT */
/*
 * parse_tunnel.h - private: what lies between an outer header and the packet it carries, and what
 * finding it shares with parse.c.
 */
#ifndef LEAT_LIB_RX_PARSE_TUNNEL_H
#define LEAT_LIB_RX_PARSE_TUNNEL_H

#include <leat/parse.h>

#include "../hdr.h"

/* What a tunnel carries, as offsets in the frame. */
struct inside {
	uint32_t at, end;    /* the inner network header, and where the tunnel's packet ends */
	uint32_t mac;	     /* the Ethernet header in front of it, or 0 */
	uint32_t csum_start; /* with `remcsum`: where its sum begins ... */
	uint32_t csum_field; /* ... and where it is to be */
	uint16_t type;	     /* EtherType of what is at `at` */
	bool remcsum;
};

static inline uint32_t min_of(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* The entry for a UDP destination port, or NULL. */
static inline const struct leat_tunnel_port *find_tunnel_port(const struct leat_parse_conf *conf,
							      uint16_t port)
{
	for (unsigned i = 0; i < conf->tunnels; i++) {
		if (conf->tunnel[i].port == port)
			return &conf->tunnel[i];
	}
	return NULL;
}

static inline bool is_vlan(unsigned type)
{
	return type == ETYPE_8021Q || type == ETYPE_8021AD;
}

/* Move `at` over an Ethernet header and its tags, counting them: gives the EtherType behind them,
 * or -1 if it is cut. */
static inline int skip_link(const uint8_t *data, uint32_t limit, uint32_t *at, unsigned *tags)
{
	unsigned type;

	if (limit - *at < ETH_HLEN)
		return -1;
	type = load_be16(data + *at + ETH_TYPE);
	*at += ETH_HLEN;
	for (; is_vlan(type) && *tags < LEAT_VLANS_MAX; ++*tags) {
		if (limit - *at < VLAN_HLEN)
			return -1;
		type = load_be16(data + *at + VLAN_TYPE);
		*at += VLAN_HLEN;
	}
	return (int)type;
}

/* Skip the header of the tunnel that level 0 begins, whose IP packet ends at `end`, and an Ethernet
 * header inside. Gives OK, with `in` filled and in->at <= in->end, or why that cannot be followed. */
enum leat_parse_reason leat_parse_tunnel_open(const struct leat_parse_conf *conf,
					      const struct leat_pkt *pkt, uint32_t end,
					      struct inside *in);

/* Judge what was parsed from `in` on, for `reason` no further: gives why it goes no deeper, or why
 * it is no level, and then there is only one. */
enum leat_parse_reason leat_parse_tunnel_close(struct leat_pkt *pkt, const struct inside *in,
					       enum leat_parse_reason reason);

#endif
