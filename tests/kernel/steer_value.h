/* SPDX-License-Identifier: MIT */
/*
 * steer_value.h - random values of what chooses a receive queue: contexts with keys, fields,
 * transforms and tables of every size, and rules that fit some of the frames there are.
 */
#ifndef LEAT_TESTS_KERNEL_STEER_VALUE_H
#define LEAT_TESTS_KERNEL_STEER_VALUE_H

#include <leat/rxfh.h>
#include <stdlib.h>
#include <string.h>

#include "../rng.h"

enum { VALUE_RULES = 400 };

struct value {
	struct leat_rxfh rxfh;
	struct leat_rss context[LEAT_RXFH_CONTEXTS_MAX];
	struct leat_ntuple ntuple;
	void *mem;
};

static inline void value_bytes(struct rng *rng, void *to, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)to)[i] = (uint8_t)rng_next(rng);
}

/* Mostly all of a type's fields, so that ports and addresses do count. */
static inline void value_fields(struct rng *rng, uint32_t fields[LEAT_RSS_FLOWS])
{
	static const uint32_t some[] = {
		LEAT_RXH_IP_SRC,   LEAT_RXH_IP_DST, LEAT_RXH_L4_B_0_1,
		LEAT_RXH_L4_B_2_3, LEAT_RXH_IP6_FL,
	};

	for (unsigned flow = 0; flow < LEAT_RSS_FLOWS; flow++) {
		fields[flow] = 0;
		for (unsigned i = 0; i < sizeof(some) / sizeof(some[0]); i++)
			fields[flow] |= rng_once_in(rng, 3) ? 0 : some[i];
	}
}

/* Keys of which most parts are wrong are tried until one is right. */
static inline void value_context(struct rng *rng, struct leat_rss *rss, unsigned n_queues)
{
	uint16_t indir[LEAT_RSS_INDIR_MAX];
	uint8_t key[LEAT_RSS_KEY_MAX];
	struct leat_rss_conf conf = {.key = key, .indir = indir, .n_queues = n_queues};

	do {
		conf.key_len =
			LEAT_RSS_KEY_MIN + rng_below(rng, LEAT_RSS_KEY_MAX - LEAT_RSS_KEY_MIN + 1);
		value_bytes(rng, key, conf.key_len);
		conf.indir_size = 1u << rng_below(rng, 13);
		for (unsigned i = 0; i < conf.indir_size; i++)
			indir[i] = (uint16_t)rng_below(rng, n_queues);
		conf.xfrm = (enum leat_rss_xfrm)rng_below(rng, LEAT_RSS_SYM_OR_XOR + 1);
		conf.inner = rng_once_in(rng, 2);
		memset(conf.fields, 0, sizeof(conf.fields));
		for (unsigned flow = 0; flow < LEAT_RSS_FLOWS && !rng_once_in(rng, 4); flow++)
			value_fields(rng, conf.fields);
		for (unsigned flow = 0; flow < LEAT_RSS_FLOWS; flow++) {
			bool ip6 = flow >= LEAT_RSS_TCP6;

			if (flow == LEAT_RSS_IP4 || flow == LEAT_RSS_IP6)
				conf.fields[flow] &= ~(LEAT_RXH_L4_B_0_1 | LEAT_RXH_L4_B_2_3);
			if (!ip6 || conf.xfrm != LEAT_RSS_XFRM_NONE)
				conf.fields[flow] &= ~LEAT_RXH_IP6_FL;
			if (conf.xfrm != LEAT_RSS_XFRM_NONE)
				conf.fields[flow] |= conf.fields[flow] << 1 &
						     (LEAT_RXH_IP_DST | LEAT_RXH_L4_B_2_3);
			if (conf.xfrm != LEAT_RSS_XFRM_NONE)
				conf.fields[flow] |= conf.fields[flow] >> 1 &
						     (LEAT_RXH_IP_SRC | LEAT_RXH_L4_B_0_1);
		}
	} while (leat_rss_init(rss, &conf));
}

