/* SPDX-License-Identifier: MIT */
/*
 * test_gro_tunnel.c - trains in tunnels: what may differ between their packets and what not, and
 * what the super-packet says of itself.
 */
#include <leat/gro.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "../rows.h"

static const struct leat_gro_conf conf = {.udp = true, .key = {{1, 2}}};
static bool covered[LEAT_GRO_REASONS];

static const uint8_t opts[] = {1, 2, 0x80, 1, 9, 9, 9, 9},
		     opts_other[] = {1, 2, 0x80, 1, 9, 9, 9, 8};

/* clang-format off */
#define TUN(kind, ...) {.tunnel = LEAT_TUNNEL_##kind, __VA_ARGS__}
#define THREE(...) __VA_ARGS__, __VA_ARGS__, __VA_ARGS__
#define TOPTS(o) .tunnel_opts = (o), .tunnel_opts_len = sizeof(o)

/* Three segments of 100 bytes, each in one of these. */
#define IN3(name_, why_, sizes_, ...)                                                              \
	{.name = (name_), .modes = BOTH, .why = LEAT_GRO_##why_,                                   \
	 .sizes = sizes_, .outs = LENGTH(((uint32_t[])sizes_)),                                    \
	 .pkt = {SEG(), SEG(), SEG()}, .n = 3, .outer = {__VA_ARGS__}}
#define ONE SIZES(300)
#define NONE SIZES(100, 100, 100)

