/* SPDX-License-Identifier: MIT */
/*
 * frame_sctp.c - SCTP packets for tests (RFC 9260).
 */
#include "frame_tunnel.h"

enum { SCTP = 12, CHECK = 8 };

/* A bit at a time; the CRC of bits that are sent lowest first. */
static uint32_t add_byte(uint32_t crc, uint32_t byte)
{
	crc ^= byte;
	for (unsigned i = 0; i < 8; i++)
		crc = crc % 2 == 1 ? crc / 2 ^ 0x82f63b78 : crc / 2;
	return crc;
}

uint32_t sctp_crc(const uint8_t *sh, uint32_t len)
{
	uint32_t crc = 0xffffffff;

	for (uint32_t i = 0; i < len; i++)
		crc = add_byte(crc, i < CHECK || i >= SCTP ? sh[i] : 0);
	crc = ~crc;
	return crc << 24 | (crc & 0xff00) << 8 | (crc >> 8 & 0xff00) | crc >> 24;
}

void sctp_build(const struct frame *f, uint8_t *sh, uint32_t len)
{
	uint32_t at = SCTP, each = f->payload / f->chunks / 4 * 4;

	put16(sh, f->sport);
	put16(sh + 2, f->dport);
	put32(sh + 4, f->vtag);
	for (unsigned i = 0; i < f->chunks && len - at >= 4; i++, at += each) {
		bool last = i + 1 == f->chunks;
		uint32_t n = last ? len - at - f->chunk_pad : each;

		sh[at] = f->chunk_type;
		put16(sh + at + 2, n + (last && f->bad_chunk ? 4 : 0));
	}
	put32(sh + CHECK, sctp_crc(sh, len));
}
