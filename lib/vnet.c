/* SPDX-License-Identifier: MIT */
/*
 * vnet.c - virtio_net_hdr, read as untrusted, and written.
 *
 * Reading compares the header with what the parser found, not with itself: a super-packet is one
 * only if its transport header is there, whole, and of the type that the header claims. So what
 * Linux takes from a TAP and its segmenter then drops (csum_start elsewhere, a TCP data offset
 * under 5, UDP_L4 over TCP) is refused here at once.
 *
 * Without NEEDS_CSUM the transport checksum field says nothing that could be relied on and the
 * packet stays CSUM_NONE; a super-packet may come so, its segments get checksums of their own.
 */
#include <errno.h>
#include <leat/gso.h>
#include <leat/vnet.h>

#include "hdr.h"

/* Offsets of the fields. */
enum {
	VNET_FLAGS = 0,
	VNET_GSO_TYPE = 1,
	VNET_HDR_LEN = 2,
	VNET_GSO_SIZE = 4,
	VNET_CSUM_START = 6,
	VNET_CSUM_OFFSET = 8,
	VNET_NUM_BUFFERS = 10,
};

/* What a type of the header means: its bit, its protocol, where that has its checksum, and its IP
 * version (0: either). */
struct kind {
	uint32_t gso_type;
	uint8_t type, protocol, check, version;
};

