/* SPDX-License-Identifier: MIT */
/*
 * traffic.c - random traffic for tests of GRO.
 */
#include "traffic.h"

#include <string.h>

enum { MSS_SMALL = 200, MSS_LARGE = 8900, LARGE_IN = 16 };

/* TCP options, and some of the same length but other bytes; of an odd number of words. */
static const uint8_t ts[] = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2};
static const uint8_t ts_other[] = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 3};
static const uint8_t nops[] = {1, 1, 1, 1};

static const uint8_t ip4_nops[] = {1, 1, 1, 0};

/* IPv6 extension headers before TCP [0] and UDP [1]. */
static const uint8_t pad[2][8] = {{6, 0, 1, 4}, {17, 0, 1, 4}};
static const uint8_t pad_other[2][8] = {{6, 0, 1, 4, 0, 0, 0, 1}, {17, 0, 1, 4, 0, 0, 0, 1}};
static const uint8_t pad_long[2][16] = {{6, 1, 1, 12}, {17, 1, 1, 12}};
static const uint8_t frag_first[2][8] = {{6, 0, 0, 1}, {17, 0, 0, 1}};
static const uint8_t frag_later[2][8] = {{6, 0, 0, 0xc9}, {17, 0, 0, 0xc9}};

/* Outer headers. */
static const uint8_t options[] = {1, 2, 0x80, 1, 9, 9, 9, 9};
static const struct frame tunnels[] = {
	{.tunnel = LEAT_TUNNEL_IP, .version = 4},
	{.tunnel = LEAT_TUNNEL_IP, .version = 6},
	{.tunnel = LEAT_TUNNEL_GRE, .version = 4, .gre_key = true},
	{.tunnel = LEAT_TUNNEL_GRE, .version = 6, .gre_csum = true},
	{.tunnel = LEAT_TUNNEL_GRE, .version = 4, .gre_csum = true, .gre_key = true, .eth = true},
	{.tunnel = LEAT_TUNNEL_VXLAN, .version = 4, .no_csum = true},
	{.tunnel = LEAT_TUNNEL_VXLAN, .version = 6},
	{.tunnel = LEAT_TUNNEL_VXLAN, .version = 4, .remcsum = true},
	{.tunnel = LEAT_TUNNEL_GENEVE, .version = 4, .tunnel_opts = options, .tunnel_opts_len = 8},
	{.tunnel = LEAT_TUNNEL_GENEVE, .version = 6, .eth = true, .no_csum = true},
	{.tunnel = LEAT_TUNNEL_GUE, .version = 4},
	{.tunnel = LEAT_TUNNEL_GUE, .version = 4, .in_gre = true, .gre_key = true},
	{.tunnel = LEAT_TUNNEL_GUE, .version = 6, .remcsum = true},
	{.tunnel = LEAT_TUNNEL_FOU, .version = 4},
	{.tunnel = LEAT_TUNNEL_FOU, .version = 4, .in_gre = true, .no_csum = true},
};

enum { TUNNELS = sizeof(tunnels) / sizeof(tunnels[0]) };

static bool is_udp(const struct frame *f)
{
	return f->protocol == FRAME_UDP;
}

static bool is_sctp(const struct frame *f)
{
	return f->protocol == FRAME_SCTP;
}

static bool is_tcp(const struct frame *f)
{
	return f->protocol == FRAME_TCP;
}

/* Does the tunnel carry an Ethernet header, with tags and padding? */
static bool has_eth(const struct frame *outer)
{
	return outer->tunnel == LEAT_TUNNEL_VXLAN || outer->eth;
}

static void set_opts(struct frame *f, const uint8_t *opts, uint8_t len)
{
	f->opts = opts;
	f->opts_len = len;
}

static void set_ext(struct frame *f, uint8_t type, const uint8_t *ext, uint8_t len)
{
	f->ext_first = type;
	f->ext = ext;
	f->ext_len = len;
}

static uint32_t pick_mss(struct rng *rng)
{
	return 1 + rng_below(rng, rng_once_in(rng, LARGE_IN) ? MSS_LARGE : MSS_SMALL);
}

/* Neighbours: flows that differ in one thing, four by four in the IP version and the protocol, the
 * others in a port or an address; and sometimes 64 have one hash. So a comparison that forgets
 * something finds a flow to err with. */
static void make_transport(struct rng *rng, struct traffic_flow *flow)
{
	struct frame *f = &flow->f;

	f->window = 100;
	f->seq = is_tcp(f) ? (uint32_t)rng_next(rng) : 0;
	if (is_tcp(f) && rng_once_in(rng, 2))
		set_opts(f, ts, sizeof(ts));
	if (is_tcp(f) && rng_once_in(rng, 8))
		f->flags = FRAME_CWR;
	if (is_sctp(f)) {
		f->chunks = 1;
		f->chunk_type = rng_once_in(rng, 2) ? 0 : 64;
	} else if (f->version == 6 && rng_once_in(rng, 4)) {
		set_ext(f, 0, pad[is_udp(f)], 8);
	}
}

