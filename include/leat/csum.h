/* SPDX-License-Identifier: MIT */
/*
 * csum.h - the Internet checksum (RFC 1071; updates RFC 1624), and SCTP's.
 *
 * A *sum* is a uint32_t: the one's-complement sum of 16-bit words as they lie in memory, so it
 * has no byte order of its own and is only ever folded, added or stored. leat_csum_fold() gives
 * the 16 bits to be stored with memcpy; a stored checksum is its complement. Sums may be added
 * with leat_csum_add() when each part but the last has an even length.
 *
 * Threads: pure functions. The transport checksum functions want a parsed packet
 * (depth LEAT_DEPTH_TRANSPORT) and walk chains.
 */
#ifndef LEAT_CSUM_H
#define LEAT_CSUM_H

#include <leat/pkt.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The sum of `len` bytes at `p` added to `sum`; an odd last byte counts as if followed by 0. */
uint32_t leat_csum_partial(const void *p, size_t len, uint32_t sum);

/* One's-complement addition. */
static inline uint32_t leat_csum_add(uint32_t a, uint32_t b)
{
	a += b;
	return a + (a < b);
}

/* To 16 bits, not complemented; memory order. */
static inline uint16_t leat_csum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)(sum + (sum >> 16));
}

/* Sum of the pseudo-header of level `l` of the frame at `frame`: addresses, protocol, and `len`
 * bytes of transport header and payload (RFC 9293 3.1, RFC 8200 8.1). */
uint32_t leat_csum_pseudo(const uint8_t *frame, const struct leat_level *l, uint32_t len);

/* Sum of the frame's bytes [off, off + len), across slices. */
uint32_t leat_csum_pkt(const struct leat_pkt *pkt, uint32_t off, uint32_t len, uint32_t sum);

/* Whether the innermost TCP or UDP checksum is right, or known to be. A UDP checksum of zero over
 * IPv4 is right; a fragment's and other protocols' are not. Padding behind the IP packet, or
 * behind the UDP length, does not count. One that the tunnel leaves to the receiver (LEAT_REMCSUM)
 * is right if the field has the pseudo-header's sum and the outer checksum, which then must not be
 * zero, is right. On true, and if csum was NONE, sets it to UNNECESSARY. PARTIAL is taken as
 * right. */
bool leat_csum_verify(struct leat_pkt *pkt);

/* Whether the checksum of the tunnel that was entered, the outer UDP header's or GRE's, is right.
 * True if it has none: a UDP checksum of zero, over IPv6 too (RFC 6935), GRE without one, IP in
 * IP; and if there is no tunnel. Ask after leat_csum_verify(): where that knows the inner checksum
 * to be right, or it is PARTIAL, the bytes it covers are not summed again, for they add up to the
 * complement of its pseudo-header. */
bool leat_csum_verify_tunnel(const struct leat_pkt *pkt);

/* Completes a PARTIAL checksum in place (a UDP sum of 0 becomes 0xffff; csum_offset 8 of a parsed
 * packet's innermost SCTP header is a CRC32c) and sets UNNECESSARY.
 * Others pass untouched. Gives 0, or -EINVAL, changing nothing, if start or offset lie outside
 * the frame's first slice or the frame. Source: the kernel's skb_checksum_help contract. */
int leat_csum_complete(struct leat_pkt *pkt);

/* Makes the checksum of the tunnel that was entered right, whatever its field says, for a packet of
 * GRO's that is to go as it is; one without such a checksum passes untouched, as with
 * leat_csum_verify_tunnel(). Ask after leat_csum_complete(), which is not for a packet whose inner
 * checksum the tunnel leaves to the receiver (LEAT_REMCSUM): an inner one that is known to be right
 * or is PARTIAL is not summed again. Gives 0, or -EINVAL, changing nothing, if the outer UDP length
 * is wrong. */
int leat_csum_complete_tunnel(struct leat_pkt *pkt);

/* CRC32c (RFC 9260 appendix A, RFC 3720) of `len` bytes at `p`, going on from `crc`: 0xffffffff at
 * first, and the complement of the last is the checksum, to be stored little-endian. */
uint32_t leat_crc32c(const void *p, size_t len, uint32_t crc);

#ifdef __cplusplus
}
#endif

#endif
