/* SPDX-License-Identifier: MIT */
#include "mend.h"

#include <leat/csum.h>
#include <leat/parse.h>
#include <netinet/in.h>
#include <string.h>

enum {
	ETH_HLEN = 14,
	ETH_MIN = 60, /* bytes that shorter frames are padded to */
	VLAN_HLEN = 4,
	TYPE_LEN = 2, /* the EtherType in front of an IP header */

	IP4_LEN = 2,
	IP4_PROTOCOL = 9,
	IP4_CHECK = 10,
	IP4_HLEN = 20,
	IP6_LEN = 4,
	IP6_NEXT = 6,
	IP6_HLEN = 40,

	TCP_CHECK = 16,
	UDP_CHECK = 6,
};

/* Bytes from the transport header to the end of what the IP length covers. */
static uint32_t transport_len(const struct leat_pkt *pkt)
{
	return leat_parse_payload_len(pkt) + pkt->payload - leat_pkt_inner(pkt)->transport;
}

/* The checksum field's offset in the transport header; 0 if there is none that could be partial. */
static uint16_t find_check(const struct leat_pkt *pkt)
{
	const struct leat_level *l;

	if (pkt->depth != LEAT_DEPTH_TRANSPORT)
		return 0;
	l = leat_pkt_inner(pkt);
	if (l->flags & LEAT_IP_FRAGMENT)
		return 0;
	if (l->protocol == IPPROTO_TCP)
		return TCP_CHECK;
	return l->protocol == IPPROTO_UDP ? UDP_CHECK : 0;
}

bool mend_is_partial(struct leat_pkt *pkt, bool cut)
{
	uint16_t offset = find_check(pkt), field, pseudo;
	const struct leat_level *l;

	if (!offset || pkt->csum != LEAT_CSUM_NONE)
		return false;
	l = leat_pkt_inner(pkt);
	memcpy(&field, pkt->data + l->transport + offset, sizeof(field));
	pseudo = leat_csum_fold(leat_csum_pseudo(pkt->data, l, transport_len(pkt)));
	if (field == 0 || field != pseudo)
		return false;
	if (!cut && leat_csum_verify(pkt))
		return false;
	pkt->csum = LEAT_CSUM_PARTIAL;
	pkt->csum_start = l->transport;
	pkt->csum_offset = offset;
	return true;
}

void mend_checksum(struct leat_pkt *pkt)
{
	uint32_t len = pkt->len;

	/* Padding is not summed. */
	pkt->len = pkt->headlen = leat_pkt_inner(pkt)->transport + transport_len(pkt);
	leat_csum_complete(pkt);
	pkt->len = pkt->headlen = len;
}

static bool is_zero(const uint8_t *p)
{
	return p[0] == 0 && p[1] == 0;
}

static bool has_type(const uint8_t *ip, uint8_t high, uint8_t low)
{
	return ip[-TYPE_LEN] == high && ip[1 - TYPE_LEN] == low;
}

static bool is_tcp_udp(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

/* The length field to be filled in, or NULL, and what it is to say. */
static uint8_t *find_length(uint8_t *ip, uint32_t room, uint32_t *len)
{
	*len = room;
	if (room >= IP4_HLEN && has_type(ip, 0x08, 0x00) && is_zero(ip + IP4_LEN) &&
	    is_tcp_udp(ip[IP4_PROTOCOL]))
		return ip + IP4_LEN;
	*len = room - IP6_HLEN;
	if (room > IP6_HLEN && has_type(ip, 0x86, 0xdd) && is_zero(ip + IP6_LEN) &&
	    is_tcp_udp(ip[IP6_NEXT]))
		return ip + IP6_LEN;
	return NULL;
}

static void sum_ip4(uint8_t *ip)
{
	uint16_t check = 0;

	memcpy(ip + IP4_CHECK, &check, sizeof(check));
	check = (uint16_t)~leat_csum_fold(leat_csum_partial(ip, 4u * (ip[0] & 0xf), 0));
	memcpy(ip + IP4_CHECK, &check, sizeof(check));
}

bool mend_length(struct leat_pkt *pkt)
{
	uint32_t at = ETH_HLEN + (uint32_t)VLAN_HLEN * pkt->vlans, len;
	uint8_t *ip = pkt->data + at, *field = NULL;

	if (pkt->depth == LEAT_DEPTH_NONE || pkt->depth == LEAT_DEPTH_TRANSPORT ||
	    pkt->len <= ETH_MIN || pkt->len < at)
		return false;
	field = find_length(ip, pkt->len - at, &len);
	if (!field || len > UINT16_MAX)
		return false;
	field[0] = (uint8_t)(len >> 8);
	field[1] = (uint8_t)len;
	leat_parse(NULL, &pkt, 1);
	if (pkt->depth != LEAT_DEPTH_TRANSPORT) {
		memset(field, 0, 2);
		leat_parse(NULL, &pkt, 1);
		return false;
	}
	if (pkt->lvl[0].version == 4)
		sum_ip4(ip);
	return true;
}
