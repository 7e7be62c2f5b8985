/* SPDX-License-Identifier: MIT */
/*
 * rps.h - Receive Packet Steering: the CPU that does a packet's protocol work, by its hash.
 *
 * A map is a value, only read once made: the CPUs of rx-N/rps_cpus in ascending order. Source:
 * Linux get_rps_cpu(), Documentation/networking/scaling.rst. Threads: pure functions.
 */
#ifndef LEAT_RPS_H
#define LEAT_RPS_H

#include <leat/flow.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	LEAT_CPUS_MAX = 1024,	  /* CPU ids are 0 to LEAT_CPUS_MAX - 1 */
	LEAT_RPS_NO_CPU = 0xffff, /* no steering: stay where the packet is */
};

struct leat_rps_map {
	uint16_t len; /* 0: no steering */
	uint16_t cpus[LEAT_CPUS_MAX];
};

/* The CPU for `hash`: cpus[(hash * len) >> 32], or LEAT_RPS_NO_CPU when the map is empty or
 * hash is 0 (no hash). */
static inline uint16_t leat_rps_pick(const struct leat_rps_map *map, uint32_t hash)
{
	if (map->len == 0 || hash == 0)
		return LEAT_RPS_NO_CPU;
	return map->cpus[leat_reciprocal_scale(hash, map->len)];
}

#ifdef __cplusplus
}
#endif

#endif
