/* SPDX-License-Identifier: MIT */
/*
 * rte_gso, and the checksums that it leaves to its caller. The super-packets are copies of the frames:
 * attached as external buffers they cannot be segmented, for the library gives the flag that says
 * so to the headers' buffers too. A super-packet's segments are freed before the next one's are
 * made, and the pools then give what is warm; or all of them before the next run.
 */
#include "dpdk.h"

#include <rte_ethdev.h>
#include <rte_gso.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>
#include <stdlib.h>
#include <string.h>

enum { SEGMENTS = 256, HEADERS = 256, POOL = 4095, ETHER = 14, IP = 20 };

struct gso {
	struct peer_gso ask;
	struct rte_mempool *packets, *headers, *payloads;
	struct rte_gso_ctx context;
	struct rte_mbuf **pkts;
	struct rte_mbuf **out; /* SEGMENTS for each super-packet */
	uint16_t *n_out;       /* how many there are, not freed yet */
	uint32_t outputs;      /* segments that the last run made */
};

static void finish(const struct gso *g, struct rte_mbuf *m)
{
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, ETHER);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(ip + 1);

	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	tcp->cksum = 0;
	if (g->ask.full)
		tcp->cksum = rte_ipv4_udptcp_cksum_mbuf(m, ip, ETHER + IP);
	else
		tcp->cksum = rte_ipv4_phdr_cksum(ip, 0);
}

static void segment(struct gso *g, uint32_t i)
{
	struct rte_mbuf **out = g->out + i * SEGMENTS;
	int n;

	g->pkts[i]->ol_flags |= RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_IPV4; /* is taken away */
	n = rte_gso_segment(g->pkts[i], &g->context, out, SEGMENTS);
	if (n <= 1)
		abort(); /* these are good packets, and the pools large enough */
	for (int k = 0; k < n; k++)
		finish(g, out[k]);
	g->n_out[i] = (uint16_t)n;
}

static void release(struct gso *g, uint32_t i)
{
	rte_pktmbuf_free_bulk(g->out + i * SEGMENTS, g->n_out[i]);
	g->n_out[i] = 0;
}

static void prepare(void *state)
{
	struct gso *g = state;

	for (uint32_t i = 0; i < g->ask.frames; i++)
		release(g, i);
}

static uint64_t run(void *state)
{
	struct gso *g = state;

	g->outputs = 0;
	for (uint32_t i = 0; i < g->ask.frames; i++) {
		segment(g, i);
		g->outputs += g->n_out[i];
		if (!g->ask.keep)
			release(g, i);
	}
	return g->outputs;
}

/* Made once more. */
static size_t output(void *state, unsigned i, uint8_t *to)
{
	struct gso *g = state;
	uint32_t each = g->outputs / g->ask.frames;
	const struct rte_mbuf *m;
	size_t len;

	if (i >= g->outputs)
		return 0;
	release(g, i / each);
	segment(g, i / each);
	m = g->out[i / each * SEGMENTS + i % each];
	len = m->pkt_len;
	for (; m && to; to += m->data_len, m = m->next)
		memcpy(to, rte_pktmbuf_mtod(m, void *), m->data_len);
	return len;
}

static void drop(void *state)
{
	struct gso *g = state;

	rte_mempool_free(g->packets);
	rte_mempool_free(g->headers);
	rte_mempool_free(g->payloads);
	free(g->pkts);
	free(g->out);
	free(g->n_out);
	free(g);
}

static void fill(const struct gso *g, uint32_t i)
{
	struct rte_mbuf *m = g->pkts[i];

	m->data_off = 0;
	m->data_len = (uint16_t)g->ask.len;
	m->pkt_len = g->ask.len;
	memcpy(rte_pktmbuf_mtod(m, void *), g->ask.frame[i], g->ask.len);
	m->l2_len = ETHER;
	m->l3_len = IP;
	m->l4_len = g->ask.headers - ETHER - IP;
}

static int make_packets(struct gso *g)
{
	uint32_t n = g->ask.frames;

	g->pkts = calloc(n, sizeof(struct rte_mbuf *));
	g->out = calloc(n * SEGMENTS, sizeof(struct rte_mbuf *));
	g->n_out = calloc(n, sizeof(*g->n_out));
	g->packets = rte_pktmbuf_pool_create("gso", n, 0, 0, UINT16_MAX, SOCKET_ID_ANY);
	g->headers = rte_pktmbuf_pool_create("gso-headers", POOL, DPDK_CACHE, 0,
					     RTE_PKTMBUF_HEADROOM + HEADERS, SOCKET_ID_ANY);
	g->payloads =
		rte_pktmbuf_pool_create("gso-payloads", POOL, DPDK_CACHE, 0, 0, SOCKET_ID_ANY);
	if (!g->pkts || !g->out || !g->n_out || !g->packets || !g->headers || !g->payloads ||
	    rte_pktmbuf_alloc_bulk(g->packets, g->pkts, n))
		return -1;
	for (uint32_t i = 0; i < n; i++)
		fill(g, i);
	return 0;
}

int dpdk_gso(const struct peer_gso *ask, struct work *work)
{
	struct gso *g;

	if (ask->len > UINT16_MAX)
		return -1;
	g = calloc(1, sizeof(*g));
	if (!g)
		return -1;
	g->ask = *ask;
	if (make_packets(g)) {
		drop(g);
		return -1;
	}
	g->context = (struct rte_gso_ctx){
		.direct_pool = g->headers,
		.indirect_pool = g->payloads,
		.gso_types = RTE_ETH_TX_OFFLOAD_TCP_TSO,
		.gso_size = (uint16_t)(ask->headers + ask->gso_size), /* of the whole frame */
	};
	*work = (struct work){
		.prepare = prepare, .run = run, .output = output, .drop = drop, .state = g};
	return 0;
}
