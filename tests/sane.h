/* SPDX-License-Identifier: MIT */
/*
 * sane.h - what holds of every parsed packet, whatever its bytes.
 */
#ifndef LEAT_TESTS_SANE_H
#define LEAT_TESTS_SANE_H

#include <leat/parse.h>
#include <stddef.h>

static inline const char *level_wrong(const struct leat_pkt *pkt, const struct leat_level *l)
{
	if (l->version != 4 && l->version != 6)
		return "version";
	if (l->version != pkt->data[l->network] >> 4)
		return "version differs";
	if (l->network != 14 + 4 * pkt->vlans)
		return "network";
	if (l->transport < l->network + (l->version == 4 ? 20 : 40))
		return "transport within network";
	if (l->transport > pkt->headlen)
		return "transport outside";
	if ((l->flags & LEAT_IP_LATER) && pkt->reason != LEAT_PARSE_FRAGMENT)
		return "later fragment";
	return NULL;
}

/* What is wrong with the parser's word on `pkt`, or NULL. */
static inline const char *parse_wrong(const struct leat_pkt *pkt)
{
	const char *wrong;

	if (pkt->depth > LEAT_DEPTH_TRANSPORT || pkt->reason >= LEAT_PARSE_REASONS)
		return "depth or reason";
	if ((pkt->depth == LEAT_DEPTH_TRANSPORT) != (pkt->reason == LEAT_PARSE_OK))
		return "depth and reason disagree";
	if ((pkt->depth == LEAT_DEPTH_NONE) != (pkt->reason == LEAT_PARSE_SHORT_LINK))
		return "short and not short";
	if (pkt->levels != (pkt->depth >= LEAT_DEPTH_NETWORK) || pkt->vlans > LEAT_VLANS_MAX)
		return "levels or vlans";
	if (pkt->levels == 0)
		return NULL;
	wrong = level_wrong(pkt, leat_pkt_inner(pkt));
	if (wrong != NULL || pkt->depth < LEAT_DEPTH_TRANSPORT)
		return wrong;
	if (pkt->payload < pkt->lvl[0].transport + 8 || pkt->payload > pkt->headlen)
		return "payload";
	if (leat_parse_payload_len(pkt) > pkt->len - pkt->payload)
		return "payload length";
	return NULL;
}

#endif
