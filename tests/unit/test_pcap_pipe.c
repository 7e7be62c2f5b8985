/* SPDX-License-Identifier: MIT */
/*
 * test_pcap_pipe.c - captures that are being written while a port receives from them: it waits for
 * nothing, and what it waits on is readable when there is something to do, and only then.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "pcap_port.h"
#include "pool.h"

enum { MANY = 200 };

struct pipe {
	char path[40];
	int both; /* ends of it, held open */
	struct capture_writer w;
	struct pool pool;
};

/* A pipe to which nothing but the file's header was written. */
static void open_pipe(struct pipe *p, uint16_t link_type, unsigned smalls)
{
	strcpy(p->path, "/tmp/leat-test-pcap-XXXXXX");
	close(mkstemp(p->path));
	unlink(p->path);
	assert_int_equal(mkfifo(p->path, 0600), 0);
	p->both = open(p->path, O_RDWR);
	assert_true(p->both >= 0);
	assert_int_equal(capture_create(&p->w, p->path, link_type, CAPTURE_NSEC), 0);
	assert_int_equal(fflush(p->w.file), 0);
	assert_int_equal(pool_init(&p->pool, smalls, 2), 0);
}

/* Its writer goes. */
static void end_pipe(struct pipe *p)
{
	close(p->both);
	assert_int_equal(capture_finish(&p->w), 0);
}

static void remove_pipe(struct pipe *p)
{
	pool_fini(&p->pool);
	unlink(p->path);
}

static void write_pipe(struct pipe *p, unsigned n)
{
	write_frames(&p->w, n);
	assert_int_equal(fflush(p->w.file), 0);
}

/* Receive frames, numbered from `first` on up to `round`, then from 0; gives how many there are. */
static unsigned receive_some(struct port *port, struct pipe *p, unsigned first, unsigned round)
{
	struct leat_pkt *pkts[PORT_BATCH];
	int n = port_pcap.receive(port, 0, &p->pool, pkts, PORT_BATCH);

	assert_true(n >= 0);
	for (int i = 0; i < n; i++)
		assert_frame(pkts[i], (first + (unsigned)i) % round);
	pool_give(&p->pool, pkts, (unsigned)n);
	return (unsigned)n;
}

/* What is there is given at once, and where nothing is, nothing is waited for. */
static void test_pipe(void **state)
{
	struct port port;
	struct pipe p;

	open_pipe(&p, CAPTURE_ETHERNET, 2 * PORT_BATCH);
	open_port(&port, p.path, NULL, NULL, NULL);
	assert_int_equal(receive_some(&port, &p, 0, MANY), 0);
	assert_false(is_readable(&port, 0));
	write_pipe(&p, 3);
	assert_true(is_readable(&port, 0));
	assert_int_equal(receive_some(&port, &p, 0, MANY), 3);
	assert_false(is_readable(&port, 0));
	for (unsigned i = 0; i < 3; i++)
		write_pipe(&p, 30);
	assert_int_equal(receive_some(&port, &p, 0, 30), PORT_BATCH);
	assert_true(is_readable(&port, 0)); /* though all has left the pipe */
	assert_int_equal(receive_some(&port, &p, PORT_BATCH, 30), 90 - PORT_BATCH);
	assert_false(is_readable(&port, 0));
	assert_false(port_pcap.finished(&port));
	end_pipe(&p);
	close_port(&port);
	remove_pipe(&p);
}

/* What has left the pipe and could not be given yet is not forgotten. */
static void test_pipe_without_buffers(void **state)
{
	struct port port;
	struct pipe p;

	open_pipe(&p, CAPTURE_ETHERNET, 2);
	open_port(&port, p.path, NULL, NULL, NULL);
	assert_int_equal(receive_some(&port, &p, 0, MANY), 0);
	write_pipe(&p, 5);
	for (unsigned at = 0; at < 4; at += 2) {
		assert_true(is_readable(&port, 0));
		assert_int_equal(receive_some(&port, &p, at, MANY), 2);
	}
	assert_true(is_readable(&port, 0));
	assert_int_equal(receive_some(&port, &p, 4, MANY), 1);
	assert_false(is_readable(&port, 0));
	assert_false(port_pcap.finished(&port));
	end_pipe(&p);
	assert_true(is_readable(&port, 0));
	assert_int_equal(receive_some(&port, &p, 0, MANY), 0);
	assert_true(port_pcap.finished(&port));
	assert_false(port.failed);
	assert_false(is_readable(&port, 0));
	close_port(&port);
	remove_pipe(&p);
}

/* Too early is not readable, whatever waits in the pipe, and be it its end. */
static void test_pipe_with_rate(void **state)
{
	struct port port;
	struct pipe p;

	open_pipe(&p, CAPTURE_ETHERNET, PORT_BATCH);
	open_port(&port, p.path, NULL, "rate", "1");
	write_pipe(&p, 1);
	end_pipe(&p);
	assert_int_equal(receive_some(&port, &p, 0, MANY), 0);
	assert_false(is_readable(&port, 0));
	assert_int_equal(poll(&(struct pollfd){port_pcap.fd(&port, 0), POLLIN, 0}, 1, 5000), 1);
	assert_int_equal(receive_some(&port, &p, 0, MANY), 1);
	assert_false(port_pcap.finished(&port));
	assert_false(is_readable(&port, 0));
	close_port(&port);
	remove_pipe(&p);
}

static void test_pipe_damaged(void **state)
{
	struct port port;
	struct pipe p;

	open_pipe(&p, CAPTURE_ETHERNET, PORT_BATCH);
	open_port(&port, p.path, NULL, NULL, NULL);
	write_pipe(&p, 2);
	assert_int_equal(write(p.both, "abc", 3), 3);
	assert_int_equal(receive_some(&port, &p, 0, MANY), 2);
	assert_false(is_readable(&port, 0));
	end_pipe(&p);
	assert_int_equal(receive_some(&port, &p, 0, MANY), 0);
	assert_true(port_pcap.finished(&port));
	assert_true(port.failed);
	assert_false(is_readable(&port, 0));
	close_port(&port);
	remove_pipe(&p);
}

/* Its header is enough to refuse it. */
static void test_pipe_refused(void **state)
{
	char err[256] = "";
	struct port port;
	struct pipe p;

	open_pipe(&p, CAPTURE_USER0, 1);
	assert_int_equal(try_open(&port, p.path, NULL, NULL, NULL, err), -EPROTONOSUPPORT);
	assert_non_null(strstr(err, "147"));
	end_pipe(&p);
	remove_pipe(&p);
	open_pipe(&p, CAPTURE_ETHERNET, 1);
	assert_int_equal(try_open(&port, p.path, NULL, "queues", "2", err), -EINVAL);
	assert_non_null(strstr(err, "cannot read one pipe"));
	end_pipe(&p);
	remove_pipe(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pipe),	       cmocka_unit_test(test_pipe_without_buffers),
		cmocka_unit_test(test_pipe_with_rate), cmocka_unit_test(test_pipe_damaged),
		cmocka_unit_test(test_pipe_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
