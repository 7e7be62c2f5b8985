/* SPDX-License-Identifier: MIT */
/*
 * luck.h - how uneven an ideal hash would be: each flow on a random entry of the table, over and
 * over.
 *
 * Evenness is the busiest queue's load over the mean of all queues, 1 at best. With few flows, or a
 * few large ones, it is far from 1 however good the hash, and only what is beyond that is a fault.
 * The same question gives the same answer: the draws follow from a fixed seed.
 */
#ifndef CLI_STEER_LUCK_H
#define CLI_STEER_LUCK_H

#include <leat/rss.h>
#include <stddef.h>

/* What moves as one: a flow. */
struct luck_unit {
	double load;		    /* 0 or more */
	const struct leat_rss *rss; /* whose table it is drawn from; NULL: it has its queue */
	uint16_t queue;		    /* that, or what is added to the table's */
};

struct luck {
	double mean;	  /* of busiest over mean, over all draws */
	double low, high; /* 95 of 100 draws are from here to there */
	double used;	  /* queues in use, on average */
	double above;	/* the part of the draws that was as uneven as what was observed, or more */
	unsigned draws; /* 0: there is nothing to draw */
};

/* Busiest over mean of n loads; 0 if all are 0. */
double luck_unevenness(const double *load, unsigned n);

/* Fills *luck. 0, or -ENOMEM. */
int luck_draw(struct luck *luck, const struct luck_unit *unit, size_t n, unsigned n_queues,
	      double observed);

#endif
