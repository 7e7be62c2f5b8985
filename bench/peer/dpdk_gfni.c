/* SPDX-License-Identifier: MIT */
/* Compiled for GFNI and AVX-512: without them the header has functions that give 0. */
#include "dpdk.h"

#include <rte_thash.h>

#ifndef RTE_THASH_GFNI_DEFINED
#error "the header's stub would be measured"
#endif

#ifndef __clang_analyzer__ /* it finds fault with the header */

void dpdk_gfni(const uint64_t *matrix, const uint8_t *input, uint32_t len, uint32_t n,
	       uint32_t *hash)
{
	for (uint32_t i = 0; i < n; i++)
		hash[i] = rte_thash_gfni(matrix, input + i * len, (int)len);
}

void dpdk_gfni_bulk(const uint64_t *matrix, uint8_t **input, uint32_t len, uint32_t n,
		    uint32_t *hash)
{
	rte_thash_gfni_bulk(matrix, (int)len, input, hash, n);
}

#endif
