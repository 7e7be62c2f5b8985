/* SPDX-License-Identifier: MIT */
/*
 * kernel.h - the running kernel as referee, in a network namespace of its own.
 *
 * Two pairs of TAPs, each joined by a bridge. What is written to the first of a pair comes out
 * of the second, which takes no offloads: so what leaves there is what goes on a wire. The first
 * TAP of the pair for GRO polls as a network card does (NAPI), so the frames written to it go
 * through GRO, and a packet socket on it shows what that made of them.
 *
 * Everything happens on one CPU, in order. The end of an answer is marked by a frame of our own,
 * written behind the question. When GRO lets go of what it holds is ours to say: its timeout is
 * out of reach while a train is written, and 0 for the marker behind. A clock tick within a train
 * would end merges, so such an answer is thrown away and the train written again.
 */
#ifndef CLI_VERIFY_KERNEL_H
#define CLI_VERIFY_KERNEL_H

#include "frames.h"

enum {
	KERNEL_MTU = 65535 - 14 - 8, /* of the TAPs; room for a tag */
	KERNEL_HEADROOM = 64,	     /* bytes in front of a frame in the kernel's buffer */
};

struct kernel {
	int gso[2], gro[2]; /* the TAPs */
	int shown;	    /* the packet socket on gro[0] */
	int timeout;	    /* gro_flush_timeout of gro[0] */
	int ticker;	    /* a socket that never sent */
	unsigned hdr_len;   /* of the header in front of what is written to gso[0] */
	uint64_t marks;	    /* markers sent so far */
	uint64_t ticks;	    /* trains written again for a tick */
	uint8_t *buffer;
	const char *udp_gro, *vxlan, *vxlan_remcsum, *geneve, *gue, *fou; /* why not, or NULL */
};

/* Enter a new network namespace and build it. 0; or -errno with a message, and the exit code of
 * the command in *code: 77 where it may not be done here. */
int kernel_open(struct kernel *kernel, int *code, char *err, size_t err_len);
void kernel_close(struct kernel *kernel);

/* Write a frame with its header to GSO; gives what the write gave, 0 or -errno, and appends to
 * `sent` what came out. -EIO: the machinery failed. */
int kernel_gso(struct kernel *kernel, const void *frame, uint32_t len,
	       const struct frame_meta *meta, struct frames *sent);

/* Write the train to GRO; appends to `shown` what GRO made of it and to `sent` what GSO then
 * made of that. 0, or -EIO: the machinery failed. */
int kernel_gro(struct kernel *kernel, const struct frames *train, struct frames *shown,
	       struct frames *sent);

/* The frame of this name, of 60 bytes, that marks the end of an answer. */
enum { KERNEL_MARK_LEN = 60 };
void kernel_mark(uint8_t *frame, uint64_t name);
bool kernel_is_mark(const uint8_t *frame, uint32_t len, uint64_t name);

#endif
