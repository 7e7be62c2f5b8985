/* SPDX-License-Identifier: MIT */
#include "sink.h"

#include "../plane.h"
#include "../port/gen.h"
#include "option.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLOWS_DEFAULT = 65536 };

static int init_thread(struct sink_thread *t, struct plane *plane, unsigned i, uint32_t flows)
{
	t->plane = plane;
	app_thread_init(&t->app, plane, i);
	t->flows = flows;
	t->next = calloc(flows, sizeof(*t->next));
	if (!t->next || ring_init(&t->inbox, SINK_INBOX))
		return -ENOMEM;
	return wake_init(&t->reader.wake);
}

static void stop(struct plane *plane)
{
	struct sink *s = plane->app_state;

	__atomic_store_n(&s->stop, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < s->n; i++) {
		struct sink_thread *t = &s->thread[i];

		if (!t->app.thread)
			continue;
		wake_up(&t->reader.wake);
		pthread_join(t->app.thread, NULL);
		t->app.thread = 0;
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
		e = thread_start(&s->thread[i].app.thread, s->thread[i].app.cpu, sink_thread,
				 &s->thread[i]);
	}
	return e;
}

static int open_sink(struct plane *plane, const char *args, char *err, size_t err_len)
{
	unsigned threads = plane->n_workers, flows = FLOWS_DEFAULT;
	const struct app_option options[] = {
		{"threads", 1, SINK_THREADS_MAX, &threads, NULL, NULL},
		{"flows", 1, 1u << 24, &flows, NULL, NULL},
		{NULL, 0, 0, NULL, NULL, NULL},
	};
	struct sink *s;
	int e = app_options("sink", args, options, err, err_len);

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
				  (int)__atomic_load_n(&t->app.cpu, __ATOMIC_RELAXED), "packets",
				  (json_int_t)stat_read(&t->stats.packets), "unnumbered",
				  (json_int_t)stat_read(&t->stats.unnumbered), "out_of_order",
				  (json_int_t)stat_read(&t->stats.out_of_order), "gaps",
				  (json_int_t)stat_read(&t->stats.gaps), "moves",
				  (json_int_t)stat_read(&t->app.moves), "inbox_full",
				  (json_int_t)stat_read(&t->inbox_full)));
	}
	return json_pack("{s:s,s:o}", "name", "sink", "threads", list);
}

static bool knob_path(struct plane *plane, unsigned i, char *path, size_t path_len)
{
	const struct sink *s = plane->app_state;

	if (i >= s->n)
		return false;
	app_thread_path(i, path, path_len);
	return true;
}

static int knob(struct plane *plane, const char *path, const char *value, char *text,
		size_t text_len)
{
	struct sink *s = plane->app_state;
	int e, i = app_thread_index(path, s->n);

	if (i < 0)
		return i;
	e = app_thread_place(&s->thread[i].app, plane, value, text, text_len);
	if (!e && value)
		wake_up(&s->thread[i].reader.wake);
	return e;
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
