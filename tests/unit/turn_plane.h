/* SPDX-License-Identifier: MIT */
/*
 * turn_plane.h - a plane of three workers whose turns the test takes, one queue or one backlog at a
 * time, so that what threads do at any one moment is written down in an order of its own.
 *
 * Queue 0 is CPU 0's, queue 1 CPU 1's, and CPU 2 has but a backlog. The port is a card: frames wait
 * on the queues that they were put on. What the application has processed is in `seen`.
 */
#ifndef LEAT_TESTS_TURN_PLANE_H
#define LEAT_TESTS_TURN_PLANE_H

#include "frame.h"
#include "stub_plane.h"

#include <stdio.h>
#include <time.h>

enum { CPUS = 3, FRAMES = 512, FLOW = 1, OTHER = 2, SPORT_AT = 34 };

struct card_frame {
	uint16_t flow, number;
	uint32_t hash;
};

static struct {
	struct {
		struct card_frame frame[FRAMES];
		unsigned n;
	} queue[STUB_QUEUES];
	const struct leat_rxfh *rxfh; /* in use */
	uint8_t protocol;	      /* of its frames: TCP's are what GRO holds */
	bool chains;		      /* they end in a big buffer */
} card;

static uint16_t seen[FRAMES]; /* numbers */
static unsigned n_seen;
static uint64_t now;

/* What happens once while the application is at it: the next packets are not processed yet. */
static void (*meanwhile)(void);

/* What the workers do while the configuring thread waits. */
static void (*waiting)(void);

/* --- the card --- */

/* Flow's frame, in 256 bytes; gives its length. */
static inline uint32_t build(uint16_t flow, uint8_t *data)
{
	const struct frame f = {
		.protocol = card.protocol, .sport = flow, .dport = 80, .payload = 8};

	frame_build(&f, data);
	return frame_len(&f);
}

/* What the card does with a flow by its value. */
static inline struct leat_rxfh_choice choose(uint16_t flow)
{
	uint8_t data[256];
	struct leat_pkt pkt = {.data = data}, *pkts = &pkt;
	struct leat_rxfh_choice choice;

	pkt.len = pkt.headlen = build(flow, data);
	leat_parse(&leat_parse_default, &pkts, 1);
	leat_rxfh_pick(card.rxfh, &pkt, &choice);
	return choice;
}

static inline uint32_t hash_of(uint16_t flow)
{
	return choose(flow).hash;
}

/* A packet of the frame, NULL without buffers. */
static inline struct leat_pkt *make_pkt(struct pool *pool, const struct card_frame *frame)
{
	struct leat_pkt *pkt = pool_small(pool), *rest = card.chains ? pool_big(pool) : NULL;

	if (!pkt || (card.chains && !rest)) {
		if (pkt)
			pool_give(pool, &pkt, 1);
		return NULL;
	}
	pkt->len = pkt->headlen = build(frame->flow, pkt->data);
	memcpy(pkt->data, &frame->number, sizeof(frame->number));
	pkt->cookie = frame->hash;
	if (rest) {
		rest->len = rest->headlen = 1;
		leat_pkt_chain(pkt, rest);
	}
	return pkt;
}

/* A frame of the flow is there to be read. */
static inline void put(struct rxq *q, uint16_t flow, unsigned number)
{
	unsigned i = card.queue[q->queue].n++;

	assert_true(i < FRAMES);
	card.queue[q->queue].frame[i] = (struct card_frame){flow, (uint16_t)number, hash_of(flow)};
	q->ready = true;
}

static int steer_card(struct port *port, const struct leat_rxfh *rxfh, char *err, size_t err_len)
{
	card.rxfh = rxfh;
	return 0;
}

static int receive_card(struct port *port, unsigned q, struct pool *pool, struct leat_pkt **pkts,
			unsigned n)
{
	struct card_frame *frame = card.queue[q].frame;
	unsigned i;

	for (i = 0; i < n && i < card.queue[q].n; i++) {
		pkts[i] = make_pkt(pool, &frame[i]);
		if (!pkts[i])
			break;
	}
	card.queue[q].n -= i;
	memmove(frame, frame + i, card.queue[q].n * sizeof(*frame));
	return (int)i;
}

