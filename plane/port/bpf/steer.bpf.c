/* SPDX-License-Identifier: MIT */
/*
 * The receive queue of a frame, in the kernel: what leat_parse() and leat_rxfh_pick() make of it,
 * with the filters of accelerated RFS between rules and table.
 *
 * TUN runs `steer` on the way to a device's queue; the queue is what it gives, mod the number of
 * queues. It runs `filter` when the frame is put there, and only while there are rules that drop:
 * the first cannot. Both see the frame as the stack has it: a VLAN tag may lie beside it, and a
 * super-packet is not segmented yet.
 */
#include "steer.h"
#include "hash.h"
#include "tunnel.h"

struct head_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(uint32_t));
	__uint(value_size, sizeof(struct steer_head));
};

struct context_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP); /* of any number of entries */
	__uint(max_entries, 1);
	__uint(key_size, sizeof(uint32_t));
	__uint(value_size, sizeof(struct leat_rss));
};

struct rule_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct leat_ntuple_key));
	__uint(value_size, sizeof(struct steer_rule));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__array(values, struct head_map);
} heads SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, STEER_PLACES);
	__type(key, uint32_t);
	__array(values, struct context_map);
} contexts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, STEER_PLACES);
	__type(key, uint32_t);
	__array(values, struct rule_map);
} rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, STEER_FILTERS_MAX);
	__type(key, uint32_t);
	__type(value, struct steer_flow);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, uint64_t);
} dropped SEC(".maps");

/* The types that a packet of type `flow` is of, as a set of bits. */
static __always_inline uint32_t types_of(uint8_t flow)
{
	uint32_t types = 1u << (flow & 31);

	if (flow >= LEAT_NTUPLE_FLOWS)
		return 0;
	if (flow < LEAT_NTUPLE_IP4)
		types |= 1u << LEAT_NTUPLE_IP4;
	else if (flow > LEAT_NTUPLE_IP4 && flow < LEAT_NTUPLE_IP6)
		types |= 1u << LEAT_NTUPLE_IP6;
	return types | 1u << LEAT_NTUPLE_ETHER;
}

/* The rule of group `i`, or NULL. */
static __always_inline const struct steer_rule *match_group(const struct steer_group *g, uint32_t i,
							    void *table,
							    const struct leat_ntuple_key *key)
{
	struct leat_ntuple_key masked;
	const uint64_t *k = (const void *)key, *m = (const void *)&g->mask;
	uint64_t *to = (void *)&masked;

	for (unsigned word = 0; word < sizeof(masked) / sizeof(*to); word++)
		to[word] = k[word] & m[word];
	masked.flow = g->mask.flow;
	masked.STEER_GROUP = (uint8_t)i;
	return bpf_map_lookup_elem(table, &masked);
}

/* The first rule for the frame, or NULL. */
static __always_inline const struct steer_rule *match(const struct steer_head *head,
						      const struct leat_ntuple_key *key)
{
	const struct steer_rule *best = NULL;
	uint32_t types = types_of(key->flow);
	void *table = head->groups ? bpf_map_lookup_elem(&rules, &head->place) : NULL;

	if (!table)
		return NULL;
	for (uint32_t i = 0; i < LEAT_NTUPLE_GROUPS_MAX && i < head->groups; i++) {
		const struct steer_group *g = &head->group[i];
		const struct steer_rule *rule;

		if (best && best->index < g->first)
			break;
		if (!(types >> (g->mask.flow & 31) & 1))
			continue;
		rule = match_group(g, i, table, key);
		if (rule && (!best || rule->index < best->index))
			best = rule;
	}
	return best;
}

/* leat_rss_hash() of the frame. */
static __always_inline uint32_t hash_frame(struct __sk_buff *skb, const struct steer_head *head,
					   const struct leat_rss *rss, const struct level *outer)
{
	struct level inner = {};

	if (rss->inner && parse_inner(skb, head, outer, &inner))
		return hash_level(rss, &inner);
	return hash_level(rss, outer);
}

/* The context's queue for the frame; context 0's unless a flow of that hash has one of its own. */
static __always_inline uint32_t spread(struct __sk_buff *skb, const struct steer_head *head,
				       const struct steer_rule *rule, const struct level *outer)
{
	uint32_t id = rule ? rule->context : 0, hash;
	void *table = bpf_map_lookup_elem(&contexts, &head->place);
	const struct leat_rss *rss = table ? bpf_map_lookup_elem(table, &id) : NULL;
	const struct steer_flow *flow;

	if (!rss)
		return 0;
	hash = hash_frame(skb, head, rss, outer);
	flow = rule ? NULL : bpf_map_lookup_elem(&flows, &hash);
	if (flow)
		return flow->queue;
	return rss->indir[hash & (rss->indir_size - 1u) & (LEAT_RSS_INDIR_MAX - 1)] +
	       (rule ? rule->queue : 0);
}

static __always_inline const struct steer_head *find_head(void)
{
	uint32_t zero = 0;
	void *table = bpf_map_lookup_elem(&heads, &zero);

	return table ? bpf_map_lookup_elem(table, &zero) : NULL;
}

SEC("socket")
int steer(struct __sk_buff *skb)
{
	const struct steer_head *head = find_head();
	const struct steer_rule *rule;
	struct level outer = {};

	if (!head)
		return 0;
	parse(skb, head, &outer);
	rule = match(head, &outer.key);
	if (rule && rule->action != LEAT_NTUPLE_CONTEXT)
		return rule->queue;
	return (int)(spread(skb, head, rule, &outer) % head->queues);
}

/* Gives how many bytes of the frame go on. */
SEC("socket")
int filter(struct __sk_buff *skb)
{
	const struct steer_head *head = find_head();
	const struct steer_rule *rule;
	struct level outer = {};
	uint32_t zero = 0;
	uint64_t *count;

	if (!head)
		return (int)skb->len;
	parse(skb, head, &outer);
	rule = match(head, &outer.key);
	if (!rule || rule->action != LEAT_NTUPLE_DROP)
		return (int)skb->len;
	count = bpf_map_lookup_elem(&dropped, &zero);
	if (count)
		++*count;
	return 0;
}

char licence[] SEC("license") = "MIT";
