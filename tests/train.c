/* SPDX-License-Identifier: MIT */
/*
 * train.c - for tests: packets through a GRO.
 */
#include "train.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct train train_start(const struct leat_gro_conf *conf)
{
	struct train train = {0};

	assert_true(leat_gro_size(conf) > 0);
	train.mem = aligned_alloc(64, leat_gro_size(conf));
	assert_non_null(train.mem);
	assert_int_equal(leat_gro_init(&train.gro, conf, train.mem), 0);
	return train;
}

void train_end(struct train *train)
{
	arena_clear(&train->pkts);
	arena_clear(&train->copies);
	free(train->out);
	free(train->mem);
}

struct leat_pkt *train_add(struct train *train, const struct frame *f)
{
	arena_frame(&train->copies, f);
	return arena_frame(&train->pkts, f);
}

/* Room for `n` more, and no byte beyond it. */
static struct leat_pkt **grow_out(struct train *train, unsigned n)
{
	train->out = realloc(train->out, (train->n_out + n) * sizeof(struct leat_pkt *));
	assert_non_null(train->out);
	return train->out + train->n_out;
}

void train_receive(struct train *train, unsigned n, uint64_t now)
{
	struct leat_pkt **out = grow_out(train, 2 * n);

	assert_true(train->n_in + n <= train->pkts.n);
	train->n_out += leat_gro_receive(&train->gro, train->pkts.pkts + train->n_in, n, now, out);
	train->n_in += n;
}

unsigned train_flush(struct train *train, uint64_t before)
{
	unsigned n, flushed = 0;

	do {
		n = leat_gro_flush(&train->gro, before, grow_out(train, 3), 3);
		train->n_out += n;
		flushed += n;
	} while (n == 3);
	return flushed;
}

void train_check_balance(const struct train *train)
{
	const struct leat_gro *gro = &train->gro;
	uint64_t in = 0, given = 0;

	for (unsigned i = 0; i <= LEAT_GRO_PSH_FIRST; i++)
		in += gro->count[i];
	for (unsigned i = LEAT_GRO_LINK; i < LEAT_GRO_REASONS; i++)
		given += gro->count[i];
	assert_int_equal(in, train->n_in);
	assert_int_equal(given + gro->held, gro->count[LEAT_GRO_HELD]);
}

void train_check_conserved(const struct train *train)
{
	uint8_t *seen = calloc(train->pkts.n + 1, 1);
	unsigned n = 0, held = train->gro.held;

	assert_non_null(seen);
	for (unsigned i = 0; i < train->n_out; i++)
		for (const struct leat_pkt *p = train->out[i]; p != NULL; p = p->frag_list, n++) {
			assert_true(p->cookie < train->n_in && seen[p->cookie] == 0);
			assert_ptr_equal(p, train->pkts.pkts[p->cookie]);
			seen[p->cookie] = 1;
		}
	free(seen);
	/* Those merged into a packet still held can be told from the others by nothing. */
	assert_true(n <= train->n_in && (held > 0 || n == train->n_in));
	assert_true(train->n_in - n >= held);
}

static void check_copy(const struct train *train, const struct leat_pkt *p, const uint8_t *bytes,
		       uint32_t len)
{
	const struct leat_pkt *copy = train->copies.pkts[p->cookie];

	assert_int_equal(len, copy->len);
	assert_memory_equal(bytes, copy->data, len);
}

static void check_segments(const struct train *train, const struct leat_pkt *super,
			   const uint8_t *flat)
{
	uint8_t *seg = malloc(FRAME_HDRS_MAX + UINT16_MAX);
	const struct leat_pkt *p = super;
	uint32_t i, len;

	assert_non_null(seg);
	if ((super->gso_type & LEAT_GSO_FRAGLIST) == 0)
		assert_null(frame_super_wrong(flat, super->len));
	for (i = 0; (len = frame_segment(super, flat, i, seg)) > 0; i++, p = p->frag_list) {
		assert_non_null(p);
		check_copy(train, p, seg, len);
	}
	assert_int_equal(i, super->gso_segs);
	assert_null(p);
	free(seg);
}

unsigned train_check_inverse(const struct train *train, unsigned i)
{
	const struct leat_pkt *pkt = train->out[i];
	uint8_t *flat = malloc(pkt->len);

	assert_non_null(flat);
	assert_int_equal(frame_flatten(pkt, flat), pkt->len);
	if (pkt->slices > 0) {
		check_segments(train, pkt, flat);
	} else {
		if (pkt->csum == LEAT_CSUM_PARTIAL) /* the copy's is complete */
			memcpy(flat + pkt->csum_start + pkt->csum_offset,
			       train->copies.pkts[pkt->cookie]->data + pkt->csum_start +
				       pkt->csum_offset,
			       2);
		check_copy(train, pkt, flat, pkt->len);
		assert_int_equal(pkt->gso_type | pkt->gso_segs, 0);
	}
	free(flat);
	return pkt->slices + 1u;
}
