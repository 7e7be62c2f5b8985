/* SPDX-License-Identifier: MIT */
/*
 * fuzz_gro.c - bytes become a train of frames, most of which continue their flows but for a byte
 * or two. Every packet must come out once and be counted once, and what is merged must be cut up
 * into the very frames that came.
 *
 * Input: two bytes of configuration, then records of six bytes: op, length, flags, offset, value,
 * and one that decides the rest. The value is written at the offset into the finished frame.
 */
#include <leat/gro.h>
#include <leat/parse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../tests/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	PACKETS_MAX = 256,
	FLOWS = 24,
	RECORD = 6,
	FRAME_MAX = 16384,
	SUPER_MAX = 1 << 17,
	HEADROOM = 8,
};

/* The second byte. */
enum { CONF_LIST = 1, CONF_SCTP = 2, CONF_ACCECN = 4, CONF_NO_JUMBO = 8, CONF_HEADROOM = 16 };

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
	struct frame flow[FLOWS], outer[FLOWS];
	bool headroom;
	struct leat_pkt *out[2 * PACKETS_MAX];
	unsigned n_out;
	uint8_t seen[PACKETS_MAX];
	bool trusted[PACKETS_MAX];
};

#define TCP4                                        \
	{                                           \
		.version = 4, .protocol = FRAME_TCP \
	}
#define TCP6                                        \
	{                                           \
		.version = 6, .protocol = FRAME_TCP \
	}
#define UDP4                                        \
	{                                           \
		.version = 4, .protocol = FRAME_UDP \
	}
#define UDP6                                        \
	{                                           \
		.version = 6, .protocol = FRAME_UDP \
	}
#define SCTP4                                                     \
	{                                                         \
		.version = 4, .protocol = FRAME_SCTP, .chunks = 1 \
	}

static const uint8_t options[] = {1, 2, 0x80, 1, 9, 9, 9, 9};

/* The first four of old, then what is asked for, then tunnels. */
static const struct {
	struct frame inner, outer;
} flows[FLOWS] = {
	{TCP4, {0}},
	{{.version = 6, .protocol = FRAME_TCP, .vlans = 1}, {0}},
	{UDP4, {0}},
	{UDP6, {0}},
	{SCTP4, {0}},
	{{.version = 6, .protocol = FRAME_SCTP, .chunks = 2, .chunk_type = 64}, {0}},
	{TCP4, {.tunnel = LEAT_TUNNEL_IP}},
	{TCP6, {.tunnel = LEAT_TUNNEL_IP}},
	{UDP4, {.tunnel = LEAT_TUNNEL_IP, .version = 6}},
	{TCP6, {.tunnel = LEAT_TUNNEL_IP, .version = 6}},
	{TCP4, {.tunnel = LEAT_TUNNEL_GRE}},
	{TCP4, {.tunnel = LEAT_TUNNEL_GRE, .gre_csum = true, .gre_key = true}},
	{UDP6, {.tunnel = LEAT_TUNNEL_GRE, .gre_csum = true, .eth = true}},
	{SCTP4, {.tunnel = LEAT_TUNNEL_GRE, .gre_csum = true}},
	{TCP4, {.tunnel = LEAT_TUNNEL_VXLAN}},
	{UDP4, {.tunnel = LEAT_TUNNEL_VXLAN, .no_csum = true}},
	{TCP6, {.tunnel = LEAT_TUNNEL_VXLAN, .remcsum = true, .version = 6}},
	{UDP4, {.tunnel = LEAT_TUNNEL_VXLAN, .remcsum = true}},
	{TCP4, {.tunnel = LEAT_TUNNEL_GENEVE, .tunnel_opts = options, .tunnel_opts_len = 8}},
	{TCP6, {.tunnel = LEAT_TUNNEL_GENEVE, .eth = true, .no_csum = true}},
	{TCP4, {.tunnel = LEAT_TUNNEL_GUE, .remcsum = true}},
	{UDP6, {.tunnel = LEAT_TUNNEL_GUE, .in_gre = true}},
	{TCP4, {.tunnel = LEAT_TUNNEL_FOU}},
	{SCTP4, {.tunnel = LEAT_TUNNEL_VXLAN}},
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
	unsigned i = r[0] % FLOWS;
	struct frame *next = &fuzz->flow[i], f = *next, outer = fuzz->outer[i];
	uint32_t len;

	f.payload = r[1] * (r[5] & 0x40 ? 63u : 1u);
	f.flags = r[2];
	f.padding = r[5] & 0x80 && outer.tunnel == LEAT_TUNNEL_NONE ? 4 : 0;
	f.salt = f.protocol == FRAME_TCP ? 0 : r[1] * 77u;
	if (f.protocol == FRAME_SCTP) {
		f.payload = f.payload / 4 * 4;
		f.chunk_pad = f.payload > 20 ? r[2] % 4 : 0;
	}
	next->id++;
	fuzz->outer[i].id++;
	next->seq += f.protocol == FRAME_TCP ? f.payload : 0;
	outer.inner = &f;
	len = frame_len(outer.tunnel != LEAT_TUNNEL_NONE ? &outer : &f);
	frame_build(outer.tunnel != LEAT_TUNNEL_NONE ? &outer : &f, bytes);
	if (r[3] < len)
		bytes[r[3]] ^= r[4];
	if ((r[5] & REST_IP_CSUM) != 0 && bytes[14] == 0x45)
		fix_ip_csum(bytes, len);
	return len;
}

