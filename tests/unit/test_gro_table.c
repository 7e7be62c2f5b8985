/* SPDX-License-Identifier: MIT */
/*
 * test_gro_table.c - the table of held flows: its sizes, whom it gives out for whom, age, flush.
 */
#include <errno.h>
#include <leat/gro.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../train.h"

static const struct leat_gro_conf linux_table = {.buckets = 8, .depth = 8};

struct conf_row {
	struct leat_gro_conf conf;
	bool good;
};

static const struct conf_row conf_rows[] = {
	{{0}, true},
	{{.buckets = 1, .depth = 1, .flows = 1, .max_size = 1, .max_segs = 2}, true},
	{{.buckets = 65536, .depth = 64, .max_size = 8 * 65535, .max_segs = 65535}, true},
	{{.buckets = 3}, false},
	{{.buckets = 131072}, false},
	{{.depth = 65}, false},
	{{.max_size = 8 * 65535 + 1}, false},
	{{.max_segs = 1}, false},
	{{.max_segs = 65536}, false},
};

static void test_conf(void **state)
{
	for (unsigned i = 0; i < sizeof(conf_rows) / sizeof(conf_rows[0]); i++) {
		const struct conf_row *row = &conf_rows[i];
		size_t size = leat_gro_size(&row->conf);
		void *mem = aligned_alloc(64, size > 0 ? size : 64);
		struct leat_gro gro;

		assert_true((size > 0) == row->good);
		assert_int_equal(leat_gro_init(&gro, &row->conf, mem), row->good ? 0 : -EINVAL);
		free(mem);
	}
}

static void test_defaults(void **state)
{
	struct train train = train_start(&(struct leat_gro_conf){0});
	const struct leat_gro_conf *conf = &train.gro.conf;

	assert_int_equal(conf->buckets, 4096);
	assert_int_equal(conf->depth, 8);
	assert_int_equal(conf->flows, 4096);
	assert_int_equal(conf->max_size, 65536);
	assert_int_equal(conf->max_segs, 65535);
	assert_int_equal(leat_gro_oldest(&train.gro), UINT64_MAX);
	train_end(&train);
	train = train_start(&linux_table);
	assert_int_equal(train.gro.conf.flows, 64);
	train_end(&train);
}

/* Packet `i` of flow `flow`, whose hash a NIC gave. */
static void add_hashed(struct train *train, unsigned flow, unsigned i, uint32_t hash)
{
	struct leat_pkt *pkt = train_add(train, &(struct frame){.sport = (uint16_t)flow,
								.id = (uint16_t)i,
								.seq = i * 100,
								.payload = 100});

	pkt->hash = hash;
	pkt->hash_type = LEAT_HASH_L4;
}

/* `flows` flows of two packets, interleaved; gives how many packets come out. */
static unsigned interleave(const struct leat_gro_conf *conf, unsigned flows, uint32_t hash_mask)
{
	struct train train = train_start(conf);
	unsigned n_out;

	for (unsigned i = 0; i < 2; i++)
		for (unsigned flow = 0; flow < flows; flow++)
			add_hashed(&train, flow, i, flow & hash_mask);
	train_receive(&train, 2 * flows, 0);
	train_flush(&train, UINT64_MAX);
	train_check_balance(&train);
	train_check_conserved(&train);
	n_out = train.n_out;
	train_end(&train);
	return n_out;
}

/* "capacity": with one hash for all, as from a device without any, Linux merges 8 interleaved
 * flows and not one of 16. With hashes, 64. */
static void test_capacity(void **state)
{
	static const struct leat_gro_conf defaults;

	assert_int_equal(interleave(&linux_table, 8, 0), 8);
	assert_int_equal(interleave(&linux_table, 16, 0), 32);
	assert_int_equal(interleave(&linux_table, 64, UINT32_MAX), 64);
	assert_int_equal(interleave(&linux_table, 128, UINT32_MAX), 256);
	assert_int_equal(interleave(&defaults, 3000, UINT32_MAX), 3000);
}

/* Two segments of each of so many flows that the packets to come are looked at ahead: hashed by a NIC
 * or not, and between them what is not merged at all. */
static void test_many(void **state)
{
	enum { FLOWS = 6000, OTHERS = FLOWS / 50 };
	struct train train = train_start(&(struct leat_gro_conf){.buckets = 8192, .flows = FLOWS});

	for (unsigned i = 0; i < 2 * FLOWS; i++) {
		if (i % 100 == 1)
			train_add(&train, &(struct frame){.protocol = FRAME_UDP, .payload = 9});
		add_hashed(&train, i % FLOWS, i / FLOWS, i % FLOWS);
		if (i % 2)
			train.pkts.pkts[train.pkts.n - 1]->hash_type = LEAT_HASH_NONE;
	}
	train_receive(&train, 2 * FLOWS + OTHERS, 0);
	assert_int_equal(train.gro.held, FLOWS);
	assert_int_equal(train.gro.count[LEAT_GRO_MERGED], FLOWS);
	assert_int_equal(train.n_out, OTHERS);
	train_flush(&train, UINT64_MAX);
	train_check_balance(&train);
	train_check_conserved(&train);
	train_end(&train);
}

/* What a device hashed otherwise, or not, is of another flow, though the packet before it has the same
 * addresses and ports; what was given out does not come back. */
