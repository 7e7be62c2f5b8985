/* SPDX-License-Identifier: MIT */
/*
 * The way of a frame: into a packet, through GRO, to its place, out.
 */
#include "coalesce.h"
#include "mend.h"

#include <leat/csum.h>
#include <leat/flow.h>
#include <leat/parse.h>
#include <string.h>

#define SPREAD 0x9e3779b1u /* odd: spreads interfaces over hashes */

static int write_packet(struct coalesce *c, const struct place *place)
{
	const struct leat_pkt *pkt = place->pkt;
	unsigned n = leat_pkt_slices(pkt, 0, (struct leat_slice *)&c->iov[1], SLICES);

	if (n == 0)
		c->iov[1 + n++] = (struct iovec){pkt->data, 0};
	return job_write(&c->job, &place->link, &place->mark, place->merged ? place->vnet : NULL,
			 &c->iov[1], n);
}

/* Write what is settled, up to the first place that is not. */
static int write_settled(struct coalesce *c)
{
	for (; c->first < c->next; c->first++) {
		struct place *place = &c->place[c->first % PLACES];

		if (!place->settled)
			break;
		if (!place->pkt)
			continue;
		if (write_packet(c, place))
			return -1;
		pool_give(&c->pool, &place->pkt, 1);
	}
	return 0;
}

static void settle(struct coalesce *c, struct leat_pkt *pkt, bool merged)
{
	struct place *place = place_of(c, pkt);

	place->pkt = pkt;
	place->settled = true;
	place->merged = merged;
}

/* Make the packet the frame again that it was. */
static void restore(struct coalesce *c, struct leat_pkt *pkt)
{
	leat_pkt_init(pkt, frame_of(pkt), place_of(c, pkt)->len);
	settle(c, pkt, false);
}

static void unmerge(struct coalesce *c, struct leat_pkt *head)
{
	uint16_t headers = head->frag_list->payload;
	struct leat_pkt *next;

	memcpy(frame_of(head), frame_of(head) + place_of(c, head)->len, headers);
	for (struct leat_pkt *pkt = head; pkt; pkt = next) {
		next = pkt->frag_list;
		restore(c, pkt);
	}
}

static void settle_super(struct coalesce *c, struct leat_pkt *head)
{
	for (struct leat_pkt *pkt = head->frag_list; pkt; pkt = pkt->frag_list) {
		place_of(c, pkt)->settled = true;
		c->job.count[JOB_MERGED]++;
	}
	c->job.count[JOB_MERGED]++;
	c->job.count[JOB_SUPERS]++;
	settle(c, head, true);
}

/* As the frame has no header to say what is left to do, nothing is but what the tunnel's own leaves
 * to the receiver. */
static void complete(struct leat_pkt *pkt)
{
	if (!(pkt->gso_type & LEAT_GSO_TUNNEL_REMCSUM))
		leat_csum_complete(pkt);
	leat_csum_complete_tunnel(pkt);
}

/* A packet that GRO gave out. */
static void give(struct coalesce *c, struct leat_pkt *pkt)
{
	if (!pkt->gso_type) {
		settle(c, pkt, false);
	} else if (!c->job.vnet_out) {
		complete(pkt);
		settle_super(c, pkt);
	} else if (coalesce_is_exact(c, pkt)) {
		settle_super(c, pkt);
	} else {
		unmerge(c, pkt);
	}
}

/* Give out what was first held before `before`, at most `max` packets; write what that settles. */
static int flush(struct coalesce *c, uint64_t before, unsigned max)
{
	struct leat_pkt *out[FLUSH];
	unsigned n, left = max;

	do {
		n = leat_gro_flush(&c->gro, before, out, left < FLUSH ? left : FLUSH);
		coalesce_explain(c, NULL, NULL, out, n);
		for (unsigned i = 0; i < n; i++)
			give(c, out[i]);
		left -= n;
	} while (n == FLUSH && left > 0);
	return write_settled(c);
}

static struct leat_pkt *take_packet(struct coalesce *c, bool small)
{
	for (;;) {
		struct leat_pkt *pkt = small ? pool_small(&c->pool) : pool_big(&c->pool);

		if (pkt)
			return pkt;
		if (flush(c, UINT64_MAX, 1))
			return NULL;
	}
}

/* A frame too long for one buffer: a chain, which GRO lets pass. NULL: writing failed. */
static struct leat_pkt *copy_long(struct coalesce *c, const struct job_frame *f)
{
	struct leat_pkt *head = NULL;

	for (uint32_t off = 0, part; off < f->len; off += part) {
		struct leat_pkt *pkt = take_packet(c, false);

		if (!pkt)
			return NULL;
		part = f->len - off < POOL_BIG ? f->len - off : POOL_BIG;
		memcpy(pkt->data, f->data + off, part);
		pkt->len = pkt->headlen = part;
		if (head)
			leat_pkt_chain(head, pkt);
		else
			head = pkt;
	}
	return head;
}

