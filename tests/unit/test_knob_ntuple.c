/* SPDX-License-Identifier: MIT */
/* PORT/ntuple/: rules in the words of ethtool -N, filters, what keeps a context; the switch. */
#include "knob_plane.h"
#include "rxfh.h"

#include <leat/parse.h>

static int set(const char *path, const char *value, char *err, size_t size)
{
	*err = 0;
	return knob_set(&plane, path, value, err, size);
}

static void good(const char *path, const char *value)
{
	char err[512];

	if (set(path, value, err, sizeof(err)))
		fail_msg("%s", err);
}

static void test_texts(void **state)
{
	/* what is read, and how it reads then if otherwise */
	static const char *const rows[][2] = {
		{"flow-type tcp4 src-ip 192.0.2.1 m 0.0.0.255 dst-port 80 action 1",
		 "flow-type tcp4 src-ip 192.0.2.0 m 0.0.0.255 dst-port 80 action 1"},
		{"flow-type tcp4 action 0"},
		{"flow-type udp4 src-port 53 action -1"},
		{"flow-type udp4 src-port 0x35 m 0xff00 action 3",
		 "flow-type udp4 src-port 53 m 0xff00 action 3"},
		{"flow-type sctp4 dst-ip 198.51.100.7 tos 0xb8 m 0x3 src-port 1 dst-port 2 action 2"},
		{"flow-type tcp6 src-ip 2001:db8::1 dst-ip 2001:db8::2 tclass 0x4 action 2"},
		{"flow-type udp6 dst-ip 2001:db8:: m ::ffff:ffff:ffff:ffff dst-port 53 action 1"},
		{"flow-type ah4 spi 0x1234 action 1"},
		{"flow-type esp6 spi 0x1234 m 0xff action 1",
		 "flow-type esp6 spi 0x1200 m 0xff action 1"},
		{"flow-type ip4 l4proto 50 l4data 0xdeadbeef action 1"},
		{"flow-type ip6 l4proto 58 action 1"},
		{"flow-type ether src 02:00:00:00:00:01 dst 02:00:00:00:00:02 proto 0x806 action 1"},
		{"flow-type ether dst ff:ff:ff:ff:ff:00 m 00:00:00:00:00:ff vlan-etype 0x88a8 vlan 5 m "
		 "0xf000 action 1"},
		{"flow-type tcp4 vlan 5 dst-mac 2:0:0:0:0:1 action 1", NULL},
		{"flow-type tcp4 vlan 5 dst-mac 02:00:00:00:00:01 action 1"},
		{"  flow-type\ttcp4  dst-port 7   action 1 ", "flow-type tcp4 dst-port 7 action 1"},
		{"flow-type tcp4 action 1 dst-port 7", "flow-type tcp4 dst-port 7 action 1"},
		{"flow-type tcp4 context 1"},
		{"flow-type tcp4 context 1 action 2"},
		{"flow-type tcp4 context 1 action 0", "flow-type tcp4 context 1"},
		{"flow-type tcp4 dst-port 80 m 0xffff action 1", "flow-type tcp4 action 1"},
		{"filter tcp port 80 action 1"},
		{"filter tcp port 80 and (host 192.0.2.1 or vlan 7) context 1"},
		{"filter  icmp  action 2 context 1 ", "filter icmp context 1 action 2"},
		{"filter len > 1000 action -1"},
	};
	char text[KNOB_TEXT_MAX], err[512];

	good("left/rxfh/context", "new");
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool refused = i == 13;

		print_message("%s\n", rows[i][0]);
		assert_int_equal(set("left/ntuple/0", rows[i][0], err, sizeof(err)),
				 refused ? -EINVAL : 0);
		if (refused)
			continue;
		expect("left/ntuple/0", rows[i][1] ? rows[i][1] : rows[i][0]);
		assert_int_equal(
			knob_get(&plane, "left/ntuple/0", text, sizeof(text), err, sizeof(err)), 0);
		good("left/ntuple/0", text);
		expect("left/ntuple/0", text);
	}
}

