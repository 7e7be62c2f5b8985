/* SPDX-License-Identifier: MIT */
/*
 * test_gro_selftest.c - the cases of the kernel's own GRO self-test, by their names, in its modes
 * ipv4, ipv6, ipip and ip6ip6, each with the sizes it expects; and flags_cwr as newer kernels have
 * it, too.
 */
#include <leat/gro.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "../rows.h"

static const struct leat_gro_conf defaults = {.key = {{0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9}}};
static bool covered[LEAT_GRO_REASONS];

static const uint8_t ts[] = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2};
static const uint8_t ts_val[] = {1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 2};
static const uint8_t ts_ecr[] = {1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 3};
static const uint8_t ts_wide[] = {8, 10, 0, 0, 0, 9, 0, 0, 0, 3, 0, 0};
static const uint8_t wscale[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 7};
static const uint8_t ip4_nops[] = {1, 1, 1, 0};
static const uint8_t hbh[] = {6, 0, 1, 4, 0, 0, 0, 0}, hbh_other[] = {6, 0, 5, 2, 0, 0, 1, 0};
static const uint8_t frag_first[] = {6, 0, 0, 1, 0, 0, 0, 7};
static const uint8_t frag_later[] = {6, 0, 0, 200, 0, 0, 0, 7};

/* clang-format off */
static const struct row rows[] = {
	ROW("data_same", ALL, MERGED, SIZES(200), SEG(), SEG()),
	ROW("data_lrg_sml", ALL, END_SMALL, SIZES(150, 50),
	      SEG(), {.payload = 50}, {.payload = 50}),
	ROW("data_lrg_1byte", ALL, END_SMALL, SIZES(101), SEG(), {.payload = 1}),
	ROW("data_sml_lrg", ALL, SIZE, SIZES(50, 100), {.payload = 50}, SEG()),
	ROW("ack", ALL, NO_PAYLOAD, SIZES(0, 0, 0), {0}, {0}, {0}),
	ROW("flags_psh", ALL, END_FLAGS, SIZES(300, 200),
	      SEG(), SEG(), SEG(.flags = FRAME_PSH), SEG(), SEG()),
	ROW("flags_syn", ALL, TCP_FLAGS, SIZES(200, 0, 200),
	      SEG(), SEG(), {.flags = FRAME_SYN}, SEG(), SEG()),
	ROW("flags_rst", ALL, TCP_FLAGS, SIZES(200, 0, 200),
	      SEG(), SEG(), {.flags = FRAME_RST}, SEG(), SEG()),
	ROW("flags_urg", ALL, TCP_FLAGS, SIZES(200, 0, 200),
	      SEG(), SEG(), {.flags = FRAME_URG}, SEG(), SEG()),
	ROW("flags_cwr", ALL, TCP_FLAGS, SIZES(100, 100, 100, 200),
	      SEG(), SEG(.flags = FRAME_CWR), SEG(.flags = FRAME_CWR), SEG(), SEG()),
	ROW("tcp_csum", ALL, L4_CSUM, SIZES(100, 100), SEG(), SEG(.bad_l4_csum = true)),
	ROW("tcp_seq", ALL, TCP_SEQ, SIZES(100, 100), SEG(), SEG(.seq = 1)),
	ROW("tcp_ts", ALL, TCP_OPTIONS, SIZES(200, 100, 100, 100),
	      SEG(OPTS(ts)), SEG(OPTS(ts)), SEG(OPTS(ts_val)), SEG(OPTS(ts_ecr)),
	      SEG(OPTS(ts_wide))),
	ROW("tcp_opt", ALL, TCP_OPTIONS, SIZES(200, 100),
	      SEG(OPTS(ts)), SEG(OPTS(ts)), SEG(OPTS(wscale))),
	ROW("ip_ecn", ALL, TOS, SIZES(100, 100), SEG(.tos = 2), SEG(.tos = 3)),
	ROW("ip_tos", ALL, TOS, SIZES(100, 100), SEG(), SEG(.tos = 0x10)),
	ROW("ip_csum", ALL4, IP_CSUM, SIZES(100, 100, 100),
	      SEG(.bad_ip_csum = true), SEG(.bad_ip_csum = true), SEG(.bad_ip_csum = true)),
	ROW("ip_ttl", ALL, TTL, SIZES(100, 100), SEG(), SEG(.ttl = 63)),
	ROW("ip_opt", ALL4, IP_OPTIONS, SIZES(100, 100, 100),
	      SEG(EXT(0, ip4_nops)), SEG(EXT(0, ip4_nops)), SEG(EXT(0, ip4_nops))),
	ROW("ip_frag4", ALL4, IP_FRAGMENT, SIZES(100, 100),
	      SEG(), SEG(.frag_off = FRAME_DF | FRAME_MF)),
	ROW("ip_id_df1_inc", ALL4, MERGED, SIZES(300),
	      SEG(.frag_off = FRAME_DF), SEG(.frag_off = FRAME_DF), SEG(.frag_off = FRAME_DF)),
	ROW("ip_id_df1_fixed", ALL4, MERGED, SIZES(300),
	      SEG(.frag_off = FRAME_DF), SEG(.frag_off = FRAME_DF, .id = FIXED(1)),
	      SEG(.frag_off = FRAME_DF, .id = FIXED(2))),
	ROW("ip_id_df0_inc", ALL4, MERGED, SIZES(300), SEG(), SEG(), SEG()),
	ROW("ip_id_df0_fixed", ALL4, MERGED, SIZES(300), SEG(), SEG(.id = FIXED(1)), SEG(.id = FIXED(2))),
	ROW("ip_id_df1_inc_fixed", ALL4, IP_ID, SIZES(200, 100),
	      SEG(.frag_off = FRAME_DF), SEG(.frag_off = FRAME_DF),
	      SEG(.frag_off = FRAME_DF, .id = (uint16_t)-1)),
	ROW("ip_id_df1_fixed_inc", ALL4, IP_ID, SIZES(200, 100),
	      SEG(.frag_off = FRAME_DF), SEG(.frag_off = FRAME_DF, .id = FIXED(1)),
	      SEG(.frag_off = FRAME_DF, .id = FIXED(1))),
	ROW("ip_frag6", ALL6, IP_FRAGMENT, SIZES(200, 100, 100),
	      SEG(), SEG(), SEG(EXT(44, frag_first)), SEG(EXT(44, frag_later))),
	ROW("ip_v6ext_same", ALL6, MERGED, SIZES(200), SEG(EXT(0, hbh)), SEG(EXT(0, hbh))),
	ROW("ip_v6ext_diff", ALL6, EXTENSIONS, SIZES(100, 100),
	      SEG(EXT(0, hbh)), SEG(EXT(0, hbh_other))),
	ROW("single", ALL, HELD, SIZES(100), SEG()),
};

