/* SPDX-License-Identifier: MIT */
/*
 * test_parse.c - what the parser finds, and why it stops.
 */
#include <leat/parse.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../frame.h"

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))
#define BYTES(...)   (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

/* A byte of the frame, changed. */
struct patch {
	uint16_t at;
	uint8_t byte;
};

struct want {
	uint8_t reason, depth;
	uint16_t network, transport, payload;
	uint8_t protocol, flags;
	uint32_t payload_len;
};

struct row {
	const char *name;
	struct frame frame;
	struct patch patches[4]; /* up to the first at 0 */
	uint32_t headlen;	 /* bytes in the first slice, 0: all */
	uint32_t cut;		 /* bytes cut off the end */
	struct want want;
};

enum {
	LINK = LEAT_DEPTH_LINK,
	NETWORK = LEAT_DEPTH_NETWORK,
	OPTIONS = LEAT_IP_OPTIONS,
	FRAGMENT = LEAT_IP_FRAGMENT,
	LATER = LEAT_IP_FRAGMENT | LEAT_IP_LATER,
	JUMBO = LEAT_IP_JUMBO,
	IP = 14, /* offsets of headers without VLAN tags */
	L4 = 34,
	L4_6 = 54,
};

/* IPv6 extensions. */
#define HBH(next)	      next, 0, 1, 4, 0, 0, 0, 0
#define DST16(next)	      next, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define ROUTE(next)	      next, 0, 4, 0, 0, 0, 0, 0
#define JUMBO_128	      6, 0, 0xc2, 4, 0, 0, 0, 128
#define FRAG(next, high, low) next, 0, high, low, 0, 0, 0, 7

/* How far it got: the reason and depth; or also where the transport header would be, of which
 * protocol, and the level's flags; or also where the payload is, and how long. */
#define STOP(why, depth)		       why, depth, 0, 0, 0, 0, 0, 0
#define NO_TRANSPORT(why, at, protocol, flags) why, NETWORK, IP, at, 0, protocol, flags, 0
#define WHOLE(ip, at, payload, protocol, flags, len) \
	LEAT_PARSE_OK, LEAT_DEPTH_TRANSPORT, ip, at, payload, protocol, flags, len

