/* SPDX-License-Identifier: MIT */
/*
 * leat segment: a capture's super-packets become wire-sized frames.
 *
 * A frame is looked at once: what is to be done with it is decided, and written into its packet as
 * GSO's metadata, if it did not come with any; then it is segmented, completed or passed on.
 */
#include "job.h"
#include "main.h"
#include "mend.h"

#include <inttypes.h>
#include <leat/csum.h>
#include <leat/gso.h>
#include <leat/parse.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum {
	MTU = 1500,
	MTU_MIN = 68, /* RFC 791 */
	MTU_MAX = 65535,
	GSO_SIZE_MAX = 65534,
	SEGMENTS = 256,	     /* at a time */
	HEADERS = 128 << 10, /* room for them: one segment's always fit */
	JUMBO = 8,	     /* bytes of a jumbogram's option, which its segments do not have */
	FRAGMENT_HEADER = 8,
	FRAGMENT_UNIT = 8,
	COMPLAINTS = 10, /* how many wrong headers are told */

	IP4_LEN = 2,
	IP6_LEN = 4,
	IP6_HLEN = 40,
	GRE_CSUM = 0x80, /* of its first byte */
	UDP_CHECK = 6,
	TCP_FLAGS = 13,
	TCP_CWR = 0x80,
};

struct segment {
	struct job job;		     /* first: options know no more */
	unsigned long mtu, gso_size; /* 0: not said */
	enum { UDP_UNSAID, UDP_SEGMENT, UDP_FRAGMENT } udp;
	bool fixed_id;
	uint32_t frag_id;
	struct leat_seg seg[SEGMENTS];
	struct iovec iov[1 + 2 * SEGMENTS]; /* [0] is job_write()'s */
	uint8_t hdr[HEADERS];
};

_Static_assert(sizeof(struct iovec) == sizeof(struct leat_slice), "slices are iovecs");

static int take_mtu(void *to, char *value, char *err, size_t err_len)
{
	return args_number(value, MTU_MIN, MTU_MAX, &((struct segment *)to)->mtu, err, err_len);
}

static int take_gso_size(void *to, char *value, char *err, size_t err_len)
{
	return args_number(value, 1, GSO_SIZE_MAX, &((struct segment *)to)->gso_size, err, err_len);
}

static int take_udp(void *to, char *value, char *err, size_t err_len)
{
	struct segment *s = to;

	s->udp = strcmp(value, "segment") == 0 ? UDP_SEGMENT : UDP_FRAGMENT;
	if (s->udp == UDP_SEGMENT || strcmp(value, "fragment") == 0)
		return 0;
	snprintf(err, err_len, "'%s' is neither segment nor fragment", value);
	return -1;
}

static int take_ip_id(void *to, char *value, char *err, size_t err_len)
{
	struct segment *s = to;

	s->fixed_id = strcmp(value, "fixed") == 0;
	if (s->fixed_id || strcmp(value, "increment") == 0)
		return 0;
	snprintf(err, err_len, "'%s' is neither increment nor fixed", value);
	return -1;
}

static int take_vnet(void *to, char *value, char *err, size_t err_len)
{
	return job_take_vnet(&((struct segment *)to)->job.vnet_in, value, err, err_len);
}

static const struct args_option options[] = {
	{"mtu", 'm', "N", "cut what is larger than N bytes from its IP header on (1500)", take_mtu},
	{"gso-size", 'g', "N", "cut into N bytes of payload instead", take_gso_size},
	{"udp", 'u', "HOW", "segment UDP, by --gso-size, or fragment it, by --mtu", take_udp},
	{"ip-id", 0, "HOW", "increment the IPv4 identification, or keep it fixed (increment)",
	 take_ip_id},
	{"vnet-hdr", 0, "[=N]", "a virtio_net_hdr of N bytes (12) in front of each frame says how",
	 take_vnet},
	{"json", 'j', NULL, "print what was done as JSON", job_take_json},
	{0},
};

