/* SPDX-License-Identifier: MIT */
/*
 * ask.h - the options of leat steer, and the card that they describe.
 *
 * Options are kept as texts until all are known, for a table depends on how many queues there are,
 * and a rule on which contexts.
 */
#ifndef CLI_STEER_ASK_H
#define CLI_STEER_ASK_H

#include "../args.h"
#include "card.h"

#include <stdbool.h>

enum {
	ASK_TEXTS_MAX = 1024, /* of --rule, --context, --rps-cpus, each */
	ASK_SHOWN = 10,	      /* flows listed in a text, */
	ASK_SHOWN_JSON = 10000,
};

struct ask_texts {
	const char *text[ASK_TEXTS_MAX];
	unsigned n;
};

struct ask {
	bool json, inner;
	unsigned long queues, entries; /* 0: not said */
	unsigned long better;	       /* keys to try; 0: none */
	unsigned long shown;	       /* flows to list */
	bool shown_set;
	const char *key, *indir, *fields, *xfrm, *cpus, *svg;
	struct ask_texts contexts, rules, rps;
};

extern const struct args_option ask_options[];

/* Make the card. 0, or -1 with a message; card_fini() ends it in both cases. */
int ask_card(const struct ask *ask, struct card *card, char *err, size_t err_len);

#endif
