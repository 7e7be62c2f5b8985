/* SPDX-License-Identifier: MIT */
/* What a host answers, and what it passes over, each under its reason. */
#include "host_plane.h"

enum { ARP = 14, IP = 14, ICMP4 = 34, ICMP6 = 54 };

static const uint8_t us4[4] = {198, 51, 100, 1}, them4[4] = {198, 51, 100, 9};
static const uint8_t us6[16] = {0x20, 0x01, 0x0d, 0xb8, [13] = 2, [15] = 1};
static const uint8_t them6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 9};
static const uint8_t all_nodes[16] = {0xff, 2, [15] = 1};

/* An Ethernet header from them. */
static void put_link(uint8_t *p, const uint8_t *to, unsigned type)
{
	memcpy(p, to, 6);
	memcpy(p + 6, their_mac, 6);
	p[12] = (uint8_t)(type >> 8);
	p[13] = (uint8_t)type;
}

static uint32_t put_arp(uint8_t *p, unsigned operation, const uint8_t *from, const uint8_t *about)
{
	static const uint8_t everyone[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t kinds[] = {0, 1, 8, 0, 6, 4, 0};

	memset(p, 0, 60);
	put_link(p, everyone, 0x0806);
	memcpy(p + ARP, kinds, sizeof(kinds));
	p[ARP + 7] = (uint8_t)operation;
	memcpy(p + ARP + 8, their_mac, 6);
	memcpy(p + ARP + 14, from, 4);
	memcpy(p + ARP + 24, about, 4);
	return 60;
}

static void test_arp(void **state)
{
	static const uint8_t reply[] = {0, 1, 8, 0, 6, 4, 0, 2};
	uint8_t p[64];
	bool ask = false;

	assert_int_equal(fate(p, put_arp(p, 1, them4, us4)), HOST_ARP_REPLY);
	assert_int_equal(n_sent, 1);
	assert_int_equal(sent[0].len, 42);
	assert_memory_equal(sent[0].bytes, their_mac, 6);
	assert_memory_equal(sent[0].bytes + 6, our_mac, 6);
	assert_int_equal(get16(sent[0].bytes + 12), 0x0806);
	assert_memory_equal(sent[0].bytes + ARP, reply, sizeof(reply));
	assert_memory_equal(sent[0].bytes + ARP + 8, our_mac, 6);
	assert_memory_equal(sent[0].bytes + ARP + 14, us4, 4);
	assert_memory_equal(sent[0].bytes + ARP + 18, their_mac, 6);
	assert_memory_equal(sent[0].bytes + ARP + 24, them4, 4);
	/* Who asked is known. */
	assert_int_equal(neigh_find(&host->neigh, &(struct addr){{198, 51, 100, 9}, 0, 4}, 1, &ask),
			 addr_path(0, their_mac));
	/* Who answers and was not asked is not. */
	assert_int_equal(fate(p, put_arp(p, 2, (uint8_t[]){198, 51, 100, 8}, us4)), HOST_LEARNED);
	assert_int_equal(neigh_find(&host->neigh, &(struct addr){{198, 51, 100, 8}, 0, 4}, 1, &ask),
			 ADDR_NO_PATH);
	assert_int_equal(fate(p, put_arp(p, 1, them4, them4)), HOST_NOT_OURS);
	assert_int_equal(fate(p, put_arp(p, 1, us4, us4)), HOST_MARTIAN);
	assert_int_equal(fate(p, put_arp(p, 3, them4, us4)), HOST_MALFORMED);
	for (uint32_t len = 15; len < 42; len++)
		assert_int_equal(fate(p, len), HOST_MALFORMED);
	assert_int_equal(n_sent, 1);
}

/* An IPv6 packet of `len` bytes of ICMPv6 that are written already; its checksum is written. */
static uint32_t put_icmp6(uint8_t *p, const uint8_t *from, const uint8_t *to, unsigned hops,
			  uint32_t len)
{
	unsigned sum;

	put_link(p, our_mac, 0x86dd);
	memset(p + IP, 0, 40);
	p[IP] = 0x60;
	p[IP + 5] = (uint8_t)len;
	p[IP + 6] = 58;
	p[IP + 7] = (uint8_t)hops;
	memcpy(p + IP + 8, from, 16);
	memcpy(p + IP + 24, to, 16);
	p[ICMP6 + 2] = p[ICMP6 + 3] = 0;
	sum = ~frame_sum(p + ICMP6, len, frame_pseudo(p + IP, 58, len)) & 0xffff;
	p[ICMP6 + 2] = (uint8_t)(sum >> 8);
	p[ICMP6 + 3] = (uint8_t)sum;
	return ICMP6 + len;
}

/* A solicitation of `target` with the option of a link address. */
static uint32_t put_solicit(uint8_t *p, const uint8_t *from, const uint8_t *target, unsigned hops)
{
	memset(p + ICMP6, 0, 32);
	p[ICMP6] = 135;
	memcpy(p + ICMP6 + 8, target, 16);
	p[ICMP6 + 24] = p[ICMP6 + 25] = 1;
	memcpy(p + ICMP6 + 26, their_mac, 6);
	return put_icmp6(p, from, (const uint8_t[16]){0xff, 2, [11] = 1, 0xff, 2, 0, 1}, hops, 32);
}

static void check_advert(const struct sent *s, const uint8_t *to, unsigned flags)
{
	const uint8_t *p = s->bytes;

	assert_int_equal(s->len, ICMP6 + 32);
	assert_memory_equal(p + 6, our_mac, 6);
	assert_memory_equal(p + IP + 8, us6, 16);
	assert_memory_equal(p + IP + 24, to, 16);
	assert_int_equal(p[IP + 7], 255);
	assert_int_equal(frame_sum(p + ICMP6, 32, frame_pseudo(p + IP, 58, 32)), 0xffff);
	assert_int_equal(p[ICMP6], 136);
	assert_int_equal(p[ICMP6 + 4], flags);
	assert_memory_equal(p + ICMP6 + 8, us6, 16);
	assert_int_equal(p[ICMP6 + 24], 2);
	assert_memory_equal(p + ICMP6 + 26, our_mac, 6);
}

static void test_nd(void **state)
{
	static const uint8_t nobody[16];
	uint8_t p[128];
	bool ask = false;

	assert_int_equal(fate(p, put_solicit(p, them6, us6, 255)), HOST_ND_ADVERT);
	check_advert(&sent[0], them6, 0x60);
	assert_memory_equal(sent[0].bytes, their_mac, 6);
	assert_int_equal(neigh_find(&host->neigh,
				    &(struct addr){{0x20, 1, 0xd, 0xb8, [15] = 9}, 0, 6}, 1, &ask),
			 addr_path(0, their_mac));
	assert_int_equal(fate(p, put_solicit(p, nobody, us6, 255)), HOST_ND_ADVERT);
	check_advert(&sent[1], all_nodes, 0x20);
	assert_memory_equal(sent[1].bytes, ((uint8_t[]){0x33, 0x33, 0, 0, 0, 1}), 6);
	assert_int_equal(fate(p, put_solicit(p, them6, them6, 255)), HOST_NOT_OURS);
	assert_int_equal(fate(p, put_solicit(p, us6, us6, 255)), HOST_MARTIAN);
	assert_int_equal(fate(p, put_solicit(p, them6, us6, 64)), HOST_MALFORMED);
	/* Options: of length 0, cut, behind another, none. */
	put_solicit(p, them6, us6, 255);
	p[ICMP6 + 25] = 0;
	assert_int_equal(fate(p, put_icmp6(p, them6, us6, 255, 32)), HOST_MALFORMED);
	p[ICMP6 + 25] = 2;
	assert_int_equal(fate(p, put_icmp6(p, them6, us6, 255, 32)), HOST_MALFORMED);
	assert_int_equal(fate(p, put_icmp6(p, them6, us6, 255, 24)), HOST_ND_ADVERT);
	assert_int_equal(fate(p, put_icmp6(p, them6, us6, 255, 20)), HOST_MALFORMED);
	assert_int_equal(n_sent, 3);
}

static uint32_t put_icmp4(uint8_t *p, unsigned type, uint32_t len)
{
	struct frame f = datagram_frame(4, 1, 0, 0, len);
	unsigned sum;

	f.protocol = 1;
	frame_build(&f, p);
	p[ICMP4] = (uint8_t)type;
	p[ICMP4 + 1] = p[ICMP4 + 2] = p[ICMP4 + 3] = 0;
	sum = ~frame_sum(p + ICMP4, len, 0) & 0xffff;
	p[ICMP4 + 2] = (uint8_t)(sum >> 8);
	p[ICMP4 + 3] = (uint8_t)sum;
	return ICMP4 + len;
}

static void test_ping(void **state)
{
	uint8_t p[256], q[256];
	uint32_t len = put_icmp4(p, 8, 101);

	assert_int_equal(fate(p, len), HOST_ECHO_REPLY);
	assert_int_equal(sent[0].len, len);
	assert_memory_equal(sent[0].bytes, their_mac, 6);
	assert_memory_equal(sent[0].bytes + IP + 12, p + IP + 16, 4);
	assert_memory_equal(sent[0].bytes + IP + 16, p + IP + 12, 4);
	assert_int_equal(frame_sum(sent[0].bytes + IP, 20, 0), 0xffff);
	assert_int_equal(sent[0].bytes[ICMP4], 0);
	assert_int_equal(frame_sum(sent[0].bytes + ICMP4, 101, 0), 0xffff);
	assert_memory_equal(sent[0].bytes + ICMP4 + 4, p + ICMP4 + 4, 97);
	assert_int_equal(fate(p, put_icmp4(p, 13, 20)), HOST_PROTOCOL);
	put_icmp4(p, 8, 101);
	p[ICMP4 + 50] ^= 1;
	assert_int_equal(fate(p, len), HOST_CSUM);
	assert_int_equal(fate(p, put_icmp4(p, 8, 7)), HOST_MALFORMED);

	memset(p + ICMP6, 0x5a, 64);
	p[ICMP6] = 128;
	p[ICMP6 + 1] = 0;
	len = put_icmp6(p, them6, us6, 64, 64);
	memcpy(q, p, len);
	assert_int_equal(fate(p, len), HOST_ECHO_REPLY);
	assert_int_equal(sent[1].len, len);
	assert_int_equal(sent[1].bytes[ICMP6], 129);
	assert_memory_equal(sent[1].bytes + IP + 8, us6, 16);
	assert_memory_equal(sent[1].bytes + IP + 24, them6, 16);
	assert_int_equal(
		frame_sum(sent[1].bytes + ICMP6, 64, frame_pseudo(sent[1].bytes + IP, 58, 64)),
		0xffff);
	assert_memory_equal(sent[1].bytes + ICMP6 + 4, q + ICMP6 + 4, 60);
}

/* A closed port: the message quotes as much as fits, and there are not too many. */
static void test_unreachable(void **state)
{
	static const struct {
		unsigned version;
		uint32_t payload, quoted;
	} rows[] = {{4, 10, 38}, {4, 1000, 548}, {6, 10, 58}, {6, 1400, 1232}};
	uint64_t limited = 0;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct frame f = datagram_frame(rows[i].version, 3, 1000, 9, rows[i].payload);
		unsigned at = rows[i].version == 4 ? ICMP4 : ICMP6;
		uint32_t len = 8 + rows[i].quoted;
		const struct sent *s = &sent[i];
		uint8_t p[2048];

		frame_build(&f, p);
		assert_int_equal(fate_of(&f), HOST_PORT_UNREACHABLE);
		assert_int_equal(s->len, at + len);
		assert_memory_equal(s->bytes, their_mac, 6);
		assert_int_equal(s->bytes[at], rows[i].version == 4 ? 3 : 1);
		assert_int_equal(s->bytes[at + 1], rows[i].version == 4 ? 3 : 4);
		assert_int_equal(
			frame_sum(s->bytes + at, len,
				  rows[i].version == 4 ? 0 : frame_pseudo(s->bytes + IP, 58, len)),
			0xffff);
		assert_memory_equal(s->bytes + at + 8, p + IP, rows[i].quoted);
	}
	for (unsigned i = 0; i < 2 * UNREACHABLE_BURST; i++) {
		struct frame f = datagram_frame(4, 3, 1000, 9, 10);

		limited += fate_of(&f) == HOST_UNREACHABLE_LIMITED;
	}
	assert_true(limited > 0 && limited < 2 * UNREACHABLE_BURST);
}

