/* SPDX-License-Identifier: MIT */
/* RSS: the fields of each kind of packet, the table, what is refused, and the hash's algebra. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <leat/parse.h>
#include <leat/rss.h>

#include "rng.h"

#include <cmocka.h>

enum {
	ADDRESSES = LEAT_RXH_IP_SRC | LEAT_RXH_IP_DST,
	PORTS = LEAT_RXH_L4_B_0_1 | LEAT_RXH_L4_B_2_3,
	ALL = ADDRESSES | PORTS,
	TCP = 6,
	UDP = 17,
	SCTP = 132,
	ICMP = 1,
	FRAME = 14 + 40 + 20,
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct rng rng;
static uint8_t key[LEAT_RSS_KEY_MAX];

static void fill(uint8_t *p, size_t len)
{
	while (len-- > 0)
		*p++ = (uint8_t)rng_next(&rng);
}

/* The definition, a bit at a time. */
static uint32_t hash_slowly(const uint8_t *k, const uint8_t *input, size_t len)
{
	uint32_t hash = 0;

	for (size_t bit = 0; bit < 8 * len; bit++) {
		if (!(input[bit / 8] >> (7 - bit % 8) & 1))
			continue;
		for (size_t i = bit; i < bit + 32; i++)
			hash ^= (uint32_t)(k[i / 8] >> (7 - i % 8) & 1) << (31 - (i - bit));
	}
	return hash;
}

/* A packet with random bytes where the frame has addresses and ports. */
struct sample {
	uint8_t frame[FRAME];
	struct leat_pkt pkt;
};

static void make(struct sample *s, uint8_t version, uint8_t protocol)
{
	fill(s->frame, FRAME);
	s->pkt = (struct leat_pkt){
		.data = s->frame,
		.len = FRAME,
		.headlen = FRAME,
		.lvl[0] = {.network = 14,
			   .transport = version == 4 ? 34 : 54,
			   .version = version,
			   .protocol = protocol},
		.levels = 1,
		.depth = LEAT_DEPTH_TRANSPORT,
	};
}

static uint8_t *address(struct sample *s, unsigned i)
{
	return s->frame + 14 + (s->pkt.lvl[0].version == 4 ? 12 + 4 * i : 8 + 16 * i);
}

static uint8_t *port(struct sample *s, unsigned i)
{
	return s->frame + s->pkt.lvl[0].transport + 2 * i;
}

/* The hash of these fields by the definition. */
static uint32_t expect(struct sample *s, uint32_t fields)
{
	size_t len = s->pkt.lvl[0].version == 4 ? 4 : 16, n = 0;
	uint8_t input[LEAT_RSS_INPUT_MAX];

	for (unsigned i = 0; i < 2; i++) {
		if (fields & LEAT_RXH_IP_SRC << i) {
			memcpy(input + n, address(s, i), len);
			n += len;
		}
	}
	for (unsigned i = 0; i < 2; i++) {
		if (fields & LEAT_RXH_L4_B_0_1 << i) {
			memcpy(input + n, port(s, i), 2);
			n += 2;
		}
	}
	return hash_slowly(key, input, n);
}

static struct leat_rss_conf simple_conf(void)
{
	return (struct leat_rss_conf){.key = key, .key_len = LEAT_RSS_KEY_MIN, .n_queues = 16};
}

static void check(const struct leat_rss *rss, struct sample *s, uint32_t fields)
{
	enum leat_hash_type type = 99, want = fields & PORTS ? LEAT_HASH_L4 :
					      fields	     ? LEAT_HASH_L3 :
							       LEAT_HASH_NONE;

	assert_int_equal(leat_rss_hash(rss, &s->pkt, &type), expect(s, fields));
	assert_int_equal(type, want);
}

