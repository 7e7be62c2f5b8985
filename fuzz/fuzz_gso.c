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
	uint8_t csum_partial;
	uint8_t max_segs;
};

static void require(bool what)
{
	if (!what)
		abort();
}

static uint8_t *copy_of(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	if (copy == NULL)
		abort();
	return memcpy(copy, bytes, len);
}

/* The frame as a chain, each slice in a buffer of its own. Gives how many members it has. */
static unsigned build(struct leat_pkt *pkts, const struct input *in, const uint8_t *frame,
		      size_t len)
{
	size_t n = in->slice > 0 && in->headlen < len ? in->headlen : len;
	struct leat_pkt *head = pkts;
	unsigned members = 0;

	leat_pkt_init(head, copy_of(frame, n), (uint32_t)n);
	for (size_t off = n; off < len; off += n) {
		struct leat_pkt *member = &pkts[++members];

		n = members < MEMBERS_MAX && in->slice < len - off ? in->slice : len - off;
		leat_pkt_init(member, copy_of(frame + off, n), (uint32_t)n);
		leat_pkt_chain(head, member);
	}
	leat_parse(NULL, &head, 1);
	return members;
}

/* Overwrite one field of what the parser found. False if there is no such field. */
static bool spoil(struct leat_pkt *pkt, uint8_t field, uint32_t value)
{
	struct leat_level *l = &pkt->lvl[0];

	switch (field) {
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
	}
	return false;
}

/* Is the segment a packet that its receiver would take? */
static void check_right(const struct leat_seg *seg, const uint8_t *bytes)
{
	struct leat_pkt frame, *pkt = &frame;
	uint8_t *copy = copy_of(bytes, seg->len);

	leat_pkt_init(pkt, copy, seg->len);
	leat_parse(NULL, &pkt, 1);
	require(pkt->depth == LEAT_DEPTH_TRANSPORT);
	require(leat_parse_payload_len(pkt) == seg->len - pkt->payload);
	if (seg->csum == LEAT_CSUM_PARTIAL) {
		pkt->csum = seg->csum;
		pkt->csum_start = seg->csum_start;
		pkt->csum_offset = seg->csum_offset;
		require(leat_csum_complete(pkt) == 0);
		pkt->csum = LEAT_CSUM_NONE;
	}
	require(leat_csum_verify(pkt));
	free(copy);
}

/* Gives the segment's payload bytes. */
static uint32_t check_segment(const struct leat_gso_out *out, const struct leat_seg *seg,
			      bool spoilt)
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
	if (!spoilt)
		check_right(seg, bytes);
	free(bytes);
	return seg->len - (uint32_t)out->slices[seg->slice].len;
}

static void segment(const struct leat_pkt *pkt, const struct input *in, bool spoilt)
{
	struct leat_gso_conf conf = {.gso_size = in->conf_gso_size,
				     .csum_partial = in->csum_partial};
	uint32_t payload = 0, segs = 0;
	struct leat_seg seg[256];
	struct leat_slice slices[SLICES_MAX];
	uint8_t hdr[HDR_ROOM];
	struct leat_gso gso;
	int promised = leat_gso_init(&gso, pkt, &conf);

	require(promised > 1 || promised == -EINVAL || promised == -EPROTONOSUPPORT);
	if (promised < 0 || pkt->payload > HDR_ROOM)
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
			payload += check_segment(&out, &seg[i], spoilt);
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
		free(pkts[i].data);
	return 0;
}
