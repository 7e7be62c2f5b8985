/* SPDX-License-Identifier: MIT */
#include "hidden.h"

#include <netinet/in.h>
#include <string.h>

enum {
	MACS = 12,
	ETHERNET = 14,
	TAG = 4,
	ETYPE_IP4 = 0x0800,
	ETYPE_IP6 = 0x86dd,
	ETYPE_TEB = 0x6558,
	ETYPE_PPPOE = 0x8864, /* of sessions */
	ETYPE_MPLS = 0x8847,
	ETYPE_MPLS_MULTICAST = 0x8848,
	PPPOE_HEADER = 6,
	PPP_IP4 = 0x0021,
	PPP_IP6 = 0x0057,
	LABEL = 4, /* bytes of an MPLS label */
	LABELS_MAX = 16,
	GRE_HEADER = 4,
	GRE_OPTION = 4,
	GRE_CSUM = 0x80,
	GRE_ROUTING = 0x40,
	GRE_KEY = 0x20,
	GRE_SEQUENCE = 0x10,
	GRE_VERSION = 7,
	PORT_GTP = 2152,
	PORT_ESP = 4500,
	GTP_HEADER = 8,
	GTP_FIRST = 0x30,   /* version 1, and not GTP' */
	GTP_MORE = 7,	    /* flags of which any makes the header longer */
	GTP_EXTENSIONS = 4, /* the one that says that extensions follow */
	GTP_PACKET = 0xff,
	WIREGUARD_DATA = 4,
	WIREGUARD_LEAST = 32,
	WIREGUARD_UNIT = 16,
};

static const struct {
	const char *name, *words;
} kinds[HIDDEN_KINDS] = {
	[HIDDEN_NOTHING] = {"none", "none"},
	[HIDDEN_VXLAN] = {"vxlan", "VXLAN"},
	[HIDDEN_GENEVE] = {"geneve", "Geneve"},
	[HIDDEN_GUE] = {"gue", "GUE"},
	[HIDDEN_FOU] = {"fou", "FOU"},
	[HIDDEN_IP] = {"ipip", "IP in IP"},
	[HIDDEN_GRE] = {"gre", "GRE"},
	[HIDDEN_GTP] = {"gtp", "GTP-U"},
	[HIDDEN_PPPOE] = {"pppoe", "PPPoE"},
	[HIDDEN_MPLS] = {"mpls", "MPLS"},
	[HIDDEN_IPSEC] = {"ipsec", "IPsec"},
	[HIDDEN_WIREGUARD] = {"wireguard", "WireGuard"},
	[HIDDEN_FRAGMENT] = {"fragment", "fragments"},
	[HIDDEN_NO_PORTS] = {"no-ports", "without ports"},
	[HIDDEN_NO_IP] = {"no-ip", "not IP"},
};

const struct leat_parse_conf hidden_parse = {
	.tunnel = {{.port = 4789, .tunnel = LEAT_TUNNEL_VXLAN},
		   {.port = 8472, .tunnel = LEAT_TUNNEL_VXLAN},
		   {.port = 6081, .tunnel = LEAT_TUNNEL_GENEVE},
		   {.port = 6080, .tunnel = LEAT_TUNNEL_GUE}},
	.tunnels = 4,
};

const char *hidden_name(enum hidden kind)
{
	return kinds[kind].name;
}

const char *hidden_words(enum hidden kind)
{
	return kinds[kind].words;
}

static unsigned get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* The first `n` bytes from `at` on, or NULL where there are fewer. */
static const uint8_t *want(const struct leat_pkt *pkt, uint32_t at, uint32_t n)
{
	return at <= pkt->headlen && pkt->headlen - at >= n ? pkt->data + at : NULL;
}

/* `at`, if an IP header may be there; 0 if not. */
static uint32_t check_ip(const struct leat_pkt *pkt, uint32_t at)
{
	const uint8_t *ip = want(pkt, at, 20);

	return ip && (ip[0] >> 4 == 4 || ip[0] >> 4 == 6) ? at : 0;
}

static uint32_t skip_pppoe(const struct leat_pkt *pkt, uint32_t at)
{
	const uint8_t *ppp = want(pkt, at, PPPOE_HEADER + 2);
	unsigned protocol = ppp ? get16(ppp + PPPOE_HEADER) : 0;

	if (protocol != PPP_IP4 && protocol != PPP_IP6)
		return 0;
	return check_ip(pkt, at + PPPOE_HEADER + 2);
}

static uint32_t skip_labels(const struct leat_pkt *pkt, uint32_t at)
{
	const uint8_t *label;

	for (unsigned n = 0; n < LABELS_MAX; n++) {
		label = want(pkt, at, LABEL);
		at += LABEL;
		if (!label)
			return 0;
		if (label[2] & 1) /* the last of them */
			return check_ip(pkt, at);
	}
	return 0;
}

/* A frame that is not IP, as far as the parser goes. */
static enum hidden find_link(const struct leat_pkt *pkt, uint32_t *inner)
{
	uint32_t at = MACS + (uint32_t)TAG * pkt->vlans;
	const uint8_t *type = pkt->depth >= LEAT_DEPTH_LINK ? want(pkt, at, 2) : NULL;

	switch (type ? get16(type) : 0) {
	case ETYPE_PPPOE: *inner = skip_pppoe(pkt, at + 2); return HIDDEN_PPPOE;
	case ETYPE_MPLS:
	case ETYPE_MPLS_MULTICAST: *inner = skip_labels(pkt, at + 2); return HIDDEN_MPLS;
	default: return HIDDEN_NO_IP;
	}
}

