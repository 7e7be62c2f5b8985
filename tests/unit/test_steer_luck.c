/* SPDX-License-Identifier: MIT */
/*
 * test_steer_luck.c - luck as leat steer draws it, against what is known without drawing.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../cli/steer/luck.h"

static const uint8_t key[LEAT_RSS_KEY_MIN];

static void init(struct leat_rss *rss, unsigned n_queues)
{
	const struct leat_rss_conf conf = {
		.key = key, .key_len = sizeof(key), .n_queues = n_queues};

	assert_int_equal(leat_rss_init(rss, &conf), 0);
}

static struct luck draw(const struct luck_unit *unit, size_t n, unsigned n_queues, double observed)
{
	struct luck luck;

	assert_int_equal(luck_draw(&luck, unit, n, n_queues, observed), 0);
	return luck;
}

static void expect(double got, double want, double within)
{
	if (fabs(got - want) > within)
		fail_msg("%f, not %f", got, want);
}

static void test_unevenness(void **state)
{
	const double even[] = {2, 2, 2, 2}, one[] = {0, 0, 5, 0}, none[4] = {0};

	expect(luck_unevenness(even, 4), 1, 0);
	expect(luck_unevenness(one, 4), 4, 0);
	expect(luck_unevenness(none, 4), 0, 0);
}

/* Two flows on two queues: together half of the time. */
static void test_two_flows(void **state)
{
	struct luck_unit unit[2];
	struct leat_rss rss;
	struct luck luck;

	init(&rss, 2);
	unit[0] = unit[1] = (struct luck_unit){1, &rss, 0};
	luck = draw(unit, 2, 2, 2);
	expect(luck.mean, 1.5, 0.02);
	expect(luck.above, 0.5, 0.02);
	expect(luck.used, 1.5, 0.02);
	expect(luck.low, 1, 0);
	expect(luck.high, 2, 0);
}

/* Birthdays: 3 flows on 16 queues share none with probability 15/16 * 14/16. */
static void test_three_flows(void **state)
{
	struct luck_unit unit[3];
	struct leat_rss rss;
	struct luck luck;

	init(&rss, 16);
	for (unsigned i = 0; i < 3; i++)
		unit[i] = (struct luck_unit){1, &rss, 0};
	luck = draw(unit, 3, 16, 10);
	expect(luck.above, 1 - 15 * 14 / 256.0, 0.015);
}

/* What has its queue keeps it, and what is added to a table's queue wraps round. */
static void test_fixed(void **state)
{
	struct luck_unit unit[2] = {{3, NULL, 1}, {1, NULL, 0}};
	struct leat_rss rss;
	struct luck luck = draw(unit, 2, 4, 3);

	expect(luck.mean, 3, 1e-9);
	expect(luck.low, 3, 0);
	expect(luck.above, 1, 0);
	init(&rss, 1);
	unit[0] = (struct luck_unit){1, &rss, 5};
	unit[1] = (struct luck_unit){1, NULL, 1};
	luck = draw(unit, 2, 4, 4);
	expect(luck.mean, 4, 1e-9);
}

static void test_repeatable(void **state)
{
	struct luck_unit unit[100];
	struct luck first, second;
	struct leat_rss rss;

	init(&rss, 8);
	for (unsigned i = 0; i < 100; i++)
		unit[i] = (struct luck_unit){1 + i % 7, &rss, 0};
	first = draw(unit, 100, 8, 1.5);
	second = draw(unit, 100, 8, 1.5);
	expect(first.mean, second.mean, 0);
	expect(first.high, second.high, 0);
	assert_true(first.low < first.mean && first.mean < first.high);
}

static void test_nothing(void **state)
{
	struct luck luck = draw(NULL, 0, 16, 0);

	expect(luck.mean, 0, 0);
	expect(luck.used, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unevenness),  cmocka_unit_test(test_two_flows),
		cmocka_unit_test(test_three_flows), cmocka_unit_test(test_fixed),
		cmocka_unit_test(test_repeatable),  cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
