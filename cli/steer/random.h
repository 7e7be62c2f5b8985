/* SPDX-License-Identifier: MIT */
/*
 * random.h - random numbers that are the same at each run.
 */
#ifndef CLI_STEER_RANDOM_H
#define CLI_STEER_RANDOM_H

#include <stdint.h>

/* The next of the numbers that follow from *state: splitmix64 (Steele, Lea, Flood, OOPSLA 2014). */
static inline uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

#endif
