/* SPDX-License-Identifier: MIT */
/*
 * wild_flow.c - how a flow begins: addresses, options, extension headers, tunnel headers, each of
 * a random shape that its frames then share.
 */
#include <string.h>

#include "wild_frame.h"

enum { EXT_HOP = 0, EXT_ROUTING = 43, EXT_DESTINATION = 60 };

static void put_ext(struct wild_ip *ip, uint8_t type, uint8_t len)
{
	ip->ext_type[ip->exts] = type;
	ip->ext_len[ip->exts++] = len;
}

void wild_set_exts(struct wild_rng *rng, struct wild_ip *ip)
{
	ip->exts = 0;
	ip->salt = (uint8_t)wild_next(rng);
	if (!wild_once_in(rng, 3))
		put_ext(ip, EXT_HOP, (uint8_t)(8 * wild_between(rng, 1, 3)));
	while (ip->exts == 0 || (ip->exts < 4 && wild_once_in(rng, 3)))
		put_ext(ip, wild_once_in(rng, 2) ? EXT_ROUTING : EXT_DESTINATION,
			(uint8_t)(8 * wild_between(rng, 1, 3)));
}

static void set_timestamps(struct wild_rng *rng, uint8_t *p)
{
	memcpy(p, (uint8_t[]){1, 1, 8, 10}, 4);
	wild_put32(p + 4, (uint32_t)wild_next(rng));
	wild_put32(p + 8, (uint32_t)wild_next(rng));
}

static void set_sack(struct wild_rng *rng, uint8_t *p, unsigned blocks)
{
	memcpy(p, (uint8_t[]){1, 1, 5, (uint8_t)(2 + 8 * blocks)}, 4);
	for (unsigned i = 0; i < 2 * blocks; i++)
		wild_put32(p + 4 + 4 * i, (uint32_t)wild_next(rng));
}

void wild_set_opts(struct wild_rng *rng, struct wild_desc *d)
{
	unsigned sacks = wild_below(rng, 4);

	d->opts_len = 0;
	memset(d->opts, 1, sizeof(d->opts));
	switch (wild_below(rng, 6)) {
	case 0:
	case 1:
		set_timestamps(rng, d->opts);
		d->opts_len = 12;
		break;
	case 2:
		set_timestamps(rng, d->opts);
		set_sack(rng, d->opts + 12, sacks);
		d->opts_len = (uint8_t)(12 + 4 + 8 * sacks);
		break;
	case 3: d->opts_len = (uint8_t)(4 * wild_between(rng, 1, 10)); break; /* all padding */
	case 4:								      /* any bytes */
		d->opts_len = (uint8_t)(4 * wild_between(rng, 1, 10));
		for (unsigned i = 0; i < d->opts_len; i++)
			d->opts[i] = (uint8_t)wild_next(rng);
		break;
	default: break;
	}
}

/* Near the wrap now and then. */
static uint32_t near_wrap(struct wild_rng *rng, uint32_t max)
{
	return (wild_once_in(rng, 4) ? max - wild_below(rng, 20) : (uint32_t)wild_next(rng)) & max;
}

static void make_ip(struct wild_rng *rng, struct wild_ip *ip, uint8_t version, uint8_t protocol)
{
	*ip = (struct wild_ip){.version = version,
			       .protocol = protocol,
			       .tos = wild_once_in(rng, 3) ? (uint8_t)wild_next(rng) : 0,
			       .ttl = (uint8_t)wild_between(rng, 2, 255),
			       .salt = (uint8_t)wild_next(rng)};
	if (version == 4) {
		ip->id = (uint16_t)near_wrap(rng, 0xffff);
		ip->frag = wild_once_in(rng, 2) ? WILD_DONT_FRAGMENT : 0;
		return;
	}
	ip->flow_label = wild_once_in(rng, 2) ? (uint32_t)wild_next(rng) & 0xfffff : 0;
	if (wild_once_in(rng, 6))
		wild_set_exts(rng, ip);
}

