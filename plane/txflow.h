/* SPDX-License-Identifier: MIT */
/*
 * txflow.h - the transmit queue of a flow: XPS picks one, and the flow keeps it while it is active.
 *
 * Queues of a port are not in order among themselves, and a TAP moves a flow to the queue on which
 * frames of its other direction were written. So a flow changes its transmit queue only after it
 * has been idle for so long that nothing of it can be on its way, whatever XPS would say meanwhile.
 *
 * Flows that share a slot share its queue. Packets without a hash are a flow of
 * their receive queue, whose CPU they stay on. Packets of one flow in two traffic classes are two flows: classes are what may overtake. Of a packet that is
 * not forwarded, rxq is the queue that its flow is received on, or TXFLOW_NO_RXQ.
 *
 * Threads: any; entries are relaxed atomics, and of two workers that choose for one slot at once
 * the second takes what the first chose.
 */
#ifndef PLANE_TXFLOW_H
#define PLANE_TXFLOW_H

#include <leat/pkt.h>
#include <leat/xps.h>

enum {
	TXFLOW_BITS = 12, /* log2 of the flows whose queue is remembered */
	TXFLOW_TICK = 23, /* log2 of the ns in a tick: 8 ms */
	TXFLOW_NO_RXQ = UINT16_MAX,
	TXFLOW_IDLE = 125, /* ticks without a packet after which a flow may change queue: 1 s */
};

/* All zero at first. */
struct txflow {
	uint32_t slot[1u << TXFLOW_BITS]; /* tick when last used << 16 | 1 + queue; 0: never */
};

/* The queues for `n` packets, each below xps->n_queues, that `cpu` transmits at `now`, ns. */
void txflow_pick(struct txflow *table, const struct leat_xps *xps, unsigned cpu, uint64_t now,
		 struct leat_pkt *const *pkts, unsigned n, unsigned *txq);

#endif
