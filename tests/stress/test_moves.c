/* SPDX-License-Identifier: MIT */
/*
 * Order within a flow that changes its receive queue: port gen is a card with frames waiting on its
 * queues, steered by accelerated RFS as threads move, and by keys, tables and rules as they are
 * changed, together with all that test_order.c changes. LEAT_PACKETS and LEAT_SEED as there.
 */
#include "order.h"

#ifdef SANITIZED
#define PACKETS "300000"
#else
#define PACKETS "5000000"
#endif

enum { QUEUES = 4, KEY_BYTES = 40 };

static void change_key(struct plane *plane, struct rng *rng)
{
	char text[3 * KEY_BYTES + 1];

	for (unsigned i = 0; i < KEY_BYTES; i++)
		snprintf(text + 3 * i, 4, i + 1 < KEY_BYTES ? "%02x:" : "%02x",
			 (unsigned)rng_below(rng, 256));
	set(plane, "in/rxfh/key", text);
}

static void change_indir(struct plane *plane, struct rng *rng)
{
	static const char *const indirs[] = {"default", "equal 2", "weight 1 2 3 4",
					     "start 1 equal 3", "equal 1"};

	set(plane, "in/rxfh/indir", indirs[rng_below(rng, 5)]);
}

/* Rules 0 to 3, of the destination ports' highest bits. */
static void change_rule(struct plane *plane, struct rng *rng)
{
	unsigned location = rng_below(rng, 4);
	char path[32], rule[128];

	snprintf(path, sizeof(path), "in/ntuple/%u", location);
	snprintf(rule, sizeof(rule), "flow-type %s4 dst-port %u m 0x1fff action %u",
		 rng_below(rng, 2) ? "udp" : "tcp", location << 13, rng_below(rng, QUEUES));
	set(plane, path, rule);
}

static void change_filters(struct plane *plane, struct rng *rng)
{
	static const unsigned filters[] = {0, 100, 8192};

	if (rng_below(rng, 4) == 0)
		set(plane, "in/features/rx-ntuple-filter", rng_below(rng, 4) ? "on" : "off");
	else
		set_number(plane, "in/arfs_filters", filters[rng_below(rng, 3)]);
}

static void change_any(struct plane *plane, struct rng *rng)
{
	static void (*const how[])(struct plane *, struct rng *) = {
		change_key, change_indir, change_rule, change_filters, change_cpu,
		change_cpu, change_cpu,	  move_thread, move_thread,    move_thread,
	};

	how[rng_below(rng, sizeof(how) / sizeof(how[0]))](plane, rng);
}

static void run(const char *proto)
{
	const char *env = getenv("LEAT_PACKETS");
	struct order order = {
		.packets = env ? env : PACKETS,
		.flows = "1000",
		.proto = proto,
		.queues = "4",
		.depth = "256",
		.pause = 3000000,
		.change = change_any,
	};
	json_t *stats = order_run(&order);

	assert_true(steering(stats, "arfs_added") > 0);
	assert_true(steering(stats, "arfs_expired") > 0);
	assert_true(steering(stats, "fenced") > 0);
	json_decref(stats);
}

static void test_udp(void **state)
{
	(void)state;
	run("udp");
}

static void test_tcp(void **state)
{
	(void)state;
	run("tcp");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_udp),
		cmocka_unit_test(test_tcp),
	};

	return order_main(tests, sizeof(tests) / sizeof(tests[0]));
}
