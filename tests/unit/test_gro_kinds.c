/* SPDX-License-Identifier: MIT */
/*
 * test_gro_kinds.c - what has to be asked for: BIG TCP, AccECN, SCTP, fraglists.
 */
#include <leat/gro.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../rows.h"

enum { LINK = 14, MSS = 1448, JUMBO = 8 };

static bool covered[LEAT_GRO_REASONS];

static const uint8_t hbh[] = {6, 0, 1, 4, 0, 0, 0, 0};

/* The packet's bytes in a buffer with so much room in front of them. */
static void give_headroom(struct leat_pkt *pkt, uint32_t room)
{
	uint8_t *buf = malloc(room + pkt->len);

	assert_non_null(buf);
	memcpy(buf + room, pkt->data, pkt->len);
	free(pkt->head);
	pkt->head = buf;
	pkt->size = room + pkt->len;
	pkt->data = buf + room;
}

/* `n` full segments of one flow, the first with `room` bytes of headroom. */
static struct train send_big(const struct leat_gro_conf *conf, const struct frame *like, unsigned n,
			     uint32_t room)
{
	struct train train = train_start(conf);
	struct frame f = *like;

	f.payload = MSS;
	for (unsigned i = 0; i < n; i++) {
		f.id = (uint16_t)i;
		f.seq = f.protocol == FRAME_UDP ? 0 : i * MSS;
		train_add(&train, &f);
	}
	give_headroom(train.pkts.pkts[0], room);
	train_receive(&train, n, 0);
	train_flush(&train, UINT64_MAX);
	train_check_balance(&train);
	train_check_conserved(&train);
	for (unsigned i = 0; i < train.n_out; i++)
		train_check_inverse(&train, i);
	return train;
}

/* Without a `head` nothing is known of what is in front of the data, so nothing goes there. */
static void test_no_head(void **state)
{
	struct train train = train_start(&(struct leat_gro_conf){.max_size = LEAT_GRO_SIZE_MAX});
	struct leat_pkt *first;
	uint8_t *head;

	for (unsigned i = 0; i < 46; i++)
		train_add(&train, &(struct frame){.version = 6, .payload = MSS, .seq = i * MSS});
	first = train.pkts.pkts[0];
	give_headroom(first, JUMBO);
	head = first->head;
	first->head = NULL;
	train_receive(&train, 46, 0);
	train_flush(&train, UINT64_MAX);
	first->head = head;
	assert_int_equal(train.n_out, 2);
	assert_int_equal(train.out[0]->gso_segs, 45);
	assert_ptr_equal(train.out[0]->data, head + JUMBO);
	train_end(&train);
}

struct big_row {
	const char *name;
	struct frame f;
	struct leat_gro_conf conf;
	uint32_t room;
	unsigned n, merged; /* packets sent, and how many of them are the first super-packet */
	bool jumbo;
};

/* clang-format off */
#define BIG .max_size = LEAT_GRO_SIZE_MAX, .udp = true
static const struct big_row big_rows[] = {
	{"IPv4", {.version = 4}, {BIG}, 0, 100, 100, false},
	{"IPv4, as much as may be", {.version = 4}, {BIG}, 0, 365, 362, false},
	{"IPv4 has its own limit", {.version = 4}, {BIG, .max_size4 = 65536}, 0, 100, 45, false},
	{"IPv4 alone is big", {.version = 4}, {.max_size4 = LEAT_GRO_SIZE_MAX}, 0, 100, 100, false},
	{"IPv6 is not", {.version = 6}, {.max_size4 = LEAT_GRO_SIZE_MAX}, 8, 100, 45, false},
	{"IPv6", {.version = 6}, {BIG}, 8, 100, 100, true},
	{"IPv6, as much as may be", {.version = 6}, {BIG}, 9, 365, 362, true},
	{"IPv6, the last without", {.version = 6}, {BIG}, 8, 45, 45, false},
	{"IPv6, the first with", {.version = 6}, {BIG}, 8, 46, 46, true},
	{"IPv6, no headroom", {.version = 6}, {BIG}, 7, 100, 45, false},
	{"IPv6, none wanted", {.version = 6}, {BIG, .no_jumbogram = true}, 0, 100, 100, false},
	{"IPv6, extensions", {.version = 6, EXT(0, hbh)}, {BIG}, 8, 100, 100, true},
	{"IPv6, tags", {.version = 6, .vlans = 2, .vlan = {1, 2}}, {BIG}, 8, 100, 100, true},
	{"fraglist", {.version = 4}, {BIG, .fraglist = true}, 0, 100, 45, false},
	{"UDP", {.version = 4, .protocol = FRAME_UDP}, {BIG}, 0, 60, 45, false},
};
/* clang-format on */

