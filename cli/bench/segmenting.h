/* SPDX-License-Identifier: MIT */
/*
 * segmenting.h - our GSO as a work.
 */
#ifndef CLI_BENCH_SEGMENTING_H
#define CLI_BENCH_SEGMENTING_H

#include "frames.h"
#include "work.h"

#include <leat/gso.h>

struct segmenting_conf {
	struct frames_conf frames; /* each a super-packet; of SCTP what GRO made of such frames */
	uint16_t gso_size;
	bool full; /* complete checksums; else they are left partial */
};

struct segmenting {
	struct segmenting_conf conf;
	struct frames frames;
	struct leat_pkt **pkts; /* the super-packets */
	uint32_t n;
	struct leat_gso_conf gso;
	struct leat_gso_out out; /* of the super-packet segmented last */
	uint32_t outputs;	 /* segments of all */
	struct work merging;	 /* SCTP's */
};

/* An operation is a segment. */
struct segmenting *segmenting_make(const struct segmenting_conf *conf, struct work *work);

#endif
