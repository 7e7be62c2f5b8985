/* SPDX-License-Identifier: MIT */
/*
 * tally.h - a capture, counted: its flows, and what each queue and CPU would have got.
 */
#ifndef CLI_STEER_TALLY_H
#define CLI_STEER_TALLY_H

#include "../job.h"
#include "flows.h"
#include "hidden.h"

struct load {
	uint64_t packets, bytes, flows;
};

struct tally {
	const struct card *card;
	struct leat_flow_key key;
	struct flows outer;  /* as the card sees them */
	struct flows inside; /* what could be seen in those that hide some, by the hash of that */
	struct load queue[CARD_QUEUES_MAX];
	struct load cpu[LEAT_CPUS_MAX];
	struct load drop, all; /* `all` includes what is dropped */
};

/* 0, or -errno and nothing to end. */
int tally_init(struct tally *tally, const struct card *card);

/* Count a frame, which is overwritten. 0; -ENOMEM; -E2BIG: more than FLOWS_MAX flows. */
int tally_count(struct tally *tally, const struct job_frame *frame);

void tally_fini(struct tally *tally);

#endif
