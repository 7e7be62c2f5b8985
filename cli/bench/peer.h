/* SPDX-License-Identifier: MIT */
/*
 * peer.h - somebody else's library, in a shared object of its own: what it can be asked to do.
 *
 * leat itself does not need it: `leat bench` opens peer_NAME.so if it is there. Both sides are given
 * the same bytes. A member that is NULL is what the peer does not have. One thread calls.
 */
#ifndef CLI_BENCH_PEER_H
#define CLI_BENCH_PEER_H

#include "work.h"

#include <stdbool.h>

enum { PEER_VERSION = 1 }; /* of this interface */

/* Frames of Ethernet, IPv4 without options and TCP, that may be written to; restore(owner) makes
 * them what they were. */
struct peer_gro {
	void (*restore)(void *owner);
	void *owner;
	uint8_t *const *frame;
	uint32_t frames, len; /* of each */
	uint32_t burst;	      /* frames given at a time */
	uint32_t epoch; /* flush when so many have been given; at most `burst`: after each burst */
	uint32_t flows; /* in an epoch */
	bool verify;	/* IPv4 header and TCP checksums are verified before */
};

/* Super-packets, the same kind of frames. The outputs are complete, and so is the IPv4 header's
 * checksum. */
struct peer_gso {
	uint8_t *const *frame;
	uint32_t frames, len;
	uint32_t headers; /* bytes of each */
	uint16_t gso_size;
	bool keep; /* segments are given back outside the clock, before the next run */
	bool full; /* TCP's checksum is too; else its field holds the pseudo-header's sum */
};

/* Toeplitz hashes of `n` inputs of `len` bytes, one after another, in network order. */
struct peer_hash {
	const uint8_t *key; /* 40 bytes */
	const uint8_t *input;
	uint32_t len, n;
	enum peer_hash_how { PEER_HASH_SCALAR, PEER_HASH_SIMD, PEER_HASH_SIMD_BATCH } how;
};

/* Internet checksums of `n` blocks of `len` bytes. */
struct peer_csum {
	const uint8_t *const *block;
	uint32_t len, n;
};

/* A ring of one producer and one consumer. */
struct peer_ring {
	void *(*make)(unsigned room); /* NULL: it could not be made */
	void (*drop)(void *ring);
	unsigned (*send)(void *ring, void *const *items, unsigned n); /* all or none */
	unsigned (*poll)(void *ring, void **items, unsigned n);	      /* up to n */
};

struct peer {
	unsigned version;
	const char *name; /* and its version */

	/* Once, before anything else. 0, or -1 and a message. */
	int (*open)(char *err, size_t err_len);

	/* 0, or -1: not possible with these, or not on this CPU. What is pointed to stays. */
	int (*gro)(const struct peer_gro *, struct work *);
	int (*gso)(const struct peer_gso *, struct work *);
	int (*hash)(const struct peer_hash *, struct work *);
	int (*csum)(const struct peer_csum *, struct work *);
	const struct peer_ring *ring;
};

/* What the shared object exports. */
extern const struct peer leat_bench_peer;

/* Open a peer: a file if `name` has a slash, else peer_NAME.so near the command. NULL, and a message
 * in err; *missing: there is no such file. */
const struct peer *peer_open(const char *name, bool *missing, char *err, size_t err_len);

#endif
