/* SPDX-License-Identifier: MIT */
/*
 * parse.c - find the headers: link, then network, then transport, each by a function that either
 * hands over to the next or says why it stopped; then, if the transport is a tunnel, once more
 * from network on (from link on, if there is one inside).
 *
 * Two ends bound a header: the first slice's, behind which nothing is read, and the IP packet's,
 * behind which there is only padding. The `limit` passed down is the nearer of the two. What is in
 * a tunnel ends in it: the inner packet's end is never behind the outer's. IPv6 extension headers
 * are followed as the kernel's GRO and flow dissector follow them, so AH and ESP are not: they
 * count as protocols without a parser.
 */
#include <leat/parse.h>

#include "../hdr.h"
#include "parse_alike.h"
#include "parse_tunnel.h"

static inline enum leat_parse_reason found_transport(struct leat_pkt *pkt, uint32_t payload)
{
	pkt->payload = (uint16_t)payload;
	pkt->depth = LEAT_DEPTH_TRANSPORT;
	return LEAT_PARSE_OK;
}

static inline enum leat_parse_reason parse_tcp(struct leat_pkt *pkt, uint32_t at, uint32_t limit)
{
	uint32_t room = limit - at, hlen;

	if (room < TCP_HLEN)
		return LEAT_PARSE_SHORT_TRANSPORT;
	hlen = tcp_hlen(pkt->data + at);
	if (hlen < TCP_HLEN)
		return LEAT_PARSE_BAD_TRANSPORT;
	return room < hlen ? LEAT_PARSE_SHORT_TRANSPORT : found_transport(pkt, at + hlen);
}

static enum leat_parse_reason parse_udp(const struct leat_parse_conf *conf, struct leat_pkt *pkt,
					struct leat_level *l, uint32_t limit)
{
	const uint8_t *udp = pkt->data + l->transport;
	const struct leat_tunnel_port *port;

	if (limit - l->transport < UDP_HLEN)
		return LEAT_PARSE_SHORT_TRANSPORT;
	if (load_be16(udp + UDP_LEN) < UDP_HLEN)
		return LEAT_PARSE_BAD_TRANSPORT;
	port = find_tunnel_port(conf, load_be16(udp + L4_DPORT));
	if (port != NULL)
		l->tunnel = port->tunnel;
	return found_transport(pkt, l->transport + UDP_HLEN);
}

/* The first bytes of a tunnel straight over IP. */
static enum leat_parse_reason parse_encapsulation(struct leat_level *l, uint32_t limit)
{
	uint32_t room = limit - l->transport;
	uint32_t hlen = l->protocol == PROTO_IPIP ? IP4_HLEN :
			l->protocol == PROTO_IPV6 ? IP6_HLEN :
						    GRE_HLEN;

	if (room < hlen)
		return LEAT_PARSE_SHORT_TRANSPORT;
	l->tunnel = l->protocol == PROTO_GRE ? LEAT_TUNNEL_GRE : LEAT_TUNNEL_IP;
	return LEAT_PARSE_PROTOCOL;
}

static enum leat_parse_reason parse_other(const struct leat_parse_conf *conf, struct leat_pkt *pkt,
					  struct leat_level *l, uint32_t limit)
{
	switch (l->protocol) {
	case PROTO_UDP: return parse_udp(conf, pkt, l, limit);
	case PROTO_SCTP:
		if (limit - l->transport < SCTP_HLEN)
			return LEAT_PARSE_SHORT_TRANSPORT;
		return found_transport(pkt, l->transport + SCTP_HLEN);
	case PROTO_IPIP:
	case PROTO_IPV6:
	case PROTO_GRE: return parse_encapsulation(l, limit);
	default: return LEAT_PARSE_PROTOCOL;
	}
}