static const struct kind kinds[] = {
	{LEAT_GSO_TCPV4, LEAT_VNET_GSO_TCPV4, PROTO_TCP, TCP_CHECK, 4},
	{LEAT_GSO_TCPV6, LEAT_VNET_GSO_TCPV6, PROTO_TCP, TCP_CHECK, 6},
	{LEAT_GSO_UDP_L4, LEAT_VNET_GSO_UDP_L4, PROTO_UDP, UDP_CHECK, 0},
	{LEAT_GSO_UDP, LEAT_VNET_GSO_UDP, PROTO_UDP, UDP_CHECK, 0},
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* The kind of a header's type or of a packet's gso_type; NULL if there is none. */
static const struct kind *find_kind(unsigned type, uint32_t gso_type)
{
	for (unsigned i = 0; i < KINDS; i++)
		if (kinds[i].type == type || kinds[i].gso_type == gso_type)
			return &kinds[i];
	return NULL;
}

static bool has_ecn(const uint8_t *hdr)
{
	return hdr[VNET_GSO_TYPE] & LEAT_VNET_GSO_ECN;
}

static bool needs_csum(const uint8_t *hdr)
{
	return hdr[VNET_FLAGS] & LEAT_VNET_F_NEEDS_CSUM;
}

static bool is_valid_csum(const struct leat_pkt *pkt, const uint8_t *hdr)
{
	uint32_t start = load_le16(hdr + VNET_CSUM_START);
	uint32_t first = pkt->levels > 0 ? pkt->lvl[0].transport : ETH_HLEN;

	return start >= first && start + load_le16(hdr + VNET_CSUM_OFFSET) + 2 <= pkt->headlen;
}

/* Is the frame one that could be a super-packet of kind `k`, whatever its size? */
static bool is_valid_gso(const struct leat_pkt *pkt, const uint8_t *hdr, const struct kind *k)
{
	uint32_t gso_size = load_le16(hdr + VNET_GSO_SIZE);
	const struct leat_level *l;

	if (gso_size == 0 || gso_size == LEAT_GSO_BY_FRAGS || pkt->depth < LEAT_DEPTH_TRANSPORT)
		return false;
	l = leat_pkt_inner(pkt);
	if (l->protocol != k->protocol || (l->flags & LEAT_IP_FRAGMENT) ||
	    (k->version != 0 && k->version != l->version))
		return false;
	if (needs_csum(hdr) && (load_le16(hdr + VNET_CSUM_START) != l->transport ||
				load_le16(hdr + VNET_CSUM_OFFSET) != k->check))
		return false;
	if (has_ecn(hdr) && k->protocol != PROTO_TCP)
		return false;
	return k->gso_type != LEAT_GSO_UDP_L4 ||
	       (needs_csum(hdr) && pkt->len - pkt->payload <= gso_size * LEAT_UDP_MAX_SEGMENTS);
}

/* Is there more than one segment's worth? An IP fragment's share includes the UDP header. */
static bool is_large(const struct leat_pkt *pkt, const struct kind *k, uint32_t gso_size)
{
	uint32_t headers =
		k->gso_type == LEAT_GSO_UDP ? leat_pkt_inner(pkt)->transport : pkt->payload;

	return pkt->len - headers > gso_size;
}

static void take_csum(struct leat_pkt *pkt, const uint8_t *hdr)
{
	pkt->csum =
		hdr[VNET_FLAGS] & LEAT_VNET_F_DATA_VALID ? LEAT_CSUM_UNNECESSARY : LEAT_CSUM_NONE;
	if (!needs_csum(hdr))
		return;
	pkt->csum = LEAT_CSUM_PARTIAL;
	pkt->csum_start = load_le16(hdr + VNET_CSUM_START);
	pkt->csum_offset = load_le16(hdr + VNET_CSUM_OFFSET);
}

static bool is_hdr_len(size_t hdr_len)
{
	return hdr_len == LEAT_VNET_HDR_LEN || hdr_len == LEAT_VNET_HDR_MRG_LEN;
}

int leat_vnet_read(struct leat_pkt *pkt, const void *hdr, size_t hdr_len)
{
	const struct kind *k = NULL;
	const uint8_t *h = hdr;
	uint32_t gso_size;

	if (!is_hdr_len(hdr_len) || load_le16(h + VNET_HDR_LEN) > pkt->len)
		return -EINVAL;
	if (needs_csum(h) && !is_valid_csum(pkt, h))
		return -EINVAL;
	gso_size = load_le16(h + VNET_GSO_SIZE);
	if (h[VNET_GSO_TYPE] != LEAT_VNET_GSO_NONE) {
		k = find_kind(h[VNET_GSO_TYPE] & ~(unsigned)LEAT_VNET_GSO_ECN, 0);
		if (!k || !is_valid_gso(pkt, h, k))
			return -EINVAL;
		if (!is_large(pkt, k, gso_size))
			k = NULL;
	}
	take_csum(pkt, h);
	pkt->gso_type = 0;
	pkt->gso_size = 0;
	pkt->gso_segs = 0;
	if (k) {
		pkt->gso_type = k->gso_type | LEAT_GSO_DODGY | (has_ecn(h) ? LEAT_GSO_TCP_ECN : 0);
		pkt->gso_size = (uint16_t)gso_size;
	}
	return 0;
}

/* The header's type for these fields, or -EOPNOTSUPP. */
static int find_type(const struct leat_vnet_meta *meta)
{
	uint32_t gso_type = meta->gso_type & ~(LEAT_GSO_DODGY | LEAT_GSO_TCP_ECN);
	const struct kind *k;

	if (meta->gso_type == 0)
		return LEAT_VNET_GSO_NONE;
	k = find_kind(LEAT_VNET_GSO_NONE, gso_type);
	if (!k || meta->gso_size == 0 || meta->gso_size == LEAT_GSO_BY_FRAGS)
		return -EOPNOTSUPP;
	if (gso_type == LEAT_GSO_UDP_L4 && meta->csum != LEAT_CSUM_PARTIAL)
		return -EOPNOTSUPP;
	if (!(meta->gso_type & LEAT_GSO_TCP_ECN))
		return k->type;
	return k->protocol == PROTO_TCP ? k->type | LEAT_VNET_GSO_ECN : -EOPNOTSUPP;
}

int leat_vnet_write(const struct leat_vnet_meta *meta, void *hdr, size_t hdr_len)
{
	int type = is_hdr_len(hdr_len) ? find_type(meta) : -EOPNOTSUPP;
	uint8_t *h = hdr;

	if (type < 0)
		return type;
	memset(h, 0, LEAT_VNET_HDR_LEN);
	if (hdr_len == LEAT_VNET_HDR_MRG_LEN)
		store_le16(h + VNET_NUM_BUFFERS, 0);
	h[VNET_GSO_TYPE] = (uint8_t)type;
	store_le16(h + VNET_HDR_LEN, meta->hdr_len);
	if (type != LEAT_VNET_GSO_NONE)
		store_le16(h + VNET_GSO_SIZE, meta->gso_size);
	if (meta->csum == LEAT_CSUM_PARTIAL) {
		h[VNET_FLAGS] = LEAT_VNET_F_NEEDS_CSUM;
		store_le16(h + VNET_CSUM_START, meta->csum_start);
		store_le16(h + VNET_CSUM_OFFSET, meta->csum_offset);
	} else if (meta->csum == LEAT_CSUM_UNNECESSARY) {
		h[VNET_FLAGS] = LEAT_VNET_F_DATA_VALID;
	}
	return 0;
}

struct leat_vnet_meta leat_vnet_meta(const struct leat_pkt *pkt)
{
	return (struct leat_vnet_meta){
		.gso_type = pkt->gso_type,
		.gso_size = pkt->gso_size,
		.csum_start = pkt->csum_start,
		.csum_offset = pkt->csum_offset,
		.hdr_len = pkt->payload,
		.csum = pkt->csum,
	};
}