static unsigned hash_by_card(struct port *port, unsigned q, struct pool *pool,
			     struct leat_pkt **pkts, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		pkts[i]->hash = pkts[i]->cookie;
		pkts[i]->hash_type = LEAT_HASH_L4;
	}
	return n;
}

/* --- the application --- */

static void see_packets(struct worker *w, const struct conf *c, struct leat_pkt **pkts, unsigned n)
{
	void (*step)(void) = meanwhile;

	meanwhile = NULL;
	if (step)
		step();
	for (unsigned i = 0; i < n; i++)
		memcpy(&seen[n_seen++], pkts[i]->data, sizeof(seen[0]));
	pool_give(&w->pool, pkts, n);
}

static inline void assert_seen(const uint16_t *numbers, unsigned n)
{
	assert_int_equal(n_seen, n);
	assert_memory_equal(seen, numbers, n * sizeof(seen[0]));
}

#define assert_order(...)                            \
	assert_seen((const uint16_t[]){__VA_ARGS__}, \
		    sizeof((const uint16_t[]){__VA_ARGS__}) / sizeof(uint16_t))

/* --- turns --- */

static inline void enter_all(void)
{
	for (unsigned i = 0; i < CPUS; i++)
		worker_enter(&plane.worker[i]);
}

/* A queue's part of its worker's turn. */
static inline void turn(struct rxq *q)
{
	struct worker *w = plane.on_cpu[q->cpu];

	w->now = now;
	worker_poll(w, worker_enter(w), q);
}

static inline void turns(unsigned n)
{
	while (n--) {
		turn(&plane.rxq[0][0]);
		turn(&plane.rxq[0][1]);
	}
}

/* The backlog's part of it. */
static inline void process(unsigned cpu)
{
	struct worker *w = plane.on_cpu[cpu];

	worker_backlog(w, worker_enter(w));
}

/* All of it, of all workers. */
static inline void run_all(void)
{
	now = worker_clock();
	turns(1);
	for (unsigned cpu = 0; cpu < CPUS; cpu++)
		process(cpu);
}

/* The configuring thread's way to wait. */
int nanosleep(const struct timespec *requested_time, struct timespec *remaining)
{
	waiting();
	return 0;
}

/* --- the plane --- */

/* One key, or another: a random one has two flows meet in a table once in a while. */
static inline void set_key(uint8_t step)
{
	char text[3 * LEAT_RSS_KEY_MIN + 1];

	for (unsigned i = 0; i < LEAT_RSS_KEY_MIN; i++)
		snprintf(text + 3 * i, 4, "%02x:", (uint8_t)(i * step + 1));
	text[3 * LEAT_RSS_KEY_MIN - 1] = 0;
	set("p/rxfh/key", text);
}

static inline void set_up(uint32_t smalls)
{
	memset(&card, 0, sizeof(card));
	card.protocol = FRAME_UDP;
	n_seen = 0;
	now = worker_clock();
	meanwhile = NULL;
	waiting = enter_all;
	stub_port.steer = steer_card;
	stub_port.receive = receive_card;
	stub_port.check = hash_by_card;
	stub_app.process = see_packets;
	stub_plane_open((const uint16_t[]){0, 1, 2}, CPUS, smalls);
	for (unsigned i = 0; i < CPUS; i++)
		plane_add_reader(&plane, &plane.worker[i].reader);
	for (unsigned q = 0; q < STUB_QUEUES; q++)
		rxq_give(&plane.rxq[0][q], &plane.worker[q]);
	enter_all();
	set_key(3);
	plane.n_running = CPUS; /* or a new value would be in force at once */
}

static inline int tear_down(void **state)
{
	plane.n_running = 0;
	plane_close(&plane);
	return 0;
}

/* RFS: flow tables of so many entries for each queue. */
static inline void use_rfs(const char *entries)
{
	set("p/queues/rx-*/rps_flow_cnt", entries);
	set("net/core/rps_sock_flow_entries", "4096");
	turns(1); /* what the tables knew has been processed */
}

/* The application reads the flow on this CPU. */
static inline void read_on(uint16_t flow, uint16_t cpu)
{
	leat_rfs_record(&plane.conf->sock, hash_of(flow), cpu);
}

#endif
