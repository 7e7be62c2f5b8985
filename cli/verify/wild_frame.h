/* SPDX-License-Identifier: MIT */
/*
 * wild_frame.h - a frame as a description, from which its bytes are built; private to the wild
 * files.
 */
#ifndef LEAT_VERIFY_WILD_FRAME_H
#define LEAT_VERIFY_WILD_FRAME_H

#include "wild.h"

/* splitmix64. */
struct wild_rng {
	uint64_t state;
};

struct wild_rng wild_rng_start(uint64_t seed, uint64_t number);
uint64_t wild_next(struct wild_rng *rng);

/* 0 to n - 1. */
uint32_t wild_below(struct wild_rng *rng, uint32_t n);

/* lo to hi. */
uint32_t wild_between(struct wild_rng *rng, uint32_t lo, uint32_t hi);

/* True once in n. */
bool wild_once_in(struct wild_rng *rng, uint32_t n);

enum {
	WILD_EXTS = 10,
	WILD_TUNNEL_MAX = 80,
	WILD_TAGS = 3,

	WILD_ICMP = 1,
	WILD_TCP = 6,
	WILD_UDP = 17,
	WILD_SCTP = 132,

	WILD_FLAG_FIN = 1,
	WILD_FLAG_SYN = 2,
	WILD_FLAG_RST = 4,
	WILD_FLAG_PSH = 8,
	WILD_FLAG_ACK = 16,
	WILD_FLAG_URG = 32,
	WILD_FLAG_ECE = 64,
	WILD_FLAG_CWR = 128,

	WILD_DONT_FRAGMENT = 0x4000,
	WILD_MORE_FRAGMENTS = 0x2000,
	WILD_EVIL_BIT = 0x8000,
};

enum wild_sum {
	WILD_SUM_RIGHT,
	WILD_SUM_WRONG,
	WILD_SUM_FFFF, /* the frame is bent so that the checksum is 0, written 0xffff */
	WILD_SUM_0,
	WILD_SUM_NONE,	  /* UDP: zero, none */
	WILD_SUM_PARTIAL, /* the sum of the pseudo-header */
};

struct wild_ip {
	uint8_t version, tos, ttl, protocol;
	uint16_t id, frag; /* IPv4: as in the header; IPv6: of its fragment header */
	uint32_t flow_label;
	uint8_t src[16], dst[16];
	uint8_t exts; /* IPv6 extension headers */
	uint8_t ext_type[WILD_EXTS];
	uint16_t ext_len[WILD_EXTS];
	uint8_t options; /* bytes of IPv4 options */
	uint8_t salt;	 /* of the bytes of both */
	int16_t wrong_len;
	uint8_t sum;	    /* enum wild_sum */
	bool big;	    /* length 0 */
	bool jumbo;	    /* IPv6: and a jumbogram option */
	uint16_t fixed_len; /* in place of the right one; 0: none */
};

struct wild_desc {
	struct wild_kind kind;
	uint8_t dst_mac[6], src_mac[6];
	uint16_t tag[WILD_TAGS];
	struct wild_ip ip[LEAT_LEVELS]; /* [0] outer or only */

	uint16_t outer_sport, outer_dport;
	uint8_t outer_sum; /* of UDP or GRE */
	int16_t outer_wrong_len;
	uint8_t tunnel[WILD_TUNNEL_MAX]; /* its header, checksum fields 0 */
	uint8_t tunnel_len;
	uint8_t inner_dst_mac[6], inner_src_mac[6];
	uint8_t inner_tags;
	uint16_t inner_tag;

	uint16_t sport, dport;
	uint32_t seq, ack; /* SCTP: TSN and verification tag */
	uint16_t flags;	   /* with the four reserved bits, 0xf00 */
	uint16_t window, urg_ptr;
	uint8_t opts[40];
	uint8_t opts_len;
	uint8_t doff; /* 0: the right one */
	uint8_t sum;
	int16_t wrong_len; /* UDP length */
	uint8_t chunk;	   /* SCTP chunk type */
	bool nested;	   /* the payload is an IP packet */

	uint32_t payload, salt; /* byte i of the flow is a function of salt and i */
	uint32_t stream;	/* place of the first payload byte in the flow */
	uint16_t padded;	/* at least so many bytes */
	uint16_t trailing;
};

static inline bool wild_is_tcp(const struct wild_kind *k)
{
	return k->type == WILD_TCP4 || k->type == WILD_TCP6;
}

static inline bool wild_is_sctp(const struct wild_kind *k)
{
	return k->type == WILD_SCTP4 || k->type == WILD_SCTP6;
}

static inline bool wild_is_ufo(const struct wild_kind *k)
{
	return k->type == WILD_UFO4 || k->type == WILD_UFO6;
}

static inline uint8_t wild_version(const struct wild_kind *k)
{
	return k->type % 2 == 0 ? 4 : 6;
}

static inline uint8_t wild_protocol(const struct wild_kind *k)
{
	return wild_is_tcp(k) ? WILD_TCP : wild_is_sctp(k) ? WILD_SCTP : WILD_UDP;
}

/* Is there an outer UDP header? */
static inline bool wild_over_udp(const struct wild_kind *k)
{
	return k->encap >= WILD_VXLAN;
}

static inline unsigned wild_levels(const struct wild_kind *k)
{
	return k->encap == WILD_NONE ? 1 : 2;
}

/* RFC 1071, a byte at a time; host order, folded. */
uint16_t wild_sum_bytes(const uint8_t *p, size_t len, uint32_t sum);
uint16_t wild_sum_pseudo(const uint8_t *ip, uint8_t protocol, uint32_t len);
uint32_t wild_crc32c(const uint8_t *p, size_t len);

void wild_put16(uint8_t *p, uint32_t v);
void wild_put32(uint8_t *p, uint32_t v);

/* Bytes of headers, and of the frame, and of its IP packet. */
uint32_t wild_hdr_len(const struct wild_desc *d);
uint32_t wild_frame_len(const struct wild_desc *d);
uint32_t wild_ip_len(const struct wild_desc *d);

/* Write the wild_frame_len() bytes to `dst`. */
void wild_build(const struct wild_desc *d, uint8_t *dst, struct wild_layout *at);

/* The first frame of a flow of this kind, of a random shape; `mtu` bounds its payload. */
void wild_flow(struct wild_rng *rng, const struct wild_kind *kind, const struct wild_place *place,
	       unsigned number, uint32_t mtu, struct wild_desc *d);

/* What a train's flow is at: its next frame and how it goes on. */
struct wild_flow_state {
	struct wild_desc next;
	uint16_t id_step[LEAT_LEVELS]; /* 0: fixed, or 1 */
	unsigned made;
};

/* Does the trouble make sense for frames of this kind? */
bool wild_trouble_fits(enum wild_trouble trouble, const struct wild_kind *kind);

/* Change the frame, and the flow if it is to stay so. DUPLICATE and SWAPPED are the train's. */
void wild_befall(struct wild_rng *rng, enum wild_trouble trouble, struct wild_flow_state *flow,
		 struct wild_desc *frame);

/* Put random extension headers, options in. */
void wild_set_exts(struct wild_rng *rng, struct wild_ip *ip);
void wild_set_opts(struct wild_rng *rng, struct wild_desc *d);

#endif
