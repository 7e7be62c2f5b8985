/* SPDX-License-Identifier: MIT */
/*
 * A line for each curve, x doubling from mark to mark, y linear, or logarithmic where curves are
 * far apart. Each curve's values stand at its last point.
 */
#include "plot.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

enum {
	WIDTH = 760,
	HEIGHT = 420,
	LEFT = 70,
	RIGHT = 50,
	TOP = 50,
	BOTTOM = 60,
	LINES = 5, /* across, with a linear y */
	FAR_APART = 20,
	TEXT = 13, /* a line of it */
};

static const char *const colour[PLOT_CURVES_MAX] = {"#0b6", "#c33", "#06b", "#a60"};

struct scale {
	const struct plot *plot;
	unsigned points;
	double low, high;
	bool logarithmic;
};

/* The least of 1, 2, 5 times a power of ten that is not less. */
static double round_up(double y)
{
	double unit = pow(10, floor(log10(y)));

	if (y <= unit)
		return unit;
	if (y <= 2 * unit)
		return 2 * unit;
	return y <= 5 * unit ? 5 * unit : 10 * unit;
}

static struct scale find_scale(const struct plot *plot, const struct plot_curve *curve,
			       unsigned curves)
{
	struct scale s = {.plot = plot, .low = INFINITY};

	for (unsigned i = 0; i < curves; i++) {
		for (unsigned k = 0; k < curve[i].n; k++) {
			s.low = fmin(s.low, curve[i].y[k]);
			s.high = fmax(s.high, curve[i].y[k]);
		}
	}
	for (uint64_t x = plot->first; x <= plot->last; x *= 2)
		s.points++;
	s.logarithmic = s.high > FAR_APART * s.low;
	s.low = s.logarithmic ? pow(10, floor(log10(s.low))) : 0;
	s.high = s.logarithmic ? pow(10, ceil(log10(s.high))) : round_up(s.high);
	return s;
}

static double at_x(const struct scale *s, unsigned point)
{
	return LEFT + (double)(WIDTH - LEFT - RIGHT) * point / (s->points - 1);
}

static double at_y(const struct scale *s, double y)
{
	double part = s->logarithmic ? log10(y / s->low) / log10(s->high / s->low) : y / s->high;

	return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * part;
}

static void draw_line(FILE *f, const struct scale *s, double y)
{
	fprintf(f, "<path d='M%d %.1fH%d' stroke='#ddd'/>", LEFT, at_y(s, y), WIDTH - RIGHT);
	fprintf(f, "<text x='%d' y='%.1f' text-anchor='end'>%g</text>\n", LEFT - 8, at_y(s, y) + 4,
		y);
}

static void draw_marks(FILE *f, const struct scale *s)
{
	if (s->logarithmic) {
		int tens = (int)lround(log10(s->high / s->low));

		for (int i = 0; i <= tens; i++)
			draw_line(f, s, s->low * pow(10, i));
	} else {
		for (unsigned i = 0; i <= LINES; i++)
			draw_line(f, s, s->high * i / LINES);
	}
	for (unsigned i = 0; i < s->points; i++) {
		uint64_t x = (uint64_t)s->plot->first << i;

		fprintf(f, "<text x='%.1f' y='%d' text-anchor='middle'>", at_x(s, i),
			HEIGHT - BOTTOM + 18);
		if (x >= 1 << 20)
			fprintf(f, "%uM</text>\n", (unsigned)(x >> 20));
		else if (x >= 1 << 12)
			fprintf(f, "%uK</text>\n", (unsigned)(x >> 10));
		else
			fprintf(f, "%u</text>\n", (unsigned)x);
	}
}

static void draw_curve(FILE *f, const struct scale *s, const struct plot_curve *c, unsigned number)
{
	fprintf(f, "<polyline fill='none' stroke-width='2' stroke='%s' points='", colour[number]);
	for (unsigned i = 0; i < c->n; i++)
		fprintf(f, "%.1f,%.1f ", at_x(s, i), at_y(s, c->y[i]));
	fprintf(f, "'/>\n");
	for (unsigned i = 0; i < c->n; i++)
		fprintf(f,
			"<circle cx='%.1f' cy='%.1f' r='3' fill='%s'><title>%.4g</title></circle>\n",
			at_x(s, i), at_y(s, c->y[i]), colour[number], c->y[i]);
}

