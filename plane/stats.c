/* SPDX-License-Identifier: MIT */
#include "stats.h"

#include "plane.h"
#include "steering.h"

#include <leat/gro.h>
#include <leat/parse.h>
#include <stdio.h>
#include <string.h>

static json_t *number(const uint64_t *counter)
{
	return json_integer((json_int_t)stat_read(counter));
}

static json_t *queue_json(const struct queue_stats *s)
{
	json_t *o = json_object();

	json_object_set_new(o, "packets", number(&s->packets));
	json_object_set_new(o, "bytes", number(&s->bytes));
	json_object_set_new(o, "segments", number(&s->segments));
	json_object_set_new(o, "largest", number(&s->largest));
	json_object_set_new(o, "errors", number(&s->errors));
	json_object_set_new(o, "dropped", number(&s->dropped));
	json_object_set_new(o, "contended", number(&s->contended));
	return o;
}

static json_t *port_json(const struct plane *plane, const struct port *port)
{
	json_t *rx = json_array(), *tx = json_array();
	const struct rxq *q = plane->rxq[port->index];
	char steering[256];

	for (unsigned i = 0; i < port->rxqs; i++) {
		json_t *o = queue_json(&port->rx_stats[i]);

		json_object_set_new(o, "cpu",
				    json_integer(__atomic_load_n(&q[i].cpu, __ATOMIC_RELAXED)));
		json_array_append_new(rx, o);
	}
	for (unsigned i = 0; i < port->txqs; i++)
		json_array_append_new(tx, queue_json(&port->txq[i].stats));
	steering_describe(plane, port->index, steering, sizeof(steering));
	return json_pack("{s:s,s:s,s:b,s:s,s:o,s:o}", "name", port->name, "kind", port->ops->kind,
			 "gone", (int)__atomic_load_n(&port->gone, __ATOMIC_RELAXED), "steering",
			 steering, "rx", rx, "tx", tx);
}

/* What other workers counted for this one. */
static uint64_t from_others(const struct plane *plane, uint16_t cpu, size_t member)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < plane->n_workers; i++) {
		const struct stage *s = &plane->worker[i].stage[cpu];

		sum += stat_read((const uint64_t *)((const char *)s + member));
	}
	return sum;
}

/* What softnet_stat has of a CPU. A worker never gives its CPU up before its work is done, as a
 * softirq does whose budget is used up: so time_squeeze is 0. */
static json_t *softnet_json(const struct plane *plane, const struct worker *w)
{
	const struct worker_stats *s = &w->stats;
	size_t dropped = offsetof(struct stage, dropped), woken = offsetof(struct stage, woken);

	return json_pack("{s:i,s:o,s:I,s:i,s:I,s:o,s:I}", "cpu", (int)w->cpu, "processed",
			 number(&s->processed), "dropped",
			 (json_int_t)from_others(plane, w->cpu, dropped), "time_squeeze", 0,
			 "received_rps", (json_int_t)from_others(plane, w->cpu, woken),
			 "flow_limit_count", number(&s->flow_limit_count), "backlog_len",
			 (json_int_t)ring_len(&w->backlog));
}

json_t *stats_softnet(const struct plane *plane)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < plane->n_workers; i++)
		json_array_append_new(list, softnet_json(plane, &plane->worker[i]));
	return list;
}

static json_t *interrupt_json(const struct plane *plane, const struct rxq *q, unsigned irq)
{
	json_t *counts = json_object();
	char cpu[16];

	for (unsigned i = 0; i < plane->n_workers; i++) {
		snprintf(cpu, sizeof(cpu), "%u", plane->worker[i].cpu);
		json_object_set_new(counts, cpu, number(&q->interrupts[plane->worker[i].cpu]));
	}
	return json_pack("{s:i,s:o,s:s,s:s,s:i,s:o,s:i}", "irq", (int)irq, "counts", counts, "kind",
			 q->port->ops->kind, "port", q->port->name, "queue", (int)q->queue, "name",
			 json_sprintf("%s-rx-%u", q->port->name, (unsigned)q->queue),
			 "effective_affinity", (int)__atomic_load_n(&q->cpu, __ATOMIC_RELAXED));
}

json_t *stats_interrupts(const struct plane *plane)
{
	json_t *list = json_array();
	unsigned irq = 0;

	for (unsigned p = 0; p < plane->n_ports; p++) {
		for (unsigned i = 0; i < plane->port[p].rxqs; i++)
			json_array_append_new(list,
					      interrupt_json(plane, &plane->rxq[p][i], irq++));
	}
	return list;
}

static json_t *cpu_json(const struct plane *plane, const struct worker *w)
{
	const struct worker_stats *s = &w->stats;
	json_t *o = softnet_json(plane, w);

	json_object_set_new(o, "hops", number(&s->hops));
	json_object_set_new(o, "flow_moves", number(&s->flow_moves));
	json_object_set_new(o, "no_buffer", number(&s->no_buffer));
	json_object_set_new(o, "no_route", number(&s->no_route));
	json_object_set_new(o, "bad_gso", number(&s->bad_gso));
	json_object_set_new(o, "turns", number(&s->turns));
	json_object_set_new(o, "sleeps", number(&s->sleeps));
	return o;
}

