/* SPDX-License-Identifier: MIT */
/* A peer for tests: its checksums of 1448 bytes are wrong, others right; it has nothing else. */
#include "bench/peer.h"

#include <leat/csum.h>
#include <stdlib.h>
#include <string.h>

enum { WRONG = 1448 };

struct summing {
	struct peer_csum ask;
	uint32_t sum[];
};

static uint64_t run(void *state)
{
	struct summing *s = state;

	for (uint32_t i = 0; i < s->ask.n; i++)
		s->sum[i] = leat_csum_fold(leat_csum_partial(s->ask.block[i], s->ask.len, 0));
	s->sum[s->ask.n - 1] ^= s->ask.len == WRONG;
	return s->ask.n;
}

static size_t output(void *state, unsigned i, uint8_t *to)
{
	struct summing *s = state;
	size_t size = s->ask.n * sizeof(*s->sum);

	if (i > 0)
		return 0;
	if (to)
		memcpy(to, s->sum, size);
	return size;
}

static int make(const struct peer_csum *ask, struct work *work)
{
	struct summing *s = malloc(sizeof(*s) + ask->n * sizeof(*s->sum));

	if (!s)
		return -1;
	s->ask = *ask;
	*work = (struct work){.run = run, .output = output, .drop = free, .state = s};
	return 0;
}

static int open_peer(char *err, size_t err_len)
{
	(void)err;
	(void)err_len;
	return 0;
}

__attribute__((visibility("default"))) const struct peer leat_bench_peer = {
	.version = PEER_VERSION,
	.name = "wrong",
	.open = open_peer,
	.csum = make,
};
