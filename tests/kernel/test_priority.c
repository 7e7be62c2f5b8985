/* SPDX-License-Identifier: MIT */
/*
 * The priority that the running kernel gives to IPv4 packets that it forwards, for every TOS, is
 * leat_xps_priority()'s; and IPv6 packets, which leat treats alike, have none in the kernel. A
 * socket filter on the way out tells it: it cuts each packet to as many bytes as its priority.
 */
#include "veth.h"

#include <linux/bpf.h>
#include <sys/syscall.h>

#include <leat/parse.h>
#include <leat/xps.h>

enum { ETH = 14, IP4 = ETH + 20, IP6 = ETH + 40, LOWEST = 16 };

static uint8_t near_mac[6], far_mac[6];
static int in, out;

/* Keep of a packet LOWEST bytes and as many as its priority. */
static int load_filter(void)
{
	static const struct bpf_insn insn[] = {
		{.code = BPF_LDX | BPF_MEM | BPF_W,
		 .dst_reg = BPF_REG_0,
		 .src_reg = BPF_REG_1,
		 .off = offsetof(struct __sk_buff, priority)},
		{.code = BPF_ALU64 | BPF_ADD, .dst_reg = BPF_REG_0, .imm = LOWEST},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr a = {.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
			    .insns = (uintptr_t)insn,
			    .insn_cnt = sizeof(insn) / sizeof(insn[0]),
			    .license = (uintptr_t) "MIT"};

	return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &a, sizeof(a));
}

/* Send it into v0; the priority with which it comes out of w0: it is told from others by its type
 * and TOS. */
static unsigned forwarded(const uint8_t *frame, size_t len)
{
	struct sockaddr_ll from = {0};
	socklen_t from_len;
	uint8_t got[128];
	ssize_t n;

	assert_int_equal(send(in, frame, len, 0), len);
	do {
		from_len = sizeof(from);
		n = recvfrom(out, got, sizeof(got), 0, (struct sockaddr *)&from, &from_len);
		assert_true(n >= LOWEST);
	} while (from.sll_pkttype != PACKET_OUTGOING || memcmp(got + 12, frame + 12, 4) != 0);
	return (unsigned)n - LOWEST;
}

static unsigned ours(const uint8_t *frame, uint32_t len)
{
	uint8_t copy[128];
	struct leat_pkt pkt, *pkts[] = {&pkt};

	memcpy(copy, frame, len);
	leat_pkt_init(&pkt, copy, len);
	leat_parse(NULL, pkts, 1);
	return leat_xps_priority(&pkt);
}

static void test_ip4(void **state)
{
	uint8_t f[IP4 + 26] = {[12] = 8,
			       [ETH] = 0x45,
			       [ETH + 3] = 46,
			       [ETH + 8] = 64,
			       [ETH + 9] = 253, /* no protocol */
			       [ETH + 12] = 10,
			       1,
			       0,
			       2,
			       10,
			       2,
			       0,
			       2};
	unsigned seen = 0;

	memcpy(f, near_mac, 6);
	memcpy(f + 6, far_mac, 6);
	for (unsigned tos = 0; tos < 256; tos++) {
		unsigned priority;

		f[ETH + 1] = (uint8_t)tos;
		f[ETH + 10] = f[ETH + 11] = 0;
		*(uint16_t *)(f + ETH + 10) = htons(ip_check(f + ETH));
		priority = forwarded(f, sizeof(f));
		assert_int_equal(ours(f, sizeof(f)), priority);
		seen |= 1u << priority;
	}
	assert_int_equal(seen, 1 << 0 | 1 << 2 | 1 << 4 | 1 << 6);
}

static void test_ip6(void **state)
{
	uint8_t f[IP6 + 8] = {[12] = 0x86, 0xdd, [ETH] = 0x60, [ETH + 5] = 8, 253, 64};

	memcpy(f, near_mac, 6);
	memcpy(f + 6, far_mac, 6);
	inet_pton(AF_INET6, "fd00:1::2", f + ETH + 8);
	inet_pton(AF_INET6, "fd00:2::2", f + ETH + 24);
	for (unsigned tos = 0; tos < 256; tos++) {
		f[ETH] = (uint8_t)(0x60 | tos >> 4);
		f[ETH + 1] = (uint8_t)(tos << 4);
		assert_int_equal(forwarded(f, sizeof(f)), 0);
	}
	assert_int_equal(ours(f, sizeof(f)), 4); /* 0xff */
}

static bool make_way(const char *near, const char *far, unsigned net)
{
	uint8_t mac[6];

	if (!shell("ip link add %s type veth peer name %s && ip link set %s up && "
		   "ip link set %s up",
		   near, far, near, far) ||
	    !shell("echo 0 >/proc/sys/net/ipv6/conf/%s/disable_ipv6", near) ||
	    !shell("ip address add 10.%u.0.1/24 dev %s && "
		   "ip address add fd00:%u::1/64 dev %s nodad",
		   net, near, net, near))
		return false;
	read_mac(far, mac);
	return shell("for a in 10.%u.0.2 fd00:%u::2; do ip neigh add $a dev %s lladdr "
		     "%02x:%02x:%02x:%02x:%02x:%02x || exit; done",
		     net, net, near, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

static const char *make_lab(void)
{
	const struct timeval patience = {.tv_sec = 5};
	const char *why = enter_lab();
	int filter;

	if (why)
		return why;
	if (!make_way("v0", "v1", 1) || !make_way("w0", "w1", 2) ||
	    !write_file("/proc/sys/net/ipv4/ip_forward", "1") ||
	    !write_file("/proc/sys/net/ipv6/conf/all/forwarding", "1"))
		return "veth pairs cannot be made";
	filter = load_filter();
	if (filter < 0)
		return "no BPF program can be loaded";
	read_mac("v0", near_mac);
	read_mac("v1", far_mac);
	in = packet_socket("v1", 0);
	out = packet_socket("w0", ETH_P_ALL);
	setsockopt(out, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return setsockopt(out, SOL_SOCKET, SO_ATTACH_BPF, &filter, sizeof(filter)) ?
		       "no BPF program can be attached" :
		       NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_ip4), cmocka_unit_test(test_ip6)};
	const char *why = make_lab();

	if (why) {
		printf("%s\n", why);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
