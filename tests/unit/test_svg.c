/* SPDX-License-Identifier: MIT */
/*
 * test_svg.c - a plot's values stand beside their curves' ends and clear of each other, in whatever
 * order the curves come and however many end in one place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../cli/bench/plot.h"

enum { POINTS = 3, TEXT = 12 };

static const struct plot plot = {
	.file = "p", .title = "t", .x = "x", .y = "y", .first = 1, .last = 4};

/* Where the value in a line of the drawing stands, from the top; 0: there is none. */
static double find_value(const char *line)
{
	const char *y = strstr(line, "' y='");

	return strncmp(line, "<text x=", 8) == 0 && strstr(line, "fill=") && y ?
		       strtod(y + 5, NULL) :
		       0;
}

/* The curves end at `end`; their values stand `at`. */
static void draw(const double *end, unsigned n, double *at)
{
	struct plot_curve curve[PLOT_CURVES_MAX];
	char path[] = "/tmp/leat-svg-XXXXXX", line[4096];
	unsigned found = 0;
	FILE *f;

	for (unsigned i = 0; i < n; i++)
		curve[i] = (struct plot_curve){"c", POINTS, {10, 10, end[i]}};
	close(mkstemp(path));
	assert_int_equal(svg_write(path, &plot, curve, n), 0);
	f = fopen(path, "r");
	assert_non_null(f);
	while (found < n && fgets(line, sizeof(line), f)) {
		at[found] = find_value(line);
		found += at[found] > 0;
	}
	fclose(f);
	unlink(path);
	assert_int_equal(found, n);
}

static void test_apart(void **state)
{
	static const double ends[][PLOT_CURVES_MAX] = {
		{10, 10, 10, 10}, {10, 10.1, 10.2, 10.3}, {10.3, 10.2, 10.1, 10},
		{10, 9, 10, 9},	  {1, 10, 1.5, 9.5},
	};

	for (unsigned e = 0; e < sizeof(ends) / sizeof(ends[0]); e++) {
		double at[PLOT_CURVES_MAX] = {0};

		draw(ends[e], PLOT_CURVES_MAX, at);
		for (unsigned i = 0; i < PLOT_CURVES_MAX; i++) {
			for (unsigned k = 0; k < PLOT_CURVES_MAX; k++) {
				if (i == k)
					continue;
				if (at[i] - at[k] < TEXT && at[k] - at[i] < TEXT)
					fail_msg("ends %u: values %u and %u at %f and %f", e, i, k,
						 at[i], at[k]);
				if (ends[e][i] > ends[e][k])
					assert_true(at[i] < at[k]);
			}
		}
	}
}

/* One that is clear of the others stands where its curve ends. */
static void test_beside(void **state)
{
	static const double ends[] = {2, 8};
	double at[2] = {0}, alone[1] = {0};

	draw(ends, 2, at);
	draw(ends + 1, 1, alone);
	assert_true(at[1] == alone[0]);
	assert_true(at[0] - at[1] > 3 * TEXT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_apart),
		cmocka_unit_test(test_beside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
