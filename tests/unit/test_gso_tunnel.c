/* SPDX-License-Identifier: MIT */
/*
 * test_gso_tunnel.c - super-packets one level deep: every kind of tunnel, and what is refused of
 * them. The bytes are judged by tests/frame.c.
 */
#include <errno.h>
#include <leat/gso.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "../cut.h"

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))

enum { PAYLOAD = 350, SIZE = 100 };

static const struct leat_gso_conf full, partial = {.csum_partial = true};
static const uint8_t opts[] = {1, 2, 3, 1, 9, 9, 9, 9};

#define TUNNEL(kind) .tunnel = LEAT_TUNNEL_##kind

/* The outer frame, and the type bits it is to have. */
static const struct row {
	const char *name;
	struct frame f;
	uint32_t type4, type6; /* by the outer version */
} rows[] = {
	{"IP", {TUNNEL(IP)}, LEAT_GSO_IPXIP4, LEAT_GSO_IPXIP6},
	{"GRE", {TUNNEL(GRE)}, LEAT_GSO_GRE, LEAT_GSO_GRE},
	{"GRE key", {TUNNEL(GRE), .gre_key = true, .tunnel_id = 77}, LEAT_GSO_GRE, LEAT_GSO_GRE},
	{"GRE checksum", {TUNNEL(GRE), .gre_csum = true}, LEAT_GSO_GRE_CSUM, LEAT_GSO_GRE_CSUM},
	{"GRE all, Ethernet",
	 {TUNNEL(GRE), .gre_csum = true, .gre_key = true, .eth = true},
	 LEAT_GSO_GRE_CSUM,
	 LEAT_GSO_GRE_CSUM},
	{"VXLAN", {TUNNEL(VXLAN), .no_csum = true}, LEAT_GSO_UDP_TUNNEL, LEAT_GSO_UDP_TUNNEL},
	{"VXLAN checksum", {TUNNEL(VXLAN)}, LEAT_GSO_UDP_TUNNEL_CSUM, LEAT_GSO_UDP_TUNNEL_CSUM},
	{"VXLAN remote checksum",
	 {TUNNEL(VXLAN), .remcsum = true},
	 LEAT_GSO_UDP_TUNNEL_CSUM | LEAT_GSO_TUNNEL_REMCSUM,
	 LEAT_GSO_UDP_TUNNEL_CSUM | LEAT_GSO_TUNNEL_REMCSUM},
	{"Geneve",
	 {TUNNEL(GENEVE), .tunnel_opts = opts, .tunnel_opts_len = sizeof(opts)},
	 LEAT_GSO_UDP_TUNNEL_CSUM,
	 LEAT_GSO_UDP_TUNNEL_CSUM},
	{"Geneve, Ethernet",
	 {TUNNEL(GENEVE), .eth = true, .no_csum = true},
	 LEAT_GSO_UDP_TUNNEL,
	 LEAT_GSO_UDP_TUNNEL},
	{"GUE", {TUNNEL(GUE), .no_csum = true}, LEAT_GSO_UDP_TUNNEL, LEAT_GSO_UDP_TUNNEL},
	{"GUE variant 1",
	 {TUNNEL(GUE), .direct = true},
	 LEAT_GSO_UDP_TUNNEL_CSUM,
	 LEAT_GSO_UDP_TUNNEL_CSUM},
	{"GUE, GRE",
	 {TUNNEL(GUE), .in_gre = true},
	 LEAT_GSO_UDP_TUNNEL_CSUM | LEAT_GSO_GRE,
	 LEAT_GSO_UDP_TUNNEL_CSUM | LEAT_GSO_GRE},
	{"GUE remote checksum",
	 {TUNNEL(GUE), .remcsum = true, .no_csum = true},
	 LEAT_GSO_UDP_TUNNEL | LEAT_GSO_TUNNEL_REMCSUM,
	 LEAT_GSO_UDP_TUNNEL | LEAT_GSO_TUNNEL_REMCSUM},
	{"FOU", {TUNNEL(FOU)}, LEAT_GSO_UDP_TUNNEL_CSUM, LEAT_GSO_UDP_TUNNEL_CSUM},
	{"FOU, IP named too",
	 {TUNNEL(FOU)},
	 LEAT_GSO_UDP_TUNNEL_CSUM | LEAT_GSO_IPXIP4,
	 LEAT_GSO_UDP_TUNNEL_CSUM | LEAT_GSO_IPXIP6},
	{"FOU, GRE",
	 {TUNNEL(FOU), .in_gre = true, .no_csum = true},
	 LEAT_GSO_UDP_TUNNEL,
	 LEAT_GSO_UDP_TUNNEL},
};

