/* SPDX-License-Identifier: MIT */
/*
 * test_pace.c - packets due by the clock: never more than that, in the end all of them, and a
 * descriptor that wakes for them and for nothing else.
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "port/pace.h"

enum { BATCH = 64 };

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static bool is_readable(const struct pace *p, int ms)
{
	struct pollfd fd = {.fd = p->fd, .events = POLLIN};

	return poll(&fd, 1, ms) == 1;
}

static void test_no_rate(void **state)
{
	struct pace p;

	assert_int_equal(pace_init(&p, 0), 0);
	assert_false(is_readable(&p, 0));
	assert_int_equal(pace_due(&p, BATCH), 0);
	pace_start(&p);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(is_readable(&p, 0));
		assert_int_equal(pace_due(&p, BATCH), BATCH);
		pace_give(&p, BATCH);
	}
	pace_stop(&p);
	assert_false(is_readable(&p, 0));
	pace_fini(&p);
}

/* Whenever it wakes, take what is due. */
static void run(double rate, uint64_t count)
{
	uint64_t begin, time = 0, got = 0, empty = 0, turns = 0;
	struct pace p;

	assert_int_equal(pace_init(&p, rate), 0);
	assert_false(is_readable(&p, 0));
	assert_int_equal(pace_due(&p, BATCH), 0);
	begin = now();
	pace_start(&p);
	while (got < count) {
		unsigned n;

		assert_true(is_readable(&p, 2000));
		turns++;
		do {
			n = pace_due(&p, BATCH);
			pace_give(&p, n);
			got += n;
			empty += n == 0;
		} while (n == BATCH);
		time = now() - begin;
		assert_true((double)got <= (double)time * rate / 1e9);
	}
	/* The first look, and the one after a full batch that was all. */
	assert_in_range(empty, 0, 1 + got / BATCH);
	assert_in_range(turns, 1, time / PACE_WAKE_NS + 2);
	assert_in_range(turns, 1, count + 2);
	pace_stop(&p);
	assert_false(is_readable(&p, 2));
	pace_fini(&p);
}

static void test_rates(void **state)
{
	run(50, 5);
	run(2000.5, 200);
	run(19000, 1900);
	run(3000000, 300000);
}

/* What nobody asked for in time is due all the same. */
static void test_late(void **state)
{
	struct pace p;
	unsigned n = 0, got;

	assert_int_equal(pace_init(&p, 100000), 0);
	pace_start(&p);
	usleep(20000);
	do {
		got = pace_due(&p, BATCH);
		pace_give(&p, got);
		n += got;
	} while (got == BATCH);
	assert_true(n >= 2000);
	pace_fini(&p);
}

/* What was due and not taken stays so. */
static void test_not_taken(void **state)
{
	struct pace p;

	assert_int_equal(pace_init(&p, 10000), 0);
	pace_start(&p);
	usleep(2000);
	assert_in_range(pace_due(&p, 10), 10, 10);
	assert_in_range(pace_due(&p, 10), 10, 10);
	pace_give(&p, 10);
	assert_in_range(pace_due(&p, 10), 10, 10);
	pace_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_rate),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
