/* SPDX-License-Identifier: MIT */
/*
 * ntuple.c - tuple space search: the rules of one flow type and mask are one hash table.
 *
 * A look-up masks the packet's fields, hashes the words that the mask has bits in, and compares.
 * The tables are open: half of the slots at least are empty, so that a search ends soon whatever
 * packets come, for how long the longest is was settled when the table was made.
 */
#include <errno.h>
#include <string.h>

#include <leat/ntuple.h>

#include "outer.h"

enum {
	WORDS = sizeof(struct leat_ntuple_key) / sizeof(uint64_t),
	ALIGNMENT = 64,
	PROTO_ESP = 50,
	PROTO_AH = 51,
	AH_SPI = 4,
	L4_LEN = 4,
	MAC_LEN = 6,
};

_Static_assert(sizeof(struct leat_ntuple_key) == WORDS * sizeof(uint64_t), "whole words");

static const char *const flow_name[] = {"tcp4", "udp4",	 "sctp4", "ah4",  "esp4", "ip4",  "tcp6",
					"udp6", "sctp6", "ah6",	  "esp6", "ip6",  "ether"};

const char *leat_ntuple_flow_name(enum leat_ntuple_flow flow)
{
	return (unsigned)flow < LEAT_NTUPLE_FLOWS ? flow_name[flow] : NULL;
}

uint32_t leat_ntuple_flows(unsigned flow)
{
	uint32_t flows = 1u << flow;

	if (flow >= LEAT_NTUPLE_FLOWS)
		return 0;
	if (flow < LEAT_NTUPLE_IP4)
		flows |= 1u << LEAT_NTUPLE_IP4;
	else if (flow > LEAT_NTUPLE_IP4 && flow < LEAT_NTUPLE_IP6)
		flows |= 1u << LEAT_NTUPLE_IP6;
	return flows | 1u << LEAT_NTUPLE_ETHER;
}

#define SET(field) memset(&(field), 0xff, sizeof(field))

void leat_ntuple_fields(enum leat_ntuple_flow flow, struct leat_ntuple_key *mask)
{
	size_t address = flow <= LEAT_NTUPLE_IP4 ? 4 : 16;

	memset(mask, 0, sizeof(*mask));
	SET(mask->vlan_etype);
	SET(mask->vlan_tci);
	SET(mask->mac_dst);
	if (flow == LEAT_NTUPLE_ETHER) {
		SET(mask->mac_src);
		SET(mask->ether_type);
		return;
	}
	memset(mask->src, 0xff, address);
	memset(mask->dst, 0xff, address);
	SET(mask->l4);
	SET(mask->tos);
	if (flow == LEAT_NTUPLE_IP4 || flow == LEAT_NTUPLE_IP6)
		SET(mask->protocol);
}

/* --- the fields of a packet --- */

/* The type behind an IP header: of the six of its version. */
static unsigned find_flow(const struct leat_pkt *pkt, const struct leat_level *l, uint32_t room)
{
	unsigned first = l->version == 4 ? LEAT_NTUPLE_TCP4 : LEAT_NTUPLE_TCP6;

	if (l->protocol == PROTO_AH && room >= AH_SPI + L4_LEN)
		return first + LEAT_NTUPLE_AH4;
	if (l->protocol == PROTO_ESP && room >= L4_LEN)
		return first + LEAT_NTUPLE_ESP4;
	if (!has_ports(pkt, l))
		return first + LEAT_NTUPLE_IP4;
	switch (l->protocol) {
	case PROTO_TCP: return first + LEAT_NTUPLE_TCP4;
	case PROTO_UDP: return first + LEAT_NTUPLE_UDP4;
	case PROTO_SCTP: return first + LEAT_NTUPLE_SCTP4;
	default: return first + LEAT_NTUPLE_IP4;
	}
}

/* Bytes behind the IP header, 0 in a fragment. */
static uint32_t l4_room(const struct leat_pkt *pkt, const struct leat_level *l)
{
	uint32_t end = level_end(pkt, l);

	if (end > pkt->headlen)
		end = pkt->headlen;
	return l->flags & LEAT_IP_FRAGMENT || end < l->transport ? 0 : end - l->transport;
}