static uint32_t get16(const uint8_t *p)
{
	return p[0] * 256u + p[1];
}

/* Row `row` as a super-packet; of i's bits 0 is the outer version, 1 the inner, 2 the transport. */
static struct leat_pkt *build(struct arena *arena, const struct row *row, unsigned i)
{
	struct frame in = {.version = i & 2 ? 6 : 4,
			   .protocol = i & 4 ? FRAME_UDP : FRAME_TCP,
			   .vlans = row->f.tunnel == LEAT_TUNNEL_VXLAN || row->f.eth ? 2 : 0,
			   .flags = FRAME_PSH | FRAME_CWR,
			   .id = 0xfffe,
			   .seq = 0xffffff00,
			   .payload = PAYLOAD};
	struct frame f = row->f;
	struct leat_pkt *pkt;

	f.version = i & 1 ? 6 : 4;
	f.vlans = 1;
	f.id = 0xffff;
	f.inner = &in;
	pkt = cut_super(arena, &f, SIZE);
	pkt->gso_type &= LEAT_GSO_TCPV4 | LEAT_GSO_TCPV6 | LEAT_GSO_UDP_L4;
	pkt->gso_type |= i & 1 ? row->type6 : row->type4;
	return pkt;
}

static void check_segments(const struct cut *cut, const struct leat_pkt *pkt, bool is_partial)
{
	const struct leat_level *in = leat_pkt_inner(pkt);
	uint32_t at = in->transport + (in->protocol == FRAME_TCP ? 16u : 6u);
	bool remote = pkt->gso_type & LEAT_GSO_TUNNEL_REMCSUM;
	uint8_t frame[FRAME_HDRS_MAX + SIZE];

	assert_int_equal(cut->n, 4);
	for (unsigned k = 0; k < cut->n; k++) {
		const struct leat_seg *seg = &cut->segs[k].seg;

		assert_int_equal(frame_segment(pkt, pkt->data, k, frame), seg->len);
		assert_int_equal(seg->csum,
				 is_partial && !remote ? LEAT_CSUM_PARTIAL : LEAT_CSUM_UNNECESSARY);
		assert_int_equal(seg->csum_start + seg->csum_offset, at);
		if (is_partial && !remote)
			memcpy(frame + at, cut->segs[k].frame + at, 2);
		assert_memory_equal(cut->segs[k].frame, frame, seg->len);
		assert_null(frame_wrong(cut->segs[k].frame, seg->len, is_partial));
	}
}

static void test_rows(void **state)
{
	for (size_t i = 0; i < 16 * LENGTH(rows); i++) {
		const struct leat_gso_conf *conf = i & 8 ? &partial : &full;
		struct arena arena = {0};
		struct leat_pkt *pkt = build(&arena, &rows[i / 16], i & 7);
		struct cut cut;

		if (i % 16 == 0)
			print_message("%s\n", rows[i / 16].name);
		cut = cut_up(pkt, conf, NULL);
		check_segments(&cut, pkt, i & 8);
		cut_clear(&cut);
		arena_clear(&arena);
	}
}

/* What a segment's inner packet adds to the outer sum is the same for all of one length. */
static void test_same_check(void **state)
{
	struct arena arena = {0};
	struct leat_pkt *pkt = build(&arena, &rows[6], 2);
	struct cut cut = cut_up(pkt, &full, NULL);
	uint32_t at = pkt->lvl[0].transport + 6u;

	assert_int_equal(get16(cut.segs[0].frame + at), get16(cut.segs[1].frame + at));
	assert_int_equal(get16(cut.segs[0].frame + at), get16(cut.segs[2].frame + at));
	assert_int_not_equal(get16(cut.segs[0].frame + at), get16(cut.segs[3].frame + at));
	cut_clear(&cut);
	arena_clear(&arena);
}