static void test_default_fields(void **state)
{
	static const struct {
		uint8_t protocol, depth, reason, flags;
		uint32_t fields;
	} rows[] = {
		{TCP, LEAT_DEPTH_TRANSPORT, LEAT_PARSE_OK, 0, ALL},
		{UDP, LEAT_DEPTH_TRANSPORT, LEAT_PARSE_OK, 0, ALL},
		{SCTP, LEAT_DEPTH_TRANSPORT, LEAT_PARSE_OK, 0, ALL},
		{SCTP, LEAT_DEPTH_NETWORK, LEAT_PARSE_SHORT_TRANSPORT, 0, ADDRESSES},
		{ICMP, LEAT_DEPTH_NETWORK, LEAT_PARSE_PROTOCOL, 0, ADDRESSES},
		{TCP, LEAT_DEPTH_TRANSPORT, LEAT_PARSE_OK, LEAT_IP_OPTIONS, ALL},
		/* the first fragment has ports, the others have not: one flow, one hash */
		{TCP, LEAT_DEPTH_TRANSPORT, LEAT_PARSE_OK, LEAT_IP_FRAGMENT, ADDRESSES},
		{UDP, LEAT_DEPTH_TRANSPORT, LEAT_PARSE_OK, LEAT_IP_FRAGMENT, ADDRESSES},
		{SCTP, LEAT_DEPTH_TRANSPORT, LEAT_PARSE_OK, LEAT_IP_FRAGMENT, ADDRESSES},
		{UDP, LEAT_DEPTH_NETWORK, LEAT_PARSE_FRAGMENT, LEAT_IP_FRAGMENT | LEAT_IP_LATER,
		 ADDRESSES},
		{TCP, LEAT_DEPTH_NETWORK, LEAT_PARSE_SHORT_TRANSPORT, 0, ADDRESSES},
		{UDP, LEAT_DEPTH_NETWORK, LEAT_PARSE_BAD_TRANSPORT, 0, ADDRESSES},
	};
	const struct leat_rss_conf conf = simple_conf();
	struct leat_rss rss;

	assert_int_equal(leat_rss_init(&rss, &conf), 0);
	for (unsigned i = 0; i < 2 * COUNT(rows); i++) {
		struct sample s;

		make(&s, i % 2 ? 6 : 4, rows[i / 2].protocol);
		s.pkt.depth = rows[i / 2].depth;
		s.pkt.reason = rows[i / 2].reason;
		s.pkt.lvl[0].flags = rows[i / 2].flags;
		check(&rss, &s, rows[i / 2].fields);
	}
}

/* A flow type's own fields, every set of them, and no other type's. */
static void test_chosen_fields(void **state)
{
	static const struct {
		uint8_t version, protocol;
	} rows[LEAT_RSS_FLOWS] = {
		[LEAT_RSS_TCP4] = {4, TCP},   [LEAT_RSS_UDP4] = {4, UDP},
		[LEAT_RSS_SCTP4] = {4, SCTP}, [LEAT_RSS_IP4] = {4, ICMP},
		[LEAT_RSS_TCP6] = {6, TCP},   [LEAT_RSS_UDP6] = {6, UDP},
		[LEAT_RSS_SCTP6] = {6, SCTP}, [LEAT_RSS_IP6] = {6, ICMP},
	};

	for (unsigned flow = 0; flow < LEAT_RSS_FLOWS; flow++) {
		for (uint32_t bits = 1; bits < 16; bits++) {
			bool ip_only = rows[flow].protocol == ICMP;
			struct leat_rss_conf conf = simple_conf();
			struct leat_rss rss;

			conf.fields[flow] = bits << 4;
			if (ip_only && bits > 3) {
				assert_int_equal(leat_rss_init(&rss, &conf), -EINVAL);
				continue;
			}
			assert_int_equal(leat_rss_init(&rss, &conf), 0);
			for (unsigned i = 0; i < LEAT_RSS_FLOWS; i++) {
				struct sample s;

				make(&s, rows[i].version, rows[i].protocol);
				check(&rss, &s, i == flow ? bits << 4 : 0);
			}
		}
	}
}

