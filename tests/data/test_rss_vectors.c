/* SPDX-License-Identifier: MIT */
/*
 * The RSS verification suite: published hashes of eight tuples under the published key. The
 * symmetric columns follow from the order of words (source, destination, source port, destination
 * port) of each transform.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <leat/rss.h>

#include <cmocka.h>

static const uint8_t key[] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

enum {
	ADDRESSES = LEAT_RXH_IP_SRC | LEAT_RXH_IP_DST,
	PORTS = LEAT_RXH_L4_B_0_1 | LEAT_RXH_L4_B_2_3,
};

/* clang-format off */
static const struct row {
	const char *src;
	uint16_t sport;
	const char *dst;
	uint16_t dport;
	uint32_t hash[3][2]; /* by transform: of the addresses, of the addresses and ports */
	uint16_t queue;	     /* of the last untransformed hash in a table of 128 */
} rows[] = {
	{"66.9.149.187", 2794, "161.142.100.80", 1766,
	 {{0x323e8fc2, 0x51ccc178}, {0x887bd7bc, 0xac2b58ca}, {0x277806fe, 0xa65524fa}}, 120},
	{"199.92.111.2", 14230, "65.69.140.83", 4739,
	 {{0xd718262a, 0xc626b0ea}, {0xb8a48b2d, 0x231ac402}, {0x0efd860b, 0x69d9c235}}, 106},
	{"24.19.198.95", 12898, "12.22.207.184", 38024,
	 {{0xd2d0a5de, 0x5c2b394a}, {0x24308e2d, 0xf4298103}, {0x53494126, 0x886967e2}}, 74},
	{"38.27.205.30", 48228, "209.142.163.6", 2217,
	 {{0x82989176, 0xafc7327f}, {0x25ea1454, 0x4e18ff80}, {0xe30415e3, 0x021058ed}}, 127},
	{"153.39.163.191", 44251, "202.188.127.2", 1303,
	 {{0x5d1809c5, 0x10e828a2}, {0x9c8f3ac9, 0x053876b1}, {0x0e558017, 0xd9fe70e3}}, 34},
	{"3ffe:2501:200:1fff::7", 2794, "3ffe:2501:200:3::1", 1766,
	 {{0x2cc18cd5, 0x40207d3d}, {0x93faa660, 0x5ae081f3}, {0x97d97493, 0xaea5d07d}}, 61},
	{"3ffe:501:8::260:97ff:fe40:efab", 14230, "ff02::1", 4739,
	 {{0x0f0c461c, 0xdde51bbf}, {0x36e6bcbb, 0x3d12f676}, {0x91dfa0cc, 0xb7ea4926}}, 63},
	{"3ffe:1900:4545:3:200:f8ff:fe21:67cf", 44251, "fe80::200:f8ff:fe21:67cf", 38024,
	 {{0x4b61e985, 0x02d1feef}, {0x66226820, 0xd36f3942}, {0x87bdf57e, 0x79207404}}, 111},
};
/* clang-format on */

enum { ROWS = sizeof(rows) / sizeof(rows[0]), FRAME = 14 + 40 + 20 };

/* As much of a TCP packet as the hash looks at, and what the parser says of it. */
static struct leat_pkt make_pkt(const struct row *row, uint8_t frame[FRAME])
{
	bool v6 = strchr(row->src, ':') != NULL;
	uint8_t *ip = frame + 14, *addresses = ip + (v6 ? 8 : 12), *tcp = ip + (v6 ? 40 : 20);
	uint16_t ports[] = {htons(row->sport), htons(row->dport)};
	int family = v6 ? AF_INET6 : AF_INET;

	assert_int_equal(inet_pton(family, row->src, addresses), 1);
	assert_int_equal(inet_pton(family, row->dst, addresses + (v6 ? 16 : 4)), 1);
	memcpy(tcp, ports, sizeof(ports));
	return (struct leat_pkt){
		.data = frame,
		.len = FRAME,
		.headlen = FRAME,
		.lvl[0] = {.network = 14,
			   .transport = (uint16_t)(tcp - frame),
			   .version = v6 ? 6 : 4,
			   .protocol = 6},
		.levels = 1,
		.depth = LEAT_DEPTH_TRANSPORT,
	};
}

static void check(const struct row *row, uint32_t got, uint32_t want)
{
	if (got != want)
		fail_msg("%s > %s: %08x, not %08x", row->src, row->dst, got, want);
}

static void hash_rows(enum leat_rss_xfrm xfrm, bool ports)
{
	uint32_t fields = ports ? ADDRESSES | PORTS : ADDRESSES;
	const struct leat_rss_conf conf = {
		.key = key,
		.key_len = sizeof(key),
		.n_queues = 128,
		.fields = {[LEAT_RSS_TCP4] = fields, [LEAT_RSS_TCP6] = fields},
		.xfrm = xfrm,
	};
	struct leat_rss rss;

	assert_int_equal(leat_rss_init(&rss, &conf), 0);
	for (unsigned i = 0; i < ROWS; i++) {
		uint8_t frame[FRAME] = {0};
		struct leat_pkt pkt = make_pkt(&rows[i], frame);
		enum leat_hash_type type;
		uint32_t hash = leat_rss_hash(&rss, &pkt, &type);

		check(&rows[i], hash, rows[i].hash[xfrm][ports]);
		assert_int_equal(type, ports ? LEAT_HASH_L4 : LEAT_HASH_L3);
		if (xfrm == LEAT_RSS_XFRM_NONE && ports)
			assert_int_equal(leat_rss_pick(&rss, hash), rows[i].queue);
	}
}

static void test_two_tuple(void **state)
{
	hash_rows(LEAT_RSS_XFRM_NONE, false);
}

static void test_four_tuple(void **state)
{
	hash_rows(LEAT_RSS_XFRM_NONE, true);
}

static void test_sym_xor(void **state)
{
	hash_rows(LEAT_RSS_SYM_XOR, false);
	hash_rows(LEAT_RSS_SYM_XOR, true);
}

static void test_sym_or_xor(void **state)
{
	hash_rows(LEAT_RSS_SYM_OR_XOR, false);
	hash_rows(LEAT_RSS_SYM_OR_XOR, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_tuple),
		cmocka_unit_test(test_four_tuple),
		cmocka_unit_test(test_sym_xor),
		cmocka_unit_test(test_sym_or_xor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
