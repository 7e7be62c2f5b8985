/* SPDX-License-Identifier: MIT */
#include "plot.h"

#include "measure.h"

#include <fnmatch.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

static void drop(struct work *work)
{
	if (work->drop)
		work->drop(work->state);
}

/* The cost at one place, ns; 0: not possible. */
static double measure_point(const struct bench *b, const struct curve *curve, uint32_t x,
			    uint64_t ns)
{
	struct measure_conf conf = {1000000, 5, 64, ns};
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
			  struct plot_curve *curve, uint64_t ns)
{
	uint32_t most = of->most ? of->most : plot->last;

	snprintf(curve->label, sizeof(curve->label), "%s%s%s", of->peers ? b->peer->name : "",
		 of->peers && of->label ? ", " : "", of->label ? of->label : "");
	for (uint64_t x = plot->first; x <= most && curve->n < PLOT_POINTS_MAX; x *= 2) {
		double y = measure_point(b, of, (uint32_t)x, ns);

		if (y <= 0)
			break;
		if (isatty(STDERR_FILENO))
			fprintf(stderr, "\r%s, %s: %u          \r", plot->file, curve->label,
				(unsigned)x);
		curve->y[curve->n++] = y;
	}
}

static int make_plot(const struct bench *b, const struct plot *plot, const char *directory,
		     uint64_t ns)
{
	struct plot_curve curve[PLOT_CURVES_MAX] = {0};
	char path[PATH_MAX];
	unsigned n = 0;
	int e;

	for (unsigned i = 0; i < plot->curves; i++) {
		if (plot->curve[i].peers && !b->peer)
			continue;
		measure_curve(b, plot, &plot->curve[i], &curve[n++], ns);
	}
	snprintf(path, sizeof(path), "%s/%s.svg", directory, plot->file);
	e = svg_write(path, plot, curve, n);
	if (e)
		fprintf(stderr, "leat bench: %s: %s\n", path, strerror(-e));
	else
		printf("%s\n", path);
	return e ? -1 : 0;
}

/* The first that matches from `*s` and `*i` on, which then are behind it; NULL: none. */
static const struct plot *find_plot(const char *pattern, unsigned *s, unsigned *i)
{
	for (; bench_subjects[*s]; ++*s, *i = 0) {
		while (*i < bench_subjects[*s]->n_plots) {
			const struct plot *plot = &bench_subjects[*s]->plots[(*i)++];

			if (!pattern || fnmatch(pattern, plot->file, 0) == 0)
				return plot;
		}
	}
	return NULL;
}

int plot_all(const struct bench *b, const char *directory, const char *pattern,
	     unsigned long milliseconds)
{
	const struct plot *plot;
	unsigned s = 0, i = 0;

	while ((plot = find_plot(pattern, &s, &i))) {
		if (make_plot(b, plot, directory, (uint64_t)milliseconds * 1000000))
			return -1;
	}
	return 0;
}

unsigned plot_list(const char *pattern, FILE *to)
{
	const struct plot *plot;
	unsigned s = 0, i = 0, n = 0;

	for (; (plot = find_plot(pattern, &s, &i)); n++) {
		if (to)
			fprintf(to, "%s\n", plot->file);
	}
	return n;
}
