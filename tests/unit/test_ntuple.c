/* SPDX-License-Identifier: MIT */
/*
 * N-tuple rules: the kernel's ntuple.py (one queue for each of TCP and UDP, IPv4 and IPv6, and set of
 * fields), which rule goes first, what a packet is of, what is refused.
 */
#include <errno.h>
#include <leat/ntuple.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../frame.h"

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))

enum { AH = 51, ESP = 50, NOBODY = -1 };

/* A table in memory of just its size. */
struct table {
	struct leat_ntuple t;
	void *mem;
};

static void make(struct table *table, const struct leat_ntuple_rule *rule, unsigned n)
{
	size_t size = leat_ntuple_size(n);
	unsigned bad;

	table->mem = aligned_alloc(64, size ? size : 64);
	assert_int_equal(leat_ntuple_init(&table->t, rule, n, table->mem, &bad), 0);
}

/* The location of the rule that the frame matches. */
static int64_t match(const struct table *table, const struct frame *f)
{
	struct arena arena = {0};
	const struct leat_ntuple_rule *rule = leat_ntuple_match(&table->t, arena_frame(&arena, f));
	int64_t location = rule ? (int64_t)rule->location : NOBODY;

	arena_clear(&arena);
	return location;
}

/* A rule for all the fields of `mask` that are set, with the frame's values. */
static struct leat_ntuple_rule rule_like(const struct frame *f, unsigned flow,
					 const struct leat_ntuple_key *mask, uint32_t location)
{
	struct leat_ntuple_rule rule = {.location = location, .mask = *mask};
	struct arena arena = {0};

	leat_ntuple_key(arena_frame(&arena, f), &rule.value);
	rule.value.flow = (uint8_t)flow;
	arena_clear(&arena);
	return rule;
}

#define ONES                                       \
	{                                          \
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff \
	}

/* Fields of a rule, each changed in a packet that must not match if the rule has it. */
enum { SRC = 1, DST = 2, SPORT = 4, DPORT = 8 };

static struct leat_ntuple_key mask_of(unsigned fields, uint8_t version)
{
	struct leat_ntuple_key mask = {0};
	size_t n = version == 6 ? 16 : 4;

	memset(mask.src, fields & SRC ? 0xff : 0, n);
	memset(mask.dst, fields & DST ? 0xff : 0, n);
	memset(mask.l4, fields & SPORT ? 0xff : 0, 2);
	memset(mask.l4 + 2, fields & DPORT ? 0xff : 0, 2);
	return mask;
}

static void test_selftest(void **state)
{
	static const unsigned sets[] = {
		SRC, DST, SPORT, DPORT, SRC | DST, SPORT | DPORT, SRC | DST | SPORT | DPORT};
	static const struct {
		uint8_t version, protocol;
		unsigned flow;
	} types[] = {{4, FRAME_TCP, LEAT_NTUPLE_TCP4},
		     {4, FRAME_UDP, LEAT_NTUPLE_UDP4},
		     {6, FRAME_TCP, LEAT_NTUPLE_TCP6},
		     {6, FRAME_UDP, LEAT_NTUPLE_UDP6}};

	for (size_t i = 0; i < LENGTH(types) * LENGTH(sets); i++) {
		unsigned flow = types[i % 4].flow, fields = sets[i / 4];
		struct frame f = {.version = types[i % 4].version,
				  .protocol = types[i % 4].protocol,
				  .src = 1,
				  .dst = 2,
				  .sport = 1000,
				  .dport = 80};
		struct leat_ntuple_key mask = mask_of(fields, f.version);
		struct leat_ntuple_rule rule = rule_like(&f, flow, &mask, 5);
		struct frame other[] = {f, f, f, f, f};
		struct table table;

		make(&table, &rule, 1);
		assert_int_equal(match(&table, &f), 5);
		other[0].src++;
		other[1].dst++;
		other[2].sport++;
		other[3].dport++;
		for (unsigned k = 0; k < 4; k++)
			assert_int_equal(match(&table, &other[k]), fields >> k & 1 ? NOBODY : 5);
		other[4].protocol = f.protocol == FRAME_TCP ? FRAME_UDP : FRAME_TCP;
		assert_int_equal(match(&table, &other[4]), NOBODY);
		free(table.mem);
	}
}

