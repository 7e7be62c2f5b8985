/* SPDX-License-Identifier: MIT */
/*
 * gro_sctp.c - packets of one SCTP association that carry nothing but user data. Chunks stay in the
 * packets they came in: a super-packet's members are its boundaries, so sizes may be any, and what
 * GSO puts in front of each is the common header, with its CRC. Control chunks pass.
 */
#include "gro_ip.h"

enum {
	SCTP_VTAG = 4,
	SCTP_CHECK_LEN = 4,

	CHUNK_TYPE = 0,
	CHUNK_LEN = 2, /* header included, padding not */
	CHUNK_HLEN = 4,
	CHUNK_ALIGN = 4,

	CHUNK_DATA = 0,
	CHUNK_I_DATA = 64,
	DATA_HLEN = 16,
	I_DATA_HLEN = 20,
};

/* Bytes of the DATA or I-DATA chunk at `p` and its padding; 0 if it is another, or malformed. */
static uint32_t data_chunk_len(const uint8_t *p, uint32_t room)
{
	uint32_t len, hlen;

	if (room < CHUNK_HLEN || (p[CHUNK_TYPE] != CHUNK_DATA && p[CHUNK_TYPE] != CHUNK_I_DATA))
		return 0;
	len = load_be16(p + CHUNK_LEN);
	hlen = p[CHUNK_TYPE] == CHUNK_DATA ? DATA_HLEN : I_DATA_HLEN;
	if (len <= hlen) /* there is no chunk without user data */
		return 0;
	len = (len + CHUNK_ALIGN - 1) / CHUNK_ALIGN * CHUNK_ALIGN;
	return len <= room ? len : 0;
}

static bool is_data(const uint8_t *chunks, uint32_t len)
{
	uint32_t n;

	for (; len > 0; chunks += n, len -= n) {
		n = data_chunk_len(chunks, len);
		if (n == 0)
			return false;
	}
	return true;
}

static enum leat_gro_reason refuse(const struct leat_gro_conf *conf, const struct leat_pkt *pkt,
				   struct leat_gro_seg *seg)
{
	enum leat_gro_reason why = refuse_ip(pkt);

	(void)conf;
	if (why != LEAT_GRO_MERGED)
		return why;
	if (seg->len == 0)
		return LEAT_GRO_NO_PAYLOAD;
	return is_data(seg->l4 + SCTP_HLEN, seg->len) ? LEAT_GRO_MERGED : LEAT_GRO_SCTP_CHUNK;
}

static bool verify(struct leat_pkt *pkt)
{
	static const uint8_t zero[SCTP_CHECK_LEN];
	const uint8_t *sh = pkt->data + leat_pkt_inner(pkt)->transport, *check = sh + SCTP_CHECK;
	uint32_t len = (uint32_t)(pkt->data + pkt->len - sh), crc;

	crc = leat_crc32c(sh, SCTP_CHECK, UINT32_MAX);
	crc = leat_crc32c(zero, sizeof(zero), crc);
	crc = ~leat_crc32c(sh + SCTP_HLEN, len - SCTP_HLEN, crc);
	if ((crc & UINT16_MAX) != load_le16(check) || crc >> 16 != load_le16(check + 2))
		return false;
	pkt->csum = LEAT_CSUM_UNNECESSARY;
	return true;
}

static enum leat_gro_reason differ(const struct leat_gro_flow *flow, const struct leat_pkt *pkt,
				   const struct leat_gro_seg *seg)
{
	enum leat_gro_reason why = differ_ip(flow, pkt);
	const uint8_t *a, *b = seg->l4;

	if (why != LEAT_GRO_MERGED)
		return why;
	a = flow->head->data + (b - pkt->data);
	return load_raw32(a + SCTP_VTAG) == load_raw32(b + SCTP_VTAG) ? LEAT_GRO_MERGED :
									LEAT_GRO_SCTP_VTAG;
}

static uint32_t complete(const struct leat_gro_flow *flow)
{
	const struct leat_pkt *head = flow->head;

	memset(head->data + leat_pkt_inner(head)->transport + SCTP_CHECK, 0, SCTP_CHECK_LEN);
	return LEAT_GSO_SCTP;
}

const struct leat_gro_proto leat_gro_sctp = {
	.refuse = refuse,
	.verify = verify,
	.differ = differ,
	.complete = complete,
	.size_max = UINT16_MAX + 1,
	.segs_max = UINT16_MAX,
	.csum_offset = SCTP_CHECK,
	.by_frags = true,
};