/* As the parser leaves it: ports are hashed when SCTP's header is there, whole. */
static void test_sctp_parsed(void **state)
{
	static const uint8_t start[] = {8, 0, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, SCTP};
	const struct leat_rss_conf conf = simple_conf();
	struct leat_rss rss;

	assert_int_equal(leat_rss_init(&rss, &conf), 0);
	for (uint8_t cut = 0; cut < 2; cut++) {
		struct leat_pkt *pkt;
		struct sample s;

		make(&s, 4, SCTP);
		memcpy(s.frame + 12, start, sizeof(start));
		s.frame[17] = 20 + 12 - cut;
		pkt = &s.pkt;
		leat_pkt_init(pkt, s.frame, 34u + 12 - cut);
		leat_parse(NULL, &pkt, 1);
		check(&rss, &s, cut ? ADDRESSES : ALL);
	}
}

static void test_no_ip(void **state)
{
	const struct leat_rss_conf conf = simple_conf();
	enum leat_hash_type type = LEAT_HASH_L4;
	struct leat_rss rss;
	struct sample s;

	assert_int_equal(leat_rss_init(&rss, &conf), 0);
	make(&s, 4, TCP);
	s.pkt.levels = 0;
	s.pkt.depth = LEAT_DEPTH_LINK;
	assert_int_equal(leat_rss_hash(&rss, &s.pkt, &type), 0);
	assert_int_equal(type, LEAT_HASH_NONE);
}

static void test_receive(void **state)
{
	const struct leat_rss_conf conf = simple_conf();
	struct sample s[3];
	struct leat_pkt *pkts[] = {&s[0].pkt, &s[1].pkt, &s[2].pkt};
	struct leat_rss rss;

	assert_int_equal(leat_rss_init(&rss, &conf), 0);
	make(&s[0], 6, UDP);
	make(&s[1], 4, TCP);
	s[1].pkt.hash = 0x12345678; /* the port's own hash stays */
	s[1].pkt.hash_type = LEAT_HASH_L3;
	make(&s[2], 4, ICMP);
	leat_rss_receive(&rss, pkts, 3);
	assert_int_equal(s[0].pkt.hash, expect(&s[0], ALL));
	assert_int_equal(s[0].pkt.hash_type, LEAT_HASH_L4);
	assert_int_equal(s[1].pkt.hash, 0x12345678);
	assert_int_equal(s[1].pkt.hash_type, LEAT_HASH_L3);
	assert_int_equal(s[2].pkt.hash, expect(&s[2], ADDRESSES));
	assert_int_equal(s[2].pkt.hash_type, LEAT_HASH_L3);
}

/* Any length a key may have, and no more of it than the input needs. */
static void test_key_lengths(void **state)
{
	struct leat_rss_conf conf = simple_conf();
	uint8_t other[LEAT_RSS_KEY_MAX];
	struct leat_rss rss;
	struct sample s;

	make(&s, 6, TCP);
	fill(other, sizeof(other));
	memcpy(other, key, LEAT_RSS_KEY_MIN);
	conf.key = other;
	for (conf.key_len = LEAT_RSS_KEY_MIN; conf.key_len <= LEAT_RSS_KEY_MAX; conf.key_len++) {
		assert_int_equal(leat_rss_init(&rss, &conf), 0);
		assert_int_equal(rss.key_len, conf.key_len);
		assert_memory_equal(rss.key, other, conf.key_len);
		check(&rss, &s, ALL);
	}
}

static void test_tables(void **state)
{
	static const uint16_t table[] = {3, 3, 0, 2, 1, 3, 0, 0};
	struct leat_rss_conf conf = simple_conf();
	struct leat_rss rss;

	conf.n_queues = 3;
	assert_int_equal(leat_rss_init(&rss, &conf), 0);
	assert_int_equal(rss.indir_size, LEAT_RSS_INDIR_DEFAULT);
	for (uint32_t i = 0; i < LEAT_RSS_INDIR_DEFAULT; i++)
		assert_int_equal(leat_rss_pick(&rss, 0xabcdef80 | i), i % 3);

	conf.n_queues = 4;
	conf.indir = table;
	conf.indir_size = COUNT(table);
	assert_int_equal(leat_rss_init(&rss, &conf), 0);
	for (uint32_t i = 0; i < 64; i++)
		assert_int_equal(leat_rss_pick(&rss, 0xfffff800 + i), table[i % COUNT(table)]);

	conf.indir = NULL;
	conf.n_queues = 65535;
	for (conf.indir_size = 1; conf.indir_size <= LEAT_RSS_INDIR_MAX; conf.indir_size *= 2) {
		assert_int_equal(leat_rss_init(&rss, &conf), 0);
		assert_int_equal(leat_rss_pick(&rss, 0xffffffff), conf.indir_size - 1);
	}
}

