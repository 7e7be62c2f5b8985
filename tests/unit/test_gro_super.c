/* SPDX-License-Identifier: MIT */
/*
 * test_gro_super.c - what a super-packet says of itself, and what GRO makes of what packets say of
 * themselves: checksum states.
 */
#include <leat/gro.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "../train.h"

enum { LINK = 14, IP4_CHECK = 10, TCP_CHECK = 16, UDP_CHECK = 6 };

static const struct leat_gro_conf conf = {.udp = true};

/* Three packets of 100 bytes that would merge, not given yet; IDs from `id` on. */
static struct train build_three(uint8_t version, uint8_t protocol, uint16_t id)
{
	struct train train = train_start(&conf);

	for (unsigned i = 0; i < 3; i++)
		train_add(&train, &(struct frame){.version = version,
						  .protocol = protocol,
						  .id = (uint16_t)(id + i),
						  .seq = protocol == FRAME_UDP ? 0 : 100 * i,
						  .payload = 100});
	return train;
}

static void give_three(struct train *train)
{
	train_receive(train, 3, 0);
	train_flush(train, UINT64_MAX);
	train_check_balance(train);
	train_check_conserved(train);
}

static void check_fields(uint8_t version, uint8_t protocol, uint32_t type)
{
	struct train train = build_three(version, protocol, 0);
	struct leat_pkt *pkt = train.pkts.pkts[0], *member = train.pkts.pkts[1];

	pkt->stamp = 77;
	give_three(&train);
	assert_int_equal(train.n_out, 1);
	assert_ptr_equal(train.out[0], pkt);
	assert_int_equal(pkt->gso_type, type);
	assert_int_equal(pkt->gso_size, 100);
	assert_int_equal(pkt->gso_segs, 3);
	assert_int_equal(pkt->slices, 2);
	assert_int_equal(pkt->csum, LEAT_CSUM_PARTIAL);
	assert_int_equal(pkt->csum_start, LINK + (version == 4 ? 20 : 40));
	assert_int_equal(pkt->csum_offset, protocol == FRAME_UDP ? UDP_CHECK : TCP_CHECK);
	assert_int_equal(pkt->len, pkt->payload + 300);
	assert_int_equal(pkt->stamp, 77);
	assert_int_equal(pkt->hash_type, LEAT_HASH_NONE);
	/* A member's headers stay in front of its data. */
	assert_ptr_equal(pkt->frag_list, member);
	assert_int_equal(member->headlen, 100);
	assert_int_equal(member->len, 100);
	assert_memory_equal(member->data - pkt->payload, train.copies.pkts[1]->data,
			    pkt->payload + 100);
	train_end(&train);
}

static void test_fields(void **state)
{
	check_fields(4, FRAME_TCP, LEAT_GSO_TCPV4);
	check_fields(6, FRAME_TCP, LEAT_GSO_TCPV6);
	check_fields(4, FRAME_UDP, LEAT_GSO_UDP_L4);
	check_fields(6, FRAME_UDP, LEAT_GSO_UDP_L4);
}

/* One ID for all is said, for TCP and UDP: GSO must know. */
static void test_fixed_id(void **state)
{
	for (unsigned udp = 0; udp < 2; udp++) {
		struct train train = train_start(&conf);

		for (unsigned i = 0; i < 3; i++)
			train_add(&train, &(struct frame){.protocol = udp ? FRAME_UDP : FRAME_TCP,
							  .id = 7,
							  .seq = udp ? 0 : 100 * i,
							  .payload = 100});
		give_three(&train);
		assert_int_equal(train.n_out, 1);
		assert_int_equal(train.out[0]->gso_type,
				 (udp ? LEAT_GSO_UDP_L4 : LEAT_GSO_TCPV4) | LEAT_GSO_TCP_FIXEDID);
		train_end(&train);
	}
}

/* A packet alone comes out with nothing changed but that its checksum is known to be right. */
static void test_alone(void **state)
{
	struct train train = build_three(4, FRAME_TCP, 0);
	struct leat_pkt *pkt = train.pkts.pkts[0], was = *pkt;

	train_receive(&train, 1, 0);
	train_flush(&train, UINT64_MAX);
	was.csum = LEAT_CSUM_UNNECESSARY;
	assert_memory_equal(pkt, &was, sizeof(was));
	assert_int_equal(train_check_inverse(&train, 0), 1);
	train_end(&train);
}

static void set_partial(struct leat_pkt *pkt)
{
	const struct leat_level *l = leat_pkt_inner(pkt);
	uint8_t *field = pkt->data + l->transport;
	uint16_t sum = frame_pseudo(pkt->data + l->network, l->protocol, pkt->len - l->transport);

	pkt->csum = LEAT_CSUM_PARTIAL;
	pkt->csum_start = l->transport;
	pkt->csum_offset = l->protocol == FRAME_UDP ? UDP_CHECK : TCP_CHECK;
	field[pkt->csum_offset] = (uint8_t)(sum >> 8);
	field[pkt->csum_offset + 1] = (uint8_t)sum;
}

/* Partial checksums merge, and with complete ones. */
static void check_partial(uint8_t version, uint8_t protocol, unsigned which)
{
	struct train train = build_three(version, protocol, 0);

	for (unsigned i = 0; i < 3; i++)
		if ((which >> i & 1) != 0)
			set_partial(train.pkts.pkts[i]);
	give_three(&train);
	assert_int_equal(train.n_out, 1);
	assert_int_equal(train_check_inverse(&train, 0), 3);
	train_end(&train);
}

