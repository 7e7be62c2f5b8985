/* SPDX-License-Identifier: MIT */
/* Knobs of a plane made by hand that does not run: what is taken, refused, and read back. */
#include "knob_plane.h"

static void test_queues(void **state)
{
	static const struct row rows[] = {
		{"left/queues/rx-0/rps_cpus", "3", 0, "00,00000003"},
		{"left/queues/rx-0/rps_cpus", "80,0000000f", 0, "80,0000000f"},
		{"left/queues/rx-0/rps_cpus", "0-2\n", 0, "00,00000007"},
		{"left/queues/rx-3/rps_cpus", "1,39", 0, "80,00000002"},
		{"left/queues/rx-0/rps_cpus", "10", -EINVAL, "no worker runs on CPU 4"},
		{"left/queues/rx-0/rps_cpus", "0-4", -EINVAL, "no worker runs on CPU 4"},
		{"left/queues/rx-0/rps_cpus", "100,00000000", -EOVERFLOW, "CPU above 39"},
		{"left/queues/rx-0/rps_cpus", "0x3", -EINVAL, "'0x3' is not a CPU mask or list"},
		{"left/queues/rx-0/rps_cpus", "", 0, "00,00000000"},
		{"left/queues/rx-4/rps_cpus", "1", -ENOENT, "no such knob"},
		{"left/queues/rx-00/rps_cpus", "1", -ENOENT, "no such knob"},
		{"left/queues/tx-0/rps_cpus", "1", -ENOENT, "no such knob"},
		{"middle/queues/rx-0/rps_cpus", "1", -ENOENT, "no such knob"},
		{"left/queues/rx-0", "1", -ENOENT, "no such knob"},
		{"left/queues/rx-0/rps_flow_cnt", "100", 0, "128"},
		{"left/queues/rx-0/rps_flow_cnt", "2340", 0, "4096"},
		{"left/queues/rx-0/rps_flow_cnt", "0x10", 0, "16"},
		{"left/queues/rx-0/rps_flow_cnt", "0", 0, "0"},
		{"left/queues/rx-0/rps_flow_cnt", "1", 0, "1"},
		{"left/queues/rx-0/rps_flow_cnt", "-1", -EINVAL, "'-1' is not a number"},
		{"left/queues/rx-0/rps_flow_cnt", "", -EINVAL, "'' is not a number"},
		{"left/queues/rx-0/rps_flow_cnt", "12x", -EINVAL, "'12x' is not a number"},
		{"left/queues/rx-0/rps_flow_cnt", "536870913", -EINVAL, "536870912"},
		{"left/queues/rx-0/rps_flow_cnt", "99999999999999999999", -EINVAL, "number"},
		{"left/queues/rx-0/smp_affinity_list", "39", 0, "39"},
		{"left/queues/rx-0/smp_affinity", "80,00000000", 0, "80,00000000"},
		{"left/queues/rx-0/smp_affinity_list", "2", 0, "2"},
		{"left/queues/rx-0/smp_affinity", "2", 0, "00,00000002"},
		{"left/queues/rx-0/smp_affinity_list", "0-1", -EINVAL, "names 2 CPUs"},
		{"left/queues/rx-0/smp_affinity_list", "", -EINVAL, "names 0 CPUs"},
		{"left/queues/rx-0/smp_affinity_list", "f", -EINVAL, "'f' is not a CPU list"},
		{"left/queues/rx-0/smp_affinity_list", "5", -EINVAL, "no worker runs on CPU 5"},
		{"left/queues/rx-0/smp_affinity", "0", -EINVAL, "names 0 CPUs"},
		{"left/queues/rx-0/effective_affinity", "1", -EOPNOTSUPP, "read-only"},
		{"left/queues/rx-2/effective_affinity", "80,00000000", 0, "80,00000000"},
		{"left/queues/rx-0/effective_affinity_list", "1", -EOPNOTSUPP, "read-only"},
		{"left/queues/tx-1/xps_cpus", "3", 0, "00,00000003"},
		{"left/queues/tx-2/xps_cpus", "2", 0, "00,00000002"},
		{"left/queues/tx-1/xps_cpus", "1", 0, "00,00000001"},
		{"left/queues/tx-1/xps_cpus", "40", -EINVAL, "no worker runs on CPU 6"},
		{"left/queues/tx-4/xps_cpus", "1", -ENOENT, "no such knob"},
		{"right/queues/tx-0/xps_cpus", "1", -ENOENT, "no such knob"},
	};

	rxqs[0][2].cpu = 39;
	check_all(rows, COUNT(rows));
	expect("left/queues/rx-2/effective_affinity_list", "39");
	expect("left/queues/rx-2/effective_affinity", "80,00000000");
	assert_int_equal(plane.conf->port[0].rxq[0].cpu, 1);
	assert_int_equal(plane.conf->port[0].rxq[3].rps.len, 2);
	assert_int_equal(plane.conf->port[0].rxq[3].rps.cpus[1], 39);
	assert_int_equal(leat_xps_lookup(&plane.conf->port[0].xps, LEAT_XPS_CPUS, 0, 0, 7), 1);
	assert_int_equal(leat_xps_lookup(&plane.conf->port[0].xps, LEAT_XPS_CPUS, 1, 0, 7), 2);
}

