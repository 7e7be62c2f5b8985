/* SPDX-License-Identifier: MIT */
/*
 * wild_super.c - super-packets, and what their senders say of them: the truth, or nonsense.
 */
#include <stdlib.h>
#include <string.h>

#include "wild_frame.h"

enum { IP_MAX = 65535, USO_SEGS = 128, GRO_SEGS = 64 };

struct maker {
	struct wild_rng rng;
	struct wild_super *super;
	const struct wild_super_conf *conf;
	struct wild_desc d;
};

void wild_super_fini(struct wild_super *super)
{
	free(super->bytes);
	memset(super, 0, sizeof(*super));
}

static uint32_t tunnel_type(const struct wild_kind *k)
{
	switch (k->encap) {
	case WILD_NONE: return 0;
	case WILD_IP: return k->outer == 4 ? LEAT_GSO_IPXIP4 : LEAT_GSO_IPXIP6;
	case WILD_GRE: return k->csum ? LEAT_GSO_GRE_CSUM : LEAT_GSO_GRE;
	default:
		return (k->csum ? LEAT_GSO_UDP_TUNNEL_CSUM : LEAT_GSO_UDP_TUNNEL) |
		       (k->gre ? LEAT_GSO_GRE : 0) | (k->remcsum ? LEAT_GSO_TUNNEL_REMCSUM : 0);
	}
}

static uint32_t transport_type(const struct wild_kind *k)
{
	if (wild_is_tcp(k))
		return k->type == WILD_TCP4 ? LEAT_GSO_TCPV4 : LEAT_GSO_TCPV6;
	if (wild_is_sctp(k))
		return LEAT_GSO_SCTP;
	return wild_is_ufo(k) ? LEAT_GSO_UDP : LEAT_GSO_UDP_L4;
}

static uint32_t fixed_type(struct maker *m)
{
	const struct wild_kind *k = &m->d.kind;
	unsigned inner = wild_levels(k) - 1;
	uint32_t type = 0;

	if (!m->conf->fixed_id || wild_is_ufo(k))
		return 0;
	if (m->d.ip[0].version == 4 && wild_once_in(&m->rng, 2))
		type |= LEAT_GSO_TCP_FIXEDID;
	if (inner && m->d.ip[1].version == 4 && wild_once_in(&m->rng, 2))
		type |= LEAT_GSO_TCP_FIXEDID_INNER;
	return type;
}

/* Flags that a sender may set, or only those that a merge can have. */
static uint32_t set_flags(struct maker *m)
{
	struct wild_desc *d = &m->d;

	d->flags |= wild_once_in(&m->rng, 3) ? WILD_FLAG_PSH : 0;
	d->flags |= wild_once_in(&m->rng, 5) ? WILD_FLAG_FIN : 0;
	if (m->conf->mergeable)
		return 0;
	if (wild_once_in(&m->rng, 8))
		d->flags |= WILD_FLAG_URG;
	if (m->conf->accecn && wild_once_in(&m->rng, 3)) {
		d->flags ^= wild_once_in(&m->rng, 2) ? WILD_FLAG_CWR : 0;
		return LEAT_GSO_TCP_ACCECN;
	}
	if (!wild_once_in(&m->rng, 3))
		return 0;
	d->flags |= WILD_FLAG_CWR;
	return LEAT_GSO_TCP_ECN;
}

/* Room for payload in the IP packet, and up to which gso_size a segment has room. */
static uint32_t room(const struct maker *m, uint32_t most)
{
	struct wild_desc d = m->d;

	d.payload = 0;
	return most - wild_ip_len(&d);
}

/* Payload bytes: two segments, some, or all there is room for. */
static void size(struct maker *m, bool big)
{
	struct wild_desc *d = &m->d;
	uint32_t most = room(m, big ? m->conf->max_len : IP_MAX);
	uint32_t mss = wild_once_in(&m->rng, 5)	 ? wild_between(&m->rng, 1, 16) :
		       wild_once_in(&m->rng, 10) ? wild_between(&m->rng, 1449, 20000) :
						   wild_between(&m->rng, 17, 1448);
	uint32_t segs = m->conf->mergeable ? GRO_SEGS : USO_SEGS;

	if (wild_is_ufo(&d->kind)) {
		mss = mss < 8 ? 8 : mss;
		mss -= m->conf->mergeable || !wild_once_in(&m->rng, 8) ? mss % 8 : 0;
		d->payload = wild_between(&m->rng, mss - 7, most);
		m->super->gso_size = (uint16_t)mss;
		m->super->gso_segs = (uint16_t)((d->payload + 8 + mss - 1) / mss);
		return;
	}
	segs = wild_is_tcp(&d->kind) ? LEAT_PKT_SLICES_MAX : segs;
	segs = wild_once_in(&m->rng, 3) ? wild_between(&m->rng, 2, 4) : segs;
	d->payload = mss * (wild_between(&m->rng, 2, segs < 300 ? segs : 300) - 1);
	if (wild_once_in(&m->rng, 6))
		d->payload = mss * (segs - 1 < most / mss ? segs - 1 : most / mss);
	d->payload += wild_once_in(&m->rng, 3) ? mss : wild_between(&m->rng, 1, mss);
	if (big && wild_once_in(&m->rng, 6)) /* about where the length field ends */
		d->payload = room(m, IP_MAX - 20) + wild_below(&m->rng, 100);
	most = most / mss > UINT16_MAX ? mss * UINT16_MAX : most; /* as many as gso_segs can say */
	d->payload = d->payload > most ? most : d->payload;
	m->super->gso_size = (uint16_t)(mss < d->payload ? mss : d->payload - 1);
	mss = m->super->gso_size;
	m->super->gso_segs = (uint16_t)((d->payload + mss - 1) / mss);
}

