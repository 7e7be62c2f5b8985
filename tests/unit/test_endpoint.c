/* SPDX-License-Identifier: MIT */
/* Endpoints: who gets a datagram, what is refused, who waits for what. */
#include "endpoint_plane.h"

#include <poll.h>

/* How many datagrams there are; they are given back. */
static unsigned drain(struct endpoint *ep)
{
	struct datagram d[100];
	int n = endpoint_recv(ep, &task, d, COUNT(d), 0);

	for (int i = 0; i < n; i++)
		pool_give(&task.pool, &d[i].pkt, 1);
	return n > 0 ? (unsigned)n : 0;
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

/* What came before the endpoint was connected tells nothing of the way to the peer. */
static void test_received_before(void **state)
{
	static const uint8_t other_mac[6] = {2, 0, 0, 0, 2, 0x33};
	struct endpoint *ep = open_bound(&us4, PORT, 0);
	struct frame f = datagram_frame(4, 3, 1234, PORT, 5);
	uint8_t buf[8];

	assert_int_equal(fate_of(&f), HOST_DELIVERED);
	neigh_learn(&host->neigh, &near4, addr_path(0, other_mac), true, 1);
	assert_int_equal(endpoint_connect(ep, &task, &near4, 0), 0);
	assert_int_equal(endpoint_recvfrom(ep, &task, buf, sizeof(buf), NULL, NULL, 0), 5);
	assert_int_equal(ep->rx, 0);
	assert_int_equal(endpoint_sendto(ep, &task, "x", 1, NULL, 0), 0);
	assert_int_equal(n_sent, 1);
	assert_memory_equal(sent[0].bytes, other_mac, sizeof(other_mac));
	/* Nor does the former peer's flow. */
	f.src = 0xc0000200 ^ 0xc6336409;
	f.sport = 5000;
	assert_int_equal(fate_of(&f), HOST_DELIVERED);
	assert_int_equal(endpoint_recvfrom(ep, &task, buf, sizeof(buf), NULL, NULL, 0), 5);
	assert_int_not_equal(ep->rx, 0);
	assert_int_equal(endpoint_connect(ep, &task, &(struct addr){{198, 51, 100, 9}, 6000, 4}, 0),
			 0);
	assert_int_equal(ep->rx, 0);
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
		test(test_bind),    test(test_lookup),	test(test_reuseport),
		test(test_connect), test(test_receive), test(test_waiting),
		test(test_copies),  test(test_buffers), test(test_received_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