static void set_outer(struct wild_ip *ip, const struct wild_place *place)
{
	memcpy(ip->src, ip->version == 4 ? place->src4 : place->src6, ip->version == 4 ? 4 : 16);
	memcpy(ip->dst, ip->version == 4 ? place->dst4 : place->dst6, ip->version == 4 ? 4 : 16);
}

static void set_inner(struct wild_ip *ip)
{
	static const uint8_t src6[16] = {0xfd, 1, [15] = 1}, dst6[16] = {0xfd, 2, [15] = 2};
	static const uint8_t src4[4] = {10, 1, 0, 1}, dst4[4] = {10, 2, 0, 2};

	memcpy(ip->src, ip->version == 4 ? src4 : src6, ip->version == 4 ? 4 : 16);
	memcpy(ip->dst, ip->version == 4 ? dst4 : dst6, ip->version == 4 ? 4 : 16);
}

/* The header at `p`; gives its length. Inside of another tunnel it has no checksum. */
static uint8_t make_gre(struct wild_desc *d, const struct wild_place *place, uint8_t *p)
{
	bool csum = d->kind.csum && !d->kind.gre;

	p[0] = (uint8_t)(csum * 0x80 | d->kind.key * 0x20);
	wild_put16(p + 2, d->kind.eth ? 0x6558 : d->ip[1].version == 4 ? 0x0800 : 0x86dd);
	if (d->kind.key)
		wild_put32(p + 4 + 4 * csum, place->gre_key);
	return (uint8_t)(4 + 4 * csum + 4 * d->kind.key);
}

static void make_geneve(struct wild_rng *rng, struct wild_desc *d, const struct wild_place *place)
{
	uint8_t *p = d->tunnel;
	unsigned words = 0;

	wild_put16(p + 2, d->kind.eth ? 0x6558 : d->ip[1].version == 4 ? 0x0800 : 0x86dd);
	wild_put32(p + 4, place->vni << 8);
	p += 8;
	for (unsigned options = wild_below(rng, 4); options > 0; options--) {
		unsigned len = wild_below(rng, 5);

		wild_put16(p, 0xfff0); /* a class for experiments */
		p[2] = (uint8_t)wild_below(rng, 128);
		p[3] = (uint8_t)len;
		for (unsigned i = 0; i < 4 * len; i++)
			p[4 + i] = (uint8_t)wild_next(rng);
		p += 4 + 4 * len;
		words += 1 + len;
	}
	d->tunnel[0] = (uint8_t)words;
	d->tunnel_len = (uint8_t)(8 + 4 * words);
}

/* Variant 0, or variant 1: nothing at all. */
static void make_gue(struct wild_rng *rng, struct wild_desc *d, const struct wild_place *place)
{
	const struct wild_kind *k = &d->kind;

	if (!k->remcsum && !k->gre && wild_once_in(rng, 5))
		return;
	d->tunnel_len = k->remcsum ? 12 : 4;
	d->tunnel[0] = (uint8_t)(d->tunnel_len / 4 - 1);
	d->tunnel[1] = k->gre ? 47 : d->ip[1].version == 4 ? 4 : 41;
	d->tunnel[3] = k->remcsum; /* private flags follow, the first of them set */
	d->tunnel[4] = k->remcsum ? 0x80 : 0;
	d->tunnel_len += k->gre ? make_gre(d, place, d->tunnel + 4) : 0;
}

