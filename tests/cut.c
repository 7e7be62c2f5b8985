/* SPDX-License-Identifier: MIT */
/*
 * cut.c - segments collected. Every output array is of just the size the segmenter is told, so
 * that a sanitizer sees a step outside.
 */
#include "cut.h"

#include <leat/parse.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { FREE = 0xa5 }; /* fills headroom, which is to stay so */

static void *fill(size_t len)
{
	void *p = malloc(len > 0 ? len : 1);

	assert_non_null(p);
	return memset(p, FREE, len);
}

static uint32_t transport_type(const struct leat_level *l)
{
	switch (l->protocol) {
	case FRAME_TCP: return l->version == 6 ? LEAT_GSO_TCPV6 : LEAT_GSO_TCPV4;
	case FRAME_UDP: return LEAT_GSO_UDP_L4;
	}
	return LEAT_GSO_SCTP;
}

uint32_t cut_type(const struct leat_pkt *pkt)
{
	const struct leat_level *out = &pkt->lvl[0];
	const uint8_t *l4 = pkt->data + out->transport;
	uint32_t type = transport_type(leat_pkt_inner(pkt));

	if (pkt->levels < 2)
		return type;
	if (out->tunnel == LEAT_TUNNEL_IP)
		return type | (out->version == 6 ? LEAT_GSO_IPXIP6 : LEAT_GSO_IPXIP4);
	if (out->tunnel == LEAT_TUNNEL_GRE)
		return type | (l4[0] >= 0x80 ? LEAT_GSO_GRE_CSUM : LEAT_GSO_GRE);
	type |= l4[6] + l4[7] > 0 ? LEAT_GSO_UDP_TUNNEL_CSUM : LEAT_GSO_UDP_TUNNEL;
	return (out->flags & LEAT_REMCSUM) != 0 ? type | LEAT_GSO_TUNNEL_REMCSUM : type;
}

struct leat_pkt *cut_super(struct arena *arena, const struct frame *f, uint16_t gso_size)
{
	struct leat_pkt *pkt = arena_frame(arena, f);
	const struct leat_level *l;
	bool v6 = f->version == 6;

	if (pkt->len - pkt->lvl[0].network - (v6 ? 40 : 0) > 0xffff) { /* BIG: the field wrapped */
		memset(pkt->data + pkt->lvl[0].network + (v6 ? 4 : 2), 0, 2);
		leat_parse(&frame_conf, &pkt, 1);
	}
	pkt->gso_size = gso_size;
	if (pkt->depth < LEAT_DEPTH_TRANSPORT) { /* too long for its length field, say */
		assert_true(f->payload > 0xffff - 28);
		pkt->gso_type = f->protocol == FRAME_UDP ? LEAT_GSO_UDP_L4 : LEAT_GSO_TCPV4;
		return pkt;
	}
	assert_int_equal(pkt->levels, f->inner != NULL ? 2 : 1);
	l = leat_pkt_inner(pkt);
	pkt->gso_type = cut_type(pkt);
	pkt->csum = LEAT_CSUM_PARTIAL;
	pkt->csum_start = l->transport;
	pkt->csum_offset = l->protocol == FRAME_UDP ? 6 : l->protocol == FRAME_SCTP ? 8 : 16;
	return pkt;
}

struct leat_pkt *cut_scatter(struct arena *arena, const uint8_t *bytes, uint32_t len,
			     uint32_t headlen, uint32_t slice, struct rng *rng)
{
	struct leat_pkt *head = arena_add(arena, bytes, headlen);
	uint32_t off = headlen;

	while (off < len) {
		uint32_t n = rng != NULL ? rng_below(rng, slice + 1) : slice;

		n = n < len - off ? n : len - off;
		leat_pkt_chain(head, arena_add(arena, bytes + off, n));
		off += n;
	}
	leat_parse(&frame_conf, &head, 1);
	return head;
}

/* Is this run of bytes one slice's of the packet? */
static bool is_own(const struct leat_pkt *pkt, const struct leat_slice *slice)
{
	const uint8_t *base = slice->base;

	for (; pkt != NULL; pkt = pkt->frag_list)
		if (base >= pkt->data && base + slice->len <= pkt->data + pkt->headlen)
			return true;
	return false;
}

