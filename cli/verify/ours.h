/* SPDX-License-Identifier: MIT */
/*
 * ours.h - the library's answers to the questions that the kernel is asked, configured to be
 * like it.
 */
#ifndef CLI_VERIFY_OURS_H
#define CLI_VERIFY_OURS_H

#include <leat/gro.h>

#include "frames.h"

struct ours {
	struct leat_gro gro;
	void *mem;
	struct leat_pkt *pkt; /* one for each frame of a train */
	uint8_t *room;	      /* and their bytes */
	uint8_t *flat;
	uint8_t *reason; /* enum leat_gro_reason: why a frame of the last train did not
				     * merge; or that it did, or was held */
};

bool ours_init(struct ours *ours);
void ours_fini(struct ours *ours);

/* As kernel_gso(). -EINVAL: refused when read. What GSO or the checksum's completion refuses
 * gives 0 and nothing sent. */
int ours_gso(struct ours *ours, const void *frame, uint32_t len, const struct frame_meta *meta,
	     struct frames *sent);

/* As kernel_gro(). */
int ours_gro(struct ours *ours, const struct frames *train, struct frames *shown,
	     struct frames *sent);

#endif
