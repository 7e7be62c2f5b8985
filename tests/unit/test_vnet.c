/* SPDX-License-Identifier: MIT */
/*
 * test_vnet.c - virtio_net_hdr, read and written. Rows marked "6.18" have the outcome of write()
 * on a TAP of that kernel.
 */
#include "vnet_hdr.h"

struct read_row {
	const char *name;
	struct hdr hdr;
	int result;
	uint8_t csum; /* and the rest only if result is 0 */
	uint16_t gso_size;
	uint32_t gso_type;
};

/* A frame and the headers that come with it. */
struct group {
	struct frame frame;
	const struct read_row *rows;
	size_t n;
};

/* 34 is the TCP header of these 404 bytes, 350 the payload. */
static const struct read_row tcp4_rows[] = {
	{"nothing", {0, 0, 0, 0, 0, 0}, 0, NONE, 0, 0},
	{"nothing but values nobody asked for", {0, 0, 0, 99, 77, 55}, 0, NONE, 0, 0},
	{"valid", {VALID, 0, 0, 0, 0, 0}, 0, UNNECESSARY, 0, 0},
	{"partial", {NEEDS, 0, 0, 0, 34, 16}, 0, PARTIAL, 0, 0},
	{"partial and valid", {NEEDS | VALID, 0, 0, 0, 34, 16}, 0, PARTIAL, 0, 0},
	{"unknown flags", {0xf0 | 4, 0, 0, 0, 0, 0}, 0, NONE, 0, 0},
	{"partial elsewhere", {NEEDS, 0, 0, 0, 54, 6}, 0, PARTIAL, 0, 0},
	{"tso, 6.18", {NEEDS, TCP4, 54, 100, 34, 16}, 0, PARTIAL, 100, DODGY4},
	{"tso and ecn",
	 {NEEDS, TCP4 | ECN, 54, 100, 34, 16},
	 0,
	 PARTIAL,
	 100,
	 DODGY4 | LEAT_GSO_TCP_ECN},
	{"tso and valid, 6.18", {NEEDS | VALID, TCP4, 54, 100, 34, 16}, 0, PARTIAL, 100, DODGY4},
	{"tso, hdr_len 0, 6.18", {NEEDS, TCP4, 0, 100, 34, 16}, 0, PARTIAL, 100, DODGY4},
	{"tso, hdr_len is all, 6.18", {NEEDS, TCP4, 404, 100, 34, 16}, 0, PARTIAL, 100, DODGY4},
	{"tso without partial, 6.18", {0, TCP4, 54, 100, 0, 0}, 0, NONE, 100, DODGY4},
	{"tso without partial, valid", {VALID, TCP4, 0, 100, 0, 0}, 0, UNNECESSARY, 100, DODGY4},
	{"tso, gso_size 1, 6.18", {NEEDS, TCP4, 54, 1, 34, 16}, 0, PARTIAL, 1, DODGY4},
	{"tso, payload is gso_size + 1", {NEEDS, TCP4, 54, 349, 34, 16}, 0, PARTIAL, 349, DODGY4},
	{"tso, payload is gso_size, 6.18", {NEEDS, TCP4, 54, 350, 34, 16}, 0, PARTIAL, 0, 0},
	{"tso, payload under gso_size, 6.18", {NEEDS, TCP4, 54, 1448, 34, 16}, 0, PARTIAL, 0, 0},
	{"tso, small, without partial", {0, TCP4, 54, 1448, 0, 0}, 0, NONE, 0, 0},

	{"tso, csum_offset 6, 6.18", {NEEDS, TCP4, 54, 100, 34, 6}, -EINVAL, 0, 0, 0},
	{"csum_start past the end, 6.18", {NEEDS, TCP4, 54, 100, 404, 16}, -EINVAL, 0, 0, 0},
	{"csum_start 0xffff", {NEEDS, TCP4, 54, 100, 0xffff, 16}, -EINVAL, 0, 0, 0},
	{"csum_offset 0xffff", {NEEDS, 0, 0, 0, 34, 0xffff}, -EINVAL, 0, 0, 0},
	{"both", {NEEDS, 0, 0, 0, 0xffff, 0xffff}, -EINVAL, 0, 0, 0},
	{"field ends at the end, 6.18", {NEEDS, 0, 0, 0, 386, 16}, 0, PARTIAL, 0, 0},
	{"field ends one further, 6.18", {NEEDS, 0, 0, 0, 387, 16}, -EINVAL, 0, 0, 0},
	{"csum_start in the IP header", {NEEDS, 0, 0, 0, 33, 16}, -EINVAL, 0, 0, 0},
	{"csum_start 0", {NEEDS, 0, 0, 0, 0, 16}, -EINVAL, 0, 0, 0},
	{"tso6 over ipv4, 6.18", {NEEDS, TCP6, 54, 100, 34, 16}, -EINVAL, 0, 0, 0},
	{"gso_size 0, 6.18", {NEEDS, TCP4, 54, 0, 34, 16}, -EINVAL, 0, 0, 0},
	{"gso_size 0xffff, 6.18", {NEEDS, TCP4, 54, 0xffff, 34, 16}, -EINVAL, 0, 0, 0},
	{"hdr_len past the frame, 6.18", {NEEDS, TCP4, 405, 100, 34, 16}, -EINVAL, 0, 0, 0},
	{"hdr_len past the frame, plain", {0, 0, 405, 0, 0, 0}, -EINVAL, 0, 0, 0},
	{"hdr_len within Ethernet's, 6.18", {0, TCP4, 13, 100, 0, 0}, -EINVAL, 0, 0, 0},
	{"hdr_len within Ethernet's, plain", {0, 0, 1, 0, 0, 0}, -EINVAL, 0, 0, 0},
	{"the same, with a checksum, 6.18",
	 {NEEDS, TCP4, 13, 100, 34, 16},
	 0,
	 PARTIAL,
	 100,
	 DODGY4},
	{"none with ecn, 6.18", {NEEDS, ECN, 54, 100, 34, 16}, -EINVAL, 0, 0, 0},
	{"type 2, 6.18", {NEEDS, 2, 54, 100, 34, 16}, -EINVAL, 0, 0, 0},
	{"type 6", {NEEDS, 6, 54, 100, 34, 16}, -EINVAL, 0, 0, 0},
	{"udp tunnel", {NEEDS, 0x20 | TCP4, 54, 100, 34, 16}, -EINVAL, 0, 0, 0},
	{"type 0x7f", {NEEDS, 0x7f, 54, 100, 34, 16}, -EINVAL, 0, 0, 0},
	/* what 6.18 takes and then drops in its segmenter */
	{"csum_start not at tcp", {NEEDS, TCP4, 54, 100, 36, 16}, -EINVAL, 0, 0, 0},
	{"uso over tcp", {NEEDS, USO, 42, 100, 34, 6}, -EINVAL, 0, 0, 0},
	{"ufo over tcp", {NEEDS, UFO, 42, 100, 34, 6}, -EINVAL, 0, 0, 0},
};

