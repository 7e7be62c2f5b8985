/* SPDX-License-Identifier: MIT */
/*
 * A flow that changes its receive queue while frames of it are anywhere between their sender and the
 * application.
 */
#include "turn_plane.h"

enum { SMALLS = 16 };

static struct rxq *old, *new;
static struct worker *w; /* the old queue's */

static int make_with(uint32_t smalls)
{
	set_up(smalls);
	old = &plane.rxq[0][0];
	new = &plane.rxq[0][1];
	w = &plane.worker[0];
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

static struct move *begin(void)
{
	struct move *m = move_begin(w, old, new, hash_of(FLOW));

	assert_non_null(m);
	return m;
}

static uint32_t underway(void)
{
	return plane.port[0].moves->underway;
}

/* The old queue is read empty, then a frame comes there whose sender had chosen it before. */
static void test_late_frame(void **state)
{
	put(old, FLOW, 1);
	turns(1);
	begin();
	turns(3);
	put(old, FLOW, 2);
	put(new, FLOW, 3);
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
	begin();
	turns(1);
	put(new, FLOW, PORT_BATCH + 2);
	turn(new);
	turn(old);
	for (unsigned i = 1; i < PORT_BATCH + 2; i++)
		put(old, FLOW, i);
	turns(1);
	assert_int_equal(n_seen, PORT_BATCH);
	turns(1);
	assert_int_equal(n_seen, PORT_BATCH + 2);
	for (unsigned i = 0; i < n_seen; i++)
		assert_int_equal(seen[i], i + 1);
}

/* Nor are fewer frames enough than the device may hold. */
static void test_ring_known(void **state)
{
	plane.port[0].rx_ring = 2 * PORT_BATCH;
	test_empty_before(state);
}

/* A queue that is never empty: as many as the device may hold are enough. */
static void test_ring_read(void **state)
{
	plane.port[0].rx_ring = 2 * PORT_BATCH;
	begin();
	put(new, FLOW, 1);
	turn(new);
	for (unsigned i = 0; i < 4 * PORT_BATCH; i++)
		put(old, OTHER, 0);
	turns(2);
	assert_int_equal(underway(), 1);
	turns(1);
	assert_int_equal(underway(), 0);
	assert_true(old->ready);
}

/* What the old queue gave waits for a third CPU. */
static void test_backlog(void **state)
{
	use_rfs("256");
	read_on(FLOW, 2);
	put(old, FLOW, 1);
	turns(1);
	begin();
	read_on(FLOW, 1);
	put(new, FLOW, 2);
	turns(4);
	assert_int_equal(n_seen, 0);
	assert_int_equal(underway(), 1);
	process(2);
	turns(1);
	assert_order(1, 2);
	assert_int_equal(underway(), 0);
}

/* Likewise GRO, which may hold it for longer than the move takes. */
static void test_gro(void **state)
{
	card.protocol = FRAME_TCP;
	set("p/gro_flush_timeout", "1000000000");
	put(old, FLOW, 1);
	turns(1);
	assert_int_equal(n_seen, 0);
	begin();
	put(new, FLOW, 2);
	turns(4);
	assert_int_equal(underway(), 0);
	now += 2000000000;
	turn(new);
	turn(old);
	assert_order(1, 2);
}

/* Without a frame the worker sleeps until time ends the move. */
static void test_no_frame(void **state)
{
	uint64_t due;

	begin();
	assert_true(move_due(old, now) <= now); /* the time does not run yet */
	turns(2);
	due = move_due(old, now);
	assert_true(due > now && due <= worker_clock() + MOVE_WAIT);
	assert_true(move_due(new, now) > now);
	assert_true(move_due(new, now) < UINT64_MAX);
	now = due - 1;
	turns(2);
	assert_int_equal(underway(), 1);
	now = due;
	assert_true(move_due(old, now) <= now);
	turns(2);
	assert_int_equal(underway(), 0);
	assert_true(move_due(old, now) == UINT64_MAX);
	assert_true(move_due(new, now) == UINT64_MAX);
}

/* What was seen for one move says nothing of the next in its slot. */
static void test_again(void **state)
{
	test_late_frame(state);
	assert_non_null(move_begin(&plane.worker[1], new, old, hash_of(FLOW)));
	turns(3);
	assert_int_equal(underway(), 1);
	put(new, FLOW, 4);
	put(old, FLOW, 5);
	turns(3);
	assert_order(1, 2, 3, 4, 5);
	assert_int_equal(underway(), 0);
}

/* The port would not: nothing is waited for. */
static void test_cancelled(void **state)
{
	move_cancel(w, old, begin());
	assert_true(move_due(new, now) <= now);
	turn(new);
	assert_int_equal(underway(), 0);
}

/* What is parked on a queue that was handed over are buffers of who read it: the next queue may not
 * have the other half. */
static void test_handed_over(void **state)
{
	set("p/queues/rx-1/smp_affinity_list", "0");
	turns(1);
	begin();
	assert_non_null(move_begin(w, new, old, hash_of(OTHER)));
	for (unsigned i = 0; i < SMALLS / 2; i++)
		put(new, FLOW, i);
	turn(new);
	assert_int_equal(new->move.n_parked, SMALLS / 2);
	set("p/queues/rx-1/smp_affinity_list", "1");
	put(old, OTHER, SMALLS);
	turn(old);
	assert_int_equal(old->move.n_parked, 0);
	assert_int_equal(old->move.fence_dropped, 1);
	/* They are released: there is room again. */
	turns(2);
	assert_int_equal(new->move.n_parked, 0);
	assert_int_equal(w->pool.parked[false], 0);
}

/* A super-packet's buffers are of either kind, and so are those that wait. */
static void test_chains_wait(void **state)
{
	const uint32_t *parked = plane.worker[1].pool.parked;

	card.chains = true;
	begin();
	put(new, FLOW, 1);
	put(new, FLOW, 2);
	turn(new);
	assert_int_equal(new->move.n_parked, 2);
	assert_int_equal(parked[false], 2);
	assert_int_equal(parked[true], 2);
	turns(3);
	assert_order(1, 2);
	assert_int_equal(parked[false], 0);
	assert_int_equal(parked[true], 0);
}

/* The read that was to find the old queue empty finds no buffer: it is read again when there is one,
 * though the device says nothing of an empty queue. */
static void test_no_buffer(void **state)
{
	struct leat_pkt *held[SMALLS];

	begin();
	put(new, FLOW, 1);
	turn(new);
	for (unsigned i = 0; i < SMALLS; i++)
		held[i] = pool_small(&w->pool);
	turns(4);
	assert_int_equal(underway(), 1);
	pool_give(&w->pool, held, SMALLS);
	turns(3);
	assert_int_equal(underway(), 0);
	assert_order(1);
	assert_false(old->ready);
}

#define test(name) cmocka_unit_test_setup_teardown(name, make, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_late_frame),
		test(test_empty_before),
		test(test_ring_known),
		test(test_ring_read),
		test(test_backlog),
		test(test_gro),
		test(test_no_frame),
		test(test_again),
		test(test_cancelled),
		test(test_chains_wait),
		cmocka_unit_test_setup_teardown(test_no_buffer, make_small, tear_down),
		cmocka_unit_test_setup_teardown(test_handed_over, make_small, tear_down)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
