/* SPDX-License-Identifier: MIT */
/*
 * gro.h - Generic Receive Offload: consecutive segments of a flow become one super-packet, from
 * which GSO makes the same segments again, byte for byte.
 *
 * A struct leat_gro belongs to one receive queue and one thread. Packets go in parsed, in
 * batches; out come, in the order of their flow, merged and unmerged ones. A packet held is the
 * caller's again when a later receive or flush gives it. Rules: Linux 6.18's. Where Linux lets a
 * packet overtake held data of its own flow (bad checksum, IP options), we flush that flow
 * first. And where Linux merges what GSO could not make again (urgent pointers that differ, a
 * checksum of 0xffff), we do not.
 *
 * In a tunnel the inner packets merge if the tunnel's header is the same too. It is part of no flow,
 * but for its UDP ports: a packet whose header differs (another VNI, another option) gives out what
 * is held. An outer UDP checksum that is used, and GRE's, must be right, for GSO makes them again;
 * one left to the receiver (remote checksum) is believed if the outer one covers it, or csum says
 * so. In the super-packet a used outer UDP checksum holds the pseudo-header sum of the whole, not
 * complemented, and GRE's is the first packet's: GSO asks but for zero or not. Who sends it as it
 * is wants leat_csum_complete_tunnel().
 *
 * All packets of a flow must come with one L4 hash, or all without: flush before changing what a
 * port hashes with. IP fragments are the exception: a later one belongs to no flow here, and a
 * first one without the L4 hash of its flow's other packets is not known to be of it, so neither
 * gives out what is held.
 *
 * A merge is decided by a pure function that gives a reason, then done by one that cannot fail;
 * the reasons are counted.
 *
 * Flow table: `buckets` lists of at most `depth` flows, the oldest is given out when a list is
 * full; cost does not depend on how many flows are held. 8 and 8 is Linux's own table, and up to
 * 8 buckets are chosen as Linux does, by the lowest bits of the packet's hash.
 */
#ifndef LEAT_GRO_H
#define LEAT_GRO_H

#include <leat/flow.h>
#include <leat/pkt.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	LEAT_GRO_BUCKETS_MAX = 65536,
	LEAT_GRO_DEPTH_MAX = 64,
	LEAT_GRO_SIZE_MAX = 8 * 65535, /* GSO_MAX_SIZE */
	LEAT_GRO_UDP_SEGS_MAX = 64,
};

/* What became of a packet, and why. Every packet that comes in counts once, as MERGED, HELD or a
 * reason not to; every packet held counts once more when it is given out. */
enum leat_gro_reason {
	LEAT_GRO_MERGED,
	LEAT_GRO_HELD, /* first of its flow: waits for more */
	/* neither merged nor held; what is held of its flow is given out before it: */
	LEAT_GRO_NOT_PARSED,  /* no transport header, or a protocol GRO does not know */
	LEAT_GRO_IP_OPTIONS,  /* IPv4 options */
	LEAT_GRO_IP_FRAGMENT, /* or the reserved flag */
	LEAT_GRO_IP_CSUM,     /* wrong IPv4 header checksum, or 0xffff, which GSO writes as 0 */
	LEAT_GRO_LENGTH,      /* frame and IP length differ (padding), or a BIG TCP length */
	LEAT_GRO_IS_GSO,      /* already a super-packet, or a chain */
	LEAT_GRO_NO_PAYLOAD,  /* pure ACK, empty datagram */
	LEAT_GRO_TCP_FLAGS,   /* SYN, RST, URG or CWR */
	LEAT_GRO_L4_CSUM,     /* wrong innermost TCP, UDP or SCTP checksum, or 0xffff in TCP */
	LEAT_GRO_UDP_ZERO_CSUM,
	LEAT_GRO_UDP_OFF,	/* UDP GRO not configured */
	LEAT_GRO_SCTP_OFF,	/* nor SCTP's */
	LEAT_GRO_SCTP_CHUNK,	/* a chunk other than DATA or I-DATA, or malformed */
	LEAT_GRO_TUNNEL_DEPTH,	/* a second encapsulation */
	LEAT_GRO_TUNNEL_INSIDE, /* a tunnel that the parser did not enter */
	LEAT_GRO_TUNNEL_CSUM,	/* wrong checksum of the outer UDP or GRE header; 0xffff in GRE */
	LEAT_GRO_LIST_PARTIAL,	/* fraglist: a checksum is yet to be completed */
	LEAT_GRO_PSH_FIRST,	/* PSH or FIN that would begin a super-packet: passed at once */
	/* not merged into the held packet, which was given out; the packet is then held itself, or
	 * passes for PSH_FIRST: */
	LEAT_GRO_LINK,	/* Ethernet or VLAN bytes differ */
	LEAT_GRO_TOS,	/* tos or traffic class, ECN included */
	LEAT_GRO_TTL,	/* ttl or hop limit */
	LEAT_GRO_DF,	/* don't-fragment bit */
	LEAT_GRO_IP_ID, /* neither incrementing nor fixed throughout */
	LEAT_GRO_FLOW_LABEL,
	LEAT_GRO_EXTENSIONS, /* IPv6 extension headers differ */
	LEAT_GRO_TCP_WORD,   /* window, data offset, urgent pointer or a flag but PSH and FIN */
	LEAT_GRO_TCP_ACK,
	LEAT_GRO_TCP_OPTIONS,
	LEAT_GRO_TCP_SEQ, /* gap or duplicate */
	LEAT_GRO_SCTP_VTAG,
	LEAT_GRO_TUNNEL,   /* bytes between the IP headers; one with, one without UDP checksum */
	LEAT_GRO_SIZE,	   /* larger than gso_size */
	LEAT_GRO_MAX_SIZE, /* max_size or max_segs reached */
	/* why a held packet was given out though nothing refused to merge: */
	LEAT_GRO_END_SMALL, /* the last was smaller than gso_size */
	LEAT_GRO_END_FLAGS, /* the last had PSH or FIN */
	LEAT_GRO_END_PASS,  /* a packet of its flow came that passes */
	LEAT_GRO_EVICTED,   /* its bucket was full */
	LEAT_GRO_TIMEOUT,   /* leat_gro_flush */
	LEAT_GRO_REASONS,
};

