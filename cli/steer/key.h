/* SPDX-License-Identifier: MIT */
/*
 * key.h - how good a hash key is, without any traffic: linear algebra.
 *
 * Toeplitz is linear over GF(2): input bit i contributes a column, the 32 bits of the key from bit i
 * on, and the hash is the xor of the columns of the bits that are set. So everything that a key can
 * and cannot tell apart is in the matrix of those columns. A symmetric-xor hash is linear in source
 * xor destination, whose columns are sums of two; symmetric-or-xor is not linear in the packet, but
 * in (source | destination, source ^ destination), and it is these bits that are counted then.
 *
 * Source: Toeplitz as a matrix: Krawczyk, CRYPTO 1994. Pure functions.
 */
#ifndef CLI_STEER_KEY_H
#define CLI_STEER_KEY_H

#include <leat/rss.h>

enum {
	KEY_BITS_MAX = 8 * LEAT_RSS_INPUT_MAX,
	KEY_FIELDS =
		5, /* source and destination address, source and destination port, flow label */
};

/* A part of the input: a field, or what a transform made of a pair. */
struct key_field {
	const char *name;
	unsigned bits; /* 0: is not hashed */
	unsigned dead; /* bits that change nothing of the table's index */
	unsigned rank; /* of the table's index: it alone reaches 2^rank entries */
};

struct key_quality {
	unsigned bits;	   /* of the input */
	unsigned rank;	   /* of the hash: it has 2^rank values */
	unsigned low;	   /* bits of the hash that index the table */
	unsigned low_rank; /* 2^this entries can be reached */
	unsigned dead;	   /* input bits that change nothing of the hash */
	unsigned distinct; /* different columns: input bits with one column cancel each other */
	unsigned
		period; /* the key repeats after so many bits, below 32, and so does the hash; 0: no */
	bool symmetric; /* both directions of a flow have one hash */
	bool cancels;	/* some port bit has the column of an address bit */
	struct key_field field[KEY_FIELDS];
};

/* Of `rss`, for a flow type that it hashes. */
void key_judge(const struct leat_rss *rss, enum leat_rss_flow flow, struct key_quality *quality);

/* The rank over GF(2) of n columns of which the bits in `mask` count. */
unsigned key_rank(const uint32_t *column, unsigned n, uint32_t mask);

#endif
