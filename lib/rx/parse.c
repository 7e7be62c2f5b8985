/* SPDX-License-Identifier: MIT */
/*
 * parse.c - find the headers: link, then network, then transport, each by a function that either
 * hands over to the next or says why it stopped.
 *
 * Two ends bound a header: the first slice's, behind which nothing is read, and the IP packet's,
 * behind which there is only padding. The `limit` passed down is the nearer of the two. IPv6
 * extension headers are followed as the kernel's GRO and flow dissector follow them, so AH and
 * ESP are not: they count as protocols without a parser.
 */
#include <leat/parse.h>

#include "../hdr.h"

static uint32_t min_of(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static enum leat_parse_reason parse_transport(struct leat_pkt *pkt, const struct leat_level *l,
					      uint32_t limit)
{
	const uint8_t *p = pkt->data + l->transport;
	uint32_t room = limit - l->transport, hlen;

	switch (l->protocol) {
	case PROTO_TCP: hlen = TCP_HLEN; break;
	case PROTO_UDP: hlen = UDP_HLEN; break;
	case PROTO_SCTP: hlen = SCTP_HLEN; break;
	default: return LEAT_PARSE_PROTOCOL;
	}
	if (room < hlen)
		return LEAT_PARSE_SHORT_TRANSPORT;
	if (l->protocol == PROTO_TCP) {
		hlen = tcp_hlen(p);
		if (hlen < TCP_HLEN)
			return LEAT_PARSE_BAD_TRANSPORT;
		if (room < hlen)
			return LEAT_PARSE_SHORT_TRANSPORT;
	} else if (l->protocol == PROTO_UDP && load_be16(p + UDP_LEN) < UDP_HLEN) {
		return LEAT_PARSE_BAD_TRANSPORT;
	}
	pkt->payload = (uint16_t)(l->transport + hlen);
	pkt->depth = LEAT_DEPTH_TRANSPORT;
	return LEAT_PARSE_OK;
}

static struct leat_level *add_level(struct leat_pkt *pkt, struct leat_level l)
{
	struct leat_level *to = &pkt->lvl[pkt->levels++];

	*to = l;
	pkt->depth = LEAT_DEPTH_NETWORK;
	return to;
}

/* A length field of 0 is right where the field is too small: BIG TCP. */
static bool is_big(uint32_t room)
{
	return room > 0xffff;
}

static enum leat_parse_reason parse_ip4(struct leat_pkt *pkt, uint32_t at)
{
	const uint8_t *ip = pkt->data + at;
	uint32_t room = pkt->len - at, hlen, len, frag;
	unsigned flags;
	const struct leat_level *l;

	if (pkt->headlen < at + IP4_HLEN)
		return LEAT_PARSE_SHORT_NETWORK;
	hlen = ip4_hlen(ip);
	len = load_be16(ip + IP4_TOT_LEN);
	if (len == 0 && is_big(room) && ip[IP4_PROTOCOL] == PROTO_TCP)
		len = room;
	if (ip[0] >> 4 != 4 || hlen < IP4_HLEN || len < hlen)
		return LEAT_PARSE_BAD_NETWORK;
	if (len > room || pkt->headlen < at + hlen)
		return LEAT_PARSE_SHORT_NETWORK;

	frag = load_be16(ip + IP4_FRAG_OFF) & (IP4_MF | IP4_OFFSET);
	flags = hlen > IP4_HLEN ? LEAT_IP_OPTIONS : 0;
	if (frag)
		flags |= frag & IP4_OFFSET ? LEAT_IP_FRAGMENT | LEAT_IP_LATER : LEAT_IP_FRAGMENT;
	l = add_level(pkt, (struct leat_level){.network = (uint16_t)at,
					       .transport = (uint16_t)(at + hlen),
					       .version = 4,
					       .protocol = ip[IP4_PROTOCOL],
					       .flags = (uint8_t)flags});
	if (flags & LEAT_IP_LATER)
		return LEAT_PARSE_FRAGMENT;
	return parse_transport(pkt, l, min_of(pkt->headlen, at + len));
}

static bool is_extension(unsigned protocol)
{
	return protocol == PROTO_HOPOPTS || protocol == PROTO_ROUTING ||
	       protocol == PROTO_FRAGMENT || protocol == PROTO_DSTOPTS;
}

static unsigned fragment_flags(const uint8_t *header)
{
	return load_be16(header + IP6_FRAG_OFF) & IP6_OFFSET ? LEAT_IP_FRAGMENT | LEAT_IP_LATER :
							       LEAT_IP_FRAGMENT;
}

/* Move l->transport over extension headers, with l->protocol saying what lies there. */
static enum leat_parse_reason skip_extensions(const uint8_t *data, struct leat_level *l,
					      uint32_t limit)
{
	for (unsigned n = 0; is_extension(l->protocol); n++) {
		const uint8_t *header = data + l->transport;
		uint32_t room = limit - l->transport, hlen = IP6_EXT_UNIT;

		if (n == LEAT_EXTENSIONS_MAX || room < IP6_EXT_UNIT)
			return LEAT_PARSE_EXTENSIONS;
		if (l->protocol == PROTO_FRAGMENT)
			l->flags |= (uint8_t)fragment_flags(header);
		else
			hlen += header[IP6_EXT_LEN] * (uint32_t)IP6_EXT_UNIT;
		if (room < hlen)
			return LEAT_PARSE_EXTENSIONS;
		l->flags |= LEAT_IP_OPTIONS;
		l->protocol = header[0];
		l->transport = (uint16_t)(l->transport + hlen);
		if (l->flags & LEAT_IP_LATER)
			return LEAT_PARSE_FRAGMENT;
	}
	return LEAT_PARSE_OK;
}

static enum leat_parse_reason parse_ip6(struct leat_pkt *pkt, uint32_t at)
{
	const uint8_t *ip = pkt->data + at;
	uint32_t first = at + IP6_HLEN, room, len, limit;
	enum leat_parse_reason reason;
	struct leat_level l = {0};
	bool big;

	if (pkt->headlen < first)
		return LEAT_PARSE_SHORT_NETWORK;
	room = pkt->len - first;
	len = load_be16(ip + IP6_PAYLOAD_LEN);
	big = len == 0 && is_big(room);
	if (ip[0] >> 4 != 6)
		return LEAT_PARSE_BAD_NETWORK;
	if (len > room)
		return LEAT_PARSE_SHORT_NETWORK;

	limit = min_of(pkt->headlen, big ? pkt->len : first + len);
	l.network = (uint16_t)at;
	l.transport = (uint16_t)first;
	l.version = 6;
	l.protocol = ip[IP6_NEXTHDR];
	reason = skip_extensions(pkt->data, &l, limit);
	if (big && l.protocol != PROTO_TCP)
		return LEAT_PARSE_BAD_NETWORK;
	add_level(pkt, l);
	return reason != LEAT_PARSE_OK ? reason : parse_transport(pkt, &l, limit);
}

static bool is_vlan(unsigned type)
{
	return type == ETYPE_8021Q || type == ETYPE_8021AD;
}

static enum leat_parse_reason parse_link(struct leat_pkt *pkt)
{
	uint32_t at = ETH_HLEN;
	unsigned type;

	if (pkt->headlen < ETH_HLEN)
		return LEAT_PARSE_SHORT_LINK;
	type = load_be16(pkt->data + ETH_TYPE);
	for (; is_vlan(type) && pkt->vlans < LEAT_VLANS_MAX; pkt->vlans++) {
		if (pkt->headlen < at + VLAN_HLEN)
			return LEAT_PARSE_SHORT_LINK;
		type = load_be16(pkt->data + at + VLAN_TYPE);
		at += VLAN_HLEN;
	}
	pkt->depth = LEAT_DEPTH_LINK;
	if (type == ETYPE_IP4)
		return parse_ip4(pkt, at);
	if (type == ETYPE_IP6)
		return parse_ip6(pkt, at);
	return is_vlan(type) ? LEAT_PARSE_VLAN_DEPTH : LEAT_PARSE_NOT_IP;
}

void leat_parse(const struct leat_parse_conf *conf, struct leat_pkt *const *pkts, unsigned n)
{
	(void)conf;
	for (unsigned i = 0; i < n; i++) {
		struct leat_pkt *pkt = pkts[i];

		memset(pkt->lvl, 0, sizeof(pkt->lvl));
		pkt->inner_mac = 0;
		pkt->payload = 0;
		pkt->levels = 0;
		pkt->depth = LEAT_DEPTH_NONE;
		pkt->vlans = 0;
		pkt->reason = (uint8_t)parse_link(pkt);
	}
}

const char *leat_parse_reason_name(enum leat_parse_reason reason)
{
	static const char *const names[LEAT_PARSE_REASONS] = {
		[LEAT_PARSE_OK] = "ok",
		[LEAT_PARSE_SHORT_LINK] = "short link header",
		[LEAT_PARSE_VLAN_DEPTH] = "too many vlan tags",
		[LEAT_PARSE_NOT_IP] = "not ip",
		[LEAT_PARSE_SHORT_NETWORK] = "short ip packet",
		[LEAT_PARSE_BAD_NETWORK] = "bad ip header",
		[LEAT_PARSE_EXTENSIONS] = "bad ipv6 extension headers",
		[LEAT_PARSE_FRAGMENT] = "later fragment",
		[LEAT_PARSE_PROTOCOL] = "protocol without a parser",
		[LEAT_PARSE_SHORT_TRANSPORT] = "short transport header",
		[LEAT_PARSE_BAD_TRANSPORT] = "bad transport header",
		[LEAT_PARSE_TUNNEL_DEPTH] = "second encapsulation",
		[LEAT_PARSE_TUNNEL_HEADER] = "bad tunnel header",
		[LEAT_PARSE_TUNNEL_INNER] = "tunnel without ip inside",
	};

	return (unsigned)reason < LEAT_PARSE_REASONS ? names[reason] : "unknown";
}

uint32_t leat_parse_payload_len(const struct leat_pkt *pkt)
{
	return level_end(pkt, leat_pkt_inner(pkt)) - pkt->payload;
}
