/* SPDX-License-Identifier: MIT */
/*
 * test_tap_steer.c - the kernel as the port sees it against the library: whatever is sent into a
 * TAP, the queue that its program chose is the one that leat_rxfh_pick() names for what was
 * received; random frames, random values. LEAT_STEER_FRAMES says how many.
 */
#include "steer_frames.h"
#include "steer_lab.h"
#include "steer_value.h"

enum {
	FRAMES = 20000,
	PER_VALUE = 400,
	BATCH = 50,
	KEYS = 256,
	FLOWS = 16, /* frames that are sent again and again */
	PORTS = 4,  /* sets of tunnels' ports */
};

/* A frame that is sent again, and the filter of its hash, -1: it has none. */
struct flow {
	uint8_t bytes[FRAME_ROOM];
	uint32_t len, hash;
	uint16_t queue;
	int filter;
};

/* What is known of the traffic. */
struct referee {
	struct lab lab;
	struct rng rng;
	struct frames frames;
	struct value value;
	const struct leat_parse_conf *parse;
	struct leat_ntuple_key key[KEYS]; /* of some of the last frames */
	unsigned keys, seen;
	struct flow flow[FLOWS];
	uint64_t by[LEAT_RXFH_BY_DROP + 1], by_flow, inner, sent;
};

static void forget(struct referee *r, struct flow *flow)
{
	if (flow->filter >= 0)
		port_tap.flow_forget(&r->lab.port, (uint16_t)flow->filter);
	flow->filter = -1;
}

static void forget_flows(struct referee *r)
{
	for (unsigned i = 0; i < FLOWS; i++)
		forget(r, &r->flow[i]);
}

static void set_value(struct referee *r)
{
	static const struct leat_parse_conf none;
	const struct leat_parse_conf *const parse[PORTS] = {&wild_ports, &wild_ports,
							    &leat_parse_default, &none};

	value_free(&r->value);
	value_make(&r->rng, &r->value, r->lab.port.rxqs, r->key, r->keys);
	r->parse = parse[rng_below(&r->rng, PORTS)];
	r->lab.port.parse = r->parse;
	forget_flows(r);
	lab_steer(&r->lab, &r->value.rxfh);
}

static void remember(struct referee *r, const struct leat_pkt *pkt)
{
	struct leat_ntuple_key *key = &r->key[r->seen % KEYS];

	if (pkt->depth < LEAT_DEPTH_LINK)
		return; /* nothing that a rule could fit */
	leat_ntuple_key(pkt, key);
	r->seen++;
	if (r->keys < KEYS)
		r->keys++;
}

/* Where a filter of its hash, or else the value, has it go. */
static uint16_t expect(struct referee *r, const struct leat_rxfh_choice *c)
{
	for (unsigned i = 0; c->by == LEAT_RXFH_BY_INDIR && i < FLOWS; i++) {
		if (r->flow[i].filter < 0 || r->flow[i].hash != c->hash)
			continue;
		r->by_flow++;
		return r->flow[i].queue;
	}
	return c->queue;
}

static void check(struct referee *r, const struct leat_pkt *pkt, unsigned q)
{
	struct leat_rxfh_choice c;

	leat_rxfh_pick(&r->value.rxfh, pkt, &c);
	r->by[c.by]++;
	r->inner += pkt->levels > 1 && r->value.context[c.context].inner;
	if (c.by == LEAT_RXFH_BY_DROP || expect(r, &c) != q) {
		for (uint32_t i = 0; i < pkt->headlen && i < 200; i++)
			printf("%02x%s", pkt->data[i], i % 32 == 31 ? "\n" : "");
		printf("\n%u bytes, depth %d, reason '%s', levels %d, by %d, rule %lld, hash %08x\n",
		       pkt->len, pkt->depth,
		       leat_parse_reason_name((enum leat_parse_reason)pkt->reason), pkt->levels,
		       c.by, (long long)c.rule, c.hash);
		fail_msg("came on queue %u instead of %u", q, c.queue);
	}
	remember(r, pkt);
}

static unsigned receive_all(struct referee *r)
{
	struct leat_pkt *pkts[PORT_BATCH];
	unsigned all = 0, n;

	for (unsigned q = 0; q < r->lab.port.rxqs; q++) {
		for (bool empty = false; !empty;) {
			n = lab_receive(&r->lab, r->parse, q, pkts, &empty);
			for (unsigned i = 0; i < n; i++)
				check(r, pkts[i], q);
			pool_give(&r->lab.pool, pkts, n);
			all += n;
		}
	}
	return all;
}

