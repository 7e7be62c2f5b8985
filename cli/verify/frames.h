/* SPDX-License-Identifier: MIT */
/*
 * frames.h - a list of frames with what a virtio_net_hdr says of each: what was asked of the
 * referees, and what they answered.
 */
#ifndef CLI_VERIFY_FRAMES_H
#define CLI_VERIFY_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FRAMES_MAX = 70000,	 /* a super-packet of segments of one byte, and markers */
	FRAMES_ROOM = 192 << 20, /* and WILD_HDRS_MAX bytes of headers in front of each byte */
};

/* As in the header, whatever was in it; outer_th and inner_nh are 0 in one without a tunnel. */
struct frame_meta {
	uint8_t flags, gso_type;
	uint16_t hdr_len, gso_size, csum_start, csum_offset;
	uint16_t outer_th, inner_nh;
};

enum { FRAME_META_LEN = 24 };

/* As a virtio_net_hdr, of which the first 10, 12 or all 24 bytes may be used; and from the first
 * 10 bytes of one. */
void frame_meta_store(const struct frame_meta *meta, uint8_t hdr[FRAME_META_LEN]);
struct frame_meta frame_meta_load(const uint8_t *hdr);

struct frame_at {
	size_t at;
	uint32_t len;
	struct frame_meta meta;
};

struct frames {
	struct frame_at *frame;
	unsigned n;
	uint8_t *room;
	size_t used;
};

/* Memory for FRAMES_MAX frames, touched only as far as it is used. False: there is none. */
bool frames_init(struct frames *frames);
void frames_fini(struct frames *frames);

static inline void frames_clear(struct frames *frames)
{
	frames->n = 0;
	frames->used = 0;
}

static inline uint8_t *frames_bytes(const struct frames *frames, unsigned i)
{
	return frames->room + frames->frame[i].at;
}

/* Where a frame of up to `len` bytes could be written, or NULL: it would not fit. */
uint8_t *frames_room(const struct frames *frames, uint32_t len);

/* Take the frame of `len` bytes that was written there. */
void frames_take(struct frames *frames, uint32_t len, const struct frame_meta *meta);

/* Append a copy; false if it does not fit. */
bool frames_add(struct frames *frames, const void *bytes, uint32_t len,
		const struct frame_meta *meta);

#endif
