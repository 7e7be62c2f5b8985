/* SPDX-License-Identifier: MIT */
#include "nd.h"

#include "header.h"
#include "wire.h"

#include <string.h>

enum {
	AT = ETH_LEN + IP6_LEN, /* where the message begins: there are no extension headers */
	MESSAGE = ND_LEN + ND_OPT_LEN,
};

static const uint8_t all_nodes[ADDR_LEN] = {0xff, 0x02, [15] = 1};
static const uint8_t all_nodes_mac[MAC_LEN] = {0x33, 0x33, 0, 0, 0, 1};

/* The link address that the option of this type has; NULL: none. False in *good: the options are
 * malformed. */
static const uint8_t *find_option(const uint8_t *nd, uint32_t len, uint8_t type, bool *good)
{
	const uint8_t *found = NULL;
	uint32_t at = ND_LEN;

	while (at + ND_OPT_LEN <= len && nd[at + 1] > 0) {
		if (nd[at] == type && nd[at + 1] == 1 && !found)
			found = nd + at + 2;
		at += nd[at + 1] * 8u;
	}
	*good = at == len;
	return found;
}

static enum host_reason judge_solicit(const struct host_view *view, const struct leat_pkt *pkt,
				      const struct addr *target, const uint8_t *mac)
{
	struct addr src = addr_make(6, pkt->data + ETH_LEN + IP6_SRC, 0);

	if (!host_own(view->host, pkt->port, target))
		return HOST_NOT_OURS;
	if (host_own(view->host, pkt->port, &src))
		return HOST_MARTIAN;
	if (mac && addr_is_unicast(&src))
		neigh_learn(&view->host->neigh, &src, addr_path(pkt->port, mac), true, view->now);
	return HOST_ND_ADVERT;
}

static enum host_reason judge_advert(const struct host_view *view, const struct leat_pkt *pkt,
				     const struct addr *target, const uint8_t *mac)
{
	if (host_own(view->host, pkt->port, target) || !addr_is_unicast(target))
		return HOST_MARTIAN;
	if (mac)
		neigh_learn(&view->host->neigh, target, addr_path(pkt->port, mac), false,
			    view->now);
	return HOST_LEARNED;
}

enum host_reason nd_judge(const struct host_view *view, const struct leat_pkt *pkt, uint32_t len)
{
	const uint8_t *ip = pkt->data + ETH_LEN, *nd = pkt->data + AT, *mac;
	bool asks = nd[ICMP_TYPE] == ND_SOLICIT, good;
	struct addr target;

	if (!asks && nd[ICMP_TYPE] != ND_ADVERT)
		return HOST_PROTOCOL;
	if (len < ND_LEN || nd[ICMP_CODE] != 0 || ip[IP6_HOP_LIMIT] != ND_HOPS)
		return HOST_MALFORMED;
	target = addr_make(6, nd + ND_TARGET, 0);
	mac = find_option(nd, len, asks ? ND_OPT_SOURCE : ND_OPT_TARGET, &good);
	if (!good || (mac && (mac[0] & 1)))
		return HOST_MALFORMED;
	return asks ? judge_solicit(view, pkt, &target, mac) :
		      judge_advert(view, pkt, &target, mac);
}

/* The message behind the headers, with the link address as its option. */
static void write_message(uint8_t *frame, uint8_t type, uint8_t flags, const uint8_t *target,
			  const uint8_t *mac)
{
	uint8_t *nd = frame + AT;

	memmove(nd + ND_TARGET, target, ADDR_LEN);
	memset(nd, 0, ND_TARGET);
	nd[ICMP_TYPE] = type;
	nd[ND_FLAGS] = flags;
	nd[ND_LEN] = type == ND_SOLICIT ? ND_OPT_SOURCE : ND_OPT_TARGET;
	nd[ND_LEN + 1] = 1;
	memcpy(nd + ND_LEN + 2, mac, MAC_LEN);
	header_write_icmp_sum(frame, 6, AT, MESSAGE);
}

/* Who has no address yet asks whether ours is taken: all shall hear that it is. */
void nd_advert(const struct host *h, struct leat_pkt *pkt)
{
	const uint8_t *mac = h->mac[pkt->port];
	struct addr us = addr_make(6, pkt->data + AT + ND_TARGET, 0);
	struct addr dst = addr_make(6, pkt->data + ETH_LEN + IP6_SRC, 0);
	struct header_ends ends = {mac, addr_path(pkt->port, pkt->data + ETH_SRC), &us, &dst};
	uint8_t flags = ND_OVERRIDE | ND_SOLICITED;

	if (!addr_is_unicast(&dst)) {
		dst = addr_make(6, all_nodes, 0);
		ends.path = addr_path(pkt->port, all_nodes_mac);
		flags = ND_OVERRIDE;
	}
	header_write(pkt->data, &ends, PROTO_ICMP6, ND_HOPS, MESSAGE);
	write_message(pkt->data, ND_ADVERT, flags, us.ip, mac);
	leat_pkt_init(pkt, pkt->data, AT + MESSAGE);
}

/* To the solicited-node address, ff02::1:ffXX:XXXX. */
void nd_solicit(const struct host *h, const struct addr_own *own, const struct addr *dst,
		struct leat_pkt *pkt)
{
	struct addr group = {.ip = {0xff, 0x02, [11] = 1, [12] = 0xff}, .version = 6};
	uint8_t group_mac[MAC_LEN] = {0x33, 0x33, 0xff};
	struct header_ends ends = {h->mac[own->port], 0, &own->addr, &group};

	memcpy(group.ip + 13, dst->ip + 13, 3);
	memcpy(group_mac + 3, dst->ip + 13, 3);
	ends.path = addr_path(own->port, group_mac);
	header_write(pkt->data, &ends, PROTO_ICMP6, ND_HOPS, MESSAGE);
	write_message(pkt->data, ND_SOLICIT, 0, dst->ip, h->mac[own->port]);
	leat_pkt_init(pkt, pkt->data, AT + MESSAGE);
}
