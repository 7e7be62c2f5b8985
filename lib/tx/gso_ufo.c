/* SPDX-License-Identifier: MIT */
/*
 * gso_ufo.c - a datagram as IP fragments (UFO).
 *
 * What is cut is the IP payload: it begins at the UDP header over IPv4, and over IPv6 behind the
 * extension headers that each fragment needs (RFC 8200 4.5): what comes first up to a routing
 * header, destination options in front of it included, as the kernel has it. There the fragment
 * header goes. The first fragment's headers are so the datagram's, the others' end where the cut
 * begins. The checksum is the datagram's, once. Offsets are in units of 8 bytes, so gso_size is
 * rounded down.
 *
 * All fragments have one identification. In IPv4 the bits of the datagram's own fragment field,
 * "don't fragment" among them, are lost.
 */
#include "gso.h"

enum { FRAG_NEXT, FRAG_ID = 4 };

/* Where the fragment header goes; *next: the offset of the number that will name it. */
static uint32_t find_fragmentable(const struct leat_pkt *pkt, uint32_t *next)
{
	const struct leat_level *l = leat_pkt_inner(pkt);
	uint32_t at = l->network + IP6_HLEN;
	bool routed = false;

	if (l->version == 4)
		return l->transport;
	*next = l->network + IP6_NEXTHDR;
	while (at + IP6_EXT_UNIT <= l->transport) {
		uint8_t protocol = pkt->data[*next];

		if (protocol != PROTO_HOPOPTS && protocol != PROTO_ROUTING &&
		    (protocol != PROTO_DSTOPTS || routed))
			break;
		routed |= protocol == PROTO_ROUTING;
		*next = at;
		at += (pkt->data[at + IP6_EXT_LEN] + 1u) * IP6_EXT_UNIT;
	}
	return at;
}

bool leat_gso_ufo_plan(const struct leat_pkt *pkt, struct gso_plan *plan)
{
	const struct leat_level *l = leat_pkt_inner(pkt);
	uint32_t next, at = find_fragmentable(pkt, &next);
	uint32_t lead = pkt->payload - at; /* header bytes that only the first fragment has */
	/* what its length field counts beside gso_size */
	uint32_t more =
		l->version == 4 ? at - l->network : at - l->network - IP6_HLEN + IP6_FRAG_HLEN;

	if (pkt->levels != 1 || at > l->transport)
		return false;
	plan->gso_size &= ~(uint32_t)(IP6_EXT_UNIT - 1);
	plan->unit = plan->gso_size - lead;
	plan->segs = (pkt->len - at - 1) / (plan->gso_size ? plan->gso_size : 1) + 1;
	return plan->gso_size >= lead && plan->segs > 1 && more + plan->gso_size <= 0xffff;
}

static uint16_t sum_datagram(const struct leat_pkt *pkt)
{
	const struct leat_level *l = leat_pkt_inner(pkt);
	uint32_t len = pkt->len - l->transport;
	uint32_t sum = leat_csum_pseudo(pkt->data, l, len);

	sum = leat_csum_partial(pkt->data + l->transport, UDP_LEN, sum);
	sum = leat_csum_add(sum, sum_be16((uint16_t)len));
	return leat_csum_fold(leat_csum_pkt(pkt, pkt->payload, pkt->len - pkt->payload, sum));
}

void leat_gso_ufo_init(struct leat_gso *gso)
{
	uint32_t next = 0;

	gso->split = find_fragmentable(gso->pkt, &next);
	gso->insert = gso->lvl[0].version == 6 ? IP6_FRAG_HLEN : 0;
	gso->next_header = (uint16_t)(gso->split - next);
	gso->hdr_len += gso->insert;
	gso->transport += gso->insert;
	gso->gso_type |= LEAT_GSO_TCP_FIXEDID;
	gso->sum = sum_datagram(gso->pkt);
}

static void finish_ip4(uint8_t *ip, uint32_t off, bool more)
{
	uint16_t field = (uint16_t)(off / IP6_EXT_UNIT | (more ? IP4_MF : 0));
	uint32_t old = (uint16_t)~load_raw16(ip + IP4_FRAG_OFF);

	update_check(ip + IP4_CHECK, leat_csum_add(old, put_be16(ip + IP4_FRAG_OFF, field)));
}

static void finish_ip6(const struct leat_gso *gso, uint8_t *hdr, uint32_t off, bool more)
{
	uint8_t *next = hdr + gso->split - gso->next_header, *frag = hdr + gso->split;

	frag[FRAG_NEXT] = *next;
	frag[FRAG_NEXT + 1] = 0;
	*next = PROTO_FRAGMENT;
	store_be16(frag + IP6_FRAG_OFF, (uint16_t)(off | (more ? IP6_MF : 0)));
	store_be32(frag + FRAG_ID, gso->frag_id);
}

void leat_gso_ufo_finish(const struct leat_gso *gso, const struct gso_seg *s)
{
	uint8_t *udp = s->hdr + gso->transport;
	bool more = gso->off + s->n < gso->payload;
	uint32_t off = gso->seg * gso->gso_size;

	if (gso->lvl[0].version == 4)
		finish_ip4(s->hdr + gso->lvl[0].network, off, more);
	else
		finish_ip6(gso, s->hdr, off, more);
	if (gso->seg > 0)
		return;
	store_be16(udp + UDP_LEN, (uint16_t)(UDP_HLEN + gso->payload));
	store_udp_check(udp + UDP_CHECK, gso->sum);
}

void leat_gso_ufo_next(struct leat_gso *gso)
{
	gso->unit = gso->gso_size;
	gso->hdr_len = gso->split + gso->insert;
}
