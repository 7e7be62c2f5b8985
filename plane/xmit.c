/* SPDX-License-Identifier: MIT */
/*
 * Packets become frames: a frame is the packet's slices as they are, or, where the port cannot
 * segment, a segment of it, made as late as possible: here. Frames are collected and handed to
 * the port under its queue's lock when the scratch memory is full or the packets are all done.
 */
#include "xmit.h"

#include "plane.h"
#include "txflow.h"

#include <errno.h>
#include <leat/csum.h>
#include <leat/gso.h>
#include <stdlib.h>
#include <sys/random.h>

enum { SCTP_CHECK = 8 }; /* no other protocol's checksum is there */

enum {
	FRAMES_MAX = 128,
	IOVS_MAX = 2 * 1024 + FRAMES_MAX,
	HDR_ROOM = FRAMES_MAX * (PORT_HEADROOM + 256),
};

struct xmit {
	struct port *port;
	unsigned txq;
	const struct port_conf *conf;
	unsigned n_frames, n_iovs;
	size_t hdr_used;
	uint32_t frag_id; /* of the next datagram that becomes IPv6 fragments */
	struct port_frame frame[FRAMES_MAX];
	struct iovec iov[IOVS_MAX];
	struct leat_seg seg[FRAMES_MAX];
	uint8_t hdr[HDR_ROOM];
};

_Static_assert(sizeof(struct iovec) == sizeof(struct leat_slice) &&
		       offsetof(struct iovec, iov_len) == offsetof(struct leat_slice, len),
	       "slices are iovecs");

struct xmit *xmit_new(void)
{
	struct xmit *x = calloc(1, sizeof(*x));

	if (x)
		(void)!getrandom(&x->frag_id, sizeof(x->frag_id), 0);
	return x;
}

void xmit_free(struct xmit *x)
{
	free(x);
}

static void flush(struct xmit *x)
{
	struct txq *q = &x->port->txq[x->txq];
	bool free_at_once;
	int n;

	if (x->n_frames == 0)
		return;
	free_at_once = pthread_mutex_trylock(&q->lock) == 0;
	if (!free_at_once)
		pthread_mutex_lock(&q->lock);
	stat_add(&q->stats.contended, !free_at_once);
	n = __atomic_load_n(&x->port->gone, __ATOMIC_RELAXED) ?
		    -ENODEV :
		    x->port->ops->transmit(x->port, x->txq, x->frame, x->n_frames);
	if (n < 0)
		stat_add(&q->stats.dropped, x->n_frames);
	pthread_mutex_unlock(&q->lock);
	if (n < 0)
		port_lost(x->port);
	x->n_frames = x->n_iovs = 0;
	x->hdr_used = 0;
}

static void add_frame(struct xmit *x, struct leat_pkt *pkt)
{
	struct port_frame *f;

	if (x->n_frames == FRAMES_MAX || x->n_iovs + pkt->slices + 1u > IOVS_MAX)
		flush(x);
	f = &x->frame[x->n_frames++];
	*f = (struct port_frame){.iov = &x->iov[x->n_iovs], .len = pkt->len, .pkt = pkt};
	f->meta = leat_vnet_meta(pkt);
	f->meta.hash_type = LEAT_HASH_NONE; /* which no port's other side asks for */
	f->niov = leat_pkt_slices(pkt, 0, (struct leat_slice *)f->iov, pkt->slices + 1u);
	x->n_iovs += f->niov;
}

static void add_segment(struct xmit *x, const struct leat_seg *s, const struct leat_pkt *pkt)
{
	x->frame[x->n_frames++] = (struct port_frame){
		.iov = &x->iov[s->slice],
		.niov = s->slices,
		.len = s->len,
		.meta = {.gso_type = s->gso_type,
			 .gso_size = s->gso_size,
			 .csum_start = s->csum_start,
			 .csum_offset = s->csum_offset,
			 .hdr_len = (uint16_t)x->iov[s->slice].iov_len,
			 .csum = s->csum},
		.pkt = pkt,
	};
}

/* At most `max` segments, as many as there is room for; 0 if there is none for even one. */
static unsigned add_segments(struct xmit *x, struct leat_gso *gso, const struct leat_pkt *pkt,
			     unsigned max)
{
	struct leat_gso_out out = {
		.segs = x->seg,
		.max_segs = FRAMES_MAX - x->n_frames < max ? FRAMES_MAX - x->n_frames : max,
		.slices = (struct leat_slice *)x->iov,
		.max_slices = IOVS_MAX,
		.n_slices = x->n_iovs,
		.hdr = x->hdr,
		.hdr_room = HDR_ROOM,
		.hdr_used = x->hdr_used,
		.headroom = PORT_HEADROOM,
	};
	unsigned n = leat_gso_segment(gso, &out);

	for (unsigned i = 0; i < n; i++)
		add_segment(x, &out.segs[i], pkt);
	x->n_iovs = out.n_slices;
	x->hdr_used = out.hdr_used;
	return n;
}

