/* SPDX-License-Identifier: MIT */
/*
 * test_gro.c - what merges and what does not, by rows: trains of one flow and the payload sizes
 * that come out. The cases of the kernel's own self-test are in test_gro_selftest.c.
 */
#include <leat/gro.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../rows.h"

static const uint8_t ts[] = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2};
static const uint8_t nops[] = {1, 1, 1, 1}, nops_end[] = {1, 1, 1, 0};
static const uint8_t hbh[] = {6, 0, 1, 4, 0, 0, 0, 0};
static const uint8_t hbh_long[248] = {6, 30, 1, 244};
static const uint8_t frag_atomic[] = {6, 0, 0, 0, 0, 0, 0, 7};

/* clang-format off */
static const struct row rows[] = {
	ROW("three", BOTH, TIMEOUT, SIZES(300), SEG(), SEG(), SEG()),
	ROW("ack ends", BOTH, END_PASS, SIZES(200, 0, 100), SEG(), SEG(), {0}, SEG()),

	ROW("psh first", BOTH, PSH_FIRST, SIZES(100, 100), SEG(.flags = FRAME_PSH), SEG()),
	ROW("psh after a gap", BOTH, PSH_FIRST, SIZES(100, 100),
	      SEG(), SEG(.seq = 1, .flags = FRAME_PSH)),
	ROW("fin last", BOTH, END_SMALL, SIZES(160),
	      SEG(), {.payload = 60, .flags = FRAME_FIN | FRAME_PSH}),
	ROW("no ack flag", BOTH, TCP_WORD, SIZES(100, 100), SEG(), SEG(.no_ack = true)),
	ROW("none has ack", BOTH, MERGED, SIZES(200), SEG(.no_ack = true), SEG(.no_ack = true)),
	ROW("ece on all", BOTH, MERGED, SIZES(300),
	      SEG(.flags = FRAME_ECE), SEG(.flags = FRAME_ECE), SEG(.flags = FRAME_ECE)),
	ROW("ece on one", BOTH, TCP_WORD, SIZES(100, 100), SEG(), SEG(.flags = FRAME_ECE)),
	ROW("reserved bit", BOTH, TCP_WORD, SIZES(100, 100), SEG(), SEG(.reserved = 1)),

	ROW("duplicate", BOTH, TCP_SEQ, SIZES(100, 100), SEG(), SEG(.seq = -100u)),
	ROW("seq wraps", BOTH, MERGED, SIZES(300),
	      SEG(.seq = -150u - ROW_SEQ), SEG(.seq = -150u - ROW_SEQ),
	      SEG(.seq = -150u - ROW_SEQ)),
	ROW("tcp_opt of four bytes", BOTH, TCP_OPTIONS, SIZES(100, 100),
	    SEG(OPTS(nops)), SEG(OPTS(nops_end))),
	ROW("data offset", BOTH, TCP_WORD, SIZES(100, 100), SEG(), SEG(OPTS(ts))),
	ROW("window", BOTH, TCP_WORD, SIZES(100, 100), SEG(), SEG(.window = 1)),
	ROW("urgent pointer", BOTH, TCP_WORD, SIZES(100, 100), SEG(), SEG(.urg_ptr = 1)),
	ROW("ack number", BOTH, TCP_ACK, SIZES(100, 100), SEG(), SEG(.ack = 1)),

	ROW("later fragment", V4, IP_FRAGMENT, SIZES(100), SEG(.frag_off = 1)),
	ROW("reserved flag", V4, IP_FRAGMENT, SIZES(100, 100),
	      SEG(.frag_off = 0x8000), SEG(.frag_off = 0x8000)),
	ROW("df", V4, DF, SIZES(100, 100), SEG(.frag_off = FRAME_DF), SEG()),

	ROW("id returns", V4, IP_ID, SIZES(200, 100), SEG(), SEG(), SEG(.id = FIXED(2))),
	ROW("id wraps", V4, MERGED, SIZES(200), SEG(.id = 0xffff), SEG(.id = 0xffff)),
	ROW("id jumps", V4, IP_ID, SIZES(100, 100), SEG(), SEG(.id = 5)),

	ROW("atomic fragments", V6, IP_FRAGMENT, SIZES(100, 100),
	      SEG(EXT(44, frag_atomic)), SEG(EXT(44, frag_atomic))),
	ROW("v6ext longer", V6, EXTENSIONS, SIZES(1, 1),
	    {.payload = 1, EXT(0, hbh)}, {.payload = 1, EXT(0, hbh_long)}),
	ROW("v6ext shorter", V6, EXTENSIONS, SIZES(1, 1),
	    {.payload = 1, EXT(0, hbh_long)}, {.payload = 1, EXT(0, hbh)}),
	ROW("v6ext of another type", V6, EXTENSIONS, SIZES(100, 100),
	      SEG(EXT(0, hbh)), SEG(EXT(60, hbh))),
	ROW("v6ext on one", V6, EXTENSIONS, SIZES(100, 100), SEG(EXT(0, hbh)), SEG()),
	ROW("flow label", V6, FLOW_LABEL, SIZES(100, 100), SEG(), SEG(.flow_label = 1)),

	ROW("padding", BOTH, LENGTH, SIZES(6, 6),
	      {.payload = 1, .padding = 5}, {.payload = 1, .padding = 5}),
	ROW("trailing bytes", BOTH, LENGTH, SIZES(100, 110), SEG(), SEG(.padding = 10)),
	ROW("mac", BOTH, LINK, SIZES(100, 100), SEG(), SEG(.dst_mac = 1)),
	ROW("vlan", BOTH, MERGED, SIZES(200),
	      SEG(.vlans = 1, .vlan = {5}), SEG(.vlans = 1, .vlan = {5})),
	ROW("vlan differs", BOTH, LINK, SIZES(100, 100),
	      SEG(.vlans = 1, .vlan = {5}), SEG(.vlans = 1, .vlan = {6})),
	ROW("vlan on one", BOTH, LINK, SIZES(100, 100), SEG(), SEG(.vlans = 1)),
	ROW("another protocol", BOTH, NOT_PARSED, SIZES(100, 11),
	      {.protocol = 50, .payload = 100}, {.protocol = 132, .payload = 11}),

	ROW("udp", BOTH, MERGED, SIZES(300), DGRAM(100, ), DGRAM(100, ), DGRAM(100, )),
	ROW("udp lrg_sml", BOTH, END_SMALL, SIZES(150, 50), DGRAM(100, ), DGRAM(50, ), DGRAM(50, )),
	ROW("udp sml_lrg", BOTH, SIZE, SIZES(50, 100), DGRAM(50, ), DGRAM(100, )),
	ROW("udp empty", BOTH, NO_PAYLOAD, SIZES(9, 0, 9), DGRAM(9, ), DGRAM(0, ), DGRAM(9, )),
	ROW("udp csum", BOTH, L4_CSUM, SIZES(100, 100),
	      DGRAM(100, ), DGRAM(100, .bad_l4_csum = true)),
	ROW("udp zero csum", BOTH, UDP_ZERO_CSUM, SIZES(100, 100),
	      DGRAM(100, .no_csum = true), DGRAM(100, .no_csum = true)),
	ROW("udp fixed ids", V4, MERGED, SIZES(300),
	      DGRAM(100, ), DGRAM(100, .id = FIXED(1)), DGRAM(100, .id = FIXED(2))),
	ROW("udp tos", BOTH, TOS, SIZES(9, 9), DGRAM(9, ), DGRAM(9, .tos = 1)),
};
/* clang-format on */

