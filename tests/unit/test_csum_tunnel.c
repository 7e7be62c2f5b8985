/* SPDX-License-Identifier: MIT */
/*
 * test_csum_tunnel.c - checksums of tunnels, and inner ones that are left to the receiver: right
 * ones pass, and one wrong byte anywhere under a checksum is seen.
 */
#include <errno.h>
#include <leat/csum.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../frame.h"
#include "../rng.h"

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct frame tcp = {.payload = 61}, udp = {.protocol = FRAME_UDP, .payload = 60};
static const struct frame tcp6 = {.version = 6, .payload = 61};
static const struct frame plain_udp = {.protocol = FRAME_UDP, .payload = 60, .no_csum = true};
static const struct frame icmp = {.protocol = 1, .payload = 61};
static const struct frame padded = {.payload = 61, .padding = 5};

static const struct frame frames[] = {
	{.inner = &tcp, .tunnel = LEAT_TUNNEL_GRE, .gre_csum = true},
	{.inner = &tcp, .tunnel = LEAT_TUNNEL_GRE, .gre_csum = true, .gre_key = true, .eth = true},
	{.inner = &icmp, .tunnel = LEAT_TUNNEL_GRE, .gre_csum = true},
	{.inner = &tcp, .tunnel = LEAT_TUNNEL_VXLAN, .padding = 7},
	{.version = 6, .inner = &tcp6, .tunnel = LEAT_TUNNEL_VXLAN},
	{.version = 6, .inner = &udp, .tunnel = LEAT_TUNNEL_GENEVE},
	{.inner = &plain_udp, .tunnel = LEAT_TUNNEL_GENEVE},
	{.inner = &padded, .tunnel = LEAT_TUNNEL_VXLAN},
	{.inner = &icmp, .tunnel = LEAT_TUNNEL_GUE},
	{.inner = &tcp6, .tunnel = LEAT_TUNNEL_FOU},
};

/* The packet with its payload in two more slices. */
static struct leat_pkt *slice_up(struct rng *rng, struct arena *arena, const uint8_t *bytes,
				 uint32_t len, uint32_t hdr_len)
{
	uint32_t first = hdr_len + rng_below(rng, len - hdr_len);
	uint32_t second = first + rng_below(rng, len - first);
	struct leat_pkt *pkt = arena_add(arena, bytes, first);

	leat_pkt_chain(pkt, arena_add(arena, bytes + first, second - first));
	leat_pkt_chain(pkt, arena_add(arena, bytes + second, len - second));
	leat_parse(&frame_conf, &pkt, 1);
	return pkt;
}

/* Right, and with one byte behind the headers wrong, whether the inner checksum is known or not. */
static void test_verify_tunnel(void **state)
{
	struct rng rng = rng_start("test_verify_tunnel");

	for (size_t i = 0; i < LENGTH(frames); i++) {
		const struct frame *f = &frames[i];
		uint32_t len = frame_len(f), hdr_len = frame_hdr_len(f), end = len - f->padding;
		uint8_t bytes[400];

		for (int k = 0; k < 60; k++) {
			uint32_t at = hdr_len + rng_below(&rng, end - hdr_len);
			struct arena arena = {0};
			struct leat_pkt *pkt;

			frame_build(f, bytes);
			pkt = slice_up(&rng, &arena, bytes, len, hdr_len);
			assert_int_equal(pkt->levels, 2);
			assert_true(leat_csum_verify_tunnel(pkt));
			assert_int_equal(pkt->csum, LEAT_CSUM_NONE);
			assert_int_equal(leat_csum_verify(pkt), f->inner != &icmp);
			assert_true(leat_csum_verify_tunnel(pkt));

			bytes[at] ^= (uint8_t)(1 + rng_below(&rng, 255));
			pkt = slice_up(&rng, &arena, bytes, len, hdr_len);
			assert_false(leat_csum_verify_tunnel(pkt));
			leat_csum_verify(pkt);
			assert_false(leat_csum_verify_tunnel(pkt));
			arena_clear(&arena);
		}
	}
}

/* The tunnel's own field, or another of its header, is wrong and the inner checksum right: seen
 * from the headers alone. */
static void test_wrong_header(void **state)
{
	for (size_t i = 0; i < LENGTH(frames); i++) {
		struct frame f = frames[i];
		struct arena arena = {0};
		struct leat_pkt *pkt;

		f.bad_l4_csum = true;
		pkt = arena_frame(&arena, &f);
		assert_int_equal(leat_csum_verify(pkt), f.inner != &icmp);
		assert_false(leat_csum_verify_tunnel(pkt));

		pkt = arena_frame(&arena, &frames[i]);
		leat_csum_verify(pkt);
		pkt->data[pkt->lvl[1].network + (pkt->lvl[1].version == 4 ? 8 : 7)]--; /* ttl */
		assert_false(leat_csum_verify_tunnel(pkt));
		arena_clear(&arena);
	}
}

