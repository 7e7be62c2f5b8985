/* SPDX-License-Identifier: MIT */
/*
 * wild.h - random traffic for the referees: trains of frames for GRO to merge, super-packets for
 * GSO to cut, of every type and encapsulation, mostly well-behaved and now and then not.
 *
 * Repeatable: the same seed, number and configuration give the same bytes on any machine. Nothing
 * here calls the library: checksums are computed by a slow implementation of their own. A train is
 * mostly mergeable; a few of the troubles below are drawn for it, and befall some of its frames,
 * so that long merges happen and every refusal does too.
 *
 * A train and a super-packet own their memory: zero one to begin with, make it over and over, end
 * it with its fini. Lack of memory aborts. Threads: no state but the caller's.
 */
#ifndef LEAT_VERIFY_WILD_H
#define LEAT_VERIFY_WILD_H

#include <leat/parse.h>
#include <leat/pkt.h>

enum {
	WILD_FRAMES_MAX = 4096,
	WILD_PARTS_MAX = 1024,
	WILD_NAME = 32,	      /* room for a kind's name */
	WILD_VLANS_ANY = 3,   /* wild_kind.vlans: 0 to 2, drawn */
	WILD_HDRS_MAX = 2560, /* bytes of headers at most: one extension header may have 2048 */
};

/* The innermost transport, and the version of the IP header before it. */
enum wild_type {
	WILD_TCP4,
	WILD_TCP6,
	WILD_UDP4, /* USO */
	WILD_UDP6,
	WILD_UFO4, /* supers: a datagram to be fragmented; trains: fragments */
	WILD_UFO6,
	WILD_SCTP4,
	WILD_SCTP6,
	WILD_TYPES,
};

enum wild_encap {
	WILD_NONE,
	WILD_IP, /* IPIP, SIT, 4in6, 6in6 */
	WILD_GRE,
	WILD_VXLAN,
	WILD_GENEVE, /* with options */
	WILD_GUE,
	WILD_FOU,
	WILD_ENCAPS,
};

struct wild_kind {
	uint8_t type, encap; /* enum wild_type, enum wild_encap */
	uint8_t outer;	     /* IP version of the outer header, 4 or 6; 0 if there is none */
	uint8_t vlans;	     /* tags in front of the first IP header: 0 to 2, or WILD_VLANS_ANY */
	bool key;	     /* GRE */
	bool gre;	     /* GUE and FOU: GRE inside, part of the tunnel's header */
	bool csum;	     /* GRE's, or that of the outer UDP header */
	bool eth;	     /* Ethernet inside: all with GRE, Geneve; VXLAN always */
	bool remcsum;	     /* VXLAN and GUE: the inner checksum is left to the receiver */
};

/* All kinds, vlans WILD_VLANS_ANY; sets their number. */
const struct wild_kind *wild_kinds(unsigned *n);

/* "tcp4", "tcp6/sit", "udp4/4in6", "tcp4/gre6-key-csum-eth", "tcp6/vxlan4-csum-remcsum": the
 * number is the outer header's version. */
void wild_kind_name(const struct wild_kind *kind, char name[WILD_NAME]);

/* Where tunnels end: what the frames' ports mean. VXLAN 4789, with remote checksum 4790; Geneve
 * 6081; GUE 6080; FOU with IPv4 inside 5554, with IPv6 5556, with GRE 5547. */
extern const struct leat_parse_conf wild_ports;

/* The addresses of the outermost headers; flows differ in their last bytes only where these are
 * not fixed by whoever receives: the source's. */
struct wild_place {
	uint8_t dst_mac[6], src_mac[6];
	uint8_t src4[4], dst4[4], src6[16], dst6[16];
	uint8_t inner_dst_mac[6];
	uint32_t vni;
	uint32_t gre_key;
};
extern const struct wild_place wild_somewhere; /* for who does not care */

/* What may befall a frame. Names of troubles of the outer header say so: the others are of the
 * innermost, or only, one. */
