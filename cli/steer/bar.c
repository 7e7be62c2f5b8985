/* SPDX-License-Identifier: MIT */
#include "bar.h"

#include <langinfo.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH = 80, CELLS_MIN = 8, CELLS_MAX = 60, EIGHTHS = 8 };

struct bar bar_init(unsigned used)
{
	struct winsize size;
	unsigned width = WIDTH;

	if (!isatty(STDOUT_FILENO))
		return (struct bar){0};
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		width = size.ws_col;
	width = width > used ? width - used : 0;
	if (width < CELLS_MIN)
		return (struct bar){0};
	return (struct bar){
		.cells = width < CELLS_MAX ? width : CELLS_MAX,
		.blocks = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
	};
}

void bar_print(const struct bar *bar, double part)
{
	static const char *const eighth[EIGHTHS] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	unsigned eighths = (unsigned)(part * bar->cells * EIGHTHS + 0.5);

	for (unsigned i = 0; i < eighths / EIGHTHS; i++)
		fputs(bar->blocks ? "█" : "#", stdout);
	if (bar->blocks)
		fputs(eighth[eighths % EIGHTHS], stdout);
	else if (eighths % EIGHTHS >= EIGHTHS / 2)
		fputc('#', stdout);
}
