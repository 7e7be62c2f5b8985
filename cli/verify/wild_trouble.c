/* SPDX-License-Identifier: MIT */
/*
 * wild_trouble.c - what may befall a frame, one function each, and for whom it makes sense.
 */
#include <string.h>

#include "wild_frame.h"

/* What a kind of frames has; a trouble needs all of its own. */
enum {
	T = 1,	 /* TCP */
	U = 2,	 /* UDP */
	TU = 3,	 /* either of them */
	S = 4,	 /* SCTP */
	ALL = 7, /* any of them */
	V4 = 8,
	V6 = 16,
	ENC = 32, /* an encapsulation */
	OUT4 = ENC | 64,
	OUT6 = ENC | 128,
	OUTUDP = ENC | 256,
	OUTSUM = ENC | 512, /* UDP's or GRE's */
	HEADER = ENC | 1024,
	MAC = 2048,   /* inside */
	WHOLE = 8192, /* a transport checksum is carried */
};

enum lasts { ONCE, EITHER, STAYS };

typedef void befall_fn(struct wild_rng *rng, struct wild_desc *d);

static struct wild_ip *inner(struct wild_desc *d)
{
	return &d->ip[wild_levels(&d->kind) - 1];
}

static uint32_t round_payload(const struct wild_desc *d, uint32_t payload)
{
	if (!wild_is_sctp(&d->kind))
		return payload;
	return payload < 20 ? 20 : payload / 4 * 4;
}

static void lose_bytes(struct wild_rng *rng, struct wild_desc *d)
{
	d->seq += wild_once_in(rng, 2) ? 1 : wild_below(rng, 5000);
}

static void shrink(struct wild_rng *rng, struct wild_desc *d)
{
	d->payload = round_payload(d, wild_between(rng, 1, d->payload));
}

static void grow(struct wild_rng *rng, struct wild_desc *d)
{
	d->payload = round_payload(d, d->payload + wild_between(rng, 1, 9));
}

static void resize(struct wild_rng *rng, struct wild_desc *d)
{
	if (wild_once_in(rng, 2))
		shrink(rng, d);
	else
		grow(rng, d);
}

#define FLAG(name, bit)                                             \
	static void name(struct wild_rng *rng, struct wild_desc *d) \
	{                                                           \
		(void)rng;                                          \
		d->flags ^= (bit);                                  \
	}

FLAG(push, WILD_FLAG_PSH)
FLAG(finish, WILD_FLAG_FIN)
FLAG(reset, WILD_FLAG_RST)
FLAG(toggle_cwr, WILD_FLAG_CWR)
FLAG(toggle_ece, WILD_FLAG_ECE)
FLAG(toggle_ack, WILD_FLAG_ACK)

static void synchronize(struct wild_rng *rng, struct wild_desc *d)
{
	d->flags ^= WILD_FLAG_SYN;
	if (wild_once_in(rng, 2))
		d->payload = 0;
}

static void urge(struct wild_rng *rng, struct wild_desc *d)
{
	d->flags ^= WILD_FLAG_URG;
	d->urg_ptr = (uint16_t)wild_next(rng);
}

static void point_urgently(struct wild_rng *rng, struct wild_desc *d)
{
	d->urg_ptr = (uint16_t)(d->urg_ptr + wild_between(rng, 1, 9));
}

static void toggle_reserved(struct wild_rng *rng, struct wild_desc *d)
{
	d->flags ^= (uint16_t)(0x100 << wild_below(rng, 4));
}

static void change_window(struct wild_rng *rng, struct wild_desc *d)
{
	d->window = (uint16_t)(d->window + wild_between(rng, 1, 999));
}

static void change_ack(struct wild_rng *rng, struct wild_desc *d)
{
	d->ack += wild_between(rng, 1, 5000);
}

static void change_option(struct wild_rng *rng, struct wild_desc *d)
{
	if (d->opts_len > 0)
		d->opts[wild_below(rng, d->opts_len)] ^= (uint8_t)wild_between(rng, 1, 255);
}

static void misplace_data(struct wild_rng *rng, struct wild_desc *d)
{
	d->doff = (uint8_t)(wild_once_in(rng, 2) ? wild_between(rng, 1, 4) :
						   wild_between(rng, 5, 15));
}

#define SET(name, where, value)                                     \
	static void name(struct wild_rng *rng, struct wild_desc *d) \
	{                                                           \
		(void)rng;                                          \
		(where) = (value);                                  \
	}

