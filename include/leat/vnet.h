/* SPDX-License-Identifier: MIT */
/*
 * vnet.h - struct virtio_net_hdr: how a frame's offload state travels to and from TAPs, packet
 * sockets, VMMs and files.
 *
 * Headers of 10, 12, 20 (with the hash) and 24 bytes (with the offsets of a UDP tunnel's super-packet),
 * little-endian. What is read is untrusted: it is checked against the frame and refused where
 * Linux 6.18 refuses it. Sources: virtio 1.3 section 5.1.6, uapi virtio_net.h.
 *
 * As the kernel's packet socket has it, super-packets in IPIP, SIT and GRE have the type of their
 * inner transport and its csum_start; that they are in a tunnel only the frame tells. A UDP
 * tunnel's has a type of its own, in 24 bytes alone. Threads: pure functions.
 */
#ifndef LEAT_VNET_H
#define LEAT_VNET_H

#include <leat/pkt.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	LEAT_VNET_HDR_LEN = 10,	       /* virtio_net_hdr */
	LEAT_VNET_HDR_MRG_LEN = 12,    /* virtio_net_hdr_mrg_rxbuf, virtio_net_hdr_v1 */
	LEAT_VNET_HDR_HASH_LEN = 20,   /* virtio_net_hdr_v1_hash */
	LEAT_VNET_HDR_TUNNEL_LEN = 24, /* virtio_net_hdr_v1_hash_tunnel */
	LEAT_VNET_HDR_LEN_MAX = 24,
};

/* flags and gso_type of the header. */
enum {
	LEAT_VNET_F_NEEDS_CSUM = 1,
	LEAT_VNET_F_DATA_VALID = 2,
	LEAT_VNET_F_UDP_TUNNEL_CSUM = 8, /* the outer UDP checksum is in use */
	LEAT_VNET_GSO_NONE = 0,
	LEAT_VNET_GSO_TCPV4 = 1,
	LEAT_VNET_GSO_UDP = 3,
	LEAT_VNET_GSO_TCPV6 = 4,
	LEAT_VNET_GSO_UDP_L4 = 5,
	LEAT_VNET_GSO_UDP_TUNNEL_IPV4 = 0x20, /* by the outer header, beside the inner's type */
	LEAT_VNET_GSO_UDP_TUNNEL_IPV6 = 0x40,
	LEAT_VNET_GSO_ECN = 0x80,
};

/* hash_report: what the hash covers. _EX: of IPv6 with extension headers. */
enum {
	LEAT_VNET_HASH_NONE = 0,
	LEAT_VNET_HASH_IPV4 = 1,
	LEAT_VNET_HASH_TCPV4 = 2,
	LEAT_VNET_HASH_UDPV4 = 3,
	LEAT_VNET_HASH_IPV6 = 4,
	LEAT_VNET_HASH_TCPV6 = 5,
	LEAT_VNET_HASH_UDPV6 = 6,
	LEAT_VNET_HASH_IPV6_EX = 7,
	LEAT_VNET_HASH_TCPV6_EX = 8,
	LEAT_VNET_HASH_UDPV6_EX = 9,
};

