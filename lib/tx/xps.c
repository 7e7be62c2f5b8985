/* SPDX-License-Identifier: MIT */
/*
 * xps.c - Transmit Packet Steering: lists of transmit queues by CPU and by receive queue.
 *
 * The caller's memory holds the lists' lengths and then their places, of the CPUs and then of the
 * receive queues. A list is of one class and a class has queues of its own, so it has room in as
 * many places as its class has queues, and all lists of one CPU in as many as there are queues.
 */
#include <errno.h>
#include <string.h>

#include <leat/xps.h>

static bool is_sane(unsigned n_cpus, unsigned n_rxqs, unsigned n_queues)
{
	return n_cpus >= 1 && n_cpus <= LEAT_CPUS_MAX && n_rxqs >= 1 &&
	       n_rxqs <= LEAT_XPS_QUEUES_MAX && n_queues >= 1 && n_queues <= LEAT_XPS_QUEUES_MAX;
}

size_t leat_xps_size(unsigned n_cpus, unsigned n_rxqs, unsigned n_queues)
{
	if (!is_sane(n_cpus, n_rxqs, n_queues))
		return 0;
	return (size_t)(n_cpus + n_rxqs) * (LEAT_XPS_TCS_MAX + n_queues) * sizeof(uint16_t);
}

/* Make the map of n_ids in `mem`; gives what is behind it. */
static uint16_t *init_map(struct leat_xps_map *map, unsigned n_ids, unsigned n_queues,
			  uint16_t *mem)
{
	size_t lists = (size_t)n_ids * LEAT_XPS_TCS_MAX;

	*map = (struct leat_xps_map){.n_ids = n_ids, .len = mem, .queues = mem + lists};
	memset(mem, 0, lists * sizeof(*mem));
	return map->queues + (size_t)n_ids * n_queues;
}

int leat_xps_init(struct leat_xps *xps, unsigned n_cpus, unsigned n_rxqs, unsigned n_queues,
		  void *mem)
{
	if (!is_sane(n_cpus, n_rxqs, n_queues))
		return -EINVAL;
	*xps = (struct leat_xps){.n_queues = n_queues};
	mem = init_map(&xps->map[LEAT_XPS_CPUS], n_cpus, n_queues, mem);
	init_map(&xps->map[LEAT_XPS_RXQS], n_rxqs, n_queues, mem);
	return 0;
}

static unsigned count_tcs(const struct leat_xps *xps)
{
	return xps->tcs.num_tc ? xps->tcs.num_tc : 1;
}

static void copy_map(struct leat_xps_map *map, const struct leat_xps_map *from, size_t lists,
		     size_t places)
{
	map->entries = from->entries;
	if (from->entries == 0) /* as it was made */
		return;
	memcpy(map->len, from->len, lists * sizeof(*map->len));
	memcpy(map->queues, from->queues, places * sizeof(*map->queues));
}

void leat_xps_copy(struct leat_xps *xps, const struct leat_xps *from, void *mem)
{
	leat_xps_init(xps, from->map[LEAT_XPS_CPUS].n_ids, from->map[LEAT_XPS_RXQS].n_ids,
		      from->n_queues, mem);
	xps->tcs = from->tcs;
	for (unsigned by = 0; by < LEAT_XPS_MAPS; by++) {
		size_t n = from->map[by].n_ids;

		copy_map(&xps->map[by], &from->map[by], n * count_tcs(from), n * from->n_queues);
	}
}

static bool has_queue(const struct leat_xps_tc *tc, unsigned queue)
{
	return queue >= tc->offset && queue - tc->offset < tc->count;
}

/* Whether class `tc` has queues, that the port has and no class before it. */
static bool is_sane_tc(const struct leat_xps *xps, const struct leat_xps_tc *tc,
		       const struct leat_xps_tc *before, unsigned n_before)
{
	if (tc->count == 0 || tc->offset >= xps->n_queues || tc->count > xps->n_queues - tc->offset)
		return false;
	for (unsigned i = 0; i < n_before; i++) {
		if (has_queue(&before[i], tc->offset) || has_queue(tc, before[i].offset))
			return false;
	}
	return true;
}

int leat_xps_set_tcs(struct leat_xps *xps, const struct leat_xps_tcs *tcs)
{
	if (tcs->num_tc > LEAT_XPS_TCS_MAX)
		return -EINVAL;
	for (unsigned i = 0; i < tcs->num_tc; i++) {
		if (!is_sane_tc(xps, &tcs->queues[i], tcs->queues, i))
			return -EINVAL;
	}
	for (unsigned i = 0; tcs->num_tc && i < LEAT_XPS_PRIOS; i++) {
		if (tcs->map[i] >= tcs->num_tc)
			return -EINVAL;
	}
	xps->tcs = *tcs;
	for (unsigned by = 0; by < LEAT_XPS_MAPS; by++) {
		struct leat_xps_map *map = &xps->map[by];

		init_map(map, map->n_ids, xps->n_queues, map->len);
	}
	return 0;
}