/* Some of the bytes that a rule of this type may look at, or some of their bits. */
static inline void value_mask(struct rng *rng, enum leat_ntuple_flow flow,
			      struct leat_ntuple_key *mask)
{
	uint8_t *m = (uint8_t *)mask;
	bool bits = rng_once_in(rng, 4);

	leat_ntuple_fields(flow, mask);
	for (size_t i = 0; i < sizeof(*mask); i++) {
		if (!rng_once_in(rng, 3))
			m[i] = 0;
		else if (bits)
			m[i] &= (uint8_t)rng_next(rng);
	}
}

static inline bool value_is_of(const struct leat_ntuple_key *key, unsigned flow)
{
	return leat_ntuple_flows(key->flow) >> flow & 1;
}

/* A rule that fits the packet with these fields; of a few masks only, for a table has no more
 * than so many groups. */
static inline void value_rule(struct rng *rng, struct leat_ntuple_rule *rule,
			      const struct leat_ntuple_key *key,
			      const struct leat_ntuple_key masks[LEAT_NTUPLE_FLOWS])
{
	unsigned flow = rng_below(rng, LEAT_NTUPLE_FLOWS);

	while (!value_is_of(key, flow))
		flow = (flow + 1) % LEAT_NTUPLE_FLOWS;
	*rule = (struct leat_ntuple_rule){.value = *key, .mask = masks[flow]};
	rule->value.flow = (uint8_t)flow;
	rule->action = (uint8_t)rng_below(rng, LEAT_NTUPLE_CONTEXT + 1);
	if (rule->action == LEAT_NTUPLE_DROP && !rng_once_in(rng, 3))
		rule->action = LEAT_NTUPLE_QUEUE;
	rule->queue = (uint16_t)rng_below(rng, rng_once_in(rng, 8) ? 65536 : 16);
	rule->context = (uint16_t)rng_below(rng, LEAT_RXFH_CONTEXTS_MAX);
}

/* Masks of every type, a few generations of them. */
static inline void value_rules(struct rng *rng, struct value *v, const struct leat_ntuple_key *keys,
			       unsigned n_keys)
{
	static struct leat_ntuple_rule rule[VALUE_RULES];
	struct leat_ntuple_key masks[4][LEAT_NTUPLE_FLOWS];
	unsigned n = rng_below(rng, VALUE_RULES), bad;

	for (unsigned i = 0; i < 4 * LEAT_NTUPLE_FLOWS; i++)
		value_mask(rng, (enum leat_ntuple_flow)(i % LEAT_NTUPLE_FLOWS),
			   &masks[i / LEAT_NTUPLE_FLOWS][i % LEAT_NTUPLE_FLOWS]);
	if (rng_once_in(rng, 3))
		n = rng_below(rng, 4);
	for (unsigned i = 0; i < n; i++) {
		value_rule(rng, &rule[i], &keys[rng_below(rng, n_keys)], masks[rng_below(rng, 4)]);
		rule[i].location = i * 7 % 1009;
	}
	v->mem = aligned_alloc(64, leat_ntuple_size(n) + 64);
	if (leat_ntuple_init(&v->ntuple, rule, n, v->mem, &bad))
		abort();
	v->rxfh.ntuple = &v->ntuple;
}

/* For a port of n_queues, with rules, if there are `keys`, that fit packets with these fields. */
static inline void value_make(struct rng *rng, struct value *v, unsigned n_queues,
			      const struct leat_ntuple_key *keys, unsigned n_keys)
{
	v->rxfh = (struct leat_rxfh){.n_queues = n_queues};
	v->mem = NULL;
	for (unsigned id = 0; id < LEAT_RXFH_CONTEXTS_MAX; id++) {
		if (id > 0 && !rng_once_in(rng, 8))
			continue;
		value_context(rng, &v->context[id], n_queues);
		v->rxfh.context[id] = &v->context[id];
	}
	if (n_keys > 0 && !rng_once_in(rng, 4))
		value_rules(rng, v, keys, n_keys);
}

static inline void value_free(struct value *v)
{
	free(v->mem);
	v->mem = NULL;
}

#endif
