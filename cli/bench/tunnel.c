/* SPDX-License-Identifier: MIT */
/*
 * Tunnels and SCTP against plain TCP, all ours: what one more header costs. Checksums are left
 * partial, or believed, so that it is not lost in the payload's.
 */
#include "bench.h"
#include "merging.h"
#include "segmenting.h"

enum { PAYLOAD = 1448, SEGMENTS = 44, SUPER_PACKETS = 16, POOL = 4096, BURST = 64 };

static void make_gso(const struct bench *b, enum frames_kind kind, struct work *work)
{
	bool sctp = kind == FRAMES_SCTP; /* frames to be merged */
	uint32_t n = b->quick ? 2 : SUPER_PACKETS;
	struct segmenting_conf conf = {
		.frames = {kind, sctp ? n * SEGMENTS : n, 1, sctp ? PAYLOAD : SEGMENTS * PAYLOAD,
			   0},
		.gso_size = PAYLOAD,
	};

	segmenting_make(&conf, work);
	work->output = NULL;
}

static void make_gro(const struct bench *b, enum frames_kind kind, struct work *work)
{
	struct merging_conf conf = {
		.frames = {kind, b->quick ? 512 : POOL, 1, PAYLOAD, 0},
		.burst = BURST,
		.epoch = BURST,
		.gro = {.sctp = true},
	};

	merging_make(&conf, work);
	work->output = NULL;
}

static int segment(const struct bench *b, const struct bench_case *c, struct work *ours,
		   struct work *theirs, const char **why)
{
	(void)why;
	make_gso(b, c->n[0], ours);
	make_gso(b, FRAMES_TCP, theirs);
	return 0;
}

static int merge(const struct bench *b, const struct bench_case *c, struct work *ours,
		 struct work *theirs, const char **why)
{
	(void)why;
	make_gro(b, c->n[0], ours);
	make_gro(b, FRAMES_TCP, theirs);
	return 0;
}

static const char plain[] = "ours, plain TCP";

static const struct bench_case cases[] = {
	{"gso, vxlan", plain, "segment", 1.5, 0, segment, {FRAMES_VXLAN}},
	{"gso, gre", plain, "segment", 1.5, 0, segment, {FRAMES_GRE}},
	{"gso, ipip", plain, "segment", 1.5, 0, segment, {FRAMES_IPIP}},
	{"gso, sctp, crc aside", plain, "segment", 1.5, 0, segment, {FRAMES_SCTP}},
	{"gro, vxlan", plain, "packet", 1.5, 0, merge, {FRAMES_VXLAN}},
	{"gro, gre", plain, "packet", 1.5, 0, merge, {FRAMES_GRE}},
	{"gro, ipip", plain, "packet", 1.5, 0, merge, {FRAMES_IPIP}},
	{"gro, sctp, crc aside", plain, "packet", 1.5, 0, merge, {FRAMES_SCTP}},
};

const struct subject subject_tunnel = {cases, BENCH_LEN(cases), NULL, 0};