static double end_y(const struct scale *s, const struct plot_curve *c)
{
	return at_y(s, c->y[c->n - 1]);
}

/* Does curve k end above curve i, or, of two that end in one place, come first? */
static bool is_above(const struct scale *s, const struct plot_curve *curve, unsigned k, unsigned i)
{
	double up;

	if (curve[k].n != curve[i].n)
		return false;
	up = end_y(s, &curve[i]) - end_y(s, &curve[k]);
	return up > 0 || (up == 0 && k < i);
}

/* Where the curves' values stand: beside their ends, or lower, where that of one above is. A pass for
 * each has the last be below all others. */
static void place_values(const struct scale *s, const struct plot_curve *curve, unsigned curves,
			 double *y)
{
	for (unsigned i = 0; i < curves; i++)
		y[i] = curve[i].n ? end_y(s, &curve[i]) : 0;
	for (unsigned pass = 0; pass < curves; pass++) {
		for (unsigned i = 0; i < curves; i++) {
			for (unsigned k = 0; k < curves; k++) {
				if (curve[i].n && is_above(s, curve, k, i))
					y[i] = fmax(y[i], y[k] + TEXT);
			}
		}
	}
}

static void draw_values(FILE *f, const struct scale *s, const struct plot_curve *curve,
			unsigned curves)
{
	double y[PLOT_CURVES_MAX];

	place_values(s, curve, curves, y);
	for (unsigned i = 0; i < curves; i++) {
		unsigned last = curve[i].n - 1;

		if (curve[i].n)
			fprintf(f, "<text x='%.1f' y='%.1f' fill='%s'>%.*f</text>\n",
				at_x(s, last) + TEXT / 2.0, y[i] + TEXT / 3.0, colour[i],
				curve[i].y[last] < 10, curve[i].y[last]);
	}
}

static void draw_legend(FILE *f, const struct plot_curve *curve, unsigned curves)
{
	double x = LEFT;

	for (unsigned i = 0; i < curves; i++) {
		fprintf(f, "<rect x='%.1f' y='33' width='12' height='4' fill='%s'/>", x, colour[i]);
		fprintf(f, "<text x='%.1f' y='40'>%s</text>\n", x + 18, curve[i].label);
		x += 40 + 7 * snprintf(NULL, 0, "%s", curve[i].label);
	}
}

static void draw(FILE *f, const struct plot *plot, const struct plot_curve *curve, unsigned curves)
{
	struct scale s = find_scale(plot, curve, curves);

	fprintf(f,
		"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' "
		"font-family='sans-serif' font-size='12'>\n<rect width='100%%' height='100%%' "
		"fill='white'/>\n<text x='%d' y='22' font-size='15'>%s</text>\n",
		WIDTH, HEIGHT, LEFT, plot->title);
	draw_marks(f, &s);
	for (unsigned i = 0; i < curves; i++) {
		if (curve[i].n > 0)
			draw_curve(f, &s, &curve[i], i);
	}
	draw_values(f, &s, curve, curves);
	draw_legend(f, curve, curves);
	fprintf(f, "<text x='%d' y='%d' text-anchor='middle'>%s</text>\n", WIDTH / 2, HEIGHT - 18,
		plot->x);
	fprintf(f,
		"<text transform='translate(18 %d) rotate(-90)' text-anchor='middle'>%s</text>\n"
		"</svg>\n",
		HEIGHT / 2, plot->y);
}

int svg_write(const char *path, const struct plot *plot, const struct plot_curve *curve,
	      unsigned curves)
{
	FILE *f = fopen(path, "we");
	bool failed;

	if (!f)
		return -errno;
	draw(f, plot, curve, curves);
	failed = ferror(f);
	return fclose(f) || failed ? -EIO : 0;
}
