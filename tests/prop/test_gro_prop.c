/* SPDX-License-Identifier: MIT */
/*
 * test_gro_prop.c - the laws of GRO, for random traffic of all kinds, of few and of thousands of
 * flows: every packet comes out exactly once, in its flow's order; what comes out can be cut up
 * into just what went in; and neither time nor batches nor the state of the table's memory change
 * any of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../cut.h"
#include "../traffic.h"

enum { ROUNDS = 12, PACKETS = 1500 };

struct trial {
	struct traffic_packet packet[PACKETS];
	struct leat_gro_conf conf;
};

static void make_trial(struct rng *rng, struct trial *trial, struct traffic *traffic, unsigned i)
{
	unsigned flows = i % 3 == 0 ? 3 : i % 3 == 1 ? 100 : TRAFFIC_FLOWS;

	traffic_start(traffic, rng, flows, 20);
	for (unsigned k = 0; k < PACKETS; k++)
		trial->packet[k] = traffic_next(traffic);
	trial->conf = (struct leat_gro_conf){.udp = i % 2 == 0,
					     .sctp = rng_once_in(rng, 2),
					     .accecn = rng_once_in(rng, 2),
					     .fraglist = i % 5 == 4,
					     .key = {{rng_next(rng), 0}}};
	if (i % 4 == 3)
		trial->conf.buckets = trial->conf.depth = 8;
}

/* Not so a later fragment, a packet that was given another protocol than its flow's, and one whose
 * tunnel was not entered. */
static bool has_flow(const struct leat_pkt *pkt)
{
	return pkt->depth == LEAT_DEPTH_TRANSPORT &&
	       leat_pkt_inner(pkt)->tunnel == LEAT_TUNNEL_NONE;
}

static void check_order(const struct train *train, const struct trial *trial)
{
	unsigned *next = calloc(TRAFFIC_FLOWS, sizeof(*next));

	assert_non_null(next);
	for (unsigned i = 0; i < train->n_out; i++)
		for (const struct leat_pkt *p = train->out[i]; p != NULL; p = p->frag_list) {
			unsigned *n = &next[trial->packet[p->cookie].flow];

			if (!has_flow(p))
				continue;
			assert_true(p->cookie >= *n);
			*n = p->cookie + 1;
		}
	free(next);
}

/* All packets in, in batches of at most `most`, and at once out; `fill`: what the table's memory
 * held before. */
static struct train run(struct rng *rng, const struct trial *trial, unsigned most, uint8_t fill)
{
	struct train train = train_start(&trial->conf);

	memset(train.mem, fill, leat_gro_size(&trial->conf));
	assert_int_equal(leat_gro_init(&train.gro, &trial->conf, train.mem), 0);
	for (unsigned i = 0; i < PACKETS; i++)
		traffic_add(&train, &trial->packet[i]);
	while (train.n_in < PACKETS) {
		unsigned n = 1 + rng_below(rng, most);

		train_receive(&train, n < PACKETS - train.n_in ? n : PACKETS - train.n_in,
			      train.n_in);
		train_check_balance(&train);
	}
	train_check_conserved(&train);
	train_flush(&train, UINT64_MAX);
	assert_int_equal(train.gro.held, 0);
	train_check_balance(&train);
	train_check_conserved(&train);
	return train;
}

/* The library's own segmenter gives back the packets of a super-packet, byte for byte. */
static void check_cut(const struct train *train, const struct leat_pkt *pkt)
{
	static const struct leat_gso_conf whole;
	const struct leat_pkt *p = pkt;
	struct cut cut;

	if (pkt->slices == 0)
		return;
	cut = cut_up(pkt, &whole, NULL);
	assert_int_equal(cut.n, pkt->gso_segs);
	for (unsigned i = 0; i < cut.n; i++, p = p->frag_list) {
		const struct leat_pkt *copy = train->copies.pkts[p->cookie];

		assert_int_equal(cut.segs[i].seg.len, copy->len);
		assert_memory_equal(cut.segs[i].frame, copy->data, copy->len);
	}
	cut_clear(&cut);
}

static void check_same(const struct train *a, const struct train *b)
{
	assert_int_equal(a->n_out, b->n_out);
	for (unsigned i = 0; i < a->n_out; i++) {
		assert_int_equal(a->out[i]->cookie, b->out[i]->cookie);
		assert_int_equal(a->out[i]->slices, b->out[i]->slices);
	}
	assert_memory_equal(a->gro.count, b->gro.count, sizeof(a->gro.count));
}

static void test_laws(void **state)
{
	struct rng rng = rng_start("test_gro_prop");
	struct trial *trial = malloc(sizeof(*trial));
	struct traffic *traffic = malloc(sizeof(*traffic));
	uint64_t merged = 0;

	assert_true(trial != NULL && traffic != NULL);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct train a, b;

		make_trial(&rng, trial, traffic, i);
		a = run(&rng, trial, 1, 0);
		b = run(&rng, trial, 100, 0xa5);
		check_order(&a, trial);
		for (unsigned k = 0; k < a.n_out; k++) {
			train_check_inverse(&a, k);
			check_cut(&a, a.out[k]);
		}
		check_same(&a, &b);
		merged += a.gro.count[LEAT_GRO_MERGED];
		train_end(&a);
		train_end(&b);
	}
	assert_true(merged > ROUNDS * PACKETS / 10);
	free(trial);
	free(traffic);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_laws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
