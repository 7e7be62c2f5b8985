/* SPDX-License-Identifier: MIT */
#include "rule.h"

#include <leat/parse.h>
#include <leat/vnet.h>
#include <stdlib.h>
#include <string.h>

#include "wild.h"

static const struct {
	const char *name, *about;
} rules[RULES] = {
	[RULE_OVERTAKE] = {"overtake", "Linux lets a frame that it does not match with what GRO "
				       "holds (bad checksum, IP options, another MAC address) "
				       "overtake held frames of its flow"},
	[RULE_URGENT] = {"urgent", "Linux merges frames whose urgent pointers differ where URG is "
				   "not set, and sends all with the first one's"},
	[RULE_FFFF] = {"ffff", "Linux merges frames with a checksum of 0xffff, and sends them with "
			       "0"},
	[RULE_GRE_ID] = {"gre-id", "Linux loses the fixed inner IDs of a train in GRE, and sends "
				   "them incrementing"},
	[RULE_GRE_CSUM] = {"gre-csum", "Linux sends a wrong GRE checksum for a merged train"},
	[RULE_UFO_EIGHT] = {"ufo-eight", "Linux makes broken fragments where gso_size is no "
					 "multiple of 8"},
	[RULE_UFO6_ID] = {"ufo6-id", "the identification of IPv6 fragments is random in Linux"},
	[RULE_VNET_LATE] = {"late", "Linux takes a header that does not fit the frame, and drops "
				    "the packet in its segmenter; the library refuses it at once"},
};

const char *rule_name(enum rule rule)
{
	return rules[rule].name;
}

const char *rule_about(enum rule rule)
{
	return rules[rule].about;
}

static void parse(struct leat_pkt *pkt, const uint8_t *frame, uint32_t len)
{
	memset(pkt, 0, sizeof(*pkt));
	leat_pkt_init(pkt, (uint8_t *)frame, len);
	leat_parse(&wild_ports, &pkt, 1);
}

field_set rule_fields(const uint8_t *a, uint32_t a_len, const uint8_t *b, uint32_t b_len)
{
	uint32_t len = a_len < b_len ? a_len : b_len;
	struct leat_pkt pkt;
	field_set set = a_len == b_len ? 0 : field_bit(FIELD_PAYLOAD);

	parse(&pkt, a, a_len);
	for (uint32_t i = 0; i < len; i++) {
		if (a[i] != b[i])
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

/* Whether every differing byte of `b` is 0 where `a` has 0xff. */
static bool is_ffff(const uint8_t *a, const uint8_t *b, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++) {
		if (a[i] != b[i] && (a[i] != 0xff || b[i] != 0))
			return false;
	}
	return true;
}

/* Pair each frame that was sent with an equal one that came in; then what is left over, in order,
 * with each other. */
struct pairing {
	uint8_t *in_used, *sent_used;
	field_set fields; /* in which those left over differ */
	unsigned left;
	bool moved, ffff;
};

static void pair_equal(struct pairing *p, const struct flow_frames *in,
		       const struct flow_frames *sent)
{
	unsigned from = 0;

	for (unsigned i = 0; i < sent->n; i++) {
		for (unsigned j = from; j < in->n && !p->sent_used[i]; j++) {
			if (p->in_used[j] || !is_same(sent, i, in, j))
				continue;
			p->in_used[j] = p->sent_used[i] = 1;
			p->moved |= i != j;
		}
		while (from < in->n && p->in_used[from])
			from++;
	}
}

static void pair_left(struct pairing *p, const struct flow_frames *in,
		      const struct flow_frames *sent)
{
	unsigned j = 0;

	p->ffff = true;
	for (unsigned i = 0; i < sent->n; i++) {
		if (p->sent_used[i])
			continue;
		while (p->in_used[j])
			j++;
		p->fields |=
			rule_fields(bytes(in, j), at(in, j)->len, bytes(sent, i), at(sent, i)->len);
		p->ffff = p->ffff && is_ffff(bytes(in, j), bytes(sent, i), at(in, j)->len);
		p->moved |= i != j;
		p->left++;
		j++;
	}
}

static bool within(field_set set, field_set allowed)
{
	return (set & ~allowed) == 0;
}

static enum rule judge(const struct pairing *p)
{
	const field_set id = field_bit(field_inner(FIELD_IP_ID)) |
			     field_bit(field_inner(FIELD_IP_CSUM)) | field_bit(FIELD_GRE_CSUM);
	const field_set urgent = field_bit(FIELD_TCP_URG) | field_bit(field_inner(FIELD_TCP_URG));
	const field_set sums = field_bit(FIELD_TCP_CSUM) | field_bit(field_inner(FIELD_TCP_CSUM)) |
			       field_bit(FIELD_GRE_CSUM) | field_bit(FIELD_UDP_CSUM);

	if (p->left == 0)
		return p->moved ? RULE_OVERTAKE : RULES;
	if ((p->fields & urgent) && within(p->fields, urgent | sums))
		return RULE_URGENT;
	if (p->ffff)
		return RULE_FFFF;
	if (p->fields == field_bit(FIELD_GRE_CSUM))
		return RULE_GRE_CSUM;
	if (within(p->fields, id))
		return RULE_GRE_ID;
	return RULES;
}

enum rule rule_of_train(const struct flow_frames *in, const struct flow_frames *sent)
{
	struct pairing p = {0};
	enum rule rule = RULES;

	if (in->n != sent->n)
		return RULES;
	p.in_used = calloc(in->n + 1, 1);
	p.sent_used = calloc(in->n + 1, 1);
	if (p.in_used && p.sent_used) {
		pair_equal(&p, in, sent);
		pair_left(&p, in, sent);
		rule = judge(&p);
	}
	free(p.in_used);
	free(p.sent_used);
	return rule;
}

/* All fragments alike but for their identification. */
static bool differ_in_id(const struct frames *a, const struct frames *b)
{
	if (a->n != b->n || a->n == 0)
		return false;
	for (unsigned i = 0; i < a->n; i++) {
		uint32_t len = a->frame[i].len, frag = 0;
		struct leat_pkt pkt;

		if (b->frame[i].len != len)
			return false;
		parse(&pkt, frames_bytes(a, i), len);
		if (pkt.levels == 0 || pkt.lvl[0].version != 6)
			return false;
		for (uint32_t j = 0; j < len; j++) {
			if (frames_bytes(a, i)[j] == frames_bytes(b, i)[j])
				continue;
			frag = frag ? frag : j;
			if (j > frag + 3 || j >= pkt.lvl[0].transport)
				return false;
		}
	}
	return true;
}

enum rule rule_of_super(const struct super_answers *a)
{
	bool ufo = a->meta->gso_type == LEAT_VNET_GSO_UDP;

	if (ufo && a->meta->gso_size % 8 != 0 && !a->kernel_refused)
		return RULE_UFO_EIGHT;
	if (ufo && differ_in_id(a->kernel, a->ours))
		return RULE_UFO6_ID;
	if (!a->kernel_refused && a->kernel->n == 0 && a->ours_refused)
		return RULE_VNET_LATE;
	return RULES;
}
