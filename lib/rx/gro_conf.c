/* SPDX-License-Identifier: MIT */
/*
 * gro_conf.c - what a table is to be like: its defaults, its size, and an empty one.
 */
#include <errno.h>

#include "gro.h"

enum { LINE = 64 };

_Static_assert(sizeof(struct leat_gro_flow) == LINE, "a flow is one cache line");

/* Fill in the defaults; false if a value is out of its range. */
static bool fill_in(struct leat_gro_conf *conf)
{
	if (conf->buckets == 0)
		conf->buckets = 4096;
	if (conf->depth == 0)
		conf->depth = 8;
	if (conf->flows == 0)
		conf->flows = 4096;
	if (conf->max_size == 0)
		conf->max_size = 65536;
	if (conf->max_size4 == 0)
		conf->max_size4 = conf->max_size;
	if (conf->max_segs == 0)
		conf->max_segs = UINT16_MAX;
	if (conf->buckets > LEAT_GRO_BUCKETS_MAX || (conf->buckets & (conf->buckets - 1)) != 0 ||
	    conf->depth > LEAT_GRO_DEPTH_MAX || conf->max_size > LEAT_GRO_SIZE_MAX ||
	    conf->max_size4 > LEAT_GRO_SIZE_MAX || conf->max_segs < 2 ||
	    conf->max_segs > UINT16_MAX)
		return false;
	if (conf->flows > conf->buckets * conf->depth)
		conf->flows = conf->buckets * conf->depth;
	return true;
}

static size_t bucket_bytes(const struct leat_gro_conf *conf)
{
	return (conf->buckets * sizeof(uint32_t) + LINE - 1) / LINE * LINE;
}

size_t leat_gro_size(const struct leat_gro_conf *conf)
{
	struct leat_gro_conf full = *conf;

	if (!fill_in(&full))
		return 0;
	return bucket_bytes(&full) + full.flows * sizeof(struct leat_gro_flow);
}

int leat_gro_init(struct leat_gro *gro, const struct leat_gro_conf *conf, void *mem)
{
	struct leat_gro_conf full = *conf;

	if (!fill_in(&full))
		return -EINVAL;
	*gro = (struct leat_gro){.conf = full, .oldest = NIL, .youngest = NIL, .last = NIL};
	gro->tcp = full.fraglist ? &leat_gro_list_tcp : &leat_gro_tcp;
	gro->udp = full.fraglist ? &leat_gro_list_udp : full.udp ? &leat_gro_udp : NULL;
	gro->sctp = full.sctp ? &leat_gro_sctp : NULL;
	gro->bucket = mem;
	gro->flow = (void *)((uint8_t *)mem + bucket_bytes(&full));
	for (uint32_t i = 0; i < full.buckets; i++)
		gro->bucket[i] = NIL;
	for (uint32_t i = 0; i < full.flows; i++)
		gro->flow[i].next = i + 1 < full.flows ? i + 1 : NIL;
	return 0;
}
