/* SPDX-License-Identifier: MIT */
/*
 * merge.c - which frames merge. A frame is asked twice: whether it may be merged at all, and whether
 * it differs from the first of those held where it must not.
 */
#include "merge.h"

#include <stdlib.h>
#include <string.h>

#include "frame.h"

enum { SCTP = 132, UDP_SEGS = 64, LIST_SEGS = 64 };

struct held {
	unsigned first, n, group;
	uint32_t payload;
	bool fixed[LEAT_LEVELS];
};

struct model {
	const struct wild_train *train;
	const struct leat_gro_conf *conf;
	bool trusted;
	struct held *held;
	unsigned n_held, groups;
};

bool merge_beyond(enum wild_trouble trouble)
{
	switch (trouble) {
	case WILD_DOFF:
	case WILD_UDP_LEN:
	case WILD_IP_LEN:
	case WILD_FRAGMENT:
	case WILD_CUT:
	case WILD_PROTOCOL:
	case WILD_OUTER_FRAGMENT:
	case WILD_OUTER_UDP_LEN:
	case WILD_TUNNEL_BAD:
	case WILD_NESTED: return true;
	default: return false;
	}
}

static uint32_t get16(const uint8_t *p)
{
	return (uint32_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) << 16 | get16(p + 2);
}

static const uint8_t *ip_of(const struct wild_frame *f, unsigned level)
{
	return f->bytes + f->at.network[level];
}

static const uint8_t *l4_of(const struct wild_frame *f)
{
	return f->bytes + f->at.transport[f->at.levels - 1];
}

static uint8_t protocol_of(const struct model *m)
{
	uint8_t type = m->train->kind.type;

	if (type == WILD_TCP4 || type == WILD_TCP6)
		return FRAME_TCP;
	return type == WILD_SCTP4 || type == WILD_SCTP6 ? SCTP : FRAME_UDP;
}

static bool has_outer_udp(const struct wild_frame *f)
{
	return f->at.levels > 1 && f->at.tunnel == f->at.transport[0] + 8;
}

bool merge_same_flow(const struct wild_frame *a, const struct wild_frame *b)
{
	for (unsigned l = 0; l < a->at.levels; l++) {
		bool v4 = a->at.version[l] == 4;

		if (memcmp(ip_of(a, l) + (v4 ? 12 : 8), ip_of(b, l) + (v4 ? 12 : 8), v4 ? 8 : 32) !=
		    0)
			return false;
	}
	return memcmp(l4_of(a), l4_of(b), 4) == 0 &&
	       (!has_outer_udp(a) ||
		memcmp(a->bytes + a->at.transport[0], b->bytes + b->at.transport[0], 4) == 0);
}

/* May this IP header be of a merged packet? */
static bool is_good_ip(const struct wild_frame *f, unsigned level)
{
	const uint8_t *ip = ip_of(f, level);

	if (f->at.version[level] == 6)
		return get16(ip + 4) + 40 == f->len - f->at.network[level];
	return ip[0] == 0x45 && (get16(ip + 6) & 0xbfff) == 0 && frame_sum(ip, 20, 0) == 0xffff &&
	       get16(ip + 10) != 0xffff && get16(ip + 2) == f->len - f->at.network[level];
}

static bool is_good_tcp(const struct model *m, const struct wild_frame *f)
{
	uint8_t flags = l4_of(f)[13], never = FRAME_SYN | FRAME_RST | FRAME_URG;

	never |= m->conf->accecn ? 0 : FRAME_CWR;
	return (flags & never) == 0 && (m->train->kind.remcsum || get16(l4_of(f) + 16) != 0xffff);
}

/* One of DATA, or I-DATA, that fills the packet. */
static bool is_good_chunk(const struct wild_frame *f)
{
	const uint8_t *p = f->bytes + f->at.payload;
	uint32_t len = f->payload < 4 ? 0 : get16(p + 2);

	if (len <= (p[0] == 64 ? 20 : 16))
		return false;
	return (p[0] == 0 || p[0] == 64) && (len + 3) / 4 * 4 == f->payload;
}

static bool is_good_crc(const struct wild_frame *f)
{
	const uint8_t *p = l4_of(f);
	uint32_t len = f->len - f->at.transport[f->at.levels - 1], crc = ~0u;

	for (uint32_t i = 0; i < 8 * len; i++) {
		uint8_t byte = i / 8 >= 8 && i / 8 < 12 ? 0 : p[i / 8];

		crc = crc >> 1 ^ (((crc ^ byte >> i % 8) & 1) != 0 ? 0x82f63b78 : 0);
	}
	crc = ~crc;
	return p[8] == (crc & 255) && p[9] == (crc >> 8 & 255) && p[10] == (crc >> 16 & 255) &&
	       p[11] == crc >> 24;
}

