/* SPDX-License-Identifier: MIT */
/*
 * A port that cannot choose queues has it done in software: its packets go where the queue that
 * table and rules name is served, those that a rule drops are dropped and counted, and order is kept
 * while all of it changes.
 */
#include "order.h"

enum { PACKETS = 200000 };

static const struct port_args port = {
	.name = "in",
	.kind = "gen",
	.option = {{"queues", "2"}, {"flows", "100"}, {"count", "200000"}},
	.options = 3};

static const struct plane_args args = {.cpus = (const uint16_t[]){0, 1},
				       .n_cpus = 2,
				       .port = &port,
				       .n_ports = 1,
				       .app = "sink",
				       .app_args = "threads=3,flows=100",
				       .backlog_room = BACKLOG + 1};

static struct plane plane;

/* Set what is to be set (path, value, ..., NULL), let all packets through; gives the counters. */
static json_t *run(const char *const *knobs)
{
	static const struct timespec moment = {0, 1000000};
	char err[256];
	json_t *stats;

	if (plane_open(&plane, &args, err, sizeof(err)))
		fail_msg("%s", err);
	set_number(&plane, "net/core/netdev_max_backlog", BACKLOG);
	for (; *knobs; knobs += 2)
		set(&plane, knobs[0], knobs[1]);
	if (plane_start(&plane, err, sizeof(err)))
		fail_msg("%s", err);
	while (!plane_idle(&plane))
		nanosleep(&moment, NULL);
	plane_stop(&plane);
	stats = account(&plane, PACKETS);
	plane_close(&plane);
	return stats;
}

static json_int_t processed(const json_t *stats, size_t cpu)
{
	const json_t *o = json_array_get(json_object_get(stats, "cpus"), cpu);

	return json_integer_value(json_object_get(o, "processed"));
}

static const char *who(const json_t *stats)
{
	const json_t *in = json_array_get(json_object_get(stats, "ports"), 0);

	return json_string_value(json_object_get(in, "steering"));
}

/* Nothing is set: the device's own spreading will do, and no packet is looked at. */
static void test_plain(void **state)
{
	static const char *const knobs[] = {NULL};
	json_t *stats = run(knobs);

	(void)state;
	assert_string_equal(who(stats), "software (without depth= its flows stay on their queues; "
					"nothing is set: the device's own spreading)");
	assert_true(processed(stats, 0) > PACKETS / 4 && processed(stats, 1) > PACKETS / 4);
	assert_int_equal(sum(json_object_get(stats, "cpus"), "hops"), 0);
	json_decref(stats);
}

static void test_table(void **state)
{
	static const char *const knobs[] = {"in/rxfh/indir", "start 1 equal 1", NULL};
	json_t *stats = run(knobs);

	(void)state;
	assert_string_equal(who(stats), "software (without depth= its flows stay on their queues)");
	assert_int_equal(processed(stats, 0), 0);
	assert_int_equal(processed(stats, 1), PACKETS);
	json_decref(stats);
}

/* The RPS map is that of the queue which the table names. */
static void test_map(void **state)
{
	static const char *const knobs[] = {"in/rxfh/indir", "start 1 equal 1",
					    "in/queues/rx-1/rps_cpus", "1", NULL};
	json_t *stats = run(knobs);

	(void)state;
	assert_int_equal(processed(stats, 0), PACKETS);
	json_decref(stats);
}

static void test_drop(void **state)
{
	static const char *const knobs[] = {"in/ntuple/0", "flow-type udp4 action -1", NULL};
	json_t *stats = run(knobs);

	(void)state;
	assert_int_equal(steering(stats, "rule_dropped"), PACKETS);
	json_decref(stats);
}

static void test_order(void **state)
{
	struct order order = {
		.packets = "500000",
		.flows = "1000",
		.proto = "udp",
		.queues = ORDER_QUEUES,
		.pause = 3000000,
		.change = change_queue,
	};

	(void)state;
	json_decref(order_run(&order));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain), cmocka_unit_test(test_table),
		cmocka_unit_test(test_map),   cmocka_unit_test(test_drop),
		cmocka_unit_test(test_order),
	};

	return order_main(tests, sizeof(tests) / sizeof(tests[0]));
}
