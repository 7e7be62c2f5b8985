/* SPDX-License-Identifier: MIT */
/*
 * flow.c - a packet's flow, and its keyed hash.
 *
 * The hash folds 128-bit products of secret-keyed words, the scheme of the wyhash family: without
 * the key nobody can say which flows collide. Both directions must hash alike, so the two ends
 * are put in order first; a commutative mixture instead (sums, XORs) would let a sender choose
 * ends that cancel out. In a tunnel the outer addresses count too, but no outer port: senders
 * choose it for each direction.
 */
#include <leat/flow.h>

#include "flow_hash.h"

/* Fragments are hashed and compared by their addresses alone: later ones have no ports. */
static bool has_ports(const struct leat_pkt *pkt, const struct leat_level *l)
{
	return pkt->depth == LEAT_DEPTH_TRANSPORT && !(l->flags & LEAT_IP_FRAGMENT);
}

bool leat_flow_get(const struct leat_pkt *pkt, struct leat_flow *flow)
{
	const struct leat_level *l;
	const uint8_t *ip;

	if (pkt->levels == 0)
		return false;
	l = leat_pkt_inner(pkt);
	ip = pkt->data + l->network;
	*flow = (struct leat_flow){.version = l->version, .protocol = l->protocol};
	if (l->version == 4) {
		memcpy(flow->src, ip + IP4_SRC, 4);
		memcpy(flow->dst, ip + IP4_DST, 4);
	} else {
		memcpy(flow->src, ip + IP6_SRC, 16);
		memcpy(flow->dst, ip + IP6_DST, 16);
	}
	if (has_ports(pkt, l)) {
		flow->sport = load_be16(pkt->data + l->transport + L4_SPORT);
		flow->dport = load_be16(pkt->data + l->transport + L4_DPORT);
	}
	return true;
}

uint32_t leat_flow_hash(const struct leat_pkt *pkt, const struct leat_flow_key *key)
{
	const struct leat_level *l;

	if (pkt->levels == 0)
		return 0;
	l = leat_pkt_inner(pkt);
	/* What follows a fragment header is not the same protocol in all fragments. */
	return flow_hash(pkt, has_ports(pkt, l), !(l->flags & LEAT_IP_FRAGMENT), key);
}