static bool is_good_transport(const struct model *m, const struct wild_frame *f)
{
	uint8_t protocol = protocol_of(m);
	unsigned inner = f->at.levels - 1u;
	uint32_t len = f->len - f->at.transport[inner];
	uint16_t pseudo = frame_pseudo(ip_of(f, inner), protocol, len);
	const uint8_t *l4 = l4_of(f), *field = l4 + (protocol == FRAME_TCP ? 16 : 6);

	if (f->payload == 0)
		return false;
	if (protocol == SCTP)
		return is_good_chunk(f) && is_good_crc(f);
	if (protocol == FRAME_TCP && !is_good_tcp(m, f))
		return false;
	if (m->train->kind.remcsum) /* for which the outer one vouches */
		return !m->conf->fraglist && get16(field) == pseudo &&
		       (m->trusted || get16(f->bytes + f->at.transport[0] + 6) != 0);
	if (protocol == FRAME_UDP && get16(field) == 0)
		return false;
	return frame_sum(l4, len, pseudo) == 0xffff;
}

static bool is_good_tunnel(const struct model *m, const struct wild_frame *f)
{
	const uint8_t *l4 = f->bytes + f->at.transport[0];
	uint32_t len = f->len - f->at.transport[0];

	if (m->train->kind.encap > WILD_GRE)
		return get16(l4 + 6) == 0 ||
		       frame_sum(l4, len, frame_pseudo(ip_of(f, 0), FRAME_UDP, len)) == 0xffff;
	if (m->train->kind.encap == WILD_GRE && m->train->kind.csum)
		return get16(l4 + 4) != 0xffff && frame_sum(l4, len, 0) == 0xffff;
	return true;
}

static bool may_merge(const struct model *m, const struct wild_frame *f)
{
	for (unsigned l = 0; l < f->at.levels; l++)
		if (!is_good_ip(f, l))
			return false;
	return is_good_transport(m, f) && (f->at.levels == 1 || is_good_tunnel(m, f));
}

static bool pushes(const struct model *m, const struct wild_frame *f)
{
	return protocol_of(m) == FRAME_TCP && (l4_of(f)[13] & (FRAME_PSH | FRAME_FIN)) != 0;
}

static bool same(const struct wild_frame *a, const struct wild_frame *b, unsigned from, unsigned to)
{
	return memcmp(a->bytes + from, b->bytes + from, to - from) == 0;
}

static bool id_follows(const struct held *h, const struct wild_frame *a, const struct wild_frame *b,
		       unsigned l)
{
	uint16_t step = (uint16_t)(get16(ip_of(b, l) + 4) - get16(ip_of(a, l) + 4));

	if (h->n == 1)
		return step <= 1;
	return step == (h->fixed[l] ? 0 : h->n);
}

static bool ip_follows(const struct held *h, const struct wild_frame *a, const struct wild_frame *b,
		       unsigned l)
{
	unsigned at = a->at.network[l];

	if (a->at.version[l] == 6) /* all but the length */
		return same(a, b, at, at + 4) && same(a, b, at + 6, a->at.transport[l]);
	return same(a, b, at, at + 2) && same(a, b, at + 6, at + 10) &&
	       same(a, b, at + 12, at + 20) && id_follows(h, a, b, l);
}

/* The bytes between the IP headers but for lengths and checksums. */
static bool tunnel_follows(const struct model *m, const struct wild_frame *a,
			   const struct wild_frame *b)
{
	unsigned at = a->at.transport[0], end = a->at.network[1];

	if (m->train->kind.encap > WILD_GRE)
		return same(a, b, at, at + 4) && same(a, b, at + 8, end) &&
		       (get16(a->bytes + at + 6) == 0) == (get16(b->bytes + at + 6) == 0);
	if (m->train->kind.encap == WILD_GRE && m->train->kind.csum)
		return same(a, b, at, at + 4) && same(a, b, at + 6, end);
	return same(a, b, at, end);
}