static bool is_big(const struct maker *m)
{
	const struct wild_kind *k = &m->d.kind;

	return m->conf->max_len > IP_MAX && wild_is_tcp(k) && k->encap == WILD_NONE;
}

static void set_big(struct maker *m)
{
	struct wild_ip *ip = &m->d.ip[0];
	uint32_t len;

	m->d.padded = 0;
	len = wild_ip_len(&m->d);
	ip->big = len - (ip->version == 6 ? 40 : 0) > IP_MAX;
	if (ip->big && ip->version == 6 && ip->exts == 0 && wild_once_in(&m->rng, 2))
		ip->jumbo = true;
}

/* Packets of chunks, each a member of the chain. */
static void make_sctp(struct maker *m, uint32_t hdr_len)
{
	struct wild_super *s = m->super;
	uint32_t most = room(m, IP_MAX), all = 0;
	struct wild_desc d = m->d;

	s->parts = 0;
	for (unsigned n = wild_between(&m->rng, 2, 40); n > 0; n--) {
		uint32_t len = 4 * wild_between(&m->rng, 5, wild_once_in(&m->rng, 4) ? 2000 : 100);

		if (all + len > most || s->parts == WILD_PARTS_MAX)
			break;
		s->part[s->parts++] = len;
		all += len;
	}
	m->d.payload = all;
	wild_build(&m->d, s->bytes, &s->at);
	for (unsigned i = 0, off = hdr_len; i < s->parts; off += s->part[i++]) {
		struct wild_layout at;
		uint8_t *one = malloc(hdr_len + s->part[i]);

		if (one == NULL)
			abort();
		d.payload = s->part[i];
		wild_build(&d, one, &at);
		memcpy(s->bytes + off, one + hdr_len, s->part[i]);
		free(one);
		d.seq++;
		d.stream += d.payload;
	}
	s->gso_segs = (uint16_t)s->parts;
	s->gso_size = LEAT_GSO_BY_FRAGS;
	s->part[0] += hdr_len;
}

/* Flat, or a head and slices of any size; the headers are in the head. */
static void scatter(struct maker *m, uint32_t hdr_len)
{
	struct wild_super *s = m->super;
	uint32_t left = s->len - hdr_len, most;

	s->parts = 1;
	s->part[0] = s->len;
	if (wild_once_in(&m->rng, 3))
		return;
	s->part[0] = hdr_len + (wild_once_in(&m->rng, 2) ? 0 : wild_below(&m->rng, left));
	left = s->len - s->part[0];
	most = wild_once_in(&m->rng, 2) ? s->gso_size : wild_between(&m->rng, 20, 30000);
	for (; left > 0 && s->parts < WILD_PARTS_MAX - 1; left -= s->part[s->parts++]) {
		uint32_t n = wild_once_in(&m->rng, 4) ? wild_between(&m->rng, 1, most) : most;

		s->part[s->parts] = n < left ? n : left;
	}
	if (left > 0)
		s->part[s->parts++] = left;
}

static void describe(struct maker *m)
{
	struct wild_super *s = m->super;
	const struct wild_kind *k = &m->d.kind;

	s->csum = LEAT_CSUM_PARTIAL;
	s->csum_start = s->at.transport[s->at.levels - 1];
	s->csum_offset = wild_is_tcp(k) ? 16 : wild_is_sctp(k) ? 8 : 6;
}

static void make(struct maker *m)
{
	struct wild_super *s = m->super;
	uint32_t hdr_len;

	if (!wild_is_sctp(&m->d.kind))
		size(m, is_big(m));
	if (is_big(m))
		set_big(m);
	if (m->d.ip[0].jumbo)
		m->d.payload = m->d.payload > room(m, m->conf->max_len) ?
				       room(m, m->conf->max_len) :
				       m->d.payload;
	if (m->d.ip[0].jumbo)
		s->gso_segs = (uint16_t)((m->d.payload + s->gso_size - 1) / s->gso_size);
	hdr_len = wild_hdr_len(&m->d);
	s->bytes = realloc(s->bytes, hdr_len + (wild_is_sctp(&m->d.kind) ? IP_MAX : m->d.payload));
	if (s->bytes == NULL)
		abort();
	m->d.sum = WILD_SUM_PARTIAL;
	if (wild_is_sctp(&m->d.kind))
		make_sctp(m, hdr_len);
	else
		wild_build(&m->d, s->bytes, &s->at);
	s->len = hdr_len + m->d.payload;
	describe(m);
	if (!wild_is_sctp(&m->d.kind))
		scatter(m, hdr_len);
}

