/* SPDX-License-Identifier: MIT */
/*
 * xps.c - Transmit Packet Steering: each CPU's list of transmit queues.
 *
 * The caller's memory holds the n_cpus maps, then n_queues places for each CPU: a CPU cannot
 * name a queue twice, so its list never outgrows them.
 */
#include <errno.h>
#include <string.h>

#include <leat/xps.h>

static bool is_sane(unsigned n_cpus, unsigned n_queues)
{
	return n_cpus >= 1 && n_cpus <= LEAT_CPUS_MAX && n_queues >= 1 &&
	       n_queues <= LEAT_XPS_QUEUES_MAX;
}

size_t leat_xps_size(unsigned n_cpus, unsigned n_queues)
{
	size_t queues = (size_t)n_cpus * n_queues * sizeof(uint16_t);

	if (!is_sane(n_cpus, n_queues))
		return 0;
	return n_cpus * sizeof(struct leat_xps_map) + ((queues + 7) & ~(size_t)7);
}

int leat_xps_init(struct leat_xps *xps, unsigned n_cpus, unsigned n_queues, void *mem)
{
	struct leat_xps_map *map = mem;
	uint16_t *queues;

	if (!is_sane(n_cpus, n_queues))
		return -EINVAL;
	queues = (uint16_t *)(map + n_cpus);
	for (unsigned cpu = 0; cpu < n_cpus; cpu++)
		map[cpu] = (struct leat_xps_map){.queues = queues + (size_t)cpu * n_queues};
	*xps = (struct leat_xps){.n_cpus = n_cpus, .n_queues = n_queues, .map = map};
	return 0;
}

void leat_xps_copy(struct leat_xps *xps, const struct leat_xps *from, void *mem)
{
	leat_xps_init(xps, from->n_cpus, from->n_queues, mem);
	for (unsigned cpu = 0; cpu < from->n_cpus; cpu++) {
		const struct leat_xps_map *map = &from->map[cpu];

		xps->map[cpu].len = map->len;
		memcpy(xps->map[cpu].queues, map->queues, map->len * sizeof(uint16_t));
	}
}

/* The queue's place in the list, or the list's length. */
static unsigned find_queue(const struct leat_xps_map *map, uint16_t queue)
{
	unsigned i = 0;

	while (i < map->len && map->queues[i] != queue)
		i++;
	return i;
}

void leat_xps_set(struct leat_xps *xps, uint16_t queue, const uint64_t *cpus)
{
	if (queue >= xps->n_queues)
		return;
	for (unsigned cpu = 0; cpu < xps->n_cpus; cpu++) {
		struct leat_xps_map *map = &xps->map[cpu];
		bool wanted = cpus[cpu / 64] >> cpu % 64 & 1;
		unsigned i = find_queue(map, queue);

		if (wanted && i == map->len)
			map->queues[map->len++] = queue;
		else if (!wanted && i < map->len)
			map->queues[i] = map->queues[--map->len];
	}
}

int leat_xps_pick(const struct leat_xps *xps, unsigned cpu, uint32_t hash)
{
	const struct leat_xps_map *map;

	if (cpu >= xps->n_cpus)
		return LEAT_XPS_NO_QUEUE;
	map = &xps->map[cpu];
	if (map->len == 0)
		return LEAT_XPS_NO_QUEUE;
	return map->queues[leat_reciprocal_scale(hash, map->len)];
}

uint16_t leat_xps_tx_hash(unsigned n_queues, int rxq, uint32_t hash)
{
	if (rxq < 0)
		return (uint16_t)leat_reciprocal_scale(hash, n_queues);
	/* Most ports have as many transmit queues as receive queues: no division for those. */
	if ((unsigned)rxq < n_queues)
		return (uint16_t)rxq;
	return (uint16_t)((unsigned)rxq % n_queues);
}
