/* SPDX-License-Identifier: MIT */
/*
 * test_vnet_tunnel.c - virtio_net_hdr of 20 and 24 bytes, and of super-packets in tunnels. Rows
 * marked "6.18" have the outcome of write() on a TAP of that kernel.
 */
#include "vnet_hdr.h"

/* What the writer of a row's second half reads. */
static const uint8_t *be24(unsigned hash, unsigned report, unsigned outer, unsigned inner)
{
	static uint8_t bytes[12];

	put16(bytes, hash & 0xffff);
	put16(bytes + 2, hash >> 16);
	put16(bytes + 4, report);
	put16(bytes + 8, outer);
	put16(bytes + 10, inner);
	return bytes;
}

static void test_write_tunnel(void **state)
{
	static const struct {
		const char *name;
		uint32_t gso_type;
		uint8_t csum, version;
		int result;
		uint8_t flags, type;
	} rows[] = {
		{"tcp", LEAT_GSO_TCPV4 | LEAT_GSO_UDP_TUNNEL, PARTIAL, 4, 0, NEEDS, 0x20 | TCP4},
		{"tcp, csum", LEAT_GSO_TCPV6 | LEAT_GSO_UDP_TUNNEL_CSUM, PARTIAL, 4, 0, NEEDS | 8,
		 0x20 | TCP6},
		{"ipv6 outside", LEAT_GSO_TCPV4 | LEAT_GSO_UDP_TUNNEL | LEAT_GSO_DODGY, PARTIAL, 6,
		 0, NEEDS, 0x40 | TCP4},
		{"ecn", LEAT_GSO_TCPV4 | LEAT_GSO_UDP_TUNNEL | LEAT_GSO_TCP_ECN, PARTIAL, 6, 0,
		 NEEDS, 0x40 | TCP4 | ECN},
		{"uso", LEAT_GSO_UDP_L4 | LEAT_GSO_UDP_TUNNEL_CSUM, PARTIAL, 6, 0, NEEDS | 8,
		 0x40 | USO},
		{"not partial", LEAT_GSO_TCPV4 | LEAT_GSO_UDP_TUNNEL, NONE, 4, -EOPNOTSUPP, 0, 0},
		{"ufo", LEAT_GSO_UDP | LEAT_GSO_UDP_TUNNEL, PARTIAL, 4, -EOPNOTSUPP, 0, 0},
		{"alone", LEAT_GSO_UDP_TUNNEL, PARTIAL, 4, -EOPNOTSUPP, 0, 0},
		{"both", LEAT_GSO_TCPV4 | LEAT_GSO_UDP_TUNNEL | LEAT_GSO_UDP_TUNNEL_CSUM, PARTIAL,
		 4, -EOPNOTSUPP, 0, 0},
		{"with gre", LEAT_GSO_TCPV4 | LEAT_GSO_UDP_TUNNEL | LEAT_GSO_GRE, PARTIAL, 4,
		 -EOPNOTSUPP, 0, 0},
		{"remcsum", LEAT_GSO_TCPV4 | LEAT_GSO_UDP_TUNNEL | LEAT_GSO_TUNNEL_REMCSUM, PARTIAL,
		 4, -EOPNOTSUPP, 0, 0},
		{"no version", LEAT_GSO_TCPV4 | LEAT_GSO_UDP_TUNNEL, PARTIAL, 0, -EOPNOTSUPP, 0, 0},
		{"fixed ids", LEAT_GSO_TCPV4 | LEAT_GSO_UDP_TUNNEL | LEAT_GSO_TCP_FIXEDID, PARTIAL,
		 4, -EOPNOTSUPP, 0, 0},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct leat_vnet_meta meta =
			META(rows[i].gso_type, 1400, 84, 16, 104, rows[i].csum);
		uint8_t hdr[24], want[24] = {0};

		print_message("%s\n", rows[i].name);
		meta.outer_version = rows[i].version;
		meta.outer_transport = 34;
		meta.inner_network = 64;
		meta.hash = 0x12345678;
		meta.hash_type = LEAT_HASH_L4;
		meta.version = 6;
		meta.protocol = FRAME_TCP;
		memset(hdr, 0xee, sizeof(hdr));
		assert_int_equal(leat_vnet_write(&meta, hdr, 12), -EOPNOTSUPP);
		assert_int_equal(leat_vnet_write(&meta, hdr, 20), -EOPNOTSUPP);
		assert_int_equal(hdr[0], 0xee);
		assert_int_equal(leat_vnet_write(&meta, hdr, 24), rows[i].result);
		if (rows[i].result)
			continue;
		put(want, &(struct hdr){rows[i].flags, rows[i].type, 104, 1400, 84, 16});
		memcpy(want + 12, be24(0x12345678, 5, 34, 64), 12);
		assert_memory_equal(hdr, want, 24);
	}
}

