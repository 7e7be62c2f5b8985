/* SPDX-License-Identifier: MIT */
/*
 * merging.h - our GRO as a work: parse, merge, flush.
 */
#ifndef CLI_BENCH_MERGING_H
#define CLI_BENCH_MERGING_H

#include "frames.h"
#include "work.h"

#include <leat/gro.h>

struct merging_conf {
	struct frames_conf frames;
	uint32_t burst; /* frames given at a time */
	uint32_t epoch; /* frames between two flushes; at most `burst`: after each burst */
	bool verify;
	struct leat_gro_conf gro;
};

struct merging {
	struct merging_conf conf;
	struct frames frames;
	struct leat_gro gro;
	void *memory;
	struct leat_pkt **out;
	uint32_t n_out;
};

/* An operation is a frame. */
struct merging *merging_make(const struct merging_conf *conf, struct work *work);

#endif
