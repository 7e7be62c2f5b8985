/* SPDX-License-Identifier: MIT */
/*
 * What is for us, and what is to become of it.
 */
#include "arp.h"
#include "endpoint.h"
#include "header.h"
#include "icmp.h"
#include "lookup.h"
#include "nd.h"
#include "wire.h"

#include <leat/csum.h>
#include <leat/parse.h>
#include <string.h>

const struct addr_own *host_own(const struct host *h, unsigned port, const struct addr *addr)
{
	for (unsigned i = 0; i < h->n_addrs; i++) {
		if (h->addr[i].port == port && addr_same(&h->addr[i].addr, addr))
			return &h->addr[i];
	}
	return NULL;
}

const struct addr_own *host_near(const struct host *h, const struct addr *peer)
{
	for (unsigned i = 0; i < h->n_addrs; i++) {
		if (addr_is_near(peer, &h->addr[i]))
			return &h->addr[i];
	}
	return NULL;
}

/* An ICMP message; a neighbour's may be to a multicast address. */
static enum host_reason judge_icmp(const struct host_view *view, const struct leat_pkt *pkt,
				   bool ours)
{
	const struct leat_level *l = &pkt->lvl[0];
	const uint8_t *ip = pkt->data + l->network;
	uint32_t len = l->version == 4 ? load16(ip + IP4_TOT_LEN) - IP4_LEN + 0u :
					 load16(ip + IP6_PAYLOAD_LEN);
	enum host_reason reason = HOST_PROTOCOL;

	if (len < ICMP_LEN || l->transport + len > pkt->headlen)
		return HOST_MALFORMED;
	if (header_icmp_sum(pkt->data, l->version, l->transport, len) != UINT16_MAX)
		return HOST_CSUM;
	if (l->version == 6)
		reason = nd_judge(view, pkt, len);
	if (reason != HOST_PROTOCOL)
		return reason;
	return ours ? icmp_judge(pkt, len) : HOST_NOT_OURS;
}

/* Whether the lengths agree; what is behind the datagram, in one slice with it, is padding. Producers
 * of super-packets do not agree what UDP's length is. */
static bool is_whole(const struct leat_pkt *pkt)
{
	uint32_t len = load16(pkt->data + pkt->lvl[0].transport + UDP_ULEN);
	uint32_t there = leat_parse_payload_len(pkt) + UDP_LEN;

	if (pkt->gso_type & LEAT_GSO_UDP_L4)
		return pkt->len > pkt->payload;
	return pkt->slices ? pkt->len - pkt->lvl[0].transport == len : len <= there;
}

static enum host_reason judge_udp(const struct host_view *view, struct leat_pkt *pkt,
				  struct endpoint **to)
{
	if (!is_whole(pkt))
		return HOST_MALFORMED;
	if (!leat_csum_verify(pkt))
		return HOST_CSUM;
	*to = lookup_find(view->lookup, pkt, &view->host->key);
	if (*to)
		return HOST_DELIVERED;
	if (pkt->data - pkt->head < ICMP_HEADROOM || icmp_is_limited(view->cpu, view->now))
		return HOST_UNREACHABLE_LIMITED;
	return HOST_PORT_UNREACHABLE;
}

static bool is_icmp(const struct leat_level *l)
{
	return l->protocol == (l->version == 4 ? PROTO_ICMP : PROTO_ICMP6);
}

/* A packet that is neither passed over nor malformed. */
static enum host_reason judge_protocol(const struct host_view *view, struct leat_pkt *pkt,
				       struct endpoint **to)
{
	const struct leat_level *l = &pkt->lvl[0];
	const uint8_t *ip = pkt->data + l->network;
	struct addr src = addr_make(l->version, ip + (l->version == 4 ? IP4_SRC : IP6_SRC), 0);
	struct addr dst = addr_make(l->version, ip + (l->version == 4 ? IP4_DST : IP6_DST), 0);
	bool ours = host_own(view->host, pkt->port, &dst) &&
		    memcmp(pkt->data + ETH_DST, view->host->mac[pkt->port], MAC_LEN) == 0;

	if (!ours && !(is_icmp(l) && l->version == 6))
		return HOST_NOT_OURS;
	if (ours && (!addr_is_unicast(&src) || host_own(view->host, pkt->port, &src)))
		return HOST_MARTIAN;
	if (is_icmp(l))
		return judge_icmp(view, pkt, ours);
	return l->protocol == PROTO_UDP ? judge_udp(view, pkt, to) : HOST_PROTOCOL;
}

static bool has_right_ip_sum(const struct leat_pkt *pkt)
{
	const struct leat_level *l = &pkt->lvl[0];
	const uint8_t *ip = pkt->data + l->network;

	return l->version != 4 || leat_csum_fold(leat_csum_partial(ip, IP4_LEN, 0)) == UINT16_MAX;
}

static enum host_reason judge_ip(const struct host_view *view, struct leat_pkt *pkt,
				 struct endpoint **to)
{
	const struct leat_level *l = &pkt->lvl[0];

	if (l->flags & LEAT_IP_FRAGMENT)
		return HOST_FRAGMENT;
	if (l->flags & LEAT_IP_OPTIONS)
		return HOST_OPTIONS;
	if (pkt->levels > 1 || (l->tunnel && l->protocol != PROTO_UDP))
		return HOST_TUNNEL;
	if (pkt->depth < LEAT_DEPTH_TRANSPORT && pkt->reason != LEAT_PARSE_PROTOCOL)
		return HOST_MALFORMED;
	if (!has_right_ip_sum(pkt))
		return HOST_CSUM;
	return judge_protocol(view, pkt, to);
}

enum host_reason host_judge(const struct host_view *view, struct leat_pkt *pkt,
			    struct endpoint **to)
{
	if (pkt->depth < LEAT_DEPTH_LINK || (pkt->data[ETH_SRC] & 1))
		return HOST_MALFORMED;
	if (pkt->vlans)
		return HOST_NOT_IP;
	if (pkt->levels)
		return judge_ip(view, pkt, to);
	if (load16(pkt->data + ETH_TYPE) == ETYPE_ARP)
		return arp_judge(view, pkt);
	return pkt->reason == LEAT_PARSE_NOT_IP ? HOST_NOT_IP : HOST_MALFORMED;
}

void host_answer(const struct host *h, enum host_reason reason, struct leat_pkt *pkt)
{
	switch (reason) {
	case HOST_ARP_REPLY: arp_reply(h, pkt); break;
	case HOST_ND_ADVERT: nd_advert(h, pkt); break;
	case HOST_ECHO_REPLY: icmp_echo_reply(h, pkt); break;
	default: icmp_port_unreachable(h, pkt);
	}
}

void host_ask(const struct host *h, const struct addr_own *own, const struct addr *dst,
	      struct leat_pkt *pkt)
{
	if (dst->version == 4)
		arp_request(h, own, dst, pkt);
	else
		nd_solicit(h, own, dst, pkt);
}
