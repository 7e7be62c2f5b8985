/* SPDX-License-Identifier: MIT */
#include <leat/rxfh.h>

/* Context `id`'s hash of the packet; an id that there is none of is context 0. */
static const struct leat_rss *hash(const struct leat_rxfh *rxfh, uint16_t id,
				   const struct leat_pkt *pkt, struct leat_rxfh_choice *choice)
{
	const struct leat_rss *rss;
	enum leat_hash_type type;

	choice->context = id < LEAT_RXFH_CONTEXTS_MAX && rxfh->context[id] ? id : 0;
	rss = rxfh->context[choice->context];
	choice->hash = leat_rss_hash(rss, pkt, &type);
	choice->hash_type = (uint8_t)type;
	return rss;
}

/* A packet without a hash has hash 0, which names the table's first entry. */
static uint16_t pick(const struct leat_rxfh *rxfh, const struct leat_rss *rss, uint32_t offset,
		     const struct leat_rxfh_choice *choice)
{
	return (uint16_t)((leat_rss_pick(rss, choice->hash) + offset) % rxfh->n_queues);
}

void leat_rxfh_pick(const struct leat_rxfh *rxfh, const struct leat_pkt *pkt,
		    struct leat_rxfh_choice *choice)
{
	const struct leat_ntuple_rule *rule =
		rxfh->ntuple ? leat_ntuple_match(rxfh->ntuple, pkt) : NULL;
	bool in_context = rule && rule->action == LEAT_NTUPLE_CONTEXT;
	const struct leat_rss *rss = hash(rxfh, in_context ? rule->context : 0, pkt, choice);

	choice->rule = rule ? (int64_t)rule->location : -1;
	choice->queue = 0;
	if (!rule) {
		choice->by = LEAT_RXFH_BY_INDIR;
		choice->queue = pick(rxfh, rss, 0, choice);
	} else if (in_context) {
		choice->by = LEAT_RXFH_BY_CONTEXT;
		choice->queue = pick(rxfh, rss, rule->queue, choice);
	} else if (rule->action == LEAT_NTUPLE_QUEUE) {
		choice->by = LEAT_RXFH_BY_RULE;
		choice->queue = (uint16_t)(rule->queue % rxfh->n_queues);
	} else {
		choice->by = LEAT_RXFH_BY_DROP;
	}
}