static void test_last(void **state)
{
	struct train train = train_start(&linux_table);

	add_hashed(&train, 0, 0, 1);
	add_hashed(&train, 0, 1, 1);
	add_hashed(&train, 0, 2, 2);
	add_hashed(&train, 0, 3, 2);
	train.pkts.pkts[3]->hash_type = LEAT_HASH_L3;
	train_receive(&train, 4, 0);
	assert_int_equal(train.gro.held, 3);
	assert_int_equal(train.gro.count[LEAT_GRO_MERGED], 1);
	add_hashed(&train, 0, 4, 2);
	train_receive(&train, 1, 0);
	assert_int_equal(train.gro.held, 3);
	train_flush(&train, UINT64_MAX);
	add_hashed(&train, 0, 5, 2);
	train_receive(&train, 1, 0);
	assert_int_equal(train.gro.held, 1);
	assert_int_equal(train.gro.count[LEAT_GRO_MERGED], 1);
	train_flush(&train, UINT64_MAX);
	train_check_balance(&train);
	train_check_conserved(&train);
	train_end(&train);
}

/* The ninth of a bucket drives out the oldest of it, not of the table; a merge keeps none young. */
static void test_eviction(void **state)
{
	struct train train = train_start(&linux_table);

	add_hashed(&train, 100, 0, 1);
	for (unsigned flow = 0; flow < 8; flow++)
		add_hashed(&train, flow, 0, 8 * flow);
	add_hashed(&train, 0, 1, 0);
	add_hashed(&train, 8, 0, 0);
	train_receive(&train, 11, 0);
	assert_int_equal(train.n_out, 1);
	assert_ptr_equal(train.out[0], train.pkts.pkts[1]);
	assert_int_equal(train.out[0]->gso_segs, 2);
	assert_int_equal(train.gro.count[LEAT_GRO_EVICTED], 1);
	assert_int_equal(train.gro.held, 9);
	train_flush(&train, UINT64_MAX);
	train_check_conserved(&train);
	train_end(&train);
}

/* Fewer flows than the buckets have room for: the oldest of all goes. */
static void test_flows(void **state)
{
	static const struct leat_gro_conf conf = {.flows = 3};
	struct train train = train_start(&conf);

	for (unsigned flow = 0; flow < 5; flow++)
		add_hashed(&train, flow, 0, flow);
	train_receive(&train, 5, 0);
	assert_int_equal(train.n_out, 2);
	assert_ptr_equal(train.out[0], train.pkts.pkts[0]);
	assert_ptr_equal(train.out[1], train.pkts.pkts[1]);
	train_flush(&train, UINT64_MAX);
	train_check_conserved(&train);
	train_end(&train);
}

/* One per 10 ns from 0 on; merging into the oldest at the end does not make it younger. */
static void test_flush(void **state)
{
	struct train train = train_start(&(struct leat_gro_conf){0});

	for (unsigned flow = 0; flow < 10; flow++)
		add_hashed(&train, flow, 0, flow);
	add_hashed(&train, 0, 1, 0);
	for (unsigned i = 0; i < 11; i++)
		train_receive(&train, 1, 10 * i);
	assert_int_equal(leat_gro_oldest(&train.gro), 0);
	assert_int_equal(train_flush(&train, 0), 0);
	assert_int_equal(train_flush(&train, 1), 1);
	assert_int_equal(train.out[0]->gso_segs, 2);
	assert_int_equal(leat_gro_oldest(&train.gro), 10);
	assert_int_equal(train_flush(&train, 70), 6);
	assert_int_equal(train_flush(&train, 70), 0);
	assert_int_equal(train_flush(&train, UINT64_MAX), 3);
	for (unsigned i = 0; i < 10; i++)
		assert_ptr_equal(train.out[i], train.pkts.pkts[i]);
	assert_int_equal(train.gro.count[LEAT_GRO_TIMEOUT], 10);
	assert_int_equal(leat_gro_oldest(&train.gro), UINT64_MAX);
	train_check_balance(&train);
	train_check_conserved(&train);
	train_end(&train);
}

/* A packet that passes gives out its flow alone, whether a NIC hashed it or the table does; a first
 * fragment is hashed as its flow is. */
static void test_order(void **state)
{
	for (unsigned hashed = 0; hashed < 2; hashed++) {
		struct train train = train_start(&(struct leat_gro_conf){.key = {{3, 4}}});
		struct frame f = {.payload = 100};

		for (f.sport = 0; f.sport < 3; f.sport++)
			train_add(&train, &f);
		f.frag_off = FRAME_MF;
		f.sport = 1;
		train_add(&train, &f);
		for (unsigned i = 0; i < 4 && hashed; i++) {
			train.pkts.pkts[i]->hash = i % 3;
			train.pkts.pkts[i]->hash_type = LEAT_HASH_L4;
		}
		train.pkts.pkts[3]->hash = 1;
		train_receive(&train, 4, 0);
		assert_int_equal(train.n_out, 2);
		assert_ptr_equal(train.out[0], train.pkts.pkts[1]);
		assert_ptr_equal(train.out[1], train.pkts.pkts[3]);
		assert_int_equal(train.gro.count[LEAT_GRO_END_PASS], 1);
		train_flush(&train, UINT64_MAX);
		train_check_balance(&train);
		train_end(&train);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conf),	 cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_capacity), cmocka_unit_test(test_eviction),
		cmocka_unit_test(test_flows),	 cmocka_unit_test(test_flush),
		cmocka_unit_test(test_order),	 cmocka_unit_test(test_many),
		cmocka_unit_test(test_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
