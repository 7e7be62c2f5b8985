/* SPDX-License-Identifier: MIT */
#include "ours.h"

#include <leat/vnet.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HDRS = 512 };

static void show_bytes(const char *whose, const struct lab_frame *f, uint32_t at)
{
	uint32_t from = at < 8 ? 0 : at - 8;

	printf("    %s, %u bytes, gso_size %u, from %u:", whose, f->len, f->gso_size, from);
	for (uint32_t i = from; i < f->len && i < from + 24; i++)
		printf(" %02x", f->data[i]);
	printf("\n");
}

/* The first byte in which they differ; the length of both if none does. */
static uint32_t differ_at(const struct lab_frame *a, const struct lab_frame *b)
{
	uint32_t i = 0;

	while (i < a->len && i < b->len && a->data[i] == b->data[i])
		i++;
	return i;
}

static bool same_frame(const struct lab_frame *a, const struct lab_frame *b)
{
	return a->len == b->len && a->gso_size == b->gso_size && differ_at(a, b) == a->len;
}

bool list_same(const char *name, const struct list *kernel, const struct list *ours, bool say)
{
	const struct lab_frame *k = kernel->frame, *o = ours->frame;
	unsigned i = 0;

	while (i < kernel->n && i < ours->n && same_frame(&k[i], &o[i]))
		i++;
	if (i == kernel->n && i == ours->n)
		return true;
	if (!say)
		return false;
	printf("  %s: kernel %u, ours %u; they differ in number %u\n", name, kernel->n, ours->n, i);
	if (i < kernel->n && i < ours->n) {
		uint32_t at = differ_at(&k[i], &o[i]);

		printf("    at byte %u\n", at);
		show_bytes("kernel", &k[i], at);
		show_bytes("ours", &o[i], at);
	}
	return false;
}

void list_clear(struct list *list)
{
	lab_free(list->frame, list->n);
	list->n = 0;
}

/* The tunnel's bits of gso_type, which the kernel does not show. */
static uint32_t tunnel_bits(const struct leat_pkt *pkt)
{
	const struct leat_level *outer = &pkt->lvl[0];
	const uint8_t *hdr = pkt->data + outer->transport;
	uint32_t bits;

	switch (outer->tunnel) {
	case LEAT_TUNNEL_NONE: return 0;
	case LEAT_TUNNEL_IP: return outer->version == 4 ? LEAT_GSO_IPXIP4 : LEAT_GSO_IPXIP6;
	case LEAT_TUNNEL_GRE: return hdr[0] & 0x80 ? LEAT_GSO_GRE_CSUM : LEAT_GSO_GRE;
	default:
		bits = hdr[6] || hdr[7] ? LEAT_GSO_UDP_TUNNEL_CSUM : LEAT_GSO_UDP_TUNNEL;
		return bits | (outer->flags & LEAT_REMCSUM ? LEAT_GSO_TUNNEL_REMCSUM : 0);
	}
}

static uint32_t base_type(uint8_t type)
{
	uint32_t ecn = type & LEAT_VNET_GSO_ECN ? LEAT_GSO_TCP_ECN : 0;

	switch (type & ~LEAT_VNET_GSO_ECN) {
	case LEAT_VNET_GSO_TCPV4: return ecn | LEAT_GSO_TCPV4;
	case LEAT_VNET_GSO_TCPV6: return ecn | LEAT_GSO_TCPV6;
	case LEAT_VNET_GSO_UDP_L4: return LEAT_GSO_UDP_L4;
	default: return 0;
	}
}

struct leat_pkt *ours_parse(const struct leat_parse_conf *conf, struct arena *arena,
			    const struct lab_frame *f)
{
	struct leat_pkt *pkt = arena_add(arena, f->data, f->len);

	leat_parse(conf, &pkt, 1);
	pkt->gso_size = f->gso_size;
	pkt->gso_type = base_type(f->gso_type);
	if (pkt->gso_type != 0)
		pkt->gso_type |= tunnel_bits(pkt);
	if (f->flags & LEAT_VNET_F_NEEDS_CSUM)
		pkt->csum = LEAT_CSUM_PARTIAL;
	pkt->csum_start = f->csum_start;
	pkt->csum_offset = f->csum_offset;
	return pkt;
}

static void add_bytes(struct list *list, const struct leat_slice *slices, unsigned n, uint32_t len)
{
	struct lab_frame *f = &list->frame[list->n++];
	uint32_t at = 0;

	*f = (struct lab_frame){.len = len, .data = malloc(len)};
	for (unsigned i = 0; i < n; i++) {
		memcpy(f->data + at, slices[i].base, slices[i].len);
		at += (uint32_t)slices[i].len;
	}
}

int ours_segment(const struct leat_pkt *pkt, struct list *list)
{
	static const struct leat_gso_conf conf;
	static struct leat_seg segs[LAB_FRAMES];
	static struct leat_slice slices[8 * LAB_FRAMES];
	static uint8_t hdr[LAB_FRAMES * HDRS];
	struct leat_gso_out out = {segs, LAB_FRAMES, 0,		 slices, 8 * LAB_FRAMES,
				   0,	 hdr,	     sizeof hdr, 0,	 0};
	struct leat_gso gso;
	int n = leat_gso_init(&gso, pkt, &conf);

	if (n < 0)
		return n;
	while (leat_gso_segment(&gso, &out) > 0) {
		for (unsigned i = 0; i < out.n_segs; i++)
			add_bytes(list, slices + segs[i].slice, segs[i].slices, segs[i].len);
		out.n_segs = out.n_slices = 0;
		out.hdr_used = 0;
	}
	return n;
}

/* What our GRO gave, and what our GSO makes of it again. */
static void give_out(struct leat_pkt *const *out, unsigned n, struct list *merged,
		     struct list *again)
{
	for (unsigned i = 0; i < n; i++) {
		struct leat_slice slices[LAB_FRAMES + 1];
		unsigned used = leat_pkt_slices(out[i], 0, slices, LAB_FRAMES + 1);
		struct lab_frame *f = &merged->frame[merged->n];

		add_bytes(merged, slices, used, out[i]->len);
		f->gso_size = out[i]->gso_size;
		if (out[i]->gso_size == 0)
			add_bytes(again, slices, used, out[i]->len);
		else
			ours_segment(out[i], again);
	}
}

void ours_coalesce(const struct leat_parse_conf *parse, const struct leat_gro_conf *conf,
		   const struct list *train, struct list *merged, struct list *again)
{
	struct leat_pkt *in[OURS_FRAMES], *out[2 * OURS_FRAMES];
	struct arena arena = {0};
	struct leat_gro gro;
	void *mem = aligned_alloc(64, (leat_gro_size(conf) + 63) & ~(size_t)63);

	if (mem == NULL || leat_gro_init(&gro, conf, mem))
		lab_die("leat_gro_init");
	for (unsigned i = 0; i < train->n; i++)
		in[i] = ours_parse(parse, &arena, &train->frame[i]);
	give_out(out, leat_gro_receive(&gro, in, train->n, 0, out), merged, again);
	give_out(out, leat_gro_flush(&gro, UINT64_MAX, out, 2 * OURS_FRAMES), merged, again);
	free(mem);
	arena_clear(&arena);
}