/* Whether GRO merged the packet from verified segments, whose headers are still in front of their
 * payloads: all of them, a tunnel's too. Nobody between GRO and here changes headers. But a port
 * that wants partial GSO shall have that. */
static bool was_merged(const struct leat_pkt *pkt, const struct leat_gso_conf *gc)
{
	const struct leat_pkt *s = pkt->frag_list;

	if (pkt->gso_segs != pkt->slices + 1u || (gc->features & LEAT_GSO_PARTIAL))
		return false;
	while (s && s->csum == LEAT_CSUM_UNNECESSARY)
		s = s->frag_list;
	return !s;
}

/* A member of a merged packet is sent as it came: that is what GSO would make of it. */
static void add_member(struct xmit *x, const struct leat_pkt *member)
{
	struct iovec *iov;

	if (x->n_frames == FRAMES_MAX || x->n_iovs == IOVS_MAX)
		flush(x);
	iov = &x->iov[x->n_iovs++];
	iov->iov_base = member->data - member->payload;
	iov->iov_len = member->payload + member->headlen;
	x->frame[x->n_frames++] = (struct port_frame){
		.iov = iov,
		.niov = 1,
		.len = (uint32_t)iov->iov_len,
		.meta = {.csum = LEAT_CSUM_UNNECESSARY},
		.pkt = member,
	};
}

/* False: the packet cannot be segmented. */
static bool segment(struct xmit *x, const struct leat_pkt *pkt)
{
	struct leat_gso_conf conf = x->conf->gso;
	bool merged = was_merged(pkt, &conf);
	struct leat_gso gso;

	conf.frag_id = x->frag_id++;
	if (leat_gso_init(&gso, pkt, &conf) < 0)
		return false;
	while (!leat_gso_done(&gso)) {
		if (add_segments(x, &gso, pkt, merged ? 1 : FRAMES_MAX) == 0) {
			if (x->n_frames == 0)
				return false; /* headers longer than all the room */
			flush(x);
		} else if (merged) {
			break; /* the first's headers were rewritten, the others' were not */
		}
	}
	for (const struct leat_pkt *s = merged ? pkt->frag_list : NULL; s; s = s->frag_list)
		add_member(x, s);
	return true;
}

/* Whether the port completes the packet's checksum, if there is anything to complete. */
static bool port_completes(const struct leat_gso_conf *gc, const struct leat_pkt *pkt)
{
	if (pkt->csum == LEAT_CSUM_PARTIAL && pkt->csum_offset == SCTP_CHECK)
		return gc->crc_partial;
	return gc->csum_partial;
}

/* Checksums and segments that the port leaves to us. False: the packet's fields are nonsense. */
static bool add(struct xmit *x, struct leat_pkt *pkt)
{
	if (pkt->gso_type && leat_gso_needed(pkt, &x->conf->gso))
		return segment(x, pkt);
	if (!port_completes(&x->conf->gso, pkt) && leat_csum_complete(pkt))
		return false;
	add_frame(x, pkt);
	return true;
}

unsigned xmit_from(const struct xmit_from *from, const struct conf *c, struct port *port,
		   struct leat_pkt **pkts, unsigned n)
{
	struct xmit *x = from->xmit;
	unsigned txq[PORT_BATCH], bad = 0;
	uint64_t todo = n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;

	x->port = port;
	x->conf = &c->port[port->index];
	txflow_pick(port->tx_flow, &x->conf->xps, from->cpu, from->now, pkts, n, txq);
	while (todo) {
		x->txq = txq[__builtin_ctzll(todo)];
		for (uint64_t left = todo; left; left &= left - 1) {
			unsigned i = (unsigned)__builtin_ctzll(left);

			if (txq[i] != x->txq)
				continue;
			bad += !add(x, pkts[i]);
			todo &= ~(UINT64_C(1) << i);
		}
		flush(x);
	}
	pool_give(from->pool, pkts, n);
	return bad;
}

void xmit(struct worker *w, const struct conf *c, struct port *port, struct leat_pkt **pkts,
	  unsigned n)
{
	const struct xmit_from from = {w->xmit, &w->pool, w->cpu, w->now};

	stat_add(&w->stats.bad_gso, xmit_from(&from, c, port, pkts, n));
}
