/* SPDX-License-Identifier: MIT */
/*
 * flow_limit.h - the flow limit: under load, drop first of the flow that has more than its share.
 *
 * A backlog that fills is one flow's doing more often than not, and drops then hit all flows. Who
 * enqueues remembers of which flow his last LEAT_FLOW_LIMIT_HISTORY packets to backlogs at least
 * half full were; a flow that has more than half of these is refused until it has less, while the
 * others find room. Flows are told apart by a hash into a table of counters; those that meet in one
 * are one flow.
 *
 * Memory: the table is the caller's. Threads: a flow limit belongs to one thread, which enqueues;
 * the kernel has one per CPU. Source: Linux skb_flow_limit(), scaling.rst "RPS Flow Limit".
 */
#ifndef LEAT_FLOW_LIMIT_H
#define LEAT_FLOW_LIMIT_H

#include <leat/flow.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	LEAT_FLOW_LIMIT_HISTORY = 128,
	LEAT_FLOW_LIMIT_SHARE = LEAT_FLOW_LIMIT_HISTORY / 2, /* of it, that a flow may have */
	LEAT_FLOW_LIMIT_LEN = 4096,			     /* counters, unless said otherwise */
	LEAT_FLOW_LIMIT_LEN_MAX = 1 << 30,
};

struct leat_flow_limit {
	unsigned bits;				   /* log2 of the table's length */
	unsigned head;				   /* of the history: its oldest entry */
	uint32_t history[LEAT_FLOW_LIMIT_HISTORY]; /* counters of the last packets */
	uint8_t *buckets;			   /* how often each is in the history */
};

/* Make `fl` with a table of `table_len` counters in `mem`, table_len bytes, and no history. Gives
 * 0; or -EINVAL for a length that is no power of two, or above LEAT_FLOW_LIMIT_LEN_MAX. */
int leat_flow_limit_init(struct leat_flow_limit *fl, uint32_t table_len, void *mem);

/* Whether to drop a packet of `hash` instead of enqueueing it to a backlog that has `qlen` packets
 * and drops at max_backlog. Remembers the packet, also if it is to be dropped; not while the
 * backlog is less than half full. */
bool leat_flow_limit_drop(struct leat_flow_limit *fl, uint32_t hash, uint32_t qlen,
			  uint32_t max_backlog);

#ifdef __cplusplus
}
#endif

#endif
