/* SPDX-License-Identifier: MIT */
/* gro_normal_batch: in what portions the packets of one poll come to the application. */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "knob.h"
#include "plane.h"

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { FRAME = 60, PORTIONS = 64, SUPER = 40 };

/* What the port gives, once; gso_segs is what a port may know of a packet. */
static struct {
	unsigned packets, super; /* the first of so many segments, or 0 */
	int fd;
} given;

static unsigned portion[PORTIONS], portions;
static unsigned processed; /* atomic */

static int port_open(struct port *port, const struct port_args *args, char *err, size_t err_len)
{
	port->rxqs = port->txqs = 1;
	return 0;
}

static int port_up(struct port *port, char *err, size_t err_len)
{
	return 0;
}

static int port_fd(const struct port *port, unsigned q)
{
	return given.fd;
}

static void port_close(struct port *port)
{
}

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

static int app_open(struct plane *p, const char *args, char *err, size_t err_len)
{
	return 0;
}

static void app_process(struct worker *w, const struct conf *c, struct leat_pkt **pkts, unsigned n)
{
	portion[portions++] = n;
	pool_give(&w->pool, pkts, n);
	__atomic_fetch_add(&processed, n, __ATOMIC_RELEASE);
}

static void run(const char *batch, const char *gro, unsigned packets, unsigned super)
{
	static const struct port_ops port_ops = {.kind = "test",
						 .open = port_open,
						 .up = port_up,
						 .close = port_close,
						 .receive = port_receive,
						 .check = port_check,
						 .fd = port_fd};
	static const struct app_ops app_ops = {
		.name = "test", .open = app_open, .process = app_process};
	const struct port_args port = {.name = "p", .kind = "test", .ops = &port_ops};
	const uint16_t cpu = (uint16_t)sched_getcpu();
	const struct plane_args args = {
		.cpus = &cpu, .n_cpus = 1, .port = &port, .n_ports = 1, .app_ops = &app_ops};
	static struct plane plane;
	char err[256];

	given.packets = packets;
	given.super = super;
	given.fd = eventfd(0, EFD_NONBLOCK);
	portions = processed = 0;
	assert_int_equal(plane_open(&plane, &args, err, sizeof(err)), 0);
	assert_int_equal(knob_set(&plane, "net/core/gro_normal_batch", batch, err, sizeof(err)), 0);
	assert_int_equal(knob_set(&plane, "p/features/rx-gro", gro, err, sizeof(err)), 0);
	assert_int_equal(plane_start(&plane, err, sizeof(err)), 0);
	while (__atomic_load_n(&processed, __ATOMIC_ACQUIRE) < packets)
		sched_yield();
	plane_stop(&plane);
	plane_close(&plane);
	close(given.fd);
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

	alarm(60); /* a hang is a failure */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
