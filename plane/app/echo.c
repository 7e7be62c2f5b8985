/* SPDX-License-Identifier: MIT */
/*
 * echo: a UDP echo server (RFC 862) on endpoints.
 *
 * Each thread has an endpoint of its own, all on one port (ENDPOINT_REUSEPORT): a flow is one
 * thread's. A thread answers in the packets it received. With state=BYTES each request first reads and
 * writes so many bytes that are its flow's own, which stands for what a server does: where these are
 * in the cache, and where the packet is, is what RFS is about.
 */
#include "../host/endpoint.h"
#include "../host/host.h"
#include "../host/task.h"
#include "../plane.h"
#include "app_thread.h"
#include "option.h"

#include <errno.h>
#include <leat/gso.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	THREADS_MAX = 64,
	PORT = 7,
	FLOWS = 1024,  /* with state of their own, in each thread */
	INBOX = 16384, /* packets */
	SMALLS = 16,   /* buffers of its own: for questions where somebody is */
	LINE = 64,     /* bytes of a cache line */
	STATE_MAX = 1 << 20,
};

struct echo_stats {
	uint64_t requests; /* datagrams: each of a super-packet counts */
	uint64_t bytes;	   /* of their payload */
	uint64_t unsent;   /* packets whose answer could not be sent */
};

struct echo_thread {
	struct echo *echo;
	struct app_thread app;
	struct endpoint *ep;
	struct task task;
	bool has_task;
	uint8_t *state; /* `flows` times echo->state bytes */
	struct echo_stats stats;
};

struct echo {
	struct host *host;
	unsigned n, port, state, flows;
	bool stop; /* atomic */
	struct echo_thread thread[];
};

/* Do the flow's work. Flows that meet in a place share it. */
static void work(struct echo_thread *t, const struct datagram *d)
{
	const struct echo *echo = t->echo;
	uint32_t word, flow = d->peer.port;
	uint8_t *state;

	for (unsigned i = 0; i < ADDR_LEN; i += sizeof(word)) {
		memcpy(&word, d->peer.ip + i, sizeof(word));
		flow = (flow ^ word) * 0x9e3779b1u;
	}
	state = t->state + (size_t)leat_reciprocal_scale(flow, echo->flows) * echo->state;
	for (unsigned i = 0; i < echo->state; i += LINE)
		state[i]++;
}

static void count(struct echo_thread *t, const struct datagram *d)
{
	uint32_t len = d->pkt->len;

	stat_add(&t->stats.requests, d->gso_size ? (len - 1) / d->gso_size + 1 : 1);
	stat_add(&t->stats.bytes, len);
}

/* What cannot be sent is passed over. */
static void answer(struct echo_thread *t, struct datagram *d, unsigned n)
{
	while (n) {
		int sent = endpoint_send(t->ep, &t->task, d, n);

		if (sent <= 0) {
			pool_give(&t->task.pool, &d->pkt, 1);
			stat_add(&t->stats.unsent, 1);
			sent = 1;
		}
		d += sent;
		n -= (unsigned)sent;
	}
}

static void *run(void *arg)
{
	struct echo_thread *t = arg;
	struct datagram d[ENDPOINT_BATCH];

	for (;;) {
		int n;

		app_thread_settle(&t->app);
		n = endpoint_recv(t->ep, &t->task, d, ENDPOINT_BATCH, -1);
		if (n < 0 && __atomic_load_n(&t->echo->stop, __ATOMIC_ACQUIRE))
			return NULL;
		for (int i = 0; i < n; i++) {
			count(t, &d[i]);
			work(t, &d[i]);
		}
		if (n > 0)
			answer(t, d, (unsigned)n);
	}
}

static void stop(struct plane *plane)
{
	struct echo *echo = plane->app_state;

	__atomic_store_n(&echo->stop, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < echo->n; i++) {
		struct echo_thread *t = &echo->thread[i];

		if (!t->app.thread)
			continue;
		endpoint_interrupt(t->ep);
		pthread_join(t->app.thread, NULL);
		t->app.thread = 0;
	}
}

static void close_echo(struct plane *plane)
{
	struct echo *echo = plane->app_state;

	stop(plane);
	for (unsigned i = 0; i < echo->n; i++) {
		struct echo_thread *t = &echo->thread[i];

		if (t->ep)
			endpoint_close(t->ep);
		if (t->has_task)
			task_fini(&t->task);
		free(t->state);
	}
	if (echo->host)
		host_free(echo->host);
	free(echo);
	plane->app_state = NULL;
}

static int init_thread(struct echo *echo, struct plane *plane, unsigned i)
{
	const struct addr local = {.port = (uint16_t)echo->port};
	struct echo_thread *t = &echo->thread[i];
	int e;

	t->echo = echo;
	app_thread_init(&t->app, plane, i);
	t->state = calloc(echo->flows, echo->state + 1u);
	if (!t->state)
		return -ENOMEM;
	e = task_init(&t->task, plane, SMALLS, 0);
	if (e)
		return e;
	t->has_task = true;
	e = endpoint_open(&t->ep, echo->host, INBOX);
	return e ? e : endpoint_bind(t->ep, &local, ENDPOINT_REUSEPORT);
}

