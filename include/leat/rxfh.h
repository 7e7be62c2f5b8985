/* SPDX-License-Identifier: MIT */
/*
 * rxfh.h - the receive queue of a packet: rules, then RSS contexts (ethtool -N, -X).
 *
 * What a network card does, as a function: the first rule that matches names a queue, drops, or
 * names a context; without one, context 0 is it. A context is a struct leat_rss: its key, fields
 * and indirection table. A packet without a hash goes to the table's first entry.
 *
 * A struct leat_rxfh is a value, only read once made, by any number of threads. The hash that a
 * packet keeps, for RPS and RFS, is that of the context that decided; where no context did,
 * context 0's.
 */
#ifndef LEAT_RXFH_H
#define LEAT_RXFH_H

#include <leat/ntuple.h>
#include <leat/rss.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { LEAT_RXFH_CONTEXTS_MAX = 32 };

struct leat_rxfh {
	unsigned n_queues; /* of the port */
	const struct leat_rss
		*context[LEAT_RXFH_CONTEXTS_MAX]; /* [0] always; NULL: there is none */
	const struct leat_ntuple *ntuple;	  /* NULL: no rules */
};

/* What decided. */
enum leat_rxfh_by {
	LEAT_RXFH_BY_INDIR,   /* context 0's table */
	LEAT_RXFH_BY_CONTEXT, /* a rule, and its context's table */
	LEAT_RXFH_BY_RULE,    /* a rule's queue */
	LEAT_RXFH_BY_DROP,    /* a rule: drop */
};

struct leat_rxfh_choice {
	uint32_t hash;
	uint8_t hash_type; /* enum leat_hash_type */
	uint8_t by;	   /* enum leat_rxfh_by */
	uint16_t context;  /* whose hash it is */
	uint16_t queue;	   /* below n_queues; 0 with LEAT_RXFH_BY_DROP */
	int64_t rule;	   /* its location, or -1 */
};

/* What becomes of a parsed packet. A queue past the port's last (a context plus an offset) wraps
 * round to the first. */
void leat_rxfh_pick(const struct leat_rxfh *rxfh, const struct leat_pkt *pkt,
		    struct leat_rxfh_choice *choice);

#ifdef __cplusplus
}
#endif

#endif
