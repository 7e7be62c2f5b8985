/* SPDX-License-Identifier: MIT */
/*
 * The counters of stats_json() for a person: a row per queue, a row per CPU, and the reasons
 * that were counted. Works on the JSON alone, so that it serves a running plane's client too, who
 * may have asked for a part: what is not there is not printed.
 */
#include "stats.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 0 when there is none. */
static double value(const json_t *o, const char *name)
{
	return (double)json_integer_value(json_object_get(o, name));
}

static double gain(const json_t *now, const json_t *since, const char *name)
{
	return value(now, name) - value(since, name);
}

/* The CPU that serves a receive queue; a transmit queue has none. */
static void print_cpu(FILE *f, const json_t *queue)
{
	const json_t *cpu = json_object_get(queue, "cpu");

	if (cpu)
		fprintf(f, " %4lld", (long long)json_integer_value(cpu));
	else
		fprintf(f, " %4s", "-");
}

static void print_queues(FILE *f, const char *port, const char *direction, const json_t *now,
			 const json_t *since, double seconds)
{
	size_t i;
	json_t *q;

	json_array_foreach(now, i, q)
	{
		const json_t *then = json_array_get(since, i);
		double packets = gain(q, then, "packets");
		double segments = gain(q, then, "segments");

		fprintf(f, "%-15s %s-%-3zu", port, direction, i);
		print_cpu(f, q);
		fprintf(f, " %12.0f", packets);
		if (seconds > 0)
			fprintf(f, " %10.1f %9.3f", packets / seconds / 1e3,
				gain(q, then, "bytes") * 8 / seconds / 1e9);
		fprintf(f, " %8.1f %8.0f %8.0f %9.0f\n", packets > 0 ? segments / packets : 0.0,
			gain(q, then, "errors"), gain(q, then, "dropped"),
			gain(q, then, "contended"));
	}
}

static void print_ports(FILE *f, const json_t *now, const json_t *since, double seconds)
{
	size_t i;
	json_t *p;

	fprintf(f, "%-15s %-6s %4s %12s", "port", "queue", "cpu", "packets");
	if (seconds > 0)
		fprintf(f, " %10s %9s", "kpkt/s", "Gbit/s");
	fprintf(f, " %8s %8s %8s %9s\n", "segs/pkt", "errors", "dropped", "contended");
	json_array_foreach(json_object_get(now, "ports"), i, p)
	{
		const json_t *then = json_array_get(json_object_get(since, "ports"), i);
		const char *name = json_string_value(json_object_get(p, "name"));

		print_queues(f, name, "rx", json_object_get(p, "rx"), json_object_get(then, "rx"),
			     seconds);
		print_queues(f, name, "tx", json_object_get(p, "tx"), json_object_get(then, "tx"),
			     seconds);
	}
}

static void print_cpus(FILE *f, const json_t *now, const json_t *since)
{
	static const char *const columns[] = {"processed",  "hops",	 "dropped", "received_rps",
					      "flow_moves", "no_buffer", "sleeps"};
	const size_t n = sizeof(columns) / sizeof(*columns);
	size_t i;
	json_t *c;

	fprintf(f, "cpu ");
	for (size_t k = 0; k < n; k++)
		fprintf(f, " %12s", columns[k]);
	fprintf(f, "\n");
	json_array_foreach(json_object_get(now, "cpus"), i, c)
	{
		const json_t *then = json_array_get(json_object_get(since, "cpus"), i);

		fprintf(f, "%-4.0f", value(c, "cpu"));
		for (size_t k = 0; k < n; k++)
			fprintf(f, " %12.0f", gain(c, then, columns[k]));
		fprintf(f, "\n");
	}
}

/* What should not be: "cpu 3: no_route 12". */
static void print_mistakes(FILE *f, const json_t *now, const json_t *since)
{
	static const char *const mistakes[] = {"no_route", "bad_gso"};
	size_t i;
	json_t *c;

	json_array_foreach(json_object_get(now, "cpus"), i, c)
	{
		const json_t *then = json_array_get(json_object_get(since, "cpus"), i);

		for (size_t k = 0; k < sizeof(mistakes) / sizeof(*mistakes); k++) {
			double n = gain(c, then, mistakes[k]);

			if (n > 0)
				fprintf(f, "cpu %.0f: %s %.0f\n", value(c, "cpu"), mistakes[k], n);
		}
	}
}

