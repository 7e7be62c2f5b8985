/* SPDX-License-Identifier: MIT */
/*
 * test_tap.c - frames in and out of a TAP, for which a socket that keeps boundaries stands in; so
 * headers that lie can be had too, which a kernel does not send. And what a TAP is refused for
 * before the kernel is asked.
 */
#include <errno.h>
#include <leat/parse.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../frame.h"
#include "pool.h"
#include "port/port.h"
#include "port/tap.h"
#include "port/uring.h"

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))

enum { SMALLS = 80, BIGS = 4, TAP_HDR = LEAT_VNET_HDR_TUNNEL_LEN };

struct bench {
	struct port port;
	struct tap *tap;
	struct pool pool;
	int kernel; /* the other end */
	struct queue_stats rx;
	struct txq tx;
};

static bool by_ring; /* whether by io_uring, where there is one */

static void set_up(struct bench *b, bool supers)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fd), 0);
	*b = (struct bench){.kernel = fd[1]};
	b->tap = calloc(1, sizeof(*b->tap) + sizeof(b->tap->queue[0]));
	b->tap->queues = 1;
	b->tap->queue[0] = (struct tap_queue){.fd = fd[0], .want = 1};
	if (by_ring) {
		b->tap->queue[0].rx = supers ? NULL : uring_new(fd[0], PORT_BATCH);
		b->tap->queue[0].tx = uring_new(fd[0], PORT_BATCH);
	}
	b->tap->hdr = TAP_HDR;
	b->tap->supers = supers;
	b->tap->first = POOL_SMALL;
	b->port = (struct port){
		.ops = &port_tap, .name = "t", .priv = b->tap, .rx_stats = &b->rx, .txq = &b->tx};
	assert_int_equal(pool_init(&b->pool, SMALLS, BIGS), 0);
}

/* All buffers are back but `held`. */
static void tear_down(struct bench *b, struct leat_pkt **pkts, unsigned held)
{
	pool_give(&b->pool, pkts, held);
	assert_int_equal(b->pool.smalls, SMALLS);
	assert_int_equal(b->pool.bigs, BIGS);
	close(b->kernel);
	port_tap.close(&b->port);
	pool_fini(&b->pool);
}

/* The kernel sends this frame with this header. */
static void send_frame(struct bench *b, const struct frame *f, const uint8_t hdr[TAP_HDR])
{
	uint8_t *bytes = malloc(TAP_HDR + frame_len(f));
	ssize_t len = TAP_HDR + frame_len(f);

	memcpy(bytes, hdr, TAP_HDR);
	frame_build(f, bytes + TAP_HDR);
	assert_int_equal(write(b->kernel, bytes, (size_t)len), len);
	free(bytes);
}

static int receive(struct bench *b, struct leat_pkt **pkts, unsigned n)
{
	int got = port_tap.receive(&b->port, 0, &b->pool, pkts, n);

	if (got <= 0)
		return got;
	leat_parse(NULL, pkts, (unsigned)got);
	return (int)port_tap.check(&b->port, 0, &b->pool, pkts, (unsigned)got);
}

static void assert_frame(const struct leat_pkt *pkt, const struct frame *f)
{
	uint8_t *want = malloc(frame_len(f)), *have = malloc(pkt->len);

	frame_build(f, want);
	assert_int_equal(pkt->len, frame_len(f));
	assert_int_equal(frame_flatten(pkt, have), pkt->len);
	assert_memory_equal(want, have, pkt->len);
	free(want);
	free(have);
}

static const uint8_t no_hdr[TAP_HDR];

