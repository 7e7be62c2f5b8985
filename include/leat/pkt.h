/* SPDX-License-Identifier: MIT */
/*
 * pkt.h - the packet descriptor: what every stage reads and writes.
 *
 * A frame is one descriptor, or a chain of them: the first (the head) describes the frame, each
 * one after it adds one slice of payload. GRO builds chains without moving a byte: a merged
 * packet's descriptor is appended, its `data` moved past its headers, which stay readable in
 * front of it. The members of a chain are also its boundaries, which is how SCTP and fraglist
 * super-packets (gso_size LEAT_GSO_BY_FRAGS) keep theirs.
 *
 * Memory: descriptors and buffers are the caller's. The library never frees and never allocates;
 * each stage says what becomes of its input: it *passes* (comes out as it went in), *holds*
 * (comes out of a later call), or *takes* it (it is now part of a chain that comes out).
 * `owner` is the caller's word for giving a buffer back; the library copies and compares it
 * never.
 *
 * Threads: a descriptor belongs to one thread at a time.
 *
 * Order and units: offsets and lengths are bytes, offsets count from the frame's first byte
 * (which is `data` of the head), integers are in host byte order. Words are the kernel's
 * (struct sk_buff, struct skb_shared_info).
 */
#ifndef LEAT_PKT_H
#define LEAT_PKT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	LEAT_LEVELS = 2,		    /* header levels: outer and inner, as in the kernel */
	LEAT_PKT_LEN_MAX = 8 * 65535 + 256, /* GSO_MAX_SIZE and the headers before IP */
	LEAT_PKT_SLICES_MAX = 65535,	    /* members of a chain: GSO_MAX_SEGS */
	LEAT_GSO_BY_FRAGS = 0xffff,	    /* gso_size: each member of the chain is one segment */
};

/* What is known of the innermost transport checksum. */
enum leat_csum {
	LEAT_CSUM_NONE,	       /* nothing: verify before relying on it */
	LEAT_CSUM_UNNECESSARY, /* verified, by us or by whom we trust */
	LEAT_CSUM_PARTIAL,     /* to be completed: the field at csum_start + csum_offset holds the
				* folded pseudo-header sum (not complemented) */
};

/* What the hash covers (the kernel's pkt_hash_types). */
enum leat_hash_type {
	LEAT_HASH_NONE,
	LEAT_HASH_L2,
	LEAT_HASH_L3, /* addresses */
	LEAT_HASH_L4, /* addresses and ports: the kernel's l4_hash */
};

/* gso_type, a set of bits with the kernel's bit numbers (SKB_GSO_*, Linux 6.18). A port's GSO
 * features are the same bits. */
#define LEAT_GSO_TCPV4		   (1u << 0)
#define LEAT_GSO_DODGY		   (1u << 1) /* of untrusted origin */
#define LEAT_GSO_TCP_ECN	   (1u << 2) /* the TCP header has CWR */
#define LEAT_GSO_TCPV6		   (1u << 4)
#define LEAT_GSO_GRE		   (1u << 6)
#define LEAT_GSO_GRE_CSUM	   (1u << 7)
#define LEAT_GSO_IPXIP4		   (1u << 8)
#define LEAT_GSO_IPXIP6		   (1u << 9)
#define LEAT_GSO_UDP_TUNNEL	   (1u << 10)
#define LEAT_GSO_UDP_TUNNEL_CSUM   (1u << 11)
#define LEAT_GSO_PARTIAL	   (1u << 12)
#define LEAT_GSO_TUNNEL_REMCSUM	   (1u << 13)
#define LEAT_GSO_SCTP		   (1u << 14)
#define LEAT_GSO_UDP		   (1u << 16) /* UFO: IP fragments */
#define LEAT_GSO_UDP_L4		   (1u << 17) /* USO: datagrams */
#define LEAT_GSO_FRAGLIST	   (1u << 18)
#define LEAT_GSO_TCP_ACCECN	   (1u << 19)
#define LEAT_GSO_TCP_FIXEDID	   (1u << 30) /* outer, or only, IPv4 header: one ID for all */
#define LEAT_GSO_TCP_FIXEDID_INNER (1u << 31)

/* Facts about one level's headers, set by the parser. */
#define LEAT_IP_OPTIONS	 (1u << 0) /* IPv4 options, or IPv6 extension headers (a jumbogram's too) */
#define LEAT_IP_FRAGMENT (1u << 1) /* a fragment, the first included */
#define LEAT_IP_LATER	 (1u << 2) /* a fragment that is not the first: no transport header */
#define LEAT_IP_JUMBO	 (1u << 3) /* IPv6: a jumbogram, by 8 bytes of hop-by-hop header */
#define LEAT_REMCSUM	 (1u << 4) /* the tunnel header leaves the inner checksum to the receiver */