static int start(struct echo *echo, struct plane *plane)
{
	int e = 0;

	for (unsigned i = 0; i < echo->n && !e; i++)
		e = init_thread(echo, plane, i);
	for (unsigned i = 0; i < echo->n && !e; i++)
		e = thread_start(&echo->thread[i].app.thread, echo->thread[i].app.cpu, run,
				 &echo->thread[i]);
	return e;
}

/* The addresses are taken first, into a host of their own. */
static int take_address(void *to, const char *text, char *err, size_t err_len)
{
	return host_add_address(to, text, err, err_len);
}

static int take_options(struct echo *echo, struct host *host, const char *args, char *err,
			size_t err_len)
{
	const struct app_option options[] = {
		{"threads", 1, THREADS_MAX, &echo->n, NULL, NULL},
		{"port", 1, UINT16_MAX, &echo->port, NULL, NULL},
		{"address", 0, 0, NULL, take_address, host},
		{"state", 0, STATE_MAX, &echo->state, NULL, NULL},
		{"flows", 1, 1u << 20, &echo->flows, NULL, NULL},
		{NULL, 0, 0, NULL, NULL, NULL},
	};
	int e = app_options("echo", args, options, err, err_len);

	if (e || host->n_addrs)
		return e;
	snprintf(err, err_len, "app echo: wants an address=IP/N");
	return -EINVAL;
}

/* An echo of these options; its host is its own from now on. NULL without memory. */
static struct echo *new_echo(const struct echo *options, struct host *host)
{
	size_t size = sizeof(*options) + options->n * sizeof(options->thread[0]);
	struct echo *echo = aligned_alloc(64, (size + 63) & ~(size_t)63);

	if (!echo)
		return NULL;
	memset(echo, 0, size);
	*echo = *options;
	echo->host = host;
	return echo;
}

static int open_echo(struct plane *plane, const char *args, char *err, size_t err_len)
{
	struct echo *echo, options = {.n = plane->n_workers, .port = PORT, .flows = FLOWS};
	struct host *host = host_new(plane);
	int e = host ? take_options(&options, host, args, err, err_len) : -ENOMEM;

	echo = e ? NULL : new_echo(&options, host);
	if (!echo) {
		if (!e || e == -ENOMEM)
			snprintf(err, err_len, "app echo: %s", strerror(ENOMEM));
		if (host)
			host_free(host);
		return e ? e : -ENOMEM;
	}
	plane->app_state = echo;
	e = start(echo, plane);
	if (e)
		snprintf(err, err_len, "app echo: %s", strerror(-e));
	return e;
}

static void process(struct worker *w, const struct conf *c, struct leat_pkt **pkts, unsigned n)
{
	const struct echo *echo = w->plane->app_state;

	host_receive(echo->host, w, c, pkts, n);
}

static json_t *thread_stats(const struct echo_thread *t, unsigned i)
{
	return json_pack("{s:i,s:i,s:I,s:I,s:I,s:I,s:I,s:I}", "thread", (int)i, "cpu",
			 (int)__atomic_load_n(&t->app.cpu, __ATOMIC_RELAXED), "requests",
			 (json_int_t)stat_read(&t->stats.requests), "bytes",
			 (json_int_t)stat_read(&t->stats.bytes), "unsent",
			 (json_int_t)stat_read(&t->stats.unsent), "bad_gso",
			 (json_int_t)stat_read(&t->task.bad_gso), "moves",
			 (json_int_t)stat_read(&t->app.moves), "inbox_full",
			 (json_int_t)stat_read(&t->ep->dropped));
}

static json_t *stats(struct plane *plane)
{
	const struct echo *echo = plane->app_state;
	json_t *list = json_array();

	for (unsigned i = 0; i < echo->n; i++)
		json_array_append_new(list, thread_stats(&echo->thread[i], i));
	return json_pack("{s:s,s:o,s:o}", "name", "echo", "threads", list, "host",
			 host_stats(echo->host));
}

static bool knob_path(struct plane *plane, unsigned i, char *path, size_t path_len)
{
	const struct echo *echo = plane->app_state;

	if (i >= echo->n)
		return false;
	app_thread_path(i, path, path_len);
	return true;
}

static int knob(struct plane *plane, const char *path, const char *value, char *text,
		size_t text_len)
{
	struct echo *echo = plane->app_state;
	int e, i = app_thread_index(path, echo->n);

	if (i < 0)
		return i;
	e = app_thread_place(&echo->thread[i].app, plane, value, text, text_len);
	if (!e && value)
		endpoint_interrupt(echo->thread[i].ep);
	return e;
}

const struct app_ops app_echo = {
	.name = "echo",
	.help = "echo,address=IP/N[%PORT][,address=...][,port=N][,threads=N][,state=BYTES][,flows=N]\n"
		"                   answer UDP at port N (7), ping and ARP at addresses of our own\n",
	.open = open_echo,
	.stop = stop,
	.close = close_echo,
	.process = process,
	.stats = stats,
	.knob = knob,
	.knob_path = knob_path,
};
