/* SPDX-License-Identifier: MIT */
/*
 * report.h - what came of the questions, row by row, in words or as JSON.
 */
#ifndef CLI_VERIFY_REPORT_H
#define CLI_VERIFY_REPORT_H

#include <leat/gro.h>
#include <stdio.h>

#include "compare.h"
#include "type.h"

/* What became of a super-packet in the kernel, and with us. */
enum outcome {
	OUTCOME_REFUSED, /* when written */
	OUTCOME_DROPPED,
	OUTCOME_PASSED, /* as one frame */
	OUTCOME_SEGMENTED,
	OUTCOMES,
};

struct row {
	const struct type *type;
	const char *lacks; /* why it was not judged, or NULL */
	uint64_t cases, same, different, excluded;
	uint64_t rule[RULES];
	uint64_t reason[LEAT_GRO_REASONS];
	uint64_t outcome[OUTCOMES];
	uint64_t frames, sent, shown; /* that came in, left, were built by GRO */
	char *first;		      /* the first difference, decoded; or NULL */
};

struct report {
	uint64_t seed, cases;
	bool json;
	struct row *row;
	unsigned rows;
};

/* The reasons that the run should have reached and did not, as bits. */
uint64_t report_unreached(const struct report *report);

/* In words, the table's head, and each row when it is known; what both leave, or all of it as JSON,
 * at the end. */
void report_head(const struct report *report, FILE *to);
void report_known(const struct report *report, const struct row *row, FILE *to);
void report_rest(const struct report *report, FILE *to);

/* Decode the difference; the text is malloc'd. */
struct report_question {
	const char *kind, *about;
	const struct frames *train; /* NULL: a super-packet */
	const uint8_t *reason;	    /* what GRO did with each of the train's frames */
};
char *report_decode(const struct difference *difference, const struct report_question *question);

#endif
