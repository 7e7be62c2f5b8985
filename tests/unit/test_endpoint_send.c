/* SPDX-License-Identifier: MIT */
/* What endpoints send, by sums of our own, and refuse to. */
#include "endpoint_plane.h"

/* A packet of so many bytes to send. */
static struct datagram outgoing(const struct addr *peer, uint32_t len, uint16_t gso_size)
{
	struct datagram d = {.pkt = pool_big(&task.pool), .peer = *peer, .gso_size = gso_size};

	assert_non_null(d.pkt);
	for (uint32_t i = 0; i < len; i++)
		d.pkt->data[i] = (uint8_t)(i * 7 + i / 251);
	d.pkt->len = d.pkt->headlen = len;
	return d;
}

static void test_send_errors(void **state)
{
	static const struct addr none, multicast = {{239, 1, 1, 1}, 7, 4},
				       unknown = {{198, 51, 100, 10}, 7, 4},
				       six = {{0x20, 1, 0xd, 0xb8, [15] = 9}, 7, 6};
	static const struct {
		const struct addr *peer;
		uint32_t len;
		uint16_t gso_size;
		int e;
	} rows[] = {
		{&near4, 1472, 0, 1},
		{&near4, 0, 0, 1},
		{&near4, 1473, 0, -EMSGSIZE},
		{&near4, 1473, 1472, 1},
		{&near4, 2946, 1473, -EMSGSIZE},
		{&near4, 1280, 10, 1},
		{&near4, 1281, 10, -EINVAL},
		{&near4, 65507, 1400, 1},
		{&near4, 65508, 1400, -EMSGSIZE},
		{&six, 1452, 0, 1},
		{&six, 1453, 0, -EMSGSIZE},
		{&six, 65527, 1400, 1},
		{&six, 65528, 1400, -EMSGSIZE},
		{&none, 10, 0, -EDESTADDRREQ},
		{&multicast, 10, 0, -EINVAL},
		{&far4, 10, 0, -ENETUNREACH},
		{&unknown, 10, 0, -EAGAIN},
	};
	struct endpoint *any = open_bound(&none, PORT, 0), *ep = open_endpoint();
	struct datagram d;

	know(&near4);
	know(&six);
	for (size_t i = 0; i < COUNT(rows); i++) {
		n_sent = 0;
		print_message("row %zu\n", i);
		d = outgoing(rows[i].peer, rows[i].len, rows[i].gso_size);
		assert_int_equal(endpoint_send(any, &task, &d, 1), rows[i].e);
		if (rows[i].e < 0) {
			assert_int_equal(d.pkt->len, rows[i].len); /* still ours, as it was */
			pool_give(&task.pool, &d.pkt, 1);
		}
		assert_int_equal(n_sent > 0, rows[i].e == 1 || rows[i].e == -EAGAIN);
	}
	d = outgoing(&near4, 10, 0);
	assert_int_equal(endpoint_send(ep, &task, &d, 1), -ENOTCONN);
	d.local = (struct addr){{198, 51, 100, 3}, 0, 4};
	assert_int_equal(endpoint_send(any, &task, &d, 1), -EADDRNOTAVAIL);
	assert_int_equal(endpoint_connect(ep, &task, &near4, 0), 0);
	d.peer.port++;
	assert_int_equal(endpoint_send(ep, &task, &d, 1), -EISCONN);
	d.pkt->head = d.pkt->data - ENDPOINT_HEADROOM + 1;
	d.peer = none;
	d.local = none;
	assert_int_equal(endpoint_send(ep, &task, &d, 1), -EINVAL);
	d.pkt->head--;
	assert_int_equal(endpoint_send(ep, &task, &d, 1), 1);
	endpoint_close(any);
	endpoint_close(ep);
}

/* Of several, those up to the first that cannot be sent are. */
static void test_send_prefix(void **state)
{
	struct endpoint *ep = open_bound(&us4, PORT, 0);
	struct datagram d[3];

	know(&near4);
	for (unsigned i = 0; i < 3; i++)
		d[i] = outgoing(&near4, i == 2 ? 2000 : 10, 0);
	assert_int_equal(endpoint_send(ep, &task, d, 3), 2);
	assert_int_equal(n_sent, 2);
	pool_give(&task.pool, &d[2].pkt, 1);
	endpoint_close(ep);
}

