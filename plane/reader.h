/* SPDX-License-Identifier: MIT */
/*
 * reader.h - a thread that uses the plane's configuration.
 *
 * Between two calls of plane_enter() a reader may use the value the first one gave. The writer
 * frees an old value when every reader has entered with a newer one. Readers that sleep are
 * woken to do so.
 *
 * A thread that may do anything between two uses, sleep for ever included, is away meanwhile:
 * plane_back() ... plane_leave(). The writer does not wait for it. Coming back and looking who is
 * away are read-modify-writes of one variable, so one comes first: either the writer sees that the
 * reader is back, or the reader sees the new value.
 */
#ifndef PLANE_READER_H
#define PLANE_READER_H

#include "wake.h"

/* generation of a reader that has not said what it uses, and of one that uses nothing. */
#define READER_NEW  0u
#define READER_AWAY UINT32_MAX

struct reader {
	uint32_t generation; /* atomic: of the value in use, or one of the above */
	struct wake wake;
	struct reader *next; /* all of a plane's */
};

#endif
