/* SPDX-License-Identifier: MIT */
/* Knobs of a plane made by hand: features, limits and tunnels, and what depends on what. */
#include "knob_plane.h"

static void test_features(void **state)
{
	static const struct row rows[] = {
		{"left/features/rx-gro", "off", 0, "off"},
		{"left/features/rx-gro", "on", 0, "on"},
		{"left/features/rx-gro", "1", -EINVAL, "'1' is neither on nor off"},
		{"left/features/rx-udp-gro-forwarding", "on", 0, "on"},
		{"left/features/rx-checksum", "on", 0, "on [fixed]"},
		{"left/features/rx-checksum", "off", -EOPNOTSUPP, "fixed"},
		{"left/features/tx-scatter-gather", "off", -EOPNOTSUPP, "fixed"},
		{"left/features/tx-tcp-mangleid-segmentation", "on", -EOPNOTSUPP, "able port"},
		{"left/features/tx-gre-segmentation", "off", 0, "off [fixed]"},
		{"left/features/tx-tcp-segmentation", "off", 0, "off"},
		{"left/features/tx-tcp-segmentation", "on", 0, "on"},
		{"left/features/tx-tcp-ecn-segmentation", "off", 0, "off"},
		{"left/features/tx-tcp-segmentation", "off", 0, "off"},
		{"left/features/tx-tcp6-segmentation", "off", 0, "off"},
		{"left/features/tx-tcp-ecn-segmentation", "on", -EINVAL, "needs tx-tcp-seg"},
		{"left/features/tx-tcp-segmentation", "on", 0, "on"},
		{"left/features/tx-tcp-ecn-segmentation", "on", 0, "on"},
		{"left/features/tx-checksum-ip-generic", "off", 0, "off"},
		{"left/features/tx-udp-segmentation", "on", -EINVAL, "needs tx-checksum"},
		{"left/features/tx-udp-segmentation", "off", 0, "off"},
		{"left/features/tx-checksum-ip-generic", "on", 0, "on"},
		{"left/features/tx-udp-segmentation", "on", 0, "on"},
		{"right/features/tx-checksum-ip-generic", "on", -EOPNOTSUPP, "plain port"},
		{"right/features/tx-tcp-segmentation", "on", -EOPNOTSUPP, "fixed"},
		{"right/features/rx-gro", "off", 0, "off"},
		{"right/features/rx-hashing", "off", 0, "off"},
		{"left/features/tx-none", "on", -ENOENT, "no such knob"},
		{"left/features/rx-gro-list", "on", 0, "on"},
		{"left/features/rx-gro-sctp", "on", 0, "on"},
		{"left/features/rx-gro-accecn", "on", 0, "on"},
		{"left/features/rx-gro-jumbogram", "off", 0, "off"},
		{"left/features/tx-generic-segmentation", "on", 0, "on [fixed]"},
		{"left/features/tx-generic-segmentation", "off", -EOPNOTSUPP, "fixed"},
		{"left/features/tx-checksum-sctp", "on", -EOPNOTSUPP, "fixed"},
		{"left/features/tx-esp-segmentation", "on", -EOPNOTSUPP, "fixed"},
		{"left/features/rx-lro", "off", 0, "off [fixed]"},
	};

	check_all(rows, COUNT(rows));
	assert_int_equal(plane.conf->port[1].gso.features, 0);
	assert_int_equal(plane.conf->port[0].gso.features,
			 LEAT_GSO_TCPV4 | LEAT_GSO_TCP_ECN | LEAT_GSO_UDP_L4);
}

