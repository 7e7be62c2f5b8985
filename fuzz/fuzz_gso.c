/* SPDX-License-Identifier: MIT */
/*
 * fuzz_gso.c - a packet whose offload fields, and one field of the parser's, are anybody's. Input:
 * a struct input, then the frame. What is refused is refused; what is accepted is cut into as many
 * segments as promised, with all of the payload, and each, if the parser's word was left alone, is
 * a right packet.
 */
#include <errno.h>
#include <leat/csum.h>
#include <leat/gso.h>
#include <leat/parse.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MEMBERS_MAX = 64, SLICES_MAX = 4 * MEMBERS_MAX, HDR_ROOM = 4096 };

struct input {
	uint32_t gso_type;
	uint32_t value; /* for the parser's field */
	uint16_t gso_size;
	uint16_t conf_gso_size;
	uint16_t headlen; /* bytes at the head of the chain */
	uint16_t slice;	  /* bytes per member; 0: no chain */
	uint16_t csum_start, csum_offset;
	uint8_t csum;
	uint8_t field; /* which of the parser's fields to set; past the last: none */
	uint8_t flags; /* F_* */
	uint8_t max_segs;
	uint32_t features; /* of a port, */
	uint32_t partial;  /* and what it has after partial GSO */
	uint16_t room;	   /* bytes of the frame repeated in front of each member */
	uint16_t port_segs;
};

enum { F_CSUM = 1, F_CRC = 2 }; /* left partial */

static const struct leat_parse_conf parse_conf = {
	.tunnel = {{4789, LEAT_TUNNEL_VXLAN, 0, true},
		   {6081, LEAT_TUNNEL_GENEVE, 0, false},
		   {6080, LEAT_TUNNEL_GUE, 0, false},
		   {5555, LEAT_TUNNEL_FOU, 4, false},
		   {5556, LEAT_TUNNEL_FOU, 41, false},
		   {5557, LEAT_TUNNEL_FOU, 47, false}},
	.tunnels = 6,
};

static void require(bool what)
{
	if (!what)
		abort();
}

/* `n` bytes as a packet with `room` bytes in front of it. */
static void make(struct leat_pkt *pkt, const uint8_t *frame, size_t room, const uint8_t *bytes,
		 size_t n)
{
	uint8_t *buf = malloc(room + n > 0 ? room + n : 1);

	if (buf == NULL)
		abort();
	memcpy(buf, frame, room);
	memcpy(buf + room, bytes, n);
	leat_pkt_init(pkt, buf + room, (uint32_t)n);
	pkt->head = buf;
}

/* The frame as a chain, each slice in a buffer of its own. Gives how many members it has. */
static unsigned build(struct leat_pkt *pkts, const struct input *in, const uint8_t *frame,
		      size_t len)
{
	size_t n = in->slice > 0 && in->headlen < len ? in->headlen : len;
	size_t room = in->room < len ? in->room : len;
	struct leat_pkt *head = pkts;
	unsigned members = 0;

	make(head, frame, 0, frame, n);
	for (size_t off = n; off < len; off += n) {
		struct leat_pkt *member = &pkts[++members];

		n = members < MEMBERS_MAX && in->slice < len - off ? in->slice : len - off;
		make(member, frame, room, frame + off, n);
		leat_pkt_chain(head, member);
	}
	leat_parse(&parse_conf, &head, 1);
	return members;
}

/* Overwrite one field of what the parser found. False if there is no such field. */
static bool spoil(struct leat_pkt *pkt, uint8_t field, uint32_t value)
{
	struct leat_level *l = &pkt->lvl[field / 16 & 1];

	switch (field % 16) {
	case 0: l->network = (uint16_t)value; return true;
	case 1: l->transport = (uint16_t)value; return true;
	case 2: l->version = (uint8_t)value; return true;
	case 3: l->protocol = (uint8_t)value; return true;
	case 4: l->flags = (uint8_t)value; return true;
	case 5: pkt->payload = (uint16_t)value; return true;
	case 6: pkt->levels = (uint8_t)value; return true;
	case 7: pkt->depth = (uint8_t)value; return true;
	case 8: pkt->slices = (uint16_t)value; return true;
	case 9: pkt->len = value; return true;
	case 10: pkt->headlen = value; return true;
	case 11: l->tunnel = (uint8_t)value; return true;
	}
	return false;
}

/* Segments are without the eight bytes of a jumbogram's header. */
static void drop_jumbo(struct leat_pkt *pkt)
{
	uint16_t drop = 0;

	for (unsigned i = 0; i < pkt->levels; i++) {
		struct leat_level *l = &pkt->lvl[i];

		l->network = (uint16_t)(l->network - drop);
		if (l->version == 6 && l->flags & LEAT_IP_JUMBO)
			drop = 8;
		l->flags &= (uint8_t)~LEAT_IP_JUMBO;
		l->transport = (uint16_t)(l->transport - drop);
	}
	pkt->payload = (uint16_t)(pkt->payload - drop);
}

/* A larger segment is what it says: so many of wire size. */
static void check_larger(const struct leat_pkt *super, const struct leat_seg *seg, uint8_t *bytes)
{
	const struct leat_gso_conf conf = {.csum_partial = true};
	struct leat_pkt pkt = *super;
	struct leat_gso gso;

	pkt.data = bytes;
	pkt.len = pkt.headlen = seg->len;
	pkt.frag_list = pkt.frag_tail = NULL;
	pkt.slices = 0;
	drop_jumbo(&pkt);
	pkt.gso_type = seg->gso_type;
	pkt.gso_size = seg->gso_size;
	pkt.csum = seg->csum;
	pkt.csum_start = seg->csum_start;
	pkt.csum_offset = seg->csum_offset;
	require(leat_gso_init(&gso, &pkt, &conf) == seg->gso_segs);
}

