/* SPDX-License-Identifier: MIT */
/*
 * vnet.c - virtio_net_hdr, read as untrusted, and written.
 *
 * Reading compares the header with what the parser found, not with itself: a super-packet is one
 * only if its transport header is there, whole, and of the type that the header claims. So what
 * Linux takes from a TAP and its segmenter then drops (csum_start elsewhere, a TCP data offset
 * under 5, UDP_L4 over TCP, the inside of a UDP tunnel without its type) is refused here at once.
 *
 * A header and the parser may disagree about a UDP tunnel without either being wrong: the parser
 * goes by port numbers, the header says where things are. Then the header's word is taken, and the
 * packet reconsidered, in a copy of its descriptor, as the header may lie all the same.
 *
 * Without NEEDS_CSUM the transport checksum field says nothing that could be relied on and the
 * packet stays CSUM_NONE; a super-packet may come so, its segments get checksums of their own.
 */
#include <errno.h>
#include <leat/gso.h>
#include <leat/parse.h>
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
	VNET_HASH_VALUE = 12,
	VNET_HASH_REPORT = 16,
	VNET_OUTER_TH = 20,
	VNET_INNER_NH = 22,
};

/* The header's types for UDP tunnels, and the bits of gso_type for tunnels it has no type for. */
enum { TUNNEL_TYPES = LEAT_VNET_GSO_UDP_TUNNEL_IPV4 | LEAT_VNET_GSO_UDP_TUNNEL_IPV6 };
#define UDP_TUNNELS   (LEAT_GSO_UDP_TUNNEL | LEAT_GSO_UDP_TUNNEL_CSUM)
#define OTHER_TUNNELS (LEAT_GSO_IPXIP4 | LEAT_GSO_IPXIP6 | LEAT_GSO_GRE | LEAT_GSO_GRE_CSUM)

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

/* A header as it was given: its bytes, and how many. */
struct hdr {
	const uint8_t *h;
	size_t len;
};

/* The kind of a header's type or of a packet's gso_type; NULL if there is none. */
static const struct kind *find_kind(unsigned type, uint32_t gso_type)
{
	for (unsigned i = 0; i < KINDS; i++)
		if (kinds[i].type == type || kinds[i].gso_type == gso_type)
			return &kinds[i];
	return NULL;
}

static bool has_ecn(const uint8_t *h)
{
	return h[VNET_GSO_TYPE] & LEAT_VNET_GSO_ECN;
}

static bool needs_csum(const uint8_t *h)
{
	return h[VNET_FLAGS] & LEAT_VNET_F_NEEDS_CSUM;
}

/* Whether the header is one of a UDP tunnel's super-packet. */
static bool tells_of_tunnel(const struct hdr *hdr)
{
	return hdr->len == LEAT_VNET_HDR_TUNNEL_LEN && (hdr->h[VNET_GSO_TYPE] & TUNNEL_TYPES);
}

static bool is_udp_tunnel(const struct leat_pkt *pkt)
{
	return pkt->levels == 2 && pkt->lvl[0].protocol == PROTO_UDP;
}

static bool is_valid_csum(const struct leat_pkt *pkt, const uint8_t *h)
{
	uint32_t start = load_le16(h + VNET_CSUM_START);
	uint32_t first = pkt->levels > 0 ? pkt->lvl[0].transport : ETH_HLEN;

	return start >= first && start + load_le16(h + VNET_CSUM_OFFSET) + 2 <= pkt->headlen;
}

/* Is the packet in a UDP tunnel, and just as the header says? (Its inner IP header is: means_inner.) */
static bool is_valid_tunnel(const struct leat_pkt *pkt, const uint8_t *h)
{
	unsigned version =
		(h[VNET_GSO_TYPE] & TUNNEL_TYPES) == LEAT_VNET_GSO_UDP_TUNNEL_IPV4 ? 4 : 6;

	return is_udp_tunnel(pkt) && (h[VNET_GSO_TYPE] & TUNNEL_TYPES) != TUNNEL_TYPES &&
	       pkt->lvl[0].version == version && needs_csum(h) &&
	       load_le16(h + VNET_OUTER_TH) == pkt->lvl[0].transport;
}

