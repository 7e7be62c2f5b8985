/* SPDX-License-Identifier: MIT */
/*
 * test_gso_refusals.c - what the segmenter refuses: nonsense in the frame, in what the packet's
 * offload fields say, and in what the parser is said to have found.
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

#define FIELD(f) offsetof(struct leat_pkt, f), sizeof(((struct leat_pkt *)0)->f)

/* A good super-packet of 350 bytes by 100 with one field of the descriptor or one byte of its
 * headers changed, or one of each. */
static const struct refusal {
	const char *name;
	int err;
	uint8_t version, protocol;
	size_t field, size;
	uint32_t value;
	unsigned at; /* offset of the byte in the frame, or 0 */
	uint8_t byte;
} refusals[] = {
	{"nothing changed", 4, 4, FRAME_TCP, FIELD(hash), 1, 0, 0},
	{"DODGY", 4, 4, FRAME_TCP, FIELD(gso_type), LEAT_GSO_TCPV4 | LEAT_GSO_DODGY, 0, 0},
	{"gso_segs wrong", 4, 4, FRAME_TCP, FIELD(gso_segs), 77, 0, 0},
	{"UDP length wrong", 4, 4, FRAME_UDP, 0, 0, 0, 34 + 4, 9},
	{"no type", -EINVAL, 4, FRAME_TCP, FIELD(gso_type), 0, 0, 0},
	{"no transport in type", -EINVAL, 4, FRAME_TCP, FIELD(gso_type), LEAT_GSO_DODGY, 0, 0},
	{"no gso_size", -EINVAL, 4, FRAME_TCP, FIELD(gso_size), 0, 0, 0},
	{"by frags", -EINVAL, 4, FRAME_TCP, FIELD(gso_size), LEAT_GSO_BY_FRAGS, 0, 0},
	{"gso_size = payload", -EINVAL, 4, FRAME_TCP, FIELD(gso_size), 350, 0, 0},
	{"TCPV6 on IPv4", -EINVAL, 4, FRAME_TCP, FIELD(gso_type), LEAT_GSO_TCPV6, 0, 0},
	{"TCPV4 on IPv6", -EINVAL, 6, FRAME_TCP, FIELD(gso_type), LEAT_GSO_TCPV4, 0, 0},
	{"both TCPs", -EINVAL, 4, FRAME_TCP, FIELD(gso_type), LEAT_GSO_TCPV4 | LEAT_GSO_TCPV6, 0,
	 0},
	{"TCPV4 on UDP", -EINVAL, 4, FRAME_UDP, FIELD(gso_type), LEAT_GSO_TCPV4, 0, 0},
	{"UDP_L4 on TCP", -EINVAL, 4, FRAME_TCP, FIELD(gso_type), LEAT_GSO_UDP_L4, 0, 0},
	{"TCP and UDP", -EINVAL, 4, FRAME_UDP, FIELD(gso_type), LEAT_GSO_UDP_L4 | LEAT_GSO_TCPV4, 0,
	 0},
	{"ECN and UDP", -EINVAL, 6, FRAME_UDP, FIELD(gso_type), LEAT_GSO_UDP_L4 | LEAT_GSO_TCP_ECN,
	 0, 0},
	{"UFO", 4, 4, FRAME_UDP, FIELD(gso_type), LEAT_GSO_UDP, 0, 0},
	{"UFO and USO", -EINVAL, 4, FRAME_UDP, FIELD(gso_type), LEAT_GSO_UDP | LEAT_GSO_UDP_L4, 0,
	 0},
	{"UFO and fraglist", -EINVAL, 4, FRAME_UDP, FIELD(gso_type),
	 LEAT_GSO_UDP | LEAT_GSO_FRAGLIST, 0, 0},
	{"UFO on TCP", -EINVAL, 4, FRAME_TCP, FIELD(gso_type), LEAT_GSO_UDP, 0, 0},
	{"SCTP on TCP", -EINVAL, 4, FRAME_TCP, FIELD(gso_type), LEAT_GSO_SCTP, 0, 0},
	{"ACCECN", 4, 4, FRAME_TCP, FIELD(gso_type), LEAT_GSO_TCPV4 | LEAT_GSO_TCP_ACCECN, 0, 0},
	{"ECN and ACCECN", -EINVAL, 4, FRAME_TCP, FIELD(gso_type),
	 LEAT_GSO_TCPV4 | LEAT_GSO_TCP_ACCECN | LEAT_GSO_TCP_ECN, 0, 0},
	{"ACCECN and UDP", -EINVAL, 4, FRAME_UDP, FIELD(gso_type),
	 LEAT_GSO_UDP_L4 | LEAT_GSO_TCP_ACCECN, 0, 0},
	{"fraglist of nothing", 4, 4, FRAME_TCP, FIELD(gso_type),
	 LEAT_GSO_TCPV4 | LEAT_GSO_FRAGLIST, 0, 0},
	{"GRE", -EINVAL, 4, FRAME_TCP, FIELD(gso_type), LEAT_GSO_TCPV4 | LEAT_GSO_GRE, 0, 0},
	{"UDP tunnel", -EINVAL, 4, FRAME_UDP, FIELD(gso_type),
	 LEAT_GSO_UDP_L4 | LEAT_GSO_UDP_TUNNEL, 0, 0},
	{"PARTIAL of another length", -EINVAL, 4, FRAME_TCP, FIELD(gso_type),
	 LEAT_GSO_TCPV4 | LEAT_GSO_PARTIAL, 0, 0},
	{"ESP", -EPROTONOSUPPORT, 4, FRAME_TCP, FIELD(gso_type), LEAT_GSO_TCPV4 | 1u << 15, 0, 0},
	{"inner ID", -EINVAL, 4, FRAME_TCP, FIELD(gso_type),
	 LEAT_GSO_TCPV4 | LEAT_GSO_TCP_FIXEDID_INNER, 0, 0},
	{"unknown bit", -EPROTONOSUPPORT, 4, FRAME_TCP, FIELD(gso_type), LEAT_GSO_TCPV4 | 1u << 25,
	 0, 0},
	{"not parsed", -EINVAL, 4, FRAME_TCP, FIELD(depth), LEAT_DEPTH_NETWORK, 0, 0},
	{"no levels", -EINVAL, 4, FRAME_TCP, FIELD(levels), 0, 0, 0},
	{"two levels", -EINVAL, 4, FRAME_TCP, FIELD(levels), 2, 0, 0},
	{"many levels", -EINVAL, 4, FRAME_TCP, FIELD(levels), 200, 0, 0},
	{"fragment", -EINVAL, 4, FRAME_TCP, FIELD(lvl[0].flags), LEAT_IP_FRAGMENT, 0, 0},
	{"no version", -EINVAL, 4, FRAME_UDP, FIELD(lvl[0].version), 0, 0, 0},
	{"another version", -EINVAL, 4, FRAME_UDP, FIELD(lvl[0].version), 6, 0, 0},
	{"another version", -EINVAL, 6, FRAME_UDP, FIELD(lvl[0].version), 4, 0, 0},
	{"network far", -EINVAL, 4, FRAME_TCP, FIELD(lvl[0].network), 0xffff, 0, 0},
	{"network late", -EINVAL, 4, FRAME_TCP, FIELD(lvl[0].network), 15, 0, 0},
	{"transport early", -EINVAL, 6, FRAME_TCP, FIELD(lvl[0].transport), 53, 0, 0},
	{"transport late", -EINVAL, 4, FRAME_TCP, FIELD(lvl[0].transport), 38, 0, 0},
	{"transport far", -EINVAL, 6, FRAME_TCP, FIELD(lvl[0].transport), 0xffff, 0, 0},
	{"payload early", -EINVAL, 4, FRAME_TCP, FIELD(payload), 34, 0, 0},
	{"payload late", -EINVAL, 4, FRAME_TCP, FIELD(payload), 58, 0, 0},
	{"payload late", -EINVAL, 4, FRAME_UDP, FIELD(payload), 43, 0, 0},
	{"payload far", -EINVAL, 4, FRAME_TCP, FIELD(payload), 0xffff, 0, 0},
	{"headers cut", -EINVAL, 4, FRAME_TCP, FIELD(headlen), 53, 0, 0},
	{"head too long", -EINVAL, 4, FRAME_TCP, FIELD(headlen), 405, 0, 0},
	{"frame too long", -EINVAL, 4, FRAME_TCP, FIELD(len), 405, 0, 0},
	{"chain short", -EINVAL, 4, FRAME_TCP, FIELD(slices), 1, 0, 0},
	{"csum_start", -EINVAL, 4, FRAME_TCP, FIELD(csum_start), 35, 0, 0},
	{"csum_offset", -EINVAL, 4, FRAME_TCP, FIELD(csum_offset), 6, 0, 0},
	{"csum_offset", -EINVAL, 4, FRAME_UDP, FIELD(csum_offset), 16, 0, 0},
	{"gso_size of UDP", -EINVAL, 4, FRAME_UDP, FIELD(gso_size), 2, 0, 0}, /* 175 segments */
	{"version 5", -EINVAL, 4, FRAME_TCP, 0, 0, 0, 14, 0x55},
	{"version 5", -EINVAL, 6, FRAME_TCP, 0, 0, 0, 14, 0x50},
	{"IHL 6", -EINVAL, 4, FRAME_TCP, 0, 0, 0, 14, 0x46},
	{"IPv4 length more", -EINVAL, 4, FRAME_TCP, 0, 0, 0, 14 + 2, 2},
	{"IPv4 length less", -EINVAL, 4, FRAME_TCP, 0, 0, 0, 14 + 3, 100},
	{"IPv6 length", -EINVAL, 6, FRAME_TCP, 0, 0, 0, 14 + 4, 0},
	{"version 5 agreed", -EINVAL, 4, FRAME_UDP, FIELD(lvl[0].version), 5, 14, 0x55},
	{"doff 4 agreed", -EINVAL, 4, FRAME_TCP, FIELD(payload), 34 + 16, 34 + 12, 0x40},
	{"another protocol", -EINVAL, 4, FRAME_TCP, FIELD(lvl[0].protocol), FRAME_UDP, 0, 0},
	{"another protocol", -EINVAL, 6, FRAME_TCP, FIELD(lvl[0].protocol), FRAME_UDP, 0, 0},
	{"doff 4", -EINVAL, 4, FRAME_TCP, 0, 0, 0, 34 + 12, 0x40},
	{"doff 6", -EINVAL, 4, FRAME_TCP, 0, 0, 0, 34 + 12, 0x60},
};