static const struct leat_gro_conf merge_udp = {.udp = true, .key = {{1, 2}}};
static bool covered[LEAT_GRO_REASONS];

static void test_rows(void **state)
{
	rows_check(rows, LENGTH(rows), &merge_udp, covered);
}

/* `n` full segments of `mss` bytes and one of `rest` become one super-packet or two. */
static void check_large(uint8_t version, uint8_t protocol, uint32_t mss, unsigned n, uint32_t rest,
			const struct leat_gro_conf *conf, uint32_t first)
{
	struct train train = train_start(conf);
	const struct leat_pkt *pkt;

	for (unsigned i = 0; i < n + (rest > 0); i++)
		train_add(&train, &(struct frame){.version = version,
						  .protocol = protocol,
						  .id = (uint16_t)i,
						  .payload = i < n ? mss : rest,
						  .seq = protocol == FRAME_UDP ? 0 : i * mss});
	train_receive(&train, train.pkts.n, 0);
	train_flush(&train, UINT64_MAX);
	train_check_balance(&train);
	train_check_conserved(&train);
	for (unsigned i = 0; i < train.n_out; i++)
		train_check_inverse(&train, i);
	pkt = train.out[0];
	assert_int_equal(pkt->len - pkt->payload, first);
	assert_int_equal(pkt->gso_segs, (first + mss - 1) / mss);
	assert_int_equal(train.n_out, first < n * mss + rest ? 2 : 1);
	if (train.n_out == 2) {
		pkt = train.out[1];
		assert_int_equal(pkt->len - pkt->payload, n * mss + rest - first);
		assert_true(train.gro.count[LEAT_GRO_MAX_SIZE] > 0);
	}
	train_end(&train);
}