/* A VXLAN frame: Ethernet 0, IPv4 14, UDP 34, VXLAN 42, Ethernet 50, IPv4 64, TCP 84, payload 104 of
 * 454. With IPv6 outside 20 more. */
struct tunnel_row {
	const char *name;
	struct hdr hdr;
	uint16_t outer, inner;
	int result;
	uint16_t gso_size;
	uint32_t gso_type;
	uint8_t levels;
};

enum { T4 = 0x20, T6 = 0x40, CSUM = LEAT_VNET_F_UDP_TUNNEL_CSUM };

#define IN_UDP	    (DODGY4 | LEAT_GSO_UDP_TUNNEL)
#define IN_UDP_CSUM (DODGY4 | LEAT_GSO_UDP_TUNNEL_CSUM)

/* "6.18": as that kernel answered the same write() on a TAP. */
static const struct tunnel_row vxlan_rows[] = {
	{"tso, 6.18", {NEEDS, T4 | TCP4, 104, 100, 84, 16}, 34, 64, 0, 100, IN_UDP, 2},
	{"tso, csum, 6.18",
	 {NEEDS | CSUM, T4 | TCP4, 104, 100, 84, 16},
	 34,
	 64,
	 0,
	 100,
	 IN_UDP_CSUM,
	 2},
	{"ecn, 6.18",
	 {NEEDS, T4 | TCP4 | ECN, 104, 100, 84, 16},
	 34,
	 64,
	 0,
	 100,
	 IN_UDP | LEAT_GSO_TCP_ECN,
	 2},
	{"hdr_len 0, 6.18", {NEEDS, T4 | TCP4, 0, 100, 84, 16}, 34, 64, 0, 100, IN_UDP, 2},
	{"one segment", {NEEDS, T4 | TCP4, 104, 350, 84, 16}, 34, 64, 0, 0, 0, 2},
	{"not partial, 6.18", {0, T4 | TCP4, 104, 100, 84, 16}, 34, 64, -EINVAL, 0, 0, 2},
	{"valid too, 6.18",
	 {NEEDS | VALID, T4 | TCP4, 104, 100, 84, 16},
	 34,
	 64,
	 0,
	 100,
	 IN_UDP,
	 2},
	{"both types, 6.18", {NEEDS, T4 | T6 | TCP4, 104, 100, 84, 16}, 34, 64, -EINVAL, 0, 0, 2},
	{"ipv6 outside, 6.18", {NEEDS, T6 | TCP4, 104, 100, 84, 16}, 34, 64, -EINVAL, 0, 0, 2},
	{"tunnel alone, 6.18", {NEEDS, T4, 104, 100, 84, 16}, 34, 64, -EINVAL, 0, 0, 2},
	{"ecn and tunnel alone", {NEEDS, T4 | ECN, 104, 100, 84, 16}, 34, 64, -EINVAL, 0, 0, 2},
	{"ufo, 6.18", {NEEDS, T4 | UFO, 104, 100, 84, 6}, 34, 64, -EINVAL, 0, 0, 2},
	{"tcp6, 6.18", {NEEDS, T4 | TCP6, 104, 100, 84, 16}, 34, 64, -EINVAL, 0, 0, 2},
	{"uso over tcp", {NEEDS, T4 | USO, 104, 100, 84, 6}, 34, 64, -EINVAL, 0, 0, 2},
	{"outer before udp, 6.18", {NEEDS, T4 | TCP4, 104, 100, 84, 16}, 33, 64, -EINVAL, 0, 0, 2},
	{"outer behind udp", {NEEDS, T4 | TCP4, 104, 100, 84, 16}, 36, 64, -EINVAL, 0, 0, 2},
	{"outer 0, 6.18", {NEEDS, T4 | TCP4, 104, 100, 84, 16}, 0, 64, -EINVAL, 0, 0, 2},
	{"inner in udp, 6.18", {NEEDS, T4 | TCP4, 104, 100, 84, 16}, 34, 41, -EINVAL, 0, 0, 2},
	{"inner in vxlan", {NEEDS, T4 | TCP4, 104, 100, 84, 16}, 34, 42, -EINVAL, 0, 0, 2},
	{"inner at ethernet", {NEEDS, T4 | TCP4, 104, 100, 84, 16}, 34, 50, -EINVAL, 0, 0, 2},
	{"inner one further, 6.18", {NEEDS, T4 | TCP4, 104, 100, 84, 16}, 34, 65, -EINVAL, 0, 0, 2},
	{"inner past the end", {NEEDS, T4 | TCP4, 104, 100, 84, 16}, 34, 0xffff, -EINVAL, 0, 0, 2},
	{"csum_start in ip, 6.18", {NEEDS, T4 | TCP4, 104, 100, 83, 16}, 34, 64, -EINVAL, 0, 0, 2},
	{"csum_start in tcp", {NEEDS, T4 | TCP4, 104, 100, 86, 16}, 34, 64, -EINVAL, 0, 0, 2},
	{"csum_start outer, 6.18", {NEEDS, T4 | TCP4, 104, 100, 34, 6}, 34, 64, -EINVAL, 0, 0, 2},
	{"csum_offset, 6.18", {NEEDS, T4 | TCP4, 104, 100, 84, 6}, 34, 64, -EINVAL, 0, 0, 2},
	{"gso_size 0, 6.18", {NEEDS, T4 | TCP4, 104, 0, 84, 16}, 34, 64, -EINVAL, 0, 0, 2},
	{"gso_size 0xffff, 6.18",
	 {NEEDS, T4 | TCP4, 104, 0xffff, 84, 16},
	 34,
	 64,
	 -EINVAL,
	 0,
	 0,
	 2},
	{"hdr_len, 6.18", {NEEDS, T4 | TCP4, 455, 100, 84, 16}, 34, 64, -EINVAL, 0, 0, 2},
	/* without a tunnel's type */
	{"the inside alone", {NEEDS, TCP4, 104, 100, 84, 16}, 0, 0, -EINVAL, 0, 0, 2},
	{"of course not", {0, TCP4, 104, 100, 0, 0}, 0, 0, -EINVAL, 0, 0, 2},
	{"csum of no tunnel", {CSUM, 0, 0, 0, 0, 0}, 0, 0, -EINVAL, 0, 0, 2},
	{"csum of no tunnel, tso", {CSUM | NEEDS, TCP4, 0, 100, 84, 16}, 0, 0, -EINVAL, 0, 0, 2},
	{"the inner checksum, 6.18", {NEEDS, 0, 104, 0, 84, 16}, 0, 0, 0, 0, 0, 2},
	{"offsets for nothing, 6.18", {0, 0, 104, 0, 0, 0}, 34, 64, 0, 0, 0, 2},
	{"the outer checksum", {NEEDS, 0, 42, 0, 34, 6}, 0, 0, 0, 0, 0, 1},
	{"uso of the outside, 6.18", {NEEDS, USO, 42, 100, 34, 6}, 0, 0, 0, 100, DODGY_USO, 1},
	{"ufo of the outside, 6.18", {NEEDS, UFO, 42, 104, 34, 6}, 0, 0, 0, 104, DODGY_UFO, 1},
	{"ufo, not partial, 6.18", {0, UFO, 42, 104, 0, 0}, 0, 0, 0, 104, DODGY_UFO, 1},
	{"uso, not partial", {0, USO, 42, 104, 0, 0}, 0, 0, -EINVAL, 0, 0, 2},
	{"tcp at the outside", {NEEDS, TCP4, 42, 104, 34, 16}, 0, 0, -EINVAL, 0, 0, 2},
};