static const struct read_row tcp6_rows[] = {
	{"partial", {NEEDS, 0, 0, 0, 54, 16}, 0, PARTIAL, 0, 0},
	{"tso6", {NEEDS, TCP6, 74, 100, 54, 16}, 0, PARTIAL, 100, DODGY6},
	{"tso6 and ecn",
	 {NEEDS, TCP6 | ECN, 74, 100, 54, 16},
	 0,
	 PARTIAL,
	 100,
	 DODGY6 | LEAT_GSO_TCP_ECN},
	{"tso over ipv6", {NEEDS, TCP4, 74, 100, 54, 16}, -EINVAL, 0, 0, 0},
	{"csum_start in the IP header", {NEEDS, 0, 0, 0, 34, 16}, -EINVAL, 0, 0, 0},
};

/* 42 bytes of headers, 1300 of payload. */
static const struct read_row udp4_rows[] = {
	{"partial", {NEEDS, 0, 0, 0, 34, 6}, 0, PARTIAL, 0, 0},
	{"uso, 6.18", {NEEDS, USO, 42, 100, 34, 6}, 0, PARTIAL, 100, DODGY_USO},
	{"uso, payload is gso_size, 6.18", {NEEDS, USO, 42, 1300, 34, 6}, 0, PARTIAL, 0, 0},
	{"uso, payload under gso_size, 6.18", {NEEDS, USO, 42, 1400, 34, 6}, 0, PARTIAL, 0, 0},
	{"uso, 119 segments", {NEEDS, USO, 42, 11, 34, 6}, 0, PARTIAL, 11, DODGY_USO},
	{"uso, 130 segments", {NEEDS, USO, 42, 10, 34, 6}, -EINVAL, 0, 0, 0},
	{"uso, gso_size 0xffff, 6.18", {NEEDS, USO, 42, 0xffff, 34, 6}, -EINVAL, 0, 0, 0},
	{"uso without partial, 6.18", {0, USO, 42, 100, 34, 6}, -EINVAL, 0, 0, 0},
	{"uso, csum_offset 16", {NEEDS, USO, 42, 100, 34, 16}, -EINVAL, 0, 0, 0},
	{"uso and ecn, 6.18", {NEEDS, USO | ECN, 42, 100, 34, 6}, -EINVAL, 0, 0, 0},
	{"ufo", {NEEDS, UFO, 42, 1000, 34, 6}, 0, PARTIAL, 1000, DODGY_UFO},
	{"ufo without partial, 6.18", {0, UFO, 42, 1000, 0, 0}, 0, NONE, 1000, DODGY_UFO},
	{"ufo, gso_size is payload", {NEEDS, UFO, 42, 1300, 34, 6}, 0, PARTIAL, 1300, DODGY_UFO},
	{"ufo, gso_size is datagram", {NEEDS, UFO, 42, 1308, 34, 6}, 0, PARTIAL, 0, 0},
	{"ufo, gso_size 0xffff, 6.18", {NEEDS, UFO, 42, 0xffff, 34, 6}, -EINVAL, 0, 0, 0},
	{"ufo and ecn", {NEEDS, UFO | ECN, 42, 100, 34, 6}, -EINVAL, 0, 0, 0},
	{"tso over udp", {NEEDS, TCP4, 54, 100, 34, 16}, -EINVAL, 0, 0, 0},
	{"tso over udp without partial", {0, TCP4, 54, 100, 0, 0}, -EINVAL, 0, 0, 0},
};

