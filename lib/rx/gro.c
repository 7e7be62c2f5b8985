/* SPDX-License-Identifier: MIT */
/*
 * gro.c - the table of held flows, and what happens to each packet.
 *
 * A packet goes through at most four questions, each a pure function that gives a reason or
 * LEAT_GRO_MERGED, "nothing against it": does GRO know the protocol; may the packet be merged at
 * all; is its flow held; does it continue what is held. Then what is to be done is done, and
 * cannot fail. Order within a flow is kept by one rule: a packet of a held flow that is not merged
 * gives out what is held before it goes anywhere itself.
 *
 * The table: a bucket is a list of flows, youngest first, doubly linked so that a flow can leave
 * it from wherever it was found; all flows are in a list by age too. Flows not in use are a list
 * whose first is the last one freed, so it is the one in the cache. Nothing is ever searched but
 * one bucket, whose length is bounded.
 *
 * A flow's packets are chained as they come; the headers of the super-packet are written when it
 * is given out. A packet that stayed alone is given out as it came.
 *
 * What is counted balances: every packet that came in counts once as MERGED, HELD or a reason to
 * pass; every packet HELD counts once more when given out, under the difference that the next
 * packet had or under END_SMALL to TIMEOUT.
 */
#include <leat/csum.h>
#include <leat/parse.h>

#include "../flow_hash.h"
#include "gro_tcp.h"

enum {
	AHEAD = 32,	 /* packets that are looked at together */
	FEW = 4096,	 /* flows: all are in the second-level cache */
	RAW_BUCKETS = 8, /* tables up to this size use the hash's own low bits, as Linux does */
	SMALL = UINT16_MAX + 1, /* what all but BIG TCP stays below */
};

static uint32_t *bucket_of(const struct leat_gro *gro, uint32_t hash)
{
	uint32_t buckets = gro->conf.buckets;

	/* RSS chose the queue by the hash's low bits, so there they say little: mix them. */
	if (buckets > RAW_BUCKETS)
		hash = leat_hash_32(hash, 16);
	return &gro->bucket[hash & (buckets - 1)];
}

static void link_age(struct leat_gro *gro, uint32_t i)
{
	struct leat_gro_flow *flow = &gro->flow[i];

	flow->older = gro->youngest;
	flow->younger = NIL;
	if (gro->youngest != NIL)
		gro->flow[gro->youngest].younger = i;
	else
		gro->oldest = i;
	gro->youngest = i;
}

static void unlink_age(struct leat_gro *gro, const struct leat_gro_flow *flow)
{
	if (flow->older != NIL)
		gro->flow[flow->older].younger = flow->younger;
	else
		gro->oldest = flow->younger;
	if (flow->younger != NIL)
		gro->flow[flow->younger].older = flow->older;
	else
		gro->youngest = flow->older;
}

static void link_bucket(struct leat_gro *gro, uint32_t i)
{
	struct leat_gro_flow *flow = &gro->flow[i];
	uint32_t *first = bucket_of(gro, flow->hash);

	flow->prev = NIL;
	flow->next = *first;
	if (flow->next != NIL)
		gro->flow[flow->next].prev = i;
	*first = i;
}

static void unlink_bucket(struct leat_gro *gro, const struct leat_gro_flow *flow)
{
	if (flow->prev != NIL)
		gro->flow[flow->prev].next = flow->next;
	else
		*bucket_of(gro, flow->hash) = flow->next;
	if (flow->next != NIL)
		gro->flow[flow->next].prev = flow->prev;
}

static struct leat_pkt *give_out(struct leat_gro *gro, uint32_t i, enum leat_gro_reason why)
{
	struct leat_gro_flow *flow = &gro->flow[i];

	if (flow->segs > 1)
		leat_gro_super_complete(gro, flow);
	unlink_age(gro, flow);
	unlink_bucket(gro, flow);
	flow->next = gro->free;
	gro->free = i;
	gro->held--;
	gro->last = gro->last == i ? NIL : gro->last;
	gro->count[why]++;
	return flow->head;
}

