/* SPDX-License-Identifier: MIT */
/*
 * move.h - flows that change their receive queue, without overtaking themselves.
 *
 * Frames of a flow that now come on queue B wait ("are parked") on B until those that came on
 * queue A before have been processed. That is so when A has *drained*: a read of A that began
 * when no frame was on its way to it any more left it empty, or as many frames were read as the
 * device holds for a queue; A's GRO was flushed and its stages enqueued; and then the heads of the
 * backlogs that A had put the flow on have passed A's tails. Other flows of B go on, and so does A.
 *
 * Two causes. A single flow, by its hash, moved by the worker that serves A (arfs.c): a struct
 * move, which belongs to A's worker until it has drained, then to B's. A's worker drains when B's has
 * seen a frame of the flow, because a sender that has put one on B is done with those for A; if none
 * comes, after MOVE_WAIT. Or a new value of what chooses the port's queues, by the configuring thread
 * (steering.c): then every queue drains, and a frame waits whose queue by the old value was another.
 *
 * The names of the steps, move_claim to value_clear, are those of the model in tests/spin.
 * doc/decisions/order.md has the protocol.
 */
#ifndef PLANE_MOVE_H
#define PLANE_MOVE_H

#include "conf.h"

struct rxq;
struct worker;

enum {
	MOVE_BITS = 10,	    /* log2 of a port's slots for flows on their way */
	MOVE_PARKED = 8192, /* packets that may wait on a queue */
	/* ns in which a sender has put a frame on the queue that it chose */
	MOVE_WAIT = 10000000,
};

/* A flow on its way, in the slot that its hash names: so a hash has one move at a time. */
struct move {
	uint64_t key;	 /* atomic: hash and target queue; 0: the slot is free */
	bool seen;	 /* atomic, the new queue's: a frame of it came there */
	bool drained;	 /* atomic: the old queue's worker has let go of it */
	uint16_t filter; /* of the port, for the new queue to keep; LEAT_ARFS_NO_FILTER: none */
	uint16_t from;	 /* atomic: the old queue */
	uint64_t until;	 /* ns, when the old queue drains without that; 0: not set yet */
	uint64_t reads, frames;	       /* the old queue's when it began to drain */
	struct leat_rps_dev_flow flow; /* the entry in the old queue's table when it had drained */
	struct move *next_leaving, *next_coming;
};

/* A port's. */
struct moves {
	struct move slot[1u << MOVE_BITS];
	uint32_t underway; /* atomic: slots taken */
	uint32_t
		undrained; /* atomic: queues that have not drained since the new value was pushed */
	uint32_t uncleared; /* atomic: queues that still park frames for it */
};

/* A queue's part in a change of the port's value. */
enum move_value {
	MOVE_SETTLED,  /* there is none */
	MOVE_HOLDING,  /* there will be frames by either value */
	MOVE_DRAINING, /* no more frames by the old one come: until the queue has drained */
	MOVE_WAITING,  /* until all queues have */
	MOVE_CLEARING, /* until all backlogs have passed the tails of then */
	MOVE_CLEAR,    /* nothing by the old value is left */
};

/* A queue's; its worker's own, but for `arrivals`. */
struct move_queue {
	struct move *leaving;  /* from this queue: frames may still be put on it */
	struct move *draining; /* from this queue: none is any more, it has to be read empty */
	struct move *coming;   /* to this queue */
	struct move *arrivals; /* atomic: likewise, not looked at yet */
	uint64_t reads;	       /* times the queue was read */
	uint64_t emptied;      /* the last of them that left it empty */
	uint64_t frames;       /* read altogether */
	enum move_value value;
	uint64_t value_reads, value_frames; /* when it began to drain */
	unsigned n_parked;
	struct leat_pkt **parked; /* MOVE_PARKED of them, in order */
	uint64_t fenced;	  /* atomic: packets that were ever parked */
	uint64_t fence_dropped;	  /* atomic: that there was no room for */
};

/* 0 or -ENOMEM. */
int move_init(struct move_queue *m);
void move_fini(struct move_queue *m);

/* A's worker: begin to move `hash` to `to`, before the port is told: from now on frames of it that
 * come there are parked. NULL if the slot is taken: then it cannot be now. */
struct move *move_begin(struct worker *w, struct rxq *from, struct rxq *to, uint32_t hash);

/* A's worker: the port would not do it. */
void move_cancel(struct worker *w, struct rxq *from, struct move *move);

/* Whether the queue has to be read until it is known to be empty. */
bool move_must_read(const struct rxq *q);

/* Whether the queue may be read: there is room for what might have to wait, or it has to be read. */
bool move_may_read(const struct worker *w, const struct rxq *q);

/* A read of the queue gave n frames, and left it empty or not. */
void move_read(struct rxq *q, unsigned n, bool empty);

/* Park those of the n frames that have to wait; gives how many are left in `pkts`. */
unsigned move_park(struct worker *w, const struct conf *conf, struct rxq *q, struct leat_pkt **pkts,
		   unsigned n);

/* After the queue was read and what it gave was steered: drain, finish, release what may go. */
void move_turn(struct worker *w, const struct conf *conf, struct rxq *q);

/* Until when, ns, the queue's worker may sleep for all of this; UINT64_MAX: until it is woken. */
uint64_t move_due(const struct rxq *q, uint64_t now);

/* The end: every backlog is empty, and no one steers. Give all that is parked to the application. */
void move_end(struct worker *w, const struct conf *conf, struct rxq *q);

#endif
