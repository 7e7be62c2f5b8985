/* SPDX-License-Identifier: MIT */
/*
 * test_gro_reasons.c - every reason there is, reached by a train of its own.
 */
#include <leat/gro.h>
#include <leat/parse.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "../rows.h"

static bool covered[LEAT_GRO_REASONS];

static const uint8_t ip4_nops[] = {1, 1, 1, 0}, tcp_nops[] = {1, 1, 1, 1}, tcp_end[] = {1, 1, 1, 0};
static const uint8_t hbh[] = {6, 0, 1, 4, 0, 0, 0, 0};

/* clang-format off */
#define CHUNK(...) {.protocol = FRAME_SCTP, .chunks = 1, .payload = 100, __VA_ARGS__}
#define VXLAN(...) {.tunnel = LEAT_TUNNEL_VXLAN, __VA_ARGS__}
static const struct row rows[] = {
	ROW("MERGED", V4, MERGED, SIZES(200), SEG(), SEG()),
	ROW("HELD", V4, HELD, SIZES(100), SEG()),
	ROW("NOT_PARSED", V4, NOT_PARSED, SIZES(100), SEG(.protocol = 50)),
	ROW("IP_OPTIONS", V4, IP_OPTIONS, SIZES(100), SEG(EXT(0, ip4_nops))),
	ROW("IP_FRAGMENT", V4, IP_FRAGMENT, SIZES(100), SEG(.frag_off = 1)),
	ROW("IP_CSUM", V4, IP_CSUM, SIZES(100), SEG(.bad_ip_csum = true)),
	ROW("LENGTH", V4, LENGTH, SIZES(101), SEG(.padding = 1)),
	ROW("NO_PAYLOAD", V4, NO_PAYLOAD, SIZES(0), {0}),
	ROW("TCP_FLAGS", V4, TCP_FLAGS, SIZES(100), SEG(.flags = FRAME_SYN)),
	ROW("L4_CSUM", V4, L4_CSUM, SIZES(100), SEG(.bad_l4_csum = true)),
	ROW("UDP_ZERO_CSUM", V4, UDP_ZERO_CSUM, SIZES(100), DGRAM(100, .no_csum = true)),
	ROW("SCTP_CHUNK", V4, SCTP_CHUNK, SIZES(100), CHUNK(.chunk_type = 1)),
	{"TUNNEL_INSIDE", V4, LEAT_GRO_TUNNEL_INSIDE, {100}, 1, 1, {SEG()},
	 {{.tunnel = LEAT_TUNNEL_GRE, .gre_seq = true}}},
	{"TUNNEL_CSUM", V4, LEAT_GRO_TUNNEL_CSUM, {100}, 1, 1, {SEG()}, {VXLAN(.bad_l4_csum = true)}},
	ROW("PSH_FIRST", V4, PSH_FIRST, SIZES(100), SEG(.flags = FRAME_PSH)),
	ROW("LINK", V4, LINK, SIZES(100, 100), SEG(), SEG(.src_mac = 1)),
	ROW("TOS", V4, TOS, SIZES(100, 100), SEG(), SEG(.tos = 1)),
	ROW("TTL", V4, TTL, SIZES(100, 100), SEG(), SEG(.ttl = 1)),
	ROW("DF", V4, DF, SIZES(100, 100), SEG(), SEG(.frag_off = FRAME_DF)),
	ROW("IP_ID", V4, IP_ID, SIZES(100, 100), SEG(), SEG(.id = 9)),
	ROW("FLOW_LABEL", V6, FLOW_LABEL, SIZES(100, 100), SEG(), SEG(.flow_label = 1)),
	ROW("EXTENSIONS", V6, EXTENSIONS, SIZES(100, 100), SEG(), SEG(EXT(0, hbh))),
	ROW("TCP_WORD", V4, TCP_WORD, SIZES(100, 100), SEG(), SEG(.window = 1)),
	ROW("TCP_ACK", V4, TCP_ACK, SIZES(100, 100), SEG(), SEG(.ack = 1)),
	ROW("TCP_OPTIONS", V4, TCP_OPTIONS, SIZES(100, 100),
	    SEG(OPTS(tcp_nops)), SEG(OPTS(tcp_end))),
	ROW("TCP_SEQ", V4, TCP_SEQ, SIZES(100, 100), SEG(), SEG(.seq = 1)),
	ROW("SCTP_VTAG", V4, SCTP_VTAG, SIZES(100, 100), CHUNK(.vtag = 0), CHUNK(.vtag = 1)),
	{"TUNNEL", V4, LEAT_GRO_TUNNEL, {100, 100}, 2, 2, {SEG(), SEG()},
	 {VXLAN(.tunnel_id = 0), VXLAN(.tunnel_id = 1)}},
	ROW("SIZE", V4, SIZE, SIZES(50, 100), {.payload = 50}, SEG()),
	ROW("END_SMALL", V4, END_SMALL, SIZES(150), SEG(), {.payload = 50}),
	ROW("END_FLAGS", V4, END_FLAGS, SIZES(200), SEG(), SEG(.flags = FRAME_PSH)),
	ROW("END_PASS", V4, END_PASS, SIZES(100, 0), SEG(), {0}),
	ROW("TIMEOUT", V4, TIMEOUT, SIZES(100), SEG()),
};

