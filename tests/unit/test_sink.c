/* SPDX-License-Identifier: MIT */
/* Sink's threads where they are told to be, or, where they cannot be, where they were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/sink.h"
#include "plane.h"

#include <cmocka.h>

enum { NOWHERE = 1000, CPUS = NOWHERE + 1 }; /* a CPU that no machine of ours has */

static struct plane plane;
static struct worker worker;
static struct worker *on_cpu[CPUS];

static int make(void **state)
{
	char err[256];

	memset(&plane, 0, sizeof(plane));
	pthread_mutex_init(&plane.conf_lock, NULL);
	worker.cpu = (uint16_t)sched_getcpu();
	plane.worker = &worker;
	plane.n_workers = 1;
	plane.n_cpus = CPUS;
	plane.on_cpu = on_cpu;
	on_cpu[worker.cpu] = on_cpu[NOWHERE] = &worker;
	plane.conf = calloc(1, sizeof(*plane.conf));
	plane.app = &app_sink;
	return plane.conf ? app_sink.open(&plane, "threads=1", err, sizeof(err)) : -1;
}

static int unmake(void **state)
{
	app_sink.close(&plane);
	free(plane.conf);
	pthread_mutex_destroy(&plane.conf_lock);
	return 0;
}

static unsigned cpu_of_thread(void)
{
	char text[32];

	assert_int_equal(app_sink.knob(&plane, "threads/0/cpu", NULL, text, sizeof(text)), 0);
	return (unsigned)strtoul(text, NULL, 10);
}

static uint64_t ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void pause_for(long some)
{
	nanosleep(&(struct timespec){0, some}, NULL);
}

static void test_where_it_cannot_be(void **state)
{
	const struct sink *s = plane.app_state;
	uint64_t end = ns(CLOCK_MONOTONIC) + 5000000000u, used;
	clockid_t clock;

	assert_int_equal(cpu_of_thread(), worker.cpu);
	assert_int_equal(app_sink.knob(&plane, "threads/0/cpu", "1000", NULL, 0), 0);
	while (cpu_of_thread() != worker.cpu && ns(CLOCK_MONOTONIC) < end)
		pause_for(1000000);
	assert_int_equal(cpu_of_thread(), worker.cpu);
	assert_int_equal(stat_read(&s->thread[0].app.moves), 0);
	/* And it rests. */
	assert_int_equal(pthread_getcpuclockid(s->thread[0].app.thread, &clock), 0);
	used = ns(clock);
	pause_for(100000000);
	assert_true(ns(clock) - used < 20000000);
}

static void test_paths(void **state)
{
	char path[32];

	assert_true(app_sink.knob_path(&plane, 0, path, sizeof(path)));
	assert_string_equal(path, "threads/0/cpu");
	assert_false(app_sink.knob_path(&plane, 1, path, sizeof(path)));
}

#define test(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {test(test_where_it_cannot_be), test(test_paths)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
