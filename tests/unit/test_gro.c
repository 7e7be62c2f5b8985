/* SPDX-License-Identifier: MIT */
/*
 * test_gro.c - what merges and what does not, by rows: trains of one flow and the payload sizes
 * that come out. Names are those of the kernel's own GRO self-test where it has the case. Every
 * train is also cut up again by tests/frame.c, which must give its packets byte for byte.
 */
#include <leat/gro.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../train.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* clang-format off */
#define OPTS(o) .opts = (o), .opts_len = sizeof(o)
#define EXT(type, e) .ext_first = (type), .ext = (e), .ext_len = sizeof(e)
#define FIXED(k) ((uint16_t)-(k)) /* packet k has the ID of packet 0 */
#define SEG(...) {.payload = 100, __VA_ARGS__}
#define DGRAM(n, ...) {.protocol = FRAME_UDP, .payload = (n), __VA_ARGS__}
#define SIZES(...) {__VA_ARGS__}
#define ROW(name_, versions_, why_, sizes_, ...)                                                 \
	{.name = (name_), .versions = (versions_), .why = LEAT_GRO_##why_,                         \
	 .sizes = sizes_, .outs = LENGTH(((uint32_t[])sizes_)),                                    \
	 .pkt = {__VA_ARGS__}, .n = LENGTH(((struct frame[]){__VA_ARGS__}))}
/* clang-format on */

enum { V4 = 1, V6 = 2, BOTH = V4 | V6, ROW_MAX = 8, BASE_SEQ = 1000 };

/* A packet's id, seq and ack are added to what they would be in a train that merges. */
struct row {
	const char *name;
	unsigned versions;
	enum leat_gro_reason why; /* must be counted */
	uint32_t sizes[ROW_MAX];
	unsigned n, outs;
	struct frame pkt[ROW_MAX];
};

static const uint8_t ts[] = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2};
static const uint8_t ts_val[] = {1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 2};
static const uint8_t ts_ecr[] = {1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 3};
static const uint8_t ts_wide[] = {8, 10, 0, 0, 0, 9, 0, 0, 0, 3, 0, 0};
static const uint8_t wscale[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 7};
static const uint8_t nops[] = {1, 1, 1, 1}, nops_end[] = {1, 1, 1, 0};
static const uint8_t ip4_nops[] = {1, 1, 1, 0};
static const uint8_t hbh[] = {6, 0, 1, 4, 0, 0, 0, 0}, hbh_other[] = {6, 0, 5, 2, 0, 0, 1, 0};
static const uint8_t hbh_long[248] = {6, 30, 1, 244};
static const uint8_t frag_first[] = {6, 0, 0, 1, 0, 0, 0, 7};
static const uint8_t frag_later[] = {6, 0, 0, 200, 0, 0, 0, 7};
static const uint8_t frag_atomic[] = {6, 0, 0, 0, 0, 0, 0, 7};

