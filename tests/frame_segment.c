/* SPDX-License-Identifier: MIT */
/*
 * frame_segment.c - for tests: what GSO should make of a super-packet, one segment at a time.
 */
#include <string.h>

#include "frame_tunnel.h"

enum { JUMBO = 8 };

void transport_complete(uint8_t *frame, uint32_t len, const struct place *in)
{
	uint8_t *l4 = frame + in->l4, *field = l4 + (in->protocol == FRAME_TCP ? 16 : 6);

	if (in->protocol == FRAME_SCTP) {
		put32(l4 + 8, sctp_crc(l4, len - in->l4));
		return;
	}
	put16(field, 0);
	put16(field, transport_csum(frame + in->ip, in->protocol, l4, len - in->l4));
}

static void fix_network(const struct place *l, uint32_t id, uint8_t *frame, uint32_t len)
{
	uint8_t *ip = frame + l->ip;

	if (ip[0] / 16 == 6) {
		put16(ip + 4, len - l->ip - IP6);
		return;
	}
	put16(ip + 2, len - l->ip);
	put16(ip + 4, get16(ip + 4) + id);
	put16(ip + 10, 0);
	put16(ip + 10, (uint16_t)~frame_sum(ip, l->l4 - l->ip, 0));
}

/* The outer UDP or GRE header, when all behind it is done. */
static void fix_tunnel(const struct leat_pkt *super, const struct place *out, uint8_t *frame,
		       uint32_t len)
{
	uint8_t *l4 = frame + out->l4;

	if (out->protocol == FRAME_UDP)
		put16(l4 + 4, len - out->l4);
	if ((super->gso_type & LEAT_GSO_UDP_TUNNEL_CSUM) != 0) {
		put16(l4 + 6, 0);
		put16(l4 + 6, transport_csum(frame + out->ip, FRAME_UDP, l4, len - out->l4));
	} else if ((super->gso_type & LEAT_GSO_GRE_CSUM) != 0) {
		put16(l4 + 4, 0);
		put16(l4 + 4, (uint16_t)~frame_sum(l4, len - out->l4, 0));
	}
}

static void fix_transport(const struct leat_pkt *super, const struct place *l, uint32_t i,
			  bool last, uint8_t *frame, uint32_t len)
{
	uint8_t *l4 = frame + l->l4;

	if (l->protocol == FRAME_TCP) {
		put32(l4 + 4, get32(l4 + 4) + i * super->gso_size);
		if (!last)
			l4[13] &= (uint8_t) ~(FRAME_FIN | FRAME_PSH);
		if (i > 0 && (super->gso_type & LEAT_GSO_TCP_ACCECN) == 0)
			l4[13] &= (uint8_t)~FRAME_CWR;
	} else if (l->protocol == FRAME_UDP) {
		put16(l4 + 4, len - l->l4);
	}
	if ((super->gso_type & LEAT_GSO_TUNNEL_REMCSUM) != 0)
		put16(l4 + (l->protocol == FRAME_TCP ? 16 : 6),
		      frame_pseudo(frame + l->ip, l->protocol, len - l->l4));
	else
		transport_complete(frame, len, l);
}

/* The fields of segment `i` that are not the super-packet's, from the inside outwards. */
static void fix_headers(const struct leat_pkt *super, const struct places *at, uint32_t i,
			bool last, uint8_t *frame, uint32_t len)
{
	static const uint32_t fixed[2] = {LEAT_GSO_TCP_FIXEDID, LEAT_GSO_TCP_FIXEDID_INNER};

	for (unsigned k = 0; k < at->levels && k < 2; k++)
		fix_network(&at->lvl[k], (super->gso_type & fixed[k]) != 0 ? 0 : i, frame, len);
	fix_transport(super, &at->lvl[at->levels - 1], i, last, frame, len);
	if (at->levels > 1)
		fix_tunnel(super, &at->lvl[0], frame, len);
}

/* Segment `i` of those that have boundaries: a member, its bytes at `*from` of the whole. */
static uint32_t find_member(const struct leat_pkt *super, uint32_t i, uint32_t *from)
{
	const struct leat_pkt *p = super;
	uint32_t n = super->headlen - *from;

	for (; i > 0 && p != NULL; i--) {
		*from += n;
		p = p->frag_list;
		n = p != NULL ? p->headlen : 0;
	}
	return p != NULL ? n : 0;
}

/* Is it one whose members can go out as they are? */
static bool is_list(const struct leat_pkt *super, uint32_t payload)
{
	if ((super->gso_type & (LEAT_GSO_FRAGLIST | LEAT_GSO_DODGY)) != LEAT_GSO_FRAGLIST ||
	    super->csum == LEAT_CSUM_PARTIAL || super->headlen != payload + super->gso_size)
		return false;
	for (const struct leat_pkt *p = super->frag_list; p != NULL; p = p->frag_list)
		if (p->data - p->head < (ptrdiff_t)payload - super->lvl[0].network)
			return false;
	return true;
}

/* A fraglist's member has headers of its own in front of its payload; the first has the lengths of
 * the whole in its. */
static uint32_t list_segment(const struct leat_pkt *super, const struct places *at, uint32_t i,
			     uint8_t *dst)
{
	const struct leat_pkt *p = super;
	const struct place *in = &at->lvl[at->levels - 1];
	uint32_t len;

	for (; i > 0 && p != NULL; i--)
		p = p->frag_list;
	if (p == NULL)
		return 0;
	len = p->headlen + (p == super ? 0 : at->payload);
	memcpy(dst, p == super ? p->data : p->data - at->payload, len);
	if (p != super)
		return len;
	for (unsigned k = 0; k < at->levels; k++)
		fix_network(&at->lvl[k], 0, dst, len);
	if (in->protocol == FRAME_UDP)
		put16(dst + in->l4 + 4, len - in->l4);
	if (at->levels > 1 && at->lvl[0].protocol == FRAME_UDP)
		put16(dst + at->lvl[0].l4 + 4, len - at->lvl[0].l4);
	return len;
}

/* Take the jumbogram's option out of the copied headers. */
static void strip_jumbo(struct places *at, uint8_t *frame)
{
	uint8_t *ip = frame + at->lvl[0].ip, *hop = ip + IP6;

	if (ip[0] / 16 != 6 || ip[6] != 0 || get32(hop) % 0x1000000 != 0x00c204)
		return;
	ip[6] = hop[0];
	memmove(hop, hop + JUMBO, at->payload - at->lvl[0].ip - IP6 - JUMBO);
	at->lvl[0].l4 -= JUMBO;
	at->payload -= JUMBO;
}

uint32_t frame_segment(const struct leat_pkt *super, const uint8_t *flat, uint32_t i, uint8_t *dst)
{
	struct places at = find_places(flat, super->len);
	uint32_t from = at.payload, n, len;

	if (is_list(super, at.payload))
		return list_segment(super, &at, i, dst);
	if (super->gso_size == LEAT_GSO_BY_FRAGS) {
		n = find_member(super, i, &from);
	} else {
		from += i * super->gso_size;
		n = from < super->len ? super->len - from : 0;
		n = n < super->gso_size ? n : super->gso_size;
	}
	if (n == 0)
		return 0;
	memcpy(dst, flat, at.payload);
	strip_jumbo(&at, dst);
	len = at.payload + n;
	memcpy(dst + at.payload, flat + from, n);
	fix_headers(super, &at, i, from + n == super->len, dst, len);
	return len;
}
