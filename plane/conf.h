/* SPDX-License-Identifier: MIT */
/*
 * conf.h - the plane's configuration as one immutable value.
 *
 * Workers load the pointer once per turn and say which generation they have seen. The writer
 * (any one thread at a time, under plane->conf_lock) copies the value, changes the copy,
 * publishes it, waits until every worker has seen it, and frees what only the old one had. A
 * change that fails is freed unpublished: nothing has happened.
 *
 * The entries of the RFS tables and of the flow limits are not configuration: the value holds where
 * they are.
 */
#ifndef PLANE_CONF_H
#define PLANE_CONF_H

#include <leat/arfs.h>
#include <leat/flow_limit.h>
#include <leat/gro.h>
#include <leat/gso.h>
#include <leat/parse.h>
#include <leat/xps.h>

struct lookup;
struct plane;
struct rxfh;

/* What GRO does of a port's frames; features of PORT/features/. */
#define CONF_RX_GRO	    (1u << 0) /* rx-gro */
#define CONF_RX_UDP_GRO_FWD (1u << 1) /* rx-udp-gro-forwarding */
#define CONF_RX_HASH	    (1u << 2) /* rx-hashing */
#define CONF_RX_GRO_LIST    (1u << 3) /* rx-gro-list */
#define CONF_RX_GRO_SCTP    (1u << 4) /* rx-gro-sctp, our own */
#define CONF_RX_GRO_ACCECN  (1u << 5) /* rx-gro-accecn, our own */
#define CONF_RX_GRO_JUMBO   (1u << 6) /* rx-gro-jumbogram, our own */

enum {
	CONF_FLOW_BITS = 12,	      /* flows a queue keeps for order when rps_flow_cnt is 0 */
	CONF_BACKLOG = 1000,	      /* netdev_max_backlog */
	CONF_NORMAL_BATCH = 65536,    /* gro_normal_batch: all of a poll */
	CONF_BACKLOG_ROOM_MIN = 4096, /* the least a backlog ring is made for */
	CONF_LEGACY_MAX_SIZE = 65536, /* gso_max_size and the others, unless set */
	CONF_KEY_LEN = 52,	      /* bytes of a hash key, unless set: the kernel's host key */
};

/* tx-tcp-mangleid-segmentation */
#define CONF_MANGLEID (LEAT_GSO_TCP_FIXEDID | LEAT_GSO_TCP_FIXEDID_INNER)

struct rxq_conf {
	uint16_t cpu;		 /* whose worker serves the queue (smp_affinity_list) */
	struct leat_rps_map rps; /* rps_cpus */
	uint32_t rps_flow_cnt;	 /* 0: no RFS on this queue */
	struct leat_rps_dev_flow_table flows; /* shared by successive values unless resized */
};

struct port_conf {
	struct rxfh *rxfh;	   /* shared by successive values unless changed */
	struct rxfh *device;	   /* what the device chooses queues by; NULL: its own way */
	struct rxfh *old;	   /* what it did before: frames by it may still come; or NULL */
	bool pushed;		   /* with `old`: none is put on a queue by it any more */
	bool software;		   /* the plane chooses by rxfh instead */
	uint32_t arfs_filters;	   /* flows that the port may be made to steer at once */
	bool arfs;		   /* RFS is accelerated: by rmap */
	struct leat_cpu_rmap rmap; /* its memory this value's own */
	uint32_t rx;		   /* CONF_RX_* */
	uint32_t wanted;	   /* LEAT_GSO_* asked to be left to the port */
	struct leat_gso_conf gso;  /* features: those in force, which are wanted and have what they
				     * need; csum_partial, crc_partial: checksums, and SCTP's, are
				     * left to the port */
	uint32_t gro_max_size;
	uint32_t gro_ipv4_max_size;
	uint64_t gro_flush_timeout; /* ns; 0: at the end of a poll */
	struct leat_xps xps;
	void *xps_mem; /* of xps: this value's own */
	unsigned rxqs;
	struct rxq_conf *rxq; /* rxqs of them */
};

struct conf {
	uint32_t generation;
	uint32_t max_backlog;	   /* netdev_max_backlog: packets beyond which a backlog drops */
	uint32_t busy_poll;	   /* us a worker without work spins before it sleeps (busy_poll) */
	uint32_t gro_normal_batch; /* segments that a queue's poll gives to the path at a time */
	uint32_t flow_limit_table_len; /* of flow limits made from now on */
	struct leat_rps_map rps_default_mask;
	uint32_t rps_sock_flow_entries;
	struct leat_rps_sock_flow_table sock; /* shared by successive values unless resized */
	struct leat_parse_conf *parse;	      /* shared by successive values unless changed */
	struct leat_parse_conf old_parse;     /* what ports with `old` went by when they did so */
	struct lookup *lookup; /* of endpoints, NULL: none; shared by successive values likewise */
	unsigned n_workers;
	struct leat_flow_limit **flow_limit; /* n_workers: each one's, written by it; NULL: off.
						Shared by successive values unless changed */
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
int conf_set_parse(struct conf *conf, const struct leat_parse_conf *want);
int conf_set_flow_limit(struct conf *conf, unsigned worker, bool on);

/* Take `rxfh`, one user of it, in place of the port's: another of those made of it, any number of
 * times. */
void conf_set_rxfh(struct port_conf *pc, struct rxfh *rxfh);

/* Have one more user of `rxfh`, or NULL, in *place instead of what was there. */
void conf_set_counted(struct rxfh **place, struct rxfh *rxfh);

/* Leave checksums (SCTP's, if `crc`) and the `wanted` segmentations to the port, by the kernel's
 * rules: without checksums there are none, without a TCP segmentation no ECN, without that of IPv4 no fixed IDs,
 * and without partial GSO none of those that the port can only do so. What lacks what it needs
 * waits: it comes into force with it. */
void conf_set_offload(struct port_conf *pc, bool csum, bool crc, uint32_t wanted);

/* Free a copy, and what of it `still` (the value in force, or NULL) does not share. */
void conf_free(struct conf *conf, const struct conf *still);

#endif