SET(spoil_sum, d->sum, WILD_SUM_WRONG)
SET(write_ffff, d->sum, WILD_SUM_FFFF)
SET(write_0, d->sum, WILD_SUM_0)
SET(leave_sum, d->sum, WILD_SUM_NONE)
SET(spoil_ip_sum, inner(d)->sum, WILD_SUM_WRONG)
SET(write_ip_ffff, inner(d)->sum, WILD_SUM_FFFF)
SET(spoil_outer_ip_sum, d->ip[0].sum, WILD_SUM_WRONG)
SET(spoil_outer_sum, d->outer_sum, WILD_SUM_WRONG)
SET(write_outer_ffff, d->outer_sum, WILD_SUM_FFFF)
SET(nest, d->nested, true)
SET(empty, d->payload, 0)

static int16_t small_lie(struct wild_rng *rng)
{
	int16_t by = (int16_t)wild_between(rng, 1, 12);

	return wild_once_in(rng, 2) ? by : (int16_t)-by;
}

static void lie_udp(struct wild_rng *rng, struct wild_desc *d)
{
	d->wrong_len = small_lie(rng);
}

static void lie_outer_udp(struct wild_rng *rng, struct wild_desc *d)
{
	d->outer_wrong_len = small_lie(rng);
}

static void change_port(struct wild_rng *rng, struct wild_desc *d)
{
	if (wild_once_in(rng, 2))
		d->sport ^= 1;
	else
		d->dport ^= 1;
}

static void change_tos(struct wild_rng *rng, struct wild_ip *ip)
{
	ip->tos ^= (uint8_t)(4 << wild_below(rng, 6));
}

static void change_ecn(struct wild_rng *rng, struct wild_ip *ip)
{
	ip->tos ^= (uint8_t)wild_between(rng, 1, 3);
}

static void change_ttl(struct wild_rng *rng, struct wild_ip *ip)
{
	ip->ttl = (uint8_t)(ip->ttl == 255 ? 254 : ip->ttl + wild_between(rng, 1, 255 - ip->ttl));
}

static void change_df(struct wild_rng *rng, struct wild_ip *ip)
{
	(void)rng;
	ip->frag ^= WILD_DONT_FRAGMENT;
}

static void jump_id(struct wild_rng *rng, struct wild_ip *ip)
{
	ip->id = (uint16_t)(ip->id +
			    (wild_once_in(rng, 2) ? wild_between(rng, 1, 5) : wild_next(rng)));
}

static void add_options(struct wild_rng *rng, struct wild_ip *ip)
{
	ip->options = (uint8_t)(4 * wild_between(rng, 1, 10));
}

static void change_exts(struct wild_rng *rng, struct wild_ip *ip)
{
	if (ip->exts > 0 && wild_once_in(rng, 3))
		ip->exts = 0;
	else if (ip->exts > 0 && wild_once_in(rng, 3))
		ip->salt++;
	else
		wild_set_exts(rng, ip);
}

static void change_label(struct wild_rng *rng, struct wild_ip *ip)
{
	ip->flow_label ^= 1u << wild_below(rng, 20);
}

/* First, middle, or last; over IPv6 also one that is all there is. */
static void fragment(struct wild_rng *rng, struct wild_ip *ip)
{
	static const uint8_t more[] = {1, 1, 0};
	uint32_t which = wild_below(rng, 3);
	uint16_t offset = which > 0 ? (uint16_t)wild_between(rng, 1, 1000) : 0;

	if (ip->version == 4) {
		ip->frag = offset | (more[which] ? WILD_MORE_FRAGMENTS : 0);
		return;
	}
	ip->frag = (uint16_t)(offset << 3 | (more[which] && !wild_once_in(rng, 4)));
	if (ip->exts == WILD_EXTS)
		ip->exts--;
	ip->ext_type[ip->exts] = 44;
	ip->ext_len[ip->exts++] = 8;
}

#define IN(name)                                                         \
	static void in_##name(struct wild_rng *rng, struct wild_desc *d) \
	{                                                                \
		name(rng, inner(d));                                     \
	}
#define OUT(name)                                                         \
	static void out_##name(struct wild_rng *rng, struct wild_desc *d) \
	{                                                                 \
		name(rng, &d->ip[0]);                                     \
	}
#define IN_OUT(name) IN(name) OUT(name)

IN_OUT(change_tos)
IN_OUT(change_ecn)
IN_OUT(change_ttl)
IN_OUT(change_df)
IN_OUT(jump_id)
IN_OUT(add_options)
IN_OUT(change_exts)
IN_OUT(change_label)
IN_OUT(fragment)