static void read_ip(const struct leat_pkt *pkt, struct leat_ntuple_key *key)
{
	const struct leat_level *l = &pkt->lvl[0];
	const uint8_t *ip = pkt->data + l->network, *l4 = pkt->data + l->transport;
	uint32_t room = l4_room(pkt, l);
	size_t len = l->version == 4 ? 4 : 16;
	const uint8_t *addresses = ip + (l->version == 4 ? IP4_SRC : IP6_SRC);

	memcpy(key->src, addresses, len);
	memcpy(key->dst, addresses + len, len);
	key->tos = l->version == 4 ? ip[IP4_TOS] : (uint8_t)(load_be32(ip + IP6_VTF) >> 20);
	key->protocol = l->protocol;
	key->flow = (uint8_t)find_flow(pkt, l, room);
	if (key->flow == LEAT_NTUPLE_AH4 || key->flow == LEAT_NTUPLE_AH6)
		memcpy(key->l4, l4 + AH_SPI, L4_LEN);
	else if (room >= L4_LEN)
		memcpy(key->l4, l4, L4_LEN);
}

void leat_ntuple_key(const struct leat_pkt *pkt, struct leat_ntuple_key *key)
{
	const uint8_t *type;

	memset(key, 0, sizeof(*key));
	key->flow = LEAT_NTUPLE_FLOWS;
	if (pkt->depth < LEAT_DEPTH_LINK)
		return;
	key->flow = LEAT_NTUPLE_ETHER;
	memcpy(key->mac_dst, pkt->data, MAC_LEN);
	memcpy(key->mac_src, pkt->data + MAC_LEN, MAC_LEN);
	type = pkt->data + ETH_TYPE;
	if (pkt->vlans > 0) {
		memcpy(key->vlan_etype, type, sizeof(key->vlan_etype));
		memcpy(key->vlan_tci, pkt->data + ETH_HLEN, sizeof(key->vlan_tci));
		type += (size_t)pkt->vlans * VLAN_HLEN;
	}
	memcpy(key->ether_type, type, sizeof(key->ether_type));
	if (pkt->levels > 0)
		read_ip(pkt, key);
}

/* --- look-up --- */

static uint64_t load_word(const struct leat_ntuple_key *key, unsigned i)
{
	return load_raw64((const uint8_t *)key + i * sizeof(uint64_t));
}

/* The hash of the key's fields that the group looks at. */
static inline uint32_t hash_key(const struct leat_ntuple_group *g,
				const struct leat_ntuple_key *key)
{
	uint64_t hash = 0;

	for (unsigned words = g->words; words != 0; words &= words - 1) {
		unsigned i = (unsigned)__builtin_ctz(words);

		hash = (hash ^ (load_word(key, i) & load_word(&g->mask, i))) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 32;
	}
	return (uint32_t)hash;
}

/* Whether the key has the value of a rule of the group. */
static inline bool has_value(const struct leat_ntuple_group *g, const struct leat_ntuple_key *key,
			     const struct leat_ntuple_key *value)
{
	uint64_t differ = 0;

	for (unsigned words = g->words; words != 0; words &= words - 1) {
		unsigned i = (unsigned)__builtin_ctz(words);

		differ |= (load_word(key, i) & load_word(&g->mask, i)) ^
			  (load_word(value, i) & load_word(&g->mask, i));
	}
	return differ == 0;
}

/* The slot of the first rule that the key matches, or the empty one where it would be. */
static inline struct leat_ntuple_slot *find_slot(const struct leat_ntuple *t,
						 const struct leat_ntuple_group *g,
						 const struct leat_ntuple_key *key)
{
	uint32_t hash = hash_key(g, key);

	for (uint32_t i = hash;; i++) {
		struct leat_ntuple_slot *slot = &g->slot[i & (g->slots - 1)];

		if (slot->rule == 0 ||
		    (slot->hash == hash && has_value(g, key, &t->rule[slot->rule - 1].value)))
			return slot;
	}
}

