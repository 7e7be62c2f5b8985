/* SPDX-License-Identifier: MIT */
/*
 * frame.c - frames for tests. The arithmetic is the RFCs', a byte or a word at a time.
 */
#include "frame.h"

#include <stdlib.h>
#include <string.h>

#include "frame_tunnel.h"

enum { TCP = 20, UDP = 8, SCTP = 12 };

uint16_t frame_sum(const uint8_t *p, size_t len, uint32_t sum)
{
	sum = sum % 65536 + sum / 65536;
	for (size_t i = 0; i < len; i++) {
		sum += i % 2 == 0 ? p[i] * 256u : p[i];
		sum = sum % 65536 + sum / 65536;
	}
	return (uint16_t)(sum % 65536 + sum / 65536);
}

uint16_t frame_pseudo(const uint8_t *ip, uint8_t protocol, uint32_t len)
{
	uint32_t sum = protocol + len / 65536 + len % 65536;

	return ip[0] / 16 == 4 ? frame_sum(ip + 12, 8, sum) : frame_sum(ip + 8, 32, sum);
}

uint16_t transport_csum(const uint8_t *ip, uint8_t protocol, const uint8_t *l4, uint32_t len)
{
	uint16_t sum = frame_sum(l4, len, frame_pseudo(ip, protocol, len));

	if (protocol == FRAME_UDP && sum == 0xffff)
		return 0xffff;
	return (uint16_t)~sum;
}

static uint8_t version_of(const struct frame *f)
{
	return f->version == 0 ? 4 : f->version;
}

static uint8_t protocol_of(const struct frame *f)
{
	if (f->inner != NULL)
		return tunnel_protocol(f);
	return f->protocol == 0 ? FRAME_TCP : f->protocol;
}

static uint32_t link_len(const struct frame *f)
{
	return ETH + TAG * (uint32_t)f->vlans;
}

static uint32_t transport_len(const struct frame *f)
{
	if (protocol_of(f) == FRAME_TCP)
		return TCP + (uint32_t)f->opts_len;
	if (protocol_of(f) == FRAME_SCTP && f->chunks > 0)
		return SCTP;
	return protocol_of(f) == FRAME_UDP ? UDP : 0;
}

static uint32_t network_len(const struct frame *f)
{
	return (version_of(f) == 4 ? IP4 : IP6) + (uint32_t)f->ext_len;
}

/* The link header where the tunnel it is in, if any, carries one. */
static uint32_t link_len_in(const struct frame *outer, const struct frame *f)
{
	return outer == NULL || tunnel_has_eth(outer) ? link_len(f) : 0;
}

uint32_t frame_hdr_len(const struct frame *f)
{
	const struct frame *outer = NULL;
	uint32_t len = 0;

	for (; f != NULL; outer = f, f = f->inner) {
		len += link_len_in(outer, f) + network_len(f) + transport_len(f);
		len += f->inner != NULL ? tunnel_hdr_len(f) : 0;
	}
	return len;
}

uint32_t frame_len(const struct frame *f)
{
	uint32_t len = frame_hdr_len(f) + f->padding;

	for (; f->inner != NULL; f = f->inner)
		len += f->inner->padding;
	return len + f->payload;
}

/* Bytes behind the transport header. */
static uint32_t body_len(const struct frame *f)
{
	return frame_len(f) - f->padding - link_len(f) - network_len(f) - transport_len(f);
}

static void build_link(const struct frame *f, uint8_t *p)
{
	memcpy(p, (uint8_t[]){2, 0, 0, 0, 1, f->dst_mac, 2, 0, 0, 0, 2, f->src_mac}, 12);
	p += 12;
	for (unsigned i = 0; i < f->vlans; i++, p += TAG) {
		put16(p, i == 0 && f->vlans > 1 ? 0x88a8 : 0x8100);
		put16(p + 2, f->vlan[i]);
	}
	put16(p, version_of(f) == 4 ? 0x0800 : 0x86dd);
}

