/* SPDX-License-Identifier: MIT */
/*
 * test_csum.c - the Internet checksum against RFC 1071's arithmetic, 16 bits at a time.
 */
#include <errno.h>
#include <leat/csum.h>
#include <leat/parse.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "../frame.h"
#include "../rng.h"

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))

/* A folded sum, in memory order, as a number. */
static uint16_t in_host_order(uint16_t folded)
{
	uint8_t p[2];

	memcpy(p, &folded, 2);
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint16_t sum_of(const void *p, size_t len)
{
	return in_host_order(leat_csum_fold(leat_csum_partial(p, len, 0)));
}

/* Zero has two spellings in one's complement. */
static void check_equal_sums(uint16_t a, uint16_t b)
{
	assert_int_equal(a % 0xffff, b % 0xffff);
}

/* RFC 1071, section 3. */
static void test_rfc1071(void **state)
{
	static const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	assert_int_equal(sum_of(bytes, 8), 0xddf2);
}

static void fill_random(struct rng *rng, uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)rng_next(rng);
}

static void test_short_lengths(void **state)
{
	struct rng rng = rng_start("test_short_lengths");
	uint8_t buf[16 + 300];

	for (size_t align = 0; align < 16; align++) {
		for (size_t len = 0; len <= 300; len++) {
			fill_random(&rng, buf, sizeof(buf));
			assert_int_equal(sum_of(buf + align, len), frame_sum(buf + align, len, 0));
		}
	}
}

static void test_long_lengths(void **state)
{
	struct rng rng = rng_start("test_long_lengths");
	static uint8_t buf[65536 + 16];

	fill_random(&rng, buf, sizeof(buf));
	for (int i = 0; i < 200; i++) {
		size_t len = rng_below(&rng, 65537), align = rng_below(&rng, 16);

		assert_int_equal(sum_of(buf + align, len), frame_sum(buf + align, len, 0));
	}
}

/* Every addition carries. */
static void test_ones(void **state)
{
	static uint8_t buf[65536];

	memset(buf, 0xff, sizeof(buf));
	for (size_t len = 1; len <= 300; len++)
		assert_int_equal(sum_of(buf, len), frame_sum(buf, len, 0));
	assert_int_equal(sum_of(buf, sizeof(buf)), 0xffff);
	assert_int_equal(leat_csum_fold(leat_csum_partial(buf, 64, UINT32_MAX)), 0xffff);
	/* Nothing but zeroes gives zero. */
	memset(buf, 0, sizeof(buf));
	assert_int_equal(leat_csum_partial(buf, sizeof(buf), 0), 0);
	buf[777] = 1;
	assert_int_equal(sum_of(buf, sizeof(buf)), 1);
}

static void test_start(void **state)
{
	struct rng rng = rng_start("test_start");
	uint8_t buf[200];

	for (int i = 0; i < 1000; i++) {
		size_t cut = 2 * rng_below(&rng, 101);
		uint32_t sum;

		fill_random(&rng, buf, sizeof(buf));
		sum = leat_csum_partial(buf + cut, sizeof(buf) - cut,
					leat_csum_partial(buf, cut, 0));
		assert_int_equal(in_host_order(leat_csum_fold(sum)),
				 frame_sum(buf, sizeof(buf), 0));
	}
}

static void test_pseudo(void **state)
{
	static const uint32_t lens[] = {0, 20, 1480, 65535, 65536, 524280};
	struct arena arena = {0};

	for (uint8_t version = 4; version <= 6; version += 2) {
		const struct leat_pkt *pkt = arena_frame(
			&arena, &(struct frame){.version = version, .src = 77, .dst = 0xfedc});

		for (size_t i = 0; i < LENGTH(lens); i++) {
			uint32_t sum = leat_csum_pseudo(pkt->data, &pkt->lvl[0], lens[i]);

			check_equal_sums(in_host_order(leat_csum_fold(sum)),
					 frame_pseudo(pkt->data + 14, FRAME_TCP, lens[i]));
		}
	}
	arena_clear(&arena);
}

/* Cut `pkt` into slices of random lengths, zero and odd ones too, of buffers of their own. */
static struct leat_pkt *slice_up(struct rng *rng, struct arena *arena, struct leat_pkt *pkt,
				 uint32_t headlen)
{
	struct leat_pkt *head = arena_add(arena, pkt->data, headlen);

	for (uint32_t off = headlen; off < pkt->len;) {
		uint32_t n = rng_below(rng, 80);

		n = n < pkt->len - off ? n : pkt->len - off;
		leat_pkt_chain(head, arena_add(arena, pkt->data + off, n));
		off += n;
	}
	leat_parse(NULL, &head, 1);
	return head;
}

