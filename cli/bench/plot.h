/* SPDX-License-Identifier: MIT */
/*
 * plot.h - curves: what an operation costs, as something grows.
 */
#ifndef CLI_BENCH_PLOT_H
#define CLI_BENCH_PLOT_H

#include "bench.h"

#include <stdio.h>

enum { PLOT_POINTS_MAX = 24, PLOT_CURVES_MAX = 4 };

struct plot_curve {
	char label[64];
	unsigned n; /* points, the first of them at the plot's first x */
	double y[PLOT_POINTS_MAX];
};

/* Measure the plots whose names match `pattern` (NULL: all), each place for about so long, and write
 * them to `directory`. 0, or -1, having said why. */
int plot_all(const struct bench *b, const char *directory, const char *pattern,
	     unsigned long milliseconds);

/* Print their names, if `to` is not NULL; gives how many there are. */
unsigned plot_list(const char *pattern, FILE *to);

/* Write the picture. 0 or -errno. */
int svg_write(const char *path, const struct plot *plot, const struct plot_curve *curve,
	      unsigned curves);

#endif
