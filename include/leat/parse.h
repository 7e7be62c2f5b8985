/* SPDX-License-Identifier: MIT */
/*
 * parse.h - find the headers, once.
 *
 * Ethernet II, any number up to LEAT_VLANS_MAX of 802.1Q/802.1ad tags, IPv4 with options, IPv6
 * with hop-by-hop, routing, destination and fragment headers, TCP, UDP, and SCTP's common header
 * (its chunks are payload). AH and ESP are not followed, as the kernel's GRO does not. The parser
 * believes nothing: what does not fit sets a depth and a reason and the packet is still a packet,
 * to be passed on as it is. Only bytes of the first slice are looked at. Padding behind the IP
 * packet is left alone (frame length and IP length then differ). A TCP packet over 65535 bytes may
 * have an IP length field of 0 (BIG TCP): it ends with the frame.
 *
 * A first fragment has its transport header parsed, and LEAT_IP_FRAGMENT. Extension headers that
 * do not fit leave depth NETWORK: the addresses are good, `transport` and `protocol` are of the
 * header that could not be followed.
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

/* Why the parser stopped before LEAT_DEPTH_TRANSPORT. */
enum leat_parse_reason {
	LEAT_PARSE_OK,
	LEAT_PARSE_SHORT_LINK,	    /* shorter than the Ethernet header and tags */
	LEAT_PARSE_VLAN_DEPTH,	    /* more than LEAT_VLANS_MAX tags */
	LEAT_PARSE_NOT_IP,	    /* another EtherType, or 802.3 */
	LEAT_PARSE_SHORT_NETWORK,   /* IP header cut, or its length field longer than the frame */
	LEAT_PARSE_BAD_NETWORK,	    /* wrong version, IHL < 5, total length < header or wrongly 0 */
	LEAT_PARSE_EXTENSIONS,	    /* more than LEAT_EXTENSIONS_MAX, or one cut or malformed */
	LEAT_PARSE_FRAGMENT,	    /* not the first fragment: no transport header */
	LEAT_PARSE_PROTOCOL,	    /* a protocol without a parser */
	LEAT_PARSE_SHORT_TRANSPORT, /* transport header cut, by the frame or by the IP length */
	LEAT_PARSE_BAD_TRANSPORT,   /* data offset < 5, UDP length < 8 */
	LEAT_PARSE_REASONS,
};

/* Parse each of `n` packets: sets levels, lvl, payload, depth, reason, vlans, inner_mac. */
void leat_parse(struct leat_pkt *const *pkts, unsigned n);

/* A few lower-case words for a reason, for counters; never NULL. */
const char *leat_parse_reason_name(enum leat_parse_reason reason);

/* Bytes of IP payload past the transport header by the innermost IP length field; the frame may
 * be longer (padding). Length 0 (BIG TCP) counts to the frame's end. Depth TRANSPORT only. */
uint32_t leat_parse_payload_len(const struct leat_pkt *pkt);

#ifdef __cplusplus
}
#endif

#endif
