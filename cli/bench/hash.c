/* SPDX-License-Identifier: MIT */
/*
 * Toeplitz hashes of addresses and ports, over IPv4 and IPv6, one after another.
 */
#include "bench.h"

#include <leat/rss.h>
#include <stdlib.h>
#include <string.h>

enum { INPUTS = 8192 /* so that reading the clock is little beside them */, V4 = 12, V6 = 36 };

struct hashing {
	struct leat_toeplitz toeplitz;
	uint8_t key[LEAT_RSS_KEY_MIN];
	uint8_t input[INPUTS * V6];
	const uint8_t *each[INPUTS];
	uint32_t len;
	uint32_t hash[INPUTS];
};

static uint64_t run(void *state)
{
	struct hashing *h = state;

	for (unsigned i = 0; i < INPUTS; i++)
		h->hash[i] = leat_toeplitz_hash(&h->toeplitz, h->input + i * h->len, h->len);
	return INPUTS;
}

static uint64_t run_bulk(void *state)
{
	struct hashing *h = state;

	leat_toeplitz_bulk(&h->toeplitz, h->each, h->len, h->hash, INPUTS);
	return INPUTS;
}

static size_t output(void *state, unsigned i, uint8_t *to)
{
	struct hashing *h = state;

	if (i > 0)
		return 0;
	if (to)
		memcpy(to, h->hash, sizeof(h->hash));
	return sizeof(h->hash);
}

static struct hashing *make_inputs(uint32_t len)
{
	struct hashing *h = bench_alloc(sizeof(*h));
	uint64_t random = 1;

	for (unsigned i = 0; i < sizeof(h->key); i++)
		h->key[i] = (uint8_t)bench_random(&random);
	for (unsigned i = 0; i < sizeof(h->input); i++)
		h->input[i] = (uint8_t)bench_random(&random);
	for (unsigned i = 0; i < INPUTS; i++)
		h->each[i] = h->input + i * len;
	h->len = len;
	leat_toeplitz_init(&h->toeplitz, h->key, sizeof(h->key));
	return h;
}

/* n: bytes, enum peer_hash_how. */
static int make(const struct bench *b, const struct bench_case *c, struct work *ours,
		struct work *theirs, const char **why)
{
	struct hashing *h = make_inputs(c->n[0]);
	struct peer_hash hash = {h->key, h->input, c->n[0], INPUTS, (enum peer_hash_how)c->n[1]};

	*ours = (struct work){.run = hash.how == PEER_HASH_SIMD_BATCH ? run_bulk : run,
			      .output = output,
			      .drop = free,
			      .state = h};
	if (b->peer && b->peer->hash && b->peer->hash(&hash, theirs)) {
		*theirs = (struct work){0};
		*why = "this CPU cannot";
	}
	return 0;
}

static int make_portable(const struct bench *b, const struct bench_case *c, struct work *ours,
			 struct work *theirs, const char **why)
{
	int e = make(b, c, ours, theirs, why);

	ours->prepare = bench_select_portable;
	return e;
}

/* A variant against portable C; n[1]: by the batch. */
static int make_variant(const struct bench *b, const struct bench_case *c, struct work *ours,
			struct work *theirs, const char **why)
{
	(void)b;
	(void)why;
	*ours = (struct work){.prepare = bench_select_best,
			      .run = c->n[1] ? run_bulk : run,
			      .output = output,
			      .drop = free,
			      .state = make_inputs(c->n[0])};
	*theirs = *ours;
	theirs->prepare = bench_select_portable;
	theirs->state = make_inputs(c->n[0]);
	return 0;
}

/* "SIMD" is the peer's, with GFNI; ours there is what the CPU can. */
static const struct bench_case cases[] = {
	{"toeplitz 12 B, portable", NULL, "hash", 0.15, 0, make_portable, {V4, PEER_HASH_SCALAR}},
	{"toeplitz 36 B, portable", NULL, "hash", 0.15, 0, make_portable, {V6, PEER_HASH_SCALAR}},
	{"toeplitz 12 B, SIMD one", NULL, "hash", 1.0, 0, make, {V4, PEER_HASH_SIMD}},
	{"toeplitz 36 B, SIMD one", NULL, "hash", 1.0, 0, make, {V6, PEER_HASH_SIMD}},
	{"toeplitz 12 B, SIMD batch", NULL, "hash", 0.75, 0, make, {V4, PEER_HASH_SIMD_BATCH}},
	{"toeplitz 36 B, SIMD batch", NULL, "hash", 0.75, 0, make, {V6, PEER_HASH_SIMD_BATCH}},
	{"toeplitz 12 B, variant", "portable", "hash", 0.77, 0, make_variant, {V4}},
	{"toeplitz 36 B, variant", "portable", "hash", 0.77, 0, make_variant, {V6}},
	{"toeplitz 12 B, batch, variant", "portable", "hash", 0.77, 0, make_variant, {V4, true}},
	{"toeplitz 36 B, batch, variant", "portable", "hash", 0.77, 0, make_variant, {V6, true}},
};

const struct subject subject_hash = {cases, BENCH_LEN(cases), NULL, 0};
