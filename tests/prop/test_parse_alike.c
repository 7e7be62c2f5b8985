/* SPDX-License-Identifier: MIT */
/*
 * test_parse_alike.c - a packet parses the same behind any other as it does alone: behind one that
 * differs in any bit of a header, by one byte of length, or in where the first slice ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../rng.h"
#include "parse_frames.h"

enum { ROOM = 512 };

/* The first `headlen` of `len` bytes, in an allocation of their own. */
static struct leat_pkt slice(const uint8_t *bytes, uint32_t len, uint32_t headlen)
{
	uint8_t *copy = malloc(headlen ? headlen : 1);
	struct leat_pkt pkt;

	assert_non_null(copy);
	memcpy(copy, bytes, headlen);
	leat_pkt_init(&pkt, copy, headlen);
	pkt.len = len;
	return pkt;
}

/* What was in the descriptor before must not show. */
static void soil(struct leat_pkt *pkt)
{
	memset(pkt->lvl, 0xa5, sizeof(pkt->lvl));
	pkt->inner_mac = pkt->payload = 0xa5a5;
	pkt->levels = pkt->depth = pkt->reason = pkt->vlans = 0xa5;
}

static void check_pair(struct leat_pkt first, struct leat_pkt second)
{
	struct leat_pkt alone = second, *one = &alone, *both[] = {&first, &second};

	soil(&first);
	soil(&second);
	leat_parse(&frame_conf, &one, 1);
	leat_parse(&frame_conf, both, 2);
	check_same(&second, &alone);
	free(first.data);
	free(second.data);
}

static void test_bits(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(frames); i++) {
		uint32_t len = frame_len(&frames[i]), hdr_len = frame_hdr_len(&frames[i]);
		uint8_t bytes[ROOM], other[ROOM];

		frame_build(&frames[i], bytes);
		memcpy(other, bytes, len);
		for (uint32_t bit = 0; bit < hdr_len * 8; bit++) {
			other[bit / 8] ^= (uint8_t)(1u << bit % 8);
			check_pair(slice(bytes, len, len), slice(other, len, len));
			check_pair(slice(other, len, len), slice(bytes, len, len));
			other[bit / 8] = bytes[bit / 8];
		}
	}
}

static void test_sizes(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(frames); i++) {
		uint32_t len = frame_len(&frames[i]);
		uint8_t bytes[ROOM] = {0};

		frame_build(&frames[i], bytes);
		for (uint32_t n = 0; n < len; n++) {
			check_pair(slice(bytes, len, len), slice(bytes, n, n));
			check_pair(slice(bytes, len, len), slice(bytes, len, n));
			check_pair(slice(bytes, len, n), slice(bytes, len - 1, n));
		}
		check_pair(slice(bytes, len, len), slice(bytes, len + 1, len + 1));
		check_pair(slice(bytes, len, len), slice(bytes, len + 70000, len));
	}
}

/* Two that have changes in common, and some that they have not. */
static void test_random(void **state)
{
	struct rng rng = rng_start("test_random");

	(void)state;
	for (int i = 0; i < 100000; i++) {
		const struct frame *f = &frames[rng_below(&rng, LENGTH(frames))];
		uint32_t len = frame_len(f), hdr_len = frame_hdr_len(f);
		uint8_t bytes[ROOM], other[ROOM];

		frame_build(f, bytes);
		while (!rng_once_in(&rng, 3))
			bytes[rng_below(&rng, hdr_len)] ^= (uint8_t)(1u << rng_below(&rng, 8));
		memcpy(other, bytes, len);
		while (!rng_once_in(&rng, 3))
			other[rng_below(&rng, hdr_len)] = (uint8_t)rng_next(&rng);
		check_pair(slice(bytes, len, len), slice(other, len, len));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bits),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
