/* SPDX-License-Identifier: MIT */
/*
 * RSS: the flow label of IPv6 (the kernel's rss_flow_label.py: only IPv6 types have one), and the
 * headers inside a tunnel.
 */
#include <errno.h>
#include <leat/rss.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../frame.h"
#include "../rng.h"

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))

enum {
	ADDRESSES = LEAT_RXH_IP_SRC | LEAT_RXH_IP_DST,
	ALL = ADDRESSES | LEAT_RXH_L4_B_0_1 | LEAT_RXH_L4_B_2_3,
	LABEL = LEAT_RXH_IP6_FL,
};

static uint8_t key[LEAT_RSS_KEY_MAX];

static struct leat_rss_conf conf_of(enum leat_rss_flow flow, uint32_t fields)
{
	struct leat_rss_conf conf = {.key = key, .key_len = sizeof(key), .n_queues = 4};

	conf.fields[flow] = fields;
	return conf;
}

static uint32_t hash(const struct leat_rss_conf *conf, const struct frame *f,
		     enum leat_hash_type *type)
{
	struct arena arena = {0};
	struct leat_rss rss;
	uint32_t value;

	assert_int_equal(leat_rss_init(&rss, conf), 0);
	value = leat_rss_hash(&rss, arena_frame(&arena, f), type);
	arena_clear(&arena);
	return value;
}

/* The label is 32 bits behind what else is hashed. */
static void test_input(void **state)
{
	static const uint32_t sets[] = {LABEL, ADDRESSES | LABEL, ALL | LABEL};
	static const size_t before[] = {0, 32, 36};
	struct frame f = {.version = 6,
			  .src = 1,
			  .dst = 2,
			  .sport = 3,
			  .dport = 4,
			  .tos = 0xff,
			  .flow_label = 0xabcde};

	for (size_t i = 0; i < LENGTH(sets); i++) {
		struct leat_rss_conf conf = conf_of(LEAT_RSS_TCP6, sets[i]);
		uint8_t input[LEAT_RSS_INPUT_MAX];
		struct leat_toeplitz t;
		struct arena arena = {0};
		const uint8_t *ip = arena_frame(&arena, &f)->data + 14;
		enum leat_hash_type type;

		memcpy(input, ip + 8, before[i]); /* addresses and ports lie there in a row */
		memcpy(input + before[i], (uint8_t[]){0, 0x0a, 0xbc, 0xde}, 4);
		leat_toeplitz_init(&t, key, sizeof(key));
		assert_int_equal(hash(&conf, &f, &type),
				 leat_toeplitz_hash(&t, input, before[i] + 4));
		assert_int_equal(type, i == 2 ? LEAT_HASH_L4 : LEAT_HASH_L3);
		arena_clear(&arena);
	}
}

static void test_label_counts(void **state)
{
	struct frame a = {.version = 6, .flow_label = 1}, b = {.version = 6, .flow_label = 2};
	struct leat_rss_conf with = conf_of(LEAT_RSS_TCP6, ALL | LABEL);
	struct leat_rss_conf without = conf_of(LEAT_RSS_TCP6, ALL);
	enum leat_hash_type type;

	assert_int_not_equal(hash(&with, &a, &type), hash(&with, &b, &type));
	assert_int_equal(hash(&without, &a, &type), hash(&without, &b, &type));
	b.flow_label = 1;
	b.tos = 4; /* the same word, but no part of the label */
	assert_int_equal(hash(&with, &a, &type), hash(&with, &b, &type));
}

/* Of each flow type; with each transform; with keys from too short for it on. */
static void test_refusals(void **state)
{
	static const struct {
		uint32_t fields;
		size_t key_len;
	} rows[] = {{LABEL, 40}, {ADDRESSES | LABEL, 40}, {ALL | LABEL, 44}};
	struct leat_rss rss;

	for (unsigned flow = 0; flow < LEAT_RSS_FLOWS; flow++) {
		struct leat_rss_conf conf = conf_of((enum leat_rss_flow)flow, ADDRESSES | LABEL);
		int want = flow >= LEAT_RSS_TCP6 ? 0 : -EINVAL;

		assert_int_equal(leat_rss_init(&rss, &conf), want);
		conf.xfrm = LEAT_RSS_SYM_XOR;
		assert_int_equal(leat_rss_init(&rss, &conf), -EINVAL);
		conf.xfrm = LEAT_RSS_SYM_OR_XOR;
		assert_int_equal(leat_rss_init(&rss, &conf), -EINVAL);
	}
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct leat_rss_conf conf = conf_of(LEAT_RSS_UDP6, rows[i].fields);

		for (conf.key_len = 40; conf.key_len < 60; conf.key_len++)
			assert_int_equal(leat_rss_init(&rss, &conf),
					 conf.key_len >= rows[i].key_len ? 0 : -EINVAL);
	}
}

/* Inside: as the inner packet by itself, whatever carries it. Without a tunnel nothing changes. */
static void test_inner(void **state)
{
	static const struct frame in[] = {
		{.src = 7, .dst = 8, .sport = 1000, .dport = 80, .payload = 60},
		{.version = 6, .protocol = FRAME_UDP, .sport = 1000, .dport = 80, .payload = 60},
		{.protocol = 1, .src = 7, .payload = 60},
		{.frag_off = FRAME_MF, .src = 7, .payload = 64},
		{.frag_off = 9, .src = 7, .payload = 60},
	};
	static const uint8_t tunnels[] = {LEAT_TUNNEL_IP, LEAT_TUNNEL_GRE, LEAT_TUNNEL_VXLAN,
					  LEAT_TUNNEL_GENEVE};
	struct leat_rss_conf conf = conf_of(LEAT_RSS_TCP4, 0);
	enum leat_hash_type plain, inside;

	conf.inner = true;
	for (size_t i = 0; i < LENGTH(in) * LENGTH(tunnels); i++) {
		const struct frame *f = &in[i / LENGTH(tunnels)];
		struct frame tunnel = {
			.inner = f, .tunnel = tunnels[i % LENGTH(tunnels)], .src = 9};
		struct leat_rss_conf outer = conf;

		outer.inner = false;
		assert_int_equal(hash(&conf, &tunnel, &inside), hash(&outer, f, &plain));
		assert_int_equal(inside, plain);
		assert_int_equal(hash(&conf, f, &inside), hash(&outer, f, &plain));
		assert_int_equal(inside, plain);
		assert_int_not_equal(hash(&outer, &tunnel, &inside), hash(&outer, f, &plain));
	}
}

/* What a value was made of makes the same value. */
static void test_conf_of(void **state)
{
	static const uint16_t indir[] = {3, 1, 1, 0};
	struct leat_rss_conf conf = conf_of(LEAT_RSS_IP6, LABEL), again;
	struct leat_rss a, b;

	conf.fields[LEAT_RSS_TCP4] = ALL;
	conf.indir = indir;
	conf.indir_size = LENGTH(indir);
	conf.inner = true;
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	assert_int_equal(leat_rss_init(&a, &conf), 0);
	leat_rss_conf_of(&a, &again);
	assert_int_equal(leat_rss_init(&b, &again), 0);
	assert_memory_equal(&a, &b, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_input),	 cmocka_unit_test(test_label_counts),
		cmocka_unit_test(test_refusals), cmocka_unit_test(test_inner),
		cmocka_unit_test(test_conf_of),
	};
	struct rng rng = rng_start("rss_label");

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)rng_next(&rng);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
