/* SPDX-License-Identifier: MIT */
/*
 * test_gso_list.c - fraglists: frames chained as GRO leaves them come out as they came in, or with
 * the addresses and ports that the head was given since.
 */
#include <errno.h>
#include <leat/gso.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "../cut.h"

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))

enum { N = 4, SIZE = 100, TAIL = 37 };

static const struct leat_gso_conf full;

/* The frame that all are like, and what a router makes of it. */
static const struct row {
	const char *name;
	struct frame f;
} rows[] = {
	{"TCP4", {.version = 4}},
	{"TCP6", {.version = 6, .vlans = 1}},
	{"UDP4", {.version = 4, .protocol = FRAME_UDP, .vlans = 2}},
	{"UDP6", {.version = 6, .protocol = FRAME_UDP}},
	{"UDP4 without checksums", {.version = 4, .protocol = FRAME_UDP, .no_csum = true}},
	{"UDP6 without checksums", {.version = 6, .protocol = FRAME_UDP, .no_csum = true}},
};

static void set16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* Frame `i` of N; with `nat` its addresses and ports translated, and the first's MAC address. */
static struct frame member_of(const struct row *row, unsigned i, bool nat)
{
	struct frame f = row->f;

	f.id = (uint16_t)(7 * i); /* none of GSO's business */
	f.seq = 1000 + i * SIZE;
	f.salt = i;
	f.payload = i + 1 < N ? SIZE : TAIL;
	f.sport = nat ? 40000 : 5;
	f.dport = nat ? 6 : 40001;
	f.src = nat ? 0x0a000001 : 0xc0a80101;
	f.dst = nat ? 0xac100101 : 0xc6336402;
	f.dst_mac = nat ? 0x42 : 0;
	f.tos = (uint8_t)(i == 0 ? 0 : 4 * i);
	return f;
}

static void add(struct arena *arena, struct leat_pkt *head, const struct frame *f)
{
	struct leat_pkt *member = arena_frame(arena, f);

	member->data += member->payload;
	member->headlen -= member->payload;
	leat_pkt_chain(head, member);
}

/* As the whole has them. */
static void set_lengths(struct leat_pkt *head)
{
	uint8_t *ip = head->data + head->lvl[0].network, *l4 = head->data + head->lvl[0].transport;

	if (head->lvl[0].version == 6) {
		set16(ip + 4, head->len - head->lvl[0].transport);
	} else {
		set16(ip + 2, head->len - head->lvl[0].network);
		set16(ip + 10, 0);
		set16(ip + 10, (uint16_t)~frame_sum(ip, 20, 0));
	}
	if (head->lvl[0].protocol == FRAME_UDP)
		set16(l4 + 4, head->len - head->lvl[0].transport);
}

/* The frames of the row, each in a packet, as members of one whose lengths are the whole's. */
static struct leat_pkt *build(struct arena *arena, const struct row *row, bool nat)
{
	struct frame f = member_of(row, 0, nat);
	struct leat_pkt *head = arena_frame(arena, &f);

	for (unsigned i = 1; i < N; i++) {
		f = member_of(row, i, false);
		add(arena, head, &f);
	}
	set_lengths(head);
	head->gso_type = cut_type(head) | LEAT_GSO_FRAGLIST;
	head->gso_size = SIZE;
	head->gso_segs = N;
	head->csum = LEAT_CSUM_UNNECESSARY;
	return head;
}

static void check_frames(const struct cut *cut, const struct row *row, bool nat)
{
	assert_int_equal(cut->n, N);
	for (unsigned i = 0; i < N; i++) {
		struct frame f = member_of(row, i, nat);
		uint8_t bytes[400];

		frame_build(&f, bytes);
		assert_int_equal(cut->segs[i].seg.len, frame_len(&f));
		assert_int_equal(cut->segs[i].seg.csum, LEAT_CSUM_UNNECESSARY);
		assert_int_equal(cut->segs[i].seg.gso_size, 0);
		assert_memory_equal(cut->segs[i].frame, bytes, frame_len(&f));
	}
}

