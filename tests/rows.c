/* SPDX-License-Identifier: MIT */
/*
 * rows.c - for tests: trains by rows.
 */
#include "rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { OUTER_ID = 500 };

/* Packet `i`, or what carries it. `inner` is where it is kept if it is carried. */
static struct frame frame_of(const struct row *row, unsigned i, unsigned mode, struct frame *inner)
{
	struct frame outer = row->outer[i];

	*inner = row->pkt[i];
	inner->version = (mode & ALL6) != 0 ? 6 : 4;
	if ((mode & (IPIP | IP6IP6)) != 0)
		outer = (struct frame){.tunnel = LEAT_TUNNEL_IP, .version = inner->version};
	if (outer.tunnel == LEAT_TUNNEL_NONE)
		return *inner;
	outer.inner = inner;
	return outer;
}

void rows_add(struct train *train, const struct row *row, unsigned mode, uint16_t id)
{
	uint32_t seq = ROW_SEQ;

	for (unsigned i = 0; i < row->n; i++) {
		struct frame inner, f = frame_of(row, i, mode, &inner);
		struct frame *in = f.inner != NULL ? &inner : &f;

		in->id += (uint16_t)i;
		if (in != &f)
			f.id += (uint16_t)(id + i);
		in->seq += in->protocol == FRAME_UDP ? 0 : seq;
		seq += in->payload;
		train_add(train, &f);
	}
}

/* Payload, and what lies behind it. */
static uint32_t rest_of(const struct leat_pkt *pkt, const struct row *row, unsigned mode)
{
	struct frame inner, f = frame_of(row, pkt->cookie, mode, &inner);

	return pkt->len - frame_hdr_len(&f);
}

static void check_row(const struct row *row, unsigned mode, const struct leat_gro_conf *conf,
		      bool one_by_one)
{
	struct train train = train_start(conf);

	print_message("%s, mode %u\n", row->name, mode);
	rows_add(&train, row, mode, OUTER_ID);
	for (unsigned i = 0; one_by_one && i < row->n; i++)
		train_receive(&train, 1, i);
	if (!one_by_one)
		train_receive(&train, row->n, 0);
	train_flush(&train, UINT64_MAX);
	train_check_balance(&train);
	train_check_conserved(&train);
	assert_int_equal(train.n_out, row->outs);
	for (unsigned i = 0, k = 0; i < row->outs; i++) {
		assert_int_equal(train.out[i]->cookie, k);
		assert_int_equal(rest_of(train.out[i], row, mode), row->sizes[i]);
		k += train_check_inverse(&train, i);
	}
	if (train.gro.count[row->why] == 0)
		fail_msg("%s: no %s", row->name, leat_gro_reason_name(row->why));
	train_end(&train);
}

void rows_check(const struct row *rows, unsigned n, const struct leat_gro_conf *conf,
		bool covered[LEAT_GRO_REASONS])
{
	for (unsigned i = 0; i < n; i++) {
		for (unsigned mode = 1; mode <= IP6IP6; mode *= 2) {
			if ((rows[i].modes & mode) == 0)
				continue;
			check_row(&rows[i], mode, conf, true);
			check_row(&rows[i], mode, conf, false);
		}
		covered[rows[i].why] = true;
	}
}
