/* SPDX-License-Identifier: MIT */
/*
 * parse_frames.h - frames of all kinds that the parser follows, and what it gives of two compared.
 */
#ifndef LEAT_TESTS_PARSE_FRAMES_H
#define LEAT_TESTS_PARSE_FRAMES_H

#include <leat/parse.h>

#include <cmocka.h>

#include "../frame.h"

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))

static const uint8_t hbh[] = {60, 0, 1, 4, 0,  0, 0, 0, 44, 0, 1, 4,
			      0,  0, 0, 0, 17, 0, 0, 1, 0,  0, 0, 7};

static const struct frame tcp = {.payload = 30};
static const struct frame udp6 = {.version = 6, .protocol = FRAME_UDP, .payload = 9, .padding = 2};
static const struct frame tags = {.vlans = 2, .ext = (const uint8_t[4]){1}, .ext_len = 4};
static const struct frame ipip = {.inner = &tcp, .tunnel = LEAT_TUNNEL_IP};
static const uint8_t opts[8] = {1, 2, 0x80, 1};

static const struct frame frames[] = {
	{.payload = 30},
	{.protocol = FRAME_UDP, .payload = 30, .padding = 3},
	{.protocol = 132, .payload = 30},
	{.version = 6, .payload = 30, .opts = (const uint8_t[12]){1}, .opts_len = 12},
	{.version = 6, .protocol = FRAME_UDP, .ext = hbh, .ext_len = 24, .payload = 9},
	{.vlans = 2, .ext = (const uint8_t[12]){1}, .ext_len = 12, .payload = 1},
	{.vlans = 4, .version = 6, .protocol = FRAME_UDP},
	{.frag_off = FRAME_MF, .payload = 16},
	{.frag_off = 5, .payload = 16},
	{.inner = &tcp, .tunnel = LEAT_TUNNEL_IP},
	{.inner = &udp6, .tunnel = LEAT_TUNNEL_IP, .padding = 30},
	{.version = 6, .inner = &ipip, .tunnel = LEAT_TUNNEL_IP},
	{.inner = &tcp, .tunnel = LEAT_TUNNEL_GRE, .gre_key = true, .gre_csum = true},
	{.inner = &tags, .tunnel = LEAT_TUNNEL_GRE, .eth = true, .padding = 30},
	{.inner = &tags, .tunnel = LEAT_TUNNEL_VXLAN, .padding = 30},
	{.inner = &udp6, .tunnel = LEAT_TUNNEL_VXLAN, .remcsum = true},
	{.inner = &udp6, .tunnel = LEAT_TUNNEL_GENEVE, .tunnel_opts = opts, .tunnel_opts_len = 8},
	{.inner = &tcp, .tunnel = LEAT_TUNNEL_GENEVE, .eth = true, .vlans = 1},
	{.inner = &tcp, .tunnel = LEAT_TUNNEL_GUE, .remcsum = true, .in_gre = true},
	{.inner = &udp6, .tunnel = LEAT_TUNNEL_GUE, .tunnel_opts = opts, .tunnel_opts_len = 4},
	{.inner = &tcp, .tunnel = LEAT_TUNNEL_GUE, .direct = true, .padding = 30},
	{.version = 6, .inner = &udp6, .tunnel = LEAT_TUNNEL_FOU},
	{.inner = &tcp, .tunnel = LEAT_TUNNEL_FOU, .in_gre = true, .eth = true},
};

static inline void check_same(const struct leat_pkt *a, const struct leat_pkt *b)
{
	assert_memory_equal(a->lvl, b->lvl, sizeof(a->lvl));
	assert_int_equal(a->inner_mac, b->inner_mac);
	assert_int_equal(a->payload, b->payload);
	assert_int_equal(a->levels, b->levels);
	assert_int_equal(a->depth, b->depth);
	assert_int_equal(a->reason, b->reason);
	assert_int_equal(a->vlans, b->vlans);
}

#endif
