/* SPDX-License-Identifier: MIT */
/*
 * test_hash_tunnel.c - what is hashed of a tunnel's packet: by RSS the outer header alone, for our
 * own tables the inner flow and the outer addresses.
 */
#include <leat/flow.h>
#include <leat/rss.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../frame.h"
#include "../rng.h"

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct frame tcp = {.sport = 1000, .dport = 80, .payload = 60};
static const struct frame tcp6 = {.version = 6, .sport = 1000, .dport = 80, .payload = 60};
static const struct frame icmp = {.protocol = 1, .payload = 60};
static const struct frame ipip = {.inner = &tcp, .tunnel = LEAT_TUNNEL_IP};
static const struct frame cut = {.frag_off = 9, .payload = 60};

/* Tunnels, and the packets without one whose hash they have. */
static const struct {
	const char *name;
	struct frame tunnel, plain;
} same[] = {
	{"ipip", {.inner = &tcp, .tunnel = LEAT_TUNNEL_IP}, {.protocol = 4}},
	{"6in6",
	 {.version = 6, .inner = &tcp6, .tunnel = LEAT_TUNNEL_IP},
	 {.version = 6, .protocol = 41}},
	{"gre", {.inner = &tcp, .tunnel = LEAT_TUNNEL_GRE}, {.protocol = 47}},
	{"vxlan",
	 {.inner = &tcp, .tunnel = LEAT_TUNNEL_VXLAN, .sport = 50000},
	 {.protocol = 17, .sport = 50000, .dport = FRAME_VXLAN_PORT}},
	{"vxlan, icmp",
	 {.inner = &icmp, .tunnel = LEAT_TUNNEL_VXLAN, .sport = 50000},
	 {.protocol = 17, .sport = 50000, .dport = FRAME_VXLAN_PORT}},
	{"vxlan, ipip",
	 {.inner = &ipip, .tunnel = LEAT_TUNNEL_VXLAN, .sport = 50000},
	 {.protocol = 17, .sport = 50000, .dport = FRAME_VXLAN_PORT}},
	{"vxlan, fragment inside",
	 {.inner = &cut, .tunnel = LEAT_TUNNEL_VXLAN, .sport = 50000},
	 {.protocol = 17, .sport = 50000, .dport = FRAME_VXLAN_PORT}},
	{"vxlan in a fragment",
	 {.inner = &tcp, .tunnel = LEAT_TUNNEL_VXLAN, .sport = 50000, .frag_off = FRAME_MF},
	 {.protocol = 17, .frag_off = FRAME_MF}},
	{"fou in 6",
	 {.version = 6, .inner = &tcp, .tunnel = LEAT_TUNNEL_FOU, .sport = 50000},
	 {.version = 6, .protocol = 17, .sport = 50000, .dport = FRAME_FOU4_PORT}},
	{"fou, tcp",
	 {.inner = &tcp, .tunnel = LEAT_TUNNEL_FOU, .dport = FRAME_FOU_TCP_PORT},
	 {.protocol = 17, .dport = FRAME_FOU_TCP_PORT}},
};

static void test_rss(void **state)
{
	struct leat_rss_conf conf = {.key_len = 40, .n_queues = 4};
	struct rng rng = rng_start("test_rss");
	struct leat_rss rss;
	uint8_t key[40];

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)rng_next(&rng);
	conf.key = key;
	assert_int_equal(leat_rss_init(&rss, &conf), 0);
	for (size_t i = 0; i < LENGTH(same); i++) {
		struct arena arena = {0};
		enum leat_hash_type type, want;
		uint32_t hash;

		print_message("%s\n", same[i].name);
		hash = leat_rss_hash(&rss, arena_frame(&arena, &same[i].tunnel), &type);
		assert_int_equal(hash,
				 leat_rss_hash(&rss, arena_frame(&arena, &same[i].plain), &want));
		assert_int_equal(type, want);
		arena_clear(&arena);
	}
}

static uint32_t flow_hash(const struct frame *f)
{
	static const struct leat_flow_key key = {{0x0123456789abcdef, 0xfedcba9876543210}};
	struct arena arena = {0};
	uint32_t hash = leat_flow_hash(arena_frame(&arena, f), &key);

	arena_clear(&arena);
	return hash;
}

/* Each of what makes a flow changes the hash; what may differ in one flow does not. */
static void test_flow(void **state)
{
	static const struct frame sport = {.sport = 1001, .dport = 80, .payload = 60};
	static const struct frame dst = {.sport = 1000, .dport = 80, .dst = 9, .payload = 60};
	struct frame f = {.version = 4, .inner = &tcp, .tunnel = LEAT_TUNNEL_VXLAN};

	for (f.version = 4; f.version <= 6; f.version += 2) {
		uint32_t hash = flow_hash(&f);
		struct frame g = f;

		g.inner = &sport;
		assert_int_not_equal(flow_hash(&g), hash);
		g.inner = &dst;
		assert_int_not_equal(flow_hash(&g), hash);
		g = f;
		g.src = 9;
		assert_int_not_equal(flow_hash(&g), hash);
		g = f;
		g.dst = 9;
		assert_int_not_equal(flow_hash(&g), hash);
		g = f;
		g.sport = 9;
		g.id = 9;
		assert_int_equal(flow_hash(&g), hash);
		assert_int_not_equal(flow_hash(&tcp), hash);
	}
}

/* Both directions alike: here of ends that differ outside and inside. */
static void test_symmetric(void **state)
{
	static const struct frame in = {.src = 5, .sport = 1000, .dport = 80, .payload = 60};
	struct rng rng = rng_start("test_symmetric");

	for (int i = 0; i < 200; i++) {
		struct frame f = {.version = rng_once_in(&rng, 2) ? 4 : 6,
				  .inner = &in,
				  .tunnel = LEAT_TUNNEL_GRE,
				  .src = (uint32_t)rng_next(&rng),
				  .dst = (uint32_t)rng_next(&rng)};
		size_t n = f.version == 4 ? 4 : 16, src = 14 + (f.version == 4 ? 12 : 8);
		struct leat_flow_key key = {{rng_next(&rng), rng_next(&rng)}};
		struct arena arena = {0};
		struct leat_pkt *pkt = arena_frame(&arena, &f);
		uint32_t hash = leat_flow_hash(pkt, &key);
		uint8_t swap[16];

		memcpy(swap, pkt->data + src, n);
		memcpy(pkt->data + src, pkt->data + src + n, n);
		memcpy(pkt->data + src + n, swap, n);
		assert_int_equal(leat_flow_hash(pkt, &key), hash);
		arena_clear(&arena);
	}
}

/* The flow itself is the inner one. */
static void test_get(void **state)
{
	struct frame f = {.version = 6, .inner = &tcp, .tunnel = LEAT_TUNNEL_GENEVE};
	struct leat_flow inner, flow;
	struct arena arena = {0};

	assert_true(leat_flow_get(arena_frame(&arena, &tcp), &inner));
	assert_true(leat_flow_get(arena_frame(&arena, &f), &flow));
	assert_memory_equal(&flow, &inner, sizeof(flow));
	arena_clear(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rss),
		cmocka_unit_test(test_flow),
		cmocka_unit_test(test_symmetric),
		cmocka_unit_test(test_get),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
