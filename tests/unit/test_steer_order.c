/* SPDX-License-Identifier: MIT */
/*
 * A flow changes CPU only when its old one has finished with it: each way to overtake, taken at the
 * moment at which it would be open.
 *
 * Two flows share the flow table's only entry, so they keep one order; and they can wish for
 * different CPUs within a batch, as one flow does whose application moves meanwhile.
 */
#include "turn_plane.h"

static struct rxq *q;

static int make(void **state)
{
	set_up(0);
	q = &plane.rxq[0][0];
	use_rfs("1");
	return 0;
}

/* The old CPU has not begun. */
static void test_waiting(void **state)
{
	read_on(FLOW, 1);
	put(q, FLOW, 1);
	turn(q);
	read_on(FLOW, 0);
	put(q, FLOW, 2);
	turn(q);
	assert_int_equal(n_seen, 0);
	process(1);
	assert_order(1, 2);
	put(q, FLOW, 3);
	turn(q);
	assert_order(1, 2, 3);
}

static void receive_next(void)
{
	read_on(FLOW, 0);
	put(q, FLOW, 2);
	turn(q);
}

/* The old CPU is at it. */
static void test_processing(void **state)
{
	read_on(FLOW, 1);
	put(q, FLOW, 1);
	turn(q);
	meanwhile = receive_next;
	process(1);
	assert_order(1);
	process(1);
	assert_order(1, 2);
}

/* In a batch: the earlier packet is staged, and not in the old CPU's backlog yet. */
static void test_staged(void **state)
{
	read_on(FLOW, 1);
	read_on(OTHER, 0);
	put(q, FLOW, 1);
	put(q, OTHER, 2);
	turn(q);
	assert_int_equal(n_seen, 0);
	process(1);
	assert_order(1, 2);
}

static void process_other(void)
{
	process(1);
}

/* In a batch: the earlier packet is for this CPU, which is at it. */
static void test_here_first(void **state)
{
	read_on(FLOW, 0);
	read_on(OTHER, 1);
	put(q, FLOW, 1);
	put(q, OTHER, 2);
	meanwhile = process_other;
	turn(q);
	assert_order(1);
	process(1);
	assert_order(1, 2);
}

/* In this CPU's own backlog, since the flow's queue was another's then. */
static void test_own_backlog(void **state)
{
	read_on(FLOW, 1);
	put(q, FLOW, 1);
	turn(q);
	set("p/queues/rx-0/smp_affinity_list", "1");
	enter_all();
	assert_int_equal(q->cpu, 1);
	put(q, FLOW, 2);
	turn(q);
	assert_int_equal(n_seen, 0);
	process(1);
	assert_order(1, 2);
}

/* A new table knows nothing of what the old one steered. */
static void test_new_table(void **state)
{
	read_on(FLOW, 1);
	put(q, FLOW, 1);
	turn(q);
	set("p/queues/rx-0/rps_flow_cnt", "256");
	read_on(FLOW, 0);
	put(q, FLOW, 2);
	turn(q);
	assert_int_equal(n_seen, 0);
	process(1);
	assert_order(1);
	turn(q);
	assert_order(1, 2);
}

#define test(name) cmocka_unit_test_setup_teardown(name, make, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_waiting),    test(test_processing),  test(test_staged),
		test(test_here_first), test(test_own_backlog), test(test_new_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