struct leat_gro_conf {
	uint32_t buckets;   /* power of two, 1 to 65536; 0: 4096 */
	uint32_t depth;	    /* flows per bucket, 1 to 64; 0: 8 */
	uint32_t flows;	    /* flows held at most, and buckets * depth at most; 0: 4096 */
	uint32_t max_size;  /* fewer bytes than this from the IP header on, up to
			    * LEAT_GRO_SIZE_MAX; 0: 65536. Over 65536: TCP alone */
	uint32_t max_segs;  /* per super-packet, 2 to 65535; 0: 65535. UDP never more than 64 */
	uint32_t max_size4; /* the same for IPv4 (gro_ipv4_max_size); 0: as max_size */
	bool udp;	    /* merge UDP (rx-udp-gro-forwarding) */
	bool fraglist;	    /* keep members whole: TCP and UDP, at most 64 (rx-gro-list) */
	bool sctp;	    /* merge packets of DATA chunks of one association; not in Linux */
	bool accecn;	    /* merge packets with equal CWR, as newer kernels do for AccECN */
	bool no_jumbogram;  /* IPv6 over 64 KB has payload length 0 alone, as from Linux 7.0; else a
			     * jumbogram option, for which 8 bytes of headroom are needed */
	struct leat_flow_key key; /* for packets without an L4 hash of their own */
};

struct leat_gro_flow;  /* one held flow */
struct leat_gro_proto; /* how a transport is merged */

struct leat_gro {
	struct leat_gro_conf conf;		       /* with defaults filled in */
	const struct leat_gro_proto *tcp, *udp, *sctp; /* NULL: not merged */
	uint32_t *bucket; /* first flow of each bucket, youngest first */
	struct leat_gro_flow *flow;
	uint32_t free;	 /* flows not in use */
	uint32_t oldest; /* all held flows by age */
	uint32_t youngest;
	uint32_t held;			  /* flows held now */
	uint32_t last;			  /* the one held or merged into last, if it still is */
	uint64_t count[LEAT_GRO_REASONS]; /* read by others only through the owner */
};

/* Bytes of memory that leat_gro_init() wants for `conf`, aligned to 64; 0 if a value is out of
 * its range. */
size_t leat_gro_size(const struct leat_gro_conf *conf);

/* Make an empty GRO in `mem` (leat_gro_size(conf) bytes, aligned to 64, kept by `gro` until the
 * caller has flushed it and lets it go). Gives 0, or -EINVAL. */
int leat_gro_init(struct leat_gro *gro, const struct leat_gro_conf *conf, void *mem);

/* Take in `n` parsed packets received at `now` (ns, never decreasing). Each is merged (*taken*
 * into a chain), *held*, or *passes*; those that come out, held ones that are now complete
 * included, go to `out`, which has room for 2 * n. Gives how many came out. */
unsigned leat_gro_receive(struct leat_gro *gro, struct leat_pkt *const *pkts, unsigned n,
			  uint64_t now, struct leat_pkt **out);

/* Give out held packets that were first held before `before` (ns; UINT64_MAX: all), oldest
 * first, at most `max`. Gives how many; call again while it gives `max`. */
unsigned leat_gro_flush(struct leat_gro *gro, uint64_t before, struct leat_pkt **out, unsigned max);

/* When the oldest held packet was first held, ns; UINT64_MAX if none is. */
uint64_t leat_gro_oldest(const struct leat_gro *gro);

/* A few lower-case words for a reason, for counters; never NULL. */
const char *leat_gro_reason_name(enum leat_gro_reason reason);

#ifdef __cplusplus
}
#endif

#endif