static void spoil(struct leat_pkt *pkt, const struct refusal *row)
{
	uint8_t *p = (uint8_t *)pkt + row->field;

	if (row->field < offsetof(struct leat_pkt, csum_start) ||
	    row->field > offsetof(struct leat_pkt, csum_offset))
		pkt->csum = LEAT_CSUM_NONE; /* so that no other refusal hides the row's */
	if (row->size == 4)
		*(uint32_t *)p = row->value;
	else if (row->size == 2)
		*(uint16_t *)p = (uint16_t)row->value;
	else if (row->size == 1)
		*p = (uint8_t)row->value;
	if (row->at != 0)
		pkt->data[row->at] = row->byte;
}

static void test_refusals(void **state)
{
	for (size_t i = 0; i < LENGTH(refusals); i++) {
		const struct refusal *row = &refusals[i];
		struct frame f = {
			.version = row->version, .protocol = row->protocol, .payload = 350};
		struct arena arena = {0};
		struct leat_pkt *pkt = cut_super(&arena, &f, 100);
		struct leat_gso gso, before;

		print_message("%s, IPv%u\n", row->name, row->version);
		memset(&before, 0x5a, sizeof(before));
		gso = before;
		spoil(pkt, row);
		assert_int_equal(leat_gso_init(&gso, pkt, &full), row->err);
		if (row->err < 0)
			assert_memory_equal(&gso, &before, sizeof(gso));
		arena_clear(&arena);
	}
}

