/* SPDX-License-Identifier: MIT */
/*
 * gro_judge.h - for test_gro_model.c: the rules of GRO, over what frames were built from.
 */
#ifndef LEAT_TESTS_MODEL_GRO_JUDGE_H
#define LEAT_TESTS_MODEL_GRO_JUDGE_H

#include <string.h>

#include "../traffic.h"

enum { PACKETS = 600, MEMBERS_MAX = PACKETS };

struct held {
	uint32_t hash;
	uint64_t stamp;
	bool fixed, outer_fixed;
	unsigned n, member[MEMBERS_MAX]; /* indices of packets */
	uint32_t payload;
};

struct model {
	struct leat_gro_conf conf;
	struct traffic_packet packet[PACKETS];
	struct held held[PACKETS]; /* oldest first */
	unsigned n_held;
	struct held out[2 * PACKETS];
	unsigned n_out;
	uint64_t count[LEAT_GRO_REASONS];
};

static bool is_udp(const struct frame *f)
{
	return f->protocol == FRAME_UDP;
}

static bool is_tcp(const struct frame *f)
{
	return f->protocol == FRAME_TCP;
}

static bool is_tunnelled(const struct traffic_packet *p)
{
	return p->outer.tunnel != LEAT_TUNNEL_NONE;
}

static bool is_over_udp(const struct frame *outer)
{
	return outer->tunnel >= LEAT_TUNNEL_VXLAN;
}

static bool is_fragment(const struct frame *f, bool later)
{
	if (f->version == 4)
		return (f->frag_off & (later ? 0x1fff : 0x3fff)) != 0;
	return f->ext_len > 0 && f->ext_first == 44 && (!later || (f->ext[3] & 0xf8) != 0);
}

static bool same_data(const uint8_t *a, const uint8_t *b, uint32_t len)
{
	return len == 0 || memcmp(a, b, len) == 0;
}

/* Remote checksums are of TCP and UDP, and not of fragments. */
static bool is_unknown(const struct traffic_packet *p)
{
	return p->outer.remcsum && (p->f.protocol == FRAME_SCTP || is_fragment(&p->f, false));
}

/* Why the packet has no flow here. */
static enum leat_gro_reason judge_kind(const struct model *m, const struct traffic_packet *p)
{
	const struct frame *f = &p->f;

	if (is_unknown(p))
		return LEAT_GRO_TUNNEL_INSIDE;
	if (is_fragment(f, true))
		return LEAT_GRO_IP_FRAGMENT;
	switch (f->protocol) {
	case FRAME_TCP: return LEAT_GRO_MERGED;
	case FRAME_UDP: return m->conf.udp || m->conf.fraglist ? LEAT_GRO_MERGED : LEAT_GRO_UDP_OFF;
	case FRAME_SCTP: return m->conf.sctp ? LEAT_GRO_MERGED : LEAT_GRO_SCTP_OFF;
	}
	return LEAT_GRO_NOT_PARSED;
}

static enum leat_gro_reason judge_ip(const struct frame *f, uint32_t padding)
{
	if (f->version == 4 && f->ext_len > 0)
		return LEAT_GRO_IP_OPTIONS;
	if (is_fragment(f, false))
		return LEAT_GRO_IP_FRAGMENT;
	if (f->bad_ip_csum)
		return LEAT_GRO_IP_CSUM;
	return padding > 0 ? LEAT_GRO_LENGTH : LEAT_GRO_MERGED;
}

static enum leat_gro_reason judge_transport(const struct model *m, const struct frame *f)
{
	uint8_t never = FRAME_SYN | FRAME_RST | FRAME_URG | (m->conf.accecn ? 0 : FRAME_CWR);

	if (is_tcp(f) && (f->flags & never) != 0)
		return LEAT_GRO_TCP_FLAGS;
	if (f->payload == 0)
		return LEAT_GRO_NO_PAYLOAD;
	if (is_udp(f) && f->no_csum)
		return LEAT_GRO_UDP_ZERO_CSUM;
	if (f->protocol == FRAME_SCTP &&
	    f->payload <= (f->chunk_type == 0 ? 16u : 20u) + f->chunk_pad)
		return LEAT_GRO_SCTP_CHUNK;
	return LEAT_GRO_MERGED;
}

static bool is_partial(const struct traffic_packet *p)
{
	return p->mark == TRAFFIC_PARTIAL || p->mark == TRAFFIC_PARTIAL_WRONG;
}

/* Both checksums. */
static enum leat_gro_reason judge_sums(const struct traffic_packet *p)
{
	const struct frame *outer = &p->outer;

