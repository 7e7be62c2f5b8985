/* SPDX-License-Identifier: MIT */
/*
 * flow.h - what identifies a flow: addresses, protocol, ports.
 *
 * A flow is read from a parsed packet's innermost level and is comparable with memcmp. Its keyed
 * hash serves our own tables where no RSS hash is at hand: the key is drawn at start, so that
 * nobody chooses our collisions. Threads: pure functions.
 */
#ifndef LEAT_FLOW_H
#define LEAT_FLOW_H

#include <leat/pkt.h>

#ifdef __cplusplus
extern "C" {
#endif

struct leat_flow {
	uint8_t src[16]; /* network order; IPv4 in the first four, the rest 0 */
	uint8_t dst[16];
	uint16_t sport; /* host order; 0 without a transport header */
	uint16_t dport;
	uint8_t version; /* 4 or 6 */
	uint8_t protocol;
	uint8_t zero[2];
};

struct leat_flow_key {
	uint64_t k[2]; /* 128 random bits */
};

/* The packet's flow, from its innermost level; fragments and protocols without ports have ports
 * 0. False if there is no IP header. */
bool leat_flow_get(const struct leat_pkt *pkt, struct leat_flow *flow);

/* Keyed hash of the packet's innermost flow, and of the outer addresses if that is in a tunnel,
 * never 0; 0 if there is no IP header. Both directions of a flow hash alike, as the kernel's
 * software hash does. */
uint32_t leat_flow_hash(const struct leat_pkt *pkt, const struct leat_flow_key *key);

/* Multiplicative hash to `bits` bits, 1 to 32: the kernel's hash_32. */
static inline uint32_t leat_hash_32(uint32_t val, unsigned bits)
{
	return (uint32_t)(val * 0x61c88647u) >> (32 - bits);
}

/* `val` scaled to [0, range): the kernel's reciprocal_scale. Uses the high bits. */
static inline uint32_t leat_reciprocal_scale(uint32_t val, uint32_t range)
{
	return (uint32_t)(((uint64_t)val * range) >> 32);
}

#ifdef __cplusplus
}
#endif

#endif
