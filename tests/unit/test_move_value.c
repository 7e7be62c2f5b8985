/* SPDX-License-Identifier: MIT */
/*
 * A new value of what chooses the port's queues, while frames of a flow come by the former: the card
 * gets them as it is told, when the workers hold what may have to wait, and nothing is pushed yet.
 */
#include "turn_plane.h"

enum { LONG = 6 * PORT_BATCH };

static struct rxq *old, *new;

/* What comes meanwhile; NULL: nothing. */
static void (*change)(const struct leat_rxfh *rxfh);

static int change_card(struct port *port, const struct leat_rxfh *rxfh, char *err, size_t err_len)
{
	if (change)
		change(rxfh);
	card.rxfh = rxfh;
	return 0;
}

/* All flows come on the old queue. */
static int make(void **state)
{
	change = NULL;
	set_up(0);
	stub_port.steer = change_card;
	waiting = run_all;
	old = &plane.rxq[0][0];
	new = &plane.rxq[0][1];
	set("p/rxfh/indir", "0");
	use_rfs("256");
	return 0;
}

static void fill_old(const struct leat_rxfh *rxfh)
{
	for (unsigned i = 1; i <= LONG; i++)
		put(old, FLOW, i);
	put(new, FLOW, LONG + 1);
}

/* More than a few batches: the new queue is read empty before the old one. */
static void test_long_queue(void **state)
{
	change = fill_old;
	set("p/rxfh/indir", "1");
	assert_int_equal(n_seen, LONG + 1);
	for (unsigned i = 0; i < n_seen; i++)
		assert_int_equal(seen[i], i + 1);
	assert_int_equal(new->move.fenced, 1);
}

static unsigned waits; /* while CPU 2 stands still */

static void wait_for_backlog(void)
{
	now = worker_clock();
	enter_all();
	turns(1);
	if (ring_empty(&plane.worker[2].backlog) || ++waits < 10)
		return;
	assert_int_equal(n_seen, 0);
	process(2);
}

static void hop_to_third(const struct leat_rxfh *rxfh)
{
	put(old, FLOW, 1);
	turn(old);
	read_on(FLOW, 1);
	put(new, FLOW, 2);
}

/* What the old queue gave waits for a third CPU; the new queue's would not. */
static void test_backlog(void **state)
{
	read_on(FLOW, 2);
	change = hop_to_third;
	waiting = wait_for_backlog;
	waits = 0;
	set("p/rxfh/indir", "1");
	assert_int_equal(waits, 10);
	assert_order(1, 2);
}

static void hop_by_old_hash(const struct leat_rxfh *rxfh)
{
	read_on(FLOW, 2);
	put(old, FLOW, 1);
	card.rxfh = rxfh;
	read_on(FLOW, 2);
	turn(old);
	read_on(FLOW, 0);
	put(old, FLOW, 2);
}

/* The queue stays, the hash does not: order is by the hash, so there may be but one. */
static void test_new_key(void **state)
{
	change = hop_by_old_hash;
	waiting = wait_for_backlog;
	waits = 0;
	set_key(5);
	process(2);
	assert_order(1, 2);
}

#define test(name) cmocka_unit_test_setup_teardown(name, make, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {test(test_long_queue), test(test_backlog),
					   test(test_new_key)};

	alarm(30); /* a hang is a failure */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
