/* SPDX-License-Identifier: MIT */
#include "plane.h"

#include "knob.h"
#include "steering.h"
#include "txflow.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SMALLS = 16384, /* buffers of a worker's pool */
	BIGS = 1024,
};

static const struct port_ops *find_kind(const char *kind)
{
	for (unsigned i = 0; port_kinds[i]; i++) {
		if (strcmp(port_kinds[i]->kind, kind) == 0)
			return port_kinds[i];
	}
	return NULL;
}

static const struct app_ops *find_app(const char *name)
{
	for (unsigned i = 0; app_kinds[i]; i++) {
		if (strcmp(app_kinds[i]->name, name) == 0)
			return app_kinds[i];
	}
	return NULL;
}

static int make_queues(struct plane *plane, struct port *port)
{
	struct rxq *rxq = calloc(port->rxqs, sizeof(*rxq));

	plane->rxq[port->index] = rxq;
	port->rx_stats = calloc(port->rxqs, sizeof(*port->rx_stats));
	port->txq = aligned_alloc(64, port->txqs * sizeof(*port->txq));
	port->tx_flow = calloc(1, sizeof(*port->tx_flow));
	port->moves = calloc(1, sizeof(*port->moves));
	if (port->ops->flow_steer)
		port->arfs = calloc(1, sizeof(*port->arfs));
	if (!rxq || !port->rx_stats || !port->txq || !port->tx_flow || !port->moves ||
	    (port->ops->flow_steer && !port->arfs))
		return -ENOMEM;
	memset(port->txq, 0, port->txqs * sizeof(*port->txq));
	for (unsigned q = 0; q < port->txqs; q++)
		pthread_mutex_init(&port->txq[q].lock, NULL);
	for (unsigned q = 0; q < port->rxqs; q++) {
		if (rxq_init(&rxq[q], port, (uint16_t)q, plane->n_cpus))
			return -ENOMEM;
	}
	return 0;
}

static int open_port(struct plane *plane, const struct port_args *args, char *err, size_t err_len)
{
	struct port *port = &plane->port[plane->n_ports];
	int e;

	if (plane->n_ports == PLANE_PORTS_MAX) {
		snprintf(err, err_len, "%s: more than %d ports", args->name, PLANE_PORTS_MAX);
		return -E2BIG;
	}
	if (!args->name[0] || strlen(args->name) >= sizeof(port->name)) {
		snprintf(err, err_len, "port name '%s': wants 1 to %zu characters", args->name,
			 sizeof(port->name) - 1);
		return -EINVAL;
	}
	if (!knob_port_name_ok(args->name)) {
		snprintf(err, err_len, "port name '%s': not one that knobs can be called by",
			 args->name);
		return -EINVAL;
	}
	if (plane_port(plane, args->name)) {
		snprintf(err, err_len, "%s: two ports of this name", args->name);
		return -EEXIST;
	}
	port->ops = args->ops ? args->ops : find_kind(args->kind);
	if (!port->ops) {
		snprintf(err, err_len, "%s: no port kind '%s'", args->name, args->kind);
		return -EINVAL;
	}
	port->index = plane->n_ports;
	snprintf(port->name, sizeof(port->name), "%s", args->name);
	e = port->ops->open(port, args, err, err_len);
	if (e)
		return e;
	plane->joined[plane->n_ports++] = -1;
	e = make_queues(plane, port);
	if (e)
		snprintf(err, err_len, "%s: %s", args->name, strerror(-e));
	return e;
}

static int make_workers(struct plane *plane, const struct plane_args *args)
{
	uint32_t room = args->backlog_room;

	if (room < CONF_BACKLOG_ROOM_MIN)
		room = CONF_BACKLOG_ROOM_MIN;
	plane->n_cpus = args->cpus[args->n_cpus - 1] + 1u;
	plane->worker = aligned_alloc(64, args->n_cpus * sizeof(*plane->worker));
	plane->on_cpu = calloc(plane->n_cpus, sizeof(struct worker *));
	plane->head = calloc(plane->n_cpus, sizeof(*plane->head));
	if (!plane->worker || !plane->on_cpu || !plane->head)
		return -ENOMEM;
	plane->heads = (struct leat_rps_heads){plane->n_cpus, plane->head};
	memset(plane->worker, 0, args->n_cpus * sizeof(*plane->worker));
	for (unsigned i = 0; i < args->n_cpus; i++) {
		struct worker *w = &plane->worker[plane->n_workers++];
		int e = worker_init(w, plane, i, args->cpus[i], room,
				    args->smalls ? args->smalls : SMALLS,
				    args->bigs ? args->bigs : BIGS);

		if (e)
			return e;
		plane->on_cpu[w->cpu] = w;
		plane->head[w->cpu] = &w->backlog.head;
	}
	return 0;
}

