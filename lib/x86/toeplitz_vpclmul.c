/* SPDX-License-Identifier: MIT */
/*
 * toeplitz_vpclmul.c - Toeplitz hashes by products without carries, as toeplitz_pclmul.c has them,
 * eight inputs at a time: two in a vector of 32 bytes, a half each, and the bits of all eight hashes
 * reversed at once.
 */
#include "../ops.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#define VPCLMUL __attribute__((target("vpclmulqdq,pclmul,avx2")))

enum { AT_ONCE = 8 };

/* Bytes in the order of numbers of 64 bits, first highest. */
VPCLMUL static inline __m256i swap_words(__m256i v)
{
	return _mm256_shuffle_epi8(
		v, _mm256_broadcastsi128_si256(
			   _mm_setr_epi8(7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8)));
}

/* 8 bytes of two inputs, each in the lower half of its half. */
VPCLMUL static inline __m256i load_words(const uint8_t *a, const uint8_t *b)
{
	return swap_words(_mm256_set_m128i(_mm_loadl_epi64((const __m128i *)(const void *)b),
					   _mm_loadl_epi64((const __m128i *)(const void *)a)));
}

/* 4 bytes of two. */
VPCLMUL static inline __m256i load_fours(const uint8_t *a, const uint8_t *b)
{
	int x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return swap_words(_mm256_set_m128i(_mm_cvtsi32_si128(y), _mm_cvtsi32_si128(x)));
}

/* Up to 7. */
VPCLMUL static inline __m256i load_rest(const uint8_t *a, const uint8_t *b, size_t len)
{
	uint8_t x[8] = {0}, y[8] = {0};

	memcpy(x, a, len);
	memcpy(y, b, len);
	return load_words(x, y);
}

VPCLMUL static inline __m256i load_keys(const uint64_t *reversed)
{
	return _mm256_broadcastsi128_si256(
		_mm_loadu_si128((const __m128i *)(const void *)reversed));
}

/* The sums of products whose hashes are in the upper halves, and in the lower. */
struct sums {
	__m256i upper, lower;
};

VPCLMUL static inline void add_words(struct sums *s, __m256i words, const uint64_t *reversed)
{
	__m256i keys = load_keys(reversed);

	s->upper = _mm256_xor_si256(s->upper, _mm256_clmulepi64_epi128(words, keys, 0x00));
	s->lower = _mm256_xor_si256(s->lower, _mm256_clmulepi64_epi128(words, keys, 0x10));
}

/* 32 bits want but the lower keys. */
VPCLMUL static inline void add_fours(struct sums *s, __m256i words, const uint64_t *reversed)
{
	__m256i keys = load_keys(reversed);

	s->upper = _mm256_xor_si256(s->upper, _mm256_clmulepi64_epi128(words, keys, 0x00));
}

/* Two hashes, their bits reversed, each lowest in its half. */
VPCLMUL static inline __m256i hash_two(const uint64_t *reversed, const uint8_t *a, const uint8_t *b,
				       size_t len)
{
	struct sums s = {_mm256_setzero_si256(), _mm256_setzero_si256()};

	for (; len >= 8; a += 8, b += 8, len -= 8, reversed++)
		add_words(&s, load_words(a, b), reversed);
	if (len == 4)
		add_fours(&s, load_fours(a, b), reversed);
	else if (len > 0)
		add_words(&s, load_rest(a, b, len), reversed);
	return _mm256_xor_si256(_mm256_unpackhi_epi64(s.upper, s.upper), s.lower);
}

/* The bits of each 32. */
VPCLMUL static inline __m256i reverse(__m256i v)
{
	const __m256i nibble = _mm256_set1_epi8(15);
	const __m256i high = _mm256_broadcastsi128_si256(
		_mm_setr_epi8(0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15));
	const __m256i order = _mm256_broadcastsi128_si256(
		_mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
	__m256i up = _mm256_and_si256(_mm256_srli_epi16(v, 4), nibble);
	__m256i down = _mm256_and_si256(v, nibble);

	v = _mm256_or_si256(_mm256_shuffle_epi8(high, up),
			    _mm256_slli_epi16(_mm256_shuffle_epi8(high, down), 4));
	return _mm256_shuffle_epi8(v, order);
}

/* Inputs 0 to 3 go through the lower half, 4 to 7 through the upper. */
VPCLMUL static inline void hash_eight(const struct leat_toeplitz *t, const uint8_t *const *input,
				      size_t len, uint32_t *hash)
{
	__m256i a = hash_two(t->reversed, input[0], input[4], len);
	__m256i b = hash_two(t->reversed, input[1], input[5], len);
	__m256i c = hash_two(t->reversed, input[2], input[6], len);
	__m256i d = hash_two(t->reversed, input[3], input[7], len);
	__m256i all =
		_mm256_unpacklo_epi64(_mm256_unpacklo_epi32(a, b), _mm256_unpacklo_epi32(c, d));

	_mm256_storeu_si256((__m256i *)(void *)hash, reverse(all));
}

VPCLMUL static inline unsigned hash_eights(const struct leat_toeplitz *t,
					   const uint8_t *const *input, size_t len, uint32_t *hash,
					   unsigned n)
{
	unsigned i = 0;

	for (; i + AT_ONCE <= n; i += AT_ONCE)
		hash_eight(t, input + i, len, hash + i);
	return i;
}

VPCLMUL void leat_toeplitz_bulk_vpclmul(const struct leat_toeplitz *t, const uint8_t *const *input,
					size_t len, uint32_t *hash, unsigned n)
{
	unsigned done;

	/* Addresses and ports, as nearly all are: straight lines. */
	switch (len) {
	case 12: done = hash_eights(t, input, 12, hash, n); break;
	case 36: done = hash_eights(t, input, 36, hash, n); break;
	default: done = hash_eights(t, input, len, hash, n);
	}
	leat_toeplitz_bulk_pclmul(t, input + done, len, hash + done, n - done);
}

#endif
