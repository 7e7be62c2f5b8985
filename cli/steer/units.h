/* SPDX-License-Identifier: MIT */
/*
 * units.h - what of a capture moves from queue to queue as one.
 */
#ifndef CLI_STEER_UNITS_H
#define CLI_STEER_UNITS_H

#include "tally.h"

struct unit {
	struct leat_flow id;	      /* of a direction; of both, their ends in order */
	const struct leat_rss *table; /* that chose; NULL: it stays on its queue */
	uint16_t queue;		      /* that, or what is added to the table's */
	uint16_t now;		      /* the queue it is on */
	uint16_t context;	      /* that chose */
	double load[3];		      /* by enum measure */
};

struct units {
	struct unit *unit;
	size_t n;
};

/* All flows that are not dropped; `inside`: those inside in place of those around them. 0, or
 * -ENOMEM; units_fini() ends both. */
int units_init(struct units *units, const struct tally *tally, bool inside);

void units_fini(struct units *units);

#endif
