/* SPDX-License-Identifier: MIT */
/*
 * What the flow limit is for: six flows share a CPU with one at twenty times their rate, and twice
 * as much comes as it can process. The path is driven by hand, so the figures are of no machine.
 */
#include "rng.h"
#include "stub_plane.h"

enum {
	FLOWS = 6,	    /* of requests, one packet each in a batch */
	ANTAGONIST = FLOWS, /* the flow that has the others' twenty */
	RATE = 20,
	BATCHES = 5, /* a step: as many arrive, and a batch of the backlog is processed, which is
			half of that */
	STEPS = 2000,
};

static uint64_t sent[FLOWS + 1], served[FLOWS + 1];
static uint64_t last[FLOWS + 1];

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

static void open_plane(const char *flow_limit)
{
	static const uint16_t cpus[] = {0, 1};

	stub_app.process = app_process;
	stub_plane_open(cpus, COUNT(cpus), 0);
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
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_overload)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
