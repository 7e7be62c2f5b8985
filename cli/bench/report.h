/* SPDX-License-Identifier: MIT */
/*
 * report.h - the table of what was measured, for a person or as JSON.
 */
#ifndef CLI_BENCH_REPORT_H
#define CLI_BENCH_REPORT_H

#include "bench.h"
#include "machine.h"
#include "measure.h"

#include <jansson.h>

struct report_row {
	const struct bench_case *of;
	struct figure figure;
	const char *against; /* NULL: nothing */
	const char *why;     /* there is no peer, or no figure at all; may be NULL */
	const char *wrong;   /* the outputs differ: how */
};

struct report {
	struct machine machine;
	const char *peer;    /* its name; NULL: none found */
	const char *without; /* why */
	json_t *rows;	     /* NULL: text, a line each as soon as it is known */
};

void report_begin(struct report *r, bool json);
void report_row(struct report *r, const struct report_row *row);
void report_end(struct report *r);

#endif
