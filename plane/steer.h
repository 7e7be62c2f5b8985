/* SPDX-License-Identifier: MIT */
/*
 * steer.h - RFS and RPS: to each packet its CPU, and the hop there.
 */
#ifndef PLANE_STEER_H
#define PLANE_STEER_H

#include "conf.h"

struct rxq;
struct worker;

enum { STAGE_MAX = 2 * 64 };

/* Packets of one batch for one CPU's backlog, and the flow entries that want its tail. */
struct stage {
	uint64_t dropped; /* counted by the sender: the backlog was full */
	uint64_t woken;	  /* times this sender had to wake that CPU */
	unsigned n;
	struct leat_pkt *pkt[STAGE_MAX];
	struct leat_rps_dev_flow *flow[STAGE_MAX];
};

/* Pick each packet's CPU; process those of this CPU, put the others in their CPU's backlog.
 * *Takes* the n <= STAGE_MAX packets of queue q. */
void steer(struct worker *w, const struct conf *conf, struct rxq *q, struct leat_pkt **pkts,
	   unsigned n);

/* Give packets from anywhere to the application on this CPU. */
void deliver(struct worker *w, const struct conf *conf, struct leat_pkt **pkts, unsigned n);

#endif
