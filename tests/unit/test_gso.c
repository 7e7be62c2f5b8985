/* SPDX-License-Identifier: MIT */
/*
 * test_gso.c - the segmenter, by rows. The segments' lengths, checksums and bytes are judged by
 * tests/frame.c; names in quotes are those of the kernel's own tests.
 */
#include <errno.h>
#include <leat/gso.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "../cut.h"

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct leat_gso_conf full, partial = {.csum_partial = true};

static uint32_t get16(const uint8_t *p)
{
	return p[0] * 256u + p[1];
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) * 65536 + get16(p + 2);
}

static void check_right(const struct cut *cut, bool is_partial)
{
	for (unsigned i = 0; i < cut->n; i++)
		assert_null(frame_wrong(cut->segs[i].frame, cut->segs[i].seg.len, is_partial));
}

struct size_row {
	const char *name;
	uint8_t protocol, version;
	uint32_t payload, gso_size;
	unsigned whole; /* segments of gso_size; 0: refused, there is nothing to cut */
	uint32_t tail;	/* bytes of one more */
};

static const struct size_row size_rows[] = {
	{"350 by 100", FRAME_TCP, 4, 350, 100, 3, 50},
	{"350 by 100", FRAME_TCP, 6, 350, 100, 3, 50},
	{"\"no_gso\"", FRAME_TCP, 4, 1000, 1000, 0, 0},
	{"less than gso_size", FRAME_TCP, 4, 999, 1000, 0, 0},
	{"no payload", FRAME_TCP, 4, 0, 1000, 0, 0},
	{"\"linear\"", FRAME_TCP, 4, 2001, 1000, 2, 1},
	{"equal tail", FRAME_TCP, 4, 3000, 1000, 3, 0},
	{"bytes", FRAME_TCP, 6, 5, 1, 5, 0},
	{"64 KB", FRAME_TCP, 4, 65535 - 40, 1448, 45, 335},
	{"BIG TCP", FRAME_TCP, 4, 128000, 1448, 88, 576},
	{"BIG TCP", FRAME_TCP, 6, 128000, 1428, 89, 908},
	{"largest", FRAME_TCP, 6, 8 * 65535, 8, 65535, 0},
	{"largest segments", FRAME_TCP, 4, 131072, 65535 - 40, 2, 82},
	{"largest segments", FRAME_TCP, 6, 131072, 65535 - 20, 2, 42},
	{"too large for IP", FRAME_TCP, 4, 131072, 65535 - 39, 0, 0},
	{"too large for IP", FRAME_TCP, 6, 131072, 65535 - 19, 0, 0},
	{"\"uso\" 1400", FRAME_UDP, 4, 10 * 1400 + 500, 1400, 10, 500},
	{"\"uso\" 1400", FRAME_UDP, 6, 5 * 1400, 1400, 5, 0},
	/* udpgso.c */
	{"MSS", FRAME_UDP, 4, 1472, 1472, 0, 0},
	{"MSS + 1", FRAME_UDP, 4, 1473, 1472, 1, 1},
	{"2 MSS", FRAME_UDP, 4, 2944, 1472, 2, 0},
	{"2 MSS + 1", FRAME_UDP, 4, 2945, 1472, 2, 1},
	{"max segments", FRAME_UDP, 4, 44 * 1472, 1472, 44, 0},
	{"max bytes", FRAME_UDP, 4, 65507, 1472, 44, 739},
	{"max bytes + 1", FRAME_UDP, 4, 65508, 1472, 0, 0},
	{"1 B", FRAME_UDP, 4, 1, 1, 0, 0},
	{"2 x 1 B", FRAME_UDP, 4, 2, 1, 2, 0},
	{"2 + 2 + 1 B", FRAME_UDP, 4, 5, 2, 2, 1},
	{"128 x 1 B", FRAME_UDP, 4, 128, 1, 128, 0},
	{"129 x 1 B", FRAME_UDP, 4, 129, 1, 0, 0},
	{"MSS", FRAME_UDP, 6, 1452, 1452, 0, 0},
	{"MSS + 1", FRAME_UDP, 6, 1453, 1452, 1, 1},
	{"2 MSS", FRAME_UDP, 6, 2904, 1452, 2, 0},
	{"2 MSS + 1", FRAME_UDP, 6, 2905, 1452, 2, 1},
	{"max segments", FRAME_UDP, 6, 45 * 1452, 1452, 45, 0},
	{"max bytes", FRAME_UDP, 6, 65527, 1452, 45, 187},
	{"max bytes + 1", FRAME_UDP, 6, 65528, 1452, 0, 0},
	{"1 B", FRAME_UDP, 6, 1, 1, 0, 0},
	{"2 x 1 B", FRAME_UDP, 6, 2, 1, 2, 0},
	{"2 + 2 + 1 B", FRAME_UDP, 6, 5, 2, 2, 1},
	{"128 x 1 B", FRAME_UDP, 6, 128, 1, 128, 0},
	{"129 x 1 B", FRAME_UDP, 6, 129, 1, 0, 0},
};