/* What checksums took away comes back with them, if it was wanted and is still. */
static void test_wanted_comes_back(void **state)
{
	static const struct row rows[] = {
		{"left/features/tx-tcp6-segmentation", "off", 0, "off"},
		{"left/features/tx-checksum-ip-generic", "off", 0, "off"},
		{"left/features/tx-udp-segmentation", "off", 0, "off"},
		{"left/features/tx-checksum-ip-generic", "on", 0, "on"},
	};

	check_all(rows, 2);
	assert_int_equal(plane.conf->port[0].gso.features, 0);
	assert_false(plane.conf->port[0].gso.csum_partial);
	expect("left/features/tx-tcp-segmentation", "off [requested on]");
	expect("left/features/tx-tcp6-segmentation", "off");
	expect("left/features/tx-gre-segmentation", "off [fixed]");
	check_all(rows + 2, 2);
	assert_int_equal(plane.conf->port[0].gso.features, LEAT_GSO_TCPV4 | LEAT_GSO_TCP_ECN);
	assert_true(plane.conf->port[0].gso.csum_partial);
	expect("left/features/tx-tcp-segmentation", "on");
}

/* ECN goes with the last TCP segmentation that it could go with, and comes back with the first. */
static void test_ecn_follows(void **state)
{
	static const struct row rows[] = {
		{"left/features/tx-tcp-segmentation", "off", 0, "off"},
		{"left/features/tx-tcp6-segmentation", "off", 0, "off"},
		{"left/features/tx-tcp6-segmentation", "on", 0, "on"},
	};

	check(&rows[0]);
	assert_true(plane.conf->port[0].gso.features & LEAT_GSO_TCP_ECN);
	check(&rows[1]);
	assert_false(plane.conf->port[0].gso.features & LEAT_GSO_TCP_ECN);
	check(&rows[2]);
	assert_true(plane.conf->port[0].gso.features & LEAT_GSO_TCP_ECN);
}

/* Every name that ethtool -k and -K have for what is here. */
static void test_feature_names(void **state)
{
	static const char *const names[] = {
		"rx-checksum",
		"tx-checksum-ip-generic",
		"tx-checksum-sctp",
		"tx-scatter-gather",
		"tx-tcp-segmentation",
		"tx-tcp-ecn-segmentation",
		"tx-tcp-mangleid-segmentation",
		"tx-tcp6-segmentation",
		"tx-tcp-accecn-segmentation",
		"tx-generic-segmentation",
		"rx-gro",
		"rx-lro",
		"rx-ntuple-filter",
		"rx-hashing",
		"tx-gso-robust",
		"tx-gre-segmentation",
		"tx-gre-csum-segmentation",
		"tx-ipxip4-segmentation",
		"tx-ipxip6-segmentation",
		"tx-udp_tnl-segmentation",
		"tx-udp_tnl-csum-segmentation",
		"tx-gso-partial",
		"tx-tunnel-remcsum-segmentation",
		"tx-sctp-segmentation",
		"tx-esp-segmentation",
		"tx-udp-segmentation",
		"tx-gso-list",
		"rx-gro-hw",
		"rx-gro-list",
		"rx-udp-gro-forwarding",
	};
	static const char *const aliases[][2] = {
		{"rx-checksumming", "rx-checksum"},
		{"rx", "rx-checksum"},
		{"tx-checksumming", "tx-checksum-ip-generic"},
		{"tx", "tx-checksum-ip-generic"},
		{"scatter-gather", "tx-scatter-gather"},
		{"sg", "tx-scatter-gather"},
		{"tcp-segmentation-offload", "tx-tcp-segmentation"},
		{"tso", "tx-tcp-segmentation"},
		{"generic-segmentation-offload", "tx-generic-segmentation"},
		{"gso", "tx-generic-segmentation"},
		{"generic-receive-offload", "rx-gro"},
		{"gro", "rx-gro"},
		{"large-receive-offload", "rx-lro"},
		{"lro", "rx-lro"},
		{"ntuple-filters", "rx-ntuple-filter"},
		{"ntuple", "rx-ntuple-filter"},
		{"receive-hashing", "rx-hashing"},
		{"rxhash", "rx-hashing"},
	};
	char path[KNOB_PATH_MAX], text[64], other[64], err[256];

	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof(path), "left/features/%s", names[i]);
		assert_int_equal(knob_get(&plane, path, text, sizeof(text), err, sizeof(err)), 0);
	}
	for (size_t i = 0; i < COUNT(aliases); i++) {
		snprintf(path, sizeof(path), "left/features/%s", aliases[i][0]);
		assert_int_equal(knob_get(&plane, path, text, sizeof(text), err, sizeof(err)), 0);
		snprintf(path, sizeof(path), "left/features/%s", aliases[i][1]);
		assert_int_equal(knob_get(&plane, path, other, sizeof(other), err, sizeof(err)), 0);
		assert_string_equal(text, other);
	}
}