/* Only without what RFC 2784 left out. */
static uint32_t skip_gre(const struct leat_pkt *pkt, uint32_t at)
{
	const uint8_t *gre = want(pkt, at, GRE_HEADER);
	unsigned options;

	if (!gre || (gre[0] & GRE_ROUTING) || (gre[1] & GRE_VERSION))
		return 0;
	options = !!(gre[0] & GRE_CSUM) + !!(gre[0] & GRE_KEY) + !!(gre[0] & GRE_SEQUENCE);
	at += GRE_HEADER + GRE_OPTION * options;
	switch (get16(gre + 2)) {
	case ETYPE_TEB: return check_ip(pkt, at + ETHERNET);
	case ETYPE_IP4:
	case ETYPE_IP6: return check_ip(pkt, at);
	default: return 0;
	}
}

/* Extensions are a length in words, that many but the last byte, and the type of the next. */
static uint32_t skip_gtp(const struct leat_pkt *pkt, uint32_t at)
{
	const uint8_t *gtp = want(pkt, at, GTP_HEADER), *next;

	if (!gtp || (gtp[0] & ~GTP_MORE) != GTP_FIRST || gtp[1] != GTP_PACKET)
		return 0;
	at += GTP_HEADER;
	if (!(gtp[0] & GTP_MORE))
		return check_ip(pkt, at);
	at += 4;
	while ((next = want(pkt, at - 1, 2)) && (gtp[0] & GTP_EXTENSIONS) && next[0]) {
		if (next[1] == 0)
			return 0;
		at += 4u * next[1];
	}
	return check_ip(pkt, at);
}

static bool is_wireguard(const uint8_t *data, uint32_t len)
{
	static const uint8_t first[4] = {WIREGUARD_DATA};

	return len >= WIREGUARD_LEAST && len % WIREGUARD_UNIT == 0 &&
	       memcmp(data, first, sizeof(first)) == 0 && get16(data + 14) == 0;
}

static enum hidden find_udp(const struct leat_pkt *pkt, uint32_t *inner)
{
	const uint8_t *udp = pkt->data + pkt->lvl[0].transport, *data;
	uint32_t len = leat_parse_payload_len(pkt);

	if (get16(udp + 2) == PORT_GTP) {
		*inner = skip_gtp(pkt, pkt->payload);
		return HIDDEN_GTP;
	}
	data = want(pkt, pkt->payload, 16);
	if (!data)
		return HIDDEN_NOTHING;
	if ((get16(udp) == PORT_ESP || get16(udp + 2) == PORT_ESP) && get16(data) | get16(data + 2))
		return HIDDEN_IPSEC;
	return is_wireguard(data, len) ? HIDDEN_WIREGUARD : HIDDEN_NOTHING;
}

static enum hidden find_protocol(const struct leat_pkt *pkt, uint32_t *inner)
{
	switch (pkt->lvl[0].protocol) {
	case IPPROTO_TCP:
	case IPPROTO_SCTP: return HIDDEN_NOTHING;
	case IPPROTO_UDP:
		return pkt->depth == LEAT_DEPTH_TRANSPORT ? find_udp(pkt, inner) : HIDDEN_NOTHING;
	case IPPROTO_GRE: *inner = skip_gre(pkt, pkt->lvl[0].transport); return HIDDEN_GRE;
	case IPPROTO_IPIP:
	case IPPROTO_IPV6: return HIDDEN_IP;
	case IPPROTO_ESP:
	case IPPROTO_AH: return HIDDEN_IPSEC;
	default: return HIDDEN_NO_PORTS;
	}
}

enum hidden hidden_find(const struct leat_pkt *pkt, uint32_t *inner)
{
	const struct leat_level *l = &pkt->lvl[0];

	*inner = 0;
	if (pkt->levels == 0)
		return find_link(pkt, inner);
	if (pkt->levels > 1)
		*inner = pkt->lvl[1].network;
	else if (l->flags & LEAT_IP_FRAGMENT) {
		*inner = l->flags & LEAT_IP_LATER ? 0 : l->network;
		return HIDDEN_FRAGMENT;
	}
	switch (l->tunnel) {
	case LEAT_TUNNEL_VXLAN: return HIDDEN_VXLAN;
	case LEAT_TUNNEL_GENEVE: return HIDDEN_GENEVE;
	case LEAT_TUNNEL_GUE: return HIDDEN_GUE;
	case LEAT_TUNNEL_FOU: return HIDDEN_FOU;
	}
	if (pkt->levels > 1)
		return l->tunnel == LEAT_TUNNEL_IP ? HIDDEN_IP : HIDDEN_GRE;
	return find_protocol(pkt, inner);
}

bool hidden_enter(struct leat_pkt *pkt, uint32_t inner)
{
	uint8_t *frame = pkt->data + inner - ETHERNET;
	unsigned type = pkt->data[inner] >> 4 == 6 ? ETYPE_IP6 : ETYPE_IP4;
	uint32_t len = pkt->len - inner + ETHERNET, headlen = pkt->headlen - inner + ETHERNET;

	frame[MACS] = (uint8_t)(type >> 8);
	frame[MACS + 1] = (uint8_t)type;
	leat_pkt_init(pkt, frame, len);
	pkt->headlen = headlen;
	leat_parse(&hidden_parse, &pkt, 1);
	leat_parse_outer(pkt);
	/* A first fragment's ports are there. */
	if (pkt->levels)
		pkt->lvl[0].flags &= (uint8_t)~LEAT_IP_FRAGMENT;
	return pkt->levels > 0;
}
