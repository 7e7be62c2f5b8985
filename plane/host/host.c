/* SPDX-License-Identifier: MIT */
#include "host.h"

#include "../plane.h"
#include "../xmit.h"
#include "endpoint.h"
#include "lookup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

_Static_assert((int)HOST_PORTS_MAX == (int)PLANE_PORTS_MAX, "a link address for each port");

static const char *const names[HOST_REASONS] = {
	[HOST_DELIVERED] = "delivered",
	[HOST_ARP_REPLY] = "arp_reply",
	[HOST_ND_ADVERT] = "nd_advert",
	[HOST_ECHO_REPLY] = "echo_reply",
	[HOST_PORT_UNREACHABLE] = "port_unreachable",
	[HOST_LEARNED] = "learned",
	[HOST_UNREACHABLE_LIMITED] = "unreachable_limited",
	[HOST_INBOX_FULL] = "inbox_full",
	[HOST_NOT_OURS] = "not_ours",
	[HOST_MARTIAN] = "martian",
	[HOST_NOT_IP] = "not_ip",
	[HOST_FRAGMENT] = "fragment",
	[HOST_OPTIONS] = "options",
	[HOST_TUNNEL] = "tunnel",
	[HOST_PROTOCOL] = "protocol",
	[HOST_CSUM] = "csum",
	[HOST_MALFORMED] = "malformed",
};

static void draw(struct host *h)
{
	(void)!getrandom(&h->key, sizeof(h->key), 0);
	(void)!getrandom(&h->last_port, sizeof(h->last_port), 0);
	(void)!getrandom(h->mac, sizeof(h->mac), 0);
	h->last_port %= ENDPOINT_PORT_LAST - ENDPOINT_PORT_FIRST;
	for (unsigned i = 0; i < HOST_PORTS_MAX; i++)
		h->mac[i][0] = (uint8_t)((h->mac[i][0] & ~1) | 2);
}

struct host *host_new(struct plane *plane)
{
	struct host *h = calloc(1, sizeof(*h));
	size_t size = plane->n_workers * sizeof(*h->cpu);

	if (!h)
		return NULL;
	h->cpu = aligned_alloc(64, size);
	if (!h->cpu) {
		free(h);
		return NULL;
	}
	memset(h->cpu, 0, size);
	h->plane = plane;
	neigh_init(&h->neigh);
	draw(h);
	return h;
}

void host_free(struct host *h)
{
	neigh_fini(&h->neigh);
	free(h->cpu);
	free(h);
}

static int complain(char *err, size_t err_len, int error, const char *text, const char *why)
{
	snprintf(err, err_len, "address=%s: %s", text, why);
	return error;
}

int host_add_address(struct host *h, const char *text, char *err, size_t err_len)
{
	const char *name = strchr(text, '%');
	const struct port *port = name		    ? plane_port(h->plane, name + 1) :
				  h->plane->n_ports ? h->plane->port :
						      NULL;
	char ip[ADDR_TEXT_MAX];
	struct addr_own own = {.bits = 0};

	snprintf(ip, sizeof(ip), "%.*s", name ? (int)(name - text) : (int)strlen(text), text);
	if (!port)
		return complain(err, err_len, -EINVAL, text, "no such port");
	if (!addr_parse_own(&own, ip))
		return complain(err, err_len, -EINVAL, text,
				"not a host's IP address with a prefix length, IP/N or IP/N%PORT");
	own.port = (uint16_t)port->index;
	for (unsigned i = 0; i < h->n_addrs; i++) {
		if (addr_same(&h->addr[i].addr, &own.addr))
			return complain(err, err_len, -EEXIST, text, "given twice");
	}
	if (h->n_addrs == HOST_ADDRS_MAX)
		return complain(err, err_len, -ENOSPC, text, "too many addresses");
	h->addr[h->n_addrs++] = own;
	return 0;
}

/* What a batch of one worker becomes: answers, and packets to give back. */
struct sorting {
	struct host_view view;
	struct worker *w;
	struct leat_pkt *answer[PORT_BATCH], *drop[PORT_BATCH];
	unsigned answers, drops;
};

static void count(struct sorting *s, enum host_reason reason, unsigned n)
{
	stat_add(&s->view.cpu->count[reason], n);
}

/* Not for an endpoint. */
static void answer_or_drop(struct sorting *s, enum host_reason reason, struct leat_pkt *pkt)
{
	count(s, reason, 1);
	if (reason > HOST_PORT_UNREACHABLE) {
		s->drop[s->drops++] = pkt;
		return;
	}
	if (pkt->frag_list)
		pool_give(&s->w->pool, &pkt->frag_list, 1);
	host_answer(s->view.host, reason, pkt);
	s->answer[s->answers++] = pkt;
}

/* A run of packets of one endpoint. */
static void deliver_run(struct sorting *s, struct endpoint *ep, struct leat_pkt **pkts, unsigned n)
{
	unsigned sent = n ? endpoint_deliver(ep, pkts, n) : 0;

	count(s, HOST_DELIVERED, sent);
	count(s, HOST_INBOX_FULL, n - sent);
	pool_give(&s->w->pool, pkts + sent, n - sent);
}

/* At most PORT_BATCH packets. Those of an endpoint are moved to the front of the array as they are
 * met, and go as a run. */
static void sort(struct sorting *s, struct leat_pkt **pkts, unsigned n)
{
	struct endpoint *of_run = NULL, *to = NULL;
	unsigned run = 0;

	for (unsigned i = 0; i < n; i++) {
		enum host_reason reason = host_judge(&s->view, pkts[i], &to);

		if (reason != HOST_DELIVERED) {
			answer_or_drop(s, reason, pkts[i]);
			continue;
		}
		if (to != of_run) {
			deliver_run(s, of_run, pkts, run);
			of_run = to;
			run = 0;
		}
		pkts[run++] = pkts[i];
	}
	deliver_run(s, of_run, pkts, run);
}

/* Answers leave by the port that each came on. */
static void transmit(struct sorting *s, const struct conf *c)
{
	for (unsigned i = 0, j; i < s->answers; i = j) {
		for (j = i + 1; j < s->answers && s->answer[j]->port == s->answer[i]->port; j++)
			;
		xmit(s->w, c, &s->w->plane->port[s->answer[i]->port], s->answer + i, j - i);
	}
}

void host_receive(struct host *h, struct worker *w, const struct conf *c, struct leat_pkt **pkts,
		  unsigned n)
{
	struct sorting s = {.view = {h, &h->cpu[w->index], c->lookup, w->now}, .w = w};

	while (n) {
		unsigned some = n < PORT_BATCH ? n : PORT_BATCH;

		s.answers = s.drops = 0;
		sort(&s, pkts, some);
		transmit(&s, c);
		pool_give(&w->pool, s.drop, s.drops);
		pkts += some;
		n -= some;
	}
}

json_t *host_stats(const struct host *h)
{
	json_t *o = json_object();

	for (unsigned r = 0; r < HOST_REASONS; r++) {
		uint64_t sum = 0;

		for (unsigned i = 0; i < h->plane->n_workers; i++)
			sum += stat_read(&h->cpu[i].count[r]);
		json_object_set_new(o, names[r], json_integer((json_int_t)sum));
	}
	return o;
}
