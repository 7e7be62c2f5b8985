/* SPDX-License-Identifier: MIT */
/*
 * hdr.h - private: packet headers as bytes at offsets.
 *
 * A header is a pointer to its first byte, a field is its offset from there, and a value is in
 * host order from the moment it is read until it is stored: load_be16(ip + IP4_ID). No struct
 * overlays the bytes, so neither alignment nor aliasing matters. Names are those of the RFCs,
 * sizes end in _HLEN (the minimum where a header can be longer).
 */
#ifndef LEAT_LIB_HDR_H
#define LEAT_LIB_HDR_H

#include <leat/pkt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { ETH_TYPE = 12, ETH_HLEN = 14, VLAN_TYPE = 2, VLAN_HLEN = 4 };

/* EtherTypes. */
enum {
	ETYPE_IP4 = 0x0800,
	ETYPE_TEB = 0x6558, /* in GRE and Geneve: an Ethernet header follows */
	ETYPE_8021Q = 0x8100,
	ETYPE_IP6 = 0x86dd,
	ETYPE_8021AD = 0x88a8,
};

enum {
	IP4_TOS = 1,
	IP4_TOT_LEN = 2,
	IP4_ID = 4,
	IP4_FRAG_OFF = 6, /* with the IP4_DF and IP4_MF bits */
	IP4_TTL = 8,
	IP4_PROTOCOL = 9,
	IP4_CHECK = 10,
	IP4_SRC = 12,
	IP4_DST = 16,
	IP4_HLEN = 20,

	IP4_DF = 0x4000,
	IP4_MF = 0x2000,
	IP4_OFFSET = 0x1fff, /* mask, in units of 8 bytes */
};

enum {
	IP6_VTF = 0, /* 4 bits version, 8 traffic class, 20 flow label */
	IP6_PAYLOAD_LEN = 4,
	IP6_NEXTHDR = 6,
	IP6_HOP_LIMIT = 7,
	IP6_SRC = 8,
	IP6_DST = 24,
	IP6_HLEN = 40,

	IP6_TCLASS_MASK = 0x0ff00000, /* of the 32 bits at IP6_VTF */
	IP6_FLOW_MASK = 0x000fffff,

	IP6_EXT_LEN = 1, /* extension header: units of 8 bytes after the first 8 */
	IP6_EXT_UNIT = 8,
	IP6_FRAG_OFF = 2, /* fragment header: bytes in the upper 13 bits */
	IP6_FRAG_HLEN = 8,

	IP6_MF = 0x0001,
	IP6_OFFSET = 0xfff8,

	/* The hop-by-hop header of a jumbogram, 8 bytes: next header, 0, the option's type and
	 * length, and the bytes behind the IPv6 header (RFC 2675). */
	IP6_JUMBO = 0x00c204, /* of the 32 bits at its start, the next header masked out */
	IP6_JUMBO_LEN = 4,
	IP6_JUMBO_HLEN = 8,
};

/* IP protocol and extension header numbers. */
enum {
	PROTO_HOPOPTS = 0,
	PROTO_IPIP = 4, /* IP in IP */
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_IPV6 = 41,
	PROTO_ROUTING = 43,
	PROTO_FRAGMENT = 44,
	PROTO_GRE = 47,
	PROTO_ICMP6 = 58,
	PROTO_DSTOPTS = 60,
	PROTO_SCTP = 132,
};

/* Ports lie at the same place in TCP, UDP and SCTP. */
enum { L4_SPORT = 0, L4_DPORT = 2, L4_PORTS_LEN = 4 };

enum {
	TCP_SEQ = 4,
	TCP_ACK_SEQ = 8,
	TCP_WORD = 12, /* 32 bits: data offset, flags, window */
	TCP_DOFF = 12, /* 8 bits, the upper 4 in units of 4 bytes */
	TCP_FLAGS = 13,
	TCP_WINDOW = 14,
	TCP_CHECK = 16,
	TCP_URG_PTR = 18,
	TCP_HLEN = 20,

	TCP_FIN = 0x01, /* of the 8 bits at TCP_FLAGS */
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_URG = 0x20,
	TCP_ECE = 0x40,
	TCP_CWR = 0x80,
};

enum { UDP_LEN = 4, UDP_CHECK = 6, UDP_HLEN = 8 };

enum { SCTP_CHECK = 8, SCTP_HLEN = 12 };

enum {
	GRE_FLAGS = 0,
	GRE_PROTOCOL = 2, /* EtherType */
	GRE_CHECK = 4,	  /* with GRE_CSUM; two reserved bytes follow, then the key */
	GRE_HLEN = 4,

	GRE_CSUM = 0x8000, /* of the 16 bits at GRE_FLAGS; each adds 4 bytes */
	GRE_KEY = 0x2000,
};

