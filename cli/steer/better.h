/* SPDX-License-Identifier: MIT */
/*
 * better.h - a search for a better key.
 *
 * Random keys that lack nothing by their linear algebra are tried on half of the flows of a capture,
 * and the one that spreads these best is tried on the other half: what it does there is what it
 * will do for flows that it was not chosen by. Most often that is no better than luck, and then
 * the present key is as good.
 */
#ifndef CLI_STEER_BETTER_H
#define CLI_STEER_BETTER_H

#include "verdict.h"

enum { BETTER_TRIES = 1000, BETTER_TRIES_MAX = 1000000 };

/* Busiest over mean, in bytes. */
struct better_pair {
	double present, best;
};

struct better {
	unsigned tried;
	uint32_t flows; /* that it was tried on: the largest, if there are many */
	uint8_t key[LEAT_RSS_KEY_MAX];
	size_t key_len; /* 0: none was found that lacks nothing, or there was nothing to try */
	struct better_pair chosen_by, held_out, all;
	struct luck luck;    /* of the held out half, above: as uneven as the present key or more */
	bool loses_symmetry; /* the present key is symmetric, the best is not */
	bool is_better;	     /* the present key is worse than luck there, and the best is not */
};

/* Try `tries` keys in place of context 0's. 0 or -ENOMEM. */
int better_search(struct better *better, const struct tally *tally, unsigned tries);

#endif
