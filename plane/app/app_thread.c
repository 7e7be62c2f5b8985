/* SPDX-License-Identifier: MIT */
#include "app_thread.h"

#include "../plane.h"

#include <ctype.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char prefix[] = "threads/";

void app_thread_init(struct app_thread *t, const struct plane *plane, unsigned i)
{
	*t = (struct app_thread){.cpu = plane->worker[i % plane->n_workers].cpu};
	t->on = t->cpu;
}

void app_thread_settle(struct app_thread *t)
{
	uint16_t cpu = __atomic_load_n(&t->cpu, __ATOMIC_RELAXED);
	cpu_set_t set;

	if (cpu == t->on)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set) == 0) {
		stat_add(&t->moves, 1);
		t->on = cpu;
		return;
	}
	/* What cannot be is tried once; the knob reads as what is in force. */
	__atomic_compare_exchange_n(&t->cpu, &cpu, t->on, false, __ATOMIC_RELAXED,
				    __ATOMIC_RELAXED);
}

int app_thread_index(const char *path, unsigned n)
{
	unsigned long i;
	char *end;

	if (strncmp(path, prefix, strlen(prefix)) != 0 ||
	    !isdigit((unsigned char)path[strlen(prefix)]))
		return -ENOENT;
	i = strtoul(path + strlen(prefix), &end, 10);
	return strcmp(end, "/cpu") == 0 && i < n ? (int)i : -ENOENT;
}

void app_thread_path(unsigned i, char *path, size_t path_len)
{
	snprintf(path, path_len, "%s%u/cpu", prefix, i);
}

int app_thread_place(struct app_thread *t, const struct plane *plane, const char *value, char *text,
		     size_t text_len)
{
	unsigned long cpu;
	char *end;

	if (!value) {
		snprintf(text, text_len, "%u",
			 (unsigned)__atomic_load_n(&t->cpu, __ATOMIC_RELAXED));
		return 0;
	}
	cpu = strtoul(value, &end, 10);
	if (!isdigit((unsigned char)*value) || *end || cpu >= plane->n_cpus || !plane->on_cpu[cpu])
		return -EINVAL;
	__atomic_store_n(&t->cpu, (uint16_t)cpu, __ATOMIC_RELAXED);
	return 0;
}