static const struct read_row segments_128_rows[] = {
	{"uso, 128 segments, 6.18", {NEEDS, USO, 42, 100, 34, 6}, 0, PARTIAL, 100, DODGY_USO},
};

static const struct read_row segments_129_rows[] = {
	{"uso, 129 segments, 6.18", {NEEDS, USO, 42, 100, 34, 6}, -EINVAL, 0, 0, 0},
};

static const struct read_row fragment_rows[] = {
	{"tso of a fragment", {0, TCP4, 0, 100, 0, 0}, -EINVAL, 0, 0, 0},
	{"plain fragment", {0, 0, 0, 0, 0, 0}, 0, NONE, 0, 0},
};

static const struct read_row icmp_rows[] = {
	{"plain", {0, 0, 0, 0, 0, 0}, 0, NONE, 0, 0},
	{"partial", {NEEDS, 0, 0, 0, 34, 2}, 0, PARTIAL, 0, 0},
	{"tso", {0, TCP4, 0, 100, 0, 0}, -EINVAL, 0, 0, 0},
};

static const struct group groups[] = {
	{{.payload = 350}, tcp4_rows, LENGTH(tcp4_rows)},
	{{.version = 6, .payload = 350}, tcp6_rows, LENGTH(tcp6_rows)},
	{{.protocol = FRAME_UDP, .payload = 1300}, udp4_rows, LENGTH(udp4_rows)},
	{{.protocol = FRAME_UDP, .payload = 12800}, segments_128_rows, 1},
	{{.protocol = FRAME_UDP, .payload = 12801}, segments_129_rows, 1},
	{{.frag_off = FRAME_MF, .payload = 350}, fragment_rows, LENGTH(fragment_rows)},
	{{.protocol = 1, .payload = 350}, icmp_rows, LENGTH(icmp_rows)},
};

static void check_read(struct leat_pkt *pkt, const struct read_row *row, size_t hdr_len)
{
	uint8_t hdr[24] = {[10] = 0xff, [11] = 0xff};
	struct leat_pkt before;

	print_message("%s\n", row->name);
	put(hdr, &row->hdr);
	pkt->gso_type = LEAT_GSO_SCTP; /* left by somebody else */
	pkt->gso_size = 9;
	pkt->gso_segs = 8;
	pkt->csum = UNNECESSARY;
	before = *pkt;
	assert_int_equal(leat_vnet_read(pkt, hdr, hdr_len), row->result);
	if (row->result != 0) {
		assert_memory_equal(pkt, &before, sizeof(before));
		return;
	}
	assert_int_equal(pkt->csum, row->csum);
	assert_int_equal(pkt->gso_type, row->gso_type);
	assert_int_equal(pkt->gso_size, row->gso_size);
	assert_int_equal(pkt->gso_segs, 0);
	if (row->csum == PARTIAL) {
		assert_int_equal(pkt->csum_start, row->hdr.csum_start);
		assert_int_equal(pkt->csum_offset, row->hdr.csum_offset);
	}
}

