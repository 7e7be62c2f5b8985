/* SPDX-License-Identifier: MIT */
/*
 * law.h - for tests: wild frames and super-packets as packets, into GRO and out of GSO.
 */
#ifndef LEAT_TESTS_LAW_H
#define LEAT_TESTS_LAW_H

#include <leat/gro.h>
#include <leat/gso.h>

#include "../cli/verify/wild.h"

/* A parsed packet in memory of just its size but for some headroom. */
struct leat_pkt *law_pkt(const uint8_t *bytes, uint32_t len, unsigned cookie);
void law_pkt_free(struct leat_pkt *pkt);

/* The super-packet as a chain of slices of just their size, described as it describes itself. */
struct leat_pkt *law_super(const struct wild_super *s);
void law_super_free(struct leat_pkt *pkt);

/* A GRO of its own; ended when it holds nothing, its counts added to `count` if that is not NULL. */
struct leat_gro *law_gro(const struct leat_gro_conf *conf);
void law_gro_end(struct leat_gro *gro, uint64_t *count);

/* All segments of a super-packet. */
struct law_segments {
	int n; /* or what leat_gso_init() said */
	struct leat_seg *segs;
	struct leat_slice *slices;
	uint8_t *hdr;
};

struct law_segments law_segment(const struct leat_pkt *pkt, const struct leat_gso_conf *conf);
void law_segments_end(struct law_segments *s);

/* The bytes of segment `i` to `dst`; gives how many. */
uint32_t law_segment_copy(const struct law_segments *s, int i, uint8_t *dst);

/* Case `number`'s kind of traffic, one in four without encapsulation; and whether it is to be tried: LEAT_LAW=N wants case N alone,
 * LEAT_KIND=NAME those of that kind. */
struct wild_kind law_kind(uint64_t number);
bool law_is_wanted(uint64_t number, const struct wild_kind *kind);

/* Is it UFO's, which does not merge? */
bool law_is_ufo(const struct wild_kind *kind);

#endif