static void test_sizes(void **state)
{
	static const struct {
		uint32_t payload;
		unsigned slices;
	} rows[] = {
		{0, 0}, {1446, 0}, {1994, 0}, {1995, 1}, {9000, 1}, {65481, 1},
	};
	struct leat_pkt *pkts[PORT_BATCH];
	struct bench b;

	for (unsigned supers = 0; supers < 2; supers++) {
		set_up(&b, supers);
		for (unsigned i = 0; i < LENGTH(rows); i++) {
			struct frame f = {.payload = rows[i].payload};

			send_frame(&b, &f, no_hdr);
			assert_int_equal(receive(&b, pkts, PORT_BATCH), 1);
			assert_frame(pkts[0], &f);
			assert_int_equal(pkts[0]->slices, rows[i].slices);
			assert_int_equal(pkts[0]->csum, LEAT_CSUM_NONE);
			assert_int_equal(pkts[0]->depth, LEAT_DEPTH_TRANSPORT);
			pool_give(&b.pool, pkts, 1);
		}
		assert_int_equal(receive(&b, pkts, PORT_BATCH), 0);
		assert_int_equal(b.rx.packets, LENGTH(rows));
		assert_int_equal(b.rx.errors + b.rx.dropped, 0);
		tear_down(&b, pkts, 0);
	}
}

/* A batch is in order and stops at n; the rest comes with the next. */
static void test_batch(void **state)
{
	enum { FRAMES = 40 };
	struct leat_pkt *pkts[FRAMES + 10];
	struct bench b;

	for (unsigned supers = 0; supers < 2; supers++) {
		set_up(&b, supers);
		for (uint32_t i = 0; i < FRAMES; i++)
			send_frame(&b, &(struct frame){.payload = 10 + i}, no_hdr);
		assert_int_equal(receive(&b, pkts, 4), 4);
		assert_int_equal(receive(&b, pkts + 4, 30), 30);
		assert_int_equal(receive(&b, pkts + 34, 16), 6);
		assert_int_equal(receive(&b, pkts + FRAMES, 10), 0);
		for (uint32_t i = 0; i < FRAMES; i++)
			assert_frame(pkts[i], &(struct frame){.payload = 10 + i});
		tear_down(&b, pkts, FRAMES);
	}
}

static void test_headers(void **state)
{
	/* 34: the TCP header of TCP over IPv4, 16: its checksum field */
	static const struct {
		uint8_t hdr[TAP_HDR];
		uint8_t csum;
		uint32_t gso_type;
		uint16_t gso_size;
		bool bad;
	} rows[] = {
		{{0}, LEAT_CSUM_NONE, 0, 0, false},
		{{2}, LEAT_CSUM_UNNECESSARY, 0, 0, false},
		{{1, 0, 0, 0, 0, 0, 34, 0, 16, 0}, LEAT_CSUM_PARTIAL, 0, 0, false},
		{{1, 1, 54, 0, 100, 0, 34, 0, 16, 0},
		 LEAT_CSUM_PARTIAL,
		 LEAT_GSO_TCPV4 | LEAT_GSO_DODGY,
		 100,
		 false},
		{{1, 1, 54, 0, 0, 0, 34, 0, 16, 0}, 0, 0, 0, true},   /* gso_size 0 */
		{{1, 4, 54, 0, 100, 0, 34, 0, 16, 0}, 0, 0, 0, true}, /* IPv6 */
		{{0, 7}, 0, 0, 0, true},
	};
	struct frame f = {.payload = 1000};

	for (unsigned i = 0; i < LENGTH(rows); i++) {
		struct leat_pkt *pkts[3];
		struct bench b;

		set_up(&b, true);
		send_frame(&b, &f, no_hdr);
		send_frame(&b, &f, rows[i].hdr);
		send_frame(&b, &f, no_hdr);
		assert_int_equal(receive(&b, pkts, 3), rows[i].bad ? 2 : 3);
		assert_int_equal(b.rx.errors, rows[i].bad);
		assert_int_equal(b.rx.packets, rows[i].bad ? 2 : 3);
		assert_frame(pkts[1], &f);
		if (!rows[i].bad) {
			assert_int_equal(pkts[1]->csum, rows[i].csum);
			assert_int_equal(pkts[1]->gso_type, rows[i].gso_type);
			assert_int_equal(pkts[1]->gso_size, rows[i].gso_size);
			assert_int_equal(b.rx.segments, rows[i].gso_size ? 12 : 3);
		}
		tear_down(&b, pkts, rows[i].bad ? 2 : 3);
	}
}

