/* SPDX-License-Identifier: MIT */
/*
 * rxq.h - a port's receive queue, served by one worker at a time.
 *
 * A queue moves between workers by being handed over: the one that serves it gives out what its
 * GRO holds, lets go of it and puts it in the other's list. So it needs no lock, and its packets
 * stay in order.
 *
 * When a queue's flow table or hash changes, what it steered before is no longer accounted for
 * in the table. The queue is then fenced: not read until every CPU has processed the packets
 * that were in its backlog at that moment.
 */
#ifndef PLANE_RXQ_H
#define PLANE_RXQ_H

#include "arfs.h"
#include "conf.h"
#include "move.h"

#include <leat/parse.h>
#include <leat/rss.h>

struct port;
struct worker;

struct rxq {
	struct rxq *next; /* in its worker's list */
	struct port *port;
	uint16_t queue;
	uint16_t cpu; /* whose worker serves it; atomic, for those who look */
	bool ready;   /* readable when last looked at */
	bool fenced;
	bool merging;	      /* gro is made */
	uint32_t *fence;      /* n_cpus: backlog tails to wait for */
	uint64_t *interrupts; /* n_cpus, atomic: times it was found readable there */
	uint32_t generation;  /* of the configuration that it was last brought to */
	struct leat_rps_dev_flow_table flows; /* in use */
	const struct leat_parse_conf *parse;  /* in use */
	const struct rxfh *rxfh;	      /* in use */
	const struct leat_rss *rss;	      /* of it */
	uint32_t rx;			      /* CONF_RX_* in use */
	uint32_t gro_max_size;		      /* in use */
	uint32_t gro_ipv4_max_size;	      /* in use */
	struct leat_gro gro;
	void *gro_mem;
	struct move_queue move;			  /* flows that come from, or go to, other queues */
	uint16_t filters;			  /* of accelerated RFS: one of its ring, or none */
	bool forgetting;			  /* there are filters, and there shall be none */
	struct arfs_stats arfs_stats;		  /* atomic */
	uint64_t rule_dropped;			  /* atomic: packets, in software */
	uint64_t gro_count[LEAT_GRO_REASONS];	  /* atomic: what gro.count had */
	uint64_t parse_count[LEAT_PARSE_REASONS]; /* atomic */
};

/* 0 or -ENOMEM; gives the memory its GRO will ever need. */
int rxq_init(struct rxq *q, struct port *port, uint16_t queue, unsigned n_cpus);
void rxq_fini(struct rxq *q);

/* Hand `q` to the worker of `cpu`. The caller serves it, or nobody runs yet. */
void rxq_give(struct rxq *q, struct worker *to);

/* Take over the queues given to `w`. */
void rxq_take(struct worker *w, const struct conf *conf);

/* A new configuration: give away, remake, fence what it changes. */
void rxq_adopt(struct worker *w, const struct conf *conf);

/* The time before which held packets are due now: all when the queue's poll is over, or those of
 * gro_flush_timeout ago if that is set; those of a jiffy ago while it goes on. */
uint64_t rxq_deadline(const struct worker *w, const struct conf *conf, const struct rxq *q);

/* Receive a batch of at most PORT_BATCH packets into `in`; gives how many. */
unsigned rxq_receive(struct worker *w, struct rxq *q, struct leat_pkt **in);

/* Make what its GRO counted since the last time readable for others. */
void rxq_count(struct rxq *q);

/* Parse a batch, count how far the parser got, and have the port check what came with it; gives how
 * many are left. */
unsigned rxq_parse(struct worker *w, struct rxq *q, struct leat_pkt **in, unsigned n);

/* Note every backlog's tail, in the memory of the fence, which is not up; whether all heads have
 * passed them. */
void rxq_note_tails(struct rxq *q, const struct worker *w);
bool rxq_passed_tails(const struct rxq *q, const struct worker *w);

/* Whether packets may be read: the fence, if there is one, has been passed. */
bool rxq_open(struct rxq *q, const struct worker *w);

/* Give out to the path what the queue's GRO holds since before `before`. */
void rxq_flush(struct worker *w, const struct conf *conf, struct rxq *q, uint64_t before);

#endif
