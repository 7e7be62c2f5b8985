/* SPDX-License-Identifier: MIT */
/*
 * merge.h - for tests: which frames of a wild train merge with which, by the rules of GRO applied
 * slowly to the frames' bytes, every header byte that is not allowed to differ being compared. There
 * is no table: nothing is evicted, and all is flushed at the end.
 */
#ifndef LEAT_TESTS_MERGE_H
#define LEAT_TESTS_MERGE_H

#include <leat/gro.h>

#include "../cli/verify/wild.h"

/* The group of each frame of the train: those of one number are one packet. Frames with the troubles
 * of merge_beyond() must not be among them. `conf` has its defaults filled in; `trusted`: somebody has
 * said that the checksums are right, where the frames do not tell. */
void merge_groups(const struct wild_train *train, const struct leat_gro_conf *conf, bool trusted,
		  unsigned *group);

/* Troubles after which only a parser can say what a frame is. */
bool merge_beyond(enum wild_trouble trouble);

/* Are the two of one flow: all addresses and ports, the outer ones too? Only for frames without such troubles. */
bool merge_same_flow(const struct wild_frame *a, const struct wild_frame *b);

#endif
