/* SPDX-License-Identifier: MIT */
#include "steering.h"

#include "plane.h"
#include "rxfh.h"
#include "trace.h"

#include <errno.h>
#include <stdio.h>

/* --- workers --- */

unsigned steering_queue(const struct rxfh *rxfh, const struct leat_pkt *pkt, unsigned otherwise)
{
	struct leat_rxfh_choice choice;

	leat_rxfh_pick(&rxfh->use, pkt, &choice);
	return choice.by == LEAT_RXFH_BY_DROP ? otherwise : choice.queue;
}

unsigned steering_old_queue(const struct conf *c, unsigned port, const struct leat_pkt *pkt,
			    unsigned otherwise)
{
	struct leat_pkt was = *pkt, *pkts = &was;

	leat_parse(&c->old_parse, &pkts, 1);
	return steering_queue(c->port[port].old, &was, otherwise);
}

bool steering_is_natural(const struct port_conf *pc, const struct leat_pkt *pkt, unsigned queue)
{
	struct leat_rxfh_choice choice;

	leat_rxfh_pick(&pc->device->use, pkt, &choice);
	return choice.by == LEAT_RXFH_BY_INDIR && choice.queue == queue && choice.hash == pkt->hash;
}

/* The hash that a device gives is by the old value or by the new: make it the new one's, as a
 * flow's order is by its hash. */
static void rehash(const struct rxfh *rxfh, struct leat_pkt *const *pkts, unsigned n)
{
	struct leat_rxfh_choice choice;

	for (unsigned i = 0; i < n; i++) {
		if (pkts[i]->hash_type == LEAT_HASH_NONE)
			continue;
		leat_rxfh_pick(&rxfh->use, pkts[i], &choice);
		pkts[i]->hash = choice.hash;
		pkts[i]->hash_type = choice.hash_type;
	}
}

/* In software: each packet's queue and hash; what a rule drops is dropped. */
static unsigned choose(struct worker *w, struct rxq *q, const struct rxfh *rxfh,
		       struct leat_pkt **pkts, unsigned n)
{
	unsigned left = 0;

	for (unsigned i = 0; i < n; i++) {
		struct leat_rxfh_choice choice;

		leat_rxfh_pick(&rxfh->use, pkts[i], &choice);
		if (choice.by == LEAT_RXFH_BY_DROP) {
			stat_add(&q->rule_dropped, 1);
			pool_give(&w->pool, &pkts[i], 1);
			continue;
		}
		pkts[i]->rxq = choice.queue;
		if (q->rx & CONF_RX_HASH) {
			pkts[i]->hash = choice.hash;
			pkts[i]->hash_type = choice.hash_type;
		}
		pkts[left++] = pkts[i];
	}
	return left;
}

unsigned steering_receive(struct worker *w, const struct conf *c, struct rxq *q,
			  struct leat_pkt **pkts, unsigned n)
{
	const struct port_conf *pc = &c->port[q->port->index];

	if (pc->software)
		return choose(w, q, pc->rxfh, pkts, n);
	if (pc->old)
		rehash(pc->rxfh, pkts, n);
	if (q->rx & CONF_RX_HASH)
		leat_rss_receive(q->rss, pkts, n);
	return move_park(w, c, q, pkts, n);
}

/* --- the configuring thread --- */

/* All defaults: what any device that spreads does well enough. */
static bool is_plain(const struct rxfh *rxfh)
{
	return !rxfh->use.ntuple && !rxfh_indir_set(rxfh, 0);
}

/* What follows from a port's value and its device: who steers, and whether RFS is accelerated. */
static void settle_port(const struct plane *plane, struct port_conf *pc, const struct port *port)
{
	bool by_device = pc->old || pc->device == pc->rxfh;
	uint16_t cpu_of[PORT_QUEUES_MAX];

	pc->software = !by_device && !is_plain(pc->rxfh);
	pc->arfs = port->arfs && by_device && !pc->old && pc->rxfh->ntuple;
	if (!pc->arfs)
		return;
	for (unsigned q = 0; q < pc->rxqs; q++)
		cpu_of[q] = pc->rxq[q].cpu;
	leat_cpu_rmap_init(&pc->rmap, plane->n_cpus, pc->rmap.cpu, cpu_of, pc->rxqs, topo_distance,
			   &plane->topo);
}

static void settle(const struct plane *plane, struct conf *c)
{
	for (unsigned p = 0; p < c->n_ports; p++)
		settle_port(plane, &c->port[p], &plane->port[p]);
}

/* 0; or -errno, and why is in the port. */
static int push(struct port *port, const struct rxfh *rxfh, const struct conf *c)
{
	port->parse = c->parse;
	if (port->ops->steer)
		return port->ops->steer(port, &rxfh->use, port->steer_why, sizeof(port->steer_why));
	snprintf(port->steer_why, sizeof(port->steer_why), "port kind %s cannot", port->ops->kind);
	return -EOPNOTSUPP;
}

/* A port that cannot at first does not later either: by what its device has put frames on their
 * queues is not known, so there would be no way over without reordering. */
void steering_open(struct plane *plane)
{
	for (unsigned p = 0; p < plane->n_ports; p++) {
		struct port_conf *pc = &plane->conf->port[p];

		if (push(&plane->port[p], pc->rxfh, plane->conf) == 0)
			conf_set_counted(&pc->device, pc->rxfh);
	}
	settle(plane, plane->conf);
}

