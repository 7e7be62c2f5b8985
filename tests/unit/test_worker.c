/* SPDX-License-Identifier: MIT */
/* A worker without its thread: how it rests, and what it says of a queue it cannot watch. */
#include <errno.h>
#include <stdio.h>

#include "stub_plane.h"

static struct worker *worker;
static struct rxq *rxq;

static int make(void **state)
{
	stub_plane_open((const uint16_t[]){0}, 1, 0);
	worker = &plane.worker[0];
	worker->now = worker_clock();
	rxq = &plane.rxq[0][1];
	return 0;
}

static int unmake(void **state)
{
	plane_close(&plane);
	return 0;
}

static void watch(int fd)
{
	close(stub_fd[1]);
	stub_fd[1] = fd;
}

/* The queue has packets and the worker no buffer: it waits, busy polling or not. */
static void test_starved_sleeps(void **state)
{
	watch(eventfd(1, EFD_NONBLOCK));
	rxq_give(rxq, worker);
	rxq_take(worker, plane.conf);
	for (unsigned i = 1; i <= 2; i++, plane.conf->busy_poll = 1000) {
		rxq->ready = false;
		worker->starved = true;
		worker_rest(worker, plane.conf);
		assert_int_equal(worker->stats.sleeps, i);
		assert_true(rxq->ready);
		assert_false(worker->starved);
	}
	assert_int_equal(rxq->interrupts[0], 2);
	/* With buffers it does not sleep. */
	rxq->ready = false;
	worker_rest(worker, plane.conf);
	assert_int_equal(worker->stats.sleeps, 2);
	assert_true(rxq->ready);
	assert_int_equal(rxq->interrupts[0], 3);
	/* While it is known to be readable, asking is no interrupt. */
	worker->stats.turns = 0;
	worker_rest(worker, plane.conf);
	assert_int_equal(rxq->interrupts[0], 3);
}

static void *run_nothing(void *arg)
{
	return arg;
}

/* A thread that could not be started is none to wait for. */
static void test_no_thread(void **state)
{
	pthread_t thread = 0;

	assert_int_equal(thread_start(&thread, CPU_SETSIZE - 1, run_nothing, NULL), -EINVAL);
	assert_int_equal(thread, 0);
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
	rxq_take(worker, plane.conf);
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
	watch(dup(fileno(file)));
	fclose(file);
	rxq_give(rxq, worker);
	take(said, sizeof(said));
	assert_string_equal(said, "leat: p: queue rx-1 will not be watched: "
				  "Operation not permitted\n");
	assert_false(plane.port[0].gone);
	watch(eventfd(0, EFD_NONBLOCK));
	rxq_give(rxq, worker);
	take(said, sizeof(said));
	assert_string_equal(said, "");
}

#define test(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {test(test_starved_sleeps), test(test_no_thread),
					   test(test_unwatched_is_said)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
