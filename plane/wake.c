/* SPDX-License-Identifier: MIT */
#include "wake.h"

#include <errno.h>
#include <time.h>

int wake_init(struct wake *w)
{
	w->asleep = false;
	w->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return w->fd < 0 ? -errno : 0;
}

void wake_fini(struct wake *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

void wake_pause(unsigned looks)
{
	const struct timespec pause = {0, 20000L << (looks < 6 ? looks : 6)};

	nanosleep(&pause, NULL);
}
