/* SPDX-License-Identifier: MIT */
/*
 * Endpoints come and go: each change is a new lookup, published as a part of the configuration.
 */
#include "endpoint.h"

#include "../plane.h"
#include "host.h"
#include "lookup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct endpoint **link_to(struct host *h, const struct endpoint *ep)
{
	struct endpoint **link = &h->endpoint;

	while (*link && *link != ep)
		link = &(*link)->next;
	return link;
}

static int init(struct endpoint *ep, struct host *h, uint32_t inbox)
{
	int e;

	memset(ep, 0, sizeof(*ep));
	ep->host = h;
	pthread_mutex_init(&ep->receiving, NULL);
	e = wake_init(&ep->wake);
	return e ? e : ring_init(&ep->inbox, inbox ? inbox : ENDPOINT_INBOX);
}

static void destroy(struct endpoint *ep)
{
	ring_fini(&ep->inbox);
	wake_fini(&ep->wake);
	pthread_mutex_destroy(&ep->receiving);
	free(ep);
}

int endpoint_open(struct endpoint **made, struct host *h, uint32_t inbox)
{
	struct endpoint *ep = aligned_alloc(64, sizeof(*ep));
	int e = ep ? init(ep, h, inbox) : -ENOMEM;

	if (!e)
		e = task_lock_conf(h->plane);
	if (e) {
		if (ep)
			destroy(ep);
		return e;
	}
	*link_to(h, NULL) = ep;
	pthread_mutex_unlock(&h->plane->conf_lock);
	*made = ep;
	return 0;
}

/* The endpoints as they are now become what workers look up. Under conf_lock. */
static int publish(struct host *h)
{
	struct plane *plane = h->plane;
	struct conf *c = conf_copy(plane->conf);
	struct lookup *lookup = c ? lookup_new(h->endpoint) : NULL;
	int e = -ENOMEM;

	if (lookup) {
		c->lookup = lookup;
		e = plane_publish(plane, c);
	}
	if (e)
		conf_free(c, plane->conf);
	return e;
}

/* Without memory for a lookup that has it no more, it waits for some. */
void endpoint_close(struct endpoint *ep)
{
	struct plane *plane = ep->host->plane;
	struct leat_pkt *pkts[ENDPOINT_BATCH];
	unsigned n;

	pthread_mutex_lock(&plane->conf_lock);
	*link_to(ep->host, ep) = ep->next;
	while (ep->local.port && publish(ep->host))
		nanosleep(&(struct timespec){0, 1000000}, NULL);
	pthread_mutex_unlock(&plane->conf_lock);
	while ((n = ring_peek(&ep->inbox, pkts, ENDPOINT_BATCH)) > 0) {
		ring_release(&ep->inbox, n);
		pool_give(NULL, pkts, n);
	}
	destroy(ep);
}

/* Whether two endpoints would want the same datagrams. */
static bool collide(const struct endpoint *a, const struct endpoint *b)
{
	if (a->local.port != b->local.port || (a->flags & b->flags & ENDPOINT_REUSEPORT))
		return false;
	if (a->peer.version || b->peer.version)
		return addr_same(&a->peer, &b->peer) && a->peer.port == b->peer.port &&
		       addr_same(&a->local, &b->local);
	return !a->local.version || !b->local.version || addr_same(&a->local, &b->local);
}

static bool is_free(const struct endpoint *ep)
{
	for (const struct endpoint *other = ep->host->endpoint; other; other = other->next) {
		if (other != ep && other->local.port && collide(ep, other))
			return false;
	}
	return true;
}

/* A port for ep->local; those after the last one given come first. */
static int choose_port(struct endpoint *ep)
{
	const unsigned n = ENDPOINT_PORT_LAST - ENDPOINT_PORT_FIRST + 1;
	unsigned last = ep->host->last_port;

	for (unsigned i = 1; i <= n; i++) {
		ep->local.port = (uint16_t)(ENDPOINT_PORT_FIRST + (last + i) % n);
		if (is_free(ep)) {
			ep->host->last_port = (last + i) % n;
			return 0;
		}
	}
	return -EADDRINUSE;
}

/* Under conf_lock: take the ends over, or leave the endpoint as it was. */
static int place(struct endpoint *ep, const struct addr *local, const struct addr *peer,
		 unsigned flags)
{
	struct endpoint before = {.local = ep->local, .peer = ep->peer, .flags = ep->flags};
	int e = 0;

	ep->local = *local;
	ep->peer = *peer;
	ep->flags = flags;
	if (!local->port)
		e = choose_port(ep);
	else if (!is_free(ep))
		e = -EADDRINUSE;
	if (!e)
		e = publish(ep->host);
	if (e) {
		ep->local = before.local;
		ep->peer = before.peer;
		ep->flags = before.flags;
	}
	return e;
}

static bool has_address(const struct host *h, const struct addr *addr)
{
	for (unsigned i = 0; i < h->n_addrs; i++) {
		if (addr_same(&h->addr[i].addr, addr))
			return true;
	}
	return false;
}

int endpoint_bind(struct endpoint *ep, const struct addr *local, unsigned flags)
{
	struct plane *plane = ep->host->plane;
	int e;

	if (local->version && !has_address(ep->host, local))
		return -EADDRNOTAVAIL;
	e = task_lock_conf(plane);
	if (e)
		return e;
	e = ep->local.port ? -EINVAL : place(ep, local, &(struct addr){0}, flags);
	pthread_mutex_unlock(&plane->conf_lock);
	return e;
}

/* Our address and port towards the peer; what is bound stays as it is. */
static int choose_local(const struct endpoint *ep, const struct addr *peer, struct addr *local)
{
	const struct addr_own *own = host_near(ep->host, peer);

	*local = ep->local;
	if (local->version)
		return local->version == peer->version ? 0 : -EINVAL;
	if (!own)
		return -ENETUNREACH;
	*local = own->addr;
	local->port = ep->local.port;
	return 0;
}

static uint64_t clock_ms(void)
{
	return worker_clock() / 1000000;
}

int endpoint_connect(struct endpoint *ep, struct task *task, const struct addr *peer, int timeout)
{
	static const struct timespec moment = {0, 500000};
	uint64_t until = clock_ms() + (uint64_t)(timeout > 0 ? timeout : 0), path;
	struct plane *plane = ep->host->plane;
	struct addr local;
	int e;

	if (!addr_is_unicast(peer) || !peer->port)
		return -EINVAL;
	e = choose_local(ep, peer, &local);
	if (e)
		return e;
	while ((e = host_find_path(ep->host, task, peer, &path)) == -EAGAIN &&
	       (timeout < 0 || clock_ms() < until))
		nanosleep(&moment, NULL);
	if (e)
		return e == -EAGAIN ? -EHOSTUNREACH : e;
	e = task_lock_conf(plane);
	if (e)
		return e;
	e = place(ep, &local, peer, ep->flags);
	if (!e) {
		__atomic_store_n(&ep->path, path, __ATOMIC_RELAXED);
		__atomic_store_n(&ep->rx, 0, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&plane->conf_lock);
	return e;
}