/* The lowest location, whatever the order they are given in, whichever is more specific. */
static void test_first_wins(void **state)
{
	static const struct frame web = {.src = 1, .dport = 80}, dns = {.src = 1, .dport = 53};
	static const struct frame other = {.src = 2, .dport = 80};
	static const struct leat_ntuple_key port = {.l4 = {0, 0, 0xff, 0xff}};
	static const struct leat_ntuple_key source = {.src = {0xff, 0xff, 0xff, 0xff}}, any = {0};
	const struct leat_ntuple_rule rules[] = {
		rule_like(&web, LEAT_NTUPLE_IP4, &source, 30),
		rule_like(&web, LEAT_NTUPLE_TCP4, &port, 10),
		rule_like(&web, LEAT_NTUPLE_ETHER, &any, 40),
		rule_like(&other, LEAT_NTUPLE_IP4, &source, 9),
		rule_like(&web, LEAT_NTUPLE_TCP4, &port, 20), /* never: as 10 */
		rule_like(&web, LEAT_NTUPLE_TCP4, &port, 50),
	};
	struct table table;

	for (unsigned first = 0; first < LENGTH(rules); first++) {
		struct leat_ntuple_rule turned[LENGTH(rules)];

		for (unsigned i = 0; i < LENGTH(rules); i++)
			turned[i] = rules[(first + i) % LENGTH(rules)];
		make(&table, turned, LENGTH(rules));
		assert_int_equal(table.t.n_groups, 3);
		assert_int_equal(match(&table, &web), 10);
		assert_int_equal(match(&table, &dns), 30);
		assert_int_equal(match(&table, &other), 9);
		assert_int_equal(match(&table, &(struct frame){.version = 6}), 40);
		free(table.mem);
	}
}

/* The types of each kind of packet: of a fragment, a header that is cut, a tunnel. */
static void test_types(void **state)
{
	static const struct frame inside = {.sport = 1, .dport = 2};
	static const uint8_t later[8] = {FRAME_UDP, 0, 0, 8};
	static const struct {
		struct frame f;
		unsigned flow;
	} rows[] = {
		{{.version = 4}, LEAT_NTUPLE_TCP4},
		{{.version = 6}, LEAT_NTUPLE_TCP6},
		{{.protocol = FRAME_UDP}, LEAT_NTUPLE_UDP4},
		{{.protocol = FRAME_SCTP, .chunks = 1, .payload = 16}, LEAT_NTUPLE_SCTP4},
		{{.version = 6, .protocol = FRAME_SCTP, .chunks = 1, .payload = 16},
		 LEAT_NTUPLE_SCTP6},
		{{.protocol = FRAME_SCTP, .payload = 4}, LEAT_NTUPLE_IP4},
		{{.protocol = AH, .payload = 8}, LEAT_NTUPLE_AH4},
		{{.protocol = AH, .payload = 7}, LEAT_NTUPLE_IP4},
		{{.version = 6, .protocol = AH, .payload = 8}, LEAT_NTUPLE_AH6},
		{{.protocol = ESP, .payload = 4}, LEAT_NTUPLE_ESP4},
		{{.protocol = ESP, .payload = 3, .padding = 9}, LEAT_NTUPLE_IP4},
		{{.version = 6, .protocol = ESP, .payload = 4}, LEAT_NTUPLE_ESP6},
		{{.protocol = 1, .payload = 8}, LEAT_NTUPLE_IP4},
		{{.version = 6, .protocol = 58, .payload = 8}, LEAT_NTUPLE_IP6},
		{{.frag_off = FRAME_MF}, LEAT_NTUPLE_IP4},
		{{.frag_off = 1, .payload = 8}, LEAT_NTUPLE_IP4},
		{{.protocol = ESP, .frag_off = FRAME_MF, .payload = 8}, LEAT_NTUPLE_IP4},
		{{.version = 6, .protocol = FRAME_UDP, .ext_first = 44, .ext = later, .ext_len = 8},
		 LEAT_NTUPLE_IP6},
		{{.inner = &inside, .tunnel = LEAT_TUNNEL_VXLAN}, LEAT_NTUPLE_UDP4},
		{{.inner = &inside, .tunnel = LEAT_TUNNEL_IP}, LEAT_NTUPLE_IP4},
		{{.version = 6, .inner = &inside, .tunnel = LEAT_TUNNEL_GRE}, LEAT_NTUPLE_IP6},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct arena arena = {0};
		struct leat_ntuple_key key;
		uint32_t flows = 1u << rows[i].flow | 1u << LEAT_NTUPLE_ETHER;

		flows |= 1u << (rows[i].f.version == 6 ? LEAT_NTUPLE_IP6 : LEAT_NTUPLE_IP4);
		leat_ntuple_key(arena_frame(&arena, &rows[i].f), &key);
		assert_int_equal(key.flow, rows[i].flow);
		assert_int_equal(leat_ntuple_flows(key.flow), flows);
		arena_clear(&arena);
	}
	assert_int_equal(leat_ntuple_flows(LEAT_NTUPLE_ETHER), 1u << LEAT_NTUPLE_ETHER);
	assert_int_equal(leat_ntuple_flows(LEAT_NTUPLE_FLOWS), 0);
	for (unsigned i = 0; i < LEAT_NTUPLE_FLOWS; i++)
		assert_non_null(leat_ntuple_flow_name((enum leat_ntuple_flow)i));
	assert_null(leat_ntuple_flow_name(LEAT_NTUPLE_FLOWS));
}