static void set_evil(struct wild_rng *rng, struct wild_desc *d)
{
	(void)rng;
	inner(d)->frag |= WILD_EVIL_BIT;
}

static void lie_ip(struct wild_rng *rng, struct wild_desc *d)
{
	if (wild_once_in(rng, 8))
		inner(d)->big = true;
	else
		inner(d)->wrong_len = small_lie(rng);
}

static void pad(struct wild_rng *rng, struct wild_desc *d)
{
	(void)rng;
	d->padded = 60;
}

static void trail(struct wild_rng *rng, struct wild_desc *d)
{
	d->trailing = (uint16_t)wild_between(rng, 1, 64);
}

static void change_mac(struct wild_rng *rng, struct wild_desc *d)
{
	d->src_mac[wild_between(rng, 1, 5)] ^= (uint8_t)wild_between(rng, 1, 255);
}

static void change_tag(struct wild_rng *rng, struct wild_desc *d)
{
	if (d->kind.vlans == 0 || wild_once_in(rng, 3))
		d->kind.vlans = (uint8_t)(d->kind.vlans == 0 ? 1 : d->kind.vlans - 1);
	else
		d->tag[wild_below(rng, d->kind.vlans)] ^= (uint16_t)(1u << wild_below(rng, 16));
}

static void change_protocol(struct wild_rng *rng, struct wild_desc *d)
{
	static const uint8_t protocols[] = {WILD_ICMP, 2, 50, 51, 59, 89, 115, 136, 255};

	inner(d)->protocol = protocols[wild_below(rng, sizeof(protocols))];
}

static void toggle_outer_sum(struct wild_rng *rng, struct wild_desc *d)
{
	(void)rng;
	d->outer_sum = d->outer_sum == WILD_SUM_NONE ? WILD_SUM_RIGHT : WILD_SUM_NONE;
}

static void change_outer_sport(struct wild_rng *rng, struct wild_desc *d)
{
	d->outer_sport ^= (uint16_t)(1u << wild_below(rng, 14));
}

/* Another key, VNI or option; of the same length and still of the same meaning. */
static void change_tunnel(struct wild_rng *rng, struct wild_desc *d)
{
	switch (d->kind.encap) {
	case WILD_GRE:
		if (d->kind.key)
			d->tunnel[d->tunnel_len - 1] ^= (uint8_t)wild_between(rng, 1, 255);
		break;
	case WILD_VXLAN:
	case WILD_GENEVE: d->tunnel[6] ^= (uint8_t)wild_between(rng, 1, 255); break;
	case WILD_GUE: d->outer_sport ^= 4; break;
	default: break;
	}
	if (d->kind.encap == WILD_GENEVE && d->tunnel_len > 12 && wild_once_in(rng, 2))
		d->tunnel[d->tunnel_len - 1] ^= 1;
}

/* What nobody follows: versions, sequence numbers, routing, control messages, missing flags. */
static void spoil_tunnel(struct wild_rng *rng, struct wild_desc *d)
{
	static const uint8_t gre[] = {0x10, 0x40, 0x08}, gue[] = {0x20, 0xc0, 0x1f};

	switch (d->kind.encap) {
	case WILD_GRE:
		if (wild_once_in(rng, 3))
			d->tunnel[1] ^= 1;
		else
			d->tunnel[0] ^= gre[wild_below(rng, 2)];
		break;
	case WILD_VXLAN: d->tunnel[0] ^= 8; break;
	case WILD_GENEVE:
		if (wild_once_in(rng, 2))
			d->tunnel[1] ^= 0x80; /* control message */
		else
			d->tunnel[0] ^= wild_once_in(rng, 2) ? 0x40 : 0x3f;
		break;
	case WILD_GUE: d->tunnel[0] ^= gue[wild_below(rng, sizeof(gue))]; break;
	default: break;
	}
}

static void change_inner_mac(struct wild_rng *rng, struct wild_desc *d)
{
	d->inner_src_mac[wild_below(rng, 6)] ^= (uint8_t)wild_between(rng, 1, 255);
}

static void change_inner_tag(struct wild_rng *rng, struct wild_desc *d)
{
	if (d->inner_tags == 0 || wild_once_in(rng, 2))
		d->inner_tags = !d->inner_tags;
	else
		d->inner_tag ^= (uint16_t)(1u << wild_below(rng, 16));
}

static void change_chunk(struct wild_rng *rng, struct wild_desc *d)
{
	static const uint8_t types[] = {1, 3, 4, 14, 64, 192};

	d->chunk = types[wild_below(rng, sizeof(types))];
}

