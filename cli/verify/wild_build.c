/* SPDX-License-Identifier: MIT */
/*
 * wild_build.c - from a description to bytes: headers from the outside in, then checksums from the
 * inside out. The arithmetic is the RFCs', plainly: 1071, 9293, 768, 8200, 9260, 2784 and 2890,
 * 7348, 8926, and the drafts of GUE and of VXLAN's remote checksum offload.
 */
#include <string.h>

#include "wild_frame.h"

enum {
	ETH = 14,
	TAG = 4,
	IP4 = 20,
	IP6 = 40,
	TCP = 20,
	UDP = 8,
	SCTP = 12,
	CHUNK = 16,
	JUMBO = 8,
	OPTION = 256, /* the longest in an extension header that leaves room for another */
};

void wild_put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

void wild_put32(uint8_t *p, uint32_t v)
{
	wild_put16(p, v >> 16);
	wild_put16(p + 2, v & 0xffff);
}

uint16_t wild_sum_bytes(const uint8_t *p, size_t len, uint32_t sum)
{
	uint64_t total = sum;

	for (size_t i = 0; i < len; i++)
		total += i % 2 == 0 ? p[i] * 256u : p[i];
	while (total > 0xffff)
		total = total % 65536 + total / 65536;
	return (uint16_t)total;
}

uint16_t wild_sum_pseudo(const uint8_t *ip, uint8_t protocol, uint32_t len)
{
	uint32_t sum = protocol + len / 65536 + len % 65536;

	return ip[0] / 16 == 4 ? wild_sum_bytes(ip + 12, 8, sum) : wild_sum_bytes(ip + 8, 32, sum);
}

