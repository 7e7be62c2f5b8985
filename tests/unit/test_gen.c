/* SPDX-License-Identifier: MIT */
/*
 * test_gen.c - the generator: its packets are right, numbered without gap, on the queue that RSS
 * picks, as many and as often as asked for, and the same whenever the options are.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <leat/flow.h>
#include <leat/parse.h>
#include <leat/rss.h>

#include "../frame.h"
#include "pool.h"
#include "port/gen_flow.h"
#include "port/port.h"

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))

static const char key_text[] = "6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da380"
			       "30f20c6a42b73bbeac01fa";
static const uint8_t key[LEAT_RSS_KEY_MIN] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

/* Options as one text, "name=value name=value". */
struct options {
	struct port_args args;
	char text[256];
};

static const struct port_args *parse(struct options *o, const char *text)
{
	char *save, *word;

	*o = (struct options){.args = {.name = "g", .kind = "gen"}};
	snprintf(o->text, sizeof(o->text), "%s", text);
	for (word = strtok_r(o->text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		char *value = strchr(word, '=');

		*value++ = '\0';
		o->args.option[o->args.options++] = (struct port_option){word, value};
	}
	return &o->args;
}

static int try_open(struct port *port, const char *text, char *err, size_t err_len)
{
	struct options o;

	*port = (struct port){.ops = &port_gen, .name = "g"};
	return port_gen.open(port, parse(&o, text), err, err_len);
}

static void open_port(struct port *port, const char *text)
{
	char err[256];

	if (try_open(port, text, err, sizeof(err)))
		fail_msg("%s", err);
	port->rx_stats = calloc(port->rxqs, sizeof(*port->rx_stats));
	port->txq = aligned_alloc(64, port->txqs * sizeof(*port->txq));
	memset(port->txq, 0, port->txqs * sizeof(*port->txq));
}

static void start(struct port *port)
{
	char err[256];

	assert_int_equal(port_gen.up(port, err, sizeof(err)), 0);
}

static void close_port(struct port *port)
{
	port_gen.close(port);
	free(port->rx_stats);
	free(port->txq);
}

static void test_refused(void **state)
{
	static const char *const rows[][2] = {
		/* options, what the message is to name */
		{"queues=0", "queues"},
		{"queues=257", "queues"},
		{"queues=1x", "queues"},
		{"queues=", "queues"},
		{"flows=-1", "flows"},
		{"flows=1048577", "flows"},
		{"size=15", "size"},
		{"size=1961", "size"},
		{"size=100-99", "size"},
		{"size=100-", "size"},
		{"size=100-200-300", "size"},
		{"size=x", "size"},
		{"rate=fast", "rate"},
		{"count=99999999999999999999999", "count"},
		{"burst=0", "burst"},
		{"proto=sctp", "proto"},
		{"ip=5", "ip"},
		{"key=6d5a", "key"},
		{"key=zz", "key"},
		{"color=red", "color"},
	};

	for (unsigned i = 0; i < LENGTH(rows); i++) {
		char err[256] = "";
		struct port port;

		assert_int_equal(try_open(&port, rows[i][0], err, sizeof(err)), -EINVAL);
		if (strncmp(err, "g: ", 3) || !strstr(err, rows[i][1]))
			fail_msg("%s: %s", rows[i][0], err);
	}
}

/* What one packet is checked against. */
struct seen {
	struct leat_rss rss;
	uint64_t *next;	   /* number expected of each flow */
	uint32_t *tcp_seq; /* likewise */
	struct leat_flow *flow;
	uint64_t packets;
	uint32_t min, max;
};

static void check_numbers(struct seen *seen, const struct leat_pkt *pkt, uint32_t flows)
{
	const uint8_t *ip = pkt->data + leat_pkt_inner(pkt)->network;
	const uint8_t *l4 = pkt->data + leat_pkt_inner(pkt)->transport;
	struct leat_flow tuple;
	uint32_t flow = 0, len = leat_parse_payload_len(pkt);
	uint64_t seq = 0;

	assert_true(gen_read(pkt, &flow, &seq));
	assert_in_range(flow, 0, flows - 1);
	assert_int_equal(seq, seen->next[flow]);
	assert_true(leat_flow_get(pkt, &tuple));
	if (seq == 0)
		seen->flow[flow] = tuple;
	else
		assert_memory_equal(&tuple, &seen->flow[flow], sizeof(tuple));
	if (tuple.version == 4)
		assert_int_equal(gen_load(ip + 4, 2), seq & 0xffff);
	if (tuple.protocol == FRAME_UDP)
		assert_int_not_equal(gen_load(l4 + 6, 2), 0);
	if (tuple.protocol == FRAME_TCP) {
		uint32_t tcp_seq = (uint32_t)gen_load(l4 + 4, 4);

		if (seq)
			assert_int_equal(tcp_seq, seen->tcp_seq[flow]);
		seen->tcp_seq[flow] = tcp_seq + len;
	}
	seen->next[flow]++;
	seen->packets++;
	seen->min = len < seen->min ? len : seen->min;
	seen->max = len > seen->max ? len : seen->max;
}

static void check_packet(struct seen *seen, struct leat_pkt *pkt, unsigned q, uint32_t flows)
{
	enum leat_hash_type type;

	assert_int_equal(pkt->headlen, pkt->len);
	assert_null(frame_wrong(pkt->data, pkt->len, false));
	leat_parse(NULL, &pkt, 1);
	assert_int_equal(pkt->depth, LEAT_DEPTH_TRANSPORT);
	assert_int_equal(pkt->hash, leat_rss_hash(&seen->rss, pkt, &type));
	assert_int_equal(pkt->hash_type, LEAT_HASH_L4);
	assert_int_equal(leat_rss_pick(&seen->rss, pkt->hash), q);
	assert_int_equal(pkt->csum, LEAT_CSUM_UNNECESSARY);
	check_numbers(seen, pkt, flows);
}

static int compare_flows(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct leat_flow));
}

