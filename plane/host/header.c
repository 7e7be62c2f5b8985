/* SPDX-License-Identifier: MIT */
#include "header.h"

#include "wire.h"

#include <leat/csum.h>
#include <string.h>

void header_write_link(uint8_t *frame, const uint8_t *mac, uint64_t path, uint16_t type)
{
	addr_path_mac(path, frame + ETH_DST);
	memcpy(frame + ETH_SRC, mac, MAC_LEN);
	store16(frame + ETH_TYPE, type);
}

static void write_ip4(uint8_t *ip, const struct header_ends *ends, uint8_t protocol, uint8_t hops,
		      uint32_t len)
{
	uint16_t check;

	memset(ip, 0, IP4_LEN);
	ip[0] = 0x45;
	store16(ip + IP4_TOT_LEN, IP4_LEN + len);
	store16(ip + IP4_FRAG_OFF, IP4_DF);
	ip[IP4_TTL] = hops;
	ip[IP4_PROTOCOL] = protocol;
	memcpy(ip + IP4_SRC, ends->src->ip, 4);
	memcpy(ip + IP4_DST, ends->dst->ip, 4);
	check = (uint16_t)~leat_csum_fold(leat_csum_partial(ip, IP4_LEN, 0));
	memcpy(ip + IP4_CHECK, &check, sizeof(check));
}

static void write_ip6(uint8_t *ip, const struct header_ends *ends, uint8_t protocol, uint8_t hops,
		      uint32_t len)
{
	memset(ip, 0, IP6_LEN);
	ip[0] = 0x60;
	store16(ip + IP6_PAYLOAD_LEN, len);
	ip[IP6_NEXTHDR] = protocol;
	ip[IP6_HOP_LIMIT] = hops;
	memcpy(ip + IP6_SRC, ends->src->ip, ADDR_LEN);
	memcpy(ip + IP6_DST, ends->dst->ip, ADDR_LEN);
}

unsigned header_write(uint8_t *frame, const struct header_ends *ends, uint8_t protocol,
		      uint8_t hops, uint32_t len)
{
	if (ends->src->version == 4) {
		header_write_link(frame, ends->mac, ends->path, ETYPE_IP4);
		write_ip4(frame + ETH_LEN, ends, protocol, hops, len);
		return ETH_LEN + IP4_LEN;
	}
	header_write_link(frame, ends->mac, ends->path, ETYPE_IP6);
	write_ip6(frame + ETH_LEN, ends, protocol, hops, len);
	return ETH_LEN + IP6_LEN;
}

uint16_t header_icmp_sum(const uint8_t *frame, unsigned version, unsigned at, uint32_t len)
{
	const struct leat_level l = {
		.network = ETH_LEN, .version = (uint8_t)version, .protocol = PROTO_ICMP6};
	uint32_t sum = version == 6 ? leat_csum_pseudo(frame, &l, len) : 0;

	return leat_csum_fold(leat_csum_partial(frame + at, len, sum));
}

void header_write_icmp_sum(uint8_t *frame, unsigned version, unsigned at, uint32_t len)
{
	uint16_t check;

	memset(frame + at + ICMP_CHECK, 0, sizeof(check));
	check = (uint16_t)~header_icmp_sum(frame, version, at, len);
	memcpy(frame + at + ICMP_CHECK, &check, sizeof(check));
}
