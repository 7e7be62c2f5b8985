/* SPDX-License-Identifier: MIT */
/*
 * gso_plan.c - what is to be done with a super-packet, or that something is wrong with it.
 *
 * All that segments' headers will rest on is checked here, so that the segmenter has nothing left
 * to doubt. Nothing is believed: the descriptor's offsets are checked before a header is looked at,
 * and what the headers say against the descriptor.
 *
 * Lengths come from the descriptor. An IP length field is only compared: 0 stands for a TCP packet
 * that it cannot express (BIG TCP; captures of unfinished headers have it too), and another value
 * than the frame's means padding, which would be cut up as payload, or a cut packet, so it is
 * refused. What partial GSO made says the length of one segment.
 */
#include "gso.h"

#define TCP_MODIFIERS \
	(LEAT_GSO_TCP_ECN | LEAT_GSO_TCP_ACCECN | LEAT_GSO_FRAGLIST | LEAT_GSO_PARTIAL)

enum { IP_LEN_MAX = 0xffff }; /* what a length field can say */

/* A jumbogram (RFC 2675): a hop-by-hop header of 8 bytes whose one option holds the length. */
enum { JUMBO_OPTION = IP6_HLEN + 2, JUMBO_LEN = IP6_HLEN + 4, JUMBO_TYPE = 0xc204 };

enum { PARTIAL_MAX = 0xfffe }; /* payload bytes of a packet that partial GSO makes */

static const struct transport {
	uint32_t type, modifiers;
	uint8_t protocol, version; /* version 0: either */
	uint8_t kind, field;
} transports[] = {
	{LEAT_GSO_TCPV4, TCP_MODIFIERS, PROTO_TCP, 4, GSO_TCP, TCP_CHECK},
	{LEAT_GSO_TCPV6, TCP_MODIFIERS, PROTO_TCP, 6, GSO_TCP, TCP_CHECK},
	{LEAT_GSO_UDP_L4, LEAT_GSO_FRAGLIST | LEAT_GSO_PARTIAL, PROTO_UDP, 0, GSO_UDP, UDP_CHECK},
	{LEAT_GSO_UDP, 0, PROTO_UDP, 0, GSO_UFO, UDP_CHECK},
	{LEAT_GSO_SCTP, 0, PROTO_SCTP, 0, GSO_SCTP, SCTP_CHECK},
};

/* The row of the type, or NULL if type and headers disagree. */
static const struct transport *find_transport(const struct leat_pkt *pkt)
{
	const uint32_t ecn = LEAT_GSO_TCP_ECN | LEAT_GSO_TCP_ACCECN;
	const struct leat_level *l = leat_pkt_inner(pkt);
	const struct transport *t = transports, *end = t + sizeof(transports) / sizeof(*t);

	while (t < end && t->type != (pkt->gso_type & GSO_TRANSPORTS))
		t++;
	if (t == end || t->protocol != l->protocol || (t->version && t->version != l->version) ||
	    (pkt->gso_type & TCP_MODIFIERS & ~t->modifiers) || (pkt->gso_type & ecn) == ecn)
		return NULL;
	return t;
}

/* Does the chain have the bytes and members that its head counts? */
static bool is_whole(const struct leat_pkt *pkt)
{
	const struct leat_pkt *slice = pkt->frag_list;
	uint64_t len = pkt->headlen;
	unsigned n = 0;

	for (; slice && n < pkt->slices; n++, slice = slice->frag_list)
		len += slice->headlen;
	return n == pkt->slices && len == pkt->len && len <= LEAT_PKT_LEN_MAX;
}

static bool is_jumbogram(const struct leat_level *l, const uint8_t *ip, uint32_t len)
{
	return l->transport - l->network >= IP6_HLEN + IP6_EXT_UNIT &&
	       ip[IP6_NEXTHDR] == PROTO_HOPOPTS && ip[IP6_HLEN + IP6_EXT_LEN] == 0 &&
	       load_be16(ip + JUMBO_OPTION) == JUMBO_TYPE && load_be32(ip + JUMBO_LEN) == len;
}

/* Does the length field say that a packet of `len` bytes, as it counts them, ends with the frame? */
static bool is_length(const struct leat_pkt *pkt, const struct leat_level *l, uint32_t len)
{
	const uint8_t *ip = pkt->data + l->network;
	uint32_t field = load_be16(ip + (l->version == 6 ? IP6_PAYLOAD_LEN : IP4_TOT_LEN));

	if (l->version == 6 && l->flags & LEAT_IP_JUMBO)
		return field == 0 && leat_pkt_inner(pkt)->protocol == PROTO_TCP &&
		       is_jumbogram(l, ip, len);
	if (pkt->gso_type & LEAT_GSO_PARTIAL)
		return field == len - (pkt->len - pkt->payload) + pkt->gso_size;
	return field == len || (field == 0 && leat_pkt_inner(pkt)->protocol == PROTO_TCP);
}

/* Is this the level's IP header, of a packet that ends with the frame and is no fragment, and will
 * a segment's length fit its length field? */
static bool is_ip(const struct leat_pkt *pkt, const struct leat_level *l, uint32_t most)
{
	bool is6 = l->version == 6;
	uint32_t hlen = is6 ? IP6_HLEN : IP4_HLEN;
	uint32_t first = l->network + (is6 ? hlen : 0); /* byte the length field counts */
	const uint8_t *ip = pkt->data + l->network;

	if (l->network + hlen > l->transport || l->transport >= pkt->payload ||
	    l->flags & LEAT_IP_FRAGMENT)
		return false;
	if (ip[0] >> 4 != l->version || (!is6 && (l->version != 4 || ip4_hlen(ip) < hlen ||
						  l->network + ip4_hlen(ip) != l->transport)))
		return false;
	return pkt->payload - first + most <= IP_LEN_MAX && is_length(pkt, l, pkt->len - first);
}

