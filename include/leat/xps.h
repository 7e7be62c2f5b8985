/* SPDX-License-Identifier: MIT */
/*
 * xps.h - Transmit Packet Steering: the transmit queue, by the CPU that sends, by the receive queue
 * that the flow arrives on, and by traffic class.
 *
 * A struct leat_xps is a value, only read once made. It holds for each CPU the queues whose
 * tx-N/xps_cpus name it, for each receive queue those whose tx-N/xps_rxqs name it, and the traffic
 * classes: each is a run of queues, and a packet's priority says which class it is of. Every list
 * is of one class. Source: Linux netdev_pick_tx(), __netif_set_xps_queue(), skb_tx_hash(),
 * tc-mqprio(8). Threads: what takes a const value is pure; the rest is for the thread that builds
 * the value.
 */
#ifndef LEAT_XPS_H
#define LEAT_XPS_H

#include <leat/rps.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	LEAT_XPS_QUEUES_MAX = 256, /* transmit queues of a port, and receive queues */
	LEAT_XPS_TCS_MAX = 16,	   /* traffic classes */
	LEAT_XPS_PRIOS = 16,	   /* priorities that have a class of their own */
	LEAT_XPS_NO_QUEUE = -1,
	LEAT_XPS_NO_TC = -1,
};

/* What a list is found by. */
enum leat_xps_by {
	LEAT_XPS_CPUS,
	LEAT_XPS_RXQS,
	LEAT_XPS_MAPS,
};

/* The queues of a traffic class: offset to offset + count - 1. */
struct leat_xps_tc {
	uint16_t count;
	uint16_t offset;
};

/* The traffic classes, in mqprio's words. */
struct leat_xps_tcs {
	uint8_t num_tc;		     /* 0: there are none, and the rest says nothing */
	uint8_t map[LEAT_XPS_PRIOS]; /* the class of each priority */
	struct leat_xps_tc queues[LEAT_XPS_TCS_MAX];
};

/* Lists of queues, each in the order in which they were set. */
struct leat_xps_map {
	unsigned n_ids;	  /* CPUs, or receive queues */
	unsigned entries; /* in all lists; 0: there is nothing to look up */
	uint16_t *len;	  /* of the list of id and class, at id * (num_tc or 1) + class */
	uint16_t *queues; /* the lists of an id at id * n_queues, each at its class's offset */
};

struct leat_xps {
	unsigned n_queues; /* the port's transmit queues, 1 to LEAT_XPS_QUEUES_MAX */
	struct leat_xps_tcs tcs;
	struct leat_xps_map map[LEAT_XPS_MAPS];
};

/* Bytes of memory leat_xps_init() wants, aligned to 2; 0 for a count out of its range: CPUs 1 to
 * LEAT_CPUS_MAX, both kinds of queues 1 to LEAT_XPS_QUEUES_MAX. */
size_t leat_xps_size(unsigned n_cpus, unsigned n_rxqs, unsigned n_queues);

/* Make a value without lists and classes in `mem`. Gives 0, or -EINVAL for a count out of its
 * range. */
int leat_xps_init(struct leat_xps *xps, unsigned n_cpus, unsigned n_rxqs, unsigned n_queues,
		  void *mem);

/* Make `xps` the same as `from`, another one, in `mem` of leat_xps_size() bytes. */
void leat_xps_copy(struct leat_xps *xps, const struct leat_xps *from, void *mem);

/* Set the classes; all lists become empty, as in the kernel. Gives 0, or -EINVAL with nothing
 * changed for more than LEAT_XPS_TCS_MAX classes, a priority whose class there is not, and a class
 * without queues, with queues that the port has not, or with another's. */
int leat_xps_set_tcs(struct leat_xps *xps, const struct leat_xps_tcs *tcs);

/* The class that a queue is of: 0 without classes, LEAT_XPS_NO_TC for a queue of none. */
int leat_xps_queue_tc(const struct leat_xps *xps, unsigned queue);

/* Set queue's mask: bit i of ids[i / 64] says whether CPU or receive queue i uses it. One gains the
 * queue at the end of its list of the queue's class; one that loses it has the last moved into its
 * place, as in the kernel. Gives 0, or -EINVAL with nothing changed for a queue that the port has
 * not, or that is of no class. */
int leat_xps_set(struct leat_xps *xps, enum leat_xps_by by, unsigned queue, const uint64_t *ids);

/* Whether CPU or receive queue `id` uses the queue. */
bool leat_xps_uses(const struct leat_xps *xps, enum leat_xps_by by, unsigned queue, unsigned id);

/* The queue that the list of `id` and class `tc` gives: the only one, or queues[(hash * len) >>
 * 32]; LEAT_XPS_NO_QUEUE if it is empty, or there is none. */
int leat_xps_lookup(const struct leat_xps *xps, enum leat_xps_by by, unsigned id, unsigned tc,
		    uint32_t hash);

/* The queue where no list decides: the receive queue's number, wrapped to the class's queues, of a
 * packet that was received, rxq >= 0; else the hash scaled to them. tc: as of leat_xps_tc(). */
uint16_t leat_xps_tx_hash(const struct leat_xps *xps, unsigned tc, int rxq, uint32_t hash);

/* The class of a priority; 0 without classes. */
static inline unsigned leat_xps_tc(const struct leat_xps *xps, unsigned priority)
{
	return xps->tcs.num_tc ? xps->tcs.map[priority % LEAT_XPS_PRIOS] : 0;
}

/* What is known of a packet to be sent. */
struct leat_xps_sender {
	unsigned cpu;
	uint32_t hash;
	unsigned priority; /* as leat_xps_priority() gives, or the application's */
	int rxq;	   /* the queue that the packet itself was received on, -1: it was not */
	int flow_rxq;	   /* the queue that its flow is received on, -1: unknown */
	int flow_txq;	   /* the queue that its flow used last, -1: none */
	bool ooo_okay;	   /* nothing of the flow is in flight: it may change queue */
};

/* The transmit queue: the port's only one; the one that the flow used last unless ooo_okay; the one
 * that the flow's receive queue has, or else the CPU; or leat_xps_tx_hash()'s. */
uint16_t leat_xps_pick(const struct leat_xps *xps, const struct leat_xps_sender *sender);

/* The priority, 0 to 7, of a packet that is forwarded: that of its outermost VLAN tag (PCP) unless
 * it is 0; else what Linux makes of an IPv4 packet's TOS when it forwards it (rt_tos2priority),
 * and here of IPv6's traffic class too, of the outer header; else 0. */
unsigned leat_xps_priority(const struct leat_pkt *pkt);

#ifdef __cplusplus
}
#endif

#endif