/* tso is all of them that the port has. */
static void test_tso(void **state)
{
	static const struct row rows[] = {
		{"left/features/tso", "off", 0, "off"},
		{"left/features/tx-tcp6-segmentation", "on", 0, "on"},
	};
	const uint32_t all = LEAT_GSO_TCPV4 | LEAT_GSO_TCPV6 | LEAT_GSO_TCP_ECN;
	static const struct row on = {"left/features/tcp-segmentation-offload", "on", 0, "on"},
				none = {"right/features/tso", "on", -EOPNOTSUPP, "fixed"};

	check(&rows[0]);
	assert_int_equal(plane.conf->port[0].gso.features, LEAT_GSO_UDP_L4);
	check(&rows[1]);
	assert_int_equal(plane.conf->port[0].gso.features, LEAT_GSO_TCPV6 | LEAT_GSO_UDP_L4);
	check(&on);
	assert_int_equal(plane.conf->port[0].gso.features, all | LEAT_GSO_UDP_L4);
	check(&none);
}

/* What is done only after partial GSO needs that; what is done to SCTP needs its checksum. */
static void test_partial(void **state)
{
	static const struct row off = {"left/features/tx-gso-partial", "off", 0, "off"},
				needs = {"left/features/tx-gre-segmentation", "on", -EINVAL,
					 "needs tx-gso-partial"},
				crc = {"left/features/tx-checksum-sctp", "off", 0, "off"},
				sctp = {"left/features/tx-sctp-segmentation", "on", -EINVAL,
					"needs tx-checksum-sctp"};
	const uint32_t all = LEAT_GSO_TCPV4 | LEAT_GSO_GRE | LEAT_GSO_PARTIAL | LEAT_GSO_SCTP;
	struct port *port = &plane.port[0];
	char err[256];

	port->gso = all;
	port->partial = LEAT_GSO_GRE;
	port->features |= PORT_TX_CRC;
	conf_free(plane.conf, NULL);
	plane.conf = conf_default(&plane);
	assert_int_equal(plane.conf->port[0].gso.features, all);
	assert_int_equal(plane.conf->port[0].gso.partial, LEAT_GSO_GRE);
	check(&off);
	assert_int_equal(plane.conf->port[0].gso.features, LEAT_GSO_TCPV4 | LEAT_GSO_SCTP);
	expect("left/features/tx-gre-segmentation", "off [requested on]");
	assert_int_equal(knob_set(&plane, needs.path, needs.value, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, needs.back));
	check(&crc);
	assert_false(plane.conf->port[0].gso.crc_partial);
	assert_int_equal(plane.conf->port[0].gso.features, LEAT_GSO_TCPV4);
	assert_int_equal(knob_set(&plane, sctp.path, sctp.value, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, sctp.back));
	assert_int_equal(knob_set(&plane, off.path, "on", err, sizeof(err)), 0);
	assert_int_equal(knob_set(&plane, crc.path, "on", err, sizeof(err)), 0);
	assert_int_equal(plane.conf->port[0].gso.features, all);
}

