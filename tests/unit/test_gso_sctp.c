/* SPDX-License-Identifier: MIT */
/*
 * test_gso_sctp.c - SCTP is cut where the chain's members end; each segment has the common header,
 * with a CRC of its own.
 */
#include <errno.h>
#include <leat/gso.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "../cut.h"

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))

enum { SCTP = 12, SIZES = 8 };

static const struct leat_gso_conf full, crc_partial = {.crc_partial = true},
					csum_partial = {.csum_partial = true};

/* Bytes of chunks in the head and in each member, up to the first 0 after a member. */
static const struct row {
	const char *name;
	uint32_t sizes[SIZES];
	int err;
} rows[] = {
	{"\"gso_by_frags\"", {100, 200, 300, 400}, 0},
	{"nothing in the head", {0, 100, 200, 300, 400}, 0},
	{"two", {16, 20}, 0},
	{"two members", {0, 1, 1452}, 0},
	{"odd", {33, 7, 4, 1001}, 0},
	{"one member", {0, 100}, -EINVAL},
	{"the head alone", {100}, -EINVAL},
};

static uint32_t get16(const uint8_t *p)
{
	return p[0] * 256u + p[1];
}

static unsigned count(const struct row *row)
{
	unsigned n = 1;

	while (n < SIZES && row->sizes[n] > 0)
		n++;
	return n;
}

/* In `outer`, or in none. */
static struct leat_pkt *build(struct arena *arena, const struct row *row, uint8_t version,
			      struct frame *outer)
{
	struct frame in = {
		.version = version, .protocol = FRAME_SCTP, .id = 0xffff, .payload = SCTP};
	uint8_t bytes[4000];
	struct leat_pkt *head;
	uint32_t at;

	for (unsigned i = 0; i < count(row); i++)
		in.payload += row->sizes[i];
	if (outer != NULL)
		outer->inner = &in;
	else
		outer = &in;
	frame_build(outer, bytes);
	at = frame_len(outer) - in.payload + SCTP + row->sizes[0];
	outer->inner = NULL;
	head = arena_add(arena, bytes, at);
	for (unsigned i = 1; i < count(row); at += row->sizes[i++])
		leat_pkt_chain(head, arena_add(arena, bytes + at, row->sizes[i]));
	leat_parse(&frame_conf, &head, 1);
	assert_int_equal(leat_pkt_inner(head)->protocol, FRAME_SCTP);
	head->gso_type = cut_type(head);
	head->gso_size = LEAT_GSO_BY_FRAGS;
	return head;
}