static void test_read(void **state)
{
	for (size_t i = 0; i < LENGTH(groups); i++) {
		struct arena arena = {0};
		struct leat_pkt *pkt = arena_frame(&arena, &groups[i].frame);

		for (size_t j = 0; j < groups[i].n; j++) {
			check_read(pkt, &groups[i].rows[j], 10);
			check_read(pkt, &groups[i].rows[j], 12);
			check_read(pkt, &groups[i].rows[j], 20);
			check_read(pkt, &groups[i].rows[j], 24);
		}
		arena_clear(&arena);
	}
}

/* A TCP header that the parser refused is no super-packet's: doff 4. */
static void test_read_bad_transport(void **state)
{
	static const struct read_row rows[] = {
		{"tso, doff 4", {NEEDS, TCP4, 54, 100, 34, 16}, -EINVAL, 0, 0, 0},
		{"partial, doff 4", {NEEDS, 0, 54, 100, 34, 16}, 0, PARTIAL, 0, 0},
	};
	struct arena arena = {0};
	struct leat_pkt *pkt = arena_frame(&arena, &(struct frame){.payload = 350});

	pkt->data[46] = 0x40;
	leat_parse(NULL, &pkt, 1);
	for (size_t i = 0; i < LENGTH(rows); i++)
		check_read(pkt, &rows[i], 10);
	arena_clear(&arena);
}

/* Nothing is known of another protocol's frame but where it begins and ends. */
static void test_read_not_ip(void **state)
{
	static const struct read_row rows[] = {
		{"plain", {0, 0, 60, 0, 0, 0}, 0, NONE, 0, 0},
		{"partial", {NEEDS, 0, 0, 0, 14, 16}, 0, PARTIAL, 0, 0},
		{"partial in ethernet", {NEEDS, 0, 0, 0, 13, 16}, -EINVAL, 0, 0, 0},
		{"tso", {0, TCP4, 0, 10, 0, 0}, -EINVAL, 0, 0, 0},
	};
	struct arena arena = {0};
	struct leat_pkt *pkt = arena_add(&arena, (uint8_t[60]){[12] = 0x88, [13] = 0x47}, 60);

	for (size_t i = 0; i < LENGTH(rows); i++)
		check_read(pkt, &rows[i], 12);
	arena_clear(&arena);
}

/* What was read in can be completed: the field lies in the first slice. */
static void test_read_slices(void **state)
{
	static const struct read_row rows[] = {
		{"tso", {NEEDS, TCP4, 0, 100, 34, 16}, 0, PARTIAL, 100, DODGY4},
		{"partial, first slice", {NEEDS, 0, 0, 0, 34, 18}, 0, PARTIAL, 0, 0},
		{"partial, next slice", {NEEDS, 0, 0, 0, 34, 19}, -EINVAL, 0, 0, 0},
	};
	struct arena arena = {0};
	struct leat_pkt *flat = arena_frame(&arena, &(struct frame){.payload = 350});
	struct leat_pkt *pkt = arena_add(&arena, flat->data, 54);

	leat_pkt_chain(pkt, arena_add(&arena, flat->data + 54, 350));
	leat_parse(NULL, &pkt, 1);
	for (size_t i = 0; i < LENGTH(rows); i++) {
		check_read(pkt, &rows[i], 10);
		assert_int_equal(leat_csum_complete(pkt), 0);
	}
	arena_clear(&arena);
}

static void test_lengths(void **state)
{
	static const size_t bad[] = {0, 9, 11, 13, 19, 21, 23, 25, 64};
	struct arena arena = {0};
	struct leat_pkt *pkt = arena_frame(&arena, &(struct frame){.payload = 350});
	struct leat_vnet_meta meta = leat_vnet_meta(pkt);
	uint8_t hdr[LEAT_VNET_HDR_LEN_MAX] = {0};

	for (size_t i = 0; i < LENGTH(bad); i++) {
		assert_int_equal(leat_vnet_read(pkt, hdr, bad[i]), -EINVAL);
		assert_int_equal(leat_vnet_write(&meta, hdr, bad[i]), -EOPNOTSUPP);
	}
	arena_clear(&arena);
}

struct write_row {
	const char *name;
	struct leat_vnet_meta meta;
	int result;
	struct hdr hdr;
};

