/* SPDX-License-Identifier: MIT */
#include "segmenting.h"

#include "bench.h"
#include "merging.h"

#include <leat/csum.h>
#include <leat/parse.h>
#include <stdlib.h>
#include <string.h>

enum {
	SEGMENTS = 256, /* of a super-packet */
	HEADERS = SEGMENTS * 128,
	TCP_CHECK = 16,
};

static const uint32_t tunnel_type[] = {
	[FRAMES_TCP] = 0,
	[FRAMES_IPIP] = LEAT_GSO_IPXIP4,
	[FRAMES_GRE] = LEAT_GSO_GRE,
	[FRAMES_VXLAN] = LEAT_GSO_UDP_TUNNEL,
};

static void segment(struct segmenting *s, const struct leat_pkt *pkt)
{
	struct leat_gso gso;

	s->out.n_segs = s->out.n_slices = 0;
	s->out.hdr_used = 0;
	if (leat_gso_init(&gso, pkt, &s->gso) < 0)
		abort(); /* these are good packets */
	leat_gso_segment(&gso, &s->out);
	if (!leat_gso_done(&gso))
		abort();
	s->outputs += s->out.n_segs;
}

static uint64_t run(void *state)
{
	struct segmenting *s = state;

	s->outputs = 0;
	for (uint32_t i = 0; i < s->n; i++)
		segment(s, s->pkts[i]);
	return s->outputs;
}

/* The segments share their memory, so that they are made once more. */
static size_t output(void *state, unsigned i, uint8_t *to)
{
	struct segmenting *s = state;
	uint32_t outputs = s->outputs, each = s->outputs / s->n;
	const struct leat_seg *seg;

	if (i >= outputs)
		return 0;
	segment(s, s->pkts[i / each]);
	s->outputs = outputs;
	seg = &s->out.segs[i % each];
	for (uint32_t k = 0; to && k < seg->slices; k++) {
		const struct leat_slice *slice = &s->out.slices[seg->slice + k];

		memcpy(to, slice->base, slice->len);
		to += slice->len;
	}
	return seg->len;
}

static void drop(void *state)
{
	struct segmenting *s = state;

	if (s->merging.drop)
		s->merging.drop(s->merging.state);
	else
		frames_drop(&s->frames);
	free(s->out.segs);
	free(s->out.slices);
	free(s->out.hdr);
	free(s);
}

static void describe(struct segmenting *s)
{
	frames_reset(&s->frames, LEAT_CSUM_PARTIAL);
	s->pkts = s->frames.pkts;
	s->n = s->frames.n;
	leat_parse(NULL, s->pkts, s->n);
	for (uint32_t i = 0; i < s->n; i++) {
		struct leat_pkt *pkt = s->pkts[i];

		pkt->gso_type = LEAT_GSO_TCPV4 | tunnel_type[s->conf.frames.kind];
		pkt->gso_size = s->conf.gso_size;
		pkt->csum_start = leat_pkt_inner(pkt)->transport;
		pkt->csum_offset = TCP_CHECK;
	}
}

/* SCTP's super-packets are chains. */
static void merge(struct segmenting *s)
{
	struct merging_conf conf = {
		.frames = s->conf.frames,
		.burst = 64,
		.epoch = s->conf.frames.n,
		.gro = {.sctp = true},
	};
	struct merging *m = merging_make(&conf, &s->merging);

	s->merging.prepare(m);
	s->merging.run(m);
	s->pkts = m->out;
	s->n = m->n_out;
}

struct segmenting *segmenting_make(const struct segmenting_conf *conf, struct work *work)
{
	struct segmenting *s = bench_alloc(sizeof(*s));

	*s = (struct segmenting){.conf = *conf};
	s->gso.csum_partial = s->gso.crc_partial = !conf->full;
	s->out = (struct leat_gso_out){
		.segs = bench_alloc(SEGMENTS * sizeof(struct leat_seg)),
		.max_segs = SEGMENTS,
		.slices = bench_alloc(2 * SEGMENTS * sizeof(struct leat_slice)),
		.max_slices = 2 * SEGMENTS,
		.hdr = bench_alloc(HEADERS),
		.hdr_room = HEADERS,
	};
	if (conf->frames.kind == FRAMES_SCTP) {
		merge(s);
	} else {
		frames_make(&s->frames, &conf->frames);
		describe(s);
	}
	*work = (struct work){.run = run, .output = output, .drop = drop, .state = s};
	return s;
}
