/* SPDX-License-Identifier: MIT */
/*
 * PORT/rxfh/: tables in ethtool's words, contexts (the kernel's rss_ctx.py and rss_api.py), fields.
 */
#include "knob_plane.h"
#include "rxfh.h"

/* clang-format off */
#define X2(a) a "," a
#define X4(a) X2(X2(a))
#define X16(a) X4(X4(a))
#define X32(a) X2(X16(a))
#define X64(a) X4(X16(a))
#define X128(a) X2(X64(a))
/* clang-format on */

#define KEY40 "6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa"

static void test_indir(void **state)
{
	static const struct row rows[] = {
		{"left/rxfh/indir", "equal 2", 0, X64("0,1")},
		{"left/rxfh/indir", "start 2 equal 2", 0, X64("2,3")},
		{"left/rxfh/indir", "equal 2 start 1", 0, X64("1,2")},
		{"left/rxfh/indir", "equal 4", 0, X32("0,1,2,3")},
		{"left/rxfh/indir", "weight 1 2 0 1", 0, X32("0") "," X64("1") "," X32("3")},
		{"left/rxfh/indir", "start 3 weight 1", 0, X128("3")},
		{"left/rxfh/indir", "0,1,0,3", 0, X32("0,1,0,3")},
		{"left/rxfh/indir", "2", 0, X128("2")},
		{"left/rxfh/indir", X128("1"), 0, X128("1")},
		{"left/rxfh/indir", "default", 0, X32("0,1,2,3")},
		{"left/rxfh/indir", "0,1,0,4", -EINVAL, "queue 4: there are 4"},
		{"left/rxfh/indir", "0,1,2", -EINVAL, "3 entries do not divide the table's 128"},
		{"left/rxfh/indir", X128("0,1"), -EINVAL, "more entries than the table's 128"},
		{"left/rxfh/indir", "0,1,", -EINVAL, "numbers between commas"},
		{"left/rxfh/indir", "0,-1", -EINVAL, "numbers between commas"},
		{"left/rxfh/indir", "0 1", -EINVAL, "numbers between commas"},
		{"left/rxfh/indir", "equal 5", -EINVAL, "equal: wants a number up to 4"},
		{"left/rxfh/indir", "equal", -EINVAL, "equal: wants a number"},
		{"left/rxfh/indir", "equal 0", -EINVAL, "either equal N or weight W"},
		{"left/rxfh/indir", "start 2 equal 3", -EINVAL, "queue 4: there are 4"},
		{"left/rxfh/indir", "start 1 weight 1 1 1 1", -EINVAL, "queue 4: there are 4"},
		{"left/rxfh/indir", "equal 2 weight 1", -EINVAL, "either equal N or weight W"},
		{"left/rxfh/indir", "weight", -EINVAL, "either equal N or weight W"},
		{"left/rxfh/indir", "weight 0 0", -EINVAL, "a sum from 1 to the table's 128"},
		{"left/rxfh/indir", "weight 100 29", -EINVAL, "a sum from 1 to the table's 128"},
		{"left/rxfh/indir", "weight 1 x", -EINVAL, "'x': wants default"},
		{"left/rxfh/indir", "weight 1 weight 1", -EINVAL, "'weight': wants default"},
		{"left/rxfh/indir", "1 2", -EINVAL, "numbers between commas"},
		{"left/rxfh/indir", "equal 1 1", -EINVAL, "'1': wants default"},
		{"left/rxfh/indir", "even", -EINVAL, "'even': wants default"},
		{"left/rxfh/indir", "", -EINVAL, "either equal N or weight W"},
		{"right/rxfh/indir", "equal 2", -EINVAL, "up to 1"},
	};

	check_all(rows, COUNT(rows));
	assert_int_equal(leat_rss_pick(plane.conf->port[0].rxfh->use.context[0], 6), 2);
}

