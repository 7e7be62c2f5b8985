/* SPDX-License-Identifier: MIT */
/*
 * frame.h - frames for tests: built from a description, checked, merged ones cut up again.
 *
 * Everything here is slow and plain, and shares no code with the library, so that the two can be
 * compared. In a struct frame zero is always a sensible default: {.payload = 100} is a right TCP
 * segment over IPv4. A frame that carries another, `inner`, is a tunnel's: {.tunnel =
 * LEAT_TUNNEL_VXLAN, .inner = &in}, with an outer UDP checksum unless .no_csum says otherwise.
 */
#ifndef LEAT_TESTS_FRAME_H
#define LEAT_TESTS_FRAME_H

#include <leat/parse.h>
#include <leat/pkt.h>

enum {
	FRAME_VLANS = 4,
	FRAME_HDRS_MAX = 512, /* bytes of headers at most */
	FRAME_NESTED = 4,     /* frames in frames */

	FRAME_IPIP = 4,
	FRAME_TCP = 6,
	FRAME_UDP = 17,
	FRAME_IPV6 = 41,
	FRAME_GRE = 47,
	FRAME_SCTP = 132,

	FRAME_VXLAN_PORT = 4789,
	FRAME_VXLAN_RCO_PORT = 8472, /* where remote checksums are allowed */
	FRAME_GENEVE_PORT = 6081,
	FRAME_GUE_PORT = 6080,
	/* FOU of IPv4, of IPv6, of GRE, of TCP; ports that generated traffic does not take. */
	FRAME_FOU4_PORT = 40004,
	FRAME_FOU6_PORT = 40041,
	FRAME_FOU_GRE_PORT = 40047,
	FRAME_FOU_TCP_PORT = 40006,

	FRAME_DF = 0x4000, /* of frag_off */
	FRAME_MF = 0x2000,

	FRAME_FIN = 0x01,
	FRAME_SYN = 0x02,
	FRAME_RST = 0x04,
	FRAME_PSH = 0x08,
	FRAME_ACK = 0x10,
	FRAME_URG = 0x20,
	FRAME_ECE = 0x40,
	FRAME_CWR = 0x80,
};

struct frame {
	uint8_t dst_mac, src_mac; /* last bytes of the addresses */
	uint8_t vlans;		  /* tags; with two or more the first is 802.1ad */
	uint16_t vlan[FRAME_VLANS];

	uint8_t version;     /* 4 or 6; 0: 4 */
	uint32_t src, dst;   /* last four bytes of the addresses */
	uint8_t tos;	     /* or traffic class */
	uint8_t ttl;	     /* or hop limit; 0: 64 */
	uint16_t id;	     /* IPv4 */
	uint16_t frag_off;   /* IPv4: flags and offset, as in the header */
	uint32_t flow_label; /* IPv6 */
	const uint8_t *ext;  /* IPv4 options, or IPv6 extension headers */
	uint16_t ext_len;
	uint8_t ext_first; /* IPv6: type of the first extension header; the last's next header is
			    * to be the protocol */

	uint8_t protocol; /* 0: TCP; without a header of its own unless TCP or UDP */
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint8_t flags;	  /* besides ACK */
	uint8_t reserved; /* the four bits before them */
	bool no_ack;
	uint16_t window, urg_ptr;
	const uint8_t *opts; /* TCP options, a multiple of 4 bytes */
	uint8_t opts_len;

	/* SCTP: with chunks it has a header of its own, and `payload` is theirs, headers included, a
	 * multiple of 4. */
	uint32_t vtag;
	uint8_t chunks;
	uint8_t chunk_type; /* 0: DATA */
	uint8_t chunk_pad;  /* bytes that the last one's length leaves out */
	bool bad_chunk;	    /* its length is 4 more */

	uint32_t payload; /* bytes; byte i is a function of salt + seq + i */
	uint32_t salt;
	uint32_t padding; /* bytes behind the IP packet */

	bool bad_ip_csum, bad_l4_csum; /* a tunnel's: of the outer UDP or the GRE header */
	bool no_csum;		       /* UDP: zero */

	/* What is carried in place of the payload, and in which tunnel. The outer protocol follows
	 * from it, and so does the destination port if it is 0. */
	const struct frame *inner;
	uint8_t tunnel;		/* enum leat_tunnel */
	bool eth;		/* GRE, Geneve: an Ethernet header inside. VXLAN always has one */
	bool gre_csum, gre_key; /* GRE, and GRE in FOU or GUE */
	bool gre_seq;		/* GRE with a sequence number, which nobody follows */
	bool in_gre;		/* FOU, GUE: a GRE header in front of the inner packet */
	bool direct;		/* GUE: variant 1, no header but UDP's */
	bool remcsum;		/* VXLAN, GUE: the inner checksum is left to the receiver */
	uint32_t tunnel_id;	/* GRE key; VXLAN or Geneve network identifier */
	const uint8_t *tunnel_opts; /* Geneve options, GUE private data: a multiple of 4 bytes */
	uint8_t tunnel_opts_len;
};

/* The default, and the ports above: what every packet of an arena is parsed with. */
extern const struct leat_parse_conf frame_conf;

/* Bytes of the frame, and of its headers, those of what it carries included. */
uint32_t frame_len(const struct frame *f);
uint32_t frame_hdr_len(const struct frame *f);

/* Write the frame's frame_len() bytes to `dst`. */
void frame_build(const struct frame *f, uint8_t *dst);

/* RFC 1071, a 16-bit word at a time: the sum of `len` bytes and `sum`, folded, host order. */
uint16_t frame_sum(const uint8_t *p, size_t len, uint32_t sum);

/* The sum of the pseudo-header of the IP packet at `ip` for `len` bytes of `protocol`. */
uint16_t frame_pseudo(const uint8_t *ip, uint8_t protocol, uint32_t len);

/* All slices of the packet one after another; gives pkt->len, or 0 if its chain disagrees with
 * its counts. `dst` has room for pkt->len. */
uint32_t frame_flatten(const struct leat_pkt *pkt, uint8_t *dst);

/* What is wrong with the lengths and checksums of an IP frame, its tunnel's included, or NULL.
 * `partial`: the innermost transport checksum field is to hold the pseudo-header sum; the checksum
 * of the tunnel, if it has one, must be right once that field is completed. An SCTP CRC that is
 * partial may be anything. */
const char *frame_wrong(const uint8_t *frame, uint32_t len, bool partial);

/* The same of what GRO made: an outer UDP checksum that is not 0 is to hold the pseudo-header sum
 * too, and GRE's may be anything. */
const char *frame_super_wrong(const uint8_t *frame, uint32_t len);

/* Cut segment `i` from the super-packet whose bytes are `flat`, as GSO should: gives its length,
 * 0 past the last. Its gso_type says what is done with IDs, CWR, boundaries and the tunnel's
 * checksums. `dst` has room for FRAME_HDRS_MAX + gso_size. */
uint32_t frame_segment(const struct leat_pkt *super, const uint8_t *flat, uint32_t i, uint8_t *dst);

/* Packets with buffers of just their size, so that a sanitizer sees a step outside. */
struct arena {
	struct leat_pkt **pkts;
	unsigned n;
};

/* A parsed packet of these bytes, or of this frame. Its cookie is its index in the arena. */
struct leat_pkt *arena_add(struct arena *arena, const void *bytes, uint32_t len);
struct leat_pkt *arena_frame(struct arena *arena, const struct frame *f);

/* Free all of it. */
void arena_clear(struct arena *arena);

#endif
