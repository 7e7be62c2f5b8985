/* SPDX-License-Identifier: MIT */
#include "sink.h"

#include "../plane.h"
#include "../port/gen.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLOWS_DEFAULT = 65536 };

static int init_thread(struct sink_thread *t, struct plane *plane, unsigned i, uint32_t flows)
{
	t->plane = plane;
	t->cpu = plane->worker[i % plane->n_workers].cpu;
	t->on = t->cpu;
	t->flows = flows;
	t->next = calloc(flows, sizeof(*t->next));
	if (!t->next || ring_init(&t->inbox, SINK_INBOX))
		return -ENOMEM;
	return wake_init(&t->reader.wake);
}

/* The number at `text`, and where it goes on; ULONG_MAX if there is none. */
static unsigned long read_number(const char *text, char **end)
{
	unsigned long n = strtoul(text, end, 10);

	return isdigit((unsigned char)*text) ? n : ULONG_MAX;
}

/* "threads=N,flows=N" */
static int parse(char *text, unsigned *threads, unsigned *flows, char *err, size_t err_len)
{
	static char threads_name[] = "threads", flows_name[] = "flows";
	char *const names[] = {threads_name, flows_name, NULL};
	const unsigned max[] = {SINK_THREADS_MAX, 1u << 24};
	unsigned *value[] = {threads, flows};
	char *arg, *end;

	while (*text) {
		int i = getsubopt(&text, names, &arg);
		unsigned long v;

		if (i < 0) {
			snprintf(err, err_len, "app sink: no option '%s' (threads=, flows=)", arg);
			return -EINVAL;
		}
		if (!arg) {
			snprintf(err, err_len, "app sink: %s: wants a value", names[i]);
			return -EINVAL;
		}
		v = read_number(arg, &end);
		if (*end || v < 1 || v > max[i]) {
			snprintf(err, err_len, "app sink: %s=%s: wants 1 to %u", names[i], arg,
				 max[i]);
			return -EINVAL;
		}
		*value[i] = (unsigned)v;
	}
	return 0;
}

static void stop(struct plane *plane)
{
	struct sink *s = plane->app_state;

	__atomic_store_n(&s->stop, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < s->n; i++) {
		struct sink_thread *t = &s->thread[i];

		if (!t->thread)
			continue;
		wake_up(&t->reader.wake);
		pthread_join(t->thread, NULL);
		t->thread = 0;
	}
}

static void close_sink(struct plane *plane)
{
	struct sink *s = plane->app_state;

	stop(plane);
	for (unsigned i = 0; i < s->n; i++) {
		struct sink_thread *t = &s->thread[i];

		wake_fini(&t->reader.wake);
		ring_fini(&t->inbox);
		free(t->next);
	}
	free(s);
	plane->app_state = NULL;
}

static int start(struct plane *plane, struct sink *s, unsigned flows)
{
	int e = 0;

	for (unsigned i = 0; i < s->n && !e; i++)
		e = init_thread(&s->thread[i], plane, i, flows);
	for (unsigned i = 0; i < s->n && !e; i++) {
		plane_add_reader(plane, &s->thread[i].reader);
		e = thread_start(&s->thread[i].thread, s->thread[i].cpu, sink_thread,
				 &s->thread[i]);
	}
	return e;
}

static int open_sink(struct plane *plane, const char *args, char *err, size_t err_len)
{
	unsigned threads = plane->n_workers, flows = FLOWS_DEFAULT;
	char *copy = strdup(args ? args : "");
	struct sink *s;
	int e = copy ? parse(copy, &threads, &flows, err, err_len) : -ENOMEM;

	free(copy);
	if (e)
		return e;
	s = aligned_alloc(64, sizeof(*s) + threads * sizeof(s->thread[0]));
	if (!s)
		return -ENOMEM;
	memset(s, 0, sizeof(*s) + threads * sizeof(s->thread[0]));
	s->n = threads;
	for (unsigned i = 0; i < threads; i++)
		s->thread[i].reader.wake.fd = -1;
	plane->app_state = s;
	e = start(plane, s, flows);
	if (e)
		snprintf(err, err_len, "app sink: %s", strerror(-e));
	return e;
}

