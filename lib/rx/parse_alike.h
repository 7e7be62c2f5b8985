/* SPDX-License-Identifier: MIT */
/*
 * parse_alike.h - private: do two packets parse alike? Then what was found in the one need not be
 * looked for in the other. So it is with most of a train, whose headers differ in what the parser
 * does not read: identifications, checksums, sequence numbers.
 *
 * That is so if all that the parser has read of the first is the same in the second, and the ends
 * that bound it: from the same bytes it takes the same way. Some bytes are compared that it has not
 * read, where that is cheaper than to leave them out; if they differ it has to read.
 */
#ifndef LEAT_LIB_RX_PARSE_ALIKE_H
#define LEAT_LIB_RX_PARSE_ALIKE_H

#include <leat/parse.h>

#include "../hdr.h"

/* IPv4: all but addresses, identification, checksum and options. IPv6: all but addresses. */
static inline bool alike_ip(const uint8_t *a, const uint8_t *b, const struct leat_level *l)
{
	a += l->network;
	b += l->network;
	if (l->version == 4)
		return load_raw32(a) == load_raw32(b) &&
		       load_raw32(a + IP4_FRAG_OFF) == load_raw32(b + IP4_FRAG_OFF);
	return load_raw64(a) == load_raw64(b) &&
	       same_bytes(a + IP6_HLEN, b + IP6_HLEN,
			  l->transport - (uint32_t)l->network - IP6_HLEN);
}

/* UDP: destination port and length. TCP: where it ends. SCTP: nothing of it is read. */
static inline bool alike_transport(const uint8_t *a, const uint8_t *b, const struct leat_level *l)
{
	a += l->transport;
	b += l->transport;
	if (l->protocol == PROTO_TCP)
		return tcp_hlen(a) == tcp_hlen(b);
	return l->protocol != PROTO_UDP || load_raw32(a + L4_DPORT) == load_raw32(b + L4_DPORT);
}

/* All that lies between the outer IP header, or UDP's, and the inner IP header. */
static inline bool alike_tunnel(const uint8_t *a, const uint8_t *b, const struct leat_level *l)
{
	uint32_t at = l[0].transport + (l[0].protocol == PROTO_UDP ? UDP_HLEN : 0u);

	return alike_transport(a, b, &l[0]) && same_bytes(a + at, b + at, l[1].network - at);
}

/* `last` was parsed down to its transport header, for the same conf, and has its bytes still. */
static inline bool parses_alike(const struct leat_pkt *last, const struct leat_pkt *pkt)
{
	const uint8_t *a = last->data, *b = pkt->data;
	const struct leat_level *l = last->lvl;

	if (last->len != pkt->len || last->headlen != pkt->headlen ||
	    !same_bytes(a, b, l->network) || !alike_ip(a, b, l))
		return false;
	if (last->levels > 1) {
		if (!alike_tunnel(a, b, l) || !alike_ip(a, b, l + 1))
			return false;
		l++;
	}
	return alike_transport(a, b, l);
}

/* All that the parser gives. */
static inline void copy_parsed(struct leat_pkt *to, const struct leat_pkt *from)
{
	memcpy(to->lvl, from->lvl, sizeof(to->lvl));
	to->inner_mac = from->inner_mac;
	to->payload = from->payload;
	to->levels = from->levels;
	to->depth = from->depth;
	to->reason = from->reason;
	to->vlans = from->vlans;
}

#endif
