/* SPDX-License-Identifier: MIT */
/*
 * fuzz_host.c - frames from the network to a host: ARP, neighbour discovery, ICMP, UDP.
 *
 * Input: frames, each behind a byte that says how long it is (times 8) and a byte of flags: 1 its
 * checksums are made right, 2 its link address and IP address are made ours, so that both are got
 * past. What is to be answered has an answer: a frame with right sums, from us, to whom it came from.
 * What is delivered is a datagram whose payload lies in the frame, and can be sent back.
 */
#include "../plane/host/endpoint.h"
#include "../plane/host/host.h"
#include "../plane/host/lookup.h"
#include "../plane/host/udp.h"
#include "../tests/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 128, FRAME_MAX = 255 * 8, OUR_MAC = 0x11, PORT = 7, ETH = 14 };
enum { FIX_SUMS = 1, FIX_ADDRESSES = 2 };

static const uint8_t mac[6] = {2, 0, 0, 0, 1, OUR_MAC};
static struct host host;
static struct host_cpu cpu;
static struct endpoint endpoints[2];
static struct lookup *lookup;

static void require(bool what)
{
	if (!what)
		abort();
}

/* 198.51.100.1/24 and 2001:db8::2:1/64; an endpoint at port 7 of any, one connected. */
static void make(void)
{
	static const char *const text[] = {"198.51.100.1/24", "2001:db8::2:1/64"};

	neigh_init(&host.neigh);
	memcpy(host.mac[0], mac, sizeof(mac));
	for (host.n_addrs = 0; host.n_addrs < 2; host.n_addrs++)
		require(addr_parse_own(&host.addr[host.n_addrs], text[host.n_addrs]));
	endpoints[0].local.port = endpoints[1].local.port = PORT;
	endpoints[0].next = &endpoints[1];
	endpoints[1].local.version = endpoints[1].peer.version = 4;
	memcpy(endpoints[1].local.ip, host.addr[0].addr.ip, 4);
	memcpy(endpoints[1].peer.ip, (uint8_t[]){198, 51, 100, 9}, 4);
	endpoints[1].peer.port = 1000;
	lookup = lookup_new(endpoints);
	require(lookup != NULL);
}

static void fix_addresses(struct leat_pkt *pkt)
{
	const struct leat_level *l = &pkt->lvl[0];

	memcpy(pkt->data, mac, sizeof(mac));
	if (pkt->levels && l->version == 4)
		memcpy(pkt->data + l->network + 16, host.addr[0].addr.ip, 4);
	else if (pkt->levels)
		memcpy(pkt->data + l->network + 24, host.addr[1].addr.ip, 16);
}

static void put_sum(uint8_t *p, uint32_t sum)
{
	p[0] = (uint8_t)(~sum >> 8);
	p[1] = (uint8_t)~sum;
}

static void fix_sums(struct leat_pkt *pkt)
{
	const struct leat_level *l = &pkt->lvl[0];
	uint8_t *ip = pkt->data + l->network, *p = pkt->data + l->transport;
	uint32_t len = pkt->levels ? pkt->headlen - l->transport : 0;

	if (!pkt->levels || len < 8)
		return;
	if (l->version == 4) {
		uint32_t total = (uint32_t)ip[2] << 8 | ip[3];

		memset(ip + 10, 0, 2);
		put_sum(ip + 10, frame_sum(ip, (ip[0] & 15u) * 4, 0));
		len = total - (l->transport - l->network) + 0u;
	} else {
		len = ((uint32_t)ip[4] << 8 | ip[5]) + 40 - (l->transport - l->network);
	}
	if (len < 8 || len > pkt->headlen - l->transport)
		return;
	if (l->protocol == 17) {
		pkt->csum = LEAT_CSUM_UNNECESSARY;
	} else {
		memset(p + 2, 0, 2);
		put_sum(p + 2, frame_sum(p, len, l->version == 4 ? 0 : frame_pseudo(ip, 58, len)));
	}
}

static struct leat_pkt parsed(uint8_t *buf, const uint8_t *bytes, uint32_t len)
{
	struct leat_pkt pkt = {.head = buf, .size = ROOM + len}, *p = &pkt;

