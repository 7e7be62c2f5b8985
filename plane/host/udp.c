/* SPDX-License-Identifier: MIT */
#include "udp.h"

#include "header.h"
#include "wire.h"

#include <errno.h>
#include <leat/csum.h>
#include <leat/parse.h>
#include <string.h>

enum { IP_MAX = 65535 }; /* bytes of an IPv4 packet, and behind an IPv6 header */

/* Bytes of payload: up to the end of the datagram, or of the super-packet. */
static uint32_t payload_len(const struct leat_pkt *pkt)
{
	if (pkt->gso_type & LEAT_GSO_UDP_L4)
		return pkt->len - pkt->payload;
	return load16(pkt->data + pkt->lvl[0].transport + UDP_ULEN) - UDP_LEN + 0u;
}

void udp_take(struct leat_pkt *pkt, struct datagram *d)
{
	const struct leat_level *l = &pkt->lvl[0];
	const uint8_t *ip = pkt->data + l->network, *udp = pkt->data + l->transport;
	uint32_t len = payload_len(pkt);

	memset(d, 0, sizeof(*d));
	d->pkt = pkt;
	d->peer = addr_make(l->version, ip + (l->version == 4 ? IP4_SRC : IP6_SRC),
			    load16(udp + UDP_SPORT));
	d->local = addr_make(l->version, ip + (l->version == 4 ? IP4_DST : IP6_DST),
			     load16(udp + UDP_DPORT));
	d->path = addr_path(pkt->port, pkt->data + ETH_SRC);
	d->hash = pkt->hash_type == LEAT_HASH_NONE ? 0 : pkt->hash;
	d->gso_size = pkt->gso_type & LEAT_GSO_UDP_L4 ? pkt->gso_size : 0;
	pkt->data += pkt->payload;
	pkt->headlen = pkt->slices ? pkt->headlen - pkt->payload : len;
	pkt->len = len;
}

int udp_check(const struct datagram *d, unsigned version, uint32_t mtu)
{
	const struct leat_pkt *pkt = d->pkt;
	uint32_t ip = version == 4 ? IP4_LEN : IP6_LEN, hdr = ip + UDP_LEN;
	uint32_t one = d->gso_size && d->gso_size < pkt->len ? d->gso_size : pkt->len;

	if ((mtu && hdr + one > mtu) || pkt->len > IP_MAX - UDP_LEN - (version == 4 ? IP4_LEN : 0u))
		return -EMSGSIZE;
	if (pkt->data - pkt->head < ENDPOINT_HEADROOM ||
	    (uint64_t)one * ENDPOINT_GSO_SEGS_MAX < pkt->len)
		return -EINVAL;
	return 0;
}

/* What a parser would find. */
static void describe(struct leat_pkt *pkt, unsigned version, uint16_t transport)
{
	pkt->lvl[0] = (struct leat_level){.network = ETH_LEN,
					  .transport = transport,
					  .version = (uint8_t)version,
					  .protocol = PROTO_UDP};
	pkt->levels = 1;
	pkt->payload = transport + UDP_LEN;
	pkt->inner_mac = 0;
	pkt->depth = LEAT_DEPTH_TRANSPORT;
	pkt->reason = LEAT_PARSE_OK;
	pkt->vlans = 0;
}

/* A count of 0 is that of nobody's: segments are made anew, though GRO may have merged some. */
static void set_offload(struct leat_pkt *pkt, uint16_t gso_size, uint32_t payload)
{
	bool super = gso_size && gso_size < payload;

	pkt->gso_type = super ? LEAT_GSO_UDP_L4 : 0;
	pkt->gso_size = super ? gso_size : 0;
	pkt->gso_segs = 0;
	pkt->csum = LEAT_CSUM_PARTIAL;
	pkt->csum_start = pkt->lvl[0].transport;
	pkt->csum_offset = UDP_CHECK;
}

void udp_put(const struct datagram *d, const struct addr *src, const struct addr *dst,
	     const uint8_t *mac, uint64_t path)
{
	const struct header_ends ends = {mac, path, src, dst};
	uint32_t hdr = ETH_LEN + (dst->version == 4 ? IP4_LEN : IP6_LEN) + UDP_LEN;
	struct leat_pkt *pkt = d->pkt;
	uint32_t payload = pkt->len;
	uint16_t sum;
	uint8_t *udp;

	pkt->data -= hdr;
	pkt->headlen += hdr;
	pkt->len += hdr;
	header_write(pkt->data, &ends, PROTO_UDP, TTL, UDP_LEN + payload);
	describe(pkt, dst->version, (uint16_t)(hdr - UDP_LEN));
	set_offload(pkt, d->gso_size, payload);
	udp = pkt->data + hdr - UDP_LEN;
	store16(udp + UDP_SPORT, src->port);
	store16(udp + UDP_DPORT, dst->port);
	store16(udp + UDP_ULEN, UDP_LEN + payload);
	sum = leat_csum_fold(leat_csum_pseudo(pkt->data, &pkt->lvl[0], UDP_LEN + payload));
	memcpy(udp + UDP_CHECK, &sum, sizeof(sum));
}
