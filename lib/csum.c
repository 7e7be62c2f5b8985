/* SPDX-License-Identifier: MIT */
/*
 * csum.c - the Internet checksum, 64 bits at a time.
 *
 * One's-complement addition does not care how wide its words are: the sum of 64-bit words, each
 * carry out of the top added back at the bottom, folds to the same 16 bits as the sum of 16-bit
 * words (RFC 1071, 2 (C)). Several accumulators keep one addition from waiting for the last, and
 * carries are counted apart, to be added once at the end. The byte order of the machine does not
 * matter either (2 (B)), except that a part which begins at an odd offset has its bytes in the
 * wrong halves: its sum is rotated by eight bits, which multiplies it by 256 and so swaps them.
 */
#include <errno.h>
#include <leat/csum.h>

#include "hdr.h"
#include "ops.h"

static uint32_t fold64(uint64_t sum)
{
	return leat_csum_add((uint32_t)sum, (uint32_t)(sum >> 32));
}

/* Fewer than 8 bytes. */
static inline uint64_t sum_tail(const uint8_t *p, size_t len)
{
	uint64_t sum = 0;

	if (len & 4) {
		sum += load_raw32(p);
		p += 4;
	}
	if (len & 2) {
		sum += load_raw16(p);
		p += 2;
	}
	if (len & 1)
		sum += *p * (uint64_t)load_raw16((const uint8_t[]){1, 0});
	return sum;
}

/* A sum modulo 2^64, and how often it went over. */
struct acc {
	uint64_t sum, carries;
};

static inline void add_word(struct acc *acc, const uint8_t *p)
{
	uint64_t word = load_raw64(p);

	acc->sum += word;
	acc->carries += acc->sum < word;
}

/* 16 bytes, a word to each. */
static inline void add_words(struct acc *a, struct acc *b, const uint8_t *p)
{
	add_word(a, p);
	add_word(b, p + 8);
}

/* Fewer than CSUM_LEAST bytes: a header, or what is left of more. In line where it begins, for a
 * second jump is a good part of what so little costs. */
__attribute__((always_inline)) static inline uint32_t sum_short(const uint8_t *p, size_t len,
								uint32_t sum)
{
	struct acc a = {sum, 0}, b = {0};

	if (len & 64) {
		add_words(&a, &b, p);
		add_words(&a, &b, p + 16);
		add_words(&a, &b, p + 32);
		add_words(&a, &b, p + 48);
		p += 64;
	}
	if (len & 32) {
		add_words(&a, &b, p);
		add_words(&a, &b, p + 16);
		p += 32;
	}
	if (len & 16) {
		add_words(&a, &b, p);
		p += 16;
	}
	if (len & 8) {
		add_word(&a, p);
		p += 8;
	}
	a.carries += b.carries;
	if (len & 7)
		a.carries += sum_tail(p, len);
	return fold64(add64(add64(a.sum, b.sum), a.carries));
}

uint32_t leat_csum_portable(const uint8_t *p, size_t len, uint32_t sum)
{
	struct acc a = {sum, 0}, b = {0}, c = {0}, d = {0};
	uint64_t all;

	for (; len >= 64; p += 64, len -= 64) {
		add_words(&a, &b, p);
		add_words(&c, &d, p + 16);
		add_words(&a, &b, p + 32);
		add_words(&c, &d, p + 48);
	}
	all = add64(add64(a.sum, b.sum), add64(c.sum, d.sum));
	all = add64(all, a.carries + b.carries + c.carries + d.carries);
	return leat_csum_partial(p, len, fold64(all)); /* of fewer, which have no variant */
}

/* More than variants take at once: by halves of that, so that what is left is not short. Not in
 * line: it would have its caller save registers. */
__attribute__((noinline)) static uint32_t sum_huge(const uint8_t *p, size_t len, uint32_t sum)
{
	enum { PART = CSUM_MOST / 2 };

	for (; len > CSUM_MOST; p += PART, len -= PART)
		sum = ops()->csum(p, PART, sum);
	return ops()->csum(p, len, sum);
}

uint32_t leat_csum_partial(const void *p, size_t len, uint32_t sum)
{
	if (len < CSUM_LEAST)
		return sum_short(p, len, sum);
	if (len > CSUM_MOST)
		return sum_huge(p, len, sum);
	return ops()->csum(p, len, sum);
}