static void build_ip4(const struct frame *f, uint8_t *ip, uint32_t len)
{
	memset(ip, 0, IP4);
	ip[0] = (uint8_t)(0x45 + f->ext_len / 4);
	ip[1] = f->tos;
	put16(ip + 2, len);
	put16(ip + 4, f->id);
	put16(ip + 6, f->frag_off);
	ip[8] = f->ttl == 0 ? 64 : f->ttl;
	ip[9] = protocol_of(f);
	put32(ip + 12, 0xc0000200 ^ f->src);
	put32(ip + 16, 0xc6336400 ^ f->dst);
	if (f->ext_len > 0)
		memcpy(ip + IP4, f->ext, f->ext_len);
	put16(ip + 10, (uint16_t)~frame_sum(ip, IP4 + f->ext_len, 0));
	if (f->bad_ip_csum)
		ip[10] ^= 0x55;
}

static void build_ip6(const struct frame *f, uint8_t *ip, uint32_t len)
{
	static const uint8_t prefix[12] = {0x20, 0x01, 0x0d, 0xb8};

	put32(ip, 6u << 28 | (uint32_t)f->tos << 20 | f->flow_label);
	put16(ip + 4, len - IP6);
	ip[6] = f->ext_len > 0 ? f->ext_first : protocol_of(f);
	ip[7] = f->ttl == 0 ? 64 : f->ttl;
	memcpy(ip + 8, prefix, sizeof(prefix));
	put32(ip + 20, 0x10000 + f->src);
	memcpy(ip + 24, prefix, sizeof(prefix));
	put32(ip + 36, 0x20000 + f->dst);
	if (f->ext_len > 0)
		memcpy(ip + IP6, f->ext, f->ext_len);
}

static void build_tcp(const struct frame *f, uint8_t *th)
{
	put16(th, f->sport);
	put16(th + 2, f->dport);
	put32(th + 4, f->seq);
	put32(th + 8, f->ack);
	th[12] = (uint8_t)((TCP + f->opts_len) / 4 * 16 + f->reserved);
	th[13] = (uint8_t)(f->flags + (f->no_ack || (f->flags & FRAME_ACK) != 0 ? 0 : FRAME_ACK));
	put16(th + 14, f->window);
	put16(th + 16, 0);
	put16(th + 18, f->urg_ptr);
	if (f->opts_len > 0)
		memcpy(th + TCP, f->opts, f->opts_len);
}

static void build_udp(const struct frame *f, uint8_t *uh)
{
	put16(uh, f->sport);
	put16(uh + 2, f->inner != NULL ? tunnel_dport(f) : f->dport);
	put16(uh + 4, UDP + body_len(f));
	put16(uh + 6, 0);
}

/* The header at `p` of the tunnel whose inner packet, complete, is at `in`. */
static void build_tunnel(const struct frame *f, uint8_t *p, uint8_t *in)
{
	const struct frame *inner = f->inner;
	uint8_t protocol = protocol_of(inner);
	uint32_t start = network_len(inner), check = protocol == FRAME_TCP ? 16 : 6;
	uint32_t len = transport_len(inner) + body_len(inner);

	if (f->remcsum)
		put16(in + start + check, frame_pseudo(in, protocol, len));
	tunnel_build(f, p, version_of(inner), link_len_in(f, inner) + start, check);
}

/* The transport header; all behind it is done. */
static void build_transport(const struct frame *f, const uint8_t *ip, uint8_t *l4, uint32_t len)
{
	uint8_t protocol = protocol_of(f);

	if (protocol == FRAME_TCP) {
		build_tcp(f, l4);
		put16(l4 + 16, transport_csum(ip, protocol, l4, len));
		l4[16] ^= f->bad_l4_csum ? 0x55 : 0;
	} else if (protocol == FRAME_UDP) {
		build_udp(f, l4);
		put16(l4 + 6, f->no_csum ? 0 : transport_csum(ip, protocol, l4, len));
		l4[6] ^= f->bad_l4_csum ? 0x55 : 0;
	} else if (protocol == FRAME_GRE && f->inner != NULL && f->gre_csum) {
		put16(l4 + 4, (uint16_t)~frame_sum(l4, len, 0));
		l4[4] ^= f->bad_l4_csum ? 0x55 : 0;
	} else if (protocol == FRAME_SCTP && f->chunks > 0) {
		sctp_build(f, l4, len);
		l4[8] ^= f->bad_l4_csum ? 0x55 : 0;
	}
}

