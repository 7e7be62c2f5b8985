/* SPDX-License-Identifier: MIT */
/*
 * toeplitz.c - the Toeplitz hash, four input bits at a time.
 *
 * Bit i of the input, counted from the most significant bit of its first byte, contributes the
 * 32 bits of the key that start at bit i: the hash is the xor of the contributions of the bits
 * that are set. So it is linear, H(a ^ b) = H(a) ^ H(b), and a nibble at a given place
 * contributes one of 16 values, each the xor of a smaller nibble's value and one bit's.
 *
 * Nibbles, not bytes: the tables of a TCP/IPv4 tuple are 24 cache lines, where bytes would want
 * 192 to save a nanosecond, and that only while nothing else wants the cache.
 */
#include <string.h>

#include <leat/rss.h>

#include "../hdr.h"
#include "../ops.h"

enum {
	KEY_USED = LEAT_RSS_INPUT_MAX + 4,
	NIBBLES = 2 * LEAT_RSS_INPUT_MAX,
	REVERSED = LEAT_RSS_INPUT_MAX / 8 + 1, /* words */
};

/* The 32 bits of `key` that start at `bit`; bit < 8 * LEAT_RSS_INPUT_MAX. */
static uint32_t key_window(const uint8_t *key, unsigned bit)
{
	uint64_t five = 0;

	for (unsigned i = 0; i < 5; i++)
		five = five << 8 | key[bit / 8 + i];
	return (uint32_t)(five >> (8 - bit % 8));
}

/* Bit i of the key is bit i + 1 of `words`. */
static void reverse(uint64_t *words, const uint8_t *key)
{
	memset(words, 0, sizeof(uint64_t) * REVERSED);
	for (unsigned bit = 0; bit < 8 * KEY_USED; bit++) {
		uint64_t set = key[bit / 8] >> (7 - bit % 8) & 1;

		words[(bit + 1) / 64] |= set << (bit + 1) % 64;
	}
}

void leat_toeplitz_init(struct leat_toeplitz *t, const uint8_t *key, size_t len)
{
	uint8_t used[KEY_USED] = {0};

	memcpy(used, key, len < KEY_USED ? len : KEY_USED);
	reverse(t->reversed, used);
	for (unsigned n = 0; n < NIBBLES; n++) {
		uint32_t *row = t->table[n];

		row[0] = 0;
		for (unsigned bit = 0; bit < 4; bit++) {
			unsigned high = 1u << bit;
			uint32_t window = key_window(used, 4 * n + 3 - bit);

			for (unsigned low = 0; low < high; low++)
				row[high + low] = row[low] ^ window;
		}
	}
}

uint32_t leat_toeplitz_portable(const struct leat_toeplitz *t, const uint8_t *input, size_t len)
{
	const uint32_t(*row)[16] = t->table;
	uint32_t even = 0, odd = 0; /* two chains of xors: neither waits for the other */

	for (; len >= 4; len -= 4, input += 4, row += 8) {
		uint32_t w = load_be32(input);

		even ^= row[0][w >> 28] ^ row[2][w >> 20 & 15] ^ row[4][w >> 12 & 15] ^
			row[6][w >> 4 & 15];
		odd ^= row[1][w >> 24 & 15] ^ row[3][w >> 16 & 15] ^ row[5][w >> 8 & 15] ^
		       row[7][w & 15];
	}
	for (; len > 0; len--, input++, row += 2) {
		even ^= row[0][*input >> 4];
		odd ^= row[1][*input & 15];
	}
	return even ^ odd;
}

void leat_toeplitz_bulk_portable(const struct leat_toeplitz *t, const uint8_t *const *input,
				 size_t len, uint32_t *hash, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		hash[i] = leat_toeplitz_portable(t, input[i], len);
}

uint32_t leat_toeplitz_hash(const struct leat_toeplitz *t, const uint8_t *input, size_t len)
{
	return ops()->toeplitz(t, input, len);
}

void leat_toeplitz_bulk(const struct leat_toeplitz *t, const uint8_t *const *input, size_t len,
			uint32_t *hash, unsigned n)
{
	ops()->toeplitz_bulk(t, input, len, hash, n);
}
