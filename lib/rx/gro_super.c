/* SPDX-License-Identifier: MIT */
/*
 * gro_super.c - a super-packet's headers and descriptor, written when it is given out.
 *
 * Lengths are the whole's, at every level; IDs stay the first packet's. A length that does not fit
 * its field is 0 there: BIG TCP. Over IPv6 it stands in a jumbogram option then (RFC 2675), the
 * way Linux up to 6.19 has it inside the machine: a hop-by-hop header right behind the IPv6 header,
 * put into the headroom by moving what is in front of it.
 */
#include "gro_ip.h"

/* The levels whose IDs are all the same, as gso_type says it. */
static uint32_t fixed_ids(const struct leat_gro_flow *flow)
{
	uint32_t type = flow->id_mask[0] == 0 ? LEAT_GSO_TCP_FIXEDID : 0;

	if (flow->head->levels > 1 && flow->id_mask[1] == 0)
		type |= LEAT_GSO_TCP_FIXEDID_INNER;
	return type;
}

static uint16_t length_field(uint32_t len)
{
	return len <= UINT16_MAX ? (uint16_t)len : 0;
}

static void complete_ip4(uint8_t *ip, uint32_t len)
{
	store_be16(ip + IP4_TOT_LEN, length_field(len));
	store_raw16(ip + IP4_CHECK, 0);
	store_raw16(ip + IP4_CHECK, (uint16_t)~leat_csum_fold(leat_csum_partial(ip, IP4_HLEN, 0)));
}

/* The headroom was looked at before so much was merged. */
static void insert_jumbo(struct leat_pkt *head)
{
	struct leat_level *l = &head->lvl[0];
	uint32_t at = l->network + (uint32_t)IP6_HLEN;
	uint8_t *hop;

	memmove(head->data - IP6_JUMBO_HLEN, head->data, at);
	head->data -= IP6_JUMBO_HLEN;
	head->len += IP6_JUMBO_HLEN;
	head->headlen += IP6_JUMBO_HLEN;
	head->payload += IP6_JUMBO_HLEN;
	l->transport += IP6_JUMBO_HLEN;
	l->flags |= LEAT_IP_OPTIONS | LEAT_IP_JUMBO;

	hop = head->data + at;
	store_be32(hop, (uint32_t)head->data[l->network + IP6_NEXTHDR] << 24 | IP6_JUMBO);
	store_be32(hop + IP6_JUMBO_LEN, head->len - at);
	head->data[l->network + IP6_NEXTHDR] = PROTO_HOPOPTS;
}

static void complete_ip(struct leat_pkt *head)
{
	for (unsigned i = 0; i < head->levels; i++) {
		uint32_t network = head->lvl[i].network;
		uint8_t *ip = head->data + network;

		if (head->lvl[i].version == 4)
			complete_ip4(ip, head->len - network);
		else
			store_be16(ip + IP6_PAYLOAD_LEN,
				   length_field(head->len - network - IP6_HLEN));
	}
}

static bool needs_jumbo(const struct leat_pkt *head, const struct leat_gro_conf *conf)
{
	const struct leat_level *l = &head->lvl[0];

	return head->len - l->network > UINT16_MAX + IP6_HLEN && l->version == 6 &&
	       !conf->no_jumbogram;
}

/* Of a packet that is held. */
static const struct leat_gro_proto *proto_of(const struct leat_gro *gro, const struct leat_pkt *pkt)
{
	switch (leat_pkt_inner(pkt)->protocol) {
	case PROTO_TCP: return gro->tcp;
	case PROTO_UDP: return gro->udp;
	default: return gro->sctp;
	}
}

void leat_gro_super_complete(const struct leat_gro *gro, const struct leat_gro_flow *flow)
{
	struct leat_pkt *head = flow->head;
	const struct leat_gro_proto *proto = proto_of(gro, head);

	complete_ip(head);
	if (needs_jumbo(head, &gro->conf))
		insert_jumbo(head);
	head->gso_type = proto->complete(flow);
	head->gso_size = flow->gso_size;
	head->gso_segs = flow->segs;
	if (head->levels > 1)
		head->gso_type |= leat_gro_tunnel_complete(head, proto->whole);
	if (proto->whole)
		return;
	head->gso_type |= fixed_ids(flow);
	head->csum = LEAT_CSUM_PARTIAL;
	head->csum_start = leat_pkt_inner(head)->transport;
	head->csum_offset = proto->csum_offset;
}
