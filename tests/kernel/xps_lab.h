/* SPDX-License-Identifier: MIT */
/*
 * xps_lab.h - the running kernel as the referee of XPS: veth pairs with several queues, and a qdisc
 * whose class counters say which queue each packet left on. The same masks are set here and there,
 * one after the other; the hash that the kernel chose by is read from a packet socket's ring at the
 * other end.
 */
#ifndef LEAT_TESTS_KERNEL_XPS_LAB_H
#define LEAT_TESTS_KERNEL_XPS_LAB_H

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rng.h"
#include "veth.h"

#include <leat/parse.h>
#include <leat/xps.h>

enum {
	QUEUES = 6, /* of v0, v1 */
	OUTS = 5,   /* of w0, where v0's packets are forwarded to */
	FRAME = 14 + 20 + 8 + 18,
	PORT = 4000,
	BLOCK = 1 << 16,
	BLOCKS = 4,
};

/* A pair's near end, whose queues are watched, and the library's value of it. */
struct link {
	const char *near, *far;
	unsigned queues;
	uint8_t mac[6], far_mac[6];
	int far_ring; /* a packet socket: where packets arrive, with their hashes */
	uint8_t *ring;
	unsigned block;
	uint64_t sent[QUEUES];
	struct leat_xps xps;
	void *xps_mem;
};

static struct link v = {.near = "v0", .far = "v1", .queues = QUEUES};
static struct link w = {.near = "w0", .far = "w1", .queues = OUTS};
static uint16_t cpus[2]; /* where this process may run */
static unsigned n_cpus;	 /* one more than the highest */
static struct rng rng;

/* A ring of what arrives at the far end, with its hash. */
static inline void open_ring(struct link *l)
{
	struct tpacket_req3 req = {.tp_block_size = BLOCK,
				   .tp_block_nr = BLOCKS,
				   .tp_frame_size = 2048,
				   .tp_frame_nr = BLOCK / 2048 * BLOCKS,
				   .tp_retire_blk_tov = 1,
				   .tp_feature_req_word = TP_FT_REQ_FILL_RXHASH};
	int version = TPACKET_V3;

	l->far_ring = packet_socket(l->far, 0); /* nothing arrives before the ring is there */
	assert_int_equal(
		setsockopt(l->far_ring, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)), 0);
	assert_int_equal(setsockopt(l->far_ring, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)), 0);
	l->ring = mmap(NULL, BLOCK * BLOCKS, PROT_READ | PROT_WRITE, MAP_SHARED, l->far_ring, 0);
	assert_true(l->ring != MAP_FAILED);
	assert_int_equal(bind(l->far_ring,
			      (struct sockaddr *)&(struct sockaddr_ll){
				      .sll_family = AF_PACKET,
				      .sll_protocol = htons(ETH_P_IP),
				      .sll_ifindex = (int)if_nametoindex(l->far)},
			      sizeof(struct sockaddr_ll)),
			 0);
}

/* The hash of the one packet that has arrived; what the far end sent itself is not looked at. */
static inline uint32_t take_hash(struct link *l)
{
	uint32_t hash = 0;
	bool found = false;

	while (!found) {
		struct tpacket_block_desc *b = (void *)(l->ring + (size_t)BLOCK * l->block);
		struct pollfd fd = {.fd = l->far_ring, .events = POLLIN};
		uint8_t *p = (uint8_t *)b + b->hdr.bh1.offset_to_first_pkt;

		if (!(__atomic_load_n(&b->hdr.bh1.block_status, __ATOMIC_ACQUIRE) &
		      TP_STATUS_USER)) {
			assert_true(poll(&fd, 1, 5000) > 0);
			continue;
		}
		for (unsigned i = 0; i < b->hdr.bh1.num_pkts; i++) {
			struct tpacket3_hdr *h = (void *)p;
			struct sockaddr_ll *from = (void *)(p + TPACKET_ALIGN(sizeof(*h)));

			if (from->sll_pkttype != PACKET_OUTGOING) {
				assert_false(found);
				hash = h->hv1.tp_rxhash;
				found = true;
			}
			p += h->tp_next_offset;
		}
		__atomic_store_n(&b->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		l->block = (l->block + 1) % BLOCKS;
	}
	return hash;
}

/* How many packets each queue has sent: by mq's classes, or those of mqprio that are queues. */
static inline void count_sent(const struct link *l, uint64_t sent[QUEUES])
{
	char line[256];
	unsigned long q = 0;
	FILE *f;

	snprintf(line, sizeof(line), "tc -s class show dev %s", l->near);
	f = popen(line, "r"); /* NOLINT(cert-env33-c): as veth.h's shell() */
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		char *pkts = strstr(line, " bytes "), *minor = strchr(line, ':');

		if (strncmp(line, "class mq", 8) == 0 && minor)
			q = strtoul(minor + 1, NULL, 16);
		if (pkts && q >= 1 && q <= l->queues)
			sent[q - 1] = strtoull(pkts + strlen(" bytes "), NULL, 10);
	}
	pclose(f);
}

