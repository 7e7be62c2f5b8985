/* SPDX-License-Identifier: MIT */
/*
 * tap.h - a TAP as its files share it: tap.c makes it, tap_io.c moves its frames, tap_steer.c has
 * the kernel choose their queues.
 */
#ifndef PLANE_PORT_TAP_H
#define PLANE_PORT_TAP_H

#include "link.h"
#include "port.h"

struct tap_steer;
struct uring;

/* What the kernel asks a program: which queue, how much of a frame. */
enum tap_program { TAP_STEERING, TAP_FILTER };

struct tap_queue {
	int fd;		       /* -1: not open */
	unsigned want;	       /* frames to ask for next: the last batch's and one more */
	struct uring *rx, *tx; /* NULL: a system call for each frame */
};

struct tap {
	struct link link;
	struct tap_steer *steer;
	bool steering;	/* the kernel may be asked to */
	uint32_t hdr;	/* bytes of the header in front of every frame */
	bool supers;	/* the kernel may hand over super-packets */
	uint32_t first; /* bytes of the buffer that a frame begins in */
	unsigned queues;
	struct tap_queue queue[]; /* queues of them */
};

int tap_receive(struct port *port, unsigned q, struct pool *pool, struct leat_pkt **pkts,
		unsigned n);
unsigned tap_check(struct port *port, unsigned q, struct pool *pool, struct leat_pkt **pkts,
		   unsigned n);
int tap_transmit(struct port *port, unsigned q, struct port_frame *frames, unsigned n);

/* Have the kernel ask the program `fd`, -1: none. 0 or -errno. */
int tap_set_program(const struct tap *tap, enum tap_program which, int fd);

/* Nothing is loaded yet. NULL without memory. */
struct tap_steer *tap_steer_new(void);
void tap_steer_free(struct tap_steer *steer);

/* Operations of port.h. One queue needs no program until a rule drops. */
int tap_steer(struct port *port, const struct leat_rxfh *rxfh, char *err, size_t err_len);
int tap_flow_steer(struct port *port, uint32_t hash, uint16_t q, uint32_t flow_id);
void tap_flow_forget(struct port *port, uint16_t id);
uint64_t tap_rule_dropped(const struct port *port);

#endif
