/* SPDX-License-Identifier: MIT */
#include "conf.h"

#include "arfs.h"
#include "host/lookup.h"
#include "plane.h"
#include "port/gen.h"
#include "rxfh.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static int new_flows(struct rxq_conf *q, unsigned bits)
{
	struct leat_rps_dev_flow *flows = calloc((size_t)1 << bits, sizeof(*flows));

	if (!flows)
		return -ENOMEM;
	leat_rfs_dev_init(&q->flows, flows, bits);
	return 0;
}

/* `key`: the plane's. Linux too has one for all devices: ports that hash alike choose alike. */
static int default_rxfh(struct port_conf *pc, const struct port *port, const uint8_t *key)
{
	struct leat_rss_conf conf = {
		.key = gen_key(port),
		.key_len = LEAT_RSS_KEY_MIN,
		.indir_size = leat_rss_indir_size(port->rxqs),
		.n_queues = port->rxqs,
	};

	if (!conf.key) {
		conf.key = key;
		conf.key_len = CONF_KEY_LEN;
	}
	return rxfh_new(port->rxqs, &conf, &pc->rxfh);
}

static int default_xps(struct port_conf *pc, const struct plane *plane, const struct port *port)
{
	pc->xps_mem = malloc(leat_xps_size(plane->n_cpus, port->rxqs, port->txqs));
	if (!pc->xps_mem)
		return -ENOMEM;
	return leat_xps_init(&pc->xps, plane->n_cpus, port->rxqs, port->txqs, pc->xps_mem);
}

/* All that the port can do, in sizes that any can. */
static void default_offload(struct port_conf *pc, const struct port *port)
{
	pc->gso.partial = port->partial;
	pc->gso.max_size = pc->gso.max_size4 = CONF_LEGACY_MAX_SIZE;
	pc->gso.max_segs = UINT16_MAX;
	pc->gro_max_size = pc->gro_ipv4_max_size = CONF_LEGACY_MAX_SIZE;
	conf_set_offload(pc, port->features & PORT_TX_CSUM, port->features & PORT_TX_CRC,
			 port->gso);
}

/* Queue q of neighbouring ports goes to different CPUs: a flow between two joined ports comes on
 * the same queue of both, if these hash symmetrically, and its two directions are best served side
 * by side. */
static int default_port(struct port_conf *pc, const struct plane *plane, const struct port *port,
			const uint8_t *key)
{
	pc->rxqs = port->rxqs;
	pc->rx = CONF_RX_GRO | CONF_RX_HASH | CONF_RX_GRO_JUMBO;
	default_offload(pc, port);
	pc->arfs_filters = ARFS_FILTERS;
	pc->rxq = calloc(port->rxqs, sizeof(*pc->rxq));
	pc->rmap.n_cpus = plane->n_cpus;
	pc->rmap.cpu = calloc(plane->n_cpus, sizeof(*pc->rmap.cpu));
	if (!pc->rxq || !pc->rmap.cpu || default_rxfh(pc, port, key) ||
	    default_xps(pc, plane, port))
		return -ENOMEM;
	for (unsigned q = 0; q < port->rxqs; q++) {
		pc->rxq[q].cpu = plane->worker[(q + port->index) % plane->n_workers].cpu;
		if (new_flows(&pc->rxq[q], CONF_FLOW_BITS))
			return -ENOMEM;
	}
	return 0;
}

struct conf *conf_default(const struct plane *plane)
{
	struct conf *c = calloc(1, sizeof(*c));
	uint8_t key[CONF_KEY_LEN];

	if (!c)
		return NULL;
	if (getrandom(key, sizeof(key), 0) != sizeof(key)) {
		free(c);
		return NULL;
	}
	c->generation = 1;
	c->max_backlog = CONF_BACKLOG;
	c->gro_normal_batch = CONF_NORMAL_BATCH;
	c->flow_limit_table_len = LEAT_FLOW_LIMIT_LEN;
	c->n_ports = plane->n_ports;
	c->port = calloc(plane->n_ports, sizeof(*c->port));
	c->n_workers = plane->n_workers;
	c->flow_limit = calloc(c->n_workers, sizeof(*c->flow_limit));
	if (!c->flow_limit || conf_set_parse(c, &leat_parse_default)) {
		conf_free(c, NULL);
		return NULL;
	}
	for (unsigned i = 0; !c->port || i < plane->n_ports; i++) {
		if (c->port && default_port(&c->port[i], plane, &plane->port[i], key) == 0)
			continue;
		conf_free(c, NULL);
		return NULL;
	}
	return c;
}

/* The parts of a port's value that are this value's own. */
static int copy_port(struct port_conf *to, const struct port_conf *from)
{
	*to = *from;
	rxfh_share(to->rxfh);
	rxfh_share(to->device);
	rxfh_share(to->old);
	to->rxq = malloc(from->rxqs * sizeof(*to->rxq));
	to->rmap.cpu = malloc(from->rmap.n_cpus * sizeof(*to->rmap.cpu));
	to->xps_mem = NULL;
	if (!to->rxq)
		return -ENOMEM;
	memcpy(to->rxq, from->rxq, from->rxqs * sizeof(*to->rxq));
	if (!to->rmap.cpu)
		return -ENOMEM;
	memcpy(to->rmap.cpu, from->rmap.cpu, from->rmap.n_cpus * sizeof(*to->rmap.cpu));
	to->xps_mem = malloc(leat_xps_size(from->xps.map[LEAT_XPS_CPUS].n_ids,
					   from->xps.map[LEAT_XPS_RXQS].n_ids, from->xps.n_queues));
	if (!to->xps_mem)
		return -ENOMEM;
	leat_xps_copy(&to->xps, &from->xps, to->xps_mem);
	return 0;
}

