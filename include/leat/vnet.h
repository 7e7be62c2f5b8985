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
	LEAT_VNET_F_UDP_TUNNEL_CSUM = 8,
	LEAT_VNET_GSO_NONE = 0,
	LEAT_VNET_GSO_TCPV4 = 1,
	LEAT_VNET_GSO_UDP = 3,
	LEAT_VNET_GSO_TCPV6 = 4,
	LEAT_VNET_GSO_UDP_L4 = 5,
	LEAT_VNET_GSO_UDP_TUNNEL_IPV4 = 0x20, /* the outer header */
	LEAT_VNET_GSO_UDP_TUNNEL_IPV6 = 0x40,
	LEAT_VNET_GSO_ECN = 0x80,
};

/* Take the header at `hdr` (hdr_len 10 or 12 bytes) over into the parsed packet `pkt`: gso_type
 * (with DODGY), gso_size, csum, csum_start, csum_offset; gso_segs becomes 0. A frame no longer
 * than its headers and gso_size loses its GSO fields, as in Linux. NEEDS_CSUM gives PARTIAL, else
 * DATA_VALID gives UNNECESSARY, else csum is NONE, for a super-packet too: its checksum field then
 * means nothing, and its segments need none. Gives 0, or -EINVAL with the packet untouched:
 * unknown type, gso_size 0 or 0xffff, type and headers disagree, or the headers are not whole,
 * csum_start or its field outside the frame's first slice, before the transport header or, for
 * a super-packet, elsewhere than its checksum, UDP_L4 without NEEDS_CSUM or over 128 segments, ECN
 * without TCP, hdr_len longer than the frame. */
int leat_vnet_read(struct leat_pkt *pkt, const void *hdr, size_t hdr_len);

/* The header's values that describe a frame or segment with these fields. */
struct leat_vnet_meta {
	uint32_t gso_type;
	uint16_t gso_size;
	uint16_t csum_start, csum_offset;
	uint16_t hdr_len; /* bytes of headers: a hint for the receiver */
	uint8_t csum;	  /* enum leat_csum; UNNECESSARY becomes DATA_VALID */
};

/* Write a header of hdr_len (10 or 12) bytes to `hdr`; num_buffers becomes 0, and is for whoever
 * knows the buffers. Gives 0, or -EOPNOTSUPP, with nothing written, if the header cannot express
 * gso_type (FIXEDID, SCTP, fraglist, tunnels; UDP_L4 whose checksum is not PARTIAL). */
int leat_vnet_write(const struct leat_vnet_meta *meta, void *hdr, size_t hdr_len);

/* The fields of `pkt` as such values. */
struct leat_vnet_meta leat_vnet_meta(const struct leat_pkt *pkt);

#ifdef __cplusplus
}
#endif

#endif
