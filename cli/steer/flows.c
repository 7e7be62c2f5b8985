/* SPDX-License-Identifier: MIT */
#include "flows.h"

#include "hidden.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 1024 };

static bool is_same(const struct flow *a, const struct flow *b)
{
	const struct leat_rxfh_choice *x = &a->choice.rxfh, *y = &b->choice.rxfh;

	return a->kind == b->kind && x->queue == y->queue && x->rule == y->rule && x->by == y->by &&
	       memcmp(&a->id, &b->id, sizeof(a->id)) == 0;
}

static void link_flow(struct flows *flows, uint32_t i)
{
	uint32_t *slot = &flows->slot[flows->flow[i].hash & (flows->slots - 1)];

	flows->flow[i].next = *slot;
	*slot = i + 1;
}

/* Twice the room, and a slot for each place. */
static bool grow(struct flows *flows)
{
	uint32_t room = flows->room ? 2 * flows->room : ROOM;
	struct flow *flow = NULL;
	uint32_t *slot;

	if (room > FLOWS_MAX)
		return false;
	slot = calloc(room, sizeof(*slot));
	if (slot)
		flow = realloc(flows->flow, room * sizeof(*flow));
	if (!flow) {
		free(slot);
		return false;
	}
	free(flows->slot);
	*flows = (struct flows){flow, flows->n, room, slot, room};
	for (uint32_t i = 0; i < flows->n; i++)
		link_flow(flows, i);
	return true;
}

struct flow *flows_get(struct flows *flows, const struct flow *as, uint32_t hash, bool *is_new)
{
	uint32_t i = flows->slots ? flows->slot[hash & (flows->slots - 1)] : 0;

	while (i && !is_same(&flows->flow[i - 1], as))
		i = flows->flow[i - 1].next;
	*is_new = i == 0;
	if (i)
		return &flows->flow[i - 1];
	if (flows->n == flows->room && !grow(flows))
		return NULL;
	i = flows->n++;
	flows->flow[i] = *as;
	flows->flow[i].hash = hash;
	link_flow(flows, i);
	return &flows->flow[i];
}

const struct flow *flows_find(const struct flows *flows, const struct leat_flow *id, uint8_t kind,
			      uint32_t hash)
{
	uint32_t i = flows->slots ? flows->slot[hash & (flows->slots - 1)] : 0;

	while (i && (flows->flow[i - 1].kind != kind ||
		     memcmp(&flows->flow[i - 1].id, id, sizeof(*id)) != 0))
		i = flows->flow[i - 1].next;
	return i ? &flows->flow[i - 1] : NULL;
}

void flows_fini(struct flows *flows)
{
	free(flows->flow);
	free(flows->slot);
}

enum leat_rss_flow flows_type(const struct flow *flow)
{
	unsigned type = LEAT_RSS_IP4;

	if (flow->kind != HIDDEN_FRAGMENT) {
		switch (flow->id.protocol) {
		case IPPROTO_TCP: type = LEAT_RSS_TCP4; break;
		case IPPROTO_UDP: type = LEAT_RSS_UDP4; break;
		case IPPROTO_SCTP: type = LEAT_RSS_SCTP4; break;
		}
	}
	return flow->id.version == 6 ? type + LEAT_RSS_TCP6 - LEAT_RSS_TCP4 : type;
}
