/* SPDX-License-Identifier: MIT */
/*
 * test_gso_partial.c - what is left to the port: packets as they are, and larger segments for it to
 * cut further. Those, cut by the library itself, give what the whole would have given.
 */
#include <leat/gso.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "../cut.h"

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))

enum { PART = LEAT_GSO_PARTIAL, SIZES = 4 };

#define TCP4 LEAT_GSO_TCPV4
#define ALL  (~0u & ~(uint32_t)LEAT_GSO_DODGY)

static const struct leat_gso_conf helped = {.features = ALL, .csum_partial = true};

static uint32_t get16(const uint8_t *p)
{
	return p[0] * 256u + p[1];
}

static const struct {
	const char *name;
	uint32_t payload;
	uint16_t gso_size;
	uint32_t sizes[SIZES];
	uint16_t segs[SIZES];
} sizes[] = {
	{"\"gso_partial\"", 2003, 1000, {2000, 3}, {2, 0}},
	{"one and a byte", 1001, 1000, {1000, 1}, {0, 0}},
	{"one multiple", 3000, 1000, {3000}, {3}},
	{"\"uso\" 1400", 1400 * 10 + 500, 1400, {14000, 500}, {10, 0}},
	{"tail of one", 130000 + 1000, 1000, {65000, 65000, 1000}, {65, 65, 0}},
	{"tail of many", 150000, 1000, {65000, 65000, 20000}, {65, 65, 20}},
	{"tail of many and a few", 150003, 1000, {65000, 65000, 20003}, {65, 65, 21}},
	{"65534", 65534 * 2 + 1, 1, {65534, 65534, 1}, {65534, 65534, 0}},
	{"nothing gained", 65000, 40000, {40000, 25000}, {0, 0}},
};

static void test_sizes(void **state)
{
	for (size_t i = 0; i < LENGTH(sizes); i++) {
		struct frame f = {.payload = sizes[i].payload, .id = 0xfff0};
		struct arena arena = {0};
		struct leat_pkt *pkt = cut_super(&arena, &f, sizes[i].gso_size);
		uint16_t id = f.id;
		struct cut cut;

		print_message("%s\n", sizes[i].name);
		pkt->gso_type |= LEAT_GSO_DODGY;
		cut = cut_up(pkt, &helped, NULL);
		for (unsigned k = 0; k < cut.n; k++) {
			const struct leat_seg *seg = &cut.segs[k].seg;

			assert_int_equal(seg->len - 54, sizes[i].sizes[k]);
			assert_int_equal(seg->gso_segs, sizes[i].segs[k]);
			assert_int_equal(seg->gso_size, seg->gso_segs ? sizes[i].gso_size : 0);
			assert_int_equal(seg->gso_type, seg->gso_segs ? TCP4 | PART : 0);
			assert_int_equal(seg->csum, LEAT_CSUM_PARTIAL);
			assert_int_equal(get16(cut.segs[k].frame + 14 + 4), id);
			id = (uint16_t)(id + (seg->gso_segs ? seg->gso_segs : 1));
		}
		assert_true(cut.n == SIZES || sizes[i].sizes[cut.n] == 0);
		cut_clear(&cut);
		arena_clear(&arena);
	}
}

#define TUNNEL(kind) .tunnel = LEAT_TUNNEL_##kind

/* Frames to carry the rest, the first none. */
static const struct frame outers[] = {
	{.version = 4},
	{TUNNEL(IP)},
	{TUNNEL(IP), .version = 6},
	{TUNNEL(GRE), .gre_csum = true, .gre_key = true},
	{TUNNEL(VXLAN)},
	{TUNNEL(GENEVE), .no_csum = true, .version = 6},
	{TUNNEL(FOU), .version = 6},
};

static struct frame inner_of(unsigned i)
{
	return (struct frame){.version = i & 1 ? 6 : 4,
			      .protocol = i & 2 ? FRAME_UDP : FRAME_TCP,
			      .id = 0xfffd,
			      .seq = 0xffff0000,
			      .flags = FRAME_PSH | FRAME_CWR,
			      .payload = 3333};
}

