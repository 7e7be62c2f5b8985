/* SPDX-License-Identifier: MIT */
/* Endpoints: who gets a datagram, what is refused, and what is sent, by sums of our own. */
#include "host_plane.h"

#include <poll.h>

enum { UDP4 = 34, UDP6 = 54, PORT = 7 };

static const struct addr us4 = {{198, 51, 100, 1}, 0, 4};
static const struct addr us6 = {{0x20, 1, 0xd, 0xb8, [13] = 2, [15] = 1}, 0, 6};
static const struct addr anywhere;
static const struct addr near4 = {{198, 51, 100, 9}, 5000, 4};
static const struct addr far4 = {{192, 0, 2, 3}, 5000, 4}; /* frame.h's src 3 */

static struct addr at(const struct addr *addr, unsigned port)
{
	struct addr a = *addr;

	a.port = (uint16_t)port;
	return a;
}

static struct endpoint *open_endpoint(void)
{
	struct endpoint *ep = NULL;

	assert_int_equal(endpoint_open(&ep, host, 256), 0);
	return ep;
}

static struct endpoint *open_bound(const struct addr *addr, unsigned port, unsigned flags)
{
	struct addr local = at(addr, port);
	struct endpoint *ep = open_endpoint();

	assert_int_equal(endpoint_bind(ep, &local, flags), 0);
	return ep;
}

/* How many datagrams there are; they are given back. */
static unsigned drain(struct endpoint *ep)
{
	struct datagram d[100];
	int n = endpoint_recv(ep, &task, d, COUNT(d), 0);

	for (int i = 0; i < n; i++)
		pool_give(&task.pool, &d[i].pkt, 1);
	return n > 0 ? (unsigned)n : 0;
}

/* A neighbour becomes known, at THEIR_MAC. */
static void know(const struct addr *addr)
{
	neigh_learn(&host->neigh, addr, addr_path(0, their_mac), true, 0);
}

static void test_bind(void **state)
{
	static const struct addr any, other = {{198, 51, 100, 2}, 0, 4};
	static const struct {
		const struct addr *addr;
		unsigned port, flags;
		int e;
	} rows[] = {
		{&us4, 7, 0, 0},
		{&us4, 7, 0, -EADDRINUSE},
		{&any, 7, 0, -EADDRINUSE},
		{&us4, 7, ENDPOINT_REUSEPORT, -EADDRINUSE},
		{&us6, 7, 0, 0},
		{&us4, 8, 0, 0},
		{&any, 9, ENDPOINT_REUSEPORT, 0},
		{&any, 9, ENDPOINT_REUSEPORT, 0},
		{&us4, 9, ENDPOINT_REUSEPORT, 0},
		{&us4, 9, 0, -EADDRINUSE},
		{&other, 10, 0, -EADDRNOTAVAIL},
		{&any, 0, 0, 0},
		{&any, 0, 0, 0},
	};
	struct endpoint *ep[COUNT(rows)];

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct addr local = at(rows[i].addr, rows[i].port);

		ep[i] = open_endpoint();
		assert_int_equal(endpoint_bind(ep[i], &local, rows[i].flags), rows[i].e);
		assert_int_equal(ep[i]->local.port != 0, rows[i].e == 0);
		if (!rows[i].port)
			assert_in_range(ep[i]->local.port, ENDPOINT_PORT_FIRST, ENDPOINT_PORT_LAST);
	}
	assert_int_not_equal(ep[11]->local.port, ep[12]->local.port);
	assert_int_equal(endpoint_bind(ep[0], &us4, 0), -EINVAL); /* twice */
	for (size_t i = 0; i < COUNT(rows); i++)
		endpoint_close(ep[i]);
	endpoint_close(open_bound(&us4, 7, 0)); /* which is free again */
}

