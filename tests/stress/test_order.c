/* SPDX-License-Identifier: MIT */
/*
 * Order within a flow, through the whole plane: port gen numbers the packets of 1,000 flows, app
 * sink checks them on threads of its own, while queues, maps, tables and threads are moved between
 * the CPUs a hundred times a second. LEAT_PACKETS says how many packets (10 million, fewer under
 * the sanitizers), LEAT_SEED what is changed when.
 */
#include "plane/knob.h"
#include "plane/plane.h"
#include "rng.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifdef SANITIZED
#define PACKETS "500000"
#else
#define PACKETS "10000000"
#endif

enum { QUEUES = 2, THREADS = 3, BACKLOG = 60000, LONG = 10000000 };

static void set(struct plane *plane, const char *path, const char *value)
{
	char err[256];

	if (knob_set(plane, path, value, err, sizeof(err)))
		fail_msg("%s", err);
}

static void set_number(struct plane *plane, const char *path, unsigned value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	set(plane, path, text);
}

/* The two CPUs to run on, as a mask of `bits`: bit 0 for the first, bit 1 for the second. */
static void set_mask(struct plane *plane, const char *path, unsigned bits)
{
	char text[64];
	unsigned mask = (bits & 1u) << plane->worker[0].cpu | (bits >> 1) << plane->worker[1].cpu;

	snprintf(text, sizeof(text), "%x", mask);
	set(plane, path, text);
}

/* One change at random. */
static void change(struct plane *plane, struct rng *rng)
{
	char path[64];
	unsigned q = rng_below(rng, QUEUES);

	switch (rng_below(rng, 6)) {
	case 0:
		snprintf(path, sizeof(path), "in/queues/rx-%u/smp_affinity_list", q);
		set_number(plane, path, plane->worker[rng_below(rng, 2)].cpu);
		break;
	case 1:
		snprintf(path, sizeof(path), "in/queues/rx-%u/rps_cpus", q);
		set_mask(plane, path, rng_below(rng, 4));
		break;
	case 2:
		snprintf(path, sizeof(path), "in/queues/rx-%u/rps_flow_cnt", q);
		set_number(plane, path, rng_below(rng, 3) * 2048);
		break;
	case 3:
		set_number(plane, "net/core/rps_sock_flow_entries", rng_below(rng, 4) * 4096);
		break;
	default:
		snprintf(path, sizeof(path), "app/threads/%u/cpu", rng_below(rng, THREADS));
		set_number(plane, path, plane->worker[rng_below(rng, 2)].cpu);
	}
}

static json_int_t sum(const json_t *list, const char *name)
{
	json_int_t total = 0;
	json_t *o;
	size_t i;

	json_array_foreach(list, i, o) total += json_integer_value(json_object_get(o, name));
	return total;
}

static void print(const json_t *stats)
{
	char *text = stats_text(stats, NULL, 1);

	print_message("%s", text);
	free(text);
}

/* What must be true of the end. A short run may end before chance has spread the work. */
static void check(struct plane *plane, json_int_t packets)
{
	json_t *stats = stats_json(plane), *cpus = json_object_get(stats, "cpus"), *cpu;
	const json_t *threads = json_object_get(json_object_get(stats, "app"), "threads");
	json_int_t seen = sum(threads, "packets"), dropped = sum(cpus, "dropped");
	json_int_t processed = sum(cpus, "processed");
	size_t i;

	print(stats);
	assert_int_equal(sum(threads, "out_of_order"), 0);
	assert_int_equal(sum(threads, "unnumbered"), 0);
	assert_int_equal(sum(threads, "gaps") + seen, packets);
	assert_int_equal(dropped, 0);
	assert_int_equal(sum(threads, "inbox_full"), 0);
	assert_int_equal(seen, packets);
	assert_true(sum(cpus, "flow_moves") >= packets / 1000);
	json_array_foreach(cpus, i, cpu)
		assert_true(json_integer_value(json_object_get(cpu, "processed")) >=
			    processed / (packets >= LONG ? 5 : 100));
	json_decref(stats);
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void run(const char *proto)
{
	static const struct timespec pause = {0, 10000000};
	static struct plane plane;
	const char *env = getenv("LEAT_PACKETS"), *packets = env ? env : PACKETS;
	struct port_args port = {.name = "in",
				 .kind = "gen",
				 .option = {{"queues", "2"},
					    {"flows", "1000"},
					    {"size", "64"},
					    {"proto", proto},
					    {"count", packets}},
				 .options = 5};
	struct plane_args args = {.cpus = (const uint16_t[]){0, 1},
				  .n_cpus = 2,
				  .port = &port,
				  .n_ports = 1,
				  .app = "sink",
				  .app_args = "threads=3,flows=1000",
				  .backlog_room = BACKLOG + 1};
	struct rng rng = rng_start(proto);
	uint64_t begin = now();
	unsigned changes = 0;
	char err[256];

	if (plane_open(&plane, &args, err, sizeof(err)))
		fail_msg("%s", err);
	set_number(&plane, "net/core/netdev_max_backlog", BACKLOG);
	if (plane_start(&plane, err, sizeof(err)))
		fail_msg("%s", err);
	while (!plane_idle(&plane)) {
		change(&plane, &rng);
		changes++;
		nanosleep(&pause, NULL);
	}
	print_message("%s: %u changes in %.1f s\n", proto, changes, (double)(now() - begin) / 1e3);
	plane_stop(&plane);
	check(&plane, (json_int_t)strtoull(packets, NULL, 10));
	plane_close(&plane);
}

/* Datagrams: every packet goes its own way. */
static void test_udp(void **state)
{
	run("udp");
}

/* Segments: GRO merges them first. */
static void test_tcp(void **state)
{
	run("tcp");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_udp),
		cmocka_unit_test(test_tcp),
	};
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) || !CPU_ISSET(0, &set) || !CPU_ISSET(1, &set)) {
		puts("skipped: needs the CPUs 0 and 1");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