/* The segments of a larger one, taken as the port would. */
static void check_parts(const struct cut_seg *part, const struct cut *direct, unsigned *at)
{
	struct arena arena = {0};
	struct leat_pkt *pkt = arena_add(&arena, part->frame, part->seg.len);
	struct cut cut = {.n = 1, .segs = &(struct cut_seg){part->seg, part->frame}};

	if (part->seg.gso_segs > 0) {
		/* The parser takes lengths of one segment for padding, so ask it about that. */
		pkt->headlen = pkt->len =
			part->seg.len - part->seg.gso_size * (part->seg.gso_segs - 1u);
		leat_parse(&frame_conf, &pkt, 1);
		pkt->headlen = pkt->len = part->seg.len;
		pkt->gso_type = part->seg.gso_type;
		pkt->gso_size = part->seg.gso_size;
		pkt->csum = part->seg.csum;
		pkt->csum_start = part->seg.csum_start;
		pkt->csum_offset = part->seg.csum_offset;
		assert_false(leat_gso_needed(pkt, &helped));
		cut = cut_up(pkt, &(struct leat_gso_conf){.csum_partial = true}, NULL);
		assert_int_equal(cut.n, part->seg.gso_segs);
	}
	for (unsigned i = 0; i < cut.n; i++, ++*at) {
		assert_true(*at < direct->n);
		assert_int_equal(cut.segs[i].seg.len, direct->segs[*at].seg.len);
		assert_memory_equal(cut.segs[i].frame, direct->segs[*at].frame,
				    cut.segs[i].seg.len);
	}
	if (part->seg.gso_segs > 0)
		cut_clear(&cut);
	arena_clear(&arena);
}

/* What stands in front of the innermost header is, IDs aside, what one segment has. */
static void check_replicated(const struct leat_pkt *pkt, const struct cut_seg *part,
			     const struct cut_seg *first)
{
	uint8_t *hdr = malloc(pkt->payload);
	uint32_t len = leat_pkt_inner(pkt)->transport;

	memcpy(hdr, part->frame, len);
	for (unsigned i = 0; i < pkt->levels; i++) {
		uint32_t network = pkt->lvl[i].network;

		if (pkt->lvl[i].version == 4 && part->seg.gso_segs > 0) {
			assert_int_equal(frame_sum(hdr + network, 20, 0), 0xffff);
			memcpy(hdr + network + 4, first->frame + network + 4, 2);
			memcpy(hdr + network + 10, first->frame + network + 10, 2);
		}
	}
	if (part->seg.gso_segs > 0)
		assert_memory_equal(hdr, first->frame, len);
	free(hdr);
}

static void test_law(void **state)
{
	struct rng rng = rng_start("test_gso_partial");

	for (unsigned i = 0; i < 8 * LENGTH(outers); i++) {
		const struct leat_gso_conf plain = {.csum_partial = true};
		struct frame in = inner_of(i), f = outers[i / 8];
		struct arena arena = {0};
		struct leat_pkt *pkt;
		struct cut parts, direct;
		unsigned at = 0;

		f.inner = i < 8 ? NULL : &in;
		pkt = cut_super(&arena, i < 8 ? &in : &f, 100);
		pkt->gso_type |= i & 4 ? LEAT_GSO_DODGY : 0;
		parts = cut_up(pkt, &helped, i & 4 ? &rng : NULL);
		direct = cut_up(pkt, &plain, NULL);
		assert_int_equal(parts.n, 2);
		assert_int_equal(direct.n, 34);
		for (unsigned k = 0; k < parts.n; k++) {
			check_replicated(pkt, &parts.segs[k], &direct.segs[0]);
			check_parts(&parts.segs[k], &direct, &at);
		}
		assert_int_equal(at, direct.n);
		cut_clear(&parts);
		cut_clear(&direct);
		arena_clear(&arena);
	}
}

