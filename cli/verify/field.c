/* SPDX-License-Identifier: MIT */
#include "field.h"

#include <stddef.h>

enum { ETH = 14, TCP = 6, UDP = 17, GRE = 47 };

/* The fields of a header, each from an offset on. */
struct span {
	uint8_t from, field;
};

static const struct span ip4[] = {
	{16, FIELD_IP},	   {12, FIELD_IP},     {10, FIELD_IP_CSUM}, {9, FIELD_IP},
	{8, FIELD_IP_TTL}, {6, FIELD_IP_FRAG}, {4, FIELD_IP_ID},    {2, FIELD_IP_LEN},
	{1, FIELD_IP_TOS}, {0, FIELD_IP},
};

static const struct span ip6[] = {
	{8, FIELD_IP}, {7, FIELD_IP_TTL}, {6, FIELD_IP}, {4, FIELD_IP_LEN}, {0, FIELD_IP_TOS},
};

static const struct span tcp[] = {
	{20, FIELD_TCP_OPTIONS}, {18, FIELD_TCP_URG}, {16, FIELD_TCP_CSUM}, {14, FIELD_TCP_WINDOW},
	{12, FIELD_TCP_FLAGS},	 {8, FIELD_TCP_ACK},  {4, FIELD_TCP_SEQ},   {0, FIELD_TCP_PORTS},
};

static const struct span udp[] = {
	{8, FIELD_TUNNEL},
	{6, FIELD_UDP_CSUM},
	{4, FIELD_UDP_LEN},
	{0, FIELD_UDP_PORTS},
};

static const struct span other[] = {{0, FIELD_OTHER}};
static const struct span none[] = {{0, FIELD_TUNNEL}};

/* The last span that begins at or before `off`; the first of a table is the last. */
static unsigned find(const struct span *s, uint32_t off)
{
	while (s->from > off)
		s++;
	return s->field;
}

static unsigned find_ip(const struct leat_level *l, uint32_t off)
{
	if (off >= (l->version == 4 ? 20u : 40u))
		return FIELD_IP_EXTRA;
	return find(l->version == 4 ? ip4 : ip6, off);
}

static unsigned find_transport(const struct leat_pkt *pkt, const struct leat_level *l, uint32_t off)
{
	if (l->protocol == GRE && (pkt->data[l->transport] & 0x80) && (off == 4 || off == 5))
		return FIELD_GRE_CSUM;
	switch (l->protocol) {
	case TCP: return find(tcp, off);
	case UDP: return find(udp, off);
	default: return find(pkt->levels > 1 && l == pkt->lvl ? none : other, off);
	}
}

unsigned field_at(const struct leat_pkt *pkt, uint32_t off)
{
	for (unsigned i = pkt->levels; i-- > 0;) {
		const struct leat_level *l = &pkt->lvl[i];
		unsigned field;

		if (off < l->network)
			continue;
		if (i + 1u == pkt->levels && pkt->depth == LEAT_DEPTH_TRANSPORT &&
		    off >= pkt->payload)
			return FIELD_PAYLOAD;
		field = off < l->transport ? find_ip(l, off - l->network) :
					     find_transport(pkt, l, off - l->transport);
		return i > 0 && field >= FIELD_IP ? field_inner(field) : field;
	}
	return FIELD_LINK;
}

bool field_is_inner(unsigned field)
{
	return field >= FIELD_INNER;
}

const char *field_name(unsigned field)
{
	static const char *const names[FIELD_INNER] = {
		[FIELD_LINK] = "link",
		[FIELD_TUNNEL] = "tunnel",
		[FIELD_GRE_CSUM] = "GRE checksum",
		[FIELD_PAYLOAD] = "payload",
		[FIELD_IP] = "IP",
		[FIELD_IP_TOS] = "IP tos",
		[FIELD_IP_LEN] = "IP length",
		[FIELD_IP_ID] = "IP id",
		[FIELD_IP_FRAG] = "IP fragment",
		[FIELD_IP_TTL] = "IP ttl",
		[FIELD_IP_CSUM] = "IP checksum",
		[FIELD_IP_EXTRA] = "IP options",
		[FIELD_TCP_PORTS] = "TCP ports",
		[FIELD_TCP_SEQ] = "TCP seq",
		[FIELD_TCP_ACK] = "TCP ack",
		[FIELD_TCP_FLAGS] = "TCP flags",
		[FIELD_TCP_WINDOW] = "TCP window",
		[FIELD_TCP_CSUM] = "TCP checksum",
		[FIELD_TCP_URG] = "TCP urgent pointer",
		[FIELD_TCP_OPTIONS] = "TCP options",
		[FIELD_UDP_PORTS] = "UDP ports",
		[FIELD_UDP_LEN] = "UDP length",
		[FIELD_UDP_CSUM] = "UDP checksum",
		[FIELD_OTHER] = "transport",
	};

	return names[field >= FIELD_INNER ? field - FIELD_INNER + FIELD_IP : field];
}
