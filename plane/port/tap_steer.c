/* SPDX-License-Identifier: MIT */
/*
 * Steering of a TAP in the kernel: the program bpf/steer.bpf.c, loaded for this port alone, and the
 * maps in which it finds its value.
 *
 * A new value is made in maps of its own, put in the place that the one in force does not use, and
 * taken into force by replacing the head: see bpf/steer.h. The kernel comes back from that when no
 * program still runs that saw the former; and since the interface has no qdisc, a frame is put into
 * its queue under the same lock of RCU as the program runs. So nothing is being queued by the former
 * value then.
 *
 * Everything hangs on descriptors. Nothing is pinned, and nothing is left when they are closed.
 */
#include "tap.h"

#include "bpf/steer.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <steer.skel.h>
#include <string.h>
#include <unistd.h>

enum { FILTERS_MAX = STEER_FILTERS_MAX };

/* A filter of accelerated RFS. */
struct filter {
	uint32_t hash;
	uint16_t next; /* not used: the next of the free ones */
	bool used;
};

struct tap_steer {
	struct steer_bpf *bpf; /* NULL: not loaded, and the kernel chooses */
	uint32_t place;	       /* of the value in force */
	bool filtering;	       /* its rules drop */

	pthread_mutex_t lock; /* of the map of flows and what follows */
	unsigned fresh;	      /* filters from here on were never used */
	uint16_t free;	      /* the first of those free again; FILTERS_MAX: none */
	struct filter filter[FILTERS_MAX];
};

/* A value that is being made: its maps, -1 if there is none. */
struct value {
	int head, contexts, rules;
};

static const struct value NO_VALUE = {-1, -1, -1};

static int silence(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level, (void)format, (void)args;
	return 0;
}

struct tap_steer *tap_steer_new(void)
{
	struct tap_steer *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	pthread_mutex_init(&s->lock, NULL);
	s->free = FILTERS_MAX;
	return s;
}

static void close_map(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* --- making a value --- */

static int make_contexts(const struct leat_rxfh *rxfh)
{
	struct bpf_map_create_opts any_size = {.sz = sizeof(any_size),
					       .map_flags = BPF_F_INNER_MAP};
	uint32_t n = LEAT_RXFH_CONTEXTS_MAX;
	int fd;

	while (!rxfh->context[n - 1])
		n--;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "leat_contexts", sizeof(uint32_t),
			    sizeof(struct leat_rss), n, &any_size);
	for (uint32_t id = 0; fd >= 0 && id < n; id++) {
		int e = rxfh->context[id] ? bpf_map_update_elem(fd, &id, rxfh->context[id], 0) : 0;

		if (e) {
			close(fd);
			return e;
		}
	}
	return fd;
}

/* Of rules with the same value only the first is in a group's slots. */
static int add_rules(int fd, const struct leat_rxfh *rxfh, uint8_t group)
{
	const struct leat_ntuple_group *g = &rxfh->ntuple->group[group];
	int e = 0;

	for (uint32_t i = 0; !e && i < g->slots; i++) {
		const struct leat_ntuple_rule *rule = &rxfh->ntuple->rule[g->slot[i].rule - 1];
		struct steer_rule to = {.index = g->slot[i].rule - 1};
		struct leat_ntuple_key key;

		if (!g->slot[i].rule)
			continue;
		key = rule->value;
		key.STEER_GROUP = group;
		to.action = rule->action;
		to.queue = rule->action == LEAT_NTUPLE_DROP ? 0 : rule->queue;
		if (rule->action == LEAT_NTUPLE_CONTEXT && rule->context < LEAT_RXFH_CONTEXTS_MAX &&
		    rxfh->context[rule->context])
			to.context = rule->context;
		e = bpf_map_update_elem(fd, &key, &to, BPF_ANY);
	}
	return e;
}

static int make_rules(const struct leat_rxfh *rxfh)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "leat_rules", sizeof(struct leat_ntuple_key),
				sizeof(struct steer_rule), rxfh->ntuple->n_rules, NULL);

	for (unsigned i = 0; fd >= 0 && i < rxfh->ntuple->n_groups; i++) {
		int e = add_rules(fd, rxfh, (uint8_t)i);

		if (e) {
			close(fd);
			return e;
		}
	}
	return fd;
}

