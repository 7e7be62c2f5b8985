/* SPDX-License-Identifier: MIT */
/*
 * A capture file as a port: what it receives comes from one file, what it transmits goes to
 * another.
 *
 * Each receive queue reads the file for itself and leaves to the others what RSS gives to them; so
 * queues share nothing. With one queue nothing is hashed here.
 *
 * A pipe may be silent, and its queue's worker has others to serve: it waits for the input itself.
 */
#include "port.h"

#include "../pool.h"
#include "../stats.h"
#include "capture.h"
#include "pace.h"

#include <errno.h>
#include <leat/parse.h>
#include <leat/rss.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct pcap_queue {
	_Alignas(64) struct capture_reader reader;
	struct pace pace;
	int wait;	   /* epoll of what a live input's queue waits for; -1: the pace alone */
	bool awaits_input; /* and that is the input, not the pace */
	struct capture_frame frame;
	bool peeked;	 /* frame has been read ahead */
	bool pending;	 /* frame is the next to be received */
	bool done;	 /* atomic */
	uint64_t rounds; /* times the file is still to be read, 0: for ever */
	uint64_t found;	 /* frames of this queue in this round */
};

struct pcap {
	char *in; /* NULL: none */
	bool writing;
	struct capture_writer writer;
	uint64_t epoch;	      /* CLOCK_REALTIME when CLOCK_MONOTONIC was 0, ns */
	struct leat_rss *rss; /* NULL with one queue */
	unsigned queues;
	struct pcap_queue queue[];
};

/* The key of the RSS verification suite. */
static const uint8_t rss_key[LEAT_RSS_KEY_MIN] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int make_rss(struct pcap *p)
{
	struct leat_rss_conf conf = {
		.key = rss_key,
		.key_len = sizeof(rss_key),
		.n_queues = p->queues,
	};

	if (p->queues == 1)
		return 0;
	p->rss = malloc(sizeof(*p->rss));
	return p->rss ? leat_rss_init(p->rss, &conf) : -ENOMEM;
}

/* Whether RSS gives the frame to queue q. */
static bool is_ours(const struct pcap *p, unsigned q, const struct capture_frame *frame)
{
	struct leat_pkt pkt, *one = &pkt;
	enum leat_hash_type type;
	uint32_t hash;

	if (!p->rss)
		return true;
	leat_pkt_init(&pkt, (uint8_t *)frame->data, frame->len);
	leat_parse(NULL, &one, 1);
	hash = leat_rss_hash(p->rss, &pkt, &type);
	return (type == LEAT_HASH_NONE ? 0 : leat_rss_pick(p->rss, hash)) == q;
}

static void fail(struct port *port)
{
	__atomic_store_n(&port->failed, true, __ATOMIC_RELAXED);
}

static void finish(struct pcap_queue *pq)
{
	pace_stop(&pq->pace);
	__atomic_store_n(&pq->done, true, __ATOMIC_RELEASE);
}

/* The file has ended, or goes no further: begin again, unless that would give nothing. */
static bool end_round(struct port *port, struct pcap_queue *pq, int got)
{
	struct pcap *p = port->priv;

	if (got == 0 && pq->found && pq->rounds != 1 && capture_rewind(&pq->reader) == 0) {
		pq->rounds -= pq->rounds > 0;
		pq->found = 0;
		return true;
	}
	if (pq->reader.failed) {
		fprintf(stderr, "leat: %s: in=%s: %s\n", port->name, p->in, pq->reader.error);
		fail(port);
	}
	finish(pq);
	return false;
}

/* Have a frame that may be received: of Ethernet, this queue's, not too long. False: there is none,
 * or not yet. */