/* Is the frame one that could be a super-packet of kind `k`, whatever its size? */
static bool is_valid_gso(const struct leat_pkt *pkt, const struct hdr *hdr, const struct kind *k)
{
	uint32_t gso_size = load_le16(hdr->h + VNET_GSO_SIZE);
	const struct leat_level *l;

	if (gso_size == 0 || gso_size == LEAT_GSO_BY_FRAGS || pkt->depth < LEAT_DEPTH_TRANSPORT)
		return false;
	l = leat_pkt_inner(pkt);
	if (l->protocol != k->protocol || (l->flags & LEAT_IP_FRAGMENT) ||
	    (k->version != 0 && k->version != l->version))
		return false;
	if (pkt->levels > 1 &&
	    (k->gso_type == LEAT_GSO_UDP || (pkt->lvl[0].flags & LEAT_IP_FRAGMENT)))
		return false;
	if (tells_of_tunnel(hdr) ? !is_valid_tunnel(pkt, hdr->h) : is_udp_tunnel(pkt))
		return false;
	if (needs_csum(hdr->h) && (load_le16(hdr->h + VNET_CSUM_START) != l->transport ||
				   load_le16(hdr->h + VNET_CSUM_OFFSET) != k->check))
		return false;
	if (has_ecn(hdr->h) && k->protocol != PROTO_TCP)
		return false;
	return k->gso_type != LEAT_GSO_UDP_L4 ||
	       (needs_csum(hdr->h) && pkt->len - pkt->payload <= gso_size * LEAT_UDP_MAX_SEGMENTS);
}

/* Is there more than one segment's worth? An IP fragment's share includes the UDP header. */
static bool is_large(const struct leat_pkt *pkt, const struct kind *k, uint32_t gso_size)
{
	uint32_t headers =
		k->gso_type == LEAT_GSO_UDP ? leat_pkt_inner(pkt)->transport : pkt->payload;

	return pkt->len - headers > gso_size;
}

static void take_csum(struct leat_pkt *pkt, const uint8_t *h)
{
	pkt->csum = h[VNET_FLAGS] & LEAT_VNET_F_DATA_VALID ? LEAT_CSUM_UNNECESSARY : LEAT_CSUM_NONE;
	if (!needs_csum(h))
		return;
	pkt->csum = LEAT_CSUM_PARTIAL;
	pkt->csum_start = load_le16(h + VNET_CSUM_START);
	pkt->csum_offset = load_le16(h + VNET_CSUM_OFFSET);
}

static void take_hash(struct leat_pkt *pkt, const uint8_t *h)
{
	static const uint8_t covers[] = {
		[LEAT_VNET_HASH_IPV4] = LEAT_HASH_L3,	  [LEAT_VNET_HASH_TCPV4] = LEAT_HASH_L4,
		[LEAT_VNET_HASH_UDPV4] = LEAT_HASH_L4,	  [LEAT_VNET_HASH_IPV6] = LEAT_HASH_L3,
		[LEAT_VNET_HASH_TCPV6] = LEAT_HASH_L4,	  [LEAT_VNET_HASH_UDPV6] = LEAT_HASH_L4,
		[LEAT_VNET_HASH_IPV6_EX] = LEAT_HASH_L3,  [LEAT_VNET_HASH_TCPV6_EX] = LEAT_HASH_L4,
		[LEAT_VNET_HASH_UDPV6_EX] = LEAT_HASH_L4,
	};
	unsigned report = load_le16(h + VNET_HASH_REPORT);

	pkt->hash_type = report < sizeof(covers) ? covers[report] : LEAT_HASH_NONE;
	pkt->hash = pkt->hash_type == LEAT_HASH_NONE ?
			    0 :
			    (load_le16(h + VNET_HASH_VALUE) |
			     (uint32_t)load_le16(h + VNET_HASH_VALUE + 2) << 16);
}

