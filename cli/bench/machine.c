/* SPDX-License-Identifier: MIT */
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STEAL = 7, TICKS = 8 };

static void read_ticks(uint64_t ticks[2])
{
	FILE *file = fopen("/proc/stat", "re");
	char line[256] = "", *at = line + strlen("cpu");

	ticks[0] = ticks[1] = 0;
	if (!file)
		return;
	if (fgets(line, sizeof(line), file)) {
		for (unsigned i = 0; i < TICKS; i++) {
			uint64_t n = strtoull(at, &at, 10);

			ticks[0] += i == STEAL ? n : 0;
			ticks[1] += n;
		}
	}
	fclose(file);
}

static void read_cpu(char *name, size_t size)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[256];

	snprintf(name, size, "unknown CPU");
	while (file && fgets(line, sizeof(line), file)) {
		char *value = strchr(line, ':');

		if (strncmp(line, "model name", 10) != 0 || !value)
			continue;
		value[strcspn(value, "\n")] = 0;
		snprintf(name, size, "%s", value + 2);
		break;
	}
	if (file)
		fclose(file);
}

static void add_feature(struct machine *m, const char *name, int has)
{
	size_t len = strlen(m->features);

	if (has)
		snprintf(m->features + len, sizeof(m->features) - len, "%s%s", len ? " " : "",
			 name);
}

void machine_look(struct machine *m)
{
	read_cpu(m->cpu, sizeof(m->cpu));
	m->cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	m->features[0] = 0;
#if defined(__x86_64__)
	add_feature(m, "sse4.2", __builtin_cpu_supports("sse4.2"));
	add_feature(m, "pclmul", __builtin_cpu_supports("pclmul"));
	add_feature(m, "avx2", __builtin_cpu_supports("avx2"));
	add_feature(m, "avx512f", __builtin_cpu_supports("avx512f"));
	add_feature(m, "avx512bw", __builtin_cpu_supports("avx512bw"));
	add_feature(m, "gfni", __builtin_cpu_supports("gfni"));
	add_feature(m, "vpclmulqdq", __builtin_cpu_supports("vpclmulqdq"));
#endif
	read_ticks(m->ticks);
}

double machine_stolen(const struct machine *since)
{
	uint64_t now[2], all;

	read_ticks(now);
	all = now[1] - since->ticks[1];
	return all ? (double)(now[0] - since->ticks[0]) / (double)all : 0;
}