static void test_limits(void **state)
{
	static const struct row rows[] = {
		{"left/gso_max_size", "1000", 0, "1000"},
		{"left/gso_max_size", "0", -EINVAL, "1 to 500000"},
		{"left/gso_max_size", "500001", -EINVAL, "0 to 500000"},
		{"left/gso_max_size", "500000", 0, "500000"},
		{"left/gso_ipv4_max_size", "400000", 0, "400000"},
		{"left/gso_ipv4_max_size", "500001", -EINVAL, "500000"},
		{"left/gso_max_segs", "64", 0, "64"},
		{"left/gso_max_segs", "0", -EINVAL, "1 to 65535"},
		{"left/gso_max_segs", "65536", -EINVAL, "65535"},
		{"left/gro_max_size", "524280", 0, "524280"},
		{"left/gro_max_size", "524281", -EINVAL, "524280"},
		{"left/gro_ipv4_max_size", "100000", 0, "100000"},
		{"left/tso_max_size", "500000", 0, "500000"},
		{"left/tso_max_size", "65536", -EOPNOTSUPP, "read-only"},
		{"left/tso_max_segs", "65535", 0, "65535"},
		{"right/gso_max_size", "65537", -EINVAL, "65536"},
		{"right/tso_max_size", "65536", 0, "65536"},
	};
	static const struct row back[] = {
		{"left/gso_max_size", "65536", 0, "65536"},
		{"left/gro_max_size", "65536", 0, "65536"},
	};

	plane.port[0].tso_max_size = 500000;
	expect("left/gso_max_size", "65536");
	expect("left/gro_ipv4_max_size", "65536");
	check(&rows[0]);
	expect("left/gso_ipv4_max_size", "1000");
	check_all(rows + 1, 3);
	expect("left/gso_ipv4_max_size", "1000"); /* over 64 KB it is of IPv6 alone */
	check_all(rows + 4, COUNT(rows) - 4);
	assert_int_equal(plane.conf->port[0].gso.max_size, 500000);
	assert_int_equal(plane.conf->port[0].gso.max_size4, 400000);
	assert_int_equal(plane.conf->port[0].gso.max_segs, 64);
	check_all(back, COUNT(back));
	expect("left/gso_ipv4_max_size", "65536");
	expect("left/gro_ipv4_max_size", "65536");
}

static void test_tunnels(void **state)
{
	static const struct row rows[] = {
		{"net/vxlan/dstport", "4789", 0, "4789"},
		{"net/vxlan/dstport", "4789,8472:remcsumrx", 0, "4789,8472:remcsumrx"},
		{"net/geneve/dstport", "", 0, ""},
		{"net/fou/dstport", "5555:4,5556:47", 0, "5555:4,5556:47"},
		{"net/gue/dstport", "4789", -EINVAL, "another tunnel's"},
		{"net/gue/dstport", "1,1", -EINVAL, "1: twice"},
		{"net/gue/dstport", "0", -EINVAL, "wants ports"},
		{"net/gue/dstport", "65536", -EINVAL, "wants ports"},
		{"net/gue/dstport", "6080:remcsumrx", -EINVAL, "wants ports"},
		{"net/gue/dstport", "a", -EINVAL, "wants ports"},
		{"net/fou/dstport", "5555", -EINVAL, "protocol inside"},
		{"net/fou/dstport", "5555:5", -EINVAL, "protocol inside"},
		{"net/fou/dstport", "5555:260", -EINVAL, "protocol inside"},
		{"net/gue/dstport", "1,2,3,4,5,6,7,8,9,10,11,12,13", -EINVAL, "no more than 16"},
	};
	const struct leat_parse_conf *pc;

	expect("net/vxlan/dstport", "4789");
	expect("net/geneve/dstport", "6081");
	expect("net/gue/dstport", "6080");
	expect("net/fou/dstport", "");
	check_all(rows, COUNT(rows));
	pc = plane.conf->parse;
	assert_int_equal(pc->tunnels, 5);
	for (unsigned i = 0; i < pc->tunnels; i++) {
		if (pc->tunnel[i].port == 8472)
			assert_true(pc->tunnel[i].remcsum);
		if (pc->tunnel[i].port == 5556)
			assert_int_equal(pc->tunnel[i].protocol, 47);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_features),	test(test_wanted_comes_back),
		test(test_ecn_follows), test(test_feature_names),
		test(test_tso),		test(test_partial),
		test(test_limits),	test(test_tunnels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
