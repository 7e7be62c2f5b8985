/* SPDX-License-Identifier: MIT */
/* gro_normal_batch: in what portions the packets of one poll come to the application. */
#include "stub_plane.h"

enum { FRAME = 60, PORTIONS = 64, SUPER = 40 };

/* What the port gives, once; gso_segs is what a port may know of a packet. */
static struct {
	unsigned packets, super; /* the first of so many segments, or 0 */
} given;

static unsigned portion[PORTIONS], portions;
static unsigned processed; /* atomic */

static int port_receive(struct port *port, unsigned q, struct pool *pool, struct leat_pkt **pkts,
			unsigned n)
{
	unsigned i;

	for (i = 0; i < given.packets; i++) {
		pkts[i] = pool_small(pool);
		memset(pkts[i]->data, 0xee, FRAME); /* of no protocol that merges */
		pkts[i]->len = pkts[i]->headlen = FRAME;
	}
	given.packets = 0;
	return (int)i;
}

static unsigned port_check(struct port *port, unsigned q, struct pool *pool, struct leat_pkt **pkts,
			   unsigned n)
{
	if (n)
		pkts[0]->gso_segs = (uint16_t)given.super;
	return n;
}

static void app_process(struct worker *w, const struct conf *c, struct leat_pkt **pkts, unsigned n)
{
	portion[portions++] = n;
	pool_give(&w->pool, pkts, n);
	__atomic_fetch_add(&processed, n, __ATOMIC_RELEASE);
}

static void run(const char *batch, const char *gro, unsigned packets, unsigned super)
{
	given.packets = packets;
	given.super = super;
	portions = processed = 0;
	stub_plane_open_here();
	set("net/core/gro_normal_batch", batch);
	set("p/features/rx-gro", gro);
	stub_plane_start();
	while (__atomic_load_n(&processed, __ATOMIC_ACQUIRE) < packets)
		sched_yield();
	plane_stop(&plane);
	plane_close(&plane);
}

static void test_portions(void **state)
{
	static const struct {
		const char *batch;
		unsigned packets, super, portions, first, last;
	} rows[] = {
		{"65536", 20, 0, 1, 20, 20}, {"8", 20, 0, 3, 8, 4},	  {"8", 16, 0, 2, 8, 8},
		{"1", 20, 0, 20, 1, 1},	     {"20", 20, 0, 1, 20, 20},	  {"21", 20, 0, 1, 20, 20},
		{"8", 20, SUPER, 4, 1, 3},   {"50", 20, SUPER, 2, 11, 9}, /* by segments */
	};

	for (unsigned i = 0; i < 2 * COUNT(rows); i++) {
		unsigned k = i / 2;

		run(rows[k].batch, i % 2 ? "on" : "off", rows[k].packets, rows[k].super);
		assert_int_equal(portions, rows[k].portions);
		assert_int_equal(portion[0], rows[k].first);
		assert_int_equal(portion[portions - 1], rows[k].last);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_portions)};

	stub_port.receive = port_receive;
	stub_port.check = port_check;
	stub_app.process = app_process;
	alarm(60); /* a hang is a failure */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
