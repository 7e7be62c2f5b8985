/* SPDX-License-Identifier: MIT */
/*
 * numbered.h - a port that makes numbered packets, and an application that checks the numbers.
 *
 * Each of the FLOWS flows belongs to one of the port's queues. What the port keeps for a queue and
 * the application for a flow is written without atomics: the thread sanitizer sees a queue that has
 * two workers, and a flow whose old CPU had not finished.
 */
#ifndef LEAT_TESTS_NUMBERED_H
#define LEAT_TESTS_NUMBERED_H

#include "frame.h"
#include "plane/plane.h"
#include "rng.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
	QUEUES = 4,
	FLOWS = 64,
	CPUS = 2,
	BYTES = 16,  /* of payload: flow and number */
	TCP_SEQ = 4, /* offset of the sequence number in a TCP header */
};

/* What the port gives: packets without end; for each kick() one batch; nothing. */
enum mode { FLOWING, BATCHES, SILENT };

/* One flow: what the port writes, and what the application reads. */
struct flow {
	_Alignas(64) uint8_t frame[128]; /* the port's */
	uint32_t len, payload, sent;
	bool tcp;
	_Alignas(64) uint32_t next; /* the application's: the number expected */
	bool busy;		    /* atomic */
};

struct queue {
	int fd;
	struct rng rng;
};

/* What the application saw, by worker. */
struct seen {
	struct rng rng;
	uint64_t segments, late, gaps, overlaps, strange;
};

static struct {
	uint16_t cpu[CPUS]; /* of the workers */
	enum mode mode;	    /* atomic */
	struct flow flow[FLOWS];
	struct queue queue[QUEUES];
	struct seen seen[CPUS];
} numbered;

static uint32_t make(struct flow *f, unsigned id, uint8_t *dst)
{
	uint32_t word[BYTES / 4] = {id, f->sent, ~f->sent, id ^ f->sent};

	memcpy(dst, f->frame, f->len);
	if (f->tcp) {
		uint32_t seq = f->sent * BYTES;
		uint8_t *p = dst + f->payload - 20 + TCP_SEQ;

		for (unsigned i = 0; i < 4; i++)
			p[i] = (uint8_t)(seq >> (24 - 8 * i));
	}
	memcpy(dst + f->payload, word, sizeof(word));
	f->sent++;
	return f->len;
}

/* Some packets of one flow in a row. */
static unsigned make_run(struct queue *q, unsigned queue, struct pool *pool, struct leat_pkt **pkts,
			 unsigned n)
{
	unsigned flow = queue + QUEUES * rng_below(&q->rng, FLOWS / QUEUES);
	unsigned run = 1 + rng_below(&q->rng, 6), i;

	for (i = 0; i < run && i < n; i++) {
		pkts[i] = pool_small(pool);
		if (!pkts[i])
			break;
		pkts[i]->len = pkts[i]->headlen = make(&numbered.flow[flow], flow, pkts[i]->data);
		pkts[i]->csum = LEAT_CSUM_UNNECESSARY;
	}
	return i;
}

/* Anything from nothing to a full batch; now and then nothing until the next kick(). */
static int port_receive(struct port *port, unsigned queue, struct pool *pool,
			struct leat_pkt **pkts, unsigned n)
{
	struct queue *q = &numbered.queue[queue];
	unsigned want = rng_once_in(&q->rng, 3) ? n : rng_below(&q->rng, n), made = 0;
	enum mode mode = __atomic_load_n(&numbered.mode, __ATOMIC_RELAXED);
	eventfd_t count;

	if (mode != FLOWING || rng_once_in(&q->rng, 50)) {
		if (eventfd_read(q->fd, &count) || mode != BATCHES)
			return 0;
	}
	while (made < want) {
		unsigned run = make_run(q, queue, pool, pkts + made, want - made);

		if (run == 0)
			break;
		made += run;
	}
	return (int)made;
}

static void kick(void)
{
	for (unsigned i = 0; i < QUEUES; i++)
		eventfd_write(numbered.queue[i].fd, 1);
}

