/* SPDX-License-Identifier: MIT */
/*
 * Checksums of blocks of memory: the Internet's against the peer's and against reading the bytes at
 * all, CRC32c against the CPU's instruction in the plainest loop.
 */
#include "bench.h"

#include <leat/csum.h>
#include <stdlib.h>
#include <string.h>

/* Blocks of any size fill the same memory, or rows would show caches: a run goes over it once. */
enum { SPACE = 1 << 20, BLOCKS_MAX = SPACE / 64 };

struct summing {
	uint8_t *memory;
	const uint8_t *block[BLOCKS_MAX];
	uint32_t len, n;
	uint32_t result[BLOCKS_MAX];
};

static size_t output(void *state, unsigned i, uint8_t *to)
{
	struct summing *s = state;

	if (i > 0)
		return 0;
	if (to)
		memcpy(to, s->result, s->n * sizeof(*s->result));
	return s->n * sizeof(*s->result);
}

static void drop(void *state)
{
	free(((struct summing *)state)->memory);
	free(state);
}

static struct summing *make_blocks(uint32_t len)
{
	struct summing *s = bench_alloc(sizeof(*s));
	uint32_t stride = (len + 63) / 64 * 64;
	uint64_t random = 1;

	*s = (struct summing){.memory = bench_alloc(SPACE), .len = len};
	for (uint32_t i = 0; i < SPACE; i++)
		s->memory[i] = (uint8_t)bench_random(&random);
	for (; (s->n + 1) * stride <= SPACE; s->n++)
		s->block[s->n] = s->memory + s->n * stride;
	return s;
}

static uint64_t sum(void *state)
{
	struct summing *s = state;

	for (uint32_t i = 0; i < s->n; i++)
		s->result[i] = leat_csum_fold(leat_csum_partial(s->block[i], s->len, 0));
	return s->n;
}

static uint64_t crc(void *state)
{
	struct summing *s = state;

	for (uint32_t i = 0; i < s->n; i++)
		s->result[i] = leat_crc32c(s->block[i], s->len, UINT32_MAX);
	return s->n;
}

static int make_sum(const struct bench *b, const struct bench_case *c, struct work *ours,
		    struct work *theirs, const char **why)
{
	struct summing *s = make_blocks(c->n[0]);
	struct peer_csum csum = {s->block, s->len, s->n};

	(void)why;
	*ours = (struct work){.run = sum, .output = output, .drop = drop, .state = s};
	if (b->peer && b->peer->csum && b->peer->csum(&csum, theirs))
		*theirs = (struct work){0};
	return 0;
}

static int make_sum_portable(const struct bench *b, const struct bench_case *c, struct work *ours,
			     struct work *theirs, const char **why)
{
	int e = make_sum(b, c, ours, theirs, why);

	ours->prepare = bench_select_portable;
	return e;
}

/* A variant against portable C; n[1]: it is CRC32c's. */
static int make_variant(const struct bench *b, const struct bench_case *c, struct work *ours,
			struct work *theirs, const char **why)
{
	uint64_t (*run)(void *) = c->n[1] ? crc : sum;

	(void)b;
	(void)why;
	*ours = (struct work){.prepare = bench_select_best,
			      .run = run,
			      .output = output,
			      .drop = drop,
			      .state = make_blocks(c->n[0])};
	*theirs = *ours;
	theirs->prepare = bench_select_portable;
	theirs->state = make_blocks(c->n[0]);
	return 0;
}

/* --- floors --- */

#if defined(__x86_64__)
#define TARGET(isa) __attribute__((target(isa)))
#define HAS(isa)    __builtin_cpu_supports(isa)
#else
#define TARGET(isa)
#define HAS(isa) 0
#endif

/* Vectors of 16 and 32 bytes, at any address. */
typedef uint64_t v16 __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint64_t v32 __attribute__((vector_size(32), aligned(1), may_alias));

/* Four loads at a time into as many registers; what is left of 4 vectors is not worth more. */
#define DEFINE_LOAD(name, isa, vector)                                                \
	isa static uint64_t name(const uint8_t *p, uint32_t len)                      \
	{                                                                             \
		const vector *v = (const vector *)p, *end = v + len / sizeof(vector); \
		vector a = {0}, b = a, c = a, d = a;                                  \
                                                                                      \
		for (; v + 4 <= end; v += 4) {                                        \
			a |= v[0];                                                    \
			b |= v[1];                                                    \
			c |= v[2];                                                    \
			d |= v[3];                                                    \
		}                                                                     \
		for (; v < end; v++)                                                  \
			a |= *v;                                                      \
		a |= b | c | d;                                                       \
		return a[0] | a[1];                                                   \
	}