/* The packet's bytes further back in a larger buffer. */
static void move_back(struct leat_pkt *pkt)
{
	uint8_t *buf = malloc(HEADROOM + pkt->len);

	CHECK(buf != NULL);
	memcpy(buf + HEADROOM, pkt->data, pkt->len);
	free(pkt->head);
	pkt->head = buf;
	pkt->size = HEADROOM + pkt->len;
	pkt->data = buf + HEADROOM;
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
	if (fuzz->headroom)
		move_back(pkt);
	fuzz->trusted[pkt->cookie] = (r[5] & REST_TRUST) != 0;
	if (fuzz->trusted[pkt->cookie])
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
	static uint8_t bytes[FRAME_HDRS_MAX + FRAME_MAX];

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

/* A checksum, or CRC, that was trusted may have been anything; GSO makes it right. */
static void forgive_csum(const struct leat_pkt *copy, uint8_t *seg)
{
	const struct leat_level *l = leat_pkt_inner(copy);
	uint32_t at = l->transport, n = 2;

	if (l->protocol == FRAME_SCTP)
		n = 4;
	at += l->protocol == FRAME_SCTP ? 8 : l->protocol == FRAME_UDP ? 6 : 16;
	memcpy(seg + at, copy->data + at, n);
}

static void check_super(struct fuzz *fuzz, const struct leat_pkt *pkt)
{
	static uint8_t flat[SUPER_MAX], seg[SUPER_MAX];
	const struct leat_pkt *p = pkt;
	uint32_t len;

	CHECK(pkt->len <= sizeof(flat) && frame_flatten(pkt, flat) == pkt->len);
	CHECK(pkt->slices + 1 == pkt->gso_segs);
	CHECK((pkt->gso_type & LEAT_GSO_FRAGLIST) != 0 ||
	      frame_super_wrong(flat, pkt->len) == NULL);
	for (uint32_t i = 0; (len = frame_segment(pkt, flat, i, seg)) > 0; i++, p = p->frag_list) {
		const struct leat_pkt *copy;

		CHECK(p != NULL);
		copy = fuzz->copies.pkts[p->cookie];
		if (fuzz->trusted[p->cookie])
			forgive_csum(copy, seg);
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

static void configure(const uint8_t *data, struct leat_gro_conf *conf)
{
	conf->max_size = data[0] % 4 == 0 ? 1000 : data[0] % 4 == 1 ? SUPER_MAX - 100 : 0;
	conf->depth = 1 + data[0] / 4 % 4;
	conf->fraglist = (data[1] & CONF_LIST) != 0;
	conf->sctp = (data[1] & CONF_SCTP) != 0;
	conf->accecn = (data[1] & CONF_ACCECN) != 0;
	conf->no_jumbogram = (data[1] & CONF_NO_JUMBO) != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t mem[64 * 64] __attribute__((aligned(64)));
	static struct fuzz fuzz;
	struct leat_gro_conf conf = {.buckets = 2, .depth = 4, .flows = 8, .udp = true};

	if (size < 2)
		return 0;
	configure(data, &conf);
	memset(&fuzz, 0, sizeof(fuzz));
	fuzz.headroom = (data[1] & CONF_HEADROOM) != 0;
	for (unsigned i = 0; i < FLOWS; i++) {
		fuzz.flow[i] = flows[i].inner;
		fuzz.outer[i] = flows[i].outer;
	}
	CHECK(leat_gro_size(&conf) <= sizeof(mem) && leat_gro_init(&fuzz.gro, &conf, mem) == 0);
	run(&fuzz, data + 2, size - 2);
	flush(&fuzz, UINT64_MAX);
	check_out(&fuzz);
	check_counts(&fuzz.gro, fuzz.pkts.n);
	arena_clear(&fuzz.pkts);
	arena_clear(&fuzz.copies);
	return 0;
}
