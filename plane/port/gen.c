/* SPDX-License-Identifier: MIT */
/*
 * A generator: a network card whose other end makes numbered packets up.
 *
 * What it gives depends on its options alone, for each queue. As in a network card, RSS decides
 * once and for all which queue a flow's packets appear on; so a queue has flows of its own and
 * shares nothing with the others. Numbers of packets and rates are divided among the queues by
 * how many flows they have. What is transmitted on it is counted and gone; checked before, if
 * the port is declared able to segment.
 *
 * With depth= it is a card that can be steered (gen_card.h): the queues share one wire, and flows
 * change their queue as they are told to.
 */
#include "port.h"

#include "../pool.h"
#include "../stats.h"
#include "gen_card.h"
#include "gen_check.h"
#include "gen_flow.h"
#include "gen_request.h"
#include "pace.h"

#include <errno.h>
#include <leat/flow.h>
#include <leat/parse.h>
#include <leat/rss.h>
#include <stdlib.h>
#include <string.h>

struct gen_queue {
	_Alignas(64) uint64_t random;
	struct gen_flow *flow;
	uint32_t flows;
	struct gen_flow *now; /* whose burst it is */
	uint32_t burst;	      /* packets of it to come */
	uint64_t left;	      /* atomic: packets to come */
	uint8_t *room;	      /* to check what is transmitted in; NULL: it is not */
	struct pace pace;
};

struct gen {
	uint32_t min, max; /* bytes of payload */
	uint32_t burst;
	unsigned queues;
	uint8_t key[GEN_KEY_LEN];
	struct gen_card *card;	/* NULL: flows stay on their queues */
	struct gen_flow *flows; /* each queue's, one queue after the other */
	struct gen_filler filler;
	struct gen_queue queue[];
};

static void make_flow(const struct gen_request *r, struct gen_flow *flow, uint32_t index)
{
	gen_flow_init(flow, index, r->ip6 && (!r->ip4 || index % 2), r->tcp, r->seed);
}

/* What a network card would hash. */
static uint32_t hash_flow(const struct gen *g, const struct gen_flow *flow,
			  const struct leat_rss *rss)
{
	uint8_t frame[GEN_HDR_ROOM + GEN_NUMBER_LEN];
	struct leat_pkt pkt, *one = &pkt;
	enum leat_hash_type type;

	leat_pkt_init(&pkt, frame,
		      gen_flow_write(flow, &flow->at, &g->filler, GEN_NUMBER_LEN, frame));
	leat_parse(NULL, &one, 1);
	return leat_rss_hash(rss, &pkt, &type);
}

/* Make all flows, in the order of their queues. `hash`: room for one of each flow. */
static void make_flows(struct gen *g, const struct gen_request *r, const struct leat_rss *rss,
		       uint32_t *hash)
{
	struct gen_flow *next = g->flows, scratch;

	for (uint32_t i = 0; i < r->flows; i++) {
		make_flow(r, &scratch, i);
		hash[i] = hash_flow(g, &scratch, rss);
	}
	for (unsigned q = 0; q < g->queues; q++) {
		g->queue[q].flow = next;
		for (uint32_t i = 0; i < r->flows; i++) {
			if (leat_rss_pick(rss, hash[i]) != q)
				continue;
			make_flow(r, next, i);
			next->hash = hash[i];
			next++;
		}
		g->queue[q].flows = (uint32_t)(next - g->queue[q].flow);
	}
}

static int spread_flows(struct gen *g, const struct gen_request *r)
{
	struct leat_rss_conf conf = {
		.key = r->key,
		.key_len = GEN_KEY_LEN,
		.n_queues = g->queues,
	};
	struct leat_rss *rss = malloc(sizeof(*rss));
	uint32_t *hash = malloc((r->flows + 1) * sizeof(*hash));
	int e = rss && hash ? leat_rss_init(rss, &conf) : -ENOMEM;

	if (!e)
		make_flows(g, r, rss, hash);
	free(rss);
	free(hash);
	return e;
}

