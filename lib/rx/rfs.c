/* SPDX-License-Identifier: MIT */
/*
 * rfs.c - the two tables of Receive Flow Steering.
 *
 * An entry of the sock table is one word, the recorded flow's hash with the CPU in its low bits,
 * so that it can be read and written by any thread without tearing, and a flow that shares the
 * slot sees that the entry is not its own. The word EMPTY stands for no record, whatever the hash.
 */
#include <leat/rfs.h>

enum {
	EMPTY = 0xffff,
	NO_FILTER = 0xffff,
};

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
		ents[i] = EMPTY;
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

uint16_t leat_rfs_desired(const struct leat_rps_sock_flow_table *t, uint32_t hash)
{
	uint32_t ident;

	if (hash == 0 || t->size == 0)
		return LEAT_RPS_NO_CPU;
	ident = __atomic_load_n(&t->ents[hash & (t->size - 1)], __ATOMIC_RELAXED);
	if (((ident ^ hash) & ~t->cpu_mask) != 0 || ident == EMPTY)
		return LEAT_RPS_NO_CPU;
	return (uint16_t)(ident & t->cpu_mask);
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

bool leat_rfs_finished(const struct leat_rps_dev_flow *flow, const struct leat_rps_heads *heads)
{
	if (!is_online(flow->cpu, heads))
		return true;
	return read_head(flow->cpu, heads) - flow->last_qtail <= INT32_MAX;
}

/* What it gives is online, or none: a flow whose CPU went away and that has nowhere else to go
 * is on no CPU until it has. */
uint16_t leat_rfs_switch(struct leat_rps_dev_flow *flow, uint16_t desired,
			 const struct leat_rps_heads *heads)
{
	bool online = is_online(desired, heads);

	if (flow->cpu == desired && online)
		return desired;
	if (!leat_rfs_finished(flow, heads))
		return flow->cpu;
	/* Relaxed: who serves another queue may look at the entry (arfs.c). */
	__atomic_store_n(&flow->cpu, online ? desired : LEAT_RPS_NO_CPU, __ATOMIC_RELAXED);
	if (online)
		__atomic_store_n(&flow->last_qtail, read_head(desired, heads), __ATOMIC_RELAXED);
	return flow->cpu;
}