/* The bits of gso_type for the tunnel that a packet of two levels is in. */
static uint32_t find_tunnel_type(const struct leat_pkt *pkt, const uint8_t *h)
{
	const struct leat_level *outer = &pkt->lvl[0];

	if (outer->protocol == PROTO_UDP)
		return h[VNET_FLAGS] & LEAT_VNET_F_UDP_TUNNEL_CSUM ? LEAT_GSO_UDP_TUNNEL_CSUM :
								     LEAT_GSO_UDP_TUNNEL;
	if (outer->tunnel == LEAT_TUNNEL_GRE)
		return load_be16(pkt->data + outer->transport + GRE_FLAGS) & GRE_CSUM ?
			       LEAT_GSO_GRE_CSUM :
			       LEAT_GSO_GRE;
	return outer->version == 4 ? LEAT_GSO_IPXIP4 : LEAT_GSO_IPXIP6;
}

/* Take over what is not to be doubted any more; `k` NULL: no super-packet. */
static void take(struct leat_pkt *pkt, const struct hdr *hdr, const struct kind *k)
{
	take_csum(pkt, hdr->h);
	if (hdr->len >= LEAT_VNET_HDR_HASH_LEN)
		take_hash(pkt, hdr->h);
	pkt->gso_type = 0;
	pkt->gso_size = 0;
	pkt->gso_segs = 0;
	if (!k)
		return;
	pkt->gso_type = k->gso_type | LEAT_GSO_DODGY | (has_ecn(hdr->h) ? LEAT_GSO_TCP_ECN : 0);
	if (pkt->levels > 1)
		pkt->gso_type |= find_tunnel_type(pkt, hdr->h);
	pkt->gso_size = load_le16(hdr->h + VNET_GSO_SIZE);
}

static int read_hdr(struct leat_pkt *pkt, const struct hdr *hdr)
{
	unsigned type = hdr->h[VNET_GSO_TYPE], tunnel = tells_of_tunnel(hdr) ? TUNNEL_TYPES : 0;
	const struct kind *k = NULL;

	if (needs_csum(hdr->h) && !is_valid_csum(pkt, hdr->h))
		return -EINVAL;
	if (type != LEAT_VNET_GSO_NONE) {
		k = find_kind(type & ~(LEAT_VNET_GSO_ECN | tunnel), 0);
		if (!k || !is_valid_gso(pkt, hdr, k))
			return -EINVAL;
		if (!is_large(pkt, k, load_le16(hdr->h + VNET_GSO_SIZE)))
			k = NULL;
	}
	take(pkt, hdr, k);
	return 0;
}

/* Parse the packet anew, its outer UDP port taken for that of each tunnel in turn, until there is
 * an IP header where the super-packet's header has one. */
static bool find_tunnel(struct leat_pkt *pkt, const uint8_t *h)
{
	static const struct leat_tunnel_port tunnels[] = {
		{.tunnel = LEAT_TUNNEL_VXLAN},
		{.tunnel = LEAT_TUNNEL_GENEVE},
		{.tunnel = LEAT_TUNNEL_GUE},
		{.tunnel = LEAT_TUNNEL_FOU, .protocol = PROTO_IPIP},
		{.tunnel = LEAT_TUNNEL_FOU, .protocol = PROTO_IPV6},
		{.tunnel = LEAT_TUNNEL_FOU, .protocol = PROTO_GRE},
	};
	struct leat_parse_conf conf = {.tunnels = 1};

	if (pkt->levels == 0 || pkt->depth < LEAT_DEPTH_TRANSPORT ||
	    pkt->lvl[0].protocol != PROTO_UDP)
		return false;
	for (unsigned i = 0; i < sizeof(tunnels) / sizeof(tunnels[0]); i++) {
		conf.tunnel[0] = tunnels[i];
		conf.tunnel[0].port = load_be16(pkt->data + pkt->lvl[0].transport + L4_DPORT);
		leat_parse(&conf, &pkt, 1);
		if (is_udp_tunnel(pkt) && pkt->lvl[1].network == load_le16(h + VNET_INNER_NH))
			return true;
	}
	return false;
}