static void test_flow_limit(void **state)
{
	static const struct row rows[] = {
		{"net/core/flow_limit_table_len", "256", 0, "256"},
		{"net/core/flow_limit_table_len", "100", -EINVAL, "'100' is not a power of two"},
		{"net/core/flow_limit_table_len", "0", -EINVAL, "not a power of two"},
		{"net/core/flow_limit_table_len", "2147483648", -EINVAL, "1073741824"},
		{"net/core/flow_limit_cpu_bitmap", "80,00000001", 0, "80,00000001"},
		{"net/core/flow_limit_cpu_bitmap", "10", -EINVAL, "no worker runs on CPU 4"},
		{"net/core/flow_limit_cpu_bitmap", "100,00000000", -EOVERFLOW, "CPU above 39"},
		{"net/core/flow_limit_table_len", "1", 0, "1"},
		{"net/core/flow_limit_cpu_bitmap", "1-2,39", 0, "80,00000006"},
	};
	const struct leat_flow_limit *kept;

	check_all(rows, 5);
	kept = plane.conf->flow_limit[4];
	check_all(rows + 5, COUNT(rows) - 5);
	/* One that was there keeps its table, as it is; the length is of those made since. */
	assert_ptr_equal(plane.conf->flow_limit[4], kept);
	assert_int_equal(plane.conf->flow_limit[4]->bits, 8);
	assert_int_equal(plane.conf->flow_limit[1]->bits, 0);
	assert_null(plane.conf->flow_limit[0]);
	check(&(struct row){"net/core/flow_limit_cpu_bitmap", "", 0, "00,00000000"});
}

/* As rps_default_mask.sh of Linux's own tests wants it. */
static void test_default_mask(void **state)
{
	static const struct row rows[] = {
		{"net/core/rps_default_mask", "3", 0, "00,00000003"},
		{"net/core/rps_default_mask", "10", -EINVAL, "no worker runs on CPU 4"},
		{"left/queues/rx-1/rps_cpus", "4", 0, "00,00000004"},
	};

	expect("net/core/rps_default_mask", "00,00000000");
	check_all(rows, COUNT(rows));
	expect("left/queues/rx-0/rps_cpus", "00,00000003");
	expect("right/queues/rx-0/rps_cpus", "00,00000003");
	plane.n_running = 1; /* the queues are there */
	check(&(struct row){"net/core/rps_default_mask", "1", 0, "00,00000001"});
	expect("left/queues/rx-0/rps_cpus", "00,00000003");
	expect("left/queues/rx-1/rps_cpus", "00,00000004");
	expect("right/queues/rx-0/rps_cpus", "00,00000003");
}

