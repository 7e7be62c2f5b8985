/* SPDX-License-Identifier: MIT */
/*
 * frame_tunnel.c - tunnel headers for tests: IP in IP, GRE (RFC 2784, RFC 2890), VXLAN (RFC 7348),
 * Geneve (RFC 8926), GUE (draft-ietf-intarea-gue) and FOU, which has none of its own.
 */
#include "frame_tunnel.h"

#include <string.h>

enum { BRIDGED = 0x6558 };

const struct leat_parse_conf frame_conf = {
	.tunnel = {{FRAME_VXLAN_PORT, LEAT_TUNNEL_VXLAN, 0, false},
		   {FRAME_VXLAN_RCO_PORT, LEAT_TUNNEL_VXLAN, 0, true},
		   {FRAME_GENEVE_PORT, LEAT_TUNNEL_GENEVE, 0, false},
		   {FRAME_GUE_PORT, LEAT_TUNNEL_GUE, 0, false},
		   {FRAME_FOU4_PORT, LEAT_TUNNEL_FOU, FRAME_IPIP, false},
		   {FRAME_FOU6_PORT, LEAT_TUNNEL_FOU, FRAME_IPV6, false},
		   {FRAME_FOU_GRE_PORT, LEAT_TUNNEL_FOU, FRAME_GRE, false},
		   {FRAME_FOU_TCP_PORT, LEAT_TUNNEL_FOU, FRAME_TCP, false}},
	.tunnels = 8,
};

static bool is_inner6(const struct frame *f)
{
	return f->inner->version == 6;
}

uint8_t tunnel_protocol(const struct frame *f)
{
	if (f->tunnel == LEAT_TUNNEL_IP)
		return is_inner6(f) ? FRAME_IPV6 : FRAME_IPIP;
	return f->tunnel == LEAT_TUNNEL_GRE ? FRAME_GRE : FRAME_UDP;
}

uint16_t tunnel_dport(const struct frame *f)
{
	if (f->dport != 0)
		return f->dport;
	switch (f->tunnel) {
	case LEAT_TUNNEL_VXLAN: return f->remcsum ? FRAME_VXLAN_RCO_PORT : FRAME_VXLAN_PORT;
	case LEAT_TUNNEL_GENEVE: return FRAME_GENEVE_PORT;
	case LEAT_TUNNEL_GUE: return FRAME_GUE_PORT;
	}
	if (f->in_gre)
		return FRAME_FOU_GRE_PORT;
	return is_inner6(f) ? FRAME_FOU6_PORT : FRAME_FOU4_PORT;
}

static bool has_gre(const struct frame *f)
{
	return f->tunnel == LEAT_TUNNEL_GRE || f->in_gre;
}

bool tunnel_has_eth(const struct frame *f)
{
	return f->tunnel == LEAT_TUNNEL_VXLAN ||
	       (f->eth && (f->tunnel == LEAT_TUNNEL_GENEVE || has_gre(f)));
}

static uint32_t gre_len(const struct frame *f)
{
	if (!has_gre(f))
		return 0;
	return 4 + (f->gre_csum ? 4 : 0) + (f->gre_key ? 4 : 0) + (f->gre_seq ? 4 : 0);
}

static uint32_t gue_len(const struct frame *f)
{
	return f->direct ? 0 : 4 + (f->remcsum ? 8 : 0) + (uint32_t)f->tunnel_opts_len;
}

uint32_t tunnel_hdr_len(const struct frame *f)
{
	switch (f->tunnel) {
	case LEAT_TUNNEL_VXLAN: return 8;
	case LEAT_TUNNEL_GENEVE: return 8 + (uint32_t)f->tunnel_opts_len;
	case LEAT_TUNNEL_GUE: return gue_len(f) + gre_len(f);
	}
	return gre_len(f);
}

static uint32_t ether_type(const struct frame *f, uint8_t version)
{
	if (tunnel_has_eth(f))
		return BRIDGED;
	return version == 6 ? 0x86dd : 0x0800;
}

static void build_gre(const struct frame *f, uint8_t *p, uint8_t version)
{
	memset(p, 0, gre_len(f));
	p[0] = (uint8_t)((f->gre_csum ? 0x80 : 0) + (f->gre_key ? 0x20 : 0) +
			 (f->gre_seq ? 0x10 : 0));
	put16(p + 2, ether_type(f, version));
	p += f->gre_csum ? 8 : 4;
	if (f->gre_key)
		put32(p, f->tunnel_id);
}

