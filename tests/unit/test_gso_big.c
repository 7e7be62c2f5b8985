/* SPDX-License-Identifier: MIT */
/*
 * test_gso_big.c - BIG TCP: packets that their length field cannot express, with a jumbogram option
 * or without, become the ordinary segments of the packet without the option.
 */
#include <errno.h>
#include <leat/gso.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "../cut.h"

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct leat_gso_conf full;

static const uint8_t padding[] = {6, 0, 1, 4, 0, 0, 0, 0}; /* destination options */

/* A packet as `plain` describes it, with a jumbogram option in front of its extension headers. */
static struct leat_pkt *build(struct arena *arena, struct frame plain, uint16_t gso_size)
{
	uint32_t len = 8 + plain.ext_len + 20 + plain.payload;
	uint8_t ext[16] = {plain.ext_len > 0 ? 60 : 6, 0, 0xc2, 4};
	struct leat_pkt *pkt;

	for (unsigned i = 0; i < 4; i++)
		ext[4 + i] = (uint8_t)(len >> (24 - 8 * i));
	if (plain.ext_len > 0)
		memcpy(ext + 8, plain.ext, plain.ext_len);
	plain.ext = ext;
	plain.ext_len += 8;
	plain.ext_first = 0;
	pkt = cut_super(arena, &plain, gso_size);
	assert_int_equal(pkt->depth, LEAT_DEPTH_TRANSPORT);
	assert_int_equal(pkt->lvl[0].flags & LEAT_IP_JUMBO, LEAT_IP_JUMBO);
	return pkt;
}

static const struct {
	struct frame f;
	uint16_t gso_size;
} rows[] = {
	{{.version = 6, .payload = 131072}, 1428},
	{{.version = 6, .payload = 65536, .vlans = 2}, 60000},
	{{.version = 6, .payload = 524000}, 8948},
	{{.version = 6, .payload = 100000, .ext = padding, .ext_len = 8, .ext_first = 60}, 1400},
};

static void test_jumbograms(void **state)
{
	struct rng rng = rng_start("test_gso_big");

	for (size_t i = 0; i < 4 * LENGTH(rows); i++) {
		const struct leat_gso_conf conf = {.csum_partial = i & 2};
		struct arena arena = {0};
		struct leat_pkt *pkt = build(&arena, rows[i / 4].f, rows[i / 4].gso_size);
		struct leat_pkt *plain = cut_super(&arena, &rows[i / 4].f, rows[i / 4].gso_size);
		struct cut cut = cut_up(pkt, &conf, i & 1 ? &rng : NULL);
		struct cut same = cut_up(plain, &conf, NULL);

		assert_int_equal(cut.promised, same.promised);
		for (unsigned k = 0; k < cut.n; k++) {
			assert_memory_equal(&cut.segs[k].seg.len, &same.segs[k].seg.len,
					    offsetof(struct leat_seg, csum) + 1 -
						    offsetof(struct leat_seg, len));
			assert_memory_equal(cut.segs[k].frame, same.segs[k].frame,
					    same.segs[k].seg.len);
			assert_null(frame_wrong(cut.segs[k].frame, cut.segs[k].seg.len, i & 2));
		}
		cut_clear(&cut);
		cut_clear(&same);
		arena_clear(&arena);
	}
}

/* What the parser calls a jumbogram is looked at again. */
static void test_spoilt(void **state)
{
	static const struct {
		const char *name;
		unsigned at; /* byte of the frame */
		uint8_t byte;
	} bytes[] = {
		{"next header", 14 + 6, 6},    {"option", 14 + 42, 0xc3},
		{"option length", 14 + 43, 3}, {"length of the header", 14 + 41, 1},
		{"length", 14 + 40 + 7, 1},    {"payload length", 14 + 5, 8},
		{"nothing", 14 + 8, 0xfd}, /* of an address */
	};

	for (size_t i = 0; i < LENGTH(bytes); i++) {
		struct arena arena = {0};
		struct leat_pkt *pkt = build(&arena, rows[0].f, 1428);
		struct leat_gso gso;

		print_message("%s\n", bytes[i].name);
		pkt->data[bytes[i].at] = bytes[i].byte;
		assert_int_equal(leat_gso_init(&gso, pkt, &full),
				 i + 1 < LENGTH(bytes) ? -EINVAL : 131072 / 1428 + 1);
		arena_clear(&arena);
	}
}

/* The option outside of a short packet's reach, or of one that is not TCP's. */
static void test_not_big(void **state)
{
	struct frame f = {.version = 6, .payload = 350};
	struct arena arena = {0};
	struct leat_pkt *pkt = cut_super(&arena, &f, 100);
	struct leat_gso gso;

	pkt->lvl[0].flags |= LEAT_IP_JUMBO;
	assert_int_equal(leat_gso_init(&gso, pkt, &full), -EINVAL);
	pkt = build(&arena, rows[0].f, 1428);
	pkt->lvl[0].protocol = FRAME_UDP;
	pkt->payload -= 12;
	pkt->gso_type = LEAT_GSO_UDP_L4;
	pkt->csum = LEAT_CSUM_NONE;
	assert_int_equal(leat_gso_init(&gso, pkt, &(struct leat_gso_conf){.gso_size = 2000}),
			 -EINVAL);
	arena_clear(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jumbograms),
		cmocka_unit_test(test_spoilt),
		cmocka_unit_test(test_not_big),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
