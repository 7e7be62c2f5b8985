/* SPDX-License-Identifier: MIT */
/*
 * vnet_hdr.h - what the tests of virtio_net_hdr write theirs with.
 */
#ifndef LEAT_TESTS_VNET_HDR_H
#define LEAT_TESTS_VNET_HDR_H

#include <errno.h>
#include <leat/csum.h>
#include <leat/parse.h>
#include <leat/vnet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "../frame.h"

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))

enum {
	NEEDS = LEAT_VNET_F_NEEDS_CSUM,
	VALID = LEAT_VNET_F_DATA_VALID,
	TCP4 = LEAT_VNET_GSO_TCPV4,
	TCP6 = LEAT_VNET_GSO_TCPV6,
	UFO = LEAT_VNET_GSO_UDP,
	USO = LEAT_VNET_GSO_UDP_L4,
	ECN = LEAT_VNET_GSO_ECN,
	NONE = LEAT_CSUM_NONE,
	UNNECESSARY = LEAT_CSUM_UNNECESSARY,
	PARTIAL = LEAT_CSUM_PARTIAL,
};

#define DODGY4	  (LEAT_GSO_TCPV4 | LEAT_GSO_DODGY)
#define DODGY6	  (LEAT_GSO_TCPV6 | LEAT_GSO_DODGY)
#define DODGY_UFO (LEAT_GSO_UDP | LEAT_GSO_DODGY)
#define DODGY_USO (LEAT_GSO_UDP_L4 | LEAT_GSO_DODGY)

struct hdr {
	uint8_t flags, type;
	uint16_t hdr_len, gso_size, csum_start, csum_offset;
};

static void put16(uint8_t *to, unsigned word)
{
	to[0] = (uint8_t)word;
	to[1] = (uint8_t)(word >> 8);
}

static void put(uint8_t *to, const struct hdr *hdr)
{
	const uint16_t words[] = {hdr->hdr_len, hdr->gso_size, hdr->csum_start, hdr->csum_offset};

	to[0] = hdr->flags;
	to[1] = hdr->type;
	for (unsigned i = 0; i < 4; i++)
		put16(to + 2 + 2 * i, words[i]);
}

#define META(type, size, start, offset, hdr, sum)                              \
	{                                                                      \
		.gso_type = (type), .gso_size = (size), .csum_start = (start), \
		.csum_offset = (offset), .hdr_len = (hdr), .csum = (sum)       \
	}

#endif