static void check_sizes(const struct cut *cut, const struct size_row *row, uint32_t hdr_len)
{
	unsigned n = row->whole + (row->tail > 0);

	assert_int_equal(cut->promised, n > 0 ? (int)n : -EINVAL);
	assert_int_equal(cut->n, n);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(cut->segs[i].seg.len - hdr_len,
				 i < row->whole ? row->gso_size : row->tail);
}

static void test_sizes(void **state)
{
	for (size_t i = 0; i < LENGTH(size_rows); i++) {
		const struct size_row *row = &size_rows[i];
		struct frame f = {.version = row->version,
				  .protocol = row->protocol,
				  .payload = row->payload};
		struct arena arena = {0};
		struct leat_pkt *pkt = cut_super(&arena, &f, (uint16_t)row->gso_size);
		struct cut cut = cut_up(pkt, &full, NULL);

		print_message("%s, IPv%u\n", row->name, row->version);
		check_sizes(&cut, row, frame_hdr_len(&f));
		check_right(&cut, false);
		if (row->whole > 0)
			assert_int_equal(leat_gso_segs(pkt), cut.n);
		cut_clear(&cut);
		arena_clear(&arena);
	}
}

/* What conf says goes before what the packet says. */
static void test_conf_gso_size(void **state)
{
	static const struct size_row rows[] = {
		{"smaller", FRAME_TCP, 4, 350, 60, 5, 50},
		{"larger", FRAME_TCP, 4, 350, 200, 1, 150},
		{"all", FRAME_TCP, 4, 350, 350, 0, 0},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct frame f = {.payload = 350};
		struct arena arena = {0};
		struct leat_gso_conf conf = {.gso_size = (uint16_t)rows[i].gso_size};
		struct cut cut = cut_up(cut_super(&arena, &f, i == 0 ? 0 : 100), &conf, NULL);

		check_sizes(&cut, &rows[i], frame_hdr_len(&f));
		check_right(&cut, false);
		cut_clear(&cut);
		arena_clear(&arena);
	}
}

/* The flags of 350 bytes by 100: what the super-packet has, the first, those between, the last. */
static void test_tcp_flags(void **state)
{
	enum { FIN = FRAME_FIN, PSH = FRAME_PSH, ACK = FRAME_ACK, CWR = FRAME_CWR };
	enum { ECE = FRAME_ECE, URG = FRAME_URG };
	static const struct {
		uint8_t super, first, middle, last;
		uint32_t type;
	} rows[] = {
		{ACK, ACK, ACK, ACK, 0},
		{ACK | PSH, ACK, ACK, ACK | PSH, 0},
		{ACK | FIN | PSH, ACK, ACK, ACK | FIN | PSH, 0},
		{ACK | CWR, ACK | CWR, ACK, ACK, 0},
		{ACK | CWR, ACK | CWR, ACK, ACK, LEAT_GSO_TCP_ECN | LEAT_GSO_DODGY},
		{ACK | CWR | ECE | URG | FIN, ACK | CWR | ECE | URG, ACK | ECE | URG,
		 ACK | ECE | URG | FIN, 0},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct frame f = {.payload = 350, .flags = rows[i].super, .reserved = 1};
		struct arena arena = {0};
		struct leat_pkt *pkt = cut_super(&arena, &f, 100);
		struct cut cut;

		pkt->gso_type |= rows[i].type;
		cut = cut_up(pkt, &full, NULL);
		assert_int_equal(cut.n, 4);
		for (unsigned k = 0; k < 4; k++) {
			assert_int_equal(cut.segs[k].frame[34 + 12], 0x51); /* AE stays */
			assert_int_equal(cut.segs[k].frame[34 + 13], k == 0 ? rows[i].first :
								     k == 3 ? rows[i].last :
									      rows[i].middle);
		}
		check_right(&cut, false);
		cut_clear(&cut);
		arena_clear(&arena);
	}
}