static const struct tunnel_row vxlan6_rows[] = {
	{"tso, 6.18", {NEEDS, T6 | TCP4, 124, 100, 104, 16}, 54, 84, 0, 100, IN_UDP, 2},
	{"ipv4 outside", {NEEDS, T4 | TCP4, 124, 100, 104, 16}, 54, 84, -EINVAL, 0, 0, 2},
};

/* A port that the parser was not told of: a UDP packet of one level unless the header knows better. */
static const struct tunnel_row elsewhere_rows[] = {
	{"tso, 6.18", {NEEDS, T4 | TCP4, 104, 100, 84, 16}, 34, 64, 0, 100, IN_UDP, 2},
	{"nothing there", {NEEDS, T4 | TCP4, 104, 100, 84, 16}, 34, 66, -EINVAL, 0, 0, 1},
	{"csum_start", {NEEDS, T4 | TCP4, 104, 100, 86, 16}, 34, 64, -EINVAL, 0, 0, 1},
	{"plain", {0, 0, 0, 0, 0, 0}, 0, 0, 0, 0, 0, 1},
	{"the outer checksum", {NEEDS, 0, 42, 0, 34, 6}, 0, 0, 0, 0, 0, 1},
};

/* IPv4 14, GRE 34, IPv4 38, TCP 58, payload 78; IPIP: IPv4 34, TCP 54. */
static const struct tunnel_row gre_rows[] = {
	{"tso", {NEEDS, TCP4, 78, 100, 58, 16}, 0, 0, 0, 100, DODGY4 | LEAT_GSO_GRE, 2},
	{"not partial", {0, TCP4, 78, 100, 0, 0}, 0, 0, 0, 100, DODGY4 | LEAT_GSO_GRE, 2},
	{"at gre", {NEEDS, TCP4, 78, 100, 34, 16}, 0, 0, -EINVAL, 0, 0, 2},
	{"a udp tunnel's", {NEEDS, T4 | TCP4, 78, 100, 58, 16}, 34, 38, -EINVAL, 0, 0, 2},
};

