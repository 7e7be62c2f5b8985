/* SPDX-License-Identifier: MIT */
/*
 * sane.h - what holds of every parsed packet, whatever its bytes.
 */
#ifndef LEAT_TESTS_SANE_H
#define LEAT_TESTS_SANE_H

#include <leat/parse.h>
#include <stddef.h>

/* Where the packet of a level ends, by its length field. */
static inline uint32_t level_ends(const struct leat_pkt *pkt, const struct leat_level *l)
{
	const uint8_t *ip = pkt->data + l->network;
	uint32_t len = l->version == 4 ? ip[2] * 256u + ip[3] : ip[4] * 256u + ip[5];
	uint32_t from = l->network + (l->version == 4 ? 0 : 40);

	/* Too long for the field, which is only so outside. */
	if (len == 0 && l == &pkt->lvl[0] && pkt->len - from > 65535)
		return pkt->len;
	return from + len;
}

static inline const char *level_wrong(const struct leat_pkt *pkt, const struct leat_level *l)
{
	if (l->version != 4 && l->version != 6)
		return "version";
	if (l->version != pkt->data[l->network] >> 4)
		return "version differs";
	if (l->transport < l->network + (l->version == 4 ? 20 : 40))
		return "transport within network";
	if (l->transport > pkt->headlen)
		return "transport outside";
	if (level_ends(pkt, l) > pkt->len)
		return "packet's end outside";
	if ((l->flags & LEAT_IP_LATER) && pkt->reason != LEAT_PARSE_FRAGMENT)
		return "later fragment";
	if (l->tunnel > LEAT_TUNNEL_FOU)
		return "tunnel";
	if (l->tunnel >= LEAT_TUNNEL_VXLAN && l->protocol != 17)
		return "tunnel not over UDP";
	if ((l->tunnel == LEAT_TUNNEL_GRE) != (l->tunnel != LEAT_TUNNEL_NONE && l->protocol == 47))
		return "tunnel not GRE";
	return NULL;
}

/* Of two levels: the inner lies in the outer, and in its UDP length. */
static inline const char *inside_wrong(const struct leat_pkt *pkt)
{
	const struct leat_level *out = &pkt->lvl[0], *in = &pkt->lvl[1];
	uint32_t end = level_ends(pkt, out), start = out->transport;

	if (out->tunnel == LEAT_TUNNEL_NONE)
		return "levels without a tunnel";
	if (out->flags & LEAT_IP_FRAGMENT)
		return "fragment entered";
	if (out->protocol == 17) {
		const uint8_t *udp = pkt->data + out->transport;

		if (start + udp[4] * 256u + udp[5] > end)
			return "UDP length";
		end = start + udp[4] * 256u + udp[5];
		start += 8;
	}
	if (pkt->inner_mac != 0 && (pkt->inner_mac < start || pkt->inner_mac + 14 > in->network))
		return "inner link";
	if (in->network < start || in->transport > end || level_ends(pkt, in) > end)
		return "inner outside";
	if (in->tunnel != LEAT_TUNNEL_NONE && pkt->reason != LEAT_PARSE_TUNNEL_DEPTH)
		return "second tunnel";
	if ((out->flags & LEAT_REMCSUM) && pkt->depth != LEAT_DEPTH_TRANSPORT &&
	    (pkt->reason != LEAT_PARSE_TUNNEL_DEPTH || in->protocol != 17))
		return "remote checksum without transport";
	return NULL;
}

/* The reason and how far it got; a tunnel over UDP that was not entered has both. */
static inline const char *reason_wrong(const struct leat_pkt *pkt)
{
	bool shut = pkt->levels == 1 && pkt->lvl[0].tunnel != LEAT_TUNNEL_NONE;

	if (pkt->depth > LEAT_DEPTH_TRANSPORT || pkt->reason >= LEAT_PARSE_REASONS)
		return "depth or reason";
	if (shut && (pkt->reason == LEAT_PARSE_OK || pkt->depth < LEAT_DEPTH_NETWORK ||
		     (pkt->depth == LEAT_DEPTH_TRANSPORT) != (pkt->lvl[0].protocol == 17)))
		return "tunnel not entered";
	if (!shut && (pkt->depth == LEAT_DEPTH_TRANSPORT) != (pkt->reason == LEAT_PARSE_OK))
		return "depth and reason disagree";
	if (pkt->depth == LEAT_DEPTH_NONE && pkt->reason != LEAT_PARSE_SHORT_LINK)
		return "short for another reason";
	return NULL;
}

/* What is wrong with the parser's word on `pkt`, or NULL. */
static inline const char *parse_wrong(const struct leat_pkt *pkt)
{
	const char *wrong = reason_wrong(pkt);

	if (wrong != NULL)
		return wrong;
	if ((pkt->levels > 0) != (pkt->depth >= LEAT_DEPTH_NETWORK) || pkt->levels > LEAT_LEVELS ||
	    pkt->vlans > LEAT_VLANS_MAX)
		return "levels or vlans";
	if (pkt->levels > 0 && pkt->lvl[0].network != 14 + 4 * pkt->vlans)
		return "network";
	for (unsigned i = 0; wrong == NULL && i < pkt->levels; i++)
		wrong = level_wrong(pkt, &pkt->lvl[i]);
	if (wrong == NULL && pkt->levels > 1)
		wrong = inside_wrong(pkt);
	if (pkt->levels < 2 && pkt->inner_mac != 0)
		return "inner link without inside";
	if (wrong != NULL || pkt->depth < LEAT_DEPTH_TRANSPORT)
		return wrong;
	if (pkt->payload < leat_pkt_inner(pkt)->transport + 8 || pkt->payload > pkt->headlen)
		return "payload";
	if (leat_parse_payload_len(pkt) > pkt->len - pkt->payload)
		return "payload length";
	return NULL;
}

#endif