static void test_tcp_seq(void **state)
{
	static const uint8_t opts[] = {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};
	static const uint32_t seqs[] = {0xffffff00, 0xffffff64, 0xffffffc8, 0x2c};
	struct frame f = {.payload = 350,
			  .seq = seqs[0],
			  .ack = 77,
			  .window = 500,
			  .urg_ptr = 3,
			  .opts = opts,
			  .opts_len = sizeof(opts)};
	struct arena arena = {0};
	struct leat_pkt *pkt = cut_super(&arena, &f, 100);
	struct cut cut = cut_up(pkt, &full, NULL);

	assert_int_equal(cut.n, 4);
	for (unsigned i = 0; i < 4; i++) {
		const uint8_t *tcp = cut.segs[i].frame + 34;

		assert_int_equal(get32(tcp + 4), seqs[i]);
		assert_memory_equal(tcp + 8, pkt->data + 34 + 8, 8);
		assert_int_equal(get16(tcp + 18), 3);
		assert_memory_equal(tcp + 20, opts, sizeof(opts));
	}
	check_right(&cut, false);
	cut_clear(&cut);
	arena_clear(&arena);
}

static void test_ip_id(void **state)
{
	static const struct {
		uint8_t protocol;
		uint32_t type;
		uint16_t ids[3], frag_off;
	} rows[] = {
		{FRAME_TCP, 0, {0xfffe, 0xffff, 0x0000}, 0},
		{FRAME_TCP, 0, {0xfffe, 0xffff, 0x0000}, FRAME_DF},
		{FRAME_TCP, LEAT_GSO_TCP_FIXEDID, {0xfffe, 0xfffe, 0xfffe}, FRAME_DF},
		{FRAME_TCP, LEAT_GSO_TCP_FIXEDID, {0xfffe, 0xfffe, 0xfffe}, 0},
		{FRAME_UDP, 0, {0xfffe, 0xffff, 0x0000}, 0},
		{FRAME_UDP, LEAT_GSO_TCP_FIXEDID, {0xfffe, 0xfffe, 0xfffe}, 0},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct frame f = {.protocol = rows[i].protocol,
				  .payload = 250,
				  .id = 0xfffe,
				  .frag_off = rows[i].frag_off};
		struct arena arena = {0};
		struct leat_pkt *pkt = cut_super(&arena, &f, 100);
		struct cut cut;

		pkt->gso_type |= rows[i].type;
		cut = cut_up(pkt, &full, NULL);
		assert_int_equal(cut.n, 3);
		for (unsigned k = 0; k < 3; k++) {
			assert_int_equal(get16(cut.segs[k].frame + 14 + 4), rows[i].ids[k]);
			assert_int_equal(get16(cut.segs[k].frame + 14 + 6), rows[i].frag_off);
		}
		check_right(&cut, false);
		cut_clear(&cut);
		arena_clear(&arena);
	}
}

/* What stands before the transport header is every segment's, but for lengths. */
static void test_headers_copied(void **state)
{
	static const uint8_t hbh[] = {6, 0, 5, 2, 0, 0, 1, 0}, nops[] = {1, 1, 1, 1};
	static const struct frame rows[] = {
		{.version = 6,
		 .tos = 0x2e,
		 .flow_label = 0xabcde,
		 .ttl = 9,
		 .ext = hbh,
		 .ext_len = sizeof(hbh),
		 .payload = 350},
		{.version = 6, .vlans = 1, .vlan = {0x2064}, .payload = 350},
		{.vlans = 2, .vlan = {5, 0xefff}, .tos = 3, .ttl = 7, .payload = 350},
		{.ext = nops, .ext_len = sizeof(nops), .payload = 350},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct arena arena = {0};
		struct leat_pkt *pkt = cut_super(&arena, &rows[i], 100);
		uint8_t *frame = malloc(FRAME_HDRS_MAX + 100);
		struct cut cut = cut_up(pkt, &full, NULL);

		assert_int_equal(cut.n, 4);
		for (unsigned k = 0; k < 4; k++) {
			uint32_t len = frame_segment(pkt, pkt->data, k, frame);

			assert_int_equal(cut.segs[k].seg.len, len);
			assert_memory_equal(cut.segs[k].frame, frame, len);
			assert_memory_equal(frame, pkt->data, pkt->lvl[0].network);
		}
		check_right(&cut, false);
		free(frame);
		cut_clear(&cut);
		arena_clear(&arena);
	}
}

