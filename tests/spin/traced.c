/* SPDX-License-Identifier: MIT */
/*
 * Write what a plane does to keep flows in order, while all that decides their queues and CPUs is
 * changed as in tests/stress/test_moves.c, to the file that LEAT_TRACE names: tests/spin/replay
 * runs this and judges it. LEAT_PACKETS and LEAT_SEED as in the stress tests; LEAT_PROTO: udp, tcp.
 */
#include "plane/trace.h"
#include "stress/order.h"

#include <string.h>

enum { STEPS = 8000000 };

static const char *option(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value ? value : otherwise;
}

static void test_trace(void **state)
{
	struct order order = {
		.packets = option("LEAT_PACKETS", "300000"),
		.flows = "200",
		.proto = option("LEAT_PROTO", "tcp"),
		.queues = ORDER_QUEUES,
		.depth = "256",
		.pause = 500000,
		.change = change_queue,
	};

	(void)state;
	assert_int_equal(trace_begin(STEPS), 0);
	json_decref(order_run(&order));
}

/* Of a run that failed, too: that one most of all. */
static int write_trace(void **state)
{
	int64_t steps = trace_end(option("LEAT_TRACE", "trace"));

	(void)state;
	if (steps < 0)
		print_error("trace: %s\n", strerror((int)-steps));
	return steps < 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_trace, write_trace)};

	return order_main(tests, 1);
}