/* Those that were seen differ from each other, each by its source. Gives how many. */
static unsigned check_flows(struct seen *seen, uint32_t flows)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < flows; i++) {
		if (!seen->next[i])
			continue;
		seen->flow[n] = seen->flow[i];
		memset(seen->flow[n].dst, 0, sizeof(seen->flow[n].dst));
		seen->flow[n++].dport = 0;
	}
	qsort(seen->flow, n, sizeof(seen->flow[0]), compare_flows);
	for (unsigned i = 1; i < n; i++)
		assert_int_not_equal(compare_flows(&seen->flow[i - 1], &seen->flow[i]), 0);
	return n;
}

static void check_run(const char *options, uint32_t flows, unsigned queues, uint64_t count,
		      uint32_t min, uint32_t max)
{
	struct leat_rss_conf conf = {.key = key, .key_len = sizeof(key), .n_queues = queues};
	struct seen *seen = calloc(1, sizeof(*seen));
	struct pool pool;
	struct port port;
	char text[256];

	snprintf(text, sizeof(text), "%s queues=%u flows=%u count=%u key=%s", options, queues,
		 flows, (unsigned)count, key_text);
	open_port(&port, text);
	assert_int_equal(pool_init(&pool, PORT_BATCH, 1), 0);
	assert_int_equal(leat_rss_init(&seen->rss, &conf), 0);
	seen->next = calloc(flows, sizeof(*seen->next));
	seen->tcp_seq = calloc(flows, sizeof(*seen->tcp_seq));
	seen->flow = calloc(flows, sizeof(*seen->flow));
	seen->min = UINT32_MAX;
	assert_int_equal(port.rxqs, queues);
	start(&port);
	while (!port_gen.finished(&port)) {
		for (unsigned q = 0; q < queues; q++) {
			struct leat_pkt *pkts[PORT_BATCH];
			int n = port_gen.receive(&port, q, &pool, pkts, PORT_BATCH);

			assert_in_range(n, 0, PORT_BATCH);
			for (int i = 0; i < n; i++)
				check_packet(seen, pkts[i], q, flows);
			pool_give(&pool, pkts, (unsigned)n);
		}
	}
	assert_int_equal(seen->packets, count);
	assert_in_range(check_flows(seen, flows), flows / 2, flows);
	assert_int_equal(seen->min, min);
	assert_int_equal(seen->max, max);
	close_port(&port);
	pool_fini(&pool);
	free(seen->next);
	free(seen->tcp_seq);
	free(seen->flow);
	free(seen);
}