/* Segments are ordinary frames, and say how far their checksum is. */
static void test_description(void **state)
{
	for (unsigned i = 0; i < 8; i++) {
		const struct leat_gso_conf *conf = i & 1 ? &partial : &full;
		struct frame f = {.version = i & 2 ? 6 : 4,
				  .protocol = i & 4 ? FRAME_UDP : FRAME_TCP,
				  .payload = 350};
		struct arena arena = {0};
		struct leat_pkt *pkt = cut_super(&arena, &f, 100);
		struct cut cut = cut_up(pkt, conf, NULL);

		assert_int_equal(cut.n, 4);
		for (unsigned k = 0; k < 4; k++) {
			const struct leat_seg *seg = &cut.segs[k].seg;

			assert_true(seg->gso_type == 0 && seg->gso_size == 0 && seg->gso_segs == 0);
			assert_int_equal(seg->csum,
					 i & 1 ? LEAT_CSUM_PARTIAL : LEAT_CSUM_UNNECESSARY);
			assert_int_equal(seg->csum_start, i & 2 ? 54 : 34);
			assert_int_equal(seg->csum_offset, i & 4 ? 6 : 16);
		}
		check_right(&cut, conf->csum_partial);
		cut_clear(&cut);
		arena_clear(&arena);
	}
}

/* A UDP sum of 0 is sent as 0xffff; a TCP one as it is. */
static void test_zero_sum(void **state)
{
	static const struct {
		uint8_t protocol;
		uint32_t at, check;
	} rows[] = {{FRAME_UDP, 34 + 6, 0xffff}, {FRAME_TCP, 34 + 16, 0}};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct frame f = {.protocol = rows[i].protocol, .payload = 20, .id = 1};
		struct arena arena = {0};
		struct leat_pkt *pkt = cut_super(&arena, &f, 10);
		struct cut cut = cut_up(pkt, &full, NULL);
		uint32_t check = get16(cut.segs[0].frame + rows[i].at);
		uint8_t *word = pkt->data + pkt->payload;
		uint16_t sum = frame_sum(word, 2, check);

		/* The first payload word takes the checksum over: what is left sums to 0xffff. */
		word[0] = (uint8_t)(sum >> 8);
		word[1] = (uint8_t)sum;
		cut_clear(&cut);
		cut = cut_up(pkt, &full, NULL);
		assert_int_equal(get16(cut.segs[0].frame + rows[i].at), rows[i].check);
		cut_clear(&cut);
		arena_clear(&arena);
	}
}

/* KUnit's layouts: whatever the chain, the segments are the same. */
static void test_layouts(void **state)
{
	static const struct {
		const char *name;
		uint32_t head, slice; /* payload bytes in the head, and in each slice */
	} rows[] = {
		{"\"frags\"", 1000, 1000},
		{"\"frags_pure\"", 0, 1000},
		{"\"frag_list\"", 1000, 1},
		{"\"frag_list_pure\"", 0, 1},
		{"\"frag_list_non_uniform\"", 7, 999},
		{"one slice", 0, 5000},
		{"odd", 1, 333},
	};
	struct frame f = {.payload = 3003, .opts = (const uint8_t[12]){1, 1, 1}, .opts_len = 12};
	uint8_t bytes[4000], frame[2000];

	frame_build(&f, bytes);
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct arena arena = {0};
		struct leat_pkt *pkt;
		struct cut cut;

		print_message("%s\n", rows[i].name);
		pkt = cut_scatter(&arena, bytes, frame_len(&f), frame_hdr_len(&f) + rows[i].head,
				  rows[i].slice, NULL);
		pkt->gso_type = LEAT_GSO_TCPV4;
		pkt->gso_size = 1000;
		cut = cut_up(pkt, &full, NULL);
		assert_int_equal(cut.n, 4);
		for (unsigned k = 0; k < 4; k++) {
			assert_int_equal(cut.segs[k].seg.len, frame_segment(pkt, bytes, k, frame));
			assert_memory_equal(cut.segs[k].frame, frame, cut.segs[k].seg.len);
		}
		cut_clear(&cut);
		arena_clear(&arena);
	}
}

