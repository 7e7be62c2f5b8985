/* SPDX-License-Identifier: MIT */
/*
 * traffic.h - random traffic for tests of GRO: interleaved flows of every kind, some in tunnels,
 * whose packets mostly continue one another, and every so often differ in one of all the things that
 * can.
 */
#ifndef LEAT_TESTS_TRAFFIC_H
#define LEAT_TESTS_TRAFFIC_H

#include "rng.h"
#include "train.h"

enum { TRAFFIC_FLOWS = 4096 };

/* What a packet's descriptor says that its bytes do not. */
enum traffic_mark {
	TRAFFIC_PLAIN,
	TRAFFIC_UNNECESSARY,
	TRAFFIC_PARTIAL,
	TRAFFIC_PARTIAL_WRONG,
	TRAFFIC_GSO,
};

struct traffic_packet {
	struct frame f;	    /* the packet, or what the tunnel carries */
	struct frame outer; /* its `tunnel` NONE: there is none */
	unsigned flow;
	uint32_t hash; /* the NIC's, if `hashed` */
	bool hashed;
	uint8_t mark;
};

struct traffic_flow {
	struct frame f, outer; /* of its next packet */
	uint32_t mss, hash;
	bool fixed_id, outer_fixed_id, hashed;
};

struct traffic {
	struct rng *rng;
	unsigned n;
	unsigned trouble; /* one packet in so many differs */
	struct traffic_flow flow[TRAFFIC_FLOWS];
};

/* `n` flows, up to TRAFFIC_FLOWS. */
void traffic_start(struct traffic *traffic, struct rng *rng, unsigned n, unsigned trouble);

struct traffic_packet traffic_next(struct traffic *traffic);

/* The whole frame; what it carries, if anything, stays in `packet`. */
struct frame traffic_frame(const struct traffic_packet *packet);

/* Add it to the train, not given yet. */
struct leat_pkt *traffic_add(struct train *train, const struct traffic_packet *packet);

#endif
