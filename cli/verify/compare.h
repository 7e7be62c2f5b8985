/* SPDX-License-Identifier: MIT */
/*
 * compare.h - two answers to one question, compared byte for byte.
 *
 * A super-packet's segments: all of them, in order. A train: flow by flow, for what one flow's
 * frames do to the place of another's is no law. A flow here is what has the same addresses at
 * every level, and ports where they were found.
 */
#ifndef CLI_VERIFY_COMPARE_H
#define CLI_VERIFY_COMPARE_H

#include "frames.h"
#include "rule.h"

enum verdict {
	VERDICT_SAME,
	VERDICT_EXCLUDED,
	VERDICT_DIFFERENT,
};

/* Where two answers part. */
struct difference {
	const char *what;	    /* which two lists */
	const struct frames *a, *b; /* the kernel's, or what came in; and ours */
	unsigned i, j;		    /* a frame of each; their number: there is none */
	uint64_t flow;		    /* of a train */
};

struct verdict_of {
	enum verdict verdict;
	uint32_t rules; /* bits of enum rule that excluded something */
	struct difference first;
};

struct train_answers {
	const struct frames *in;
	const struct frames *kernel_shown, *kernel_sent;
	const struct frames *ours_shown, *ours_sent;
};

/* A number for the frame's flow. */
uint64_t compare_flow_of(const uint8_t *frame, uint32_t len);

struct verdict_of compare_train(const struct train_answers *answers);
struct verdict_of compare_super(const struct super_answers *answers);

#endif
