/* SPDX-License-Identifier: MIT */
/*
 * parse.h - find the headers, once.
 *
 * Ethernet II, any number up to LEAT_VLANS_MAX of 802.1Q/802.1ad tags, IPv4 with options, IPv6
 * with hop-by-hop, routing, destination and fragment headers, one level of encapsulation (IP in
 * IP, GRE, VXLAN, Geneve, GUE, FOU), and inside of it an Ethernet header where there is one, tags
 * included, IP again, TCP, UDP, and SCTP's common header (its chunks are payload). AH and ESP are
 * not followed, as the kernel's GRO does not. The parser believes nothing: what does not fit sets
 * a depth and a reason and the packet is still a packet, to be passed on as it is. Only bytes of
 * the first slice are looked at. Padding behind the IP packet is left alone (frame length and IP
 * length then differ). A TCP packet over 65535 bytes may have an IP length field of 0 (BIG TCP),
 * over IPv6 with or without a jumbogram option, whose length must then be right: it ends with the
 * frame. Each length lies in the one around it: the inner packet ends with the outer one, and with
 * the outer UDP length, or before.
 *
 * A first fragment has its transport header parsed, and LEAT_IP_FRAGMENT; the inside of a fragment
 * of a tunnel is not looked at. Extension headers that do not fit leave depth NETWORK: the
 * addresses are good, `transport` and `protocol` are of the header that could not be followed.
 *
 * Tunnels over UDP are known by their destination port, as the kernel knows them by the socket
 * bound to it. A UDP packet to such a port whose inside is not found (another protocol than IP,
 * OAM, a malformed or unknown header) is a UDP packet of one level and depth TRANSPORT, with its
 * `tunnel` set. For GRE (version 0 with key and checksum; sequence numbers and routing are not
 * followed), IP in IP, and a second encapsulation depth is NETWORK. So `tunnel` of the last level
 * and a reason say that there is more inside than was entered.
 *
 * A tunnel header is what lies between the outer transport and the inner packet: for FOU and GUE
 * that may include a GRE header without a checksum (RFC 8086), an encapsulation of its own to the
 * kernel, but here only bytes that all segments share. TCP or UDP straight in FOU or GUE is not
 * followed, having no IP header of its own to be a level. The reserved bits of VXLAN are ignored;
 * GUE may have private data and Linux's flag for remote checksums, and no other field.
 *
 * Threads: pure functions of the packet. Every packet *passes*.
 */
#ifndef LEAT_PARSE_H
#define LEAT_PARSE_H

#include <leat/pkt.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	LEAT_VLANS_MAX = 4,
	LEAT_EXTENSIONS_MAX = 8, /* IPv6 extension headers followed (net.ipv6 default: 8) */
};

/* A UDP destination port at which a tunnel ends. */
struct leat_tunnel_port {
	uint16_t port;
	uint8_t tunnel;	  /* enum leat_tunnel: VXLAN, GENEVE, GUE or FOU */
	uint8_t protocol; /* FOU: the IP protocol of what follows (4, 41, 47, 6, 17) */
	bool remcsum;	  /* VXLAN: its header may leave the inner checksum to the receiver */
};

enum { LEAT_TUNNEL_PORTS_MAX = 16 };

struct leat_parse_conf {
	struct leat_tunnel_port tunnel[LEAT_TUNNEL_PORTS_MAX];
	unsigned tunnels; /* how many there are */
};

/* VXLAN at 4789, Geneve at 6081, GUE at 6080 (RFC 7348, RFC 8926, IANA). */
extern const struct leat_parse_conf leat_parse_default;

/* Why the parser stopped before LEAT_DEPTH_TRANSPORT, or did not enter a tunnel. */
enum leat_parse_reason {
	LEAT_PARSE_OK,
	LEAT_PARSE_SHORT_LINK,	  /* shorter than the Ethernet header and tags */
	LEAT_PARSE_VLAN_DEPTH,	  /* more than LEAT_VLANS_MAX tags */
	LEAT_PARSE_NOT_IP,	  /* another EtherType, or 802.3 */
	LEAT_PARSE_SHORT_NETWORK, /* IP header cut, or its length field longer than the frame */
	LEAT_PARSE_BAD_NETWORK,	  /* wrong version, IHL < 5, total length < header or wrongly 0 */
	LEAT_PARSE_EXTENSIONS,	  /* more than LEAT_EXTENSIONS_MAX, or one cut or malformed */
	LEAT_PARSE_FRAGMENT, /* not the first fragment: no transport header; or a tunnel's fragment */
	LEAT_PARSE_PROTOCOL,	    /* a protocol without a parser */
	LEAT_PARSE_SHORT_TRANSPORT, /* transport header cut, by the frame or by the IP length */
	LEAT_PARSE_BAD_TRANSPORT,   /* data offset < 5, UDP length < 8 */
	LEAT_PARSE_TUNNEL_DEPTH,    /* a second encapsulation */
	LEAT_PARSE_TUNNEL_HEADER, /* a tunnel's header cut, malformed, or with what is not followed */
	LEAT_PARSE_TUNNEL_INNER, /* a tunnel with something else than IP inside */
	LEAT_PARSE_REASONS,
};

/* Parse each of `n` packets: sets levels, lvl, payload, depth, reason, vlans, inner_mac. `conf` NULL
 * is the default. The packets are different ones, and nobody changes their bytes meanwhile: what was
 * found in one is taken for the next where the headers are alike. */
void leat_parse(const struct leat_parse_conf *conf, struct leat_pkt *const *pkts, unsigned n);

/* Forget all but the outer level, for a packet whose sender means the outer UDP header when it
 * says transport. Depth becomes TRANSPORT if that is UDP, else NETWORK; a packet of one level
 * stays as it is. `tunnel` goes on to say what was there. */
void leat_parse_outer(struct leat_pkt *pkt);

/* A few lower-case words for a reason, for counters; never NULL. */
const char *leat_parse_reason_name(enum leat_parse_reason reason);

/* Bytes of IP payload past the transport header by the innermost IP length field; the frame may
 * be longer (padding). Length 0 (BIG TCP) counts to the frame's end. Depth TRANSPORT only. */
uint32_t leat_parse_payload_len(const struct leat_pkt *pkt);

#ifdef __cplusplus
}
#endif

#endif
