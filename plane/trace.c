/* SPDX-License-Identifier: MIT */
#include "trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct step {
	uint8_t event;
	int16_t cpu;
	uint16_t queue;
	uint32_t hash, arg;
	const struct leat_pkt *pkt;
};

static struct {
	struct step *step;
	uint64_t room;
	uint64_t n; /* atomic */
} steps;

int trace_begin(uint64_t n)
{
	steps.n = 0;
	steps.room = n;
	steps.step = calloc(n, sizeof(*steps.step));
	return steps.step ? 0 : -ENOMEM;
}

/* Sequentially consistent: a step seen by its effect has a lower number. */
void trace(enum trace_event event, int cpu, unsigned queue, uint32_t hash,
	   const struct leat_pkt *pkt, unsigned arg)
{
	uint64_t n = __atomic_fetch_add(&steps.n, 1, __ATOMIC_SEQ_CST);

	if (n < steps.room)
		steps.step[n] = (struct step){.event = (uint8_t)event,
					      .cpu = (int16_t)cpu,
					      .queue = (uint16_t)queue,
					      .hash = hash,
					      .arg = arg,
					      .pkt = pkt};
}

static void print(FILE *file, const struct step *s)
{
#define NAME(name) #name,
	static const char *const names[] = {TRACE_EVENTS(NAME)};
#undef NAME

	fprintf(file, "%s %d %u %" PRIu32 " %" PRIuPTR " %" PRIu32 "\n", names[s->event], s->cpu,
		s->queue, s->hash, (uintptr_t)s->pkt, s->arg);
}

int64_t trace_end(const char *path)
{
	FILE *file = fopen(path, "w");
	uint64_t n = steps.n < steps.room ? steps.n : steps.room;
	int64_t result = steps.n > steps.room ? -EOVERFLOW : (int64_t)n;

	if (!file)
		return -errno;
	for (uint64_t i = 0; i < n; i++)
		print(file, &steps.step[i]);
	if (fclose(file))
		result = -errno;
	free(steps.step);
	steps.step = NULL;
	steps.room = 0;
	return result;
}
