/* SPDX-License-Identifier: MIT */
/*
 * Toeplitz and the Internet checksum: functions of DPDK's headers, compiled here for this
 * machine's CPU.
 */
#include "dpdk.h"

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_thash.h>
#include <stdlib.h>
#include <string.h>

enum { KEY = 40 };

struct hashing {
	struct peer_hash ask;
	uint32_t *words; /* softrss wants them in host order */
	uint8_t **input;
	uint64_t matrix[KEY];
	uint32_t hash[];
};

static uint64_t softrss(void *state)
{
	struct hashing *h = state;
	uint32_t words = h->ask.len / 4;

	for (uint32_t i = 0; i < h->ask.n; i++)
		h->hash[i] = rte_softrss(h->words + i * words, words, h->ask.key);
	return h->ask.n;
}

static uint64_t gfni(void *state)
{
	struct hashing *h = state;

	dpdk_gfni(h->matrix, h->ask.input, h->ask.len, h->ask.n, h->hash);
	return h->ask.n;
}

static uint64_t gfni_bulk(void *state)
{
	struct hashing *h = state;

	dpdk_gfni_bulk(h->matrix, h->input, h->ask.len, h->ask.n, h->hash);
	return h->ask.n;
}

static size_t output(void *state, unsigned i, uint8_t *to)
{
	struct hashing *h = state;
	size_t size = h->ask.n * sizeof(*h->hash);

	if (i > 0)
		return 0;
	if (to)
		memcpy(to, h->hash, size);
	return size;
}

static void drop(void *state)
{
	struct hashing *h = state;

	free(h->words);
	free(h->input);
	free(h);
}

/* rte_thash_gfni_supported() says no where DPDK itself was built for older CPUs, as Debian's is,
 * though the functions of the header work. */
static bool has_gfni(void)
{
	return __builtin_cpu_supports("gfni") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
	       __builtin_cpu_supports("avx512vbmi");
}

int dpdk_hash(const struct peer_hash *ask, struct work *work)
{
	static uint64_t (*const runs[])(void *) = {softrss, gfni, gfni_bulk};
	uint32_t words = ask->len / 4 * ask->n;
	struct hashing *h;

	if (ask->how != PEER_HASH_SCALAR && !has_gfni())
		return -1;
	h = calloc(1, sizeof(*h) + ask->n * sizeof(*h->hash));
	if (!h)
		return -1;
	h->ask = *ask;
	h->words = malloc(words * sizeof(*h->words));
	h->input = malloc(ask->n * sizeof(*h->input));
	if (!h->words || !h->input) {
		drop(h);
		return -1;
	}
	memcpy(h->words, ask->input, words * sizeof(*h->words));
	for (uint32_t i = 0; i < words; i++)
		h->words[i] = rte_be_to_cpu_32(h->words[i]);
	for (uint32_t i = 0; i < ask->n; i++)
		h->input[i] = (uint8_t *)ask->input + i * ask->len;
	rte_thash_complete_matrix(h->matrix, ask->key, KEY);
	*work = (struct work){.run = runs[ask->how], .output = output, .drop = drop, .state = h};
	return 0;
}

/* --- checksum --- */

struct summing {
	struct peer_csum ask;
	uint32_t sum[];
};

static uint64_t sum(void *state)
{
	struct summing *s = state;

	for (uint32_t i = 0; i < s->ask.n; i++)
		s->sum[i] = rte_raw_cksum(s->ask.block[i], s->ask.len);
	return s->ask.n;
}

static size_t output_sums(void *state, unsigned i, uint8_t *to)
{
	struct summing *s = state;
	size_t size = s->ask.n * sizeof(*s->sum);

	if (i > 0)
		return 0;
	if (to)
		memcpy(to, s->sum, size);
	return size;
}

int dpdk_csum(const struct peer_csum *ask, struct work *work)
{
	struct summing *s = malloc(sizeof(*s) + ask->n * sizeof(*s->sum));

	if (!s)
		return -1;
	s->ask = *ask;
	*work = (struct work){.run = sum, .output = output_sums, .drop = free, .state = s};
	return 0;
}
