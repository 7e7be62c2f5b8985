/* SPDX-License-Identifier: MIT */
/*
 * test_coalesce_back.c - leat coalesce does not believe that a super-packet comes back the same: it
 * looks. Here what it is compared with is changed, byte by byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <leat/parse.h>

#include "../../cli/coalesce_back.c" /* NOLINT(bugprone-suspicious-include): no library has it */
#include "../frame.h"

enum { N = 3, PAYLOAD = 500 };

static struct coalesce c;

/* N segments, merged: each has a place and a copy of its headers, as leat coalesce makes them. */
static struct leat_pkt *merge(struct leat_pkt *pkts[N])
{
	struct leat_pkt *out[2 * N];

	for (unsigned i = 0; i < N; i++) {
		struct frame f = {
			.payload = PAYLOAD,
			.seq = 1 + i * PAYLOAD,
			.id = (uint16_t)(7 + i),
		};
		uint32_t len = (uint32_t)frame_len(&f);

		pkts[i] = pool_small(&c.pool);
		assert_non_null(pkts[i]);
		frame_build(&f, pkts[i]->data);
		pkts[i]->len = pkts[i]->headlen = len;
		pkts[i]->cookie = i;
		c.place[i] = (struct place){.len = len};
		leat_parse(NULL, &pkts[i], 1);
		memcpy(pkts[i]->data + len, pkts[i]->data, pkts[i]->payload);
	}
	assert_int_equal(leat_gro_receive(&c.gro, pkts, N, 0, out), 0);
	assert_int_equal(leat_gro_flush(&c.gro, UINT64_MAX, out, 1), 1);
	assert_int_equal(out[0]->gso_segs, N);
	return out[0];
}

static int set_up(void **state)
{
	c.job.vnet_out = LEAT_VNET_HDR_MRG_LEN;
	c.mem = aligned_alloc(64, (leat_gro_size(&c.conf) + 63) & ~(size_t)63);
	return pool_init(&c.pool, 64, 1) || leat_gro_init(&c.gro, &c.conf, c.mem);
}

static int tear_down(void **state)
{
	pool_fini(&c.pool);
	free(c.mem);
	return 0;
}

static void test_exact(void **state)
{
	struct leat_pkt *pkts[N], *head = merge(pkts);

	assert_true(coalesce_is_exact(&c, head));
	assert_int_equal(c.place[0].vnet[1], LEAT_VNET_GSO_TCPV4);
	assert_int_equal(c.job.count[JOB_IRREVERSIBLE], 0);
	pool_give(&c.pool, &head, 1);
}

/* Any header byte of any frame that had been another one, lengths and interfaces. */
static void test_differs(void **state)
{
	for (unsigned i = 0; i < N; i++) {
		struct leat_pkt *pkts[N], *head = merge(pkts);
		uint32_t headers_len = head->frag_list->payload;
		uint8_t *headers = frame_of(pkts[i]);

		if (pkts[i] == head)
			headers += c.place[i].len;
		for (uint32_t at = 0; at < headers_len; at++) {
			headers[at] ^= 0x10;
			assert_false(coalesce_is_exact(&c, head));
			headers[at] ^= 0x10;
		}
		c.place[i].len++;
		assert_false(coalesce_is_exact(&c, head));
		c.place[i].len--;
		c.place[i].mark.interface ^= 1;
		assert_false(coalesce_is_exact(&c, head));
		c.place[i].mark.interface ^= 1;
		assert_true(coalesce_is_exact(&c, head));
		pool_give(&c.pool, &head, 1);
	}
	assert_int_equal(c.job.count[JOB_IRREVERSIBLE], N * (54 + 2));
}

/* Metadata that would make other segments of it, or none. */
static void test_metadata(void **state)
{
	struct leat_pkt *pkts[N], *head = merge(pkts);

	head->gso_size++;
	assert_false(coalesce_is_exact(&c, head));
	head->gso_size -= 2;
	assert_false(coalesce_is_exact(&c, head));
	head->gso_size++;
	head->gso_type = LEAT_GSO_TCPV6;
	assert_false(coalesce_is_exact(&c, head));
	head->gso_type = LEAT_GSO_TCPV4 | LEAT_GSO_TCP_FIXEDID;
	assert_false(coalesce_is_exact(&c, head));
	assert_int_equal(c.job.count[JOB_INEXPRESSIBLE], 1);
	pool_give(&c.pool, &head, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_differs),
		cmocka_unit_test(test_metadata),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
