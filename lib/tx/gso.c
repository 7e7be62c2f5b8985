/* SPDX-License-Identifier: MIT */
/*
 * gso.c - the segmenter: a super-packet's chain cut into segments, each with headers of its own.
 *
 * leat_gso_init() checks all that the segments' headers will rest on, so that leat_gso_segment()
 * has nothing left to doubt. What all segments share is summed there once: each IP header without
 * its length, ID and checksum, and the transport's pseudo-header and unchanging fields. A segment
 * then costs a copy of the headers, a few fields, and one pass over its payload, or none where
 * the port completes checksums.
 *
 * Lengths come from the descriptor. An IP length field is only compared: 0 stands for a TCP packet
 * that it cannot express (BIG TCP; captures of unfinished headers have it too), and another value
 * than the frame's means padding, which would be cut up as payload, or a cut packet, so it is
 * refused. The super-packet's checksums are never read: segments get fresh ones. IPv4 IDs count
 * up from the super-packet's, modulo 2^16, unless the type says that they are fixed.
 *
 * Every IP header in front of the transport is treated alike, from the outermost in: a loop over
 * levels, of which there is one until tunnels are segmented.
 */
#include <errno.h>
#include <leat/csum.h>
#include <leat/gso.h>
#include <string.h>

#include "gso.h"

#define MODIFIERS (LEAT_GSO_DODGY | LEAT_GSO_TCP_ECN | LEAT_GSO_TCP_FIXEDID)
#define TYPES	  (LEAT_GSO_TCPV4 | LEAT_GSO_TCPV6 | LEAT_GSO_UDP_L4)

/* The first option of a hop-by-hop header that says: jumbogram (RFC 2675). */
enum { JUMBO_OPTION = 0xc2, JUMBO_OFFSET = IP6_HLEN + 2 };

enum { IP_LEN_MAX = 0xffff }; /* what a length field can say */

/* Does the chain have the bytes and members that its head counts? */
static bool is_whole(const struct leat_pkt *pkt)
{
	const struct leat_pkt *slice = pkt->frag_list;
	uint64_t len = pkt->headlen;
	unsigned n = 0;

	for (; slice && n < pkt->slices; n++, slice = slice->frag_list)
		len += slice->headlen;
	return n == pkt->slices && len == pkt->len && len <= LEAT_PKT_LEN_MAX;
}

/* Do type and headers agree, and is there one transport alone? */
static bool is_of_type(const struct leat_pkt *pkt)
{
	const struct leat_level *l = leat_pkt_inner(pkt);

	switch (pkt->gso_type & TYPES) {
	case LEAT_GSO_TCPV4: return l->protocol == PROTO_TCP && l->version == 4;
	case LEAT_GSO_TCPV6: return l->protocol == PROTO_TCP && l->version == 6;
	case LEAT_GSO_UDP_L4:
		return l->protocol == PROTO_UDP && (l->version == 4 || l->version == 6) &&
		       !(pkt->gso_type & LEAT_GSO_TCP_ECN);
	}
	return false;
}

/* Is this the level's IP header, of a packet that ends with the frame, and will a segment's
 * length fit its length field? */
static bool is_ip(const struct leat_pkt *pkt, const struct leat_level *l, uint32_t gso_size)
{
	const uint8_t *ip = pkt->data + l->network;
	bool is6 = l->version == 6;
	unsigned field = load_be16(ip + (is6 ? IP6_PAYLOAD_LEN : IP4_TOT_LEN));
	unsigned first = l->network + (is6 ? IP6_HLEN : 0u); /* byte the field counts */

	if (ip[0] >> 4 != l->version || (!is6 && l->network + ip4_hlen(ip) != l->transport))
		return false;
	if (field != pkt->len - first && (field != 0 || l->protocol != PROTO_TCP))
		return false;
	return pkt->payload - first + gso_size <= IP_LEN_MAX;
}

static bool is_jumbogram(const struct leat_pkt *pkt, const struct leat_level *l)
{
	const uint8_t *ip = pkt->data + l->network;

	return l->version == 6 && l->transport - l->network > IP6_HLEN &&
	       ip[IP6_NEXTHDR] == PROTO_HOPOPTS && ip[JUMBO_OFFSET] == JUMBO_OPTION;
}

/* Are the headers where the descriptor has them, and do the fields agree with each other? */
static bool has_headers(const struct leat_pkt *pkt, uint32_t gso_size)
{
	const struct leat_level *l = leat_pkt_inner(pkt);
	unsigned hlen = l->version == 6 ? IP6_HLEN : IP4_HLEN;

	if (l->network + hlen > l->transport || l->transport >= pkt->payload ||
	    pkt->payload > pkt->headlen || l->flags & LEAT_IP_FRAGMENT)
		return false;
	return is_ip(pkt, l, gso_size);
}