/* What carries the next level. */
enum leat_tunnel {
	LEAT_TUNNEL_NONE,  /* nothing: this is the innermost */
	LEAT_TUNNEL_IP,	   /* IPIP, SIT (6in4), 4in6, 6in6: the next IP header is at `transport` */
	LEAT_TUNNEL_GRE,   /* a GRE header at `transport` */
	LEAT_TUNNEL_VXLAN, /* these have a UDP header at `transport`: */
	LEAT_TUNNEL_GENEVE,
	LEAT_TUNNEL_GUE,
	LEAT_TUNNEL_FOU,
};

/* How far the parser got; each level includes those before it. */
enum leat_depth {
	LEAT_DEPTH_NONE,      /* not parsed, or shorter than an Ethernet header */
	LEAT_DEPTH_LINK,      /* Ethernet and VLAN tags */
	LEAT_DEPTH_NETWORK,   /* IP header and extensions: lvl[].network and .transport valid */
	LEAT_DEPTH_TRANSPORT, /* a TCP, UDP or SCTP header, whole: payload valid */
};

/* One IP header and the transport header behind it. */
struct leat_level {
	uint16_t network;   /* offset of the IP header */
	uint16_t transport; /* offset of what follows the IP header and its options/extensions */
	uint8_t version;    /* 4 or 6; 0: no IP header at this level */
	uint8_t protocol;   /* IP protocol number at `transport` */
	uint8_t flags;	    /* LEAT_IP_*, LEAT_REMCSUM */
	uint8_t tunnel;	    /* enum leat_tunnel; at the last level: a tunnel that was not entered */
};

struct leat_pkt {
	/* What every stage reads: the first cache line. */
	uint8_t *data;		    /* head: the frame's first byte; member: its payload */
	struct leat_pkt *frag_list; /* next slice of the same frame, or NULL */
	uint32_t len;		    /* head: bytes of the whole frame, all slices */
	uint32_t headlen;	    /* bytes at `data` */
	uint32_t hash;		    /* valid unless hash_type is LEAT_HASH_NONE */
	uint32_t gso_type;	    /* LEAT_GSO_*; 0: an ordinary frame */
	uint16_t gso_size;	    /* payload bytes per segment; 0: an ordinary frame */
	uint16_t gso_segs;	    /* segments; 0: not counted (untrusted origin) */
	uint16_t csum_start;	    /* with LEAT_CSUM_PARTIAL: offset of the first summed byte */
	uint16_t csum_offset;	    /* the field's offset from csum_start */
	struct leat_level lvl[LEAT_LEVELS]; /* [0] outer or only, [levels - 1] innermost */

	/* The second: where it came from, whose it is. */
	struct leat_pkt *frag_tail; /* head of a chain: its last member */
	uint16_t inner_mac;	    /* offset of an encapsulated Ethernet header, or 0 */
	uint16_t payload;  /* offset of the first byte after the innermost transport header */
	uint8_t levels;	   /* IP headers found: 0, 1 or 2 */
	uint8_t depth;	   /* enum leat_depth */
	uint8_t reason;	   /* enum leat_parse_reason: why not deeper */
	uint8_t hash_type; /* enum leat_hash_type */
	uint8_t csum;	   /* enum leat_csum */
	uint8_t vlans;	   /* 802.1Q/802.1ad tags in front of lvl[0].network */
	uint16_t port;	   /* the receiving port, rxq the queue of it: the caller's */
	uint16_t rxq;
	uint16_t slices; /* head: members of the chain, itself not counted */
	uint64_t stamp;	 /* receive time, ns; the caller's clock */
	uint8_t *head;	 /* the buffer's first byte: headroom is data - head; or NULL */
	void *owner;	 /* the caller's: whom to give the buffer back to */
	uint32_t size;	 /* the buffer's bytes, from head */
	uint32_t cookie; /* the caller's */
};

/* A run of bytes; the layout of struct iovec, so an array of them can be handed to writev(). */
struct leat_slice {
	const void *base;
	size_t len;
};

/* Make `pkt` an unparsed ordinary frame of `len` bytes at `data`, not in any chain. Leaves head,
 * size, owner, port, rxq, stamp and cookie alone. GRO and GSO read head: set it, or make it NULL,
 * which is no headroom. */
void leat_pkt_init(struct leat_pkt *pkt, uint8_t *data, uint32_t len);

/* The innermost level; only when pkt->levels > 0. */
static inline const struct leat_level *leat_pkt_inner(const struct leat_pkt *pkt)
{
	return &pkt->lvl[pkt->levels - 1];
}

/* Append `member`, its data already moved to its payload, to `head`'s chain: *takes* member.
 * At most LEAT_PKT_SLICES_MAX members. */
void leat_pkt_chain(struct leat_pkt *head, struct leat_pkt *member);

/* The frame's bytes as slices, from offset `off`: fills at most `max`, gives how many it filled.
 * A frame needs at most pkt->slices + 1. */
unsigned leat_pkt_slices(const struct leat_pkt *pkt, uint32_t off, struct leat_slice *slices,
			 unsigned max);

/* Copy `len` bytes from offset `off` of the frame; gives how many there were. */
uint32_t leat_pkt_copy(const struct leat_pkt *pkt, uint32_t off, void *dst, uint32_t len);

#ifdef __cplusplus
}
#endif

#endif