/* Whether the header means the outer UDP header of what was taken for a tunnel. */
static bool means_outer(const struct leat_pkt *pkt, const struct hdr *hdr)
{
	if (!is_udp_tunnel(pkt) || tells_of_tunnel(hdr))
		return false;
	if (needs_csum(hdr->h))
		return load_le16(hdr->h + VNET_CSUM_START) == pkt->lvl[0].transport;
	return hdr->h[VNET_GSO_TYPE] != LEAT_VNET_GSO_NONE;
}

/* Whether the header means an inside that was not found. */
static bool means_inner(const struct leat_pkt *pkt, const struct hdr *hdr)
{
	return tells_of_tunnel(hdr) &&
	       !(is_udp_tunnel(pkt) && pkt->lvl[1].network == load_le16(hdr->h + VNET_INNER_NH));
}

/* Read the header of a packet that it sees otherwise than the parser did. */
static int reconsider(struct leat_pkt *pkt, const struct hdr *hdr)
{
	struct leat_pkt other = *pkt;
	int err;

	if (!tells_of_tunnel(hdr))
		leat_parse_outer(&other);
	else if (!find_tunnel(&other, hdr->h))
		return -EINVAL;
	err = read_hdr(&other, hdr);
	if (!err)
		*pkt = other;
	return err;
}

/* A TAP takes no hint at headers that would end within Ethernet's; where there is a checksum to
 * complete the hint counts up to that, at least. */
static bool is_valid_hint(const struct leat_pkt *pkt, const uint8_t *h)
{
	uint32_t hint = load_le16(h + VNET_HDR_LEN);

	return hint <= pkt->len && (hint == 0 || hint >= ETH_HLEN || needs_csum(h));
}

static bool is_hdr_len(size_t hdr_len)
{
	return hdr_len == LEAT_VNET_HDR_LEN || hdr_len == LEAT_VNET_HDR_MRG_LEN ||
	       hdr_len == LEAT_VNET_HDR_HASH_LEN || hdr_len == LEAT_VNET_HDR_TUNNEL_LEN;
}

int leat_vnet_read(struct leat_pkt *pkt, const void *hdr, size_t hdr_len)
{
	const struct hdr given = {hdr, hdr_len};

	if (!is_hdr_len(hdr_len) || !is_valid_hint(pkt, given.h))
		return -EINVAL;
	if (hdr_len == LEAT_VNET_HDR_TUNNEL_LEN && !tells_of_tunnel(&given) &&
	    (given.h[VNET_FLAGS] & LEAT_VNET_F_UDP_TUNNEL_CSUM))
		return -EINVAL;
	if (means_outer(pkt, &given) || means_inner(pkt, &given))
		return reconsider(pkt, &given);
	return read_hdr(pkt, &given);
}

/* The header's type for a UDP tunnel, or -EOPNOTSUPP. */
static int find_tunnel_hdr_type(const struct leat_vnet_meta *meta, size_t hdr_len)
{
	if (hdr_len < LEAT_VNET_HDR_TUNNEL_LEN || meta->csum != LEAT_CSUM_PARTIAL)
		return -EOPNOTSUPP;
	if (meta->outer_version == 4)
		return LEAT_VNET_GSO_UDP_TUNNEL_IPV4;
	return meta->outer_version == 6 ? LEAT_VNET_GSO_UDP_TUNNEL_IPV6 : -EOPNOTSUPP;
}

