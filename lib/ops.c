/* SPDX-License-Identifier: MIT */
/*
 * ops.c - which variant of an operation is in use.
 *
 * There is a table for each mask, made when the library is compiled: to select is to point to one
 * of them. At first the library points to a table whose operations select, and then do their work.
 */
#include "ops.h"

#define HAS(mask, isa) (((mask) & (isa)) == (isa))

#if defined(__x86_64__)
#define PICK(mask, isa, variant, portable) (HAS(mask, isa) ? (variant) : (portable))
#else
#define PICK(mask, isa, variant, portable) (portable)
#endif

#define CRC32C_ISA (LEAT_ISA_SSE42 | LEAT_ISA_PCLMUL)
#define BULK_ISA   (LEAT_ISA_PCLMUL | LEAT_ISA_AVX2 | LEAT_ISA_VPCLMUL)

/* What a slot has for this mask: functions, and their names. */
#define CSUM(mask, avx2, portable)	 PICK(mask, LEAT_ISA_AVX2, avx2, portable)
#define CRC32C(mask, sse42, portable)	 PICK(mask, CRC32C_ISA, sse42, portable)
#define TOEPLITZ(mask, pclmul, portable) PICK(mask, LEAT_ISA_PCLMUL, pclmul, portable)
#define TOEPLITZ_BULK(mask, vpclmul, pclmul, portable) \
	PICK(mask, BULK_ISA, vpclmul, TOEPLITZ(mask, pclmul, portable))

#define TABLE(mask)                                                                                \
	{                                                                                          \
		CSUM(mask, leat_csum_avx2, leat_csum_portable),                                    \
			CRC32C(mask, leat_crc32c_sse42, leat_crc32c_portable),                     \
			TOEPLITZ(mask, leat_toeplitz_pclmul, leat_toeplitz_portable),              \
			TOEPLITZ_BULK(mask, leat_toeplitz_bulk_vpclmul, leat_toeplitz_bulk_pclmul, \
				      leat_toeplitz_bulk_portable),                                \
			{CSUM(mask, "avx2", "portable"), CRC32C(mask, "sse4.2", "portable"),       \
			 TOEPLITZ(mask, "pclmul", "portable"),                                     \
			 TOEPLITZ_BULK(mask, "vpclmul", "pclmul", "portable")},                    \
			mask                                                                       \
	}
#define TABLE2(mask) TABLE(mask), TABLE((mask) + 1)
#define TABLE4(mask) TABLE2(mask), TABLE2((mask) + 2)
#define TABLE8(mask) TABLE4(mask), TABLE4((mask) + 4)

static const struct leat_ops tables[LEAT_ISA_ALL + 1] = {TABLE8(0), TABLE8(8)};

static uint32_t csum_first(const uint8_t *p, size_t len, uint32_t sum);
static uint32_t crc32c_first(const uint8_t *p, size_t len, uint32_t crc);
static uint32_t toeplitz_first(const struct leat_toeplitz *t, const uint8_t *input, size_t len);
static void toeplitz_bulk_first(const struct leat_toeplitz *t, const uint8_t *const *input,
				size_t len, uint32_t *hash, unsigned n);

static const struct leat_ops first = {csum_first,	   crc32c_first, toeplitz_first,
				      toeplitz_bulk_first, {NULL},	 LEAT_ISA_NONE};

const struct leat_ops *_Atomic leat_ops_selected = &first;

/* The best, unless leat_ops_select() was called meanwhile. */
static const struct leat_ops *selected(void)
{
	const struct leat_ops *was = &first, *best = &tables[leat_cpu_isa()];

	if (ops() != was)
		return ops();
	return atomic_compare_exchange_strong_explicit(&leat_ops_selected, &was, best,
						       memory_order_relaxed, memory_order_relaxed) ?
		       best :
		       was;
}

static uint32_t csum_first(const uint8_t *p, size_t len, uint32_t sum)
{
	return selected()->csum(p, len, sum);
}

static uint32_t crc32c_first(const uint8_t *p, size_t len, uint32_t crc)
{
	return selected()->crc32c(p, len, crc);
}

static uint32_t toeplitz_first(const struct leat_toeplitz *t, const uint8_t *input, size_t len)
{
	return selected()->toeplitz(t, input, len);
}

static void toeplitz_bulk_first(const struct leat_toeplitz *t, const uint8_t *const *input,
				size_t len, uint32_t *hash, unsigned n)
{
	selected()->toeplitz_bulk(t, input, len, hash, n);
}

unsigned leat_ops_select(unsigned mask)
{
	const struct leat_ops *table = &tables[mask & leat_cpu_isa()];

	atomic_store_explicit(&leat_ops_selected, table, memory_order_relaxed);
	return table->isa;
}

const char *leat_ops_name(enum leat_op op)
{
	static const char names[LEAT_OPS][16] = {"csum", "crc32c", "toeplitz", "toeplitz-bulk"};

	return names[op];
}

const char *leat_ops_variant(enum leat_op op)
{
	return selected()->variant[op];
}