int leat_xps_queue_tc(const struct leat_xps *xps, unsigned queue)
{
	if (xps->tcs.num_tc == 0)
		return 0;
	for (int i = 0; i < xps->tcs.num_tc; i++) {
		if (has_queue(&xps->tcs.queues[i], queue))
			return i;
	}
	return LEAT_XPS_NO_TC;
}

static size_t list_index(const struct leat_xps *xps, unsigned id, unsigned tc)
{
	return (size_t)id * count_tcs(xps) + tc;
}

/* The places of the list of id and class. */
static uint16_t *list_of(const struct leat_xps *xps, enum leat_xps_by by, unsigned id, unsigned tc)
{
	uint16_t *queues = xps->map[by].queues + (size_t)id * xps->n_queues;

	return xps->tcs.num_tc ? queues + xps->tcs.queues[tc].offset : queues;
}

/* The queue's place in the list, or the list's length. */
static unsigned find_queue(const uint16_t *list, unsigned len, unsigned queue)
{
	unsigned i = 0;

	while (i < len && list[i] != queue)
		i++;
	return i;
}

int leat_xps_set(struct leat_xps *xps, enum leat_xps_by by, unsigned queue, const uint64_t *ids)
{
	struct leat_xps_map *map = &xps->map[by];
	int tc = leat_xps_queue_tc(xps, queue);

	if (queue >= xps->n_queues || tc < 0)
		return -EINVAL;
	for (unsigned id = 0; id < map->n_ids; id++) {
		uint16_t *list = list_of(xps, by, id, (unsigned)tc);
		uint16_t *len = &map->len[list_index(xps, id, (unsigned)tc)];
		bool wanted = ids[id / 64] >> id % 64 & 1;
		unsigned i = find_queue(list, *len, queue);

		if (wanted && i == *len) {
			list[(*len)++] = (uint16_t)queue;
			map->entries++;
		} else if (!wanted && i < *len) {
			list[i] = list[--*len];
			map->entries--;
		}
	}
	return 0;
}

bool leat_xps_uses(const struct leat_xps *xps, enum leat_xps_by by, unsigned queue, unsigned id)
{
	int tc = leat_xps_queue_tc(xps, queue);
	unsigned len;

	if (tc < 0 || id >= xps->map[by].n_ids)
		return false;
	len = xps->map[by].len[list_index(xps, id, (unsigned)tc)];
	return find_queue(list_of(xps, by, id, (unsigned)tc), len, queue) < len;
}

int leat_xps_lookup(const struct leat_xps *xps, enum leat_xps_by by, unsigned id, unsigned tc,
		    uint32_t hash)
{
	const struct leat_xps_map *map = &xps->map[by];
	unsigned len;

	if (map->entries == 0 || id >= map->n_ids || tc >= count_tcs(xps))
		return LEAT_XPS_NO_QUEUE;
	len = map->len[list_index(xps, id, tc)];
	if (len == 0)
		return LEAT_XPS_NO_QUEUE;
	return list_of(xps, by, id, tc)[leat_reciprocal_scale(hash, len)];
}

/* A queue's number taken for one of `tc`. Most ports have as many transmit queues as receive
 * queues: no division for those. */
static uint16_t wrap(const struct leat_xps_tc *tc, unsigned rxq)
{
	unsigned q = rxq >= tc->offset ? rxq - tc->offset : rxq;

	return (uint16_t)(tc->offset + (q < tc->count ? q : q % tc->count));
}

uint16_t leat_xps_tx_hash(const struct leat_xps *xps, unsigned tc, int rxq, uint32_t hash)
{
	struct leat_xps_tc all = {.count = (uint16_t)xps->n_queues};
	const struct leat_xps_tc *of = tc < xps->tcs.num_tc ? &xps->tcs.queues[tc] : &all;

	if (rxq >= 0)
		return wrap(of, (unsigned)rxq);
	return (uint16_t)(of->offset + leat_reciprocal_scale(hash, of->count));
}

uint16_t leat_xps_pick(const struct leat_xps *xps, const struct leat_xps_sender *s)
{
	unsigned tc = leat_xps_tc(xps, s->priority);
	int queue = LEAT_XPS_NO_QUEUE;

	if (xps->n_queues == 1)
		return 0;
	if (s->flow_txq >= 0 && !s->ooo_okay && (unsigned)s->flow_txq < xps->n_queues)
		return (uint16_t)s->flow_txq;
	if (s->flow_rxq >= 0)
		queue = leat_xps_lookup(xps, LEAT_XPS_RXQS, (unsigned)s->flow_rxq, tc, s->hash);
	if (queue < 0)
		queue = leat_xps_lookup(xps, LEAT_XPS_CPUS, s->cpu, tc, s->hash);
	return queue >= 0 ? (uint16_t)queue : leat_xps_tx_hash(xps, tc, s->rxq, s->hash);
}