/* A table that a user set is kept, or the size refused; the default is made anew. */
static void test_indir_size(void **state)
{
	static const struct row rows[] = {
		{"left/rxfh/indir_size", "256", 0, "256"},
		{"left/rxfh/indir_size", "4", 0, "4"},
		{"left/rxfh/indir_size", "2", 0, "2"},
		{"left/rxfh/indir", "1,3", 0, "1,3"},
		{"left/rxfh/indir_size", "4", 0, "4"},
		{"left/rxfh/indir", "1,3,1,0", 0, "1,3,1,0"},
		{"left/rxfh/indir_size", "2", -EINVAL, "the table that was set needs more"},
		{"left/rxfh/indir_size", "8", 0, "8"},
		{"left/rxfh/indir_size", "4", 0, "4"},
		{"left/rxfh/indir", "default", 0, "0,1,2,3"},
		{"left/rxfh/indir_size", "1", 0, "1"},
		{"left/rxfh/indir_size", "4096", 0, "4096"},
		{"left/rxfh/indir_size", "8192", -EINVAL, "from 0 to 4096"},
		{"left/rxfh/indir_size", "0", -EINVAL, "power of two"},
		{"left/rxfh/indir_size", "100", -EINVAL, "power of two"},
	};

	check_all(rows, 4);
	expect("left/rxfh/indir", "1,3");
	check_all(rows + 4, 1);
	expect("left/rxfh/indir", "1,3,1,3");
	check_all(rows + 5, 3);
	expect("left/rxfh/indir", "1,3,1,0,1,3,1,0");
	check_all(rows + 8, 3);
	expect("left/rxfh/indir", "0");
	check_all(rows + 11, COUNT(rows) - 11);
	assert_int_equal(leat_rss_pick(plane.conf->port[0].rxfh->use.context[0], 4095), 3);
}

/* A port of many queues has a table of at least four entries for each. */
static void test_many_queues(void **state)
{
	plane.port[0].rxqs = 200;
	conf_free(plane.conf, NULL);
	plane.conf = conf_default(&plane);
	assert_non_null(plane.conf);
	expect("left/rxfh/indir_size", "1024");
	expect("right/rxfh/indir_size", "128");
}

static void test_fields(void **state)
{
	static const struct row rows[] = {
		{"left/rxfh/fields", "tcp6:sdfnl,ip6:l", 0,
		 "tcp4:sdfn,udp4:sdfn,sctp4:sdfn,ip4:sd,tcp6:sdfnl,udp6:sdfn,sctp6:sdfn,ip6:l"},
		{"left/rxfh/fields", "tcp4:sdl", -EINVAL, "flow label of IPv6 types"},
		{"left/rxfh/xfrm", "symmetric-xor", -EINVAL, "no flow label"},
		{"left/rxfh/key", KEY40, -EINVAL, "4 bytes more than is hashed"},
		{"left/rxfh/fields", "tcp6:sdfn,ip6:sd", 0,
		 "tcp4:sdfn,udp4:sdfn,sctp4:sdfn,ip4:sd,tcp6:sdfn,udp6:sdfn,sctp6:sdfn,ip6:sd"},
		{"left/rxfh/xfrm", "symmetric-xor", 0, "symmetric-xor"},
		{"left/rxfh/fields", "tcp6:sdfnl", -EINVAL, "pairs as xfrm allows"},
		{"left/rxfh/inner", "on", 0, "on"},
		{"left/rxfh/inner", "yes", -EINVAL, "neither on nor off"},
	};

	check_all(rows, COUNT(rows));
	assert_true(plane.conf->port[0].rxfh->use.context[0]->inner);
	check(&(struct row){"left/rxfh/inner", "off", 0, "off"});
}