static void test_refusals(void **state)
{
	static const struct {
		const char *value;
		int err;
		const char *why;
	} rows[] = {
		{"tcp4 action 1", -EINVAL, "flow-type TYPE or filter EXPRESSION first"},
		{"flow-type", -EINVAL, "'' is no flow type"},
		{"flow-type tcp5 action 1", -EINVAL, "'tcp5' is no flow type"},
		{"flow-type tcp4", -EINVAL, "wants an action or a context"},
		{"flow-type tcp4 dst-port 80", -EINVAL, "wants an action or a context"},
		{"flow-type tcp4 action", -EINVAL, "action ''"},
		{"flow-type tcp4 action -2", -EINVAL, "action '-2': wants a queue, or -1 to drop"},
		{"flow-type tcp4 action 4", -EINVAL, "queue 4: there are 4"},
		{"flow-type tcp4 action 70000", -EINVAL, "action '70000'"},
		{"flow-type tcp4 action 1 action 2", -EINVAL, "more than one action"},
		{"flow-type tcp4 context 1 context 1", -EINVAL, "more than one context"},
		{"flow-type tcp4 context", -EINVAL, "context ''"},
		{"flow-type tcp4 context x", -EINVAL, "context 'x'"},
		{"flow-type tcp4 context 3", -ENOENT, "no context 3"},
		{"flow-type tcp4 context 99", -ENOENT, "no context 99"},
		{"flow-type tcp4 context 1 action 4", -EINVAL, "queue 4: there are 4"},
		{"flow-type tcp4 context 1 action -1", -EINVAL, "a queue to add"},
		{"flow-type tcp4 loc 3 action 1", -EINVAL, "tcp4 has no 'loc'"},
		{"flow-type tcp4 tclass 3 action 1", -EINVAL, "tcp4 has no 'tclass'"},
		{"flow-type ip4 dst-port 3 action 1", -EINVAL, "ip4 has no 'dst-port'"},
		{"flow-type ether src-ip 192.0.2.1 action 1", -EINVAL, "ether has no 'src-ip'"},
		{"flow-type tcp4 src-ip 192.0.2 action 1", -EINVAL,
		 "src-ip '192.0.2': wants an address of 4 bytes"},
		{"flow-type tcp6 src-ip 192.0.2.1 action 1", -EINVAL, "an address of 16 bytes"},
		{"flow-type tcp4 src-ip ::1 action 1", -EINVAL, "an address of 4 bytes"},
		{"flow-type tcp4 dst-port 65536 action 1", -EINVAL, "a number of 2 bytes"},
		{"flow-type tcp4 dst-port -1 action 1", -EINVAL, "a number of 2 bytes"},
		{"flow-type tcp4 dst-port 80 m action 1", -EINVAL, "dst-port 'action'"},
		{"flow-type tcp4 dst-port 80 m", -EINVAL, "dst-port: wants a value"},
		{"flow-type tcp4 dst-port", -EINVAL, "dst-port: wants a value"},
		{"flow-type tcp4 m 1 action 1", -EINVAL, "tcp4 has no 'm'"},
		{"flow-type ether dst 02:00:00:00:00 action 1", -EINVAL, "aa:bb:... of 6 bytes"},
		{"flow-type ip4 l4data 0x100000000 action 1", -EINVAL, "a number of 4 bytes"},
		{"filter action 1", -EINVAL, "wants an expression"},
		{"filter tcp", -EINVAL, "wants an action or a context"},
		{"filter tcp prt 80 action 1", -EINVAL, "filter 'tcp prt 80'"},
		{"filter tcp action 9", -EINVAL, "queue 9"},
		{"filter tcp context 3", -ENOENT, "no context 3"},
		{"filter tcp action 12345678901234567890", -EINVAL, "action ''"},
		{"filter tcp action 1 action 2", -EINVAL, "more than one action"},
	};
	char err[512];

	good("left/rxfh/context", "new");
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct conf *conf = plane.conf;

		print_message("%s\n", rows[i].value);
		assert_int_equal(set("left/ntuple/0", rows[i].value, err, sizeof(err)),
				 rows[i].err);
		print_message("    %s\n", err);
		assert_non_null(strstr(err, "left/ntuple/0: "));
		assert_non_null(strstr(err, rows[i].why));
		assert_ptr_equal(plane.conf, conf);
	}
	assert_null(plane.conf->port[0].rxfh->use.ntuple);
}