static const struct row rows[] = {
	{"tcp", .frame = {.payload = 10}, .want = {WHOLE(IP, L4, 54, 6, 0, 10)}},
	{"udp", .frame = {.protocol = 17, .payload = 10}, .want = {WHOLE(IP, L4, 42, 17, 0, 10)}},
	{"no payload", .frame = {.payload = 0}, .want = {WHOLE(IP, L4, 54, 6, 0, 0)}},
	{"padding", .frame = {.payload = 1, .padding = 5}, .want = {WHOLE(IP, L4, 54, 6, 0, 1)}},
	{"padding alone", .frame = {.padding = 6}, .want = {WHOLE(IP, L4, 54, 6, 0, 0)}},
	{"tcp options", .frame = {.opts = (const uint8_t[40]){0}, .opts_len = 40, .payload = 3},
	 .want = {WHOLE(IP, L4, 94, 6, 0, 3)}},
	{"ip options", .frame = {.ext = (const uint8_t[40]){0}, .ext_len = 40, .payload = 3},
	 .want = {WHOLE(IP, 74, 94, 6, OPTIONS, 3)}},
	{"tcp6", .frame = {.version = 6, .payload = 10}, .want = {WHOLE(IP, L4_6, 74, 6, 0, 10)}},
	{"udp6", .frame = {.version = 6, .protocol = 17}, .want = {WHOLE(IP, L4_6, 62, 17, 0, 0)}},
	{"sctp", .frame = {.protocol = 132, .payload = 30},
	 .want = {WHOLE(IP, L4, 46, 132, 0, 18)}},
	{"icmp", .frame = {.protocol = 1, .payload = 8},
	 .want = {NO_TRANSPORT(LEAT_PARSE_PROTOCOL, L4, 1, 0)}},
	{"icmp6", .frame = {.version = 6, .protocol = 58, .payload = 8},
	 .want = {NO_TRANSPORT(LEAT_PARSE_PROTOCOL, L4_6, 58, 0)}},
	{"esp", .frame = {.protocol = 50, .payload = 99},
	 .want = {NO_TRANSPORT(LEAT_PARSE_PROTOCOL, L4, 50, 0)}},
	{"ah6", .frame = {.version = 6, .protocol = 51, .payload = 99},
	 .want = {NO_TRANSPORT(LEAT_PARSE_PROTOCOL, L4_6, 51, 0)}},

	/* link */
	{"vlan", .frame = {.vlans = 1, .vlan = {5}, .payload = 1},
	 .want = {WHOLE(18, 38, 58, 6, 0, 1)}},
	{"qinq", .frame = {.vlans = 2, .payload = 1}, .want = {WHOLE(22, 42, 62, 6, 0, 1)}},
	{"4 tags", .frame = {.vlans = 4, .version = 6}, .want = {WHOLE(30, 70, 90, 6, 0, 0)}},
	{"5 tags", .frame = {.vlans = 4}, .patches = {{28, 0x81}, {29, 0}},
	 .want = {STOP(LEAT_PARSE_VLAN_DEPTH, LINK)}},
	{"arp", .frame = {.payload = 6}, .patches = {{12, 8}, {13, 6}},
	 .want = {STOP(LEAT_PARSE_NOT_IP, LINK)}},
	{"802.3", .frame = {.payload = 6}, .patches = {{12, 0}, {13, 46}},
	 .want = {STOP(LEAT_PARSE_NOT_IP, LINK)}},
	{"arp in vlan", .frame = {.vlans = 1}, .patches = {{16, 8}, {17, 6}},
	 .want = {STOP(LEAT_PARSE_NOT_IP, LINK)}},

	/* IPv4 */
	{"version 6 in ipv4", .frame = {.payload = 40}, .patches = {{IP, 0x65}},
	 .want = {STOP(LEAT_PARSE_BAD_NETWORK, LINK)}},
	{"version 4 in ipv6", .frame = {.version = 6}, .patches = {{IP, 0x40}},
	 .want = {STOP(LEAT_PARSE_BAD_NETWORK, LINK)}},
	{"ihl 4", .frame = {.payload = 9}, .patches = {{IP, 0x44}},
	 .want = {STOP(LEAT_PARSE_BAD_NETWORK, LINK)}},
	{"ihl past the total length", .frame = {.payload = 0}, .patches = {{IP, 0x4f}},
	 .want = {STOP(LEAT_PARSE_BAD_NETWORK, LINK)}},
	{"total length 19", .frame = {.payload = 9}, .patches = {{17, 19}},
	 .want = {STOP(LEAT_PARSE_BAD_NETWORK, LINK)}},
	{"total length 0", .frame = {.payload = 9}, .patches = {{16, 0}, {17, 0}},
	 .want = {STOP(LEAT_PARSE_BAD_NETWORK, LINK)}},
	{"total length 20", .frame = {.payload = 9}, .patches = {{17, 20}},
	 .want = {NO_TRANSPORT(LEAT_PARSE_SHORT_TRANSPORT, L4, 6, 0)}},
	{"total length, one too many", .frame = {.payload = 0}, .patches = {{17, 41}},
	 .want = {STOP(LEAT_PARSE_SHORT_NETWORK, LINK)}},
	{"total length, far too many", .frame = {.payload = 9}, .patches = {{16, 0xff}, {17, 0xff}},
	 .want = {STOP(LEAT_PARSE_SHORT_NETWORK, LINK)}},
	{"first fragment", .frame = {.frag_off = FRAME_MF, .payload = 9},
	 .want = {WHOLE(IP, L4, 54, 6, FRAGMENT, 9)}},
	{"later fragment", .frame = {.frag_off = FRAME_MF | 1, .payload = 9},
	 .want = {NO_TRANSPORT(LEAT_PARSE_FRAGMENT, L4, 6, LATER)}},
	{"last fragment", .frame = {.frag_off = 0x1fff, .payload = 9},
	 .want = {NO_TRANSPORT(LEAT_PARSE_FRAGMENT, L4, 6, LATER)}},
	{"don't fragment, reserved bit", .frame = {.frag_off = FRAME_DF | 0x8000},
	 .want = {WHOLE(IP, L4, 54, 6, 0, 0)}},

	/* IPv6 */
	{"hop-by-hop", .frame = {.version = 6, .ext = BYTES(HBH(6)), .ext_first = 0, .payload = 7},
	 .want = {WHOLE(IP, 62, 82, 6, OPTIONS, 7)}},
	{"three extensions",
	 .frame = {.version = 6,
		   .ext = BYTES(HBH(60), DST16(43), ROUTE(17)),
		   .ext_first = 0,
		   .protocol = 17},
	 .want = {WHOLE(IP, 86, 94, 17, OPTIONS, 0)}},
	{"extensions, then icmp6",
	 .frame = {.version = 6,
		   .ext = BYTES(HBH(58)),
		   .ext_first = 0,
		   .protocol = 58,
		   .payload = 8},
	 .want = {NO_TRANSPORT(LEAT_PARSE_PROTOCOL, 62, 58, OPTIONS)}},
	{"first fragment 6",
	 .frame = {.version = 6, .ext = BYTES(FRAG(6, 0, 1)), .ext_first = 44, .payload = 7},
	 .want = {WHOLE(IP, 62, 82, 6, OPTIONS | FRAGMENT, 7)}},
	{"atomic fragment 6",
	 .frame = {.version = 6, .ext = BYTES(FRAG(6, 0, 6)), .ext_first = 44, .payload = 7},
	 .want = {WHOLE(IP, 62, 82, 6, OPTIONS | FRAGMENT, 7)}},
	{"later fragment 6",
	 .frame = {.version = 6, .ext = BYTES(FRAG(6, 0, 8)), .ext_first = 44, .payload = 7},
	 .want = {NO_TRANSPORT(LEAT_PARSE_FRAGMENT, 62, 6, OPTIONS | LATER)}},
	{"later fragment 6, whose payload is no extension",
	 .frame = {.version = 6, .ext = BYTES(FRAG(60, 1, 0)), .ext_first = 44, .payload = 0},
	 .want = {NO_TRANSPORT(LEAT_PARSE_FRAGMENT, 62, 60, OPTIONS | LATER)}},
	{"8 extensions",
	 .frame = {.version = 6,
		   .ext_first = 60,
		   .ext = BYTES(HBH(60), HBH(60), HBH(60), HBH(60), HBH(60), HBH(60), HBH(60),
				HBH(6))},
	 .want = {WHOLE(IP, 118, 138, 6, OPTIONS, 0)}},
	{"9 extensions",
	 .frame = {.version = 6,
		   .ext_first = 60,
		   .ext = BYTES(HBH(60), HBH(60), HBH(60), HBH(60), HBH(60), HBH(60), HBH(60),
				HBH(60), HBH(6))},
	 .want = {NO_TRANSPORT(LEAT_PARSE_EXTENSIONS, 118, 60, OPTIONS)}},
	{"extension past the packet", .frame = {.version = 6, .ext = BYTES(HBH(6)), .payload = 4},
	 .patches = {{55, 4}}, .want = {NO_TRANSPORT(LEAT_PARSE_EXTENSIONS, 54, 0, 0)}},
	{"extension past the packet, in the padding",
	 .frame = {.version = 6, .ext = BYTES(HBH(6)), .payload = 4, .padding = 200},
	 .patches = {{55, 4}}, .want = {NO_TRANSPORT(LEAT_PARSE_EXTENSIONS, 54, 0, 0)}},
	{"payload length 0", .frame = {.version = 6}, .patches = {{18, 0}, {19, 0}},
	 .want = {NO_TRANSPORT(LEAT_PARSE_SHORT_TRANSPORT, L4_6, 6, 0)}},
	{"no next header", .frame = {.version = 6, .protocol = 59},
	 .want = {NO_TRANSPORT(LEAT_PARSE_PROTOCOL, L4_6, 59, 0)}},
	{"payload length, one too many", .frame = {.version = 6}, .patches = {{19, 21}},
	 .want = {STOP(LEAT_PARSE_SHORT_NETWORK, LINK)}},

	/* transport */
	{"doff 4", .frame = {.payload = 9}, .patches = {{46, 0x40}},
	 .want = {NO_TRANSPORT(LEAT_PARSE_BAD_TRANSPORT, L4, 6, 0)}},
	{"doff past the packet", .frame = {.payload = 9, .padding = 90}, .patches = {{46, 0xf0}},
	 .want = {NO_TRANSPORT(LEAT_PARSE_SHORT_TRANSPORT, L4, 6, 0)}},
	{"doff to the packet's end", .frame = {.payload = 40}, .patches = {{46, 0xf0}},
	 .want = {WHOLE(IP, L4, 94, 6, 0, 0)}},
	{"udp length 7", .frame = {.protocol = 17}, .patches = {{39, 7}},
	 .want = {NO_TRANSPORT(LEAT_PARSE_BAD_TRANSPORT, L4, 17, 0)}},
	{"udp length, too many", .frame = {.protocol = 17}, .patches = {{39, 99}},
	 .want = {WHOLE(IP, L4, 42, 17, 0, 0)}},
	{"7 bytes of udp", .frame = {.protocol = 17, .padding = 9}, .patches = {{17, 27}},
	 .want = {NO_TRANSPORT(LEAT_PARSE_SHORT_TRANSPORT, L4, 17, 0)}},
	{"11 bytes of sctp", .frame = {.protocol = 132, .payload = 11},
	 .want = {NO_TRANSPORT(LEAT_PARSE_SHORT_TRANSPORT, L4, 132, 0)}},

	/* slices: only the first is read, all count for lengths */
	{"headers alone", .frame = {.payload = 900}, .headlen = 54,
	 .want = {WHOLE(IP, L4, 54, 6, 0, 900)}},
	{"13 bytes of ethernet", .frame = {.payload = 9}, .headlen = 13,
	 .want = {STOP(LEAT_PARSE_SHORT_LINK, LEAT_DEPTH_NONE)}},
	{"17 bytes of vlan", .frame = {.vlans = 1}, .headlen = 17,
	 .want = {STOP(LEAT_PARSE_SHORT_LINK, LEAT_DEPTH_NONE)}},
	{"19 bytes of ip", .frame = {.payload = 9}, .headlen = 33,
	 .want = {STOP(LEAT_PARSE_SHORT_NETWORK, LINK)}},
	{"ip options cut", .frame = {.ext = (const uint8_t[8]){0}, .ext_len = 8}, .headlen = 41,
	 .want = {STOP(LEAT_PARSE_SHORT_NETWORK, LINK)}},
	{"39 bytes of ip6", .frame = {.version = 6}, .headlen = 53,
	 .want = {STOP(LEAT_PARSE_SHORT_NETWORK, LINK)}},
	{"19 bytes of tcp", .frame = {.payload = 9}, .headlen = 53,
	 .want = {NO_TRANSPORT(LEAT_PARSE_SHORT_TRANSPORT, L4, 6, 0)}},
	{"tcp options cut", .frame = {.opts = (const uint8_t[4]){0}, .opts_len = 4}, .headlen = 57,
	 .want = {NO_TRANSPORT(LEAT_PARSE_SHORT_TRANSPORT, L4, 6, 0)}},
	{"7 bytes of an extension", .frame = {.version = 6, .ext = BYTES(HBH(6))}, .headlen = 61,
	 .want = {NO_TRANSPORT(LEAT_PARSE_EXTENSIONS, 54, 0, 0)}},
	{"15 of 16 bytes of an extension",
	 .frame = {.version = 6, .ext = BYTES(DST16(6)), .ext_first = 60}, .headlen = 69,
	 .want = {NO_TRANSPORT(LEAT_PARSE_EXTENSIONS, 54, 60, 0)}},
	{"frame cut", .frame = {.payload = 9}, .cut = 1,
	 .want = {STOP(LEAT_PARSE_SHORT_NETWORK, LINK)}},
	{"frame cut, ipv6", .frame = {.version = 6}, .cut = 1,
	 .want = {STOP(LEAT_PARSE_SHORT_NETWORK, LINK)}},
	{"13 bytes", .frame = {.payload = 0}, .cut = 41,
	 .want = {STOP(LEAT_PARSE_SHORT_LINK, LEAT_DEPTH_NONE)}},

	/* BIG TCP: what frame_build wrote as a length is 0 here */
	{"big", .frame = {.payload = 70000}, .patches = {{16, 0}, {17, 0}},
	 .want = {WHOLE(IP, L4, 54, 6, 0, 70000)}},
	{"big, 65535 bytes", .frame = {.payload = 65495}, .patches = {{16, 0}, {17, 0}},
	 .want = {STOP(LEAT_PARSE_BAD_NETWORK, LINK)}},
	{"big, 65536 bytes", .frame = {.payload = 65496}, .patches = {{16, 0}, {17, 0}},
	 .want = {WHOLE(IP, L4, 54, 6, 0, 65496)}},
	{"big udp", .frame = {.protocol = 17, .payload = 70000}, .patches = {{16, 0}, {17, 0}},
	 .want = {STOP(LEAT_PARSE_BAD_NETWORK, LINK)}},
	{"big, ipv6", .frame = {.version = 6, .payload = 70000}, .patches = {{18, 0}, {19, 0}},
	 .want = {WHOLE(IP, L4_6, 74, 6, 0, 70000)}},
	{"big, ipv6, jumbo option",
	 .frame = {.version = 6, .ext = BYTES(6, 0, 0xc2, 4, 0, 1, 0x11, 0x8c), .payload = 70000},
	 .patches = {{18, 0}, {19, 0}}, .want = {WHOLE(IP, 62, 82, 6, OPTIONS | JUMBO, 70000)}},
	{"big, ipv6, jumbo option with a wrong length",
	 .frame = {.version = 6, .ext = BYTES(6, 0, 0xc2, 4, 0, 1, 0x11, 0x8d), .payload = 70000},
	 .patches = {{18, 0}, {19, 0}}, .want = {STOP(LEAT_PARSE_BAD_NETWORK, LINK)}},
	{"big, ipv6, another option",
	 .frame = {.version = 6, .ext = BYTES(HBH(6)), .payload = 70000},
	 .patches = {{18, 0}, {19, 0}}, .want = {WHOLE(IP, 62, 82, 6, OPTIONS, 70000)}},
	{"big, ipv6, jumbo option cut", .headlen = 61,
	 .frame = {.version = 6, .ext = BYTES(6, 0, 0xc2, 4, 0, 1, 0x11, 0x8c), .payload = 70000},
	 .patches = {{18, 0}, {19, 0}}, .want = {STOP(LEAT_PARSE_BAD_NETWORK, LINK)}},
	{"big, ipv6, jumbo option over udp",
	 .frame = {.version = 6,
		   .protocol = 17,
		   .ext = BYTES(17, 0, 0xc2, 4, 0, 1, 0x11, 0x80),
		   .payload = 70000},
	 .patches = {{18, 0}, {19, 0}}, .want = {STOP(LEAT_PARSE_BAD_NETWORK, LINK)}},
	{"not big, jumbo option", .frame = {.version = 6, .payload = 100, .ext = BYTES(JUMBO_128)},
	 .want = {WHOLE(IP, 62, 82, 6, OPTIONS, 100)}},
	{"not big, jumbo option, length 0",
	 .frame = {.version = 6, .payload = 100, .ext = BYTES(JUMBO_128)},
	 .patches = {{18, 0}, {19, 0}}, .want = {NO_TRANSPORT(LEAT_PARSE_EXTENSIONS, L4_6, 0, 0)}},
	{"big udp, ipv6", .frame = {.version = 6, .protocol = 17, .payload = 70000},
	 .patches = {{18, 0}, {19, 0}}, .want = {STOP(LEAT_PARSE_BAD_NETWORK, LINK)}},
};