/* The last byte says where sums begin, in units of 2 bytes, and whether UDP's field or TCP's. */
static void build_vxlan(const struct frame *f, uint8_t *p, uint32_t start, uint32_t check)
{
	put32(p, f->remcsum ? 0x08200000 : 0x08000000);
	put32(p + 4, f->tunnel_id << 8);
	if (f->remcsum)
		p[7] = (uint8_t)(start / 2 + (check == 6 ? 0x80 : 0));
}

static void build_geneve(const struct frame *f, uint8_t *p, uint8_t version)
{
	p[0] = f->tunnel_opts_len / 4;
	p[1] = 0;
	put16(p + 2, ether_type(f, version));
	put32(p + 4, f->tunnel_id << 8);
	if (f->tunnel_opts_len > 0)
		memcpy(p + 8, f->tunnel_opts, f->tunnel_opts_len);
}

static void build_gue(const struct frame *f, uint8_t *p, uint8_t version, uint32_t start,
		      uint32_t check)
{
	p[0] = (uint8_t)((gue_len(f) - 4) / 4);
	p[1] = version == 6 ? FRAME_IPV6 : FRAME_IPIP;
	if (f->in_gre)
		p[1] = FRAME_GRE;
	put16(p + 2, f->remcsum ? 1 : 0);
	p += 4;
	if (f->remcsum) {
		put32(p, 0x80000000);
		put16(p + 4, gre_len(f) + start);
		put16(p + 6, gre_len(f) + start + check);
		p += 8;
	}
	if (f->tunnel_opts_len > 0)
		memcpy(p, f->tunnel_opts, f->tunnel_opts_len);
}

void tunnel_build(const struct frame *f, uint8_t *p, uint8_t version, uint32_t start,
		  uint32_t check)
{
	if (f->tunnel == LEAT_TUNNEL_VXLAN)
		build_vxlan(f, p, start, check);
	else if (f->tunnel == LEAT_TUNNEL_GENEVE)
		build_geneve(f, p, version);
	else if (f->tunnel == LEAT_TUNNEL_GUE && !f->direct)
		build_gue(f, p, version, start, check);
	if (has_gre(f))
		build_gre(f, p + tunnel_hdr_len(f) - gre_len(f), version);
}

/* A frame, 0 outside of it. */
struct view {
	const uint8_t *p;
	uint32_t len;
};

static uint32_t byte_at(const struct view *v, uint32_t at)
{
	return at < v->len ? v->p[at] : 0;
}

static uint32_t word_at(const struct view *v, uint32_t at)
{
	return byte_at(v, at) * 256 + byte_at(v, at + 1);
}

static uint32_t skip_extensions(const struct view *v, uint32_t at, uint8_t *protocol)
{
	while (*protocol == 0 || *protocol == 43 || *protocol == 60 || *protocol == 44) {
		uint32_t len = *protocol == 44 ? 8 : byte_at(v, at + 1) * 8 + 8;

		*protocol = at < v->len ? v->p[at] : 59;
		at += len;
	}
	return at;
}

static struct place find_place(const struct view *v, uint32_t ip)
{
	struct place l = {.ip = ip};

	if (byte_at(v, ip) / 16 == 4) {
		l.protocol = (uint8_t)byte_at(v, ip + 9);
		l.l4 = ip + byte_at(v, ip) % 16 * 4;
	} else {
		l.protocol = (uint8_t)byte_at(v, ip + 6);
		l.l4 = skip_extensions(v, ip + IP6, &l.protocol);
	}
	return l;
}

/* `at` if there is a whole IP packet of this version, else 0. */
static uint32_t is_ip(const struct view *v, uint32_t at, uint32_t version)
{
	uint32_t first = byte_at(v, at), len = word_at(v, at + 2);

	if (first / 16 != version)
		return 0;
	if (version == 6)
		len = word_at(v, at + 4) + IP6;
	else if (first % 16 < 5 || len < first % 16 * 4)
		return 0;
	return len <= v->len && at <= v->len - len ? at : 0;
}

/* The EtherType behind VLAN tags. */
static uint32_t find_type(const struct view *v, uint32_t at)
{
	while (word_at(v, at) == 0x8100 || word_at(v, at) == 0x88a8)
		at += TAG;
	return at;
}

