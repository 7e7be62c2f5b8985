/* SPDX-License-Identifier: MIT */
/*
 * test_parse_outer.c - forgetting what is inside of a tunnel, and the ports that tunnels are known
 * by.
 */
#include <leat/parse.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../frame.h"

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct frame tcp = {.payload = 60}, icmp = {.payload = 60, .protocol = 1};
static const struct frame ipip = {.inner = &tcp, .tunnel = LEAT_TUNNEL_IP};

/* What is left of a tunnel is what there is when nobody looks inside. */
static void test_outer(void **state)
{
	static const struct frame frames[] = {
		{.inner = &tcp, .tunnel = LEAT_TUNNEL_IP},
		{.inner = &tcp, .tunnel = LEAT_TUNNEL_GRE, .eth = true},
		{.inner = &tcp, .tunnel = LEAT_TUNNEL_VXLAN},
		{.inner = &icmp, .tunnel = LEAT_TUNNEL_VXLAN, .version = 6},
		{.inner = &ipip, .tunnel = LEAT_TUNNEL_VXLAN},
		{.inner = &tcp, .tunnel = LEAT_TUNNEL_VXLAN, .remcsum = true},
		{.inner = &tcp, .tunnel = LEAT_TUNNEL_FOU},
	};

	for (size_t i = 0; i < LENGTH(frames); i++) {
		struct arena arena = {0};
		struct leat_pkt *pkt = arena_frame(&arena, &frames[i]);
		struct leat_level *l = &pkt->lvl[0], before = *l, none = {0};
		bool udp = l->protocol == FRAME_UDP;

		assert_int_equal(pkt->levels, 2);
		before.flags &= (uint8_t)~LEAT_REMCSUM;
		leat_parse_outer(pkt);
		assert_int_equal(pkt->levels, 1);
		assert_int_equal(pkt->depth, udp ? LEAT_DEPTH_TRANSPORT : LEAT_DEPTH_NETWORK);
		assert_int_equal(pkt->reason, udp ? LEAT_PARSE_OK : LEAT_PARSE_PROTOCOL);
		assert_int_equal(pkt->payload, udp ? l->transport + 8 : 0);
		assert_int_equal(pkt->inner_mac, 0);
		assert_memory_equal(l, &before, sizeof(before));
		assert_memory_equal(&pkt->lvl[1], &none, sizeof(none));
		if (udp)
			assert_int_equal(leat_parse_payload_len(pkt), pkt->len - pkt->payload);
		arena_clear(&arena);
	}
}

/* A packet without a tunnel, and one that is no packet at all, stay as they are. */
static void test_outer_of_one(void **state)
{
	static const struct frame frames[] = {{.payload = 9}, {.protocol = 1}, {.frag_off = 9}};

	for (size_t i = 0; i < LENGTH(frames); i++) {
		struct arena arena = {0};
		struct leat_pkt *pkt = arena_frame(&arena, &frames[i]), before = *pkt;

		leat_parse_outer(pkt);
		assert_memory_equal(pkt, &before, sizeof(before));
		arena_clear(&arena);
	}
}

/* Ports of the default, and that a tunnel is known by nothing else. */
static void test_ports(void **state)
{
	static const struct {
		struct frame frame;
		uint8_t tunnel;
	} cases[] = {
		{{.inner = &tcp, .tunnel = LEAT_TUNNEL_VXLAN}, LEAT_TUNNEL_VXLAN},
		{{.inner = &tcp, .tunnel = LEAT_TUNNEL_GENEVE}, LEAT_TUNNEL_GENEVE},
		{{.inner = &tcp, .tunnel = LEAT_TUNNEL_GUE}, LEAT_TUNNEL_GUE},
		{{.inner = &tcp, .tunnel = LEAT_TUNNEL_FOU}, LEAT_TUNNEL_NONE},
		{{.inner = &tcp, .tunnel = LEAT_TUNNEL_VXLAN, .dport = 4788, .sport = 4789},
		 LEAT_TUNNEL_NONE},
	};
	static const struct leat_parse_conf none = {.tunnels = 0};

	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct arena arena = {0};
		struct leat_pkt *pkt = arena_frame(&arena, &cases[i].frame);

		leat_parse(NULL, &pkt, 1);
		assert_int_equal(pkt->lvl[0].tunnel, cases[i].tunnel);
		assert_int_equal(pkt->levels, cases[i].tunnel != LEAT_TUNNEL_NONE ? 2 : 1);
		leat_parse(&none, &pkt, 1);
		assert_int_equal(pkt->lvl[0].tunnel, LEAT_TUNNEL_NONE);
		assert_int_equal(pkt->levels, 1);
		assert_int_equal(pkt->reason, LEAT_PARSE_OK);
		arena_clear(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outer),
		cmocka_unit_test(test_outer_of_one),
		cmocka_unit_test(test_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