/* Each refused, and the value as it was. */
static void test_refusals(void **state)
{
	static const uint16_t table[] = {0, 1, 2, 4};
	const struct {
		size_t key_len;
		const uint16_t *indir;
		unsigned indir_size, n_queues;
		uint32_t tcp4, ip6;
		unsigned xfrm;
	} rows[] = {
		{39, NULL, 0, 4, 0, 0, 0},
		{257, NULL, 0, 4, 0, 0, 0},
		{0, NULL, 0, 4, 0, 0, 0},
		{40, NULL, 0, 0, 0, 0, 0},
		{40, NULL, 0, 65536, 0, 0, 0},
		{40, NULL, 3, 4, 0, 0, 0},
		{40, NULL, 127, 4, 0, 0, 0},
		{40, NULL, 8192, 4, 0, 0, 0},
		{40, table, 4, 4, 0, 0, 0},
		{40, NULL, 0, 4, ALL | 1 << 3, 0, 0},
		{40, NULL, 0, 4, ALL | 1 << 9, 0, 0},
		{40, NULL, 0, 4, 1u << 31, 0, 0},
		{40, NULL, 0, 4, ALL, ALL, 0},
		{40, NULL, 0, 4, 0, 0, 3},
		{40, NULL, 0, 4, 0, 0, 0xff},
		{40, NULL, 0, 4, LEAT_RXH_IP_SRC, 0, LEAT_RSS_SYM_XOR},
		{40, NULL, 0, 4, LEAT_RXH_IP_DST | PORTS, 0, LEAT_RSS_SYM_XOR},
		{40, NULL, 0, 4, ADDRESSES | LEAT_RXH_L4_B_0_1, 0, LEAT_RSS_SYM_OR_XOR},
		{40, NULL, 0, 4, ADDRESSES | LEAT_RXH_L4_B_2_3, 0, LEAT_RSS_SYM_OR_XOR},
		{40, NULL, 0, 4, 0, LEAT_RXH_IP_DST, LEAT_RSS_SYM_OR_XOR},
	};
	struct leat_rss_conf conf = simple_conf();
	struct leat_rss rss, before;

	memset(&rss, 0x5a, sizeof(rss));
	assert_int_equal(leat_rss_init(&rss, &conf), 0);
	memcpy(&before, &rss, sizeof(rss));
	fill(key, sizeof(key));
	for (unsigned i = 0; i < COUNT(rows); i++) {
		conf.key_len = rows[i].key_len;
		conf.indir = rows[i].indir;
		conf.indir_size = rows[i].indir_size;
		conf.n_queues = rows[i].n_queues;
		conf.fields[LEAT_RSS_TCP4] = rows[i].tcp4;
		conf.fields[LEAT_RSS_IP6] = rows[i].ip6;
		conf.xfrm = (enum leat_rss_xfrm)rows[i].xfrm;
		if (leat_rss_init(&rss, &conf) != -EINVAL)
			fail_msg("row %u is not refused", i);
		assert_memory_equal(&rss, &before, sizeof(rss));
	}
}

/* Whole pairs are what a transform allows. */
static void test_transform_fields(void **state)
{
	static const uint32_t rows[] = {ALL, ADDRESSES, PORTS, 0};

	for (unsigned i = 0; i < COUNT(rows); i++) {
		struct leat_rss_conf conf = simple_conf();
		struct leat_rss rss;

		conf.fields[LEAT_RSS_UDP6] = rows[i];
		conf.fields[LEAT_RSS_IP4] = ADDRESSES;
		conf.xfrm = LEAT_RSS_SYM_XOR;
		assert_int_equal(leat_rss_init(&rss, &conf), 0);
	}
}

