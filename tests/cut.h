/* SPDX-License-Identifier: MIT */
/*
 * cut.h - for tests: super-packets with their bytes scattered over a chain, and what the
 * segmenter makes of them, collected.
 */
#ifndef LEAT_TESTS_CUT_H
#define LEAT_TESTS_CUT_H

#include <leat/gso.h>

#include "frame.h"
#include "rng.h"

struct cut_seg {
	struct leat_seg seg;
	uint8_t *frame; /* seg.len bytes, of just that size */
};

struct cut {
	int promised; /* what leat_gso_init() gave */
	unsigned n;
	struct cut_seg *segs;
};

/* The type of a super-packet with this packet's headers. */
uint32_t cut_type(const struct leat_pkt *pkt);

/* The frame as a super-packet whose checksum is still partial. */
struct leat_pkt *cut_super(struct arena *arena, const struct frame *f, uint16_t gso_size);

/* The frame of these bytes as a parsed chain: `headlen` bytes at its head, the rest in slices of
 * at most `slice` bytes; with `rng` of random sizes up to that, 0 included. */
struct leat_pkt *cut_scatter(struct arena *arena, const uint8_t *bytes, uint32_t len,
			     uint32_t headlen, uint32_t slice, struct rng *rng);

/* Segment `pkt`, or note the refusal. With `rng` the room and headroom of each call are random,
 * and often too small. Fails the cmocka test that calls it where the segmenter breaks its
 * contract: counts, lengths, slices that are not the packet's own bytes. */
struct cut cut_up(const struct leat_pkt *pkt, const struct leat_gso_conf *conf, struct rng *rng);

void cut_clear(struct cut *cut);

/* CRC32c, a bit at a time, as SCTP has it: complemented. */
uint32_t cut_crc32c(const uint8_t *p, size_t len);

#endif
