/* SPDX-License-Identifier: MIT */
#include "card.h"

#include <stdio.h>
#include <stdlib.h>

void card_fini(struct card *card)
{
	rxfh_drop(card->owned);
	for (unsigned q = 0; q < CARD_QUEUES_MAX; q++)
		free(card->rps[q]);
}

/* The CPU of a queue, or another that RPS names. */
static void choose_cpu(const struct card *card, struct card_choice *choice)
{
	const struct leat_rps_map *rps = card->rps[choice->rxfh.queue];
	uint16_t cpu = LEAT_RPS_NO_CPU;

	if (rps && choice->rxfh.hash_type != LEAT_HASH_NONE)
		cpu = leat_rps_pick(rps, choice->rxfh.hash);
	choice->rps = cpu != LEAT_RPS_NO_CPU;
	choice->cpu = choice->rps ? cpu : card->cpu[choice->rxfh.queue];
}

void card_choose(const struct card *card, const struct leat_pkt *pkt, struct card_choice *choice)
{
	leat_rxfh_pick(&card->rxfh, pkt, &choice->rxfh);
	choose_cpu(card, choice);
}

const struct leat_rss *card_table(const struct card *card, const struct card_choice *choice)
{
	const struct leat_rxfh_choice *r = &choice->rxfh;

	if (r->hash_type == LEAT_HASH_NONE || r->by == LEAT_RXFH_BY_RULE ||
	    r->by == LEAT_RXFH_BY_DROP)
		return NULL;
	return card->rxfh.context[r->context];
}

unsigned card_offset(const struct card *card, const struct card_choice *choice)
{
	const struct leat_rss *table = card_table(card, choice);

	return (choice->rxfh.queue + card->rxfh.n_queues -
		leat_rss_pick(table, choice->rxfh.hash)) %
	       card->rxfh.n_queues;
}

void card_choose_inside(const struct card *card, const struct card_choice *outer,
			const struct leat_pkt *pkt, struct card_choice *choice)
{
	const struct leat_rss *table = card_table(card, outer);
	unsigned offset = table ? card_offset(card, outer) : 0;
	enum leat_hash_type type;

	*choice = *outer;
	if (!table && outer->rxfh.by == LEAT_RXFH_BY_INDIR)
		table = card->rxfh.context[0]; /* it had no hash */
	if (table) {
		choice->rxfh.hash = leat_rss_hash(table, pkt, &type);
		choice->rxfh.hash_type = (uint8_t)type;
		choice->rxfh.queue = (uint16_t)((leat_rss_pick(table, choice->rxfh.hash) + offset) %
						card->rxfh.n_queues);
	}
	choose_cpu(card, choice);
}

void card_words(const struct card_choice *choice, char words[CARD_WORDS_MAX])
{
	const struct leat_rxfh_choice *r = &choice->rxfh;

	switch (r->by) {
	case LEAT_RXFH_BY_CONTEXT:
		snprintf(words, CARD_WORDS_MAX, "rule %lld, context %u", (long long)r->rule,
			 r->context);
		break;
	case LEAT_RXFH_BY_RULE:
		snprintf(words, CARD_WORDS_MAX, "rule %lld", (long long)r->rule);
		break;
	case LEAT_RXFH_BY_DROP:
		snprintf(words, CARD_WORDS_MAX, "rule %lld: drop", (long long)r->rule);
		break;
	default:
		snprintf(words, CARD_WORDS_MAX, "%s",
			 r->hash_type == LEAT_HASH_NONE ? "no hash" : "table");
		break;
	}
}
