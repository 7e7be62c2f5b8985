/* SPDX-License-Identifier: MIT */
/*
 * kernel_shown.h - a packet socket that shows what came in at an interface, behind GRO.
 */
#ifndef CLI_VERIFY_KERNEL_SHOWN_H
#define CLI_VERIFY_KERNEL_SHOWN_H

#include "frames.h"

/* The socket, or -errno. */
int kernel_shown_open(const char *name);

/* Read one frame into the buffer: its length, or -errno; *frame is where it begins. */
int kernel_shown_read(int fd, uint8_t *buffer, size_t size, uint8_t **frame,
		      struct frame_meta *meta);

#endif