struct conf *conf_copy(const struct conf *conf)
{
	struct conf *c = malloc(sizeof(*c));

	if (!c)
		return NULL;
	*c = *conf;
	c->generation++;
	c->port = calloc(c->n_ports, sizeof(*c->port));
	c->flow_limit = malloc(c->n_workers * sizeof(*c->flow_limit));
	if (!c->flow_limit) {
		conf_free(c, conf);
		return NULL;
	}
	memcpy(c->flow_limit, conf->flow_limit, c->n_workers * sizeof(*c->flow_limit));
	for (unsigned i = 0; !c->port || i < c->n_ports; i++) {
		if (c->port && copy_port(&c->port[i], &conf->port[i]) == 0)
			continue;
		conf_free(c, conf);
		return NULL;
	}
	return c;
}

int conf_set_flow_cnt(struct conf *c, unsigned port, unsigned rxq, uint32_t entries)
{
	struct rxq_conf *q = &c->port[port].rxq[rxq];
	uint32_t size = leat_rfs_round(entries);
	int err;

	if (entries && !size)
		return -EINVAL;
	if (size == q->rps_flow_cnt)
		return 0;
	err = new_flows(q, size ? (unsigned)__builtin_ctz(size) : CONF_FLOW_BITS);
	if (!err)
		q->rps_flow_cnt = size;
	return err;
}

int conf_set_sock_flow_entries(struct conf *c, uint32_t entries, unsigned n_cpus)
{
	uint32_t size = leat_rfs_round(entries);
	uint32_t *ents = NULL;

	if (entries && !size)
		return -EINVAL;
	if (size) {
		ents = malloc(size * sizeof(*ents));
		if (!ents)
			return -ENOMEM;
	}
	leat_rfs_sock_init(&c->sock, ents, size, n_cpus);
	c->rps_sock_flow_entries = size;
	return 0;
}

int conf_set_parse(struct conf *c, const struct leat_parse_conf *want)
{
	struct leat_parse_conf *parse = malloc(sizeof(*parse));

	if (!parse)
		return -ENOMEM;
	*parse = *want;
	c->parse = parse;
	return 0;
}

void conf_set_rxfh(struct port_conf *pc, struct rxfh *rxfh)
{
	rxfh_drop(pc->rxfh);
	pc->rxfh = rxfh;
}

int conf_set_flow_limit(struct conf *c, unsigned worker, bool on)
{
	struct leat_flow_limit **fl = &c->flow_limit[worker];

	if (on == (*fl != NULL))
		return 0;
	*fl = on ? malloc(sizeof(**fl) + c->flow_limit_table_len) : NULL;
	if (!on)
		return 0;
	return *fl ? leat_flow_limit_init(*fl, c->flow_limit_table_len, *fl + 1) : -ENOMEM;
}

void conf_set_counted(struct rxfh **place, struct rxfh *rxfh)
{
	rxfh_share(rxfh);
	rxfh_drop(*place);
	*place = rxfh;
}

void conf_set_offload(struct port_conf *pc, bool csum, bool crc, uint32_t wanted)
{
	uint32_t in_force = csum ? wanted : 0;

	if (!(in_force & LEAT_GSO_PARTIAL))
		in_force &= ~pc->gso.partial;
	if (!crc)
		in_force &= ~LEAT_GSO_SCTP;
	if (!(in_force & (LEAT_GSO_TCPV4 | LEAT_GSO_TCPV6)))
		in_force &= ~LEAT_GSO_TCP_ECN;
	if (!(in_force & LEAT_GSO_TCPV4))
		in_force &= ~CONF_MANGLEID;
	pc->wanted = wanted;
	pc->gso.features = in_force;
	pc->gso.csum_partial = csum;
	pc->gso.crc_partial = crc;
}

static void free_port(struct port_conf *pc, const struct port_conf *still)
{
	rxfh_drop(pc->rxfh);
	rxfh_drop(pc->device);
	rxfh_drop(pc->old);
	for (unsigned q = 0; pc->rxq && q < pc->rxqs; q++) {
		if (!still || still->rxq[q].flows.flows != pc->rxq[q].flows.flows)
			free(pc->rxq[q].flows.flows);
	}
	free(pc->rxq);
	free(pc->xps_mem);
	free(pc->rmap.cpu);
}

void conf_free(struct conf *c, const struct conf *still)
{
	if (!c)
		return;
	for (unsigned i = 0; c->port && i < c->n_ports; i++)
		free_port(&c->port[i], still ? &still->port[i] : NULL);
	for (unsigned i = 0; c->flow_limit && i < c->n_workers; i++) {
		if (!still || still->flow_limit[i] != c->flow_limit[i])
			free(c->flow_limit[i]);
	}
	free(c->flow_limit);
	if (!still || still->sock.ents != c->sock.ents)
		free(c->sock.ents);
	if (!still || still->parse != c->parse)
		free(c->parse);
	if (!still || still->lookup != c->lookup)
		lookup_free(c->lookup);
	free(c->port);
	free(c);
}
