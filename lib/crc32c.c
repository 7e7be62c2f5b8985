/* SPDX-License-Identifier: MIT */
/*
 * crc32c.c - CRC32c, eight bytes at a time.
 *
 * A CRC is linear: that of eight bytes is the exclusive or of each byte's share, which depends on
 * the byte and on how many follow it. So there is a table for each of the eight places (Kounavis
 * and Berry, "A systematic approach to building high performance software-based CRC generators",
 * 2005), and each table is itself spanned by its entries for the eight single bits, which is all
 * that is written down here. The polynomial is Castagnoli's, 0x1edc6f41, its bits in reverse.
 */
#include <leat/csum.h>

#include "hdr.h"
#include "ops.h"

/* All sums of eight vectors and x, the first changing fastest. */
#define T2(x, a)		     (x), (x) ^ (a)
#define T4(x, a, b)		     T2(x, a), T2((x) ^ (b), a)
#define T8(x, a, b, c)		     T4(x, a, b), T4((x) ^ (c), a, b)
#define T16(x, a, b, c, d)	     T8(x, a, b, c), T8((x) ^ (d), a, b, c)
#define T32(x, a, b, c, d, e)	     T16(x, a, b, c, d), T16((x) ^ (e), a, b, c, d)
#define T64(x, a, b, c, d, e, f)     T32(x, a, b, c, d, e), T32((x) ^ (f), a, b, c, d, e)
#define T128(x, a, b, c, d, e, f, g) T64(x, a, b, c, d, e, f), T64((x) ^ (g), a, b, c, d, e, f)
#define T256(a, b, c, d, e, f, g, h) T128(0u, a, b, c, d, e, f, g), T128(h, a, b, c, d, e, f, g)

/* table[k][v]: the share of a byte v with k bytes behind it. */
static const uint32_t table[8][256] = {
	{T256(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f, 0x20bd8ede, 0x417b1dbc,
	      0x82f63b78)},
	{T256(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181, 0x7f8be302, 0xff17c604,
	      0xfbc3faf9)},
	{T256(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a, 0xe144fb14, 0xc76580d9,
	      0x8b277743)},
	{T256(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d, 0xd725148b, 0xaba65fe7,
	      0x52a0c93f)},
	{T256(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91, 0x8f2261d3, 0x1ba8b557, 0x37516aae,
	      0x6ea2d55c)},
	{T256(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f, 0xc00c303e, 0x85f4168d, 0x0e045beb,
	      0x1c08b7d6)},
	{T256(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53, 0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a,
	      0xf56e0ef4)},
	{T256(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da, 0x847609b4, 0x0d006599, 0x1a00cb32,
	      0x34019664)},
};

static uint32_t load_le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint32_t leat_crc32c_portable(const uint8_t *p, size_t len, uint32_t crc)
{
	for (; len >= 8; p += 8, len -= 8) {
		uint32_t lo = load_le32(p) ^ crc, hi = load_le32(p + 4);

		crc = table[7][lo & 0xff] ^ table[6][lo >> 8 & 0xff] ^ table[5][lo >> 16 & 0xff] ^
		      table[4][lo >> 24] ^ table[3][hi & 0xff] ^ table[2][hi >> 8 & 0xff] ^
		      table[1][hi >> 16 & 0xff] ^ table[0][hi >> 24];
	}
	for (; len > 0; p++, len--)
		crc = crc >> 8 ^ table[0][(crc ^ *p) & 0xff];
	return crc;
}

uint32_t leat_crc32c(const void *p, size_t len, uint32_t crc)
{
	return ops()->crc32c(p, len, crc);
}
