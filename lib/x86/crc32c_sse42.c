/* SPDX-License-Identifier: MIT */
/*
 * crc32c_sse42.c - CRC32c by the CPU's instruction, three at a time, and by multiplication beside.
 *
 * crc32 takes eight bytes, and its result is there three cycles later; in between the CPU can begin
 * two more. So a block is cut into four equal parts. The CRCs of the last three go on side by
 * side. The first is folded meanwhile, by another unit of the CPU: 32 bytes are multiplied by what
 * moves them over the next 32, and added to those (Gopal and others, "Fast CRC computation for
 * generic polynomials using PCLMULQDQ", 2009).
 *
 * At last the parts are put together: a CRC is linear, and what a part adds to the whole is its CRC
 * moved over the bytes behind it. To move over n bits is to multiply by x^n modulo the polynomial,
 * carry-less, by a constant. crc32 itself reduces the product, which makes it x^32 times as much;
 * and products in reversed bit order are one bit short. Hence constants of n - 33.
 */
#include "../ops.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#define SSE42 __attribute__((target("sse4.2,pclmul")))

enum {
	WORD = 8,
	VECTOR = 16,
	STEP = 32, /* bytes of each part */
	PARTS = 4,
	STEPS_LEAST = 2, /* with fewer, putting together costs more than is gained */
	STEPS_MOST = 16,
};

/* shift[n - 1]: x^(256 n - 33), over n steps, its bits in reverse. */
static const uint32_t shift[(PARTS - 1) * STEPS_MOST] = {
	0xba4fc28e, 0x9e4addf8, 0x0715ce53, 0x0d3b6092, 0x878a92a7, 0xab7aff2a, 0x83348832,
	0xb9e02b86, 0xb6dd949b, 0xbac2fd7b, 0xce7f39f4, 0xd270f1a2, 0x2b3cac5d, 0x1b03397f,
	0xb3e32c28, 0xdd7e3b0c, 0x10746f3c, 0x271d9844, 0x93a5f730, 0x6b749fb2, 0xcec3662e,
	0xe6fc4e6a, 0xb0cd4768, 0xd7a4825c, 0x0167d312, 0x26f6a60a, 0x98d8d9cb, 0x68bce87a,
	0x6956fc3b, 0x3771e98f, 0x2178513a, 0x170076fa, 0x6f345e45, 0xff0dba97, 0xf872e54c,
	0x86d8e4d2, 0x5bb8f1bc, 0xb3af077a, 0xca6ef3ac, 0xdd66cbbb, 0xe9e28eb4, 0xc9c8b782,
	0x93e106a4, 0xd813b325, 0x2342001e, 0x6d9a4957, 0xd2c3ed1a, 0x9ef68d35,
};

/* For the first eight bytes of a vector, which move over eight more, and for the last. */
static const uint64_t over_32[] = {0x3da6d0cb, 0xba4fc28e}; /* x^287, x^223 */
static const uint64_t over_16[] = {0xf20c0dfe, 0x493c7d27}; /* x^159, x^95 */

SSE42 static inline uint64_t add_word(uint64_t crc, const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return _mm_crc32_u64(crc, word);
}

SSE42 static inline uint64_t add_step(uint64_t crc, const uint8_t *p)
{
	crc = add_word(crc, p);
	crc = add_word(crc, p + WORD);
	crc = add_word(crc, p + 2 * WORD);
	return add_word(crc, p + 3 * WORD);
}

SSE42 static inline __m128i load(const void *p)
{
	return _mm_loadu_si128((const __m128i *)p);
}

/* `next` with `v`, moved there, added. */
SSE42 static inline __m128i fold(__m128i v, const uint64_t *over, __m128i next)
{
	__m128i by = load(over);

	next = _mm_xor_si128(next, _mm_clmulepi64_si128(v, by, 0x00));
	return _mm_xor_si128(next, _mm_clmulepi64_si128(v, by, 0x11));
}

/* What `crc` becomes `steps` further on, not yet reduced. */
SSE42 static inline __m128i move(uint64_t crc, size_t steps)
{
	return _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)crc),
				    _mm_cvtsi32_si128((int)shift[steps - 1]), 0);
}

/* The CRC of a vector. */
SSE42 static inline uint64_t reduce(__m128i v)
{
	return _mm_crc32_u64(_mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(v)),
			     (uint64_t)_mm_extract_epi64(v, 1));
}

/* Parts of `steps` steps each. */
SSE42 static uint64_t add_parts(uint64_t crc, const uint8_t *p, size_t steps)
{
	size_t part = steps * STEP;
	const uint8_t *end = p + part, *at = end;
	__m128i u = _mm_xor_si128(load(p), _mm_cvtsi64_si128((long long)crc));
	__m128i v = load(p + VECTOR);
	uint64_t a = 0, b = 0, c = 0;

	for (;;) {
		a = add_step(a, at);
		b = add_step(b, at + part);
		c = add_step(c, at + 2 * part);
		at += STEP;
		p += STEP;
		if (p == end)
			break;
		u = fold(u, over_32, load(p));
		v = fold(v, over_32, load(p + VECTOR));
	}
	u = _mm_xor_si128(move(reduce(fold(u, over_16, v)), 3 * steps), move(a, 2 * steps));
	u = _mm_xor_si128(u, move(b, steps));
	return c ^ _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(u));
}

SSE42 uint32_t leat_crc32c_sse42(const uint8_t *p, size_t len, uint32_t crc)
{
	uint64_t sum = crc;

	while (len >= (size_t)PARTS * STEPS_LEAST * STEP) {
		size_t steps = len / (PARTS * STEP);

		if (steps > STEPS_MOST)
			steps = STEPS_MOST;
		sum = add_parts(sum, p, steps);
		p += PARTS * STEP * steps;
		len -= PARTS * STEP * steps;
	}
	for (; len >= WORD; p += WORD, len -= WORD)
		sum = add_word(sum, p);
	for (crc = (uint32_t)sum; len > 0; p++, len--)
		crc = _mm_crc32_u8(crc, *p);
	return crc;
}

#endif