static void complete(struct leat_pkt *pkt, const struct leat_seg *seg)
{
	if (seg->csum != LEAT_CSUM_PARTIAL)
		return;
	pkt->csum = seg->csum;
	pkt->csum_start = seg->csum_start;
	pkt->csum_offset = seg->csum_offset;
	require(leat_csum_complete(pkt) == 0);
	pkt->csum = LEAT_CSUM_NONE;
}

/* Is the segment a packet that its receiver would take? */
static void check_right(const struct leat_pkt *super, const struct leat_seg *seg, uint8_t *bytes)
{
	struct leat_pkt frame, *pkt = &frame;

	leat_pkt_init(pkt, bytes, seg->len);
	leat_parse(&parse_conf, &pkt, 1);
	/* What the super-packet's wrong UDP length kept the parser out of, the segment's lets it in. */
	if (super->levels == 1 && super->lvl[0].tunnel)
		leat_parse_outer(pkt);
	if (super->gso_type & LEAT_GSO_UDP) { /* a fragment */
		require(pkt->depth >= LEAT_DEPTH_NETWORK);
		require(pkt->lvl[0].flags & LEAT_IP_FRAGMENT);
		return;
	}
	require(pkt->depth == LEAT_DEPTH_TRANSPORT && pkt->levels == super->levels);
	require(leat_parse_payload_len(pkt) == seg->len - pkt->payload);
	complete(pkt, seg);
	if (!(super->gso_type & (LEAT_GSO_SCTP | LEAT_GSO_TUNNEL_REMCSUM)))
		require(leat_csum_verify(pkt));
	require(leat_csum_verify_tunnel(pkt));
}

/* Whether the bytes of a segment are all its super-packet's, of a fraglist they are anybody's. */
static bool is_own(const struct leat_pkt *super)
{
	return !(super->gso_type & LEAT_GSO_FRAGLIST) || super->slices == 0;
}

/* Gives the segment's payload bytes. */
static uint32_t check_segment(const struct leat_pkt *super, const struct leat_gso_out *out,
			      const struct leat_seg *seg, bool spoilt)
{
	uint8_t *bytes = malloc(seg->len);
	uint32_t len = 0;

	require(bytes != NULL && seg->slice + seg->slices <= out->n_slices);
	for (unsigned i = 0; i < seg->slices; i++) {
		const struct leat_slice *slice = &out->slices[seg->slice + i];

		require(slice->len > 0 && slice->len <= seg->len - len);
		memcpy(bytes + len, slice->base, slice->len);
		len += (uint32_t)slice->len;
	}
	require(len == seg->len);
	if (seg->gso_size > 0)
		check_larger(super, seg, bytes);
	else if (!spoilt && is_own(super))
		check_right(super, seg, bytes);
	free(bytes);
	return seg->len - (uint32_t)out->slices[seg->slice].len;
}

static void segment(const struct leat_pkt *pkt, const struct input *in, bool spoilt)
{
	struct leat_gso_conf conf = {.gso_size = in->conf_gso_size,
				     .features = in->features,
				     .partial = in->partial,
				     .max_segs = in->port_segs,
				     .csum_partial = in->flags & F_CSUM,
				     .crc_partial = in->flags & F_CRC};
	uint32_t payload = 0, segs = 0;
	struct leat_seg seg[256];
	struct leat_slice slices[SLICES_MAX];
	uint8_t hdr[HDR_ROOM];
	struct leat_gso gso;
	int promised = leat_gso_init(&gso, pkt, &conf);

	leat_gso_needed(pkt, &conf);
	require(promised > 1 || promised == -EINVAL || promised == -EPROTONOSUPPORT ||
		(promised == 1 && in->features & LEAT_GSO_PARTIAL));
	if (promised < 0 || pkt->payload > HDR_ROOM - 8)
		return;
	while (!leat_gso_done(&gso)) {
		struct leat_gso_out out = {.segs = seg,
					   .max_segs = 1u + in->max_segs,
					   .slices = slices,
					   .max_slices = SLICES_MAX,
					   .hdr = hdr,
					   .hdr_room = HDR_ROOM};

		require(leat_gso_segment(&gso, &out) > 0);
		for (unsigned i = 0; i < out.n_segs; i++)
			payload += check_segment(pkt, &out, &seg[i], spoilt);
		segs += out.n_segs;
	}
	require(segs == (uint32_t)promised && payload == pkt->len - pkt->payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct leat_pkt pkts[1 + MEMBERS_MAX];
	struct input in;
	unsigned members;
	bool spoilt;

	if (size < sizeof(in) || size > LEAT_PKT_LEN_MAX)
		return 0;
	memcpy(&in, data, sizeof(in));
	members = build(pkts, &in, data + sizeof(in), size - sizeof(in));
	pkts->gso_type = in.gso_type;
	pkts->gso_size = in.gso_size;
	pkts->csum = in.csum;
	pkts->csum_start = in.csum_start;
	pkts->csum_offset = in.csum_offset;
	leat_gso_segs(pkts);
	spoilt = spoil(pkts, in.field, in.value);
	segment(pkts, &in, spoilt);
	for (unsigned i = 0; i <= members; i++)
		free(pkts[i].head);
	return 0;
}
