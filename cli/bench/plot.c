/* SPDX-License-Identifier: MIT */
#include "plot.h"

#include "measure.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void drop(struct work *work)
{
	if (work->drop)
		work->drop(work->state);
}

/* The cost at one place, ns; 0: not possible. */
static double measure_point(const struct bench *b, const struct curve *curve, uint32_t x)
{
	struct measure_conf conf = {1000000, 5, 64, 200000000};
	struct work side[2] = {{0}, {0}}, none = {0};
	struct bench_case c = curve->of;
	struct figure figure = {0};
	const char *why;

	if (b->quick)
		conf = (struct measure_conf){1, 1, 1, 0};
	c.n[curve->vary] = x;
	if (c.make(b, &c, &side[0], &side[1], &why) == 0 && side[curve->theirs].run)
		measure(&side[curve->theirs], &none, &conf, &figure);
	drop(&side[1]);
	drop(&side[0]);
	return figure.ours;
}

static void measure_curve(const struct bench *b, const struct plot *plot, const struct curve *of,
			  struct plot_curve *curve)
{
	uint32_t most = of->most ? of->most : plot->last;

	snprintf(curve->label, sizeof(curve->label), "%s%s%s", of->peers ? b->peer->name : "",
		 of->peers && of->label ? ", " : "", of->label ? of->label : "");
	for (uint64_t x = plot->first; x <= most && curve->n < PLOT_POINTS_MAX; x *= 2) {
		double y = measure_point(b, of, (uint32_t)x);

		if (y <= 0)
			break;
		if (isatty(STDERR_FILENO))
			fprintf(stderr, "\r%s, %s: %u          \r", plot->file, curve->label,
				(unsigned)x);
		curve->y[curve->n++] = y;
	}
}

static int make_plot(const struct bench *b, const struct plot *plot, const char *directory)
{
	struct plot_curve curve[PLOT_CURVES_MAX] = {0};
	char path[PATH_MAX];
	unsigned n = 0;
	int e;

	for (unsigned i = 0; i < plot->curves; i++) {
		if (plot->curve[i].peers && !b->peer)
			continue;
		measure_curve(b, plot, &plot->curve[i], &curve[n++]);
	}
	snprintf(path, sizeof(path), "%s/%s.svg", directory, plot->file);
	e = svg_write(path, plot, curve, n);
	if (e)
		fprintf(stderr, "leat bench: %s: %s\n", path, strerror(-e));
	else
		printf("%s\n", path);
	return e ? -1 : 0;
}

int plot_all(const struct bench *b, const char *directory)
{
	for (unsigned s = 0; bench_subjects[s]; s++) {
		for (unsigned i = 0; i < bench_subjects[s]->n_plots; i++) {
			if (make_plot(b, &bench_subjects[s]->plots[i], directory))
				return -1;
		}
	}
	return 0;
}
