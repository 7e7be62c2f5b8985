/* SPDX-License-Identifier: MIT */
/*
 * order.h - a whole plane whose flows must stay in order: port gen numbers packets, app sink checks
 * them on threads of its own, and meanwhile what decides a flow's queue and CPU is changed at random.
 */
#ifndef LEAT_TESTS_ORDER_H
#define LEAT_TESTS_ORDER_H

#include "plane/knob.h"
#include "plane/plane.h"
#include "rng.h"

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

#define ORDER_QUEUES "4" /* of a steered port */

enum { THREADS = 3, BACKLOG = 60000, KEY_BYTES = 40 };

struct order {
	const char *packets, *flows, *proto;
	const char *queues;
	const char *depth; /* NULL: a port that cannot be steered */
	long pause;	   /* ns between two changes */
	void (*change)(struct plane *plane, struct rng *rng);
};

static inline void set(struct plane *plane, const char *path, const char *value)
{
	char err[1024];

	if (knob_set(plane, path, value, err, sizeof(err)))
		fail_msg("%s", err);
}

static inline void set_number(struct plane *plane, const char *path, unsigned value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	set(plane, path, text);
}

/* The two CPUs to run on, as a mask of `bits`: bit 0 for the first, bit 1 for the second. */
static inline void set_mask(struct plane *plane, const char *path, unsigned bits)
{
	char text[64];
	unsigned mask = (bits & 1u) << plane->worker[0].cpu | (bits >> 1) << plane->worker[1].cpu;

	snprintf(text, sizeof(text), "%x", mask);
	set(plane, path, text);
}

static inline const char *queue_path(const struct plane *plane, struct rng *rng, const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "in/queues/rx-%u/%s", rng_below(rng, plane->port[0].rxqs),
		 name);
	return path;
}

static inline void move_thread(struct plane *plane, struct rng *rng)
{
	char path[64];

	snprintf(path, sizeof(path), "app/threads/%u/cpu", rng_below(rng, THREADS));
	set_number(plane, path, plane->worker[rng_below(rng, 2)].cpu);
}

/* One change at random of what decides a flow's CPU. */
static inline void change_cpu(struct plane *plane, struct rng *rng)
{
	switch (rng_below(rng, 6)) {
	case 0:
		set_number(plane, queue_path(plane, rng, "smp_affinity_list"),
			   plane->worker[rng_below(rng, 2)].cpu);
		break;
	case 1: set_mask(plane, queue_path(plane, rng, "rps_cpus"), rng_below(rng, 4)); break;
	case 2:
		set_number(plane, queue_path(plane, rng, "rps_flow_cnt"), rng_below(rng, 3) * 2048);
		break;
	case 3:
		set_number(plane, "net/core/rps_sock_flow_entries", rng_below(rng, 4) * 4096);
		break;
	default: move_thread(plane, rng);
	}
}

static inline void change_key(struct plane *plane, struct rng *rng)
{
	char text[3 * KEY_BYTES + 1];

	for (unsigned i = 0; i < KEY_BYTES; i++)
		snprintf(text + 3 * i, 4, i + 1 < KEY_BYTES ? "%02x:" : "%02x",
			 (unsigned)rng_below(rng, 256));
	set(plane, "in/rxfh/key", text);
}

static inline void change_indir(struct plane *plane, struct rng *rng)
{
	static const char *const indirs[] = {"default", "equal 2", "weight 1 2 3 4",
					     "start 1 equal 3", "equal 1"};

	set(plane, "in/rxfh/indir", indirs[rng_below(rng, 5)]);
}

/* Rules 0 to 3, of the destination ports' highest bits. */
static inline void change_rule(struct plane *plane, struct rng *rng)
{
	unsigned location = rng_below(rng, 4);
	char path[32], rule[128];

	snprintf(path, sizeof(path), "in/ntuple/%u", location);
	snprintf(rule, sizeof(rule), "flow-type %s4 dst-port %u m 0x1fff action %u",
		 rng_below(rng, 2) ? "udp" : "tcp", location << 13, rng_below(rng, 4));
	set(plane, path, rule);
}

static inline void change_filters(struct plane *plane, struct rng *rng)
{
	static const unsigned filters[] = {0, 100, 8192};

	if (rng_below(rng, 4) == 0)
		set(plane, "in/features/rx-ntuple-filter", rng_below(rng, 4) ? "on" : "off");
	else
		set_number(plane, "in/arfs_filters", filters[rng_below(rng, 3)]);
}

/* All that accelerated RFS needs. */
static inline void accelerate(struct plane *plane, struct rng *rng)
{
	set(plane, "in/queues/rx-*/rps_flow_cnt", rng_below(rng, 2) ? "4096" : "32768");
	set(plane, "net/core/rps_sock_flow_entries", "32768");
	set(plane, "in/arfs_filters", "8192");
	set(plane, "in/features/rx-ntuple-filter", "on");
}