static const struct tunnel_row gre_csum_rows[] = {
	{"tso", {NEEDS, TCP4, 82, 100, 62, 16}, 0, 0, 0, 100, DODGY4 | LEAT_GSO_GRE_CSUM, 2},
};

static const struct tunnel_row ipip_rows[] = {
	{"tso", {NEEDS, TCP4, 74, 100, 54, 16}, 0, 0, 0, 100, DODGY4 | LEAT_GSO_IPXIP4, 2},
	{"ecn",
	 {NEEDS, TCP4 | ECN, 74, 100, 54, 16},
	 0,
	 0,
	 0,
	 100,
	 DODGY4 | LEAT_GSO_IPXIP4 | LEAT_GSO_TCP_ECN,
	 2},
	{"tcp6", {NEEDS, TCP6, 74, 100, 54, 16}, 0, 0, -EINVAL, 0, 0, 2},
	{"at the inner ip header", {NEEDS, TCP4, 74, 100, 34, 16}, 0, 0, -EINVAL, 0, 0, 2},
};

static const struct tunnel_row ip4in6_rows[] = {
	{"tso", {NEEDS, TCP4, 94, 100, 74, 16}, 0, 0, 0, 100, DODGY4 | LEAT_GSO_IPXIP6, 2},
};

static const struct tunnel_row udp_in_ipip_rows[] = {
	{"uso", {NEEDS, USO, 62, 100, 54, 6}, 0, 0, 0, 100, DODGY_USO | LEAT_GSO_IPXIP4, 2},
	{"ufo", {NEEDS, UFO, 62, 104, 54, 6}, 0, 0, -EINVAL, 0, 0, 2},
};

static const struct frame in = {.payload = 350}, in_udp = {.protocol = FRAME_UDP, .payload = 350};