static void test_large(void **state)
{
	static const struct leat_gro_conf few = {.max_segs = 3};

	check_large(4, FRAME_TCP, 1000, 70, 0, &merge_udp, 65000);
	check_large(6, FRAME_TCP, 1000, 70, 0, &merge_udp, 65000);
	check_large(4, FRAME_UDP, 100, 70, 0, &merge_udp, 6400);
	check_large(6, FRAME_UDP, 100, 70, 0, &merge_udp, 6400);
	check_large(4, FRAME_TCP, 100, 5, 0, &few, 300);
}

/* Three segments with what cannot come from a frame: descriptors that say more. */
static void check_three(const struct leat_gro_conf *conf, uint8_t protocol,
			void (*mark)(struct leat_pkt *pkt, unsigned i), enum leat_gro_reason why,
			unsigned times)
{
	struct row row = {.n = 3};
	struct train train = train_start(conf);

	for (unsigned i = 0; i < 3; i++)
		row.pkt[i] = (struct frame){.protocol = protocol, .payload = 100};
	rows_add(&train, &row, V4, 0);
	for (unsigned i = 0; i < 3; i++)
		mark(train.pkts.pkts[i], i);
	train_receive(&train, 3, 0);
	train_flush(&train, UINT64_MAX);
	train_check_balance(&train);
	train_check_conserved(&train);
	assert_int_equal(train.n_out, 3);
	assert_int_equal(train.gro.count[why], times);
	train_end(&train);
}

static void mark_nothing(struct leat_pkt *pkt, unsigned i)
{
}

static void mark_second_super(struct leat_pkt *pkt, unsigned i)
{
	pkt->gso_size = i == 1 ? 50 : 0;
	pkt->gso_type = i == 1 ? LEAT_GSO_TCPV4 : 0;
}

static void mark_hash(struct leat_pkt *pkt, unsigned i)
{
	pkt->hash = i;
	pkt->hash_type = LEAT_HASH_L4;
}

static void test_descriptors(void **state)
{
	static const struct leat_gro_conf no_udp, one_flow = {.buckets = 1, .depth = 1};

	check_three(&no_udp, FRAME_UDP, mark_nothing, LEAT_GRO_UDP_OFF, 3);
	check_three(&no_udp, FRAME_TCP, mark_second_super, LEAT_GRO_IS_GSO, 1);
	check_three(&one_flow, FRAME_TCP, mark_hash, LEAT_GRO_EVICTED, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