/* The connected one, the one at the address, the one at the port; then nobody. */
static void test_lookup(void **state)
{
	static const struct addr any;
	struct endpoint *ep[3] = {open_bound(&any, PORT, ENDPOINT_REUSEPORT),
				  open_bound(&us4, PORT, ENDPOINT_REUSEPORT), open_endpoint()};
	struct addr local = at(&us4, PORT), peer = {{198, 51, 100, 9}, 1000, 4};
	/* frame.h's source is 192.0.2.0 XOR src. */
	struct frame four = datagram_frame(4, 0xc0000200 ^ 0xc6336409, 1000, PORT, 10), six, other;

	know(&peer);
	assert_int_equal(endpoint_bind(ep[2], &local, ENDPOINT_REUSEPORT), 0);
	assert_int_equal(endpoint_connect(ep[2], &task, &peer, 0), 0);
	six = datagram_frame(6, 3, 1000, PORT, 10);
	other = four;
	other.sport = 1001;
	for (unsigned gone = 0; gone < 3; gone++) {
		unsigned to4 = 2 - gone, to_other = gone == 0 ? 1 : to4;

		assert_int_equal(fate_of(&four), HOST_DELIVERED);
		assert_int_equal(drain(ep[to4]), 1);
		assert_int_equal(fate_of(&other), HOST_DELIVERED);
		assert_int_equal(drain(ep[to_other]), 1);
		assert_int_equal(fate_of(&six), HOST_DELIVERED);
		assert_int_equal(drain(ep[0]), 1);
		endpoint_close(ep[to4]);
	}
	assert_int_equal(fate_of(&four), HOST_PORT_UNREACHABLE);
	assert_int_equal(fate_of(&six), HOST_PORT_UNREACHABLE);
}

/* A flow stays with one of the group, and each has some. */
static void test_reuseport(void **state)
{
	enum { MEMBERS = 3, FLOWS = 100 };
	static const struct addr any;
	struct endpoint *ep[MEMBERS];
	unsigned share[MEMBERS] = {0};

	for (unsigned i = 0; i < MEMBERS; i++)
		ep[i] = open_bound(&any, PORT, ENDPOINT_REUSEPORT);
	for (unsigned f = 0; f < FLOWS; f++) {
		struct frame frame =
			datagram_frame(f % 2 ? 4 : 6, f, (uint16_t)(1000 + f), PORT, 8);
		unsigned got[MEMBERS], all = 0;

		for (unsigned i = 0; i < 4; i++)
			assert_int_equal(fate_of(&frame), HOST_DELIVERED);
		for (unsigned i = 0; i < MEMBERS; i++) {
			got[i] = drain(ep[i]);
			assert_true(got[i] == 0 || got[i] == 4);
			share[i] += got[i];
			all += got[i];
		}
		assert_int_equal(all, 4);
	}
	for (unsigned i = 0; i < MEMBERS; i++) {
		assert_true(share[i] > FLOWS / 2);
		endpoint_close(ep[i]);
	}
}

static void test_connect(void **state)
{
	static const struct addr multicast = {{224, 0, 0, 1}, 7, 4},
				 no_port = {{198, 51, 100, 9}, 0, 4};
	struct addr six = {{0x20, 1, 0xd, 0xb8, [15] = 9}, 7, 6}, other = at(&near4, 1);
	struct endpoint *ep = open_endpoint(), *bound = open_bound(&us6, PORT, 0), *second;

	assert_int_equal(endpoint_connect(ep, &task, &multicast, 0), -EINVAL);
	assert_int_equal(endpoint_connect(ep, &task, &no_port, 0), -EINVAL);
	assert_int_equal(endpoint_connect(bound, &task, &near4, 0), -EINVAL);
	assert_int_equal(endpoint_connect(ep, &task, &far4, 0), -ENETUNREACH);
	assert_int_equal(n_sent, 0);
	assert_int_equal(endpoint_connect(ep, &task, &near4, 3), -EHOSTUNREACH);
	assert_int_equal(ep->local.port, 0);
	/* It was asked for, once: who has 198.51.100.9? */
	assert_int_equal(n_sent, 1);
	assert_int_equal(sent[0].len, 42);
	assert_int_equal(get16(sent[0].bytes + 12), 0x0806);
	assert_memory_equal(sent[0].bytes + 28, us4.ip, 4);
	assert_memory_equal(sent[0].bytes + 38, near4.ip, 4);
	know(&near4);
	assert_int_equal(endpoint_connect(ep, &task, &near4, 3), 0);
	assert_true(addr_same(&ep->local, &us4));
	assert_in_range(ep->local.port, ENDPOINT_PORT_FIRST, ENDPOINT_PORT_LAST);
	/* The same ends twice. */
	second = open_endpoint();
	assert_int_equal(endpoint_connect(second, &task, &other, 0), 0);
	other = second->local;
	endpoint_close(second);
	/* And over IPv6, by a solicitation to ff02::1:ff00:9. */
	assert_int_equal(endpoint_connect(bound, &task, &six, 0), -EHOSTUNREACH);
	assert_int_equal(n_sent, 2);
	assert_int_equal(sent[1].bytes[UDP6], 135);
	assert_memory_equal(sent[1].bytes, ((uint8_t[]){0x33, 0x33, 0xff, 0, 0, 9}), 6);
	assert_int_equal(
		frame_sum(sent[1].bytes + UDP6, 32, frame_pseudo(sent[1].bytes + 14, 58, 32)),
		0xffff);
	endpoint_close(ep);
	endpoint_close(bound);
}

