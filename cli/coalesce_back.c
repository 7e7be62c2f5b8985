/* SPDX-License-Identifier: MIT */
/*
 * Is a super-packet's header enough to get its frames back? The descriptor that leat segment would
 * have is made anew, from the header and the bytes alone, and what it gives is compared with the
 * frames: their headers, and that payload is where it was.
 */
#include "coalesce.h"

#include <leat/parse.h>
#include <string.h>

/* Compare the slices of a segment with the frame that `pkt` was. */
static bool is_frame(struct coalesce *c, const struct leat_seg *seg, const struct leat_pkt *pkt,
		     const uint8_t *headers, uint32_t headers_len)
{
	const struct leat_slice *slice = &c->slice[seg->slice];
	const uint8_t *frame = frame_of(pkt);
	uint32_t at = 0;

	if (seg->len != place_of(c, pkt)->len)
		return false;
	for (unsigned i = 0; i < seg->slices; at += (uint32_t)slice[i++].len) {
		const uint8_t *was = at < headers_len ? headers + at : frame + at;

		if (slice[i].base != was && memcmp(slice[i].base, was, slice[i].len) != 0)
			return false;
	}
	return true;
}

/* The chain's packets one after another. */
static bool compare(struct coalesce *c, struct leat_gso *gso, const struct leat_pkt *head)
{
	uint32_t headers_len = head->frag_list->payload,
		 interface = place_of(c, head)->mark.interface;
	const struct leat_pkt *pkt = head;

	while (!leat_gso_done(gso)) {
		struct leat_gso_out out = {
			.segs = c->seg,
			.max_segs = BACK_SEGMENTS,
			.slices = c->slice,
			.max_slices = BACK_SLICES,
			.hdr = c->hdr,
			.hdr_room = BACK_HEADERS,
		};

		if (leat_gso_segment(gso, &out) == 0)
			return false;
		for (unsigned i = 0; i < out.n_segs; i++, pkt = pkt->frag_list) {
			const uint8_t *headers = frame_of(pkt);

			if (pkt == head) /* its own were rewritten */
				headers += place_of(c, pkt)->len;
			if (place_of(c, pkt)->mark.interface != interface ||
			    !is_frame(c, &out.segs[i], pkt, headers, headers_len))
				return false;
		}
	}
	return true;
}

/* The packet as who reads OUT will have it, but for its payload being in slices. */
static bool read_back(struct coalesce *c, const struct leat_pkt *head, const void *vnet,
		      struct leat_pkt *back)
{
	leat_pkt_init(back, head->data, head->headlen);
	back->len = head->len;
	back->frag_list = head->frag_list;
	back->frag_tail = head->frag_tail;
	back->slices = head->slices;
	leat_parse(NULL, &back, 1);
	return leat_vnet_read(back, vnet, c->job.vnet_out) == 0;
}

bool coalesce_is_exact(struct coalesce *c, const struct leat_pkt *head)
{
	struct leat_vnet_meta meta = leat_vnet_meta(head);
	struct place *place = place_of(c, head);
	struct leat_gso_conf conf = {0};
	struct leat_pkt back;
	struct leat_gso gso;

	if (leat_vnet_write(&meta, place->vnet, c->job.vnet_out)) {
		c->job.count[JOB_INEXPRESSIBLE]++;
		return false;
	}
	if (read_back(c, head, place->vnet, &back) &&
	    leat_gso_init(&gso, &back, &conf) == head->slices + 1 && compare(c, &gso, head))
		return true;
	c->job.count[JOB_IRREVERSIBLE]++;
	return false;
}