/* What is longer than all room, or shorter than the header, is lost and counted. */
static void test_no_fit(void **state)
{
	static uint8_t bytes[TAP_HDR + POOL_SMALL + POOL_BIG];
	struct leat_pkt *pkts[7], *bigs[BIGS];
	struct bench b;

	set_up(&b, false);
	assert_int_equal(write(b.kernel, bytes, sizeof(bytes)), sizeof(bytes));
	assert_int_equal(write(b.kernel, bytes, TAP_HDR), TAP_HDR);
	send_frame(&b, &(struct frame){.payload = 1}, no_hdr);
	assert_int_equal(receive(&b, pkts, 5), 1);
	assert_int_equal(b.rx.dropped, 2);
	/* Without big buffers wire-sized frames still arrive. */
	for (unsigned i = 0; i < BIGS; i++)
		bigs[i] = pool_big(&b.pool);
	send_frame(&b, &(struct frame){.payload = 1446}, no_hdr);
	send_frame(&b, &(struct frame){.payload = 2000}, no_hdr);
	assert_int_equal(receive(&b, pkts + 1, 4), 1);
	assert_frame(pkts[1], &(struct frame){.payload = 1446});
	assert_int_equal(b.rx.dropped, 3);
	pool_give(&b.pool, bigs, BIGS);
	/* Nor does what was lost make a queue look empty that is not. */
	assert_int_equal(write(b.kernel, bytes, sizeof(bytes)), sizeof(bytes));
	for (unsigned i = 0; i < 3; i++)
		send_frame(&b, &(struct frame){.payload = 1}, no_hdr);
	assert_int_equal(receive(&b, pkts + 2, 2), 2);
	assert_int_equal(receive(&b, pkts + 4, 1), 1);
	/* But a flood of them keeps nobody. */
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(write(b.kernel, bytes, sizeof(bytes)), sizeof(bytes));
	assert_int_equal(receive(&b, pkts + 5, 2), 0);
	assert_int_equal(b.rx.dropped, 6);
	tear_down(&b, pkts, 5);
}

/* Without a buffer nothing is read, so nothing is lost. */
static void test_no_buffer(void **state)
{
	struct leat_pkt *pkts[PORT_BATCH], *bigs[BIGS];
	struct bench b;

	set_up(&b, true);
	for (unsigned i = 0; i < BIGS; i++)
		bigs[i] = pool_big(&b.pool);
	send_frame(&b, &(struct frame){.payload = 1}, no_hdr);
	assert_int_equal(receive(&b, pkts, PORT_BATCH), 0);
	pool_give(&b.pool, bigs, BIGS);
	assert_int_equal(receive(&b, pkts, PORT_BATCH), 1);
	assert_int_equal(b.rx.dropped, 0);
	tear_down(&b, pkts, 1);
}