/* Known to be right, the inner bytes are not looked at. */
static void test_not_summed_again(void **state)
{
	for (size_t i = 0; i < LENGTH(frames); i++) {
		const struct frame *in = frames[i].inner;
		bool covered = in != &icmp && in != &plain_udp && in != &padded;
		struct arena arena = {0};
		struct leat_pkt *pkt = arena_frame(&arena, &frames[i]);

		pkt->csum = LEAT_CSUM_UNNECESSARY;
		pkt->data[pkt->payload + 1] ^= 1;
		if (pkt->depth == LEAT_DEPTH_TRANSPORT)
			assert_int_equal(leat_csum_verify_tunnel(pkt), covered);
		arena_clear(&arena);
	}
}

/* A UDP length that leaves bytes out says nothing of those. */
static void test_udp_length(void **state)
{
	struct frame f = {.inner = &udp, .tunnel = LEAT_TUNNEL_VXLAN};
	struct arena arena = {0};
	struct leat_pkt *pkt = arena_frame(&arena, &f);

	pkt->csum = LEAT_CSUM_UNNECESSARY;
	assert_true(leat_csum_verify_tunnel(pkt));
	pkt->data[pkt->lvl[1].transport + 5] -= 2;
	assert_false(leat_csum_verify_tunnel(pkt));
	arena_clear(&arena);
}

/* An inner checksum that is to be completed counts as if it were. */
static void test_partial(void **state)
{
	for (size_t i = 0; i < LENGTH(frames); i++) {
		const struct frame *in = frames[i].inner;
		const struct leat_level *l;
		struct arena arena = {0};
		struct leat_pkt *pkt;

		if (in != &tcp && in != &tcp6 && in != &udp)
			continue;
		pkt = arena_frame(&arena, &frames[i]);
		l = leat_pkt_inner(pkt);
		pkt->csum = LEAT_CSUM_PARTIAL;
		pkt->csum_start = l->transport;
		pkt->csum_offset = l->protocol == FRAME_UDP ? 6 : 16;
		memset(pkt->data + l->transport + pkt->csum_offset, 0x77, 2);
		assert_true(leat_csum_verify_tunnel(pkt));
		pkt->csum_start--;
		assert_false(leat_csum_verify_tunnel(pkt));
		arena_clear(&arena);
	}
}

/* Made right, whatever it was, by a second look at the inner bytes or without one. */
static void test_complete(void **state)
{
	for (size_t i = 0; i < 3 * LENGTH(frames); i++) {
		struct arena arena = {0};
		struct leat_pkt *pkt = arena_frame(&arena, &frames[i / 3]);
		uint8_t *l4 = pkt->data + pkt->lvl[0].transport, was[2];
		uint8_t *field = l4 + (pkt->lvl[0].protocol == FRAME_UDP ? 6 : 4);

		memcpy(was, field, 2);
		memset(field, 0x77, 2);
		if (i % 3 == 1)
			leat_csum_verify(pkt);
		if (i % 3 == 2) {
			pkt->data[pkt->len - frames[i / 3].padding - 1] ^= 1;
			assert_int_equal(leat_csum_complete_tunnel(pkt), 0);
			assert_memory_not_equal(field, was, 2);
			pkt->data[pkt->len - frames[i / 3].padding - 1] ^= 1;
		}
		assert_int_equal(leat_csum_complete_tunnel(pkt), 0);
		assert_memory_equal(field, was, 2);
		arena_clear(&arena);
	}
}

/* In UDP 0 is written 0xffff, in GRE not. */
static void test_complete_zero(void **state)
{
	for (size_t i = 0; i < LENGTH(frames); i++) {
		struct arena arena = {0};
		struct leat_pkt *pkt = arena_frame(&arena, &frames[i]);
		bool udp_over = pkt->lvl[0].protocol == FRAME_UDP;
		uint8_t *field = pkt->data + pkt->lvl[0].transport + (udp_over ? 6 : 4);
		uint8_t *word = pkt->data + pkt->lvl[0].transport + (udp_over ? 0 : 6);
		uint32_t sum = (word[0] << 8 | word[1]) + (uint32_t)(field[0] << 8 | field[1]);

		sum = sum % 0xffff; /* moved to a word that it covers */
		word[0] = (uint8_t)(sum >> 8);
		word[1] = (uint8_t)sum;
		assert_int_equal(leat_csum_complete_tunnel(pkt), 0);
		assert_int_equal(field[0] << 8 | field[1], udp_over ? 0xffff : 0);
		assert_true(leat_csum_verify_tunnel(pkt));
		arena_clear(&arena);
	}
}

/* Nothing to complete, or not to be known what. */
static void test_complete_not(void **state)
{
	static const struct frame none[] = {
		{.payload = 9},
		{.inner = &tcp, .tunnel = LEAT_TUNNEL_IP},
		{.inner = &tcp, .tunnel = LEAT_TUNNEL_GRE},
		{.inner = &tcp, .tunnel = LEAT_TUNNEL_VXLAN, .no_csum = true},
		{.inner = &tcp, .tunnel = LEAT_TUNNEL_VXLAN},
	};

	for (size_t i = 0; i < LENGTH(none); i++) {
		struct arena arena = {0};
		struct leat_pkt *pkt = arena_frame(&arena, &none[i]);
		bool used = i + 1 == LENGTH(none);
		uint8_t was[200];

		if (used)
			pkt->data[pkt->lvl[0].transport + 4] ^= 0x80;
		memcpy(was, pkt->data, pkt->len);
		assert_int_equal(leat_csum_complete_tunnel(pkt), used ? -EINVAL : 0);
		assert_memory_equal(pkt->data, was, pkt->len);
		arena_clear(&arena);
	}
}