/* The queue that the one packet sent since the last time has left on. */
static inline unsigned queue_used(struct link *l)
{
	uint64_t now[QUEUES] = {0}, packets = 0;
	unsigned queue = 0;

	count_sent(l, now);
	for (unsigned q = 0; q < l->queues; q++) {
		if (now[q] > l->sent[q])
			queue = q;
		packets += now[q] - l->sent[q];
		l->sent[q] = now[q];
	}
	assert_int_equal(packets, 1);
	return queue;
}

/* The class that the kernel says a queue is of. */
static inline int kernel_tc(const struct link *l, unsigned queue)
{
	char path[128], text[8] = "";
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/sys/class/net/%s/queues/tx-%u/traffic_class", l->near,
		 queue);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 ? (int)strtol(text, NULL, 10) : LEAT_XPS_NO_TC;
}

/* Whether the queue is of no class, and the kernel thinks that it is of one that is gone: it keeps
 * the queues of the classes past num_tc. What it does with such a queue's mask is nobody's referee:
 * it sets a list of another CPU's, or what is behind the last. */
static inline bool is_left_over(const struct link *l, unsigned queue)
{
	return leat_xps_queue_tc(&l->xps, queue) == LEAT_XPS_NO_TC &&
	       kernel_tc(l, queue) >= l->xps.tcs.num_tc;
}

/* Set a mask in the kernel, and here, or in neither: a queue of no class has none. */
static inline void set_mask(struct link *l, enum leat_xps_by by, unsigned queue, uint64_t mask)
{
	char path[128], text[32];
	uint64_t words[LEAT_CPUS_MAX / 64] = {mask};
	bool taken;

	if (is_left_over(l, queue))
		return;
	snprintf(path, sizeof(path), "/sys/class/net/%s/queues/tx-%u/%s", l->near, queue,
		 by == LEAT_XPS_CPUS ? "xps_cpus" : "xps_rxqs");
	snprintf(text, sizeof(text), "%jx", (uintmax_t)mask);
	taken = write_file(path, text);
	if (!taken && errno != EINVAL)
		fail_msg("%s: %s: %s", path, text, strerror(errno));
	assert_int_equal(leat_xps_set(&l->xps, by, queue, words), taken ? 0 : -EINVAL);
}

/* More than half of them are empty: what has no list is to be chosen too. */
static inline uint64_t random_cpus(void)
{
	uint64_t mask = 0;

	if (rng_once_in(&rng, 2))
		return 0;
	for (unsigned i = 0; i < 2; i++)
		mask |= (uint64_t)rng_below(&rng, 2) << cpus[i];
	return mask;
}

/* A few masks of either kind. */
static inline void change(struct link *l, bool rxqs)
{
	for (unsigned i = 1 + rng_below(&rng, 3); i > 0; i--)
		set_mask(l, LEAT_XPS_CPUS, rng_below(&rng, l->queues), random_cpus());
	for (unsigned i = rxqs ? 1 + rng_below(&rng, 3) : 0; i > 0; i--)
		set_mask(l, LEAT_XPS_RXQS, rng_below(&rng, l->queues),
			 rng_below(&rng, 1u << l->queues));
}

