/* SPDX-License-Identifier: MIT */
/*
 * train.h - for tests: packets through a GRO, what came out, and the laws that holds to whatever
 * went in. A law that is broken fails the cmocka test that called.
 */
#ifndef LEAT_TESTS_TRAIN_H
#define LEAT_TESTS_TRAIN_H

#include <leat/gro.h>

#include "frame.h"

struct train {
	struct leat_gro gro;
	void *mem;
	struct arena pkts, copies; /* what goes in, and what it was */
	unsigned n_in;		   /* how many of them went in */
	struct leat_pkt **out;
	unsigned n_out;
};

struct train train_start(const struct leat_gro_conf *conf);
void train_end(struct train *train);

/* One packet more, not given yet. */
struct leat_pkt *train_add(struct train *train, const struct frame *f);

/* Give the next `n` packets, to come out behind what did. */
void train_receive(struct train *train, unsigned n, uint64_t now);

/* Flush what was held before `before`, a few at a time; gives how many came out. */
unsigned train_flush(struct train *train, uint64_t before);

/* Every packet is counted as the comment of enum leat_gro_reason says. */
void train_check_balance(const struct train *train);

/* Each packet that went in is held, came out once, or is in the chain of one that came out. */
void train_check_conserved(const struct train *train);

/* out[i] is, byte for byte, the frame that its head came as, or, cut up by frame_segment(), the
 * frames that all its members came as; gives how many those are. */
unsigned train_check_inverse(const struct train *train, unsigned i);

#endif
