/* SPDX-License-Identifier: MIT */
/*
 * wire.h - the headers that a host reads and writes: offsets into bytes, values in host order.
 */
#ifndef PLANE_HOST_WIRE_H
#define PLANE_HOST_WIRE_H

#include <stdint.h>

enum {
	ETH_DST = 0,
	ETH_SRC = 6,
	ETH_TYPE = 12,
	ETH_LEN = 14,
	MAC_LEN = 6,
	ETYPE_IP4 = 0x0800,
	ETYPE_ARP = 0x0806,
	ETYPE_IP6 = 0x86dd,
};

enum {
	IP4_TOT_LEN = 2,
	IP4_FRAG_OFF = 6,
	IP4_TTL = 8,
	IP4_PROTOCOL = 9,
	IP4_CHECK = 10,
	IP4_SRC = 12,
	IP4_DST = 16,
	IP4_LEN = 20,
	IP4_DF = 0x4000,

	IP6_PAYLOAD_LEN = 4,
	IP6_NEXTHDR = 6,
	IP6_HOP_LIMIT = 7,
	IP6_SRC = 8,
	IP6_DST = 24,
	IP6_LEN = 40,

	TTL = 64,
};

enum { PROTO_ICMP = 1, PROTO_UDP = 17, PROTO_ICMP6 = 58 };

enum { UDP_SPORT = 0, UDP_DPORT = 2, UDP_ULEN = 4, UDP_CHECK = 6, UDP_LEN = 8 };

/* RFC 826, for IPv4 over Ethernet. */
enum {
	ARP_OPER = 6,
	ARP_SHA = 8,
	ARP_SPA = 14,
	ARP_THA = 18,
	ARP_TPA = 24,
	ARP_LEN = 28,
	ARP_REQUEST = 1,
	ARP_REPLY = 2,
};

/* RFC 792, RFC 4443. */
enum {
	ICMP_TYPE = 0,
	ICMP_CODE = 1,
	ICMP_CHECK = 2,
	ICMP_LEN = 8,
	ICMP_ECHO_REPLY = 0,
	ICMP_UNREACHABLE = 3,
	ICMP_ECHO = 8,
	ICMP_PORT_UNREACHABLE = 3, /* code */
	ICMP6_UNREACHABLE = 1,
	ICMP6_ECHO = 128,
	ICMP6_ECHO_REPLY = 129,
	ICMP6_PORT_UNREACHABLE = 4, /* code */
};

/* RFC 4861: neighbour solicitations and advertisements. */
enum {
	ND_SOLICIT = 135,
	ND_ADVERT = 136,
	ND_FLAGS = 4, /* an advertisement's, 8 bits */
	ND_TARGET = 8,
	ND_LEN = 24,
	ND_OPT_SOURCE = 1, /* link-layer addresses, */
	ND_OPT_TARGET = 2,
	ND_OPT_LEN = 8, /* of this length */
	ND_SOLICITED = 0x40,
	ND_OVERRIDE = 0x20,
	ND_HOPS = 255,
};

static inline uint16_t load16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline void store16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

#endif