static inline uint16_t pin(unsigned i)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpus[i], &set);
	assert_int_equal(sched_setaffinity(0, sizeof(set), &set), 0);
	return cpus[i];
}

/* A UDP packet without a checksum, from 10.1.0.2 at the far end of v. */
static inline void make_udp(uint8_t f[FRAME], const uint8_t *from, const uint8_t *to,
			    const char *address, uint16_t sport, uint8_t tos)
{
	uint8_t *ip = f + 14, *udp = ip + 20;
	const uint16_t length[] = {htons(FRAME - 14), htons(FRAME - 34)};
	const uint16_t port[] = {htons(sport), htons(PORT)};
	const uint32_t src = inet_addr("10.1.0.2"), dst = inet_addr(address);
	uint16_t check;

	memset(f, 0, FRAME);
	memcpy(f, to, 6);
	memcpy(f + 6, from, 6);
	f[12] = 0x08;
	ip[0] = 0x45;
	ip[1] = tos;
	memcpy(ip + 2, &length[0], 2);
	ip[8] = 64;
	ip[9] = IPPROTO_UDP;
	memcpy(ip + 12, &src, 4);
	memcpy(ip + 16, &dst, 4);
	check = htons(ip_check(ip));
	memcpy(ip + 10, &check, 2);
	memcpy(udp, port, 4);
	memcpy(udp + 4, &length[1], 2);
}

static inline void send_frame(int fd, const uint8_t f[FRAME])
{
	assert_int_equal(send(fd, f, FRAME, 0), FRAME);
}

static inline void set_priority(int fd, unsigned priority)
{
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &priority, sizeof(priority)), 0);
}

/* Let what the far end of v sends arrive at v0 on this receive queue. A veth without NAPI keeps the
 * number of the transmit queue, which is read as one more than that of a receive queue. */
static inline void arrive_on(unsigned queue)
{
	char path[128], mask[32];

	for (unsigned q = 0; q <= QUEUES; q++) {
		snprintf(path, sizeof(path), "/sys/class/net/v1/queues/tx-%u/xps_cpus", q);
		snprintf(mask, sizeof(mask), "%x", 1u << cpus[0] | 1u << cpus[1]);
		assert_true(write_file(path, q == queue + 1 ? mask : "0"));
	}
}

/* The queue that the one packet has left on, which is where it would have left here. */
static inline unsigned check(struct link *l, struct leat_xps_sender sender)
{
	unsigned used = queue_used(l);

	sender.hash = take_hash(l);
	assert_int_not_equal(sender.hash, 0);
	assert_int_equal(leat_xps_pick(&l->xps, &sender), used);
	return used;
}

/* A connected socket that has received on `rxq`. */
static inline int connect_udp(int far, unsigned rxq, uint16_t port)
{
	struct sockaddr_in near = {AF_INET, htons(PORT), {inet_addr("10.1.0.1")}, {0}};
	struct sockaddr_in peer = {AF_INET, htons(port), {inet_addr("10.1.0.2")}, {0}};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	uint8_t f[FRAME];

	assert_int_equal(bind(fd, (struct sockaddr *)&near, sizeof(near)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&peer, sizeof(peer)), 0);
	arrive_on(rxq);
	make_udp(f, v.far_mac, v.mac, "10.1.0.1", port, 0);
	send_frame(far, f);
	assert_int_equal(recv(fd, f, sizeof(f), 0), 18);
	return fd;
}

/* A packet from v0 of no socket that remembers anything: by CPU. */
static inline void judge_sent(int fd, unsigned k, unsigned priority)
{
	struct leat_xps_sender sender = {
		.cpu = pin(k), .priority = priority, .flow_rxq = -1, .flow_txq = -1, .rxq = -1};
	uint8_t f[FRAME];

	make_udp(f, v.mac, v.far_mac, "10.1.0.3", (uint16_t)rng_next(&rng), 0);
	set_priority(fd, priority);
	send_frame(fd, f);
	check(&v, sender);
}

