/* SPDX-License-Identifier: MIT */
/*
 * reader.h - a thread that uses the plane's configuration.
 *
 * Between two calls of plane_enter() a reader may use the value the first one gave. The writer
 * frees an old value when every reader has entered with a newer one. Readers that sleep are
 * woken to do so.
 */
#ifndef PLANE_READER_H
#define PLANE_READER_H

#include "wake.h"

struct reader {
	uint32_t generation; /* atomic: of the value in use */
	struct wake wake;
	struct reader *next; /* all of a plane's */
};

#endif
