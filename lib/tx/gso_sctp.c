/* SPDX-License-Identifier: MIT */
/*
 * gso_sctp.c - a segment's SCTP header: each member of the chain is the chunks of one packet.
 *
 * The common header is each segment's, and nothing in the chunks depends on where they were put,
 * so all that is left is the CRC32c (RFC 9260 appendix A), of the packet with a checksum of 0.
 */
#include "gso.h"

bool leat_gso_sctp_check(const struct leat_pkt *pkt)
{
	return pkt->payload - leat_pkt_inner(pkt)->transport == SCTP_HLEN;
}

void leat_gso_sctp_finish(const struct leat_gso *gso, const struct gso_seg *s)
{
	uint8_t *sctp = s->hdr + gso->transport;
	uint32_t crc;

	store_le32(sctp + SCTP_CHECK, 0);
	if (gso->unfinished)
		return;
	crc = leat_crc32c(sctp, SCTP_HLEN, 0xffffffff);
	for (unsigned i = 0; i < s->count; i++)
		crc = leat_crc32c(s->slices[i].base, s->slices[i].len, crc);
	store_le32(sctp + SCTP_CHECK, ~crc);
}
