/* SPDX-License-Identifier: MIT */
/*
 * measure.h - two works in turns, so that a disturbance of the machine meets both.
 */
#ifndef CLI_BENCH_MEASURE_H
#define CLI_BENCH_MEASURE_H

#include "work.h"

#include <stdbool.h>

struct measure_conf {
	uint64_t slice_ns;    /* each turn takes at least so long */
	unsigned least, most; /* pairs of turns */
	uint64_t budget_ns;   /* no more pairs than fit, but the least */
};

/* ns of an operation; the ratio is ours by theirs. */
struct figure {
	double ours, theirs;
	double ratio, low, high;    /* of the pairs' ratios the median and the quartiles */
	double ours_low, ours_high; /* quartiles of our turns */
	unsigned pairs;
	uint64_t operations[2]; /* all of ours, all of theirs */
};

/* Measure; where there are no others (theirs->run is NULL) their figures are 0. */
void measure(struct work *ours, struct work *theirs, const struct measure_conf *conf,
	     struct figure *figure);

/* Run both once and compare their outputs byte for byte, in whatever order they came. 0, or -1 and
 * a message. */
int measure_compare(struct work *ours, struct work *theirs, char *err, size_t err_len);

#endif
