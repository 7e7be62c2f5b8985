/* SPDX-License-Identifier: MIT */
/*
 * pace.h - how many packets of a made-up source are due, and a descriptor that is readable when
 * some are.
 *
 * Without a rate any number is due at any time. With one, packets that nobody asked for in time
 * stay due. Waking for each would cost more than the packet, so at high rates the descriptor
 * tells of several at once: at most every PACE_WAKE_NS.
 *
 * Threads: start may be called by another thread than the rest.
 */
#ifndef PLANE_PORT_PACE_H
#define PLANE_PORT_PACE_H

#include <stdint.h>

enum { PACE_WAKE_NS = 50000 };

struct pace {
	int fd;
	double rate;	/* packets per ns; 0: no limit */
	uint64_t start; /* atomic: CLOCK_MONOTONIC, ns; 0: not started */
	uint64_t given;
};

/* `rate`: packets per second, 0: no limit. Gives 0 or -errno. */
int pace_init(struct pace *p, double rate);
void pace_fini(struct pace *p);

void pace_start(struct pace *p);

/* How many of `n` packets are due. When fewer, the descriptor is readable once more are. */
unsigned pace_due(struct pace *p, unsigned n);

/* `n` of those due have been given. */
static inline void pace_give(struct pace *p, unsigned n)
{
	p->given += n;
}

/* No more are due, ever: the descriptor is not readable again. */
void pace_stop(struct pace *p);

#endif
