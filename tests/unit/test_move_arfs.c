/* SPDX-License-Identifier: MIT */
/* A flow that accelerated RFS has come on another queue, and back: what the port is asked for, when. */
#include "turn_plane.h"

enum { FILTER = 7 };

/* The card's only filter. */
static struct {
	uint32_t hash;
	uint16_t queue;
	bool live;
} filter;

static bool changing;

static int steer_flow(struct port *port, uint32_t hash, uint16_t q, uint32_t flow_id)
{
	assert_true(!filter.live || filter.hash == hash);
	filter.hash = hash;
	filter.queue = q;
	filter.live = true;
	return FILTER;
}

static void forget_flow(struct port *port, uint16_t id)
{
	assert_int_equal(id, FILTER);
	filter.live = false;
}

/* Where the value alone would bring the flow, unless the filter does. */
static void send_frame(uint16_t flow, unsigned number)
{
	bool filtered = filter.live && filter.hash == hash_of(flow);

	put(&plane.rxq[0][filtered ? filter.queue : choose(flow).queue], flow, number);
}

/* value_quiet is over: nothing of the former value's is left that moves a flow. */
static int steer_quiet_card(struct port *port, const struct leat_rxfh *rxfh, char *err,
			    size_t err_len)
{
	if (changing) {
		assert_false(filter.live);
		assert_int_equal(port->arfs->used, 0);
		assert_int_equal(port->moves->underway, 0);
	}
	card.rxfh = rxfh;
	return 0;
}

/* A flow of queue 0 that is read on CPU 1, and so comes on queue 1. */
static int make(void **state)
{
	filter.live = changing = false;
	stub_port.flow_steer = steer_flow;
	stub_port.flow_forget = forget_flow;
	set_up(0);
	waiting = run_all;
	set("p/rxfh/indir", "0");
	use_rfs("256");
	read_on(FLOW, 1);
	send_frame(FLOW, 1);
	turns(1);
	send_frame(FLOW, 2);
	for (unsigned i = 0; i < 4; i++)
		run_all();
	assert_order(1, 2);
	assert_true(filter.live);
	assert_int_equal(filter.queue, 1);
	assert_int_equal(plane.port[0].moves->underway, 0);
	return 0;
}

/* Back where it is without a filter it has none, and waits for what came on the other queue. */
static void test_back(void **state)
{
	read_on(FLOW, 0);
	send_frame(FLOW, 3);
	turn(&plane.rxq[0][1]);
	assert_false(filter.live);
	assert_int_equal(plane.port[0].arfs->used, 0);
	send_frame(FLOW, 4);
	turns(4);
	assert_order(1, 2);
	for (unsigned i = 0; i < 4; i++)
		run_all();
	assert_order(1, 2, 3, 4);
	assert_int_equal(plane.port[0].moves->underway, 0);
}

/* A new value waits for filters to be forgotten, and for the flows that then are on their way. */
static void test_new_value(void **state)
{
	changing = true;
	stub_port.steer = steer_quiet_card;
	set("p/rxfh/indir", "1");
	send_frame(FLOW, 3);
	run_all();
	assert_order(1, 2, 3);
}

#define test(name) cmocka_unit_test_setup_teardown(name, make, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {test(test_back), test(test_new_value)};

	alarm(30); /* a hang is a failure */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
