/* SPDX-License-Identifier: MIT */
/*
 * steer_frames.h - random frames of every kind for who has to parse them: wild traffic, and frames
 * that are bent, cut, tagged, or were never good.
 */
#ifndef LEAT_TESTS_KERNEL_STEER_FRAMES_H
#define LEAT_TESTS_KERNEL_STEER_FRAMES_H

#include <string.h>

#include "../../cli/verify/wild.h"
#include "../rng.h"
#include "steer_value.h"

enum {
	FRAME_ROOM = 9000,
	FRAME_MIN = 14, /* an Ethernet header, without which the kernel sends nothing */
	FRAME_IP4 = 0x0800,
	FRAME_IP6 = 0x86dd,
	FRAME_TAG = 0x8100,
	FRAME_OUTER_TAG = 0x88a8,
	FRAME_HEADERS = 120, /* where most headers are */
};

struct frames {
	struct rng *rng;
	struct wild_train train;
	unsigned next; /* of the train */
	uint64_t trains;
	uint8_t bytes[FRAME_ROOM];
	uint32_t len;
};

static inline void frames_put16(struct frames *f, uint32_t at, unsigned v)
{
	f->bytes[at] = (uint8_t)(v >> 8);
	f->bytes[at + 1] = (uint8_t)v;
}

/* A frame of the present train, or of the next. */
static inline const struct wild_frame *frames_wild(struct frames *f)
{
	unsigned n;
	const struct wild_kind *kinds = wild_kinds(&n);

	while (f->next == f->train.n) {
		struct wild_train_conf conf = {.kind = kinds[rng_below(f->rng, n)]};

		wild_train_make(&f->train, &conf, rng_next(f->rng), f->trains++);
		f->next = 0;
	}
	return &f->train.frame[f->next++];
}

/* Addresses and ports of the level at `at`, and the flow label, are anybody's. */
static inline void frames_spread(struct frames *f, unsigned version, uint32_t network,
				 uint32_t transport)
{
	if (version == 4 && network + 20 <= f->len)
		value_bytes(f->rng, f->bytes + network + 12, 8);
	if (version == 6 && network + 40 <= f->len) {
		value_bytes(f->rng, f->bytes + network + 2, 2);
		value_bytes(f->rng, f->bytes + network + 8, 32);
	}
	if (rng_once_in(f->rng, 2) && transport + 2 <= f->len)
		value_bytes(f->rng, f->bytes + transport, 2);
}

/* AH and ESP, among other things. */
static inline void frames_protocol(struct frames *f, const struct wild_layout *at)
{
	static const uint8_t protocols[] = {0, 1, 4, 6, 17, 41, 43, 44, 47, 50, 51, 59, 60, 132};
	uint32_t to = at->network[0] + (at->version[0] == 4 ? 9u : 6u);

	if (to < f->len)
		f->bytes[to] = protocols[rng_below(f->rng, sizeof(protocols))];
}

/* Tags in front of what there is; some more than are followed. */
static inline void frames_tag(struct frames *f)
{
	unsigned tags = 1 + rng_below(f->rng, 5);

	if (f->len + 4 * tags > FRAME_ROOM)
		return;
	memmove(f->bytes + 12 + 4 * tags, f->bytes + 12, f->len - 12);
	for (unsigned i = 0; i < tags; i++) {
		frames_put16(f, 12 + 4 * i, rng_once_in(f->rng, 2) ? FRAME_TAG : FRAME_OUTER_TAG);
		value_bytes(f->rng, f->bytes + 14 + 4 * i, 2);
	}
	f->len += 4 * tags;
}

static inline void frames_bend(struct frames *f)
{
	uint32_t headers = f->len < FRAME_HEADERS ? f->len : FRAME_HEADERS;

	for (unsigned n = 1 + rng_below(f->rng, 3); n > 0; n--)
		f->bytes[rng_below(f->rng, headers)] ^= (uint8_t)(1u << rng_below(f->rng, 8));
}

/* IPv6 with a chain of extension headers, of any length and number, right or wrong. */
static inline void frames_extensions(struct frames *f)
{
	static const uint8_t types[] = {0, 43, 44, 60, 60, 60, 51, 135};
	unsigned n = rng_below(f->rng, 11);
	uint32_t at = 14 + 40;
	uint8_t *next = f->bytes + 14 + 6;

	memset(f->bytes, 0, sizeof(f->bytes));
	value_bytes(f->rng, f->bytes, 12);
	value_bytes(f->rng, f->bytes + 14 + 8, 32);
	frames_put16(f, 12, FRAME_IP6);
	frames_put16(f, 14, 0x6000);
	for (; n > 0 && at + 2100 < FRAME_ROOM; n--) {
		uint32_t units =
			rng_once_in(f->rng, 8) ? rng_below(f->rng, 256) : rng_below(f->rng, 3);

		*next = types[rng_below(f->rng, rng_once_in(f->rng, 4) ? 8 : 6)];
		next = f->bytes + at;
		if (f->bytes[at] == 44)
			units = 0;
		f->bytes[at + 1] = (uint8_t)units;
		if (rng_once_in(f->rng, 4))
			value_bytes(f->rng, f->bytes + at + 2, 2);
		at += 8 * (units + 1);
	}
	*next = rng_once_in(f->rng, 2) ? 17 : 6;
	value_bytes(f->rng, f->bytes + at, 4);
	f->bytes[at + 5] = 12; /* UDP's length */
	f->bytes[at + 12] = 0x50;
	f->len = at + 20 + rng_below(f->rng, 8);
	frames_put16(f, 18, f->len - 54 - (rng_once_in(f->rng, 8) ? rng_below(f->rng, 30) : 0));
}

static inline void frames_garbage(struct frames *f)
{
	static const uint16_t types[] = {FRAME_IP4, FRAME_IP6, FRAME_TAG, FRAME_OUTER_TAG, 0x0806};

	f->len = FRAME_MIN + rng_below(f->rng, 200);
	value_bytes(f->rng, f->bytes, f->len);
	if (rng_once_in(f->rng, 4))
		return;
	frames_put16(f, 12, types[rng_below(f->rng, 5)]);
	if (f->len > 15 && rng_once_in(f->rng, 2))
		f->bytes[14] = f->bytes[13] == 0 ? 0x45 : 0x60;
}

/* The next frame, at f->bytes. */
static inline void frames_next(struct frames *f)
{
	const struct wild_frame *wild;

	if (rng_once_in(f->rng, 12)) {
		frames_garbage(f);
		return;
	}
	if (rng_once_in(f->rng, 12)) {
		frames_extensions(f);
		return;
	}
	do
		wild = frames_wild(f);
	while (wild->len < FRAME_MIN || wild->len > FRAME_ROOM);
	f->len = wild->len;
	memcpy(f->bytes, wild->bytes, wild->len);
	for (unsigned l = 0; l < wild->at.levels && l < LEAT_LEVELS; l++)
		frames_spread(f, wild->at.version[l], wild->at.network[l], wild->at.transport[l]);
	if (rng_once_in(f->rng, 12))
		frames_protocol(f, &wild->at);
	if (rng_once_in(f->rng, 8))
		frames_bend(f);
	if (rng_once_in(f->rng, 8))
		frames_tag(f);
	if (rng_once_in(f->rng, 12))
		f->len = FRAME_MIN + rng_below(f->rng, f->len - FRAME_MIN + 1);
}

static inline void frames_fini(struct frames *f)
{
	wild_train_fini(&f->train);
}

#endif
