/* SPDX-License-Identifier: MIT */
/*
 * Random rules and packets, against every rule compared with the frame's bytes one after the other.
 *
 * Fields take few values, and rules are made of packets that come, so most packets match some rule
 * and many match several. The test counts both, lest the traffic stop reaching what it is for.
 */
#include <leat/ntuple.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../frame.h"
#include "../rng.h"

enum { ROUNDS = 150, PACKETS = 300, RULES = 400, MASKS = 40, FILTERS = 8 };

static const uint8_t first4[8] = {0}, fragment6[8] = {FRAME_TCP, 0, 0, 1};
static const uint8_t options6[8] = {FRAME_UDP, 0, 1, 4};

static struct frame random_frame(struct rng *rng)
{
	static const uint8_t protocols[] = {FRAME_TCP, FRAME_UDP, FRAME_SCTP, 1, 50, 51};
	static const struct frame inside = {.payload = 8};
	struct frame f = {
		.version = rng_once_in(rng, 2) ? 4 : 6,
		.protocol = protocols[rng_below(rng, 6)],
		.dst_mac = (uint8_t)rng_below(rng, 2),
		.src_mac = (uint8_t)rng_below(rng, 2),
		.vlans = (uint8_t)rng_below(rng, 3),
		.vlan = {(uint16_t)rng_below(rng, 3)},
		.src = rng_below(rng, 3),
		.dst = rng_below(rng, 3) << 8,
		.sport = (uint16_t)rng_below(rng, 3),
		.dport = (uint16_t)rng_below(rng, 3),
		.tos = (uint8_t)(rng_below(rng, 2) << 2),
		.payload = rng_below(rng, 24),
	};

	if (f.protocol == FRAME_SCTP && rng_once_in(rng, 2))
		f.chunks = 1, f.payload = 16;
	if (f.version == 4 && rng_once_in(rng, 6))
		f.frag_off = rng_once_in(rng, 2) ? FRAME_MF : 5;
	if (f.version == 4 && rng_once_in(rng, 6))
		f.ext = first4, f.ext_len = 8;
	if (f.version == 6 && f.protocol == FRAME_TCP && rng_once_in(rng, 6))
		f.ext_first = 44, f.ext = fragment6, f.ext_len = 8;
	if (f.version == 6 && f.protocol == FRAME_UDP && rng_once_in(rng, 6))
		f.ext_first = 0, f.ext = options6, f.ext_len = 8;
	if (rng_once_in(rng, 8)) {
		f = (struct frame){.version = f.version, .src = f.src, .sport = f.sport};
		f.inner = &inside;
		f.tunnel = rng_once_in(rng, 2) ? LEAT_TUNNEL_IP : LEAT_TUNNEL_VXLAN;
	}
	return f;
}

/* The fields again, from the frame's bytes. */
static void read_slowly(const struct leat_pkt *pkt, struct leat_ntuple_key *key)
{
	static const uint8_t zero[4];
	const uint8_t *p = pkt->data, *end = p + pkt->len, *type = p + 12, *l4;
	bool v6, fragment = false;

	memset(key, 0, sizeof(*key));
	memcpy(key->mac_dst, p, 6);
	memcpy(key->mac_src, p + 6, 6);
	while (type[0] * 256 + type[1] == 0x8100 || type[0] * 256 + type[1] == 0x88a8) {
		if (type == p + 12) {
			memcpy(key->vlan_etype, type, 2);
			memcpy(key->vlan_tci, type + 2, 2);
		}
		type += 4;
	}
	memcpy(key->ether_type, type, 2);
	p = type + 2;
	v6 = type[0] == 0x86;
	memcpy(key->src, v6 ? p + 8 : p + 12, v6 ? 16 : 4);
	memcpy(key->dst, v6 ? p + 24 : p + 16, v6 ? 16 : 4);
	key->tos = v6 ? (uint8_t)(p[0] * 16 + p[1] / 16) : p[1];
	key->protocol = v6 ? p[6] : p[9];
	l4 = v6 ? p + 40 : p + p[0] % 16 * 4;
	if (v6 && (key->protocol == 0 || key->protocol == 44)) {
		fragment = key->protocol == 44;
		key->protocol = l4[0];
		l4 += 8;
	} else if (!v6) {
		fragment = (p[6] & 0x3f) != 0 || p[7] != 0;
	}
	key->flow = v6 ? LEAT_NTUPLE_IP6 : LEAT_NTUPLE_IP4;
	if (fragment || end - l4 < 4)
		return;
	memcpy(key->l4, key->protocol == 51 && end - l4 >= 8 ? l4 + 4 : l4, 4);
	if (key->protocol == FRAME_TCP && end - l4 >= 20)
		key->flow = v6 ? LEAT_NTUPLE_TCP6 : LEAT_NTUPLE_TCP4;
	else if (key->protocol == FRAME_UDP && end - l4 >= 8)
		key->flow = v6 ? LEAT_NTUPLE_UDP6 : LEAT_NTUPLE_UDP4;
	else if (key->protocol == FRAME_SCTP && end - l4 >= 12)
		key->flow = v6 ? LEAT_NTUPLE_SCTP6 : LEAT_NTUPLE_SCTP4;
	else if (key->protocol == 51 && end - l4 >= 8)
		key->flow = v6 ? LEAT_NTUPLE_AH6 : LEAT_NTUPLE_AH4;
	else if (key->protocol == 50)
		key->flow = v6 ? LEAT_NTUPLE_ESP6 : LEAT_NTUPLE_ESP4;
	assert_memory_equal(zero, key->zero, sizeof(zero));
}