static int make_head(const struct port *port, const struct leat_rxfh *rxfh, uint32_t place)
{
	const struct tap *tap = port->priv;
	struct steer_head head = {
		.place = place,
		.first = tap->first,
		.queues = rxfh->n_queues,
		.groups = rxfh->ntuple ? rxfh->ntuple->n_groups : 0,
		.parse = port->parse ? *port->parse : leat_parse_default,
	};
	uint32_t zero = 0;
	int fd, e;

	for (unsigned i = 0; i < head.groups; i++) {
		head.group[i].mask = rxfh->ntuple->group[i].mask;
		head.group[i].mask.flow = rxfh->ntuple->group[i].flow;
		head.group[i].first = rxfh->ntuple->group[i].first;
	}
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "leat_head", sizeof(uint32_t), sizeof(head), 1,
			    NULL);
	e = fd < 0 ? fd : bpf_map_update_elem(fd, &zero, &head, 0);
	if (fd >= 0 && e)
		close(fd);
	return e ? e : fd;
}

static void close_value(const struct value *v)
{
	close_map(v->head);
	close_map(v->contexts);
	close_map(v->rules);
}

static bool has_rules(const struct leat_rxfh *rxfh)
{
	return rxfh->ntuple && rxfh->ntuple->n_rules;
}

static int make_value(const struct port *port, const struct leat_rxfh *rxfh, uint32_t place,
		      struct value *v)
{
	*v = NO_VALUE;
	v->contexts = make_contexts(rxfh);
	if (v->contexts < 0)
		return v->contexts;
	if (has_rules(rxfh)) {
		v->rules = make_rules(rxfh);
		if (v->rules < 0)
			return v->rules;
	}
	v->head = make_head(port, rxfh, place);
	return v->head < 0 ? v->head : 0;
}

/* --- taking it into force --- */

/* Returns when no program still runs that saw what was there before. */
static int put(const struct bpf_map *map, uint32_t place, int fd)
{
	return bpf_map_update_elem(bpf_map__fd(map), &place, &fd, BPF_ANY);
}

static int put_beside(const struct tap_steer *s, uint32_t place, const struct value *v)
{
	int e = put(s->bpf->maps.contexts, place, v->contexts);

	if (!e && v->rules >= 0)
		e = put(s->bpf->maps.rules, place, v->rules);
	return e;
}

static int set_filter(const struct tap *tap, bool on)
{
	struct tap_steer *s = tap->steer;
	int e = s->filtering == on ?
			0 :
			tap_set_program(tap, TAP_FILTER,
					on ? bpf_program__fd(s->bpf->progs.filter) : -1);

	if (!e)
		s->filtering = on;
	return e;
}

static bool has_drops(const struct leat_rxfh *rxfh)
{
	for (unsigned i = 0; has_rules(rxfh) && i < rxfh->ntuple->n_rules; i++) {
		if (rxfh->ntuple->rule[i].action == LEAT_NTUPLE_DROP)
			return true;
	}
	return false;
}

/* A rule that drops has to be able to before it is in force, and until it no longer is. */
static int change(const struct port *port, const struct leat_rxfh *rxfh, struct value *v)
{
	const struct tap *tap = port->priv;
	struct tap_steer *s = tap->steer;
	uint32_t place = (s->place + 1) % STEER_PLACES;
	bool drops = has_drops(rxfh);
	int e = make_value(port, rxfh, place, v);

	if (!e)
		e = put_beside(s, place, v);
	if (!e && drops)
		e = set_filter(tap, true);
	if (!e)
		e = put(s->bpf->maps.heads, 0, v->head);
	if (!e)
		s->place = place;
	if (!e && !drops)
		(void)set_filter(tap, false); /* if it stays it finds nothing to drop */
	return e;
}

/* --- loading --- */

static int explain(int e, char *err, size_t err_len)
{
	if (e == -EPERM || e == -EACCES)
		return port_fail(
			err, err_len, EPERM,
			"a program in the kernel needs CAP_BPF and CAP_NET_ADMIN, which no "
			"user namespace gives");
	if (e == -ENOMEM)
		return port_fail(err, err_len, ENOMEM, "%s", strerror(ENOMEM));
	return port_fail(err, err_len, EOPNOTSUPP, "the kernel refuses the steering program: %s",
			 strerror(-e));
}

static void unload(const struct tap *tap)
{
	(void)set_filter(tap, false);
	steer_bpf__destroy(tap->steer->bpf);
	tap->steer->bpf = NULL;
}

/* Load the program, give it its first value, and have the kernel ask it. */
static int start(const struct port *port, const struct leat_rxfh *rxfh, struct value *v)
{
	const struct tap *tap = port->priv;
	struct tap_steer *s = tap->steer;
	int e;

	libbpf_set_print(silence);
	s->bpf = steer_bpf__open_and_load();
	if (!s->bpf)
		return -errno;
	e = change(port, rxfh, v);
	if (!e)
		e = tap_set_program(tap, TAP_STEERING, bpf_program__fd(s->bpf->progs.steer));
	if (e)
		unload(tap);
	return e;
}