static void test_none(void **state)
{
	static const struct frame none[] = {
		{.payload = 9, .bad_l4_csum = true},
		{.inner = &tcp, .tunnel = LEAT_TUNNEL_IP},
		{.inner = &tcp, .tunnel = LEAT_TUNNEL_GRE},
		{.inner = &tcp, .tunnel = LEAT_TUNNEL_VXLAN, .no_csum = true},
		{.version = 6, .inner = &tcp, .tunnel = LEAT_TUNNEL_VXLAN, .no_csum = true},
	};

	for (size_t i = 0; i < LENGTH(none); i++) {
		struct arena arena = {0};
		struct leat_pkt *pkt = arena_frame(&arena, &none[i]);

		pkt->data[pkt->payload] ^= 1;
		assert_true(leat_csum_verify_tunnel(pkt));
		assert_false(leat_csum_verify(pkt));
		arena_clear(&arena);
	}
}

/* Left to the receiver: the outer checksum must be there, and right, and the field untouched. */
static void test_remote(void **state)
{
	static const struct frame remote[] = {
		{.inner = &tcp, .tunnel = LEAT_TUNNEL_VXLAN, .remcsum = true},
		{.inner = &udp, .tunnel = LEAT_TUNNEL_VXLAN, .remcsum = true},
		{.version = 6, .inner = &tcp6, .tunnel = LEAT_TUNNEL_GUE, .remcsum = true},
	};

	for (size_t i = 0; i < LENGTH(remote); i++) {
		struct frame f = remote[i];
		struct arena arena = {0};
		struct leat_pkt *pkt = arena_frame(&arena, &f);
		uint8_t *field = pkt->data + pkt->lvl[1].transport + (f.inner == &udp ? 6 : 16);

		assert_true(pkt->lvl[0].flags & LEAT_REMCSUM);
		pkt->data[pkt->payload] ^= 1;
		assert_false(leat_csum_verify(pkt));
		assert_false(leat_csum_verify_tunnel(pkt));
		pkt->data[pkt->payload] ^= 1;
		field[0] ^= 0x40;
		assert_false(leat_csum_verify(pkt));
		field[0] ^= 0x40;
		assert_true(leat_csum_verify(pkt));
		assert_int_equal(pkt->csum, LEAT_CSUM_UNNECESSARY);
		assert_true(leat_csum_verify_tunnel(pkt));

		f.no_csum = true;
		pkt = arena_frame(&arena, &f);
		assert_false(leat_csum_verify(pkt));
		assert_true(leat_csum_verify_tunnel(pkt));
		arena_clear(&arena);
	}
}

/* The field and the window have changed places: the outer checksum is right all the same. */
static void test_remote_field(void **state)
{
	struct frame f = {.inner = &tcp, .tunnel = LEAT_TUNNEL_GUE, .remcsum = true};
	struct arena arena = {0};
	struct leat_pkt *pkt = arena_frame(&arena, &f);
	uint8_t *window = pkt->data + pkt->lvl[1].transport + 14;

	memcpy(window, window + 2, 2);
	memset(window + 2, 0, 2);
	assert_true(leat_csum_verify_tunnel(pkt));
	assert_false(leat_csum_verify(pkt));
	arena_clear(&arena);
}

/* Without an outer checksum nothing vouches for the inner bytes, not even a sum that happens to be
 * right with a field of zero. */
static void test_remote_without(void **state)
{
	struct frame f = {
		.inner = &tcp, .tunnel = LEAT_TUNNEL_GUE, .remcsum = true, .no_csum = true};
	struct arena arena = {0};
	struct leat_pkt *pkt = arena_frame(&arena, &f);
	uint8_t *udp_header = pkt->data + pkt->lvl[0].transport, *word = pkt->data + pkt->payload;
	uint32_t len = pkt->len - pkt->lvl[0].transport;
	uint16_t sum;

	memset(word, 0, 2);
	sum = frame_sum(udp_header, len, frame_pseudo(pkt->data + 14, FRAME_UDP, len));
	word[0] = (uint8_t)(~sum >> 8);
	word[1] = (uint8_t)~sum;
	assert_false(leat_csum_verify(pkt));
	arena_clear(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verify_tunnel),	 cmocka_unit_test(test_wrong_header),
		cmocka_unit_test(test_not_summed_again), cmocka_unit_test(test_partial),
		cmocka_unit_test(test_complete),	 cmocka_unit_test(test_complete_zero),
		cmocka_unit_test(test_complete_not),	 cmocka_unit_test(test_none),
		cmocka_unit_test(test_remote),		 cmocka_unit_test(test_remote_field),
		cmocka_unit_test(test_remote_without),	 cmocka_unit_test(test_udp_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