/* The IP packet at `ip`; the one in it, if any, is complete at `in`. */
static void build_packet(const struct frame *f, uint8_t *ip, uint8_t *in)
{
	uint8_t *l4 = ip + network_len(f), *p = l4 + transport_len(f);
	uint32_t len = transport_len(f) + body_len(f);

	if (version_of(f) == 4)
		build_ip4(f, ip, network_len(f) + len);
	else
		build_ip6(f, ip, network_len(f) + len);
	if (f->inner != NULL)
		build_tunnel(f, p, in);
	for (uint32_t i = 0; f->inner == NULL && i < f->payload; i++)
		p[i] = (uint8_t)((f->salt + f->seq + i) * 2654435761u >> 24);
	memset(l4 + len, 0, f->padding);
	build_transport(f, ip, l4, len);
}

void frame_build(const struct frame *f, uint8_t *dst)
{
	const struct frame *at[FRAME_NESTED] = {NULL};
	uint8_t *ip[FRAME_NESTED + 1] = {NULL};
	unsigned n = 0;

	for (; f != NULL && n < FRAME_NESTED; f = f->inner) {
		uint32_t link = link_len_in(n > 0 ? at[n - 1] : NULL, f);

		if (link > 0)
			build_link(f, dst);
		at[n] = f;
		ip[n++] = dst + link;
		dst += link + network_len(f) + transport_len(f);
		dst += f->inner != NULL ? tunnel_hdr_len(f) : 0;
	}
	while (n-- > 0)
		build_packet(at[n], ip[n], ip[n + 1]);
}

uint32_t frame_flatten(const struct leat_pkt *pkt, uint8_t *dst)
{
	const struct leat_pkt *p = pkt, *last;
	uint32_t len = 0, members = 0;

	do {
		if (len + p->headlen > pkt->len)
			return 0;
		memcpy(dst + len, p->data, p->headlen);
		len += p->headlen;
		members += p != pkt;
		last = p;
		p = p->frag_list;
	} while (p != NULL);
	if (len != pkt->len || members != pkt->slices || (members > 0 && pkt->frag_tail != last))
		return 0;
	return len;
}

/* What the length field holds: 0 where the length does not fit, which is BIG TCP. */
static uint32_t length_field(uint32_t len)
{
	return len > 0xffff ? 0 : len;
}

static const char *network_wrong(const uint8_t *ip, uint32_t len, uint32_t hdr_len)
{
	if (ip[0] / 16 == 6)
		return get16(ip + 4) == length_field(len - IP6) ? NULL : "IPv6 payload length";
	if (get16(ip + 2) != length_field(len))
		return "IPv4 total length";
	return frame_sum(ip, hdr_len, 0) == 0xffff ? NULL : "IPv4 header checksum";
}

/* The innermost transport header's lengths and checksum. */
static const char *transport_wrong(const uint8_t *frame, uint32_t len, const struct places *at,
				   bool partial)
{
	const struct place *in = &at->lvl[at->levels - 1];
	const uint8_t *l4 = frame + in->l4;
	uint32_t check = in->protocol == FRAME_TCP ? 16 : 6, l4_len = len - in->l4;
	uint16_t pseudo = frame_pseudo(frame + in->ip, in->protocol, l4_len);

	if (in->protocol == FRAME_SCTP)
		return partial || get32(l4 + 8) == sctp_crc(l4, l4_len) ? NULL : "SCTP CRC";
	if (in->protocol == FRAME_UDP && get16(l4 + 4) != l4_len)
		return "UDP length";
	if (partial || at->remcsum)
		return get16(l4 + check) == pseudo ? NULL : "partial checksum";
	if (frame_sum(l4, l4_len, pseudo) != 0xffff)
		return "transport checksum";
	return NULL;
}

