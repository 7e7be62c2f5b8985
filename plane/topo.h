/* SPDX-License-Identifier: MIT */
/*
 * topo.h - how near the machine's CPUs are to each other, read once.
 *
 * A value after topo_init(): any thread may ask. Where the machine does not say, CPUs are far.
 */
#ifndef PLANE_TOPO_H
#define PLANE_TOPO_H

#include <leat/arfs.h>

/* What a CPU is part of, by number; -1: unknown. */
struct topo_cpu {
	int core;
	int cache; /* the last-level one */
	int package;
	int node;
};

struct topo {
	unsigned n_cpus;
	struct topo_cpu *cpu; /* n_cpus of them */
};

/* For CPUs 0 to n_cpus - 1. 0 or -ENOMEM. */
int topo_init(struct topo *topo, unsigned n_cpus);
void topo_fini(struct topo *topo);

/* enum leat_arfs_distance or LEAT_ARFS_FAR; `topo` is a struct topo. */
leat_arfs_distance_fn topo_distance;

#endif
