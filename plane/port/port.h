/* SPDX-License-Identifier: MIT */
/*
 * port.h - what a port is to the plane: queues to receive from, queues to transmit on.
 *
 * A port kind is one file and one struct port_ops. Each receive queue is served by one worker
 * at a time, each transmit queue is locked by its user, so neither needs to care for threads;
 * open, close and up are called by the main thread while no worker runs.
 *
 * Every receive queue has a descriptor to wait on (readable: receive may give something), so
 * that a worker sleeps in one place. Time is CLOCK_MONOTONIC, ns.
 */
#ifndef PLANE_PORT_PORT_H
#define PLANE_PORT_PORT_H

#include <leat/parse.h>
#include <leat/pkt.h>
#include <leat/rxfh.h>
#include <leat/vnet.h>
#include <net/if.h>
#include <pthread.h>
#include <sys/uio.h>

enum {
	PORT_QUEUES_MAX = 256,
	PORT_NAME_MAX = IFNAMSIZ,
	PORT_BATCH = 64,
	PORT_BATCH_BYTES = 128 << 10, /* after which a batch is full: what stays in the cache */
};

/* Features of a port beside its GSO types (LEAT_GSO_*). */
#define PORT_TX_CSUM  (1u << 0) /* completes partial checksums */
#define PORT_SG	      (1u << 1) /* takes frames in slices */
#define PORT_TX_CRC   (1u << 3) /* completes partial CRC32c of SCTP */
#define PORT_RX_TRUST (1u << 2) /* what it receives has right or known checksums */

struct arfs;
struct moves;
struct pool;
struct port;
struct txflow;

/* Bytes in front of a frame to transmit that the port may write to, for its own header. */
enum { PORT_HEADROOM = LEAT_VNET_HDR_LEN_MAX };

/* A frame to transmit. iov[0] begins with its first byte and the PORT_HEADROOM bytes in front of
 * that are free: the port puts its header (vnet) there and moves iov[0] back over it. */
struct port_frame {
	struct iovec *iov;
	unsigned niov;
	uint32_t len; /* bytes of the frame */
	struct leat_vnet_meta meta;
	const struct leat_pkt *pkt; /* the packet it is, or a segment of it */
};

/* --port NAME=KIND,option=value,... : the options, each a "name", "value" pair. */
struct port_option {
	const char *name, *value;
};

struct port_args {
	const char *name; /* of the port */
	const char *kind;
	const struct port_ops *ops; /* one of the caller's own instead of a kind; or NULL */
	struct port_option option[32];
	unsigned options;
};

struct port_ops {
	const char *kind;
	const char *help; /* its options, a line each, for --help */

	/* Take the options, make the device, set the port's rxqs, txqs, features and gso, priv.
	 * 0; or -errno with a message (what, which, why) in err and nothing left behind. */
	int (*open)(struct port *port, const struct port_args *args, char *err, size_t err_len);

	/* Let traffic flow (link up, generator started). Workers start when all ports are up, so
	 * that none forwards to a port that is not. */
	int (*up)(struct port *port, char *err, size_t err_len);

	/* Undo open. */
	void (*close)(struct port *port);

	/* Receive up to n frames of queue q in buffers of `pool`. Sets data, len, chain, stamp and
	 * what the port knows (csum, gso, hash), as far as it can without parsing. Gives how many,
	 * fewer than n when the queue is empty or PORT_BATCH_BYTES were reached, or -errno when the
	 * port is gone for good. */
	int (*receive)(struct port *port, unsigned q, struct pool *pool, struct leat_pkt **pkts,
		       unsigned n);

	/* What receive gave, parsed now: take over what came with it of checksums, segments and
	 * hash, drop what contradicts itself, count. Gives how many are left. NULL: nothing to
	 * do. */
	unsigned (*check)(struct port *port, unsigned q, struct pool *pool, struct leat_pkt **pkts,
			  unsigned n);

	/* Transmit n frames on queue q. Gives how many it took; the rest was dropped, and why is
	 * counted in the queue's errors. -errno: the port is gone for good. */
	int (*transmit)(struct port *port, unsigned q, struct port_frame *frames, unsigned n);