/* The row's packet: its first slice in a buffer of just its size, and the rest in another. */
static struct leat_pkt *make(struct arena *arena, const struct row *row)
{
	uint32_t len = frame_len(&row->frame) - row->cut;
	uint32_t headlen = row->headlen > 0 ? row->headlen : len;
	uint8_t *bytes = malloc(frame_len(&row->frame));
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

static void check(const struct leat_pkt *pkt, const struct row *row)
{
	const struct want *want = &row->want;
	struct leat_level level = {0}, none = {0};

	assert_int_equal(pkt->reason, want->reason);
	assert_int_equal(pkt->depth, want->depth);
	assert_int_equal(pkt->levels, want->depth >= NETWORK);
	assert_int_equal(pkt->payload, want->payload);
	assert_int_equal(pkt->inner_mac, 0);
	if (want->depth >= NETWORK) {
		assert_int_equal(pkt->vlans, row->frame.vlans);
		level = (struct leat_level){
			want->network,	want->transport, row->frame.version == 6 ? 6 : 4,
			want->protocol, want->flags,	 0};
	}
	assert_memory_equal(&pkt->lvl[0], &level, sizeof(level));
	assert_memory_equal(&pkt->lvl[1], &none, sizeof(none));
	if (want->depth == LEAT_DEPTH_TRANSPORT)
		assert_int_equal(leat_parse_payload_len(pkt), want->payload_len);
}

static void test_rows(void **state)
{
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct arena arena = {0};
		struct leat_pkt *pkt = make(&arena, &rows[i]);

		print_message("%s\n", rows[i].name);
		leat_parse(NULL, &pkt, 1);
		check(pkt, &rows[i]);
		arena_clear(&arena);
	}
}

