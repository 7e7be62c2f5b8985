/* SPDX-License-Identifier: MIT */
/*
 * test_parse_bounds.c - whatever bytes come, nothing outside the first slice is read, and what
 * the parser says holds. Each slice lies in an allocation of just its size, so that the address
 * sanitizer sees a step outside.
 */
#include <leat/csum.h>
#include <leat/flow.h>
#include <leat/vnet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../frame.h"
#include "../rng.h"
#include "../sane.h"

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))

static const uint8_t hbh[] = {60, 0, 1, 4, 0,  0, 0, 0, 44, 0, 1, 4,
			      0,  0, 0, 0, 17, 0, 0, 1, 0,  0, 0, 7};

static const struct frame frames[] = {
	{.payload = 30},
	{.protocol = FRAME_UDP, .payload = 30, .padding = 3},
	{.protocol = 132, .payload = 30},
	{.version = 6, .payload = 30, .opts = (const uint8_t[12]){1}, .opts_len = 12},
	{.version = 6, .protocol = FRAME_UDP, .ext = hbh, .ext_len = 24, .payload = 9},
	{.vlans = 2, .ext = (const uint8_t[12]){1}, .ext_len = 12, .payload = 1},
	{.vlans = 4, .version = 6, .protocol = FRAME_UDP},
	{.frag_off = FRAME_MF, .payload = 16},
	{.frag_off = 5, .payload = 16},
};

/* Everything that reads headers where the parser says they are. */
static void use(struct rng *rng, struct leat_pkt *pkt)
{
	struct leat_flow_key key = {{rng_next(rng), rng_next(rng)}};
	struct leat_flow flow;
	uint8_t hdr[12];

	for (unsigned i = 0; i < sizeof(hdr); i++)
		hdr[i] = (uint8_t)(rng_once_in(rng, 2) ? 0 : rng_next(rng));
	hdr[0] &= 3;
	if (pkt->levels > 0)
		hdr[6] = (uint8_t)pkt->lvl[0].transport;
	assert_int_equal(leat_flow_get(pkt, &flow), pkt->levels > 0);
	assert_int_equal(leat_flow_hash(pkt, &key) != 0, pkt->levels > 0);
	leat_csum_verify(pkt);
	if (leat_vnet_read(pkt, hdr, sizeof(hdr)) == 0)
		assert_int_equal(leat_csum_complete(pkt), 0);
}

/* The first `headlen` of `len` bytes in one slice, the rest in another. */
static void check(struct rng *rng, const uint8_t *bytes, uint32_t len, uint32_t headlen,
		  enum leat_depth *depth)
{
	struct arena arena = {0};
	struct leat_pkt *pkt = arena_add(&arena, bytes, headlen);
	const char *wrong;

	if (headlen < len)
		leat_pkt_chain(pkt, arena_add(&arena, bytes + headlen, len - headlen));
	leat_parse(NULL, &pkt, 1);
	*depth = (enum leat_depth)pkt->depth;
	wrong = parse_wrong(pkt);
	if (wrong != NULL)
		fail_msg("%s: %s", wrong, leat_parse_reason_name(pkt->reason));
	use(rng, pkt);
	arena_clear(&arena);
}

static void test_garbage(void **state)
{
	static const uint8_t types[][2] = {{8, 0}, {0x86, 0xdd}, {0x81, 0}, {0x88, 0xa8}};
	static const uint8_t protocols[] = {0, 6, 17, 43, 44, 60, 132};
	struct rng rng = rng_start("test_garbage");
	unsigned count[LEAT_DEPTH_TRANSPORT + 1] = {0};
	enum leat_depth depth;
	uint8_t bytes[400];

	for (uint32_t i = 0; i < 40000; i++) {
		uint32_t len = i % 200 + (i % 7 == 0 ? 200 : 0);

		for (uint32_t j = 0; j < len; j++)
			bytes[j] = (uint8_t)rng_next(&rng);
		/* Likely enough to get anywhere. */
		memcpy(bytes + 12, types[rng_below(&rng, 4)], 2);
		bytes[14] = (uint8_t)(rng_once_in(&rng, 2) ? 0x60 : 0x45 + rng_below(&rng, 3));
		bytes[16] = 0;
		bytes[18] = 0;
		bytes[19] %= 128;
		bytes[20] = protocols[rng_below(&rng, LENGTH(protocols))];
		bytes[23] = protocols[rng_below(&rng, LENGTH(protocols))];
		for (uint32_t j = 54; j < len && j < 120; j += 8) {
			bytes[j] = protocols[rng_below(&rng, LENGTH(protocols))];
			bytes[j + 1] = 0;
		}
		check(&rng, bytes, len, len - rng_below(&rng, len / 2 + 1), &depth);
		count[depth]++;
	}
	for (unsigned i = 0; i < LENGTH(count); i++)
		assert_true(count[i] > 100);
}

/* A frame that ends early has no transport header, its IP length being longer than it; the first
 * slice may end anywhere behind the headers. */
static void test_cuts(void **state)
{
	struct rng rng = rng_start("test_cuts");

	for (size_t i = 0; i < LENGTH(frames); i++) {
		const struct frame *f = &frames[i];
		uint32_t len = frame_len(f), hdr_len = frame_hdr_len(f);
		uint8_t bytes[512];
		enum leat_depth whole, depth;

		hdr_len += f->protocol == 132 ? 12 : 0;
		frame_build(f, bytes);
		check(&rng, bytes, len, len, &whole);
		assert_int_equal(whole, f->frag_off % 0x2000 != 0 ? LEAT_DEPTH_NETWORK :
								    LEAT_DEPTH_TRANSPORT);
		for (uint32_t n = 0; n < len; n++) {
			check(&rng, bytes, n, n, &depth);
			if (n < len - f->padding)
				assert_true(depth < LEAT_DEPTH_NETWORK);
			check(&rng, bytes, len, n, &depth);
			if (n >= hdr_len)
				assert_int_equal(depth, whole);
			else
				assert_true(depth < LEAT_DEPTH_TRANSPORT);
		}
	}
}

static void test_flips(void **state)
{
	struct rng rng = rng_start("test_flips");

	for (int i = 0; i < 20000; i++) {
		const struct frame *f = &frames[rng_below(&rng, LENGTH(frames))];
		uint32_t len = frame_len(f);
		enum leat_depth depth;
		uint8_t bytes[512];

		frame_build(f, bytes);
		do
			bytes[12 + rng_below(&rng, frame_hdr_len(f) - 12)] ^=
				(uint8_t)(1 << rng_below(&rng, 8));
		while (!rng_once_in(&rng, 3));
		check(&rng, bytes, len, len - (rng_once_in(&rng, 2) ? rng_below(&rng, len) : 0),
		      &depth);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_flips),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
