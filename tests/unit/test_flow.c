/* SPDX-License-Identifier: MIT */
/*
 * test_flow.c - flows and their keyed hash.
 */
#include <leat/flow.h>
#include <leat/parse.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../frame.h"
#include "../rng.h"

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))

/* An IPv6 fragment header (not the first fragment, or the first), then UDP. */
static const uint8_t later[] = {17, 0, 0x05, 0xa8, 0, 0, 0, 1};
static const uint8_t first[] = {17, 0, 0x00, 0x01, 0, 0, 0, 1};
/* A first fragment with destination options behind its fragment header, and a later one. */
static const uint8_t first_opts[] = {60, 0, 0, 1, 0, 0, 0, 1, 17, 0, 1, 4, 0, 0, 0, 0};
static const uint8_t later_opts[] = {60, 0, 0x05, 0xa8, 0, 0, 0, 1};

static const struct leat_flow_key key = {{0x0123456789abcdefu, 0xfedcba9876543211u}};

static uint32_t hash_frame(const struct frame *f, const struct leat_flow_key *with)
{
	struct arena arena = {0};
	uint32_t hash = leat_flow_hash(arena_frame(&arena, f), with);

	arena_clear(&arena);
	return hash;
}

struct get_row {
	const char *name;
	struct frame frame;
	bool has_ports;
	uint8_t protocol;
};

static const struct get_row get_rows[] = {
	{"tcp", {.sport = 1000, .dport = 80}, true, 6},
	{"udp", {.protocol = 17, .sport = 1000, .dport = 80, .payload = 5}, true, 17},
	{"tcp6", {.version = 6, .sport = 1000, .dport = 80}, true, 6},
	{"options",
	 {.ext = (const uint8_t[]){1, 1, 1, 1}, .ext_len = 4, .sport = 1000, .dport = 80},
	 true,
	 6},
	{"first fragment", {.frag_off = FRAME_MF, .sport = 1000, .dport = 80}, false, 6},
	{"later fragment", {.frag_off = 185, .sport = 1000, .dport = 80}, false, 6},
	{"first fragment 6",
	 {.version = 6, .protocol = 17, .ext = first, .ext_len = 8, .ext_first = 44, .sport = 9},
	 false,
	 17},
	{"later fragment 6",
	 {.version = 6, .protocol = 17, .ext = later, .ext_len = 8, .ext_first = 44, .sport = 9},
	 false,
	 17},
	{"icmp", {.protocol = 1, .payload = 64}, false, 1},
};

static void test_get(void **state)
{
	for (size_t i = 0; i < LENGTH(get_rows); i++) {
		const struct get_row *row = &get_rows[i];
		bool v6 = row->frame.version == 6;
		struct arena arena = {0};
		const struct leat_pkt *pkt = arena_frame(&arena, &row->frame);
		struct leat_flow flow, want = {.version = v6 ? 6 : 4, .protocol = row->protocol};

		memcpy(want.src, pkt->data + 14 + (v6 ? 8 : 12), v6 ? 16 : 4);
		memcpy(want.dst, pkt->data + 14 + (v6 ? 24 : 16), v6 ? 16 : 4);
		want.sport = row->has_ports ? 1000 : 0;
		want.dport = row->has_ports ? 80 : 0;
		print_message("%s\n", row->name);
		memset(&flow, 0xee, sizeof(flow));
		assert_true(leat_flow_get(pkt, &flow));
		assert_memory_equal(&flow, &want, sizeof(flow));
		assert_int_not_equal(leat_flow_hash(pkt, &key), 0);
		arena_clear(&arena);
	}
}

static void test_no_flow(void **state)
{
	struct arena arena = {0};
	const struct leat_pkt *pkt = arena_add(&arena, (uint8_t[60]){[12] = 0x08, [13] = 0x06}, 60);
	struct leat_flow flow;

	assert_false(leat_flow_get(pkt, &flow));
	assert_int_equal(leat_flow_hash(pkt, &key), 0);
	arena_clear(&arena);
}

/* Swap the addresses, and ports if it has any, of a parsed frame. */
static void turn_round(struct leat_pkt *pkt)
{
	const struct leat_level *l = leat_pkt_inner(pkt);
	size_t n = l->version == 4 ? 4 : 16;
	uint8_t *src = pkt->data + l->network + (l->version == 4 ? 12 : 8), swap[16];
	uint8_t *ports = pkt->data + l->transport;

	memcpy(swap, src, n);
	memcpy(src, src + n, n);
	memcpy(src + n, swap, n);
	memcpy(swap, ports, 2);
	memcpy(ports, ports + 2, 2);
	memcpy(ports + 2, swap, 2);
}

