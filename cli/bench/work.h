/* SPDX-License-Identifier: MIT */
/*
 * work.h - a piece of work that can be done again and again, and timed: ours, or somebody else's.
 */
#ifndef CLI_BENCH_WORK_H
#define CLI_BENCH_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct work {
	/* Outside the clock: everything as run() wants it. NULL: nothing is to be done. */
	void (*prepare)(void *state);

	/* What is timed. Gives how many operations it was: packets, segments, hashes. */
	uint64_t (*run)(void *state);

	/* What the last run() made, to be compared with another's: copies output `i` to `to`, or
	 * nowhere if that is NULL. Gives its bytes, 0 behind the last. NULL: not to be compared. */
	size_t (*output)(void *state, unsigned i, uint8_t *to);

	void (*drop)(void *state); /* NULL: nothing is to be freed */
	void *state;

	/* Others than the calling thread do the work too, so that the wall clock counts; else it is the
	 * thread's own time. */
	bool wall;

	/* Outside the clock: whether the last run() is not to count, for it was kept from working. NULL:
	 * it always counts. */
	bool (*disturbed)(void *state);
};

#endif
