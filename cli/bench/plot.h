/* SPDX-License-Identifier: MIT */
/*
 * plot.h - curves: what an operation costs, as something grows.
 */
#ifndef CLI_BENCH_PLOT_H
#define CLI_BENCH_PLOT_H

#include "bench.h"

enum { PLOT_POINTS_MAX = 24, PLOT_CURVES_MAX = 4 };

struct plot_curve {
	char label[64];
	unsigned n; /* points, the first of them at the plot's first x */
	double y[PLOT_POINTS_MAX];
};

/* Measure every plot and write it to `directory`. 0, or -1, having said why. */
int plot_all(const struct bench *b, const char *directory);

/* Write the picture. 0 or -errno. */
int svg_write(const char *path, const struct plot *plot, const struct plot_curve *curve,
	      unsigned curves);

#endif
