/* SPDX-License-Identifier: MIT */
#include "tally.h"

#include <errno.h>
#include <sys/random.h>

int tally_init(struct tally *tally, const struct card *card)
{
	tally->card = card;
	return getrandom(&tally->key, sizeof(tally->key), 0) == sizeof(tally->key) ? 0 : -errno;
}

void tally_fini(struct tally *tally)
{
	flows_fini(&tally->outer);
	flows_fini(&tally->inside);
}

static void add(struct load *load, uint64_t bytes, bool is_new)
{
	load->packets++;
	load->bytes += bytes;
	load->flows += is_new;
}

/* The flow that a packet is of by its innermost level, its own count included. */
static struct flow *count_flow(struct tally *tally, struct flows *flows, struct flow *as,
			       const struct leat_pkt *pkt, uint64_t bytes, bool *is_new)
{
	const struct leat_rss *rss = tally->card->rxfh.context[as->choice.rxfh.context];
	enum leat_hash_type type;
	struct flow *flow;

	leat_flow_get(pkt, &as->id);
	flow = flows_get(flows, as, leat_flow_hash(pkt, &tally->key), is_new);
	if (!flow)
		return NULL;
	if (*is_new)
		flow->input_len = (uint8_t)leat_rss_input(rss, pkt, flow->input, &type);
	flow->packets++;
	flow->bytes += bytes;
	return flow;
}

static int count_outer(struct tally *tally, const struct leat_pkt *pkt, uint8_t kind,
		       uint64_t bytes, struct flow **flow)
{
	struct flow as = {.kind = kind};
	struct leat_pkt outer = *pkt;
	bool is_new;

	card_choose(tally->card, pkt, &as.choice);
	if (!tally->card->rxfh.context[as.choice.rxfh.context]->inner)
		leat_parse_outer(&outer);
	*flow = count_flow(tally, &tally->outer, &as, &outer, bytes, &is_new);
	if (!*flow)
		return tally->outer.n == FLOWS_MAX ? -E2BIG : -ENOMEM;
	add(&tally->all, bytes, is_new);
	if (as.choice.rxfh.by == LEAT_RXFH_BY_DROP) {
		add(&tally->drop, bytes, is_new);
		return 0;
	}
	add(&tally->queue[as.choice.rxfh.queue], bytes, is_new);
	add(&tally->cpu[as.choice.cpu], bytes, is_new);
	return 0;
}

/* Of a fragment the ports are told, but as the rest of its datagram has none, it stays on its queue. */
static int count_inside(struct tally *tally, struct leat_pkt *pkt, struct flow *outer,
			uint64_t bytes)
{
	struct flow as = {.kind = outer->kind, .choice = outer->choice};
	bool is_new;

	if (as.kind != HIDDEN_FRAGMENT)
		card_choose_inside(tally->card, &outer->choice, pkt, &as.choice);
	if (!count_flow(tally, &tally->inside, &as, pkt, bytes, &is_new))
		return tally->inside.n == FLOWS_MAX ? -E2BIG : -ENOMEM;
	if (as.kind != HIDDEN_FRAGMENT) {
		outer->seen_packets++;
		outer->seen_bytes += bytes;
	}
	return 0;
}

/* A frame that a snaplen has cut is as long as it was, and its first bytes are there. */
static void parse(struct leat_pkt *pkt, const struct job_frame *frame, uint64_t bytes)
{
	leat_pkt_init(pkt, frame->data, frame->len);
	if (bytes <= LEAT_PKT_LEN_MAX)
		pkt->len = (uint32_t)bytes;
	if (frame->known)
		leat_parse(&hidden_parse, &pkt, 1);
}

int tally_count(struct tally *tally, const struct job_frame *frame)
{
	uint64_t bytes = frame->len;
	struct leat_pkt pkt;
	struct flow *outer;
	enum hidden kind;
	uint32_t inner;
	int err;

	if ((int32_t)frame->mark.missing > 0)
		bytes += frame->mark.missing;
	parse(&pkt, frame, bytes);
	kind = hidden_find(&pkt, &inner);
	err = count_outer(tally, &pkt, (uint8_t)kind, bytes, &outer);
	if (err || inner == 0 || !hidden_enter(&pkt, inner))
		return err;
	return count_inside(tally, &pkt, outer, bytes);
}