static const struct {
	struct frame frame;
	const struct tunnel_row *rows;
	size_t n;
} tunnels[] = {
#define VXLAN .tunnel = LEAT_TUNNEL_VXLAN, .no_csum = true, .inner = &in
	{{VXLAN}, vxlan_rows, LENGTH(vxlan_rows)},
	{{VXLAN, .version = 6}, vxlan6_rows, LENGTH(vxlan6_rows)},
	{{VXLAN, .dport = 9999}, elsewhere_rows, LENGTH(elsewhere_rows)},
	{{.tunnel = LEAT_TUNNEL_GRE, .inner = &in}, gre_rows, LENGTH(gre_rows)},
	{{.tunnel = LEAT_TUNNEL_GRE, .gre_csum = true, .inner = &in}, gre_csum_rows, 1},
	{{.tunnel = LEAT_TUNNEL_IP, .inner = &in}, ipip_rows, LENGTH(ipip_rows)},
	{{.tunnel = LEAT_TUNNEL_IP, .version = 6, .inner = &in}, ip4in6_rows, 1},
	{{.tunnel = LEAT_TUNNEL_IP, .inner = &in_udp}, udp_in_ipip_rows, 2},
};

static void check_tunnel(struct leat_pkt *pkt, const struct tunnel_row *row, size_t len)
{
	uint8_t hdr[24] = {0}, again[24];
	struct leat_pkt before = *pkt;
	struct leat_vnet_meta meta;

	print_message("%s, %zu bytes\n", row->name, len);
	put(hdr, &row->hdr);
	put16(hdr + 20, row->outer);
	put16(hdr + 22, row->inner);
	assert_int_equal(leat_vnet_read(pkt, hdr, len), row->result);
	assert_int_equal(pkt->levels, row->levels);
	if (row->result) {
		assert_memory_equal(pkt, &before, sizeof(before));
		return;
	}
	assert_int_equal(pkt->gso_type, row->gso_type);
	assert_int_equal(pkt->gso_size, row->gso_size);
	assert_int_equal(pkt->csum, row->hdr.flags & NEEDS ? PARTIAL : NONE);
	/* And back: the header that we would have written says the same. */
	meta = leat_vnet_meta(pkt);
	assert_int_equal(leat_vnet_write(&meta, again, len), 0);
	before = *pkt;
	assert_int_equal(leat_vnet_read(pkt, again, len), 0);
	assert_memory_equal(pkt, &before, sizeof(before));
}

static void test_read_tunnels(void **state)
{
	for (size_t i = 0; i < LENGTH(tunnels); i++) {
		struct arena arena = {0};
		struct leat_pkt *pkt = arena_frame(&arena, &tunnels[i].frame);
		struct leat_pkt fresh = *pkt;

		for (size_t j = 0; j < tunnels[i].n; j++) {
			const struct tunnel_row *row = &tunnels[i].rows[j];
			bool named = row->hdr.type & (T4 | T6) || row->hdr.flags & CSUM;

			*pkt = fresh;
			check_tunnel(pkt, row, 24);
			for (size_t len = 10; !named && len <= 20; len += len == 12 ? 8 : 2) {
				*pkt = fresh;
				check_tunnel(pkt, row, len);
			}
		}
		arena_clear(&arena);
	}
}

/* In a header that has no room for a UDP tunnel its types are unknown. */
static void test_tunnel_types_need_24(void **state)
{
	struct arena arena = {0};
	struct leat_pkt *pkt = arena_frame(&arena, &tunnels[0].frame);
	uint8_t hdr[24] = {0};

	put(hdr, &vxlan_rows[0].hdr);
	for (size_t len = 10; len <= 20; len += len == 12 ? 8 : 2)
		assert_int_equal(leat_vnet_read(pkt, hdr, len), -EINVAL);
	arena_clear(&arena);
}