static bool next_frame(struct port *port, unsigned q)
{
	struct pcap *p = port->priv;
	struct pcap_queue *pq = &p->queue[q];

	while (!pq->pending && !pq->done) {
		int got = pq->peeked ? 1 : capture_read(&pq->reader, &pq->frame);

		pq->peeked = false;
		if (got == -EAGAIN)
			return false;
		if (got != 1) {
			if (!end_round(port, pq, got))
				return false;
			continue;
		}
		pq->pending = is_ours(p, q, &pq->frame);
		if (pq->pending && (pq->frame.link_type != CAPTURE_ETHERNET ||
				    pq->frame.len > LEAT_PKT_LEN_MAX || pq->frame.len == 0)) {
			stat_add(&port->rx_stats[q].errors, 1);
			pq->pending = false;
		}
		pq->found += pq->pending;
	}
	return pq->pending;
}

/* A packet with the frame's bytes, chained if they are many; NULL if the pool is empty. */
static struct leat_pkt *copy_frame(struct pool *pool, const struct capture_frame *frame)
{
	struct leat_pkt *head = NULL;
	uint32_t room;

	for (uint32_t off = 0; off < frame->len; off += room) {
		uint32_t left = frame->len - off;
		struct leat_pkt *pkt = left <= POOL_SMALL ? pool_small(pool) : pool_big(pool);

		if (!pkt) {
			if (head)
				pool_give(pool, &head, 1);
			return NULL;
		}
		room = left < POOL_BIG ? left : POOL_BIG;
		memcpy(pkt->data, frame->data + off, room);
		pkt->len = pkt->headlen = room;
		if (head)
			leat_pkt_chain(head, pkt);
		else
			head = pkt;
	}
	return head;
}

static int watch(const struct pcap_queue *pq, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN};

	return epoll_ctl(pq->wait, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

/* Have the queue wait for its input, or for the pace: also for buffers, which are given back without
 * a wake-up. Only one is watched, as the other may be readable meanwhile, and an input that has ended
 * is so for whatever it is watched. */
static int await(struct pcap_queue *pq, bool input)
{
	int e;

	if (pq->wait < 0 || pq->awaits_input == input)
		return 0;
	e = watch(pq, input ? pq->reader.fd : pq->pace.fd);
	if (e)
		return e;
	epoll_ctl(pq->wait, EPOLL_CTL_DEL, input ? pq->pace.fd : pq->reader.fd, NULL);
	pq->awaits_input = input;
	return 0;
}

static int receive_pcap(struct port *port, unsigned q, struct pool *pool, struct leat_pkt **pkts,
			unsigned n)
{
	struct pcap *p = port->priv;
	struct pcap_queue *pq = &p->queue[q];
	unsigned got = 0;

	if (pq->done)
		return 0;
	n = pace_due(&pq->pace, n);
	while (got < n && next_frame(port, q)) {
		struct leat_pkt *pkt = copy_frame(pool, &pq->frame);

		if (!pkt)
			break;
		pq->pending = false;
		pkts[got++] = pkt;
	}
	pace_give(&pq->pace, got);
	await(pq, got < n && pq->reader.failed == -EAGAIN);
	port_count_rx(port, q, pkts, got);
	return (int)got;
}

static int transmit_pcap(struct port *port, unsigned q, struct port_frame *frames, unsigned n)
{
	struct pcap *p = port->priv;
	unsigned sent = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct port_frame *f = &frames[i];

		if (p->writing &&
		    capture_write(&p->writer, f->iov, f->niov, f->pkt->stamp + p->epoch)) {
			stat_add(&port->txq[q].stats.errors, 1);
			fail(port);
			continue;
		}
		port_count_tx(port, q, f);
		sent++;
	}
	return (int)sent;
}

static void close_pcap(struct port *port)
{
	struct pcap *p = port->priv;
	int e = p->writing ? capture_finish(&p->writer) : 0;

	if (e)
		fprintf(stderr, "leat: %s: out: not all was written: %s\n", port->name,
			strerror(-e));
	for (unsigned q = 0; q < p->queues; q++) {
		if (p->queue[q].wait >= 0)
			close(p->queue[q].wait);
		capture_close(&p->queue[q].reader);
		pace_fini(&p->queue[q].pace);
	}
	free(p->rss);
	free(p->in);
	free(p);
	port->priv = NULL;
}

