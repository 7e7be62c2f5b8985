/* SPDX-License-Identifier: MIT */
/*
 * card.h - the network card that is asked, and the host behind it: rules, contexts and tables choose
 * a packet's receive queue; the queue's interrupt, or RPS, its CPU.
 *
 * A card is made of texts, as options and knobs have them, and then only read.
 */
#ifndef CLI_STEER_CARD_H
#define CLI_STEER_CARD_H

#include "plane/rxfh.h"

#include <leat/rps.h>

enum { CARD_QUEUES_MAX = 1024, CARD_QUEUES = 16 };

struct card {
	struct rxfh *owned;    /* what `rxfh` is of */
	struct leat_rxfh rxfh; /* contexts and rules */
	bool own_key;	       /* context 0's was said */
	uint16_t cpu[CARD_QUEUES_MAX];
	struct leat_rps_map *rps[CARD_QUEUES_MAX]; /* NULL: none */
};

struct card_choice {
	struct leat_rxfh_choice rxfh;
	uint16_t cpu;
	bool rps; /* RPS chose it */
};

/* Free what it has, but not the card. One that is all zeroes has nothing. */
void card_fini(struct card *card);

/* What becomes of a parsed packet. */
void card_choose(const struct card *card, const struct leat_pkt *pkt, struct card_choice *choice);

/* What would become of it if the card hashed the headers of `pkt` instead of those that gave
 * `outer`, and all else stayed. */
void card_choose_inside(const struct card *card, const struct card_choice *outer,
			const struct leat_pkt *pkt, struct card_choice *choice);

/* The table that a choice was made by, or NULL: a rule, or no hash. */
const struct leat_rss *card_table(const struct card *card, const struct card_choice *choice);

/* What a choice by a table adds to the table's queue. */
unsigned card_offset(const struct card *card, const struct card_choice *choice);

/* "table", "rule 3", "rule 3, context 1", "rule 3: drop", "no hash". */
enum { CARD_WORDS_MAX = 48 };
void card_words(const struct card_choice *choice, char words[CARD_WORDS_MAX]);

#endif
