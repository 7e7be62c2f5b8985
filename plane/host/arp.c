/* SPDX-License-Identifier: MIT */
#include "arp.h"

#include "header.h"
#include "wire.h"

#include <string.h>

/* Ethernet, IPv4, and the lengths of their addresses. */
static const uint8_t kinds[] = {0, 1, 0x08, 0x00, MAC_LEN, 4};

static const uint8_t everyone[MAC_LEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

enum host_reason arp_judge(const struct host_view *view, const struct leat_pkt *pkt)
{
	const uint8_t *arp = pkt->data + ETH_LEN;
	struct addr sender, target;
	bool ours;

	if (pkt->headlen < ETH_LEN + ARP_LEN || memcmp(arp, kinds, sizeof(kinds)) != 0)
		return HOST_MALFORMED;
	sender = addr_make(4, arp + ARP_SPA, 0);
	target = addr_make(4, arp + ARP_TPA, 0);
	ours = host_own(view->host, pkt->port, &target) != NULL;
	/* A sender without an address asks whether ours is taken (RFC 5227): that is answered. */
	if ((arp[ARP_SHA] & 1) || host_own(view->host, pkt->port, &sender))
		return HOST_MARTIAN;
	if (addr_is_unicast(&sender))
		neigh_learn(&view->host->neigh, &sender, addr_path(pkt->port, arp + ARP_SHA),
			    ours && load16(arp + ARP_OPER) == ARP_REQUEST, view->now);
	if (load16(arp + ARP_OPER) == ARP_REQUEST)
		return ours ? HOST_ARP_REPLY : HOST_NOT_OURS;
	return load16(arp + ARP_OPER) == ARP_REPLY ? HOST_LEARNED : HOST_MALFORMED;
}

static void write_arp(uint8_t *frame, uint16_t operation, const uint8_t *mac)
{
	uint8_t *arp = frame + ETH_LEN;

	memcpy(arp, kinds, sizeof(kinds));
	store16(arp + ARP_OPER, operation);
	memcpy(arp + ARP_SHA, mac, MAC_LEN);
}

void arp_reply(const struct host *h, struct leat_pkt *pkt)
{
	uint8_t *arp = pkt->data + ETH_LEN, target[4];
	const uint8_t *mac = h->mac[pkt->port];

	memcpy(target, arp + ARP_TPA, sizeof(target));
	memcpy(arp + ARP_THA, arp + ARP_SHA, MAC_LEN + sizeof(target)); /* and its address */
	header_write_link(pkt->data, mac, addr_path(pkt->port, arp + ARP_THA), ETYPE_ARP);
	write_arp(pkt->data, ARP_REPLY, mac);
	memcpy(arp + ARP_SPA, target, sizeof(target));
	leat_pkt_init(pkt, pkt->data, ETH_LEN + ARP_LEN);
}

void arp_request(const struct host *h, const struct addr_own *own, const struct addr *dst,
		 struct leat_pkt *pkt)
{
	uint8_t *arp = pkt->data + ETH_LEN;
	const uint8_t *mac = h->mac[own->port];

	header_write_link(pkt->data, mac, addr_path(own->port, everyone), ETYPE_ARP);
	write_arp(pkt->data, ARP_REQUEST, mac);
	memcpy(arp + ARP_SPA, own->addr.ip, 4);
	memset(arp + ARP_THA, 0, MAC_LEN);
	memcpy(arp + ARP_TPA, dst->ip, 4);
	leat_pkt_init(pkt, pkt->data, ETH_LEN + ARP_LEN);
}