static void collect(struct cut *cut, const struct leat_pkt *pkt, const struct leat_gso_out *out)
{
	cut->segs = realloc(cut->segs, (cut->n + out->n_segs + 1) * sizeof(struct cut_seg));
	assert_non_null(cut->segs);
	for (unsigned i = 0; i < out->n_segs; i++) {
		const struct leat_seg *seg = &out->segs[i];
		const struct leat_slice *slice = &out->slices[seg->slice];
		uint8_t *frame = fill(seg->len);
		uint32_t len = 0;

		for (unsigned k = 0; k < seg->slices; k++, slice++) {
			assert_true(len + slice->len <= seg->len && slice->len > 0);
			assert_true(k == 0 || is_own(pkt, slice));
			memcpy(frame + len, slice->base, slice->len);
			len += (uint32_t)slice->len;
		}
		assert_int_equal(len, seg->len);
		cut->segs[cut->n++] = (struct cut_seg){*seg, frame};
	}
}

/* Where the headers of segments begin, and that nothing was written in between. A fragment header
 * is all that they may have more than the packet. */
static void check_headers(const struct leat_gso_out *out, uint32_t hdr_len)
{
	size_t used = 0;

	for (unsigned i = 0; i < out->n_segs; i++) {
		const struct leat_slice *slice = &out->slices[out->segs[i].slice];

		assert_ptr_equal(slice->base, out->hdr + used + out->headroom);
		assert_true(slice->len <= hdr_len + 8);
		for (size_t k = 0; k < out->headroom; k++)
			assert_int_equal(out->hdr[used + k], FREE);
		used += out->headroom + slice->len;
	}
	assert_int_equal(out->hdr_used, used);
}

/* One call with this much room. */
static unsigned cut_some(struct cut *cut, struct leat_gso *gso, const struct leat_pkt *pkt,
			 struct leat_gso_out out)
{
	unsigned n;

	out.segs = fill(out.max_segs * sizeof(*out.segs));
	out.slices = fill(out.max_slices * sizeof(*out.slices));
	out.hdr = fill(out.hdr_room);
	n = leat_gso_segment(gso, &out);
	assert_int_equal(n, out.n_segs);
	assert_true(n <= out.max_segs && out.n_slices <= out.max_slices);
	check_headers(&out, pkt->payload);
	collect(cut, pkt, &out);
	free(out.segs);
	free(out.slices);
	free(out.hdr);
	return n;
}

struct cut cut_up(const struct leat_pkt *pkt, const struct leat_gso_conf *conf, struct rng *rng)
{
	struct leat_gso gso;
	struct cut cut = {.promised = leat_gso_init(&gso, pkt, conf)};
	unsigned segs = (unsigned)cut.promised, slices = pkt->slices + 2u;

	if (cut.promised < 0)
		return cut;
	if (rng == NULL)
		cut_some(&cut, &gso, pkt,
			 (struct leat_gso_out){.max_segs = segs,
					       .max_slices = 2 * segs + slices,
					       .hdr_room = (size_t)segs * (pkt->payload + 8u)});
	while (rng != NULL && !leat_gso_done(&gso)) {
		size_t headroom = rng_below(rng, 40), room = headroom + pkt->payload + 8;

		cut_some(&cut, &gso, pkt,
			 (struct leat_gso_out){.max_segs = rng_below(rng, 9),
					       .max_slices = rng_below(rng, 2 * slices),
					       .hdr_room = rng_below(rng, (uint32_t)(5 * room)),
					       .headroom = headroom});
		if (leat_gso_done(&gso))
			break;
		assert_int_equal(1, cut_some(&cut, &gso, pkt,
					     (struct leat_gso_out){.max_segs = 1,
								   .max_slices = slices,
								   .hdr_room = room,
								   .headroom = headroom}));
	}
	assert_true(leat_gso_done(&gso));
	assert_int_equal(cut.n, cut.promised);
	return cut;
}

void cut_clear(struct cut *cut)
{
	for (unsigned i = 0; i < cut->n; i++)
		free(cut->segs[i].frame);
	free(cut->segs);
	*cut = (struct cut){0};
}

uint32_t cut_crc32c(const uint8_t *p, size_t len)
{
	uint32_t crc = 0xffffffff;

	while (len-- > 0) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = (crc & 1) != 0 ? crc / 2 ^ 0x82f63b78 : crc / 2;
	}
	return ~crc;
}
