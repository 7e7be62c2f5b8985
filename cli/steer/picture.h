/* SPDX-License-Identifier: MIT */
/*
 * picture.h - where things are in the drawing of flows, queues and CPUs.
 *
 * Three columns of boxes, as high as their bytes; bands between them, as high as what flows there.
 * The largest flows have a box of their own, the rest of a queue's flows one together. Flows are in
 * the order of their queues, queues in that of their CPUs, so that few bands cross. Each column is
 * spread over the same height. Pixels are SVG's user units.
 */
#ifndef CLI_STEER_PICTURE_H
#define CLI_STEER_PICTURE_H

#include "account.h"

struct box {
	double bytes;
	double y, height; /* of what is filled: by bytes */
	double room;	  /* what it takes in its column: no less than its words want */
	double in, out;	  /* how far down bands have come */
};

struct flow_box {
	struct box box;
	const struct flow *flow; /* NULL: several */
	uint32_t flows;		 /* how many */
	unsigned queue;		 /* the column's */
};

struct queue_box {
	struct box box;
	unsigned queue; /* n_queues: what is dropped */
	uint64_t flows;
};

struct cpu_box {
	struct box box;
	unsigned cpu;
};

struct picture {
	unsigned n_flows, n_queues, n_cpus; /* boxes */
	struct flow_box *flow;
	struct queue_box *queue; /* n_queues boxes, and one if something is dropped */
	struct cpu_box *cpu;
	double *link;  /* bytes from box i of the queues to box j of the CPUs: [i * n_cpus + j] */
	double height; /* of the columns */
	double mean;   /* height of a queue's mean load */
	double scale;  /* pixels a byte */
	double bytes;  /* of all */
	uint64_t most; /* bytes of the busiest queue */
};

/* 0 or -ENOMEM; picture_fini() ends both. */
int picture_init(struct picture *picture, const struct account *account);

void picture_fini(struct picture *picture);

#endif
