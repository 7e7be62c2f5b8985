/* SPDX-License-Identifier: MIT */
/*
 * test_pkt.c - descriptors and chains.
 */
#include <leat/pkt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))

/* "abcdefgh" in slices of 3, 0, 1 and 4 bytes. */
static uint8_t text[] = "abcdefgh";

struct chain {
	struct leat_pkt pkts[4];
};

static struct leat_pkt *make_chain(struct chain *chain)
{
	static const uint32_t lens[] = {3, 0, 1, 4};
	uint8_t *p = text;

	for (unsigned i = 0; i < 4; p += lens[i++])
		leat_pkt_init(&chain->pkts[i], p, lens[i]);
	chain->pkts[3].frag_list = &chain->pkts[0]; /* left by somebody else */
	for (unsigned i = 1; i < 4; i++)
		leat_pkt_chain(&chain->pkts[0], &chain->pkts[i]);
	return &chain->pkts[0];
}

static void test_init(void **state)
{
	struct leat_pkt pkt;
	int owner;

	memset(&pkt, 0xee, sizeof(pkt));
	pkt.owner = &owner;
	leat_pkt_init(&pkt, text, 8);
	assert_ptr_equal(pkt.data, text);
	assert_int_equal(pkt.len, 8);
	assert_int_equal(pkt.headlen, 8);
	assert_null(pkt.frag_list);
	assert_null(pkt.frag_tail);
	assert_int_equal(pkt.slices, 0);
	assert_int_equal(pkt.hash_type, LEAT_HASH_NONE);
	assert_int_equal(pkt.gso_type | pkt.gso_size | pkt.gso_segs, 0);
	assert_int_equal(pkt.csum, LEAT_CSUM_NONE);
	assert_int_equal(pkt.depth, LEAT_DEPTH_NONE);
	assert_int_equal(pkt.levels | pkt.vlans | pkt.payload | pkt.inner_mac, 0);
	assert_int_equal(pkt.lvl[0].version | pkt.lvl[1].version, 0);
	/* the caller's */
	assert_ptr_equal(pkt.owner, &owner);
	assert_int_equal(pkt.port, 0xeeee);
	assert_int_equal(pkt.rxq, 0xeeee);
	assert_int_equal(pkt.size, 0xeeeeeeee);
	assert_int_equal(pkt.cookie, 0xeeeeeeee);
	assert_true(pkt.stamp == 0xeeeeeeeeeeeeeeee);
}

/* The stages' fields fit a line, and the whole descriptor two. */
static void test_layout(void **state)
{
	assert_int_equal(offsetof(struct leat_pkt, frag_tail), sizeof(void *) == 8 ? 56 : 48);
	assert_true(sizeof(struct leat_pkt) <= 128);
}

static void test_chain(void **state)
{
	struct chain chain;
	struct leat_pkt *pkt = make_chain(&chain);

	assert_int_equal(pkt->len, 8);
	assert_int_equal(pkt->headlen, 3);
	assert_int_equal(pkt->slices, 3);
	assert_ptr_equal(pkt->frag_tail, &chain.pkts[3]);
	for (unsigned i = 0; i < 3; i++)
		assert_ptr_equal(chain.pkts[i].frag_list, &chain.pkts[i + 1]);
	assert_null(chain.pkts[3].frag_list);
}

struct slices_row {
	uint32_t off;
	unsigned max, n;
	const char *slices[4];
};

static const struct slices_row slices_rows[] = {
	{0, 4, 3, {"abc", "d", "efgh"}}, /* the empty one is left out */
	{0, 0, 0, {NULL}},
	{0, 2, 2, {"abc", "d"}},
	{2, 4, 3, {"c", "d", "efgh"}},
	{3, 4, 2, {"d", "efgh"}},
	{4, 4, 1, {"efgh"}},
	{7, 4, 1, {"h"}},
	{8, 4, 0, {NULL}},
	{9, 4, 0, {NULL}},
};

static void test_slices(void **state)
{
	struct chain chain;
	struct leat_pkt *pkt = make_chain(&chain);

	for (size_t i = 0; i < LENGTH(slices_rows); i++) {
		const struct slices_row *row = &slices_rows[i];
		struct leat_slice slices[4];

		assert_int_equal(leat_pkt_slices(pkt, row->off, slices, row->max), row->n);
		for (unsigned j = 0; j < row->n; j++) {
			assert_int_equal(slices[j].len, strlen(row->slices[j]));
			assert_memory_equal(slices[j].base, row->slices[j], slices[j].len);
		}
	}
}

static void test_copy(void **state)
{
	struct chain chain;
	struct leat_pkt *pkt = make_chain(&chain);

	for (uint32_t off = 0; off <= 9; off++) {
		for (uint32_t len = 0; len <= 10; len++) {
			uint32_t have = off < 8 ? 8 - off : 0, want = len < have ? len : have;
			char to[12];

			memset(to, '.', sizeof(to));
			assert_int_equal(leat_pkt_copy(pkt, off, to, len), want);
			if (want > 0)
				assert_memory_equal(to, text + off, want);
			assert_int_equal(to[want], '.');
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init),  cmocka_unit_test(test_layout),
		cmocka_unit_test(test_chain), cmocka_unit_test(test_slices),
		cmocka_unit_test(test_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
