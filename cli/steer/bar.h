/* SPDX-License-Identifier: MIT */
/*
 * bar.h - bars of text, as wide as the terminal has room.
 *
 * Only on a terminal: what goes into a file or a pipe is for programs, or for other widths. In
 * eighths of a character where the locale has them, otherwise in whole ones.
 */
#ifndef CLI_STEER_BAR_H
#define CLI_STEER_BAR_H

#include <stdbool.h>

struct bar {
	unsigned cells; /* of the longest; 0: none are drawn */
	bool blocks;	/* UTF-8 */
};

/* Bars beside `used` columns of text on standard output. */
struct bar bar_init(unsigned used);

/* Print one, `part` of the longest: 0 to 1. */
void bar_print(const struct bar *bar, double part);

#endif