/* Bytes that are no IP, or no frame at all. */
static void test_not_ip(void **state)
{
	static const uint8_t arp[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x06, 0, 1};
	static const struct leat_ntuple_key any = {0}, type = {.ether_type = {0xff, 0xff}};
	struct leat_ntuple_rule rules[] = {
		{.location = 1, .value = {.flow = LEAT_NTUPLE_ETHER, .ether_type = {8, 6}}},
		{.location = 2, .value = {.flow = LEAT_NTUPLE_ETHER}, .mask = any},
	};
	struct arena arena = {0};
	struct leat_ntuple_key key;
	struct table table;

	rules[0].mask = type;
	make(&table, rules, 2);
	assert_int_equal(leat_ntuple_match(&table.t, arena_add(&arena, arp, 16))->location, 1);
	assert_int_equal(match(&table, &(struct frame){0}), 2);
	for (uint32_t len = 1; len < 14; len++)
		assert_null(leat_ntuple_match(&table.t, arena_add(&arena, arp, len)));
	leat_ntuple_key(arena.pkts[1], &key);
	assert_int_equal(key.flow, LEAT_NTUPLE_FLOWS);
	arena_clear(&arena);
	free(table.mem);
}

static void test_vlan(void **state)
{
	static const struct frame tagged = {.vlans = 2, .vlan = {0x2005, 7}, .dst_mac = 9};
	static const struct leat_ntuple_key id = {.vlan_tci = {0x0f, 0xff}};
	static const struct leat_ntuple_key all = {.vlan_etype = {0xff, 0xff},
						   .vlan_tci = {0xff, 0xff},
						   .ether_type = {0xff, 0xff},
						   .mac_dst = ONES};
	const struct leat_ntuple_rule rules[] = {
		rule_like(&tagged, LEAT_NTUPLE_ETHER, &all, 0),
		rule_like(&tagged, LEAT_NTUPLE_TCP4, &id, 1),
	};
	struct frame f = tagged;
	struct table table;

	make(&table, rules, 2);
	assert_int_equal(match(&table, &f), 0);
	f.vlan[0] = 5; /* another priority */
	assert_int_equal(match(&table, &f), 1);
	f.vlans = 1; /* 802.1Q for 802.1ad */
	f.vlan[0] = 0x2005;
	assert_int_equal(match(&table, &f), 1);
	f.vlans = 0;
	assert_int_equal(match(&table, &f), NOBODY);
	free(table.mem);
}

static bool is_long(const void *arg, const struct leat_pkt *pkt)
{
	return pkt->len >= *(const uint32_t *)arg;
}