static inline enum leat_parse_reason parse_transport(const struct leat_parse_conf *conf,
						     struct leat_pkt *pkt, struct leat_level *l,
						     uint32_t limit)
{
	if (l->protocol == PROTO_TCP)
		return parse_tcp(pkt, l->transport, limit);
	return parse_other(conf, pkt, l, limit);
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

/* The IPv4 header at `at`, in something that ends at `end`, which becomes where the packet ends. */
static enum leat_parse_reason parse_ip4(const struct leat_parse_conf *conf, struct leat_pkt *pkt,
					uint32_t at, uint32_t *end)
{
	const uint8_t *ip = pkt->data + at;
	uint32_t room = *end - at, limit = min_of(pkt->headlen, *end), hlen, len, frag;
	struct leat_level *l;
	unsigned flags;

	if (limit < at + IP4_HLEN)
		return LEAT_PARSE_SHORT_NETWORK;
	hlen = ip4_hlen(ip);
	len = load_be16(ip + IP4_TOT_LEN);
	if (len == 0 && is_big(room) && ip[IP4_PROTOCOL] == PROTO_TCP)
		len = room;
	if (ip[0] < 0x45 || ip[0] > 0x4f || len < hlen) /* version 4, IHL 5 to 15 */
		return LEAT_PARSE_BAD_NETWORK;
	if (len > room || limit < at + hlen)
		return LEAT_PARSE_SHORT_NETWORK;

	*end = at + len;
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
	limit = min_of(limit, *end);
	if (l->protocol == PROTO_TCP)
		return parse_tcp(pkt, l->transport, limit);
	return parse_other(conf, pkt, l, limit);
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

/* A jumbogram's hop-by-hop header at `header`. Its length field is to be the `room` that is. */
static enum leat_parse_reason parse_jumbo(const uint8_t *header, uint32_t room,
					  struct leat_level *l)
{
	if ((load_be32(header) & 0xffffff) != IP6_JUMBO)
		return LEAT_PARSE_OK;
	if (load_be32(header + IP6_JUMBO_LEN) != room)
		return LEAT_PARSE_BAD_NETWORK;
	l->flags = LEAT_IP_JUMBO;
	return LEAT_PARSE_OK;
}

static enum leat_parse_reason parse_ip6(const struct leat_parse_conf *conf, struct leat_pkt *pkt,
					uint32_t at, uint32_t *end)
{
	const uint8_t *ip = pkt->data + at;
	uint32_t first = at + IP6_HLEN, limit = min_of(pkt->headlen, *end), room, len;
	enum leat_parse_reason reason = LEAT_PARSE_OK;
	struct leat_level l = {0};
	bool big;

	if (limit < first)
		return LEAT_PARSE_SHORT_NETWORK;
	room = *end - first;
	len = load_be16(ip + IP6_PAYLOAD_LEN);
	big = len == 0 && is_big(room);
	if (ip[0] >> 4 != 6)
		return LEAT_PARSE_BAD_NETWORK;
	if (len > room)
		return LEAT_PARSE_SHORT_NETWORK;

	l.network = (uint16_t)at;
	l.transport = (uint16_t)first;
	l.version = 6;
	l.protocol = ip[IP6_NEXTHDR];
	if (!big) {
		*end = first + len;
		limit = min_of(limit, *end);
	} else if (l.protocol == PROTO_HOPOPTS && limit - first >= IP6_JUMBO_HLEN) {
		reason = parse_jumbo(ip + IP6_HLEN, room, &l);
	}
	if (reason == LEAT_PARSE_OK)
		reason = skip_extensions(pkt->data, &l, limit);
	if (big && l.protocol != PROTO_TCP)
		return LEAT_PARSE_BAD_NETWORK;
	if (reason == LEAT_PARSE_OK)
		return parse_transport(conf, pkt, add_level(pkt, l), limit);
	add_level(pkt, l);
	return reason;
}

static enum leat_parse_reason parse_network(const struct leat_parse_conf *conf,
					    struct leat_pkt *pkt, unsigned type, uint32_t at,
					    uint32_t *end)
{
	if (type == ETYPE_IP4)
		return parse_ip4(conf, pkt, at, end);
	if (type == ETYPE_IP6)
		return parse_ip6(conf, pkt, at, end);
	return is_vlan(type) ? LEAT_PARSE_VLAN_DEPTH : LEAT_PARSE_NOT_IP;
}

/* One round for a plain packet; a second, from `in` on, for what is in a tunnel. */
static inline enum leat_parse_reason parse_levels(const struct leat_parse_conf *conf,
						  struct leat_pkt *pkt, unsigned type, uint32_t at)
{
	uint32_t end = pkt->len;
	struct inside in;

	for (bool entered = false;; entered = true) {
		enum leat_parse_reason reason = parse_network(conf, pkt, type, at, &end);

		if (pkt->lvl[0].tunnel == LEAT_TUNNEL_NONE)
			return reason;
		if (entered)
			return leat_parse_tunnel_close(pkt, &in, reason);
		reason = leat_parse_tunnel_open(conf, pkt, end, &in);
		if (reason != LEAT_PARSE_OK)
			return reason;
		type = in.type;
		at = in.at;
		end = in.end;
	}
}

static inline enum leat_parse_reason parse_frame(const struct leat_parse_conf *conf,
						 struct leat_pkt *pkt)
{
	unsigned tags = 0;
	uint32_t at = 0;
	int type = skip_link(pkt->data, pkt->headlen, &at, &tags);

	pkt->vlans = (uint8_t)tags;
	if (type < 0)
		return LEAT_PARSE_SHORT_LINK;
	pkt->depth = LEAT_DEPTH_LINK;
	return parse_levels(conf, pkt, (unsigned)type, at);
}

/* Headers come from another CPU or device, so they are in no cache: ask for those of the packets to
 * come while these are looked at. Two lines hold what GRO compares, too. (Inlined always, or GCC
 * takes it for a function without effect, and drops its calls.) */
__attribute__((always_inline)) static inline void prefetch(struct leat_pkt *const *pkts, unsigned i,
							   unsigned n)
{
	enum { DESCRIPTOR = 8, HEADERS = 4, LINE = 64 };

	if (i + DESCRIPTOR < n)
		__builtin_prefetch(pkts[i + DESCRIPTOR], 1);
	if (i + HEADERS < n) {
		__builtin_prefetch(pkts[i + HEADERS]->data);
		/* Which may be past the buffer's end. NOLINTNEXTLINE(performance-no-int-to-ptr) */
		__builtin_prefetch((const void *)((uintptr_t)pkts[i + HEADERS]->data + LINE));
	}
}

static inline void parse(const struct leat_parse_conf *conf, struct leat_pkt *pkt)
{
	memset(pkt->lvl, 0, sizeof(pkt->lvl));
	pkt->inner_mac = 0;
	pkt->payload = 0;
	pkt->levels = 0;
	pkt->depth = LEAT_DEPTH_NONE;
	pkt->reason = (uint8_t)parse_frame(conf, pkt);
}

void leat_parse(const struct leat_parse_conf *conf, struct leat_pkt *const *pkts, unsigned n)
{
	const struct leat_pkt *last = NULL; /* the one before, if its reason is OK */

	if (conf == NULL)
		conf = &leat_parse_default;
	for (unsigned i = 0; i < n; i++) {
		struct leat_pkt *pkt = pkts[i];

		prefetch(pkts, i, n);
		if (last != NULL && parses_alike(last, pkt))
			copy_parsed(pkt, last);
		else
			parse(conf, pkt);
		last = pkt->reason == LEAT_PARSE_OK ? pkt : NULL;
	}
}

void leat_parse_outer(struct leat_pkt *pkt)
{
	struct leat_level *l = &pkt->lvl[0];
	bool udp = l->protocol == PROTO_UDP;

	if (pkt->levels < 2)
		return;
	memset(&pkt->lvl[1], 0, sizeof(pkt->lvl[1]));
	l->flags &= (uint8_t)~LEAT_REMCSUM;
	pkt->levels = 1;
	pkt->inner_mac = 0;
	pkt->payload = udp ? (uint16_t)(l->transport + UDP_HLEN) : 0;
	pkt->depth = udp ? LEAT_DEPTH_TRANSPORT : LEAT_DEPTH_NETWORK;
	pkt->reason = udp ? LEAT_PARSE_OK : LEAT_PARSE_PROTOCOL;
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
