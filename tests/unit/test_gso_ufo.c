/* SPDX-License-Identifier: MIT */
/*
 * test_gso_ufo.c - datagrams as IP fragments: put together again, they are the datagram.
 */
#include <errno.h>
#include <leat/gso.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "../cut.h"

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct leat_gso_conf full = {.frag_id = 0x89abcdef};

static const uint8_t hbh[] = {17, 0, 1, 4, 0, 0, 0, 0};
static const uint8_t nops[] = {1, 1, 1, 1, 1, 1, 1, 1};
static const uint8_t routing_dst[] = {60, 0, 59, 0, 0, 0, 0, 0, 17, 0, 1, 4, 0, 0, 0, 0};
static const uint8_t hbh256[256] = {17, 31, 1, 252};
static const uint8_t hbh264[264] = {17, 32, 1, 254, [258] = 1, 4};
static const uint8_t dst_routing[] = {43, 0, 1, 4, 0, 0, 0, 0, 17, 0, 59, 0, 0, 0, 0, 0};

/* `first` and `ext`: extension headers; `kept`: bytes of them in every fragment. */
static const struct row {
	const char *name;
	uint8_t version;
	const uint8_t *ext;
	uint16_t ext_len;
	uint8_t ext_first;
	uint16_t kept;
	uint32_t payload; /* of the datagram */
	uint16_t gso_size;
	int err;
	unsigned n;
	uint32_t size; /* IP payload of all fragments but the last, */
	uint32_t tail; /* and of that */
} rows[] = {
	{"1480", 4, NULL, 0, 0, 0, 3000, 1480, 0, 3, 1480, 48},
	{"1480", 6, NULL, 0, 0, 0, 3000, 1480, 0, 3, 1480, 48},
	{"1000", 4, NULL, 0, 0, 0, 3000, 1000, 0, 4, 1000, 8},
	{"1000", 6, NULL, 0, 0, 0, 3000, 1000, 0, 4, 1000, 8},
	{"rounded down", 4, NULL, 0, 0, 0, 3000, 1003, 0, 4, 1000, 8},
	{"rounded down", 6, NULL, 0, 0, 0, 3000, 1007, 0, 4, 1000, 8},
	{"eight", 4, NULL, 0, 0, 0, 30, 8, 0, 5, 8, 6},
	{"eight", 6, NULL, 0, 0, 0, 30, 15, 0, 5, 8, 6},
	{"one more byte", 4, NULL, 0, 0, 0, 1, 8, 0, 2, 8, 1},
	{"fits", 4, NULL, 0, 0, 0, 72, 80, -EINVAL, 0, 0, 0},
	{"fits not when rounded", 4, NULL, 0, 0, 0, 73, 87, 0, 2, 80, 1},
	{"seven", 4, NULL, 0, 0, 0, 3000, 7, -EINVAL, 0, 0, 0},
	{"one", 6, NULL, 0, 0, 0, 3000, 1, -EINVAL, 0, 0, 0},
	{"zero", 6, NULL, 0, 0, 0, 3000, 0, -EINVAL, 0, 0, 0},
	{"by frags", 6, NULL, 0, 0, 0, 3000, 0xffff, -EINVAL, 0, 0, 0},
	{"largest datagram", 4, NULL, 0, 0, 0, 65507, 65507, 0, 2, 65504, 11},
	{"largest datagram", 6, NULL, 0, 0, 0, 65527, 65512, 0, 2, 65512, 23},
	{"too large with its header", 6, NULL, 0, 0, 0, 65527, 65528, -EINVAL, 0, 0, 0},
	{"options", 4, nops, 8, 0, 8, 500, 200, 0, 3, 200, 108},
	{"hop-by-hop", 6, hbh, 8, 0, 8, 500, 200, 0, 3, 200, 108},
	{"256 bytes of hop-by-hop", 6, hbh256, 256, 0, 256, 500, 200, 0, 3, 200, 108},
	{"264 bytes of hop-by-hop", 6, hbh264, 264, 0, 264, 500, 200, 0, 3, 200, 108},
	{"destination options", 6, hbh, 8, 60, 8, 500, 200, 0, 3, 200, 108},
	{"routing", 6, dst_routing + 8, 8, 43, 8, 500, 200, 0, 3, 200, 108},
	{"destination, routing", 6, dst_routing, 16, 60, 16, 500, 200, 0, 3, 200, 108},
	{"routing, destination", 6, routing_dst, 16, 43, 8, 500, 200, 0, 3, 200, 116},
	{"no room for destination", 6, routing_dst, 16, 43, 8, 500, 8, -EINVAL, 0, 0, 0},
};

static uint32_t get16(const uint8_t *p)
{
	return p[0] * 256u + p[1];
}

static struct frame datagram(const struct row *row)
{
	return (struct frame){.version = row->version,
			      .vlans = 1,
			      .protocol = FRAME_UDP,
			      .id = 0xffff,
			      .frag_off = FRAME_DF,
			      .sport = 7,
			      .ext = row->ext,
			      .ext_len = row->ext_len,
			      .ext_first = row->ext_first,
			      .payload = row->payload};
}

/* The fragment's IP header, with what a fragment changes put back; the rest is the datagram's. */
static void check_ip4(const uint8_t *frag, const uint8_t *whole, uint32_t len, uint32_t off,
		      bool last, uint32_t hlen)
{
	uint8_t ip[60];

	assert_int_equal(get16(frag + 2), len);
	assert_int_equal(get16(frag + 6), off / 8 + (last ? 0 : FRAME_MF));
	assert_int_equal(frame_sum(frag, hlen, 0), 0xffff);
	memcpy(ip, frag, hlen);
	memcpy(ip + 2, whole + 2, 2);
	memcpy(ip + 6, whole + 6, 2);
	memcpy(ip + 10, whole + 10, 2);
	assert_memory_equal(ip, whole, hlen);
}