static const struct row {
	const char *name;
	unsigned needs;
	enum lasts lasts;
	befall_fn *fn; /* NULL: the train's own */
} rows[WILD_TROUBLES] = {
	[WILD_SEQ_GAP] = {"sequence gap", T | S, STAYS, lose_bytes},
	[WILD_DUPLICATE] = {"duplicate", ALL, ONCE, NULL},
	[WILD_SWAPPED] = {"swapped", ALL, ONCE, NULL},
	[WILD_SMALLER] = {"one shorter", ALL, ONCE, shrink},
	[WILD_LARGER] = {"one longer", ALL, ONCE, grow},
	[WILD_SIZE] = {"size", ALL, STAYS, resize},
	[WILD_EMPTY] = {"empty", ALL, ONCE, empty},
	[WILD_PSH] = {"psh", T, ONCE, push},
	[WILD_FIN] = {"fin", T, ONCE, finish},
	[WILD_SYN] = {"syn", T, ONCE, synchronize},
	[WILD_RST] = {"rst", T, ONCE, reset},
	[WILD_URG] = {"urg", T, EITHER, urge},
	[WILD_URG_PTR] = {"urgent pointer", T, EITHER, point_urgently},
	[WILD_CWR] = {"cwr", T, EITHER, toggle_cwr},
	[WILD_ECE] = {"ece", T, EITHER, toggle_ece},
	[WILD_NO_ACK] = {"no ack", T, ONCE, toggle_ack},
	[WILD_RESERVED] = {"reserved bits", T, EITHER, toggle_reserved},
	[WILD_WINDOW] = {"window", T, EITHER, change_window},
	[WILD_ACK] = {"ack", T | S, EITHER, change_ack},
	[WILD_TCP_OPTIONS] = {"tcp options", T, EITHER, change_option},
	[WILD_TCP_OPTLEN] = {"tcp options length", T, EITHER, wild_set_opts},
	[WILD_DOFF] = {"data offset", T, ONCE, misplace_data},
	[WILD_L4_CSUM] = {"wrong checksum", ALL | WHOLE, ONCE, spoil_sum},
	[WILD_L4_FFFF] = {"checksum ffff", TU | WHOLE, ONCE, write_ffff},
	[WILD_L4_0] = {"checksum 0", T | WHOLE, ONCE, write_0},
	[WILD_L4_ZERO] = {"no checksum", U | WHOLE, EITHER, leave_sum},
	[WILD_UDP_LEN] = {"udp length", U, ONCE, lie_udp},
	[WILD_PORTS] = {"ports", ALL, EITHER, change_port},
	[WILD_TOS] = {"tos", ALL, EITHER, in_change_tos},
	[WILD_ECN] = {"ecn", ALL, EITHER, in_change_ecn},
	[WILD_TTL] = {"ttl", ALL, EITHER, in_change_ttl},
	[WILD_DF] = {"df", ALL | V4, EITHER, in_change_df},
	[WILD_ID_JUMP] = {"id", ALL | V4, STAYS, in_jump_id},
	[WILD_ID_MODE] = {"id mode", ALL | V4, ONCE, NULL},
	[WILD_IP_CSUM] = {"wrong ip checksum", ALL | V4, ONCE, spoil_ip_sum},
	[WILD_IP_FFFF] = {"ip checksum ffff", ALL | V4, ONCE, write_ip_ffff},
	[WILD_IP_LEN] = {"ip length", ALL, ONCE, lie_ip},
	[WILD_IP_OPTIONS] = {"ip options", ALL | V4, EITHER, in_add_options},
	[WILD_EXTENSIONS] = {"extension headers", ALL | V6, EITHER, in_change_exts},
	[WILD_FRAGMENT] = {"fragment", ALL, ONCE, in_fragment},
	[WILD_EVIL] = {"reserved ip flag", ALL | V4, ONCE, set_evil},
	[WILD_FLOW_LABEL] = {"flow label", ALL | V6, EITHER, in_change_label},
	[WILD_PADDED] = {"padding", ALL, ONCE, pad},
	[WILD_TRAILING] = {"trailing bytes", ALL, ONCE, trail},
	[WILD_CUT] = {"cut", ALL, ONCE, NULL},
	[WILD_MAC] = {"mac", ALL, EITHER, change_mac},
	[WILD_TAG] = {"vlan", ALL, EITHER, change_tag},
	[WILD_PROTOCOL] = {"protocol", ALL, ONCE, change_protocol},
	[WILD_OUTER_TOS] = {"outer tos", ALL | ENC, EITHER, out_change_tos},
	[WILD_OUTER_ECN] = {"outer ecn", ALL | ENC, EITHER, out_change_ecn},
	[WILD_OUTER_TTL] = {"outer ttl", ALL | ENC, EITHER, out_change_ttl},
	[WILD_OUTER_DF] = {"outer df", ALL | OUT4, EITHER, out_change_df},
	[WILD_OUTER_ID_JUMP] = {"outer id", ALL | OUT4, STAYS, out_jump_id},
	[WILD_OUTER_ID_MODE] = {"outer id mode", ALL | OUT4, ONCE, NULL},
	[WILD_OUTER_IP_CSUM] = {"wrong outer ip checksum", ALL | OUT4, ONCE, spoil_outer_ip_sum},
	[WILD_OUTER_IP_OPTIONS] = {"outer ip options", ALL | OUT4, EITHER, out_add_options},
	[WILD_OUTER_EXTENSIONS] = {"outer extension headers", ALL | OUT6, EITHER, out_change_exts},
	[WILD_OUTER_FRAGMENT] = {"outer fragment", ALL | ENC, ONCE, out_fragment},
	[WILD_OUTER_FLOW_LABEL] = {"outer flow label", ALL | OUT6, EITHER, out_change_label},
	[WILD_OUTER_L4_CSUM] = {"wrong outer checksum", ALL | OUTSUM, ONCE, spoil_outer_sum},
	[WILD_OUTER_L4_FFFF] = {"outer checksum ffff", ALL | OUTSUM, EITHER, write_outer_ffff},
	[WILD_OUTER_L4_MODE] = {"outer checksum mode", ALL | OUTUDP, EITHER, toggle_outer_sum},
	[WILD_OUTER_SPORT] = {"outer source port", ALL | OUTUDP, EITHER, change_outer_sport},
	[WILD_OUTER_UDP_LEN] = {"outer udp length", ALL | OUTUDP, ONCE, lie_outer_udp},
	[WILD_TUNNEL_HEADER] = {"tunnel header", ALL | HEADER, EITHER, change_tunnel},
	[WILD_TUNNEL_BAD] = {"bad tunnel header", ALL | HEADER, ONCE, spoil_tunnel},
	[WILD_INNER_MAC] = {"inner mac", ALL | MAC, EITHER, change_inner_mac},
	[WILD_INNER_TAG] = {"inner vlan", ALL | MAC, EITHER, change_inner_tag},
	[WILD_NESTED] = {"nested", ALL, ONCE, nest},
	[WILD_CHUNK] = {"chunk", S, EITHER, change_chunk},
};