static unsigned count(const char *path)
{
	unsigned n = 0;
	char text[64], one[KNOB_PATH_MAX], err[256];

	for (unsigned i = 0; i < 100; i++) {
		snprintf(one, sizeof(one), "%s%u", path, i);
		n += knob_get(&plane, one, text, sizeof(text), err, sizeof(err)) == 0;
	}
	return n;
}

static void test_locations(void **state)
{
	static const char rule[] = "flow-type tcp4 action 1";
	char err[512];

	good("left/ntuple/any", rule);
	expect("left/ntuple/any", "0");
	good("left/ntuple/7", rule);
	good("left/ntuple/3", "flow-type udp4 action 2");
	good("left/ntuple/any", "filter ip action 3");
	expect("left/ntuple/any", "8");
	expect("left/ntuple/8", "filter ip action 3");
	good("left/ntuple/3", rule); /* in place of the other */
	assert_int_equal(count("left/ntuple/"), 4);
	assert_int_equal(count("right/ntuple/"), 0);

	assert_int_equal(set("left/ntuple/5", "delete", err, sizeof(err)), -ENOENT);
	assert_non_null(strstr(err, "no such rule"));
	good("left/ntuple/7", "delete");
	good("left/ntuple/3", "");
	assert_int_equal(count("left/ntuple/"), 2);
	assert_int_equal(set("left/ntuple/65536", rule, err, sizeof(err)), -ENOENT);
	assert_int_equal(set("left/ntuple/07", rule, err, sizeof(err)), -ENOENT);
	assert_int_equal(set("left/ntuple/x", rule, err, sizeof(err)), -ENOENT);
	good("left/ntuple/65535", rule);
	assert_int_equal(set("left/ntuple/any", rule, err, sizeof(err)), -ENOSPC);
	good("left/ntuple/*", "delete");
	assert_int_equal(count("left/ntuple/"), 0);
	assert_null(plane.conf->port[0].rxfh->rules);
	expect("left/ntuple/any", "");
	assert_int_equal(set("left/ntuple/*", "delete", err, sizeof(err)), -ENOENT);
	good("*/ntuple/4", "flow-type tcp4 action 0");
	expect("right/ntuple/4", "flow-type tcp4 action 0");
	assert_int_equal(set("*/ntuple/4", rule, err, sizeof(err)),
			 -EINVAL); /* right has 1 queue */
	expect("left/ntuple/4", "flow-type tcp4 action 0");
}

/* rss_ctx.py: a context that a rule names is not deleted. */
static void test_context_in_use(void **state)
{
	char err[512];

	good("left/rxfh/context", "2");
	good("left/ntuple/1", "flow-type tcp4 context 2");
	good("left/ntuple/6", "flow-type udp4 context 2 action 1");
	assert_int_equal(set("left/rxfh/context", "2 delete", err, sizeof(err)), -EBUSY);
	assert_non_null(strstr(err, "named by rule 1"));
	assert_int_equal(set("left/rxfh/context", "3", err, sizeof(err)), -EBUSY);
	expect("left/rxfh/context", "2");
	good("left/ntuple/1", "delete");
	assert_int_equal(set("left/rxfh/context", "2 delete", err, sizeof(err)), -EBUSY);
	assert_non_null(strstr(err, "named by rule 6"));
	good("left/ntuple/6", "flow-type udp4 action 2"); /* a queue, no context */
	good("left/rxfh/context", "2 delete");
}

