/* SPDX-License-Identifier: MIT */
/*
 * flows.h - the flows of a capture, each with what the card does with it.
 *
 * A flow whose packets the card treats differently (a rule about a VLAN, say) is as many flows.
 */
#ifndef CLI_STEER_FLOWS_H
#define CLI_STEER_FLOWS_H

#include "card.h"

#include <leat/flow.h>

enum { FLOWS_MAX = 1 << 24 };

struct flow {
	struct leat_flow id; /* version 0: not IP */
	uint8_t kind;	     /* enum hidden: what it is, or was in */
	uint8_t input_len;   /* of the hash; 0: there is no hash */
	uint8_t input[LEAT_RSS_INPUT_MAX];
	struct card_choice choice;
	uint64_t packets, bytes;
	uint64_t seen_packets, seen_bytes; /* of these, what the flow inside is known of */
	uint32_t hash;			   /* of the table here */
	uint32_t next;			   /* in it, its index + 1 */
};

struct flows {
	struct flow *flow;
	uint32_t n, room;
	uint32_t *slot; /* a power of two of them: an index + 1, or 0 */
	uint32_t slots;
};

/* The flow that is as `as` in id, kind and choice; it is added, with nothing counted, if it is
 * new: *is_new then. `hash` is any of as->id. NULL: no memory, or FLOWS_MAX. */
struct flow *flows_get(struct flows *flows, const struct flow *as, uint32_t hash, bool *is_new);

/* A flow of that id and kind, or NULL. */
const struct flow *flows_find(const struct flows *flows, const struct leat_flow *id, uint8_t kind,
			      uint32_t hash);

void flows_fini(struct flows *flows);

/* The flow type whose fields the card hashes of it. */
enum leat_rss_flow flows_type(const struct flow *flow);

#endif