/* Are the headers where the descriptor has them, one after another? */
static bool has_levels(const struct leat_pkt *pkt, uint32_t most)
{
	const struct leat_level *outer = &pkt->lvl[0], *inner = &pkt->lvl[1];

	if (!is_ip(pkt, outer, most))
		return false;
	if (pkt->levels == 1)
		return !(pkt->gso_type & (GSO_TUNNELS | LEAT_GSO_TCP_FIXEDID_INNER));
	return is_ip(pkt, inner, most) && !(outer->flags & inner->flags & LEAT_IP_JUMBO) &&
	       leat_gso_tunnel_check(pkt);
}

static bool has_transport(const struct leat_pkt *pkt, const struct transport *t)
{
	if (pkt->csum == LEAT_CSUM_PARTIAL &&
	    (pkt->csum_start != leat_pkt_inner(pkt)->transport || pkt->csum_offset != t->field))
		return false;
	switch (t->kind) {
	case GSO_TCP: return leat_gso_tcp_check(pkt);
	case GSO_SCTP: return leat_gso_sctp_check(pkt);
	}
	return leat_gso_udp_check(pkt);
}

/* Cut at the members of the chain. */
static bool plan_members(const struct leat_pkt *pkt, struct gso_plan *plan)
{
	const struct leat_pkt *member = pkt->frag_list;
	uint32_t head = pkt->headlen - pkt->payload;

	plan->unit = 0; /* of no meaning */
	plan->most = head;
	plan->segs = pkt->slices + (head > 0);
	for (unsigned n = pkt->slices; n > 0; n--, member = member->frag_list) {
		if (member->headlen == 0)
			return false;
		if (member->headlen > plan->most)
			plan->most = member->headlen;
	}
	return plan->segs >= 2;
}

/* Cut every gso_size bytes. */
static bool plan_sizes(const struct leat_pkt *pkt, struct gso_plan *plan)
{
	uint32_t payload = pkt->len - pkt->payload;

	if (plan->gso_size == 0 || payload <= plan->gso_size)
		return false;
	plan->unit = plan->gso_size;
	plan->most = plan->gso_size;
	plan->segs = (payload - 1) / plan->gso_size + 1;
	return plan->kind != GSO_UDP || plan->segs <= LEAT_UDP_MAX_SEGMENTS;
}

static bool is_list(const struct leat_pkt *pkt, uint32_t gso_size)
{
	return pkt->gso_type & LEAT_GSO_FRAGLIST && gso_size > 0 &&
	       !(pkt->gso_type & LEAT_GSO_DODGY) && pkt->csum != LEAT_CSUM_PARTIAL &&
	       pkt->headlen - pkt->payload == gso_size && leat_gso_list_check(pkt);
}

static bool plan_cut(const struct leat_pkt *pkt, const struct leat_gso_conf *conf,
		     const struct transport *t, struct gso_plan *plan)
{
	plan->kind = t->kind;
	plan->field = t->field;
	plan->partial = false;
	plan->gso_size = conf->gso_size ? conf->gso_size : pkt->gso_size;
	if (plan->kind == GSO_SCTP)
		return plan->gso_size == LEAT_GSO_BY_FRAGS && plan_members(pkt, plan);
	if (pkt->gso_size == LEAT_GSO_BY_FRAGS)
		return false;
	if (plan->kind == GSO_UFO) {
		plan->most = 0; /* leat_gso_ufo_plan() knows */
		return true;
	}
	if (is_list(pkt, plan->gso_size)) {
		plan->kind = GSO_LIST;
		return plan_members(pkt, plan);
	}
	return plan_sizes(pkt, plan);
}

/* Is the port's help, after partial GSO, all that the packet needs? */
static bool is_partial(const struct leat_pkt *pkt, const struct leat_gso_conf *conf,
		       const struct gso_plan *plan)
{
	return conf->features & LEAT_GSO_PARTIAL && conf->csum_partial &&
	       (plan->kind == GSO_TCP || plan->kind == GSO_UDP) &&
	       !(pkt->gso_type & (LEAT_GSO_FRAGLIST | LEAT_GSO_TUNNEL_REMCSUM)) &&
	       leat_gso_port_has(pkt, conf->features | conf->partial);
}

/* Larger segments, for the port to cut further. */
static void plan_partial(const struct leat_pkt *pkt, struct gso_plan *plan)
{
	uint32_t payload = pkt->len - pkt->payload;
	uint32_t most = payload < PARTIAL_MAX ? payload : PARTIAL_MAX;

	plan->partial = true;
	plan->unit = most / plan->gso_size * plan->gso_size;
	plan->segs = (payload - 1) / plan->unit + 1;
}

bool leat_gso_plan(const struct leat_pkt *pkt, const struct leat_gso_conf *conf,
		   struct gso_plan *plan)
{
	const struct transport *t;

	if (pkt->depth != LEAT_DEPTH_TRANSPORT || pkt->levels == 0 || pkt->levels > LEAT_LEVELS ||
	    !is_whole(pkt) || pkt->payload > pkt->headlen)
		return false;
	t = find_transport(pkt);
	if (!t || !plan_cut(pkt, conf, t, plan) || !has_levels(pkt, plan->most) ||
	    !has_transport(pkt, t))
		return false;
	if (plan->kind == GSO_UFO)
		return leat_gso_ufo_plan(pkt, plan);
	if (is_partial(pkt, conf, plan))
		plan_partial(pkt, plan);
	return true;
}
