/* SPDX-License-Identifier: MIT */
/*
 * gso.c - the segmenter: a super-packet's chain cut into segments, each with headers of its own.
 *
 * What is wrong was found by gso_plan.c. What all segments share is summed once: each IP header
 * without its length, ID and checksum, and the transport's pseudo-header and unchanging fields. A
 * segment then costs a copy of the headers, a few fields, and one pass over its payload, or none
 * where the port completes checksums. The super-packet's checksums are never read: segments get
 * fresh ones. IPv4 IDs count up from the super-packet's, modulo 2^16, unless the type says that
 * they are fixed.
 *
 * Every IP header in front of the transport is treated alike, from the outermost in: a loop over
 * levels. The tunnel between two of them is sealed when all that is inside has been written.
 *
 * The copy has a seam where 8 bytes can be left out (a jumbogram option, which a segment does not
 * need) or room made for 8 (an IPv6 fragment header); offsets in struct leat_gso are the segments'.
 */
#include <errno.h>
#include <leat/csum.h>
#include <leat/gso.h>
#include <string.h>

#include "gso.h"

#define TYPES                                                                              \
	(GSO_TRANSPORTS | GSO_TUNNELS | GSO_FIXEDIDS | LEAT_GSO_DODGY | LEAT_GSO_TCP_ECN | \
	 LEAT_GSO_TCP_ACCECN | LEAT_GSO_PARTIAL | LEAT_GSO_FRAGLIST)

/* Tunnels with a checksum of their own. */
#define SEALED (LEAT_GSO_GRE_CSUM | LEAT_GSO_UDP_TUNNEL_CSUM)

/* The sum of an IPv4 header without its length, ID and checksum. */
static uint32_t sum_ip4(const uint8_t *ip)
{
	uint32_t sum;

	sum = leat_csum_partial(ip, IP4_TOT_LEN, 0);
	sum = leat_csum_partial(ip + IP4_FRAG_OFF, IP4_CHECK - IP4_FRAG_OFF, sum);
	return leat_csum_partial(ip + IP4_SRC, ip4_hlen(ip) - IP4_SRC, sum);
}

/* Leave a jumbogram's hop-by-hop header out of the segments. */
static void drop_jumbogram(struct leat_gso *gso, unsigned level)
{
	gso->split = gso->lvl[level].network + IP6_HLEN;
	gso->next_header = IP6_HLEN - IP6_NEXTHDR;
	gso->drop = IP6_EXT_UNIT;
	gso->hdr_len -= IP6_EXT_UNIT;
	gso->transport -= IP6_EXT_UNIT;
	gso->lvl[level].transport -= IP6_EXT_UNIT;
	for (unsigned i = level + 1; i < gso->levels; i++) {
		gso->lvl[i].network -= IP6_EXT_UNIT;
		gso->lvl[i].transport -= IP6_EXT_UNIT;
	}
}

static void init_levels(struct leat_gso *gso)
{
	const struct leat_pkt *pkt = gso->pkt;

	gso->levels = pkt->levels;
	gso->split = gso->hdr_len = pkt->payload;
	gso->transport = leat_pkt_inner(pkt)->transport;
	gso->drop = gso->insert = 0;
	memcpy(gso->lvl, pkt->lvl, sizeof(gso->lvl));
	for (unsigned i = 0; i < gso->levels; i++) {
		if (pkt->lvl[i].version == 4)
			gso->ip_sum[i] = sum_ip4(pkt->data + pkt->lvl[i].network);
		else if (pkt->lvl[i].flags & LEAT_IP_JUMBO)
			drop_jumbogram(gso, i);
	}
}

/* How the innermost checksum is to be left, and that of the tunnel. */
static void init_csum(struct leat_gso *gso, const struct leat_gso_conf *conf)
{
	bool remote = gso->gso_type & LEAT_GSO_TUNNEL_REMCSUM, partial = conf->csum_partial;

	gso->lco = gso->kind < GSO_SCTP && !remote;
	if (gso->kind == GSO_SCTP)
		partial = conf->crc_partial && !(gso->gso_type & SEALED);
	else if (gso->kind > GSO_UDP || remote)
		partial = false;
	gso->unfinished = partial || remote;
	gso->wire.csum = partial ? LEAT_CSUM_PARTIAL : LEAT_CSUM_UNNECESSARY;
	if (gso->kind == GSO_LIST)
		gso->wire.csum = gso->pkt->csum;
}

