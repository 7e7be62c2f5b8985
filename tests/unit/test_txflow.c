/* SPDX-License-Identifier: MIT */
/* Which transmit queue a flow gets, how long it keeps it, and when it is chosen anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include "txflow.h"

#include <leat/parse.h>

#include <cmocka.h>

#define TICK ((uint64_t)1 << TXFLOW_TICK)

enum { CPUS = 2, RXQS = 4, QUEUES = 4, FLOW = 0x12345678 };

static struct txflow table;
static struct leat_xps xps;
static void *xps_mem;

/* CPU 0 transmits on queue 3, CPU 1 on queue 1. */
static int make(void **state)
{
	const uint64_t masks[QUEUES] = {0, 2, 0, 1};

	memset(&table, 0, sizeof(table));
	xps_mem = malloc(leat_xps_size(CPUS, RXQS, QUEUES));
	if (!xps_mem || leat_xps_init(&xps, CPUS, RXQS, QUEUES, xps_mem))
		return -1;
	for (unsigned q = 0; q < QUEUES; q++)
		leat_xps_set(&xps, LEAT_XPS_CPUS, q, &masks[q]);
	return 0;
}

static int unmake(void **state)
{
	free(xps_mem);
	return 0;
}

static unsigned pick_from(uint16_t rxq, uint32_t hash, unsigned cpu, uint64_t now)
{
	struct leat_pkt pkt = {.hash = hash, .rxq = rxq}, *pkts[] = {&pkt};
	unsigned txq = UINT32_MAX;

	txflow_pick(&table, &xps, cpu, now, pkts, 1, &txq);
	return txq;
}

static unsigned pick(uint32_t hash, unsigned cpu, uint64_t now)
{
	return pick_from(2, hash, cpu, now);
}

static void clear(uint16_t queue)
{
	leat_xps_set(&xps, LEAT_XPS_CPUS, queue, (const uint64_t[]){0});
}

/* Whatever the time, and without a hash too: all zero is no flow. */
static void test_first_chooses(void **state)
{
	const uint32_t hashes[] = {FLOW, 0, 1, UINT32_MAX};

	for (unsigned i = 0; i < 4; i++) {
		memset(&table, 0, sizeof(table));
		assert_int_equal(pick(hashes[i], 0, 0), 3);
		memset(&table, 0, sizeof(table));
		assert_int_equal(pick(hashes[i], 1, 65536 * TICK), 1);
	}
	clear(3);
	memset(&table, 0, sizeof(table));
	assert_int_equal(pick(FLOW, 0, TICK), 2); /* no map: the receive queue */
	xps.n_queues = 2;
	assert_int_equal(pick(~(uint32_t)FLOW, 0, TICK), 0);
}

/* Packets that nothing is known of keep to their receive queue's. */
static void test_no_hash(void **state)
{
	clear(3);
	clear(1);
	for (uint16_t q = 0; q < QUEUES; q++)
		assert_int_equal(pick_from(q, 0, 0, TICK), q);
	for (uint16_t q = 0; q < QUEUES; q++)
		assert_int_equal(pick_from(q, 0, 1, 2 * TICK), q);
}

/* Over many times its idle time, on any CPU, and although its queue is in no map any more. */
static void test_active_stays(void **state)
{
	uint64_t now = 70000 * TICK;

	assert_int_equal(pick(FLOW, 0, now), 3);
	for (unsigned i = 0; i < 100; i++) {
		now += TXFLOW_IDLE * TICK;
		assert_int_equal(pick(FLOW, i % 2, now), 3);
		if (i == 50)
			clear(3);
	}
}

static void test_idle_moves(void **state)
{
	const uint64_t pauses[] = {TXFLOW_IDLE + 1, TXFLOW_IDLE + 2, 1000, 32768, 65000};

	for (unsigned i = 0; i < 5; i++) {
		uint64_t now = 5 * TICK;

		memset(&table, 0, sizeof(table));
		assert_int_equal(pick(FLOW, 0, now), 3);
		now += pauses[i] * TICK;
		assert_int_equal(pick(FLOW, 1, now), 1);
		assert_int_equal(pick(FLOW, 0, now + TICK), 1);
	}
}

