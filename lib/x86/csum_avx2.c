/* SPDX-License-Identifier: MIT */
/*
 * csum_avx2.c - the Internet checksum, 32 bytes at a time.
 *
 * A vector is four 64-bit words, and adding them may go over. But the sum of their upper halves
 * cannot, for as long as CSUM_MOST holds; and the sum of the lower halves is what is left of the
 * whole sum without those, however often that went over. So a word costs two additions and a shift,
 * and no carry.
 */
#include "../ops.h"

#if defined(__x86_64__)

#include <leat/csum.h>
#include <string.h>

#define AVX2 __attribute__((target("avx2")))

enum { VECTOR = 32 };

typedef uint64_t v4 __attribute__((vector_size(VECTOR)));
typedef uint64_t v4_anywhere __attribute__((vector_size(VECTOR), aligned(1), may_alias));

/* Loaded from `r` on: a mask of the last `r` bytes of a vector. */
static const uint64_t last_bytes[] = {0, 0, 0, 0, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};

AVX2 static inline v4 load(const uint8_t *p)
{
	return *(const v4_anywhere *)p;
}

struct acc {
	v4 all, upper;
};

AVX2 static inline void add(struct acc *acc, v4 v)
{
	acc->all += v;
	acc->upper += v >> 32;
}

/* The sum of the halves of all words. */
AVX2 static inline uint64_t halves(const struct acc *a, const struct acc *b)
{
	v4 upper = a->upper + b->upper;
	v4 both = a->all + b->all - (upper << 32) + upper;

	return (both[0] + both[2]) + (both[1] + both[3]);
}

AVX2 uint32_t leat_csum_avx2(const uint8_t *p, size_t len, uint32_t sum)
{
	struct acc a = {0}, b = {0};
	size_t rest = len & ~(size_t)1; /* what is left, in whole 16-bit words */
	uint64_t all = (uint64_t)sum + (len & 1 ? p[len - 1] : 0);
	const uint8_t *end = p + rest;

	for (; rest >= 4 * VECTOR; p += 4 * VECTOR, rest -= 4 * VECTOR) {
		add(&a, load(p));
		add(&b, load(p + VECTOR));
		add(&a, load(p + 2 * VECTOR));
		add(&b, load(p + 3 * VECTOR));
	}
	for (; rest >= VECTOR; p += VECTOR, rest -= VECTOR)
		add(&a, load(p));
	add(&b, load(end - VECTOR) & load((const uint8_t *)last_bytes + rest));
	all += halves(&a, &b);
	return leat_csum_add((uint32_t)all, (uint32_t)(all >> 32));
}

#endif
