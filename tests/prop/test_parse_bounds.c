/* SPDX-License-Identifier: MIT */
/*
 * test_parse_bounds.c - whatever bytes come, nothing outside the first slice is read, and what
 * the parser says holds. Each slice lies in an allocation of just its size, so that the address
 * sanitizer sees a step outside; and what is behind the slice, or behind the packet in it, makes
 * no difference.
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
#include "parse_frames.h"

/* Tunnels entered, and reasons; of what was not entered, under 0. */
static unsigned seen[LEAT_TUNNEL_FOU + 1][LEAT_PARSE_REASONS];

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
	leat_csum_verify_tunnel(pkt);
	if (leat_vnet_read(pkt, hdr, sizeof(hdr)) == 0)
		assert_int_equal(leat_csum_complete(pkt), 0);
	if (leat_csum_complete_tunnel(pkt) == 0)
		assert_true(leat_csum_verify_tunnel(pkt));
}

/* The same slice in a larger buffer, what is behind the outer packet, and behind the slice, being
 * other bytes. */
static void check_guarded(struct rng *rng, const struct leat_pkt *pkt)
{
	uint8_t bytes[1024];
	struct leat_pkt guarded = *pkt, *one = &guarded;
	uint32_t end = pkt->headlen;

	assert_true(end + 100 <= sizeof(bytes));
	if (pkt->levels > 0 && level_ends(pkt, &pkt->lvl[0]) < end)
		end = level_ends(pkt, &pkt->lvl[0]);
	for (uint32_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)rng_next(rng);
	memcpy(bytes, pkt->data, end);
	guarded.data = bytes;
	leat_parse(&frame_conf, &one, 1);
	check_same(&guarded, pkt);
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
	leat_parse(&frame_conf, &pkt, 1);
	*depth = (enum leat_depth)pkt->depth;
	wrong = parse_wrong(pkt);
	if (wrong != NULL)
		fail_msg("%s: %s", wrong, leat_parse_reason_name(pkt->reason));
	check_guarded(rng, pkt);
	seen[pkt->levels > 1 ? pkt->lvl[0].tunnel : 0][pkt->reason]++;
	use(rng, pkt);
	arena_clear(&arena);
}

static void test_garbage(void **state)
{
	static const uint8_t types[][2] = {{8, 0}, {0x86, 0xdd}, {0x81, 0}, {0x88, 0xa8}};
	static const uint8_t protocols[] = {0, 4, 6, 17, 41, 43, 44, 47, 60, 132};
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
		assert_int_equal(whole, f->frag_off % 0x2000 != 0 || f->inner == &ipip ?
						LEAT_DEPTH_NETWORK :
						LEAT_DEPTH_TRANSPORT);
		for (uint32_t n = 0; n < len; n++) {
			check(&rng, bytes, n, n, &depth);
			if (n < len - f->padding)
				assert_true(depth < LEAT_DEPTH_NETWORK);
			check(&rng, bytes, len, n, &depth);
			if (n >= hdr_len)
				assert_int_equal(depth, whole);
			else if (f->inner == NULL) /* else there may be UDP outside */
				assert_true(depth < LEAT_DEPTH_TRANSPORT);
		}
	}
}

static void test_flips(void **state)
{
	struct rng rng = rng_start("test_flips");

	memset(seen, 0, sizeof(seen));
	for (int i = 0; i < 60000; i++) {
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
	/* Each tunnel was entered, and each reason not to go on was met. */
	for (unsigned i = LEAT_TUNNEL_IP; i <= LEAT_TUNNEL_FOU; i++)
		assert_true(seen[i][LEAT_PARSE_OK] > 100);
	for (unsigned i = 0; i < LEAT_PARSE_REASONS; i++)
		assert_true(i == LEAT_PARSE_TUNNEL_DEPTH || i == LEAT_PARSE_VLAN_DEPTH ||
			    seen[0][i] > 0);
	assert_true(seen[LEAT_TUNNEL_IP][LEAT_PARSE_TUNNEL_DEPTH] > 0);
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
