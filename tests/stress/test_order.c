/* SPDX-License-Identifier: MIT */
/*
 * Order within a flow, through the whole plane, while queues, maps, tables and threads are moved
 * between the CPUs a hundred times a second. Each flow stays on its queue; test_moves.c has those
 * that do not. LEAT_PACKETS says how many packets (10 million in two runs, fewer with sanitizers),
 * LEAT_SEED what is changed when.
 */
#include "order.h"

#ifdef SANITIZED
#define PACKETS "500000"
#else
#define PACKETS "5000000" /* twice: datagrams, segments */
#endif

enum { LONG = 5000000 };

/* A short run may end before chance has spread the work. */
static void run(const char *proto)
{
	const char *env = getenv("LEAT_PACKETS"), *text = env ? env : PACKETS;
	json_int_t packets = (json_int_t)strtoull(text, NULL, 10), processed;
	struct order order = {
		.packets = text,
		.flows = "1000",
		.proto = proto,
		.queues = "2",
		.pause = 10000000,
		.change = change_cpu,
	};
	json_t *stats = order_run(&order), *cpus = json_object_get(stats, "cpus"), *cpu;
	const json_t *threads = json_object_get(json_object_get(stats, "app"), "threads");
	size_t i;

	assert_int_equal(sum(threads, "packets"), packets);
	assert_int_equal(sum(threads, "gaps"), 0);
	assert_true(sum(cpus, "flow_moves") >= packets / 500);
	processed = sum(cpus, "processed");
	json_array_foreach(cpus, i, cpu)
		assert_true(json_integer_value(json_object_get(cpu, "processed")) >=
			    processed / (packets >= LONG ? 5 : 100));
	json_decref(stats);
}

/* Datagrams: every packet goes its own way. */
static void test_udp(void **state)
{
	(void)state;
	run("udp");
}

/* Segments: GRO merges them first. */
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