struct request {
	unsigned long queues, loop, rate;
	const char *in, *out;
};

static int refuse_queues(const struct request *r, const char *name, char *err, size_t err_len)
{
	return port_fail(err, err_len, EINVAL, "%s: in=%s: queues=%lu cannot read one pipe", name,
			 r->in, r->queues);
}

static int parse_request(struct request *r, const struct port_args *args, char *err, size_t err_len)
{
	static const char *const names[] = {"in", "out", "queues", "loop", "rate", NULL};
	int e = port_known(args, names, err, err_len);

	if (!e)
		e = port_number(args, "queues", 1, 1, PORT_QUEUES_MAX, &r->queues, err, err_len);
	if (!e)
		e = port_number(args, "loop", 1, 0, UINT32_MAX, &r->loop, err, err_len);
	if (!e)
		e = port_number(args, "rate", 0, 0, UINT32_MAX, &r->rate, err, err_len);
	r->in = port_option(args, "in", NULL);
	r->out = port_option(args, "out", NULL);
	if (!e && r->in && strcmp(r->in, "-") == 0 && r->queues > 1)
		e = refuse_queues(r, args->name, err, err_len);
	return e;
}

/* The link type of the file, or of its first frame, if it is there. */
static uint16_t find_link_type(struct pcap_queue *pq)
{
	if (!pq->reader.ng)
		return pq->reader.interface[0].link_type;
	pq->peeked = capture_read(&pq->reader, &pq->frame) == 1;
	return pq->peeked ? pq->frame.link_type : CAPTURE_ETHERNET;
}

/* Refuse what is not Ethernet while it can be said. */
static int check_link_type(struct pcap_queue *pq, const char *name, const char *in, char *err,
			   size_t err_len)
{
	uint16_t type = find_link_type(pq);

	if (type == CAPTURE_ETHERNET)
		return 0;
	return port_fail(err, err_len, EPROTONOSUPPORT, "%s: in=%s: link type %u, not Ethernet",
			 name, in, type);
}

/* Have an input that may be silent watched. What cannot be (a file, /dev/null) never is. */
static int watch_input(struct pcap_queue *pq)
{
	int e;

	pq->wait = epoll_create1(EPOLL_CLOEXEC);
	if (pq->wait < 0)
		return -errno;
	e = watch(pq, pq->reader.fd);
	pq->reader.live = pq->awaits_input = e == 0;
	if (e == 0)
		return await(pq, false); /* something may have been read ahead */
	close(pq->wait);
	pq->wait = -1;
	return e == -EPERM ? 0 : e;
}

static int open_queue(struct pcap *p, unsigned q, const struct request *r, const char *name,
		      char *err, size_t err_len)
{
	struct pcap_queue *pq = &p->queue[q];
	int e = pace_init(&pq->pace, (double)r->rate / (double)r->queues);

	if (e)
		return port_fail(err, err_len, -e, "%s: %s", name, strerror(-e));
	pq->done = !r->in;
	pq->rounds = r->loop;
	if (!r->in)
		return 0;
	e = capture_open(&pq->reader, r->in);
	if (!e && r->loop != 1)
		e = capture_rewind(&pq->reader);
	if (e) /* -EINVAL is for options; these made sense */
		return port_fail(err, err_len, e == -EINVAL ? EBADMSG : -e, "%s: in=%s: %s", name,
				 r->in, pq->reader.error);
	e = watch_input(pq);
	if (e)
		return port_fail(err, err_len, -e, "%s: in=%s: %s", name, r->in, strerror(-e));
	if (pq->reader.live && r->queues > 1)
		return refuse_queues(r, name, err, err_len);
	return check_link_type(pq, name, r->in, err, err_len);
}