static int port_open(struct port *port, const struct port_args *args, char *err, size_t err_len)
{
	port->rxqs = QUEUES;
	port->txqs = 1;
	port->mtu = 1500;
	for (unsigned i = 0; i < QUEUES; i++) {
		numbered.queue[i].fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (numbered.queue[i].fd < 0)
			return -errno;
	}
	return 0;
}

static int port_up(struct port *port, char *err, size_t err_len)
{
	kick();
	return 0;
}

static void port_close(struct port *port)
{
	for (unsigned i = 0; i < QUEUES; i++)
		close(numbered.queue[i].fd);
}

static int port_fd(const struct port *port, unsigned q)
{
	return numbered.queue[q].fd;
}

static int port_transmit(struct port *port, unsigned q, struct port_frame *frames, unsigned n)
{
	return -ENODEV;
}

static const struct port_ops numbered_port = {
	.kind = "test",
	.open = port_open,
	.up = port_up,
	.close = port_close,
	.receive = port_receive,
	.transmit = port_transmit,
	.fd = port_fd,
};

static void check(unsigned worker, const uint8_t *payload)
{
	uint32_t word[BYTES / 4];
	struct flow *f;

	memcpy(word, payload, sizeof(word));
	if (word[0] >= FLOWS || word[2] != ~word[1] || word[3] != (word[0] ^ word[1])) {
		numbered.seen[worker].strange++;
		return;
	}
	f = &numbered.flow[word[0]];
	if (__atomic_exchange_n(&f->busy, true, __ATOMIC_RELAXED))
		numbered.seen[worker].overlaps++;
	numbered.seen[worker].segments++;
	if (word[1] < f->next) {
		numbered.seen[worker].late++;
	} else {
		numbered.seen[worker].gaps += word[1] - f->next;
		f->next = word[1] + 1;
	}
	__atomic_store_n(&f->busy, false, __ATOMIC_RELAXED);
}

/* A worker that now and then has not finished for a while. */
static void dawdle(struct rng *rng)
{
	static const struct timespec moment = {0, 30000};

	for (volatile uint32_t i = rng_below(rng, 500); i > 0; i--)
		;
	if (rng_once_in(rng, 200))
		nanosleep(&moment, NULL);
}

static void app_process(struct worker *w, const struct conf *c, struct leat_pkt **pkts, unsigned n)
{
	struct rng *rng = &numbered.seen[w->index].rng;

	dawdle(rng);
	for (unsigned i = 0; i < n; i++) {
		check(w->index, pkts[i]->data + pkts[i]->payload);
		for (const struct leat_pkt *m = pkts[i]->frag_list; m; m = m->frag_list)
			check(w->index, m->data);
		if (rng_once_in(rng, 16))
			leat_rfs_record(&c->sock, pkts[i]->hash,
					numbered.cpu[rng_below(rng, CPUS)]);
	}
	pool_give(&w->pool, pkts, n);
}

static int app_open(struct plane *plane, const char *args, char *err, size_t err_len)
{
	return 0;
}

static const struct app_ops numbered_app = {
	.name = "test", .open = app_open, .process = app_process};

/* Begin anew; the workers' CPUs are set. */
static void numbered_init(struct rng *rng)
{
	numbered.mode = FLOWING;
	for (unsigned i = 0; i < QUEUES; i++)
		numbered.queue[i].rng.state = rng_next(rng);
	memset(numbered.seen, 0, sizeof(numbered.seen));
	for (unsigned i = 0; i < CPUS; i++)
		numbered.seen[i].rng.state = rng_next(rng);
	for (unsigned i = 0; i < FLOWS; i++) {
		struct flow *f = &numbered.flow[i];
		struct frame frame = {
			.version = i % 3 ? 4 : 6,
			.src = i,
			.dst = 1000 + i,
			.protocol = i % 2 ? FRAME_TCP : FRAME_UDP,
			.sport = (uint16_t)(10000 + i),
			.dport = 443,
			.frag_off = FRAME_DF,
			.window = 1000,
			.payload = BYTES,
		};

		*f = (struct flow){.tcp = i % 2, .len = frame_len(&frame)};
		f->payload = f->len - BYTES;
		frame_build(&frame, f->frame);
	}
}

#endif