/* Copy the frame that was parsed as `parsed`, and its headers once more behind it. */
static struct leat_pkt *copy(struct coalesce *c, const struct job_frame *f,
			     const struct leat_pkt *parsed)
{
	uint32_t size = f->len + parsed->payload;
	struct leat_pkt *pkt, to;

	if (size > POOL_BIG) {
		pkt = copy_long(c, f);
		if (pkt)
			leat_parse(NULL, &pkt, 1);
		return pkt;
	}
	pkt = take_packet(c, size <= POOL_SMALL);
	if (!pkt)
		return NULL;
	to = *parsed;
	to.data = pkt->data;
	to.head = pkt->head;
	to.size = pkt->size;
	to.owner = pkt->owner;
	memcpy(to.data, f->data, f->len);
	memcpy(to.data + f->len, f->data, parsed->payload);
	*pkt = to;
	return pkt;
}

/* Flows of two interfaces are two flows. A first fragment has its flow's hash, so that it gives
 * out what is held of it. */
static void hash(struct leat_pkt *pkt, uint32_t interface)
{
	/* Not drawn: the same capture gives the same file, and buckets are bounded. */
	static const struct leat_flow_key key;
	struct leat_pkt whole = *pkt;

	if (pkt->depth != LEAT_DEPTH_TRANSPORT)
		return;
	whole.lvl[pkt->levels - 1].flags &= (uint8_t)~LEAT_IP_FRAGMENT;
	pkt->hash = leat_flow_hash(&whole, &key) ^ interface * SPREAD;
	pkt->hash_type = LEAT_HASH_L4;
}

/* Whether the frame may be of a flow without showing it, so that nothing may come before it that
 * came after it. */
static bool is_unclear(const struct job_frame *f, const struct leat_pkt *pkt)
{
	if (!f->whole || (pkt->levels && leat_pkt_inner(pkt)->tunnel)) /* not entered */
		return true;
	switch ((enum leat_parse_reason)pkt->reason) {
	case LEAT_PARSE_SHORT_NETWORK:
	case LEAT_PARSE_BAD_NETWORK:
	case LEAT_PARSE_EXTENSIONS:
	case LEAT_PARSE_SHORT_TRANSPORT:
	case LEAT_PARSE_BAD_TRANSPORT: return true;
	default: return false;
	}
}

/* A checksum that was left partial is right when completed; but with --vnet-hdr the same frame is
 * to come back, so it stays what it is. */
static void mend(struct coalesce *c, struct leat_pkt *pkt)
{
	if (!mend_is_partial(pkt, false))
		return;
	if (c->job.vnet_out) {
		pkt->csum = LEAT_CSUM_NONE;
		c->job.count[JOB_LEFT_PARTIAL]++;
	} else {
		mend_checksum(pkt);
		c->job.count[JOB_COMPLETED]++;
	}
}

static int open_place(struct coalesce *c, const struct job_frame *f)
{
	while (c->next - c->first == PLACES) {
		if (flush(c, UINT64_MAX, 1))
			return -1;
	}
	c->place[c->next++ % PLACES] = (struct place){
		.len = f->len,
		.frame = f->number,
		.link = f->link,
		.mark = f->mark,
	};
	return 0;
}

/* Through GRO, unless the frame is not to be looked into. */
static void receive(struct coalesce *c, const struct job_frame *f, const struct leat_pkt *parsed,
		    struct leat_pkt *pkt)
{
	struct leat_pkt *out[2];
	unsigned n;

	if (!f->known || !f->whole) {
		settle(c, pkt, false);
		return;
	}
	hash(pkt, f->mark.interface);
	n = leat_gro_receive(&c->gro, &pkt, 1, c->now, out);
	coalesce_explain(c, place_of(c, pkt), parsed, out, n);
	for (unsigned i = 0; i < n; i++)
		give(c, out[i]);
}

int coalesce_receive(struct coalesce *c, const struct job_frame *f)
{
	struct leat_pkt parsed, *one = &parsed, *pkt;

	leat_pkt_init(&parsed, f->data, f->len);
	if (f->known) {
		leat_parse(NULL, &one, 1);
		if (f->whole)
			mend(c, &parsed);
		if (is_unclear(f, &parsed) && flush(c, UINT64_MAX, UINT32_MAX))
			return -1;
	}
	if (f->mark.stamp > c->now)
		c->now = f->mark.stamp;
	if (c->now > c->timeout && flush(c, c->now - c->timeout, UINT32_MAX))
		return -1;
	pkt = copy(c, f, &parsed);
	if (!pkt || open_place(c, f))
		return -1;
	pkt->cookie = (uint32_t)((c->next - 1) % PLACES);
	receive(c, f, &parsed, pkt);
	return write_settled(c);
}

int coalesce_finish(struct coalesce *c)
{
	return flush(c, UINT64_MAX, UINT32_MAX);
}
