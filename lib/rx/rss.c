/* SPDX-License-Identifier: MIT */
/*
 * rss.c - which header fields are hashed, and the indirection table.
 *
 * The input is at most two pairs that lie in the frame as they are hashed, source and
 * destination address, source and destination port, and the flow label of IPv6. A flow type's
 * fields choose halves of the pairs; what is not chosen leaves no gap. A symmetric transform makes
 * of a pair one that is the same for both directions, so it wants whole pairs, and no label, which
 * each direction has of its own.
 *
 * A tunnel's packets are hashed as network cards hash them, by the outer header, UDP's ports
 * included: senders put a hash of the inner flow into the source port for this (RFC 7348, 5). For
 * those that do not (GRE, IP in IP: one flow to all cards) there is `inner`.
 */
#include <errno.h>
#include <string.h>

#include <leat/parse.h>
#include <leat/rss.h>

#include "outer.h"

enum {
	ADDRESSES = LEAT_RXH_IP_SRC | LEAT_RXH_IP_DST,
	PORTS = LEAT_RXH_L4_B_0_1 | LEAT_RXH_L4_B_2_3,
};

static bool is_ip_only(unsigned flow)
{
	return flow == LEAT_RSS_IP4 || flow == LEAT_RSS_IP6;
}

static bool is_ip6(unsigned flow)
{
	return flow >= LEAT_RSS_TCP6;
}

static uint32_t allowed_fields(unsigned flow)
{
	return ADDRESSES | (is_ip_only(flow) ? 0u : PORTS) | (is_ip6(flow) ? LEAT_RXH_IP6_FL : 0u);
}

/* How many of a pair's halves are chosen; `first` is the first half's bit, the second's is the
 * next. */
static unsigned count_halves(uint32_t fields, uint32_t first)
{
	return ((fields / first & 3) + 1) / 2;
}

/* Bytes that are hashed of a packet of this type. */
static size_t input_len(unsigned flow, uint32_t fields)
{
	size_t address = is_ip6(flow) ? 16 : 4;

	return address * count_halves(fields, LEAT_RXH_IP_SRC) +
	       sizeof(uint16_t) * count_halves(fields, LEAT_RXH_L4_B_0_1) +
	       (fields & LEAT_RXH_IP6_FL ? sizeof(uint32_t) : 0);
}

static bool is_default(const uint32_t *fields)
{
	uint32_t any = 0;

	for (unsigned flow = 0; flow < LEAT_RSS_FLOWS; flow++)
		any |= fields[flow];
	return any == 0;
}

/* None of the pair's halves, or both. */
static bool is_symmetric(uint32_t fields, uint32_t pair)
{
	return (fields & pair) == 0 || (fields & pair) == pair;
}

static bool check_fields(const struct leat_rss_conf *conf)
{
	for (unsigned flow = 0; flow < LEAT_RSS_FLOWS; flow++) {
		uint32_t fields = conf->fields[flow];

		if ((fields & ~allowed_fields(flow)) ||
		    input_len(flow, fields) + sizeof(uint32_t) > conf->key_len)
			return false;
		if (conf->xfrm != LEAT_RSS_XFRM_NONE &&
		    ((fields & LEAT_RXH_IP6_FL) ||
		     !(is_symmetric(fields, ADDRESSES) && is_symmetric(fields, PORTS))))
			return false;
	}
	return true;
}

static bool check_indir(const struct leat_rss_conf *conf, unsigned size)
{
	if (conf->n_queues < 1 || conf->n_queues > UINT16_MAX)
		return false;
	if (size > LEAT_RSS_INDIR_MAX || (size & (size - 1)) != 0)
		return false;
	for (unsigned i = 0; conf->indir != NULL && i < size; i++) {
		if (conf->indir[i] >= conf->n_queues)
			return false;
	}
	return true;
}

static void fill_fields(uint32_t *to, const uint32_t *from)
{
	bool by_default = is_default(from);

	for (unsigned flow = 0; flow < LEAT_RSS_FLOWS; flow++) {
		to[flow] = from[flow];
		if (by_default)
			to[flow] = is_ip_only(flow) ? ADDRESSES : ADDRESSES | PORTS;
	}
}

int leat_rss_init(struct leat_rss *rss, const struct leat_rss_conf *conf)
{
	unsigned size = conf->indir_size != 0 ? conf->indir_size : LEAT_RSS_INDIR_DEFAULT;

	if (conf->key_len < LEAT_RSS_KEY_MIN || conf->key_len > LEAT_RSS_KEY_MAX)
		return -EINVAL;
	if ((unsigned)conf->xfrm > LEAT_RSS_SYM_OR_XOR || !check_fields(conf) ||
	    !check_indir(conf, size))
		return -EINVAL;

	leat_toeplitz_init(&rss->toeplitz, conf->key, conf->key_len);
	fill_fields(rss->fields, conf->fields);
	rss->xfrm = (uint8_t)conf->xfrm;
	rss->inner = conf->inner;
	rss->n_queues = (uint16_t)conf->n_queues;
	rss->indir_size = (uint16_t)size;
	if (conf->indir != NULL)
		memmove(rss->indir, conf->indir, size * sizeof(*rss->indir));
	else
		leat_rss_indir_equal(rss->indir, size, 0, conf->n_queues);
	/* The key, as the table, may be the one in `rss`: a change of something else. */
	rss->key_len = (uint16_t)conf->key_len;
	memmove(rss->key, conf->key, conf->key_len);
	return 0;
}

