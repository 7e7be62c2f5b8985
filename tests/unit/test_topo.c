/* SPDX-License-Identifier: MIT */
/*
 * Distances between CPUs: of machines made up here, and of the one that this runs on.
 */
#include "plane/topo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

/* Two nodes; CPUs 0 and 1 are siblings, 2 shares their cache, 3 their package, 4 their node alone. */
static struct topo_cpu cpus[] = {
	{0, 0, 0, 0}, {0, 0, 0, 0}, {1, 0, 0, 0},     {2, 1, 0, 0},
	{3, 2, 1, 0}, {4, 3, 2, 1}, {-1, -1, -1, -1}, {-1, -1, -1, -1},
};
static const struct topo machine = {8, cpus};

static void test_made_up(void **state)
{
	static const uint16_t want[] = {
		LEAT_ARFS_SAME, LEAT_ARFS_SIBLING, LEAT_ARFS_CACHE, LEAT_ARFS_CACHE,
		LEAT_ARFS_NODE, LEAT_ARFS_FAR,	   LEAT_ARFS_FAR,
	};

	for (unsigned cpu = 0; cpu < sizeof(want) / sizeof(want[0]); cpu++) {
		assert_int_equal(topo_distance(&machine, 0, cpu), want[cpu]);
		assert_int_equal(topo_distance(&machine, cpu, 0), want[cpu]);
	}
	assert_int_equal(topo_distance(&machine, 6, 7), LEAT_ARFS_FAR); /* both unknown */
	assert_int_equal(topo_distance(&machine, 7, 7), LEAT_ARFS_SAME);
	assert_int_equal(topo_distance(&machine, 0, 8), LEAT_ARFS_FAR); /* out of range */
}

/* Every CPU that is online has a core and a node, and nothing is nearer than itself. */
static void test_this(void **state)
{
	unsigned n = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	struct topo topo;

	assert_int_equal(topo_init(&topo, n + 1), 0);
	assert_true(topo.cpu[0].core >= 0 && topo.cpu[0].node >= 0 && topo.cpu[0].package >= 0);
	for (unsigned a = 0; a <= n; a++) {
		for (unsigned b = 0; b <= n; b++) {
			assert_int_equal(topo_distance(&topo, a, b), topo_distance(&topo, b, a));
			assert_true((topo_distance(&topo, a, b) == LEAT_ARFS_SAME) == (a == b));
		}
	}
	topo_fini(&topo);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made_up),
		cmocka_unit_test(test_this),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