/* "gro left: merged 120, held 4" */
static void print_reasons(FILE *f, const json_t *now, const json_t *since, const char *what)
{
	const char *port, *reason;
	json_t *reasons, *count;

	json_object_foreach(json_object_get(now, what), port, reasons)
	{
		const json_t *then = json_object_get(json_object_get(since, what), port);
		const char *comma = "";

		if (json_object_size(reasons) == 0)
			continue;
		fprintf(f, "%s %s:", what, port);
		json_object_foreach(reasons, reason, count)
		{
			fprintf(f, "%s %s %.0f", comma, reason, gain(reasons, then, reason));
			comma = ",";
		}
		fprintf(f, "\n");
	}
}

/* Of an application's thread all is counted but what it is and where it runs. */
static void print_thread(FILE *f, json_t *now, const json_t *since)
{
	const char *name;
	json_t *count;

	fprintf(f, "app:");
	json_object_foreach(now, name, count)
	{
		const bool counted = strcmp(name, "thread") != 0 && strcmp(name, "cpu") != 0;

		fprintf(f, " %s %.0f", name, gain(now, counted ? since : NULL, name));
	}
	fprintf(f, "\n");
}

static void print_host(FILE *f, json_t *now, const json_t *since)
{
	const char *name;
	json_t *count;

	fprintf(f, "host:");
	json_object_foreach(now, name, count)
	{
		if (gain(now, since, name) > 0)
			fprintf(f, " %s %.0f", name, gain(now, since, name));
	}
	fprintf(f, "\n");
}

static void print_app(FILE *f, const json_t *now, const json_t *since)
{
	const json_t *app = json_object_get(now, "app"), *then = json_object_get(since, "app");
	const json_t *threads = json_object_get(then, "threads");
	json_t *host = json_object_get(app, "host"), *t;
	size_t i;

	json_array_foreach(json_object_get(app, "threads"), i, t)
		print_thread(f, t, json_array_get(threads, i));
	if (host)
		print_host(f, host, json_object_get(then, "host"));
}

/* As many queues as have columns. */
enum { COLUMNS = 8 };

/* A row: the sum over the queues, and each queue's unless there are too many, or but one. */
static void print_reason(FILE *f, const json_t *queues, const char *reason)
{
	size_t n = json_object_size(queues);
	const char *name;
	double sum = 0;
	json_t *q;

	json_object_foreach((json_t *)queues, name, q) sum += value(q, reason);
	fprintf(f, "  %-36s %12.0f", reason, sum);
	json_object_foreach((json_t *)queues, name, q)
	{
		if (n > 1 && n <= COLUMNS)
			fprintf(f, " %12.0f", value(q, reason));
	}
	fprintf(f, "\n");
}

static void print_gro(FILE *f, const char *port, json_t *queues)
{
	json_t *first = json_object_iter_value(json_object_iter(queues)), *q;
	size_t n = json_object_size(queues);
	const char *name;

	fprintf(f, "%-38s %12s", port, "all queues");
	json_object_foreach(queues, name, q)
	{
		if (n > 1 && n <= COLUMNS)
			fprintf(f, " %12s", name);
	}
	fprintf(f, "\n");
	json_object_foreach(first, name, q) print_reason(f, queues, name);
}

char *stats_gro_text(const json_t *gro)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	const char *port;
	json_t *queues;

	if (!f)
		return NULL;
	json_object_foreach((json_t *)gro, port, queues) print_gro(f, port, queues);
	fclose(f);
	return text;
}

char *stats_text(const json_t *now, const json_t *since, double seconds)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	if (json_object_get(now, "ports"))
		print_ports(f, now, since, seconds);
	if (json_object_get(now, "cpus"))
		print_cpus(f, now, since);
	print_mistakes(f, now, since);
	print_reasons(f, now, since, "gro");
	print_reasons(f, now, since, "parse");
	print_reasons(f, now, since, "steering");
	print_app(f, now, since);
	fclose(f);
	return text;
}