/* From Linux 7.0 on. */
static const struct row accecn_rows[] = {
	ROW("flags_cwr", ALL, TCP_WORD, SIZES(100, 200, 200),
	      SEG(), SEG(.flags = FRAME_CWR), SEG(.flags = FRAME_CWR), SEG(), SEG()),
};
/* clang-format on */

static void test_rows(void **state)
{
	static const struct leat_gro_conf accecn = {.accecn = true};

	rows_check(rows, LENGTH(rows), &defaults, covered);
	rows_check(accecn_rows, LENGTH(accecn_rows), &accecn, covered);
}

/* `n` segments of `mss` bytes and one of `rest` of each of `flows` flows, all given at once, or if
 * `burst` is not 0, flushed after so many. */
static struct train send(unsigned mode, unsigned flows, unsigned n, uint32_t mss, uint32_t rest,
			 unsigned burst)
{
	struct train train = train_start(&defaults);
	struct row row = {.n = 1};

	for (unsigned i = 0; i < n + (rest > 0); i++)
		for (unsigned flow = 0; flow < flows; flow++) {
			row.pkt[0] = (struct frame){.id = (uint16_t)i,
						    .sport = (uint16_t)flow,
						    .payload = i < n ? mss : rest,
						    .seq = i * mss};
			rows_add(&train, &row, mode, (uint16_t)(flow * 1000 + i));
		}
	while (train.n_in < train.pkts.n) {
		train_receive(&train, burst > 0 ? burst : train.pkts.n, train.n_in);
		train_flush(&train, UINT64_MAX);
	}
	train_check_balance(&train);
	train_check_conserved(&train);
	for (unsigned i = 0; i < train.n_out; i++)
		train_check_inverse(&train, i);
	return train;
}

static uint32_t size_of(const struct leat_pkt *pkt)
{
	return pkt->len - pkt->payload;
}

/* Bytes of the headers that count: from the outer IP header to the payload. */
static uint32_t headers(unsigned mode)
{
	switch (mode) {
	case V4: return 20 + 20;
	case V6: return 40 + 20;
	case IPIP: return 20 + 20 + 20;
	default: return 40 + 40 + 20;
	}
}

/* large_max, the last byte that fits, and large_rem, one more. */
static void test_large(void **state)
{
	for (unsigned mode = V4; mode <= IP6IP6; mode *= 2) {
		uint32_t mss = 4096 - headers(mode), most = 65535 - headers(mode), n = most / mss;
		struct train train = send(mode, 1, n, mss, most - n * mss, 0);

		assert_int_equal(train.n_out, 1);
		assert_int_equal(size_of(train.out[0]), most);
		train_end(&train);
		train = send(mode, 1, n, mss, most - n * mss + 1, 0);
		assert_int_equal(train.n_out, 2);
		assert_int_equal(size_of(train.out[0]), n * mss);
		assert_int_equal(size_of(train.out[1]), most - n * mss + 1);
		train_end(&train);
	}
}

/* "data_burst": what was flushed in between is not joined. */
static void test_burst(void **state)
{
	for (unsigned mode = V4; mode <= IP6IP6; mode *= 2) {
		struct train train = send(mode, 1, 4, 100, 0, 2);

		assert_int_equal(train.n_out, 2);
		assert_int_equal(size_of(train.out[0]), 200);
		assert_int_equal(size_of(train.out[1]), 200);
		train_end(&train);
	}
}

/* "capacity": every one of many interleaved flows merges. */
static void test_capacity(void **state)
{
	for (unsigned mode = V4; mode <= IP6IP6; mode *= 2) {
		struct train train = send(mode, 64, 4, 100, 0, 0);

		assert_int_equal(train.n_out, 64);
		for (unsigned i = 0; i < train.n_out; i++)
			assert_int_equal(size_of(train.out[i]), 400);
		train_end(&train);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_burst),
		cmocka_unit_test(test_capacity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