static void check_jumbo(const struct leat_pkt *pkt, const struct leat_pkt *was)
{
	const struct leat_level *l = &pkt->lvl[0];
	const uint8_t *ip = pkt->data + l->network, *hop = ip + 40;
	uint32_t len = pkt->len - l->network - 40;

	assert_int_equal(pkt->payload, was->payload + JUMBO);
	assert_int_equal(l->transport, was->lvl[0].transport + JUMBO);
	assert_int_equal(l->flags, LEAT_IP_OPTIONS | LEAT_IP_JUMBO);
	assert_int_equal(l->protocol, FRAME_TCP);
	assert_memory_equal(pkt->data, was->data, l->network);
	assert_int_equal(ip[4] | ip[5] | ip[6], 0);
	assert_memory_equal(hop, ((uint8_t[]){was->data[l->network + 6], 0, 0xc2, 4}), 4);
	assert_memory_equal(hop + 4,
			    ((uint8_t[]){(uint8_t)(len >> 24), (uint8_t)(len >> 16),
					 (uint8_t)(len >> 8), (uint8_t)len}),
			    4);
}

static void test_big(void **state)
{
	for (unsigned i = 0; i < LENGTH(big_rows); i++) {
		const struct big_row *row = &big_rows[i];
		struct train train = send_big(&row->conf, &row->f, row->n, row->room);
		const struct leat_pkt *pkt = train.out[0];

		print_message("%s\n", row->name);
		assert_int_equal(pkt->gso_segs, row->merged);
		assert_int_equal(pkt->len - pkt->payload, row->merged * MSS);
		assert_int_equal(train.gro.count[LEAT_GRO_MAX_SIZE] > 0, row->merged < row->n);
		assert_int_equal((pkt->lvl[0].flags & LEAT_IP_JUMBO) != 0, row->jumbo);
		if (row->jumbo)
			check_jumbo(pkt, train.copies.pkts[0]);
		train_end(&train);
	}
}

/* clang-format off */
#define CHUNKS(k, n, ...) {.protocol = FRAME_SCTP, .chunks = (k), .payload = (n), __VA_ARGS__}
#define CHUNK(n, ...) CHUNKS(1, n, __VA_ARGS__)
static const struct row sctp_rows[] = {
	ROW("sctp", BOTH, MERGED, SIZES(300), CHUNK(100, ), CHUNK(100, ), CHUNK(100, )),
	ROW("in a tunnel", IPIP | IP6IP6, MERGED, SIZES(300),
	    CHUNK(100, ), CHUNK(100, ), CHUNK(100, )),
	ROW("sizes may be any", BOTH, TIMEOUT, SIZES(196),
	    CHUNK(20, ), CHUNK(100, ), CHUNK(24, ), CHUNK(52, )),
	ROW("padding and two chunks", BOTH, TIMEOUT, SIZES(204),
	    CHUNK(100, .chunk_pad = 3), CHUNKS(2, 48, .chunk_pad = 1),
	    CHUNKS(2, 56, )),
	ROW("i-data", BOTH, MERGED, SIZES(124), CHUNK(100, .chunk_type = 64),
	    CHUNK(24, .chunk_type = 64, .chunk_pad = 3)),
	ROW("another chunk", BOTH, SCTP_CHUNK, SIZES(200, 100, 100),
	    CHUNK(100, ), CHUNK(100, ), CHUNK(100, .chunk_type = 3), CHUNK(100, )),
	ROW("no user data", BOTH, SCTP_CHUNK, SIZES(16, 20), CHUNK(16, ),
	    CHUNK(20, .chunk_type = 64)),
	ROW("longer than the packet", BOTH, SCTP_CHUNK, SIZES(100, 100),
	    CHUNK(100, .bad_chunk = true), CHUNK(100, )),
	ROW("no chunk", BOTH, NO_PAYLOAD, SIZES(0, 0), CHUNK(0, ), CHUNK(0, )),
	ROW("tag", BOTH, SCTP_VTAG, SIZES(100, 100), CHUNK(100, ), CHUNK(100, .vtag = 1)),
	ROW("ports", BOTH, HELD, SIZES(100, 100), CHUNK(100, ), CHUNK(100, .dport = 1)),
	ROW("crc", BOTH, L4_CSUM, SIZES(100, 100, 100),
	    CHUNK(100, ), CHUNK(100, .bad_l4_csum = true), CHUNK(100, )),
	ROW("ids", V4, IP_ID, SIZES(200, 100), CHUNK(100, ), CHUNK(100, ), CHUNK(100, .id = 1)),
	ROW("fixed ids", V4, MERGED, SIZES(200), CHUNK(100, ), CHUNK(100, .id = FIXED(1))),
	ROW("trailing bytes", BOTH, LENGTH, SIZES(101), CHUNK(100, .padding = 1)),
};

