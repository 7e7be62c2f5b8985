/* SPDX-License-Identifier: MIT */
/*
 * test_crc32c.c - CRC32c by the published vectors, against one bit at a time, and as SCTP has it.
 */
#include <errno.h>
#include <leat/csum.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "../cut.h"

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))

/* RFC 3720 B.4: 32 bytes, the first and the step between them. */
static const struct {
	uint8_t first, step;
	uint32_t crc;
} vectors[] = {
	{0x00, 0, 0x8a9136aa},
	{0xff, 0, 0x62a8ab43},
	{0x00, 1, 0x46dd794e},
	{0x1f, 0xff, 0x113fdb5c},
};

static void test_vectors(void **state)
{
	uint8_t bytes[32];

	for (size_t i = 0; i < LENGTH(vectors); i++) {
		for (unsigned k = 0; k < sizeof(bytes); k++)
			bytes[k] = (uint8_t)(vectors[i].first + k * vectors[i].step);
		assert_int_equal((uint32_t)~leat_crc32c(bytes, sizeof(bytes), 0xffffffff),
				 vectors[i].crc);
	}
	assert_int_equal((uint32_t)~leat_crc32c("123456789", 9, 0xffffffff), 0xe3069283);
	assert_int_equal(leat_crc32c(bytes, 0, 0x12345678), 0x12345678);
}

/* Any length at any alignment, at once and in two parts. */
static void test_lengths(void **state)
{
	struct rng rng = rng_start("test_crc32c");

	for (uint32_t len = 0; len < 300; len++) {
		uint32_t off = rng_below(&rng, 8), part = rng_below(&rng, len + 1), crc;
		uint8_t *bytes = malloc(off + len + 1);

		for (uint32_t i = 0; i < off + len; i++)
			bytes[i] = (uint8_t)rng_next(&rng);
		crc = cut_crc32c(bytes + off, len);
		assert_int_equal((uint32_t)~leat_crc32c(bytes + off, len, 0xffffffff), crc);
		assert_int_equal((uint32_t)~leat_crc32c(bytes + off + part, len - part,
							leat_crc32c(bytes + off, part, 0xffffffff)),
				 crc);
		free(bytes);
	}
}

/* A packet of 12 bytes of SCTP header and 100 of chunks. */
static uint32_t build_sctp(uint8_t *bytes)
{
	struct frame f = {.protocol = FRAME_SCTP, .payload = 112};

	frame_build(&f, bytes);
	return frame_len(&f);
}

static void test_complete(void **state)
{
	uint8_t bytes[200], flat[200];
	uint32_t len = build_sctp(bytes), crc;

	for (uint32_t slice = 1; slice < 120; slice += 7) {
		struct arena arena = {0};
		struct leat_pkt *pkt =
			cut_scatter(&arena, bytes, len, 46 + slice % 20, slice, NULL);

		assert_int_equal(pkt->lvl[0].protocol, FRAME_SCTP);
		pkt->csum = LEAT_CSUM_PARTIAL;
		pkt->csum_start = 34;
		pkt->csum_offset = 8;
		assert_int_equal(leat_csum_complete(pkt), 0);
		assert_int_equal(pkt->csum, LEAT_CSUM_UNNECESSARY);
		assert_int_equal(frame_flatten(pkt, flat), len);
		memset(bytes + 34 + 8, 0, 4);
		crc = cut_crc32c(bytes + 34, len - 34);
		for (unsigned i = 0; i < 4; i++)
			bytes[34 + 8 + i] = (uint8_t)(crc >> 8 * i);
		assert_memory_equal(flat, bytes, len);
		arena_clear(&arena);
	}
}

/* Not SCTP's header, or not all of it in the first slice. */
static void test_not_crc(void **state)
{
	uint8_t bytes[200];
	uint32_t len = build_sctp(bytes);
	struct arena arena = {0};
	struct leat_pkt *pkt = cut_scatter(&arena, bytes, len, len, 1, NULL);

	pkt->csum = LEAT_CSUM_PARTIAL;
	pkt->csum_start = 34;
	pkt->csum_offset = 8;
	pkt->headlen = 45;
	assert_int_equal(leat_csum_complete(pkt), -EINVAL);
	pkt->headlen = len;
	pkt->csum_start = 36;
	memset(pkt->data + 44, 0, 2);
	assert_int_equal(leat_csum_complete(pkt), 0);
	assert_int_equal(frame_sum(pkt->data + 36, len - 36, 0), 0xffff);
	arena_clear(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_not_crc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
