/* SPDX-License-Identifier: MIT */
/*
 * gen.h - how the packets of a generator port are numbered.
 *
 * The payload of each begins with GEN_NUMBER_LEN bytes in network order:
 *
 *	 0  4  "leat"
 *	 4  4  index of the flow, from 0
 *	 8  8  number of the packet in its flow, from 0
 *
 * What follows is filler, the same in every packet. In a chain that GRO made, each member's data
 * begins with such a number again.
 */
#ifndef PLANE_PORT_GEN_H
#define PLANE_PORT_GEN_H

#include <leat/pkt.h>

struct port;

enum {
	GEN_NUMBER_LEN = 16,
	GEN_MAGIC = 0x6c656174, /* "leat" */
};

static inline uint64_t gen_load(const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;

	while (bytes--)
		v = v << 8 | *p++;
	return v;
}

/* Read the number of a packet from its payload, `len` bytes. False: it is no generator's. */
static inline bool gen_read_payload(const uint8_t *payload, uint32_t len, uint32_t *flow,
				    uint64_t *seq)
{
	if (len < GEN_NUMBER_LEN || gen_load(payload, 4) != GEN_MAGIC)
		return false;
	*flow = (uint32_t)gen_load(payload + 4, 4);
	*seq = gen_load(payload + 8, 8);
	return true;
}

/* The same of a parsed packet; of the first packet in it if it is merged. */
static inline bool gen_read(const struct leat_pkt *pkt, uint32_t *flow, uint64_t *seq)
{
	if (pkt->depth != LEAT_DEPTH_TRANSPORT || pkt->payload > pkt->headlen)
		return false;
	return gen_read_payload(pkt->data + pkt->payload, pkt->headlen - pkt->payload, flow, seq);
}

/* The LEAT_RSS_KEY_MIN bytes of the key that spread the flows of an open port; NULL if it is no
 * generator. */
const uint8_t *gen_key(const struct port *port);

#endif
