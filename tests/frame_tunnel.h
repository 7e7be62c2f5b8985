/* SPDX-License-Identifier: MIT */
/*
 * frame_tunnel.h - private to frame*.c: tunnel headers, SCTP chunks, and finding what is where in a
 * frame.
 */
#ifndef LEAT_TESTS_FRAME_TUNNEL_H
#define LEAT_TESTS_FRAME_TUNNEL_H

#include "frame.h"

enum { ETH = 14, TAG = 4, IP4 = 20, IP6 = 40 };

static inline void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static inline uint32_t get16(const uint8_t *p)
{
	return (uint32_t)(p[0] * 256 + p[1]);
}

static inline uint32_t get32(const uint8_t *p)
{
	return get16(p) * 65536 + get16(p + 2);
}

/* The outer IP protocol and, of a tunnel over UDP, destination port. */
uint8_t tunnel_protocol(const struct frame *f);
uint16_t tunnel_dport(const struct frame *f);

/* Whether the tunnel carries an Ethernet header, and the bytes of its own header, UDP's not
 * counted. */
bool tunnel_has_eth(const struct frame *f);
uint32_t tunnel_hdr_len(const struct frame *f);

/* Write the tunnel's header to `p`. What it carries has its transport header at `start` and the
 * checksum of that `check` bytes further, which remote checksums name. A GRE checksum is left 0. */
void tunnel_build(const struct frame *f, uint8_t *p, uint8_t version, uint32_t start,
		  uint32_t check);

/* Write the SCTP header and chunk headers of a packet of `len` bytes at `sh`, whose payload is
 * there already, and its CRC. */
void sctp_build(const struct frame *f, uint8_t *sh, uint32_t len);

/* The CRC32c of the SCTP packet, its field taken as 0, as it lies in the header, first byte first. */
uint32_t sctp_crc(const uint8_t *sh, uint32_t len);

/* The TCP or UDP checksum to be stored for the `len` bytes at `l4`, whose field is 0 now. */
uint16_t transport_csum(const uint8_t *ip, uint8_t protocol, const uint8_t *l4, uint32_t len);

/* Where the headers of a frame are. */
struct place {
	uint32_t ip, l4;
	uint8_t protocol;
};

struct places {
	unsigned levels; /* 1 or 2 */
	struct place lvl[2];
	uint32_t payload;
	bool sum;     /* the tunnel has a checksum */
	bool remcsum; /* and leaves the inner one to the receiver */
};

/* Complete the transport checksum or CRC at `in`. */
void transport_complete(uint8_t *frame, uint32_t len, const struct place *in);

struct places find_places(const uint8_t *frame, uint32_t len);

#endif