uint32_t wild_crc32c(const uint8_t *p, size_t len)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < len; i++) {
		crc ^= p[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc % 2 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

static uint32_t ip_hdr_len(const struct wild_ip *ip)
{
	int len = ip->version == 4 ? IP4 + ip->options : IP6 + (ip->jumbo ? JUMBO : 0);

	for (unsigned i = 0; ip->version == 6 && i < ip->exts; i++)
		len += ip->ext_len[i];
	return (uint32_t)len;
}

static uint32_t transport_len(const struct wild_desc *d)
{
	if (wild_is_tcp(&d->kind))
		return TCP + (uint32_t)d->opts_len;
	return wild_is_sctp(&d->kind) ? SCTP : UDP;
}

static uint32_t link_len(const struct wild_desc *d)
{
	return ETH + TAG * (uint32_t)d->kind.vlans;
}

static struct wild_layout lay_out(const struct wild_desc *d)
{
	struct wild_layout at = {.levels = (uint8_t)wild_levels(&d->kind)};
	uint32_t off = link_len(d), i;

	for (i = 0; i < at.levels; i++) {
		at.version[i] = d->ip[i].version;
		at.network[i] = (uint16_t)off;
		off += ip_hdr_len(&d->ip[i]);
		at.transport[i] = (uint16_t)off;
		if (i + 1 == at.levels)
			break;
		off += wild_over_udp(&d->kind) ? UDP : 0;
		at.tunnel = (uint16_t)off;
		off += d->tunnel_len;
		if (d->kind.eth) {
			at.inner_mac = (uint16_t)off;
			off += ETH + TAG * (uint32_t)d->inner_tags;
		}
	}
	at.payload = (uint16_t)(off + transport_len(d));
	return at;
}

uint32_t wild_hdr_len(const struct wild_desc *d)
{
	return lay_out(d).payload;
}

uint32_t wild_ip_len(const struct wild_desc *d)
{
	return wild_hdr_len(d) + d->payload - link_len(d);
}

uint32_t wild_frame_len(const struct wild_desc *d)
{
	uint32_t len = wild_hdr_len(d) + d->payload + d->trailing;

	return len < d->padded ? d->padded : len;
}

static void build_link(uint8_t *p, const uint8_t *dst, const uint8_t *src, const uint16_t *tag,
		       unsigned tags, uint8_t version)
{
	memcpy(p, dst, 6);
	memcpy(p + 6, src, 6);
	p += 12;
	for (unsigned i = 0; i < tags; i++, p += TAG) {
		wild_put16(p, i + 1 < tags ? 0x88a8 : 0x8100);
		wild_put16(p + 2, tag[i]);
	}
	wild_put16(p, version == 4 ? 0x0800 : 0x86dd);
}

/* The low 16 bits of a field that may be set to lie. */
static uint32_t lie(uint32_t len, const struct wild_ip *ip)
{
	if (ip->big)
		return 0;
	return ip->fixed_len != 0 ? ip->fixed_len : len + (uint32_t)ip->wrong_len;
}

static void build_ip4(const struct wild_ip *ip, uint8_t *p, uint32_t len)
{
	uint16_t sum;

	memset(p, 0, IP4);
	p[0] = (uint8_t)(0x45 + ip->options / 4);
	p[1] = ip->tos;
	wild_put16(p + 2, lie(len, ip));
	wild_put16(p + 4, ip->id);
	wild_put16(p + 6, ip->frag);
	p[8] = ip->ttl;
	p[9] = ip->protocol;
	memcpy(p + 12, ip->src, 4);
	memcpy(p + 16, ip->dst, 4);
	memset(p + IP4, ip->salt, ip->options);
	if (ip->options > 0) { /* one that nobody knows */
		p[IP4] = 0x9e;
		p[IP4 + 1] = ip->options;
	}
	if (ip->sum == WILD_SUM_FFFF || ip->sum == WILD_SUM_0) {
		wild_put16(p + 4, 0);
		wild_put16(p + 4, 0xffffu - wild_sum_bytes(p, IP4 + ip->options, 0));
	}
	sum = (uint16_t)~wild_sum_bytes(p, IP4 + ip->options, 0);
	wild_put16(p + 10, ip->sum == WILD_SUM_FFFF ? 0xffff : sum);
	if (ip->sum == WILD_SUM_WRONG)
		p[10 + ip->salt % 2] ^= (uint8_t)(1 + ip->salt % 255);
}

/* Options to be skipped by who does not know them: a length, 6 and any number of 8 bytes, that one
 * option cannot have is that of several. */
static void build_options(uint8_t *p, uint32_t len)
{
	for (uint32_t n; len > 0; p += n, len -= n) {
		n = len < OPTION ? len : OPTION;
		p[0] = 0x1e;
		p[1] = (uint8_t)(n - 2);
	}
}

static void build_ext(const struct wild_ip *ip, unsigned i, uint8_t *p)
{
	uint16_t len = ip->ext_len[i];

	memset(p, ip->salt, len);
	p[0] = i + 1 < ip->exts ? ip->ext_type[i + 1] : ip->protocol;
	p[1] = (uint8_t)(len / 8 - 1);
	if (ip->ext_type[i] == 44) {
		p[1] = 0;
		wild_put16(p + 2, ip->frag);
		wild_put32(p + 4, ip->id);
	} else if (ip->ext_type[i] == 43) {
		p[2] = 253; /* a type for experiments, with no segments left */
		p[3] = 0;
	} else {
		build_options(p + 2, len - 2u);
	}
}

static void build_ip6(const struct wild_ip *ip, uint8_t *p, uint32_t len)
{
	uint8_t *ext = p + IP6;

	wild_put32(p, 6u << 28 | (uint32_t)ip->tos << 20 | (ip->flow_label & 0xfffff));
	wild_put16(p + 4, lie(len - IP6, ip));
	p[6] = ip->exts > 0 ? ip->ext_type[0] : ip->protocol;
	p[7] = ip->ttl;
	memcpy(p + 8, ip->src, 16);
	memcpy(p + 24, ip->dst, 16);
	if (ip->jumbo) { /* RFC 2675 */
		memcpy(ext, (uint8_t[]){p[6], 0, 0xc2, 4}, 4);
		wild_put32(ext + 4, len - IP6);
		p[6] = 0;
		ext += JUMBO;
	}
	for (unsigned i = 0; i < ip->exts; ext += ip->ext_len[i++])
		build_ext(ip, i, ext);
}

static void build_ips(const struct wild_desc *d, uint8_t *dst, const struct wild_layout *at)
{
	uint32_t end = at->payload + d->payload;

	for (unsigned i = 0; i < at->levels; i++) {
		uint8_t *p = dst + at->network[i];

		if (d->ip[i].version == 4)
			build_ip4(&d->ip[i], p, end - at->network[i]);
		else
			build_ip6(&d->ip[i], p, end - at->network[i]);
	}
}

static void build_tcp(const struct wild_desc *d, uint8_t *p)
{
	uint8_t doff = d->doff != 0 ? d->doff : (uint8_t)(5 + d->opts_len / 4);

	wild_put16(p, d->sport);
	wild_put16(p + 2, d->dport);
	wild_put32(p + 4, d->seq);
	wild_put32(p + 8, d->ack);
	wild_put16(p + 12, (uint32_t)doff << 12 | d->flags);
	wild_put16(p + 14, d->window);
	wild_put16(p + 16, 0);
	wild_put16(p + 18, d->urg_ptr);
	memcpy(p + TCP, d->opts, d->opts_len);
}

static void build_transport(const struct wild_desc *d, uint8_t *p)
{
	if (wild_is_tcp(&d->kind)) {
		build_tcp(d, p);
		return;
	}
	wild_put16(p, d->sport);
	wild_put16(p + 2, d->dport);
	if (wild_is_sctp(&d->kind)) {
		wild_put32(p + 4, d->ack);
		wild_put32(p + 8, 0);
	} else {
		wild_put16(p + 4, UDP + d->payload + (uint32_t)d->wrong_len);
		wild_put16(p + 6, 0);
	}
}

/* One chunk that fills the packet, padding included. */
static void build_chunk(const struct wild_desc *d, uint8_t *p)
{
	uint32_t pad = d->payload > CHUNK + 4 ? (d->salt + d->stream) % 4 : 0;

	p[0] = d->chunk;
	p[1] = 3;
	wild_put16(p + 2, d->payload - pad);
	wild_put32(p + 4, d->seq);
	wild_put16(p + 8, d->salt & 0xffff);
	wild_put16(p + 10, d->stream & 0xffff);
	wild_put32(p + 12, 0);
	memset(p + d->payload - pad, 0, pad);
}

static void build_nested(uint8_t *p, uint32_t len)
{
	struct wild_ip ip = {
		.version = 4, .ttl = 64, .protocol = WILD_TCP, .src = {10}, .dst = {11}};
	struct wild_desc d = {.kind = {.type = WILD_TCP4}, .flags = WILD_FLAG_ACK};

	build_ip4(&ip, p, len);
	build_tcp(&d, p + IP4);
}

static void build_payload(const struct wild_desc *d, uint8_t *p)
{
	uint32_t byte = d->salt + d->stream;

	for (uint32_t i = 0; i < d->payload; i++)
		p[i] = (uint8_t)((byte + i) * 2654435761u >> 23);
	if (wild_is_sctp(&d->kind) && d->payload >= CHUNK)
		build_chunk(d, p);
	if (d->nested && d->payload >= IP4 + TCP)
		build_nested(p, d->payload);
	memset(p + d->payload, 0xee, d->trailing);
}

/* The word whose value makes the sum 0xffff, so that the checksum is 0. */
static void bend(uint8_t *word, const uint8_t *p, uint32_t len, uint16_t pseudo)
{
	uint32_t sum;

	wild_put16(word, 0);
	sum = wild_sum_bytes(p, len, pseudo);
	wild_put16(word, 0xffff - sum);
}

static void finish_sctp(const struct wild_desc *d, uint8_t *l4, uint32_t len)
{
	uint32_t crc = wild_crc32c(l4, len);

	if (d->sum == WILD_SUM_PARTIAL)
		return;
	for (unsigned i = 0; i < 4; i++)
		l4[8 + i] = (uint8_t)(crc >> 8 * i);
	l4[8 + d->salt % 4] ^= d->sum == WILD_SUM_WRONG;
}

/* A datagram that ends before its packet is whole if its checksum says so, too: every other is. */
static uint32_t covered(const struct wild_desc *d, uint32_t len)
{
	uint32_t missing = d->wrong_len < 0 ? (uint32_t)-d->wrong_len : 0;

	return (d->salt + d->stream) % 2 == 0 && missing <= d->payload ? len - missing : len;
}

static void finish_transport(const struct wild_desc *d, uint8_t *dst, const struct wild_layout *at)
{
	unsigned inner = at->levels - 1u;
	uint8_t *l4 = dst + at->transport[inner];
	bool tcp = wild_is_tcp(&d->kind);
	uint32_t len = covered(d, at->payload + d->payload - at->transport[inner]);
	uint8_t *field = l4 + (tcp ? 16 : 6);
	uint16_t pseudo = wild_sum_pseudo(dst + at->network[inner], wild_protocol(&d->kind), len);
	uint16_t sum;

	if (wild_is_sctp(&d->kind)) {
		finish_sctp(d, l4, len);
		return;
	}
	if (d->kind.remcsum || d->sum == WILD_SUM_PARTIAL) {
		wild_put16(field, pseudo);
		return;
	}
	if (d->sum == WILD_SUM_NONE)
		return;
	if ((d->sum == WILD_SUM_FFFF || d->sum == WILD_SUM_0) && d->payload >= 2)
		bend(dst + at->payload + (d->payload - 2) / 2 * 2, l4, len, pseudo);
	sum = (uint16_t)~wild_sum_bytes(l4, len, pseudo);
	if (sum == 0 && (!tcp || d->sum == WILD_SUM_FFFF))
		sum = 0xffff;
	wild_put16(field, d->sum == WILD_SUM_WRONG ? sum ^ (1u << d->salt % 16) : sum);
	if (!tcp && d->sum == WILD_SUM_WRONG && field[0] == 0 && field[1] == 0)
		field[0] = 1;
}

/* Where the receiver is to begin to sum and to put the result (from the tunnel header's end). */
static void finish_remcsum(const struct wild_desc *d, uint8_t *dst, const struct wild_layout *at)
{
	uint8_t *p = dst + at->tunnel;
	uint32_t start = at->transport[1] - at->tunnel - d->tunnel_len;
	bool tcp = wild_is_tcp(&d->kind);

	if (d->kind.encap == WILD_VXLAN) {
		p[1] |= 0x20;
		p[7] = (uint8_t)(start / 2 | (tcp ? 0 : 0x80));
	} else {
		wild_put16(p + d->tunnel_len - 4, start);
		wild_put16(p + d->tunnel_len - 2, start + (tcp ? 16 : 6));
	}
}

static void finish_outer_udp(const struct wild_desc *d, uint8_t *dst, const struct wild_layout *at)
{
	uint8_t *l4 = dst + at->transport[0];
	uint32_t len = at->payload + d->payload - at->transport[0];
	uint16_t pseudo = wild_sum_pseudo(dst + at->network[0], WILD_UDP, len), sum;

	wild_put16(l4, d->outer_sport);
	wild_put16(l4 + 2, d->outer_dport);
	wild_put16(l4 + 4, len + (uint32_t)d->outer_wrong_len);
	wild_put16(l4 + 6, 0);
	if (d->outer_sum == WILD_SUM_NONE)
		return;
	if (d->outer_sum == WILD_SUM_FFFF)
		bend(l4, l4, len, pseudo);
	sum = (uint16_t)~wild_sum_bytes(l4, len, pseudo);
	sum = sum == 0 ? 0xffff : sum;
	wild_put16(l4 + 6, d->outer_sum == WILD_SUM_WRONG ? sum ^ (1u << d->salt % 16) : sum);
	if (d->outer_sum == WILD_SUM_WRONG && l4[6] == 0 && l4[7] == 0)
		l4[6] = 1;
}

static void finish_gre(const struct wild_desc *d, uint8_t *dst, const struct wild_layout *at)
{
	uint8_t *gre = dst + at->tunnel;
	uint32_t len = at->payload + d->payload - at->tunnel;
	uint16_t sum;

	if ((gre[0] & 0x80) == 0)
		return;
	wild_put16(gre + 4, 0);
	if (d->outer_sum == WILD_SUM_FFFF && d->kind.key)
		bend(gre + 10, gre, len, 0);
	sum = (uint16_t)~wild_sum_bytes(gre, len, 0);
	if (sum == 0 && d->outer_sum == WILD_SUM_FFFF)
		sum = 0xffff;
	wild_put16(gre + 4, d->outer_sum == WILD_SUM_WRONG ? sum ^ (1u << d->salt % 16) : sum);
}

void wild_build(const struct wild_desc *d, uint8_t *dst, struct wild_layout *at)
{
	uint8_t inner = (uint8_t)(wild_levels(&d->kind) - 1);

	*at = lay_out(d);
	build_link(dst, d->dst_mac, d->src_mac, d->tag, d->kind.vlans, d->ip[0].version);
	if (inner) {
		memcpy(dst + at->tunnel, d->tunnel, d->tunnel_len);
		if (d->kind.eth)
			build_link(dst + at->inner_mac, d->inner_dst_mac, d->inner_src_mac,
				   &d->inner_tag, d->inner_tags, d->ip[1].version);
	}
	build_ips(d, dst, at);
	build_transport(d, dst + at->transport[inner]);
	memset(dst + at->payload + d->payload, 0, wild_frame_len(d) - at->payload - d->payload);
	build_payload(d, dst + at->payload);
	finish_transport(d, dst, at);
	if (d->kind.remcsum)
		finish_remcsum(d, dst, at);
	if (inner && wild_over_udp(&d->kind))
		finish_outer_udp(d, dst, at);
	if (inner && d->kind.encap == WILD_GRE)
		finish_gre(d, dst, at);
}