static void test_packets(void **state)
{
	check_run("", 1000, 1, 20001, 64, 64);
	check_run("proto=tcp", 1000, 4, 20003, 64, 64);
	check_run("", 1000, 16, 999, 64, 64);
	check_run("ip=6 size=16", 100, 3, 5000, 16, 16);
	check_run("ip=6 proto=tcp size=1960", 100, 2, 5000, 1960, 1960);
	check_run("ip=both size=16-80 burst=7 seed=18446744073709551615", 50, 16, 20000, 16, 80);
	check_run("ip=both proto=tcp size=17-1400", 100, 2, 50000, 17, 1400);
	check_run("", 1, 8, 70000, 64, 64); /* more packets than IDs */
	check_run("ip=both", 40000, 2, 200000, 64, 64);
}

/* All packets of one queue of a port with these options, one after the other, as one hash. */
static uint64_t fingerprint(const char *options, unsigned q, unsigned batch)
{
	uint64_t print = 0;
	struct pool pool;
	struct port port;
	int n;

	open_port(&port, options);
	assert_int_equal(pool_init(&pool, PORT_BATCH, 1), 0);
	start(&port);
	do {
		struct leat_pkt *pkts[PORT_BATCH];

		n = port_gen.receive(&port, q, &pool, pkts, batch);
		for (int i = 0; i < n; i++) {
			for (uint32_t b = 0; b < pkts[i]->len; b++)
				print = (print ^ pkts[i]->data[b]) * 0x100000001b3;
		}
		pool_give(&pool, pkts, (unsigned)n);
	} while (n > 0);
	close_port(&port);
	pool_fini(&pool);
	return print;
}

static void test_deterministic(void **state)
{
	static const char options[] = "queues=2 size=16-99 ip=both count=3000 seed=7";
	uint64_t print = fingerprint(options, 1, 64);

	assert_int_equal(fingerprint(options, 1, 64), print);
	assert_int_equal(fingerprint(options, 1, 5), print);
	assert_int_not_equal(fingerprint(options, 0, 64), print);
	assert_int_not_equal(fingerprint("queues=2 size=16-99 ip=both count=3000 seed=8", 1, 64),
			     print);
}

static void test_bursts(void **state)
{
	struct leat_pkt *pkts[PORT_BATCH];
	struct pool pool;
	struct port port;
	uint32_t flow = 0, first = 0;
	uint64_t seq = 0;

	open_port(&port, "burst=8 proto=tcp");
	assert_int_equal(pool_init(&pool, PORT_BATCH, 1), 0);
	start(&port);
	assert_int_equal(port_gen.receive(&port, 0, &pool, pkts, PORT_BATCH), PORT_BATCH);
	leat_parse(NULL, pkts, PORT_BATCH);
	for (unsigned i = 0; i < PORT_BATCH; i++) {
		assert_true(gen_read(pkts[i], &flow, &seq));
		if (i % 8 == 0)
			first = flow;
		assert_int_equal(flow, first);
	}
	close_port(&port);
	pool_fini(&pool);
}

static bool is_readable(const struct port *port, unsigned q)
{
	struct pollfd fd = {.fd = port_gen.fd(port, q), .events = POLLIN};

	return poll(&fd, 1, 0) == 1;
}

static void test_life(void **state)
{
	struct leat_pkt *pkts[PORT_BATCH];
	struct pool pool;
	struct port port;

	open_port(&port, "count=100");
	assert_int_equal(pool_init(&pool, 70, 1), 0);
	assert_false(is_readable(&port, 0));
	assert_int_equal(port_gen.receive(&port, 0, &pool, pkts, 10), 0);
	assert_false(port_gen.finished(&port));
	start(&port);
	assert_true(is_readable(&port, 0));
	assert_int_equal(port_gen.receive(&port, 0, &pool, pkts, 60), 60);
	/* The pool is what is short, and nothing is lost by it. */
	assert_int_equal(port_gen.receive(&port, 0, &pool, pkts + 60, 4), 4);
	pool_give(&pool, pkts, 64);
	assert_int_equal(port_gen.receive(&port, 0, &pool, pkts, 30), 30);
	assert_true(is_readable(&port, 0));
	assert_false(port_gen.finished(&port));
	assert_int_equal(port_gen.receive(&port, 0, &pool, pkts + 30, 30), 6);
	assert_false(is_readable(&port, 0));
	assert_true(port_gen.finished(&port));
	assert_int_equal(port_gen.receive(&port, 0, &pool, pkts + 36, 28), 0);
	assert_int_equal(port.rx_stats[0].packets, 100);
	assert_int_equal(port.rx_stats[0].segments, 100);
	assert_int_equal(port.rx_stats[0].bytes, 100 * (14 + 20 + 8 + 64));
	close_port(&port);
	pool_fini(&pool);
}