/* Which thread owns the packet's flow; packets without a number go by hash. */
static struct sink_thread *owner(struct sink *s, const struct leat_pkt *pkt)
{
	uint32_t flow;
	uint64_t number;

	if (!gen_read(pkt, &flow, &number))
		flow = pkt->hash;
	return &s->thread[flow % s->n];
}

static void pass_on(struct worker *w, struct sink_thread *t, struct leat_pkt **pkts, unsigned n)
{
	uint32_t tail;
	unsigned sent = ring_enqueue(&t->inbox, pkts, n, UINT32_MAX, &tail);

	if (sent)
		wake_up(&t->reader.wake);
	if (sent < n) {
		__atomic_fetch_add(&t->inbox_full, n - sent, __ATOMIC_RELAXED);
		pool_give(&w->pool, pkts + sent, n - sent);
	}
}

static void process(struct worker *w, const struct conf *c, struct leat_pkt **pkts, unsigned n)
{
	struct sink *s = w->plane->app_state;

	(void)c;
	for (unsigned i = 0, j; i < n; i = j) {
		struct sink_thread *t = owner(s, pkts[i]);

		for (j = i + 1; j < n && owner(s, pkts[j]) == t; j++)
			;
		pass_on(w, t, pkts + i, j - i);
	}
}

static json_t *stats(struct plane *plane)
{
	const struct sink *s = plane->app_state;
	json_t *list = json_array();

	for (unsigned i = 0; i < s->n; i++) {
		const struct sink_thread *t = &s->thread[i];

		json_array_append_new(
			list,
			json_pack("{s:i,s:i,s:I,s:I,s:I,s:I,s:I,s:I}", "thread", (int)i, "cpu",
				  (int)__atomic_load_n(&t->cpu, __ATOMIC_RELAXED), "packets",
				  (json_int_t)stat_read(&t->stats.packets), "unnumbered",
				  (json_int_t)stat_read(&t->stats.unnumbered), "out_of_order",
				  (json_int_t)stat_read(&t->stats.out_of_order), "gaps",
				  (json_int_t)stat_read(&t->stats.gaps), "moves",
				  (json_int_t)stat_read(&t->stats.moves), "inbox_full",
				  (json_int_t)stat_read(&t->inbox_full)));
	}
	return json_pack("{s:s,s:o}", "name", "sink", "threads", list);
}

static bool knob_path(struct plane *plane, unsigned i, char *path, size_t path_len)
{
	const struct sink *s = plane->app_state;

	if (i >= s->n)
		return false;
	snprintf(path, path_len, "threads/%u/cpu", i);
	return true;
}

/* app/threads/N/cpu */
static int knob(struct plane *plane, const char *path, const char *value, char *text,
		size_t text_len)
{
	static const char threads[] = "threads/";
	struct sink *s = plane->app_state;
	unsigned long i, cpu;
	char *end;

	if (strncmp(path, threads, strlen(threads)) != 0)
		return -ENOENT;
	i = read_number(path + strlen(threads), &end);
	if (strcmp(end, "/cpu") != 0 || i >= s->n)
		return -ENOENT;
	if (!value) {
		snprintf(text, text_len, "%u",
			 (unsigned)__atomic_load_n(&s->thread[i].cpu, __ATOMIC_RELAXED));
		return 0;
	}
	cpu = read_number(value, &end);
	if (*end || cpu >= plane->n_cpus || !plane->on_cpu[cpu])
		return -EINVAL;
	__atomic_store_n(&s->thread[i].cpu, (uint16_t)cpu, __ATOMIC_RELAXED);
	wake_up(&s->thread[i].reader.wake);
	return 0;
}

const struct app_ops app_sink = {
	.name = "sink",
	.help = "sink[,threads=N][,flows=N]  receive, check the numbering of port gen's flows\n",
	.open = open_sink,
	.stop = stop,
	.close = close_sink,
	.process = process,
	.stats = stats,
	.knob = knob,
	.knob_path = knob_path,
};