/* A worker whose turn began before the tick does not take the flow for one that was idle. */
static void test_clocks_differ(void **state)
{
	assert_int_equal(pick(FLOW, 0, 100 * TICK), 3);
	assert_int_equal(pick(FLOW, 1, 100 * TICK - 1), 3);
	assert_int_equal(pick(FLOW, 1, 98 * TICK), 3);
	assert_int_equal(pick(FLOW, 1, 100 * TICK), 3);
	memset(&table, 0, sizeof(table));
	assert_int_equal(pick(FLOW, 0, 65536 * TICK), 3);
	assert_int_equal(pick(FLOW, 1, 65536 * TICK - 1), 3); /* where ticks begin anew */
}

/* A slot never names a queue that the port has not, whoever wrote it. */
static void test_queue_beyond(void **state)
{
	memset(&table, 0xff, sizeof(table));
	assert_int_equal(pick(FLOW, 0, 65535 * TICK), 3);
	for (unsigned i = 0; i < 1u << TXFLOW_BITS; i++)
		table.slot[i] = 9 << 16 | (QUEUES + 1);
	assert_int_equal(pick(FLOW, 0, 9 * TICK), 3);
	for (unsigned i = 0; i < 1u << TXFLOW_BITS; i++)
		table.slot[i] = 9 << 16 | QUEUES;
	assert_int_equal(pick(FLOW, 1, 9 * TICK), QUEUES - 1);
}

/* Packets of a batch each get their flow's; flows of one slot share its queue. */
static void test_batch(void **state)
{
	struct leat_pkt pkt[3] = {{.hash = 0}, {.hash = FLOW}, {.hash = FLOW}};
	struct leat_pkt *pkts[] = {&pkt[0], &pkt[1], &pkt[2]};
	unsigned txq[3];

	assert_int_equal(pick_from(0, 0, 1, TICK), 1);
	txflow_pick(&table, &xps, 0, TICK, pkts, 3, txq);
	assert_int_equal(txq[0], 1);
	assert_int_equal(txq[1], 3);
	assert_int_equal(txq[2], 3);
}

/* A forwarded flow's receive queue is where its packet came in: pick()'s is 2. */
static void test_by_rxq(void **state)
{
	assert_int_equal(leat_xps_set(&xps, LEAT_XPS_RXQS, 0, (const uint64_t[]){1 << 2}), 0);
	assert_int_equal(pick(FLOW, 0, TICK), 0);
}

/* Packets of one flow in two classes do not share a queue. */
static void test_classes(void **state)
{
	static const struct leat_xps_tcs tcs = {
		.num_tc = 2, .map = {[6] = 1}, .queues = {{2, 0}, {2, 2}}};
	uint8_t frame[14 + 20] = {[12] = 0x08, [14] = 0x45, [17] = 20, [22] = 64, [23] = 59};
	struct leat_pkt pkt, *pkts[] = {&pkt};
	unsigned txq = UINT32_MAX;

	assert_int_equal(leat_xps_set_tcs(&xps, &tcs), 0);
	leat_pkt_init(&pkt, frame, sizeof(frame));
	leat_parse(NULL, pkts, 1);
	pkt.hash = FLOW;
	pkt.rxq = 1;
	for (unsigned i = 0; i < 4; i++) {
		frame[15] = i % 2 ? 0x10 : 0;
		txflow_pick(&table, &xps, 0, TICK, pkts, 1, &txq);
		assert_int_equal(txq, i % 2 ? 3 : 1);
	}
}

#define test(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_first_chooses), test(test_no_hash),	    test(test_active_stays),
		test(test_idle_moves),	  test(test_clocks_differ), test(test_queue_beyond),
		test(test_batch),	  test(test_by_rxq),	    test(test_classes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