static void test_rows(void **state)
{
	struct rng rng = rng_start("test_gso_list");

	for (size_t i = 0; i < 4 * LENGTH(rows); i++) {
		struct arena arena = {0};
		struct leat_pkt *pkt = build(&arena, &rows[i / 4], i & 1);
		struct cut cut = cut_up(pkt, &full, i & 2 ? &rng : NULL);

		print_message("%s%s\n", rows[i / 4].name, i & 1 ? ", translated" : "");
		check_frames(&cut, &rows[i / 4], i & 1);
		cut_clear(&cut);
		arena_clear(&arena);
	}
}

/* More datagrams than USO may make of one buffer: nobody counts those that came as such. */
static void test_many(void **state)
{
	struct frame f = member_of(&rows[2], 0, false);
	struct arena arena = {0};
	struct leat_pkt *pkt = build(&arena, &rows[2], false);
	struct cut cut;

	for (unsigned i = 0; i < LEAT_UDP_MAX_SEGMENTS; i++)
		add(&arena, pkt, &f);
	set_lengths(pkt);
	cut = cut_up(pkt, &full, NULL);
	assert_int_equal(cut.n, N + LEAT_UDP_MAX_SEGMENTS);
	cut_clear(&cut);
	pkt->gso_type &= ~LEAT_GSO_FRAGLIST;
	cut = cut_up(pkt, &full, NULL);
	assert_int_equal(cut.promised, -EINVAL);
	cut_clear(&cut);
	arena_clear(&arena);
}

/* The port alone, or one address alone. */
static void test_parts(void **state)
{
	static const uint8_t at[] = {14 + 12, 14 + 19, 34 + 1, 34 + 2};

	for (size_t i = 0; i < 2 * LENGTH(at); i++) {
		const struct row *row = &rows[i & 1 ? 4 : 0];
		uint32_t byte = at[i / 2] + row->f.vlans * 4u;
		struct arena arena = {0};
		struct leat_pkt *pkt = build(&arena, row, false);
		struct cut cut;

		pkt->data[byte] ^= 0x31;
		cut = cut_up(pkt, &full, NULL);
		for (unsigned k = 1; k < N; k++) {
			struct frame f = member_of(row, k, false);
			uint8_t bytes[400];

			frame_build(&f, bytes);
			assert_int_equal(cut.segs[k].frame[byte], bytes[byte] ^ 0x31);
			assert_int_equal(frame_sum(cut.segs[k].frame + 14, 20, 0), 0xffff);
			if (i % 2 == 0)
				assert_null(
					frame_wrong(cut.segs[k].frame, cut.segs[k].seg.len, false));
		}
		cut_clear(&cut);
		arena_clear(&arena);
	}
}

/* A UDP sum that becomes 0 is sent as 0xffff. */
static void test_zero_sum(void **state)
{
	struct arena arena = {0};
	struct leat_pkt *pkt = build(&arena, &rows[3], false), *member = pkt->frag_list;
	uint8_t *uh = member->data - 8;
	struct cut cut;

	/* The port that takes the member's checksum over. */
	set16(pkt->data + 54, frame_sum(uh + 6, 2, frame_sum(uh, 2, 0)));
	cut = cut_up(pkt, &full, NULL);
	assert_int_equal(cut.segs[1].frame[54 + 6], 0xff);
	assert_int_equal(cut.segs[1].frame[54 + 7], 0xff);
	assert_null(frame_wrong(cut.segs[1].frame, cut.segs[1].seg.len, false));
	cut_clear(&cut);
	arena_clear(&arena);
}

/* Segmented as if without FRAGLIST. */
static const struct fallback {
	const char *name;
	size_t field, size;
	uint32_t value;
} fallbacks[] = {
#define FIELD(f) offsetof(struct leat_pkt, f), sizeof(((struct leat_pkt *)0)->f)
	{"gso_size is not the head's payload", FIELD(gso_size), 90},
	{"PARTIAL", FIELD(csum), LEAT_CSUM_PARTIAL},
	{"DODGY", FIELD(gso_type), LEAT_GSO_TCPV4 | LEAT_GSO_FRAGLIST | LEAT_GSO_DODGY},
	{"no room for a member's headers", 0, 0, 0},
};

