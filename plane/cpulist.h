/* SPDX-License-Identifier: MIT */
/*
 * cpulist.h - sets of CPUs as the kernel writes them: bitmaps "ff,ffffffff", lists "0-3,8".
 */
#ifndef PLANE_CPULIST_H
#define PLANE_CPULIST_H

#include <leat/rps.h>

enum {
	CPULIST_WORDS = LEAT_CPUS_MAX / 64,
	CPULIST_TEXT_MAX = 4096, /* bytes that hold any set in either form */
};

struct cpulist {
	uint64_t bit[CPULIST_WORDS];
};

/* Read a list: numbers and ranges between commas; nothing is the empty set. CPU ids are below
 * n_cpus. 0; -EINVAL for what is no list; -EOVERFLOW for a CPU that is n_cpus or more. */
int cpulist_parse(struct cpulist *set, const char *text, unsigned n_cpus);

/* Read a bitmap: hexadecimal groups of 32 bits between commas, the highest first, without 0x. A
 * list is taken too: a text with a '-', or one where a group behind a comma has not eight digits,
 * as the kernel prints them, is one. So "10" is CPU 4, and "1,0" is CPUs 0 and 1. Errors as
 * above. */
int cpulist_parse_mask(struct cpulist *set, const char *text, unsigned n_cpus);

/* Write the set in either form, n_cpus bits wide. Cut, if it must, as snprintf does. */
void cpulist_print(const struct cpulist *set, unsigned n_cpus, char *text, size_t size);
void cpulist_print_mask(const struct cpulist *set, unsigned n_cpus, char *text, size_t size);

static inline bool cpulist_has(const struct cpulist *set, unsigned cpu)
{
	return set->bit[cpu / 64] >> cpu % 64 & 1;
}

static inline void cpulist_add(struct cpulist *set, unsigned cpu)
{
	set->bit[cpu / 64] |= UINT64_C(1) << cpu % 64;
}

/* How many CPUs are in the set. */
unsigned cpulist_count(const struct cpulist *set);

#endif
