/* SPDX-License-Identifier: MIT */
/*
 * machine.h - what was measured on.
 */
#ifndef CLI_BENCH_MACHINE_H
#define CLI_BENCH_MACHINE_H

#include <stdint.h>

struct machine {
	char cpu[128];
	char features[256]; /* those that matter here, between blanks */
	unsigned cpus;
	uint64_t ticks[2]; /* of all CPUs since boot: stolen by others of the host, all */
};

void machine_look(struct machine *m);

/* The part of the time since then that the host gave to others. */
double machine_stolen(const struct machine *since);

#endif