static unsigned what_has(const struct wild_kind *k)
{
	unsigned has = wild_is_tcp(k) ? T : wild_is_sctp(k) ? S : U;

	has |= wild_version(k) == 4 ? V4 : V6;
	has |= k->eth ? MAC : 0;
	has |= k->remcsum ? 0 : WHOLE;
	if (k->encap == WILD_NONE)
		return has;
	has |= k->outer == 4 ? OUT4 : OUT6;
	has |= wild_over_udp(k) ? OUTUDP : 0;
	has |= k->csum ? OUTSUM : 0;
	return has | (k->encap == WILD_IP || k->encap == WILD_FOU ? 0 : HEADER);
}

bool wild_trouble_fits(enum wild_trouble trouble, const struct wild_kind *kind)
{
	unsigned has = what_has(kind), needs = rows[trouble].needs;

	return (needs & has & ALL) != 0 && (needs & ~has & ~(unsigned)ALL) == 0;
}

const char *wild_trouble_name(enum wild_trouble trouble)
{
	return rows[trouble].name;
}

void wild_befall(struct wild_rng *rng, enum wild_trouble trouble, struct wild_flow_state *flow,
		 struct wild_desc *frame)
{
	const struct row *row = &rows[trouble];
	struct wild_rng same;

	if (trouble == WILD_ID_MODE || trouble == WILD_OUTER_ID_MODE) {
		unsigned l = trouble == WILD_ID_MODE ? wild_levels(&frame->kind) - 1 : 0;

		flow->id_step[l] = !flow->id_step[l];
	}
	if (row->fn == NULL)
		return;
	same = *rng;
	row->fn(rng, frame);
	if (trouble == WILD_NESTED)
		frame->ip[wild_levels(&frame->kind) - 1].protocol = 4;
	if (row->lasts == STAYS || (row->lasts == EITHER && wild_once_in(rng, 2)))
		row->fn(&same, &flow->next);
}