static void test_symmetric(void **state)
{
	struct rng rng = rng_start("test_symmetric");

	for (int i = 0; i < 2000; i++) {
		struct frame f = {.version = rng_once_in(&rng, 2) ? 4 : 6,
				  .protocol = rng_once_in(&rng, 2) ? FRAME_TCP : FRAME_UDP,
				  .src = rng_below(&rng, 4),
				  .dst = rng_below(&rng, 4),
				  .sport = (uint16_t)rng_below(&rng, 4),
				  .dport = (uint16_t)rng_below(&rng, 4)};
		struct arena arena = {0};
		struct leat_pkt *pkt = arena_frame(&arena, &f);
		size_t n = f.version == 4 ? 4 : 16;
		uint8_t *src = pkt->data + (f.version == 4 ? 26 : 22);
		uint32_t hash;

		/* The ends may differ in any part, and in none. */
		src[rng_below(&rng, (uint32_t)n)] = (uint8_t)rng_next(&rng);
		if (rng_once_in(&rng, 2))
			memcpy(src + n, src, n);
		hash = leat_flow_hash(pkt, &key);
		turn_round(pkt);
		assert_int_equal(leat_flow_hash(pkt, &key), hash);
		arena_clear(&arena);
	}
}

/* Whatever differs changes the hash; the port of one end is not the port of the other. */
static void test_depends(void **state)
{
	static const struct frame frames[] = {
		{.src = 1, .dst = 2, .sport = 3, .dport = 4},
		{.src = 9, .dst = 2, .sport = 3, .dport = 4},
		{.src = 1, .dst = 9, .sport = 3, .dport = 4},
		{.src = 1, .dst = 2, .sport = 9, .dport = 4},
		{.src = 1, .dst = 2, .sport = 3, .dport = 9},
		{.src = 1, .dst = 2, .sport = 4, .dport = 3},
		{.src = 1, .dst = 2, .sport = 3, .dport = 4, .protocol = 17},
	};
	struct leat_flow_key other = key;

	other.k[1] ^= 1;
	for (uint8_t version = 4; version <= 6; version += 2) {
		for (size_t i = 0; i < LENGTH(frames); i++) {
			struct frame a = frames[i], b;

			a.version = version;
			assert_int_not_equal(hash_frame(&a, &key), hash_frame(&a, &other));
			for (size_t j = 0; j < i; j++) {
				b = frames[j];
				b.version = version;
				assert_int_not_equal(hash_frame(&a, &key), hash_frame(&b, &key));
			}
		}
	}
}

/* Fragments of a datagram hash alike, whether they have ports to look at or not. */
static void test_fragments(void **state)
{
	struct frame a = {.frag_off = FRAME_MF, .protocol = 17, .sport = 7}, b = a;

	b.frag_off = 185;
	b.sport = 8;
	assert_int_equal(hash_frame(&a, &key), hash_frame(&b, &key));

	a = (struct frame){.version = 6, .protocol = 17, .ext_first = 44, .sport = 7, .payload = 9};
	b = a;
	a.ext = first_opts;
	a.ext_len = sizeof(first_opts);
	b.ext = later_opts;
	b.ext_len = sizeof(later_opts);
	assert_int_equal(hash_frame(&a, &key), hash_frame(&b, &key));
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/*
 * Flows that differ in little, under random keys, as a table of 256 buckets by low bits and by
 * high bits sees them: chi-square of 255 degrees, whose mean is 255 and deviation 22.6; and no
 * more equal hashes than chance has among 4096 (0.002 expected).
 */
static void check_spread(struct rng *rng, struct frame f, bool by_address)
{
	struct leat_flow_key random = {{rng_next(rng), rng_next(rng)}};
	enum { FLOWS = 4096, BUCKETS = 256 };
	unsigned low[BUCKETS] = {0}, high[BUCKETS] = {0}, equal = 0;
	uint32_t hashes[FLOWS];
	double chi_low = 0, chi_high = 0, mean = (double)FLOWS / BUCKETS;

	for (unsigned i = 0; i < FLOWS; i++) {
		if (by_address)
			f.src = i;
		else
			f.sport = (uint16_t)(1024 + i);
		hashes[i] = hash_frame(&f, &random);
		low[hashes[i] % BUCKETS]++;
		high[hashes[i] >> 24]++;
	}
	for (unsigned i = 0; i < BUCKETS; i++) {
		chi_low += (low[i] - mean) * (low[i] - mean) / mean;
		chi_high += (high[i] - mean) * (high[i] - mean) / mean;
	}
	qsort(hashes, FLOWS, sizeof(hashes[0]), compare);
	for (unsigned i = 1; i < FLOWS; i++)
		equal += hashes[i] == hashes[i - 1];
	assert_true(chi_low < 450 && chi_high < 450);
	assert_true(equal <= 2);
}

static void test_spread(void **state)
{
	struct rng rng = rng_start("test_spread");

	for (int i = 0; i < 8; i++) {
		struct frame f = {.version = i & 1 ? 4 : 6, .dport = 443};

		check_spread(&rng, f, i & 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get),	  cmocka_unit_test(test_no_flow),
		cmocka_unit_test(test_symmetric), cmocka_unit_test(test_depends),
		cmocka_unit_test(test_fragments), cmocka_unit_test(test_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