static void test_fallbacks(void **state)
{
	for (size_t i = 0; i < LENGTH(fallbacks); i++) {
		struct arena arena = {0};
		struct leat_pkt *pkt = build(&arena, &rows[0], false);
		uint8_t *p = (uint8_t *)pkt + fallbacks[i].field, flat[1000], bytes[600];
		struct cut cut;

		print_message("%s\n", fallbacks[i].name);
		pkt->csum_start = 34;
		pkt->csum_offset = 16;
		if (fallbacks[i].size == 4)
			*(uint32_t *)p = fallbacks[i].value;
		else if (fallbacks[i].size == 2)
			*(uint16_t *)p = (uint16_t)fallbacks[i].value;
		else if (fallbacks[i].size == 1)
			*p = (uint8_t)fallbacks[i].value;
		else
			pkt->frag_list->frag_list->head += 15; /* a byte less than its headers */
		cut = cut_up(pkt, &full, NULL);
		assert_int_equal(cut.n, (3 * SIZE + TAIL - 1) / pkt->gso_size + 1);
		assert_int_equal(frame_flatten(pkt, flat), pkt->len);
		for (unsigned k = 0; k < cut.n; k++) {
			assert_int_equal(cut.segs[k].seg.len, frame_segment(pkt, flat, k, bytes));
			assert_memory_equal(cut.segs[k].frame, bytes, cut.segs[k].seg.len);
		}
		cut_clear(&cut);
		if (fallbacks[i].size == 0)
			pkt->frag_list->frag_list->head -= 15;
		arena_clear(&arena);
	}
}

/* In a tunnel, the inner addresses translated or not: the sum around them follows. */
static void test_tunnel(void **state)
{
	static const struct frame outers[] = {
		{.tunnel = LEAT_TUNNEL_VXLAN, .id = 9},
		{.tunnel = LEAT_TUNNEL_VXLAN, .version = 6, .no_csum = true},
		{.tunnel = LEAT_TUNNEL_GRE, .gre_csum = true},
		{.tunnel = LEAT_TUNNEL_IP},
	};

	for (size_t i = 0; i < 8 * LENGTH(outers); i++) {
		const struct row *row = &rows[i & 4 ? 3 : 0];
		struct arena arena = {0};
		struct leat_pkt *head = NULL;
		struct cut cut;

		for (unsigned k = 0; k < N; k++) {
			struct frame in = member_of(row, k, k == 0 && i & 1), f = outers[i / 8];
			struct leat_pkt *pkt;

			in.vlans = 0;
			f.inner = &in;
			f.src = k == 0 && i & 2 ? 5 : 6;
			pkt = arena_frame(&arena, &f);
			if (k > 0) {
				pkt->data += pkt->payload;
				pkt->headlen -= pkt->payload;
				leat_pkt_chain(head, pkt);
				continue;
			}
			head = pkt;
		}
		for (unsigned k = 0; k < head->levels; k++) { /* not to be read: 0 is TCP's alone */
			const struct leat_level *l = &head->lvl[k];
			uint32_t at = l->network + (l->version == 6 ? 4u : 2u);

			set16(head->data + at, head->len - l->network - (l->version == 6 ? 40 : 0));
		}
		head->gso_type = cut_type(head) | LEAT_GSO_FRAGLIST;
		head->gso_size = SIZE;
		head->csum = LEAT_CSUM_UNNECESSARY;
		cut = cut_up(head, &full, NULL);
		assert_int_equal(cut.n, N);
		for (unsigned k = 0; k < N; k++) {
			struct frame in = member_of(row, k, i & 1), f = outers[i / 8];
			uint8_t bytes[500];

			in.vlans = 0;
			in.dst_mac = k == 0 ? in.dst_mac : 0; /* inside the tunnel: the member's */
			f.inner = &in;
			f.src = i & 2 ? 5 : 6;
			frame_build(&f, bytes);
			assert_int_equal(cut.segs[k].seg.len, frame_len(&f));
			assert_memory_equal(cut.segs[k].frame, bytes, frame_len(&f));
		}
		cut_clear(&cut);
		arena_clear(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),	  cmocka_unit_test(test_many),
		cmocka_unit_test(test_parts),	  cmocka_unit_test(test_zero_sum),
		cmocka_unit_test(test_fallbacks), cmocka_unit_test(test_tunnel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
