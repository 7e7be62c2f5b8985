/* SPDX-License-Identifier: MIT */
/*
 * frames.h - traffic that is the same in every run: `flows` flows in turns, each a sequence of
 * segments as a sender's TSO makes them.
 */
#ifndef CLI_BENCH_FRAMES_H
#define CLI_BENCH_FRAMES_H

#include <leat/pkt.h>

enum frames_kind { FRAMES_TCP, FRAMES_IPIP, FRAMES_GRE, FRAMES_VXLAN, FRAMES_SCTP };

struct frames_conf {
	enum frames_kind kind;
	uint32_t n, flows;
	uint32_t payload; /* bytes in each behind the transport header */

	/* Bytes from one frame to the next. 0: they have room. With less the payload of one is the
	 * next ones' headers: for what does not look at it, and has to have many. */
	uint32_t stride;
};

struct frames {
	uint32_t n, len, headers; /* bytes of each frame, of its headers */
	uint8_t **frame;
	struct leat_pkt *pkt;
	struct leat_pkt **pkts; /* to each */
	uint8_t *memory, *saved;
};

/* Complete frames with right checksums. */
void frames_make(struct frames *f, const struct frames_conf *conf);

/* The headers as they were. */
void frames_restore(struct frames *f);

/* And the packets: not parsed, in no chain, with this word on their checksum. */
void frames_reset(struct frames *f, enum leat_csum csum);

void frames_drop(struct frames *f);

#endif
