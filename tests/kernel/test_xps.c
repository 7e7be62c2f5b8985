/* SPDX-License-Identifier: MIT */
/*
 * The running kernel as the referee of XPS: by CPU, by receive queue, and forwarded; without
 * traffic classes, which are test_xps_class.c's.
 */
#include "xps_lab.h"

enum { ROUNDS = 60 };

/* Packets of no socket that remembers anything: by CPU, in the order in which masks were set. */
static void test_by_cpu(void **state)
{
	int fd = packet_socket("v0", ETH_P_IP);

	rng = rng_start("xps");
	for (unsigned i = 0; i < ROUNDS; i++) {
		judge_sent(fd, 0, 0);
		judge_sent(fd, 1, 0);
		change(&v, i > ROUNDS / 2); /* xps_rxqs do not matter here */
	}
	close(fd);
}

static void test_by_rxq(void **state)
{
	int far = packet_socket("v1", 0);

	rng = rng_start("xps");
	for (unsigned i = 0; i < ROUNDS; i++) {
		judge_socket(far, i % 2, 0);
		change(&v, true);
	}
	close(far);
}

static void test_forwarded(void **state)
{
	int far = packet_socket("v1", 0);

	rng = rng_start("xps");
	for (unsigned i = 0; i < ROUNDS; i++) {
		judge_forwarded(far, i % 2, 0);
		set_mask(&w, LEAT_XPS_CPUS, rng_below(&rng, OUTS), random_cpus());
	}
	close(far);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_cpu),
		cmocka_unit_test(test_by_rxq),
		cmocka_unit_test(test_forwarded),
	};
	const char *why = make_lab();

	if (why) {
		printf("%s\n", why);
		return 77;
	}
	alarm(300); /* a hang is a failure */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
