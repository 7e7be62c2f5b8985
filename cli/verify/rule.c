/* SPDX-License-Identifier: MIT */
#include "rule.h"

#include <leat/parse.h>
#include <leat/vnet.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "wild.h"

static const struct {
	const char *name, *about;
} table[RULES] = {
	[RULE_OVERTAKE] = {"overtake", "Linux lets a frame that it does not match with what GRO "
				       "holds (bad checksum, IP options, another MAC address) "
				       "overtake held frames of its flow"},
	[RULE_URGENT] = {"urgent", "Linux merges frames whose urgent pointers differ where URG is "
				   "not set, and sends all with the first one's"},
	[RULE_FFFF] = {"ffff", "Linux merges frames with a checksum of 0xffff, and mostly sends "
			       "them with 0"},
	[RULE_FIXED_ID] = {"fixed-id",
			   "Linux loses which IDs of a train were fixed, if it is UDP or "
			   "in a tunnel, and sends other IDs"},
	[RULE_GRE_CSUM] = {"gre-csum", "Linux sends a wrong GRE checksum for a merged train"},
	[RULE_GRE_KEY] = {"gre-key",
			  "with a key and a checksum in the GRE header Linux compares the "
			  "checksums in the place of the keys: it merges less, and frames of "
			  "different keys"},
	[RULE_REMCSUM] = {"remcsum",
			  "Linux sends complete inner checksums where they were left to the "
			  "receiver"},
	[RULE_EVICTED] = {"evicted",
			  "Linux holds several super-packets of a flow (other MAC addresses, "
			  "flow labels, keys), so its list of 8 is full at other times; each "
			  "flow alone is the same"},
	[RULE_MALFORMED] = {"malformed",
			    "Linux looks for the flow of a frame whose IP or outer UDP "
			    "length or tunnel header is wrong, ends its merge or "
			    "merges it; for the library it belongs to none"},
	[RULE_UFO_EIGHT] = {"ufo-eight", "Linux makes broken fragments where gso_size is no "
					 "multiple of 8"},
	[RULE_UFO6_ID] = {"ufo6-id", "the identification of IPv6 fragments is random in Linux"},
	[RULE_UFO6_OFFSET] = {"ufo6-offset", "Linux counts the extension headers in front of the "
					     "fragment header into each fragment's offset"},
	[RULE_UFO6_EXTENSIONS] =
		{"ufo6-extensions",
		 "Linux repeats in each fragment the extension headers that follow "
		 "the fragment header"},
	[RULE_STRICT] = {"strict", "the library refuses a super-packet whose headers disagree with "
				   "its length or its description, or that is a fragment; Linux "
				   "cuts it"},
	[RULE_TUNNEL_ONE] = {"tunnel-one",
			     "Linux loses a UDP tunnel's packet that is no longer than "
			     "one segment"},
	[RULE_ONE_SEGMENT] = {"one-segment",
			      "Linux drops a packet no longer than one segment, if it is longer "
			      "with its TCP options, or, where no checksum is asked for, with all "
			      "headers but those of TCP or UDP"},
	[RULE_MTU] = {"mtu", "a frame that is no super-packet is longer than the referee's TAPs "
			     "take"},
	[RULE_PSEUDO] = {"pseudo", "Linux computes checksums from the sums and lengths that the "
				   "sender wrote, though they be wrong"},
	[RULE_UFO_LAX] = {"ufo-lax", "Linux cuts a datagram to fragments whatever csum_start and "
				     "the ECN flag say; the library wants them right"},
	[RULE_VNET_LATE] = {"late", "Linux takes a header that does not fit the frame, and drops "
				    "the packet in its segmenter; the library refuses it at once"},
	[RULE_CSUM_FAR] = {"csum-far",
			   "Linux keeps csum_start in 16 bits from the first byte of its "
			   "buffer, and refuses what is near 65535 from that of the frame"},
};

const char *rule_name(enum rule rule)
{
	return table[rule].name;
}

const char *rule_about(enum rule rule)
{
	return table[rule].about;
}

enum { UDP = 17, FRAGMENT = 44, GRE_C = 0x80, GRE_K = 0x20 };

static void parse(struct leat_pkt *pkt, const uint8_t *frame, uint32_t len)
{
	memset(pkt, 0, sizeof(*pkt));
	leat_pkt_init(pkt, (uint8_t *)frame, len);
	leat_parse(&wild_ports, &pkt, 1);
}

