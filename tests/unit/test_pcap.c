/* SPDX-License-Identifier: MIT */
/*
 * test_pcap.c - capture files as ports: what is in the one comes out as packets, once for each
 * round, on one queue; what is transmitted is in the other.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <leat/parse.h>
#include <leat/rss.h>

#include "pcap_port.h"
#include "pool.h"

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))

enum { FRAMES = 200 };

static char path[] = "/tmp/leat-test-pcap-XXXXXX";

static int make_file(void **state)
{
	struct capture_writer w;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(capture_create(&w, path, CAPTURE_ETHERNET, CAPTURE_NSEC), 0);
	write_frames(&w, FRAMES);
	assert_int_equal(capture_finish(&w), 0);
	return 0;
}

static int remove_file(void **state)
{
	return unlink(path);
}

static void test_refused(void **state)
{
	static const struct {
		const char *in, *out, *name, *value;
		int result;
		const char *word;
	} rows[] = {
		{"/nonexistent", NULL, NULL, NULL, -ENOENT, "/nonexistent"},
		{"/dev/null", NULL, NULL, NULL, -EBADMSG, "not a capture"},
		{path, path, NULL, NULL, -EINVAL, "the file that is read"},
		{NULL, "/nonexistent/file", NULL, NULL, -ENOENT, "/nonexistent/file"},
		{path, NULL, "queues", "0", -EINVAL, "queues"},
		{path, NULL, "loop", "-1", -EINVAL, "loop"},
		{path, NULL, "rate", "1e6", -EINVAL, "rate"},
		{path, NULL, "speed", "1", -EINVAL, "speed"},
		{"-", NULL, "queues", "2", -EINVAL, "queues"},
	};

	for (unsigned i = 0; i < LENGTH(rows); i++) {
		char err[256] = "";
		struct port port;

		assert_int_equal(
			try_open(&port, rows[i].in, rows[i].out, rows[i].name, rows[i].value, err),
			rows[i].result);
		if (strncmp(err, "p: ", 3) || !strstr(err, rows[i].word))
			fail_msg("%s", err);
	}
}

static void test_link_type(void **state)
{
	char raw[] = "/tmp/leat-test-pcap-XXXXXX", err[256] = "";
	struct capture_writer w;
	struct port port;

	close(mkstemp(raw));
	assert_int_equal(capture_create(&w, raw, CAPTURE_USER0, CAPTURE_NSEC), 0);
	write_frames(&w, 1);
	assert_int_equal(capture_finish(&w), 0);
	assert_int_equal(try_open(&port, raw, NULL, NULL, NULL, err), -EPROTONOSUPPORT);
	assert_non_null(strstr(err, "147"));
	unlink(raw);
}

/* Three rounds stand for ever. */
static void run(const char *loop, unsigned rounds)
{
	struct pool pool;
	struct port port;
	unsigned got = 0;

	/* 3 big buffers: frames of 150,000 bytes are in chains, and the pool is soon empty. */
	assert_int_equal(pool_init(&pool, 20, 3), 0);
	open_port(&port, path, NULL, "loop", loop);
	assert_true(is_readable(&port, 0));
	while (!port_pcap.finished(&port) && got < 3 * FRAMES) {
		struct leat_pkt *pkts[PORT_BATCH];
		int n = port_pcap.receive(&port, 0, &pool, pkts, PORT_BATCH);

		assert_in_range(n, 0, 23);
		for (int i = 0; i < n; i++)
			assert_frame(pkts[i], got++ % FRAMES);
		pool_give(&pool, pkts, (unsigned)n);
	}
	assert_in_range(got, rounds * FRAMES, rounds * FRAMES + (rounds == 3 ? PORT_BATCH : 0));
	assert_int_equal(port.rx_stats[0].packets, got);
	assert_int_equal(port.rx_stats[0].errors, 0);
	assert_false(port.failed);
	assert_int_equal(is_readable(&port, 0), rounds == 3);
	assert_int_equal(pool.smalls, 20);
	assert_int_equal(pool.bigs, 3);
	close_port(&port);
	pool_fini(&pool);
}

static void test_receive(void **state)
{
	run("1", 1);
	run("2", 2);
	run("0", 3);
}

/* Each frame is on one queue, the one of its hash, and in order there. */
static void test_queues(void **state)
{
	unsigned seen[FRAMES] = {0}, used = 0;
	struct pool pool;
	struct port port;

	assert_int_equal(pool_init(&pool, PORT_BATCH, 8), 0);
	open_port(&port, path, NULL, "queues", "3");
	for (unsigned q = 0; q < 3; q++) {
		struct leat_pkt *pkts[PORT_BATCH];
		int n, last = -1;

		while ((n = port_pcap.receive(&port, q, &pool, pkts, 16)) > 0) {
			leat_parse(NULL, pkts, (unsigned)n);
			for (int i = 0; i < n; i++) {
				const uint8_t *sport =
					pkts[i]->data + leat_pkt_inner(pkts[i])->transport;
				int number = sport[0] << 8 | sport[1];

				assert_in_range(number, last + 1, FRAMES - 1);
				last = number;
				seen[number]++;
				assert_frame(pkts[i], (unsigned)number);
			}
			pool_give(&pool, pkts, (unsigned)n);
		}
		used += last >= 0;
	}
	assert_int_equal(used, 3);
	assert_true(port_pcap.finished(&port));
	for (unsigned i = 0; i < FRAMES; i++)
		assert_int_equal(seen[i], 1);
	close_port(&port);
	pool_fini(&pool);
}

