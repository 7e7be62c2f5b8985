/* SPDX-License-Identifier: MIT */
/*
 * judge.h - one question: made, put to the kernel and to the library, the answers compared.
 */
#ifndef CLI_VERIFY_JUDGE_H
#define CLI_VERIFY_JUDGE_H

#include "ours.h"
#include "report.h"

struct judge {
	struct kernel kernel;
	struct ours ours;
	struct wild_train train;
	struct wild_super super;
	struct frames in, kernel_shown, kernel_sent, ours_shown, ours_sent;
	const struct wild_frame *made_as[WILD_FRAMES_MAX]; /* each frame of `in` */
	bool vlan;					   /* the kernel merges frames with tags */
};

/* As kernel_open(). */
int judge_open(struct judge *judge, int *code, char *err, size_t err_len);
void judge_close(struct judge *judge);

/* Why the running kernel cannot judge the type, or NULL: it can. Asks it. */
const char *judge_lacks(struct judge *judge, const struct type *type);

/* Ask question `number` of the row's type and count the answer. 0, or -EIO: the machinery
 * failed. */
int judge_case(struct judge *judge, struct row *row, uint64_t seed, uint64_t number);

#endif
