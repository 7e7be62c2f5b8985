/* SPDX-License-Identifier: MIT */
#include "frames.h"

#include "bench.h"

#include <leat/csum.h>
#include <leat/parse.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
	ETHER = 14,
	IP = 20,
	TCP = 32, /* with time stamps */
	UDP = 8,
	SCTP = 12,
	CHUNK = 16, /* SCTP's DATA */
	HEADERS_MAX = 128,
	HEADROOM = 64,
	ROOM_ALIGN = 256,

	IP_LEN = 2,
	IP_ID = 4,
	IP_CHECK = 10,
	TCP_CHECK = 16,
	SCTP_CHECK = 8,
	VXLAN_PORT = 4789,
};

static uint8_t *put16(uint8_t *p, uint32_t value)
{
	*p++ = (uint8_t)(value >> 8);
	*p++ = (uint8_t)value;
	return p;
}

static uint8_t *put32(uint8_t *p, uint32_t value)
{
	return put16(put16(p, value >> 16), value);
}

static uint8_t *put(uint8_t *p, const char *bytes, size_t n)
{
	memcpy(p, bytes, n);
	return p + n;
}

static uint8_t *put_ether(uint8_t *p)
{
	return put(p, "\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\0", ETHER);
}

/* `inside`: bytes behind it. */
static uint8_t *put_ip(uint8_t *p, unsigned protocol, uint32_t inside, uint32_t id, uint32_t src)
{
	uint16_t check;
	uint8_t *ip = p;

	p = put(p, "\x45\0", 2);
	p = put16(p, IP + inside);
	p = put16(p, id);
	p = put(p, "\x40\0\x40", 3);
	*p++ = (uint8_t)protocol;
	p = put16(p, 0);
	p = put32(p, 0x0a000000 + src);
	p = put32(p, 0xc6336401); /* 198.51.100.1 */
	check = (uint16_t)~leat_csum_fold(leat_csum_partial(ip, IP, 0));
	memcpy(ip + IP_CHECK, &check, sizeof(check));
	return p;
}

/* What is in front of the inner IP packet of `inside` bytes: an outer one of one and the same
 * tunnel. */
static uint8_t *put_outer(uint8_t *p, enum frames_kind kind, uint32_t inside, uint32_t id)
{
	p = put_ether(p);
	switch (kind) {
	case FRAMES_IPIP: return put_ip(p, IPPROTO_IPIP, inside, id, 2);
	case FRAMES_GRE:
		p = put_ip(p, IPPROTO_GRE, 4 + inside, id, 2);
		return put(p, "\0\0\x08\0", 4);
	case FRAMES_VXLAN:
		p = put_ip(p, IPPROTO_UDP, UDP + 8 + ETHER + inside, id, 2);
		p = put16(p, 50000);
		p = put16(p, VXLAN_PORT);
		p = put16(p, UDP + 8 + ETHER + inside);
		p = put(p, "\0\0\x08\0\0\0\0\0\x2a\0", 10);
		return put_ether(p);
	default: return p;
	}
}

static uint8_t *put_tcp(uint8_t *p, uint32_t flow, uint32_t seq)
{
	p = put16(p, flow);
	p = put16(p, 80);
	p = put32(p, seq);
	p = put32(p, 1);
	p = put(p, "\x80\x10\x10\0\0\0\0\0\x01\x01\x08\x0a\0\0\0\x01\0\0\0\x02", 20);
	return p;
}

/* The chunk's header is counted as payload. */
static uint8_t *put_sctp(uint8_t *p, uint32_t flow, uint32_t number, uint32_t payload)
{
	p = put16(p, flow);
	p = put16(p, 80);
	p = put(p, "\0\0\0\x07\0\0\0\0", 8);
	p = put(p, "\0\x03", 2);
	p = put16(p, payload);
	p = put32(p, number);
	return put(p, "\0\0\0\0\0\0\0\0", 8);
}

static uint8_t *put_headers(uint8_t *p, const struct frames_conf *c, uint32_t flow, uint32_t number)
{
	bool sctp = c->kind == FRAMES_SCTP;
	uint32_t inside = (sctp ? SCTP : TCP) + c->payload;
	uint32_t first = flow * 2654435761u;

	p = put_outer(p, c->kind, IP + inside, number);
	p = put_ip(p, sctp ? IPPROTO_SCTP : IPPROTO_TCP, inside, first + number, 3 + (flow >> 16));
	if (sctp)
		return put_sctp(p, flow, number, c->payload);
	return put_tcp(p, flow, first + number * c->payload);
}

