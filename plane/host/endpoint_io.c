/* SPDX-License-Identifier: MIT */
/*
 * Datagrams through endpoints.
 *
 * The descriptor of an endpoint is made unreadable only by who holds `receiving` and found the inbox
 * empty, who then arms it and looks once more. So while there may be something it is readable or
 * about to be, and any number of threads may sleep on it.
 */
#include "../plane.h"
#include "../txflow.h"
#include "host.h"
#include "udp.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

unsigned endpoint_deliver(struct endpoint *ep, struct leat_pkt *const *pkts, unsigned n)
{
	uint32_t tail;
	unsigned sent = ring_enqueue(&ep->inbox, pkts, n, UINT32_MAX, &tail);

	if (sent)
		wake_up(&ep->wake);
	if (sent < n)
		__atomic_fetch_add(&ep->dropped, n - sent, __ATOMIC_RELAXED);
	return sent;
}

/* Receiving */

static unsigned take_packets(struct endpoint *ep, struct leat_pkt **pkts, unsigned n)
{
	pthread_mutex_lock(&ep->receiving);
	n = ring_peek(&ep->inbox, pkts, n);
	if (n)
		ring_release(&ep->inbox, n);
	pthread_mutex_unlock(&ep->receiving);
	return n;
}

/* Writes only what changed: others read it. */
static void keep(uint64_t *word, uint64_t value)
{
	if (__atomic_load_n(word, __ATOMIC_RELAXED) != value)
		__atomic_store_n(word, value, __ATOMIC_RELAXED);
}

/* Whether the endpoint is connected to this address and port. */
static bool is_peer(const struct endpoint *ep, const struct addr *addr)
{
	return ep->peer.version && addr->port == ep->peer.port && addr_same(addr, &ep->peer);
}

/* What a received datagram tells of its flow. It may have come before its endpoint was connected,
 * from another. */
static void note(struct endpoint *ep, const struct conf *c, const struct datagram *d, uint16_t cpu)
{
	if (c->sock.size)
		leat_rfs_record(&c->sock, d->hash, cpu);
	if (!is_peer(ep, &d->peer))
		return;
	keep(&ep->path, d->path);
	keep(&ep->rx, (d->pkt->rxq + UINT64_C(1)) << 32 | d->hash);
}

static unsigned receive_batch(struct endpoint *ep, struct task *task, struct datagram *d,
			      unsigned n)
{
	struct leat_pkt *pkts[ENDPOINT_BATCH];
	const struct conf *c;
	uint16_t cpu;

	n = take_packets(ep, pkts, n < ENDPOINT_BATCH ? n : ENDPOINT_BATCH);
	if (n == 0)
		return 0;
	cpu = task_cpu();
	c = plane_back(task->plane, &task->reader);
	for (unsigned i = 0; i < n; i++) {
		udp_take(pkts[i], &d[i]);
		note(ep, c, &d[i], cpu);
	}
	plane_leave(&task->reader);
	return n;
}

static unsigned receive(struct endpoint *ep, struct task *task, struct datagram *d, unsigned n)
{
	unsigned got = 0, some;

	do {
		some = receive_batch(ep, task, d + got, n - got);
		got += some;
	} while (got < n && some == ENDPOINT_BATCH);
	return got;
}

bool endpoint_arm(struct endpoint *ep)
{
	bool empty;

	pthread_mutex_lock(&ep->receiving);
	empty = ring_empty(&ep->inbox);
	if (empty) {
		wake_drain(&ep->wake);
		wake_arm(&ep->wake);
		empty = ring_empty(&ep->inbox);
	}
	pthread_mutex_unlock(&ep->receiving);
	return empty;
}

int endpoint_fd(const struct endpoint *ep)
{
	return ep->wake.fd;
}

void endpoint_interrupt(struct endpoint *ep)
{
	__atomic_store_n(&ep->interrupted, true, __ATOMIC_RELEASE);
	wake_up(&ep->wake);
}

/* Sleep until there may be something, or until it is time. */
static void wait_until(struct endpoint *ep, uint64_t until)
{
	struct pollfd fd = {.fd = ep->wake.fd, .events = POLLIN};
	uint64_t now = until == UINT64_MAX ? 0 : worker_clock();
	struct timespec ts = {0, 0};

	if (until > now) {
		ts.tv_sec = (time_t)((until - now) / 1000000000u);
		ts.tv_nsec = (long)((until - now) % 1000000000u);
	}
	ppoll(&fd, 1, until == UINT64_MAX ? NULL : &ts, NULL);
}