static void test_hash(void **state)
{
	static const struct {
		struct frame frame;
		uint8_t type; /* enum leat_hash_type */
		uint16_t report;
	} rows[] = {
		{{.payload = 1}, LEAT_HASH_L4, 2},
		{{.payload = 1}, LEAT_HASH_L3, 1},
		{{.payload = 1}, LEAT_HASH_L2, 0},
		{{.payload = 1}, LEAT_HASH_NONE, 0},
		{{.protocol = FRAME_UDP}, LEAT_HASH_L4, 3},
		{{.version = 6}, LEAT_HASH_L3, 4},
		{{.version = 6}, LEAT_HASH_L4, 5},
		{{.version = 6, .protocol = FRAME_UDP}, LEAT_HASH_L4, 6},
		{{.protocol = 132, .payload = 20}, LEAT_HASH_L4, 0},
		{{VXLAN, .version = 6}, LEAT_HASH_L4, 2}, /* of the inside */
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct arena arena = {0};
		struct leat_pkt *pkt = arena_frame(&arena, &rows[i].frame);
		uint8_t hdr[24], want[24] = {0};
		struct leat_vnet_meta meta;

		pkt->hash = 0xfedcba98;
		pkt->hash_type = rows[i].type;
		meta = leat_vnet_meta(pkt);
		assert_int_equal(leat_vnet_write(&meta, hdr, 20), 0);
		memcpy(want, be24(rows[i].report ? 0xfedcba98 : 0, rows[i].report, 0, 0), 8);
		assert_memory_equal(hdr + 12, want, 8);
		assert_int_equal(leat_vnet_write(&meta, hdr, 24), 0);
		assert_memory_equal(hdr + 12, want, 12);
		pkt->hash = 1;
		pkt->hash_type = LEAT_HASH_L2;
		assert_int_equal(leat_vnet_read(pkt, hdr, 20), 0);
		assert_int_equal(pkt->hash, rows[i].report ? 0xfedcba98 : 0);
		assert_int_equal(pkt->hash_type, rows[i].report ? rows[i].type : LEAT_HASH_NONE);
		arena_clear(&arena);
	}
}

/* What each report is taken for; 10 bytes or 12 say nothing of a hash. */
static void test_reports(void **state)
{
	static const uint8_t types[] = {
		LEAT_HASH_NONE, LEAT_HASH_L3, LEAT_HASH_L4,   LEAT_HASH_L4,
		LEAT_HASH_L3,	LEAT_HASH_L4, LEAT_HASH_L4,   LEAT_HASH_L3,
		LEAT_HASH_L4,	LEAT_HASH_L4, LEAT_HASH_NONE,
	};
	struct arena arena = {0};
	struct leat_pkt *pkt = arena_frame(&arena, &(struct frame){.payload = 1});

	for (unsigned report = 0; report < 256; report++) {
		uint8_t type = report < LENGTH(types) ? types[report] : LEAT_HASH_NONE,
			hdr[24] = {0};

		memcpy(hdr + 12, be24(7, report, 0, 0), 12);
		pkt->hash = 9;
		pkt->hash_type = LEAT_HASH_L2;
		assert_int_equal(leat_vnet_read(pkt, hdr, 12), 0);
		assert_int_equal(pkt->hash_type, LEAT_HASH_L2);
		assert_int_equal(leat_vnet_read(pkt, hdr, 24), 0);
		assert_int_equal(pkt->hash_type, type);
		assert_int_equal(pkt->hash, type == LEAT_HASH_NONE ? 0 : 7);
	}
	arena_clear(&arena);
}

/* What is segmented, and what is around it. */
static const struct frame plain4 = {.payload = 3000}, plain6 = {.version = 6, .payload = 3000},
			  udp4 = {.protocol = FRAME_UDP, .payload = 3000},
			  udp6 = {.version = 6, .protocol = FRAME_UDP, .payload = 3000};
static const struct inside {
	const struct frame *frame;
	uint32_t type;
	uint16_t check;
} insides[] = {{&plain4, LEAT_GSO_TCPV4, 16},
	       {&plain6, LEAT_GSO_TCPV6, 16},
	       {&plain4, LEAT_GSO_TCPV4 | LEAT_GSO_TCP_ECN, 16},
	       {&udp4, LEAT_GSO_UDP_L4, 6},
	       {&udp6, LEAT_GSO_UDP_L4, 6},
	       {&udp4, LEAT_GSO_UDP, 6},
	       {&udp6, LEAT_GSO_UDP, 6}};