static void check_ip6(const uint8_t *frag, const uint8_t *whole, uint32_t len, uint32_t off,
		      bool last, uint32_t hlen)
{
	uint32_t next = 6, at = 40;
	uint8_t ip[FRAME_HDRS_MAX];

	for (; at < hlen; at += 8u + 8u * frag[at + 1])
		next = at;
	assert_int_equal(get16(frag + 4), len - 40);
	assert_int_equal(frag[next], 44);
	assert_int_equal(frag[hlen], whole[next]);
	assert_int_equal(frag[hlen + 1], 0);
	assert_int_equal(get16(frag + hlen + 2), off + (last ? 0 : 1));
	assert_memory_equal(frag + hlen + 4, "\x89\xab\xcd\xef", 4);
	memcpy(ip, frag, hlen);
	memcpy(ip + 4, whole + 4, 2);
	ip[next] = whole[next];
	assert_memory_equal(ip, whole, hlen);
}

static void check_fragments(const struct row *row, const struct cut *cut, const uint8_t *whole)
{
	bool v6 = row->version == 6;
	uint32_t hlen = (v6 ? 40u : 20u) + row->kept, hdr = 18 + hlen, frag = v6 ? 8 : 0, off = 0;

	for (unsigned i = 0; i < row->n; i++) {
		const struct cut_seg *s = &cut->segs[i];
		uint32_t size = i + 1 < row->n ? row->size : row->tail;

		assert_int_equal(s->seg.len, hdr + frag + size);
		assert_true(s->seg.gso_size == 0 && s->seg.csum == LEAT_CSUM_UNNECESSARY);
		assert_memory_equal(s->frame, whole, 18);
		(v6 ? check_ip6 : check_ip4)(s->frame + 18, whole + 18, s->seg.len - 18, off,
					     i + 1 == row->n, hlen);
		assert_memory_equal(s->frame + hdr + frag, whole + hdr + off, size);
		off += size;
	}
}

static void test_rows(void **state)
{
	struct rng rng = rng_start("test_gso_ufo");

	for (size_t i = 0; i < 2 * LENGTH(rows); i++) {
		const struct row *row = &rows[i / 2];
		struct frame f = datagram(row);
		uint8_t *whole = malloc(frame_len(&f));
		struct arena arena = {0};
		struct leat_pkt *pkt;
		struct cut cut;

		print_message("%s, IPv%u\n", row->name, row->version);
		frame_build(&f, whole);
		pkt = cut_scatter(&arena, whole, frame_len(&f), frame_hdr_len(&f) + 1, 700, NULL);
		memset(pkt->data + pkt->lvl[0].transport + 6, i % 2 ? 0x77 : 0, 2);
		pkt->gso_type = LEAT_GSO_UDP;
		pkt->gso_size = row->gso_size;
		cut = cut_up(pkt, &full, i % 2 ? &rng : NULL);
		assert_int_equal(cut.promised, row->err ? row->err : (int)row->n);
		check_fragments(row, &cut, whole);
		if (row->err == 0 && row->ext != routing_dst)
			assert_int_equal(leat_gso_segs(pkt), row->n);
		cut_clear(&cut);
		arena_clear(&arena);
		free(whole);
	}
}

/* A sum of 0 is sent as 0xffff. */
static void test_zero_sum(void **state)
{
	struct frame f = {.protocol = FRAME_UDP, .payload = 20};
	struct arena arena = {0};
	struct leat_pkt *pkt = cut_super(&arena, &f, 16);
	uint8_t *word = pkt->data + pkt->payload;
	struct cut cut;
	uint16_t sum;

	sum = frame_sum(word, 2, get16(pkt->data + 34 + 6));
	word[0] = (uint8_t)(sum >> 8);
	word[1] = (uint8_t)sum;
	pkt->gso_type = LEAT_GSO_UDP;
	cut = cut_up(pkt, &full, NULL);
	assert_int_equal(cut.n, 2);
	assert_int_equal(get16(cut.segs[0].frame + 34 + 6), 0xffff);
	cut_clear(&cut);
	arena_clear(&arena);
}

/* Whatever the port could do after partial GSO, and not in a tunnel. */
static void test_alone(void **state)
{
	const struct leat_gso_conf helped = {.features = LEAT_GSO_PARTIAL | LEAT_GSO_UDP,
					     .csum_partial = true};
	struct frame in = {.protocol = FRAME_UDP, .payload = 100};
	struct frame f = {.inner = &in, .tunnel = LEAT_TUNNEL_IP};
	struct arena arena = {0};
	struct leat_pkt *pkt = cut_super(&arena, &in, 40);
	struct cut cut;

	pkt->gso_type = LEAT_GSO_UDP;
	cut = cut_up(pkt, &helped, NULL);
	assert_int_equal(cut.n, 3);
	for (unsigned i = 0; i < cut.n; i++)
		assert_true(cut.segs[i].seg.gso_size == 0 &&
			    cut.segs[i].seg.csum == LEAT_CSUM_UNNECESSARY);
	cut_clear(&cut);

	pkt = cut_super(&arena, &f, 40);
	pkt->gso_type ^= LEAT_GSO_UDP | LEAT_GSO_UDP_L4;
	cut = cut_up(pkt, &full, NULL);
	assert_int_equal(cut.promised, -EINVAL);
	arena_clear(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_zero_sum),
		cmocka_unit_test(test_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