static bool tcp_follows(const struct model *m, const struct held *h, const struct wild_frame *a,
			const struct wild_frame *b)
{
	unsigned at = a->at.transport[a->at.levels - 1];
	uint8_t differ = a->bytes[at + 13] ^ b->bytes[at + 13];

	if (m->conf->fraglist && pushes(m, b))
		return false;
	return get32(b->bytes + at + 4) == get32(a->bytes + at + 4) + h->payload &&
	       same(a, b, at + 8, at + 13) && (differ & ~(FRAME_PSH | FRAME_FIN)) == 0 &&
	       same(a, b, at + 14, at + 16) && same(a, b, at + 18, a->at.payload);
}

static bool fits(const struct model *m, const struct held *h, const struct wild_frame *a,
		 const struct wild_frame *b)
{
	uint32_t limit = a->at.version[0] == 4 ? m->conf->max_size4 : m->conf->max_size;
	uint32_t hdr_len = a->at.payload - a->at.network[0];

	if ((protocol_of(m) != FRAME_TCP || a->at.levels > 1 || m->conf->fraglist) && limit > 65536)
		limit = 65536;
	if (m->conf->fraglist && protocol_of(m) != SCTP) /* the headers of the new one count too */
		limit = limit < 65536 - hdr_len ? limit : 65536 - hdr_len;
	if (protocol_of(m) != SCTP && b->payload > a->payload)
		return false;
	return hdr_len + h->payload + b->payload < limit;
}

static bool follows(const struct model *m, const struct held *h, const struct wild_frame *b)
{
	const struct wild_frame *a = &m->train->frame[h->first];
	unsigned at = a->at.transport[a->at.levels - 1];

	if (a->at.network[0] != b->at.network[0] || !same(a, b, 0, a->at.network[0]) ||
	    a->at.payload != b->at.payload || at != b->at.transport[a->at.levels - 1])
		return false;
	for (unsigned l = 0; l < a->at.levels; l++)
		if (a->at.network[l] != b->at.network[l] ||
		    a->at.transport[l] != b->at.transport[l] || !ip_follows(h, a, b, l))
			return false;
	if (a->at.levels > 1 && !tunnel_follows(m, a, b))
		return false;
	if (protocol_of(m) == FRAME_TCP && !tcp_follows(m, h, a, b))
		return false;
	if (protocol_of(m) == SCTP && !same(a, b, at, at + 8))
		return false;
	return fits(m, h, a, b);
}

static bool is_end(const struct model *m, const struct held *h, const struct wild_frame *b)
{
	const struct wild_frame *a = &m->train->frame[h->first];
	unsigned most = m->conf->max_segs;

	if (protocol_of(m) == FRAME_UDP && most > UDP_SEGS)
		most = UDP_SEGS;
	if (m->conf->fraglist && protocol_of(m) != SCTP && most > LIST_SEGS)
		most = LIST_SEGS;
	return (protocol_of(m) != SCTP && b->payload < a->payload) || pushes(m, b) || h->n == most;
}

static void let_go(struct model *m, unsigned i)
{
	m->held[i] = m->held[--m->n_held];
}

static void join(struct model *m, unsigned h, unsigned i, unsigned *group)
{
	struct held *held = &m->held[h];
	const struct wild_frame *a = &m->train->frame[held->first], *b = &m->train->frame[i];

	for (unsigned l = 0; held->n == 1 && l < a->at.levels; l++)
		held->fixed[l] = get16(ip_of(a, l) + 4) == get16(ip_of(b, l) + 4);
	held->n++;
	held->payload += b->payload;
	group[i] = held->group;
	if (is_end(m, held, b))
		let_go(m, h);
}

static void receive(struct model *m, unsigned i, unsigned *group)
{
	const struct wild_frame *f = &m->train->frame[i];
	bool good = may_merge(m, f);
	unsigned h;

	for (h = 0; h < m->n_held; h++)
		if (merge_same_flow(&m->train->frame[m->held[h].first], f))
			break;
	if (h < m->n_held && good && follows(m, &m->held[h], f)) {
		join(m, h, i, group);
		return;
	}
	if (h < m->n_held)
		let_go(m, h);
	group[i] = m->groups++;
	if (good && !pushes(m, f))
		m->held[m->n_held++] =
			(struct held){.first = i, .n = 1, .group = group[i], .payload = f->payload};
}

void merge_groups(const struct wild_train *train, const struct leat_gro_conf *conf, bool trusted,
		  unsigned *group)
{
	struct model m = {train, conf, trusted, malloc((train->n + 1) * sizeof(struct held)), 0, 0};

	for (unsigned i = 0; i < train->n; i++)
		receive(&m, i, group);
	free(m.held);
}