/* The flow that has to go before one more can be held in the bucket of `hash`, or NIL. */
static uint32_t find_victim(const struct leat_gro *gro, uint32_t hash)
{
	uint32_t n = 0, last = NIL;

	for (uint32_t i = *bucket_of(gro, hash); i != NIL; i = gro->flow[i].next, n++)
		last = i;
	if (n >= gro->conf.depth)
		return last;
	return gro->free == NIL ? gro->oldest : NIL;
}

static uint32_t min_of(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* May it grow over 64 KB, if it is TCP? A jumbogram option needs its place. */
static bool may_be_big(const struct leat_gro_conf *conf, const struct leat_pkt *pkt)
{
	if (pkt->levels > 1)
		return false;
	return pkt->lvl[0].version == 4 || conf->no_jumbogram ||
	       (pkt->head && pkt->data - pkt->head >= IP6_JUMBO_HLEN);
}

static void set_limits(const struct leat_gro *gro, struct leat_gro_flow *flow,
		       const struct leat_gro_proto *proto)
{
	const struct leat_gro_conf *conf = &gro->conf;
	const struct leat_pkt *pkt = flow->head;
	uint32_t size_max = pkt->lvl[0].version == 4 ? conf->max_size4 : conf->max_size;

	size_max = min_of(size_max, proto->size_max);
	if (size_max > SMALL && !may_be_big(conf, pkt))
		size_max = SMALL;
	if (proto->whole) /* Linux counts the headers of the one that is to come, too */
		size_max = min_of(size_max, SMALL - (pkt->payload - pkt->lvl[0].network));
	flow->size_max = size_max + pkt->lvl[0].network;
	flow->segs_max = (uint16_t)min_of(conf->max_segs, proto->segs_max);
}

static void hold(struct leat_gro *gro, struct leat_pkt *pkt, const struct leat_gro_proto *proto,
		 const struct leat_gro_seg *seg, uint32_t hash, uint64_t now)
{
	uint32_t i = gro->free;
	struct leat_gro_flow *flow = &gro->flow[i];

	gro->free = flow->next;
	flow->head = pkt;
	flow->stamp = now;
	flow->hash = hash;
	flow->ports = load_raw32(seg->l4 + L4_SPORT);
	flow->seq = seg->seq + seg->len;
	flow->gso_size = proto->by_frags ? LEAT_GSO_BY_FRAGS : (uint16_t)seg->len;
	flow->segs = 1;
	flow->ends = 0;
	hold_ip(flow, pkt);
	set_limits(gro, flow, proto);
	link_bucket(gro, i);
	link_age(gro, i);
	gro->held++;
	gro->last = i;
	gro->count[LEAT_GRO_HELD]++;
}

static void merge(struct leat_gro *gro, uint32_t i, struct leat_pkt *pkt,
		  const struct leat_gro_seg *seg)
{
	struct leat_gro_flow *flow = &gro->flow[i];

	if (flow->segs == 1)
		decide_ids(flow, pkt);
	flow->segs++;
	flow->seq += seg->len;
	flow->ends |= seg->ends;
	pkt->data += pkt->payload;
	pkt->headlen = pkt->len = seg->len;
	leat_pkt_chain(flow->head, pkt);
	gro->last = i;
	gro->count[LEAT_GRO_MERGED]++;
}

static bool match(const struct leat_gro_flow *flow, const struct leat_pkt *pkt,
		  const struct leat_gro_seg *seg)
{
	return flow->ports == load_raw32(seg->l4 + L4_SPORT) && match_ip(flow->head, pkt);
}

/* Have both a hash that a device gave, and the same, or neither? */
static bool same_hash(const struct leat_gro_flow *flow, const struct leat_pkt *pkt)
{
	if (pkt->hash_type != LEAT_HASH_L4)
		return flow->head->hash_type != LEAT_HASH_L4;
	return flow->head->hash_type == LEAT_HASH_L4 && flow->hash == pkt->hash;
}

/* Is the packet of the flow that the one before it was of? Then it needs no hash of its own. */
static bool is_of_last(const struct leat_gro *gro, const struct leat_pkt *pkt,
		       const struct leat_gro_seg *seg)
{
	const struct leat_gro_flow *last;

	if (gro->last == NIL)
		return false;
	last = &gro->flow[gro->last];
	return match(last, pkt, seg) && same_hash(last, pkt);
}

/* The flow, or NIL if it is not held. */
static uint32_t find_flow(const struct leat_gro *gro, const struct leat_pkt *pkt,
			  const struct leat_gro_seg *seg, uint32_t hash)
{
	uint32_t i = *bucket_of(gro, hash);

	while (i != NIL && !(gro->flow[i].hash == hash && match(&gro->flow[i], pkt, seg)))
		i = gro->flow[i].next;
	return i;
}

static bool pseudo_right(const struct leat_pkt *pkt, const struct leat_gro_proto *proto,
			 const struct leat_gro_seg *seg)
{
	const struct leat_level *l = leat_pkt_inner(pkt);
	uint32_t pseudo = leat_csum_pseudo(pkt->data, l, pkt->len - l->transport);

	return leat_csum_fold(pseudo) == load_raw16(seg->l4 + proto->csum_offset);
}

/* A checksum to be completed is right if it sums the right thing from the right place: merged,
 * all of it is computed anew, and must not become right by that. */
static bool partial_right(const struct leat_pkt *pkt, const struct leat_gro_proto *proto,
			  const struct leat_gro_seg *seg)
{
	return pkt->csum_start == leat_pkt_inner(pkt)->transport &&
	       pkt->csum_offset == proto->csum_offset &&
	       (!proto->pseudo || pseudo_right(pkt, proto, seg));
}

static bool csum_right(struct leat_pkt *pkt, const struct leat_gro_proto *proto,
		       const struct leat_gro_seg *seg)
{
	if (pkt->csum == LEAT_CSUM_UNNECESSARY)
		return true;
	if (pkt->csum == LEAT_CSUM_PARTIAL)
		return partial_right(pkt, proto, seg);
	return proto->verify(pkt);
}

/* In a tunnel: both checksums. */
static enum leat_gro_reason refuse_tunnel(struct leat_pkt *pkt, const struct leat_gro_proto *proto,
					  const struct leat_gro_seg *seg)
{
	bool right;

	if (!is_remcsum(pkt))
		right = csum_right(pkt, proto, seg);
	else if (pkt->csum == LEAT_CSUM_PARTIAL)
		right = partial_right(pkt, proto, seg);
	else
		right = proto->pseudo && pseudo_right(pkt, proto, seg) &&
			leat_gro_tunnel_covers(pkt);
	return right ? leat_gro_tunnel_refuse(pkt) : LEAT_GRO_L4_CSUM;
}

/* May the packet be merged or, unless its flow is held already, held? Checksums, which cost most,
 * come last. */
static enum leat_gro_reason refuse(const struct leat_gro *gro, struct leat_pkt *pkt,
				   const struct leat_gro_proto *proto, bool is_held,
				   struct leat_gro_seg *seg)
{
	enum leat_gro_reason why;

	if ((pkt->gso_size | pkt->gso_type) != 0 || pkt->frag_list != NULL)
		return LEAT_GRO_IS_GSO;
	why = proto == &leat_gro_tcp ? tcp_refuse(&gro->conf, pkt, seg) :
				       proto->refuse(&gro->conf, pkt, seg);
	if (why != LEAT_GRO_MERGED)
		return why;
	if (!is_held && seg->ends != 0)
		return LEAT_GRO_PSH_FIRST;
	if (pkt->levels > 1)
		return refuse_tunnel(pkt, proto, seg);
	return csum_right(pkt, proto, seg) ? LEAT_GRO_MERGED : LEAT_GRO_L4_CSUM;
}

/* Does the packet continue what is held? */
static enum leat_gro_reason differ(const struct leat_gro_flow *flow, const struct leat_pkt *pkt,
				   const struct leat_gro_proto *proto,
				   const struct leat_gro_seg *seg)
{
	enum leat_gro_reason why =
		proto == &leat_gro_tcp ? tcp_differ(flow, pkt, seg) : proto->differ(flow, pkt, seg);

	if (why != LEAT_GRO_MERGED)
		return why;
	if (seg->len > flow->gso_size)
		return LEAT_GRO_SIZE;
	if (flow->head->len + seg->len >= flow->size_max)
		return LEAT_GRO_MAX_SIZE;
	return LEAT_GRO_MERGED;
}

/* Can nothing be merged any more after `seg`, which was? */
static enum leat_gro_reason end(const struct leat_gro_flow *flow, const struct leat_gro_seg *seg)
{
	if (seg->len < flow->gso_size && flow->gso_size != LEAT_GSO_BY_FRAGS)
		return LEAT_GRO_END_SMALL;
	if (seg->ends != 0)
		return LEAT_GRO_END_FLAGS;
	return flow->segs >= flow->segs_max ? LEAT_GRO_MAX_SIZE : LEAT_GRO_MERGED;
}

/* What leat_flow_hash() gives; but a fragment, hashed by its addresses, is hashed as though it were
 * whole, as its flow is. */
static uint32_t hash_of(const struct leat_gro *gro, const struct leat_pkt *pkt)
{
	if (pkt->hash_type == LEAT_HASH_L4)
		return pkt->hash;
	return flow_hash(pkt, true, true, &gro->conf.key);
}

/* One packet of a protocol GRO knows. Gives how many came out: at most two. */
static unsigned receive(struct leat_gro *gro, struct leat_pkt *pkt,
			const struct leat_gro_proto *proto, uint64_t now, struct leat_pkt **out)
{
	struct leat_gro_seg seg = {
		.l4 = pkt->data + leat_pkt_inner(pkt)->transport,
		.len = pkt->len - pkt->payload,
	};
	/* Not expected: who has many flows, and pays for their lines, is not to pay for this, too. */
	bool again = __builtin_expect(is_of_last(gro, pkt, &seg), false);
	uint32_t hash = again ? gro->flow[gro->last].hash : hash_of(gro, pkt);
	uint32_t i = again ? gro->last : find_flow(gro, pkt, &seg, hash);
	enum leat_gro_reason refused = refuse(gro, pkt, proto, i != NIL, &seg);
	enum leat_gro_reason differs = LEAT_GRO_END_PASS;
	unsigned n = 0;

	if (i != NIL) {
		if (refused == LEAT_GRO_MERGED)
			differs = differ(&gro->flow[i], pkt, proto, &seg);
		if (differs == LEAT_GRO_MERGED) {
			merge(gro, i, pkt, &seg);
			differs = end(&gro->flow[i], &seg);
			if (differs != LEAT_GRO_MERGED)
				out[n++] = give_out(gro, i, differs);
			return n;
		}
		out[n++] = give_out(gro, i, differs);
		if (refused == LEAT_GRO_MERGED && seg.ends != 0)
			refused = LEAT_GRO_PSH_FIRST;
	}
	if (refused != LEAT_GRO_MERGED) {
		gro->count[refused]++;
		out[n++] = pkt;
		return n;
	}
	i = find_victim(gro, hash);
	if (i != NIL)
		out[n++] = give_out(gro, i, LEAT_GRO_EVICTED);
	hold(gro, pkt, proto, &seg, hash, now);
	return n;
}

/* How the packet's transport is merged, or NULL: no flow that could be held here. */
static const struct leat_gro_proto *find_proto(const struct leat_gro *gro,
					       const struct leat_pkt *pkt)
{
	const struct leat_level *l;

	if (pkt->depth != LEAT_DEPTH_TRANSPORT)
		return NULL;
	l = leat_pkt_inner(pkt);
	if (l->protocol == PROTO_TCP)
		return gro->tcp;
	if (l->protocol == PROTO_UDP)
		return l->tunnel == LEAT_TUNNEL_NONE ? gro->udp : NULL;
	return gro->sctp; /* there is no fourth */
}

/* What is wrong inside of a tunnel does not matter, but that it was not entered. */
static enum leat_gro_reason why_no_proto(const struct leat_pkt *pkt)
{
	const struct leat_level *l;

	if (pkt->reason == LEAT_PARSE_FRAGMENT)
		return LEAT_GRO_IP_FRAGMENT;
	if (pkt->reason == LEAT_PARSE_TUNNEL_DEPTH)
		return LEAT_GRO_TUNNEL_DEPTH;
	if (pkt->levels == 0)
		return LEAT_GRO_NOT_PARSED;
	l = leat_pkt_inner(pkt);
	if (l->tunnel != LEAT_TUNNEL_NONE)
		return LEAT_GRO_TUNNEL_INSIDE;
	if (pkt->reason != LEAT_PARSE_OK)
		return LEAT_GRO_NOT_PARSED;
	return l->protocol == PROTO_UDP ? LEAT_GRO_UDP_OFF : LEAT_GRO_SCTP_OFF;
}

/* Where many flows are held those of the packets to come are in no cache: ask for theirs together,
 * each step for what the next one reads. (Inlined always, or GCC takes it for a function without
 * effect, and drops its calls.) */
__attribute__((always_inline)) static inline void look_ahead(const struct leat_gro *gro,
							     struct leat_pkt *const *pkts,
							     unsigned n)
{
	const struct leat_pkt *head[AHEAD];
	uint32_t hash[AHEAD], at[AHEAD];
	unsigned asked = 0, heads = 0;

	for (unsigned i = 0; i < n; i++) {
		if (find_proto(gro, pkts[i])) {
			hash[asked] = hash_of(gro, pkts[i]);
			__builtin_prefetch(bucket_of(gro, hash[asked++]), 1);
		}
	}
	for (unsigned i = 0; i < asked; i++) {
		at[i] = *bucket_of(gro, hash[i]);
		if (at[i] != NIL)
			__builtin_prefetch(&gro->flow[at[i]], 1);
	}
	for (unsigned i = 0; i < asked; i++) { /* the second of the bucket */
		if (at[i] != NIL && gro->flow[at[i]].hash != hash[i]) {
			at[i] = gro->flow[at[i]].next;
			if (at[i] != NIL)
				__builtin_prefetch(&gro->flow[at[i]], 1);
		}
	}
	for (unsigned i = 0; i < asked; i++) {
		if (at[i] != NIL) {
			head[heads] = gro->flow[at[i]].head;
			__builtin_prefetch(head[heads], 1);
			__builtin_prefetch(&head[heads++]->frag_tail, 1);
		}
	}
	for (unsigned i = 0; i < heads; i++) {
		__builtin_prefetch(head[i]->data);
		__builtin_prefetch(head[i]->frag_tail, 1);
	}
}

static unsigned receive_some(struct leat_gro *gro, struct leat_pkt *const *pkts, unsigned n,
			     uint64_t now, struct leat_pkt **out)
{
	unsigned n_out = 0;

	for (unsigned i = 0; i < n; i++) {
		struct leat_pkt *pkt = pkts[i];
		const struct leat_gro_proto *proto = find_proto(gro, pkt);

		if (proto == NULL) {
			gro->count[why_no_proto(pkt)]++;
			out[n_out++] = pkt;
			continue;
		}
		n_out += receive(gro, pkt, proto, now, out + n_out);
	}
	return n_out;
}

unsigned leat_gro_receive(struct leat_gro *gro, struct leat_pkt *const *pkts, unsigned n,
			  uint64_t now, struct leat_pkt **out)
{
	unsigned n_out = 0, some;

	for (; n > 0; pkts += some, n -= some) {
		some = min_of(n, AHEAD);
		if (gro->held > FEW)
			look_ahead(gro, pkts, some);
		n_out += receive_some(gro, pkts, some, now, out + n_out);
	}
	return n_out;
}

unsigned leat_gro_flush(struct leat_gro *gro, uint64_t before, struct leat_pkt **out, unsigned max)
{
	unsigned n = 0;

	while (n < max && gro->oldest != NIL) {
		if (gro->flow[gro->oldest].stamp >= before && before != UINT64_MAX)
			break;
		out[n++] = give_out(gro, gro->oldest, LEAT_GRO_TIMEOUT);
	}
	return n;
}

uint64_t leat_gro_oldest(const struct leat_gro *gro)
{
	return gro->oldest == NIL ? UINT64_MAX : gro->flow[gro->oldest].stamp;
}
