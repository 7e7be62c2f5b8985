/* SPDX-License-Identifier: MIT */
/*
 * gen_flow.h - the packets of a generated flow.
 *
 * A flow has its headers written once, with the sums of all that does not change; a packet is a
 * copy of them, its lengths, numbers and checksums patched, and filler whose sums are known for
 * every length. So a packet's cost hardly depends on its protocol.
 */
#ifndef PLANE_PORT_GEN_FLOW_H
#define PLANE_PORT_GEN_FLOW_H

#include "gen.h"

enum {
	GEN_PAYLOAD_MAX = 1960, /* fits a small buffer with any headers */
	GEN_HDR_ROOM = 96,	/* headers and number, rounded up for a quick copy */
};

/* What the flows of a generator share. */
struct gen_filler {
	uint8_t bytes[GEN_PAYLOAD_MAX];
	uint16_t sum[GEN_PAYLOAD_MAX + 1]; /* of the first so many bytes; host order */
};

/* How far a flow is. */
struct gen_at {
	uint64_t seq;	  /* of the next packet */
	uint32_t tcp_seq; /* likewise */
};

struct gen_flow {
	_Alignas(64) uint8_t hdr[GEN_HDR_ROOM]; /* from Ethernet to the number's first 8 bytes */
	struct gen_at at;
	uint32_t hash; /* RSS hash */
	/* Sums of 16-bit words in host order, folded, of what is the same in all packets. */
	uint16_t l4_sum;   /* pseudo-header, transport header and the number's first 8 bytes */
	uint16_t ip_sum;   /* IPv4 header */
	uint8_t network;   /* bytes of the IP header: 20 or 40 */
	uint8_t transport; /* of the transport header: 20 (TCP) or 8 (UDP) */
};

/* One of `seed`'s random numbers after the other. */
uint64_t gen_random(uint64_t *state);

void gen_filler_init(struct gen_filler *filler, uint64_t seed);

/* Make flow `index`, with addresses and ports of its own that depend on `seed`. */
void gen_flow_init(struct gen_flow *flow, uint32_t index, bool ip6, bool tcp, uint64_t seed);

/* Write the packet at `at` with `len` bytes of payload, GEN_NUMBER_LEN to GEN_PAYLOAD_MAX, to
 * `frame`; gives the frame's length. */
uint32_t gen_flow_write(const struct gen_flow *flow, const struct gen_at *at,
			const struct gen_filler *filler, uint32_t len, uint8_t *frame);

/* Step over a packet with `len` bytes of payload. */
static inline void gen_step(struct gen_at *at, uint32_t len)
{
	at->seq++;
	at->tcp_seq += len;
}

#endif