static void put_checksum(uint8_t *frame, uint32_t len, uint32_t transport, bool sctp)
{
	struct leat_pkt pkt, *pkts = &pkt;
	uint16_t sum;

	leat_pkt_init(&pkt, frame, len);
	leat_parse(NULL, &pkts, 1);
	pkt.csum = LEAT_CSUM_PARTIAL;
	pkt.csum_start = (uint16_t)transport;
	pkt.csum_offset = sctp ? SCTP_CHECK : TCP_CHECK;
	if (!sctp) {
		sum = leat_csum_fold(
			leat_csum_pseudo(frame, leat_pkt_inner(&pkt), len - transport));
		memcpy(frame + transport + TCP_CHECK, &sum, sizeof(sum));
	}
	if (leat_csum_complete(&pkt))
		abort(); /* these are good headers */
}

static void make_frame(struct frames *f, const struct frames_conf *c, uint32_t i)
{
	bool sctp = c->kind == FRAMES_SCTP;
	uint8_t *p = f->frame[i];
	uint32_t all = (uint32_t)(put_headers(p, c, i % c->flows, i / c->flows) - p);

	f->headers = sctp ? all - CHUNK : all;
	if (!c->stride)
		put_checksum(p, f->len, f->headers - (sctp ? SCTP : TCP), sctp);
	memcpy(f->saved + (size_t)i * HEADERS_MAX, p, HEADERS_MAX);
}

/* Of a frame of this kind, all of it. */
static uint32_t frame_len(const struct frames_conf *c)
{
	uint8_t headers[HEADERS_MAX];
	uint32_t all = (uint32_t)(put_headers(headers, c, 0, 0) - headers);

	return all + c->payload - (c->kind == FRAMES_SCTP ? CHUNK : 0);
}

static uint8_t *get_memory(size_t size)
{
	uint8_t *p = aligned_alloc(1 << 21, (size + (1 << 21) - 1) >> 21 << 21);

	if (!p)
		abort();
	madvise(p, size, MADV_HUGEPAGE);
	return p;
}

void frames_make(struct frames *f, const struct frames_conf *c)
{
	uint32_t len = frame_len(c);
	size_t room = (HEADROOM + len + ROOM_ALIGN - 1) / ROOM_ALIGN * ROOM_ALIGN;
	size_t stride = c->stride ? c->stride : room, size = stride * c->n + room;
	uint64_t random = 1;

	*f = (struct frames){.n = c->n, .len = len};
	f->memory = get_memory(size);
	f->saved = get_memory((size_t)c->n * HEADERS_MAX);
	f->frame = bench_alloc(c->n * sizeof(*f->frame));
	f->pkt = (struct leat_pkt *)get_memory(c->n * sizeof(*f->pkt));
	f->pkts = bench_alloc(c->n * sizeof(struct leat_pkt *));
	for (size_t i = 0; i + 4 <= size; i += 4)
		put32(f->memory + i, bench_random(&random));
	for (uint32_t i = 0; i < c->n; i++) {
		f->frame[i] = f->memory + i * stride + HEADROOM;
		f->pkts[i] = &f->pkt[i];
		make_frame(f, c, i);
	}
}

void frames_restore(struct frames *f)
{
	for (uint32_t i = 0; i < f->n; i++)
		memcpy(f->frame[i], f->saved + (size_t)i * HEADERS_MAX, f->headers);
}

void frames_reset(struct frames *f, enum leat_csum csum)
{
	frames_restore(f);
	for (uint32_t i = 0; i < f->n; i++) {
		struct leat_pkt *pkt = &f->pkt[i];

		leat_pkt_init(pkt, f->frame[i], f->len);
		pkt->head = f->frame[i] - HEADROOM;
		pkt->size = HEADROOM + f->len;
		pkt->csum = (uint8_t)csum;
	}
}

void frames_drop(struct frames *f)
{
	free(f->memory);
	free(f->saved);
	free(f->frame);
	free(f->pkt);
	free(f->pkts);
}