/* The part of `total` that falls to those of `all` flows from `first` to `end`: the parts add up
 * to it. */
static uint64_t share(uint64_t total, uint64_t first, uint64_t end, uint64_t all)
{
	uint64_t each = total / all, rest = total % all;

	return each * (end - first) + rest * end / all - rest * first / all;
}

static int start_queues(struct gen *g, const struct gen_request *r)
{
	uint64_t first = 0;

	for (unsigned q = 0; q < g->queues; q++) {
		struct gen_queue *gq = &g->queue[q];
		double rate = r->flows ? (double)r->rate * gq->flows / (double)r->flows : 0;
		int e = pace_init(&gq->pace, rate);

		if (e)
			return e;
		gq->random = r->seed ^ (uint64_t)q << 32;
		gq->left = gq->flows ? UINT64_MAX : 0;
		if (gq->flows && r->count)
			gq->left = share(r->count, first, first + gq->flows, r->flows);
		first += gq->flows;
	}
	return 0;
}

/* The same on one wire: no queue knows what will come on it. */
static int start_card(struct gen *g, const struct gen_request *r)
{
	struct gen_card_conf conf = {
		.flow = g->flows,
		.flows = (uint32_t)r->flows,
		.filler = &g->filler,
		.queues = g->queues,
		.depth = (uint32_t)r->depth,
		.filters = (uint32_t)r->filters,
		.min = g->min,
		.max = g->max,
		.burst = g->burst,
		.count = r->count ? r->count : UINT64_MAX,
		.seed = r->seed,
	};

	g->card = gen_card_new(&conf);
	for (unsigned q = 0; q < g->queues; q++) {
		int e = pace_init(&g->queue[q].pace, (double)r->rate / g->queues);

		if (e)
			return e;
		g->queue[q].random = r->seed ^ (uint64_t)q << 32;
		g->queue[q].left = r->flows != 0;
	}
	return g->card ? 0 : -ENOMEM;
}

static void free_gen(struct gen *g)
{
	gen_card_free(g->card);
	for (unsigned q = 0; q < g->queues; q++) {
		pace_fini(&g->queue[q].pace);
		free(g->queue[q].room);
	}
	free(g->flows);
	free(g);
}

static int make_rooms(struct gen *g)
{
	for (unsigned q = 0; q < g->queues; q++) {
		g->queue[q].room = malloc(LEAT_PKT_LEN_MAX);
		if (!g->queue[q].room)
			return -ENOMEM;
	}
	return 0;
}

static int make_gen(struct gen **made, const struct gen_request *r)
{
	size_t size = sizeof(struct gen) + r->queues * sizeof(struct gen_queue);
	struct gen *g = aligned_alloc(64, (size + 63) & ~(size_t)63);
	int e;

	if (!g)
		return -ENOMEM;
	memset(g, 0, size);
	g->min = (uint32_t)r->min;
	g->max = (uint32_t)r->max;
	g->burst = (uint32_t)r->burst;
	g->queues = (unsigned)r->queues;
	memcpy(g->key, r->key, GEN_KEY_LEN);
	for (unsigned q = 0; q < g->queues; q++)
		g->queue[q].pace.fd = -1;
	gen_filler_init(&g->filler, r->seed);
	g->flows = aligned_alloc(64, (r->flows + 1) * sizeof(*g->flows));
	e = g->flows ? spread_flows(g, r) : -ENOMEM;
	if (!e)
		e = r->depth ? start_card(g, r) : start_queues(g, r);
	if (e)
		free_gen(g);
	else
		*made = g;
	return e;
}

static int open_gen(struct port *port, const struct port_args *args, char *err, size_t err_len)
{
	struct gen_request r = {.name = args->name, .err = err, .err_len = err_len};
	struct gen *g;
	int e = gen_read_request(&r, args);

	port->features = PORT_SG | PORT_RX_TRUST;
	if (!e)
		e = gen_declare(port, args, err, err_len);
	if (e)
		return e;
	e = make_gen(&g, &r);
	if (!e && port->gso && (e = make_rooms(g)))
		free_gen(g);
	if (e)
		return port_fail(err, err_len, -e, "%s: %s", args->name, strerror(-e));
	port->rxqs = port->txqs = g->queues;
	port->mtu = 65535;
	port->rx_ring = (uint32_t)r.depth;
	port->priv = g;
	return 0;
}

