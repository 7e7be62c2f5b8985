/* SPDX-License-Identifier: MIT */
/* Sets of CPUs: both forms read, refused and printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../rng.h"
#include "cpulist.h"

#include <cmocka.h>

struct row {
	const char *text;
	unsigned n_cpus;
	int err;
	const char *list, *mask; /* how the set reads back */
};

static const struct row masks[] = {
	{"3", 2, 0, "0-1", "3"},
	{"0", 2, 0, "", "0"},
	{"", 2, 0, "", "0"},
	{"00000003", 2, 0, "0-1", "3"},
	{"2\n", 2, 0, "1", "2"},
	{" 1 ", 2, 0, "0", "1"},
	{"F", 4, 0, "0-3", "f"},
	{"10", 8, 0, "4", "10"},
	{"ff,ffffffff", 40, 0, "0-39", "ff,ffffffff"},
	{"1,00000000", 40, 0, "32", "01,00000000"},
	{"5", 40, 0, "0,2", "00,00000005"},
	{"80000000,00000000,00000001", 96, 0, "0,95", "80000000,00000000,00000001"},
	{"1,00000000,00000000", 65, 0, "64", "1,00000000,00000000"},
	/* Lists, where it can be no mask that the kernel printed. */
	{"0-3,8", 9, 0, "0-3,8", "10f"},
	{"0-0", 2, 0, "0", "1"},
	{"0,1", 2, 0, "0-1", "3"},
	{"1,0", 2, 0, "0-1", "3"},
	{"0,2,4", 5, 0, "0,2,4", "15"},
	/* Wrong. */
	{"4", 2, -EOVERFLOW, NULL, NULL},
	{"100000000", 40, -EOVERFLOW, NULL, NULL},
	{"1,00000000", 32, -EOVERFLOW, NULL, NULL},
	{"ffffffff,ffffffff,ffffffff", 64, -EOVERFLOW, NULL, NULL},
	{"0-2", 2, -EOVERFLOW, NULL, NULL},
	{"0x3", 2, -EINVAL, NULL, NULL},
	{"g", 2, -EINVAL, NULL, NULL},
	{",00000001", 2, -EINVAL, NULL, NULL},
	{"1,", 2, -EINVAL, NULL, NULL},
	{"-", 2, -EINVAL, NULL, NULL},
	{"-1", 2, -EINVAL, NULL, NULL},
	{"1 2", 2, -EINVAL, NULL, NULL},
	{"+1", 2, -EINVAL, NULL, NULL},
};

static const struct row lists[] = {
	{"0", 1, 0, "0", "1"},
	{"", 8, 0, "", "00"},
	{"10", 12, 0, "10", "400"},
	{"0-3,8\n", 12, 0, "0-3,8", "10f"},
	{"3,1,2", 4, 0, "1-3", "e"},
	{"0-1,1-2", 4, 0, "0-2", "7"},
	{"63-64", 65, 0, "63-64", "1,80000000,00000000"},
	{"1023", 1024, 0, "1023", NULL},
	{"1024", 1024, -EOVERFLOW, NULL, NULL},
	{"0-99999999999999999999", 8, -EOVERFLOW, NULL, NULL},
	{"8", 8, -EOVERFLOW, NULL, NULL},
	{"3-1", 8, -EINVAL, NULL, NULL},
	{"1,,2", 8, -EINVAL, NULL, NULL},
	{"1,", 8, -EINVAL, NULL, NULL},
	{",1", 8, -EINVAL, NULL, NULL},
	{"1-", 8, -EINVAL, NULL, NULL},
	{"f", 16, -EINVAL, NULL, NULL},
	{"1;2", 8, -EINVAL, NULL, NULL},
};

static void check(const struct row *row, int (*parse)(struct cpulist *, const char *, unsigned))
{
	struct cpulist set, before;
	char text[CPULIST_TEXT_MAX];

	memset(&set, 0x5a, sizeof(set));
	before = set;
	print_message("'%s' of %u\n", row->text, row->n_cpus);
	assert_int_equal(parse(&set, row->text, row->n_cpus), row->err);
	if (row->err) {
		assert_memory_equal(&set, &before, sizeof(set));
		return;
	}
	cpulist_print(&set, row->n_cpus, text, sizeof(text));
	assert_string_equal(text, row->list);
	cpulist_print_mask(&set, row->n_cpus, text, sizeof(text));
	if (row->mask)
		assert_string_equal(text, row->mask);
}

static void test_masks(void **state)
{
	for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++)
		check(&masks[i], cpulist_parse_mask);
}

static void test_lists(void **state)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		check(&lists[i], cpulist_parse);
}

/* What is printed is read back, in both forms, and fits the room that is promised. */
static void test_round_trip(void **state)
{
	struct rng rng = rng_start("test_cpulist");

	for (unsigned round = 0; round < 2000; round++) {
		unsigned n_cpus = 1 + rng_below(&rng, LEAT_CPUS_MAX), count = 0;
		struct cpulist set = {{0}}, read;
		char text[CPULIST_TEXT_MAX];

		for (unsigned cpu = 0; cpu < n_cpus; cpu++) {
			if (round == 0 ? cpu % 2 : rng_once_in(&rng, 3)) {
				cpulist_add(&set, cpu);
				count++;
			}
		}
		assert_int_equal(cpulist_count(&set), count);
		cpulist_print(&set, n_cpus, text, sizeof(text));
		assert_true(strlen(text) < sizeof(text) - 1);
		assert_int_equal(cpulist_parse(&read, text, n_cpus), 0);
		assert_memory_equal(&set, &read, sizeof(set));
		cpulist_print_mask(&set, n_cpus, text, sizeof(text));
		assert_int_equal(cpulist_parse_mask(&read, text, n_cpus), 0);
		assert_memory_equal(&set, &read, sizeof(set));
	}
}

static void test_cut(void **state)
{
	struct cpulist set = {{0xff00ff}};
	char text[8] = "xxxxxxx";

	cpulist_print(&set, 64, text, 5);
	assert_string_equal(text, "0-7,");
	assert_int_equal(text[5], 'x');
	cpulist_print_mask(&set, 64, text, 5);
	assert_string_equal(text, "0000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_masks),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