static void test_contexts(void **state)
{
	static const struct row rows[] = {
		{"left/rxfh/context", "new", 0, "1"},
		{"left/rxfh/context", "new", 0, "1-2"},
		{"left/rxfh/context", "1-2,31", 0, "1-2,31"},
		{"left/rxfh/context", "1 delete", 0, "2,31"},
		{"left/rxfh/context", "new", 0, "1-2,31"},
		{"left/rxfh/context", "0 delete", -EINVAL, "context 0 stays"},
		{"left/rxfh/context", "5 delete", -ENOENT, "there is no context 5"},
		{"left/rxfh/context", "99 delete", -ENOENT, "there is no context 99"},
		{"left/rxfh/context", "32", -EINVAL, "numbers up to 31"},
		{"left/rxfh/context", "old", -EINVAL, "wants new, N delete, or numbers"},
		{"left/rxfh/context", "new 1", -EINVAL, "wants new, N delete, or numbers"},
		{"left/rxfh/context", "2 remove", -EINVAL, "wants new, N delete, or numbers"},
		{"left/rxfh/context", "2 delete now", -EINVAL, "wants new, N delete, or numbers"},
		{"left/rxfh/context", " delete", -EINVAL, "wants new, N delete, or numbers"},
		{"left/rxfh/context", "", 0, ""},
		{"left/rxfh/context", "0,2", 0, "2"},
		{"left/rxfh/context", "1-2,4", 0, "1-2,4"},
		{"left/rxfh/context/2/indir", "start 2 equal 2", 0, X64("2,3")},
		{"left/rxfh/context/2/fields", "tcp4:sd", 0,
		 "tcp4:sd,udp4:sdfn,sctp4:sdfn,ip4:sd,tcp6:sdfn,udp6:sdfn,sctp6:sdfn,ip6:sd"},
		{"left/rxfh/context/2/xfrm", "symmetric-or-xor", 0, "symmetric-or-xor"},
		{"left/rxfh/context/2/inner", "on", 0, "on"},
		{"left/rxfh/context/2/indir_size", "64", 0, "64"},
		{"left/rxfh/context/2/indir", "9", -EINVAL, "queue 9: there are 4"},
		{"left/rxfh/context/3/indir", "0", -ENOENT, "no such knob"},
		{"left/rxfh/context/0/indir", "0", -ENOENT, "no such knob"},
		{"right/rxfh/context/2/indir", "0", -ENOENT, "no such knob"},
	};
	char key[KNOB_TEXT_MAX], err[256];

	assert_int_equal(knob_get(&plane, "left/rxfh/key", key, sizeof(key), err, sizeof(err)), 0);
	check_all(rows, COUNT(rows));
	/* context 0 is as it was, and so are others made of it */
	expect("left/rxfh/key", key);
	expect("left/rxfh/context/1/key", key);
	expect("left/rxfh/indir", X32("0,1,2,3"));
	expect("left/rxfh/context/1/indir", X32("0,1,2,3"));
	expect("left/rxfh/xfrm", "none");
	expect("left/rxfh/inner", "off");
	assert_int_equal(knob_set(&plane, "left/rxfh/context/1/key", KEY40, err, sizeof(err)), 0);
	expect("left/rxfh/key", key);
	expect("right/rxfh/context", "");
}

/* Of context 0, when a new one is made: all but the table. */
static void test_inherit(void **state)
{
	static const struct row rows[] = {
		{"left/rxfh/indir", "equal 2", 0, X64("0,1")},
		{"left/rxfh/xfrm", "symmetric-xor", 0, "symmetric-xor"},
		{"left/rxfh/inner", "on", 0, "on"},
		{"left/rxfh/context", "new", 0, "1"},
	};

	check_all(rows, COUNT(rows));
	expect("left/rxfh/context/1/indir", X32("0,1,2,3"));
	expect("left/rxfh/context/1/xfrm", "symmetric-xor");
	expect("left/rxfh/context/1/inner", "on");
}

/* One set changes all that a pattern matches, or none. */
static void test_patterns(void **state)
{
	static const struct row fail = {"left/rxfh/context/*/indir", "0,1,2,7", -EINVAL, ""};
	char err[256];

	check(&(struct row){"left/rxfh/context", "new", 0, "1"});
	check(&(struct row){"left/rxfh/context", "1,7", 0, "1,7"});
	assert_int_equal(knob_set(&plane, "left/rxfh/context/*/indir", "3", err, sizeof(err)), 0);
	expect("left/rxfh/context/1/indir", X128("3"));
	expect("left/rxfh/context/7/indir", X128("3"));
	expect("left/rxfh/indir", X32("0,1,2,3"));
	assert_int_equal(knob_set(&plane, fail.path, fail.value, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "left/rxfh/context/1/indir: queue 7"));
	assert_int_equal(knob_set(&plane, "left/rxfh/context/*/indir", "0", err, sizeof(err)), 0);
	expect("left/rxfh/context/7/indir", X128("0"));
}

static void test_all_contexts(void **state)
{
	char err[256];

	for (unsigned i = 1; i < LEAT_RXFH_CONTEXTS_MAX; i++)
		assert_int_equal(knob_set(&plane, "left/rxfh/context", "new", err, sizeof(err)), 0);
	assert_int_equal(knob_set(&plane, "left/rxfh/context", "new", err, sizeof(err)), -ENOSPC);
	/* out of order: rss_ctx.py */
	assert_int_equal(knob_set(&plane, "left/rxfh/context", "17 delete", err, sizeof(err)), 0);
	assert_int_equal(knob_set(&plane, "left/rxfh/context", "3 delete", err, sizeof(err)), 0);
	assert_int_equal(knob_set(&plane, "left/rxfh/context", "new", err, sizeof(err)), 0);
	assert_non_null(plane.conf->port[0].rxfh->use.context[3]);
	assert_null(plane.conf->port[0].rxfh->use.context[17]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_indir),    test(test_indir_size),   test(test_many_queues),
		test(test_fields),   test(test_contexts),     test(test_inherit),
		test(test_patterns), test(test_all_contexts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
