/* SPDX-License-Identifier: MIT */
/* A worker without its thread: how it rests, and what it says of a queue it cannot watch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "plane.h"
#include "rxfh.h"

#include <cmocka.h>

enum { QUEUE = 5 };

static struct worker worker;
static struct plane plane;
static struct rxq_conf rxq_conf[QUEUE + 1];
static struct rxfh rxfh;
static struct port_conf port_conf = {.rxfh = &rxfh, .rxq = rxq_conf, .rxqs = QUEUE + 1};
static struct conf conf = {.generation = 1, .n_ports = 1, .port = &port_conf};
static struct rxq rxq;
static uint64_t interrupts;
static int fd;

static int port_fd(const struct port *port, unsigned q)
{
	return fd;
}

static const struct port_ops ops = {.kind = "test", .fd = port_fd};
static struct port port = {.ops = &ops, .name = "left"};

static int make(void **state)
{
	memset(&worker, 0, sizeof(worker));
	plane.n_cpus = 1;
	plane.conf = &conf;
	rxq = (struct rxq){.port = &port, .queue = QUEUE, .interrupts = &interrupts};
	conf.busy_poll = 0;
	interrupts = 0;
	worker.now = worker_clock();
	fd = -1;
	return worker_init(&worker, &plane, 0, 0, 64, 4, 4);
}

static int unmake(void **state)
{
	worker_fini(&worker);
	if (fd >= 0)
		close(fd);
	return 0;
}

/* The queue has packets and the worker no buffer: it waits, busy polling or not. */
static void test_starved_sleeps(void **state)
{
	fd = eventfd(1, EFD_NONBLOCK);
	rxq_give(&rxq, &worker);
	rxq_take(&worker, &conf);
	for (unsigned i = 1; i <= 2; i++, conf.busy_poll = 1000) {
		rxq.ready = false;
		worker.starved = true;
		worker_rest(&worker, &conf);
		assert_int_equal(worker.stats.sleeps, i);
		assert_true(rxq.ready);
		assert_false(worker.starved);
	}
	assert_int_equal(interrupts, 2);
	/* With buffers it does not sleep. */
	rxq.ready = false;
	worker_rest(&worker, &conf);
	assert_int_equal(worker.stats.sleeps, 2);
	assert_true(rxq.ready);
	assert_int_equal(interrupts, 3);
	/* While it is known to be readable, asking is no interrupt. */
	worker.stats.turns = 0;
	worker_rest(&worker, &conf);
	assert_int_equal(interrupts, 3);
}

/* Take the queue given; what is written to stderr meanwhile. */
static void take(char *text, size_t size)
{
	FILE *file = tmpfile();
	int old = dup(STDERR_FILENO);
	size_t n;

	assert_non_null(file);
	fflush(stderr);
	dup2(fileno(file), STDERR_FILENO);
	rxq_take(&worker, &conf);
	fflush(stderr);
	dup2(old, STDERR_FILENO);
	close(old);
	rewind(file);
	n = fread(text, 1, size - 1, file);
	text[n] = 0;
	fclose(file);
}

static void test_unwatched_is_said(void **state)
{
	FILE *file = tmpfile(); /* which epoll refuses */
	char said[256];

	assert_non_null(file);
	fd = dup(fileno(file));
	fclose(file);
	rxq_give(&rxq, &worker);
	take(said, sizeof(said));
	assert_string_equal(said, "leat: left: queue rx-5 will not be read: "
				  "Operation not permitted\n");
	assert_false(port.gone);
	close(fd);
	fd = eventfd(0, EFD_NONBLOCK);
	rxq_give(&rxq, &worker);
	take(said, sizeof(said));
	assert_string_equal(said, "");
}

#define test(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {test(test_starved_sleeps), test(test_unwatched_is_said)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