static const struct row rows[] = {
	IN3("4in4", MERGED, ONE, THREE(TUN(IP, ))),
	IN3("in6", MERGED, ONE, THREE(TUN(IP, .version = 6))),
	IN3("outer fixed, inner incrementing", MERGED, ONE,
	    TUN(IP, ), TUN(IP, .id = FIXED(1)), TUN(IP, .id = FIXED(2))),
	IN3("outer id jumps", IP_ID, SIZES(100, 200), TUN(IP, ), TUN(IP, .id = 9), TUN(IP, .id = 9)),
	IN3("outer ttl", TTL, SIZES(200, 100), TUN(IP, ), TUN(IP, ), TUN(IP, .ttl = 9)),
	IN3("outer tos", TOS, SIZES(200, 100), TUN(IP, ), TUN(IP, ), TUN(IP, .tos = 1)),
	IN3("outer df", DF, SIZES(200, 100), TUN(IP, ), TUN(IP, ), TUN(IP, .frag_off = FRAME_DF)),
	IN3("outer ip csum", IP_CSUM, NONE, THREE(TUN(IP, .bad_ip_csum = true))),
	IN3("outer addresses", HELD, SIZES(200, 100), TUN(IP, ), TUN(IP, ), TUN(IP, .src = 1)),
	IN3("outer padding", LENGTH, SIZES(103, 103, 103), THREE(TUN(IP, .padding = 3))),
	IN3("outer fragment", IP_FRAGMENT, NONE, THREE(TUN(IP, .frag_off = FRAME_MF))),

	IN3("gre", MERGED, ONE, THREE(TUN(GRE, ))),
	IN3("gre over IPv6", MERGED, ONE, THREE(TUN(GRE, .version = 6))),
	IN3("gre key", MERGED, ONE, THREE(TUN(GRE, .gre_key = true, .tunnel_id = 7))),
	IN3("gre csum", MERGED, ONE, THREE(TUN(GRE, .gre_csum = true))),
	IN3("gre csum, key", MERGED, ONE, THREE(TUN(GRE, .gre_csum = true, .gre_key = true))),
	IN3("gre ethernet", MERGED, ONE, THREE(TUN(GRE, .eth = true, .gre_csum = true))),
	IN3("gre sequence numbers", TUNNEL_INSIDE, NONE, THREE(TUN(GRE, .gre_seq = true))),
	IN3("gre csum wrong", TUNNEL_CSUM, SIZES(100, 100, 100),
	    TUN(GRE, .gre_csum = true), TUN(GRE, .gre_csum = true, .bad_l4_csum = true),
	    TUN(GRE, .gre_csum = true)),
	IN3("gre key differs", TUNNEL, SIZES(200, 100),
	    TUN(GRE, .gre_key = true), TUN(GRE, .gre_key = true),
	    TUN(GRE, .gre_key = true, .tunnel_id = 1)),
	IN3("gre key on one", EXTENSIONS, SIZES(200, 100),
	    TUN(GRE, ), TUN(GRE, ), TUN(GRE, .gre_key = true)),
	IN3("gre csum on one", TUNNEL, SIZES(200, 100),
	    TUN(GRE, .gre_key = true), TUN(GRE, .gre_key = true), TUN(GRE, .gre_csum = true)),

	IN3("vxlan without csum", MERGED, ONE, THREE(TUN(VXLAN, .no_csum = true))),
	IN3("vxlan with csum", MERGED, ONE, THREE(TUN(VXLAN, ))),
	IN3("vxlan over IPv6", MERGED, ONE, THREE(TUN(VXLAN, .version = 6))),
	IN3("vxlan csum on some", TUNNEL, SIZES(100, 100, 100),
	    TUN(VXLAN, .no_csum = true), TUN(VXLAN, ), TUN(VXLAN, .no_csum = true)),
	IN3("vxlan csum wrong", TUNNEL_CSUM, NONE,
	    TUN(VXLAN, ), TUN(VXLAN, .bad_l4_csum = true), TUN(VXLAN, )),
	IN3("vxlan source port", HELD, SIZES(200, 100),
	    TUN(VXLAN, ), TUN(VXLAN, ), TUN(VXLAN, .sport = 1)),
	IN3("vxlan vni", TUNNEL, SIZES(200, 100),
	    TUN(VXLAN, ), TUN(VXLAN, ), TUN(VXLAN, .tunnel_id = 1)),
	IN3("vxlan outer fixed id", MERGED, ONE,
	    TUN(VXLAN, ), TUN(VXLAN, .id = FIXED(1)), TUN(VXLAN, .id = FIXED(2))),
	IN3("vxlan vlan", MERGED, ONE, THREE(TUN(VXLAN, .vlans = 2, .vlan = {1, 2}))),
	IN3("vxlan outer mac", LINK, SIZES(200, 100),
	    TUN(VXLAN, ), TUN(VXLAN, ), TUN(VXLAN, .src_mac = 1)),
	IN3("vxlan remote csum", MERGED, ONE, THREE(TUN(VXLAN, .remcsum = true))),
	IN3("vxlan remote csum, none outside", L4_CSUM, NONE,
	    THREE(TUN(VXLAN, .remcsum = true, .no_csum = true))),
	IN3("vxlan remote csum wrong", TUNNEL_CSUM, NONE,
	    THREE(TUN(VXLAN, .remcsum = true, .bad_l4_csum = true))),
	IN3("vxlan remote csum on some", HELD, SIZES(200, 100),
	    TUN(VXLAN, .remcsum = true), TUN(VXLAN, .remcsum = true), TUN(VXLAN, )),

	IN3("geneve", MERGED, ONE, THREE(TUN(GENEVE, .eth = true, .tunnel_id = 5))),
	IN3("geneve ip", MERGED, ONE, THREE(TUN(GENEVE, ))),
	IN3("geneve options", MERGED, ONE, THREE(TUN(GENEVE, TOPTS(opts)))),
	IN3("geneve options differ", TUNNEL, SIZES(200, 100),
	    TUN(GENEVE, TOPTS(opts)), TUN(GENEVE, TOPTS(opts)), TUN(GENEVE, TOPTS(opts_other))),
	IN3("geneve options on one", EXTENSIONS, SIZES(200, 100),
	    TUN(GENEVE, ), TUN(GENEVE, ), TUN(GENEVE, TOPTS(opts))),

	IN3("gue", MERGED, ONE, THREE(TUN(GUE, ))),
	IN3("gue variant 1", MERGED, ONE, THREE(TUN(GUE, .direct = true))),
	IN3("gue remote csum", MERGED, ONE, THREE(TUN(GUE, .remcsum = true))),
	IN3("gue gre", MERGED, ONE, THREE(TUN(GUE, .in_gre = true, .gre_key = true))),
	IN3("gue gre csum", TUNNEL_INSIDE, NONE, THREE(TUN(GUE, .in_gre = true, .gre_csum = true))),
	IN3("fou", MERGED, ONE, THREE(TUN(FOU, ))),
	IN3("fou without csum", MERGED, ONE, THREE(TUN(FOU, .no_csum = true))),
	IN3("fou gre", MERGED, ONE, THREE(TUN(FOU, .in_gre = true))),
	IN3("fou gre csum", TUNNEL_INSIDE, NONE, THREE(TUN(FOU, .in_gre = true, .gre_csum = true))),
};