/* The outer UDP header's length, and that the tunnel's checksum is right, or as a super-packet has
 * it. */
static const char *tunnel_wrong(const uint8_t *frame, uint32_t len, const struct places *at,
				bool super)
{
	const struct place *out = &at->lvl[0];
	const uint8_t *l4 = frame + out->l4;
	uint16_t pseudo = 0;

	if (out->protocol == FRAME_UDP) {
		pseudo = frame_pseudo(frame + out->ip, FRAME_UDP, len - out->l4);
		if (get16(l4 + 4) != len - out->l4)
			return "outer UDP length";
		if (super && at->sum)
			return get16(l4 + 6) == pseudo ? NULL : "partial outer UDP checksum";
	}
	if (at->sum && !super && frame_sum(l4, len - out->l4, pseudo) != 0xffff)
		return "tunnel checksum";
	return NULL;
}

static const char *networks_wrong(const uint8_t *frame, uint32_t len, const struct places *at)
{
	const char *wrong = NULL;

	for (unsigned i = 0; wrong == NULL && i < at->levels; i++) {
		const struct place *l = &at->lvl[i];

		wrong = network_wrong(frame + l->ip, len - l->ip, l->l4 - l->ip);
	}
	return wrong;
}

const char *frame_wrong(const uint8_t *frame, uint32_t len, bool partial)
{
	struct places at = find_places(frame, len);
	const char *wrong = networks_wrong(frame, len, &at);
	uint8_t *copy;

	if (wrong == NULL)
		wrong = transport_wrong(frame, len, &at, partial);
	if (wrong != NULL || at.levels == 1)
		return wrong;
	copy = malloc(len);
	if (copy == NULL)
		abort();
	memcpy(copy, frame, len);
	if (partial && !at.remcsum)
		transport_complete(copy, len, &at.lvl[1]);
	wrong = tunnel_wrong(copy, len, &at, false);
	free(copy);
	return wrong;
}

const char *frame_super_wrong(const uint8_t *frame, uint32_t len)
{
	struct places at = find_places(frame, len);
	const char *wrong = networks_wrong(frame, len, &at);

	if (wrong == NULL)
		wrong = transport_wrong(frame, len, &at, true);
	return wrong == NULL && at.levels > 1 ? tunnel_wrong(frame, len, &at, true) : wrong;
}

struct leat_pkt *arena_add(struct arena *arena, const void *bytes, uint32_t len)
{
	struct leat_pkt *pkt = calloc(1, sizeof(*pkt));
	uint8_t *buf = malloc(len > 0 ? len : 1);
	void *grown = realloc(arena->pkts, (arena->n + 1) * sizeof(struct leat_pkt *));

	if (pkt == NULL || buf == NULL || grown == NULL)
		abort();
	memcpy(buf, bytes, len);
	leat_pkt_init(pkt, buf, len);
	pkt->head = buf;
	pkt->size = len;
	pkt->cookie = arena->n;
	leat_parse(&frame_conf, &pkt, 1);
	arena->pkts = grown;
	arena->pkts[arena->n++] = pkt;
	return pkt;
}

struct leat_pkt *arena_frame(struct arena *arena, const struct frame *f)
{
	uint32_t len = frame_len(f);
	uint8_t *bytes = malloc(len);
	struct leat_pkt *pkt;

	if (bytes == NULL)
		abort();
	frame_build(f, bytes);
	pkt = arena_add(arena, bytes, len);
	free(bytes);
	return pkt;
}

void arena_clear(struct arena *arena)
{
	for (unsigned i = 0; i < arena->n; i++) {
		free(arena->pkts[i]->head);
		free(arena->pkts[i]);
	}
	free(arena->pkts);
	*arena = (struct arena){0};
}