/* Each level's IDs, by the type's two bits: 0 both count, 1 the outer is fixed, 2 the inner. */
static void test_ids(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		struct arena arena = {0};
		struct leat_pkt *pkt = build(&arena, &rows[1], 0);
		struct cut cut;

		pkt->gso_type |= i & 1 ? LEAT_GSO_TCP_FIXEDID : 0;
		pkt->gso_type |= i & 2 ? LEAT_GSO_TCP_FIXEDID_INNER : 0;
		cut = cut_up(pkt, &full, NULL);
		for (unsigned k = 0; k < 4; k++) {
			const uint8_t *frame = cut.segs[k].frame;

			assert_int_equal(get16(frame + pkt->lvl[0].network + 4),
					 (0xffff + (i & 1 ? 0 : k)) & 0xffff);
			assert_int_equal(get16(frame + pkt->lvl[1].network + 4),
					 (0xfffe + (i & 2 ? 0 : k)) & 0xffff);
		}
		cut_clear(&cut);
		arena_clear(&arena);
	}
}

/* An outer UDP sum of 0 is sent as 0xffff. */
static void test_zero_check(void **state)
{
	struct arena arena = {0};
	struct leat_pkt *pkt = build(&arena, &rows[6], 0);
	struct cut cut = cut_up(pkt, &full, NULL);
	uint8_t *udp = pkt->data + pkt->lvl[0].transport;
	uint16_t sum = frame_sum(udp, 2, get16(cut.segs[0].frame + pkt->lvl[0].transport + 6));

	udp[0] = (uint8_t)(sum >> 8); /* the source port takes the checksum over */
	udp[1] = (uint8_t)sum;
	cut_clear(&cut);
	cut = cut_up(pkt, &full, NULL);
	assert_int_equal(get16(cut.segs[0].frame + pkt->lvl[0].transport + 6), 0xffff);
	cut_clear(&cut);
	arena_clear(&arena);
}

#define TCP LEAT_GSO_TCPV4

/* Changes to a good super-packet over IPv4: its type, a field, a byte of the tunnel's header. */
static const struct refusal {
	const char *name;
	unsigned row;
	uint32_t type;
	uint8_t at, byte; /* offset from the tunnel's first byte; byte 0: none changed */
} refusals[] = {
	{"no tunnel in type", 0, TCP, 0, 0},
	{"no tunnel in type", 6, TCP, 0, 0},
	{"another tunnel", 0, TCP | LEAT_GSO_GRE, 0, 0},
	{"outer version", 0, TCP | LEAT_GSO_IPXIP6, 0, 0},
	{"both versions", 0, TCP | LEAT_GSO_IPXIP4 | LEAT_GSO_IPXIP6, 0, 0},
	{"IP and GRE", 1, TCP | LEAT_GSO_IPXIP4 | LEAT_GSO_GRE, 0, 0},
	{"GRE without checksum", 1, TCP | LEAT_GSO_GRE_CSUM, 0, 0},
	{"GRE with checksum", 3, TCP | LEAT_GSO_GRE, 0, 0},
	{"both GREs", 3, TCP | LEAT_GSO_GRE | LEAT_GSO_GRE_CSUM, 0, 0},
	{"GRE sequence number", 2, TCP | LEAT_GSO_GRE, 0, 0x30},
	{"GRE routing", 1, TCP | LEAT_GSO_GRE, 0, 0x40},
	{"GRE version", 1, TCP | LEAT_GSO_GRE, 1, 1},
	{"GRE longer than it is", 1, TCP | LEAT_GSO_GRE, 0, 0x20},
	{"UDP checksum", 6, TCP | LEAT_GSO_UDP_TUNNEL, 0, 0},
	{"both UDPs", 6, TCP | LEAT_GSO_UDP_TUNNEL | LEAT_GSO_UDP_TUNNEL_CSUM, 0, 0},
	{"remote checksum", 6, TCP | LEAT_GSO_UDP_TUNNEL_CSUM | LEAT_GSO_TUNNEL_REMCSUM, 0, 0},
	{"no remote checksum", 7, TCP | LEAT_GSO_UDP_TUNNEL_CSUM, 0, 0},
	{"VXLAN and IP", 6, TCP | LEAT_GSO_UDP_TUNNEL_CSUM | LEAT_GSO_IPXIP4, 0, 0},
	{"FOU and another IP", 14, TCP | LEAT_GSO_UDP_TUNNEL_CSUM | LEAT_GSO_GRE_CSUM, 0, 0},
	{"inner TCPV6", 6, LEAT_GSO_TCPV6 | LEAT_GSO_UDP_TUNNEL_CSUM, 0, 0},
	{"UFO", 6, LEAT_GSO_UDP | LEAT_GSO_UDP_TUNNEL_CSUM, 0, 0},
};

