/* SPDX-License-Identifier: MIT */
/*
 * crc32c_sse42.c - CRC32c by the CPU's instruction, three at a time.
 *
 * crc32 takes eight bytes, and its result is there three cycles later; in between the CPU can begin
 * two more. So the input is cut into three parts of as many words, whose CRCs go on side by side,
 * and are put together at last: a CRC is linear, and what a part adds to the whole is its CRC moved
 * over the bytes behind it. To move it over k words is to multiply it by x^64k modulo the
 * polynomial: carry-less by a constant, the product of 63 bits then being reduced by crc32 itself,
 * which also multiplies by x^33, as products in reversed bit order are one short.
 */
#include "../ops.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#define SSE42 __attribute__((target("sse4.2,pclmul")))

enum {
	WORD = 8,
	PARTS = 3,
	PART_LEAST = 4, /* words; with fewer, moving costs more than is gained */
	PART_MOST = 64,
};

/* shift[k - 1]: x^(64k - 33), its bits in reverse. */
static const uint32_t shift[2 * PART_MOST] = {
	0x00000001, 0x493c7d27, 0xf20c0dfe, 0xba4fc28e, 0x3da6d0cb, 0xddc0152b, 0x1c291d04,
	0x9e4addf8, 0x740eef02, 0x39d3b296, 0x083a6eec, 0x0715ce53, 0xc49f4f67, 0x47db8317,
	0x2ad91c30, 0x0d3b6092, 0x6992cea2, 0xc96cfdc0, 0x7e908048, 0x878a92a7, 0x1b3d8f29,
	0xdaece73e, 0xf1d0f55e, 0xab7aff2a, 0xa87ab8a8, 0x2162d385, 0x8462d800, 0x83348832,
	0x71d111a8, 0x299847d5, 0xffd852c6, 0xb9e02b86, 0xdcb17aa4, 0x18b33a4e, 0xf37c5aee,
	0xb6dd949b, 0x6051d5a2, 0x78d9ccb7, 0x18b0d4ff, 0xbac2fd7b, 0x21f3d99c, 0xa60ce07b,
	0x8f158014, 0xce7f39f4, 0xa00457f7, 0x61d82e56, 0x8d6d2c43, 0xd270f1a2, 0x00ac29cf,
	0xc619809d, 0xe9adf796, 0x2b3cac5d, 0x96638b34, 0x65863b64, 0xe0e9f351, 0x1b03397f,
	0x9af01f2d, 0xebb883bd, 0x2cff42cf, 0xb3e32c28, 0x88f25a3a, 0x064f7f26, 0x4e36f0b0,
	0xdd7e3b0c, 0xbd6f81f8, 0xf285651c, 0x91c9bd4b, 0x10746f3c, 0x885f087b, 0xc7a68855,
	0x4c144932, 0x271d9844, 0x52148f02, 0x8e766a0c, 0xa3c6f37a, 0x93a5f730, 0xd7c0557f,
	0x6cb08e5c, 0x63ded06a, 0x6b749fb2, 0x4d56973c, 0x1393e203, 0x9669c9df, 0xcec3662e,
	0xe417f38a, 0x96c515bb, 0x4b9e0f71, 0xe6fc4e6a, 0xd104b8fc, 0x8227bb8a, 0x5b397730,
	0xb0cd4768, 0xe78eb416, 0x39c7ff35, 0x61ff0e01, 0xd7a4825c, 0x8d96551c, 0x0ab3844b,
	0x0bf80dd2, 0x0167d312, 0x8821abed, 0xf6076544, 0x6a45d2b2, 0x26f6a60a, 0xd8d26619,
	0xa741c1bf, 0xde87806c, 0x98d8d9cb, 0x14338754, 0x49c3cc9c, 0x5bd2011f, 0x68bce87a,
	0xdd07448e, 0x57a3d037, 0xdde8f5b9, 0x6956fc3b, 0xa3e3e02c, 0x42d98888, 0xd73c7bea,
	0x3771e98f, 0x80ff0093, 0xb42ae3d9, 0x8fe4c34d, 0x2178513a, 0xdf99fc11, 0xe0ac139e,
	0x6c23e841, 0x170076fa,
};

SSE42 static inline uint64_t add_word(uint64_t crc, const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return _mm_crc32_u64(crc, word);
}

/* What `crc` becomes by `words` words of zeroes behind it, not yet reduced. */
SSE42 static inline __m128i move(uint64_t crc, size_t words)
{
	return _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)crc),
				    _mm_cvtsi32_si128((int)shift[words - 1]), 0);
}

/* Three parts of `words` words each. */
SSE42 static uint64_t add_parts(uint64_t crc, const uint8_t *p, size_t words)
{
	const uint8_t *second = p + words * WORD, *third = second + words * WORD, *end = second;
	uint64_t a = crc, b = 0, c = 0;
	__m128i moved;

	for (; p < end; p += WORD, second += WORD, third += WORD) {
		a = add_word(a, p);
		b = add_word(b, second);
		c = add_word(c, third);
	}
	moved = _mm_xor_si128(move(a, 2 * words), move(b, words));
	return c ^ _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(moved));
}

SSE42 uint32_t leat_crc32c_sse42(const uint8_t *p, size_t len, uint32_t crc)
{
	uint64_t sum = crc;

	while (len >= (size_t)PARTS * PART_LEAST * WORD) {
		size_t words = len / (PARTS * WORD);

		if (words > PART_MOST)
			words = PART_MOST;
		sum = add_parts(sum, p, words);
		p += PARTS * WORD * words;
		len -= PARTS * WORD * words;
	}
	for (; len >= WORD; p += WORD, len -= WORD)
		sum = add_word(sum, p);
	for (crc = (uint32_t)sum; len > 0; p++, len--)
		crc = _mm_crc32_u8(crc, *p);
	return crc;
}

#endif
