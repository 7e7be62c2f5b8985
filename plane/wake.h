/* SPDX-License-Identifier: MIT */
/*
 * wake.h - sleep until there is work, and wake a sleeper once per batch, only if it sleeps.
 *
 * The sleeper exchanges `asleep` to true, looks for work once more, and sleeps if there is none;
 * the waker first makes the work visible, then exchanges `asleep` to false, and writes the
 * eventfd if it was true. Both are read-modify-writes of one variable, so one comes first: either
 * the sleeper sees the work, or the waker sees the sleeper.
 */
#ifndef PLANE_WAKE_H
#define PLANE_WAKE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct wake {
	_Alignas(64) bool asleep;
	int fd; /* eventfd, nonblocking: to be watched by the sleeper */
};

/* 0 or -errno. */
int wake_init(struct wake *w);
void wake_fini(struct wake *w);

/* Sleeper: from now on it gets woken. Look for work after this, before sleeping. */
static inline void wake_arm(struct wake *w)
{
	(void)__atomic_exchange_n(&w->asleep, true, __ATOMIC_ACQ_REL);
}

/* Sleeper: awake again. */
static inline void wake_disarm(struct wake *w)
{
	(void)__atomic_exchange_n(&w->asleep, false, __ATOMIC_ACQ_REL);
}

/* Sleeper: the eventfd was readable. */
static inline void wake_drain(const struct wake *w)
{
	eventfd_t n;

	(void)eventfd_read(w->fd, &n);
}

/* Who waits for other threads and is not woken: sleep once more, having looked `looks` times in vain.
 * Longer each time, 20 us to 1.3 ms: who is waited for may want the CPU that looking takes. */
void wake_pause(unsigned looks);

/* Waker: true if it had to be woken. */
static inline bool wake_up(struct wake *w)
{
	if (!__atomic_exchange_n(&w->asleep, false, __ATOMIC_ACQ_REL))
		return false;
	return eventfd_write(w->fd, 1) == 0;
}

#endif
