/* SPDX-License-Identifier: MIT */
#include "gen_check.h"

#include "../knob.h"

#include <errno.h>
#include <leat/csum.h>
#include <leat/gro.h>
#include <leat/gso.h>
#include <leat/parse.h>
#include <string.h>

enum {
	IP4_CHECK_ALL = 0xffff, /* the sum of what has a right checksum in it */
	UDP = 17,
	TCP = 6,
	UDP_CHECK = 6,
	GRE_C = 0x80,
};

/* NAME+NAME+...: the bits of features. */
static int parse_bits(const struct port_args *args, const char *option, uint32_t *bits, char *err,
		      size_t err_len)
{
	const char *name = port_option(args, option, "");

	for (*bits = 0; *name;) {
		size_t len = strcspn(name, "+");
		uint32_t bit = knob_gso_bits(name, len);

		if (!bit)
			return port_fail(err, err_len, EINVAL,
					 "%s: %s: '%.*s' is no segmentation, as "
					 "tx-tcp-segmentation",
					 args->name, option, (int)len, name);
		*bits |= bit;
		name += len + (name[len] != 0);
	}
	return 0;
}

int gen_declare(struct port *port, const struct port_args *args, char *err, size_t err_len)
{
	unsigned long max;
	int e = parse_bits(args, "features", &port->gso, err, err_len);

	if (!e)
		e = parse_bits(args, "partial", &port->partial, err, err_len);
	if (!e)
		e = port_number(args, "tso_max_size", 65536, 1, LEAT_GRO_SIZE_MAX, &max, err,
				err_len);
	if (e)
		return e;
	if (port->partial & ~port->gso)
		return port_fail(err, err_len, EINVAL, "%s: partial: not all among the features",
				 args->name);
	port->tso_max_size = (uint32_t)max;
	if (port->gso)
		port->features |= PORT_TX_CSUM | (port->gso & LEAT_GSO_SCTP ? PORT_TX_CRC : 0);
	return 0;
}

static bool sums_up(uint32_t sum)
{
	return leat_csum_fold(sum) == IP4_CHECK_ALL;
}

/* IPv4's header checksum, and that of a UDP or GRE header which carries the next level. */
static bool is_level_right(const struct leat_pkt *pkt, unsigned i)
{
	const struct leat_level *l = &pkt->lvl[i];
	const uint8_t *ip = pkt->data + l->network, *next = pkt->data + l->transport;
	uint32_t len = pkt->len - l->transport;

	if (l->version == 4 && !sums_up(leat_csum_partial(ip, (ip[0] & 0xfu) * 4, 0)))
		return false;
	if (i + 1 == pkt->levels || pkt->gso_type)
		return true;
	if (l->protocol == UDP && (next[UDP_CHECK] | next[UDP_CHECK + 1]))
		return sums_up(leat_csum_partial(next, len, leat_csum_pseudo(pkt->data, l, len)));
	if (l->tunnel == LEAT_TUNNEL_GRE && (next[0] & GRE_C))
		return sums_up(leat_csum_partial(next, len, 0));
	return true;
}

/* A super-packet: of a declared kind and size, its checksum left where it belongs, and such that
 * segments could be made of it. */
static bool is_super_right(const struct port *port, const struct leat_pkt *pkt)
{
	const struct leat_gso_conf conf = {
		.features = port->gso,
		.partial = port->partial,
		.max_size = port->tso_max_size,
	};
	static const struct leat_gso_conf wire;
	uint32_t payload = pkt->len - pkt->payload;
	struct leat_gso gso;

	if (leat_gso_needed(pkt, &conf) || pkt->gso_size == 0)
		return false;
	if (pkt->gso_size == LEAT_GSO_BY_FRAGS || (pkt->gso_type & LEAT_GSO_FRAGLIST))
		return true;
	if (pkt->csum != LEAT_CSUM_PARTIAL || pkt->csum_start != leat_pkt_inner(pkt)->transport)
		return false;
	if (pkt->gso_type & LEAT_GSO_PARTIAL) /* its lengths are those of a segment */
		return payload > pkt->gso_size && payload % pkt->gso_size == 0;
	return leat_gso_init(&gso, pkt, &wire) > 1;
}

/* The transport checksum of an ordinary frame, completed as the port would if it was left to it. */
static bool is_frame_right(struct leat_pkt *pkt)
{
	const struct leat_level *l = leat_pkt_inner(pkt);

	if (pkt->csum == LEAT_CSUM_PARTIAL)
		return leat_csum_complete(pkt) == 0;
	pkt->csum = LEAT_CSUM_NONE;
	return (l->flags & (LEAT_IP_FRAGMENT | LEAT_REMCSUM)) || pkt->lvl[0].flags & LEAT_REMCSUM ||
	       (l->protocol != TCP && l->protocol != UDP) || leat_csum_verify(pkt);
}

static void flatten(const struct port_frame *f, uint8_t *room, struct leat_pkt *pkt)
{
	uint32_t len = 0;

	for (unsigned i = 0; i < f->niov; i++) {
		memcpy(room + len, f->iov[i].iov_base, f->iov[i].iov_len);
		len += (uint32_t)f->iov[i].iov_len;
	}
	leat_pkt_init(pkt, room, len);
	leat_parse(NULL, &pkt, 1);
	pkt->gso_type = f->meta.gso_type;
	pkt->gso_size = f->meta.gso_size;
	pkt->csum = f->meta.csum;
	pkt->csum_start = f->meta.csum_start;
	pkt->csum_offset = f->meta.csum_offset;
}

bool gen_check(const struct port *port, const struct port_frame *f, uint8_t *room)
{
	struct leat_pkt pkt = {0};

	if (f->len > LEAT_PKT_LEN_MAX)
		return false;
	flatten(f, room, &pkt);
	if (pkt.depth < LEAT_DEPTH_TRANSPORT)
		return pkt.gso_type == 0;
	if (pkt.gso_type ? !is_super_right(port, &pkt) : !is_frame_right(&pkt))
		return false;
	for (unsigned i = 0; i < pkt.levels; i++) {
		if (!is_level_right(&pkt, i))
			return false;
	}
	return true;
}
