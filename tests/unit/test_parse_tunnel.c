/* SPDX-License-Identifier: MIT */
/*
 * test_parse_tunnel.c - what the parser finds in a tunnel, and why it does not enter one.
 */
#include <leat/parse.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../frame.h"
#include "../sane.h"

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))
#define BYTES(...)   (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

/* A byte of the frame, changed. */
struct patch {
	uint16_t at;
	uint8_t byte;
};

struct want {
	uint8_t reason, depth, levels, tunnel;
	uint16_t mac, network, transport, payload; /* the inner */
};

struct row {
	const char *name;
	struct frame frame;
	struct want want;
	struct patch patches[6]; /* up to the first at 0 */
	uint32_t headlen;	 /* bytes in the first slice, 0: all */
};

enum {
	IP = LEAT_TUNNEL_IP,
	GRE = LEAT_TUNNEL_GRE,
	VXLAN = LEAT_TUNNEL_VXLAN,
	GENEVE = LEAT_TUNNEL_GENEVE,
	GUE = LEAT_TUNNEL_GUE,
	FOU = LEAT_TUNNEL_FOU,
	NETWORK = LEAT_DEPTH_NETWORK,
	TRANSPORT = LEAT_DEPTH_TRANSPORT,
	MARK = 0x5a, /* what every inner packet's payload length is */
};

/* Entered: all of the inner packet; entered, with no transport header found there; not entered. */
#define WHOLE(tunnel, mac, network, transport, payload) \
	.want = {LEAT_PARSE_OK, TRANSPORT, 2, tunnel, mac, network, transport, payload}
#define PART(why, tunnel, mac, network, transport) \
	.want = {why, NETWORK, 2, tunnel, mac, network, transport, 0}
#define SHUT(why, tunnel)                                      \
	.want = {why, (tunnel) >= VXLAN ? TRANSPORT : NETWORK, \
		 1,   tunnel,                                  \
		 0,   0,                                       \
		 0,   (tunnel) >= VXLAN ? 42 : 0}

static const struct frame tcp = {.payload = MARK};
static const struct frame tcp6 = {.payload = MARK, .version = 6};
static const struct frame udp = {.payload = MARK, .protocol = FRAME_UDP};
static const struct frame tags = {.payload = MARK, .vlans = 2, .vlan = {7, 8}};
static const struct frame icmp = {.payload = MARK, .protocol = 1};
static const struct frame options = {.payload = MARK, .ext = BYTES(1, 1, 1, 0)};
static const struct frame first = {.payload = MARK, .frag_off = FRAME_MF};
static const struct frame later = {.payload = MARK, .frag_off = 9};
static const struct frame padded = {.payload = MARK, .padding = 4};
static const struct frame ipip = {.inner = &tcp, .tunnel = IP};
static const struct frame gre = {.inner = &tcp, .tunnel = GRE};
static const struct frame vxlan = {.inner = &tcp, .tunnel = VXLAN};

#define HEADER LEAT_PARSE_TUNNEL_HEADER
#define OTHER  LEAT_PARSE_TUNNEL_INNER
#define DEEP   LEAT_PARSE_TUNNEL_DEPTH