/* clang-format off */
static const struct row rows[] = {
	ROW("data_same", BOTH, MERGED, SIZES(200), SEG(), SEG()),
	ROW("three", BOTH, TIMEOUT, SIZES(300), SEG(), SEG(), SEG()),
	ROW("single", BOTH, HELD, SIZES(100), SEG()),
	ROW("data_lrg_sml", BOTH, END_SMALL, SIZES(150, 50),
	      SEG(), {.payload = 50}, {.payload = 50}),
	ROW("data_lrg_1byte", BOTH, END_SMALL, SIZES(101), SEG(), {.payload = 1}),
	ROW("data_sml_lrg", BOTH, SIZE, SIZES(50, 100), {.payload = 50}, SEG()),
	ROW("ack", BOTH, NO_PAYLOAD, SIZES(0, 0, 0), {0}, {0}, {0}),
	ROW("ack ends", BOTH, END_PASS, SIZES(200, 0, 100), SEG(), SEG(), {0}, SEG()),

	ROW("flags_psh", BOTH, END_FLAGS, SIZES(300, 200),
	      SEG(), SEG(), SEG(.flags = FRAME_PSH), SEG(), SEG()),
	ROW("psh first", BOTH, PSH_FIRST, SIZES(100, 100), SEG(.flags = FRAME_PSH), SEG()),
	ROW("psh after a gap", BOTH, PSH_FIRST, SIZES(100, 100),
	      SEG(), SEG(.seq = 1, .flags = FRAME_PSH)),
	ROW("fin last", BOTH, END_SMALL, SIZES(160),
	      SEG(), {.payload = 60, .flags = FRAME_FIN | FRAME_PSH}),
	ROW("flags_syn", BOTH, TCP_FLAGS, SIZES(200, 0, 200),
	      SEG(), SEG(), {.flags = FRAME_SYN}, SEG(), SEG()),
	ROW("flags_rst", BOTH, TCP_FLAGS, SIZES(200, 0, 200),
	      SEG(), SEG(), {.flags = FRAME_RST}, SEG(), SEG()),
	ROW("flags_urg", BOTH, TCP_FLAGS, SIZES(200, 0, 200),
	      SEG(), SEG(), {.flags = FRAME_URG}, SEG(), SEG()),
	/* From Linux 7.0 on 100, 200, 200. */
	ROW("flags_cwr", BOTH, TCP_FLAGS, SIZES(100, 100, 100, 200),
	      SEG(), SEG(.flags = FRAME_CWR), SEG(.flags = FRAME_CWR), SEG(), SEG()),
	ROW("no ack flag", BOTH, TCP_FLAGS, SIZES(100, 100), SEG(), SEG(.no_ack = true)),
	ROW("ece on all", BOTH, MERGED, SIZES(300),
	      SEG(.flags = FRAME_ECE), SEG(.flags = FRAME_ECE), SEG(.flags = FRAME_ECE)),
	ROW("ece on one", BOTH, TCP_WORD, SIZES(100, 100), SEG(), SEG(.flags = FRAME_ECE)),
	ROW("reserved bit", BOTH, TCP_WORD, SIZES(100, 100), SEG(), SEG(.reserved = 1)),

	ROW("tcp_csum", BOTH, L4_CSUM, SIZES(100, 100), SEG(), SEG(.bad_l4_csum = true)),
	ROW("tcp_seq", BOTH, TCP_SEQ, SIZES(100, 100), SEG(), SEG(.seq = 1)),
	ROW("duplicate", BOTH, TCP_SEQ, SIZES(100, 100), SEG(), SEG(.seq = -100u)),
	ROW("seq wraps", BOTH, MERGED, SIZES(300),
	      SEG(.seq = -150u - BASE_SEQ), SEG(.seq = -150u - BASE_SEQ),
	      SEG(.seq = -150u - BASE_SEQ)),
	ROW("tcp_ts", BOTH, TCP_OPTIONS, SIZES(200, 100, 100, 100),
	      SEG(OPTS(ts)), SEG(OPTS(ts)), SEG(OPTS(ts_val)), SEG(OPTS(ts_ecr)),
	      SEG(OPTS(ts_wide))),
	ROW("tcp_opt", BOTH, TCP_OPTIONS, SIZES(200, 100),
	      SEG(OPTS(ts)), SEG(OPTS(ts)), SEG(OPTS(wscale))),
	ROW("tcp_opt of four bytes", BOTH, TCP_OPTIONS, SIZES(100, 100),
	    SEG(OPTS(nops)), SEG(OPTS(nops_end))),
	ROW("data offset", BOTH, TCP_WORD, SIZES(100, 100), SEG(), SEG(OPTS(ts))),
	ROW("window", BOTH, TCP_WORD, SIZES(100, 100), SEG(), SEG(.window = 1)),
	ROW("urgent pointer", BOTH, TCP_WORD, SIZES(100, 100), SEG(), SEG(.urg_ptr = 1)),
	ROW("ack number", BOTH, TCP_ACK, SIZES(100, 100), SEG(), SEG(.ack = 1)),

	ROW("ip_ecn", BOTH, TOS, SIZES(100, 100), SEG(.tos = 2), SEG(.tos = 3)),
	ROW("ip_tos", BOTH, TOS, SIZES(100, 100), SEG(), SEG(.tos = 0x10)),
	ROW("ip_ttl", BOTH, TTL, SIZES(100, 100), SEG(), SEG(.ttl = 63)),
	ROW("ip_csum", V4, IP_CSUM, SIZES(100, 100, 100),
	      SEG(.bad_ip_csum = true), SEG(.bad_ip_csum = true), SEG(.bad_ip_csum = true)),
	ROW("ip_opt", V4, IP_OPTIONS, SIZES(100, 100, 100),
	      SEG(EXT(0, ip4_nops)), SEG(EXT(0, ip4_nops)), SEG(EXT(0, ip4_nops))),
	ROW("ip_frag4", V4, IP_FRAGMENT, SIZES(100, 100),
	      SEG(), SEG(.frag_off = FRAME_DF | FRAME_MF)),
	ROW("later fragment", V4, IP_FRAGMENT, SIZES(100), SEG(.frag_off = 1)),
	ROW("reserved flag", V4, IP_FRAGMENT, SIZES(100, 100),
	      SEG(.frag_off = 0x8000), SEG(.frag_off = 0x8000)),
	ROW("df", V4, DF, SIZES(100, 100), SEG(.frag_off = FRAME_DF), SEG()),

	ROW("ip_id_df1_inc", V4, MERGED, SIZES(300),
	      SEG(.frag_off = FRAME_DF), SEG(.frag_off = FRAME_DF), SEG(.frag_off = FRAME_DF)),
	ROW("ip_id_df1_fixed", V4, MERGED, SIZES(300),
	      SEG(.frag_off = FRAME_DF), SEG(.frag_off = FRAME_DF, .id = FIXED(1)),
	      SEG(.frag_off = FRAME_DF, .id = FIXED(2))),
	ROW("ip_id_df0_fixed", V4, MERGED, SIZES(300), SEG(), SEG(.id = FIXED(1)), SEG(.id = FIXED(2))),
	ROW("ip_id_df1_inc_fixed", V4, IP_ID, SIZES(200, 100),
	      SEG(.frag_off = FRAME_DF), SEG(.frag_off = FRAME_DF),
	      SEG(.frag_off = FRAME_DF, .id = (uint16_t)-1)),
	ROW("ip_id_df1_fixed_inc", V4, IP_ID, SIZES(200, 100),
	      SEG(.frag_off = FRAME_DF), SEG(.frag_off = FRAME_DF, .id = FIXED(1)),
	      SEG(.frag_off = FRAME_DF, .id = FIXED(1))),
	ROW("id returns", V4, IP_ID, SIZES(200, 100), SEG(), SEG(), SEG(.id = FIXED(2))),
	ROW("id wraps", V4, MERGED, SIZES(200), SEG(.id = 0xffff), SEG(.id = 0xffff)),
	ROW("id jumps", V4, IP_ID, SIZES(100, 100), SEG(), SEG(.id = 5)),

	ROW("ip_frag6", V6, IP_FRAGMENT, SIZES(200, 100, 100),
	      SEG(), SEG(), SEG(EXT(44, frag_first)), SEG(EXT(44, frag_later))),
	ROW("atomic fragments", V6, IP_FRAGMENT, SIZES(100, 100),
	      SEG(EXT(44, frag_atomic)), SEG(EXT(44, frag_atomic))),
	ROW("ip_v6ext_same", V6, MERGED, SIZES(200), SEG(EXT(0, hbh)), SEG(EXT(0, hbh))),
	ROW("ip_v6ext_diff", V6, EXTENSIONS, SIZES(100, 100),
	      SEG(EXT(0, hbh)), SEG(EXT(0, hbh_other))),
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
	ROW("another protocol", BOTH, NOT_PARSED, SIZES(100, 100),
	      {.protocol = 47, .payload = 100}, {.protocol = 132, .payload = 100}),

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

static void add_packets(struct train *train, const struct row *row, uint8_t version)
{
	uint32_t seq = BASE_SEQ;

	for (unsigned i = 0; i < row->n; i++) {
		struct frame f = row->pkt[i];

		f.version = version;
		f.id += (uint16_t)i;
		f.seq += f.protocol == FRAME_UDP ? 0 : seq;
		seq += f.payload;
		train_add(train, &f);
	}
}

/* Payload, and what lies behind it. */
static uint32_t rest_of(const struct train *train, const struct leat_pkt *pkt,
			const struct row *row, uint8_t version)
{
	struct frame f = row->pkt[pkt->cookie];

	f.version = version;
	return pkt->len - frame_hdr_len(&f);
}

static void check_row(const struct row *row, uint8_t version, bool one_by_one)
{
	struct train train = train_start(&merge_udp);

	print_message("%s, IPv%u\n", row->name, version);
	add_packets(&train, row, version);
	for (unsigned i = 0; one_by_one && i < row->n; i++)
		train_receive(&train, 1, i);
	if (!one_by_one)
		train_receive(&train, row->n, 0);
	train_flush(&train, UINT64_MAX);
	train_check_balance(&train);
	train_check_conserved(&train);
	assert_int_equal(train.n_out, row->outs);
	for (unsigned i = 0, k = 0; i < row->outs; i++) {
		assert_int_equal(train.out[i]->cookie, k);
		assert_int_equal(rest_of(&train, train.out[i], row, version), row->sizes[i]);
		k += train_check_inverse(&train, i);
	}
	assert_true(train.gro.count[row->why] > 0);
	covered[row->why] = true;
	train_end(&train);
}

static void test_rows(void **state)
{
	for (unsigned i = 0; i < LENGTH(rows); i++)
		for (unsigned k = 0; k < 4; k++)
			if ((rows[i].versions & (k < 2 ? V4 : V6)) != 0)
				check_row(&rows[i], k < 2 ? 4 : 6, k % 2 == 0);
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
		covered[LEAT_GRO_MAX_SIZE] = true;
	}
	train_end(&train);
}

