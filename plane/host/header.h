/* SPDX-License-Identifier: MIT */
/*
 * header.h - write the headers of what a host sends.
 */
#ifndef PLANE_HOST_HEADER_H
#define PLANE_HOST_HEADER_H

#include "addr.h"

#include <leat/pkt.h>

enum { HEADER_MAX = 14 + 40 }; /* bytes of an Ethernet and an IP header */

/* From whom to whom; both addresses are of the same version. */
struct header_ends {
	const uint8_t *mac; /* our link address */
	uint64_t path;
	const struct addr *src, *dst;
};

/* Write an Ethernet header. */
void header_write_link(uint8_t *frame, const uint8_t *mac, uint64_t path, uint16_t type);

/* Write Ethernet and IP headers for `len` bytes of `protocol`, which may go so many `hops`. IPv4 with
 * DF, so its ID may be 0 (RFC 6864). Gives where they end. */
unsigned header_write(uint8_t *frame, const struct header_ends *ends, uint8_t protocol,
		      uint8_t hops, uint32_t len);

/* Write the checksum of an ICMP message of `len` bytes at offset `at` of the frame, whose IP header
 * is right in front of it. */
void header_write_icmp_sum(uint8_t *frame, unsigned version, unsigned at, uint32_t len);

/* The sum that an ICMP message's checksum makes 0, folded. */
uint16_t header_icmp_sum(const uint8_t *frame, unsigned version, unsigned at, uint32_t len);

#endif