static void make_tunnel(struct wild_rng *rng, struct wild_desc *d, const struct wild_place *place)
{
	static const uint16_t ports[WILD_ENCAPS] = {
		[WILD_VXLAN] = 4789, [WILD_GENEVE] = 6081, [WILD_GUE] = 6080, [WILD_FOU] = 5554};

	d->outer_dport = ports[d->kind.encap];
	d->outer_sport = (uint16_t)wild_between(rng, 49152, 65535);
	d->outer_sum = d->kind.csum ? WILD_SUM_RIGHT : WILD_SUM_NONE;
	switch (d->kind.encap) {
	case WILD_GRE: d->tunnel_len = make_gre(d, place, d->tunnel); break;
	case WILD_VXLAN:
		d->outer_dport = d->kind.remcsum ? 4790 : 4789;
		d->tunnel[0] = 8;
		wild_put32(d->tunnel + 4, place->vni << 8);
		d->tunnel_len = 8;
		break;
	case WILD_GENEVE: make_geneve(rng, d, place); break;
	case WILD_GUE: make_gue(rng, d, place); break;
	case WILD_FOU:
		d->outer_dport = d->kind.gre ? 5547 : d->ip[1].version == 4 ? 5554 : 5556;
		d->tunnel_len = d->kind.gre ? make_gre(d, place, d->tunnel) : 0;
		break;
	default: break;
	}
}

static uint8_t outer_protocol(const struct wild_kind *kind)
{
	if (kind->encap == WILD_IP)
		return wild_version(kind) == 4 ? 4 : 41;
	return kind->encap == WILD_GRE ? 47 : WILD_UDP;
}

static void make_transport(struct wild_rng *rng, struct wild_desc *d, unsigned number)
{
	d->sport = (uint16_t)(1024 + 16 * number + wild_below(rng, 4));
	d->dport = 80;
	d->seq = near_wrap(rng, 0xffffffff);
	d->ack = (uint32_t)wild_next(rng);
	d->flags = WILD_FLAG_ACK | (wild_once_in(rng, 8) ? WILD_FLAG_ECE : 0);
	d->flags |= wild_once_in(rng, 12) ? (uint16_t)(wild_below(rng, 16) << 8) : 0;
	d->window = (uint16_t)wild_next(rng);
	d->urg_ptr = wild_once_in(rng, 10) ? (uint16_t)wild_next(rng) : 0;
	if (wild_is_tcp(&d->kind))
		wild_set_opts(rng, d);
}

/* Payload bytes per frame: tiny, ordinary or all there is room for. */
static uint32_t pick_mss(struct wild_rng *rng, const struct wild_desc *d, uint32_t room)
{
	uint32_t mss = wild_below(rng, 4);

	mss = mss == 0 ? wild_between(rng, 1, 20) : mss == 1 ? room : wild_between(rng, 1, 1448);
	mss = mss > room ? room : mss;
	if (wild_is_sctp(&d->kind))
		mss = mss < 20 ? 20 : mss / 4 * 4;
	return mss;
}

void wild_flow(struct wild_rng *rng, const struct wild_kind *kind, const struct wild_place *place,
	       unsigned number, uint32_t mtu, struct wild_desc *d)
{
	unsigned inner = wild_levels(kind) - 1;

	*d = (struct wild_desc){.kind = *kind, .salt = (uint32_t)wild_next(rng)};
	memcpy(d->dst_mac, place->dst_mac, 6);
	memcpy(d->src_mac, place->src_mac, 6);
	memcpy(d->inner_dst_mac, place->inner_dst_mac, 6);
	memcpy(d->inner_src_mac, (uint8_t[]){2, 0, 0, 0, 1, 1}, 6);
	for (unsigned i = 0; i < WILD_TAGS; i++)
		d->tag[i] = (uint16_t)wild_between(rng, 1, 4000);
	d->inner_tags = kind->eth && wild_once_in(rng, 6);
	d->inner_tag = 7;
	make_ip(rng, &d->ip[inner], wild_version(kind), wild_protocol(kind));
	if (inner)
		make_ip(rng, &d->ip[0], kind->outer, outer_protocol(kind));
	set_outer(&d->ip[0], place);
	if (inner) {
		set_inner(&d->ip[1]);
		make_tunnel(rng, d, place);
	}
	make_transport(rng, d, number);
	if (wild_once_in(rng, 3)) /* a neighbour in the address, not the port */
		d->ip[inner].src[d->ip[inner].version == 4 ? 3 : 15] += (uint8_t)(1 + number);
	d->payload = pick_mss(rng, d, mtu - wild_ip_len(d));
}