static const struct row rows[] = {
	{"ipip", .frame = {.inner = &tcp, .tunnel = IP}, WHOLE(IP, 0, 34, 54, 74)},
	{"sit", .frame = {.inner = &tcp6, .tunnel = IP}, WHOLE(IP, 0, 34, 74, 94)},
	{"4in6", .frame = {.version = 6, .inner = &tcp, .tunnel = IP}, WHOLE(IP, 0, 54, 74, 94)},
	{"6in6", .frame = {.version = 6, .inner = &tcp6, .tunnel = IP}, WHOLE(IP, 0, 54, 94, 114)},
	{"ipip in vlans", .frame = {.vlans = 2, .inner = &tcp, .tunnel = IP},
	 WHOLE(IP, 0, 42, 62, 82)},
	{"ipip, udp", .frame = {.inner = &udp, .tunnel = IP}, WHOLE(IP, 0, 34, 54, 62)},
	{"ipip, icmp", .frame = {.inner = &icmp, .tunnel = IP},
	 PART(LEAT_PARSE_PROTOCOL, IP, 0, 34, 54)},
	{"ipip, inner options", .frame = {.inner = &options, .tunnel = IP},
	 WHOLE(IP, 0, 34, 58, 78)},
	{"ipip, outer options", .frame = {.ext = BYTES(1, 1, 1, 0), .inner = &tcp, .tunnel = IP},
	 WHOLE(IP, 0, 38, 58, 78)},
	{"6in6 behind an extension header",
	 .frame = {.version = 6,
		   .ext = BYTES(41, 0, 1, 4, 0, 0, 0, 0),
		   .ext_first = 60,
		   .inner = &tcp6,
		   .tunnel = IP},
	 WHOLE(IP, 0, 62, 102, 122)},
	{"ipip, inner later fragment", .frame = {.inner = &later, .tunnel = IP},
	 PART(LEAT_PARSE_FRAGMENT, IP, 0, 34, 54)},
	{"ipip, inner bad doff", .frame = {.inner = &tcp, .tunnel = IP},
	 PART(LEAT_PARSE_BAD_TRANSPORT, IP, 0, 34, 54), .patches = {{66, 0x40}}},
	{"ipip, fragment", .frame = {.frag_off = FRAME_MF, .inner = &tcp, .tunnel = IP},
	 SHUT(LEAT_PARSE_FRAGMENT, IP)},
	{"ipip, inner of version 6", .frame = {.inner = &tcp, .tunnel = IP},
	 SHUT(LEAT_PARSE_BAD_NETWORK, IP), .patches = {{34, 0x65}}},
	{"ipip, inner longer than the outer", .frame = {.inner = &tcp, .tunnel = IP, .padding = 9},
	 SHUT(LEAT_PARSE_SHORT_NETWORK, IP), .patches = {{37, 41 + MARK}}},
	{"sit, inner longer than the outer", .frame = {.inner = &tcp6, .tunnel = IP, .padding = 9},
	 SHUT(LEAT_PARSE_SHORT_NETWORK, IP), .patches = {{39, 21 + MARK}}},
	{"ipip, inner total length 0", .frame = {.inner = &tcp, .tunnel = IP},
	 SHUT(LEAT_PARSE_BAD_NETWORK, IP), .patches = {{36, 0}, {37, 0}}},
	{"ipip, inner header cut", .frame = {.inner = &tcp, .tunnel = IP},
	 SHUT(LEAT_PARSE_SHORT_TRANSPORT, 0), .headlen = 53},
	{"6in6, payload length 0", .frame = {.version = 6, .inner = &tcp6, .tunnel = IP},
	 SHUT(LEAT_PARSE_SHORT_TRANSPORT, 0), .patches = {{19, 0}}},
	{"sit, 39 bytes", .frame = {.inner = &tcp6, .tunnel = IP},
	 SHUT(LEAT_PARSE_SHORT_TRANSPORT, 0), .patches = {{17, 59}}},
	{"4in4in4", .frame = {.inner = &ipip, .tunnel = IP}, PART(DEEP, IP, 0, 34, 54)},

	{"gre", .frame = {.inner = &tcp, .tunnel = GRE}, WHOLE(GRE, 0, 38, 58, 78)},
	{"gre, inner 6", .frame = {.inner = &tcp6, .tunnel = GRE}, WHOLE(GRE, 0, 38, 78, 98)},
	{"gre in 6", .frame = {.version = 6, .inner = &tcp, .tunnel = GRE},
	 WHOLE(GRE, 0, 58, 78, 98)},
	{"gre, key", .frame = {.inner = &tcp, .tunnel = GRE, .gre_key = true},
	 WHOLE(GRE, 0, 42, 62, 82)},
	{"gre, checksum", .frame = {.inner = &tcp, .tunnel = GRE, .gre_csum = true},
	 WHOLE(GRE, 0, 42, 62, 82)},
	{"gre, both, ethernet",
	 .frame = {.inner = &tcp, .tunnel = GRE, .gre_csum = true, .gre_key = true, .eth = true},
	 WHOLE(GRE, 46, 60, 80, 100)},
	{"gre, ethernet with tags", .frame = {.inner = &tags, .tunnel = GRE, .eth = true},
	 WHOLE(GRE, 38, 60, 80, 100)},
	{"gre, sequence number", .frame = {.inner = &tcp, .tunnel = GRE, .gre_seq = true},
	 SHUT(HEADER, GRE)},
	{"gre, routing", .frame = {.inner = &tcp, .tunnel = GRE}, SHUT(HEADER, GRE),
	 .patches = {{34, 0x40}}},
	{"gre, version 1", .frame = {.inner = &tcp, .tunnel = GRE}, SHUT(HEADER, GRE),
	 .patches = {{35, 1}}},
	{"gre, mpls", .frame = {.inner = &tcp, .tunnel = GRE}, SHUT(OTHER, GRE),
	 .patches = {{36, 0x88}, {37, 0x47}}},
	{"gre, arp in ethernet", .frame = {.inner = &tcp, .tunnel = GRE, .eth = true},
	 SHUT(OTHER, GRE), .patches = {{50, 8}, {51, 6}}},
	{"gre, fragment", .frame = {.frag_off = FRAME_MF, .inner = &tcp, .tunnel = GRE},
	 SHUT(LEAT_PARSE_FRAGMENT, GRE)},
	{"gre, key cut", .frame = {.inner = &tcp, .tunnel = GRE, .gre_key = true},
	 SHUT(HEADER, GRE), .headlen = 41},
	{"gre, ethernet cut", .frame = {.inner = &tcp, .tunnel = GRE, .eth = true},
	 SHUT(LEAT_PARSE_SHORT_LINK, GRE), .headlen = 51},
	{"3 bytes of gre", .frame = {.inner = &tcp, .tunnel = GRE},
	 SHUT(LEAT_PARSE_SHORT_TRANSPORT, 0), .headlen = 37},
	{"gre in gre", .frame = {.inner = &gre, .tunnel = GRE}, PART(DEEP, GRE, 0, 38, 58)},

	{"vxlan", .frame = {.inner = &tcp, .tunnel = VXLAN}, WHOLE(VXLAN, 50, 64, 84, 104)},
	{"vxlan in 6", .frame = {.version = 6, .inner = &tcp6, .tunnel = VXLAN},
	 WHOLE(VXLAN, 70, 84, 124, 144)},
	{"vxlan, tags", .frame = {.inner = &tags, .tunnel = VXLAN}, WHOLE(VXLAN, 50, 72, 92, 112)},
	{"vxlan, reserved bits", .frame = {.inner = &tcp, .tunnel = VXLAN},
	 WHOLE(VXLAN, 50, 64, 84, 104), .patches = {{42, 0xff}, {43, 0xff}, {49, 0xff}}},
	{"vxlan, icmp", .frame = {.inner = &icmp, .tunnel = VXLAN},
	 PART(LEAT_PARSE_PROTOCOL, VXLAN, 50, 64, 84)},
	{"vxlan, no identifier", .frame = {.inner = &tcp, .tunnel = VXLAN}, SHUT(HEADER, VXLAN),
	 .patches = {{42, 0xf7}}},
	{"vxlan, 7 bytes", .frame = {.inner = &tcp, .tunnel = VXLAN}, SHUT(HEADER, VXLAN),
	 .headlen = 49},
	{"vxlan, arp", .frame = {.inner = &tcp, .tunnel = VXLAN}, SHUT(OTHER, VXLAN),
	 .patches = {{62, 8}, {63, 6}}},
	{"vxlan, inner tag cut", .frame = {.inner = &tags, .tunnel = VXLAN},
	 SHUT(LEAT_PARSE_SHORT_LINK, VXLAN), .headlen = 71},
	{"vxlan, fragment", .frame = {.frag_off = FRAME_MF, .inner = &tcp, .tunnel = VXLAN},
	 SHUT(LEAT_PARSE_FRAGMENT, VXLAN)},
	{"vxlan, udp longer than ip", .frame = {.inner = &tcp, .tunnel = VXLAN, .padding = 9},
	 SHUT(HEADER, VXLAN), .patches = {{39, 71 + MARK}}},
	{"vxlan, udp shorter than the inner packet", .frame = {.inner = &tcp, .tunnel = VXLAN},
	 SHUT(LEAT_PARSE_SHORT_NETWORK, VXLAN), .patches = {{39, 69 + MARK}}},
	{"vxlan, udp shorter than its header", .frame = {.inner = &tcp, .tunnel = VXLAN},
	 SHUT(HEADER, VXLAN), .patches = {{39, 15}}},
	{"vxlan, inner padding", .frame = {.inner = &padded, .tunnel = VXLAN},
	 WHOLE(VXLAN, 50, 64, 84, 104)},
	{"vxlan, udp ends in the inner header, whose version is wrong",
	 .frame = {.inner = &tcp, .tunnel = VXLAN}, SHUT(LEAT_PARSE_SHORT_NETWORK, VXLAN),
	 .patches = {{38, 0}, {39, 40}, {64, 0x65}}},
	{"vxlan, udp ends in the inner header, 6", .frame = {.inner = &tcp6, .tunnel = VXLAN},
	 SHUT(LEAT_PARSE_SHORT_NETWORK, VXLAN), .patches = {{38, 0}, {39, 60}}},
	{"vxlan in vxlan", .frame = {.inner = &vxlan, .tunnel = VXLAN},
	 PART(DEEP, VXLAN, 50, 64, 84)},
	{"ipip in vxlan", .frame = {.inner = &ipip, .tunnel = VXLAN},
	 PART(DEEP, VXLAN, 50, 64, 84)},

	{"geneve", .frame = {.inner = &tcp, .tunnel = GENEVE}, WHOLE(GENEVE, 0, 50, 70, 90)},
	{"geneve, ethernet", .frame = {.inner = &tcp, .tunnel = GENEVE, .eth = true},
	 WHOLE(GENEVE, 50, 64, 84, 104)},
	{"geneve, options, 6",
	 .frame = {.inner = &tcp6,
		   .tunnel = GENEVE,
		   .tunnel_opts = BYTES(1, 2, 0x83, 1, 9, 9, 9, 9)},
	 WHOLE(GENEVE, 0, 58, 98, 118)},
	{"geneve, critical options", .frame = {.inner = &tcp, .tunnel = GENEVE},
	 WHOLE(GENEVE, 0, 50, 70, 90), .patches = {{43, 0x40}}},
	{"geneve, control", .frame = {.inner = &tcp, .tunnel = GENEVE}, SHUT(OTHER, GENEVE),
	 .patches = {{43, 0x80}}},
	{"geneve, version 1", .frame = {.inner = &tcp, .tunnel = GENEVE}, SHUT(HEADER, GENEVE),
	 .patches = {{42, 0x40}}},
	{"geneve, 7 bytes", .frame = {.inner = &tcp, .tunnel = GENEVE}, SHUT(HEADER, GENEVE),
	 .headlen = 49},
	{"geneve, options cut",
	 .frame = {.inner = &tcp6, .tunnel = GENEVE, .tunnel_opts = BYTES(1, 2, 3, 1, 9, 9, 9, 9)},
	 SHUT(HEADER, GENEVE), .headlen = 57},
	{"geneve, another protocol", .frame = {.inner = &tcp, .tunnel = GENEVE},
	 SHUT(OTHER, GENEVE), .patches = {{45, 1}}},

	{"gue", .frame = {.inner = &tcp, .tunnel = GUE}, WHOLE(GUE, 0, 46, 66, 86)},
	{"gue, 6", .frame = {.inner = &tcp6, .tunnel = GUE}, WHOLE(GUE, 0, 46, 86, 106)},
	{"gue, direct", .frame = {.inner = &tcp, .tunnel = GUE, .direct = true},
	 WHOLE(GUE, 0, 42, 62, 82)},
	{"gue, direct, 6", .frame = {.inner = &tcp6, .tunnel = GUE, .direct = true},
	 WHOLE(GUE, 0, 42, 82, 102)},
	{"gue, direct, neither", .frame = {.inner = &tcp, .tunnel = GUE, .direct = true},
	 SHUT(LEAT_PARSE_BAD_NETWORK, GUE), .patches = {{42, 0x55}}},
	{"gue, variant 2", .frame = {.inner = &tcp, .tunnel = GUE}, SHUT(HEADER, GUE),
	 .patches = {{42, 0x80}}},
	{"gue, control", .frame = {.inner = &tcp, .tunnel = GUE}, SHUT(OTHER, GUE),
	 .patches = {{42, 0x20}}},
	{"gue, private data",
	 .frame = {.inner = &tcp, .tunnel = GUE, .tunnel_opts = BYTES(1, 2, 3, 4)},
	 WHOLE(GUE, 0, 50, 70, 90)},
	{"gue, private flags, none set",
	 .frame = {.inner = &tcp, .tunnel = GUE, .tunnel_opts = BYTES(0, 0, 0, 0)},
	 WHOLE(GUE, 0, 50, 70, 90), .patches = {{45, 1}}},
	{"gue, private flags missing", .frame = {.inner = &tcp, .tunnel = GUE}, SHUT(HEADER, GUE),
	 .patches = {{45, 1}}},
	{"gue, an unknown private flag",
	 .frame = {.inner = &tcp, .tunnel = GUE, .tunnel_opts = BYTES(0x40, 0, 0, 0, 0, 0, 0, 0)},
	 SHUT(HEADER, GUE), .patches = {{45, 1}}},
	{"gue, an unknown flag",
	 .frame = {.inner = &tcp, .tunnel = GUE, .tunnel_opts = BYTES(0, 0, 0, 0)},
	 SHUT(HEADER, GUE), .patches = {{44, 0x80}}},
	{"gue, length past the packet", .frame = {.inner = &tcp, .tunnel = GUE, .padding = 99},
	 SHUT(HEADER, GUE), .patches = {{42, 0x1f}, {39, 40}}},
	{"gue, tcp", .frame = {.inner = &tcp, .tunnel = GUE}, SHUT(OTHER, GUE),
	 .patches = {{43, 6}}},
	{"gue, esp", .frame = {.inner = &tcp, .tunnel = GUE}, SHUT(OTHER, GUE),
	 .patches = {{43, 50}}},
	{"gue, gre", .frame = {.inner = &tcp, .tunnel = GUE, .in_gre = true},
	 WHOLE(GUE, 0, 50, 70, 90)},
	{"gue, gre with key and ethernet",
	 .frame = {.inner = &tcp, .tunnel = GUE, .in_gre = true, .gre_key = true, .eth = true},
	 WHOLE(GUE, 54, 68, 88, 108)},
	{"gue, gre with checksum",
	 .frame = {.inner = &tcp, .tunnel = GUE, .in_gre = true, .gre_csum = true},
	 SHUT(HEADER, GUE)},
	{"gue, 3 bytes", .frame = {.inner = &tcp, .tunnel = GUE}, SHUT(HEADER, GUE), .headlen = 45},

	{"fou", .frame = {.inner = &tcp, .tunnel = FOU}, WHOLE(FOU, 0, 42, 62, 82)},
	{"fou, 6 in 6", .frame = {.version = 6, .inner = &tcp6, .tunnel = FOU},
	 WHOLE(FOU, 0, 62, 102, 122)},
	{"fou, gre", .frame = {.inner = &tcp6, .tunnel = FOU, .in_gre = true},
	 WHOLE(FOU, 0, 46, 86, 106)},
	{"fou, gre with checksum",
	 .frame = {.inner = &tcp, .tunnel = FOU, .in_gre = true, .gre_csum = true},
	 SHUT(HEADER, FOU)},
	{"fou, 3 bytes of gre", .frame = {.inner = &tcp, .tunnel = FOU, .in_gre = true},
	 SHUT(HEADER, FOU), .headlen = 45},
	{"fou, the other version",
	 .frame = {.inner = &tcp6, .tunnel = FOU, .dport = FRAME_FOU4_PORT},
	 SHUT(LEAT_PARSE_BAD_NETWORK, FOU)},
	{"fou, tcp", .frame = {.inner = &tcp, .tunnel = FOU, .dport = FRAME_FOU_TCP_PORT},
	 SHUT(OTHER, FOU)},

	/* checksums left to the receiver; those of the inner frames are at 16 and 6 */
	{"vxlan, remote", .frame = {.inner = &tcp, .tunnel = VXLAN, .remcsum = true},
	 WHOLE(VXLAN, 50, 64, 84, 104)},
	{"vxlan, remote, udp", .frame = {.inner = &udp, .tunnel = VXLAN, .remcsum = true},
	 WHOLE(VXLAN, 50, 64, 84, 92)},
	{"vxlan, remote, vxlan", .frame = {.inner = &vxlan, .tunnel = VXLAN, .remcsum = true},
	 PART(DEEP, VXLAN, 50, 64, 84)},
	{"vxlan, remote, another start", .frame = {.inner = &tcp, .tunnel = VXLAN, .remcsum = true},
	 SHUT(HEADER, VXLAN), .patches = {{49, 0x12}}},
	{"vxlan, remote, udp's field in tcp",
	 .frame = {.inner = &tcp, .tunnel = VXLAN, .remcsum = true}, SHUT(HEADER, VXLAN),
	 .patches = {{49, 0x91}}},
	{"vxlan, remote, no transport", .frame = {.inner = &icmp, .tunnel = VXLAN, .remcsum = true},
	 SHUT(HEADER, VXLAN)},
	{"vxlan, remote, fragment", .frame = {.inner = &first, .tunnel = VXLAN, .remcsum = true},
	 SHUT(HEADER, VXLAN)},
	{"vxlan, remote, at a port where it is not agreed on",
	 .frame = {.inner = &tcp, .tunnel = VXLAN, .dport = FRAME_VXLAN_PORT},
	 WHOLE(VXLAN, 50, 64, 84, 104), .patches = {{43, 0x20}, {49, 1}}},
	{"gue, remote", .frame = {.inner = &tcp, .tunnel = GUE, .remcsum = true},
	 WHOLE(GUE, 0, 54, 74, 94)},
	{"gue, remote, 6, private data",
	 .frame =
		 {.inner = &tcp6, .tunnel = GUE, .remcsum = true, .tunnel_opts = BYTES(1, 2, 3, 4)},
	 WHOLE(GUE, 0, 58, 98, 118)},
	{"gue, remote, gre with ethernet",
	 .frame = {.inner = &udp, .tunnel = GUE, .remcsum = true, .in_gre = true, .eth = true},
	 WHOLE(GUE, 58, 72, 92, 100)},
	{"gue, remote, another start", .frame = {.inner = &tcp, .tunnel = GUE, .remcsum = true},
	 SHUT(HEADER, GUE), .patches = {{51, 21}}},
	{"gue, remote, another field", .frame = {.inner = &tcp, .tunnel = GUE, .remcsum = true},
	 SHUT(HEADER, GUE), .patches = {{53, 37}}},
	{"gue, remote, cut", .frame = {.inner = &tcp, .tunnel = GUE, .remcsum = true},
	 SHUT(HEADER, GUE), .patches = {{42, 1}}},
};