static void test_xps(void **state)
{
	static const char two[] = "num_tc 2 map 0 0 0 0 0 0 1 1 0 0 0 0 0 0 0 0 queues 2@0 1@3";
	static const struct row rows[] = {
		{"left/queues/tx-1/xps_rxqs", "f", 0, "f"},
		{"left/queues/tx-1/xps_rxqs", "0,2-3", 0, "d"},
		{"left/queues/tx-1/xps_rxqs", "1f", -EOVERFLOW, "above rx-3"},
		{"left/queues/tx-1/xps_rxqs", "0x1", -EINVAL, "not a mask or list"},
		{"right/queues/tx-0/xps_rxqs", "1", -ENOENT, "no such knob"},
		{"left/queues/tx-3/traffic_class", "1", -EOPNOTSUPP, "mqprio says it"},
		{"left/mqprio", "num_tc 2 map 0 0 0 0 0 0 1 1 queues 2@0 1@3", 0, two},
		{"left/mqprio", "num_tc 2 map 0 0 0 0 0 0 1 1 queues 2@0 1@4", -EINVAL, "tx-3"},
		{"left/mqprio", "num_tc 2 map 2 queues 2@0 1@3", -EINVAL, "classes 0 to 1"},
		{"left/mqprio", "num_tc 2 map 300 queues 2@0 1@3", -EINVAL, "classes 0 to 1"},
		{"left/mqprio", "num_tc 2 map 0 queues 2@0", -EINVAL, "wants num_tc N"},
		{"left/mqprio", "num_tc 2 map 0 queues 2@0 1@3 1@2", -EINVAL, "wants num_tc N"},
		{"left/mqprio", "num_tc 2 map 0 queues 2@0 1@3x", -EINVAL, "wants num_tc N"},
		{"left/mqprio", "num_tc 2 queues 2@0 1@3", -EINVAL, "wants num_tc N"},
		{"left/mqprio", "num_tc 17 map 0 queues 1@0", -EINVAL, "wants num_tc N"},
		{"left/mqprio", "num_tc", -EINVAL, "wants num_tc N"},
		{"left/mqprio", "num_tc 0 map 0", -EINVAL, "wants num_tc N"},
		{"left/mqprio", "", -EINVAL, "wants num_tc N"},
		/* the queue of no class */
		{"left/queues/tx-2/xps_cpus", "1", -EINVAL, "no traffic class"},
		{"left/queues/tx-2/xps_rxqs", "1", -EINVAL, "no traffic class"},
		{"left/queues/tx-0/xps_cpus", "3", 0, "00,00000003"},
		{"left/queues/tx-3/xps_rxqs", "8", 0, "8"},
	};

	check_all(rows, COUNT(rows));
	expect("left/queues/tx-1/xps_rxqs", "0"); /* classes were set: lists are empty */
	expect("left/queues/tx-0/traffic_class", "0");
	expect("left/queues/tx-2/traffic_class", "-1");
	expect("left/queues/tx-3/traffic_class", "1");
	check(&(struct row){"left/mqprio", " num_tc  0 ", 0, "num_tc 0"});
	expect("left/queues/tx-3/xps_rxqs", "0");
	expect("left/queues/tx-2/traffic_class", "0");
}

