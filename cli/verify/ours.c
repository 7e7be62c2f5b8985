/* SPDX-License-Identifier: MIT */
/*
 * ours.c - the library as the kernel is configured: 8 lists of 8 flows, and as a TAP gives no
 * hash, all flows in the same list; UDP merged as for forwarding; ports of tunnels as the
 * generator has them.
 */
#include "ours.h"

#include <errno.h>
#include <leat/csum.h>
#include <leat/gso.h>
#include <leat/parse.h>
#include <leat/vnet.h>
#include <stdlib.h>
#include <string.h>

#include "wild.h"

enum {
	HEADROOM = 16, /* for a jumbogram option */
	ROOM = 8 << 20,
	FLAT = LEAT_PKT_LEN_MAX,
	SEGS = 64,
	SLICES = 4096,
	HDR_ROOM = SEGS * WILD_HDRS_MAX,
};

static const struct leat_gro_conf like_linux = {.buckets = 8, .depth = 8, .flows = 64, .udp = true};

bool ours_init(struct ours *o)
{
	memset(o, 0, sizeof(*o));
	o->mem = aligned_alloc(64, (leat_gro_size(&like_linux) + 63) / 64 * 64);
	o->pkt = calloc(WILD_FRAMES_MAX, sizeof(*o->pkt));
	o->room = malloc(ROOM);
	o->flat = malloc(FLAT);
	o->reason = calloc(WILD_FRAMES_MAX, 1);
	return o->mem && o->pkt && o->reason && o->room && o->flat &&
	       leat_gro_init(&o->gro, &like_linux, o->mem) == 0;
}

void ours_fini(struct ours *o)
{
	free(o->mem);
	free(o->pkt);
	free(o->room);
	free(o->flat);
	free(o->reason);
}

/* All of the frame's bytes, with what a virtio_net_hdr would say; the header's type is the
 * innermost transport's, as the kernel's packet socket has it. */
static bool add_packet(struct ours *o, const struct leat_pkt *pkt, struct frames *to)
{
	struct frame_meta meta = {.gso_size = pkt->gso_size};

	if (pkt->gso_type & LEAT_GSO_TCPV4)
		meta.gso_type = LEAT_VNET_GSO_TCPV4;
	if (pkt->gso_type & LEAT_GSO_TCPV6)
		meta.gso_type = LEAT_VNET_GSO_TCPV6;
	if (pkt->gso_type & LEAT_GSO_UDP_L4)
		meta.gso_type = LEAT_VNET_GSO_UDP_L4;
	if (pkt->gso_type & LEAT_GSO_TCP_ECN)
		meta.gso_type |= LEAT_VNET_GSO_ECN;
	if (pkt->csum == LEAT_CSUM_PARTIAL) {
		meta.flags = LEAT_VNET_F_NEEDS_CSUM;
		meta.csum_start = pkt->csum_start;
		meta.csum_offset = pkt->csum_offset;
	}
	leat_pkt_copy(pkt, 0, o->flat, pkt->len);
	return frames_add(to, o->flat, pkt->len, &meta);
}

static bool add_segments(const struct leat_gso_out *out, struct frames *to)
{
	static const struct frame_meta plain;

	for (unsigned i = 0; i < out->n_segs; i++) {
		const struct leat_seg *s = &out->segs[i];
		uint8_t *p = frames_room(to, s->len);
		uint32_t at = 0;

		if (!p)
			return false;
		for (unsigned j = 0; j < s->slices; j++) {
			const struct leat_slice *slice = &out->slices[s->slice + j];

			memcpy(p + at, slice->base, slice->len);
			at += (uint32_t)slice->len;
		}
		frames_take(to, s->len, &plain);
	}
	return true;
}

