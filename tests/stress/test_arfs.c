/* SPDX-License-Identifier: MIT */
/*
 * Accelerated RFS has a flow's frames come on the queue of the CPU where they are read. After a
 * thread has moved to the other CPU, and so many packets per flow, less than 1 % of the packets need
 * a hop between CPUs; without, half of them do.
 */
#include "order.h"

enum {
	FLOWS = 64,
	SETTLED = 200 * FLOWS, /* packets after which flows have followed their thread */
	MEASURED = 20000,      /* packets then looked at */
	MOVES = 20,
};

static struct plane plane;

static uint64_t count(size_t member)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < plane.n_workers; i++)
		n += stat_read((const uint64_t *)((char *)&plane.worker[i].stats + member));
	return n;
}

static uint64_t processed(void)
{
	return count(offsetof(struct worker_stats, processed));
}

static void await(uint64_t packets)
{
	static const struct timespec moment = {0, 1000000};

	for (uint64_t end = processed() + packets; processed() < end;)
		nanosleep(&moment, NULL);
}

/* The share of packets that hop, in percent, once what there was to do after a change is done. */
static double measure(void)
{
	uint64_t hops, packets;

	await(SETTLED);
	hops = count(offsetof(struct worker_stats, hops));
	packets = processed();
	await(MEASURED);
	hops = count(offsetof(struct worker_stats, hops)) - hops;
	return 100.0 * (double)hops / (double)(processed() - packets);
}

static void begin(const char *filters)
{
	static const struct port_args port = {
		.name = "in",
		.kind = "gen",
		.option = {{"queues", "2"}, {"flows", "64"}, {"rate", "200000"}, {"depth", "64"}},
		.options = 4};
	const struct plane_args args = {.cpus = (const uint16_t[]){0, 1},
					.n_cpus = 2,
					.port = &port,
					.n_ports = 1,
					.app = "sink",
					.app_args = "threads=2,flows=64",
					.backlog_room = BACKLOG + 1};
	char err[256];

	if (plane_open(&plane, &args, err, sizeof(err)))
		fail_msg("%s", err);
	set_number(&plane, "net/core/netdev_max_backlog", BACKLOG);
	set(&plane, "in/queues/rx-*/rps_flow_cnt", "32768");
	set(&plane, "net/core/rps_sock_flow_entries", "32768");
	set(&plane, "app/threads/*/cpu", "0");
	set(&plane, "in/arfs_filters", filters);
	if (plane_start(&plane, err, sizeof(err)))
		fail_msg("%s", err);
}

static json_t *end(void)
{
	json_t *stats;

	plane_stop(&plane);
	stats = stats_json(&plane);
	print(stats);
	assert_int_equal(
		sum(json_object_get(json_object_get(stats, "app"), "threads"), "out_of_order"), 0);
	assert_int_equal(sum(json_object_get(json_object_get(stats, "app"), "threads"), "gaps"), 0);
	plane_close(&plane);
	return stats;
}

static void test_follow(void **state)
{
	double most = 0;
	json_t *stats;

	(void)state;
	begin("8192");
	for (unsigned i = 0; i < MOVES; i++) {
		double share = measure();

		most = share > most ? share : most;
		assert_true(share < 1);
		set_number(&plane, i % 2 ? "app/threads/1/cpu" : "app/threads/0/cpu", i / 2 % 2);
	}
	printf("at most %.3f %% of the packets hop\n", most);
	stats = end();
	assert_true(steering(stats, "arfs_added") >= FLOWS);
	/* A flow that is back on its own queue has no filter: half of them are. */
	assert_true(steering(stats, "arfs_added") - steering(stats, "arfs_expired") <
		    FLOWS * 3 / 4);
	json_decref(stats);
}

/* The same where rx-ntuple-filter is off: the threads are on CPU 0, the queues on both. */
static void test_off(void **state)
{
	double share;
	json_t *stats;

	(void)state;
	begin("8192");
	set(&plane, "in/features/rx-ntuple-filter", "off");
	share = measure();
	printf("%.1f %% of the packets hop\n", share);
	assert_true(share > 25);
	stats = end();
	assert_int_equal(steering(stats, "arfs_added") - steering(stats, "arfs_expired"), 0);
	json_decref(stats);
}

/* A port that has room for few is no error: the others hop. */
static void test_full(void **state)
{
	double share;
	json_t *stats;

	(void)state;
	begin("8");
	share = measure();
	printf("%.1f %% of the packets hop\n", share);
	assert_true(share > 5);
	stats = end();
	assert_int_equal(steering(stats, "arfs_added") - steering(stats, "arfs_expired"), 8);
	assert_true(steering(stats, "arfs_failed") > 0);
	json_decref(stats);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_follow),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_full),
	};

	return order_main(tests, sizeof(tests) / sizeof(tests[0]));
}
