/* SPDX-License-Identifier: MIT */
/*
 * A turn is as many runs as take a slice of time, what prepares them not counted: of the thread's
 * time, so that other programs' turns on the CPU do not count. The turns of a pair are neighbours,
 * and each pair changes who begins. A figure in ns is the median of the turns, a ratio that of the
 * pairs. See doc/decisions/bench.md.
 */
#include "measure.h"

#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PAIRS_MAX = 512, TRIES = 1000 /* in a turn */ };

static uint64_t now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* These two have names for bench/instructions to count in. */
__attribute__((noinline)) static uint64_t run_ours(const struct work *w)
{
	uint64_t n = w->run(w->state);

	__asm__ volatile("" ::: "memory"); /* not a tail call */
	return n;
}

__attribute__((noinline)) static uint64_t run_theirs(const struct work *w)
{
	uint64_t n = w->run(w->state);

	__asm__ volatile("" ::: "memory");
	return n;
}

typedef uint64_t run_fn(const struct work *w);

/* Add a run to what the turn has taken and done. */
static void run_once(const struct work *w, run_fn *run, uint64_t *taken, uint64_t *done)
{
	clockid_t clock = w->wall ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID;
	uint64_t start, end, n;

	if (w->prepare)
		w->prepare(w->state);
	start = now(clock);
	n = run(w);
	end = now(clock);
	if (w->disturbed && w->disturbed(w->state))
		return;
	*taken += end - start;
	*done += n;
}

/* ns of an operation; if each try was disturbed, of the last. */
static double turn(const struct work *w, run_fn *run, uint64_t slice, uint64_t *operations)
{
	struct work any = *w;
	uint64_t taken = 0, done = 0;

	for (unsigned i = 0; i < TRIES && (done == 0 || taken < slice); i++)
		run_once(w, run, &taken, &done);
	any.disturbed = NULL;
	if (done == 0)
		run_once(&any, run, &taken, &done);
	*operations += done;
	return (double)taken / (double)done;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The value below which `part` of the n values are. */
static double quantile(const double *value, unsigned n, double part)
{
	double sorted[PAIRS_MAX];

	memcpy(sorted, value, n * sizeof(*value));
	qsort(sorted, n, sizeof(*sorted), compare_doubles);
	return sorted[(unsigned)((n - 1) * part + 0.5)];
}

static void summarize(const double *ours, const double *theirs, unsigned n, struct figure *f)
{
	double ratio[PAIRS_MAX];

	f->pairs = n;
	f->ours = quantile(ours, n, 0.5);
	f->ours_low = quantile(ours, n, 0.25);
	f->ours_high = quantile(ours, n, 0.75);
	if (!theirs)
		return;
	for (unsigned i = 0; i < n; i++)
		ratio[i] = ours[i] / theirs[i];
	f->theirs = quantile(theirs, n, 0.5);
	f->ratio = quantile(ratio, n, 0.5);
	f->low = quantile(ratio, n, 0.25);
	f->high = quantile(ratio, n, 0.75);
}

void measure(struct work *ours, struct work *theirs, const struct measure_conf *conf,
	     struct figure *f)
{
	double our_ns[PAIRS_MAX], their_ns[PAIRS_MAX];
	uint64_t start = now(CLOCK_MONOTONIC);
	unsigned n = 0, most = conf->most < PAIRS_MAX ? conf->most : PAIRS_MAX;

	*f = (struct figure){0};
	turn(ours, run_ours, 0, &f->operations[0]);
	if (theirs->run)
		turn(theirs, run_theirs, 0, &f->operations[1]);
	while (n < most && (n < conf->least || now(CLOCK_MONOTONIC) - start < conf->budget_ns)) {
		if (n % 2 == 0)
			our_ns[n] = turn(ours, run_ours, conf->slice_ns, &f->operations[0]);
		if (theirs->run)
			their_ns[n] = turn(theirs, run_theirs, conf->slice_ns, &f->operations[1]);
		if (n % 2 == 1)
			our_ns[n] = turn(ours, run_ours, conf->slice_ns, &f->operations[0]);
		n++;
	}
	summarize(our_ns, theirs->run ? their_ns : NULL, n, f);
}

/* --- comparing --- */

struct output {
	uint8_t *data;
	size_t len;
};

static int compare_outputs(const void *a, const void *b)
{
	const struct output *x = a, *y = b;
	int c = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);

	return c ? c : (x->len > y->len) - (x->len < y->len);
}

/* All outputs of a run, sorted, and how many. */
static struct output *gather(const struct work *w, unsigned *n)
{
	struct output *all;
	unsigned count = 0;

	if (w->prepare)
		w->prepare(w->state);
	w->run(w->state);
	while (w->output(w->state, count, NULL) > 0)
		count++;
	all = bench_alloc((count + 1) * sizeof(*all));
	for (unsigned i = 0; i < count; i++) {
		all[i].len = w->output(w->state, i, NULL);
		all[i].data = bench_alloc(all[i].len);
		w->output(w->state, i, all[i].data);
	}
	qsort(all, count, sizeof(*all), compare_outputs);
	*n = count;
	return all;
}

static void release(struct output *all, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		free(all[i].data);
	free(all);
}

static size_t first_difference(const struct output *x, const struct output *y)
{
	size_t i = 0;

	while (i < x->len && i < y->len && x->data[i] == y->data[i])
		i++;
	return i;
}

static int judge(const struct output *x, unsigned n, const struct output *y, unsigned m, char *err,
		 size_t err_len)
{
	if (n != m || n == 0) {
		snprintf(err, err_len, "%u outputs, the other side has %u", n, m);
		return -1;
	}
	for (unsigned i = 0; i < n; i++) {
		if (compare_outputs(&x[i], &y[i]) == 0)
			continue;
		snprintf(err, err_len,
			 "output %u of %u: %zu and %zu bytes, different from byte %zu on", i, n,
			 x[i].len, y[i].len, first_difference(&x[i], &y[i]));
		return -1;
	}
	return 0;
}

int measure_compare(struct work *ours, struct work *theirs, char *err, size_t err_len)
{
	struct output *x, *y;
	unsigned n, m;
	int e;

	if (!ours->output || !theirs->run || !theirs->output)
		return 0;
	x = gather(ours, &n);
	y = gather(theirs, &m);
	e = judge(x, n, y, m, err, err_len);
	release(x, n);
	release(y, m);
	return e;
}