static int segment(const struct leat_pkt *pkt, struct frames *to)
{
	static const struct leat_gso_conf conf;
	static struct leat_seg segs[SEGS];
	static struct leat_slice slices[SLICES];
	static uint8_t hdr[HDR_ROOM];
	struct leat_gso gso;

	if (leat_gso_init(&gso, pkt, &conf) < 0)
		return 0;
	while (!leat_gso_done(&gso)) {
		struct leat_gso_out out = {
			.segs = segs,
			.max_segs = SEGS,
			.slices = slices,
			.max_slices = SLICES,
			.hdr = hdr,
			.hdr_room = HDR_ROOM,
		};

		if (leat_gso_segment(&gso, &out) == 0 || !add_segments(&out, to))
			return -EIO;
	}
	return 0;
}

/* What goes on the wire for the packet. */
static int send_packet(struct ours *o, struct leat_pkt *pkt, struct frames *to)
{
	if (pkt->gso_type)
		return segment(pkt, to);
	if (leat_csum_complete(pkt))
		return 0;
	return add_packet(o, pkt, to) ? 0 : -EIO;
}

static struct leat_pkt *start_packet(struct leat_pkt *pkt, uint8_t *room, const void *frame,
				     uint32_t len)
{
	memset(pkt, 0, sizeof(*pkt));
	memcpy(room + HEADROOM, frame, len);
	pkt->head = room;
	pkt->size = len + HEADROOM;
	leat_pkt_init(pkt, room + HEADROOM, len);
	leat_parse(&wild_ports, &pkt, 1);
	return pkt;
}

int ours_gso(struct ours *o, const void *frame, uint32_t len, const struct frame_meta *meta,
	     struct frames *sent)
{
	bool tunnel =
		meta->gso_type & (LEAT_VNET_GSO_UDP_TUNNEL_IPV4 | LEAT_VNET_GSO_UDP_TUNNEL_IPV6);
	struct leat_pkt *pkt = start_packet(&o->pkt[0], o->room, frame, len);
	uint8_t hdr[FRAME_META_LEN];
	int e;

	frame_meta_store(meta, hdr);
	e = leat_vnet_read(pkt, hdr, tunnel ? LEAT_VNET_HDR_TUNNEL_LEN : LEAT_VNET_HDR_MRG_LEN);
	return e ? e : send_packet(o, pkt, sent);
}

/* Everything that came out, as it is and as it goes on the wire. */
static int take(struct ours *o, struct leat_pkt **out, unsigned n, struct frames *shown,
		struct frames *sent)
{
	for (unsigned i = 0; i < n; i++) {
		if (!add_packet(o, out[i], shown) || send_packet(o, out[i], sent))
			return -EIO;
	}
	return 0;
}

/* Which of the reasons that a packet comes in with was counted. */
static uint8_t find_reason(const struct leat_gro *gro, const uint64_t *before)
{
	uint8_t reason = LEAT_GRO_MERGED;

	for (unsigned i = 0; i <= LEAT_GRO_PSH_FIRST; i++) {
		if (gro->count[i] != before[i])
			reason = (uint8_t)i;
	}
	return reason;
}

static int receive(struct ours *o, unsigned i, struct frames *shown, struct frames *sent)
{
	struct leat_pkt *pkt = &o->pkt[i], *out[2];
	uint64_t before[LEAT_GRO_REASONS];
	unsigned n;

	memcpy(before, o->gro.count, sizeof(before));
	n = leat_gro_receive(&o->gro, &pkt, 1, 0, out);
	o->reason[i] = find_reason(&o->gro, before);
	return take(o, out, n, shown, sent);
}

int ours_gro(struct ours *o, const struct frames *train, struct frames *shown, struct frames *sent)
{
	struct leat_pkt *out[8];
	uint8_t *room = o->room;
	unsigned n;
	int e = 0;

	frames_clear(shown);
	frames_clear(sent);
	for (unsigned i = 0; !e && i < train->n; i++) {
		struct leat_pkt *pkt =
			start_packet(&o->pkt[i], room, frames_bytes(train, i), train->frame[i].len);

		pkt->hash_type = LEAT_HASH_L4;
		room += HEADROOM + (pkt->len + 15) / 16 * 16;
		e = receive(o, i, shown, sent);
	}
	do {
		n = leat_gro_flush(&o->gro, UINT64_MAX, out, 8);
		e = e ? e : take(o, out, n, shown, sent);
	} while (n == 8);
	return e;
}
