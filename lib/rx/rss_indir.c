/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include <leat/rss.h>

enum { PER_QUEUE = 4 };

unsigned leat_rss_indir_size(unsigned n_queues)
{
	unsigned size = LEAT_RSS_INDIR_DEFAULT;

	while (size < PER_QUEUE * n_queues && size < LEAT_RSS_INDIR_MAX)
		size *= 2;
	return size;
}

void leat_rss_indir_equal(uint16_t *indir, unsigned size, unsigned start, unsigned n)
{
	for (unsigned i = 0; i < size; i++)
		indir[i] = (uint16_t)(start + i % n);
}

int leat_rss_indir_weight(uint16_t *indir, unsigned size, unsigned start, const uint32_t *weight,
			  unsigned n)
{
	uint64_t sum = 0, before = 0;
	unsigned i = 0;

	for (unsigned q = 0; q < n; q++)
		sum += weight[q];
	if (sum == 0 || sum > size)
		return -EINVAL;
	for (unsigned q = 0; q < n; q++) {
		before += weight[q];
		for (; i < size * before / sum; i++)
			indir[i] = (uint16_t)(start + q);
	}
	return 0;
}

int leat_rss_indir_replicate(uint16_t *indir, unsigned n, unsigned size)
{
	if (n == 0 || size % n != 0)
		return -EINVAL;
	for (unsigned i = n; i < size; i++)
		indir[i] = indir[i - n];
	return 0;
}

bool leat_rss_indir_resizable(const uint16_t *indir, unsigned size, unsigned to)
{
	if (to == 0)
		return false;
	if (to >= size)
		return to % size == 0;
	return size % to == 0 && memcmp(indir, indir + to, (size - to) * sizeof(*indir)) == 0;
}
