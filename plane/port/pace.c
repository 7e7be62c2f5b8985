/* SPDX-License-Identifier: MIT */
#include "pace.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { SECOND = 1000000000 };

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec;
}

int pace_init(struct pace *p, double rate)
{
	*p = (struct pace){.rate = rate / SECOND};
	if (rate > 0)
		p->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	else
		p->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return p->fd < 0 ? -errno : 0;
}

void pace_fini(struct pace *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

/* Readable from `when` on; 0: not any more. */
static void set_timer(const struct pace *p, uint64_t when)
{
	struct itimerspec it = {
		.it_value = {(time_t)(when / SECOND), (long)(when % SECOND)},
	};

	timerfd_settime(p->fd, TFD_TIMER_ABSTIME, &it, NULL);
}

void pace_start(struct pace *p)
{
	uint64_t start = now();

	__atomic_store_n(&p->start, start, __ATOMIC_RELEASE);
	if (p->rate > 0)
		set_timer(p, start);
	else
		eventfd_write(p->fd, 1);
}

unsigned pace_due(struct pace *p, unsigned n)
{
	uint64_t start = __atomic_load_n(&p->start, __ATOMIC_ACQUIRE);
	uint64_t time, due, next;

	if (start == 0)
		return 0;
	if (!(p->rate > 0))
		return n;
	time = now();
	due = (uint64_t)((double)(time - start) * p->rate) - p->given;
	if (due >= n)
		return n;
	next = start + (uint64_t)((double)(p->given + due + 1) / p->rate) + 1;
	if (next < time + PACE_WAKE_NS)
		next = time + PACE_WAKE_NS;
	set_timer(p, next);
	return (unsigned)due;
}

void pace_stop(struct pace *p)
{
	eventfd_t count;

	if (p->rate > 0)
		set_timer(p, 0);
	else
		(void)!eventfd_read(p->fd, &count);
}
