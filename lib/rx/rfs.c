/* SPDX-License-Identifier: MIT */
/*
 * rfs.c - the two tables of Receive Flow Steering.
 *
 * An entry of the sock table is one word, the recorded flow's hash with the CPU in its low bits,
 * so that it can be read and written by any thread without tearing, and a flow that shares the
 * slot sees that the entry is not its own. The word LEAT_RFS_EMPTY stands for no record, whatever
 * the hash.
 */
#include <leat/rfs.h>

enum { NO_FILTER = 0xffff };

/* The smallest power of two not below n; n is at most 1 << 31. */
static uint32_t round_up(uint32_t n)
{
	uint32_t size = 1;

	while (size < n)
		size <<= 1;
	return size;
}

uint32_t leat_rfs_round(uint32_t entries)
{
	if (entries == 0 || entries > LEAT_RFS_ENTRIES_MAX)
		return 0;
	return round_up(entries);
}

void leat_rfs_sock_init(struct leat_rps_sock_flow_table *t, uint32_t *ents, uint32_t size,
			unsigned n_cpus)
{
	t->size = size;
	t->cpu_mask = round_up(n_cpus) - 1;
	t->ents = ents;
	for (uint32_t i = 0; i < size; i++)
		ents[i] = LEAT_RFS_EMPTY;
}

void leat_rfs_dev_init(struct leat_rps_dev_flow_table *t, struct leat_rps_dev_flow *flows,
		       unsigned bits)
{
	t->bits = bits;
	t->flows = flows;
	for (uint32_t i = 0; i < 1u << bits; i++)
		flows[i] = (struct leat_rps_dev_flow){.cpu = LEAT_RPS_NO_CPU, .filter = NO_FILTER};
}

void leat_rfs_record(const struct leat_rps_sock_flow_table *t, uint32_t hash, uint16_t cpu)
{
	uint32_t *ent, ident;

	if (hash == 0 || t->size == 0 || cpu > t->cpu_mask)
		return;
	ent = &t->ents[hash & (t->size - 1)];
	ident = (hash & ~t->cpu_mask) | cpu;
	/* Relaxed: a hint. Reading first keeps the line shared while nothing changes. */
	if (__atomic_load_n(ent, __ATOMIC_RELAXED) != ident)
		__atomic_store_n(ent, ident, __ATOMIC_RELAXED);
}

static bool is_online(uint16_t cpu, const struct leat_rps_heads *heads)
{
	return cpu < heads->n && heads->head[cpu] != NULL;
}

/* Acquire: pairs with the worker's release of its head after processing, so what it did for the
 * flow has happened before anything the flow's next CPU does. */
static uint32_t read_head(uint16_t cpu, const struct leat_rps_heads *heads)
{
	return __atomic_load_n(heads->head[cpu], __ATOMIC_ACQUIRE);
}

static inline bool has_finished(const struct leat_rps_dev_flow *flow,
				const struct leat_rps_heads *heads)
{
	if (!is_online(flow->cpu, heads))
		return true;
	return read_head(flow->cpu, heads) - flow->last_qtail <= INT32_MAX;
}

bool leat_rfs_finished(const struct leat_rps_dev_flow *flow, const struct leat_rps_heads *heads)
{
	return has_finished(flow, heads);
}

/* Nowhere to go: a flow whose CPU went away, or has finished, is on no CPU until there is one. */
static uint16_t strand(struct leat_rps_dev_flow *flow, const struct leat_rps_heads *heads)
{
	if (has_finished(flow, heads))
		__atomic_store_n(&flow->cpu, LEAT_RPS_NO_CPU, __ATOMIC_RELAXED);
	return flow->cpu;
}

/* Whether flows that share an entry agree is a toss, which a branch would lose: both are stored,
 * changed or not. Relaxed: who serves another queue may look at the entry (arfs.c). */
uint16_t leat_rfs_switch(struct leat_rps_dev_flow *flow, uint16_t desired,
			 const struct leat_rps_heads *heads)
{
	uint16_t cpu = flow->cpu;
	uint32_t tail, mask;

	if (!is_online(desired, heads))
		return strand(flow, heads);
	if (!has_finished(flow, heads))
		return cpu;
	mask = 0u - (cpu != desired);
	tail = flow->last_qtail;
	tail ^= (tail ^ read_head(desired, heads)) & mask;
	__atomic_store_n(&flow->cpu, desired, __ATOMIC_RELAXED);
	__atomic_store_n(&flow->last_qtail, tail, __ATOMIC_RELAXED);
	return desired;
}