/* A socket's first packet goes by the queue that it received on, and the next where that went. */
static inline void judge_socket(int far, unsigned k, unsigned priority)
{
	unsigned rxq = rng_below(&rng, QUEUES);
	struct leat_xps_sender sender = {.cpu = pin(k),
					 .priority = priority,
					 .flow_rxq = (int)rxq,
					 .flow_txq = -1,
					 .rxq = -1};
	int fd = connect_udp(far, rxq, (uint16_t)(1024 + rng_below(&rng, 60000)));

	set_priority(fd, priority);
	assert_int_equal(send(fd, "x", 1, 0), 1);
	sender.flow_txq = (int)check(&v, sender);
	change(&v, true);
	assert_int_equal(send(fd, "x", 1, 0), 1);
	check(&v, sender);
	close(fd);
}

static inline unsigned priority_of(uint8_t f[FRAME])
{
	struct leat_pkt pkt, *pkts[] = {&pkt};

	leat_pkt_init(&pkt, f, FRAME);
	leat_parse(NULL, pkts, 1);
	return leat_xps_priority(&pkt);
}

/* Forwarded from v0 to w0: by CPU, else by the queue that the packet came on. The kernel has no
 * socket here, so xps_rxqs do not matter to it. */
static inline void judge_forwarded(int far, unsigned k, uint8_t tos)
{
	struct leat_xps_sender sender = {
		.cpu = pin(k), .flow_rxq = -1, .flow_txq = -1, .rxq = (int)rng_below(&rng, QUEUES)};
	uint8_t f[FRAME];

	make_udp(f, v.far_mac, v.mac, "10.2.0.2", (uint16_t)rng_next(&rng), tos);
	sender.priority = priority_of(f);
	arrive_on((unsigned)sender.rxq);
	send_frame(far, f);
	check(&w, sender);
}

/* A pair of interfaces, up, the near end with an address and the far end known to it. */
static inline bool make_link(struct link *l, unsigned net)
{
	if (!shell("ip link add %s numtxqueues %u numrxqueues %u type veth peer name %s "
		   "numtxqueues %u numrxqueues %u",
		   l->near, l->queues, l->queues, l->far, l->queues + 1, l->queues) ||
	    !shell("ip link set %s up arp off && ip link set %s up arp off", l->near, l->far) ||
	    !shell("ip address add 10.%u.0.1/24 dev %s", net, l->near) ||
	    !shell("tc qdisc add dev %s root mq", l->near))
		return false;
	read_mac(l->near, l->mac);
	read_mac(l->far, l->far_mac);
	if (!shell("ip neigh add 10.%u.0.2 dev %s lladdr %02x:%02x:%02x:%02x:%02x:%02x", net,
		   l->near, l->far_mac[0], l->far_mac[1], l->far_mac[2], l->far_mac[3],
		   l->far_mac[4], l->far_mac[5]))
		return false;
	open_ring(l);
	l->xps_mem = malloc(leat_xps_size(n_cpus, l->queues, l->queues));
	return leat_xps_init(&l->xps, n_cpus, l->queues, l->queues, l->xps_mem) == 0;
}

/* Two CPUs, or one twice: lists by CPU are then told apart by class only. */
static inline bool find_cpus(void)
{
	unsigned n = 0;
	cpu_set_t set;

	sched_getaffinity(0, sizeof(set), &set);
	for (uint16_t cpu = 0; cpu < 31 && n < 2; cpu++) {
		if (CPU_ISSET(cpu, &set))
			cpus[n++] = cpu;
	}
	if (n == 1)
		cpus[1] = cpus[0];
	n_cpus = cpus[1] + 1u;
	return n > 0;
}

/* Why not, or NULL. */
static inline const char *make_lab(void)
{
	const char *why = find_cpus() ? enter_lab() : "one of the first 31 CPUs is needed";

	if (why)
		return why;
	if (!make_link(&v, 1) || !make_link(&w, 2) ||
	    !write_file("/proc/sys/net/ipv4/conf/v0/forwarding", "1"))
		return "veth pairs with several queues and an mq qdisc cannot be made";
	return NULL;
}

#endif