/* Take the header at `hdr` (of hdr_len 10, 12, 20 or 24 bytes) over into the parsed packet `pkt`:
 * gso_type (with DODGY), gso_size, csum, csum_start, csum_offset, from 20 bytes on hash and
 * hash_type (NONE for a report that is none or not known); gso_segs becomes 0. A frame no longer
 * than its headers and gso_size loses its GSO fields, as in Linux. NEEDS_CSUM gives PARTIAL, else
 * DATA_VALID gives UNNECESSARY, else csum is NONE, for a super-packet too: its checksum field then
 * means nothing, and its segments need none.
 *
 * Whose transport header is meant, csum_start tells. In IPIP, SIT and GRE it is the inner one,
 * without NEEDS_CSUM too; a super-packet then gets its tunnel's bits of gso_type. In a UDP tunnel it
 * is the inner one of a super-packet of a tunnel's type; else, if it is at the outer UDP header, or
 * there is none, that is meant, and the packet one of a single level (leat_parse_outer). A tunnel
 * whose port the parser was not told is looked for where the header has it, and the packet parsed
 * anew.
 *
 * Gives 0, or -EINVAL with the packet untouched:
 * - hdr_len in the header longer than the frame, or 1 to 13 without NEEDS_CSUM; csum_start or its
 *   field outside the frame's first slice or before the transport header;
 * - a super-packet of unknown type, of gso_size 0 or 0xffff, of a type that the headers disagree
 *   with, with headers not whole, in fragments, with csum_start elsewhere than its transport
 *   header, or its field elsewhere than the checksum;
 * - UDP_L4 without NEEDS_CSUM or over 128 segments; ECN without TCP;
 * - a UDP tunnel's type beside UDP (UFO) or none, beside the other one, without NEEDS_CSUM, with
 *   offsets elsewhere than the outer UDP and the inner IP header; the inside of a
 *   UDP tunnel without such a type; UDP_TUNNEL_CSUM, in 24 bytes, without such a type. */
int leat_vnet_read(struct leat_pkt *pkt, const void *hdr, size_t hdr_len);

/* The header's values that describe a frame or segment with these fields. */
struct leat_vnet_meta {
	uint32_t gso_type;
	uint16_t gso_size;
	uint16_t csum_start, csum_offset;
	uint16_t hdr_len;  /* bytes of headers: a hint for the receiver */
	uint8_t csum;	   /* enum leat_csum; UNNECESSARY becomes DATA_VALID */
	uint8_t hash_type; /* enum leat_hash_type; the report depends on the two of the innermost */
	uint8_t version;   /* level, too: 4 or 6, ... */
	uint8_t protocol;  /* ... and the IP protocol */
	uint32_t hash;
	uint16_t
		outer_transport; /* with UDP_TUNNEL or _CSUM: offsets of the outer UDP header ... */
	uint16_t inner_network;	 /* ... and of the inner IP header, ... */
	uint8_t outer_version;	 /* ... 4 or 6 */
};

/* Write a header of hdr_len (10, 12, 20 or 24) bytes to `hdr`; num_buffers becomes 0, and is for
 * whoever knows the buffers. The hash goes where there is room for one and a report that tells what
 * it covers: there is none for SCTP. Gives 0, or -EOPNOTSUPP, with nothing written, if the header
 * cannot express gso_type: FIXEDID, SCTP, FRAGLIST, PARTIAL, TUNNEL_REMCSUM, ACCECN; UDP tunnels in
 * under 24 bytes, or whose csum is not PARTIAL; UDP_L4 whose csum is not PARTIAL; UDP (UFO) in a
 * tunnel; the segment boundaries of a chain. */
int leat_vnet_write(const struct leat_vnet_meta *meta, void *hdr, size_t hdr_len);

/* The fields of `pkt` as such values. */
static inline struct leat_vnet_meta leat_vnet_meta(const struct leat_pkt *pkt)
{
	const struct leat_level *inner = &pkt->lvl[pkt->levels / LEAT_LEVELS];
	struct leat_vnet_meta meta;

	meta.gso_type = pkt->gso_type;
	meta.gso_size = pkt->gso_size;
	meta.csum_start = pkt->csum_start;
	meta.csum_offset = pkt->csum_offset;
	meta.hdr_len = pkt->payload;
	meta.csum = pkt->csum;
	meta.hash_type = pkt->hash_type;
	meta.version = inner->version;
	meta.protocol = inner->protocol;
	meta.hash = pkt->hash;
	meta.outer_transport = pkt->lvl[0].transport;
	meta.inner_network = pkt->lvl[1].network;
	meta.outer_version = pkt->lvl[0].version;
	return meta;
}

#ifdef __cplusplus
}
#endif

#endif