/* The row's packet: its first slice in a buffer of just its size, and the rest in another. */
static struct leat_pkt *make(struct arena *arena, const struct row *row)
{
	uint32_t len = frame_len(&row->frame), headlen = row->headlen > 0 ? row->headlen : len;
	uint8_t *bytes = malloc(len);
	struct leat_pkt *pkt;

	assert_non_null(bytes);
	frame_build(&row->frame, bytes);
	for (unsigned i = 0; i < LENGTH(row->patches) && row->patches[i].at > 0; i++)
		bytes[row->patches[i].at] = row->patches[i].byte;
	pkt = arena_add(arena, bytes, headlen);
	if (headlen < len)
		leat_pkt_chain(pkt, arena_add(arena, bytes + headlen, len - headlen));
	free(bytes);
	return pkt;
}

static void check_inner(const struct leat_pkt *pkt, const struct row *row)
{
	const struct frame *in = row->frame.inner;
	const struct want *want = &row->want;
	const struct leat_level *l = &pkt->lvl[1];

	assert_int_equal(l->network, want->network);
	assert_int_equal(l->transport, want->transport);
	assert_int_equal(l->version, in->version == 6 ? 6 : 4);
	assert_int_equal(l->tunnel != LEAT_TUNNEL_NONE, want->reason == DEEP);
	if (want->reason == LEAT_PARSE_OK)
		assert_int_equal(leat_parse_payload_len(pkt), MARK);
}

