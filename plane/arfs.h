/* SPDX-License-Identifier: MIT */
/*
 * arfs.h - accelerated RFS: the port is asked to bring a flow to the queue near its application.
 *
 * A filter belongs to the queue that its flow comes on: it is in that queue's list, its id is in
 * the flow's entry of that queue's table, and only that queue's worker asks whether it may expire,
 * has the port forget it, or moves the flow on. While a flow is on its way its filter is in no list.
 *
 * A port's filters are of hashes that its table alone would bring to their `origin`: when a filter
 * is forgotten its flow moves back there, like any other move.
 */
#ifndef PLANE_ARFS_H
#define PLANE_ARFS_H

#include <leat/arfs.h>

struct conf;
struct rxq;
struct worker;

enum { ARFS_FILTERS = 8192 }; /* arfs_filters, unless set */

struct arfs_filter {
	uint32_t hash;
	uint16_t origin;     /* the queue that the flow comes on without */
	uint16_t prev, next; /* in its queue's ring */
	bool live;	     /* atomic: the port has it */
};

/* A port's, by the port's filter ids. */
struct arfs {
	uint32_t used; /* atomic: filters that the port has, or is being asked for */
	struct arfs_filter filter[LEAT_ARFS_NO_FILTER];
};

/* A queue's; one writer at a time. */
struct arfs_stats {
	uint64_t added;	  /* filters made: flows brought to another queue than their own */
	uint64_t moved;	  /* filters changed: brought to a third */
	uint64_t expired; /* filters forgotten: brought back to their own */
	uint64_t failed;  /* flows that changed CPU and could not be steered: no room, or refused */
};

/* A packet of q's goes to another CPU, flow->cpu: have its flow come on a queue nearer to that one
 * from now on, if RFS sent it there and the port can. `moved`: it is the first to go there. */
void arfs_consider(struct worker *w, const struct conf *conf, struct rxq *q,
		   const struct leat_pkt *pkt, struct leat_rps_dev_flow *flow, bool moved);

/* A flow has come to q with filter `id`, or LEAT_ARFS_NO_FILTER. */
void arfs_adopt(struct rxq *q, uint16_t id);

/* Once in a while: ask of a filter of q's whether it may expire. */
void arfs_turn(struct worker *w, const struct conf *conf, struct rxq *q);

/* Whether a port's filters are all to be forgotten, and are not yet. */
bool arfs_busy(const struct rxq *q);

#endif