/* A queue that the file has nothing for does not read it for ever. */
static void test_loop_of_nothing(void **state)
{
	char one[] = "/tmp/leat-test-pcap-XXXXXX", err[256];
	struct port_args args = {
		.name = "p",
		.kind = "pcap",
		.option = {{"in", one}, {"loop", "0"}, {"queues", "2"}},
		.options = 3,
	};
	struct port port = {.ops = &port_pcap};
	struct queue_stats rx[2] = {{0}};
	struct capture_writer w;
	struct pool pool;
	int n = 0;

	close(mkstemp(one));
	assert_int_equal(capture_create(&w, one, CAPTURE_ETHERNET, CAPTURE_NSEC), 0);
	write_frames(&w, 1);
	assert_int_equal(capture_finish(&w), 0);
	assert_int_equal(pool_init(&pool, PORT_BATCH, 2), 0);
	assert_int_equal(port_pcap.open(&port, &args, err, sizeof(err)), 0);
	port.rx_stats = rx;
	assert_int_equal(port_pcap.up(&port, err, sizeof(err)), 0);
	for (unsigned q = 0; q < 2; q++) {
		struct leat_pkt *pkts[10];
		int got = port_pcap.receive(&port, q, &pool, pkts, 10);

		pool_give(&pool, pkts, (unsigned)got);
		n += got;
	}
	assert_int_equal(n, 10);
	port_pcap.close(&port);
	pool_fini(&pool);
	unlink(one);
}

/* A file that ends in the middle: what came before counts, then it is over. */
static void test_cut(void **state)
{
	char cut[] = "/tmp/leat-test-pcap-XXXXXX";
	struct leat_pkt *pkts[PORT_BATCH];
	struct capture_writer w;
	struct pool pool;
	struct port port;

	close(mkstemp(cut));
	assert_int_equal(capture_create(&w, cut, CAPTURE_ETHERNET, CAPTURE_NSEC), 0);
	write_frames(&w, 3);
	assert_int_equal(fflush(w.file), 0);
	assert_int_equal(truncate(cut, ftell(w.file) - 1), 0);
	assert_int_equal(capture_finish(&w), 0);
	assert_int_equal(pool_init(&pool, PORT_BATCH, 2), 0);
	open_port(&port, cut, NULL, "loop", "5");
	assert_int_equal(port_pcap.receive(&port, 0, &pool, pkts, PORT_BATCH), 2);
	assert_true(port_pcap.finished(&port));
	assert_true(port.failed);
	assert_false(is_readable(&port, 0));
	close_port(&port);
	pool_fini(&pool);
	unlink(cut);
}

static void test_transmit(void **state)
{
	char out[] = "/tmp/leat-test-pcap-XXXXXX";
	struct leat_pkt pkt = {.stamp = 0};
	struct capture_reader r;
	struct capture_frame frame;
	char text[] = "abcdefg";
	struct iovec iov[2] = {{text, 3}, {text + 3, 4}};
	struct port_frame f = {.iov = iov, .niov = 2, .len = 7, .pkt = &pkt};
	struct timespec mono, real;
	struct port port;

	close(mkstemp(out));
	open_port(&port, NULL, out, NULL, NULL);
	assert_true(port_pcap.finished(&port));
	assert_false(is_readable(&port, 0));
	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_REALTIME, &real);
	pkt.stamp = (uint64_t)mono.tv_sec * 1000000000 + (uint64_t)mono.tv_nsec;
	assert_int_equal(port_pcap.transmit(&port, 0, &f, 1), 1);
	assert_int_equal(port.txq[0].stats.bytes, 7);
	close_port(&port);
	assert_int_equal(capture_open(&r, out), 0);
	assert_int_equal(capture_read(&r, &frame), 1);
	assert_int_equal(frame.len, 7);
	assert_memory_equal(frame.data, "abcdefg", 7);
	assert_in_range(frame.stamp / 1000000000, real.tv_sec - 1, real.tv_sec + 1);
	capture_close(&r);
	unlink(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),		cmocka_unit_test(test_link_type),
		cmocka_unit_test(test_receive),		cmocka_unit_test(test_queues),
		cmocka_unit_test(test_loop_of_nothing), cmocka_unit_test(test_cut),
		cmocka_unit_test(test_transmit),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
