/* SPDX-License-Identifier: MIT */
/*
 * Order within a flow that changes its receive queue: port gen is a card with frames waiting on its
 * queues, steered by accelerated RFS as threads move, and by keys, tables and rules as they are
 * changed, together with all that test_order.c changes. LEAT_PACKETS and LEAT_SEED as there.
 */
#include "order.h"

#ifdef SANITIZED
#define PACKETS "300000"
#else
#define PACKETS "3000000"
#endif

static void run(const char *proto)
{
	const char *env = getenv("LEAT_PACKETS");
	struct order order = {
		.packets = env ? env : PACKETS,
		.flows = "1000",
		.proto = proto,
		.queues = ORDER_QUEUES,
		.depth = "256",
		.pause = 3000000,
		.change = change_queue,
	};
	json_t *stats = order_run(&order);

	assert_true(steering(stats, "arfs_added") > 0);
	assert_true(steering(stats, "arfs_expired") > 0);
	assert_true(steering(stats, "fenced") > 0);
	json_decref(stats);
}

static void test_udp(void **state)
{
	(void)state;
	run("udp");
}

static void test_tcp(void **state)
{
	(void)state;
	run("tcp");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_udp),
		cmocka_unit_test(test_tcp),
	};

	return order_main(tests, sizeof(tests) / sizeof(tests[0]));
}