static void test_no_buffer(void **state)
{
	struct leat_pkt *pkts[PORT_BATCH];
	struct pool pool;
	struct port port;
	uint32_t flow = 0;
	uint64_t seq = 0;

	open_port(&port, "flows=1");
	assert_int_equal(pool_init(&pool, 5, 1), 0);
	start(&port);
	assert_int_equal(port_gen.receive(&port, 0, &pool, pkts, PORT_BATCH), 5);
	assert_int_equal(port_gen.receive(&port, 0, &pool, pkts + 5, PORT_BATCH - 5), 0);
	assert_true(is_readable(&port, 0));
	pool_give(&pool, pkts, 5);
	assert_int_equal(port_gen.receive(&port, 0, &pool, pkts, 1), 1);
	leat_parse(NULL, pkts, 1);
	assert_true(gen_read(pkts[0], &flow, &seq));
	assert_int_equal(seq, 5);
	close_port(&port);
	pool_fini(&pool);
}

/* Each queue has its part of the rate. test_pace.c has the rest. */
static void test_rate(void **state)
{
	struct leat_pkt *pkts[PORT_BATCH];
	unsigned got = 0;
	struct pool pool;
	struct port port;

	open_port(&port, "rate=100000 queues=2");
	assert_int_equal(pool_init(&pool, PORT_BATCH, 1), 0);
	assert_false(is_readable(&port, 0));
	start(&port);
	usleep(1000);
	for (unsigned q = 0; q < 2; q++) {
		int n = port_gen.receive(&port, q, &pool, pkts, PORT_BATCH);

		assert_in_range(n, 1, PORT_BATCH);
		pool_give(&pool, pkts, (unsigned)n);
		got += (unsigned)n;
	}
	assert_in_range(got, 90, 2 * PORT_BATCH);
	close_port(&port);
	pool_fini(&pool);
}

/* Numbers that a test does not count up to. */
static void test_high_numbers(void **state)
{
	static const uint64_t rows[] = {
		65535, 65536, UINT32_MAX, 1ull << 32, 0x123456789abcdef0, UINT64_MAX};
	struct gen_filler filler;
	struct gen_flow flow;
	uint8_t frame[2048];
	uint32_t index = 0;
	uint64_t seq = 0;

	gen_filler_init(&filler, 1);
	for (unsigned i = 0; i < 4 * LENGTH(rows); i++) {
		struct leat_pkt pkt, *one = &pkt;
		uint32_t len = GEN_NUMBER_LEN + 80 * i;

		gen_flow_init(&flow, 0xfffff - i, i % 2, i % 4 / 2, i);
		flow.at.seq = rows[i / 4];
		flow.at.tcp_seq = UINT32_MAX - i;
		leat_pkt_init(&pkt, frame, gen_flow_write(&flow, &flow.at, &filler, len, frame));
		assert_null(frame_wrong(frame, pkt.len, false));
		leat_parse(NULL, &one, 1);
		assert_int_equal(leat_parse_payload_len(&pkt), len);
		assert_true(gen_read(&pkt, &index, &seq));
		assert_int_equal(index, 0xfffff - i);
		assert_int_equal(seq, rows[i / 4]);
	}
}

/* A generator without flows takes what it is sent. */
static void test_sink(void **state)
{
	uint8_t bytes[100];
	struct iovec iov = {bytes, sizeof(bytes)};
	struct port_frame frames[2] = {
		{.iov = &iov, .niov = 1, .len = 100},
		{.iov = &iov, .niov = 1, .len = 1054, .meta = {.gso_size = 300, .hdr_len = 54}},
	};
	struct port port;

	open_port(&port, "flows=0");
	assert_true(port_gen.finished(&port));
	start(&port);
	assert_false(is_readable(&port, 0));
	assert_int_equal(port_gen.transmit(&port, 0, frames, 2), 2);
	assert_int_equal(port.txq[0].stats.packets, 2);
	assert_int_equal(port.txq[0].stats.bytes, 1154);
	assert_int_equal(port.txq[0].stats.segments, 5);
	close_port(&port);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),	      cmocka_unit_test(test_packets),
		cmocka_unit_test(test_deterministic), cmocka_unit_test(test_bursts),
		cmocka_unit_test(test_life),	      cmocka_unit_test(test_no_buffer),
		cmocka_unit_test(test_rate),	      cmocka_unit_test(test_sink),
		cmocka_unit_test(test_high_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