static struct traffic_flow make_flow(struct rng *rng, unsigned i, bool collide)
{
	static const uint8_t protocols[] = {FRAME_TCP, FRAME_UDP, FRAME_TCP, FRAME_SCTP};
	struct traffic_flow flow = {.mss = pick_mss(rng),
				    .hash = collide ? i / 64 : (uint32_t)rng_next(rng),
				    .hashed = collide || rng_once_in(rng, 2),
				    .fixed_id = rng_once_in(rng, 4),
				    .outer_fixed_id = rng_once_in(rng, 4)};
	struct frame *f = &flow.f;

	f->version = i % 2 == 0 ? 4 : 6;
	f->protocol = protocols[i / 2 % 4];
	f->sport = i / 4 % 2;
	f->dst = i / 8 % 2;
	f->src = i / 16;
	f->id = (uint16_t)rng_next(rng);
	f->frag_off = rng_once_in(rng, 2) ? FRAME_DF : 0;
	make_transport(rng, &flow);
	if (rng_once_in(rng, 2))
		flow.outer = tunnels[rng_below(rng, TUNNELS)];
	flow.outer.id = (uint16_t)rng_next(rng);
	return flow;
}

void traffic_start(struct traffic *traffic, struct rng *rng, unsigned n, unsigned trouble)
{
	bool collide = rng_once_in(rng, 2);

	traffic->rng = rng;
	traffic->n = n;
	traffic->trouble = trouble;
	for (unsigned i = 0; i < n; i++)
		traffic->flow[i] = make_flow(rng, i, collide);
}

/* The same of the outer headers. */
static void change_outer(struct rng *rng, struct traffic_flow *flow)
{
	struct frame *f = &flow->outer;

	switch (rng_below(rng, 9)) {
	case 0: f->dst_mac ^= 1; break;
	case 1: f->vlans = (uint8_t)rng_below(rng, 3); break;
	case 2: f->tos ^= (uint8_t)(1u << rng_below(rng, 8)); break;
	case 3: f->ttl = (uint8_t)(60 + rng_below(rng, 3)); break;
	case 4: f->frag_off ^= f->version == 4 ? FRAME_DF : 0; break;
	case 5: f->id += (uint16_t)rng_next(rng); break;
	case 6: flow->outer_fixed_id = !flow->outer_fixed_id; break;
	case 7: f->tunnel_id ^= 1; break;
	default: f->no_csum = !f->no_csum;
	}
}

/* What lasts: from here on all of the flow's packets are so. */
static void change_flow(struct rng *rng, struct traffic_flow *flow)
{
	struct frame *f = &flow->f;

	if (flow->outer.tunnel != LEAT_TUNNEL_NONE && rng_once_in(rng, 2)) {
		change_outer(rng, flow);
		return;
	}
	switch (rng_below(rng, 15)) {
	case 0: f->dst_mac ^= 1; break;
	case 1: f->vlans = (uint8_t)rng_below(rng, 3); break;
	case 2: f->vlan[0] ^= 1; break;
	case 3: f->tos ^= (uint8_t)(1u << rng_below(rng, 8)); break;
	case 4: f->ttl = (uint8_t)(60 + rng_below(rng, 3)); break;
	case 5: f->frag_off ^= FRAME_DF; break;
	case 6: f->id += (uint16_t)rng_next(rng); break;
	case 7: flow->fixed_id = !flow->fixed_id; break;
	case 8: f->flow_label ^= f->version == 6; break;
	case 9: f->ack++; break;
	case 10: f->window++; break;
	case 11:
		f->seq += is_tcp(f);
		f->vtag += is_sctp(f);
		break;
	case 12: flow->mss = pick_mss(rng); break;
	case 13:
		if (is_sctp(f))
			f->chunk_type ^= 64;
		else if (f->version == 6 && rng_once_in(rng, 2))
			set_ext(f, 0, rng_once_in(rng, 2) ? pad_other[is_udp(f)] : pad[is_udp(f)],
				8);
		else if (f->version == 6)
			set_ext(f, 60, pad_long[is_udp(f)], 16);
		break;
	default:
		if (is_tcp(f) && rng_once_in(rng, 3))
			set_opts(f, nops, sizeof(nops));
		else if (is_tcp(f))
			set_opts(f, rng_once_in(rng, 2) ? ts_other : ts, sizeof(ts));
	}
}

static void fragment(struct rng *rng, struct frame *f)
{
	bool first = rng_once_in(rng, 2);

	if (f->version == 4)
		f->frag_off = first ? FRAME_MF : 25;
	else if (!is_sctp(f))
		set_ext(f, 44, first ? frag_first[is_udp(f)] : frag_later[is_udp(f)], 8);
}

static void change_packet_outer(struct rng *rng, struct traffic_packet *packet)
{
	struct frame *f = &packet->outer;

	switch (rng_below(rng, 3)) {
	case 0: f->padding = 1 + rng_below(rng, 8); break;
	case 1: f->bad_ip_csum = f->version == 4; break;
	default: f->bad_l4_csum = true;
	}
}