/* Payload, peer, padding; the CPU is recorded. */
static void test_receive(void **state)
{
	char err[256];

	assert_int_equal(knob_set(&plane, "net/core/rps_sock_flow_entries", "64", err, sizeof(err)),
			 0);
	for (unsigned version = 4; version <= 6; version += 2) {
		struct endpoint *ep = open_bound(&anywhere, PORT, 0);
		struct frame f = datagram_frame(version, 3, 1234, PORT, 5);
		uint8_t bytes[256], payload[16];
		struct leat_pkt *pkt;
		struct datagram d;

		f.padding = 13;
		frame_build(&f, bytes);
		pkt = packet(bytes, frame_len(&f));
		pkt->hash = 0xabcd1234 + version;
		pkt->hash_type = LEAT_HASH_L4;
		pkt->rxq = 1;
		receive_packet(pkt);
		assert_int_equal(endpoint_recv(ep, &task, &d, 1, 0), 1);
		assert_ptr_equal(d.pkt, pkt);
		assert_int_equal(d.pkt->len, 5);
		assert_int_equal(d.peer.port, 1234);
		assert_int_equal(d.peer.version, version);
		assert_memory_equal(d.peer.ip, bytes + (version == 4 ? 26 : 22),
				    version == 4 ? 4 : 16);
		assert_true(addr_same(&d.local, version == 4 ? &us4 : &us6));
		assert_int_equal(d.path, addr_path(0, their_mac));
		assert_int_equal(d.hash, 0xabcd1234 + version);
		assert_int_equal(d.gso_size, 0);
		assert_int_equal(leat_pkt_copy(d.pkt, 0, payload, 16), 5);
		assert_memory_equal(payload, bytes + frame_hdr_len(&f), 5);
		assert_int_equal(leat_rfs_desired(&plane.conf->sock, d.hash), plane.worker[0].cpu);
		/* The answer goes back the way it came, on the queue it came on. */
		n_sent = 0;
		assert_int_equal(endpoint_send(ep, &task, &d, 1), 1);
		assert_int_equal(n_sent, 1);
		assert_int_equal(sent[0].txq, 1);
		assert_null(frame_wrong(sent[0].bytes, sent[0].len, false));
		assert_memory_equal(sent[0].bytes, their_mac, 6);
		assert_int_equal(sent[0].len, frame_hdr_len(&f) + 5);
		assert_memory_equal(sent[0].bytes + frame_hdr_len(&f), payload, 5);
		assert_int_equal(endpoint_recv(ep, &task, &d, 1, 0), -EAGAIN);
		endpoint_close(ep);
	}
}

