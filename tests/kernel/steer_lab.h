/* SPDX-License-Identifier: MIT */
/*
 * steer_lab.h - a TAP in a network namespace of its own that is asked to steer in the kernel, and a
 * packet socket on it: what the socket sends is what the TAP receives.
 */
#ifndef LEAT_TESTS_KERNEL_STEER_LAB_H
#define LEAT_TESTS_KERNEL_STEER_LAB_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <leat/parse.h>
#include <leat/rxfh.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "pool.h"
#include "port/port.h"

enum { LAB_CANNOT = 77, LAB_SMALLS = 4096, LAB_BIGS = 64 };

struct lab {
	struct port port;
	struct pool pool;
	int socket;
};

/* Not possible here: say why and end. */
__attribute__((noreturn)) static inline void lab_skip(const char *why)
{
	printf("%s\n", why);
	exit(LAB_CANNOT);
}

/* A namespace for this thread, in which the kernel has nothing to say. */
static inline void lab_enter(void)
{
	int fd;

	if (unshare(CLONE_NEWNET))
		lab_skip("making a network namespace needs CAP_SYS_ADMIN");
	fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY);
	if (fd >= 0) {
		assert_int_equal(write(fd, "1", 1), 1);
		close(fd);
	}
}

static inline int lab_socket(const char *device)
{
	struct sockaddr_ll a = {.sll_family = AF_PACKET,
				.sll_ifindex = (int)if_nametoindex(device)};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* The TAP `name` of that many queues, whose frames are at most `mtu` and Ethernet's header. */
static inline void lab_open(struct lab *lab, const char *name, const char *queues, const char *mtu)
{
	struct port_args args = {
		.name = name,
		.option = {{"queues", queues}, {"mtu", mtu}, {"txqueuelen", "100000"}},
		.options = 3,
	};
	char err[256] = "";

	memset(lab, 0, sizeof(*lab));
	lab->port.ops = &port_tap;
	snprintf(lab->port.name, sizeof(lab->port.name), "%s", name);
	if (port_tap.open(&lab->port, &args, err, sizeof(err)) ||
	    port_tap.up(&lab->port, err, sizeof(err)))
		lab_skip(err);
	lab->port.rx_stats = calloc(lab->port.rxqs, sizeof(*lab->port.rx_stats));
	assert_int_equal(pool_init(&lab->pool, LAB_SMALLS, LAB_BIGS), 0);
	lab->socket = lab_socket(name);
}

static inline void lab_close(struct lab *lab)
{
	close(lab->socket);
	port_tap.close(&lab->port);
	pool_fini(&lab->pool);
	free(lab->port.rx_stats);
}

/* Take the value into force; where the kernel does not, that is all of the test. */
static inline void lab_steer(struct lab *lab, const struct leat_rxfh *rxfh)
{
	char err[256] = "";
	int e = port_tap.steer(&lab->port, rxfh, err, sizeof(err));

	if (e == -EPERM || e == -EOPNOTSUPP)
		lab_skip(err);
	if (e)
		fail_msg("%s", err);
}

/* The kernel reports its group memberships when an interface comes up. */
static inline bool lab_is_report(const struct leat_pkt *pkt)
{
	static const uint8_t all_routers[6] = {0x01, 0x00, 0x5e, 0x00, 0x00, 0x16};

	return memcmp(pkt->data, all_routers, sizeof(all_routers)) == 0;
}

/* Parsed frames of queue q, at most PORT_BATCH; whether that left it empty. */
static inline unsigned lab_receive(struct lab *lab, const struct leat_parse_conf *parse, unsigned q,
				   struct leat_pkt **pkts, bool *empty)
{
	int n = port_tap.receive(&lab->port, q, &lab->pool, pkts, PORT_BATCH);
	unsigned ours = 0;

	assert_true(n >= 0);
	*empty = n < PORT_BATCH;
	for (int i = 0; i < n; i++) {
		if (lab_is_report(pkts[i]))
			pool_give(&lab->pool, &pkts[i], 1);
		else
			pkts[ours++] = pkts[i];
	}
	leat_parse(parse, pkts, ours);
	return ours;
}

#endif