DEFINE_LOAD(load16, , v16)
DEFINE_LOAD(load32, TARGET("avx2"), v32)

static uint64_t load_all(void *state)
{
	struct summing *s = state;
	uint64_t (*load)(const uint8_t *, uint32_t) = HAS("avx2") ? load32 : load16;

	for (uint32_t i = 0; i < s->n; i++)
		s->result[i] = (uint32_t)load(s->block[i], s->len);
	return s->n;
}

static int make_load(const struct bench *b, const struct bench_case *c, struct work *ours,
		     struct work *theirs, const char **why)
{
	struct summing *s = make_blocks(c->n[0]);

	(void)b;
	(void)why;
	*ours = (struct work){.run = sum, .drop = drop, .state = s};
	*theirs = (struct work){.run = load_all, .drop = drop, .state = make_blocks(c->n[0])};
	return 0;
}

#if defined(__x86_64__)
TARGET("sse4.2") static uint32_t one_lane(const uint8_t *p, uint32_t len)
{
	uint64_t crc = UINT32_MAX, word;

	for (; len >= sizeof(word); p += sizeof(word), len -= (uint32_t)sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		crc = __builtin_ia32_crc32di(crc, word);
	}
	for (; len > 0; len--)
		crc = __builtin_ia32_crc32qi((uint32_t)crc, *p++);
	return (uint32_t)crc;
}
#else
static uint32_t one_lane(const uint8_t *p, uint32_t len)
{
	return leat_crc32c(p, len, UINT32_MAX);
}
#endif

static uint64_t crc_one_lane(void *state)
{
	struct summing *s = state;

	for (uint32_t i = 0; i < s->n; i++)
		s->result[i] = one_lane(s->block[i], s->len);
	return s->n;
}

static int make_crc(const struct bench *b, const struct bench_case *c, struct work *ours,
		    struct work *theirs, const char **why)
{
	(void)b;
	*ours = (struct work){
		.run = crc, .output = output, .drop = drop, .state = make_blocks(c->n[0])};
	if (HAS("sse4.2"))
		*theirs = (struct work){.run = crc_one_lane,
					.output = output,
					.drop = drop,
					.state = make_blocks(c->n[0])};
	else
		*why = "this CPU has no such instruction";
	return 0;
}

static int make_crc_portable(const struct bench *b, const struct bench_case *c, struct work *ours,
			     struct work *theirs, const char **why)
{
	int e = make_crc(b, c, ours, theirs, why);

	ours->prepare = bench_select_portable;
	return e;
}

static const struct bench_case cases[] = {
	{"checksum 64 B", NULL, "block", 1.0, 0, make_sum, {64}},
	{"checksum 1448 B", NULL, "block", 0.6, 0, make_sum, {1448}},
	{"checksum 64 KB", NULL, "block", 0.6, 0, make_sum, {65536}},
	{"checksum 64 B, floor", "vector load", "block", 0, 0, make_load, {64}},
	{"checksum 1448 B, floor", "vector load", "block", 0, 0, make_load, {1448}},
	{"checksum 64 KB, floor", "vector load", "block", 0, 0, make_load, {65536}},
	{"crc32c 1448 B", "one lane", "block", 0.33, 0, make_crc, {1448}},
	{"checksum 1448 B, portable", NULL, "block", 0, 0, make_sum_portable, {1448}},
	{"checksum 64 KB, portable", NULL, "block", 0, 0, make_sum_portable, {65536}},
	{"crc32c 1448 B, portable", "one lane", "block", 0, 0, make_crc_portable, {1448}},
	{"checksum 128 B, variant", "portable", "block", 0.77, 0, make_variant, {128}},
	{"checksum 1448 B, variant", "portable", "block", 0.77, 0, make_variant, {1448}},
	{"checksum 64 KB, variant", "portable", "block", 0.77, 0, make_variant, {65536}},
	{"crc32c 64 B, variant", "portable", "block", 0.77, 0, make_variant, {64, true}},
	{"crc32c 1448 B, variant", "portable", "block", 0.77, 0, make_variant, {1448, true}},
};

const struct subject subject_csum = {cases, BENCH_LEN(cases), NULL, 0};