static void test_partial(void **state)
{
	for (unsigned which = 1; which < 8; which++) {
		check_partial(4, FRAME_TCP, which);
		check_partial(6, FRAME_TCP, which);
		check_partial(4, FRAME_UDP, which);
		check_partial(6, FRAME_UDP, which);
	}
}

static void shift_start(struct leat_pkt *pkt)
{
	pkt->csum_start++;
}

static void shift_offset(struct leat_pkt *pkt)
{
	pkt->csum_offset++;
}

static void spoil_field(struct leat_pkt *pkt)
{
	pkt->data[pkt->csum_start + pkt->csum_offset] ^= 1;
}

/* A merge would make right what would have been completed to something wrong. */
static void test_partial_wrong(void **state)
{
	static void (*const spoil[])(struct leat_pkt *) = {shift_start, shift_offset, spoil_field};

	for (unsigned i = 0; i < sizeof(spoil) / sizeof(spoil[0]); i++) {
		struct train train = build_three(4, FRAME_TCP, 0);

		set_partial(train.pkts.pkts[1]);
		spoil[i](train.pkts.pkts[1]);
		give_three(&train);
		assert_int_equal(train.n_out, 3);
		assert_int_equal(train.gro.count[LEAT_GRO_L4_CSUM], 1);
		train_end(&train);
	}
}

/* What is known to be right is not summed again; what was summed is known from then on. */
static void test_known(void **state)
{
	struct train train = build_three(4, FRAME_TCP, 0);

	for (unsigned i = 0; i < 2; i++) {
		train.pkts.pkts[i]->data[LINK + 20 + TCP_CHECK] ^= 1;
		train.pkts.pkts[i]->csum = LEAT_CSUM_UNNECESSARY;
	}
	give_three(&train);
	assert_int_equal(train.n_out, 1);
	assert_int_equal(train.pkts.pkts[2]->csum, LEAT_CSUM_UNNECESSARY);
	train_end(&train);
}

/* 0xffff is right where a checksum is 0, but it is not what GSO would write. Some ID gives the
 * IPv4 header the checksum 0, some acknowledgment the TCP segment. */
static void test_minus_zero(void **state)
{
	struct frame ip = {.payload = 100}, tcp = {.payload = 100};
	struct train train = train_start(&conf);
	uint8_t bytes[FRAME_HDRS_MAX];

	do {
		ip.id++;
		frame_build(&ip, bytes);
	} while (bytes[LINK + IP4_CHECK] != 0 || bytes[LINK + IP4_CHECK + 1] != 0);
	do {
		tcp.ack++;
		frame_build(&tcp, bytes);
	} while (bytes[LINK + 20 + TCP_CHECK] != 0 || bytes[LINK + 20 + TCP_CHECK + 1] != 0);

	memset(train_add(&train, &ip)->data + LINK + IP4_CHECK, 0xff, 2);
	memset(train_add(&train, &tcp)->data + LINK + 20 + TCP_CHECK, 0xff, 2);
	train_add(&train, &ip);
	give_three(&train);
	assert_int_equal(train.gro.count[LEAT_GRO_IP_CSUM], 1);
	assert_int_equal(train.gro.count[LEAT_GRO_L4_CSUM], 1);
	assert_int_equal(train.gro.count[LEAT_GRO_HELD], 1);
	train_end(&train);
}

/* Its partial checksum may well be 0xffff. */
static void test_partial_minus_zero(void **state)
{
	struct frame f = {.payload = 100};
	struct train train = train_start(&conf);
	uint8_t bytes[FRAME_HDRS_MAX];

	do {
		f.dst++;
		frame_build(&f, bytes);
	} while (frame_pseudo(bytes + LINK, FRAME_TCP, 120) != 0xffff);
	set_partial(train_add(&train, &f));
	train_receive(&train, 1, 0);
	assert_int_equal(train.gro.count[LEAT_GRO_HELD], 1);
	train_end(&train);
}

/* A datagram shorter than its IP packet. */
static void test_udp_length(void **state)
{
	struct train train = build_three(4, FRAME_UDP, 0);

	train.pkts.pkts[1]->data[LINK + 20 + 5] -= 50;
	train.pkts.pkts[1]->csum = LEAT_CSUM_UNNECESSARY;
	give_three(&train);
	assert_int_equal(train.n_out, 3);
	assert_int_equal(train.gro.count[LEAT_GRO_LENGTH], 1);
	train_end(&train);
}

/* What is more than an ordinary frame passes: with a type alone, or of several slices. */
static void test_more_than_frame(void **state)
{
	struct train train = build_three(4, FRAME_TCP, 0);
	struct leat_pkt *pkt = train.pkts.pkts[0], slice = {.data = pkt->data};

	leat_pkt_chain(pkt, &slice);
	train.pkts.pkts[1]->gso_type = LEAT_GSO_DODGY;
	train_receive(&train, 3, 0);
	assert_int_equal(train.n_out, 2);
	assert_int_equal(train.gro.count[LEAT_GRO_IS_GSO], 2);
	assert_int_equal(train.gro.held, 1);
	train_end(&train);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),	      cmocka_unit_test(test_fixed_id),
		cmocka_unit_test(test_alone),	      cmocka_unit_test(test_partial),
		cmocka_unit_test(test_partial_wrong), cmocka_unit_test(test_known),
		cmocka_unit_test(test_minus_zero),    cmocka_unit_test(test_partial_minus_zero),
		cmocka_unit_test(test_udp_length),    cmocka_unit_test(test_more_than_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
