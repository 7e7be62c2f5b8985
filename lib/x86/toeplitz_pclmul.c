/* SPDX-License-Identifier: MIT */
/*
 * toeplitz_pclmul.c - the Toeplitz hash as a product without carries.
 *
 * Bit m of the hash is the sum, modulo 2, of input bit i times key bit i + m. With the input's
 * first bit highest and the key's first bit lowest, the products that belong to one m all have the
 * same place. 64 bits of input want 95 of the key, two multiplications; 32 want 63, one.
 *
 * leat_toeplitz.reversed is moved up by one bit, so that of a product of the key's lower 64 bits the
 * hash is the first 32 bits of the upper half, and of one of the next 64 the first 32 of the lower.
 * The hash's first bit is lowest, there: at last its bits are reversed.
 */
#include "../ops.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#define PCLMUL __attribute__((target("pclmul,ssse3,sse4.1")))

PCLMUL static inline __m128i load_keys(const uint64_t *reversed)
{
	return _mm_loadu_si128((const __m128i *)(const void *)reversed);
}

/* Bytes in the order of a number, first highest. */
PCLMUL static inline __m128i swap_words(__m128i v)
{
	return _mm_shuffle_epi8(
		v, _mm_setr_epi8(7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8));
}

/* The sums of products whose hash is in the upper half, and in the lower. */
struct sums {
	__m128i upper, lower;
};

/* 8 bytes of input, in the lower half. */
PCLMUL static inline void add_word(struct sums *s, __m128i word, const uint64_t *reversed)
{
	__m128i keys = load_keys(reversed);

	s->upper = _mm_xor_si128(s->upper, _mm_clmulepi64_si128(word, keys, 0x00));
	s->lower = _mm_xor_si128(s->lower, _mm_clmulepi64_si128(word, keys, 0x10));
}

/* Up to 7 bytes; 4 are all of an input's that has ports, and want but the lower keys. */
PCLMUL static inline void add_rest(struct sums *s, const uint8_t *input, size_t len,
				   const uint64_t *reversed)
{
	uint64_t word = 0;

	memcpy(&word, input, len);
	add_word(s, swap_words(_mm_cvtsi64_si128((long long)word)), reversed);
}

PCLMUL static inline void add_four(struct sums *s, const uint8_t *input, const uint64_t *reversed)
{
	int four;
	__m128i word, key = _mm_loadl_epi64((const __m128i *)(const void *)reversed);

	memcpy(&four, input, sizeof(four));
	word = swap_words(_mm_cvtsi32_si128(four));
	s->upper = _mm_xor_si128(s->upper, _mm_clmulepi64_si128(word, key, 0x00));
}

/* The hash's 32 bits in reverse. */
PCLMUL static inline uint32_t finish(const struct sums *s)
{
	const __m128i nibble = _mm_set1_epi8(15);
	const __m128i high = _mm_setr_epi8(0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15);
	__m128i hash = _mm_xor_si128(_mm_unpackhi_epi64(s->upper, s->upper), s->lower);
	__m128i up = _mm_and_si128(_mm_srli_epi16(hash, 4), nibble);
	__m128i down = _mm_and_si128(hash, nibble);

	hash = _mm_or_si128(_mm_shuffle_epi8(high, up),
			    _mm_slli_epi16(_mm_shuffle_epi8(high, down), 4));
	return __builtin_bswap32((uint32_t)_mm_cvtsi128_si32(hash));
}

PCLMUL static inline uint32_t hash_one(const struct leat_toeplitz *t, const uint8_t *input,
				       size_t len)
{
	struct sums s = {_mm_setzero_si128(), _mm_setzero_si128()};
	const uint64_t *reversed = t->reversed;

	for (; len >= 8; input += 8, len -= 8, reversed++)
		add_word(&s, swap_words(_mm_loadl_epi64((const __m128i *)(const void *)input)),
			 reversed);
	if (len == 4)
		add_four(&s, input, reversed);
	else if (len > 0)
		add_rest(&s, input, len, reversed);
	return finish(&s);
}

PCLMUL uint32_t leat_toeplitz_pclmul(const struct leat_toeplitz *t, const uint8_t *input,
				     size_t len)
{
	/* Addresses and ports, as nearly all are: two straight lines. */
	switch (len) {
	case 12: return hash_one(t, input, 12);
	case 36: return hash_one(t, input, 36);
	default: return hash_one(t, input, len);
	}
}

PCLMUL void leat_toeplitz_bulk_pclmul(const struct leat_toeplitz *t, const uint8_t *const *input,
				      size_t len, uint32_t *hash, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		hash[i] = leat_toeplitz_pclmul(t, input[i], len);
}

#endif