/* A filter decides of the packets whose fields match, and other rules go on being looked at. */
static void test_filter(void **state)
{
	static const struct leat_ntuple_key any = {0}, port = {.l4 = {0, 0, 0xff, 0xff}};
	static const struct frame web = {.dport = 80, .payload = 100}, dns = {.dport = 53};
	static const uint32_t length = 100;
	struct leat_ntuple_rule rules[] = {
		rule_like(&dns, LEAT_NTUPLE_TCP4, &port, 0),
		rule_like(&web, LEAT_NTUPLE_TCP4, &port, 1),
		rule_like(&web, LEAT_NTUPLE_TCP4, &port, 2),
		rule_like(&web, LEAT_NTUPLE_ETHER, &any, 3),
	};
	struct frame f = web;
	struct table table;

	rules[1].filter = rules[3].filter = is_long;
	rules[1].arg = rules[3].arg = &length;
	make(&table, rules, 4);
	assert_int_equal(table.t.n_groups, 3);
	assert_int_equal(match(&table, &dns), 0);
	assert_int_equal(match(&table, &f), 1);
	f.payload = 0;
	assert_int_equal(match(&table, &f), 2);
	f.dport = 81;
	assert_int_equal(match(&table, &f), NOBODY);
	f.payload = 100;
	assert_int_equal(match(&table, &f), 3);
	free(table.mem);
}

static void refuse(const struct leat_ntuple_rule *rules, unsigned n, int err, unsigned which)
{
	void *mem = aligned_alloc(64, leat_ntuple_size(n));
	struct leat_ntuple t = {.n_rules = 77};
	unsigned bad = UINT_MAX;

	assert_int_equal(leat_ntuple_init(&t, rules, n, mem, &bad), err);
	assert_int_equal(bad, which);
	assert_int_equal(t.n_rules, 77);
	free(mem);
}

/* Each field, for each type: refused unless it is the type's. */
static void test_fields(void **state)
{
	for (unsigned flow = 0; flow < LEAT_NTUPLE_FLOWS; flow++) {
		struct leat_ntuple_key fields;

		leat_ntuple_fields((enum leat_ntuple_flow)flow, &fields);
		for (size_t i = 0; i < offsetof(struct leat_ntuple_key, flow); i++) {
			struct leat_ntuple_rule rules[2] = {{.location = 7}, {.location = 8}};
			struct table table;

			rules[1].value.flow = (uint8_t)flow;
			((uint8_t *)&rules[1].mask)[i] = 1;
			if (((uint8_t *)&fields)[i]) {
				make(&table, rules, 2);
				free(table.mem);
			} else {
				refuse(rules, 2, -EINVAL, 1);
			}
		}
	}
}

static void test_refusals(void **state)
{
	enum { MANY = LEAT_NTUPLE_GROUPS_MAX + 2 };
	struct leat_ntuple_rule rules[MANY] = {{.location = 3}, {.location = 9}, {.location = 4}};
	struct table table;

	rules[1].value.flow = LEAT_NTUPLE_FLOWS;
	refuse(rules, 3, -EINVAL, 1);
	rules[1].value.flow = 0;
	rules[1].action = LEAT_NTUPLE_CONTEXT + 1;
	refuse(rules, 3, -EINVAL, 1);
	rules[1].action = LEAT_NTUPLE_DROP;
	rules[2].location = 3;
	refuse(rules, 3, -EEXIST, 2);
	rules[2].location = 9;
	refuse(rules, 3, -EEXIST, 2);
	rules[2].location = 4;
	rules[2].mask.flow = 1; /* neither is looked at */
	rules[2].mask.zero[0] = 1;
	make(&table, rules, 3);
	assert_int_equal(table.t.n_groups, 1);
	free(table.mem);

	for (unsigned i = 0; i < MANY; i++)
		rules[i] = (struct leat_ntuple_rule){.location = 1000 - i, .mask.tos = (uint8_t)i};
	make(&table, rules, LEAT_NTUPLE_GROUPS_MAX);
	free(table.mem);
	refuse(rules, LEAT_NTUPLE_GROUPS_MAX + 1, -E2BIG, 0);
	refuse(rules, LEAT_NTUPLE_RULES_MAX + 1, -E2BIG, LEAT_NTUPLE_RULES_MAX);
	make(&table, rules, 0);
	assert_int_equal(match(&table, &(struct frame){0}), NOBODY);
	free(table.mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_selftest), cmocka_unit_test(test_first_wins),
		cmocka_unit_test(test_types),	 cmocka_unit_test(test_not_ip),
		cmocka_unit_test(test_vlan),	 cmocka_unit_test(test_filter),
		cmocka_unit_test(test_fields),	 cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
