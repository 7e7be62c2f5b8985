/* SPDX-License-Identifier: MIT */
/*
 * rng.h - random numbers for tests: the seed is printed, and LEAT_SEED sets it.
 */
#ifndef LEAT_TESTS_RNG_H
#define LEAT_TESTS_RNG_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct rng {
	uint64_t state;
};

/* splitmix64. */
static inline uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* 0 to n - 1; n is small, the bias does not matter here. */
static inline uint32_t rng_below(struct rng *rng, uint32_t n)
{
	return (uint32_t)((rng_next(rng) >> 32) * n >> 32);
}

/* True once in n. */
static inline bool rng_once_in(struct rng *rng, uint32_t n)
{
	return rng_below(rng, n) == 0;
}

/* A generator from LEAT_SEED, or else from the clock; says which. */
static inline struct rng rng_start(const char *test)
{
	const char *env = getenv("LEAT_SEED");
	struct timespec ts;
	uint64_t seed;

	timespec_get(&ts, TIME_UTC);
	seed = env != NULL ? strtoull(env, NULL, 0) :
			     (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
	printf("%s: LEAT_SEED=%" PRIu64 "\n", test, seed);
	return (struct rng){seed};
}

#endif