/* What is passed over. */
static void test_reasons(void **state)
{
	static const uint8_t options[4] = {1, 1, 1, 0};
	static const uint8_t hop_by_hop[8] = {17, 0, 1, 4};
	static const struct frame inner = {.dst = 1, .protocol = FRAME_UDP, .payload = 10};
	static const struct row {
		struct frame frame;
		enum host_reason reason;
	} rows[] = {
		{{.dst = 2, .protocol = FRAME_UDP}, HOST_NOT_OURS},
		{{.dst = 1, .protocol = FRAME_UDP, .dst_mac = 0x77}, HOST_NOT_OURS},
		{{.dst = 1, .protocol = FRAME_UDP, .vlans = 1, .vlan = {5}}, HOST_NOT_IP},
		{{.dst = 1, .protocol = FRAME_UDP, .frag_off = FRAME_MF, .payload = 8},
		 HOST_FRAGMENT},
		{{.dst = 1, .protocol = FRAME_UDP, .frag_off = 5, .payload = 8}, HOST_FRAGMENT},
		{{.dst = 1, .protocol = FRAME_UDP, .ext = options, .ext_len = 4}, HOST_OPTIONS},
		{{.version = 6,
		  .dst = 1,
		  .protocol = FRAME_UDP,
		  .ext = hop_by_hop,
		  .ext_len = 8,
		  .ext_first = 0},
		 HOST_OPTIONS},
		{{.dst = 1, .payload = 10}, HOST_PROTOCOL}, /* TCP */
		{{.dst = 1, .protocol = 99, .payload = 10}, HOST_PROTOCOL},
		{{.dst = 1, .tunnel = LEAT_TUNNEL_VXLAN, .inner = &inner}, HOST_TUNNEL},
		{{.dst = 1, .tunnel = LEAT_TUNNEL_GRE, .inner = &inner}, HOST_TUNNEL},
		{{.dst = 1, .protocol = FRAME_UDP, .payload = 9, .bad_l4_csum = true}, HOST_CSUM},
		{{.dst = 1, .protocol = FRAME_UDP, .payload = 9, .bad_ip_csum = true}, HOST_CSUM},
		{{.version = 6, .dst = 1, .protocol = FRAME_UDP, .payload = 9, .no_csum = true},
		 HOST_CSUM},
		{{.src = 0x20000200, .dst = 1, .protocol = FRAME_UDP},
		 HOST_MARTIAN}, /* 224.0.0.0 */
		{{.src = 0xc0000200 ^ 0xc6336401, .dst = 1, .protocol = FRAME_UDP}, HOST_MARTIAN},
	};
	static const uint8_t lldp[60] = {1, 0x80, 0xc2, [12] = 0x88, 0xcc};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct frame f = rows[i].frame;

		print_message("row %zu\n", i);
		f.dst_mac = f.dst_mac ? f.dst_mac : OUR_MAC;
		f.src_mac = THEIR_MAC;
		f.dport = f.inner ? 0 : 9;
		assert_int_equal(fate_of(&f), rows[i].reason);
	}
	assert_int_equal(fate(lldp, sizeof(lldp)), HOST_NOT_IP);
	assert_int_equal(fate(lldp, 10), HOST_MALFORMED);
	assert_int_equal(n_sent, 0);
}