/* What passes: this packet alone is so. */
static void change_packet(struct rng *rng, struct traffic_packet *packet)
{
	struct frame *f = &packet->f;
	bool tunnelled = packet->outer.tunnel != LEAT_TUNNEL_NONE;

	if (tunnelled && rng_once_in(rng, 4)) {
		change_packet_outer(rng, packet);
		return;
	}
	switch (rng_below(rng, 20)) {
	case 0: f->flags |= (uint8_t)(1u << rng_below(rng, 8)); break;
	case 1:
	case 2: f->flags |= FRAME_PSH; break;
	case 3: f->flags |= FRAME_FIN; break;
	case 4: f->no_ack = true; break;
	case 5: f->reserved = 1; break;
	case 6: f->urg_ptr = 1; break;
	case 7: f->seq -= is_tcp(f) ? f->payload : 0; break;
	case 8: f->payload = 0; break;
	case 9:
	case 10: f->payload = rng_below(rng, f->payload); break;
	case 11: f->payload++; break;
	case 12:
		f->padding = !tunnelled || has_eth(&packet->outer) ? 1 + rng_below(rng, 8) : 0;
		break;
	case 13: f->bad_ip_csum = f->version == 4; break;
	case 14: f->bad_l4_csum = !packet->outer.remcsum; break;
	case 15: f->no_csum = !packet->outer.remcsum; break;
	case 16: fragment(rng, f); break;
	case 17:
		if (f->version == 4)
			set_ext(f, 0, ip4_nops, sizeof(ip4_nops));
		break;
	case 18:
		if (f->ext_len == 0 && !packet->outer.remcsum)
			f->protocol = 50;
		break;
	default: packet->mark = (uint8_t)(TRAFFIC_PARTIAL_WRONG + rng_below(rng, 2));
	}
}

/* An SCTP packet's payload ends with padding to a multiple of 4; it may be too short for data. */
static void round_chunk(struct rng *rng, struct frame *f)
{
	f->payload = f->payload / 4 * 4;
	f->chunk_pad = f->payload > 20 ? (uint8_t)rng_below(rng, 4) : 0;
}

struct traffic_packet traffic_next(struct traffic *traffic)
{
	struct rng *rng = traffic->rng;
	unsigned i = rng_below(rng, traffic->n);
	struct traffic_flow *flow = &traffic->flow[i];
	struct traffic_packet packet;

	if (rng_once_in(rng, 2 * traffic->trouble))
		change_flow(rng, flow);
	packet = (struct traffic_packet){.f = flow->f,
					 .outer = flow->outer,
					 .flow = i,
					 .hash = flow->hash,
					 .hashed = flow->hashed};
	packet.f.payload = is_sctp(&flow->f) ? 24 + flow->mss : flow->mss;
	packet.f.salt = is_tcp(&flow->f) ? i : (uint32_t)rng_next(rng);
	if (rng_once_in(rng, 8))
		packet.mark = rng_once_in(rng, 2) ? TRAFFIC_UNNECESSARY : TRAFFIC_PARTIAL;
	else if (rng_once_in(rng, 2 * traffic->trouble))
		change_packet(rng, &packet);
	if (is_sctp(&flow->f))
		round_chunk(rng, &packet.f);
	flow->f.id += !flow->fixed_id;
	flow->outer.id += !flow->outer_fixed_id;
	flow->f.seq += is_tcp(&flow->f) ? packet.f.payload : 0;
	return packet;
}

struct frame traffic_frame(const struct traffic_packet *packet)
{
	struct frame f = packet->outer;

	if (f.tunnel == LEAT_TUNNEL_NONE)
		return packet->f;
	f.inner = &packet->f;
	return f;
}

static void set_partial(struct leat_pkt *pkt, bool wrong)
{
	const struct leat_level *l = leat_pkt_inner(pkt);
	uint8_t *field;
	uint16_t sum;

	sum = frame_pseudo(pkt->data + l->network, l->protocol, pkt->len - l->transport);
	pkt->csum = LEAT_CSUM_PARTIAL;
	pkt->csum_start = l->transport;
	pkt->csum_offset = l->protocol == FRAME_UDP ? 6 : l->protocol == FRAME_SCTP ? 8 : 16;
	field = pkt->data + pkt->csum_start + pkt->csum_offset;
	if (l->protocol == FRAME_SCTP) {
		pkt->csum_start -= wrong;
		return;
	}
	field[0] = (uint8_t)(sum >> 8);
	field[1] = (uint8_t)sum ^ wrong;
}

struct leat_pkt *traffic_add(struct train *train, const struct traffic_packet *packet)
{
	struct frame f = traffic_frame(packet);
	struct leat_pkt *pkt = train_add(train, &f);

	pkt->hash = packet->hash;
	pkt->hash_type = packet->hashed ? LEAT_HASH_L4 : LEAT_HASH_NONE;
	if (packet->mark == TRAFFIC_UNNECESSARY)
		pkt->csum = LEAT_CSUM_UNNECESSARY;
	else if (packet->mark == TRAFFIC_PARTIAL || packet->mark == TRAFFIC_PARTIAL_WRONG)
		set_partial(pkt, packet->mark == TRAFFIC_PARTIAL_WRONG);
	else if (packet->mark == TRAFFIC_GSO)
		pkt->gso_size = 1;
	return pkt;
}
