/* SPDX-License-Identifier: MIT */
/*
 * sink.h - the application that receives numbered flows on threads of its own.
 *
 * Each flow belongs to one thread, as a socket does. Workers put its packets in the thread's
 * inbox; the thread records under each flow's hash the CPU it runs on (RFS), checks the numbers
 * that port gen wrote, and gives the buffers back. Threads may be moved while running.
 */
#ifndef PLANE_APP_SINK_H
#define PLANE_APP_SINK_H

#include "../reader.h"
#include "../ring.h"
#include "app_thread.h"

enum {
	SINK_THREADS_MAX = 64,
	SINK_INBOX = 65536, /* packets */
};

struct plane;

struct sink_stats {
	uint64_t packets;      /* numbered ones: each segment of a merged packet counts */
	uint64_t unnumbered;   /* packets without a number, or of a flow beyond the declared */
	uint64_t out_of_order; /* a number below the one expected */
	uint64_t gaps;	       /* numbers skipped */
};

struct sink_thread {
	struct plane *plane;
	struct app_thread app;
	uint64_t *next; /* by flow: the number expected */
	uint32_t flows;
	struct sink_stats stats;
	struct reader reader;
	struct ring inbox;
	uint64_t inbox_full; /* atomic: packets dropped, by any worker */
};

struct sink {
	unsigned n;
	bool stop; /* atomic */
	struct sink_thread thread[];
};

/* The thread, until sink->stop. */
void *sink_thread(void *arg);

#endif
