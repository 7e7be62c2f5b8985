/* SPDX-License-Identifier: MIT */
/*
 * tap.h - a TAP as its two files share it: tap.c makes it, tap_io.c moves its frames.
 */
#ifndef PLANE_PORT_TAP_H
#define PLANE_PORT_TAP_H

#include "link.h"
#include "port.h"

struct tap {
	struct link link;
	uint32_t hdr;	/* bytes of the header in front of every frame */
	bool supers;	/* the kernel may hand over super-packets */
	uint32_t first; /* bytes of the buffer that a frame begins in */
	unsigned queues;
	int fd[]; /* queues of them, -1: not open */
};

int tap_receive(struct port *port, unsigned q, struct pool *pool, struct leat_pkt **pkts,
		unsigned n);
unsigned tap_check(struct port *port, unsigned q, struct pool *pool, struct leat_pkt **pkts,
		   unsigned n);
int tap_transmit(struct port *port, unsigned q, struct port_frame *frames, unsigned n);

#endif
