/* SPDX-License-Identifier: MIT */
#include "merging.h"

#include "bench.h"

#include <leat/parse.h>
#include <stdlib.h>

static void prepare(void *state)
{
	struct merging *m = state;

	frames_reset(&m->frames, m->conf.verify ? LEAT_CSUM_NONE : LEAT_CSUM_UNNECESSARY);
	m->n_out = 0;
}

static void flush(struct merging *m)
{
	unsigned n;

	do {
		n = leat_gro_flush(&m->gro, UINT64_MAX, m->out + m->n_out, 256);
		m->n_out += n;
	} while (n == 256);
}

static uint64_t run(void *state)
{
	struct merging *m = state;
	uint32_t done = 0, flushed = 0;

	while (done < m->frames.n) {
		struct leat_pkt **pkts = m->frames.pkts + done;
		uint32_t n = m->frames.n - done;

		if (n > m->conf.burst)
			n = m->conf.burst;
		leat_parse(NULL, pkts, n);
		m->n_out += leat_gro_receive(&m->gro, pkts, n, 0, m->out + m->n_out);
		done += n;
		if (done - flushed >= m->conf.epoch || done == m->frames.n) {
			flush(m);
			flushed = done;
		}
	}
	return done;
}

static size_t output(void *state, unsigned i, uint8_t *to)
{
	struct merging *m = state;

	if (i >= m->n_out)
		return 0;
	return to ? leat_pkt_copy(m->out[i], 0, to, m->out[i]->len) : m->out[i]->len;
}

static void drop(void *state)
{
	struct merging *m = state;

	frames_drop(&m->frames);
	free(m->memory);
	free(m->out);
	free(m);
}

struct merging *merging_make(const struct merging_conf *conf, struct work *work)
{
	struct merging *m = bench_alloc(sizeof(*m));

	m->conf = *conf;
	m->conf.gro.key = (struct leat_flow_key){{0x0123456789abcdef, 0xfedcba9876543210}};
	frames_make(&m->frames, &conf->frames);
	m->out = bench_alloc((2 * (size_t)m->frames.n + 256) * sizeof(struct leat_pkt *));
	m->memory = aligned_alloc(64, leat_gro_size(&m->conf.gro));
	if (!m->memory || leat_gro_init(&m->gro, &m->conf.gro, m->memory))
		abort();
	*work = (struct work){
		.prepare = prepare, .run = run, .output = output, .drop = drop, .state = m};
	return m;
}
