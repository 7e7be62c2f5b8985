/* SPDX-License-Identifier: MIT */
/*
 * rte_gro: parsed by rte_net, merged in a burst or, where flows are held, in a context, and then the
 * checksums that the next one on the path wants of a super-packet: IPv4's, and TCP's partial one.
 */
#include "dpdk.h"

#include <rte_gro.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_net.h>
#include <rte_tcp.h>
#include <stdlib.h>
#include <string.h>

enum { OUT_MAX = 256, ITEMS_MAX = 4 };

struct gro {
	struct peer_gro ask;
	struct rte_mempool *pool;
	struct rte_mbuf **pkts, **in; /* all, and as the library sees them */
	struct rte_mbuf **out;
	uint32_t n_out;
	struct rte_gro_param param;
	void *context; /* NULL: in bursts */
};

/* The packets are the frames: nothing is copied. */
static void prepare(void *state)
{
	struct gro *g = state;

	g->ask.restore(g->ask.owner);
	for (uint32_t i = 0; i < g->ask.frames; i++) {
		struct rte_mbuf *m = g->pkts[i];

		rte_pktmbuf_reset(m);
		m->buf_addr = g->ask.frame[i];
		m->buf_len = (uint16_t)g->ask.len;
		m->data_off = 0;
		m->data_len = (uint16_t)g->ask.len;
		m->pkt_len = g->ask.len;
	}
	memcpy(g->in, g->pkts, g->ask.frames * sizeof(struct rte_mbuf *));
	g->n_out = 0;
}

static void parse(struct rte_mbuf *m)
{
	struct rte_net_hdr_lens lens;

	m->packet_type = rte_net_get_ptype(m, &lens, RTE_PTYPE_ALL_MASK);
	m->l2_len = lens.l2_len;
	m->l3_len = lens.l3_len;
	m->l4_len = lens.l4_len;
}

static struct rte_ipv4_hdr *ip_header(const struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, m->l2_len);
}

static bool is_right(const struct rte_mbuf *m)
{
	const struct rte_ipv4_hdr *ip = ip_header(m);

	return rte_raw_cksum(ip, m->l3_len) == 0xffff &&
	       rte_ipv4_udptcp_cksum_mbuf_verify(m, ip, m->l2_len + m->l3_len) == 0;
}

static void finish(struct rte_mbuf *m)
{
	struct rte_ipv4_hdr *ip = ip_header(m);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)((uint8_t *)ip + m->l3_len);

	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	tcp->cksum = rte_ipv4_phdr_cksum(ip, 0);
}

static void give(struct gro *g, struct rte_mbuf **pkts, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (pkts[i]->nb_segs > 1)
			finish(pkts[i]);
		g->out[g->n_out++] = pkts[i];
	}
}

static void flush(struct gro *g)
{
	struct rte_mbuf *pkts[OUT_MAX];
	unsigned n;

	do {
		n = rte_gro_timeout_flush(g->context, 0, RTE_GRO_TCP_IPV4, pkts, OUT_MAX);
		give(g, pkts, n);
	} while (n == OUT_MAX);
}

static uint64_t run(void *state)
{
	struct gro *g = state;
	uint32_t done = 0, flushed = 0;

	while (done < g->ask.frames) {
		struct rte_mbuf **pkts = g->in + done;
		uint32_t n = RTE_MIN(g->ask.frames - done, g->ask.burst);

		for (uint32_t i = 0; i < n; i++) {
			parse(pkts[i]);
			if (g->ask.verify && !is_right(pkts[i]))
				abort(); /* they are */
		}
		if (g->context)
			give(g, pkts, rte_gro_reassemble(pkts, n, g->context));
		else
			give(g, pkts, rte_gro_reassemble_burst(pkts, n, &g->param));
		done += n;
		if (g->context && (done - flushed >= g->ask.epoch || done == g->ask.frames)) {
			flush(g);
			flushed = done;
		}
	}
	return done;
}

static size_t output(void *state, unsigned i, uint8_t *to)
{
	struct gro *g = state;

	if (i >= g->n_out)
		return 0;
	for (const struct rte_mbuf *m = g->out[i]; m && to; to += m->data_len, m = m->next)
		memcpy(to, rte_pktmbuf_mtod(m, void *), m->data_len);
	return g->out[i]->pkt_len;
}

static void drop(void *state)
{
	struct gro *g = state;

	if (g->context)
		rte_gro_ctx_destroy(g->context);
	rte_mempool_free(g->pool);
	free(g->pkts);
	free(g->in);
	free(g->out);
	free(g);
}

static int make_packets(struct gro *g)
{
	size_t size = g->ask.frames * sizeof(struct rte_mbuf *);

	g->pkts = malloc(size);
	g->in = malloc(size);
	g->out = malloc(size);
	g->pool = rte_pktmbuf_pool_create("gro", g->ask.frames, 0, 0, 0, SOCKET_ID_ANY);
	if (!g->pkts || !g->in || !g->out || !g->pool)
		return -1;
	return rte_pktmbuf_alloc_bulk(g->pool, g->pkts, g->ask.frames);
}

int dpdk_gro(const struct peer_gro *ask, struct work *work)
{
	bool held = ask->epoch > ask->burst || ask->flows > 1;
	struct gro *g;

	if (!held && ask->burst > RTE_GRO_MAX_BURST_ITEM_NUM)
		return -1;
	g = calloc(1, sizeof(*g));
	if (!g)
		return -1;
	g->ask = *ask;
	g->param = (struct rte_gro_param){
		.gro_types = RTE_GRO_TCP_IPV4,
		.max_flow_num = (uint16_t)(held ? ask->flows : ask->burst),
		.max_item_per_flow = (uint16_t)(held ? ITEMS_MAX : ask->burst),
	};
	if (held)
		g->context = rte_gro_ctx_create(&g->param);
	if (make_packets(g) || (held && !g->context)) {
		drop(g);
		return -1;
	}
	*work = (struct work){
		.prepare = prepare, .run = run, .output = output, .drop = drop, .state = g};
	return 0;
}
