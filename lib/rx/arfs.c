/* SPDX-License-Identifier: MIT */
/*
 * arfs.c - which queue is near a CPU, whether a flow is to be steered there, and for how long.
 *
 * Entries of a flow table are read here with relaxed loads: the target's belongs to another thread,
 * and what is decided on is a hint. Its owner stores them so, too (rfs.c).
 */
#include <leat/arfs.h>

/* Of a filter whose flow's CPU has gone on by so many times the table's size, the flow is gone. */
enum { EXPIRE = 10 };

/* The lowest of the queues that are nearest to `cpu`. */
static struct leat_cpu_rmap_entry nearest(unsigned cpu, const uint16_t *cpu_of, unsigned n_queues,
					  leat_arfs_distance_fn *distance, const void *arg)
{
	struct leat_cpu_rmap_entry best = {(uint16_t)(cpu % n_queues), LEAT_ARFS_FAR};

	for (unsigned q = 0; q < n_queues; q++) {
		uint16_t d = cpu == cpu_of[q] ? LEAT_ARFS_SAME : distance(arg, cpu, cpu_of[q]);

		if (d < best.distance)
			best = (struct leat_cpu_rmap_entry){(uint16_t)q, d};
	}
	return best;
}

void leat_cpu_rmap_init(struct leat_cpu_rmap *rmap, unsigned n_cpus,
			struct leat_cpu_rmap_entry *mem, const uint16_t *cpu_of, unsigned n_queues,
			leat_arfs_distance_fn *distance, const void *arg)
{
	rmap->n_cpus = n_queues ? n_cpus : 0;
	rmap->cpu = mem;
	for (unsigned cpu = 0; cpu < rmap->n_cpus; cpu++)
		mem[cpu] = nearest(cpu, cpu_of, n_queues, distance, arg);
}

uint16_t leat_cpu_rmap_queue(const struct leat_cpu_rmap *rmap, unsigned cpu)
{
	return cpu < rmap->n_cpus ? rmap->cpu[cpu].queue : LEAT_ARFS_NO_QUEUE;
}

/* A copy of an entry that another thread may be writing. */
static struct leat_rps_dev_flow peek(const struct leat_rps_dev_flow *flow)
{
	return (struct leat_rps_dev_flow){
		.cpu = __atomic_load_n(&flow->cpu, __ATOMIC_RELAXED),
		.filter = __atomic_load_n(&flow->filter, __ATOMIC_RELAXED),
		.last_qtail = __atomic_load_n(&flow->last_qtail, __ATOMIC_RELAXED),
	};
}

/* Whether few enough packets have passed through the flow's CPU since its last, or it still has
 * some to process. By signed difference, as counters wrap. */
static bool is_active(const struct leat_rps_dev_flow *flow, uint32_t bits,
		      const struct leat_rps_heads *heads)
{
	uint32_t head;

	if (flow->cpu >= heads->n || !heads->head[flow->cpu])
		return false;
	head = __atomic_load_n(heads->head[flow->cpu], __ATOMIC_RELAXED);
	return (int32_t)(head - flow->last_qtail) < (int64_t)EXPIRE << bits;
}

enum leat_arfs_reason leat_arfs_decide(const struct leat_arfs_ask *ask,
				       const struct leat_rps_heads *heads)
{
	struct leat_rps_dev_flow there;

	if (ask->to == LEAT_ARFS_NO_QUEUE)
		return LEAT_ARFS_UNMAPPED;
	if (ask->to == ask->from)
		return LEAT_ARFS_SAME_QUEUE;
	if (!ask->table)
		return LEAT_ARFS_NO_TABLE;
	there = peek(leat_rfs_flow(ask->table, ask->hash));
	if (there.filter == LEAT_ARFS_NO_FILTER || !is_active(&there, ask->table->bits, heads))
		return LEAT_ARFS_STEER;
	if (there.filter != ask->filter)
		return LEAT_ARFS_TAKEN;
	return there.cpu == ask->cpu ? LEAT_ARFS_STEERED : LEAT_ARFS_STEER;
}

const char *leat_arfs_reason_name(enum leat_arfs_reason reason)
{
	static const char *const name[LEAT_ARFS_REASONS] = {
		[LEAT_ARFS_STEER] = "steer",	       [LEAT_ARFS_UNMAPPED] = "unmapped",
		[LEAT_ARFS_SAME_QUEUE] = "same queue", [LEAT_ARFS_NO_TABLE] = "no table",
		[LEAT_ARFS_TAKEN] = "taken",	       [LEAT_ARFS_STEERED] = "steered",
	};

	return (unsigned)reason < LEAT_ARFS_REASONS ? name[reason] : NULL;
}

bool leat_arfs_may_expire(const struct leat_rps_dev_flow_table *t, uint32_t flow_id,
			  uint16_t filter, const struct leat_rps_heads *heads)
{
	struct leat_rps_dev_flow flow;

	if (flow_id >> t->bits)
		return true;
	flow = peek(&t->flows[flow_id]);
	return flow.filter != filter || !is_active(&flow, t->bits, heads);
}