/* What is inside differs. */
#define OUT3(...) .outer = {THREE(__VA_ARGS__)}
static const struct row inner_rows[] = {
	{"inner mac", BOTH, LEAT_GRO_TUNNEL, {200, 100}, 3, 2,
	 {SEG(), SEG(), SEG(.dst_mac = 1)}, {THREE(TUN(VXLAN, ))}},
	{"inner vlan", BOTH, LEAT_GRO_TUNNEL, {200, 100}, 3, 2,
	 {SEG(.vlans = 1, .vlan = {1}), SEG(.vlans = 1, .vlan = {1}), SEG(.vlans = 1, .vlan = {2})},
	 {THREE(TUN(GENEVE, .eth = true))}},
	{"inner tos", BOTH, LEAT_GRO_TOS, {200, 100}, 3, 2,
	 {SEG(), SEG(), SEG(.tos = 1)}, {THREE(TUN(VXLAN, .no_csum = true))}},
	{"inner csum", BOTH, LEAT_GRO_L4_CSUM, {100, 100, 100}, 3, 3,
	 {SEG(), SEG(.bad_l4_csum = true), SEG()}, {THREE(TUN(VXLAN, ))}},
	{"inner padding", BOTH, LEAT_GRO_LENGTH, {6, 6}, 2, 2,
	 {{.payload = 1, .padding = 5}, {.payload = 1, .padding = 5}}, {THREE(TUN(VXLAN, ))}},
	{"inner fixed, outer incrementing", V4, LEAT_GRO_MERGED, {300}, 3, 1,
	 {SEG(), SEG(.id = FIXED(1)), SEG(.id = FIXED(2))}, {THREE(TUN(GRE, .gre_csum = true))}},
	{"inner neither", V4, LEAT_GRO_IP_ID, {200, 100}, 3, 2,
	 {SEG(), SEG(.id = FIXED(1)), SEG()}, {THREE(TUN(GRE, ))}},
	{"udp", BOTH, LEAT_GRO_MERGED, {300}, 3, 1,
	 {DGRAM(100, ), DGRAM(100, ), DGRAM(100, )}, {THREE(TUN(IP, ))}},
	{"udp remote csum", BOTH, LEAT_GRO_MERGED, {250}, 3, 1,
	 {DGRAM(100, ), DGRAM(100, ), DGRAM(50, )}, {THREE(TUN(VXLAN, .remcsum = true))}},
	{"udp of an odd length", BOTH, LEAT_GRO_MERGED, {297}, 3, 1,
	 {DGRAM(99, ), DGRAM(99, ), DGRAM(99, )}, {THREE(TUN(VXLAN, ))}},
	{"psh last, small", BOTH, LEAT_GRO_END_SMALL, {210}, 3, 1,
	 {SEG(), SEG(), {.payload = 10, .flags = FRAME_PSH}}, {THREE(TUN(GUE, ))}},
};
/* clang-format on */

static void test_rows(void **state)
{
	rows_check(rows, LENGTH(rows), &conf, covered);
	rows_check(inner_rows, LENGTH(inner_rows), &conf, covered);
}

/* 4in4in4: a second encapsulation passes. */
static void test_depth(void **state)
{
	static const struct frame in = {.payload = 100},
				  mid = {.tunnel = LEAT_TUNNEL_IP, .inner = &in};
	static const struct frame outs[] = {
		{.tunnel = LEAT_TUNNEL_IP, .inner = &mid},
		{.tunnel = LEAT_TUNNEL_GRE, .inner = &mid},
		{.tunnel = LEAT_TUNNEL_VXLAN, .inner = &mid},
	};

	for (unsigned i = 0; i < LENGTH(outs); i++) {
		struct train train = train_start(&conf);

		train_add(&train, &outs[i]);
		train_add(&train, &outs[i]);
		train_receive(&train, 2, 0);
		assert_int_equal(train.n_out, 2);
		assert_int_equal(train.gro.count[LEAT_GRO_TUNNEL_DEPTH], 2);
		train_end(&train);
	}
}

struct type_row {
	struct frame outer;
	uint32_t type;
};

static const struct type_row types[] = {
	{TUN(IP, ), LEAT_GSO_IPXIP4},
	{TUN(IP, .version = 6), LEAT_GSO_IPXIP6},
	{TUN(GRE, ), LEAT_GSO_GRE},
	{TUN(GRE, .gre_csum = true), LEAT_GSO_GRE_CSUM},
	{TUN(VXLAN, ), LEAT_GSO_UDP_TUNNEL_CSUM},
	{TUN(VXLAN, .no_csum = true), LEAT_GSO_UDP_TUNNEL},
	{TUN(VXLAN, .remcsum = true), LEAT_GSO_UDP_TUNNEL_CSUM | LEAT_GSO_TUNNEL_REMCSUM},
	{TUN(FOU, .in_gre = true), LEAT_GSO_UDP_TUNNEL_CSUM | LEAT_GSO_GRE},
};