static void test_rxfh(void **state)
{
	static const char key[] = "6d:5a:56:da:25:5b:0e:c2:41:67:25:3d:43:a3:8f:b0:d0:ca:2b:cb:"
				  "ae:7b:30:b4:77:cb:2d:a3:80:30:f2:0c:6a:42:b7:3b:be:ac:01:fa";
	static const char bare[] = "6d5a56da255b0ec24167253d43a38fb0d0ca2bcb"
				   "ae7b30b477cb2da38030f20c6a42b73bbeac01fa";
	static const char odd[] = "6d5a56da255b0ec24167253d43a38fb0d0ca2bcb"
				  "ae7b30b477cb2da38030f20c6a42b73bbeac01faf";
	char long_key[3 * LEAT_RSS_KEY_MAX], too_long[3 * LEAT_RSS_KEY_MAX + 3];
	const struct row rows[] = {
		{"left/rxfh/key", key, 0, key},
		{"left/rxfh/key", bare, 0, key},
		{"left/rxfh/key", odd, -EINVAL, "40 to 256 bytes"},
		{"left/rxfh/key", "6d:5a", -EINVAL, "40 to 256 bytes"},
		{"left/rxfh/key", "", -EINVAL, "40 to 256 bytes"},
		{"left/rxfh/key", ":", -EINVAL, "40 to 256 bytes"},
		{"left/rxfh/key", "zz", -EINVAL, "40 to 256 bytes"},
		{"left/rxfh/key", long_key, 0, long_key},
		{"left/rxfh/key", too_long, -EINVAL, "40 to 256 bytes"},
		{"left/rxfh/key", key, 0, key},
		{"left/rxfh/fields", "udp4:sd,udp6:sd", 0,
		 "tcp4:sdfn,udp4:sd,sctp4:sdfn,ip4:sd,tcp6:sdfn,udp6:sd,sctp6:sdfn,ip6:sd"},
		{"left/rxfh/fields", "tcp4:sx", -EINVAL, "wants"},
		{"left/rxfh/fields", "tcp:sd", -EINVAL, "wants"},
		{"left/rxfh/fields", "tcp4", -EINVAL, "wants"},
		{"left/rxfh/fields", "tcp4:sd,", -EINVAL, "wants"},
		{"left/rxfh/fields", "ip4:sdfn", -EINVAL, "wants"},
		{"left/rxfh/xfrm", "symmetric-xor", 0, "symmetric-xor"},
		{"left/rxfh/fields", "tcp4:s", -EINVAL, "pairs as xfrm allows"},
		{"left/rxfh/xfrm", "symmetric-or-xor", 0, "symmetric-or-xor"},
		{"left/rxfh/xfrm", "xor", -EINVAL, "is not none"},
		{"left/rxfh/xfrm", "none", 0, "none"},
		{"left/rxfh/fields", "tcp4:s", 0,
		 "tcp4:s,udp4:sd,sctp4:sdfn,ip4:sd,tcp6:sdfn,udp6:sd,sctp6:sdfn,ip6:sd"},
		{"left/rxfh/xfrm", "symmetric-xor", -EINVAL, "pairs"},
		{"left/rxfh/fields", "tcp4:,udp4:,sctp4:,ip4:,tcp6:,udp6:,sctp6:,ip6:", -EINVAL,
		 "nothing to hash"},
		{"left/rxfh/fields", "tcp4:,udp4:,sctp4:,ip4:,tcp6:,udp6:,sctp6:", 0,
		 "tcp4:,udp4:,sctp4:,ip4:,tcp6:,udp6:,sctp6:,ip6:sd"},
		{"left/rxfh/fields", "ip6:", -EINVAL, "nothing to hash"},
	};

	for (size_t i = 0; i < sizeof(too_long) - 1; i++)
		too_long[i] = i % 3 == 2 ? ':' : 'a';
	too_long[sizeof(too_long) - 1] = 0;
	memcpy(long_key, too_long, sizeof(long_key) - 1);
	long_key[sizeof(long_key) - 1] = 0;
	check_all(rows, COUNT(rows));
}

/* A generator's key is its RSS's at once. */
static void test_gen_key(void **state)
{
	static const char key[] = "6d:5a:56:da:25:5b:0e:c2:41:67:25:3d:43:a3:8f:b0:d0:ca:2b:cb:"
				  "ae:7b:30:b4:77:cb:2d:a3:80:30:f2:0c:6a:42:b7:3b:be:ac:01:fa";
	const struct port_args args = {.name = "left",
				       .option[0] = {"key", key},
				       .option[1] = {"queues", "2"},
				       .options = 2};
	char err[256];

	plane.port[0].ops = &port_gen;
	assert_int_equal(port_gen.open(&plane.port[0], &args, err, sizeof(err)), 0);
	conf_free(plane.conf, NULL);
	plane.conf = conf_default(&plane);
	assert_non_null(plane.conf);
	expect("left/rxfh/key", key);
	port_gen.close(&plane.port[0]);
}

