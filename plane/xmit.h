/* SPDX-License-Identifier: MIT */
/*
 * xmit.h - the way out: XPS -> GSO -> port txq.
 */
#ifndef PLANE_XMIT_H
#define PLANE_XMIT_H

#include "conf.h"

struct port;
struct worker;
struct xmit;

/* A thread's scratch memory for frames being transmitted; NULL without memory. */
struct xmit *xmit_new(void);
void xmit_free(struct xmit *x);

/* The thread that transmits: a worker, or one of an application's. */
struct xmit_from {
	struct xmit *xmit;
	struct pool *pool; /* its own */
	uint16_t cpu;	   /* where it runs */
	uint64_t now;	   /* ns, CLOCK_MONOTONIC */
};

/* Transmit `n` packets, at most 64, from `port`, each on its flow's queue (txflow.h),
 * segmented where the port cannot do it. *Takes* the packets: their buffers are given back. Gives
 * how many were dropped because their offload fields contradict their headers. */
unsigned xmit_from(const struct xmit_from *from, const struct conf *conf, struct port *port,
		   struct leat_pkt **pkts, unsigned n);

/* The same from a worker, which counts those. */
void xmit(struct worker *w, const struct conf *conf, struct port *port, struct leat_pkt **pkts,
	  unsigned n);

#endif