enum {
	VXLAN_FLAGS = 0,
	VXLAN_VNI = 4, /* 24 bits */
	VXLAN_RCO = 7, /* with VXLAN_F_RCO: which checksum is left to the receiver */
	VXLAN_HLEN = 8,

	VXLAN_F_VNI = 0x08000000, /* of the 32 bits at VXLAN_FLAGS: there is one, as must be */
	VXLAN_F_RCO = 0x00200000,
	VXLAN_RCO_START = 0x7f, /* of the byte: where to sum from, in units of 2 bytes ... */
	VXLAN_RCO_UDP = 0x80,	/* ... and that UDP's field is meant, not TCP's */
};

enum {
	GENEVE_OPT_LEN = 0, /* 2 bits version, 6 bits length in units of 4 bytes */
	GENEVE_FLAGS = 1,
	GENEVE_PROTOCOL = 2, /* EtherType */
	GENEVE_HLEN = 8,

	GENEVE_VERSION = 0xc0, /* of the byte at GENEVE_OPT_LEN */
	GENEVE_F_OAM = 0x80,
};

enum {
	GUE_HLEN_UNITS = 0, /* 2 bits variant, control, 5 bits of length in units of 4 bytes */
	GUE_PROTOCOL = 1,
	GUE_FLAGS = 2,
	GUE_HLEN = 4,

	GUE_VARIANT = 0xc0, /* of the byte at GUE_HLEN_UNITS */
	GUE_VARIANT_1 = 0x40,
	GUE_CONTROL = 0x20,
	GUE_UNITS = 0x1f,
	GUE_F_PRIVATE = 0x0001, /* of the 16 bits: 32 private flags follow, Linux's */
	GUE_PRIVATE_LEN = 4,
	GUE_RCO_BIT = 31, /* of the private flags: two offsets follow, from the GUE header's */
	GUE_RCO_LEN = 4,  /* end: where to sum from, and where the checksum is */
};

static inline uint16_t load_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t load_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void store_be16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void store_be32(uint8_t *p, uint32_t v)
{
	store_be16(p, (uint16_t)(v >> 16));
	store_be16(p + 2, (uint16_t)v);
}

static inline uint16_t load_le16(const uint8_t *p)
{
	return (uint16_t)(p[1] << 8 | p[0]);
}

static inline void store_le16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static inline void store_le32(uint8_t *p, uint32_t v)
{
	store_le16(p, (uint16_t)v);
	store_le16(p + 2, (uint16_t)(v >> 16));
}

/* Bytes as they lie in memory: for comparing and for sums, which have no byte order. */
static inline uint16_t load_raw16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t load_raw32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t load_raw64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* memcmp() without the call, for lengths that are no constants. */
static inline bool same_bytes(const uint8_t *a, const uint8_t *b, uint32_t len)
{
	if (len < 4)
		return len == 0 || memcmp(a, b, len) == 0;
	if (len < 8)
		return load_raw32(a) == load_raw32(b) &&
		       load_raw32(a + len - 4) == load_raw32(b + len - 4);
	for (; len >= 8; len -= 8)
		if (load_raw64(a + len - 8) != load_raw64(b + len - 8))
			return false;
	return load_raw64(a) == load_raw64(b); /* what is left, and some of it again */
}

/* One's-complement addition of what was loaded so. */
static inline uint64_t add64(uint64_t a, uint64_t b)
{
	a += b;
	return a + (a < b);
}

static inline void store_raw16(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
}

/* Bytes of an IPv4 header by its IHL, of a TCP header by its data offset. */
static inline unsigned ip4_hlen(const uint8_t *ip)
{
	return (ip[0] & 0x0fu) * 4;
}

static inline unsigned tcp_hlen(const uint8_t *tcp)
{
	return (tcp[TCP_DOFF] >> 4) * 4u;
}

/* Has the tunnel that level `l` carries, whose header is at `l4`, a checksum in use? */
static inline bool has_tunnel_csum(const struct leat_level *l, const uint8_t *l4)
{
	if (l->protocol == PROTO_GRE)
		return load_be16(l4 + GRE_FLAGS) & GRE_CSUM;
	return l->protocol == PROTO_UDP && load_raw16(l4 + UDP_CHECK) != 0;
}

/* Offset of the first byte behind the IP packet of level `l`, by its length field. 0 there is a
 * packet too long for the field, which ends with the frame and is in no tunnel; or, over IPv6,
 * nothing behind the header. */
static inline uint32_t level_end(const struct leat_pkt *pkt, const struct leat_level *l)
{
	const uint8_t *ip = pkt->data + l->network;
	uint32_t len = load_be16(ip + (l->version == 4 ? IP4_TOT_LEN : IP6_PAYLOAD_LEN));
	uint32_t from = l->network + (l->version == 4 ? 0u : IP6_HLEN);

	if (len == 0 && pkt->lvl[0].tunnel == LEAT_TUNNEL_NONE && pkt->len - from > 0xffff)
		return pkt->len;
	return from + len;
}

#endif