/* One queue needs no program, unless it is to drop. */
static bool is_needed(const struct tap *tap, const struct leat_rxfh *rxfh)
{
	return tap->steer->bpf || tap->queues > 1 || has_drops(rxfh);
}

/* A rule that only the plane can apply, or NULL. */
static const struct leat_ntuple_rule *find_filter(const struct leat_rxfh *rxfh)
{
	for (unsigned i = 0; has_rules(rxfh) && i < rxfh->ntuple->n_rules; i++) {
		if (rxfh->ntuple->rule[i].filter)
			return &rxfh->ntuple->rule[i];
	}
	return NULL;
}

int tap_steer(struct port *port, const struct leat_rxfh *rxfh, char *err, size_t err_len)
{
	const struct tap *tap = port->priv;
	const struct leat_ntuple_rule *filter = find_filter(rxfh);
	struct value v = NO_VALUE;
	int e;

	if (!tap->steering)
		return port_fail(err, err_len, EOPNOTSUPP, "steering=software");
	if (filter)
		return port_fail(err, err_len, EOPNOTSUPP,
				 "the kernel cannot apply the filter of rule %u",
				 (unsigned)filter->location);
	if (!is_needed(tap, rxfh))
		return 0;
	e = tap->steer->bpf ? change(port, rxfh, &v) : start(port, rxfh, &v);
	close_value(&v);
	return e ? explain(e, err, err_len) : 0;
}

void tap_steer_free(struct tap_steer *s)
{
	if (!s)
		return;
	steer_bpf__destroy(s->bpf);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

uint64_t tap_rule_dropped(const struct port *port)
{
	const struct tap *tap = port->priv;
	int cpus = libbpf_num_possible_cpus();
	uint64_t *count = cpus > 0 ? calloc((size_t)cpus, sizeof(*count)) : NULL;
	uint64_t sum = 0;
	uint32_t zero = 0;

	if (count && tap->steer->bpf &&
	    bpf_map_lookup_elem(bpf_map__fd(tap->steer->bpf->maps.dropped), &zero, count) == 0) {
		for (int i = 0; i < cpus; i++)
			sum += count[i];
	}
	free(count);
	return sum;
}

/* --- accelerated RFS --- */

/* Gives a filter that is not used, or FILTERS_MAX. */
static uint16_t find_free(const struct tap_steer *s)
{
	return s->free != FILTERS_MAX ? s->free : (uint16_t)s->fresh;
}

static void take_filter(struct tap_steer *s, uint16_t id, uint32_t hash)
{
	if (s->free == id)
		s->free = s->filter[id].next;
	else
		s->fresh++;
	s->filter[id] = (struct filter){.hash = hash, .used = true};
}

/* A hash has one filter, which its next steering changes. */
static int steer_flow(struct tap_steer *s, uint32_t hash, uint16_t q)
{
	int flows = bpf_map__fd(s->bpf->maps.flows), e;
	struct steer_flow flow;

	if (bpf_map_lookup_elem(flows, &hash, &flow))
		flow.filter = find_free(s);
	if (flow.filter == FILTERS_MAX)
		return -ENOSPC;
	flow.queue = q;
	e = bpf_map_update_elem(flows, &hash, &flow, BPF_ANY);
	if (e)
		return e;
	if (!s->filter[flow.filter].used)
		take_filter(s, flow.filter, hash);
	return flow.filter;
}

int tap_flow_steer(struct port *port, uint32_t hash, uint16_t q, uint32_t flow_id)
{
	struct tap_steer *s = ((struct tap *)port->priv)->steer;
	int filter;

	(void)flow_id;
	if (!s->bpf) /* one queue */
		return -EOPNOTSUPP;
	pthread_mutex_lock(&s->lock);
	filter = steer_flow(s, hash, q);
	pthread_mutex_unlock(&s->lock);
	return filter;
}

void tap_flow_forget(struct port *port, uint16_t id)
{
	struct tap_steer *s = ((struct tap *)port->priv)->steer;

	pthread_mutex_lock(&s->lock);
	if (id < s->fresh && s->filter[id].used) {
		bpf_map_delete_elem(bpf_map__fd(s->bpf->maps.flows), &s->filter[id].hash);
		s->filter[id] = (struct filter){.next = s->free};
		s->free = id;
	}
	pthread_mutex_unlock(&s->lock);
}