static const struct args_command command = {
	"segment", "IN OUT",
	"Cut the super-packets of a capture into wire-sized frames, with checksums and lengths\n"
	"that are right. IN and OUT are pcap or pcapng (by OUT's name), or - for a pipe.",
	options, NULL};

/* The bits of gso_type that say in which tunnel the packet is. */
static uint32_t tunnel_type(const struct leat_pkt *pkt)
{
	const struct leat_level *l = &pkt->lvl[0];
	const uint8_t *header = pkt->data + l->transport;
	uint32_t remcsum = l->flags & LEAT_REMCSUM ? LEAT_GSO_TUNNEL_REMCSUM : 0;

	if (pkt->levels < 2)
		return 0;
	switch (l->tunnel) {
	case LEAT_TUNNEL_NONE: return 0;
	case LEAT_TUNNEL_IP: return l->version == 4 ? LEAT_GSO_IPXIP4 : LEAT_GSO_IPXIP6;
	case LEAT_TUNNEL_GRE: return header[0] & GRE_CSUM ? LEAT_GSO_GRE_CSUM : LEAT_GSO_GRE;
	default:
		return remcsum |
		       (header[UDP_CHECK] || header[UDP_CHECK + 1] ? LEAT_GSO_UDP_TUNNEL_CSUM :
								     LEAT_GSO_UDP_TUNNEL);
	}
}

static uint32_t tcp_type(const struct leat_pkt *pkt)
{
	const struct leat_level *l = leat_pkt_inner(pkt);
	uint32_t type = l->version == 4 ? LEAT_GSO_TCPV4 : LEAT_GSO_TCPV6;

	if (pkt->data[l->transport + TCP_FLAGS] & TCP_CWR)
		type |= LEAT_GSO_TCP_ECN;
	return type | tunnel_type(pkt);
}

/* Bytes of a segment's IP packet that are not payload. */
static uint32_t header_len(const struct leat_pkt *pkt)
{
	uint32_t jumbo = pkt->lvl[0].flags & LEAT_IP_JUMBO ? JUMBO : 0;

	return pkt->payload - pkt->lvl[0].network - jumbo;
}

/* Bytes of the IP packet, the outermost. What may follow it in the frame, a frame check sequence
 * say, is none of it, and does not count against an MTU. */
static uint32_t packet_len(const struct leat_pkt *pkt)
{
	const struct leat_level *l = &pkt->lvl[0];
	const uint8_t *field = pkt->data + l->network + (l->version == 4 ? IP4_LEN : IP6_LEN);
	uint32_t link = LINKTYPE_STAND_IN + 4u * pkt->vlans, len;

	if (!pkt->levels) /* or whatever else there is */
		return pkt->len > link ? pkt->len - link : 0;
	len = (uint32_t)(field[0] << 8 | field[1]);
	if (!len) /* BIG TCP */
		return pkt->len - l->network;
	return l->version == 4 ? len : len + IP6_HLEN;
}

static bool is_larger(const struct segment *s, const struct leat_pkt *pkt)
{
	if (s->gso_size)
		return pkt->depth == LEAT_DEPTH_TRANSPORT &&
		       leat_parse_payload_len(pkt) > s->gso_size;
	return packet_len(pkt) > s->mtu;
}

/* IP payload bytes of a fragment, in whole units; 0: there is no room for any. */
static uint32_t fragment_size(const struct segment *s, const struct leat_pkt *pkt)
{
	const struct leat_level *l = &pkt->lvl[0];
	uint32_t headers = (uint32_t)l->transport - l->network;

	if (l->version == 6)
		headers += FRAGMENT_HEADER;
	return headers < s->mtu ? (uint32_t)(s->mtu - headers) / FRAGMENT_UNIT * FRAGMENT_UNIT : 0;
}

static void mend(struct segment *s, struct leat_pkt *pkt)
{
	if (!mend_is_partial(pkt, false))
		return;
	mend_checksum(pkt);
	s->job.count[JOB_COMPLETED]++;
}