/* Each frame is right by sums of our own; all payload is there, in order. */
static void check_sent(unsigned version, uint32_t len, uint16_t gso_size)
{
	unsigned hdr = version == 4 ? UDP4 + 8 : UDP6 + 8;
	uint32_t seen = 0;

	for (unsigned i = 0; i < n_sent; i++) {
		uint32_t payload = sent[i].len - hdr;

		assert_null(frame_wrong(sent[i].bytes, sent[i].len, port_offloads));
		assert_true(payload == gso_size || i + 1 == n_sent);
		assert_int_equal(get16(sent[i].bytes + hdr - 8), PORT);
		assert_int_equal(get16(sent[i].bytes + hdr - 6), 5000);
		for (uint32_t k = 0; k < payload; k++, seen++)
			assert_int_equal(sent[i].bytes[hdr + k], (uint8_t)(seen * 7 + seen / 251));
	}
	assert_int_equal(seen, len);
}

static void check_super(void)
{
	static const struct addr six = {{0x20, 1, 0xd, 0xb8, [15] = 9}, 5000, 6};
	const struct addr *peer[] = {&near4, &six};

	for (unsigned i = 0; i < 2; i++) {
		struct endpoint *ep = open_bound(&anywhere, PORT, 0);
		struct datagram d = outgoing(peer[i], 3001, 1000);

		know(peer[i]);
		n_sent = 0;
		assert_int_equal(endpoint_send(ep, &task, &d, 1), 1);
		if (port_offloads) {
			assert_int_equal(n_sent, 1);
			assert_int_equal(sent[0].meta.gso_type, LEAT_GSO_UDP_L4);
			assert_int_equal(sent[0].meta.gso_size, 1000);
			assert_int_equal(sent[0].meta.csum, LEAT_CSUM_PARTIAL);
		} else {
			assert_int_equal(n_sent, 4);
		}
		check_sent(peer[i]->version, 3001, port_offloads ? 3001 : 1000);
		endpoint_close(ep);
	}
}

static int make_offloads(void **state)
{
	port_offloads = true;
	return make_host(state);
}

static void test_super(void **state)
{
	check_super();
}

/* What GRO merged is received with its gso_size and, sent back, has no header of its segments. */
static void test_merged(void **state)
{
	enum { N = 3, LEN = 100 };
	struct endpoint *ep = open_bound(&us4, PORT, 0);
	struct leat_pkt *pkts[2 * N];
	struct leat_gro_conf conf = {.udp = true, .flows = 8, .buckets = 8, .depth = 1};
	void *mem = aligned_alloc(64, (leat_gro_size(&conf) + 63) & ~(size_t)63);
	uint8_t bytes[256], payload[N * LEN], back[N * LEN];
	struct leat_gro gro;
	struct datagram d;
	unsigned n;

	assert_int_equal(leat_gro_init(&gro, &conf, mem), 0);
	for (unsigned i = 0; i < N; i++) {
		struct frame f = datagram_frame(4, 3, 5000, PORT, LEN);

		f.id = (uint16_t)i;
		f.salt = i;
		f.frag_off = FRAME_DF;
		frame_build(&f, bytes);
		memcpy(payload + i * (size_t)LEN, bytes + 42, LEN);
		pkts[i] = packet(bytes, frame_len(&f));
	}
	n = leat_gro_receive(&gro, (struct leat_pkt *[]){pkts[0], pkts[1], pkts[2]}, N, 0, pkts);
	n += leat_gro_flush(&gro, UINT64_MAX, pkts + n, N);
	assert_int_equal(n, 1);
	receive_packet(pkts[0]);
	free(mem);
	assert_int_equal(endpoint_recv(ep, &task, &d, 1, 0), 1);
	assert_int_equal(d.gso_size, LEN);
	assert_int_equal(d.pkt->len, N * LEN);
	assert_int_equal(leat_pkt_copy(d.pkt, 0, back, sizeof(back)), N * LEN);
	assert_memory_equal(back, payload, sizeof(payload));
	assert_int_equal(endpoint_send(ep, &task, &d, 1), 1);
	assert_int_equal(n_sent, N);
	for (unsigned i = 0; i < N; i++) {
		assert_null(frame_wrong(sent[i].bytes, sent[i].len, false));
		assert_memory_equal(sent[i].bytes, their_mac, 6);
		assert_memory_equal(sent[i].bytes + 26, us4.ip, 4);
		assert_memory_equal(sent[i].bytes + 42, payload + i * (size_t)LEN, LEN);
	}
	endpoint_close(ep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_send_errors),
		test(test_send_prefix),
		test(test_super),
		cmocka_unit_test_setup_teardown(test_super, make_offloads, free_host),
		test(test_merged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
