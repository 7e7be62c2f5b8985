/* SPDX-License-Identifier: MIT */
/*
 * plane.h - the data plane: ports, workers, the application above them.
 *
 * One main thread makes, configures and ends a plane; one worker per CPU moves packets. See
 * worker.c for the path and conf.h for how it is changed while it runs.
 */
#ifndef PLANE_PLANE_H
#define PLANE_PLANE_H

#include "app/app.h"
#include "conf.h"
#include "port/port.h"
#include "stats.h"
#include "topo.h"
#include "worker.h"

#include <pthread.h>

enum { PLANE_PORTS_MAX = 64 };

struct plane_args {
	const uint16_t *cpus; /* ids of the host's CPUs to run workers on, ascending */
	unsigned n_cpus;
	const struct port_args *port;
	unsigned n_ports;
	const char *app;	       /* name; NULL: forward */
	const struct app_ops *app_ops; /* one of the caller's own instead; or NULL */
	const char *app_args;	       /* "option=value,..." or NULL */
	uint32_t backlog_room;	       /* packets a backlog may ever be set to hold; 0: default */
	uint32_t smalls, bigs;	       /* buffers of each worker's pool; 0: default */
};

struct plane {
	unsigned n_ports;
	struct port port[PLANE_PORTS_MAX];
	int joined[PLANE_PORTS_MAX]; /* the port that a port's packets are forwarded to, -1 none */
	struct rxq *rxq[PLANE_PORTS_MAX]; /* of each port: its receive queues */

	unsigned n_cpus; /* one more than the highest CPU id */
	unsigned n_workers;
	unsigned n_running;	/* workers whose threads have been started */
	struct worker *worker;	/* n_workers of them, by ascending CPU */
	struct worker **on_cpu; /* n_cpus of them: the CPU's worker or NULL */
	const uint32_t **head;	/* n_cpus: its backlog's head counter or NULL */
	struct leat_rps_heads heads;
	struct topo topo;

	struct conf *conf;	   /* atomic pointer: the value in force */
	pthread_mutex_t conf_lock; /* held by who changes it */

	struct reader *readers; /* workers and application threads */

	const struct app_ops *app;
	void *app_state;
	bool stop; /* atomic */
};

/* Make a plane: open its ports, its application; nothing runs yet. 0, or -errno with a message
 * in err and nothing left behind. */
int plane_open(struct plane *plane, const struct plane_args *args, char *err, size_t err_len);

/* Join two ports for app forward, both ways. */
void plane_join(struct plane *plane, unsigned a, unsigned b);

/* Start the workers, bring the ports up. 0, or -errno with a message; then close it. */
int plane_start(struct plane *plane, char *err, size_t err_len);

/* Stop the workers: what is in rings and GRO is processed first. */
void plane_stop(struct plane *plane);

/* Close ports and application, free everything. */
void plane_close(struct plane *plane);

/* Make `r` a reader of the configuration until plane_stop(), before its thread starts. Under
 * conf_lock, or before anyone else configures. */
void plane_add_reader(struct plane *plane, struct reader *r);

/* Reader: the value in force, to be used until the next call. */
const struct conf *plane_enter(const struct plane *plane, struct reader *r);

/* Forget a reader, who is away. Under conf_lock. */
void plane_remove_reader(struct plane *plane, struct reader *r);

/* Reader that was away: the value in force, to be used until plane_leave(). */
const struct conf *plane_back(const struct plane *plane, struct reader *r);

/* Reader: away from now on. */
void plane_leave(struct reader *r);

/* Put `conf` (from conf_copy, changed) into force and free the old: when it returns every reader
 * that is not away uses it. 0; -ENOMEM: nothing has happened, and `conf` is still the caller's. The
 * caller holds conf_lock. */
int plane_publish(struct plane *plane, struct conf *conf);

/* A step of it, for steering.c: `conf` as it is, wait until every reader uses it, free the old. */
void plane_put(struct plane *plane, struct conf *conf);

/* Nothing will happen any more: every port is finished, every packet processed. */
bool plane_idle(const struct plane *plane);

/* The port named `name`, or NULL. */
struct port *plane_port(struct plane *plane, const char *name);

#endif