static void test_refusals(void **state)
{
	for (size_t i = 0; i < LENGTH(refusals); i++) {
		struct arena arena = {0};
		struct leat_pkt *pkt = build(&arena, &rows[refusals[i].row], 0);
		struct leat_gso gso;

		print_message("%s\n", refusals[i].name);
		assert_int_equal(leat_gso_init(&gso, pkt, &full), 4);
		pkt->gso_type = refusals[i].type;
		if (refusals[i].byte != 0)
			pkt->data[pkt->lvl[0].transport + refusals[i].at] = refusals[i].byte;
		assert_int_equal(leat_gso_init(&gso, pkt, &full), -EINVAL);
		arena_clear(&arena);
	}
}

#define FIELD(f) offsetof(struct leat_pkt, f), sizeof(((struct leat_pkt *)0)->f)

/* What the parser is said to have found. */
static const struct {
	const char *name;
	unsigned row;
	size_t field, size;
	uint32_t value;
} spoilt[] = {
	{"no tunnel", 1, FIELD(lvl[0].tunnel), LEAT_TUNNEL_NONE},
	{"unknown tunnel", 1, FIELD(lvl[0].tunnel), LEAT_TUNNEL_FOU + 1},
	{"another tunnel", 1, FIELD(lvl[0].tunnel), LEAT_TUNNEL_VXLAN},
	{"another tunnel", 6, FIELD(lvl[0].tunnel), LEAT_TUNNEL_GRE},
	{"another tunnel", 6, FIELD(lvl[0].tunnel), LEAT_TUNNEL_IP},
	{"another protocol", 6, FIELD(lvl[0].protocol), FRAME_TCP},
	{"another protocol", 0, FIELD(lvl[0].protocol), FRAME_IPV6},
	{"outer fragment", 1, FIELD(lvl[0].flags), LEAT_IP_FRAGMENT},
	{"inner fragment", 1, FIELD(lvl[1].flags), LEAT_IP_FRAGMENT},
	{"outer jumbogram", 1, FIELD(lvl[0].version), 6},
	{"one level", 6, FIELD(levels), 1},
	{"three levels", 6, FIELD(levels), 3},
	{"inner early", 1, FIELD(lvl[1].network), 30},
	{"inner far", 1, FIELD(lvl[1].network), 0xffff},
	{"outer transport late", 1, FIELD(lvl[0].transport), 0xffff},
	{"inner transport early", 1, FIELD(lvl[1].transport), 40},
	{"csum_start outside", 6, FIELD(csum_start), 38},
};

static void test_spoilt(void **state)
{
	for (size_t i = 0; i < LENGTH(spoilt); i++) {
		struct arena arena = {0};
		struct leat_pkt *pkt = build(&arena, &rows[spoilt[i].row], 0);
		uint8_t *p = (uint8_t *)pkt + spoilt[i].field;
		struct leat_gso gso;

		print_message("%s\n", spoilt[i].name);
		if (spoilt[i].size == 2)
			*(uint16_t *)p = (uint16_t)spoilt[i].value;
		else
			*p = (uint8_t)spoilt[i].value;
		assert_int_equal(leat_gso_init(&gso, pkt, &full), -EINVAL);
		arena_clear(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),	 cmocka_unit_test(test_same_check),
		cmocka_unit_test(test_ids),	 cmocka_unit_test(test_zero_check),
		cmocka_unit_test(test_refusals), cmocka_unit_test(test_spoilt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
