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

/* A worker's scratch memory for frames being transmitted; NULL without memory. */
struct xmit *xmit_new(void);
void xmit_free(struct xmit *x);

/* Transmit `n` packets, at most 64, from `port`, each on its flow's queue (txflow.h),
 * segmented where the port cannot do it. *Takes* the packets: their buffers are given back. */
void xmit(struct worker *w, const struct conf *conf, struct port *port, struct leat_pkt **pkts,
	  unsigned n);

#endif