static int open_all(struct plane *plane, const struct plane_args *args, char *err, size_t err_len)
{
	int e = make_workers(plane, args);

	if (e)
		snprintf(err, err_len, "workers: %s", strerror(-e));
	for (unsigned i = 0; !e && i < args->n_ports; i++)
		e = open_port(plane, &args->port[i], err, err_len);
	if (e)
		return e;
	plane->conf = conf_default(plane);
	if (!plane->conf || topo_init(&plane->topo, plane->n_cpus)) {
		snprintf(err, err_len, "configuration: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	steering_open(plane);
	return plane->app->open(plane, args->app_args, err, err_len);
}

int plane_open(struct plane *plane, const struct plane_args *args, char *err, size_t err_len)
{
	int e;

	memset(plane, 0, sizeof(*plane));
	pthread_mutex_init(&plane->conf_lock, NULL);
	plane->app = args->app_ops ? args->app_ops : find_app(args->app ? args->app : "forward");
	if (!plane->app) {
		snprintf(err, err_len, "no application '%s'", args->app);
		return -EINVAL;
	}
	e = open_all(plane, args, err, err_len);
	if (e)
		plane_close(plane);
	return e;
}

void plane_join(struct plane *plane, unsigned a, unsigned b)
{
	plane->joined[a] = (int)b;
	plane->joined[b] = (int)a;
}

static int start_workers(struct plane *plane)
{
	for (unsigned i = 0; i < plane->n_workers; i++) {
		int e = worker_start(&plane->worker[i]);

		if (e)
			return e;
		plane_add_reader(plane, &plane->worker[i].reader);
		plane->n_running++;
	}
	return 0;
}

int plane_start(struct plane *plane, char *err, size_t err_len)
{
	int e = 0;

	for (unsigned p = 0; !e && p < plane->n_ports; p++)
		e = plane->port[p].ops->up(&plane->port[p], err, err_len);
	if (e)
		return e;
	pthread_mutex_lock(&plane->conf_lock);
	for (unsigned p = 0; p < plane->n_ports; p++) {
		for (unsigned q = 0; q < plane->port[p].rxqs; q++)
			rxq_give(&plane->rxq[p][q], plane->on_cpu[plane->conf->port[p].rxq[q].cpu]);
	}
	e = start_workers(plane);
	pthread_mutex_unlock(&plane->conf_lock);
	if (e)
		snprintf(err, err_len, "starting workers: %s", strerror(-e));
	return e;
}

/* Under conf_lock: a value being published would wait for workers that are no more. */
void plane_stop(struct plane *plane)
{
	pthread_mutex_lock(&plane->conf_lock);
	__atomic_store_n(&plane->stop, true, __ATOMIC_RELEASE);
	for (unsigned i = plane->n_running; i < plane->n_workers; i++)
		__atomic_store_n(&plane->worker[i].drained, 2, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < plane->n_running; i++)
		wake_up(&plane->worker[i].reader.wake);
	for (unsigned i = 0; i < plane->n_running; i++)
		worker_join(&plane->worker[i]);
	if (plane->app->stop)
		plane->app->stop(plane);
	plane->n_running = 0;
	plane->readers = NULL;
	pthread_mutex_unlock(&plane->conf_lock);
}

static void close_port(struct port *port, struct rxq *rxq)
{
	port->ops->close(port);
	for (unsigned q = 0; rxq && q < port->rxqs; q++)
		rxq_fini(&rxq[q]);
	for (unsigned q = 0; port->txq && q < port->txqs; q++)
		pthread_mutex_destroy(&port->txq[q].lock);
	free(rxq);
	free(port->rx_stats);
	free(port->tx_flow);
	free(port->moves);
	free(port->arfs);
	free(port->txq);
}

void plane_close(struct plane *plane)
{
	if (plane->n_running) /* some, but not all, could be started */
		plane_stop(plane);
	if (plane->app_state && plane->app->close)
		plane->app->close(plane);
	for (unsigned p = 0; p < plane->n_ports; p++)
		close_port(&plane->port[p], plane->rxq[p]);
	for (unsigned i = 0; i < plane->n_workers; i++)
		worker_fini(&plane->worker[i]);
	conf_free(plane->conf, NULL);
	free(plane->worker);
	free(plane->on_cpu);
	free(plane->head);
	topo_fini(&plane->topo);
	pthread_mutex_destroy(&plane->conf_lock);
	memset(plane, 0, sizeof(*plane));
}

void plane_add_reader(struct plane *plane, struct reader *r)
{
	r->next = plane->readers;
	plane->readers = r;
}

const struct conf *plane_enter(const struct plane *plane, struct reader *r)
{
	const struct conf *c = __atomic_load_n(&plane->conf, __ATOMIC_ACQUIRE);

	__atomic_store_n(&r->generation, c->generation, __ATOMIC_RELEASE);
	return c;
}

void plane_remove_reader(struct plane *plane, struct reader *r)
{
	struct reader **link = &plane->readers;

	while (*link && *link != r)
		link = &(*link)->next;
	if (*link)
		*link = r->next;
}

const struct conf *plane_back(const struct plane *plane, struct reader *r)
{
	(void)__atomic_exchange_n(&r->generation, READER_NEW, __ATOMIC_ACQ_REL);
	return plane_enter(plane, r);
}

void plane_leave(struct reader *r)
{
	__atomic_store_n(&r->generation, READER_AWAY, __ATOMIC_RELEASE);
}

/* Whether the reader uses the value of this generation, or none. The addition of nothing is half of
 * the pair that reader.h tells of. */
static bool has_seen(struct reader *r, uint32_t generation)
{
	uint32_t its = __atomic_fetch_add(&r->generation, 0, __ATOMIC_ACQ_REL);

	return its == generation || its == READER_AWAY;
}

void plane_put(struct plane *plane, struct conf *conf)
{
	struct conf *old = plane->conf;

	__atomic_store_n(&plane->conf, conf, __ATOMIC_RELEASE);
	for (struct reader *r = plane->readers; r; r = r->next) {
		wake_up(&r->wake);
		for (unsigned looks = 0; !has_seen(r, conf->generation); looks++)
			wake_pause(looks);
	}
	conf_free(old, conf);
}

int plane_publish(struct plane *plane, struct conf *conf)
{
	return steering_publish(plane, conf);
}

/* The turns all workers have made, if all of them rest and have nothing to do; else UINT64_MAX. */
static uint64_t turns_at_rest(const struct plane *plane)
{
	uint64_t turns = 0;

	for (unsigned i = 0; i < plane->n_workers; i++) {
		const struct worker *w = &plane->worker[i];

		/* In this order: a backlog that was emptied was so by a worker that is not idle. */
		if (ring_len(&w->backlog) || !__atomic_load_n(&w->idle, __ATOMIC_ACQUIRE))
			return UINT64_MAX;
		turns += stat_read(&w->stats.turns);
	}
	return turns;
}

/* Looked at one by one, a worker may get packets from another after its turn to be looked at; not
 * if all were still in the same rest when looked at again. */
bool plane_idle(const struct plane *plane)
{
	uint64_t turns;

	for (unsigned p = 0; p < plane->n_ports; p++) {
		const struct port *port = &plane->port[p];

		if (!port->ops->finished || !port->ops->finished(port))
			return false;
	}
	turns = turns_at_rest(plane);
	return turns != UINT64_MAX && turns_at_rest(plane) == turns;
}

struct port *plane_port(struct plane *plane, const char *name)
{
	for (unsigned i = 0; i < plane->n_ports; i++) {
		if (strcmp(plane->port[i].name, name) == 0)
			return &plane->port[i];
	}
	return NULL;
}
