/* SPDX-License-Identifier: MIT */
/*
 * The running kernel as the referee of XPS with traffic classes: mqprio takes the same ones, or
 * refuses them alike; and each packet's priority, from its socket or its TOS, says which class's
 * lists and queues it has.
 */
#include "xps_lab.h"

enum { ROUNDS = 60, CLASSES = 4, PRIORITIES = 2 * LEAT_XPS_PRIOS };

/* The mqprio of Linux 6.1 takes classes only in the order of their queues, that of 6.12 in any. */
static bool any_order;
static unsigned n_taken, n_refused; /* classes, by both */

/* Linux keeps the map of classes that are gone, and finds lists only for priorities that were of
 * class 0: so of the last classes all are. */
static bool set_kernel_none(const struct link *l)
{
	return shell("tc qdisc add dev %s root mqprio num_tc 1 map 0 queues 1@0 hw 0 && "
		     "tc qdisc del dev %s root && tc qdisc add dev %s root mq",
		     l->near, l->near, l->near);
}

/* Have mqprio, or mq for none, as the only word on classes; whether the kernel takes it. */
static bool set_kernel_tcs(const struct link *l, const struct leat_xps_tcs *tcs)
{
	char map[LEAT_XPS_PRIOS * 4 + 1], queues[CLASSES * 12 + 1];
	int m = 0, q = 0;

	shell("tc qdisc del dev %s root 2>/dev/null", l->near); /* there is none after a refusal */
	if (tcs->num_tc == 0)
		return set_kernel_none(l);
	for (unsigned i = 0; i < LEAT_XPS_PRIOS; i++)
		m += snprintf(map + m, sizeof(map) - (size_t)m, " %u", tcs->map[i]);
	for (unsigned i = 0; i < tcs->num_tc; i++)
		q += snprintf(queues + q, sizeof(queues) - (size_t)q, " %u@%u",
			      tcs->queues[i].count, tcs->queues[i].offset);
	return shell("tc qdisc add dev %s root mqprio num_tc %u map%s queues%s hw 0 2>/dev/null",
		     l->near, tcs->num_tc, map, queues);
}

/* Runs of queues with gaps between them; now and then none, one too many, or another's. */
static void random_queues(struct leat_xps_tcs *tcs)
{
	unsigned at = 0, a = rng_below(&rng, tcs->num_tc), b = rng_below(&rng, tcs->num_tc);
	struct leat_xps_tc first;

	for (unsigned i = 0; i < tcs->num_tc; i++) {
		if (rng_once_in(&rng, 4))
			at++;
		else if (at && rng_once_in(&rng, 16))
			at--;
		tcs->queues[i].offset = (uint16_t)at;
		tcs->queues[i].count =
			(uint16_t)(rng_once_in(&rng, 32) ? 0 : 1 + rng_below(&rng, 3));
		at += tcs->queues[i].count;
	}
	if (any_order) {
		first = tcs->queues[a];
		tcs->queues[a] = tcs->queues[b];
		tcs->queues[b] = first;
	}
}

/* Classes, or seldom none; many that have to be refused. */
static struct leat_xps_tcs random_tcs(bool none)
{
	struct leat_xps_tcs tcs = {0};

	if (none && rng_once_in(&rng, 8))
		return tcs;
	tcs.num_tc = (uint8_t)(1 + rng_below(&rng, CLASSES));
	for (unsigned i = 0; i < LEAT_XPS_PRIOS; i++)
		tcs.map[i] = (uint8_t)rng_below(&rng, tcs.num_tc + rng_once_in(&rng, 64));
	random_queues(&tcs);
	return tcs;
}

/* Both have the same queues in each class. */
static void check_queues(const struct link *l)
{
	for (unsigned q = 0; q < l->queues; q++) {
		if (!is_left_over(l, q))
			assert_int_equal(leat_xps_queue_tc(&l->xps, q), kernel_tc(l, q));
	}
}

/* Other classes, which both take, and masks: all lists are empty before. */
static void change_classes(struct link *l)
{
	struct leat_xps_tcs tcs;
	bool taken;

	do {
		tcs = random_tcs(l->xps.tcs.num_tc != 0);
		taken = set_kernel_tcs(l, &tcs);
		assert_int_equal(leat_xps_set_tcs(&l->xps, &tcs), taken ? 0 : -EINVAL);
		n_taken += taken;
		n_refused += !taken;
	} while (!taken);
	memset(l->sent, 0, sizeof(l->sent));
	check_queues(l);
	for (unsigned i = 0; i < 4; i++)
		change(l, true);
}

/* Now and then other classes, else other masks. */
static void change_any(struct link *l)
{
	if (rng_once_in(&rng, 4))
		change_classes(l);
	else
		change(l, true);
}

static void test_by_cpu(void **state)
{
	int fd = packet_socket("v0", ETH_P_IP);

	rng = rng_start("xps_class");
	for (unsigned i = 0; i < ROUNDS; i++) {
		change_any(&v);
		judge_sent(fd, 0, rng_below(&rng, PRIORITIES));
		judge_sent(fd, 1, rng_below(&rng, PRIORITIES));
	}
	close(fd);
}

static void test_by_rxq(void **state)
{
	int far = packet_socket("v1", 0);

	rng = rng_start("xps_class");
	for (unsigned i = 0; i < ROUNDS; i++) {
		change_any(&v);
		judge_socket(far, i % 2, rng_below(&rng, PRIORITIES));
	}
	close(far);
}

static void test_forwarded(void **state)
{
	int far = packet_socket("v1", 0);

	rng = rng_start("xps_class");
	for (unsigned i = 0; i < ROUNDS; i++) {
		change_any(&w);
		judge_forwarded(far, i % 2, (uint8_t)rng_next(&rng));
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
	const struct leat_xps_tcs rising = {.num_tc = 2, .queues = {{1, 0}, {1, 1}}};
	const struct leat_xps_tcs falling = {.num_tc = 2, .queues = {{1, 1}, {1, 0}}};
	const char *why = make_lab();
	int failed;

	if (!why && !set_kernel_tcs(&v, &rising))
		why = "this kernel has no mqprio";
	if (why) {
		printf("%s\n", why);
		return 77;
	}
	any_order = set_kernel_tcs(&v, &falling);
	printf("classes %s\n", any_order ? "in any order" : "only in the order of their queues");
	set_kernel_tcs(&v, &(struct leat_xps_tcs){0});
	alarm(300); /* a hang is a failure */
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	printf("classes taken %u times, refused %u times\n", n_taken, n_refused);
	return failed;
}