static const struct row list_rows[] = {
	ROW("tcp", ALL, MERGED, SIZES(300), SEG(), SEG(), SEG()),
	ROW("udp", ALL, MERGED, SIZES(250), DGRAM(100, ), DGRAM(100, ), DGRAM(50, )),
	ROW("tcp small", BOTH, END_SMALL, SIZES(150, 100), SEG(), {.payload = 50}, SEG()),
	ROW("tcp large", BOTH, SIZE, SIZES(50, 100), {.payload = 50}, SEG()),
	ROW("psh", BOTH, TCP_WORD, SIZES(200, 100, 100),
	    SEG(), SEG(), SEG(.flags = FRAME_PSH), SEG()),
	ROW("fixed ids", ALL4, MERGED, SIZES(300), SEG(), SEG(.id = FIXED(1)), SEG(.id = FIXED(2))),
	ROW("ids", ALL4, IP_ID, SIZES(200, 100), SEG(), SEG(), SEG(.id = 9)),
	ROW("udp zero csum", BOTH, UDP_ZERO_CSUM, SIZES(9, 9),
	    DGRAM(9, .no_csum = true), DGRAM(9, .no_csum = true)),
	ROW("csum", BOTH, L4_CSUM, SIZES(100, 100), SEG(), SEG(.bad_l4_csum = true)),
	ROW("seq", BOTH, TCP_SEQ, SIZES(100, 100), SEG(), SEG(.seq = 1)),
	{"vxlan", BOTH, LEAT_GRO_MERGED, {300}, 3, 1, {SEG(), SEG(), SEG()},
	 {{.tunnel = LEAT_TUNNEL_VXLAN}, {.tunnel = LEAT_TUNNEL_VXLAN},
	  {.tunnel = LEAT_TUNNEL_VXLAN}}},
	{"vxlan remote csum", BOTH, LEAT_GRO_LIST_PARTIAL, {100}, 1, 1, {SEG()},
	 {{.tunnel = LEAT_TUNNEL_VXLAN, .remcsum = true}}},
};

static const struct row accecn_rows[] = {
	ROW("cwr on all", ALL, MERGED, SIZES(300),
	    SEG(.flags = FRAME_CWR), SEG(.flags = FRAME_CWR), SEG(.flags = FRAME_CWR)),
	ROW("cwr on one", BOTH, TCP_WORD, SIZES(100, 100, 100),
	    SEG(), SEG(.flags = FRAME_CWR), SEG()),
	ROW("ece on one", BOTH, TCP_WORD, SIZES(100, 100),
	    SEG(.flags = FRAME_CWR), SEG(.flags = FRAME_CWR | FRAME_ECE)),
	ROW("cwr and syn", BOTH, TCP_FLAGS, SIZES(100), SEG(.flags = FRAME_CWR | FRAME_SYN)),
	ROW("cwr and psh last", BOTH, END_FLAGS, SIZES(200),
	    SEG(.flags = FRAME_CWR), SEG(.flags = FRAME_CWR | FRAME_PSH)),
};
/* clang-format on */

static const struct leat_gro_conf sctp = {.sctp = true}, list = {.fraglist = true},
				  accecn = {.accecn = true};

static void test_rows(void **state)
{
	rows_check(sctp_rows, LENGTH(sctp_rows), &sctp, covered);
	rows_check(list_rows, LENGTH(list_rows), &list, covered);
	rows_check(accecn_rows, LENGTH(accecn_rows), &accecn, covered);
}

/* What the row's packets become: one super-packet. */
static struct train merge_all(const struct leat_gro_conf *conf, const struct row *row)
{
	struct train train = train_start(conf);

	rows_add(&train, row, V4, 0);
	train_receive(&train, row->n, 0);
	train_flush(&train, UINT64_MAX);
	assert_int_equal(train.n_out, 1);
	return train;
}

static void test_sctp_super(void **state)
{
	struct train train = merge_all(&sctp, &sctp_rows[2]);
	const struct leat_pkt *pkt = train.out[0], *p = pkt->frag_list;

	assert_int_equal(pkt->gso_type, LEAT_GSO_SCTP);
	assert_int_equal(pkt->gso_size, LEAT_GSO_BY_FRAGS);
	assert_int_equal(pkt->gso_segs, 4);
	assert_int_equal(pkt->csum, LEAT_CSUM_PARTIAL);
	assert_int_equal(pkt->csum_start, LINK + 20);
	assert_int_equal(pkt->csum_offset, 8);
	assert_int_equal(pkt->headlen, LINK + 20 + 12 + 20);
	assert_ptr_equal(p->data, p->head + LINK + 20 + 12);
	assert_int_equal(p->headlen, 100);
	train_end(&train);
}

