/* SPDX-License-Identifier: MIT */
/*
 * gro.h - private: a held flow, and what gro.c asks of each transport.
 *
 * Decisions are pure functions of what is held and what came; they give LEAT_GRO_MERGED where
 * nothing speaks against a merge. What they compare lies in the flow's cache line, in the new
 * packet's headers, and in the headers of the first packet held, which stay as they came until
 * the super-packet is given out.
 */
#ifndef LEAT_LIB_RX_GRO_H
#define LEAT_LIB_RX_GRO_H

#include <leat/gro.h>

#include "../hdr.h"

#define NIL UINT32_MAX /* no flow */

/* One held flow: one cache line. Links are indices into the flow array. */
struct leat_gro_flow {
	struct leat_pkt *head; /* the first packet: the super-packet as it grows */
	uint64_t stamp;	       /* when it was held */
	uint32_t hash;
	uint32_t next;	/* of its bucket: the next older; of the free list: the next */
	uint32_t prev;	/* of its bucket: the next younger */
	uint32_t older; /* of all flows */
	uint32_t younger;
	uint32_t seq;	   /* TCP: of the byte that continues it */
	uint32_t size_max; /* it stays below so many bytes, link header included */
	uint16_t gso_size; /* payload bytes of the first packet */
	uint16_t segs;
	uint16_t segs_max;
	uint16_t id[LEAT_LEVELS];      /* IPv4: the first packet's */
	uint16_t id_mask[LEAT_LEVELS]; /* 0: all IDs are that; else they count up from it */
	uint8_t ends;		       /* PSH and FIN of any packet merged */
	uint32_t ports;		       /* as they lie in the header */
};

/* What one packet adds to its flow. */
struct leat_gro_seg {
	const uint8_t *l4; /* the transport header */
	uint32_t len;	   /* payload bytes */
	/* The transport's to set; 0 at first: */
	uint32_t seq; /* TCP */
	uint8_t ends; /* TCP: PSH and FIN; nothing follows it in a super-packet */
};

/* What a transport answers. */
struct leat_gro_proto {
	/* Can the packet be merged or held at all, by all its headers but for the transport
	 * checksum and a tunnel? If so, seg's other fields are set. */
	enum leat_gro_reason (*refuse)(const struct leat_gro_conf *conf, const struct leat_pkt *pkt,
				       struct leat_gro_seg *seg);
	/* Is its checksum right? Only asked of one about which nothing is known yet. */
	bool (*verify)(struct leat_pkt *pkt);
	/* Do its headers continue the flow's, a tunnel's excepted? */
	enum leat_gro_reason (*differ)(const struct leat_gro_flow *flow, const struct leat_pkt *pkt,
				       const struct leat_gro_seg *seg);
	/* Make the transport header that of the whole; gives the gso_type. */
	uint32_t (*complete)(const struct leat_gro_flow *flow);
	uint32_t size_max; /* limits; bytes from the IP header on */
	uint16_t segs_max;
	uint16_t csum_offset;
	bool by_frags; /* sizes differ freely */
	bool whole;    /* members stay packets: checksums are not the super-packet's affair */
	bool pseudo;   /* the checksum covers a pseudo-header */
};

extern const struct leat_gro_proto leat_gro_tcp, leat_gro_udp, leat_gro_sctp;
extern const struct leat_gro_proto leat_gro_list_tcp, leat_gro_list_udp;

/* Write the flow's super-packet: headers and descriptor. */
void leat_gro_super_complete(const struct leat_gro *gro, const struct leat_gro_flow *flow);

/* What is asked of packets of two levels. Can it be merged or held, by its tunnel's length and
 * checksum? The innermost checksum is known to be right, or its field to hold the pseudo-header
 * sum. */
enum leat_gro_reason leat_gro_tunnel_refuse(const struct leat_pkt *pkt);

/* Is there something to vouch for an innermost checksum that the tunnel leaves to the receiver? */
bool leat_gro_tunnel_covers(const struct leat_pkt *pkt);

/* Make the tunnel header that of the whole, its checksum left alone if members stay `whole`; gives
 * the bits of gso_type. */
uint32_t leat_gro_tunnel_complete(struct leat_pkt *head, bool whole);

/* Is the innermost checksum left to the receiver, by the tunnel's header? */
static inline bool is_remcsum(const struct leat_pkt *pkt)
{
	return (pkt->lvl[0].flags & LEAT_REMCSUM) != 0;
}

#endif
