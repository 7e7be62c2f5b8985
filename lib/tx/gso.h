/* SPDX-License-Identifier: MIT */
/*
 * gso.h - private: between the segmenter and its parts.
 *
 * gso.c knows the chain, the output and the IP headers; gso_plan.c all that is refused; a transport
 * its own header. A transport checks a super-packet's header, sums the part of it that all segments
 * share, and finishes each segment's, which begins as a copy of the super-packet's. A tunnel's
 * header is sealed last, when what it covers is known.
 */
#ifndef LEAT_LIB_TX_GSO_H
#define LEAT_LIB_TX_GSO_H

#include <leat/csum.h>
#include <leat/gso.h>

#include "../hdr.h"

#define GSO_TRANSPORTS \
	(LEAT_GSO_TCPV4 | LEAT_GSO_TCPV6 | LEAT_GSO_UDP | LEAT_GSO_UDP_L4 | LEAT_GSO_SCTP)
#define GSO_FIXEDIDS (LEAT_GSO_TCP_FIXEDID | LEAT_GSO_TCP_FIXEDID_INNER)
#define GSO_TUNNELS                                                             \
	(LEAT_GSO_GRE | LEAT_GSO_GRE_CSUM | LEAT_GSO_IPXIP4 | LEAT_GSO_IPXIP6 | \
	 LEAT_GSO_UDP_TUNNEL | LEAT_GSO_UDP_TUNNEL_CSUM | LEAT_GSO_TUNNEL_REMCSUM)

/* struct leat_gso's kind; from GSO_SCTP on the members of the chain are the segments. */
enum { GSO_TCP, GSO_UDP, GSO_UFO, GSO_SCTP, GSO_LIST };

/* What is to be done with a super-packet in which nothing is wrong. */
struct gso_plan {
	uint32_t gso_size;
	uint32_t unit; /* payload bytes of a segment, unless it is a member of the chain */
	uint32_t most; /* payload bytes that a segment's lengths must be able to say */
	uint32_t segs;
	uint8_t kind;
	uint8_t field; /* offset of the checksum in the transport header */
	bool partial;  /* segments are to be cut further */
};

/* The segment being made. */
struct gso_seg {
	uint8_t *hdr;
	uint32_t n;	/* bytes of payload */
	uint32_t shown; /* bytes of payload that lengths speak of */
	const struct leat_slice *slices;
	unsigned count;
};

/* The sum of a value as it will lie in memory. */
static inline uint16_t sum_be16(uint16_t v)
{
	uint8_t b[sizeof(v)];

	store_be16(b, v);
	return load_raw16(b);
}

static inline uint32_t sum_be32(uint32_t v)
{
	uint8_t b[sizeof(v)];

	store_be32(b, v);
	return load_raw32(b);
}

/* Store a value; gives its sum. */
static inline uint32_t put_be16(uint8_t *p, uint16_t v)
{
	uint16_t sum = sum_be16(v);

	store_raw16(p, sum);
	return sum;
}

static inline uint32_t put_be32(uint8_t *p, uint32_t v)
{
	uint32_t sum = sum_be32(v);

	memcpy(p, &sum, sizeof(sum));
	return sum;
}

/* The checksum field at `check` after what it covers has changed by `delta` (RFC 1624). */
static inline void update_check(uint8_t *check, uint32_t delta)
{
	uint32_t sum = (uint16_t)~load_raw16(check);

	store_raw16(check, (uint16_t)~leat_csum_fold(leat_csum_add(sum, delta)));
}

/* Store a finished UDP checksum: 0 would say that there is none. */
static inline void store_udp_check(uint8_t *check, uint32_t sum)
{
	uint16_t folded = (uint16_t)~leat_csum_fold(sum);

	store_raw16(check, folded ? folded : 0xffff);
}

/* What changes in a sum when `old` becomes `new`. */
static inline uint32_t sum_delta(const uint8_t *old, const uint8_t *new, size_t len)
{
	return leat_csum_add(~leat_csum_partial(old, len, 0), leat_csum_partial(new, len, 0));
}

/* A sum turned by a byte is the sum of the same bytes moved by one. */
static inline uint32_t turn_sum(uint32_t sum)
{
	return sum >> 8 | sum << 24;
}

/* The sum of the segment's payload: turned wherever an odd slice ends, and back. */
static inline uint32_t sum_payload(const struct gso_seg *s)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < s->count; i++) {
		sum = leat_csum_partial(s->slices[i].base, s->slices[i].len, sum);
		if (s->slices[i].len & 1)
			sum = turn_sum(sum);
	}
	return s->n & 1 ? turn_sum(sum) : sum;
}

/* Decide how to segment `pkt`; false, with `plan` undefined, for all that leat_gso_init() refuses
 * as -EINVAL. */
bool leat_gso_plan(const struct leat_pkt *pkt, const struct leat_gso_conf *conf,
		   struct gso_plan *plan);

/* Whether a port with these features segments packets of this type, DODGY aside. */
bool leat_gso_port_has(const struct leat_pkt *pkt, uint32_t features);

/* Whether the two levels' headers are of the tunnel that gso_type and descriptor name. */
bool leat_gso_tunnel_check(const struct leat_pkt *pkt);

/* Write the tunnel's length and checksums, all that is inside being written. */
void leat_gso_tunnel_seal(const struct leat_gso *gso, const struct gso_seg *s);

/* Whether the transport header of `pkt`, which lies between the innermost level's transport
 * offset and pkt->payload, can be a super-packet's. */
bool leat_gso_tcp_check(const struct leat_pkt *pkt);
bool leat_gso_udp_check(const struct leat_pkt *pkt);
bool leat_gso_sctp_check(const struct leat_pkt *pkt);

/* The sum of what leat_gso_*_finish() leaves as it is, its own result included. */
uint32_t leat_gso_tcp_sum(const struct leat_pkt *pkt);
uint32_t leat_gso_udp_sum(const struct leat_pkt *pkt);

/* The bits of TCP's flags that segments after the first may have. */
uint16_t leat_gso_tcp_later(const struct leat_pkt *pkt);

/* Make the copied header that of the next segment, but for the checksum. Gives the sum of what
 * was written. */
uint32_t leat_gso_tcp_finish(const struct leat_gso *gso, uint8_t *tcp, uint32_t n);
uint32_t leat_gso_udp_finish(uint8_t *udp, uint32_t n);

/* The same, with the CRC. */
void leat_gso_sctp_finish(const struct leat_gso *gso, const struct gso_seg *s);

/* UFO: plan the fragments of a datagram; set up their headers; write the next one's, whose IP
 * header is finished; go on to the one after it. */
bool leat_gso_ufo_plan(const struct leat_pkt *pkt, struct gso_plan *plan);
void leat_gso_ufo_init(struct leat_gso *gso);
void leat_gso_ufo_finish(const struct leat_gso *gso, const struct gso_seg *s);
void leat_gso_ufo_next(struct leat_gso *gso);

/* FRAGLIST: whether members can be sent as they are; write the headers of the one that gso->slice
 * is, not the head, and give whether they are others than it came with. */
bool leat_gso_list_check(const struct leat_pkt *pkt);
bool leat_gso_list_write(const struct leat_gso *gso, uint8_t *hdr);

#endif