/* Whether some context looks into tunnels. */
static bool hashes_inner(const struct rxfh *rxfh)
{
	for (unsigned id = 0; id < LEAT_RXFH_CONTEXTS_MAX; id++) {
		if (rxfh->use.context[id] && rxfh->use.context[id]->inner)
			return true;
	}
	return false;
}

static bool is_changed(const struct plane *plane, const struct conf *c, unsigned p)
{
	const struct port_conf *to = &c->port[p], *from = &plane->conf->port[p];

	return from->device && (to->rxfh != from->rxfh ||
				(c->parse != plane->conf->parse && hashes_inner(to->rxfh)));
}

static bool is_any_changed(const struct plane *plane, const struct conf *c)
{
	for (unsigned p = 0; p < c->n_ports; p++) {
		if (is_changed(plane, c, p))
			return true;
	}
	return false;
}

static void wait_for_zero(const uint32_t *counter)
{
	for (unsigned looks = 0; __atomic_load_n(counter, __ATOMIC_ACQUIRE); looks++)
		wake_pause(looks);
}

/* The values that lead from one to another, in order. */
struct steps {
	struct conf *quiet;  /* the former, RFS not accelerated where it changes */
	struct conf *both;   /* the new one, and what the device went by */
	struct conf *pushed; /* likewise, the device goes by the new one */
	struct conf *settled;
	bool change[PLANE_PORTS_MAX];
};

/* value_quiet: no flow has a filter, none is on its way. */
static void quieten(struct plane *plane, struct steps *s)
{
	plane_put(plane, s->quiet);
	for (unsigned p = 0; p < plane->n_ports; p++) {
		const struct port *port = &plane->port[p];

		if (!s->change[p] || !port->arfs)
			continue;
		wait_for_zero(&port->arfs->used);
		wait_for_zero(&port->moves->underway);
	}
}

/* value_push. The device of a port that refuses goes on as before. */
static void push_all(struct plane *plane, struct steps *s)
{
	for (unsigned p = 0; p < plane->n_ports; p++) {
		struct port_conf *pc = &s->settled->port[p];

		trace(TRACE_value_push, -1, 0, 0, NULL, 0);
		if (s->change[p] && push(&plane->port[p], pc->rxfh, s->settled) == 0)
			conf_set_counted(&pc->device, pc->rxfh);
	}
}

/* value_pushed, until value_clear of every queue. */
static void await_queues(struct plane *plane, struct steps *s)
{
	for (unsigned p = 0; p < plane->n_ports; p++) {
		uint32_t queues = s->change[p] ? plane->port[p].rxqs : 0;

		__atomic_store_n(&plane->port[p].moves->undrained, queues, __ATOMIC_RELAXED);
		__atomic_store_n(&plane->port[p].moves->uncleared, queues, __ATOMIC_RELAXED);
		trace(TRACE_value_pushed, -1, 0, 0, NULL, queues);
	}
	plane_put(plane, s->pushed);
	for (unsigned p = 0; p < plane->n_ports; p++)
		wait_for_zero(&plane->port[p].moves->uncleared);
}

static void take_steps(struct plane *plane, struct steps *s)
{
	quieten(plane, s);
	trace(TRACE_value_both, -1, 0, 0, NULL, 0);
	plane_put(plane, s->both);
	push_all(plane, s);
	await_queues(plane, s);
	settle(plane, s->settled);
	trace(TRACE_value_settled, -1, 0, 0, NULL, 0);
	plane_put(plane, s->settled);
}

/* Say what is particular about the first three. */
static void fill_steps(const struct plane *plane, struct steps *s)
{
	uint32_t generation = plane->conf->generation;

	for (unsigned p = 0; p < plane->n_ports; p++) {
		s->change[p] = is_changed(plane, s->settled, p);
		if (!s->change[p])
			continue;
		s->quiet->port[p].arfs = false;
		conf_set_counted(&s->both->port[p].old, plane->conf->port[p].device);
		conf_set_counted(&s->pushed->port[p].old, plane->conf->port[p].device);
		s->pushed->port[p].pushed = true;
	}
	s->both->old_parse = s->pushed->old_parse = *plane->conf->parse;
	settle(plane, s->both);
	settle(plane, s->pushed);
	s->quiet->generation = generation + 1;
	s->both->generation = generation + 2;
	s->pushed->generation = generation + 3;
	s->settled->generation = generation + 4;
}

static int change(struct plane *plane, struct conf *c)
{
	struct steps s = {conf_copy(plane->conf), conf_copy(c), conf_copy(c), c, {false}};

	if (!s.quiet || !s.both || !s.pushed) {
		conf_free(s.quiet, plane->conf);
		conf_free(s.both, c);
		conf_free(s.pushed, c);
		return -ENOMEM;
	}
	fill_steps(plane, &s);
	take_steps(plane, &s);
	return 0;
}

int steering_publish(struct plane *plane, struct conf *c)
{
	bool any = is_any_changed(plane, c);

	if (any && plane->n_running)
		return change(plane, c);
	for (unsigned p = 0; any && p < c->n_ports; p++) {
		if (is_changed(plane, c, p) && push(&plane->port[p], c->port[p].rxfh, c) == 0)
			conf_set_counted(&c->port[p].device, c->port[p].rxfh);
	}
	settle(plane, c);
	plane_put(plane, c);
	return 0;
}

void steering_describe(const struct plane *plane, unsigned p, char *text, size_t size)
{
	const struct port_conf *pc = &plane->conf->port[p];

	if (pc->device == pc->rxfh)
		snprintf(text, size, "device");
	else
		snprintf(text, size, "software (%s%s)", plane->port[p].steer_why,
			 pc->software ? "" : "; nothing is set: the device's own spreading");
}