#define SUPER4(sum) META(LEAT_GSO_TCPV4, 1448, 34, 16, 66, sum)

static const struct write_row write_rows[] = {
	{"plain", META(0, 0, 0, 0, 54, NONE), 0, {0, 0, 54, 0, 0, 0}},
	{"left-overs", META(0, 99, 34, 16, 54, NONE), 0, {0, 0, 54, 0, 0, 0}},
	{"valid", META(0, 0, 34, 16, 0, UNNECESSARY), 0, {VALID, 0, 0, 0, 0, 0}},
	{"partial", META(0, 0, 34, 16, 54, PARTIAL), 0, {NEEDS, 0, 54, 0, 34, 16}},
	{"tso", SUPER4(PARTIAL), 0, {NEEDS, TCP4, 66, 1448, 34, 16}},
	{"tso, checksum done", SUPER4(NONE), 0, {0, TCP4, 66, 1448, 0, 0}},
	{"dodgy", META(DODGY4, 1448, 34, 16, 66, PARTIAL), 0, {NEEDS, TCP4, 66, 1448, 34, 16}},
	{"ecn",
	 META(LEAT_GSO_TCPV6 | LEAT_GSO_TCP_ECN, 0x1234, 0x5678, 16, 0x9abc, PARTIAL),
	 0,
	 {NEEDS, TCP6 | ECN, 0x9abc, 0x1234, 0x5678, 16}},
	{"uso", META(LEAT_GSO_UDP_L4, 1200, 34, 6, 42, PARTIAL), 0, {NEEDS, USO, 42, 1200, 34, 6}},
	{"ufo", META(LEAT_GSO_UDP, 1480, 34, 6, 42, PARTIAL), 0, {NEEDS, UFO, 42, 1480, 34, 6}},

	{"uso, not partial", META(LEAT_GSO_UDP_L4, 1200, 34, 6, 42, NONE), -EOPNOTSUPP, {0}},
	{"fixed ids",
	 META(LEAT_GSO_TCPV4 | LEAT_GSO_TCP_FIXEDID, 1448, 34, 16, 66, PARTIAL),
	 -EOPNOTSUPP,
	 {0}},
	{"sctp", META(LEAT_GSO_SCTP, LEAT_GSO_BY_FRAGS, 34, 8, 46, PARTIAL), -EOPNOTSUPP, {0}},
	{"fraglist",
	 META(LEAT_GSO_UDP_L4 | LEAT_GSO_FRAGLIST, 1200, 34, 6, 42, PARTIAL),
	 -EOPNOTSUPP,
	 {0}},
	{"accecn",
	 META(LEAT_GSO_TCPV4 | LEAT_GSO_TCP_ACCECN, 9, 34, 16, 66, PARTIAL),
	 -EOPNOTSUPP,
	 {0}},
	{"gre",
	 META(LEAT_GSO_TCPV4 | LEAT_GSO_GRE, 9, 58, 16, 78, PARTIAL),
	 0,
	 {NEEDS, TCP4, 78, 9, 58, 16}},
	{"gre with checksum",
	 META(LEAT_GSO_UDP_L4 | LEAT_GSO_GRE_CSUM, 9, 62, 6, 70, PARTIAL),
	 0,
	 {NEEDS, USO, 70, 9, 62, 6}},
	{"ipip",
	 META(LEAT_GSO_TCPV4 | LEAT_GSO_IPXIP4 | LEAT_GSO_TCP_ECN, 9, 54, 16, 74, PARTIAL),
	 0,
	 {NEEDS, TCP4 | ECN, 74, 9, 54, 16}},
	{"4in6, checksum done",
	 META(LEAT_GSO_TCPV4 | LEAT_GSO_IPXIP6, 9, 74, 16, 94, NONE),
	 0,
	 {0, TCP4, 94, 9, 0, 0}},
	{"two types",
	 META(LEAT_GSO_TCPV4 | LEAT_GSO_TCPV6, 9, 34, 16, 66, PARTIAL),
	 -EOPNOTSUPP,
	 {0}},
	{"udp with ecn",
	 META(LEAT_GSO_UDP_L4 | LEAT_GSO_TCP_ECN, 9, 34, 6, 42, PARTIAL),
	 -EOPNOTSUPP,
	 {0}},
	{"ecn alone", META(LEAT_GSO_TCP_ECN, 9, 34, 16, 66, PARTIAL), -EOPNOTSUPP, {0}},
	{"by frags",
	 META(LEAT_GSO_TCPV4, LEAT_GSO_BY_FRAGS, 34, 16, 66, PARTIAL),
	 -EOPNOTSUPP,
	 {0}},
	{"fixed ids inside",
	 META(LEAT_GSO_TCPV4 | LEAT_GSO_IPXIP4 | LEAT_GSO_TCP_FIXEDID_INNER, 9, 54, 16, 74,
	      PARTIAL),
	 -EOPNOTSUPP,
	 {0}},
	{"two tunnels",
	 META(LEAT_GSO_TCPV4 | LEAT_GSO_IPXIP4 | LEAT_GSO_GRE, 9, 54, 16, 74, PARTIAL),
	 -EOPNOTSUPP,
	 {0}},
	{"ufo in a tunnel",
	 META(LEAT_GSO_UDP | LEAT_GSO_IPXIP4, 1480, 54, 6, 62, PARTIAL),
	 -EOPNOTSUPP,
	 {0}},
	{"tunnel alone", META(LEAT_GSO_GRE, 9, 58, 16, 78, PARTIAL), -EOPNOTSUPP, {0}},
	{"partial gso",
	 META(LEAT_GSO_TCPV4 | LEAT_GSO_PARTIAL, 9, 34, 16, 54, PARTIAL),
	 -EOPNOTSUPP,
	 {0}},
	{"tcp fraglist",
	 META(LEAT_GSO_TCPV4 | LEAT_GSO_FRAGLIST, 9, 34, 16, 54, PARTIAL),
	 -EOPNOTSUPP,
	 {0}},
	{"gso_size 0", META(LEAT_GSO_TCPV4, 0, 34, 16, 66, PARTIAL), -EOPNOTSUPP, {0}},
};

