/* SPDX-License-Identifier: MIT */
/* What a worker does when there is nothing to do, and at the end. */
#include "turn_plane.h"

static struct worker *w;

static int make(void **state)
{
	set_up(0);
	w = &plane.worker[0];
	return 0;
}

/* Busy polling is for no longer than what GRO holds may wait. */
static void test_spin_ends(void **state)
{
	card.protocol = FRAME_TCP;
	set("net/core/busy_poll", "2147483647");
	set("p/gro_flush_timeout", "1000000");
	put(&plane.rxq[0][0], FLOW, 1);
	turns(1);
	assert_int_equal(n_seen, 0);
	worker_rest(w, plane.conf);
	now = w->now;
	turns(1);
	assert_order(1);
}

static void pass_queue(void)
{
	rxq_give(&plane.rxq[0][1], w);
}

/* A queue that comes after its worker began to end has packets that wait, too. */
static void test_given_at_end(void **state)
{
	struct rxq *old = &plane.rxq[0][0], *new = &plane.rxq[0][1];

	use_rfs("256");
	read_on(OTHER, 0);
	assert_non_null(move_begin(w, old, new, hash_of(FLOW)));
	put(new, FLOW, 1);
	put(new, OTHER, 2);
	turn(new);
	assert_int_equal(new->move.n_parked, 1);
	set("p/queues/rx-1/smp_affinity_list", "0");
	assert_ptr_equal(w->given, new);
	w->given = NULL; /* its former worker has it still, */
	meanwhile = pass_queue;
	plane.worker[1].drained = plane.worker[2].drained = 2;
	worker_drain(w);
	assert_order(2, 1);
}

#define test(name) cmocka_unit_test_setup_teardown(name, make, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {test(test_spin_ends), test(test_given_at_end)};

	alarm(30); /* a hang is a failure */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
