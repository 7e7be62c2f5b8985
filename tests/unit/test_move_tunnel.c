/* SPDX-License-Identifier: MIT */
/*
 * A changed tunnel port moves flows between queues where inner headers are hashed: two flows change
 * places, each with a frame on its old queue and one on its new.
 */
#include "frame.h"
#include "stub_plane.h"

enum { FLOWS = 256, PAYLOAD = 8, ETH_SPORT = 34 };

/* Queues of the device: flows, in order. */
static struct {
	unsigned flow[2], n;
} device[STUB_QUEUES];

static bool armed; /* atomic: frames are there to be read */
static bool changing;
static unsigned number[FLOWS];			/* of a flow's next frame, as it is read */
static unsigned old_first[2], processed, wrong; /* atomic: flows that go from queue 0, from 1 */

/* Flow i's frame, which is VXLAN's at a port that only the new value knows. */
static uint32_t build(unsigned flow, uint8_t *data)
{
	const struct frame inner = {
		.sport = (uint16_t)(1000 + flow), .dport = 80, .payload = PAYLOAD};
	const struct frame outer = {.tunnel = LEAT_TUNNEL_VXLAN,
				    .sport = (uint16_t)(9 * flow + 1),
				    .dport = FRAME_VXLAN_RCO_PORT,
				    .no_csum = true,
				    .inner = &inner};

	frame_build(&outer, data);
	return frame_len(&outer);
}

static unsigned queue_of(unsigned flow, const struct leat_parse_conf *parse,
			 const struct leat_rxfh *rxfh)
{
	uint8_t data[512];
	struct leat_pkt pkt = {.data = data}, *pkts = &pkt;
	struct leat_rxfh_choice choice;

	pkt.len = pkt.headlen = build(flow, data);
	leat_parse(parse, &pkts, 1);
	leat_rxfh_pick(rxfh, &pkt, &choice);
	return choice.queue;
}

static void put(unsigned q, unsigned flow)
{
	device[q].flow[device[q].n++] = flow;
}

/* While the value is changed: the older frame of each of two flows, then the newer. */
static int port_steer(struct port *port, const struct leat_rxfh *rxfh, char *err, size_t err_len)
{
	if (!changing)
		return 0;
	for (unsigned from = 0; from < 2; from++) {
		unsigned flow = 0;

		while (flow < FLOWS && (queue_of(flow, &leat_parse_default, rxfh) != from ||
					queue_of(flow, port->parse, rxfh) == from))
			flow++;
		assert_true(flow < FLOWS);
		old_first[from] = flow;
	}
	put(0, old_first[0]);
	put(1, old_first[1]);
	put(0, old_first[1]);
	put(1, old_first[0]);
	__atomic_store_n(&armed, true, __ATOMIC_RELEASE);
	for (unsigned q = 0; q < 2; q++)
		assert_int_equal(eventfd_write(stub_fd[q], 1), 0);
	return 0;
}

static int port_receive(struct port *port, unsigned q, struct pool *pool, struct leat_pkt **pkts,
			unsigned n)
{
	unsigned i;

	if (!__atomic_load_n(&armed, __ATOMIC_ACQUIRE))
		return 0;
	for (i = 0; i < device[q].n; i++) {
		pkts[i] = pool_small(pool);
		pkts[i]->len = pkts[i]->headlen = build(device[q].flow[i], pkts[i]->data);
		pkts[i]->data[0] = (uint8_t)(i + 1); /* the older is the first of its queue */
	}
	device[q].n = 0;
	return (int)i;
}

static void app_process(struct worker *w, const struct conf *c, struct leat_pkt **pkts, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned flow =
			(pkts[i]->data[ETH_SPORT] * 256u + pkts[i]->data[ETH_SPORT + 1]) / 9;

		wrong += pkts[i]->data[0] != ++number[flow];
	}
	pool_give(&w->pool, pkts, n);
	__atomic_fetch_add(&processed, n, __ATOMIC_RELEASE);
}

static void test_port_changed(void **state)
{
	stub_port.steer = port_steer;
	stub_port.receive = port_receive;
	stub_app.process = app_process;
	stub_plane_open_here();
	set("p/rxfh/inner", "on");
	set("p/features/rx-gro", "off");
	stub_plane_start();
	changing = true;
	set("net/vxlan/dstport", "4789,8472");
	while (__atomic_load_n(&processed, __ATOMIC_ACQUIRE) < 4)
		sched_yield();
	plane_stop(&plane);
	assert_int_equal(wrong, 0);
	assert_int_equal(number[old_first[0]], 2);
	assert_int_equal(number[old_first[1]], 2);
	plane_close(&plane);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_port_changed)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