static unsigned checksum_offset(unsigned kind)
{
	return kind == GSO_TCP ? TCP_CHECK : UDP_CHECK;
}

static unsigned kind_of(const struct leat_pkt *pkt)
{
	return pkt->gso_type & LEAT_GSO_UDP_L4 ? GSO_UDP : GSO_TCP;
}

/* Can `pkt` be cut every `gso_size` bytes? Looks at a header only once it is known to be there. */
static bool is_super_packet(const struct leat_pkt *pkt, uint32_t gso_size)
{
	unsigned kind = kind_of(pkt);
	uint32_t payload;

	if (gso_size == 0 || pkt->gso_size == LEAT_GSO_BY_FRAGS)
		return false;
	if (pkt->depth != LEAT_DEPTH_TRANSPORT || pkt->levels != 1 || !is_of_type(pkt) ||
	    !is_whole(pkt) || !has_headers(pkt, gso_size))
		return false;
	payload = pkt->len - pkt->payload;
	if (payload <= gso_size)
		return false;
	if (pkt->csum == LEAT_CSUM_PARTIAL && (pkt->csum_start != leat_pkt_inner(pkt)->transport ||
					       pkt->csum_offset != checksum_offset(kind)))
		return false;
	return kind == GSO_TCP ? leat_gso_tcp_check(pkt) :
				 leat_gso_udp_check(pkt, (payload - 1) / gso_size + 1);
}

/* The sum of an IPv4 header without its length, ID and checksum. */
static uint32_t sum_ip4(const uint8_t *ip)
{
	uint32_t sum;

	sum = leat_csum_partial(ip, IP4_TOT_LEN, 0);
	sum = leat_csum_partial(ip + IP4_FRAG_OFF, IP4_CHECK - IP4_FRAG_OFF, sum);
	return leat_csum_partial(ip + IP4_SRC, ip4_hlen(ip) - IP4_SRC, sum);
}

static uint32_t sum_transport(const struct leat_pkt *pkt, unsigned kind, bool partial)
{
	uint32_t sum = leat_csum_pseudo(pkt->data, leat_pkt_inner(pkt), 0);

	if (partial)
		return sum;
	return leat_csum_add(sum, kind == GSO_TCP ? leat_gso_tcp_sum(pkt) : leat_gso_udp_sum(pkt));
}

int leat_gso_init(struct leat_gso *gso, const struct leat_pkt *pkt,
		  const struct leat_gso_conf *conf)
{
	uint32_t gso_size = conf->gso_size ? conf->gso_size : pkt->gso_size;
	unsigned i;

	if (pkt->gso_type & ~(TYPES | MODIFIERS))
		return -EPROTONOSUPPORT;
	if (!is_super_packet(pkt, gso_size))
		return -EINVAL;
	if (is_jumbogram(pkt, leat_pkt_inner(pkt)))
		return -EPROTONOSUPPORT;

	gso->pkt = pkt;
	gso->slice = pkt;
	gso->slice_off = pkt->payload;
	gso->off = 0;
	gso->payload = pkt->len - pkt->payload;
	gso->gso_size = gso_size;
	gso->seg = 0;
	gso->hdr_len = pkt->payload;
	gso->kind = (uint8_t)kind_of(pkt);
	gso->csum_partial = conf->csum_partial;
	gso->sum = sum_transport(pkt, gso->kind, conf->csum_partial);
	for (i = 0; i < pkt->levels; i++)
		if (pkt->lvl[i].version == 4)
			gso->ip_sum[i] = sum_ip4(pkt->data + pkt->lvl[i].network);
	return (int)((gso->payload - 1) / gso_size + 1);
}

/* The next `n` bytes of payload as slices, and the position moved past them; if `max` are not
 * enough, 0 and the position as it was. */