static void check_crc(const struct cut_seg *s, uint32_t l4, bool is_partial)
{
	uint8_t *sctp = s->frame + l4, was[4];
	uint32_t crc;

	memcpy(was, sctp + 8, 4);
	memset(sctp + 8, 0, 4);
	assert_int_equal(s->seg.csum, is_partial ? LEAT_CSUM_PARTIAL : LEAT_CSUM_UNNECESSARY);
	assert_int_equal(s->seg.csum_start, l4);
	assert_int_equal(s->seg.csum_offset, 8);
	crc = is_partial ? 0 : cut_crc32c(sctp, s->seg.len - l4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(was[i], (uint8_t)(crc >> 8 * i));
	memcpy(sctp + 8, was, 4);
}

/* A level's length fields, its ID, the header checksum. */
static void check_ip(const struct cut_seg *s, const struct leat_level *l, uint32_t id)
{
	const uint8_t *ip = s->frame + l->network;
	uint32_t len = s->seg.len - l->network;

	if (l->version == 6) {
		assert_int_equal(get16(ip + 4), len - 40);
		return;
	}
	assert_int_equal(get16(ip + 2), len);
	assert_int_equal(get16(ip + 4), id & 0xffff);
	assert_int_equal(frame_sum(ip, l->transport - l->network, 0), 0xffff);
}

static void check_segments(const struct cut *cut, const struct leat_pkt *pkt, const struct row *row,
			   bool is_partial)
{
	const struct leat_pkt *member = pkt;
	unsigned skip = row->sizes[0] == 0;

	assert_int_equal(cut->n, count(row) - skip);
	assert_int_equal(leat_gso_segs(pkt), cut->n);
	for (unsigned i = 0; i < cut->n; i++) {
		const struct cut_seg *s = &cut->segs[i];
		uint32_t n = row->sizes[i + skip];

		member = i + skip == 0 ? pkt : member->frag_list;
		assert_int_equal(s->seg.len, pkt->payload + n);
		assert_memory_equal(s->frame + pkt->payload,
				    member->data + (member == pkt ? pkt->payload : 0), n);
		assert_memory_equal(s->frame + leat_pkt_inner(pkt)->transport,
				    pkt->data + leat_pkt_inner(pkt)->transport, 8);
		check_crc(s, leat_pkt_inner(pkt)->transport, is_partial);
		for (unsigned k = 0; k < pkt->levels; k++)
			check_ip(s, &pkt->lvl[k], (k + 1u < pkt->levels ? 0 : 0xffff) + i);
	}
}

static void test_rows(void **state)
{
	struct rng rng = rng_start("test_gso_sctp");

	for (size_t i = 0; i < 8 * LENGTH(rows); i++) {
		const struct row *row = &rows[i / 8];
		struct arena arena = {0};
		struct leat_pkt *pkt = build(&arena, row, i & 1 ? 6 : 4, NULL);
		struct cut cut =
			cut_up(pkt, i & 2 ? &crc_partial : &csum_partial, i & 4 ? &rng : NULL);

		print_message("%s\n", row->name);
		if (row->err != 0)
			assert_int_equal(cut.promised, row->err);
		else
			check_segments(&cut, pkt, row, i & 2);
		cut_clear(&cut);
		arena_clear(&arena);
	}
}

/* A sum around the CRC needs the CRC. */
static void test_tunnels(void **state)
{
	static const struct {
		struct frame f;
		uint32_t type;
		bool sealed;
	} tunnels[] = {
		{{.tunnel = LEAT_TUNNEL_IP}, LEAT_GSO_IPXIP4, false},
		{{.tunnel = LEAT_TUNNEL_GRE}, LEAT_GSO_GRE, false},
		{{.tunnel = LEAT_TUNNEL_GRE, .gre_csum = true}, LEAT_GSO_GRE_CSUM, true},
		{{.tunnel = LEAT_TUNNEL_VXLAN}, LEAT_GSO_UDP_TUNNEL_CSUM, true},
		{{.tunnel = LEAT_TUNNEL_GENEVE, .no_csum = true}, LEAT_GSO_UDP_TUNNEL, false},
	};

	for (size_t i = 0; i < 2 * LENGTH(tunnels); i++) {
		struct frame f = tunnels[i / 2].f;
		struct arena arena = {0};
		struct leat_pkt *pkt = build(&arena, &rows[i & 1], 4, &f);
		struct cut cut;

		pkt->gso_type = LEAT_GSO_SCTP | tunnels[i / 2].type;
		cut = cut_up(pkt, &crc_partial, NULL);
		check_segments(&cut, pkt, &rows[i & 1], !tunnels[i / 2].sealed);
		for (unsigned k = 0; tunnels[i / 2].sealed && k < cut.n; k++) {
			const uint8_t *ip = cut.segs[k].frame + 14, *l4 = ip + 20;
			uint32_t len = cut.segs[k].seg.len - 34;
			uint32_t pseudo = ip[9] == FRAME_UDP ? frame_pseudo(ip, FRAME_UDP, len) : 0;

			assert_int_equal(frame_sum(l4, len, pseudo), 0xffff);
		}
		cut_clear(&cut);
		arena_clear(&arena);
	}
}

static void test_refusals(void **state)
{
	struct frame f = {.tunnel = LEAT_TUNNEL_VXLAN};
	struct leat_gso_conf resized = {.gso_size = 100};
	struct arena arena = {0};
	struct leat_pkt *pkt = build(&arena, &rows[0], 4, NULL);
	struct leat_gso gso;

	assert_int_equal(leat_gso_init(&gso, pkt, &full), 4);
	assert_int_equal(leat_gso_init(&gso, pkt, &resized), -EINVAL);
	pkt->gso_size = 100;
	assert_int_equal(leat_gso_init(&gso, pkt, &full), -EINVAL);
	pkt->gso_size = LEAT_GSO_BY_FRAGS;
	pkt->gso_type |= LEAT_GSO_FRAGLIST;
	assert_int_equal(leat_gso_init(&gso, pkt, &full), -EINVAL);
	pkt->gso_type = LEAT_GSO_SCTP;
	pkt->payload++;
	assert_int_equal(leat_gso_init(&gso, pkt, &full), -EINVAL);
	pkt->payload--;
	pkt->csum = LEAT_CSUM_PARTIAL;
	pkt->csum_start = pkt->lvl[0].transport;
	pkt->csum_offset = 16;
	assert_int_equal(leat_gso_init(&gso, pkt, &full), -EINVAL);
	pkt->csum_offset = 8;
	assert_int_equal(leat_gso_init(&gso, pkt, &full), 4);
	/* an empty member */
	pkt->frag_list->frag_list->headlen -= 300;
	pkt->len -= 300;
	pkt->data[14 + 2] -= 300 / 256;
	pkt->data[14 + 3] -= 300 % 256;
	assert_int_equal(leat_gso_init(&gso, pkt, &full), -EINVAL);
	/* a remote checksum that is none */
	pkt = build(&arena, &rows[0], 4, &f);
	assert_int_equal(leat_gso_init(&gso, pkt, &full), 4);
	pkt->gso_type |= LEAT_GSO_TUNNEL_REMCSUM;
	pkt->lvl[0].flags |= LEAT_REMCSUM;
	assert_int_equal(leat_gso_init(&gso, pkt, &full), -EINVAL);
	arena_clear(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_tunnels),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