static const struct row off_rows[] = {
	ROW("UDP_OFF", V4, UDP_OFF, SIZES(100), DGRAM(100, )),
	ROW("SCTP_OFF", V4, SCTP_OFF, SIZES(100), CHUNK(.vtag = 0)),
};

static const struct row few_rows[] = {
	ROW("MAX_SIZE", V4, MAX_SIZE, SIZES(200, 100), SEG(), SEG(), SEG()),
	ROW("EVICTED", V4, EVICTED, SIZES(100, 100), SEG(), SEG(.sport = 1)),
};

static const struct row list_rows[] = {
	{"LIST_PARTIAL", V4, LEAT_GRO_LIST_PARTIAL, {100}, 1, 1, {SEG()}, {VXLAN(.remcsum = true)}},
};
/* clang-format on */

static void test_rows(void **state)
{
	static const struct leat_gro_conf all = {.udp = true, .sctp = true}, off,
					  few = {.max_segs = 2, .flows = 1},
					  list = {.fraglist = true};

	rows_check(rows, LENGTH(rows), &all, covered);
	rows_check(off_rows, LENGTH(off_rows), &off, covered);
	rows_check(few_rows, LENGTH(few_rows), &few, covered);
	rows_check(list_rows, LENGTH(list_rows), &list, covered);
}

/* What no row can say. */
static void test_others(void **state)
{
	static const struct frame in = {.payload = 100},
				  mid = {.tunnel = LEAT_TUNNEL_IP, .inner = &in},
				  out = {.tunnel = LEAT_TUNNEL_IP, .inner = &mid};
	struct train train = train_start(&(struct leat_gro_conf){0});

	train_add(&train, &out);
	train_add(&train, &in)->gso_size = 50;
	train_receive(&train, 2, 0);
	assert_int_equal(train.gro.count[LEAT_GRO_TUNNEL_DEPTH], 1);
	assert_int_equal(train.gro.count[LEAT_GRO_IS_GSO], 1);
	covered[LEAT_GRO_TUNNEL_DEPTH] = covered[LEAT_GRO_IS_GSO] = true;
	train_end(&train);
}

/* A tunnel that was not entered is that, whatever it is that was wrong inside. */
static void test_inside(void **state)
{
	static const struct leat_gro_conf conf = {.udp = true};
	static const struct frame in = {.payload = 100};
	static const struct frame frames[] = {
		{.tunnel = LEAT_TUNNEL_VXLAN, .inner = &in},
		{.tunnel = LEAT_TUNNEL_GUE, .inner = &in},
		{.tunnel = LEAT_TUNNEL_GRE, .inner = &in},
		{.tunnel = LEAT_TUNNEL_IP, .inner = &in},
	};

	for (unsigned i = 0; i < LENGTH(frames); i++) {
		struct train train = train_start(&conf);
		struct leat_pkt *bad = train_add(&train, &frames[i]);
		struct leat_pkt *cut = train_add(&train, &frames[i]);
		struct leat_pkt *outer = train_add(&train, &frames[i]);

		bad->data[bad->lvl[1].network]--; /* a header length of 16 */
		leat_parse(&frame_conf, &bad, 1);
		cut->data[cut->lvl[1].network + 2]++; /* a length longer than the frame */
		leat_parse(&frame_conf, &cut, 1);
		leat_parse_outer(outer);
		train_receive(&train, 3, 0);
		assert_int_equal(train.gro.count[LEAT_GRO_TUNNEL_INSIDE], 3);
		train_end(&train);
	}
}

/* Nothing is known of it, so nothing is read of it. */
static void test_never_parsed(void **state)
{
	static const struct leat_gro_conf conf = {.udp = true};
	struct train train = train_start(&conf);
	struct leat_pkt *pkt = train_add(&train, &(struct frame){.payload = 100});

	leat_pkt_init(pkt, pkt->data, pkt->len);
	train_receive(&train, 1, 0);
	assert_int_equal(train.gro.count[LEAT_GRO_NOT_PARSED], 1);
	train_end(&train);
}

/* Each has a name of its own. */
static void test_reasons(void **state)
{
	for (unsigned i = 0; i < LEAT_GRO_REASONS; i++) {
		const char *name = leat_gro_reason_name(i);

		if (!covered[i])
			fail_msg("no test has: %s", name);
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(name, leat_gro_reason_name(j));
	}
	assert_string_equal(leat_gro_reason_name(LEAT_GRO_REASONS), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),	cmocka_unit_test(test_others),
		cmocka_unit_test(test_inside),	cmocka_unit_test(test_never_parsed),
		cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
