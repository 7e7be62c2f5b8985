/* SPDX-License-Identifier: MIT */
/*
 * A flow that changes its receive queue while a frame of it is between its sender and the old queue:
 * a worker's turns, taken one by one, on a port that gives what the test has put on its queues.
 */
#include "steering.h"
#include "stub_plane.h"

enum { FRAME = 60, HASH = 0x12345678, FRAMES = 2 * PORT_BATCH, SMALLS = 16, OTHER = 128 };

/* Queues of the device: the frames' numbers. */
static struct {
	uint8_t frame[FRAMES];
	unsigned n;
} device[STUB_QUEUES];

static uint8_t seen[FRAMES];
static unsigned n_seen;

static struct worker *w;
static struct rxq *old, *new;

static int port_steer(struct port *port, const struct leat_rxfh *rxfh, char *err, size_t err_len)
{
	return 0;
}

static int port_receive(struct port *port, unsigned q, struct pool *pool, struct leat_pkt **pkts,
			unsigned n)
{
	unsigned i;

	for (i = 0; i < n && i < device[q].n; i++) {
		pkts[i] = pool_small(pool);
		memset(pkts[i]->data, 0xee, FRAME); /* of no protocol that merges */
		pkts[i]->data[0] = device[q].frame[i];
		pkts[i]->len = pkts[i]->headlen = FRAME;
	}
	device[q].n -= i;
	memmove(device[q].frame, device[q].frame + i, device[q].n);
	return (int)i;
}

static unsigned port_check(struct port *port, unsigned q, struct pool *pool, struct leat_pkt **pkts,
			   unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		pkts[i]->hash = HASH + (pkts[i]->data[0] >= OTHER);
		pkts[i]->hash_type = LEAT_HASH_L4;
	}
	return n;
}

static void app_process(struct worker *worker, const struct conf *c, struct leat_pkt **pkts,
			unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		seen[n_seen++] = pkts[i]->data[0];
	pool_give(&worker->pool, pkts, n);
}

static int make_with(uint32_t smalls)
{
	const uint16_t cpu = 0;

	memset(device, 0, sizeof(device));
	n_seen = 0;
	stub_port.steer = port_steer;
	stub_port.receive = port_receive;
	stub_port.check = port_check;
	stub_app.process = app_process;
	stub_plane_open(&cpu, 1, smalls);
	w = &plane.worker[0];
	w->now = worker_clock();
	old = &plane.rxq[0][0];
	new = &plane.rxq[0][1];
	old->cpu = new->cpu = cpu;
	w->rxqs = old;
	old->next = new;
	rxq_adopt(w, plane.conf);
	return 0;
}

static int make(void **state)
{
	return make_with(0);
}

static int make_small(void **state)
{
	return make_with(SMALLS);
}

static int unmake(void **state)
{
	plane_close(&plane);
	return 0;
}

static void put(struct rxq *q, uint8_t number)
{
	device[q->queue].frame[device[q->queue].n++] = number;
	q->ready = true;
}

/* What worker.c does of a queue in a turn. */
static void turn(struct rxq *q)
{
	struct leat_pkt *in[PORT_BATCH];
	unsigned n = q->ready ? rxq_receive(w, q, in) : 0;

	n = rxq_parse(w, q, in, n);
	n = steering_receive(w, plane.conf, q, in, n);
	worker_pass(w, plane.conf, q, in, n);
	rxq_flush(w, plane.conf, q, UINT64_MAX);
	move_turn(w, plane.conf, q);
}

static void turns(unsigned n)
{
	while (n--) {
		turn(old);
		turn(new);
	}
}

static uint32_t underway(void)
{
	return plane.port[0].moves->underway;
}

static void assert_seen(const uint8_t *numbers, unsigned n)
{
	assert_int_equal(n_seen, n);
	assert_memory_equal(seen, numbers, n);
}

#define assert_order(...) \
	assert_seen((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* The old queue is read empty, then a frame comes there whose sender had chosen it before. */
static void test_late_frame(void **state)
{
	put(old, 1);
	turns(1);
	assert_non_null(move_begin(w, old, new, HASH));
	turns(3);
	put(old, 2);
	put(new, 3);
	turn(new);
	assert_order(1);
	turns(3);
	assert_order(1, 2, 3);
	assert_int_equal(underway(), 0);
}

/* What is read when the new queue has its first frame is all that counts: a queue that was empty in
 * that turn may have got more than a batch since. */
static void test_empty_before(void **state)
{
	assert_non_null(move_begin(w, old, new, HASH));
	turns(1);
	put(new, PORT_BATCH + 2);
	turn(new);
	turn(old);
	for (uint8_t i = 1; i < PORT_BATCH + 2; i++)
		put(old, i);
	turns(1);
	assert_int_equal(n_seen, PORT_BATCH);
	turns(1);
	assert_int_equal(n_seen, PORT_BATCH + 2);
	for (unsigned i = 0; i < n_seen; i++)
		assert_int_equal(seen[i], i + 1);
}

/* Without a frame the worker sleeps until time ends the move. */
static void test_no_frame(void **state)
{
	uint64_t due;

	assert_non_null(move_begin(w, old, new, HASH));
	assert_true(move_due(old, w->now) <= w->now); /* the time does not run yet */
	turns(2);
	due = move_due(old, w->now);
	assert_true(due > w->now && due <= worker_clock() + MOVE_WAIT);
	assert_true(move_due(new, w->now) > w->now);
	assert_true(move_due(new, w->now) < UINT64_MAX);
	w->now = due - 1;
	turns(2);
	assert_int_equal(underway(), 1);
	w->now = due;
	assert_true(move_due(old, w->now) <= w->now);
	turns(2);
	assert_int_equal(underway(), 0);
	assert_true(move_due(old, w->now) == UINT64_MAX);
	assert_true(move_due(new, w->now) == UINT64_MAX);
}

/* What was seen for one move says nothing of the next in its slot. */
static void test_again(void **state)
{
	test_late_frame(state);
	assert_non_null(move_begin(w, new, old, HASH));
	turns(3);
	assert_int_equal(underway(), 1);
	put(new, 4);
	put(old, 5);
	turns(3);
	assert_order(1, 2, 3, 4, 5);
	assert_int_equal(underway(), 0);
}

/* The port would not: nothing is waited for. */
static void test_cancelled(void **state)
{
	struct move *m = move_begin(w, old, new, HASH);

	assert_non_null(m);
	move_cancel(w, old, m);
	assert_true(move_due(new, w->now) <= w->now);
	turn(new);
	assert_int_equal(underway(), 0);
}

/* What is parked on a queue that was handed over are buffers of who read it: the next queue may not
 * have the other half. */
static void test_handed_over(void **state)
{
	assert_non_null(move_begin(w, old, new, HASH));
	assert_non_null(move_begin(w, new, old, HASH + 1));
	for (unsigned i = 0; i < SMALLS / 2; i++)
		put(new, (uint8_t)i);
	turn(new);
	assert_int_equal(new->move.n_parked, SMALLS / 2);
	w->rxqs = old;
	old->next = NULL;
	put(old, OTHER);
	turn(old);
	assert_int_equal(old->move.n_parked, 0);
	assert_int_equal(old->move.fence_dropped, 1);
	/* They are released: there is room again. */
	turns(2);
	assert_int_equal(new->move.n_parked, 0);
	assert_int_equal(w->pool.parked[false], 0);
}

#define test(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_late_frame),
		test(test_empty_before),
		test(test_no_frame),
		test(test_again),
		test(test_cancelled),
		cmocka_unit_test_setup_teardown(test_handed_over, make_small, unmake)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