static bool is_checksum(unsigned field)
{
	if (field_is_inner(field))
		field = field - FIELD_INNER + FIELD_IP;
	return field == FIELD_IP_CSUM || field == FIELD_TCP_CSUM || field == FIELD_UDP_CSUM ||
	       field == FIELD_GRE_CSUM;
}

/* The fields in which the frames differ. A checksum of 0xffff that became 0 does not count, and
 * sets *ffff. */
static field_set find_fields(const uint8_t *a, uint32_t a_len, const uint8_t *b, uint32_t b_len,
			     bool *ffff)
{
	uint32_t len = a_len < b_len ? a_len : b_len;
	field_set set = a_len == b_len ? 0 : field_bit(FIELD_PAYLOAD);
	struct leat_pkt pkt;

	parse(&pkt, a, a_len);
	for (uint32_t i = 0; i < len; i++) {
		if (a[i] == b[i])
			continue;
		if (a[i] == 0xff && b[i] == 0 && is_checksum(field_at(&pkt, i)))
			*ffff = true;
		else
			set |= field_bit(field_at(&pkt, i));
	}
	return set;
}

static const struct frame_at *at(const struct flow_frames *f, unsigned i)
{
	return &f->of->frame[f->index[i]];
}

static const uint8_t *bytes(const struct flow_frames *f, unsigned i)
{
	return frames_bytes(f->of, f->index[i]);
}

static bool is_same(const struct flow_frames *a, unsigned i, const struct flow_frames *b,
		    unsigned j)
{
	return at(a, i)->len == at(b, j)->len &&
	       memcmp(bytes(a, i), bytes(b, j), at(a, i)->len) == 0;
}

/* What the kernel did to a flow: the rules by which it did, and whether one of them covers all. */
struct pairing {
	uint8_t *in_used, *sent_used;
	field_set id;	   /* where GSO is not told of fixed IDs: the fields that then differ */
	field_set gre_key; /* the field of keys, where they are not compared */
	field_set remcsum; /* the same of what is left to the receiver */
	uint32_t rules;
	bool unknown;
};

/* Pair each frame that was sent with an equal one that came in. */
static void pair_equal(struct pairing *p, const struct flow_frames *in,
		       const struct flow_frames *sent)
{
	unsigned from = 0;

	for (unsigned i = 0; i < sent->n; i++) {
		for (unsigned j = from; j < in->n && !p->sent_used[i]; j++) {
			if (p->in_used[j] || !is_same(sent, i, in, j))
				continue;
			p->in_used[j] = p->sent_used[i] = 1;
			p->rules |= i != j ? 1u << RULE_OVERTAKE : 0;
		}
		while (from < in->n && p->in_used[from])
			from++;
	}
}

static bool within(field_set set, field_set allowed)
{
	return (set & ~allowed) == 0;
}

/* By which rules a frame that came in was sent with these fields changed. */
static uint32_t judge_fields(field_set fields, const struct pairing *p, bool ffff)
{
	const field_set urgent = field_bit(FIELD_TCP_URG) | field_bit(field_inner(FIELD_TCP_URG));
	const field_set sums = field_bit(FIELD_TCP_CSUM) | field_bit(field_inner(FIELD_TCP_CSUM)) |
			       field_bit(FIELD_GRE_CSUM) | field_bit(FIELD_UDP_CSUM);
	uint32_t rules = ffff ? 1u << RULE_FFFF : 0;

	if (fields & urgent) {
		rules |= 1u << RULE_URGENT;
		fields &= ~(urgent | sums);
	}
	if (fields == field_bit(FIELD_GRE_CSUM))
		return rules | 1u << RULE_GRE_CSUM;
	if (fields & p->gre_key) {
		rules |= 1u << RULE_GRE_KEY;
		fields &= ~(p->gre_key | field_bit(FIELD_GRE_CSUM));
	}
	if (fields & p->remcsum) {
		rules |= 1u << RULE_REMCSUM;
		fields &= ~p->remcsum;
	}
	if (fields != 0 && within(fields, p->id))
		return rules | 1u << RULE_FIXED_ID;
	return fields == 0 ? rules : 0;
}