/* Room for one segment is progress, anything less is none, and nothing is spoiled by asking. */
static void test_room(void **state)
{
	static const struct {
		unsigned segs, slices;
		size_t hdr;
		unsigned n;
	} rows[] = {
		{0, 9, 999, 0},	    {9, 0, 999, 0}, {9, 1, 999, 0},	{9, 2, 999, 0},
		{9, 9, 10 + 53, 0}, {9, 9, 0, 0},   {1, 3, 10 + 54, 1}, {9, 5, 999, 1},
		{9, 6, 999, 2},	    {2, 9, 999, 2}, {9, 9, 2 * 64, 2},
	};
	struct frame f = {.payload = 60};
	struct arena arena = {0};
	struct leat_pkt *pkt;
	uint8_t bytes[200];

	frame_build(&f, bytes);
	pkt = cut_scatter(&arena, bytes, frame_len(&f), frame_hdr_len(&f) + 5, 10, NULL);
	pkt->gso_type = LEAT_GSO_TCPV4;
	pkt->gso_size = 10;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct leat_seg segs[9];
		struct leat_slice slices[9];
		uint8_t hdr[999];
		struct leat_gso_out out = {.segs = segs,
					   .max_segs = rows[i].segs,
					   .slices = slices,
					   .max_slices = rows[i].slices,
					   .hdr = hdr,
					   .hdr_room = rows[i].hdr,
					   .headroom = 10};
		struct leat_gso gso;

		assert_int_equal(leat_gso_init(&gso, pkt, &full), 6);
		assert_int_equal(leat_gso_segment(&gso, &out), rows[i].n);
		assert_int_equal(out.n_segs, rows[i].n);
		assert_int_equal(out.n_slices, rows[i].n * 3);
		assert_int_equal(out.hdr_used, rows[i].n * 64);
		assert_int_equal(gso.off, rows[i].n * 10);
	}
	arena_clear(&arena);
}

/* A TCP length of 0 is not looked at, a UDP one is wrong. */
static void test_zero_length(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		bool v6 = i & 1, udp = i & 2;
		struct frame f = {.version = v6 ? 6 : 4,
				  .protocol = udp ? FRAME_UDP : FRAME_TCP,
				  .payload = 350};
		struct arena arena = {0};
		struct leat_pkt *pkt = cut_super(&arena, &f, 100);
		struct cut cut;

		memset(pkt->data + 14 + (v6 ? 4 : 2), 0, 2);
		cut = cut_up(pkt, &full, NULL);
		assert_int_equal(cut.promised, udp ? -EINVAL : 4);
		check_right(&cut, false);
		cut_clear(&cut);
		arena_clear(&arena);
	}
}

static void test_segs(void **state)
{
	static const struct {
		uint32_t len, headlen, gso_type;
		uint16_t gso_size, slices;
		uint32_t segs;
	} rows[] = {
		{404, 404, 0, 0, 0, 1},
		{404, 404, 0, 100, 0, 1},
		{404, 404, LEAT_GSO_TCPV4, 0, 0, 1},
		{404, 404, LEAT_GSO_TCPV4, 100, 0, 4},
		{354, 354, LEAT_GSO_TCPV4, 100, 0, 3},
		{154, 154, LEAT_GSO_TCPV4, 100, 0, 1},
		{54, 54, LEAT_GSO_TCPV4, 100, 0, 1},
		{404, 404, LEAT_GSO_SCTP, LEAT_GSO_BY_FRAGS, 0, 1},
		{404, 54, LEAT_GSO_SCTP, LEAT_GSO_BY_FRAGS, 3, 3},
		{404, 104, LEAT_GSO_SCTP, LEAT_GSO_BY_FRAGS, 3, 4},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct leat_pkt pkt = {.len = rows[i].len,
				       .headlen = rows[i].headlen,
				       .payload = 54,
				       .gso_type = rows[i].gso_type,
				       .gso_size = rows[i].gso_size,
				       .slices = rows[i].slices};

		assert_int_equal(leat_gso_segs(&pkt), rows[i].segs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),	    cmocka_unit_test(test_conf_gso_size),
		cmocka_unit_test(test_tcp_flags),   cmocka_unit_test(test_tcp_seq),
		cmocka_unit_test(test_ip_id),	    cmocka_unit_test(test_headers_copied),
		cmocka_unit_test(test_description), cmocka_unit_test(test_zero_sum),
		cmocka_unit_test(test_layouts),	    cmocka_unit_test(test_room),
		cmocka_unit_test(test_zero_length), cmocka_unit_test(test_segs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