/* Sum of one counter over a port's queues, as "name": n unless it is 0. */
static void add_sum(json_t *o, const struct plane *plane, const struct port *port, size_t member,
		    const char *name)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < port->rxqs; i++) {
		const char *q = (const char *)&plane->rxq[port->index][i];

		sum += stat_read((const uint64_t *)(q + member));
	}
	if (sum)
		json_object_set_new(o, name, json_integer((json_int_t)sum));
}

static json_t *gro_json(const struct plane *plane, const struct port *port)
{
	json_t *o = json_object();

	for (size_t i = 0; i < LEAT_GRO_REASONS; i++) {
		add_sum(o, plane, port, offsetof(struct rxq, gro_count) + i * sizeof(uint64_t),
			leat_gro_reason_name((enum leat_gro_reason)i));
	}
	return o;
}

static json_t *reasons_json(const struct rxq *q)
{
	json_t *o = json_object();

	for (size_t i = 0; i < LEAT_GRO_REASONS; i++)
		json_object_set_new(o, leat_gro_reason_name((enum leat_gro_reason)i),
				    number(&q->gro_count[i]));
	return o;
}

static json_t *queues_json(const struct plane *plane, const struct port *port)
{
	json_t *o = json_object();
	char name[16];

	for (unsigned i = 0; i < port->rxqs; i++) {
		snprintf(name, sizeof(name), "rx-%u", i);
		json_object_set_new(o, name, reasons_json(&plane->rxq[port->index][i]));
	}
	return o;
}

json_t *stats_gro(struct plane *plane, const char *name)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < plane->n_ports; i++) {
		const struct port *port = &plane->port[i];

		if (!name || strcmp(name, port->name) == 0)
			json_object_set_new(o, port->name, queues_json(plane, port));
	}
	if (!name || json_object_size(o))
		return o;
	json_decref(o);
	return NULL;
}

static json_t *parse_json(const struct plane *plane, const struct port *port)
{
	json_t *o = json_object();

	for (size_t i = 1; i < LEAT_PARSE_REASONS; i++) {
		add_sum(o, plane, port, offsetof(struct rxq, parse_count) + i * sizeof(uint64_t),
			leat_parse_reason_name((enum leat_parse_reason)i));
	}
	return o;
}

/* What rules dropped: in the device, if not in software. */
static void add_dropped(json_t *o, const struct port *port)
{
	uint64_t dropped = port->ops->rule_dropped ? port->ops->rule_dropped(port) : 0;
	json_int_t by_us = json_integer_value(json_object_get(o, "rule_dropped"));

	if (dropped)
		json_object_set_new(o, "rule_dropped", json_integer(by_us + (json_int_t)dropped));
}

/* What became of flows that changed their queue, or should have. */
static json_t *moves_json(const struct plane *plane, const struct port *port)
{
	static const struct {
		const char *name;
		size_t member;
	} counter[] = {
		{"arfs_added", offsetof(struct rxq, arfs_stats.added)},
		{"arfs_moved", offsetof(struct rxq, arfs_stats.moved)},
		{"arfs_expired", offsetof(struct rxq, arfs_stats.expired)},
		{"arfs_failed", offsetof(struct rxq, arfs_stats.failed)},
		{"fenced", offsetof(struct rxq, move.fenced)},
		{"fence_dropped", offsetof(struct rxq, move.fence_dropped)},
		{"rule_dropped", offsetof(struct rxq, rule_dropped)},
	};
	json_t *o = json_object();

	for (size_t i = 0; i < sizeof(counter) / sizeof(*counter); i++)
		add_sum(o, plane, port, counter[i].member, counter[i].name);
	add_dropped(o, port);
	return o;
}

json_t *stats_json(struct plane *plane)
{
	json_t *ports = json_array(), *cpus = json_array();
	json_t *gro = json_object(), *parse = json_object(), *moves = json_object();

	pthread_mutex_lock(&plane->conf_lock);
	for (unsigned i = 0; i < plane->n_ports; i++)
		json_array_append_new(ports, port_json(plane, &plane->port[i]));
	pthread_mutex_unlock(&plane->conf_lock);
	for (unsigned i = 0; i < plane->n_ports; i++) {
		const struct port *port = &plane->port[i];

		json_object_set_new(gro, port->name, gro_json(plane, port));
		json_object_set_new(parse, port->name, parse_json(plane, port));
		json_object_set_new(moves, port->name, moves_json(plane, port));
	}
	for (unsigned i = 0; i < plane->n_workers; i++)
		json_array_append_new(cpus, cpu_json(plane, &plane->worker[i]));
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "ports", ports, "cpus", cpus, "gro", gro,
			 "parse", parse, "steering", moves, "app",
			 plane->app->stats ? plane->app->stats(plane) :
					     json_pack("{s:s}", "name", plane->app->name));
}