	/* Have the device choose receive queues by `rxfh` from now on, which stays as it is until
	 * the next call has returned or the port is closed; when it returns nothing is being put on
	 * a queue by the former value. Rules come first, then filters of flow_steer, then context
	 * 0's table. 0; -errno with a message in err: the device goes on as before, and the plane
	 * steers in software. Called by the configuring thread, the first time before up(), later
	 * with traffic flowing but no filters. NULL: cannot. */
	int (*steer)(struct port *port, const struct leat_rxfh *rxfh, char *err, size_t err_len);

	/* Accelerated RFS (the kernel's ndo_rx_flow_steer): frames that no rule matches and whose
	 * hash is `hash` come on queue q from now on; flow_id is the flow's index in q's table.
	 * A hash that has a filter keeps it, and its id. Gives the filter's id, 0 to 0xfffe, or
	 * -errno and nothing has changed (-ENOSPC: full). From workers, any at once. NULL: cannot. */
	int (*flow_steer)(struct port *port, uint32_t hash, uint16_t q, uint32_t flow_id);

	/* Forget a filter: frames of its hash come on their own queue again. From workers. */
	void (*flow_forget)(struct port *port, uint16_t filter);

	/* Frames that the device dropped because a rule says so. From the configuring thread. NULL:
	 * none. */
	uint64_t (*rule_dropped)(const struct port *port);

	/* What receive waits for; owned by the port. */
	int (*fd)(const struct port *port, unsigned q);

	/* Whether nothing will ever be received again (a file read to its end). NULL: never. */
	bool (*finished)(const struct port *port);
};

/* Counters of a queue: one writer at a time, read by anyone relaxed. */
struct queue_stats {
	uint64_t packets; /* frames as they were on the port */
	uint64_t bytes;
	uint64_t segments;  /* wire-sized frames that these stand for */
	uint64_t largest;   /* bytes of the largest frame so far */
	uint64_t errors;    /* refused by the device */
	uint64_t dropped;   /* lost on our side of the device: no buffer, no room */
	uint64_t contended; /* tx: the lock was held by another */
};

struct txq {
	_Alignas(64) pthread_mutex_t lock;
	struct queue_stats stats;
};

struct port {
	const struct port_ops *ops;
	char name[PORT_NAME_MAX];
	unsigned index; /* in the plane */
	unsigned rxqs, txqs;
	uint32_t gso;	       /* LEAT_GSO_* it can segment itself */
	uint32_t partial;      /* of them, those it can only do after partial GSO */
	uint32_t tso_max_size; /* bytes it takes super-packets of, and what gso_max_size may be set
				* to; 0: 65536 */
	uint32_t features;     /* PORT_* */
	uint32_t mtu;	       /* bytes of an IP packet; 0: any */
	uint32_t rx_ring;      /* frames that it holds for a receive queue at most; 0: not known */
	char steer_why[160];   /* why it does not steer: the configuring thread's */
	const struct leat_parse_conf *parse; /* likewise: of a device that looks into tunnels */
	bool gone;			     /* atomic: its device is no more */
	bool failed;			     /* atomic: it could not do all of its work */
	void *priv;
	struct txq *txq; /* txqs of them; made by the plane after open, as the next two */
	struct txflow *tx_flow;
	struct queue_stats *rx_stats; /* rxqs of them */
	struct moves *moves;
	struct arfs *arfs; /* NULL: it has no flow_steer */
};

/* The value of option `name`, the last one given, or `otherwise`. */
const char *port_option(const struct port_args *args, const char *name, const char *otherwise);

/* The same as a number from min to max; -EINVAL with a message naming port, option and range. */
int port_number(const struct port_args *args, const char *name, unsigned long otherwise,
		unsigned long min, unsigned long max, unsigned long *value, char *err,
		size_t err_len);

/* -EINVAL with a message if an option is none of `names` (NULL at the end). */
int port_known(const struct port_args *args, const char *const *names, char *err, size_t err_len);

/* Write a message to err; gives -error. */
int port_fail(char *err, size_t err_len, int error, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The device is no more: say so once, and count what is sent to it as dropped. */
void port_lost(struct port *port);

/* For port kinds: count packets received on queue q, a frame transmitted on it. */
void port_count_rx(struct port *port, unsigned q, struct leat_pkt *const *pkts, unsigned n);
void port_count_tx(struct port *port, unsigned q, const struct port_frame *frame);

/* All kinds, NULL at the end. */
extern const struct port_ops *const port_kinds[];
extern const struct port_ops port_tap, port_pcap, port_gen;

#endif