static void test_large(void **state)
{
	static const struct leat_gro_conf big = {.udp = true, .max_size = 1 << 17},
					  few = {.max_segs = 3};

	check_large(4, FRAME_TCP, 1000, 70, 0, &merge_udp, 65000);
	check_large(6, FRAME_TCP, 1000, 70, 0, &merge_udp, 65000);
	check_large(4, FRAME_UDP, 100, 70, 0, &merge_udp, 6400);
	check_large(6, FRAME_UDP, 100, 70, 0, &merge_udp, 6400);
	/* large_max and large_rem: the last byte that fits, and one more. */
	check_large(4, FRAME_TCP, 4036, 16, 65495 - 16 * 4036, &merge_udp, 65495);
	check_large(4, FRAME_TCP, 4036, 16, 65496 - 16 * 4036, &merge_udp, 16 * 4036);
	check_large(6, FRAME_TCP, 4036, 16, 65475 - 16 * 4036, &merge_udp, 65475);
	check_large(6, FRAME_TCP, 4036, 16, 65476 - 16 * 4036, &merge_udp, 16 * 4036);
	/* BIG TCP; but no BIG UDP. */
	check_large(4, FRAME_TCP, 1448, 90, 100, &big, 90 * 1448 + 100);
	check_large(6, FRAME_TCP, 1428, 95, 0, &big, 91 * 1428);
	check_large(4, FRAME_UDP, 1472, 50, 0, &big, 44 * 1472);
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
	add_packets(&train, &row, 4);
	for (unsigned i = 0; i < 3; i++)
		mark(train.pkts.pkts[i], i);
	train_receive(&train, 3, 0);
	train_flush(&train, UINT64_MAX);
	train_check_balance(&train);
	train_check_conserved(&train);
	assert_int_equal(train.n_out, 3);
	assert_int_equal(train.gro.count[why], times);
	covered[why] = true;
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

/* The tests before have had every reason once, and each has a name of its own. */
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
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
