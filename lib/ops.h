/* SPDX-License-Identifier: MIT */
/*
 * ops.h - private: the operations that have variants.
 *
 * A slot points to the variant in use. The portable variants are the definition of their slot, and
 * every other gives the same, for any input at any address; none reads a byte outside of it.
 */
#ifndef LEAT_LIB_OPS_H
#define LEAT_LIB_OPS_H

#include <leat/ops.h>
#include <leat/rss.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Blocks that leat_ops.csum is asked for: below that the call costs more than it gains; above,
 * 64-bit counters of a vector's halves could go over. */
enum { CSUM_LEAST = 128, CSUM_MOST = 1 << 30 };

struct leat_ops {
	/* As leat_csum_partial(), of CSUM_LEAST to CSUM_MOST bytes. */
	uint32_t (*csum)(const uint8_t *p, size_t len, uint32_t sum);
	uint32_t (*crc32c)(const uint8_t *p, size_t len, uint32_t crc);
	uint32_t (*toeplitz)(const struct leat_toeplitz *t, const uint8_t *input, size_t len);
	void (*toeplitz_bulk)(const struct leat_toeplitz *t, const uint8_t *const *input,
			      size_t len, uint32_t *hash, unsigned n);
	const char *variant[LEAT_OPS]; /* their names */
	unsigned isa;		       /* what they may use */
};

/* The library's one variable. It is told by the machine, not by what was done before: whoever sets
 * it first sets it to the same, so reading and writing need no order. */
extern const struct leat_ops *_Atomic leat_ops_selected;

static inline const struct leat_ops *ops(void)
{
	return atomic_load_explicit(&leat_ops_selected, memory_order_relaxed);
}

/* What this CPU and its operating system have, LEAT_ISA_* bits. */
unsigned leat_cpu_isa(void);

uint32_t leat_csum_portable(const uint8_t *p, size_t len, uint32_t sum);
uint32_t leat_csum_avx2(const uint8_t *p, size_t len, uint32_t sum);

uint32_t leat_crc32c_portable(const uint8_t *p, size_t len, uint32_t crc);
uint32_t leat_crc32c_sse42(const uint8_t *p, size_t len, uint32_t crc);

uint32_t leat_toeplitz_portable(const struct leat_toeplitz *t, const uint8_t *input, size_t len);
uint32_t leat_toeplitz_pclmul(const struct leat_toeplitz *t, const uint8_t *input, size_t len);

void leat_toeplitz_bulk_portable(const struct leat_toeplitz *t, const uint8_t *const *input,
				 size_t len, uint32_t *hash, unsigned n);
void leat_toeplitz_bulk_pclmul(const struct leat_toeplitz *t, const uint8_t *const *input,
			       size_t len, uint32_t *hash, unsigned n);
void leat_toeplitz_bulk_vpclmul(const struct leat_toeplitz *t, const uint8_t *const *input,
				size_t len, uint32_t *hash, unsigned n);

#endif
