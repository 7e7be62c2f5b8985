/* SPDX-License-Identifier: MIT */
#include "gen_flow.h"

#include <string.h>

enum {
	ETH_TYPE = 12,
	ETH_LEN = 14,
	TCP = 6,
	UDP = 17,
	TCP_LEN = 20,
	UDP_LEN = 8,
	TTL = 64,
	TCP_ACK = 0x10,
	WINDOW = 0xffff,
};

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static uint16_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)(sum + (sum >> 16));
}

/* Of an even number of bytes. */
static uint32_t sum_words(const uint8_t *p, unsigned len)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	return sum;
}

/* splitmix64 (Steele, Lea, Flood 2014). */
uint64_t gen_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

void gen_filler_init(struct gen_filler *filler, uint64_t seed)
{
	filler->sum[0] = 0;
	for (unsigned i = 0; i < GEN_PAYLOAD_MAX; i++) {
		filler->bytes[i] = (uint8_t)gen_random(&seed);
		filler->sum[i + 1] = fold((uint32_t)filler->sum[i] +
					  ((uint32_t)filler->bytes[i] << (i % 2 ? 0 : 8)));
	}
}

/* Addresses are of the networks set apart for benchmarks: 198.18.0.0/15 (RFC 2544) and
 * 2001:2::/48 (RFC 5180). The source, with its port, is the flow's own. */
static void write_ip4(uint8_t *ip, uint32_t index, uint8_t protocol, uint32_t random)
{
	static const uint8_t start[] = {0x45, 0, 0, 0, 0, 0, 0x40, 0, TTL, 0, 0, 0};

	memcpy(ip, start, sizeof(start));
	ip[9] = protocol;
	put32(ip + 12, (198u << 24 | 18u << 16) + (index >> 14) + 1);
	put32(ip + 16, (198u << 24 | 19u << 16) + (random & 0xfffe) + 1);
}

static void write_ip6(uint8_t *ip, uint32_t index, uint8_t protocol, uint32_t random)
{
	static const uint8_t start[] = {0x60, 0, 0, 0, 0, 0, 0, TTL};
	static const uint8_t network[] = {0x20, 0x01, 0, 0x02, 0, 0};

	memcpy(ip, start, sizeof(start));
	ip[6] = protocol;
	memcpy(ip + 8, network, sizeof(network));
	put32(ip + 20, (index >> 14) + 1);
	memcpy(ip + 24, network, sizeof(network));
	ip[30] = 1;
	put32(ip + 36, (random & 0xfffe) + 1);
}

static void write_transport(uint8_t *l4, uint32_t index, bool tcp, uint32_t random)
{
	put16(l4, 0xc000 | (index & 0x3fff));
	put16(l4 + 2, 1024 + (random >> 16) % 32768);
	if (tcp) {
		put32(l4 + 8, random);
		l4[12] = TCP_LEN / 4 << 4;
		l4[13] = TCP_ACK;
		put16(l4 + 14, WINDOW);
	}
}

void gen_flow_init(struct gen_flow *flow, uint32_t index, bool ip6, bool tcp, uint64_t seed)
{
	uint64_t state = seed + index;
	uint32_t random = (uint32_t)gen_random(&state);
	uint8_t protocol = tcp ? TCP : UDP;
	uint8_t *ip = flow->hdr + ETH_LEN, *l4 = ip + (ip6 ? 40 : 20), *number;

	memset(flow, 0, sizeof(*flow));
	flow->network = ip6 ? 40 : 20;
	flow->transport = tcp ? TCP_LEN : UDP_LEN;
	flow->at.tcp_seq = (uint32_t)gen_random(&state);
	flow->hdr[0] = flow->hdr[6] = 2; /* locally administered */
	flow->hdr[5] = 2;
	flow->hdr[11] = 1;
	put16(flow->hdr + ETH_TYPE, ip6 ? 0x86dd : 0x0800);
	if (ip6)
		write_ip6(ip, index, protocol, random);
	else
		write_ip4(ip, index, protocol, random);
	write_transport(l4, index, tcp, random);
	number = l4 + flow->transport;
	put32(number, GEN_MAGIC);
	put32(number + 4, index);

	flow->ip_sum = fold(sum_words(ip, flow->network));
	flow->l4_sum = fold(protocol + sum_words(ip + (ip6 ? 8 : 12), ip6 ? 32 : 8) +
			    sum_words(l4, flow->transport + 8u));
}

/* What the IP header says of a packet: its length, and with IPv4 an ID that counts. */
static void patch_ip(const struct gen_flow *flow, uint8_t *ip, uint32_t l4_len, uint32_t id)
{
	if (flow->network == 40) {
		put16(ip + 4, l4_len);
		return;
	}
	put16(ip + 2, 20 + l4_len);
	put16(ip + 4, id);
	put16(ip + 10, (uint16_t)~fold(flow->ip_sum + 20 + l4_len + id));
}

/* `sum`: of all the rest. */
static void patch_tcp(uint8_t *tcp, uint32_t seq, uint32_t sum)
{
	put32(tcp + 4, seq);
	sum += (seq >> 16) + (seq & 0xffff);
	put16(tcp + 16, (uint16_t)~fold(sum));
}

static void patch_udp(uint8_t *udp, uint32_t l4_len, uint32_t sum)
{
	uint16_t check = (uint16_t)~fold(sum + l4_len);

	put16(udp + 4, l4_len);
	put16(udp + 6, check ? check : 0xffff);
}

uint32_t gen_flow_write(const struct gen_flow *flow, const struct gen_at *at,
			const struct gen_filler *filler, uint32_t len, uint8_t *frame)
{
	uint8_t *ip = frame + ETH_LEN, *l4 = ip + flow->network, *payload = l4 + flow->transport;
	uint32_t l4_len = flow->transport + len, high = (uint32_t)(at->seq >> 32),
		 low = (uint32_t)at->seq;
	uint32_t sum = flow->l4_sum + l4_len + filler->sum[len - GEN_NUMBER_LEN] + (high >> 16) +
		       (high & 0xffff) + (low >> 16) + (low & 0xffff);

	memcpy(frame, flow->hdr, sizeof(flow->hdr));
	put32(payload + 8, high);
	put32(payload + 12, low);
	memcpy(payload + GEN_NUMBER_LEN, filler->bytes, len - GEN_NUMBER_LEN);
	patch_ip(flow, ip, l4_len, low & 0xffff);
	if (flow->transport == TCP_LEN)
		patch_tcp(l4, at->tcp_seq, sum);
	else
		patch_udp(l4, l4_len, sum);
	return ETH_LEN + flow->network + l4_len;
}
