/* SPDX-License-Identifier: MIT */
/*
 * flow_limit.c - counters of the flows of the last packets.
 *
 * The history begins with LEAT_FLOW_LIMIT_HISTORY packets of counter 0 that never were. They leave
 * it as others come, and take nothing from a counter that is 0 already.
 */
#include <errno.h>
#include <string.h>

#include <leat/flow_limit.h>

int leat_flow_limit_init(struct leat_flow_limit *fl, uint32_t table_len, void *mem)
{
	if (table_len == 0 || table_len & (table_len - 1) || table_len > LEAT_FLOW_LIMIT_LEN_MAX)
		return -EINVAL;
	*fl = (struct leat_flow_limit){.buckets = mem};
	while (1u << fl->bits < table_len)
		fl->bits++;
	memset(mem, 0, table_len);
	return 0;
}

bool leat_flow_limit_drop(struct leat_flow_limit *fl, uint32_t hash, uint32_t qlen,
			  uint32_t max_backlog)
{
	uint32_t now, old;

	if (qlen < max_backlog / 2)
		return false;
	now = fl->bits ? leat_hash_32(hash, fl->bits) : 0;
	old = fl->history[fl->head];
	fl->history[fl->head] = now;
	fl->head = (fl->head + 1) % LEAT_FLOW_LIMIT_HISTORY;
	if (fl->buckets[old])
		fl->buckets[old]--;
	return ++fl->buckets[now] > LEAT_FLOW_LIMIT_SHARE;
}
