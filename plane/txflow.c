/* SPDX-License-Identifier: MIT */
#include "txflow.h"

#include <leat/flow.h>
#include <stdbool.h>

/* The queue for a packet of a flow that has none. A forwarded flow is received where its packet
 * was. */
static unsigned choose(const struct leat_xps *xps, unsigned cpu, unsigned priority,
		       const struct leat_pkt *pkt)
{
	int rxq = pkt->rxq == TXFLOW_NO_RXQ ? -1 : pkt->rxq;
	const struct leat_xps_sender sender = {
		.cpu = cpu,
		.hash = pkt->hash,
		.priority = priority,
		.rxq = rxq,
		.flow_rxq = rxq,
		.flow_txq = LEAT_XPS_NO_QUEUE,
	};

	return leat_xps_pick(xps, &sender);
}

/* Whether a flow keeps the queue it had. The last to use it may have been a worker whose turn
 * began a tick later than this one's, so the time since then may be negative. */
static bool keeps(uint32_t slot, uint32_t tick, unsigned n_queues)
{
	uint32_t age = tick - (slot >> 16) + TXFLOW_IDLE;

	return slot && (slot & UINT16_MAX) <= n_queues && (age & UINT16_MAX) <= 2 * TXFLOW_IDLE;
}

static unsigned pick(struct txflow *table, const struct leat_xps *xps, unsigned cpu, uint32_t tick,
		     const struct leat_pkt *pkt)
{
	unsigned priority = xps->tcs.num_tc ? leat_xps_priority(pkt) : 0;
	uint32_t hash = pkt->hash ? pkt->hash : pkt->rxq;
	uint32_t flow = hash + leat_xps_tc(xps, priority);
	uint32_t *slot = &table->slot[leat_hash_32(flow, TXFLOW_BITS)];
	uint32_t last = __atomic_load_n(slot, __ATOMIC_RELAXED), next;

	do {
		next = keeps(last, tick, xps->n_queues) ? last & UINT16_MAX :
							  1 + choose(xps, cpu, priority, pkt);
		next |= tick << 16;
	} while (last != next && !__atomic_compare_exchange_n(slot, &last, next, false,
							      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return (next & UINT16_MAX) - 1;
}

void txflow_pick(struct txflow *table, const struct leat_xps *xps, unsigned cpu, uint64_t now,
		 struct leat_pkt *const *pkts, unsigned n, unsigned *txq)
{
	uint32_t tick = (uint32_t)(now >> TXFLOW_TICK) & UINT16_MAX;

	for (unsigned i = 0; i < n; i++)
		txq[i] = pick(table, xps, cpu, tick, pkts[i]);
}
