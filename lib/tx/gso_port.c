/* SPDX-License-Identifier: MIT */
/*
 * gso_port.c - what is left to the port: segmentation happens as late as possible, so only where
 * the port cannot do it, or cannot be trusted with what nobody has checked.
 */
#include "gso.h"

enum { LEGACY_MAX_SIZE = 65536, LEGACY_MAX_SEGS = 65535 };

/* May routers fragment the packet, so that its segments need IDs of their own? */
static bool is_fragmentable(const struct leat_pkt *pkt)
{
	for (unsigned i = 0; i < pkt->levels && i < LEAT_LEVELS; i++) {
		uint32_t at = pkt->lvl[i].network;

		if (pkt->lvl[i].version == 4 && at + IP4_HLEN <= pkt->headlen &&
		    !(load_be16(pkt->data + at + IP4_FRAG_OFF) & IP4_DF))
			return true;
	}
	return false;
}

bool leat_gso_port_has(const struct leat_pkt *pkt, uint32_t features)
{
	if (pkt->gso_type & GSO_FIXEDIDS && is_fragmentable(pkt))
		return false;
	return pkt->gso_type != 0 && !(pkt->gso_type & ~LEAT_GSO_DODGY & ~features);
}

static bool is_within(const struct leat_pkt *pkt, const struct leat_gso_conf *conf)
{
	bool counted = pkt->gso_segs != 0 && !(pkt->gso_type & LEAT_GSO_DODGY);
	uint32_t segs = counted ? pkt->gso_segs : leat_gso_segs(pkt);
	uint32_t size = conf->max_size ? conf->max_size : LEGACY_MAX_SIZE;

	if (pkt->levels > 0 && pkt->lvl[0].version == 4 && conf->max_size4)
		size = conf->max_size4;
	return pkt->len < size && segs <= (conf->max_segs ? conf->max_segs : LEGACY_MAX_SEGS);
}

/* Will a port know what the checksums are? It makes datagrams of partial ones alone. */
static bool has_csum(const struct leat_pkt *pkt)
{
	const uint32_t datagrams = pkt->gso_type & (LEAT_GSO_UDP_L4 | LEAT_GSO_FRAGLIST);

	return pkt->csum == LEAT_CSUM_PARTIAL ||
	       (pkt->csum == LEAT_CSUM_UNNECESSARY && datagrams != LEAT_GSO_UDP_L4);
}

bool leat_gso_needed(const struct leat_pkt *pkt, const struct leat_gso_conf *conf)
{
	const struct leat_gso_conf none = {0};
	uint32_t features = conf->features;
	struct gso_plan plan;

	if (pkt->gso_size == 0)
		return false;
	if (!(pkt->gso_type & LEAT_GSO_PARTIAL))
		features &= ~conf->partial;
	if (!leat_gso_port_has(pkt, features) || !has_csum(pkt) || !is_within(pkt, conf))
		return true;
	return pkt->gso_type & LEAT_GSO_DODGY && !leat_gso_plan(pkt, &none, &plan);
}

uint32_t leat_gso_segs(const struct leat_pkt *pkt)
{
	uint32_t gso_size = pkt->gso_size, payload;

	if (pkt->gso_type == 0 || gso_size == 0 || pkt->len <= pkt->payload)
		return 1;
	payload = pkt->len - pkt->payload;
	if (gso_size == LEAT_GSO_BY_FRAGS)
		return pkt->slices + (pkt->headlen > pkt->payload || pkt->slices == 0);
	if (pkt->gso_type & LEAT_GSO_UDP) {
		gso_size = gso_size < IP6_EXT_UNIT ? 1 : gso_size & ~(IP6_EXT_UNIT - 1u);
		payload += UDP_HLEN;
	}
	return (payload - 1) / gso_size + 1;
}
