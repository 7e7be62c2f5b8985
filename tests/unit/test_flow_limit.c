/* SPDX-License-Identifier: MIT */
/*
 * The flow limit: whom it refuses and when; and what it is for: six flows that share a CPU with one
 * at twenty times their rate.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "knob.h"
#include "plane.h"
#include "rng.h"

#include <leat/flow_limit.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { LEN = 4096, BITS = 12, BACKLOG = 1000, FULL = BACKLOG / 2 };

static uint8_t buckets[LEN];
static struct leat_flow_limit limit;

static int make(void **state)
{
	memset(buckets, 0x5a, sizeof(buckets));
	return leat_flow_limit_init(&limit, LEN, buckets);
}

static bool drop(uint32_t hash, uint32_t qlen)
{
	return leat_flow_limit_drop(&limit, hash, qlen, BACKLOG);
}

static void test_lengths(void **state)
{
	static const struct {
		uint32_t len;
		int err;
	} rows[] = {{1, 0},	     {2, 0},
		    {4096, 0},	     {0, -EINVAL},
		    {3, -EINVAL},    {4095, -EINVAL},
		    {4097, -EINVAL}, {1u << 31, -EINVAL},
		    {6144, -EINVAL}, {UINT32_MAX, -EINVAL}};
	struct leat_flow_limit fl = {.bits = 77};
	uint8_t *mem;

	for (unsigned i = 0; i < COUNT(rows); i++) {
		mem = test_malloc(rows[i].err ? 1 : rows[i].len);
		assert_int_equal(leat_flow_limit_init(&fl, rows[i].len, mem), rows[i].err);
		for (uint32_t hash = 1; !rows[i].err && hash; hash <<= 1) /* no step outside */
			leat_flow_limit_drop(&fl, hash, 1, 1);
		test_free(mem);
	}
	assert_int_equal(fl.bits, 12);
}

/* Which counter a hash is told apart by. */
static void test_buckets(void **state)
{
	static const struct {
		uint32_t hash;
		unsigned bucket;
	} rows[] = {{0x51ccc178, 1964}, {0xc626b0ea, 354},  {0x5c2b394a, 4028},
		    {0xafc7327f, 2414}, {0x10e828a2, 1379}, {0, 0}};

	for (unsigned i = 0; i < COUNT(rows); i++) {
		assert_int_equal(buckets[rows[i].bucket], 0);
		assert_false(drop(rows[i].hash, FULL));
		assert_int_equal(buckets[rows[i].bucket], 1);
	}
}

/* Half of the history is a flow's share, and less than half a backlog is nobody's business. */
static void test_threshold(void **state)
{
	for (unsigned i = 0; i < 1000; i++)
		assert_false(drop(1, FULL - 1));
	assert_int_equal(limit.head, 0);
	for (unsigned i = 0; i < 64; i++)
		assert_false(drop(1, FULL));
	for (unsigned i = 0; i < 1000; i++) /* what is refused is remembered all the same */
		assert_true(drop(1, i % 2 ? FULL : UINT32_MAX));
	for (unsigned i = 0; i < 64; i++)
		assert_false(drop(2, FULL)); /* 64 of each */
	assert_true(drop(2, FULL));
	for (unsigned i = 0; i < 64; i++)
		assert_false(drop(3 + i, FULL));
	assert_false(drop(1, FULL));
}

static void test_half(void **state)
{
	static const struct {
		uint32_t max_backlog, qlen;
		unsigned remembered;
	} rows[] = {{1000, 499, 0},
		    {1000, 500, 1},
		    {999, 498, 0},
		    {999, 499, 1},
		    {0, 0, 1},
		    {1, 0, 1},
		    {2, 0, 0},
		    {2, 1, 1},
		    {UINT32_MAX, INT32_MAX - 1, 0},
		    {UINT32_MAX, INT32_MAX, 1}};

	for (unsigned i = 0; i < COUNT(rows); i++) {
		make(state);
		leat_flow_limit_drop(&limit, 1, rows[i].qlen, rows[i].max_backlog);
		assert_int_equal(limit.head, rows[i].remembered);
	}
}

/* As in the kernel, a flow of counter 0 that is there first and alone is never refused: it meets
 * the history's first entries, which take from its counter as if they had been packets. */
static void test_counter_0(void **state)
{
	for (unsigned i = 0; i < 1000; i++)
		assert_false(drop(0, FULL));
	assert_int_equal(buckets[0], 1);
}

/* The obvious version: look through the last 128 packets. */
static void test_model(void **state)
{
	static uint32_t past[100000];
	struct rng rng = rng_start("flow_limit");
	unsigned n = 0, dropped = 0;

	while (n < COUNT(past)) {
		uint32_t hash = 1 + (rng_once_in(&rng, 2) ? 0 : rng_below(&rng, 1 + n / 1000));
		uint32_t bucket = (uint32_t)(hash * 0x61c88647u) >> (32 - BITS);
		bool full = !rng_once_in(&rng, 10);
		unsigned share = 0;

		if (!full) {
			assert_false(drop(hash, rng_below(&rng, FULL)));
			continue;
		}
		past[n++] = bucket;
		for (unsigned i = n > 128 ? n - 128 : 0; i < n; i++)
			share += past[i] == bucket;
		assert_int_equal(drop(hash, FULL + rng_below(&rng, FULL)), share > 64);
		dropped += share > 64;
	}
	assert_in_range(dropped, n / 100, n / 2);
}

/* What it is for. */

enum {
	FLOWS = 6,	    /* of requests, one packet each in a batch */
	ANTAGONIST = FLOWS, /* the flow that has the others' twenty */
	RATE = 20,
	BATCHES = 5, /* a step: as many arrive, and a batch of the backlog is processed, which is
			half of that */
	STEPS = 2000,
};