	if (p->f.bad_l4_csum || p->mark == TRAFFIC_PARTIAL_WRONG)
		return LEAT_GRO_L4_CSUM;
	if (outer->remcsum && outer->no_csum && !outer->bad_l4_csum && p->mark == TRAFFIC_PLAIN)
		return LEAT_GRO_L4_CSUM;
	if (outer->bad_l4_csum && (is_over_udp(outer) || outer->gre_csum))
		return LEAT_GRO_TUNNEL_CSUM;
	return LEAT_GRO_MERGED;
}

static enum leat_gro_reason judge_packet(const struct model *m, const struct traffic_packet *p,
					 bool is_held)
{
	const struct frame *f = &p->f;
	enum leat_gro_reason why = LEAT_GRO_MERGED;

	if (p->mark == TRAFFIC_GSO)
		return LEAT_GRO_IS_GSO;
	if (is_tunnelled(p))
		why = judge_ip(&p->outer, p->outer.padding + f->padding);
	if (why == LEAT_GRO_MERGED)
		why = judge_ip(f, f->padding + p->outer.padding);
	if (why == LEAT_GRO_MERGED)
		why = judge_transport(m, f);
	if (why != LEAT_GRO_MERGED)
		return why;
	if (m->conf.fraglist && f->protocol != FRAME_SCTP && (is_partial(p) || p->outer.remcsum))
		return LEAT_GRO_LIST_PARTIAL;
	if (is_tcp(f) && (f->flags & (FRAME_PSH | FRAME_FIN)) != 0 && !is_held)
		return LEAT_GRO_PSH_FIRST;
	return judge_sums(p);
}

static enum leat_gro_reason judge_link(const struct frame *a, const struct frame *b)
{
	if (a->dst_mac != b->dst_mac || a->src_mac != b->src_mac || a->vlans != b->vlans)
		return LEAT_GRO_LINK;
	for (unsigned i = 0; i < a->vlans; i++)
		if (a->vlan[i] != b->vlan[i])
			return LEAT_GRO_LINK;
	return LEAT_GRO_MERGED;
}

/* a is the first packet held, last the last, b the new one. */
static enum leat_gro_reason judge_ids(bool is_fixed, unsigned n, const struct frame *a,
				      const struct frame *last, const struct frame *b)
{
	bool fixed = b->id == a->id, next = b->id == (uint16_t)(last->id + 1);

	if (n == 1)
		return fixed || next ? LEAT_GRO_MERGED : LEAT_GRO_IP_ID;
	return (is_fixed ? fixed : next) ? LEAT_GRO_MERGED : LEAT_GRO_IP_ID;
}

static enum leat_gro_reason judge_ips(bool is_fixed, unsigned n, const struct frame *a,
				      const struct frame *last, const struct frame *b)
{
	if (a->tos != b->tos)
		return LEAT_GRO_TOS;
	if ((a->ttl == 0 ? 64 : a->ttl) != (b->ttl == 0 ? 64 : b->ttl))
		return LEAT_GRO_TTL;
	if (a->version == 4)
		return a->frag_off != b->frag_off ? LEAT_GRO_DF :
						    judge_ids(is_fixed, n, a, last, b);
	if (a->flow_label != b->flow_label)
		return LEAT_GRO_FLOW_LABEL;
	if (a->ext_len > 0 && a->ext_first != b->ext_first)
		return LEAT_GRO_EXTENSIONS;
	return same_data(a->ext, b->ext, a->ext_len) ? LEAT_GRO_MERGED : LEAT_GRO_EXTENSIONS;
}

static bool has_eth(const struct frame *outer)
{
	return outer->tunnel == LEAT_TUNNEL_VXLAN || outer->eth;
}

/* Are all headers of the same lengths, TCP's excepted? */
static bool same_layout(const struct traffic_packet *a, const struct traffic_packet *b)
{
	if (a->f.version == 6 && a->f.ext_len != b->f.ext_len)
		return false;
	return !has_eth(&a->outer) || a->f.vlans == b->f.vlans;
}

static bool has_id(const struct frame *outer)
{
	return outer->gre_key || outer->tunnel == LEAT_TUNNEL_VXLAN ||
	       outer->tunnel == LEAT_TUNNEL_GENEVE;
}

/* What lies between the IP headers. A remote checksum's place says where the checksum is, which
 * TCP options do not move. */
static enum leat_gro_reason judge_tunnel(const struct traffic_packet *a,
					 const struct traffic_packet *b)
{
	if (is_over_udp(&a->outer) && a->outer.no_csum != b->outer.no_csum)
		return LEAT_GRO_TUNNEL;
	if (has_id(&a->outer) && a->outer.tunnel_id != b->outer.tunnel_id)
		return LEAT_GRO_TUNNEL;
	if (has_eth(&a->outer) && judge_link(&a->f, &b->f) != LEAT_GRO_MERGED)
		return LEAT_GRO_TUNNEL;
	return LEAT_GRO_MERGED;
}