static const struct outside {
	struct frame frame;
	uint32_t type;
} outsides[] = {{{0}, 0},
		{{.tunnel = LEAT_TUNNEL_IP}, LEAT_GSO_IPXIP4},
		{{.tunnel = LEAT_TUNNEL_IP, .version = 6}, LEAT_GSO_IPXIP6},
		{{.tunnel = LEAT_TUNNEL_GRE, .gre_key = true}, LEAT_GSO_GRE},
		{{.tunnel = LEAT_TUNNEL_GRE, .eth = true}, LEAT_GSO_GRE},
		{{.tunnel = LEAT_TUNNEL_GRE, .gre_csum = true, .version = 6}, LEAT_GSO_GRE_CSUM},
		{{.tunnel = LEAT_TUNNEL_VXLAN}, LEAT_GSO_UDP_TUNNEL_CSUM},
		{{.tunnel = LEAT_TUNNEL_VXLAN, .vlans = 2, .no_csum = true}, LEAT_GSO_UDP_TUNNEL},
		{{.tunnel = LEAT_TUNNEL_GENEVE, .version = 6}, LEAT_GSO_UDP_TUNNEL_CSUM},
		{{.tunnel = LEAT_TUNNEL_GUE, .no_csum = true}, LEAT_GSO_UDP_TUNNEL},
		{{.tunnel = LEAT_TUNNEL_FOU, .no_csum = true}, LEAT_GSO_UDP_TUNNEL}};

static bool is_expressible(const struct inside *inner, const struct outside *outer, bool partial,
			   size_t len)
{
	if (outer->type & (LEAT_GSO_UDP_TUNNEL | LEAT_GSO_UDP_TUNNEL_CSUM) &&
	    !(partial && len == 24))
		return false;
	if (inner->type == LEAT_GSO_UDP)
		return outer->type == 0;
	return partial || inner->type != LEAT_GSO_UDP_L4;
}

static struct leat_pkt *make_super(struct arena *arena, const struct inside *inner,
				   const struct outside *outer, bool partial, size_t len)
{
	struct frame f = outer->frame;
	struct leat_pkt *pkt;

	if (outer->type == 0)
		f = *inner->frame;
	else
		f.inner = inner->frame;
	pkt = arena_frame(arena, &f);
	assert_int_equal(pkt->depth, LEAT_DEPTH_TRANSPORT);
	assert_int_equal(pkt->levels, outer->type == 0 ? 1 : 2);
	pkt->gso_type = inner->type | outer->type | LEAT_GSO_DODGY;
	pkt->gso_size = 1000;
	if (partial) {
		pkt->csum = PARTIAL;
		pkt->csum_start = leat_pkt_inner(pkt)->transport;
		pkt->csum_offset = inner->check;
	}
	if (len >= 20) {
		pkt->hash = 77;
		pkt->hash_type = LEAT_HASH_L4;
	}
	return pkt;
}

/* Write it, and if that can be, read it back as it was. Gives whether it could. */
static bool express(const struct inside *inner, const struct outside *outer, bool partial,
		    size_t len)
{
	bool can = is_expressible(inner, outer, partial, len);
	struct arena arena = {0};
	struct leat_pkt *pkt = make_super(&arena, inner, outer, partial, len), before;
	struct leat_vnet_meta meta = leat_vnet_meta(pkt);
	uint8_t hdr[24];

	assert_int_equal(leat_vnet_write(&meta, hdr, len), can ? 0 : -EOPNOTSUPP);
	if (can) {
		before = *pkt;
		pkt->gso_type = 0;
		pkt->gso_size = 0;
		pkt->csum = NONE;
		assert_int_equal(leat_vnet_read(pkt, hdr, len), 0);
		assert_memory_equal(pkt, &before, sizeof(before));
	}
	arena_clear(&arena);
	return can;
}

/* Every type that a header of some length can express comes back from it as it was. */
static void test_expressible(void **state)
{
	static const size_t lengths[] = {10, 12, 20, 24};
	unsigned expressed = 0;

	for (size_t i = 0; i < LENGTH(insides); i++) {
		for (size_t o = 0; o < LENGTH(outsides); o++) {
			for (size_t n = 0; n < 2 * LENGTH(lengths); n++)
				expressed +=
					express(&insides[i], &outsides[o], n % 2, lengths[n / 2]);
		}
	}
	print_message("%u combinations expressed\n", expressed);
	assert_true(expressed > 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_tunnel),
		cmocka_unit_test(test_read_tunnels),
		cmocka_unit_test(test_tunnel_types_need_24),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_reports),
		cmocka_unit_test(test_expressible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
