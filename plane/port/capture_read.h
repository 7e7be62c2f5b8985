/* SPDX-License-Identifier: MIT */
/*
 * capture_read.h - private to the capture reader: bytes of the file, and numbers in them.
 *
 * Frames are given where they lie in the buffer, so whatever comes behind a frame is gone over only
 * when the next one is asked for.
 *
 * A live file may have no more now: then all begins anew with the block or record it was in. So
 * nothing of one is taken, and nothing noted, before all that is wanted of it is there.
 */
#ifndef PLANE_PORT_CAPTURE_READ_H
#define PLANE_PORT_CAPTURE_READ_H

#include "capture.h"

#include <string.h>

enum { CAPTURE_NG_SECTION = 0x0a0d0d0a }; /* a pcapng file's first word, in either order */

/* Set the error; gives -error. */
int capture_fail(struct capture_reader *r, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The next `n` bytes, at most CAPTURE_FRAME_MAX and a block's header; NULL with the error set if
 * the file ends before. */
uint8_t *capture_want(struct capture_reader *r, size_t n);

/* The same where the file may end: 1, 0 at its end, or -errno. */
int capture_want_first(struct capture_reader *r, size_t n);

/* Go over `n` bytes that were wanted, and had. */
static inline void capture_take(struct capture_reader *r, size_t n)
{
	r->at += n;
	r->have -= n;
	r->offset += n;
}

/* A description of one more interface; gives 0 or -errno. */
int capture_add_interface(struct capture_reader *r, const struct capture_interface *interface);
void capture_drop_interfaces(struct capture_reader *r);

/* The frame of `len` bytes, `head` bytes behind the next. Gives 1 or -errno. */
int capture_take_frame(struct capture_reader *r, struct capture_frame *frame, size_t head);

/* pcapng: the file's first section, then block after block: 1 for a frame, 2 for another, 0 at the
 * end. */
int capture_ng_begin(struct capture_reader *r);
int capture_ng_read(struct capture_reader *r, struct capture_frame *frame);

static inline uint16_t capture_get16(const struct capture_reader *r, const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return r->swapped ? __builtin_bswap16(v) : v;
}

static inline uint32_t capture_get32(const struct capture_reader *r, const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return r->swapped ? __builtin_bswap32(v) : v;
}

static inline uint64_t capture_get64(const struct capture_reader *r, const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return r->swapped ? __builtin_bswap64(v) : v;
}

#endif
