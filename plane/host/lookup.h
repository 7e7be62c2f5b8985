/* SPDX-License-Identifier: MIT */
/*
 * lookup.h - which endpoint a datagram is for.
 *
 * The one connected to its sender at the address it was sent to; else one bound to that address and
 * port; else one bound to the port at any address. Of several that share an address and port
 * (SO_REUSEPORT) the flow's hash picks one, and the same as long as the group is the same.
 *
 * A lookup is a value, part of the plane's configuration: made anew when an endpoint is bound,
 * connected or closed, and only read once it is in force.
 */
#ifndef PLANE_HOST_LOOKUP_H
#define PLANE_HOST_LOOKUP_H

#include "addr.h"

#include <leat/flow.h>

struct endpoint;

/* Endpoints with one key, whose `src` is the peer: all 0 unless they are connected. */
struct lookup_group {
	struct leat_flow key;
	unsigned n;
	struct endpoint **member;
	struct lookup_group *next; /* of its bucket */
};

struct lookup {
	unsigned bits;		      /* log2 of the buckets */
	bool connected, bound, any;   /* which kinds of keys there are */
	struct lookup_group **bucket; /* 1 << bits of them */
	struct lookup_group *group;
	struct endpoint **member; /* of all groups, one after the other */
};

/* A lookup of those endpoints of the list that are bound. NULL without memory. */
struct lookup *lookup_new(struct endpoint *list);
void lookup_free(struct lookup *table);

/* The endpoint that gets `pkt`, a parsed UDP packet of one level; NULL: none, or no lookup. */
struct endpoint *lookup_find(const struct lookup *table, const struct leat_pkt *pkt,
			     const struct leat_flow_key *hash_key);

/* Those that have exactly these ends; NULL: there are none. */
const struct lookup_group *lookup_group(const struct lookup *table, const struct addr *local,
					const struct addr *peer);

#endif