/* One change at random of what decides a flow's queue, or its CPU; most often where it is read. */
static inline void change_queue(struct plane *plane, struct rng *rng)
{
	static void (*const how[])(struct plane *, struct rng *) = {
		change_key, change_indir, change_rule, change_filters, change_cpu,
		change_cpu, change_cpu,	  accelerate,  accelerate,
	};
	unsigned i = rng_below(rng, 2 * sizeof(how) / sizeof(how[0]));

	if (i < sizeof(how) / sizeof(how[0]))
		how[i](plane, rng);
	else
		move_thread(plane, rng);
}

static inline json_int_t sum(const json_t *list, const char *name)
{
	json_int_t total = 0;
	json_t *o;
	size_t i;

	json_array_foreach(list, i, o) total += json_integer_value(json_object_get(o, name));
	return total;
}

/* What port "in" counted of its steering. */
static inline json_int_t steering(const json_t *stats, const char *name)
{
	const json_t *in = json_object_get(json_object_get(stats, "steering"), "in");

	return json_integer_value(json_object_get(in, name));
}

static inline void print(const json_t *stats)
{
	char *text = stats_text(stats, NULL, 1);

	fputs(text, stdout);
	free(text);
}

static inline uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Every packet arrived, in its flow's order, or was dropped and is counted: gives the counters. */
static inline json_t *account(struct plane *plane, json_int_t packets)
{
	json_t *stats = stats_json(plane);
	const json_t *threads = json_object_get(json_object_get(stats, "app"), "threads");
	const json_t *rx =
		json_object_get(json_array_get(json_object_get(stats, "ports"), 0), "rx");
	json_int_t seen = sum(threads, "packets");

	print(stats);
	assert_int_equal(sum(threads, "out_of_order"), 0);
	assert_int_equal(sum(threads, "unnumbered"), 0);
	assert_int_equal(sum(threads, "inbox_full"), 0);
	assert_int_equal(sum(json_object_get(stats, "cpus"), "dropped"), 0);
	assert_int_equal(seen + steering(stats, "fence_dropped") + steering(stats, "rule_dropped") +
				 sum(rx, "dropped"),
			 packets);
	assert_true(seen + sum(threads, "gaps") <= packets); /* the last of a flow leave no gap */
	return stats;
}

/* Once in a while: whether it is lost already. */
static inline bool is_lost(struct plane *plane, unsigned changes)
{
	json_t *stats;
	bool lost;

	if (changes % 32)
		return false;
	stats = plane->app->stats(plane);
	lost = sum(json_object_get(stats, "threads"), "out_of_order") > 0;
	json_decref(stats);
	return lost;
}

/* Make a plane as `o` has it and change it until all packets have been processed; gives what was
 * counted, for the caller to look at. */
static inline json_t *order_run(const struct order *o)
{
	static struct plane plane;
	struct port_args port = {.name = "in",
				 .kind = "gen",
				 .option = {{"queues", o->queues},
					    {"flows", o->flows},
					    {"size", "64"},
					    {"proto", o->proto},
					    {"count", o->packets},
					    {"depth", o->depth ? o->depth : "0"}},
				 .options = 6};
	struct plane_args args = {.cpus = (const uint16_t[]){0, 1},
				  .n_cpus = 2,
				  .port = &port,
				  .n_ports = 1,
				  .app = "sink",
				  .backlog_room = BACKLOG + 1};
	const struct timespec pause = {0, o->pause};
	struct rng rng = rng_start(o->proto);
	uint64_t begin = now();
	unsigned changes = 0;
	char err[256], app[64];
	json_t *stats;

	snprintf(app, sizeof(app), "threads=%d,flows=%s", THREADS, o->flows);
	args.app_args = app;
	if (plane_open(&plane, &args, err, sizeof(err)))
		fail_msg("%s", err);
	set_number(&plane, "net/core/netdev_max_backlog", BACKLOG);
	if (plane_start(&plane, err, sizeof(err)))
		fail_msg("%s", err);
	while (!plane_idle(&plane) && !is_lost(&plane, changes)) {
		o->change(&plane, &rng);
		changes++;
		nanosleep(&pause, NULL);
	}
	print_message("%s: %u changes in %.1f s\n", o->proto, changes,
		      (double)(now() - begin) / 1e3);
	plane_stop(&plane);
	stats = account(&plane, (json_int_t)strtoull(o->packets, NULL, 10));
	plane_close(&plane);
	return stats;
}

/* Exit code 77 where there are no CPUs 0 and 1. */
static inline int order_main(const struct CMUnitTest *tests, size_t n)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) || !CPU_ISSET(0, &set) || !CPU_ISSET(1, &set)) {
		puts("skipped: needs the CPUs 0 and 1");
		return 77;
	}
	return _cmocka_run_group_tests("tests", tests, n, NULL, NULL);
}

#endif