/* In a tunnel over UDP it is the outer datagram that is fragmented. */
static bool describe_fragments(struct segment *s, struct leat_pkt *pkt)
{
	if (pkt->levels > 1) {
		mend(s, pkt);
		leat_parse_outer(pkt);
		pkt->csum = LEAT_CSUM_NONE;
	}
	pkt->gso_size = (uint16_t)fragment_size(s, pkt);
	pkt->gso_type = pkt->gso_size ? LEAT_GSO_UDP : 0;
	return pkt->gso_size > 0 && pkt->depth == LEAT_DEPTH_TRANSPORT;
}

/* Give a packet that is too large, and says nothing itself, the metadata to be cut by. False: it
 * is not to be cut. */
static bool describe(struct segment *s, struct leat_pkt *pkt)
{
	uint32_t size = (uint32_t)s->gso_size;

	if (pkt->depth != LEAT_DEPTH_TRANSPORT)
		return false;
	switch (leat_pkt_inner(pkt)->protocol) {
	case IPPROTO_TCP:
		if (!size && s->mtu > header_len(pkt))
			size = (uint32_t)s->mtu - header_len(pkt);
		pkt->gso_type = tcp_type(pkt);
		break;
	case IPPROTO_UDP:
		if (s->udp == UDP_FRAGMENT)
			return describe_fragments(s, pkt);
		pkt->gso_type = LEAT_GSO_UDP_L4 | tunnel_type(pkt);
		break;
	default: return false;
	}
	pkt->gso_size = (uint16_t)size;
	if (!size)
		pkt->gso_type = 0;
	return size > 0;
}

static int pass(struct segment *s, const struct job_frame *f)
{
	s->iov[1] = (struct iovec){f->data, f->len};
	return job_write(&s->job, &f->link, &f->mark, NULL, &s->iov[1], 1);
}

/* Nothing is wrong with the frame itself, so it is not lost; but the work is not done. */
static int pass_bad(struct segment *s, const struct job_frame *f)
{
	struct job *j = &s->job;

	if (j->count[JOB_BAD_METADATA]++ < COMPLAINTS)
		job_fail(j, j->in, "frame %" PRIu64 ": its virtio_net_hdr does not fit it",
			 f->number);
	return pass(s, f);
}

/* Which one is told by why it was to be cut. */
static void count_passed(struct segment *s, const struct leat_pkt *pkt)
{
	bool is_udp = pkt->levels && leat_pkt_inner(pkt)->protocol == IPPROTO_UDP;

	s->job.count[is_udp && !s->gso_size ? JOB_UDP_LARGE : JOB_LARGE]++;
}

static int write_segments(struct segment *s, const struct job_frame *f, struct leat_gso *gso)
{
	struct leat_gso_out out = {
		.segs = s->seg,
		.max_segs = SEGMENTS,
		.slices = (struct leat_slice *)&s->iov[1],
		.max_slices = 2 * SEGMENTS,
		.hdr = s->hdr,
		.hdr_room = HEADERS,
	};

	while (!leat_gso_done(gso)) {
		out.n_segs = out.n_slices = 0;
		out.hdr_used = 0;
		if (leat_gso_segment(gso, &out) == 0)
			abort(); /* there is room for one */
		for (unsigned i = 0; i < out.n_segs; i++) {
			if (job_write(&s->job, &f->link, &f->mark, NULL,
				      &s->iov[1 + s->seg[i].slice], s->seg[i].slices))
				return -1;
		}
	}
	return 0;
}