/* A partial CRC is right if it is where a CRC belongs; what the field holds does not matter. */
static void test_sctp_partial(void **state)
{
	struct train train = train_start(&sctp);

	rows_add(&train, &sctp_rows[0], V4, 0);
	for (unsigned i = 0; i < 3; i++) {
		train.pkts.pkts[i]->csum = LEAT_CSUM_PARTIAL;
		train.pkts.pkts[i]->csum_start = LINK + 20;
		train.pkts.pkts[i]->csum_offset = i < 2 ? 8 : 6;
	}
	train_receive(&train, 3, 0);
	assert_int_equal(train.gro.count[LEAT_GRO_MERGED], 1);
	assert_int_equal(train.gro.count[LEAT_GRO_L4_CSUM], 1);
	train_end(&train);
}

static void check_list(unsigned row, uint32_t type, bool udp)
{
	struct train train = merge_all(&list, &list_rows[row]);
	const struct leat_pkt *pkt = train.out[0], *was = train.copies.pkts[0];
	uint32_t l4 = LINK + 20, len = pkt->len - l4;

	assert_int_equal(pkt->gso_type, LEAT_GSO_FRAGLIST | type);
	assert_int_equal(pkt->gso_size, 100);
	assert_int_equal(pkt->gso_segs, 3);
	assert_int_equal(pkt->csum, LEAT_CSUM_UNNECESSARY);
	assert_int_equal(pkt->data[LINK + 2] * 256 + pkt->data[LINK + 3], pkt->len - LINK);
	if (udp)
		assert_int_equal(pkt->data[l4 + 4] * 256 + pkt->data[l4 + 5], len);
	else
		assert_memory_equal(pkt->data + l4, was->data + l4, 20);
	assert_memory_equal(pkt->data + l4 + (udp ? 6 : 16), was->data + l4 + (udp ? 6 : 16), 2);
	train_end(&train);
}

static void test_list_super(void **state)
{
	check_list(0, LEAT_GSO_TCPV4, false);
	check_list(1, LEAT_GSO_UDP_L4, true);
	check_list(5, LEAT_GSO_TCPV4, false); /* each member has its ID */
}

/* 64 at most, TCP too; and no partial checksum. */
static void test_list_limits(void **state)
{
	struct train train = train_start(&list);

	for (unsigned i = 0; i < 66; i++)
		train_add(&train, &(struct frame){.id = (uint16_t)i, .seq = 10 * i, .payload = 10});
	train.pkts.pkts[65]->csum = LEAT_CSUM_PARTIAL;
	train_receive(&train, 66, 0);
	assert_int_equal(train.n_out, 3);
	assert_int_equal(train.out[0]->gso_segs, 64);
	assert_int_equal(train.gro.count[LEAT_GRO_MAX_SIZE], 1);
	assert_int_equal(train.gro.count[LEAT_GRO_LIST_PARTIAL], 1);
	train_end(&train);
}

/* Its members' headers count as Linux counts them: the new one's too. */
static void test_list_size(void **state)
{
	struct frame f = {.payload = 65535 - 2 * 40 - 1000};
	struct train train = train_start(&list);

	train_add(&train, &f);
	f.id = 1;
	f.seq = f.payload;
	f.payload = 1000;
	train_add(&train, &f);
	train_receive(&train, 2, 0);
	assert_int_equal(train.gro.count[LEAT_GRO_MERGED], 1);
	train_end(&train);

	train = train_start(&list);
	f = (struct frame){.payload = 65535 - 2 * 40 - 1000};
	train_add(&train, &f);
	f.id = 1;
	f.seq = f.payload;
	f.payload = 1001;
	train_add(&train, &f);
	train_receive(&train, 2, 0);
	assert_int_equal(train.gro.count[LEAT_GRO_MAX_SIZE], 1);
	train_flush(&train, UINT64_MAX);
	train_end(&train);
}

static void test_accecn_super(void **state)
{
	struct train train = merge_all(&accecn, &accecn_rows[0]);

	assert_int_equal(train.out[0]->gso_type, LEAT_GSO_TCPV4 | LEAT_GSO_TCP_ACCECN);
	train_end(&train);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_head),	     cmocka_unit_test(test_big),
		cmocka_unit_test(test_rows),	     cmocka_unit_test(test_sctp_super),
		cmocka_unit_test(test_sctp_partial), cmocka_unit_test(test_list_super),
		cmocka_unit_test(test_list_limits),  cmocka_unit_test(test_list_size),
		cmocka_unit_test(test_accecn_super),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