/* Gives how many were dropped, which the sender is told of. */
static unsigned send_frame(const struct referee *r, const uint8_t *bytes, uint32_t len)
{
	ssize_t sent = send(r->lab.socket, bytes, len, 0);

	if (sent < 0 && errno == ENOBUFS)
		return 1;
	assert_int_equal(sent, len);
	return 0;
}

/* What is sent is queued when the call returns, or was dropped by a rule. */
static void run_batch(struct referee *r)
{
	uint64_t before = port_tap.rule_dropped(&r->lab.port);
	unsigned dropped = 0;

	for (unsigned i = 0; i < BATCH; i++) {
		const struct flow *flow = &r->flow[rng_below(&r->rng, FLOWS)];

		if (flow->len && rng_once_in(&r->rng, 4)) {
			dropped += send_frame(r, flow->bytes, flow->len);
			continue;
		}
		frames_next(&r->frames);
		dropped += send_frame(r, r->frames.bytes, r->frames.len);
	}
	assert_int_equal(receive_all(r), BATCH - dropped);
	assert_int_equal(port_tap.rule_dropped(&r->lab.port) - before, dropped);
	r->by[LEAT_RXFH_BY_DROP] += dropped;
	r->sent += BATCH;
}

/* Another frame is the flow's. */
static void draw_flow(struct referee *r, struct flow *flow)
{
	struct leat_rxfh_choice c;
	struct leat_pkt pkt, *p = &pkt;

	frames_next(&r->frames);
	memcpy(flow->bytes, r->frames.bytes, r->frames.len);
	flow->len = r->frames.len;
	leat_pkt_init(p, flow->bytes, flow->len);
	if (p->headlen > POOL_SMALL)
		p->headlen = POOL_SMALL;
	leat_parse(r->parse, &p, 1);
	leat_rxfh_pick(&r->value.rxfh, p, &c);
	flow->hash = c.hash;
}

static struct flow *find_filter(struct referee *r, const struct flow *than)
{
	for (unsigned i = 0; i < FLOWS; i++) {
		if (&r->flow[i] != than && r->flow[i].filter >= 0 && r->flow[i].hash == than->hash)
			return &r->flow[i];
	}
	return NULL;
}

/* One hash has one filter, steered or not; what is forgotten goes by the table again. */
static void change_flow(struct referee *r)
{
	struct flow *flow = &r->flow[rng_below(&r->rng, FLOWS)], *same;

	if (rng_once_in(&r->rng, 2))
		forget(r, flow);
	if (flow->filter < 0)
		draw_flow(r, flow);
	same = find_filter(r, flow);
	if (same)
		same->filter = -1;
	flow->queue = (uint16_t)rng_below(&r->rng, r->lab.port.rxqs);
	flow->filter = port_tap.flow_steer(&r->lab.port, flow->hash, flow->queue, 0);
	assert_in_range(flow->filter, 0, FLOWS - 1);
	for (unsigned i = 0; i < FLOWS; i++)
		assert_true(&r->flow[i] == flow || r->flow[i].filter != flow->filter);
}

static uint64_t frames_wanted(void)
{
	const char *env = getenv("LEAT_STEER_FRAMES");

	return env ? strtoull(env, NULL, 0) : FRAMES;
}

static void report(const struct referee *r)
{
	printf("%llu frames: %llu by the table, %llu by a context, %llu by a rule, %llu dropped, "
	       "%llu by a filter, %llu by inner headers\n",
	       (unsigned long long)r->sent, (unsigned long long)r->by[LEAT_RXFH_BY_INDIR],
	       (unsigned long long)r->by[LEAT_RXFH_BY_CONTEXT],
	       (unsigned long long)r->by[LEAT_RXFH_BY_RULE],
	       (unsigned long long)r->by[LEAT_RXFH_BY_DROP], (unsigned long long)r->by_flow,
	       (unsigned long long)r->inner);
}

static void test_referee(void **state)
{
	struct referee *r = calloc(1, sizeof(*r));
	uint64_t wanted = frames_wanted();

	r->rng = rng_start("tap_steer");
	for (unsigned i = 0; i < FLOWS; i++)
		r->flow[i].filter = -1;
	r->frames.rng = &r->rng;
	lab_open(&r->lab, "steer0", "7", "9000");
	while (r->sent < wanted) {
		set_value(r);
		for (unsigned i = 0; i < PER_VALUE / BATCH; i++) {
			run_batch(r);
			for (unsigned n = rng_below(&r->rng, 4); n > 0; n--)
				change_flow(r);
		}
	}
	report(r);
	for (unsigned by = 0; by <= LEAT_RXFH_BY_DROP; by++)
		assert_true(r->by[by] > 0);
	assert_true(r->by_flow > 0 && r->inner > 0);
	value_free(&r->value);
	frames_fini(&r->frames);
	lab_close(&r->lab);
	free(r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(test_referee)};

	lab_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