static int up_gen(struct port *port, char *err, size_t err_len)
{
	struct gen *g = port->priv;

	(void)err;
	(void)err_len;
	for (unsigned q = 0; q < g->queues; q++) {
		if (g->queue[q].left)
			pace_start(&g->queue[q].pace);
	}
	return 0;
}

static void close_gen(struct port *port)
{
	free_gen(port->priv);
	port->priv = NULL;
}

const uint8_t *gen_key(const struct port *port)
{
	const struct gen *g = port->priv;

	return port->ops == &port_gen ? g->key : NULL;
}

static uint32_t pick_size(const struct gen *g, struct gen_queue *gq)
{
	if (g->min == g->max)
		return g->min;
	return g->min +
	       leat_reciprocal_scale((uint32_t)gen_random(&gq->random), g->max - g->min + 1);
}

static struct gen_flow *pick_flow(const struct gen *g, struct gen_queue *gq)
{
	if (gq->burst == 0) {
		gq->now = gq->flow +
			  leat_reciprocal_scale((uint32_t)gen_random(&gq->random), gq->flows);
		gq->burst = g->burst;
	}
	gq->burst--;
	return gq->now;
}

static void make_packet(const struct gen *g, struct gen_queue *gq, struct leat_pkt *pkt)
{
	struct gen_flow *flow = pick_flow(g, gq);

	uint32_t len = pick_size(g, gq);

	pkt->len = pkt->headlen = gen_flow_write(flow, &flow->at, &g->filler, len, pkt->data);
	gen_step(&flow->at, len);
	pkt->hash = flow->hash;
	pkt->hash_type = LEAT_HASH_L4;
	pkt->csum = LEAT_CSUM_UNNECESSARY;
}

/* Let frames arrive, for whichever queue: without a rate as many as are read, more or less, so that
 * rings are now empty, now full. */
static void await_frames(const struct gen *g, struct gen_queue *gq, unsigned n)
{
	uint32_t random = (uint32_t)gen_random(&gq->random);

	n = gq->pace.rate > 0 ? pace_due(&gq->pace, n) : leat_reciprocal_scale(random, 2 * n + 1);
	pace_give(&gq->pace, gen_card_arrive(g->card, n));
}

/* A steered queue: what is on its ring. */
static int receive_card(struct port *port, unsigned q, struct pool *pool, struct leat_pkt **pkts,
			unsigned n)
{
	struct gen *g = port->priv;
	struct gen_queue *gq = &g->queue[q];
	unsigned got = 0, waiting;

	if (!gq->left)
		return 0;
	await_frames(g, gq, n);
	waiting = gen_card_waiting(g->card, q);
	while (got < n && got < waiting && (pkts[got] = pool_small(pool))) {
		gen_card_write(g->card, q, got, pkts[got]);
		got++;
	}
	gen_card_take(g->card, q, got);
	port_count_rx(port, q, pkts, got);
	if (gen_card_ended(g->card) && gen_card_waiting(g->card, q) == 0) {
		pace_stop(&gq->pace);
		__atomic_store_n(&gq->left, 0, __ATOMIC_RELEASE);
	}
	return (int)got;
}