/* Whether the file to be written is the one that is read. */
static bool is_same_file(const struct pcap *p, const struct request *r)
{
	struct stat in, out;

	if (!r->in || fstat(fileno(p->queue[0].reader.file), &in) || !S_ISREG(in.st_mode))
		return false;
	if (strcmp(r->out, "-") == 0 ? fstat(STDOUT_FILENO, &out) : stat(r->out, &out))
		return false;
	return in.st_dev == out.st_dev && in.st_ino == out.st_ino;
}

static int open_files(struct pcap *p, const struct request *r, const char *name, char *err,
		      size_t err_len)
{
	int e = make_rss(p);

	if (e)
		return port_fail(err, err_len, -e, "%s: %s", name, strerror(-e));
	p->epoch = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
	if (r->in && !(p->in = strdup(r->in)))
		return port_fail(err, err_len, ENOMEM, "%s: %s", name, strerror(ENOMEM));
	for (unsigned q = 0; !e && q < p->queues; q++)
		e = open_queue(p, q, r, name, err, err_len);
	if (e || !r->out)
		return e;
	if (is_same_file(p, r))
		return port_fail(err, err_len, EINVAL, "%s: out=%s: the file that is read", name,
				 r->out);
	e = capture_create(&p->writer, r->out, CAPTURE_ETHERNET, CAPTURE_NSEC);
	if (e)
		return port_fail(err, err_len, -e, "%s: out=%s: %s", name, r->out, strerror(-e));
	p->writing = true;
	return 0;
}

static int open_pcap(struct port *port, const struct port_args *args, char *err, size_t err_len)
{
	struct request r;
	struct pcap *p;
	size_t size;
	int e = parse_request(&r, args, err, err_len);

	if (e)
		return e;
	size = sizeof(*p) + r.queues * sizeof(p->queue[0]);
	p = aligned_alloc(64, (size + 63) & ~(size_t)63);
	if (!p)
		return port_fail(err, err_len, ENOMEM, "%s: %s", args->name, strerror(ENOMEM));
	memset(p, 0, size);
	p->queues = (unsigned)r.queues;
	for (unsigned q = 0; q < p->queues; q++)
		p->queue[q].pace.fd = p->queue[q].wait = -1;
	port->priv = p;
	e = open_files(p, &r, args->name, err, err_len);
	if (e) {
		close_pcap(port);
		return e;
	}
	port->rxqs = p->queues;
	port->txqs = 1;
	port->features = PORT_SG;
	port->gso = 0;
	port->mtu = 65535;
	return 0;
}

static int up_pcap(struct port *port, char *err, size_t err_len)
{
	struct pcap *p = port->priv;

	(void)err;
	(void)err_len;
	for (unsigned q = 0; q < p->queues; q++) {
		if (p->in)
			pace_start(&p->queue[q].pace);
	}
	return 0;
}

static int fd_of_queue(const struct port *port, unsigned q)
{
	const struct pcap *p = port->priv;

	return p->queue[q].wait >= 0 ? p->queue[q].wait : p->queue[q].pace.fd;
}

static bool is_finished(const struct port *port)
{
	const struct pcap *p = port->priv;

	for (unsigned q = 0; q < p->queues; q++) {
		if (!__atomic_load_n(&p->queue[q].done, __ATOMIC_ACQUIRE))
			return false;
	}
	return true;
}

const struct port_ops port_pcap = {
	.kind = "pcap",
	.help = "in=FILE          a pcap or pcapng file to receive from, - is stdin (none)\n"
		"out=FILE         a pcap file to write what is transmitted to, - is stdout (none)\n"
		"loop=N           read the file N times, 0: for ever (1)\n"
		"rate=N           packets per second, 0: as fast as possible (0)\n"
		"queues=N         receive queues that its flows are spread over (1)\n",
	.open = open_pcap,
	.up = up_pcap,
	.close = close_pcap,
	.receive = receive_pcap,
	.transmit = transmit_pcap,
	.fd = fd_of_queue,
	.finished = is_finished,
};
