/* SPDX-License-Identifier: MIT */
/* A pool and its owner alone: what is in it, what a packet has, where it goes back to. */
#include "plane/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { SMALLS = 5, BIGS = 2 };

static int begin(void **state)
{
	static struct pool pool[2];

	*state = pool;
	return pool_init(&pool[0], SMALLS, BIGS) || pool_init(&pool[1], SMALLS, BIGS);
}

static int end(void **state)
{
	struct pool *pool = *state;

	pool_fini(&pool[0]);
	pool_fini(&pool[1]);
	return 0;
}

/* Take all there are, smalls and then bigs; gives how many. */
static unsigned take_all(struct pool *p, struct leat_pkt **pkts)
{
	unsigned n = 0;

	while ((pkts[n] = pool_small(p)))
		n++;
	while ((pkts[n] = pool_big(p)))
		n++;
	return n;
}

/* As many as were declared, each with a buffer that no other has a part of. */
static void test_buffers(void **state)
{
	struct pool *p = *state;
	struct leat_pkt *pkts[SMALLS + BIGS + 1];

	assert_int_equal(take_all(p, pkts), SMALLS + BIGS);
	for (unsigned i = 0; i < SMALLS + BIGS; i++) {
		uint32_t room = i < SMALLS ? POOL_SMALL : POOL_BIG;

		assert_ptr_equal(pkts[i]->owner, p);
		assert_ptr_equal(pkts[i]->data, pkts[i]->head + POOL_HEADROOM);
		assert_true(pkts[i]->size >= POOL_HEADROOM + room);
		assert_int_equal(pkts[i]->len, 0);
		assert_int_equal((uintptr_t)pkts[i] % 64, 0);
		assert_int_equal((uintptr_t)pkts[i]->head % 64, 0);
		memset(pkts[i]->head, (int)i, pkts[i]->size);
	}
	for (unsigned i = 0; i < SMALLS + BIGS; i++) {
		assert_int_equal(pkts[i]->head[0], i);
		assert_int_equal(pkts[i]->head[pkts[i]->size - 1], i);
	}
	pool_give(p, pkts, SMALLS + BIGS);
	assert_int_equal(p->smalls, SMALLS);
	assert_int_equal(p->bigs, BIGS);
	assert_int_equal(take_all(p, pkts), SMALLS + BIGS);
}

/* The one given back last is in the cache: it is the next. */
static void test_last_in_first_out(void **state)
{
	struct pool *p = *state;
	struct leat_pkt *a = pool_small(p), *b = pool_small(p), *both[] = {a, b};

	pool_give(p, both, 2);
	assert_ptr_equal(pool_small(p), b);
	assert_ptr_equal(pool_small(p), a);
}

/* What others give back is found when nothing else is left. */
static void test_returned(void **state)
{
	struct pool *p = *state;
	struct leat_pkt *pkts[SMALLS + BIGS + 1], *again[SMALLS + BIGS + 1];

	assert_int_equal(take_all(p, pkts), SMALLS + BIGS);
	pool_give(NULL, pkts, 3);
	pool_give(&p[1], pkts + 3, SMALLS + BIGS - 3);
	assert_int_equal(p->smalls + p->bigs, 0);
	assert_int_equal(take_all(p, again), SMALLS + BIGS);
	assert_int_equal(take_all(&p[1], pkts), SMALLS + BIGS);
}

/* The members of a chain go each to their own pool. */
static void test_chain(void **state)
{
	struct pool *p = *state;
	struct leat_pkt *pkts[SMALLS + BIGS + 1], *head = pool_small(p);

	leat_pkt_chain(head, pool_big(&p[1]));
	leat_pkt_chain(head, pool_small(p));
	leat_pkt_chain(head, pool_small(&p[1]));
	pool_give(p, &head, 1);
	assert_int_equal(p[0].smalls, SMALLS);
	assert_int_equal(p[1].smalls, SMALLS - 1);
	assert_int_equal(take_all(&p[0], pkts), SMALLS + BIGS);
	assert_int_equal(take_all(&p[1], pkts), SMALLS + BIGS);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_buffers, begin, end),
		cmocka_unit_test_setup_teardown(test_last_in_first_out, begin, end),
		cmocka_unit_test_setup_teardown(test_returned, begin, end),
		cmocka_unit_test_setup_teardown(test_chain, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