static unsigned take(struct leat_gso *gso, uint32_t n, struct leat_slice *slices, unsigned max)
{
	const struct leat_pkt *slice = gso->slice;
	uint32_t off = gso->slice_off;
	unsigned count = 0;

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

/* A sum turned by a byte is the sum of the same bytes moved by one. */
static uint32_t turn(uint32_t sum)
{
	return sum >> 8 | sum << 24;
}

/* The sum of `n` bytes in `count` slices: turned wherever an odd slice ends, and back. */
static uint32_t sum_slices(const struct leat_slice *slices, unsigned count, uint32_t n)
{
	uint32_t sum = 0;
	unsigned i;

	for (i = 0; i < count; i++) {
		sum = leat_csum_partial(slices[i].base, slices[i].len, sum);
		if (slices[i].len & 1)
			sum = turn(sum);
	}
	return n & 1 ? turn(sum) : sum;
}

static void finish_ip4(const struct leat_gso *gso, unsigned level, uint8_t *ip, uint32_t len)
{
	bool fixed = gso->pkt->gso_type & (LEAT_GSO_TCP_FIXEDID << level);
	uint16_t id = (uint16_t)(load_be16(ip + IP4_ID) + (fixed ? 0 : gso->seg));
	uint32_t changed = put_be16(ip + IP4_TOT_LEN, (uint16_t)len) + put_be16(ip + IP4_ID, id);
	uint32_t sum = leat_csum_add(gso->ip_sum[level], changed);

	store_raw16(ip + IP4_CHECK, (uint16_t)~leat_csum_fold(sum));
}

/* Write the headers of the next segment, whose payload is the `n` bytes in `slices`. */
static void write_headers(const struct leat_gso *gso, uint8_t *hdr, uint32_t n,
			  const struct leat_slice *slices, unsigned count)
{
	const struct leat_pkt *pkt = gso->pkt;
	uint32_t len = gso->hdr_len + n;
	uint32_t transport = leat_pkt_inner(pkt)->transport;
	uint32_t sum = leat_csum_add(gso->sum, sum_be16((uint16_t)(len - transport)));
	unsigned i;

	memcpy(hdr, pkt->data, gso->hdr_len);
	for (i = 0; i < pkt->levels; i++) {
		uint32_t network = pkt->lvl[i].network;

		if (pkt->lvl[i].version == 4)
			finish_ip4(gso, i, hdr + network, len - network);
		else
			store_be16(hdr + network + IP6_PAYLOAD_LEN,
				   (uint16_t)(len - network - IP6_HLEN));
	}
	if (!gso->csum_partial)
		sum = leat_csum_add(sum, sum_slices(slices, count, n));
	if (gso->kind == GSO_TCP)
		leat_gso_tcp_finish(gso, hdr + transport, n, sum);
	else
		leat_gso_udp_finish(gso, hdr + transport, n, sum);
}

/* What the port must know of the segment of `len` bytes. */
static void describe(const struct leat_gso *gso, uint32_t len, struct leat_seg *seg)
{
	seg->len = len;
	seg->gso_type = 0;
	seg->gso_size = 0;
	seg->gso_segs = 0;
	seg->csum = gso->csum_partial ? LEAT_CSUM_PARTIAL : LEAT_CSUM_UNNECESSARY;
	seg->csum_start = leat_pkt_inner(gso->pkt)->transport;
	seg->csum_offset = (uint16_t)checksum_offset(gso->kind);
}

/* Append the next segment, or nothing if it does not fit. */
static bool append(struct leat_gso *gso, struct leat_gso_out *out)
{
	uint32_t left = gso->payload - gso->off;
	uint32_t n = left < gso->gso_size ? left : gso->gso_size;
	size_t room = out->headroom + gso->hdr_len;
	struct leat_slice *slices = out->slices + out->n_slices;
	struct leat_seg *seg = out->segs + out->n_segs;
	uint8_t *hdr = out->hdr + out->hdr_used + out->headroom;
	unsigned count;

	if (out->n_segs == out->max_segs || out->hdr_room - out->hdr_used < room ||
	    out->max_slices - out->n_slices < 2)
		return false;
	count = take(gso, n, slices + 1, out->max_slices - out->n_slices - 1);
	if (count == 0)
		return false;

	write_headers(gso, hdr, n, slices + 1, count);
	slices[0] = (struct leat_slice){hdr, gso->hdr_len};
	describe(gso, gso->hdr_len + n, seg);
	seg->slice = out->n_slices;
	seg->slices = count + 1;
	out->n_segs++;
	out->n_slices += count + 1;
	out->hdr_used += room;
	gso->off += n;
	gso->seg++;
	return true;
}

unsigned leat_gso_segment(struct leat_gso *gso, struct leat_gso_out *out)
{
	unsigned n = 0;

	while (!leat_gso_done(gso) && append(gso, out))
		n++;
	return n;
}

uint32_t leat_gso_segs(const struct leat_pkt *pkt)
{
	if (pkt->gso_type == 0 || pkt->gso_size == 0 || pkt->len <= pkt->payload)
		return 1;
	if (pkt->gso_size == LEAT_GSO_BY_FRAGS)
		return pkt->slices + (pkt->headlen > pkt->payload || pkt->slices == 0);
	return (pkt->len - pkt->payload - 1) / pkt->gso_size + 1;
}