/* The frame that `sent` number `i` was when it came in: one with the same payload. */
static void pair_changed(struct pairing *p, const struct flow_frames *in,
			 const struct flow_frames *sent, unsigned i)
{
	for (unsigned j = 0; j < in->n; j++) {
		bool ffff = false;
		field_set fields;
		uint32_t rules;

		if (p->in_used[j])
			continue;
		fields = find_fields(bytes(in, j), at(in, j)->len, bytes(sent, i), at(sent, i)->len,
				     &ffff);
		rules = judge_fields(fields, p, ffff);
		if (rules == 0)
			continue;
		p->in_used[j] = 1;
		p->rules |= rules | (i != j ? 1u << RULE_OVERTAKE : 0);
		return;
	}
	p->unknown = true;
}

static field_set gre_key_fields(const struct flow_frames *in)
{
	const uint8_t both = GRE_C | GRE_K;
	struct leat_pkt pkt;

	parse(&pkt, bytes(in, 0), at(in, 0)->len);
	if (pkt.levels < 2 || pkt.lvl[0].tunnel != LEAT_TUNNEL_GRE ||
	    (pkt.data[pkt.lvl[0].transport] & both) != both)
		return 0;
	return field_bit(FIELD_TUNNEL);
}

static field_set remcsum_fields(const struct flow_frames *in)
{
	struct leat_pkt pkt;

	parse(&pkt, bytes(in, 0), at(in, 0)->len);
	if (pkt.levels < 2 || !(pkt.lvl[0].flags & LEAT_REMCSUM))
		return 0;
	return field_bit(FIELD_UDP_CSUM) | field_bit(field_inner(FIELD_UDP_CSUM)) |
	       field_bit(field_inner(FIELD_TCP_CSUM));
}

static field_set id_fields(const struct flow_frames *in)
{
	const field_set inner = field_bit(field_inner(FIELD_IP_ID)) |
				field_bit(field_inner(FIELD_IP_CSUM)) | field_bit(FIELD_GRE_CSUM) |
				field_bit(FIELD_UDP_CSUM);
	const field_set outer = field_bit(FIELD_IP_ID) | field_bit(FIELD_IP_CSUM);
	struct leat_pkt pkt;

	parse(&pkt, bytes(in, 0), at(in, 0)->len);
	if (pkt.levels == 2)
		return inner | outer;
	return pkt.levels == 1 && pkt.lvl[0].protocol == UDP ? outer : 0;
}

/* Why Linux may have merged otherwise what it then sent as it came: what is in GRE checksums. */
static uint32_t judge_gre(const struct flow_frames *in)
{
	const uint8_t *first = NULL;
	uint32_t rules = 0;

	for (unsigned i = 0; i < in->n; i++) {
		struct leat_pkt pkt;
		const uint8_t *gre;

		parse(&pkt, bytes(in, i), at(in, i)->len);
		gre = bytes(in, i) + pkt.lvl[0].transport;
		if (pkt.levels < 2 || pkt.lvl[0].tunnel != LEAT_TUNNEL_GRE || !(gre[0] & GRE_C))
			continue;
		if (gre[4] == 0xff && gre[5] == 0xff)
			rules |= 1u << RULE_FFFF;
		if ((gre[0] & GRE_K) && first && memcmp(first + 4, gre + 4, 2) != 0)
			rules |= 1u << RULE_GRE_KEY;
		first = gre;
	}
	return rules;
}

uint32_t rule_of_train(const struct flow_frames *in, const struct flow_frames *sent, bool merged)
{
	struct pairing p = {.unknown = in->n != sent->n || in->n == 0};

	if (p.unknown)
		return 0;
	p.id = id_fields(in);
	p.gre_key = gre_key_fields(in);
	p.remcsum = remcsum_fields(in);
	p.in_used = calloc(in->n, 1);
	p.sent_used = calloc(in->n, 1);
	if (!p.in_used || !p.sent_used)
		abort();
	pair_equal(&p, in, sent);
	for (unsigned i = 0; i < sent->n && !p.unknown; i++) {
		if (!p.sent_used[i])
			pair_changed(&p, in, sent, i);
	}
	free(p.in_used);
	free(p.sent_used);
	if (!merged && !p.unknown)
		p.rules |= judge_gre(in);
	return p.unknown ? 0 : p.rules;
}