static void test_waiting(void **state)
{
	struct endpoint *ep = open_bound(&us4, PORT, 0);
	struct pollfd fd = {.fd = endpoint_fd(ep), .events = POLLIN};
	struct frame f = datagram_frame(4, 3, 1234, PORT, 5);
	uint64_t begin = worker_clock();
	struct datagram d;

	assert_int_equal(endpoint_recv(ep, &task, &d, 1, 20), -EAGAIN);
	assert_true(worker_clock() - begin >= 20000000);
	endpoint_interrupt(ep);
	assert_int_equal(endpoint_recv(ep, &task, &d, 1, -1), -EINTR);
	assert_int_equal(endpoint_recv(ep, &task, &d, 1, 1), -EAGAIN);
	assert_true(endpoint_arm(ep));
	assert_int_equal(poll(&fd, 1, 0), 0);
	assert_int_equal(fate_of(&f), HOST_DELIVERED);
	assert_int_equal(poll(&fd, 1, 0), 1);
	assert_false(endpoint_arm(ep));
	/* An interrupt does not keep what is there from being received. */
	endpoint_interrupt(ep);
	assert_int_equal(drain(ep), 1);
	assert_int_equal(endpoint_recv(ep, &task, &d, 1, -1), -EINTR);
	assert_true(endpoint_arm(ep));
	/* What there is no room for is counted. */
	for (unsigned i = 0; i < 256; i++)
		assert_int_equal(fate_of(&f), HOST_DELIVERED);
	assert_int_equal(fate_of(&f), HOST_INBOX_FULL);
	assert_int_equal(ep->dropped, 1);
	endpoint_close(ep);
}

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

static void test_copies(void **state)
{
	struct endpoint *ep = open_endpoint();
	struct frame f = datagram_frame(4, 0xc0000200 ^ 0xc6336409, 5000, 0, 20);
	uint8_t buf[100], bytes[256];
	struct addr peer;
	unsigned txq;
	uint16_t gso;

	assert_int_equal(endpoint_sendto(ep, &task, "x", 1, &near4, 0), -ENOTCONN);
	know(&near4);
	assert_int_equal(endpoint_connect(ep, &task, &near4, 0), 0);
	assert_int_equal(endpoint_sendto(ep, &task, "hello", 5, NULL, 0), 0);
	assert_int_equal(n_sent, 1);
	assert_memory_equal(sent[0].bytes + 42, "hello", 5);
	txq = sent[0].txq;
	assert_null(frame_wrong(sent[0].bytes, sent[0].len, false));
	f.dport = ep->local.port;
	assert_int_equal(fate_of(&f), HOST_DELIVERED);
	assert_int_equal(fate_of(&f), HOST_DELIVERED);
	frame_build(&f, bytes);
	assert_int_equal(endpoint_recvfrom(ep, &task, buf, sizeof(buf), &peer, &gso, -1), 20);
	assert_memory_equal(buf, bytes + 42, 20);
	assert_true(addr_same(&peer, &near4));
	assert_int_equal(peer.port, 5000);
	assert_int_equal(endpoint_recvfrom(ep, &task, buf, 4, NULL, NULL, -1), 4);
	assert_int_equal(endpoint_recvfrom(ep, &task, buf, 4, NULL, NULL, 0), -EAGAIN);
	/* A flow received: what is sent goes by its queue and hash. */
	assert_int_equal(ep->rx >> 32, 1);
	for (unsigned i = 0; i < 100; i++) { /* more than the task has buffers */
		n_sent = 0;
		assert_int_equal(endpoint_sendto(ep, &task, buf, sizeof(buf), NULL, 10), 0);
		assert_int_equal(n_sent, 10);
		assert_int_equal(sent[0].txq, txq); /* the flow keeps it */
	}
	endpoint_close(ep);
}

/* Whether all buffers came back; those of the worker are in its pool or on their way to it. */
static void test_buffers(void **state)
{
	static struct datagram d[ENDPOINT_BATCH];
	struct endpoint *ep = open_bound(&us4, PORT, 0);
	struct frame f = datagram_frame(4, 3, 1234, PORT, 5);

	for (unsigned i = 0; i < 5000; i++) {
		int n;

		n_sent = 0;
		assert_int_equal(fate_of(&f), HOST_DELIVERED);
		n = endpoint_recv(ep, &task, d, ENDPOINT_BATCH, 0);
		assert_int_equal(n, 1);
		assert_int_equal(endpoint_send(ep, &task, d, 1), 1);
	}
	endpoint_close(ep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_bind),
		test(test_lookup),
		test(test_reuseport),
		test(test_connect),
		test(test_receive),
		test(test_waiting),
		test(test_send_errors),
		test(test_send_prefix),
		test(test_super),
		cmocka_unit_test_setup_teardown(test_super, make_offloads, free_host),
		test(test_merged),
		test(test_copies),
		test(test_buffers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