/* The first rule of the group for a packet, as its index; n_rules if there is none. */
static inline uint32_t match_group(const struct leat_ntuple *t, const struct leat_ntuple_group *g,
				   const struct leat_ntuple_key *key, const struct leat_pkt *pkt)
{
	uint32_t found = find_slot(t, g, key)->rule;
	const struct leat_ntuple_rule *rule;

	if (found == 0)
		return t->n_rules;
	rule = &t->rule[found - 1];
	return rule->filter && !rule->filter(rule->arg, pkt) ? t->n_rules : found - 1;
}

const struct leat_ntuple_rule *leat_ntuple_match(const struct leat_ntuple *t,
						 const struct leat_pkt *pkt)
{
	struct leat_ntuple_key key;
	uint32_t best = t->n_rules, flows;

	leat_ntuple_key(pkt, &key);
	flows = leat_ntuple_flows(key.flow);
	for (unsigned i = 0; i < t->n_groups && t->group[i].first < best; i++) {
		uint32_t rule;

		if (!(flows >> t->group[i].flow & 1))
			continue;
		rule = match_group(t, &t->group[i], &key, pkt);
		if (rule < best)
			best = rule;
	}
	return best < t->n_rules ? &t->rule[best] : NULL;
}

/* --- making a table --- */

static size_t align(size_t size)
{
	return (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

static uint32_t count_slots(uint32_t rules)
{
	uint32_t slots = 2;

	while (slots < 2 * rules)
		slots *= 2;
	return slots;
}

static unsigned count_groups(unsigned n)
{
	return n < LEAT_NTUPLE_GROUPS_MAX ? n : LEAT_NTUPLE_GROUPS_MAX;
}

size_t leat_ntuple_size(unsigned n)
{
	/* A group of r rules has fewer than 4 r slots. */
	return align(n * sizeof(struct leat_ntuple_rule)) +
	       align(count_groups(n) * sizeof(struct leat_ntuple_group)) +
	       align(4 * (size_t)n * sizeof(struct leat_ntuple_slot));
}

/* Whether the rule looks only at fields of its type. */
static bool is_valid(const struct leat_ntuple_rule *rule)
{
	struct leat_ntuple_key fields;
	uint64_t f[WORDS], m[WORDS], beyond = 0;

	if (rule->value.flow >= LEAT_NTUPLE_FLOWS || rule->action > LEAT_NTUPLE_CONTEXT)
		return false;
	leat_ntuple_fields((enum leat_ntuple_flow)rule->value.flow, &fields);
	fields.flow = 0xff;
	SET(fields.zero);
	memcpy(f, &fields, sizeof(f));
	memcpy(m, &rule->mask, sizeof(m));
	for (unsigned i = 0; i < WORDS; i++)
		beyond |= m[i] & ~f[i];
	return beyond == 0;
}

/* Shell's sort: rules mostly come sorted, and then it only looks. */
static void sort(struct leat_ntuple_rule *rule, unsigned n)
{
	unsigned gap = 1;

	while (gap < n / 3)
		gap = 3 * gap + 1;
	for (; gap > 0; gap /= 3) {
		for (unsigned i = gap; i < n; i++) {
			struct leat_ntuple_rule moved = rule[i];
			unsigned k = i;

			if (rule[i - gap].location <= moved.location)
				continue;
			for (; k >= gap && rule[k - gap].location > moved.location; k -= gap)
				rule[k] = rule[k - gap];
			rule[k] = moved;
		}
	}
}

/* Make the rule's value and mask as they are compared. */
static void normalize(struct leat_ntuple_rule *rule)
{
	uint64_t v[WORDS], m[WORDS];
	uint8_t flow = rule->value.flow;

	rule->mask.flow = 0;
	memset(rule->mask.zero, 0, sizeof(rule->mask.zero));
	memcpy(v, &rule->value, sizeof(v));
	memcpy(m, &rule->mask, sizeof(m));
	for (unsigned i = 0; i < WORDS; i++)
		v[i] &= m[i];
	memcpy(&rule->value, v, sizeof(v));
	rule->value.flow = flow;
}

static bool is_of(const struct leat_ntuple *t, const struct leat_ntuple_group *g,
		  const struct leat_ntuple_rule *rule)
{
	return g->flow == rule->value.flow && !rule->filter && !t->rule[g->first].filter &&
	       memcmp(&g->mask, &rule->mask, sizeof(g->mask)) == 0;
}

/* The group of rule `i`, which has one unless it is the first of it. */
static struct leat_ntuple_group *find_group(const struct leat_ntuple *t, uint32_t i)
{
	struct leat_ntuple_group *g = t->group;

	while (g < t->group + t->n_groups && g->first != i && !is_of(t, g, &t->rule[i]))
		g++;
	return g;
}

static void add_group(struct leat_ntuple *t, uint32_t first)
{
	const struct leat_ntuple_rule *rule = &t->rule[first];
	uint64_t m[WORDS];
	unsigned words = 0;

	memcpy(m, &rule->mask, sizeof(m));
	for (unsigned i = 0; i < WORDS; i++)
		words |= (unsigned)(m[i] != 0) << i;
	t->group[t->n_groups++] = (struct leat_ntuple_group){
		.mask = rule->mask,
		.flow = rule->value.flow,
		.words = (uint8_t)words,
		.first = first,
	};
}

/* Find the groups and count their rules. Gives 0, or -errno and which rule is at fault. */
static int divide(struct leat_ntuple *t, uint32_t *at)
{
	for (*at = 0; *at < t->n_rules; ++*at) {
		struct leat_ntuple_group *g = find_group(t, *at);

		if (*at > 0 && t->rule[*at].location == t->rule[*at - 1].location)
			return -EEXIST;
		if (g == t->group + t->n_groups) {
			if (t->n_groups == LEAT_NTUPLE_GROUPS_MAX)
				return -E2BIG;
			add_group(t, *at);
		}
		g->rules++;
	}
	return 0;
}

/* Put every rule into its group's hash table, unless a rule before it has the same value. */
static void fill(struct leat_ntuple *t, struct leat_ntuple_slot *slot)
{
	for (unsigned i = 0; i < t->n_groups; i++) {
		t->group[i].slot = slot;
		t->group[i].slots = count_slots(t->group[i].rules);
		slot += t->group[i].slots;
	}
	for (uint32_t i = 0; i < t->n_rules; i++) {
		const struct leat_ntuple_group *g = find_group(t, i);
		struct leat_ntuple_slot *s = find_slot(t, g, &t->rule[i].value);

		if (s->rule == 0)
			*s = (struct leat_ntuple_slot){hash_key(g, &t->rule[i].value), i + 1};
	}
}

/* The last of the caller's rules at a location. */
static unsigned find_location(const struct leat_ntuple_rule *rules, unsigned n, uint32_t location)
{
	while (n-- > 1 && rules[n].location != location)
		;
	return n;
}

int leat_ntuple_init(struct leat_ntuple *t, const struct leat_ntuple_rule *rules, unsigned n,
		     void *mem, unsigned *bad)
{
	struct leat_ntuple made = {.n_rules = n, .rule = mem};
	uint32_t at;
	int err;

	*bad = LEAT_NTUPLE_RULES_MAX;
	if (n > LEAT_NTUPLE_RULES_MAX)
		return -E2BIG;
	for (*bad = 0; *bad < n; ++*bad) {
		if (!is_valid(&rules[*bad]))
			return -EINVAL;
	}
	memset(mem, 0, leat_ntuple_size(n));
	made.group = (void *)((uint8_t *)mem + align(n * sizeof(*rules)));
	memcpy(made.rule, rules, n * sizeof(*rules));
	sort(made.rule, n);
	for (unsigned i = 0; i < n; i++)
		normalize(&made.rule[i]);
	err = divide(&made, &at);
	if (err) {
		*bad = find_location(rules, n, made.rule[at].location);
		return err;
	}
	fill(&made, (void *)((uint8_t *)made.group + align(count_groups(n) * sizeof(*made.group))));
	*t = made;
	return 0;
}