static void init_sums(struct leat_gso *gso)
{
	const struct leat_pkt *pkt = gso->pkt;

	gso->pseudo = leat_csum_pseudo(pkt->data, leat_pkt_inner(pkt), 0);
	gso->sum = gso->pseudo;
	gso->later = leat_gso_tcp_later(pkt);
	if (!gso->unfinished && gso->kind == GSO_TCP)
		gso->sum = leat_csum_add(gso->sum, leat_gso_tcp_sum(pkt));
	else if (!gso->unfinished && gso->kind == GSO_UDP)
		gso->sum = leat_csum_add(gso->sum, leat_gso_udp_sum(pkt));
	if (gso->gso_type & LEAT_GSO_UDP_TUNNEL_CSUM)
		gso->outer_pseudo = leat_csum_pseudo(pkt->data, &pkt->lvl[0], 0);
}

int leat_gso_init(struct leat_gso *gso, const struct leat_pkt *pkt,
		  const struct leat_gso_conf *conf)
{
	struct gso_plan plan;

	if (pkt->gso_type & ~TYPES)
		return -EPROTONOSUPPORT;
	if (!leat_gso_plan(pkt, conf, &plan))
		return -EINVAL;

	gso->pkt = pkt;
	gso->slice = pkt;
	gso->slice_off = pkt->payload;
	gso->off = 0;
	gso->payload = pkt->len - pkt->payload;
	gso->unit = plan.unit;
	gso->gso_size = plan.gso_size;
	gso->gso_type = pkt->gso_type;
	gso->frag_id = conf->frag_id;
	gso->seg = 0;
	gso->kind = plan.kind;
	gso->wire = (struct leat_seg){.csum_offset = plan.field};
	gso->partial = plan.partial;
	init_levels(gso);
	init_csum(gso, conf);
	if (gso->kind == GSO_UFO)
		leat_gso_ufo_init(gso);
	else
		init_sums(gso);
	gso->wire.csum_start = (uint16_t)gso->transport;
	return (int)plan.segs;
}

/* Payload bytes of the next segment. */
static uint32_t next_len(const struct leat_gso *gso)
{
	uint32_t left = gso->payload - gso->off;

	if (gso->kind >= GSO_SCTP) {
		left = gso->slice->headlen - gso->slice_off;
		return left > 0 ? left : gso->slice->frag_list->headlen;
	}
	return left < gso->unit ? left : gso->unit;
}

/* The next `n` bytes of payload as slices, and the position moved past them; if `max`, 1 or more,
 * are not enough, 0 and the position as it was. */
static unsigned take(struct leat_gso *gso, uint32_t n, struct leat_slice *slices, unsigned max)
{
	const struct leat_pkt *slice = gso->slice;
	uint32_t off = gso->slice_off;
	unsigned count = 0;

	if (n > 0 && n <= slice->headlen - off) { /* in one slice, as most often */
		slices[0] = (struct leat_slice){slice->data + off, n};
		gso->slice_off = off + n;
		return 1;
	}
	while (n > 0) {
		uint32_t len = slice->headlen - off;

		if (len == 0) {
			slice = slice->frag_list;
			off = 0;
			continue;
		}
		if (count == max)
			return 0;
		if (len > n)
			len = n;
		slices[count++] = (struct leat_slice){slice->data + off, len};
		off += len;
		n -= len;
	}
	gso->slice = slice;
	gso->slice_off = off;
	return count;
}

static void finish_ip4(const struct leat_gso *gso, unsigned level, uint8_t *ip, uint32_t len)
{
	bool fixed = gso->gso_type & (LEAT_GSO_TCP_FIXEDID << level);
	uint16_t id = (uint16_t)(load_be16(ip + IP4_ID) + (fixed ? 0 : gso->seg));
	uint32_t changed = put_be16(ip + IP4_TOT_LEN, (uint16_t)len) + put_be16(ip + IP4_ID, id);
	uint32_t sum = leat_csum_add(gso->ip_sum[level], changed);

	store_raw16(ip + IP4_CHECK, (uint16_t)~leat_csum_fold(sum));
}

static void finish_ip(const struct leat_gso *gso, const struct gso_seg *s)
{
	uint32_t len = gso->hdr_len + s->shown;

	for (unsigned i = 0; i < gso->levels; i++) {
		uint32_t network = gso->lvl[i].network;

		if (gso->lvl[i].version == 4)
			finish_ip4(gso, i, s->hdr + network, len - network);
		else
			store_be16(s->hdr + network + IP6_PAYLOAD_LEN,
				   (uint16_t)(len - network - IP6_HLEN));
	}
}

static void copy_headers(const struct leat_gso *gso, uint8_t *hdr)
{
	const uint8_t *rest = gso->pkt->data + gso->split;

	memcpy(hdr, gso->pkt->data, gso->split);
	if (gso->split == gso->hdr_len)
		return;
	hdr += gso->split;
	memcpy(hdr + gso->insert, rest + gso->drop, gso->hdr_len - gso->split - gso->insert);
	if (gso->drop)
		*(hdr - gso->next_header) = *rest;
}