uint32_t leat_csum_pseudo(const uint8_t *frame, const struct leat_level *l, uint32_t len)
{
	const uint8_t *ip = frame + l->network;
	uint8_t words[8] = {0};
	uint64_t sum;

	store_be32(words, len);
	words[7] = l->protocol;
	sum = load_raw64(words);
	if (l->version == 4)
		return fold64(add64(sum, load_raw64(ip + IP4_SRC))); /* both addresses */
	sum = add64(sum, load_raw64(ip + IP6_SRC));
	sum = add64(sum, load_raw64(ip + IP6_SRC + 8));
	sum = add64(sum, load_raw64(ip + IP6_DST));
	return fold64(add64(sum, load_raw64(ip + IP6_DST + 8)));
}

uint32_t leat_csum_pkt(const struct leat_pkt *pkt, uint32_t off, uint32_t len, uint32_t sum)
{
	bool odd = false;

	for (; pkt && len > 0; pkt = pkt->frag_list) {
		uint32_t n, part;

		if (off >= pkt->headlen) {
			off -= pkt->headlen;
			continue;
		}
		n = pkt->headlen - off < len ? pkt->headlen - off : len;
		part = leat_csum_partial(pkt->data + off, n, 0);
		sum = leat_csum_add(sum, odd ? part << 8 | part >> 24 : part);
		odd ^= n & 1;
		len -= n;
		off = 0;
	}
	return sum;
}

/* The bytes of a datagram's `room` that its checksum covers, 0 if the UDP length is wrong. */
static uint32_t udp_len(const uint8_t *udp, uint32_t room)
{
	uint32_t len = load_be16(udp + UDP_LEN);

	return len < UDP_HLEN || len > room ? 0 : len;
}

/* Does the innermost transport checksum, if right, tell the sum of all bytes up to `end`? */
static bool covers(const struct leat_pkt *pkt, const struct leat_level *l, uint32_t end)
{
	const uint8_t *l4 = pkt->data + l->transport;

	if (pkt->depth < LEAT_DEPTH_TRANSPORT || (l->flags & LEAT_IP_FRAGMENT) ||
	    level_end(pkt, l) != end)
		return false;
	if (l->protocol == PROTO_UDP)
		return load_raw16(l4 + UDP_CHECK) != 0 &&
		       load_be16(l4 + UDP_LEN) == end - l->transport;
	return l->protocol == PROTO_TCP;
}

/* Is it right, or what it will be once it is completed? */
static bool is_settled(const struct leat_pkt *pkt, const struct leat_level *l)
{
	if (pkt->lvl[0].flags & LEAT_REMCSUM)
		return false;
	return pkt->csum == LEAT_CSUM_UNNECESSARY ||
	       (pkt->csum == LEAT_CSUM_PARTIAL && pkt->csum_start == l->transport);
}

/* The sum of the frame's bytes [off, end), a tunnel's header first, added to `sum`. Headers have
 * even lengths, so the parts may be added. */
static uint32_t sum_tunnel(const struct leat_pkt *pkt, uint32_t off, uint32_t end, uint32_t sum)
{
	const struct leat_level *l = leat_pkt_inner(pkt);
	uint32_t pseudo;

	if (!is_settled(pkt, l) || !covers(pkt, l, end))
		return leat_csum_pkt(pkt, off, end - off, sum);
	pseudo = leat_csum_pseudo(pkt->data, l, end - l->transport);
	sum = leat_csum_add(sum, (uint16_t)~leat_csum_fold(pseudo));
	return leat_csum_pkt(pkt, off, l->transport - off, sum);
}

/* The sum of all that the tunnel's checksum covers; false: the UDP length is wrong. */
static bool sum_covered(const struct leat_pkt *pkt, uint32_t *sum)
{
	const struct leat_level *l = &pkt->lvl[0];
	uint32_t len = level_end(pkt, l) - l->transport;

	*sum = 0;
	if (l->protocol == PROTO_UDP) {
		len = udp_len(pkt->data + l->transport, len);
		*sum = leat_csum_pseudo(pkt->data, l, len);
	}
	*sum = sum_tunnel(pkt, l->transport, l->transport + len, *sum);
	return len > 0;
}

static bool is_tunnel_right(const struct leat_pkt *pkt)
{
	uint32_t sum;

	return sum_covered(pkt, &sum) && leat_csum_fold(sum) == 0xffff;
}

bool leat_csum_verify_tunnel(const struct leat_pkt *pkt)
{
	const struct leat_level *l = &pkt->lvl[0];

	return pkt->levels < 2 || !has_tunnel_csum(l, pkt->data + l->transport) ||
	       is_tunnel_right(pkt);
}