/* Both directions alike, whatever the fields; and without a transform they are not. */
static void test_symmetry(void **state)
{
	static const uint32_t fields[] = {ALL, ADDRESSES, PORTS};

	for (unsigned i = 0; i < 1200; i++) {
		struct leat_rss_conf conf = simple_conf();
		enum leat_hash_type type;
		struct sample s, r;
		struct leat_rss rss;
		uint8_t version = i & 1 ? 6 : 4;
		size_t len = version == 4 ? 4 : 16;
		bool same;

		conf.xfrm = i % 3;
		conf.fields[i & 1 ? LEAT_RSS_TCP6 : LEAT_RSS_TCP4] = fields[i / 3 % 3];
		assert_int_equal(leat_rss_init(&rss, &conf), 0);
		make(&s, version, TCP);
		r = s;
		r.pkt.data = r.frame;
		memcpy(address(&r, 0), address(&s, 1), len);
		memcpy(address(&r, 1), address(&s, 0), len);
		memcpy(port(&r, 0), port(&s, 1), 2);
		memcpy(port(&r, 1), port(&s, 0), 2);
		same = leat_rss_hash(&rss, &s.pkt, &type) == leat_rss_hash(&rss, &r.pkt, &type);
		assert_int_equal(same, conf.xfrm != LEAT_RSS_XFRM_NONE ||
					       expect(&s, fields[i / 3 % 3]) ==
						       expect(&r, fields[i / 3 % 3]));
	}
}

/* A value can be made anew from its own key and table. */
static void test_change_in_place(void **state)
{
	struct leat_rss_conf conf = simple_conf();
	struct leat_rss rss, before;
	struct sample s;

	memset(&rss, 0, sizeof(rss));
	assert_int_equal(leat_rss_init(&rss, &conf), 0);
	memcpy(&before, &rss, sizeof(rss));
	conf.key = rss.key;
	conf.indir = rss.indir;
	conf.indir_size = rss.indir_size;
	assert_int_equal(leat_rss_init(&rss, &conf), 0);
	assert_memory_equal(&rss, &before, sizeof(rss));
	make(&s, 6, UDP);
	check(&rss, &s, ALL);
}

static void test_toeplitz_definition(void **state)
{
	for (unsigned i = 0; i < 40; i++) {
		uint8_t input[LEAT_RSS_INPUT_MAX];
		struct leat_toeplitz t;

		fill(key, sizeof(key));
		leat_toeplitz_init(&t, key, LEAT_RSS_INPUT_MAX + 4);
		fill(input, sizeof(input));
		for (size_t len = 0; len <= sizeof(input); len++)
			assert_int_equal(leat_toeplitz_hash(&t, input, len),
					 hash_slowly(key, input, len));
	}
}

static void test_toeplitz_linearity(void **state)
{
	struct leat_toeplitz t;

	leat_toeplitz_init(&t, key, LEAT_RSS_KEY_MIN);
	for (unsigned i = 0; i < 10000; i++) {
		uint8_t a[LEAT_RSS_INPUT_MAX], b[LEAT_RSS_INPUT_MAX], sum[LEAT_RSS_INPUT_MAX];
		size_t len = rng_below(&rng, LEAT_RSS_INPUT_MAX + 1);

		fill(a, len);
		fill(b, len);
		for (size_t j = 0; j < len; j++)
			sum[j] = a[j] ^ b[j];
		assert_int_equal(leat_toeplitz_hash(&t, sum, len),
				 leat_toeplitz_hash(&t, a, len) ^ leat_toeplitz_hash(&t, b, len));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default_fields),
		cmocka_unit_test(test_chosen_fields),
		cmocka_unit_test(test_sctp_parsed),
		cmocka_unit_test(test_no_ip),
		cmocka_unit_test(test_receive),
		cmocka_unit_test(test_key_lengths),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_transform_fields),
		cmocka_unit_test(test_symmetry),
		cmocka_unit_test(test_change_in_place),
		cmocka_unit_test(test_toeplitz_definition),
		cmocka_unit_test(test_toeplitz_linearity),
	};

	rng = rng_start("rss");
	fill(key, sizeof(key));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
