/* SPDX-License-Identifier: MIT */
/*
 * gso.h - Generic Segmentation Offload: one super-packet becomes the segments that go on the
 * wire.
 *
 * Zero copy: a segment is header bytes, written to memory the caller gives, and slices of the
 * super-packet's payload. Resumable: when the output runs out of room the segmenter stops
 * between two segments, and continues there on the next call; any output room of one segment
 * makes progress. The super-packet must stay as it is until the last segment has been used; it
 * stays the caller's (it is neither taken nor changed).
 *
 * Each segment has its own checksum state and gso fields, so that the output of partial GSO, or
 * of a caller whose port completes checksums, can be described to the port.
 *
 * What is segmented: TCP (TSO, ECN and AccECN), UDP into datagrams (USO) or IP fragments (UFO),
 * SCTP and fraglists at the boundaries of the chain; each of them, UFO excepted, also one level
 * deep in a tunnel of any kind. A tunnel is named by its bits of gso_type, as in the kernel: IPXIP4
 * or IPXIP6 (by the outer header), GRE or GRE_CSUM, UDP_TUNNEL or UDP_TUNNEL_CSUM, and
 * TUNNEL_REMCSUM beside those of UDP. Rules: Linux 6.18's. Threads: a segmenter belongs to one
 * thread.
 */
#ifndef LEAT_GSO_H
#define LEAT_GSO_H

#include <leat/pkt.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	LEAT_UDP_MAX_SEGMENTS = 128,
	LEAT_TCP_MIN_GSO_SIZE =
		8, /* what newer kernels raise an untrusted size to; 6.18 does not */
};

/* Where segments are written. The caller sets the arrays, their room, and resets n_* to 0 to
 * start afresh; leat_gso_segment() appends. */
struct leat_gso_out {
	struct leat_seg *segs;
	unsigned max_segs, n_segs;
	struct leat_slice *slices; /* a segment's first slice is its headers */
	unsigned max_slices, n_slices;
	uint8_t *hdr; /* headers, one after another */
	size_t hdr_room, hdr_used;
	size_t headroom; /* bytes left free in front of each segment's headers, for the caller */
};

struct leat_seg {
	uint32_t slice;	   /* index of its first slice */
	uint32_t slices;   /* how many */
	uint32_t len;	   /* bytes, headroom not counted */
	uint32_t gso_type; /* as in struct leat_pkt; 0 and 0 for a wire-sized segment */
	uint16_t gso_size, gso_segs;
	uint16_t csum_start, csum_offset; /* with LEAT_CSUM_PARTIAL */
	uint8_t csum;			  /* enum leat_csum */
};

struct leat_gso_conf {
	uint32_t features;  /* LEAT_GSO_*: what the port segments itself; the FIXEDID bits are the
			    * kernel's tx-tcp-mangleid-segmentation, DODGY its tx-gso-robust */
	uint32_t partial;   /* of them, what it can only do after partial GSO (the kernel's
			    * gso_partial_features); without LEAT_GSO_PARTIAL in features: nothing */
	uint32_t max_size;  /* the port's gso_max_size: it takes packets below; 0: 65536 */
	uint32_t max_size4; /* the same for IPv4 (gso_ipv4_max_size); 0: as max_size */
	uint32_t frag_id;   /* UFO over IPv6: the identification of all fragments */
	uint16_t max_segs;  /* the port's gso_max_segs; 0: 65535 */
	uint16_t gso_size; /* payload bytes per segment, instead of the packet's; 0: the packet's */
	bool csum_partial; /* leave TCP and UDP checksums partial: the port completes them. The sums
			    * of GRE and outer UDP headers are complete all the same */
	bool crc_partial;  /* leave SCTP's CRC32c partial (the kernel's tx-checksum-sctp); it is
			    * computed all the same where such a sum covers it */
};

/* Whether a port as `conf` describes it cannot take the parsed packet as it is, so that it has to
 * be segmented here; false for an ordinary frame. By the kernel's rules: every bit of gso_type must
 * be among the features, `partial` ones count only for a packet that is PARTIAL already, fixed IDs
 * do not count where an IPv4 header has DF clear, size and segments must be in the limits, and the
 * checksum PARTIAL, or verified and not UDP_L4's. A packet of LEAT_GSO_DODGY may be left to a port
 * with all else if leat_gso_init() would not refuse it, for its counts can be made good: see
 * leat_gso_segs(). */
bool leat_gso_needed(const struct leat_pkt *pkt, const struct leat_gso_conf *conf);