/* The checksum that the tunnel leaves to the receiver: only the outer one vouches for the bytes. */
static bool is_left_right(const struct leat_pkt *pkt, const struct leat_level *l, uint32_t len)
{
	const uint8_t *l4 = pkt->data + l->transport;
	uint32_t check = l->protocol == PROTO_TCP ? TCP_CHECK : UDP_CHECK;
	uint32_t pseudo = leat_csum_pseudo(pkt->data, l, len);

	return load_raw16(l4 + check) == leat_csum_fold(pseudo) &&
	       has_tunnel_csum(&pkt->lvl[0], pkt->data + pkt->lvl[0].transport) &&
	       is_tunnel_right(pkt);
}

static bool is_right(const struct leat_pkt *pkt)
{
	const struct leat_level *l = leat_pkt_inner(pkt);
	const uint8_t *l4 = pkt->data + l->transport;
	uint32_t len = level_end(pkt, l) - l->transport;
	uint32_t sum;

	if (l->flags & LEAT_IP_FRAGMENT)
		return false;
	if (l->protocol == PROTO_UDP) {
		len = udp_len(l4, len);
		if (load_raw16(l4 + UDP_CHECK) == 0)
			return len > 0 && l->version == 4;
	} else if (l->protocol != PROTO_TCP) {
		return false;
	}
	if (pkt->lvl[0].flags & LEAT_REMCSUM)
		return is_left_right(pkt, l, len);
	sum = leat_csum_pseudo(pkt->data, l, len);
	return len > 0 && leat_csum_fold(leat_csum_pkt(pkt, l->transport, len, sum)) == 0xffff;
}

bool leat_csum_verify(struct leat_pkt *pkt)
{
	if (pkt->csum != LEAT_CSUM_NONE)
		return true;
	if (pkt->depth < LEAT_DEPTH_TRANSPORT || !is_right(pkt))
		return false;
	pkt->csum = LEAT_CSUM_UNNECESSARY;
	return true;
}

static bool is_sctp(const struct leat_pkt *pkt)
{
	return pkt->csum_offset == SCTP_CHECK && pkt->levels > 0 && pkt->levels <= LEAT_LEVELS &&
	       leat_pkt_inner(pkt)->protocol == PROTO_SCTP &&
	       leat_pkt_inner(pkt)->transport == pkt->csum_start;
}

/* The CRC of the frame's bytes from `off` on. */
static uint32_t crc_pkt(const struct leat_pkt *pkt, uint32_t off)
{
	uint32_t crc = 0xffffffff;

	for (; pkt; pkt = pkt->frag_list) {
		if (off < pkt->headlen)
			crc = leat_crc32c(pkt->data + off, pkt->headlen - off, crc);
		off = off < pkt->headlen ? 0 : off - pkt->headlen;
	}
	return ~crc;
}

static int complete_sctp(struct leat_pkt *pkt)
{
	uint8_t *check = pkt->data + pkt->csum_start + SCTP_CHECK;

	if ((uint32_t)pkt->csum_start + SCTP_HLEN > pkt->headlen)
		return -EINVAL;
	store_le32(check, 0);
	store_le32(check, crc_pkt(pkt, pkt->csum_start));
	pkt->csum = LEAT_CSUM_UNNECESSARY;
	return 0;
}

int leat_csum_complete(struct leat_pkt *pkt)
{
	uint32_t field = (uint32_t)pkt->csum_start + pkt->csum_offset;
	uint16_t check;

	if (pkt->csum != LEAT_CSUM_PARTIAL)
		return 0;
	if (is_sctp(pkt))
		return complete_sctp(pkt);
	if (field + 2 > pkt->headlen)
		return -EINVAL;
	check = (uint16_t)~leat_csum_fold(
		leat_csum_pkt(pkt, pkt->csum_start, pkt->len - pkt->csum_start, 0));
	if (check == 0 && pkt->csum_offset == UDP_CHECK)
		check = 0xffff; /* in UDP, 0 stands for no checksum */
	store_raw16(pkt->data + field, check);
	pkt->csum = LEAT_CSUM_UNNECESSARY;
	return 0;
}

int leat_csum_complete_tunnel(struct leat_pkt *pkt)
{
	const struct leat_level *l = &pkt->lvl[0];
	uint8_t *l4 = pkt->data + l->transport, *field;
	uint16_t was;
	uint32_t sum;

	if (pkt->levels < 2 || !has_tunnel_csum(l, l4))
		return 0;
	field = l4 + (l->protocol == PROTO_GRE ? GRE_CHECK : UDP_CHECK);
	was = load_raw16(field);
	store_raw16(field, 0);
	if (!sum_covered(pkt, &sum)) {
		store_raw16(field, was);
		return -EINVAL;
	}
	sum = (uint16_t)~leat_csum_fold(sum);
	store_raw16(field, sum == 0 && l->protocol == PROTO_UDP ? 0xffff : (uint16_t)sum);
	return 0;
}