/* The IP header of the Ethernet header whose type, or first tag, is at `at`; 0 if it has none. */
static uint32_t skip_tags(const struct view *v, uint32_t at)
{
	at = find_type(v, at);
	if (word_at(v, at) == 0x0800)
		return is_ip(v, at + 2, 4);
	return word_at(v, at) == 0x86dd ? is_ip(v, at + 2, 6) : 0;
}

/* What an EtherType says is at `at`. */
static uint32_t skip_to_ip(const struct view *v, uint32_t at, uint32_t type)
{
	if (type == BRIDGED)
		return skip_tags(v, at + 12);
	if (type == 0x0800)
		return is_ip(v, at, 4);
	return type == 0x86dd ? is_ip(v, at, 6) : 0;
}

static uint32_t skip_gre(const struct view *v, uint32_t at)
{
	uint32_t flags = word_at(v, at);

	if ((flags & 0x5fff) != 0)
		return 0;
	return skip_to_ip(v, at + 4 + (flags & 0x8000) / 0x2000 + (flags & 0x2000) / 0x800,
			  word_at(v, at + 2));
}

static uint32_t skip_protocol(const struct view *v, uint32_t at, uint32_t protocol)
{
	switch (protocol) {
	case FRAME_GRE: return skip_gre(v, at);
	case FRAME_IPIP: return is_ip(v, at, 4);
	case FRAME_IPV6: return is_ip(v, at, 6);
	}
	return 0;
}

static uint32_t skip_gue(const struct view *v, uint32_t at, bool *remcsum)
{
	if (byte_at(v, at) / 64 != 0)
		return is_ip(v, at, byte_at(v, at) / 16 == 6 ? 6 : 4);
	*remcsum = (byte_at(v, at + 3) & 1) != 0 && (byte_at(v, at + 4) & 0x80) != 0;
	return skip_protocol(v, at + 4 + byte_at(v, at) % 32 * 4, byte_at(v, at + 1));
}

/* The IP header behind the UDP header at `uh`, or 0 if the port is not a tunnel's. */
static uint32_t skip_udp(const struct view *v, uint32_t uh, bool *remcsum)
{
	uint32_t at = uh + 8, port = word_at(v, uh + 2);

	switch (port) {
	case FRAME_VXLAN_PORT:
	case FRAME_VXLAN_RCO_PORT:
		*remcsum = port == FRAME_VXLAN_RCO_PORT && (byte_at(v, at + 1) & 0x20) != 0;
		return (byte_at(v, at) & 8) != 0 ? skip_to_ip(v, at + 8, BRIDGED) : 0;
	case FRAME_GENEVE_PORT:
		if (byte_at(v, at) / 64 != 0 || byte_at(v, at + 1) >= 0x80)
			return 0;
		return skip_to_ip(v, at + 8 + byte_at(v, at) * 4, word_at(v, at + 2));
	case FRAME_GUE_PORT: return skip_gue(v, at, remcsum);
	case FRAME_FOU4_PORT: return skip_protocol(v, at, FRAME_IPIP);
	case FRAME_FOU6_PORT: return skip_protocol(v, at, FRAME_IPV6);
	case FRAME_FOU_GRE_PORT: return skip_protocol(v, at, FRAME_GRE);
	}
	return 0;
}

struct places find_places(const uint8_t *frame, uint32_t len)
{
	const struct view v = {frame, len};
	struct places at = {.levels = 1, .lvl = {find_place(&v, find_type(&v, ETH - 2) + 2)}};
	const struct place *l = &at.lvl[0];
	uint32_t in;

	if (l->protocol == FRAME_UDP)
		in = skip_udp(&v, l->l4, &at.remcsum);
	else
		in = skip_protocol(&v, l->l4, l->protocol);
	if (in != 0) {
		at.sum = l->protocol == FRAME_UDP ?
				 word_at(&v, l->l4 + 6) != 0 :
				 l->protocol == FRAME_GRE && byte_at(&v, l->l4) >= 0x80;
		at.lvl[at.levels++] = find_place(&v, in);
	} else {
		at.remcsum = false;
	}
	l = &at.lvl[at.levels - 1];
	at.payload = l->l4 + (l->protocol == FRAME_TCP	? byte_at(&v, l->l4 + 12) / 16 * 4 :
			      l->protocol == FRAME_SCTP ? 12 :
							  8);
	return at;
}