static struct plane plane;
static uint64_t sent[FLOWS + 1], served[FLOWS + 1];
static uint64_t last[FLOWS + 1];

static int port_open(struct port *port, const struct port_args *args, char *err, size_t err_len)
{
	port->rxqs = port->txqs = 1;
	return 0;
}

static int port_fd(const struct port *port, unsigned q)
{
	static int fd = -1;

	if (fd < 0)
		fd = eventfd(0, EFD_NONBLOCK);
	return fd;
}

static void port_close(struct port *port)
{
}

static int app_open(struct plane *p, const char *args, char *err, size_t err_len)
{
	return 0;
}

/* In order, whatever was dropped. */
static void app_process(struct worker *w, const struct conf *c, struct leat_pkt **pkts, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned flow = pkts[i]->cookie;

		assert_true(pkts[i]->stamp > last[flow]);
		last[flow] = pkts[i]->stamp;
		served[flow]++;
	}
	pool_give(&w->pool, pkts, n);
}

static void set(const char *knob, const char *value)
{
	char err[256];

	if (knob_set(&plane, knob, value, err, sizeof(err)))
		fail_msg("%s", err);
}

static void open_plane(const char *flow_limit)
{
	static const struct port_ops port_ops = {
		.kind = "test", .open = port_open, .close = port_close, .fd = port_fd};
	static const struct app_ops app_ops = {
		.name = "test", .open = app_open, .process = app_process};
	static const uint16_t cpus[] = {0, 1};
	const struct port_args port = {.name = "p", .kind = "test", .ops = &port_ops};
	const struct plane_args args = {
		.cpus = cpus, .n_cpus = 2, .port = &port, .n_ports = 1, .app_ops = &app_ops};
	char err[256];

	if (plane_open(&plane, &args, err, sizeof(err)))
		fail_msg("%s", err);
	set("p/queues/rx-0/rps_cpus", "2");
	set("net/core/flow_limit_cpu_bitmap", flow_limit);
	rxq_give(&plane.rxq[0][0], &plane.worker[0]);
	rxq_take(&plane.worker[0], plane.conf);
}

/* One packet of each flow, and RATE of the antagonist, in any order. */
static void send_batch(struct rng *rng, unsigned rate)
{
	struct leat_pkt *pkts[FLOWS + RATE];
	unsigned n = FLOWS + rate;

	for (unsigned i = 0; i < n; i++) {
		unsigned flow = i < FLOWS ? i : ANTAGONIST, j = rng_below(rng, i + 1);
		struct leat_pkt *pkt = pool_small(&plane.worker[0].pool);

		assert_non_null(pkt);
		pkt->cookie = flow;
		pkt->hash = 0x9e3779b9u * (flow + 1);
		pkts[i] = pkts[j];
		pkts[j] = pkt;
	}
	for (unsigned i = 0; i < n; i++)
		pkts[i]->stamp = ++sent[pkts[i]->cookie];
	steer(&plane.worker[0], plane.conf, &plane.rxq[0][0], pkts, n);
}

/* Shares of what was sent that were served. */
struct shares {
	double flows, antagonist;
};

static struct shares overload(unsigned rate, const char *flow_limit)
{
	struct rng rng = rng_start("flow_limit");
	const struct worker *w;
	uint64_t all[2] = {0};
	struct shares shares;

	memset(sent, 0, sizeof(sent));
	memset(served, 0, sizeof(served));
	memset(last, 0, sizeof(last));
	open_plane(flow_limit);
	for (unsigned i = 0; i < STEPS; i++) {
		for (unsigned j = 0; j < BATCHES; j++)
			send_batch(&rng, rate);
		worker_backlog(&plane.worker[1], plane.conf);
	}
	while (worker_backlog(&plane.worker[1], plane.conf))
		;
	for (unsigned i = 0; i <= FLOWS; i++) {
		all[0] += sent[i];
		all[1] += served[i];
	}
	w = &plane.worker[0];
	assert_int_equal(all[0] - all[1], w->stage[1].dropped);
	assert_true(w->stats.flow_limit_count <= w->stage[1].dropped);
	assert_int_equal(w->stats.flow_limit_count > 0, rate && *flow_limit == '1');
	shares.antagonist = sent[FLOWS] ? (double)served[FLOWS] / (double)sent[FLOWS] : 1;
	shares.flows = (double)(all[1] - served[FLOWS]) / (double)(all[0] - sent[FLOWS]);
	print_message("antagonist %2u times, flow limit %s: served of the six %.3f, of it %.3f\n",
		      rate, flow_limit, shares.flows, shares.antagonist);
	plane_close(&plane);
	return shares;
}

static void test_overload(void **state)
{
	struct shares alone = overload(0, "0"), without = overload(RATE, "0");
	struct shares with = overload(RATE, "1"), elsewhere = overload(RATE, "2");

	assert_true(alone.flows >= 1);
	assert_true(without.flows > 0.45 && without.flows < 0.55);
	assert_true(without.antagonist > 0.45 && without.antagonist < 0.55);
	assert_true(with.flows >= 1);
	assert_true(with.antagonist > 0.25);
	/* It is of the CPU that enqueues, not of the one that is enqueued to. */
	assert_true(elsewhere.flows < 0.55);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_lengths, make),
		cmocka_unit_test_setup(test_buckets, make),
		cmocka_unit_test_setup(test_threshold, make),
		cmocka_unit_test_setup(test_half, make),
		cmocka_unit_test_setup(test_counter_0, make),
		cmocka_unit_test_setup(test_model, make),
		cmocka_unit_test(test_overload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