static void test_slices(void **state)
{
	struct rng rng = rng_start("test_slices");
	uint8_t buf[500];

	for (int i = 0; i < 300; i++) {
		struct arena arena = {0};
		uint32_t len = rng_below(&rng, sizeof(buf) + 1), off, n, sum;
		struct leat_pkt *flat, *pkt;

		fill_random(&rng, buf, sizeof(buf));
		flat = arena_add(&arena, buf, len);
		pkt = slice_up(&rng, &arena, flat, rng_below(&rng, len + 1));
		off = rng_below(&rng, len + 1);
		n = rng_below(&rng, len - off + 1);
		sum = leat_csum_pkt(pkt, off, n, 0x12345678);
		assert_int_equal(
			in_host_order(leat_csum_fold(sum)),
			frame_sum(buf + off, n, in_host_order(leat_csum_fold(0x12345678))));
		/* No further than the frame. */
		assert_int_equal(leat_csum_pkt(pkt, off, len - off, 0),
				 leat_csum_pkt(pkt, off, UINT32_MAX, 0));
		arena_clear(&arena);
	}
}

struct verify_row {
	const char *name;
	struct frame frame;
	bool right;
};

static const struct verify_row verify_rows[] = {
	{"tcp", {.payload = 1448}, true},
	{"tcp, odd", {.payload = 1447}, true},
	{"tcp, empty", {.payload = 0}, true},
	{"tcp, ipv6", {.version = 6, .payload = 1001}, true},
	{"tcp, vlans", {.vlans = 2, .payload = 10}, true},
	{"tcp, wrong", {.payload = 100, .bad_l4_csum = true}, false},
	{"tcp, padded", {.payload = 1, .padding = 5}, true},
	{"tcp, wrong ip checksum", {.payload = 100, .bad_ip_csum = true}, true},
	{"udp", {.protocol = FRAME_UDP, .payload = 100}, true},
	{"udp, ipv6", {.protocol = FRAME_UDP, .version = 6, .payload = 99}, true},
	{"udp, wrong", {.protocol = FRAME_UDP, .payload = 100, .bad_l4_csum = true}, false},
	{"udp, zero", {.protocol = FRAME_UDP, .payload = 100, .no_csum = true}, true},
	{"udp, zero, ipv6",
	 {.protocol = FRAME_UDP, .version = 6, .payload = 100, .no_csum = true},
	 false},
	{"first fragment", {.payload = 1448, .frag_off = FRAME_MF}, false},
	{"later fragment", {.payload = 1448, .frag_off = 1}, false},
	{"icmp", {.protocol = 1, .payload = 64}, false},
	{"sctp", {.protocol = 132, .payload = 64}, false},
};

static void test_verify(void **state)
{
	struct rng rng = rng_start("test_verify");

	for (size_t i = 0; i < LENGTH(verify_rows); i++) {
		const struct verify_row *row = &verify_rows[i];
		struct arena arena = {0};
		struct leat_pkt *pkt = arena_frame(&arena, &row->frame);
		struct leat_pkt *chain = slice_up(&rng, &arena, pkt, frame_hdr_len(&row->frame));

		print_message("%s\n", row->name);
		assert_int_equal(leat_csum_verify(pkt), row->right);
		assert_int_equal(pkt->csum, row->right ? LEAT_CSUM_UNNECESSARY : LEAT_CSUM_NONE);
		assert_int_equal(leat_csum_verify(chain), row->right);
		for (unsigned csum = LEAT_CSUM_UNNECESSARY; csum <= LEAT_CSUM_PARTIAL; csum++) {
			pkt->csum = (uint8_t)csum;
			assert_true(leat_csum_verify(pkt));
			assert_int_equal(pkt->csum, csum);
		}
		arena_clear(&arena);
	}
}

/* A datagram may be shorter than its packet; the checksum covers the datagram. */
static void test_udp_length(void **state)
{
	struct arena arena = {0};
	struct leat_pkt *pkt =
		arena_frame(&arena, &(struct frame){.protocol = FRAME_UDP, .payload = 100});
	uint8_t *udp = pkt->data + pkt->lvl[0].transport;
	uint16_t sum;

	udp[5] = 58;
	assert_false(leat_csum_verify(pkt));
	udp[6] = udp[7] = 0;
	sum = (uint16_t)~frame_sum(udp, 58, frame_pseudo(pkt->data + 14, FRAME_UDP, 58));
	udp[6] = (uint8_t)(sum >> 8);
	udp[7] = (uint8_t)sum;
	assert_true(leat_csum_verify(pkt));
	pkt->csum = LEAT_CSUM_NONE;
	udp[5] = 109; /* longer than its packet */
	assert_false(leat_csum_verify(pkt));
	udp[6] = udp[7] = 0;
	assert_false(leat_csum_verify(pkt));
	udp[5] = 108;
	assert_true(leat_csum_verify(pkt));
	arena_clear(&arena);
}

/* BIG TCP: the length field is 0. */
static void test_verify_big(void **state)
{
	for (uint8_t version = 4; version <= 6; version += 2) {
		struct frame f = {.version = version, .payload = 70000};
		struct arena arena = {0};
		struct leat_pkt *pkt = arena_frame(&arena, &f);

		memset(pkt->data + 14 + (version == 4 ? 2 : 4), 0, 2);
		leat_parse(NULL, &pkt, 1);
		assert_int_equal(pkt->depth, LEAT_DEPTH_TRANSPORT);
		assert_true(leat_csum_verify(pkt));
		arena_clear(&arena);
	}
}