static bool is_of_type(unsigned packet, unsigned rule)
{
	if (rule == packet || rule == LEAT_NTUPLE_ETHER)
		return true;
	return rule == (packet <= LEAT_NTUPLE_IP4 ? LEAT_NTUPLE_IP4 : LEAT_NTUPLE_IP6);
}

static bool matches(const struct leat_ntuple_rule *rule, const struct leat_ntuple_key *key,
		    const struct leat_pkt *pkt)
{
	const uint8_t *k = (const void *)key, *v = (const void *)&rule->value;
	const uint8_t *m = (const void *)&rule->mask;

	if (!is_of_type(key->flow, rule->value.flow))
		return false;
	for (size_t i = 0; i < offsetof(struct leat_ntuple_key, flow); i++) {
		if ((k[i] ^ v[i]) & m[i])
			return false;
	}
	return !rule->filter || rule->filter(rule->arg, pkt);
}

static bool is_longer(const void *arg, const struct leat_pkt *pkt)
{
	return pkt->len > *(const uint32_t *)arg;
}

/* Any bits of the fields the type has: none of most, all of some, some of few. */
static struct leat_ntuple_key random_mask(struct rng *rng, unsigned flow)
{
	struct leat_ntuple_key mask;
	uint8_t *m = (void *)&mask;

	leat_ntuple_fields((enum leat_ntuple_flow)flow, &mask);
	for (size_t i = 0; i < offsetof(struct leat_ntuple_key, flow); i++) {
		if (!rng_once_in(rng, 6))
			m[i] = 0;
		else if (rng_once_in(rng, 3))
			m[i] &= (uint8_t)rng_next(rng);
	}
	return mask;
}

struct round {
	struct rng *rng;
	struct arena arena;
	unsigned n, filters;
	struct leat_ntuple_rule rule[RULES];
	struct leat_ntuple_key mask[MASKS];
	uint8_t flow[MASKS];
	uint32_t length;
};

static void make_masks(struct round *r)
{
	for (unsigned i = 0; i < MASKS; i++) {
		r->flow[i] = (uint8_t)rng_below(r->rng, LEAT_NTUPLE_FLOWS);
		r->mask[i] = random_mask(r->rng, r->flow[i]);
	}
}

static bool is_taken(const struct round *r, uint32_t location)
{
	for (unsigned i = 0; i < r->n; i++) {
		if (r->rule[i].location == location)
			return true;
	}
	return false;
}

static void add_rule(struct round *r)
{
	const struct leat_pkt *like = r->arena.pkts[rng_below(r->rng, r->arena.n)];
	struct leat_ntuple_rule *rule = &r->rule[r->n];
	unsigned mask = rng_below(r->rng, MASKS);

	*rule = (struct leat_ntuple_rule){.location = rng_below(r->rng, 4 * RULES),
					  .mask = r->mask[mask]};
	leat_ntuple_key(like, &rule->value);
	rule->value.flow = r->flow[mask];
	if (r->filters < FILTERS && rng_once_in(r->rng, 20)) {
		rule->filter = is_longer;
		rule->arg = &r->length;
		r->filters++;
	}
	r->n += !is_taken(r, rule->location);
}

static unsigned check(const struct round *r, const struct leat_ntuple *t)
{
	unsigned several = 0;

	for (unsigned i = 0; i < r->arena.n; i++) {
		const struct leat_pkt *pkt = r->arena.pkts[i];
		const struct leat_ntuple_rule *want = NULL, *got = leat_ntuple_match(t, pkt);
		struct leat_ntuple_key key, fast;
		unsigned n = 0;

		read_slowly(pkt, &key);
		leat_ntuple_key(pkt, &fast);
		assert_memory_equal(&fast, &key, sizeof(key));
		for (unsigned k = 0; k < r->n; k++) {
			if (!matches(&r->rule[k], &key, pkt))
				continue;
			n++;
			if (!want || r->rule[k].location < want->location)
				want = &r->rule[k];
		}
		assert_int_equal(got ? (int64_t)got->location : -1,
				 want ? (int64_t)want->location : -1);
		several += n > 1;
	}
	return several;
}

static void test_model(void **state)
{
	static struct round r;
	struct rng rng = rng_start("test_ntuple_model");
	unsigned several = 0, bad;

	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned rules = rng_below(&rng, rng_once_in(&rng, 2) ? RULES : 10);
		struct leat_ntuple t;
		void *mem;

		memset(&r, 0, sizeof(r));
		r.rng = &rng;
		r.length = rng_below(&rng, 100);
		for (unsigned i = 0; i < PACKETS; i++) {
			struct frame f = random_frame(&rng);

			arena_frame(&r.arena, &f);
		}
		make_masks(&r);
		while (r.n < rules)
			add_rule(&r);
		mem = aligned_alloc(64, leat_ntuple_size(r.n) + 64);
		assert_non_null(mem);
		assert_int_equal(leat_ntuple_init(&t, r.rule, r.n, mem, &bad), 0);
		several += check(&r, &t);
		free(mem);
		arena_clear(&r.arena);
	}
	print_message("%u of %u packets matched more than one rule\n", several, ROUNDS * PACKETS);
	assert_true(several > ROUNDS * PACKETS / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_model)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
