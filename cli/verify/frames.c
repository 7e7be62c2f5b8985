/* SPDX-License-Identifier: MIT */
#include "frames.h"

#include <stdlib.h>
#include <string.h>

static void store_le16(uint8_t *p, uint16_t value)
{
	p[0] = (uint8_t)value;
	p[1] = (uint8_t)(value >> 8);
}

static uint16_t load_le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

void frame_meta_store(const struct frame_meta *meta, uint8_t hdr[FRAME_META_LEN])
{
	memset(hdr, 0, FRAME_META_LEN);
	hdr[0] = meta->flags;
	hdr[1] = meta->gso_type;
	store_le16(hdr + 2, meta->hdr_len);
	store_le16(hdr + 4, meta->gso_size);
	store_le16(hdr + 6, meta->csum_start);
	store_le16(hdr + 8, meta->csum_offset);
	store_le16(hdr + 20, meta->outer_th);
	store_le16(hdr + 22, meta->inner_nh);
}

struct frame_meta frame_meta_load(const uint8_t *hdr)
{
	return (struct frame_meta){
		.flags = hdr[0],
		.gso_type = hdr[1],
		.hdr_len = load_le16(hdr + 2),
		.gso_size = load_le16(hdr + 4),
		.csum_start = load_le16(hdr + 6),
		.csum_offset = load_le16(hdr + 8),
	};
}

bool frames_init(struct frames *frames)
{
	*frames = (struct frames){
		.frame = malloc(FRAMES_MAX * sizeof(*frames->frame)),
		.room = malloc(FRAMES_ROOM),
	};
	if (frames->frame && frames->room)
		return true;
	frames_fini(frames);
	return false;
}

void frames_fini(struct frames *frames)
{
	free(frames->frame);
	free(frames->room);
	*frames = (struct frames){0};
}

uint8_t *frames_room(const struct frames *frames, uint32_t len)
{
	if (frames->n == FRAMES_MAX || FRAMES_ROOM - frames->used < len)
		return NULL;
	return frames->room + frames->used;
}

void frames_take(struct frames *frames, uint32_t len, const struct frame_meta *meta)
{
	frames->frame[frames->n++] =
		(struct frame_at){.at = frames->used, .len = len, .meta = *meta};
	frames->used += len;
}

bool frames_add(struct frames *frames, const void *bytes, uint32_t len,
		const struct frame_meta *meta)
{
	uint8_t *to = frames_room(frames, len);

	if (!to)
		return false;
	memcpy(to, bytes, len);
	frames_take(frames, len, meta);
	return true;
}