/* So many neighbours as nobody has: the table forgets, and goes on. */
static void test_many_neighbours(void **state)
{
	uint8_t p[64];
	bool ask;

	for (unsigned i = 0; i < 10000; i++) {
		uint8_t who[4] = {198, 51, (uint8_t)(i >> 8), (uint8_t)i};
		struct addr addr = addr_make(4, who, 0);

		if (memcmp(who, us4, sizeof(who)) == 0)
			continue;
		n_sent = 0;
		plane.worker[0].now = i + 1;
		assert_int_equal(fate(p, put_arp(p, 1, who, us4)), HOST_ARP_REPLY);
		assert_int_equal(neigh_find(&host->neigh, &addr, 1, &ask), addr_path(0, their_mac));
	}
}

/* Who cannot ask leaves it to the next. */
static void test_asking_again(void **state)
{
	const struct addr who = {{198, 51, 100, 77}, 0, 4};
	const struct {
		uint64_t after;
		bool can, ask;
	} times[] = {
		{0, false, false},
		{0, true, true},
		{NEIGH_AGAIN - 1, true, false},
		{NEIGH_AGAIN, false, false},
		{NEIGH_AGAIN, true, true},
	};
	bool ask = true;

	for (unsigned i = 0; i < COUNT(times); i++) {
		ask = times[i].can;
		assert_int_equal(neigh_find(&host->neigh, &who, 5000 + times[i].after, &ask),
				 ADDR_NO_PATH);
		assert_int_equal(ask, times[i].ask);
	}
	neigh_learn(&host->neigh, &who, 7, false, 0);
	assert_int_equal(neigh_find(&host->neigh, &who, 5000 + 9 * (uint64_t)NEIGH_AGAIN, &ask), 7);
	assert_false(ask);
}

