/* SPDX-License-Identifier: MIT */
/*
 * coalesce.h - private to leat coalesce.
 *
 * Each frame is copied into a packet of the pool, and has a place in the output: its number. GRO
 * gives packets out when they are complete, later than others that came after them; they are
 * written when every place before theirs is settled. So the output is in the order of the frames
 * that super-packets begin with, and time stamps run on as they did. The places that are open are
 * a ring, and when it or the pool is full the oldest flow is given out: that bounds the memory.
 *
 * With --vnet-hdr every super-packet is taken back apart before it is written, as leat segment
 * would do it, and written unmerged if what comes back is not what came: the way back is exact
 * whatever the capture holds.
 */
#ifndef CLI_COALESCE_H
#define CLI_COALESCE_H

#include "job.h"

#include "plane/pool.h"

#include <leat/gro.h>
#include <leat/gso.h>

enum {
	SMALLS = 8192,	/* frames up to POOL_SMALL bytes held */
	BIGS = 1024,	/* longer ones */
	PLACES = 16384, /* a power of two, more than both */
	FLUSH = 64,	/* packets given out at a time */
	SLICES = 1 + LEAT_PKT_SLICES_MAX + 1,

	BACK_SEGMENTS = 64, /* taken back apart at a time */
	BACK_SLICES = 4 * BACK_SEGMENTS,
	BACK_HEADERS = 128 << 10,
};

/* Of a frame, in the output. */
struct place {
	struct leat_pkt *pkt; /* to be written here; NULL: none, the frame was merged */
	bool settled;
	bool merged; /* a super-packet, with this header: */
	uint8_t vnet[LEAT_VNET_HDR_LEN_MAX];
	uint32_t len;	/* of the frame, as it came */
	uint64_t frame; /* its number in IN */
	struct job_link link;
	struct capture_mark mark;
};

struct coalesce {
	struct job job; /* first: options know no more */
	struct leat_gro_conf conf;
	uint64_t timeout; /* ns */
	bool why;

	struct leat_gro gro;
	uint64_t before[LEAT_GRO_REASONS]; /* what was counted when it was last told */
	void *mem;
	struct pool pool;
	uint64_t now;	      /* the latest time stamp */
	uint64_t first, next; /* places that are open */
	struct place place[PLACES];
	struct iovec iov[1 + SLICES];

	struct leat_seg seg[BACK_SEGMENTS];
	struct leat_slice slice[BACK_SLICES];
	uint8_t hdr[BACK_HEADERS];
};

static inline struct place *place_of(struct coalesce *c, const struct leat_pkt *pkt)
{
	return &c->place[pkt->cookie];
}

/* The frame's first byte as it came; a copy of its headers is kept behind its last. */
static inline uint8_t *frame_of(const struct leat_pkt *pkt)
{
	return pkt->head + POOL_HEADROOM;
}

/* Take in a frame: it will be written in its place, or be part of what is. Gives 0, or -1: it was
 * said why not. */
int coalesce_receive(struct coalesce *c, const struct job_frame *f);

/* Write all that is held. */
int coalesce_finish(struct coalesce *c);

/* Whether leat segment makes the same frames of the super-packet again. If so, its header is
 * written to its place; if not, it is counted why. */
bool coalesce_is_exact(struct coalesce *c, const struct leat_pkt *head);

/* With --why, say what became of the frame at `place`, which was `parsed`, or NULL, and why those
 * of the `n` packets of `out` that were held were given out. */
void coalesce_explain(struct coalesce *c, const struct place *place, const struct leat_pkt *parsed,
		      struct leat_pkt *const *out, unsigned n);

/* How often each reason was given, for machines and for people. */
json_t *coalesce_json(const struct coalesce *c);
void coalesce_print(const struct coalesce *c, FILE *to);

#endif
