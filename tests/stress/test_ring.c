/* SPDX-License-Identifier: MIT */
/* The ring: limits, tails, counters that wrap, and each producer's order with several of them. */
#include "plane/ring.h"
#include "rng.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { BATCH = 32, PRODUCERS_MAX = 4, PACKETS = 240000 };

/* A ring whose counters have come to `start`. */
static void begin(struct ring *r, uint32_t room, uint32_t start)
{
	assert_int_equal(ring_init(r, room), 0);
	r->head = r->tail = start;
}

static void test_room(void **state)
{
	static const struct {
		uint32_t room, slots;
	} rows[] = {{1, 1}, {2, 2}, {3, 4}, {64, 64}, {65, 128}, {1001, 1024}};
	struct ring r;

	for (unsigned i = 0; i < COUNT(rows); i++) {
		assert_int_equal(ring_init(&r, rows[i].room), 0);
		assert_int_equal(r.mask + 1, rows[i].slots);
		ring_fini(&r);
	}
}

/* How many go in, and the tail behind them, whatever the counters are. */
static void test_limit(void **state)
{
	static const struct {
		unsigned there, n;
		uint32_t limit;
		unsigned sent;
	} rows[] = {
		{0, 4, 8, 4},	  /* all */
		{6, 4, 8, 2},	  /* the first of them */
		{8, 4, 8, 0},	  /* none */
		{9, 4, 8, 0},	  /* the limit was lowered */
		{12, 8, 1000, 4}, /* no more than the ring has */
		{16, 1, 1000, 0}, /* full */
		{0, 3, 0, 0},	  /* none may */
		{15, 2, UINT32_MAX, 1},
	};
	static const uint32_t starts[] = {0, UINT32_MAX - 5, INT32_MAX - 5u};
	struct leat_pkt pkt[32] = {{0}}, *p[32], *out[32];

	for (unsigned i = 0; i < 32; i++)
		p[i] = &pkt[i];
	for (unsigned i = 0; i < COUNT(rows) * COUNT(starts); i++) {
		uint32_t start = starts[i % COUNT(starts)], tail;
		unsigned there = rows[i / COUNT(starts)].there;
		unsigned sent = rows[i / COUNT(starts)].sent;
		struct ring r;

		begin(&r, 16, start);
		assert_int_equal(ring_enqueue(&r, p, there, UINT32_MAX, &tail), there);
		assert_int_equal(ring_enqueue(&r, p + there, rows[i / COUNT(starts)].n,
					      rows[i / COUNT(starts)].limit, &tail),
				 sent);
		assert_int_equal(tail, start + there + sent);
		assert_int_equal(ring_len(&r), there + sent);
		assert_int_equal(ring_peek(&r, out, 16), there + sent);
		for (unsigned j = 0; j < there + sent; j++)
			assert_ptr_equal(out[j], p[j]);
		ring_fini(&r);
	}
}

/* What was peeked is there until it is released: then, and not before, head moves. */
static void test_release(void **state)
{
	struct leat_pkt pkt[4] = {{0}}, *p[4] = {&pkt[0], &pkt[1], &pkt[2], &pkt[3]}, *out[4];
	struct ring r;
	uint32_t tail;

	begin(&r, 4, UINT32_MAX - 1);
	assert_true(ring_empty(&r));
	ring_enqueue(&r, p, 4, 4, &tail);
	assert_int_equal(ring_peek(&r, out, 4), 4);
	assert_int_equal(ring_peek(&r, out, 4), 4);
	assert_int_equal(r.head, UINT32_MAX - 1);
	assert_int_equal(ring_enqueue(&r, p, 1, 4, &tail), 0);
	ring_release(&r, 3);
	assert_int_equal(r.head, 1);
	assert_int_equal(ring_len(&r), 1);
	assert_false(ring_empty(&r));
	assert_int_equal(ring_peek(&r, out, 4), 1);
	assert_ptr_equal(out[0], p[3]);
	ring_release(&r, 1);
	assert_true(ring_empty(&r));
	assert_int_equal(r.head, tail);
	ring_fini(&r);
}

/* A reserved slot not yet filled hides those behind it, and makes no hole. */
static void test_reserved(void **state)
{
	struct leat_pkt pkt[2] = {{0}}, *p = &pkt[1], *out[2];
	struct ring r;
	uint32_t tail;

	begin(&r, 4, 0);
	r.tail = 1; /* another producer came so far */
	ring_enqueue(&r, &p, 1, 4, &tail);
	assert_int_equal(tail, 2);
	assert_int_equal(ring_len(&r), 2);
	assert_int_equal(ring_peek(&r, out, 2), 0);
	r.slot[0] = &pkt[0];
	assert_int_equal(ring_peek(&r, out, 2), 2);
	assert_ptr_equal(out[0], &pkt[0]);
	assert_ptr_equal(out[1], p);
	ring_fini(&r);
}