static int receive_gen(struct port *port, unsigned q, struct pool *pool, struct leat_pkt **pkts,
		       unsigned n)
{
	struct gen *g = port->priv;
	struct gen_queue *gq = &g->queue[q];
	unsigned got;

	if (g->card)
		return receive_card(port, q, pool, pkts, n);
	if (n > gq->left)
		n = (unsigned)gq->left;
	if (n == 0)
		return 0;
	n = pace_due(&gq->pace, n);
	for (got = 0; got < n; got++) {
		pkts[got] = pool_small(pool);
		if (!pkts[got])
			break;
		make_packet(g, gq, pkts[got]);
	}
	if (got == 0)
		return 0;
	pace_give(&gq->pace, got);
	port_count_rx(port, q, pkts, got);
	if (gq->left == got)
		pace_stop(&gq->pace);
	if (gq->left != UINT64_MAX)
		__atomic_store_n(&gq->left, gq->left - got, __ATOMIC_RELEASE);
	return (int)got;
}

static int transmit_gen(struct port *port, unsigned q, struct port_frame *frames, unsigned n)
{
	const struct gen *g = port->priv;
	uint8_t *room = g->queue[q].room;
	unsigned good = 0;

	for (unsigned i = 0; i < n; i++) {
		if (room && !gen_check(port, &frames[i], room)) {
			stat_add(&port->txq[q].stats.errors, 1);
			continue;
		}
		port_count_tx(port, q, &frames[i]);
		good++;
	}
	return (int)good;
}

static int steer_gen(struct port *port, const struct leat_rxfh *rxfh, char *err, size_t err_len)
{
	const struct gen *g = port->priv;

	if (!g->card)
		return port_fail(err, err_len, EOPNOTSUPP,
				 "without depth= its flows stay on their queues");
	return gen_card_steer(g->card, rxfh);
}

static int flow_steer_gen(struct port *port, uint32_t hash, uint16_t q, uint32_t flow_id)
{
	const struct gen *g = port->priv;

	(void)flow_id;
	return gen_card_flow_steer(g->card, hash, q);
}

static void flow_forget_gen(struct port *port, uint16_t filter)
{
	const struct gen *g = port->priv;

	gen_card_flow_forget(g->card, filter);
}

static uint64_t rule_dropped_gen(const struct port *port)
{
	const struct gen *g = port->priv;

	return g->card ? gen_card_rule_dropped(g->card) : 0;
}

static int fd_of_queue(const struct port *port, unsigned q)
{
	const struct gen *g = port->priv;

	return g->queue[q].pace.fd;
}

static bool is_finished(const struct port *port)
{
	const struct gen *g = port->priv;

	for (unsigned q = 0; q < g->queues; q++) {
		if (__atomic_load_n(&g->queue[q].left, __ATOMIC_ACQUIRE))
			return false;
	}
	return true;
}

const struct port_ops port_gen = {
	.kind = "gen",
	.help = "queues=N         receive queues; RSS spreads the flows over them (1)\n"
		"flows=N          0: only takes what is transmitted (1000)\n"
		"count=N          packets altogether, 0: endless (0)\n"
		"rate=N           packets per second altogether, 0: as fast as possible (0)\n"
		"size=N|MIN-MAX   bytes of payload, 16 to 1960 (64)\n"
		"proto=udp|tcp    (udp)\n"
		"ip=4|6|both      both: every other flow (4)\n"
		"burst=N          packets of a flow in a row (1)\n"
		"seed=N           of flows, sizes and order (1)\n"
		"key=HEX          40 bytes, of RSS (drawn from the seed)\n"
		"depth=N          frames that wait on each queue at most; with it the queues share\n"
		"                 one wire and can be steered (0: cannot)\n"
		"filters=N        flows that it can be made to steer by RFS (8192)\n"
		"features=A+B     segmentations that what it takes is left to, as\n"
		"                 tx-tcp-segmentation+tx-gso-partial: checked, and errors counted\n"
		"partial=A+B      of them, those that need partial GSO first\n"
		"tso_max_size=N   bytes it takes super-packets of, up to 524280 (65536)\n",
	.open = open_gen,
	.up = up_gen,
	.close = close_gen,
	.receive = receive_gen,
	.transmit = transmit_gen,
	.steer = steer_gen,
	.flow_steer = flow_steer_gen,
	.flow_forget = flow_forget_gen,
	.rule_dropped = rule_dropped_gen,
	.fd = fd_of_queue,
	.finished = is_finished,
};
