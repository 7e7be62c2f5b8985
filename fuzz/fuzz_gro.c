/* SPDX-License-Identifier: MIT */
/*
 * fuzz_gro.c - bytes become a train of frames, most of which continue their flows but for a byte
 * or two. Every packet must come out once and be counted once, and what is merged must be cut up
 * into the very frames that came.
 *
 * Input: a byte of configuration, then records of six bytes: op, length, flags, offset, value,
 * and one that decides the rest. The value is written at the offset into the finished frame.
 */
#include <leat/gro.h>
#include <leat/parse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../tests/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PACKETS_MAX = 256, FLOWS = 4, RECORD = 6, FRAME_MAX = 2048, SUPER_MAX = 1 << 17 };

/* The record's last byte. */
enum { REST_IP_CSUM = 1, REST_TRUST = 2, REST_FLUSH = 4, REST_RAW = 8, REST_HASH = 16 };

#define CHECK(cond)                                                        \
	do {                                                               \
		if (!(cond)) {                                             \
			fprintf(stderr, "line %d: %s\n", __LINE__, #cond); \
			abort();                                           \
		}                                                          \
	} while (0)

struct fuzz {
	struct leat_gro gro;
	struct arena pkts, copies;
	struct frame flow[FLOWS];
	struct leat_pkt *out[2 * PACKETS_MAX];
	unsigned n_out;
	uint8_t seen[PACKETS_MAX];
};

static const struct frame flows[FLOWS] = {
	{.version = 4, .protocol = FRAME_TCP},
	{.version = 6, .protocol = FRAME_TCP, .vlans = 1},
	{.version = 4, .protocol = FRAME_UDP},
	{.version = 6, .protocol = FRAME_UDP},
};

/* The IPv4 header checksum made right for whatever header the bytes have now. */
static void fix_ip_csum(uint8_t *frame, uint32_t len)
{
	uint8_t *ip = frame + 14;
	uint16_t sum;

	if (len < 34)
		return;
	ip[10] = ip[11] = 0;
	sum = (uint16_t)~frame_sum(ip, 20, 0);
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
}

static uint32_t make_frame(struct fuzz *fuzz, const uint8_t *r, uint8_t *bytes)
{
	struct frame *next = &fuzz->flow[r[0] % FLOWS], f = *next;
	uint32_t len;

	f.payload = r[1] * (r[5] & 0x40 ? 7u : 1u);
	f.flags = r[2];
	f.padding = r[5] & 0x80 ? 4 : 0;
	f.salt = f.protocol == FRAME_UDP ? r[1] * 77u : 0;
	next->id++;
	next->seq += f.protocol == FRAME_UDP ? 0 : f.payload;
	len = frame_len(&f);
	frame_build(&f, bytes);
	if (r[3] < len)
		bytes[r[3]] ^= r[4];
	if ((r[5] & REST_IP_CSUM) != 0 && f.version == 4)
		fix_ip_csum(bytes, len);
	return len;
}

static void flush(struct fuzz *fuzz, uint64_t before)
{
	unsigned room = sizeof(fuzz->out) / sizeof(fuzz->out[0]) - fuzz->n_out;

	fuzz->n_out += leat_gro_flush(&fuzz->gro, before, fuzz->out + fuzz->n_out, room);
}

static void give(struct fuzz *fuzz, const uint8_t *r, const uint8_t *bytes, uint32_t len)
{
	struct leat_pkt *pkt = arena_add(&fuzz->pkts, bytes, len);
	uint64_t now = pkt->cookie;

	arena_add(&fuzz->copies, bytes, len);
	if ((r[5] & REST_TRUST) != 0)
		pkt->csum = LEAT_CSUM_UNNECESSARY;
	if ((r[5] & REST_HASH) != 0) {
		pkt->hash = r[0] % FLOWS;
		pkt->hash_type = LEAT_HASH_L4;
	}
	fuzz->n_out += leat_gro_receive(&fuzz->gro, &pkt, 1, now, fuzz->out + fuzz->n_out);
	if ((r[5] & REST_FLUSH) != 0)
		flush(fuzz, r[0] > now ? 0 : now - r[0]);
}

/* Records, and with REST_RAW their length in bytes that are a frame as they are. */
static void run(struct fuzz *fuzz, const uint8_t *data, size_t size)
{
	uint8_t bytes[FRAME_HDRS_MAX + FRAME_MAX];

	while (size >= RECORD && fuzz->pkts.n < PACKETS_MAX) {
		const uint8_t *r = data;
		size_t raw = (r[5] & REST_RAW) != 0 ? r[1] : 0;

		data += RECORD;
		size -= RECORD;
		if (raw > size)
			return;
		if ((r[5] & REST_RAW) != 0)
			give(fuzz, r, data, (uint32_t)raw);
		else
			give(fuzz, r, bytes, make_frame(fuzz, r, bytes));
		data += raw;
		size -= raw;
	}
}

/* A trusted checksum may be anything; GSO makes it right. */
static void forgive_csum(const struct leat_pkt *super, const struct leat_pkt *copy, uint8_t *seg)
{
	uint32_t field = (uint32_t)super->csum_start + super->csum_offset;

	memcpy(seg + field, copy->data + field, 2);
}

static void check_super(struct fuzz *fuzz, const struct leat_pkt *pkt)
{
	static uint8_t flat[SUPER_MAX], seg[SUPER_MAX];
	const struct leat_pkt *p = pkt;
	uint32_t len;

	CHECK(pkt->len <= sizeof(flat) && frame_flatten(pkt, flat) == pkt->len);
	CHECK(pkt->slices + 1 == pkt->gso_segs && frame_wrong(flat, pkt->len, true) == NULL);
	for (uint32_t i = 0; (len = frame_segment(pkt, flat, i, seg)) > 0; i++, p = p->frag_list) {
		const struct leat_pkt *copy;

		CHECK(p != NULL);
		copy = fuzz->copies.pkts[p->cookie];
		if (p->csum == LEAT_CSUM_UNNECESSARY || p == pkt)
			forgive_csum(pkt, copy, seg);
		CHECK(len == copy->len && memcmp(seg, copy->data, len) == 0);
	}
	CHECK(p == NULL);
}

static void check_out(struct fuzz *fuzz)
{
	unsigned n = 0;

	for (unsigned i = 0; i < fuzz->n_out; i++) {
		const struct leat_pkt *pkt = fuzz->out[i], *copy = fuzz->copies.pkts[pkt->cookie];

		for (const struct leat_pkt *p = pkt; p != NULL; p = p->frag_list, n++)
			CHECK(fuzz->seen[p->cookie]++ == 0);
		if (pkt->slices > 0)
			check_super(fuzz, pkt);
		else
			CHECK(pkt->len == copy->len &&
			      memcmp(pkt->data, copy->data, pkt->len) == 0);
	}
	CHECK(n == fuzz->pkts.n);
}

static void check_counts(const struct leat_gro *gro, unsigned n)
{
	uint64_t in = 0, given = 0;

	for (unsigned i = 0; i <= LEAT_GRO_PSH_FIRST; i++)
		in += gro->count[i];
	for (unsigned i = LEAT_GRO_LINK; i < LEAT_GRO_REASONS; i++)
		given += gro->count[i];
	CHECK(in == n && given == gro->count[LEAT_GRO_HELD] && gro->held == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t mem[64 * 64] __attribute__((aligned(64)));
	static struct fuzz fuzz;
	struct leat_gro_conf conf = {.buckets = 2, .depth = 4, .flows = 8, .udp = true};

	if (size == 0)
		return 0;
	conf.max_size = data[0] % 4 == 0 ? 1000 : data[0] % 4 == 1 ? SUPER_MAX - 1 : 0;
	conf.depth = 1 + data[0] / 4 % 4;
	memset(&fuzz, 0, sizeof(fuzz));
	memcpy(fuzz.flow, flows, sizeof(flows));
	CHECK(leat_gro_size(&conf) <= sizeof(mem) && leat_gro_init(&fuzz.gro, &conf, mem) == 0);
	run(&fuzz, data + 1, size - 1);
	flush(&fuzz, UINT64_MAX);
	check_out(&fuzz);
	check_counts(&fuzz.gro, fuzz.pkts.n);
	arena_clear(&fuzz.pkts);
	arena_clear(&fuzz.copies);
	return 0;
}