/* The bits of the tunnel, of each level's IDs, and where the checksum is. */
static void check_type(const struct type_row *row, unsigned fixed)
{
	static const uint32_t fixed_bit[] = {LEAT_GSO_TCP_FIXEDID, LEAT_GSO_TCP_FIXEDID_INNER};
	struct train train = train_start(&conf);
	uint32_t type = row->type | LEAT_GSO_TCPV4;
	const struct leat_pkt *pkt;

	for (unsigned i = 0; i < 3; i++) {
		struct frame in = {.payload = 100, .seq = 100 * i}, out = row->outer;

		in.id = (uint16_t)((fixed & 2) != 0 ? 0 : i);
		out.id = (uint16_t)((fixed & 1) != 0 ? 0 : i);
		out.inner = &in;
		train_add(&train, &out);
	}
	train_receive(&train, 3, 0);
	train_flush(&train, UINT64_MAX);
	assert_int_equal(train.n_out, 1);
	pkt = train.out[0];
	for (unsigned i = 0; i < 2; i++)
		if ((fixed >> i & 1) != 0 && (i > 0 || row->outer.version != 6))
			type |= fixed_bit[i];
	assert_int_equal(pkt->gso_type, type);
	assert_int_equal(pkt->gso_size, 100);
	assert_int_equal(pkt->gso_segs, 3);
	assert_int_equal(pkt->csum, LEAT_CSUM_PARTIAL);
	assert_int_equal(pkt->csum_start, pkt->lvl[1].transport);
	assert_int_equal(train_check_inverse(&train, 0), 3);
	train_end(&train);
}

static void test_types(void **state)
{
	for (unsigned i = 0; i < LENGTH(types); i++)
		for (unsigned fixed = 0; fixed < 4; fixed++)
			check_type(&types[i], fixed);
}

/* A GRE checksum that is 0 may be 0xffff too, but GSO would write 0; and it writes 0 into the
 * reserved half. */
static void test_gre_other(void **state)
{
	struct frame in = {.payload = 100};
	struct frame out = {.tunnel = LEAT_TUNNEL_GRE, .gre_csum = true, .inner = &in};
	struct train train = train_start(&conf);
	uint8_t bytes[FRAME_HDRS_MAX], *gre;

	do {
		in.dst++;
		frame_build(&out, bytes);
	} while (bytes[14 + 20 + 4] != 0 || bytes[14 + 20 + 5] != 0);
	memset(train_add(&train, &out)->data + 14 + 20 + 4, 0xff, 2);
	gre = train_add(&train, &out)->data + 14 + 20;
	gre[4] = 0xff; /* and the complement of that in the reserved half */
	gre[5] = 0xfe;
	gre[7] = 1;
	train_add(&train, &out);
	train_receive(&train, 3, 0);
	assert_int_equal(train.gro.count[LEAT_GRO_TUNNEL_CSUM], 2);
	assert_int_equal(train.gro.count[LEAT_GRO_HELD], 1);
	train_flush(&train, UINT64_MAX);
	train_end(&train);
}

/* The outer UDP length is the frame's. */
static void test_udp_length(void **state)
{
	struct frame in = {.payload = 100};
	struct frame out = {.tunnel = LEAT_TUNNEL_VXLAN, .no_csum = true, .inner = &in};
	struct train train = train_start(&conf);

	train_add(&train, &out)->data[14 + 20 + 5] ^= 1;
	train_receive(&train, 1, 0);
	assert_int_equal(train.gro.count[LEAT_GRO_LENGTH], 1);
	train_end(&train);
}

/* Never 64 KB or more, whatever the configuration. */
static void test_size(void **state)
{
	static const struct leat_gro_conf big = {.max_size = LEAT_GRO_SIZE_MAX,
						 .no_jumbogram = true};
	static const uint8_t versions[] = {4, 6};

	for (unsigned v = 0; v < LENGTH(versions); v++) {
		struct train train = train_start(&big);

		for (unsigned i = 0; i < 60; i++) {
			struct frame in = {
				.version = versions[v], .payload = 1300, .seq = 1300 * i};
			struct frame out = {.tunnel = LEAT_TUNNEL_VXLAN,
					    .version = versions[v],
					    .inner = &in,
					    .id = (uint16_t)i};

			in.id = (uint16_t)i;
			train_add(&train, &out);
		}
		train_receive(&train, 60, 0);
		train_flush(&train, UINT64_MAX);
		assert_int_equal(train.n_out, 2);
		assert_true(train.out[0]->len - train.out[0]->lvl[0].network < 65536);
		assert_int_equal(train.gro.count[LEAT_GRO_MAX_SIZE], 1);
		train_check_inverse(&train, 0);
		train_end(&train);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),	   cmocka_unit_test(test_depth),
		cmocka_unit_test(test_types),	   cmocka_unit_test(test_gre_other),
		cmocka_unit_test(test_udp_length), cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