/* All rows in one batch, in descriptors full of another packet's results. */
static void test_batch(void **state)
{
	struct leat_pkt *pkts[LENGTH(rows)];
	struct arena arena = {0};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		pkts[i] = make(&arena, &rows[i]);
		memset(pkts[i]->lvl, 0xee, sizeof(pkts[i]->lvl));
		pkts[i]->inner_mac = pkts[i]->payload = 0xeeee;
		pkts[i]->levels = pkts[i]->depth = pkts[i]->reason = pkts[i]->vlans = 0xee;
	}
	leat_parse(NULL, pkts, 0);
	assert_int_equal(pkts[0]->depth, 0xee);
	leat_parse(NULL, pkts, LENGTH(rows));
	for (size_t i = 0; i < LENGTH(rows); i++)
		check(pkts[i], &rows[i]);
	arena_clear(&arena);
}

static void test_names(void **state)
{
	for (unsigned i = 0; i < LEAT_PARSE_REASONS; i++) {
		const char *name = leat_parse_reason_name((enum leat_parse_reason)i);

		assert_non_null(name);
		assert_string_not_equal(name, "unknown");
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(name,
						leat_parse_reason_name((enum leat_parse_reason)j));
	}
	assert_string_equal(leat_parse_reason_name(LEAT_PARSE_REASONS), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_batch),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