enum wild_trouble {
	WILD_SEQ_GAP,	/* bytes missing before it */
	WILD_DUPLICATE, /* the frame before it once more */
	WILD_SWAPPED,	/* it and the frame after it change places */
	WILD_SMALLER,	/* one short frame */
	WILD_LARGER,	/* one long frame */
	WILD_SIZE,	/* longer or shorter from here on */
	WILD_EMPTY,	/* no payload */
	WILD_PSH,
	WILD_FIN,
	WILD_SYN,
	WILD_RST,
	WILD_URG,
	WILD_URG_PTR, /* an urgent pointer without URG */
	WILD_CWR,
	WILD_ECE,
	WILD_NO_ACK,
	WILD_RESERVED, /* the bits before CWR, AE among them */
	WILD_WINDOW,
	WILD_ACK,
	WILD_TCP_OPTIONS, /* other bytes */
	WILD_TCP_OPTLEN,  /* another length */
	WILD_DOFF,	  /* below 5, or past the end */
	WILD_L4_CSUM,	  /* wrong */
	WILD_L4_FFFF,	  /* 0 as a sum, written 0xffff */
	WILD_L4_0,	  /* the same, written 0 */
	WILD_L4_ZERO,	  /* UDP: none */
	WILD_UDP_LEN,	  /* shorter or longer than the IP packet */
	WILD_PORTS,	  /* another flow's */
	WILD_TOS,
	WILD_ECN,
	WILD_TTL,
	WILD_DF,
	WILD_ID_JUMP,
	WILD_ID_MODE, /* from incrementing to fixed or back */
	WILD_IP_CSUM, /* wrong */
	WILD_IP_FFFF,
	WILD_IP_LEN,	 /* shorter or longer than the frame */
	WILD_IP_OPTIONS, /* IPv4 */
	WILD_EXTENSIONS, /* IPv6: other ones */
	WILD_FRAGMENT,	 /* first, middle or last */
	WILD_EVIL,	 /* IPv4: the reserved flag */
	WILD_FLOW_LABEL,
	WILD_PADDED,   /* to 60 bytes */
	WILD_TRAILING, /* bytes behind the IP packet */
	WILD_CUT,      /* the frame ends early */
	WILD_MAC,
	WILD_TAG,	/* VLAN */
	WILD_PROTOCOL,	/* one that has no parser here */
	WILD_OUTER_TOS, /* up to NESTED only with an encapsulation */
	WILD_OUTER_ECN,
	WILD_OUTER_TTL,
	WILD_OUTER_DF,
	WILD_OUTER_ID_JUMP,
	WILD_OUTER_ID_MODE,
	WILD_OUTER_IP_CSUM,
	WILD_OUTER_IP_OPTIONS,
	WILD_OUTER_EXTENSIONS,
	WILD_OUTER_FRAGMENT,
	WILD_OUTER_FLOW_LABEL,
	WILD_OUTER_L4_CSUM, /* of UDP or GRE: wrong */
	WILD_OUTER_L4_FFFF,
	WILD_OUTER_L4_MODE, /* zero where it was set, or set where it was zero */
	WILD_OUTER_SPORT,
	WILD_OUTER_UDP_LEN,
	WILD_TUNNEL_HEADER, /* another key, VNI, flag or option */
	WILD_TUNNEL_BAD,    /* what is not followed: versions, sequence numbers, OAM, cut options */
	WILD_INNER_MAC,
	WILD_INNER_TAG,
	WILD_NESTED, /* a second encapsulation */
	WILD_CHUNK,  /* SCTP: of another type */
	WILD_TROUBLES,
};

/* A few lower-case words. */
const char *wild_trouble_name(enum wild_trouble trouble);

/* Where the headers of a frame are, by construction; offsets from its first byte. A level is as
 * in struct leat_pkt. Holds for all frames but those of trouble WILD_NESTED, PROTOCOL and
 * fragments, where it is that of the frame before its trouble. */
struct wild_layout {
	uint8_t levels;
	uint8_t version[LEAT_LEVELS];
	uint16_t network[LEAT_LEVELS], transport[LEAT_LEVELS];
	uint16_t tunnel;    /* the tunnel's own header: behind the outer UDP, or at transport[0] */
	uint16_t inner_mac; /* or 0 */
	uint16_t payload;
};

struct wild_frame {
	uint8_t *bytes;
	uint32_t len;
	uint32_t payload;     /* bytes meant to be behind the innermost transport header */
	uint16_t flow, index; /* index: its place in its flow, in the order of arrival */
	struct wild_layout at;
	uint8_t trouble[WILD_TROUBLES]; /* nonzero: befell this frame itself */
};

struct wild_train_conf {
	struct wild_kind kind;
	const struct wild_place *place; /* NULL: wild_somewhere */
	unsigned frames;		/* at most; 0: 64 */
	unsigned flows;			/* at most; 0: 8 */
	uint32_t mtu;			/* of an IP packet, the outermost; 0: 1500 */
	uint8_t avoid[WILD_TROUBLES];	/* nonzero: never this one */
	bool tame;			/* no trouble at all */
};

struct wild_train {
	struct wild_frame *frame;
	unsigned n;
	struct wild_kind kind;	       /* vlans as drawn */
	unsigned count[WILD_TROUBLES]; /* frames befallen by each */
	unsigned room;
};

/* Make the train of this seed and number, 2 frames at least. */
void wild_train_make(struct wild_train *train, const struct wild_train_conf *conf, uint64_t seed,
		     uint64_t number);
void wild_train_fini(struct wild_train *train);

struct wild_super_conf {
	struct wild_kind kind;
	const struct wild_place *place;
	uint32_t max_len; /* of the IP packet, the outermost; 0: 65535. More is BIG TCP */
	bool mergeable;	  /* only what GRO could have built */
	bool fixed_id;	  /* some have FIXEDID bits */
	bool accecn;	  /* some have TCP_ACCECN */
	bool nonsense;	  /* its description, lengths or headers are wrong in one respect or two */
};

/* A super-packet and what its sender says of it. The inner checksum is partial; outer ones are as
 * a segment's would be, or for `csum` kinds, of any value. */
struct wild_super {
	uint8_t *bytes;
	uint32_t len;
	uint32_t gso_type; /* LEAT_GSO_*, tunnels included, without DODGY */
	uint16_t gso_size, gso_segs;
	uint16_t csum_start, csum_offset;
	uint8_t csum; /* enum leat_csum; PARTIAL unless nonsense */
	struct wild_layout at;
	struct wild_kind kind;
	bool nonsense;
	/* How the bytes lie in a chain: part[0] is the head, headers included. One part is flat. For
	 * SCTP the parts are its packets. */
	uint32_t part[WILD_PARTS_MAX];
	unsigned parts;
};

void wild_super_make(struct wild_super *super, const struct wild_super_conf *conf, uint64_t seed,
		     uint64_t number);
void wild_super_fini(struct wild_super *super);

#endif