/* Off: the rules stay, and are not gone by. */
static void test_switch(void **state)
{
	static const struct row refused[] = {
		{"left/features/rx-ntuple-filter", "maybe", -EINVAL, "neither on nor off"},
		{"left/features/ntuple", "", -EINVAL, "neither on nor off"},
	};

	expect("left/features/rx-ntuple-filter", "on");
	good("left/ntuple/1", "flow-type tcp4 action 2");
	assert_int_equal(plane.conf->port[0].rxfh->use.ntuple->n_rules, 1);
	good("left/features/rx-ntuple-filter", "off");
	expect("left/features/ntuple", "off");
	assert_null(plane.conf->port[0].rxfh->use.ntuple);
	expect("left/ntuple/1", "flow-type tcp4 action 2");
	good("left/ntuple/2", "flow-type udp4 action 2");
	good("left/rxfh/context", "new");
	assert_null(plane.conf->port[0].rxfh->use.ntuple);
	good("left/features/ntuple", "on");
	assert_int_equal(plane.conf->port[0].rxfh->use.ntuple->n_rules, 2);
	check_all(refused, COUNT(refused));
}

static int64_t pick(const uint8_t *frame, uint32_t len)
{
	uint8_t copy[64];
	struct leat_rxfh_choice choice;
	struct leat_pkt pkt, *one = &pkt;

	memcpy(copy, frame, len);
	leat_pkt_init(&pkt, copy, len);
	leat_parse(NULL, &one, 1);
	leat_rxfh_pick(&plane.conf->port[0].rxfh->use, &pkt, &choice);
	return choice.by == LEAT_RXFH_BY_DROP ? -1 : choice.queue;
}

/* As ethtool means a mask, as libpcap means an expression; other rules go on when a filter's goes. */
static void test_choice(void **state)
{
	uint8_t udp[] = {2,    0, 0,   0,  0,	1, 2, 0,  0,	0,    0, 2, 8,	 0,
			 0x45, 0, 0,   28, 0,	0, 0, 0,  64,	17,   0, 0, 192, 0,
			 2,    9, 198, 51, 100, 1, 0, 53, 0x30, 0x39, 0, 8, 0,	 0};

	good("left/rxfh/indir", "0");
	good("left/ntuple/3", "filter udp src port 53 and ether[5] = 1 action 3");
	good("left/ntuple/5", "flow-type udp4 src-ip 192.0.2.1 m 0.0.0.255 action 1");
	good("left/ntuple/9", "filter ip action -1");
	assert_int_equal(pick(udp, sizeof(udp)), 3);
	udp[5] = 2;
	assert_int_equal(pick(udp, sizeof(udp)), 1);
	udp[28] = 3; /* 192.0.3.9 */
	assert_int_equal(pick(udp, sizeof(udp)), -1);
	udp[12] = 9; /* no IP */
	assert_int_equal(pick(udp, sizeof(udp)), 0);
	udp[12] = 8;
	good("left/ntuple/9", "delete");
	assert_int_equal(pick(udp, sizeof(udp)), 0);
	udp[5] = 1;
	assert_int_equal(pick(udp, sizeof(udp)), 3);
}

/* As many kinds of rules as there may be, and one more. */
static void test_groups(void **state)
{
	char rule[128], path[KNOB_PATH_MAX], err[512];

	for (unsigned i = 0; i < LEAT_NTUPLE_GROUPS_MAX; i++) {
		snprintf(path, sizeof(path), "left/ntuple/%u", i);
		snprintf(rule, sizeof(rule),
			 i % 2 ? "filter len > %u action 1" :
				 "flow-type tcp4 dst-port 1 m %u action 1",
			 i);
		good(path, rule);
	}
	good("left/ntuple/any", "flow-type tcp4 dst-port 5 m 0 action 2");
	assert_int_equal(set("left/ntuple/any", "filter icmp action 1", err, sizeof(err)), -E2BIG);
	assert_non_null(strstr(err, "more than 64"));
	assert_int_equal(set("left/ntuple/any", "flow-type ip6 action 1", err, sizeof(err)),
			 -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_texts),  test(test_refusals), test(test_locations),
		test(test_switch), test(test_choice),	test(test_context_in_use),
		test(test_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