static void test_port_names(void **state)
{
	static const char *const good[] = {"left", "a", "eth0.1", "app0", "network", "x-y_z"};
	static const char *const bad[] = {"",	 "app",	 "net", "a/b", "a*",   "?",    "a[b]",
					  "a b", "a\\b", "a=b", "a\n", "\x7f", "\x01", "\xc3\xa9"};

	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(knob_port_name_ok(good[i]));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(knob_port_name_ok(bad[i]));
}

static void test_core(void **state)
{
	static const struct row rows[] = {
		{"net/core/rps_sock_flow_entries", "100", 0, "128"},
		{"net/core/rps_sock_flow_entries", "33000", 0, "65536"},
		{"net/core/rps_sock_flow_entries", "0", 0, "0"},
		{"net/core/rps_sock_flow_entries", "-1", -EINVAL, "not a number"},
		{"net/core/netdev_max_backlog", "300", 0, "300"},
		{"net/core/netdev_max_backlog", "4096", 0, "4096"},
		{"net/core/netdev_max_backlog", "4097", -EINVAL, "0 to 4096"},
		{"net/core/busy_poll", "50", 0, "50"},
		{"net/core/gro_normal_batch", "128", 0, "128"},
		{"net/core/gro_normal_batch", "0", -EINVAL, "from 1 to 2147483647"},
		{"net/core/gro_normal_batch", "2147483648", -EINVAL, "2147483647"},
		{"net/core/busy_poll", "4294967295", -EINVAL, "2147483647"},
		{"left/gro_flush_timeout", "20000", 0, "20000"},
		{"left/gro_flush_timeout", "1s", -EINVAL, "not a number"},
		{"right/gro_flush_timeout", "0", 0, "0"},
		{"net/core", "1", -ENOENT, "no such knob"},
		{"", "1", -ENOENT, "no such knob"},
		{"app/threads/0/cpu", "2", 0, "2"},
		{"app/threads/0/cpu", "3", -EINVAL, "'3'"},
		{"app/threads/1/cpu", "2", -ENOENT, "app mine has no such knob"},
		{"app/threads/*", "2", -ENOENT, "app mine has no such knob"},
		{"app/threads/*/cpu", "2", 0, "2"},
	};
	char err[256];

	check_all(rows, COUNT(rows));
	assert_int_equal(knob_set(&plane, "*/threads/?/cpu", "3", err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "app/threads/0/cpu: '3'"));
}

struct seen {
	unsigned n;
	char first[KNOB_PATH_MAX], last[KNOB_PATH_MAX];
};

static int see(void *arg, const char *path, const char *value)
{
	struct seen *seen = arg;

	if (seen->n++ == 0)
		snprintf(seen->first, sizeof(seen->first), "%s", path);
	snprintf(seen->last, sizeof(seen->last), "%s", path);
	return value[0] || strcmp(path, "net/fou/dstport") == 0 || strstr(path, "/rxfh/context") ?
		       0 :
		       -1;
}

static struct seen list(const char *path)
{
	struct seen seen = {0};
	char err[256];
	int error = knob_list(&plane, path, see, &seen, err, sizeof(err));

	assert_int_equal(error, seen.n ? 0 : -ENOENT);
	return seen;
}