/* Puts the folded pseudo-header sum into the checksum field. */
static void make_partial(struct leat_pkt *pkt)
{
	const struct leat_level *l = leat_pkt_inner(pkt);
	uint16_t sum = frame_pseudo(pkt->data + l->network, l->protocol, pkt->len - l->transport);
	uint8_t *field;

	pkt->csum = LEAT_CSUM_PARTIAL;
	pkt->csum_start = l->transport;
	pkt->csum_offset = l->protocol == FRAME_UDP ? 6 : 16;
	field = pkt->data + pkt->csum_start + pkt->csum_offset;
	field[0] = (uint8_t)(sum >> 8);
	field[1] = (uint8_t)sum;
}

static void test_complete(void **state)
{
	struct rng rng = rng_start("test_complete");

	for (int i = 0; i < 300; i++) {
		struct frame f = {.version = rng_once_in(&rng, 2) ? 4 : 6,
				  .protocol = rng_once_in(&rng, 2) ? FRAME_TCP : FRAME_UDP,
				  .payload = rng_below(&rng, 300),
				  .salt = (uint32_t)rng_next(&rng)};
		struct arena arena = {0};
		struct leat_pkt *right = arena_frame(&arena, &f), *pkt = arena_frame(&arena, &f);
		uint8_t bytes[400];

		make_partial(pkt);
		pkt = slice_up(&rng, &arena, pkt, frame_hdr_len(&f));
		make_partial(pkt);
		assert_int_equal(leat_csum_complete(pkt), 0);
		assert_int_equal(pkt->csum, LEAT_CSUM_UNNECESSARY);
		assert_int_equal(frame_flatten(pkt, bytes), right->len);
		assert_memory_equal(bytes, right->data, right->len);
		arena_clear(&arena);
	}
}

/* In UDP a sum of zero is stored as 0xffff, in TCP as it is. */
static void test_complete_zero(void **state)
{
	static const struct {
		uint16_t offset, stored;
	} rows[] = {{6, 0xffff}, {16, 0}};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		uint8_t bytes[40] = {[20] = 0xff, [21] = 0xff};
		struct leat_pkt pkt;
		uint16_t field;

		leat_pkt_init(&pkt, bytes, sizeof(bytes));
		pkt.csum = LEAT_CSUM_PARTIAL;
		pkt.csum_start = 14;
		pkt.csum_offset = rows[i].offset;
		if (14 + rows[i].offset != 20)
			memset(bytes + 14 + rows[i].offset, 0, 2);
		assert_int_equal(leat_csum_complete(&pkt), 0);
		memcpy(&field, bytes + 14 + rows[i].offset, 2);
		assert_int_equal(field, rows[i].stored);
	}
}

struct bad_row {
	uint16_t start, offset;
	int result;
};

static const struct bad_row bad_rows[] = {
	{0, 0, 0},	     {38, 0, 0},	  {39, 0, -EINVAL},	   {40, 0, -EINVAL},
	{0, 38, 0},	     {0, 39, -EINVAL},	  {1, 38, -EINVAL},	   {20, 18, 0},
	{65535, 0, -EINVAL}, {0, 65535, -EINVAL}, {65535, 65535, -EINVAL},
};

static void test_complete_bad(void **state)
{
	for (size_t i = 0; i < LENGTH(bad_rows); i++) {
		const struct bad_row *row = &bad_rows[i];
		uint8_t bytes[40], before[40], more[40];
		struct leat_pkt pkt, member;

		memset(bytes, 0x5a, sizeof(bytes));
		memcpy(before, bytes, sizeof(bytes));
		leat_pkt_init(&pkt, bytes, sizeof(bytes));
		leat_pkt_init(&member, more, sizeof(more)); /* not in the first slice */
		memset(more, 0x77, sizeof(more));
		leat_pkt_chain(&pkt, &member);
		pkt.csum_start = row->start;
		pkt.csum_offset = row->offset;

		assert_int_equal(leat_csum_complete(&pkt), 0); /* not PARTIAL: untouched */
		assert_memory_equal(bytes, before, sizeof(bytes));
		pkt.csum = LEAT_CSUM_PARTIAL;
		assert_int_equal(leat_csum_complete(&pkt), row->result);
		if (row->result == 0)
			continue;
		assert_memory_equal(bytes, before, sizeof(bytes));
		assert_int_equal(pkt.csum, LEAT_CSUM_PARTIAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc1071),	     cmocka_unit_test(test_short_lengths),
		cmocka_unit_test(test_long_lengths), cmocka_unit_test(test_ones),
		cmocka_unit_test(test_start),	     cmocka_unit_test(test_pseudo),
		cmocka_unit_test(test_slices),	     cmocka_unit_test(test_verify),
		cmocka_unit_test(test_udp_length),   cmocka_unit_test(test_verify_big),
		cmocka_unit_test(test_complete),     cmocka_unit_test(test_complete_zero),
		cmocka_unit_test(test_complete_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
