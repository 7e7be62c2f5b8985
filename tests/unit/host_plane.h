/* SPDX-License-Identifier: MIT */
/*
 * host_plane.h - a plane that does not run, with a host at 198.51.100.1/24 and 2001:db8::2:1/64, and
 * a port that keeps what is transmitted. Frames of frame.h with dst 1 and dst_mac OUR_MAC are to it.
 */
#ifndef LEAT_TESTS_HOST_PLANE_H
#define LEAT_TESTS_HOST_PLANE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "frame.h"
#include "host/endpoint.h"
#include "host/host.h"
#include "knob.h"
#include "plane.h"

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { OUR_MAC = 0x11, THEIR_MAC = 0x22, SENT_MAX = 256, MTU = 1500, QUEUES = 2 };

static const uint8_t our_mac[6] = {2, 0, 0, 0, 1, OUR_MAC},
		     their_mac[6] = {2, 0, 0, 0, 2, THEIR_MAC};

/* What was transmitted. */
static struct sent {
	uint8_t bytes[70000];
	uint32_t len;
	unsigned txq;
	struct leat_vnet_meta meta;
} sent[SENT_MAX];
static unsigned n_sent;

static struct plane plane;
static struct host *host;
static struct task task;
static bool port_offloads; /* whether the port takes super-packets and partial checksums */

static int open_port_(struct port *port, const struct port_args *args, char *err, size_t err_len)
{
	port->rxqs = port->txqs = QUEUES;
	port->mtu = MTU;
	port->features = PORT_SG | (port_offloads ? PORT_TX_CSUM : 0);
	port->gso = port_offloads ? LEAT_GSO_UDP_L4 : 0;
	return 0;
}

static void close_port_(struct port *port)
{
}

static int keep_frames(struct port *port, unsigned q, struct port_frame *frames, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct sent *s = &sent[n_sent++];

		assert_true(n_sent <= SENT_MAX);
		*s = (struct sent){.txq = q, .meta = frames[i].meta};
		for (unsigned k = 0; k < frames[i].niov; k++) {
			memcpy(s->bytes + s->len, frames[i].iov[k].iov_base,
			       frames[i].iov[k].iov_len);
			s->len += (uint32_t)frames[i].iov[k].iov_len;
		}
		assert_int_equal(s->len, frames[i].len);
	}
	return (int)n;
}

static const struct port_ops keeping_port = {
	.kind = "keep", .open = open_port_, .close = close_port_, .transmit = keep_frames};

static int open_nothing(struct plane *p, const char *args, char *err, size_t err_len)
{
	return 0;
}

static const struct app_ops no_app = {.name = "none", .open = open_nothing};

static void add_address(const char *text)
{
	char err[256];

	if (host_add_address(host, text, err, sizeof(err)))
		fail_msg("%s", err);
}

/* The test is the plane's only CPU: it must not be moved to another. */
static uint16_t stay_here(void)
{
	const int cpu = sched_getcpu();
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	assert_int_equal(sched_setaffinity(0, sizeof(set), &set), 0);
	return (uint16_t)cpu;
}

static int make_host(void **state)
{
	const uint16_t cpu = stay_here();
	const struct port_args port = {.name = "left", .ops = &keeping_port};
	const struct plane_args args = {.cpus = &cpu,
					.n_cpus = 1,
					.port = &port,
					.n_ports = 1,
					.app_ops = &no_app,
					.smalls = 1024,
					.bigs = 8};
	char err[256] = "";

	if (plane_open(&plane, &args, err, sizeof(err)))
		fail_msg("%s", err);
	host = host_new(&plane);
	assert_non_null(host);
	add_address("198.51.100.1/24");
	add_address("2001:db8::2:1/64");
	memcpy(host->mac[0], our_mac, sizeof(our_mac));
	n_sent = 0;
	return task_init(&task, &plane, 64, 4);
}

static int free_host(void **state)
{
	task_fini(&task);
	host_free(host);
	plane_close(&plane);
	port_offloads = false;
	return 0;
}

/* A parsed packet of these bytes, as a worker receives it. */
static inline struct leat_pkt *packet(const void *bytes, uint32_t len)
{
	struct leat_pkt *pkt = pool_small(&plane.worker[0].pool);

	assert_non_null(pkt);
	memcpy(pkt->data, bytes, len);
	pkt->len = pkt->headlen = len;
	pkt->port = pkt->rxq = 0;
	leat_parse(&frame_conf, &pkt, 1);
	return pkt;
}

static inline void receive_packet(struct leat_pkt *pkt)
{
	host_receive(host, &plane.worker[0], plane.conf, &pkt, 1);
}

static inline uint64_t counted(enum host_reason reason)
{
	return stat_read(&host->cpu[0].count[reason]);
}

/* Receive the bytes; what became of them. */
static inline enum host_reason fate(const void *bytes, uint32_t len)
{
	uint64_t before[HOST_REASONS];
	enum host_reason found = HOST_REASONS;

	memcpy(before, host->cpu[0].count, sizeof(before));
	receive_packet(packet(bytes, len));
	for (unsigned i = 0; i < HOST_REASONS; i++) {
		if (counted(i) == before[i])
			continue;
		assert_int_equal(counted(i), before[i] + 1);
		assert_int_equal(found, HOST_REASONS);
		found = i;
	}
	return found;
}

/* A datagram to us, from so many flows. */
static inline struct frame datagram_frame(unsigned version, uint32_t src, uint16_t sport,
					  uint16_t dport, uint32_t payload)
{
	return (struct frame){.dst_mac = OUR_MAC,
			      .src_mac = THEIR_MAC,
			      .version = (uint8_t)version,
			      .src = src,
			      .dst = 1,
			      .protocol = FRAME_UDP,
			      .sport = sport,
			      .dport = dport,
			      .payload = payload};
}

static inline enum host_reason fate_of(const struct frame *f)
{
	uint8_t bytes[2048];

	assert_true(frame_len(f) <= sizeof(bytes));
	frame_build(f, bytes);
	return fate(bytes, frame_len(f));
}

static inline unsigned get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

#define test(name) cmocka_unit_test_setup_teardown(name, make_host, free_host)

#endif