/* Lengths of TCP are its packet's, whoever cuts it further; UDP says its own. */
static void finish_tcp(const struct leat_gso *gso, const struct gso_seg *s)
{
	uint8_t *tcp = s->hdr + gso->transport;
	uint32_t len = gso->hdr_len - gso->transport + s->n;
	uint32_t sum = leat_csum_add(gso->sum, sum_be32(len));
	uint32_t changed = leat_gso_tcp_finish(gso, tcp, s->n);
	uint16_t check;

	if (gso->unfinished) {
		check = leat_csum_fold(sum);
	} else {
		sum = leat_csum_add(sum, leat_csum_add(changed, sum_payload(s)));
		check = (uint16_t)~leat_csum_fold(sum);
	}
	store_raw16(tcp + TCP_CHECK, check);
}

static void finish_udp(const struct leat_gso *gso, const struct gso_seg *s)
{
	uint8_t *udp = s->hdr + gso->transport;
	uint32_t sum = leat_csum_add(gso->sum, sum_be32(UDP_HLEN + s->shown));
	uint32_t changed = leat_gso_udp_finish(udp, s->shown);

	if (gso->unfinished) {
		store_raw16(udp + UDP_CHECK, leat_csum_fold(sum));
		return;
	}
	sum = leat_csum_add(sum, leat_csum_add(changed, sum_payload(s)));
	store_udp_check(udp + UDP_CHECK, sum);
}

/* The head of a fraglist, whose lengths were those of the whole. */
static void finish_head(const struct leat_gso *gso, const struct gso_seg *s)
{
	if (leat_pkt_inner(gso->pkt)->protocol == PROTO_UDP)
		leat_gso_udp_finish(s->hdr + gso->transport, s->n);
}

static void write_headers(const struct leat_gso *gso, const struct gso_seg *s)
{
	if (gso->slice != gso->pkt && gso->kind == GSO_LIST) {
		if (leat_gso_list_write(gso, s->hdr) && gso->levels > 1)
			leat_gso_tunnel_seal(gso, s);
		return;
	}
	copy_headers(gso, s->hdr);
	finish_ip(gso, s);
	switch (gso->kind) {
	case GSO_TCP: finish_tcp(gso, s); break;
	case GSO_UDP: finish_udp(gso, s); break;
	case GSO_UFO: leat_gso_ufo_finish(gso, s); break;
	case GSO_SCTP: leat_gso_sctp_finish(gso, s); break;
	case GSO_LIST: finish_head(gso, s); break;
	}
	if (gso->levels > 1)
		leat_gso_tunnel_seal(gso, s);
}

/* What the port must know of the segment. Gives how many it will be on the wire. */
static uint32_t describe(const struct leat_gso *gso, const struct gso_seg *s, struct leat_seg *seg)
{
	*seg = gso->wire;
	seg->len = gso->hdr_len + s->n;
	if (s->shown == s->n)
		return 1;
	seg->gso_type = (gso->gso_type | LEAT_GSO_PARTIAL) & ~LEAT_GSO_DODGY;
	seg->gso_size = (uint16_t)gso->gso_size;
	seg->gso_segs = (uint16_t)((s->n - 1) / gso->gso_size + 1);
	return seg->gso_segs;
}

/* Append the next segment, or nothing if it does not fit. */
static bool append(struct leat_gso *gso, struct leat_gso_out *out)
{
	size_t room = out->headroom + gso->hdr_len;
	struct leat_slice *slices = out->slices + out->n_slices;
	struct leat_seg *seg = out->segs + out->n_segs;
	struct gso_seg s = {.hdr = out->hdr + out->hdr_used + out->headroom, .n = next_len(gso)};

	if (out->n_segs == out->max_segs || out->hdr_room - out->hdr_used < room ||
	    out->max_slices - out->n_slices < 2)
		return false;
	s.shown = gso->partial && s.n > gso->gso_size ? gso->gso_size : s.n;
	s.slices = slices + 1;
	s.count = take(gso, s.n, slices + 1, out->max_slices - out->n_slices - 1);
	if (s.count == 0 && s.n > 0)
		return false;

	write_headers(gso, &s);
	slices[0] = (struct leat_slice){s.hdr, gso->hdr_len};
	gso->seg += describe(gso, &s, seg);
	seg->slice = out->n_slices;
	seg->slices = s.count + 1;
	out->n_segs++;
	out->n_slices += s.count + 1;
	out->hdr_used += room;
	gso->off += s.n;
	if (gso->kind == GSO_UFO)
		leat_gso_ufo_next(gso);
	return true;
}

unsigned leat_gso_segment(struct leat_gso *gso, struct leat_gso_out *out)
{
	unsigned n = 0;

	while (!leat_gso_done(gso) && append(gso, out))
		n++;
	return n;
}
