/* SPDX-License-Identifier: MIT */
/*
 * rule.h - where the kernel and the library are known to differ: named exclusions, each as
 * narrow as it can be said.
 *
 * Those of GRO rest on a proof: what the library sent of a flow is, byte for byte and in order,
 * what came in, and what the kernel sent is not.
 */
#ifndef CLI_VERIFY_RULE_H
#define CLI_VERIFY_RULE_H

#include "field.h"
#include "frames.h"

enum rule {
	RULE_OVERTAKE, /* frames of a flow change places */
	RULE_URGENT,
	RULE_FFFF,
	RULE_FIXED_ID,
	RULE_GRE_CSUM,
	RULE_GRE_KEY,
	RULE_REMCSUM,
	RULE_EVICTED,
	RULE_MALFORMED,
	RULE_UFO_EIGHT,
	RULE_UFO6_ID,
	RULE_UFO6_OFFSET,
	RULE_UFO6_EXTENSIONS,
	RULE_UFO_LAX,
	RULE_STRICT,
	RULE_TUNNEL_ONE,
	RULE_ONE_SEGMENT,
	RULE_PSEUDO,
	RULE_MTU,
	RULE_VNET_LATE,
	RULE_CSUM_FAR,
	RULES,
};

/* Those that change what is merged; by the others only what is sent differs. */
#define RULES_OF_MERGING \
	(1u << RULE_OVERTAKE | 1u << RULE_URGENT | 1u << RULE_FFFF | 1u << RULE_GRE_KEY)

const char *rule_name(enum rule rule);
const char *rule_about(enum rule rule); /* a sentence */

/* Frames of one flow, in order. */
struct flow_frames {
	const struct frames *of;
	const unsigned *index;
	unsigned n;
};

/* The rules, as bits, by which the kernel sent `sent` where `in` came in, and `merged` it as we did
 * or not; 0: they do not explain it. */
uint32_t rule_of_train(const struct flow_frames *in, const struct flow_frames *sent, bool merged);

/* Where the identification of an IPv6 fragment is; 0: it is none. */
uint32_t rule_find_frag_id(const uint8_t *frame, uint32_t len);

/* Bytes of extension headers in front of the fragment header with its identification there. */
uint32_t rule_extensions_len(const uint8_t *frame, uint32_t id);

/* The rule by which the two answers to a super-packet differ; RULES if there is none. */
struct super_answers {
	const struct frame_meta *meta;
	const uint8_t *frame;
	uint32_t len;
	int kernel_refused, ours_refused;
	const struct frames *kernel, *ours;
	bool nonsense; /* what is said of it may be wrong */
};
enum rule rule_of_super(const struct super_answers *answers);

#endif