struct producer {
	pthread_t thread;
	struct ring *ring;
	struct rng rng;
	uint32_t start, limit, total;
	struct leat_pkt *pkt; /* twice as many as the ring has slots */
	unsigned window;
	uint16_t id;
	uint32_t refused, fell;
};

/* Numbers packets, and uses them again once they must have been released. */
static void *produce(void *arg)
{
	struct producer *p = arg;
	struct leat_pkt *batch[BATCH];
	uint32_t tail, last = p->start;

	for (uint32_t done = 0; done < p->total;) {
		unsigned n = 1 + rng_below(&p->rng, BATCH), sent;

		if (n > p->total - done)
			n = p->total - done;
		for (unsigned i = 0; i < n; i++) {
			batch[i] = &p->pkt[(done + i) % p->window];
			batch[i]->port = p->id;
			batch[i]->cookie = done + i;
			batch[i]->len = ~(done + i);
		}
		sent = ring_enqueue(p->ring, batch, n, p->limit, &tail);
		p->fell += (int32_t)(tail - last) < (int32_t)sent;
		last = tail;
		done += sent;
		p->refused += n - sent;
		if (sent < n)
			sched_yield();
	}
	return NULL;
}

/* Check the number of each packet, and write to it: it is ours until released. */
static void consume(struct ring *r, struct rng *rng, uint32_t limit, uint32_t total)
{
	uint32_t next[PRODUCERS_MAX] = {0};
	struct leat_pkt *pkts[BATCH];

	for (uint32_t done = 0; done < total;) {
		unsigned n = ring_peek(r, pkts, 1 + rng_below(rng, BATCH));

		assert_true(ring_len(r) <= limit);
		for (unsigned i = 0; i < n; i++) {
			assert_true(pkts[i]->port < PRODUCERS_MAX);
			assert_int_equal(pkts[i]->cookie, next[pkts[i]->port]++);
			assert_int_equal(pkts[i]->len, ~pkts[i]->cookie);
			pkts[i]->len = 0;
		}
		ring_release(r, n);
		done += n;
		if (n == 0)
			sched_yield();
	}
	assert_int_equal(ring_len(r), 0);
	assert_true(ring_empty(r));
}

static void race(struct rng *rng, unsigned producers, uint32_t room, uint32_t limit, uint32_t start)
{
	struct producer p[PRODUCERS_MAX] = {{0}};
	struct ring r;
	uint32_t refused = 0;

	begin(&r, room, start);
	for (unsigned i = 0; i < producers; i++) {
		p[i] = (struct producer){.ring = &r, .rng = {rng_next(rng)}, .limit = limit};
		p[i].start = start;
		p[i].total = PACKETS / producers;
		p[i].window = 2 * room + BATCH;
		p[i].pkt = calloc(p[i].window, sizeof(*p[i].pkt));
		p[i].id = (uint16_t)i;
		assert_int_equal(pthread_create(&p[i].thread, NULL, produce, &p[i]), 0);
	}
	consume(&r, rng, limit, PACKETS / producers * producers);
	for (unsigned i = 0; i < producers; i++) {
		pthread_join(p[i].thread, NULL);
		assert_int_equal(p[i].fell, 0); /* its tail */
		refused += p[i].refused;
		free(p[i].pkt);
	}
	assert_int_equal(r.head - start, PACKETS / producers * producers);
	printf("%u producers, room %u, limit %u, from %#x: %u refused\n", producers, room, limit,
	       start, refused);
	ring_fini(&r);
}

static void test_producers(void **state)
{
	static const struct {
		unsigned producers;
		uint32_t room, limit, start;
	} rows[] = {
		{1, 64, 64, 0},
		{1, 1024, 10, UINT32_MAX - 20000}, /* wraps after a while */
		{2, 64, 64, INT32_MAX - 20000u},   /* the sign of a difference */
		{3, 64, 50, UINT32_MAX - 20000},
		{4, 1024, 1000, UINT32_MAX - 20000},
	};
	struct rng rng = rng_start("ring");

	for (unsigned i = 0; i < COUNT(rows); i++)
		race(&rng, rows[i].producers, rows[i].room, rows[i].limit, rows[i].start);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_room),	  cmocka_unit_test(test_limit),
		cmocka_unit_test(test_release),	  cmocka_unit_test(test_reserved),
		cmocka_unit_test(test_producers),
	};

	alarm(60); /* a hang is a failure */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