/* The header's type for these fields, or -EOPNOTSUPP. */
static int find_type(const struct leat_vnet_meta *meta, size_t hdr_len)
{
	uint32_t tunnel = meta->gso_type & (UDP_TUNNELS | OTHER_TUNNELS);
	uint32_t gso_type = meta->gso_type & ~(LEAT_GSO_DODGY | LEAT_GSO_TCP_ECN | tunnel);
	const struct kind *k;
	int type = 0;

	if (meta->gso_type == 0)
		return LEAT_VNET_GSO_NONE;
	k = find_kind(LEAT_VNET_GSO_NONE, gso_type);
	if (!k || meta->gso_size == 0 || meta->gso_size == LEAT_GSO_BY_FRAGS)
		return -EOPNOTSUPP;
	if (gso_type == LEAT_GSO_UDP_L4 && meta->csum != LEAT_CSUM_PARTIAL)
		return -EOPNOTSUPP;
	if (tunnel && (gso_type == LEAT_GSO_UDP || (tunnel & (tunnel - 1))))
		return -EOPNOTSUPP;
	if (tunnel & UDP_TUNNELS)
		type = find_tunnel_hdr_type(meta, hdr_len);
	if (type < 0 || !(meta->gso_type & LEAT_GSO_TCP_ECN))
		return type < 0 ? type : type | k->type;
	return k->protocol == PROTO_TCP ? type | k->type | LEAT_VNET_GSO_ECN : -EOPNOTSUPP;
}

/* The report for the hash, by what it is of. */
static uint16_t find_report(const struct leat_vnet_meta *meta)
{
	unsigned first = meta->version == 4 ? LEAT_VNET_HASH_IPV4 : LEAT_VNET_HASH_IPV6;

	if (meta->hash_type < LEAT_HASH_L3 || meta->version == 0)
		return LEAT_VNET_HASH_NONE;
	if (meta->hash_type == LEAT_HASH_L3)
		return (uint16_t)first;
	if (meta->protocol == PROTO_TCP)
		return (uint16_t)(first + LEAT_VNET_HASH_TCPV4 - LEAT_VNET_HASH_IPV4);
	if (meta->protocol == PROTO_UDP)
		return (uint16_t)(first + LEAT_VNET_HASH_UDPV4 - LEAT_VNET_HASH_IPV4);
	return LEAT_VNET_HASH_NONE;
}

static void write_hash(const struct leat_vnet_meta *meta, uint8_t *h)
{
	uint16_t report = find_report(meta);

	if (report == LEAT_VNET_HASH_NONE)
		return;
	store_le32(h + VNET_HASH_VALUE, meta->hash);
	store_le16(h + VNET_HASH_REPORT, report);
}

static void write_tunnel(const struct leat_vnet_meta *meta, uint8_t *h)
{
	if (meta->gso_type & LEAT_GSO_UDP_TUNNEL_CSUM)
		h[VNET_FLAGS] |= LEAT_VNET_F_UDP_TUNNEL_CSUM;
	store_le16(h + VNET_OUTER_TH, meta->outer_transport);
	store_le16(h + VNET_INNER_NH, meta->inner_network);
}

/* What is behind the first ten bytes; each part of a constant size, which is faster. */
static inline void clear_rest(uint8_t *h, size_t hdr_len)
{
	store_le16(h + VNET_NUM_BUFFERS, 0);
	if (hdr_len < LEAT_VNET_HDR_HASH_LEN)
		return;
	memset(h + VNET_HASH_VALUE, 0, LEAT_VNET_HDR_HASH_LEN - VNET_HASH_VALUE);
	if (hdr_len == LEAT_VNET_HDR_TUNNEL_LEN)
		memset(h + VNET_OUTER_TH, 0, LEAT_VNET_HDR_TUNNEL_LEN - VNET_OUTER_TH);
}

int leat_vnet_write(const struct leat_vnet_meta *meta, void *hdr, size_t hdr_len)
{
	int type = is_hdr_len(hdr_len) ? find_type(meta, hdr_len) : -EOPNOTSUPP;
	uint8_t *h = hdr;

	if (type < 0)
		return type;
	memset(h, 0, LEAT_VNET_HDR_LEN);
	if (hdr_len > LEAT_VNET_HDR_LEN)
		clear_rest(h, hdr_len);
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
	if (hdr_len >= LEAT_VNET_HDR_HASH_LEN)
		write_hash(meta, h);
	if (meta->gso_type & UDP_TUNNELS)
		write_tunnel(meta, h);
	return 0;
}
