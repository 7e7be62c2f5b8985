/* SPDX-License-Identifier: MIT */
/*
 * conf.h - the plane's configuration as one immutable value.
 *
 * Workers load the pointer once per turn and say which generation they have seen. The writer
 * (any one thread at a time, under plane->conf_lock) copies the value, changes the copy,
 * publishes it, waits until every worker has seen it, and frees what only the old one had. A
 * change that fails is freed unpublished: nothing has happened.
 *
 * The entries of the RFS tables are not configuration: the value holds where they are.
 */
#ifndef PLANE_CONF_H
#define PLANE_CONF_H

#include <leat/gro.h>
#include <leat/rfs.h>
#include <leat/rss.h>
#include <leat/xps.h>

struct plane;

/* What GRO does of a port's frames; features of PORT/features/. */
#define CONF_RX_GRO	    (1u << 0) /* rx-gro */
#define CONF_RX_UDP_GRO_FWD (1u << 1) /* rx-udp-gro-forwarding */
#define CONF_RX_HASH	    (1u << 2) /* rx-hashing */

enum {
	CONF_FLOW_BITS = 12,	     /* flows a queue keeps for order when rps_flow_cnt is 0 */
	CONF_BACKLOG = 1000,	     /* netdev_max_backlog */
	CONF_BACKLOG_ROOM_MIN = 4096 /* the least a backlog ring is made for */
};

struct rxq_conf {
	uint16_t cpu;		 /* whose worker serves the queue (smp_affinity_list) */
	struct leat_rps_map rps; /* rps_cpus */
	uint32_t rps_flow_cnt;	 /* 0: no RFS on this queue */
	struct leat_rps_dev_flow_table flows; /* shared by successive values unless resized */
};

struct port_conf {
	struct leat_rss *rss;	    /* shared by successive values unless changed */
	uint32_t rx;		    /* CONF_RX_* */
	uint32_t wanted;	    /* LEAT_GSO_* asked to be left to the port */
	uint32_t gso;		    /* those in force: what is wanted and has what it needs */
	bool tx_csum;		    /* checksums left to the port */
	uint64_t gro_flush_timeout; /* ns; 0: at the end of a poll */
	struct leat_xps xps;
	void *xps_mem; /* of xps: this value's own */
	unsigned rxqs;
	struct rxq_conf *rxq; /* rxqs of them */
};

struct conf {
	uint32_t generation;
	uint32_t max_backlog; /* netdev_max_backlog: packets beyond which a backlog drops */
	uint32_t busy_poll;   /* us a worker without work spins before it sleeps (busy_poll) */
	uint32_t rps_sock_flow_entries;
	struct leat_rps_sock_flow_table sock; /* shared by successive values unless resized */
	unsigned n_ports;
	struct port_conf *port;
};

/* The value a plane starts with: queues spread over its CPUs, RPS, RFS and XPS off, GRO on.
 * NULL without memory. */
struct conf *conf_default(const struct plane *plane);

/* A deep copy, apart from what is shared; generation + 1. NULL without memory. */
struct conf *conf_copy(const struct conf *conf);

/* Change a copy that is not published yet, each thing once. Gives 0, -EINVAL or -ENOMEM; the copy
 * is good either way. */
int conf_set_flow_cnt(struct conf *conf, unsigned port, unsigned rxq, uint32_t entries);
int conf_set_sock_flow_entries(struct conf *conf, uint32_t entries, unsigned n_cpus);
int conf_set_rss(struct conf *conf, unsigned port, const struct leat_rss_conf *want);

/* Leave checksums and the `wanted` segmentations to the port. A segmentation without what it needs
 * waits: it comes into force with it. */
void conf_set_offload(struct port_conf *pc, bool tx_csum, uint32_t wanted);

/* Free a copy, and what of it `still` (the value in force, or NULL) does not share. */
void conf_free(struct conf *conf, const struct conf *still);

#endif