/* The pseudo-header's sum is for all of a TCP segment, for one datagram of UDP. */
static void test_pseudo(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		struct frame f = inner_of(i);
		struct arena arena = {0};
		struct leat_pkt *pkt = cut_super(&arena, &f, 100);
		struct cut cut = cut_up(pkt, &helped, NULL);
		const uint8_t *ip = cut.segs[0].frame + 14, *l4 = ip + (i & 1 ? 40 : 20);

		if (i & 2) {
			assert_int_equal(get16(l4 + 4), 108);
			assert_int_equal(get16(l4 + 6), frame_pseudo(ip, FRAME_UDP, 108));
		} else {
			assert_int_equal(get16(l4 + 16), frame_pseudo(ip, FRAME_TCP, 3320));
		}
		cut_clear(&cut);
		arena_clear(&arena);
	}
}

/* Larger segments only where they are all that the port needs: else segments of wire size. */
static void test_conditions(void **state)
{
	static const struct {
		const char *name;
		uint32_t type, features, partial;
		bool csum_partial, larger;
	} rows[] = {
		{"all", TCP4, TCP4 | PART, 0, true, true},
		{"afterwards", TCP4, TCP4 | PART, TCP4, true, true},
		{"not at all", TCP4, TCP4, 0, true, false},
		{"no checksums", TCP4, TCP4 | PART, 0, false, false},
		{"another type", TCP4, LEAT_GSO_TCPV6 | PART, 0, true, false},
		{"DODGY", TCP4 | LEAT_GSO_DODGY, TCP4 | PART, 0, true, true},
		{"ECN", TCP4 | LEAT_GSO_TCP_ECN, TCP4 | PART, 0, true, false},
		{"fixed", TCP4 | LEAT_GSO_TCP_FIXEDID, TCP4 | PART, 0, true, false},
		{"fixed", TCP4 | LEAT_GSO_TCP_FIXEDID, TCP4 | PART | LEAT_GSO_TCP_FIXEDID, 0, true,
		 true},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct leat_gso_conf conf = {.features = rows[i].features,
					     .partial = rows[i].partial,
					     .csum_partial = rows[i].csum_partial};
		struct frame f = {.payload = 350, .frag_off = FRAME_DF};
		struct arena arena = {0};
		struct leat_pkt *pkt = cut_super(&arena, &f, 100);
		struct cut cut;

		print_message("%s\n", rows[i].name);
		pkt->gso_type = rows[i].type;
		cut = cut_up(pkt, &conf, NULL);
		assert_int_equal(cut.n, rows[i].larger ? 2 : 4);
		cut_clear(&cut);
		arena_clear(&arena);
	}
}