static void check(const struct leat_pkt *pkt, const struct row *row)
{
	const struct want *want = &row->want;
	const struct leat_level *l = &pkt->lvl[0];
	bool remote = row->frame.remcsum && want->levels == 2;

	assert_null(parse_wrong(pkt));
	assert_int_equal(pkt->reason, want->reason);
	assert_int_equal(pkt->depth, want->depth);
	assert_int_equal(pkt->levels, want->levels);
	assert_int_equal(pkt->payload, want->payload);
	assert_int_equal(pkt->inner_mac, want->mac);
	assert_int_equal(pkt->vlans, row->frame.vlans);
	assert_int_equal(l->tunnel, want->tunnel);
	assert_int_equal(l->network, 14 + 4 * row->frame.vlans);
	assert_int_equal((l->flags & LEAT_REMCSUM) != 0, remote);
	if (want->levels == 2)
		check_inner(pkt, row);
	else
		assert_memory_equal(&pkt->lvl[1], &(struct leat_level){0}, sizeof(*l));
}

static void test_rows(void **state)
{
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct arena arena = {0};
		struct leat_pkt *pkt = make(&arena, &rows[i]);

		print_message("%s\n", rows[i].name);
		leat_parse(&frame_conf, &pkt, 1);
		check(pkt, &rows[i]);
		arena_clear(&arena);
	}
}

/* In descriptors full of another packet's results. */
static void test_reparsed(void **state)
{
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct arena arena = {0};
		struct leat_pkt *pkt = make(&arena, &rows[i]);

		memset(pkt->lvl, 0xee, sizeof(pkt->lvl));
		pkt->inner_mac = pkt->payload = 0xeeee;
		pkt->levels = pkt->depth = pkt->reason = pkt->vlans = 0xee;
		leat_parse(&frame_conf, &pkt, 1);
		check(pkt, &rows[i]);
		arena_clear(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_reparsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