uint32_t rule_find_frag_id(const uint8_t *frame, uint32_t len)
{
	struct leat_pkt pkt;
	uint32_t at;
	uint8_t next;

	parse(&pkt, frame, len);
	if (pkt.levels == 0 || pkt.lvl[0].version != 6)
		return 0;
	next = frame[pkt.lvl[0].network + 6];
	at = pkt.lvl[0].network + 40u;
	while (next != FRAGMENT && at + 8 <= len) {
		next = frame[at];
		at += 8 + 8u * frame[at + 1];
	}
	return at + 8 <= len ? at + 4 : 0;
}

uint32_t rule_extensions_len(const uint8_t *frame, uint32_t id)
{
	uint32_t at = 12;

	while ((frame[at] == 0x81 && frame[at + 1] == 0) ||
	       (frame[at] == 0x88 && frame[at + 1] == 0xa8))
		at += 4;
	return id - 4 - (at + 2 + 40);
}

/* Whether what is said of the datagram is wrong in what Linux does not look at. */
static bool is_lax(const struct super_answers *a)
{
	const struct frame_meta *m = a->meta;
	struct leat_pkt pkt;

	parse(&pkt, a->frame, a->len);
	return (m->gso_type & LEAT_VNET_GSO_ECN) || pkt.depth < LEAT_DEPTH_TRANSPORT ||
	       ((m->flags & LEAT_VNET_F_NEEDS_CSUM) &&
		(m->csum_start != pkt.lvl[0].transport || m->csum_offset != 6));
}

/* Bytes of the IP packet of this level by its length field. */
static uint32_t find_ip_len(const uint8_t *ip, uint8_t version)
{
	return version == 4 ? (uint32_t)(ip[2] << 8 | ip[3]) : 40u + (uint32_t)(ip[4] << 8 | ip[5]);
}

static bool is_bad_level(const struct leat_pkt *pkt, const struct leat_level *l)
{
	const uint8_t *t = pkt->data + l->transport;

	if (find_ip_len(pkt->data + l->network, l->version) != pkt->len - l->network ||
	    (l->flags & LEAT_IP_FRAGMENT))
		return true;
	return l->protocol == UDP && (uint32_t)(t[4] << 8 | t[5]) != pkt->len - l->transport;
}

/* Whether what is said of the tunnel is not what the parser sees. */
static bool is_bad_tunnel(const struct leat_pkt *pkt, const struct frame_meta *m)
{
	const uint8_t types = LEAT_VNET_GSO_UDP_TUNNEL_IPV4 | LEAT_VNET_GSO_UDP_TUNNEL_IPV6;
	const uint8_t *udp = pkt->data + pkt->lvl[0].transport;
	uint8_t outer = pkt->lvl[0].version == 4 ? LEAT_VNET_GSO_UDP_TUNNEL_IPV4 :
						   LEAT_VNET_GSO_UDP_TUNNEL_IPV6;

	if (!(m->gso_type & types))
		return pkt->levels == 2;
	if (pkt->levels < 2 || (m->gso_type & types) != outer ||
	    pkt->lvl[0].transport != m->outer_th || pkt->lvl[1].network != m->inner_nh)
		return true;
	return !(m->flags & LEAT_VNET_F_UDP_TUNNEL_CSUM) && (udp[6] || udp[7]);
}

static bool is_ufo(const struct frame_meta *m)
{
	return (m->gso_type & ~LEAT_VNET_GSO_ECN) == LEAT_VNET_GSO_UDP;
}

static bool is_tcp(const struct frame_meta *m, uint8_t type)
{
	return (m->gso_type & 0xf) == type;
}

/* Whether Linux takes for a super-packet what has no more payload than one segment: it reckons with a
 * TCP header without options, and that the transport header, which is a part of UFO's payload, is
 * at csum_start, though no checksum be asked for. */
static bool is_one_segment(const struct super_answers *a)
{
	const struct frame_meta *m = a->meta;
	bool tcp = is_tcp(m, LEAT_VNET_GSO_TCPV4) || is_tcp(m, LEAT_VNET_GSO_TCPV6);

	return (tcp || is_ufo(m)) && m->csum_start + (tcp ? 20u : 0) + m->gso_size < a->len;
}