/* A packet of 350 bytes by 100 with one thing changed, and a port. */
static const struct {
	const char *name;
	struct leat_gso_conf conf;
	uint32_t type;
	uint16_t gso_segs;
	uint8_t csum;
	bool may_fragment, needed;
} needs[] = {
	{"all", {.features = TCP4}, TCP4, 4, LEAT_CSUM_PARTIAL, false, false},
	{"verified", {.features = TCP4}, TCP4, 4, LEAT_CSUM_UNNECESSARY, false, false},
	{"nothing known", {.features = TCP4}, TCP4, 4, LEAT_CSUM_NONE, false, true},
	{"no feature", {.features = 0}, TCP4, 4, LEAT_CSUM_PARTIAL, false, true},
	{"another", {.features = LEAT_GSO_TCPV6}, TCP4, 4, LEAT_CSUM_PARTIAL, false, true},
	{"one of two", {.features = TCP4}, TCP4 | LEAT_GSO_TCP_ECN, 4, 2, false, true},
	{"both",
	 {.features = TCP4 | LEAT_GSO_TCP_ECN},
	 TCP4 | LEAT_GSO_TCP_ECN,
	 4,
	 2,
	 false,
	 false},
	{"no type", {.features = ALL}, 0, 4, LEAT_CSUM_PARTIAL, false, true},
	{"untrusted", {.features = TCP4}, TCP4 | LEAT_GSO_DODGY, 0, 2, false, false},
	{"untrusted, wrong", {.features = ALL}, LEAT_GSO_TCPV6 | LEAT_GSO_DODGY, 0, 2, false, true},
	{"trusted, wrong", {.features = ALL}, LEAT_GSO_TCPV6, 4, 2, false, false},
	{"afterwards", {.features = TCP4 | PART, .partial = TCP4}, TCP4, 4, 2, false, true},
	{"fixed", {.features = TCP4}, TCP4 | LEAT_GSO_TCP_FIXEDID, 4, 2, false, true},
	{"fixed", {.features = ALL}, TCP4 | LEAT_GSO_TCP_FIXEDID, 4, 2, false, false},
	{"fixed, no DF", {.features = ALL}, TCP4 | LEAT_GSO_TCP_FIXEDID, 4, 2, true, true},
	{"incremented, no DF", {.features = ALL}, TCP4, 4, 2, true, false},
	{"segments", {.features = TCP4, .max_segs = 4}, TCP4, 4, 2, false, false},
	{"segments", {.features = TCP4, .max_segs = 4}, TCP4, 5, 2, false, true},
	{"uncounted", {.features = TCP4, .max_segs = 4}, TCP4, 0, 2, false, false},
	{"uncounted", {.features = TCP4, .max_segs = 3}, TCP4, 0, 2, false, true},
	{"untrusted", {.features = ALL, .max_segs = 3}, TCP4 | LEAT_GSO_DODGY, 1, 2, false, true},
	{"size", {.features = TCP4, .max_size = 405}, TCP4, 4, 2, false, false},
	{"size", {.features = TCP4, .max_size = 404}, TCP4, 4, 2, false, true},
	{"IPv4's", {.features = TCP4, .max_size = 404, .max_size4 = 405}, TCP4, 4, 2, false, false},
	{"IPv4's", {.features = TCP4, .max_size = 405, .max_size4 = 404}, TCP4, 4, 2, false, true},
};

static void test_needed(void **state)
{
	for (size_t i = 0; i < LENGTH(needs); i++) {
		struct frame f = {.payload = 350, .frag_off = needs[i].may_fragment ? 0 : FRAME_DF};
		struct arena arena = {0};
		struct leat_pkt *pkt = cut_super(&arena, &f, 100);

		print_message("%s\n", needs[i].name);
		pkt->gso_type = needs[i].type;
		pkt->gso_segs = needs[i].gso_segs;
		pkt->csum = needs[i].csum;
		assert_int_equal(leat_gso_needed(pkt, &needs[i].conf), needs[i].needed);
		pkt->gso_size = 0;
		assert_false(leat_gso_needed(pkt, &needs[i].conf));
		arena_clear(&arena);
	}
}

/* Datagrams are left to the port only with a partial checksum; fraglists have theirs. */
static void test_needed_udp(void **state)
{
	struct frame f = {.protocol = FRAME_UDP, .payload = 350};
	struct arena arena = {0};
	struct leat_pkt *pkt = cut_super(&arena, &f, 100);

	assert_false(leat_gso_needed(pkt, &helped));
	pkt->csum = LEAT_CSUM_UNNECESSARY;
	assert_true(leat_gso_needed(pkt, &helped));
	pkt->gso_type |= LEAT_GSO_FRAGLIST;
	assert_false(leat_gso_needed(pkt, &helped));
	arena_clear(&arena);
}

/* Over 64 KB only if the port says so. */
static void test_needed_big(void **state)
{
	struct leat_gso_conf big = {.features = ALL, .max_size = LEAT_PKT_LEN_MAX};
	struct frame f = {.payload = 65536};
	struct arena arena = {0};
	struct leat_pkt *pkt = cut_super(&arena, &f, 1000);

	assert_true(leat_gso_needed(pkt, &helped));
	assert_false(leat_gso_needed(pkt, &big));
	arena_clear(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),	   cmocka_unit_test(test_law),
		cmocka_unit_test(test_pseudo),	   cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_needed),	   cmocka_unit_test(test_needed_udp),
		cmocka_unit_test(test_needed_big),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