/* Headers that go on in the chain's second slice, though the descriptor knows where. */
static void test_cut_header(void **state)
{
	struct frame f = {.payload = 350};
	struct arena arena = {0};
	struct leat_pkt *whole = cut_super(&arena, &f, 100), *pkt;
	struct leat_gso gso;

	pkt = cut_scatter(&arena, whole->data, whole->len, 50, 400, NULL);
	memcpy(pkt->lvl, whole->lvl, sizeof(pkt->lvl));
	pkt->levels = whole->levels;
	pkt->depth = whole->depth;
	pkt->payload = whole->payload;
	pkt->gso_type = whole->gso_type;
	pkt->gso_size = 100;
	assert_int_equal(leat_gso_init(&gso, pkt, &full), -EINVAL);
	arena_clear(&arena);
}

/* A packet that has boundaries of its own is not cut at others. */
static void test_by_frags(void **state)
{
	struct frame f = {.payload = 350};
	struct leat_gso_conf conf = {.gso_size = 100};
	struct arena arena = {0};
	struct leat_gso gso;

	assert_int_equal(leat_gso_init(&gso, cut_super(&arena, &f, LEAT_GSO_BY_FRAGS), &conf),
			 -EINVAL);
	arena_clear(&arena);
}

/* Padding, and an IPv6 jumbogram. */
static void test_refused_frames(void **state)
{
	static const uint8_t jumbo[] = {6, 0, 0xc2, 4, 0, 2, 0, 0x1c};
	static const struct {
		struct frame f;
		int err;
	} rows[] = {
		{{.payload = 350, .padding = 10}, -EINVAL},
		{{.version = 6, .payload = 350, .padding = 1}, -EINVAL},
		/* a jumbogram, but the option counts another length */
		{{.version = 6, .ext = jumbo, .ext_len = sizeof(jumbo), .payload = 131071},
		 -EINVAL},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct arena arena = {0};
		struct leat_pkt *pkt = cut_super(&arena, &rows[i].f, 100);
		struct leat_gso gso;

		pkt->lvl[0].flags |= rows[i].f.ext_len > 0 ? LEAT_IP_JUMBO : 0;
		assert_int_equal(leat_gso_init(&gso, pkt, &full), rows[i].err);
		arena_clear(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_cut_header),
		cmocka_unit_test(test_by_frags),
		cmocka_unit_test(test_refused_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
