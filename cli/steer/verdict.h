/* SPDX-License-Identifier: MIT */
/*
 * verdict.h - what is to be said of a capture that was counted: how even it is, whether luck
 * explains it, how good the key is, what encapsulations hide.
 *
 * Luck is asked about what moves as one: a flow, or both directions of one where the hash is
 * symmetric. What a rule sends to a queue stays there.
 */
#ifndef CLI_STEER_VERDICT_H
#define CLI_STEER_VERDICT_H

#include "key.h"
#include "luck.h"
#include "tally.h"

enum measure { MEASURE_FLOWS, MEASURE_PACKETS, MEASURE_BYTES, MEASURES };

extern const char *const measure_name[MEASURES];

struct spread {
	double observed; /* busiest over mean; 0: no load */
	struct luck luck;
};

/* What is in one kind of encapsulation. */
struct covered {
	uint64_t packets, bytes;
	uint32_t flows;	 /* as the card sees them */
	uint32_t inside; /* that could be seen in them */
	double observed; /* busiest over mean of its bytes */
	double would;	 /* and with the inner headers hashed */
};

struct verdict {
	struct spread now[MEASURES];
	struct spread inside[MEASURES]; /* with the inner headers hashed, where they are seen */
	size_t units;			/* that luck moves */
	size_t inputs;			/* different inputs that the hash got */
	uint32_t unhashed;		/* flows without a hash */
	double table;			/* busiest over mean if every entry had the same load */
	struct covered covered[HIDDEN_KINDS];
	bool hides;	/* some encapsulation has more flows inside than the card sees */
	uint32_t split; /* flows with fragments on one queue and whole packets on another */
	uint32_t type_flows[LEAT_RSS_FLOWS]; /* that context 0's hash was asked for */
	struct key_quality key[LEAT_RSS_FLOWS];
};

/* 0 or -ENOMEM. */
int verdict_find(struct verdict *verdict, const struct tally *tally);

/* Whether what was observed is beyond 95 of 100 draws of luck. */
bool verdict_is_fault(const struct spread *spread);

#endif
