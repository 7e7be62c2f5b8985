/* SPDX-License-Identifier: MIT */
#include "luck.h"

#include "random.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	DRAWS_MAX = 10000,
	DRAWS_MIN = 200,
	STEPS = 10000000, /* placed altogether, if DRAWS_MIN allows: an eighth of a second or so */
	SEED = 1,
};

/* A load is a sum of many: in another order it is another in its last digits. */
#define ROUNDING 1e-9

double luck_unevenness(const double *load, unsigned n)
{
	double sum = 0, most = 0;

	for (unsigned i = 0; i < n; i++) {
		sum += load[i];
		most = load[i] > most ? load[i] : most;
	}
	return sum > 0 ? most * n / sum : 0;
}

static void place(const struct luck_unit *unit, size_t n, double *load, unsigned n_queues,
		  uint64_t *state)
{
	memset(load, 0, n_queues * sizeof(*load));
	for (size_t i = 0; i < n; i++) {
		unsigned queue = unit[i].queue;

		if (unit[i].rss)
			queue += leat_rss_pick(unit[i].rss, (uint32_t)random_next(state));
		load[queue % n_queues] += unit[i].load;
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* `got` is what the draws were. */
static void sum_up(struct luck *luck, double *got, double observed)
{
	unsigned above = 0;

	qsort(got, luck->draws, sizeof(*got), compare);
	for (unsigned i = 0; i < luck->draws; i++) {
		luck->mean += got[i] / luck->draws;
		above += got[i] >= observed * (1 - ROUNDING);
	}
	luck->above = (double)above / luck->draws;
	luck->low = got[luck->draws / 40];
	luck->high = got[luck->draws - 1 - luck->draws / 40];
}

int luck_draw(struct luck *luck, const struct luck_unit *unit, size_t n, unsigned n_queues,
	      double observed)
{
	unsigned draws = n > STEPS / DRAWS_MAX ? (unsigned)(STEPS / n) : DRAWS_MAX;
	double *load = malloc(n_queues * sizeof(*load)), *got;
	uint64_t state = SEED;

	*luck = (struct luck){.draws = draws < DRAWS_MIN ? DRAWS_MIN : draws};
	got = malloc(luck->draws * sizeof(*got));
	for (unsigned d = 0; load && got && d < luck->draws; d++) {
		place(unit, n, load, n_queues, &state);
		got[d] = luck_unevenness(load, n_queues);
		for (unsigned q = 0; q < n_queues; q++)
			luck->used += (load[q] > 0) / (double)luck->draws;
	}
	if (load && got)
		sum_up(luck, got, observed);
	free(load);
	free(got);
	return load && got ? 0 : -ENOMEM;
}
