/* SPDX-License-Identifier: MIT */
/*
 * gen_card.h - the receive side of a network card: one wire, steering, a ring of frames per queue.
 *
 * Frames are put on rings by what steers at that moment, and stay there when that changes: so
 * frames of a flow may wait on one queue while later ones arrive on another. The rings' frames are
 * only numbers; they are written when they are received. When a ring is full the wire stands
 * still: nothing is lost.
 *
 * Threads: a queue is received from by one at a time; all else by any.
 */
#ifndef PLANE_PORT_GEN_CARD_H
#define PLANE_PORT_GEN_CARD_H

#include "gen_flow.h"

#include <leat/rxfh.h>
#include <stdbool.h>

struct gen_card;

struct gen_card_conf {
	struct gen_flow *flow; /* flows of them, from now on the card's to number */
	uint32_t flows;
	const struct gen_filler *filler;
	unsigned queues;
	uint32_t depth;	   /* frames in a ring: a power of two */
	uint32_t filters;  /* that it has room for, at most 0xffff */
	uint32_t min, max; /* bytes of payload */
	uint32_t burst;
	uint64_t count; /* frames altogether, UINT64_MAX: endless */
	uint64_t seed;
};

/* NULL without memory. Steers by nothing yet: all flows come on queue 0. */
struct gen_card *gen_card_new(const struct gen_card_conf *conf);
void gen_card_free(struct gen_card *card);

/* The port's operations. */
int gen_card_steer(struct gen_card *card, const struct leat_rxfh *rxfh);
int gen_card_flow_steer(struct gen_card *card, uint32_t hash, uint16_t queue);
void gen_card_flow_forget(struct gen_card *card, uint16_t filter);

/* Frames that a rule dropped. */
uint64_t gen_card_rule_dropped(const struct gen_card *card);

/* Let up to n frames arrive on the wire, for any queue; gives how many did, or were dropped. */
unsigned gen_card_arrive(struct gen_card *card, unsigned n);

/* Frames on the queue's ring. */
unsigned gen_card_waiting(const struct gen_card *card, unsigned queue);

/* Write the i-th of them; take n of them off. */
void gen_card_write(const struct gen_card *card, unsigned queue, unsigned i, struct leat_pkt *pkt);
void gen_card_take(struct gen_card *card, unsigned queue, unsigned n);

/* Nothing more arrives. */
bool gen_card_ended(const struct gen_card *card);

#endif
