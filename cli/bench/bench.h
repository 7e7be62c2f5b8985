/* SPDX-License-Identifier: MIT */
/*
 * bench.h - cases: what is measured against what, and what the ratio should be.
 *
 * A subject is a file with a table of cases. Each makes two works that give the same outputs from
 * the same bytes; they are run in turns.
 */
#ifndef CLI_BENCH_BENCH_H
#define CLI_BENCH_BENCH_H

#include "peer.h"

struct bench {
	const struct peer *peer; /* NULL: none */
	int cpu[2];		 /* that this process may run on; [1] -1: there is but one */
	bool quick;		 /* smallest sizes: to see that it works, not how fast */
	uint64_t capture_size;	 /* bytes */
	const char *directory;	 /* for captures */
};

struct bench_case {
	const char *name;
	const char *against; /* what it is compared with; NULL: the peer */
	const char *unit;    /* of what takes the time: "packet" */
	double target;	     /* the ratio should not be above; 0: there is none */
	double target_ns;    /* or our own time should not be */

	/* Make both sides; `theirs` may be left without a run(), for which *why may say why. 0, or
	 * -1: the case is not possible here. */
	int (*make)(const struct bench *, const struct bench_case *, struct work *ours,
		    struct work *theirs, const char **why);
	uint32_t n[4]; /* what make() wants to know */
};

/* A case with one of its numbers varied, and one side of it. */
struct curve {
	const char *label; /* NULL: the peer's name alone */
	struct bench_case of;
	unsigned vary; /* index of of.n */
	bool theirs;
	bool peers;    /* the peer's: its name goes before the label */
	uint32_t most; /* up to there; 0: all of the plot */
};

/* Cost of an operation against a number that is doubled from `first` to `last`. */
struct plot {
	const char *file; /* without .svg */
	const char *title, *x, *y;
	uint32_t first, last;
	const struct curve *curve;
	unsigned curves;
};

/* A file's cases, and its plots. */
struct subject {
	const struct bench_case *cases;
	unsigned n;
	const struct plot *plots;
	unsigned n_plots;
};

extern const struct subject subject_gro, subject_gso, subject_tunnel, subject_hash, subject_csum,
	subject_steer, subject_rules, subject_hop, subject_capture;

/* All subjects, up to NULL. */
extern const struct subject *const bench_subjects[];

#define BENCH_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* Memory, or the end of the program. */
void *bench_alloc(size_t size);

/* For a work's prepare(): the CPU's best variants, as they are when a case begins; and portable C
 * alone. */
void bench_select_best(void *state);
void bench_select_portable(void *state);

/* The same numbers in every run. */
uint32_t bench_random(uint64_t *state);

#endif
