/* SPDX-License-Identifier: MIT */
/*
 * GSO of TCP over IPv4. A segment's memory is got and given back inside the clock, on both sides; for
 * ours that is setting three counters to 0. Where it is said to be aside, the peer gives back
 * outside. The IPv4 header's checksum is written by both.
 */
#include "bench.h"
#include "segmenting.h"

enum { PAYLOAD = 45 * 1448, POOL = 16 * PAYLOAD, MTU_PAYLOAD = 1448 };

static void ask_peer(const struct bench *b, const struct segmenting *s, bool keep,
		     struct work *theirs)
{
	struct peer_gso gso = {
		.frame = s->frames.frame,
		.frames = s->frames.n,
		.len = s->frames.len,
		.headers = s->frames.headers,
		.gso_size = s->conf.gso_size,
		.full = s->conf.full,
		.keep = keep,
	};

	if (b->peer && b->peer->gso && b->peer->gso(&gso, theirs))
		*theirs = (struct work){0};
}

/* n: gso_size, full, segments (0: as many as fit), giving back aside. */
static int make(const struct bench *b, const struct bench_case *c, struct work *ours,
		struct work *theirs, const char **why)
{
	uint32_t segments = c->n[2] ? c->n[2] : PAYLOAD / c->n[0];
	uint32_t payload = segments * c->n[0];
	struct segmenting_conf conf = {
		.frames = {FRAMES_TCP, b->quick ? 2 : POOL / payload, 1, payload, 0},
		.gso_size = (uint16_t)c->n[0],
		.full = c->n[1],
	};

	(void)why;
	ask_peer(b, segmenting_make(&conf, ours), c->n[3], theirs);
	return 0;
}

static const struct bench_case cases[] = {
	{"gso 64 KB to 1448, partial checksums", NULL, "segment", 0.35, 0, make, {1448, false}},
	{"gso 64 KB to 1448, full checksums", NULL, "segment", 0.45, 0, make, {1448, true}},
	{"gso 64 KB to 500, full checksums", NULL, "segment", 0.4, 0, make, {500, true}},
	{"gso partial, giving back aside", NULL, "segment", 0, 0, make, {1448, false, 0, true}},
	{"gso full, giving back aside", NULL, "segment", 0, 0, make, {1448, true, 0, true}},
};

static const struct curve curves[] = {
	{"leat", {.make = make, .n = {MTU_PAYLOAD, false}}, 2, false, false, 0},
	{NULL, {.make = make, .n = {MTU_PAYLOAD, false}}, 2, true, true, 0},
	{"leat, full checksums", {.make = make, .n = {MTU_PAYLOAD, true}}, 2, false, false, 0},
	{"full checksums", {.make = make, .n = {MTU_PAYLOAD, true}}, 2, true, true, 0},
};

static const struct plot plots[] = {
	{"gso-size", "GSO: size of the super-packet", "segments of 1448 bytes", "ns a segment", 2,
	 32, curves, BENCH_LEN(curves)},
};

const struct subject subject_gso = {cases, BENCH_LEN(cases), plots, BENCH_LEN(plots)};