static void test_transmit(void **state)
{
	static const uint8_t want[TAP_HDR] = {1, 1, 54, 0, 0x84, 0x03, 34, 0, 16, 0};
	uint8_t first[PORT_HEADROOM + 60] = {0}, second[1000], third[60 + PORT_HEADROOM];
	uint8_t got[2000];
	struct iovec iov[2] = {{first + PORT_HEADROOM, 60}, {second, sizeof(second)}};
	struct iovec one = {third + PORT_HEADROOM, 60}, other = {third + PORT_HEADROOM, 60};
	struct port_frame frames[3] = {
		{.iov = iov,
		 .niov = 2,
		 .len = 1060,
		 .meta = {.gso_type = LEAT_GSO_TCPV4,
			  .gso_size = 900,
			  .csum_start = 34,
			  .csum_offset = 16,
			  .hdr_len = 54,
			  .csum = LEAT_CSUM_PARTIAL}},
		{.iov = &other, .niov = 1, .len = 60, .meta = {.gso_type = LEAT_GSO_SCTP}},
		{.iov = &one, .niov = 1, .len = 60},
	};
	struct bench b;

	memset(first + PORT_HEADROOM, 'a', 60);
	memset(second, 'b', sizeof(second));
	memset(third + PORT_HEADROOM, 'c', 60);
	set_up(&b, true);
	assert_int_equal(port_tap.transmit(&b.port, 0, frames, 3), 2);
	assert_int_equal(read(b.kernel, got, sizeof(got)), TAP_HDR + 1060);
	assert_memory_equal(got, want, TAP_HDR);
	assert_memory_equal(got + TAP_HDR, first + PORT_HEADROOM, 60);
	assert_memory_equal(got + TAP_HDR + 60, second, sizeof(second));
	assert_int_equal(read(b.kernel, got, sizeof(got)), TAP_HDR + 60);
	assert_memory_equal(got, no_hdr, TAP_HDR);
	assert_memory_equal(got + TAP_HDR, third + PORT_HEADROOM, 60);
	assert_int_equal(read(b.kernel, got, sizeof(got)), -1);
	assert_int_equal(b.tx.stats.packets, 2);
	assert_int_equal(b.tx.stats.bytes, 1120);
	assert_int_equal(b.tx.stats.segments, 3);
	assert_int_equal(b.tx.stats.errors, 1);
	tear_down(&b, NULL, 0);
}

static void test_refused(void **state)
{
	static const struct {
		const char *name, *option, *value;
		int result;
		const char *word; /* of the message */
	} rows[] = {
		{"averyveryverylong", "queues", "1", -EINVAL, "15"},
		{"", "queues", "1", -EINVAL, "15"},
		{"a/b", "queues", "1", -EINVAL, "name"},
		{"a%d", "queues", "1", -EINVAL, "name"},
		{"..", "queues", "1", -EINVAL, "name"},
		{"t", "queues", "0", -EINVAL, "queues"},
		{"t", "queues", "257", -EINVAL, "queues"},
		{"t", "mtu", "67", -EINVAL, "mtu"},
		{"t", "mtu", "65522", -EINVAL, "mtu"},
		{"t", "txqueuelen", "0", -EINVAL, "txqueuelen"},
		{"t", "offload", "yes", -EINVAL, "offload"},
		{"t", "napi", "on", -EINVAL, "napi"},
		{"t", "io", "vector", -EINVAL, "io"},
		{"t", "address", "10.0.0.1/+24", -EINVAL, "IP/N"},
		{"t", "ofload", "on", -EINVAL, "ofload"},
		{"t", "netns", "leat-there-is-none", -ENOENT, "leat-there-is-none"},
		{"t", "netns", "/dev/null", -EINVAL, "namespace"},
	};

	for (unsigned i = 0; i < LENGTH(rows); i++) {
		struct port_args args = {.name = rows[i].name, .kind = "tap", .options = 1};
		struct port port = {.ops = &port_tap};
		char err[256] = "";
		int e;

		args.option[0] = (struct port_option){rows[i].option, rows[i].value};
		e = port_tap.open(&port, &args, err, sizeof(err));
		if (geteuid() != 0 && e == -EPERM)
			continue; /* one may not even try */
		assert_int_equal(e, rows[i].result);
		if (!strstr(err, rows[i].word))
			fail_msg("%s", err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),	  cmocka_unit_test(test_batch),
		cmocka_unit_test(test_headers),	  cmocka_unit_test(test_no_fit),
		cmocka_unit_test(test_no_buffer), cmocka_unit_test(test_transmit),
		cmocka_unit_test(test_refused),
	};
	int failed = cmocka_run_group_tests_name("by system calls", tests, NULL, NULL);

	by_ring = true;
	return failed + cmocka_run_group_tests_name("by io_uring", tests, NULL, NULL);
}