static bool has_ack(const struct frame *f)
{
	return !f->no_ack || (f->flags & FRAME_ACK) != 0;
}

static enum leat_gro_reason judge_tcp(const struct held *h, const struct frame *a,
				      const struct frame *b)
{
	if (a->window != b->window || a->opts_len != b->opts_len || a->reserved != b->reserved ||
	    a->urg_ptr != b->urg_ptr || has_ack(a) != has_ack(b) ||
	    ((a->flags ^ b->flags) & (FRAME_ECE | FRAME_CWR)) != 0)
		return LEAT_GRO_TCP_WORD;
	if (a->ack != b->ack)
		return LEAT_GRO_TCP_ACK;
	if (!same_data(a->opts, b->opts, a->opts_len))
		return LEAT_GRO_TCP_OPTIONS;
	return b->seq == a->seq + h->payload ? LEAT_GRO_MERGED : LEAT_GRO_TCP_SEQ;
}

static bool is_list(const struct model *m, const struct frame *f)
{
	return m->conf.fraglist && f->protocol != FRAME_SCTP;
}

/* Bytes of headers from the outer IP header on. */
static uint32_t headers_len(const struct traffic_packet *p)
{
	struct frame f = traffic_frame(p);

	return frame_hdr_len(&f) - 14 - 4 * f.vlans;
}

static enum leat_gro_reason judge_sizes(const struct model *m, const struct held *h,
					const struct traffic_packet *a,
					const struct traffic_packet *b)
{
	uint8_t version = is_tunnelled(a) ? a->outer.version : a->f.version;
	uint32_t limit = version == 4 ? m->conf.max_size4 : m->conf.max_size;
	uint32_t headers = headers_len(a), len = headers + h->payload + b->f.payload;

	if ((!is_tcp(&a->f) || is_tunnelled(a) || (version == 6 && !m->conf.no_jumbogram)) &&
	    limit > 65536)
		limit = 65536; /* there is no headroom */
	if (a->f.protocol != FRAME_SCTP && b->f.payload > a->f.payload)
		return LEAT_GRO_SIZE;
	if (len >= limit || (is_list(m, &a->f) && len + headers >= 65536))
		return LEAT_GRO_MAX_SIZE;
	return LEAT_GRO_MERGED;
}

static enum leat_gro_reason judge_headers(const struct held *h, const struct traffic_packet *a,
					  const struct traffic_packet *last,
					  const struct traffic_packet *b)
{
	enum leat_gro_reason why = judge_link(is_tunnelled(a) ? &a->outer : &a->f,
					      is_tunnelled(b) ? &b->outer : &b->f);

	if (why == LEAT_GRO_MERGED && !same_layout(a, b))
		why = LEAT_GRO_EXTENSIONS;
	if (why == LEAT_GRO_MERGED && is_tunnelled(a))
		why = judge_ips(h->outer_fixed, h->n, &a->outer, &last->outer, &b->outer);
	if (why == LEAT_GRO_MERGED && is_tunnelled(a))
		why = judge_tunnel(a, b);
	return why != LEAT_GRO_MERGED ? why : judge_ips(h->fixed, h->n, &a->f, &last->f, &b->f);
}

static enum leat_gro_reason judge_pair(const struct model *m, const struct held *h,
				       const struct traffic_packet *b)
{
	const struct traffic_packet *a = &m->packet[h->member[0]];
	const struct traffic_packet *last = &m->packet[h->member[h->n - 1]];
	enum leat_gro_reason why = judge_headers(h, a, last, b);

	if (is_list(m, &b->f) && is_tcp(&b->f) && (b->f.flags & (FRAME_PSH | FRAME_FIN)) != 0)
		return LEAT_GRO_TCP_WORD;
	if (why == LEAT_GRO_MERGED && is_tcp(&a->f))
		why = judge_tcp(h, &a->f, &b->f);
	if (why == LEAT_GRO_MERGED && a->f.vtag != b->f.vtag)
		why = LEAT_GRO_SCTP_VTAG;
	return why == LEAT_GRO_MERGED ? judge_sizes(m, h, a, b) : why;
}

static enum leat_gro_reason judge_end(const struct model *m, const struct held *h,
				      const struct frame *b)
{
	bool few = is_udp(b) || is_list(m, b);
	unsigned most = few && m->conf.max_segs > 64 ? 64 : m->conf.max_segs;

	if (b->protocol != FRAME_SCTP && b->payload < m->packet[h->member[0]].f.payload)
		return LEAT_GRO_END_SMALL;
	if (is_tcp(b) && (b->flags & (FRAME_PSH | FRAME_FIN)) != 0)
		return LEAT_GRO_END_FLAGS;
	return h->n == most ? LEAT_GRO_MAX_SIZE : LEAT_GRO_MERGED;
}

#endif
