/* SPDX-License-Identifier: MIT */
/*
 * Pools of several workers whose packets are given back by others: nothing is lost, nothing is
 * given twice. A packet's cookie says whether it is out; it is written without atomics, so the
 * thread sanitizer sees a packet that two threads have.
 */
#include "plane/pool.h"
#include "plane/ring.h"
#include "rng.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { WORKERS = 2, GIVERS = 1, SMALLS = 300, BIGS = 20, BATCH = 16, TURNS = 100000 };

struct thread {
	pthread_t thread;
	struct pool *own; /* NULL: only gives back */
	struct thread *all;
	struct ring inbox;
	struct rng rng;
	uint32_t taken, given, empty, wrong;
	uint32_t *working; /* atomic: threads that still send */
};

/* A packet of ours, or NULL; each byte that belongs to it may be written. */
static struct leat_pkt *take(struct thread *t)
{
	bool big = rng_once_in(&t->rng, 10);
	struct leat_pkt *pkt = big ? pool_big(t->own) : pool_small(t->own);

	if (!pkt) {
		t->empty++;
		return NULL;
	}
	t->wrong += pkt->cookie != 0 || pkt->owner != t->own || pkt->frag_list || pkt->len;
	pkt->cookie = 1;
	pkt->data[0] = pkt->data[(big ? POOL_BIG : POOL_SMALL) - 1] = 1;
	t->taken++;
	return pkt;
}

static void give(struct thread *t, struct leat_pkt **pkts, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		for (struct leat_pkt *pkt = pkts[i]; pkt; pkt = pkt->frag_list) {
			t->wrong += pkt->cookie != 1;
			pkt->cookie = 0;
			t->given++;
		}
	}
	pool_give(t->own, pkts, n);
}

/* Put one packet behind another now and then, of whichever pools they are. */
static unsigned chain(struct thread *t, struct leat_pkt **pkts, unsigned n)
{
	if (n < 2 || pkts[n - 1]->frag_list || !rng_once_in(&t->rng, 3))
		return n;
	leat_pkt_chain(pkts[0], pkts[n - 1]);
	return n - 1;
}

static void pass_on(struct thread *t, struct leat_pkt **pkts, unsigned n)
{
	struct thread *to = &t->all[rng_below(&t->rng, WORKERS + GIVERS)];
	uint32_t tail;
	unsigned sent = ring_enqueue(&to->inbox, pkts, n, UINT32_MAX, &tail);

	give(t, pkts + sent, n - sent);
}

/* Give back some of what came, pass the rest on; gives how many came. */
static unsigned receive(struct thread *t)
{
	struct leat_pkt *pkts[BATCH];
	unsigned n = ring_peek(&t->inbox, pkts, BATCH), back;

	ring_release(&t->inbox, n);
	if (n == 0)
		return 0;
	back = t->own ? rng_below(&t->rng, n + 1) : n;
	give(t, pkts, back);
	pass_on(t, pkts + back, chain(t, pkts + back, n - back));
	return n;
}

static void send(struct thread *t)
{
	struct leat_pkt *pkts[BATCH];
	unsigned n = 0, want = 1 + rng_below(&t->rng, BATCH);

	while (n < want && (pkts[n] = take(t)))
		n++;
	if (n)
		pass_on(t, pkts, chain(t, pkts, n));
	else
		sched_yield();
}

static void *run(void *arg)
{
	struct thread *t = arg;

	for (unsigned i = 0; t->own && i < TURNS; i++) {
		send(t);
		receive(t);
	}
	if (t->own)
		__atomic_fetch_sub(t->working, 1, __ATOMIC_ACQ_REL);
	/* The last rounds: what is underway comes to an end, for each round gives some back. */
	while (__atomic_load_n(t->working, __ATOMIC_ACQUIRE)) {
		if (receive(t) == 0)
			sched_yield();
	}
	return NULL;
}

/* All packets of the pool are in it, each once. */
static void check_whole(struct pool *p)
{
	for (unsigned i = 0; i < SMALLS + BIGS; i++) {
		struct leat_pkt *pkt = i < SMALLS ? pool_small(p) : pool_big(p);

		assert_non_null(pkt);
		assert_int_equal(pkt->cookie, 0);
		pkt->cookie = 2;
	}
	assert_null(pool_small(p));
	assert_null(pool_big(p));
	assert_int_equal(p->smalls + p->bigs, 0);
}

static void start(struct thread *t, struct pool *pool, struct rng *rng, uint32_t *working)
{
	for (unsigned i = 0; i < WORKERS + GIVERS; i++) {
		t[i].rng.state = rng_next(rng);
		t[i].all = t;
		t[i].working = working;
		assert_int_equal(ring_init(&t[i].inbox, 256), 0);
		if (i >= WORKERS)
			continue;
		t[i].own = &pool[i];
		assert_int_equal(pool_init(&pool[i], SMALLS, BIGS), 0);
	}
	for (unsigned i = 0; i < WORKERS + GIVERS; i++)
		assert_int_equal(pthread_create(&t[i].thread, NULL, run, &t[i]), 0);
}

static void test_threads(void **state)
{
	struct rng rng = rng_start("pool");
	struct thread t[WORKERS + GIVERS];
	struct pool pool[WORKERS];
	uint32_t working = WORKERS, taken = 0, given = 0, empty = 0;

	memset(t, 0, sizeof(t));
	start(t, pool, &rng, &working);
	for (unsigned i = 0; i < WORKERS + GIVERS; i++)
		pthread_join(t[i].thread, NULL);
	for (unsigned i = 0; i < WORKERS + GIVERS; i++) {
		struct leat_pkt *pkts[BATCH];
		unsigned n;

		for (; (n = ring_peek(&t[i].inbox, pkts, BATCH)) > 0; give(&t[i], pkts, n))
			ring_release(&t[i].inbox, n);
		assert_int_equal(t[i].wrong, 0);
		taken += t[i].taken;
		given += t[i].given;
		empty += t[i].empty;
		ring_fini(&t[i].inbox);
	}
	printf("%u taken, %u given back, %u times none was left\n", taken, given, empty);
	assert_int_equal(taken, given);
	for (unsigned i = 0; i < WORKERS; i++) {
		check_whole(&pool[i]);
		pool_fini(&pool[i]);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(test_threads)};

	alarm(60); /* a hang is a failure */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