int endpoint_recv(struct endpoint *ep, struct task *task, struct datagram *d, unsigned n,
		  int timeout)
{
	uint64_t until = timeout > 0 ? worker_clock() + (uint64_t)timeout * 1000000u : UINT64_MAX;

	for (;;) {
		unsigned got = receive(ep, task, d, n);

		if (got)
			return (int)got;
		if (timeout == 0 || (timeout > 0 && worker_clock() >= until))
			return -EAGAIN;
		if (!endpoint_arm(ep))
			continue;
		if (__atomic_exchange_n(&ep->interrupted, false, __ATOMIC_ACQ_REL))
			return -EINTR;
		wait_until(ep, until);
	}
}

/* Sending */

int host_find_path(struct host *h, struct task *task, const struct addr *peer, uint64_t *path)
{
	const struct addr_own *own = host_near(h, peer);
	struct leat_pkt *pkt;
	bool ask;

	if (!own)
		return -ENETUNREACH;
	pkt = pool_small(&task->pool);
	ask = pkt != NULL;
	*path = neigh_find(&h->neigh, peer, worker_clock(), &ask);
	if (ask) {
		const struct conf *c = plane_back(task->plane, &task->reader);

		host_ask(h, own, peer, pkt);
		task_xmit(task, c, &h->plane->port[own->port], &pkt, 1);
		plane_leave(&task->reader);
	} else if (pkt) {
		pool_give(&task->pool, &pkt, 1);
	}
	return *path == ADDR_NO_PATH ? -EAGAIN : 0;
}

/* One datagram as it is sent. */
struct sending {
	struct endpoint *ep;
	struct task *task;
	const struct datagram *d;
	struct addr src, dst;
	uint64_t path;
	int rxq;       /* that the flow was last received on, -1: it was not */
	uint32_t hash; /* of the flow as received, 0: none */
};

static int find_peer(struct sending *s)
{
	const struct endpoint *ep = s->ep;

	if (!ep->local.port)
		return -ENOTCONN;
	s->dst = s->d->peer;
	s->path = s->d->path;
	s->hash = s->d->hash;
	s->rxq = s->path == ADDR_NO_PATH ? -1 : s->d->pkt->rxq;
	if (ep->peer.version) {
		uint64_t rx = __atomic_load_n(&ep->rx, __ATOMIC_RELAXED);

		if (s->dst.version && !is_peer(ep, &s->dst))
			return -EISCONN;
		s->dst = ep->peer;
		s->path = __atomic_load_n(&ep->path, __ATOMIC_RELAXED);
		s->hash = (uint32_t)rx;
		s->rxq = (int)(rx >> 32) - 1;
	}
	if (!s->dst.version)
		return -EDESTADDRREQ;
	return addr_is_unicast(&s->dst) && s->dst.port ? 0 : -EINVAL;
}

/* Our address: the one that the endpoint is bound to, the peer sent to, or that is near. */
static int find_source(struct sending *s)
{
	const struct host *h = s->ep->host;
	const struct addr_own *own;
	unsigned port;

	s->src = s->ep->local.version ? s->ep->local : s->d->local;
	if (s->src.version && s->src.version != s->dst.version)
		return -EINVAL;
	if (s->path == ADDR_NO_PATH) {
		int e = host_find_path(s->ep->host, s->task, &s->dst, &s->path);

		if (e)
			return e;
	}
	port = addr_path_port(s->path);
	if (port >= h->plane->n_ports)
		return -EINVAL;
	own = s->src.version ? host_own(h, port, &s->src) : host_near(h, &s->dst);
	if (!own || own->port != port)
		return -EADDRNOTAVAIL;
	s->src = own->addr;
	s->src.port = s->ep->local.port;
	return 0;
}

/* Everything that may fail, before the packet is changed. */
static int prepare(struct sending *s)
{
	int e = find_peer(s);

	if (!e)
		e = find_source(s);
	if (!e)
		e = udp_check(s->d, s->dst.version,
			      s->ep->host->plane->port[addr_path_port(s->path)].mtu);
	return e;
}

