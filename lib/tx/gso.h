/* SPDX-License-Identifier: MIT */
/*
 * gso.h - private: between the segmenter and its transports.
 *
 * gso.c knows the chain, the output and the IP headers; a transport knows its own header. It
 * checks a super-packet's, sums the part of it that all segments share, and finishes each
 * segment's, which begins as a copy of the super-packet's.
 */
#ifndef LEAT_LIB_TX_GSO_H
#define LEAT_LIB_TX_GSO_H

#include <leat/csum.h>
#include <leat/gso.h>

#include "../hdr.h"

/* struct leat_gso's kind. */
enum { GSO_TCP, GSO_UDP };

/* The sum of a value as it will lie in memory. */
static inline uint16_t sum_be16(uint16_t v)
{
	uint8_t b[sizeof(v)];

	store_be16(b, v);
	return load_raw16(b);
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
	uint8_t b[sizeof(v)];

	store_be32(b, v);
	memcpy(p, b, sizeof(b));
	return load_raw32(b);
}

/* Whether the transport header of `pkt`, which lies between the innermost level's transport
 * offset and pkt->payload, can be that of a super-packet of `segs` segments. */
bool leat_gso_tcp_check(const struct leat_pkt *pkt);
bool leat_gso_udp_check(const struct leat_pkt *pkt, uint32_t segs);

/* The sum of what leat_gso_*_finish() leaves as it is. */
uint32_t leat_gso_tcp_sum(const struct leat_pkt *pkt);
uint32_t leat_gso_udp_sum(const struct leat_pkt *pkt);

/* Make the copied header that of the next segment, `n` bytes of payload. `sum` has the
 * pseudo-header, and unless gso->csum_partial the payload and the part that does not change. */
void leat_gso_tcp_finish(const struct leat_gso *gso, uint8_t *tcp, uint32_t n, uint32_t sum);
void leat_gso_udp_finish(const struct leat_gso *gso, uint8_t *udp, uint32_t n, uint32_t sum);

#endif
