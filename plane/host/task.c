/* SPDX-License-Identifier: MIT */
#include "task.h"

#include "../plane.h"
#include "../xmit.h"

#include <errno.h>
#include <sched.h>
#include <time.h>

int task_init(struct task *t, struct plane *plane, uint32_t smalls, uint32_t bigs)
{
	*t = (struct task){.plane = plane, .reader = {.generation = READER_AWAY, .wake.fd = -1}};
	t->xmit = xmit_new();
	if (!t->xmit || pool_init(&t->pool, smalls, bigs)) {
		xmit_free(t->xmit);
		return -ENOMEM;
	}
	pthread_mutex_lock(&plane->conf_lock);
	plane_add_reader(plane, &t->reader);
	pthread_mutex_unlock(&plane->conf_lock);
	return 0;
}

void task_fini(struct task *t)
{
	pthread_mutex_lock(&t->plane->conf_lock);
	plane_remove_reader(t->plane, &t->reader);
	pthread_mutex_unlock(&t->plane->conf_lock);
	xmit_free(t->xmit);
	pool_fini(&t->pool);
}

void task_xmit(struct task *t, const struct conf *c, struct port *port, struct leat_pkt **pkts,
	       unsigned n)
{
	const struct xmit_from from = {t->xmit, &t->pool, task_cpu(), worker_clock()};

	stat_add(&t->bad_gso, xmit_from(&from, c, port, pkts, n));
}

uint16_t task_cpu(void)
{
	int cpu = sched_getcpu();

	return cpu < 0 ? LEAT_RPS_NO_CPU : (uint16_t)cpu;
}

int task_lock_conf(struct plane *plane)
{
	for (unsigned looks = 0; pthread_mutex_trylock(&plane->conf_lock) != 0; looks++) {
		if (__atomic_load_n(&plane->stop, __ATOMIC_ACQUIRE))
			return -ESHUTDOWN;
		wake_pause(looks);
	}
	return 0;
}