/* State of one super-packet's segmentation; caller's memory, any. Not to be looked into. */
struct leat_gso {
	const struct leat_pkt *pkt;
	const struct leat_pkt *slice; /* where the next payload byte is */
	uint32_t slice_off;
	uint32_t off;	  /* payload bytes already segmented */
	uint32_t payload; /* payload bytes altogether */
	uint32_t unit;	  /* payload bytes of the next segment, if cut by size */
	uint32_t gso_size;
	uint32_t seg;	  /* index of the next segment, as on the wire */
	uint32_t hdr_len; /* header bytes of the next segment */
	uint32_t split;	  /* of them, those before the 8 that are dropped or inserted */
	uint32_t transport;
	uint32_t gso_type;
	uint32_t frag_id;
	uint32_t pseudo;	      /* sums of what does not change: the pseudo-header, ... */
	uint32_t sum;		      /* ... the transport header ... */
	uint32_t ip_sum[LEAT_LEVELS]; /* ... and each level's IPv4 header */
	uint32_t outer_pseudo;
	struct leat_seg wire;		    /* what is told of each segment of wire size */
	struct leat_level lvl[LEAT_LEVELS]; /* the segments' */
	uint16_t later;	      /* bits of TCP's flags that segments after the first may have */
	uint16_t next_header; /* back from split: the number of what follows the header there */
	uint8_t levels;
	uint8_t kind;
	uint8_t drop;	 /* bytes: a jumbogram option's, */
	uint8_t insert;	 /* or a fragment header's */
	bool unfinished; /* the checksum field has the pseudo-header's sum, or a CRC of 0 */
	bool partial;	 /* larger segments for the port to cut further */
	bool lco; /* what the transport adds to a checksum around it follows from its pseudo-header */
};

/* Begin to segment the parsed super-packet `pkt`. Gives the number of segments, 2 or more (with
 * partial GSO 1 or more, not all of them of wire size), or, with `gso` untouched:
 * -EINVAL: not a super-packet; gso_size 0 or not smaller than the payload or too large for a
 *  segment's IP length, of UFO under 8; a type that disagrees with the headers, the tunnel's
 *  included, or that combines what cannot be; headers that are not where the descriptor has them;
 *  a GRE header with more than checksum and key; an IP length field that disagrees with the frame
 *  (padding, or a cut packet; TCP's may be 0, a jumbogram's option is compared instead); a
 *  fragment; csum_start not at the innermost transport header; UDP_L4 with more than
 *  LEAT_UDP_MAX_SEGMENTS segments, unless they are a FRAGLIST's members; UDP_TUNNEL with an outer
 *  checksum; SCTP with another gso_size than LEAT_GSO_BY_FRAGS, or any other with that, or with an
 *  empty member or fewer than two;
 * -EPROTONOSUPPORT: a type bit this library does not know.
 * The packet's own checksums are not read: each segment gets fresh ones, a UDP checksum too where
 * the packet had none.
 *
 * UFO counts IP payload: gso_size is rounded down to 8.
 *
 * FRAGLIST: if the head's payload is gso_size bytes long, each segment is the headers in front of
 * its member's data (payload - lvl[0].network bytes, in its buffer) and its payload, untouched; the
 * head's lengths become its own again. Only the link header is the head's, and its addresses and
 * ports where they differ, with the checksums updated. Otherwise, or if a member's headers cannot
 * be there, the checksum is PARTIAL, or the packet is DODGY, it is segmented as if without
 * FRAGLIST.
 *
 * Partial GSO: done where conf->features has LEAT_GSO_PARTIAL and with it, conf->partial included,
 * all of the packet's type, and conf->csum_partial; not for UFO, SCTP, FRAGLIST and TUNNEL_REMCSUM.
 * A segment is then a super-packet of as many times gso_size as fit in 65534 bytes, with a checksum
 * that is PARTIAL for all of its length, and lengths and outer checksums that are right for
 * gso_size bytes of payload (UDP's own length, and so its pseudo-header sum, too). */
int leat_gso_init(struct leat_gso *gso, const struct leat_pkt *pkt,
		  const struct leat_gso_conf *conf);

/* Append segments to `out` until all are done or one more would not fit. Gives how many it
 * appended: 0 when all were done, or, if leat_gso_done() is false, when the room is too small for
 * even one (a segment needs a leat_seg; headroom and at most pkt->payload header bytes, 8 more for
 * UFO; and one slice for the headers and one for each slice of the chain its payload touches). */
unsigned leat_gso_segment(struct leat_gso *gso, struct leat_gso_out *out);

static inline bool leat_gso_done(const struct leat_gso *gso)
{
	return gso->off >= gso->payload;
}

/* Segments of `pkt`: ceil(payload / gso_size), or members; 1 for an ordinary frame. For packets
 * whose gso_segs is 0 or not to be trusted. */
uint32_t leat_gso_segs(const struct leat_pkt *pkt);

#ifdef __cplusplus
}
#endif

#endif