static void test_patterns(void **state)
{
	static const struct row rows[] = {
		{"left/queues/rx-*/rps_cpus", "3", 0, "00,00000003"},
		{"*/queues/rx-*/smp_affinity_list", "1", 0, "1"},
		{"left/queues/rx-[12]/rps_cpus", "1", 0, "00,00000001"},
		/* One of them is fixed, so none is set. */
		{"left/features/tx-*", "on", -EOPNOTSUPP, "fixed"},
	};
	struct seen all = list(NULL);
	char err[256];

	for (size_t i = 0; i < 3; i++)
		check(&rows[i]);
	assert_int_equal(plane.conf->port[0].rxq[0].rps.len, 2);
	assert_int_equal(plane.conf->port[0].rxq[1].rps.len, 1);
	assert_int_equal(plane.conf->port[0].rxq[3].rps.len, 2);
	assert_int_equal(plane.conf->port[1].rxq[0].rps.len, 0);
	for (unsigned q = 0; q < 4; q++)
		assert_int_equal(plane.conf->port[0].rxq[q].cpu, 1);
	assert_int_equal(plane.conf->port[1].rxq[0].cpu, 1);

	assert_int_equal(knob_set(&plane, "left/features/tx-tcp*", "off", err, sizeof(err)), 0);
	assert_int_equal(plane.conf->port[0].gso.features, LEAT_GSO_UDP_L4);
	assert_int_equal(knob_set(&plane, rows[3].path, "on", err, sizeof(err)), -EOPNOTSUPP);
	assert_non_null(strstr(err, "left/features/tx-checksum-sctp: fixed"));
	assert_int_equal(plane.conf->port[0].gso.features, LEAT_GSO_UDP_L4);

	assert_int_equal(list("left/queues/*/*").n, 4 * 6 + 4 * 3);
	assert_int_equal(list("right/queues/*/*").n, 6);
	assert_int_equal(list("*").n, 0);
	assert_int_equal(list("net/core/*").n, 7);
	assert_string_equal(all.first, "left/queues/rx-0/rps_cpus");
	assert_string_equal(all.last, "app/threads/0/cpu");
	assert_int_equal(list("app/*/*/*").n, 1);
	assert_int_equal(all.n, list("*/*/*/*").n + list("*/*/*").n + list("*/*").n);
}

/* All that can be read, as `leat get` prints it. */
static struct saved {
	char path[128], value[2048];
} saved[512];
static unsigned n_saved;

static int save(void *arg, const char *path, const char *value)
{
	struct saved *s = &saved[n_saved];

	if (strncmp(path, "app/", 4) == 0) /* of this file's own, which takes 1 alone */
		return 0;
	n_saved++;
	assert_true(n_saved <= COUNT(saved) && strlen(value) < sizeof(s->value));
	snprintf(s->path, sizeof(s->path), "%s", path);
	snprintf(s->value, sizeof(s->value), "%s", value);
	return 0;
}

/* Joined ports put a flow on queues of one number if they hash symmetrically: so they have one key. */
static void test_one_key(void **state)
{
	char err[256];

	n_saved = 0;
	assert_int_equal(knob_list(&plane, "*/rxfh/key", save, NULL, err, sizeof(err)), 0);
	assert_int_equal(n_saved, 2);
	assert_string_equal(saved[0].value, saved[1].value);
}

static void set_all(void)
{
	char err[512] = "";

	n_saved = 0;
	assert_int_equal(knob_list(&plane, NULL, save, NULL, err, sizeof(err)), 0);
	for (unsigned i = 0; i < n_saved; i++) {
		if (saved[i].value[0] &&
		    knob_set(&plane, saved[i].path, saved[i].value, err, sizeof(err)))
			fail_msg("%s", err);
	}
}

/* All knobs can be set to what they read, and then still read so; also features that want for
 * another. */
static void test_set_as_read(void **state)
{
	static struct saved before[COUNT(saved)];
	char err[256];

	for (unsigned i = 0; i < 2; i++) {
		set_all();
		memcpy(before, saved, sizeof(before));
		set_all();
		assert_memory_equal(before, saved, sizeof(before));
		assert_int_equal(
			knob_set(&plane, "left/features/tx-scatter-gather", "on", err, sizeof(err)),
			0);
		assert_int_equal(knob_set(&plane, "left/features/tx-checksum-ip-generic", "off",
					  err, sizeof(err)),
				 0);
	}
	set_all();
}

/* A visit that wants no more is the last. */
static int stop(void *arg, const char *path, const char *value)
{
	++*(unsigned *)arg;
	return 7;
}

static void test_visit_ends(void **state)
{
	unsigned visits = 0;
	char err[64];

	assert_int_equal(knob_list(&plane, NULL, stop, &visits, err, sizeof(err)), 7);
	assert_int_equal(visits, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_queues),     test(test_flow_limit),  test(test_default_mask),
		test(test_xps),	       test(test_rxfh),	       test(test_gen_key),
		test(test_port_names), test(test_core),	       test(test_patterns),
		test(test_one_key),    test(test_set_as_read), test(test_visit_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