static void test_addresses(void **state)
{
	static const struct {
		const char *text;
		int e;
		const char *why;
	} rows[] = {
		{"10.0.0.1/8", 0, ""},
		{"10.1.0.1/32%left", 0, ""},
		{"fd00::1/128", 0, ""},
		{"10.0.0.1/8", -EEXIST, "given twice"},
		{"10.0.0.2/33", -EINVAL, "IP/N"},
		{"10.0.0.2", -EINVAL, "IP/N"},
		{"10.0.0.2/", -EINVAL, "IP/N"},
		{"10.0.0.2/8x", -EINVAL, "IP/N"},
		{"10.0.0.2/-1", -EINVAL, "IP/N"},
		{"10.0.0/8", -EINVAL, "IP/N"},
		{"224.0.0.1/8", -EINVAL, "IP/N"},
		{"255.255.255.255/32", -EINVAL, "IP/N"},
		{"ff02::1/64", -EINVAL, "IP/N"},
		{"::/64", -EINVAL, "IP/N"},
		{"10.0.0.3/8%right", -EINVAL, "no such port"},
	};
	char err[256];

	for (size_t i = 0; i < COUNT(rows); i++) {
		err[0] = 0;
		assert_int_equal(host_add_address(host, rows[i].text, err, sizeof(err)), rows[i].e);
		assert_non_null(strstr(err, rows[i].why));
		assert_true(!rows[i].e || strstr(err, rows[i].text));
	}
	for (unsigned i = host->n_addrs; i < HOST_ADDRS_MAX; i++) {
		char text[32];

		snprintf(text, sizeof(text), "10.2.0.%u/24", i);
		add_address(text);
	}
	assert_int_equal(host_add_address(host, "10.3.0.1/24", err, sizeof(err)), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_arp),		 test(test_nd),	       test(test_ping),
		test(test_unreachable),	 test(test_reasons),   test(test_many_neighbours),
		test(test_asking_again), test(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