/* Whether the checksum begins where Linux, which counts from the buffer's first byte, cannot say. */
static bool is_far_csum(const struct frame_meta *m)
{
	return (m->flags & LEAT_VNET_F_NEEDS_CSUM) && m->csum_start + KERNEL_HEADROOM >= UINT16_MAX;
}

/* Whether the super-packet's headers disagree with each other, the frame or what is said of
 * them. */
static bool is_inconsistent(const struct super_answers *a)
{
	struct leat_pkt pkt;

	parse(&pkt, a->frame, a->len);
	if (pkt.depth < LEAT_DEPTH_TRANSPORT || pkt.reason != LEAT_PARSE_OK)
		return true;
	for (unsigned i = 0; i < pkt.levels; i++) {
		if (is_bad_level(&pkt, &pkt.lvl[i]))
			return true;
	}
	if (is_tcp(a->meta,
		   leat_pkt_inner(&pkt)->version == 4 ? LEAT_VNET_GSO_TCPV6 : LEAT_VNET_GSO_TCPV4))
		return true;
	return is_bad_tunnel(&pkt, a->meta) ||
	       ((a->meta->flags & LEAT_VNET_F_NEEDS_CSUM) &&
		a->meta->csum_start != leat_pkt_inner(&pkt)->transport);
}

/* Whether the answers differ in checksums of UDP, TCP and GRE alone. */
static bool differ_in_sums(const struct frames *a, const struct frames *b, bool ufo)
{
	field_set sums = field_bit(FIELD_TCP_CSUM) | field_bit(field_inner(FIELD_TCP_CSUM)) |
			 field_bit(FIELD_UDP_CSUM) | field_bit(field_inner(FIELD_UDP_CSUM));

	if (ufo) /* a fragment's random identification; the length that the sender wrote */
		sums |= field_bit(FIELD_IP_EXTRA) | field_bit(FIELD_OTHER) |
			field_bit(FIELD_UDP_LEN);
	if (a->n != b->n || a->n == 0)
		return false;
	for (unsigned i = 0; i < a->n; i++) {
		bool ffff;

		if (!within(find_fields(frames_bytes(a, i), a->frame[i].len, frames_bytes(b, i),
					b->frame[i].len, &ffff),
			    sums))
			return false;
	}
	return true;
}

/* Whether extension headers follow the fragment header. */
static bool has_fragmentable(const struct frames *fragments)
{
	uint32_t id = fragments->n > 0 ? rule_find_frag_id(frames_bytes(fragments, 0),
							   fragments->frame[0].len) :
					 0;

	return id > 0 && frames_bytes(fragments, 0)[id - 4] != UDP;
}

enum rule rule_of_super(const struct super_answers *a)
{
	const uint8_t tunnels = LEAT_VNET_GSO_UDP_TUNNEL_IPV4 | LEAT_VNET_GSO_UDP_TUNNEL_IPV6;
	bool ufo = is_ufo(a->meta);

	if (ufo && a->meta->gso_size % 8 != 0 && a->kernel->n > 1)
		return RULE_UFO_EIGHT;
	if (ufo && has_fragmentable(a->kernel))
		return RULE_UFO6_EXTENSIONS;
	if (a->kernel->n > 0 && a->ours->n == 0 && is_inconsistent(a))
		return RULE_STRICT;
	if (ufo && a->kernel->n > 0 && a->ours_refused && is_lax(a))
		return RULE_UFO_LAX;
	if (!a->kernel_refused && a->kernel->n == 0 && a->ours_refused)
		return RULE_VNET_LATE;
	if (!a->kernel_refused && a->kernel->n == 0 && a->ours->n == 1 &&
	    (a->meta->gso_type & tunnels))
		return RULE_TUNNEL_ONE;
	if (!a->kernel_refused && a->kernel->n == 0 && a->ours->n == 1 && is_one_segment(a))
		return RULE_ONE_SEGMENT;
	if (!a->kernel_refused && a->kernel->n == 0 && a->ours->n == 1 && a->len > KERNEL_MTU)
		return RULE_MTU;
	if (a->kernel_refused && !a->ours_refused && is_far_csum(a->meta))
		return RULE_CSUM_FAR;
	if (a->nonsense && differ_in_sums(a->kernel, a->ours, ufo))
		return RULE_PSEUDO;
	return RULES;
}