/* The packet becomes a frame. Its hash and receive queue, for XPS, are the flow's as received, so that
 * both its directions are on queues of one number unless XPS says otherwise; if nothing was received,
 * the hash is one of our own. */
static void build(const struct sending *s, const struct conf *c, uint16_t cpu)
{
	const struct host *h = s->ep->host;
	unsigned port = addr_path_port(s->path);
	struct leat_pkt *pkt = s->d->pkt;

	udp_put(s->d, &s->src, &s->dst, h->mac[port], s->path);
	pkt->port = (uint16_t)port;
	pkt->hash = s->hash ? s->hash : leat_flow_hash(pkt, &h->key);
	pkt->rxq = s->rxq < 0 ? TXFLOW_NO_RXQ : (uint16_t)s->rxq;
	if (c->sock.size)
		leat_rfs_record(&c->sock, s->hash, cpu);
}

/* Packets of one port, one after another. */
static void transmit(struct task *task, const struct conf *c, struct leat_pkt **pkts, unsigned n)
{
	for (unsigned i = 0, j; i < n; i = j) {
		for (j = i + 1; j < n && pkts[j]->port == pkts[i]->port; j++)
			;
		task_xmit(task, c, &task->plane->port[pkts[i]->port], pkts + i, j - i);
	}
}

/* At most ENDPOINT_BATCH; gives how many were sent. */
static unsigned send_batch(struct endpoint *ep, struct task *task, const struct datagram *d,
			   unsigned n, int *e)
{
	struct sending s[ENDPOINT_BATCH];
	struct leat_pkt *pkts[ENDPOINT_BATCH];
	const struct conf *c;
	unsigned ready;
	uint16_t cpu;

	for (ready = 0; ready < n; ready++) {
		s[ready] = (struct sending){.ep = ep, .task = task, .d = &d[ready]};
		*e = prepare(&s[ready]);
		if (*e)
			break;
	}
	if (ready == 0)
		return 0;
	cpu = task_cpu();
	c = plane_back(task->plane, &task->reader);
	for (unsigned i = 0; i < ready; i++) {
		build(&s[i], c, cpu);
		pkts[i] = s[i].d->pkt;
	}
	transmit(task, c, pkts, ready);
	plane_leave(&task->reader);
	return ready;
}

int endpoint_send(struct endpoint *ep, struct task *task, const struct datagram *d, unsigned n)
{
	unsigned sent = 0;
	int e = 0;

	while (sent < n && !e) {
		unsigned left = n - sent;

		sent += send_batch(ep, task, d + sent,
				   left < ENDPOINT_BATCH ? left : ENDPOINT_BATCH, &e);
	}
	return sent ? (int)sent : e;
}

/* By copy */

ssize_t endpoint_recvfrom(struct endpoint *ep, struct task *task, void *buf, size_t len,
			  struct addr *peer, uint16_t *gso_size, int timeout)
{
	struct datagram d;
	int n = endpoint_recv(ep, task, &d, 1, timeout);

	if (n < 0)
		return n;
	len = leat_pkt_copy(d.pkt, 0, buf, (uint32_t)(len < d.pkt->len ? len : d.pkt->len));
	if (peer)
		*peer = d.peer;
	if (gso_size)
		*gso_size = d.gso_size;
	pool_give(&task->pool, &d.pkt, 1);
	return (ssize_t)len;
}

int endpoint_sendto(struct endpoint *ep, struct task *task, const void *buf, size_t len,
		    const struct addr *peer, uint16_t gso_size)
{
	struct datagram d = {.gso_size = gso_size};
	int n;

	if (len > POOL_BIG)
		return -EMSGSIZE;
	d.pkt = len <= POOL_SMALL ? pool_small(&task->pool) : pool_big(&task->pool);
	if (!d.pkt)
		return -ENOBUFS;
	if (peer)
		d.peer = *peer;
	memcpy(d.pkt->data, buf, len);
	d.pkt->len = d.pkt->headlen = (uint32_t)len;
	n = endpoint_send(ep, task, &d, 1);
	if (n < 0)
		pool_give(&task->pool, &d.pkt, 1);
	return n < 0 ? n : 0;
}