	memcpy(buf + ROOM, bytes, len);
	leat_pkt_init(p, buf + ROOM, len);
	leat_parse(NULL, &p, 1);
	return pkt;
}

/* An ICMP or ARP frame of ours. */
static void check_answer(const struct leat_pkt *answer, const uint8_t *from)
{
	const uint8_t *p = answer->data, *ip = p + ETH;
	unsigned type = (unsigned)p[12] << 8 | p[13];
	uint32_t hdr = type == 0x0800 ? 20 : 40, len = answer->len - ETH - hdr;

	require(answer->data - answer->head >= PORT_HEADROOM && !answer->frag_list);
	require(memcmp(p + 6, mac, sizeof(mac)) == 0);
	if (type == 0x0806) { /* to the link address that the request says */
		require(answer->len == 42 && p[21] == 2 && memcmp(p, p + 32, 6) == 0);
		return;
	}
	require(memcmp(p, from, 6) == 0 || memcmp(p, "\x33\x33\0\0\0\1", 6) == 0);
	if (hdr == 20)
		require(frame_sum(ip, hdr, 0) == 0xffff &&
			(ip[2] << 8 | ip[3]) == (int)(len + hdr));
	else
		require((ip[4] << 8 | ip[5]) == (int)len);
	require(frame_sum(ip + hdr, len, hdr == 20 ? 0 : frame_pseudo(ip, 58, len)) == 0xffff);
}

static void check_delivered(struct leat_pkt *pkt, const struct endpoint *to)
{
	const uint8_t *end = pkt->data + pkt->len;
	struct datagram d;

	require(to == &endpoints[0] || to == &endpoints[1]);
	udp_take(pkt, &d);
	require(d.pkt->data <= end && d.pkt->len <= (size_t)(end - d.pkt->data));
	require(d.local.port == PORT && host_own(&host, 0, &d.local) && addr_is_unicast(&d.peer));
	if (udp_check(&d, d.peer.version, 1500) != 0)
		return;
	udp_put(&d, &d.local, &d.peer, mac, d.path);
	require(frame_wrong(pkt->data, pkt->len, true) == NULL);
}

/* A question for whoever the frame is from, if it is near. */
static void ask(const struct leat_pkt *pkt)
{
	const struct leat_level *l = &pkt->lvl[0];
	uint8_t buf[ROOM + FRAME_MAX] = {0};
	struct leat_pkt question = {.head = buf, .data = buf + ROOM};
	const struct addr_own *own;
	struct addr who;

	if (!pkt->levels)
		return;
	who = addr_make(l->version, pkt->data + l->network + (l->version == 4 ? 12 : 8), 0);
	own = host_near(&host, &who);
	if (!own)
		return;
	host_ask(&host, own, &who, &question);
	require(question.len == (l->version == 4 ? 42 : 86) && memcmp(buf + ROOM + 6, mac, 6) == 0);
}

static void take(const uint8_t *bytes, uint32_t len, unsigned flags)
{
	static uint64_t now;
	const struct host_view view = {&host, &cpu, lookup, now += 1000000};
	uint8_t *buf = malloc(ROOM + len + 1), from[6];
	struct leat_pkt pkt = parsed(buf, bytes, len);
	struct endpoint *to = NULL;
	enum host_reason reason;

	if ((flags & FIX_ADDRESSES) && pkt.depth >= LEAT_DEPTH_LINK)
		fix_addresses(&pkt);
	if (flags & FIX_SUMS)
		fix_sums(&pkt);
	ask(&pkt);
	reason = host_judge(&view, &pkt, &to);
	require(reason < HOST_REASONS);
	if (reason == HOST_DELIVERED) {
		check_delivered(&pkt, to);
	} else if (reason <= HOST_PORT_UNREACHABLE) {
		memcpy(from, pkt.data + 6, sizeof(from));
		host_answer(&host, reason, &pkt);
		check_answer(&pkt, from);
	}
	free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!lookup)
		make();
	while (size > 2) {
		uint32_t len = data[0] * 8u;
		unsigned flags = data[1];

		data += 2;
		size -= 2;
		len = len < size ? len : (uint32_t)size;
		take(data, len, flags);
		data += len;
		size -= len;
	}
	return 0;
}
