/* SPDX-License-Identifier: MIT */
/*
 * dpdk.h - DPDK as a peer of `leat bench`: a file for each thing that it is asked.
 */
#ifndef BENCH_PEER_DPDK_H
#define BENCH_PEER_DPDK_H

#include "bench/peer.h"

enum { DPDK_CACHE = 256 }; /* of a pool, packets */

int dpdk_gro(const struct peer_gro *ask, struct work *work);
int dpdk_gso(const struct peer_gso *ask, struct work *work);
int dpdk_hash(const struct peer_hash *ask, struct work *work);
int dpdk_csum(const struct peer_csum *ask, struct work *work);
extern const struct peer_ring dpdk_ring;

/* DPDK's hash with GFNI and AVX-512, compiled for them: only where the CPU has them. */
void dpdk_gfni(const uint64_t *matrix, const uint8_t *input, uint32_t len, uint32_t n,
	       uint32_t *hash);
void dpdk_gfni_bulk(const uint64_t *matrix, uint8_t **input, uint32_t len, uint32_t n,
		    uint32_t *hash);

#endif
