/* SPDX-License-Identifier: MIT */
/*
 * xps.h - Transmit Packet Steering: the transmit queue, by the CPU that sends.
 *
 * A struct leat_xps is a value, only read once made. It holds, for each CPU, the queues whose
 * tx-N/xps_cpus name it. Source: Linux netdev_pick_tx(), __netif_set_xps_queue(),
 * skb_tx_hash(). Threads: pick is pure; set is for the thread that builds the value.
 */
#ifndef LEAT_XPS_H
#define LEAT_XPS_H

#include <leat/rps.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	LEAT_XPS_QUEUES_MAX = 256, /* transmit queues of a port */
	LEAT_XPS_NO_QUEUE = -1,
};

/* The queues of one CPU, in the order they were set. */
struct leat_xps_map {
	uint16_t len;
	uint16_t *queues; /* room for n_queues */
};

struct leat_xps {
	unsigned n_cpus;
	unsigned n_queues;	  /* the port's transmit queues, 1 to LEAT_XPS_QUEUES_MAX */
	struct leat_xps_map *map; /* n_cpus of them */
};

/* Bytes of memory leat_xps_init() wants, aligned to 8; 0 for a count out of its range. */
size_t leat_xps_size(unsigned n_cpus, unsigned n_queues);

/* Make an empty value in `mem`. Gives 0, or -EINVAL for a count out of its range. */
int leat_xps_init(struct leat_xps *xps, unsigned n_cpus, unsigned n_queues, void *mem);

/* Make `xps` the same as `from`, another one, in `mem` of leat_xps_size() bytes. */
void leat_xps_copy(struct leat_xps *xps, const struct leat_xps *from, void *mem);

/* Set queue's mask: bit c of cpus[c / 64] says whether CPU c uses it. A CPU gains the queue at
 * the end of its list; one that loses it has the last moved into its place, as in the kernel. A
 * queue the port has not changes nothing. */
void leat_xps_set(struct leat_xps *xps, uint16_t queue, const uint64_t *cpus);

/* The queue the maps give to a packet sent by `cpu`: the only one, or queues[(hash * len) >> 32];
 * LEAT_XPS_NO_QUEUE if the CPU has none. */
int leat_xps_pick(const struct leat_xps *xps, unsigned cpu, uint32_t hash);

/* The queue where no map decides: a forwarded packet's receive queue modulo n_queues when rxq >=
 * 0, else (hash * n_queues) >> 32. */
uint16_t leat_xps_tx_hash(unsigned n_queues, int rxq, uint32_t hash);

#ifdef __cplusplus
}
#endif

#endif