static void test_write(void **state)
{
	static const size_t lengths[] = {10, 12, 20, 24};

	for (size_t i = 0; i < LENGTH(write_rows); i++) {
		const struct write_row *row = &write_rows[i];

		print_message("%s\n", row->name);
		for (size_t j = 0; j < LENGTH(lengths); j++) {
			uint8_t hdr[25], want[25];
			size_t len = lengths[j];

			memset(hdr, 0xee, sizeof(hdr));
			memset(want, 0xee, sizeof(want));
			assert_int_equal(leat_vnet_write(&row->meta, hdr, len), row->result);
			if (row->result == 0) {
				memset(want, 0, len);
				put(want, &row->hdr);
			}
			assert_memory_equal(hdr, want, sizeof(want));
		}
	}
}

/* A packet's fields, written and read again, are the same and of untrusted origin. */
static void test_round_trip(void **state)
{
	struct arena arena = {0};
	struct leat_pkt *pkt = arena_frame(&arena, &(struct frame){.vlans = 1,
								   .opts = (const uint8_t[12]){0},
								   .opts_len = 12,
								   .payload = 5000});
	struct leat_vnet_meta meta, again;
	uint8_t hdr[12];

	pkt->gso_type = LEAT_GSO_TCPV4;
	pkt->gso_size = 1436;
	pkt->csum = PARTIAL;
	pkt->csum_start = pkt->lvl[0].transport;
	pkt->csum_offset = 16;
	meta = leat_vnet_meta(pkt);
	assert_int_equal(meta.hdr_len, 14 + 4 + 20 + 20 + 12);
	assert_int_equal(leat_vnet_write(&meta, hdr, 12), 0);
	pkt->gso_type = pkt->gso_size = pkt->csum_start = pkt->csum_offset = pkt->csum = 0;
	assert_int_equal(leat_vnet_read(pkt, hdr, 12), 0);
	again = leat_vnet_meta(pkt);
	assert_int_equal(again.gso_type, LEAT_GSO_TCPV4 | LEAT_GSO_DODGY);
	again.gso_type = LEAT_GSO_TCPV4;
	assert_int_equal(again.gso_size, meta.gso_size);
	assert_int_equal(again.csum, meta.csum);
	assert_int_equal(again.csum_start, meta.csum_start);
	assert_int_equal(again.csum_offset, meta.csum_offset);
	assert_int_equal(again.hdr_len, meta.hdr_len);
	arena_clear(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),	    cmocka_unit_test(test_read_bad_transport),
		cmocka_unit_test(test_read_not_ip), cmocka_unit_test(test_read_slices),
		cmocka_unit_test(test_lengths),	    cmocka_unit_test(test_write),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