void leat_rss_conf_of(const struct leat_rss *rss, struct leat_rss_conf *conf)
{
	*conf = (struct leat_rss_conf){
		.key = rss->key,
		.key_len = rss->key_len,
		.indir = rss->indir,
		.indir_size = rss->indir_size,
		.n_queues = rss->n_queues,
		.xfrm = (enum leat_rss_xfrm)rss->xfrm,
		.inner = rss->inner,
	};
	memcpy(conf->fields, rss->fields, sizeof(conf->fields));
}

static enum leat_rss_flow find_flow(const struct leat_pkt *pkt, const struct leat_level *l)
{
	bool v4 = l->version == 4;

	if (!has_ports(pkt, l))
		return v4 ? LEAT_RSS_IP4 : LEAT_RSS_IP6;
	switch (l->protocol) {
	case PROTO_TCP: return v4 ? LEAT_RSS_TCP4 : LEAT_RSS_TCP6;
	case PROTO_UDP: return v4 ? LEAT_RSS_UDP4 : LEAT_RSS_UDP6;
	case PROTO_SCTP: return v4 ? LEAT_RSS_SCTP4 : LEAT_RSS_SCTP6;
	default: return v4 ? LEAT_RSS_IP4 : LEAT_RSS_IP6;
	}
}

/* (s, d) becomes (s ^ d, s ^ d), or (s | d, s ^ d): the bits set in both make the difference. */
static inline void mix(uint8_t *to, const uint8_t *pair, size_t len, unsigned xfrm)
{
	uint8_t both = xfrm == LEAT_RSS_SYM_OR_XOR ? 0xff : 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t s = pair[i], d = pair[len + i];

		to[i] = (s ^ d) | (s & d & both);
		to[len + i] = s ^ d;
	}
}

/* Append the halves of a pair that `fields` chooses, transformed. */
static inline uint8_t *gather(uint8_t *to, const uint8_t *pair, size_t len, uint32_t fields,
			      uint32_t first, unsigned xfrm)
{
	switch (fields / first & 3) {
	case 0: return to;
	case 1: memcpy(to, pair, len); return to + len;
	case 2: memcpy(to, pair + len, len); return to + len;
	}
	if (xfrm == LEAT_RSS_XFRM_NONE)
		memcpy(to, pair, 2 * len);
	else
		mix(to, pair, len, xfrm);
	return to + 2 * len;
}

size_t leat_rss_input(const struct leat_rss *rss, const struct leat_pkt *pkt,
		      uint8_t input[LEAT_RSS_INPUT_MAX], enum leat_hash_type *type)
{
	uint8_t *end = input;
	const struct leat_level *l;
	uint32_t fields;
	const uint8_t *ip;

	*type = LEAT_HASH_NONE;
	if (pkt->levels == 0)
		return 0;
	l = rss->inner ? leat_pkt_inner(pkt) : &pkt->lvl[0];
	fields = rss->fields[find_flow(pkt, l)];
	if (fields == 0)
		return 0;
	ip = pkt->data + l->network;
	if (l->version == 4)
		end = gather(end, ip + IP4_SRC, 4, fields, LEAT_RXH_IP_SRC, rss->xfrm);
	else
		end = gather(end, ip + IP6_SRC, 16, fields, LEAT_RXH_IP_SRC, rss->xfrm);
	end = gather(end, pkt->data + l->transport, 2, fields, LEAT_RXH_L4_B_0_1, rss->xfrm);
	if (fields & LEAT_RXH_IP6_FL) {
		store_be32(end, load_be32(ip + IP6_VTF) & IP6_FLOW_MASK);
		end += sizeof(uint32_t);
	}
	*type = fields & PORTS ? LEAT_HASH_L4 : LEAT_HASH_L3;
	return (size_t)(end - input);
}

uint32_t leat_rss_hash(const struct leat_rss *rss, const struct leat_pkt *pkt,
		       enum leat_hash_type *type)
{
	uint8_t input[LEAT_RSS_INPUT_MAX];

	return leat_toeplitz_hash(&rss->toeplitz, input, leat_rss_input(rss, pkt, input, type));
}

void leat_rss_receive(const struct leat_rss *rss, struct leat_pkt *const *pkts, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		enum leat_hash_type type;

		if (pkts[i]->hash_type != LEAT_HASH_NONE)
			continue;
		pkts[i]->hash = leat_rss_hash(rss, pkts[i], &type);
		pkts[i]->hash_type = (uint8_t)type;
	}
}
