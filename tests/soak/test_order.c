/* SPDX-License-Identifier: MIT */
/*
 * Order within 10,000 flows for 100 million packets (LEAT_PACKETS), while everything that decides a
 * flow's queue or CPU changes every few milliseconds. LEAT_SEED says what is changed when.
 */
#include "../stress/order.h"

enum { PACKETS_PER_MOVE = 100 }; /* a flow moves at least once in so many packets */

static void run(const char *proto, const char *packets)
{
	struct order order = {
		.packets = packets,
		.flows = "10000",
		.proto = proto,
		.queues = ORDER_QUEUES,
		.depth = "1024",
		.pause = 3000000,
		.change = change_queue,
	};
	json_t *stats = order_run(&order);
	json_int_t moves = sum(json_object_get(stats, "cpus"), "flow_moves");

	printf("%s: %lld moves to another CPU, %lld to another queue by accelerated RFS\n", proto,
	       (long long)moves,
	       (long long)(steering(stats, "arfs_added") + steering(stats, "arfs_moved") +
			   steering(stats, "arfs_expired")));
	assert_true(moves >= strtoll(packets, NULL, 10) / PACKETS_PER_MOVE);
	assert_true(steering(stats, "arfs_added") > 0 && steering(stats, "fenced") > 0);
	json_decref(stats);
}

/* Half of the packets, each of its own. */
static void test_udp(void **state)
{
	run("udp", *state);
}

/* The other half, merged by GRO. */
static void test_tcp(void **state)
{
	run("tcp", *state);
}

int main(void)
{
	const char *env = getenv("LEAT_PACKETS");
	char half[32];
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(test_udp, half),
		cmocka_unit_test_prestate(test_tcp, half),
	};

	snprintf(half, sizeof(half), "%llu", strtoull(env ? env : "100000000", NULL, 10) / 2);
	return order_main(tests, sizeof(tests) / sizeof(tests[0]));
}
