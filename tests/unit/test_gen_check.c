/* SPDX-License-Identifier: MIT */
/* test_gen_check.c - what a generator port that is declared to segment takes for right. */
#include <leat/gso.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../frame.h"
#include "port/gen_check.h"

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct frame in = {.payload = 3000}, in_bad = {.payload = 3000, .bad_l4_csum = true};

#define VXLAN .tunnel = LEAT_TUNNEL_VXLAN

static const struct frame plain = {.payload = 3000}, plain6 = {.version = 6, .payload = 3000},
			  udp = {.protocol = FRAME_UDP, .payload = 100},
			  vxlan = {VXLAN, .inner = &in};

static const struct port port = {
	.gso = LEAT_GSO_TCPV4 | LEAT_GSO_UDP_TUNNEL_CSUM | LEAT_GSO_PARTIAL | LEAT_GSO_DODGY,
	.partial = LEAT_GSO_UDP_TUNNEL_CSUM,
	.features = PORT_SG | PORT_TX_CSUM,
	.tso_max_size = 3500,
};

static const struct {
	const char *name;
	struct frame frame;
	bool right;
} frames[] = {
	{"tcp", {.payload = 10}, true},
	{"tcp, ip checksum", {.payload = 10, .bad_ip_csum = true}, false},
	{"tcp, checksum", {.payload = 10, .bad_l4_csum = true}, false},
	{"udp", {.protocol = FRAME_UDP, .payload = 10}, true},
	{"udp, none", {.protocol = FRAME_UDP, .payload = 10, .no_csum = true}, true},
	{"udp, checksum", {.protocol = FRAME_UDP, .payload = 10, .bad_l4_csum = true}, false},
	{"another protocol", {.protocol = 1, .payload = 10}, true},
	{"fragment", {.frag_off = FRAME_MF, .payload = 10, .bad_l4_csum = true}, true},
	{"vxlan", {VXLAN, .inner = &in}, true},
	{"vxlan, inner checksum", {VXLAN, .inner = &in_bad}, false},
	{"vxlan, outer checksum", {VXLAN, .inner = &in, .bad_l4_csum = true}, false},
	{"vxlan, outer ip checksum", {VXLAN, .inner = &in, .bad_ip_csum = true}, false},
	{"vxlan, no outer checksum", {VXLAN, .inner = &in, .no_csum = true}, true},
	{"gre", {.tunnel = LEAT_TUNNEL_GRE, .gre_csum = true, .inner = &in}, true},
	{"gre, checksum",
	 {.tunnel = LEAT_TUNNEL_GRE, .gre_csum = true, .inner = &in, .bad_l4_csum = true},
	 false},
};

static bool check(const struct leat_pkt *pkt)
{
	struct iovec iov[2] = {{pkt->data, 20}, {pkt->data + 20, pkt->headlen - 20}};
	struct port_frame f = {.iov = iov, .niov = 2, .len = pkt->len, .pkt = pkt};
	uint8_t *room = malloc(LEAT_PKT_LEN_MAX);
	bool right;

	f.meta = leat_vnet_meta(pkt);
	right = gen_check(&port, &f, room);
	free(room);
	return right;
}

static void test_frames(void **state)
{
	for (size_t i = 0; i < LENGTH(frames); i++) {
		struct arena arena = {0};
		struct leat_pkt *pkt = arena_frame(&arena, &frames[i].frame);

		print_message("%s\n", frames[i].name);
		assert_int_equal(check(pkt), frames[i].right);
		pkt->csum = LEAT_CSUM_UNNECESSARY; /* a claim, no more */
		assert_int_equal(check(pkt), frames[i].right);
		arena_clear(&arena);
	}
}

#define IN_VXLAN (LEAT_GSO_TCPV4 | LEAT_GSO_UDP_TUNNEL_CSUM)

static const struct {
	const char *name;
	const struct frame *frame;
	uint32_t gso_type;
	uint16_t gso_size;
	uint8_t csum;
	bool right;
} supers[] = {
	{"tso", &plain, LEAT_GSO_TCPV4, 1400, LEAT_CSUM_PARTIAL, true},
	{"not partial", &plain, LEAT_GSO_TCPV4, 1400, LEAT_CSUM_UNNECESSARY, false},
	{"gso_size 0", &plain, LEAT_GSO_TCPV4, 0, LEAT_CSUM_PARTIAL, false},
	{"one segment", &plain, LEAT_GSO_TCPV4, 3000, LEAT_CSUM_PARTIAL, false},
	{"not declared", &plain6, LEAT_GSO_TCPV6, 1400, LEAT_CSUM_PARTIAL, false},
	{"after partial gso alone", &vxlan, IN_VXLAN, 1000, LEAT_CSUM_PARTIAL, false},
	{"partial gso", &vxlan, IN_VXLAN | LEAT_GSO_PARTIAL, 1000, LEAT_CSUM_PARTIAL, true},
	{"with a tail", &vxlan, IN_VXLAN | LEAT_GSO_PARTIAL, 1001, LEAT_CSUM_PARTIAL, false},
	{"no super-packet", &udp, LEAT_GSO_TCPV4, 50, LEAT_CSUM_PARTIAL, false},
};

static void test_supers(void **state)
{
	for (size_t i = 0; i < LENGTH(supers); i++) {
		struct arena arena = {0};
		struct leat_pkt *pkt = arena_frame(&arena, supers[i].frame);

		print_message("%s\n", supers[i].name);
		pkt->gso_type = supers[i].gso_type;
		pkt->gso_size = supers[i].gso_size;
		pkt->csum = supers[i].csum;
		pkt->csum_start = leat_pkt_inner(pkt)->transport;
		pkt->csum_offset = supers[i].frame == &udp ? 6 : 16;
		assert_int_equal(check(pkt), supers[i].right);
		arena_clear(&arena);
	}
}

static void test_size(void **state)
{
	struct arena arena = {0};
	struct leat_pkt *pkt = arena_frame(&arena, &(struct frame){.payload = 4000});

	pkt->gso_type = LEAT_GSO_TCPV4;
	pkt->gso_size = 1000;
	pkt->csum = LEAT_CSUM_PARTIAL;
	pkt->csum_start = 34;
	pkt->csum_offset = 16;
	assert_false(check(pkt));
	arena_clear(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_supers),
		cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