static void lie_in_bytes(struct maker *m)
{
	struct wild_super *s = m->super;
	unsigned l = wild_below(&m->rng, s->at.levels);
	uint8_t *ip = s->bytes + s->at.network[l], *l4 = s->bytes + s->at.transport[l];

	if (s->at.transport[l] + 13u > s->len)
		return;
	switch (wild_below(&m->rng, 6)) {
	case 0:
		wild_put16(ip + (s->at.version[l] == 4 ? 2 : 4), (uint32_t)wild_next(&m->rng));
		break;
	case 1: ip[0] ^= (uint8_t)(1 << wild_below(&m->rng, 8)); break;
	case 2: ip[s->at.version[l] == 4 ? 9 : 6] ^= (uint8_t)wild_between(&m->rng, 1, 255); break;
	case 3: ip[6] ^= 0x20; break;
	case 4: wild_put16(l4 + 4, (uint32_t)wild_next(&m->rng)); break;
	case 5: l4[12] = (uint8_t)(wild_below(&m->rng, 16) << 4); break;
	}
}

static void cut_short(struct maker *m)
{
	struct wild_super *s = m->super;

	s->len = wild_between(&m->rng, 1, s->len);
	s->parts = 1;
	s->part[0] = s->len;
}

static uint32_t other_type(struct maker *m, uint32_t type)
{
	static const uint8_t bits[] = {0, 2, 4, 6, 7, 8, 9, 10, 11, 13, 14, 16, 17, 18, 19, 30, 31};

	if (wild_once_in(&m->rng, 4))
		return 1u << bits[wild_below(&m->rng, sizeof(bits))];
	return type ^ 1u << bits[wild_below(&m->rng, sizeof(bits))];
}

static void lie(struct maker *m)
{
	static const uint16_t sizes[] = {0, 1, 65535, 65534, 7, 8, 40000};
	struct wild_super *s = m->super;

	switch (wild_below(&m->rng, 10)) {
	case 0: s->gso_size = sizes[wild_below(&m->rng, sizeof(sizes) / sizeof(sizes[0]))]; break;
	case 1: s->gso_size = (uint16_t)wild_next(&m->rng); break;
	case 2: s->csum_start = (uint16_t)(s->csum_start + wild_between(&m->rng, 1, 9) - 5); break;
	case 3: s->csum_start = (uint16_t)(s->len - wild_below(&m->rng, 4)); break;
	case 4: s->csum_start = (uint16_t)wild_next(&m->rng); break;
	case 5: s->csum_offset = (uint16_t)(wild_once_in(&m->rng, 2) ? 6 : 16); break;
	case 6: s->csum = LEAT_CSUM_NONE; break;
	case 7: s->gso_type = other_type(m, s->gso_type); break;
	case 8: lie_in_bytes(m); break;
	case 9: cut_short(m); break;
	}
}

/* Once in a while an extension header of 256 bytes or more, for which a train's frames would have
 * no room; nor has the field in which VXLAN says where an inner checksum begins. */
static void lengthen(struct maker *m)
{
	struct wild_ip *ip = &m->d.ip[0];

	if (ip->exts == 0 && !m->d.kind.remcsum)
		ip = &m->d.ip[wild_levels(&m->d.kind) - 1];
	if (ip->exts > 0 && wild_once_in(&m->rng, 3))
		ip->ext_len[wild_below(&m->rng, ip->exts)] =
			(uint16_t)(8 * wild_between(&m->rng, 32, 256));
}

void wild_super_make(struct wild_super *super, const struct wild_super_conf *conf, uint64_t seed,
		     uint64_t number)
{
	struct wild_super_conf own = *conf;
	struct maker m = {wild_rng_start(seed, number), super, &own, {.payload = 0}};
	struct wild_kind kind = conf->kind;

	own.max_len = conf->max_len == 0 ? IP_MAX : conf->max_len;
	if (kind.vlans == WILD_VLANS_ANY)
		kind.vlans = (uint8_t)(wild_once_in(&m.rng, 2) ? 0 : wild_below(&m.rng, 3));
	wild_flow(&m.rng, &kind, conf->place ? conf->place : &wild_somewhere, 0, IP_MAX, &m.d);
	lengthen(&m);
	super->gso_type = transport_type(&kind) | tunnel_type(&kind);
	super->gso_type |= wild_is_tcp(&kind) ? set_flags(&m) : 0;
	super->gso_type |= fixed_type(&m);
	super->kind = kind;
	make(&m);
	super->nonsense = conf->nonsense;
	for (unsigned n = conf->nonsense ? wild_between(&m.rng, 1, 2) : 0; n > 0; n--)
		lie(&m);
}