/* Cut a packet that has metadata. 1: it cannot be. */
static int cut(struct segment *s, const struct job_frame *f, struct leat_pkt *pkt)
{
	struct leat_gso_conf conf = {.frag_id = s->frag_id};
	bool fragments = pkt->gso_type & LEAT_GSO_UDP;
	struct leat_gso gso;
	int n;

	if (s->fixed_id && !fragments)
		pkt->gso_type |=
			LEAT_GSO_TCP_FIXEDID | (pkt->levels > 1 ? LEAT_GSO_TCP_FIXEDID_INNER : 0);
	n = leat_gso_init(&gso, pkt, &conf);
	if (n < 0)
		return 1;
	s->frag_id += fragments;
	s->job.count[fragments ? JOB_FRAGMENTED : JOB_CUT]++;
	s->job.count[fragments ? JOB_FRAGMENTS : JOB_SEGMENTS] += (uint64_t)n;
	return write_segments(s, f, &gso);
}

/* A frame that says nothing itself. */
static int segment_plain(struct segment *s, const struct job_frame *f, struct leat_pkt *pkt)
{
	bool larger;
	int e = 1;

	s->job.count[JOB_FILLED] += mend_length(pkt);
	larger = is_larger(s, pkt);
	if (larger && describe(s, pkt)) {
		bool partial = mend_is_partial(pkt, true);

		e = cut(s, f, pkt);
		if (e <= 0)
			s->job.count[JOB_COMPLETED] += partial;
		pkt->csum = LEAT_CSUM_NONE;
	}
	if (e <= 0)
		return e;
	if (larger)
		count_passed(s, pkt);
	mend(s, pkt);
	return pass(s, f);
}

/* A frame whose header says what it is; where that says it is ordinary, it is. */
static int segment_vnet(struct segment *s, const struct job_frame *f, struct leat_pkt *pkt)
{
	int e;

	if (leat_vnet_read(pkt, f->vnet, s->job.vnet_in))
		return pass_bad(s, f);
	if (pkt->gso_type) {
		e = cut(s, f, pkt);
		return e <= 0 ? e : pass_bad(s, f);
	}
	if (pkt->csum == LEAT_CSUM_PARTIAL) {
		if (leat_csum_complete(pkt))
			return pass_bad(s, f);
		s->job.count[JOB_COMPLETED]++;
	}
	return s->mtu || s->gso_size ? segment_plain(s, f, pkt) : pass(s, f);
}

static int segment_frame(struct segment *s, const struct job_frame *f)
{
	struct leat_pkt pkt, *one = &pkt;

	if (!f->whole || !f->known)
		return pass(s, f);
	leat_pkt_init(&pkt, f->data, f->len);
	leat_parse(NULL, &one, 1);
	return f->vnet ? segment_vnet(s, f, &pkt) : segment_plain(s, f, &pkt);
}

static int segment_all(struct segment *s)
{
	struct job_frame f;
	int got;

	while ((got = job_read(&s->job, &f)) == 1) {
		if (segment_frame(s, &f))
			return EXIT_WORK;
	}
	return got < 0 || s->job.count[JOB_BAD_METADATA] ? EXIT_WORK : EXIT_OK;
}

static int check(struct segment *s)
{
	if (s->mtu && s->gso_size)
		return args_wrong(&command, "--mtu or --gso-size, not both");
	if (s->udp == UDP_FRAGMENT && s->gso_size)
		return args_wrong(&command, "--udp fragment goes by --mtu, not by --gso-size");
	if (s->udp == UDP_SEGMENT && !s->gso_size && !s->job.vnet_in)
		return args_wrong(&command, "--udp segment wants --gso-size N: nothing else says "
					    "how large a datagram was");
	if (!s->mtu && !s->gso_size && (!s->job.vnet_in || s->udp == UDP_FRAGMENT))
		s->mtu = MTU;
	return EXIT_OK;
}

int segment_main(int argc, char **argv)
{
	static struct segment s;
	int code, at = args_parse(&command, argc, argv, &s, &code);

	if (at < 0)
		return code;
	code = check(&s);
	if (!code)
		code = job_open(&s.job, &command, argc, argv, at);
	return code ? code : job_close(&s.job, segment_all(&s), NULL);
}
