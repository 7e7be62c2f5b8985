/* SPDX-License-Identifier: MIT */
/*
 * Counters as the kernel's files in /proc print them: for those who know these by heart, and for
 * the scripts that read them. Works on the JSON alone, for a running plane's client.
 */
#include "stats.h"

#include <stdio.h>
#include <string.h>

/* Names as the header, numbers as softnet_stat has them. */
static const char *const softnet_columns[] = {"processed",    "dropped",	  "time_squeeze",
					      "received_rps", "flow_limit_count", "backlog_len",
					      "cpu"};

enum { SOFTNET_COLUMNS = sizeof(softnet_columns) / sizeof(softnet_columns[0]), DIGITS = 8 };

static void print_column(FILE *f, size_t k, const char *text)
{
	size_t width = strlen(softnet_columns[k]);

	fprintf(f, "%*s%c", (int)(width > DIGITS ? width : DIGITS), text,
		k + 1 < SOFTNET_COLUMNS ? ' ' : '\n');
}

static void print_cpu(FILE *f, const json_t *cpu)
{
	char number[DIGITS + 1];

	for (size_t k = 0; k < SOFTNET_COLUMNS; k++) {
		const json_t *count = json_object_get(cpu, softnet_columns[k]);

		snprintf(number, sizeof(number), "%08x", (uint32_t)json_integer_value(count));
		print_column(f, k, number);
	}
}

char *stats_softnet_text(const json_t *softnet)
{
	char *text = NULL;
	size_t len, i;
	FILE *f = open_memstream(&text, &len);
	json_t *cpu;

	if (!f)
		return NULL;
	for (size_t k = 0; k < SOFTNET_COLUMNS; k++)
		print_column(f, k, softnet_columns[k]);
	json_array_foreach(softnet, i, cpu) print_cpu(f, cpu);
	fclose(f);
	return text;
}

static void print_interrupt(FILE *f, const json_t *interrupt)
{
	const char *cpu;
	json_t *count;

	fprintf(f, "%3lld:", (long long)json_integer_value(json_object_get(interrupt, "irq")));
	json_object_foreach(json_object_get(interrupt, "counts"), cpu, count)
		fprintf(f, " %10lld", (long long)json_integer_value(count));
	fprintf(f, "  %-5s %s\n", json_string_value(json_object_get(interrupt, "kind")),
		json_string_value(json_object_get(interrupt, "name")));
}

char *stats_interrupts_text(const json_t *interrupts)
{
	char *text = NULL;
	size_t len, i;
	FILE *f = open_memstream(&text, &len);
	const char *cpu;
	json_t *interrupt, *count;

	if (!f)
		return NULL;
	fprintf(f, "    ");
	json_object_foreach(json_object_get(json_array_get(interrupts, 0), "counts"), cpu, count)
		fprintf(f, " %*s%s", 10 - (int)snprintf(NULL, 0, "%s", cpu), "CPU", cpu);
	fprintf(f, "\n");
	json_array_foreach(interrupts, i, interrupt) print_interrupt(f, interrupt);
	fclose(f);
	return text;
}
