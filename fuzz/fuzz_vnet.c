/* SPDX-License-Identifier: MIT */
/*
 * fuzz_vnet.c - an untrusted virtio_net_hdr and its frame. Input: a byte that says how long the
 * header is, the header's 24 bytes, then the frame. What is refused is left as it was; what is
 * accepted is what the headers have, says the same when written and read again, and can be
 * completed.
 */
#include <leat/csum.h>
#include <leat/gso.h>
#include <leat/vnet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../tests/frame.h"
#include "../tests/sane.h"

#define TUNNELS                                                                 \
	(LEAT_GSO_IPXIP4 | LEAT_GSO_IPXIP6 | LEAT_GSO_GRE | LEAT_GSO_GRE_CSUM | \
	 LEAT_GSO_UDP_TUNNEL | LEAT_GSO_UDP_TUNNEL_CSUM)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool what)
{
	if (!what)
		abort();
}

/* A super-packet has a whole transport header, more than one segment (of UFO's fragments the UDP
 * header is a part), and is in a tunnel if and only if its type says so. */
static void check_super(const struct leat_pkt *pkt)
{
	static const struct leat_gso_conf conf;
	uint32_t tunnel = pkt->gso_type & TUNNELS, headers = pkt->payload;
	struct leat_gso gso;

	require(pkt->gso_type & LEAT_GSO_DODGY && pkt->gso_segs == 0);
	require(pkt->gso_size != 0 && pkt->gso_size != LEAT_GSO_BY_FRAGS);
	require(pkt->depth == LEAT_DEPTH_TRANSPORT);
	if (pkt->gso_type & LEAT_GSO_UDP)
		headers = leat_pkt_inner(pkt)->transport;
	require(pkt->len > headers && pkt->len - headers > pkt->gso_size);
	require((tunnel != 0) == (pkt->levels == 2) && (tunnel & (tunnel - 1)) == 0);
	require(leat_gso_init(&gso, pkt, &conf) != 1);
}

static void check(struct leat_pkt *pkt, size_t hdr_len)
{
	struct leat_vnet_meta meta = leat_vnet_meta(pkt);
	struct leat_pkt before = *pkt;
	uint8_t hdr[LEAT_VNET_HDR_LEN_MAX];
	/* Of a packet whose outer header was meant the parser would say more. */
	bool outer = pkt->levels == 1 && pkt->reason == LEAT_PARSE_OK;
	const char *wrong = outer ? NULL : parse_wrong(pkt);

	if (wrong != NULL)
		fprintf(stderr, "%s\n", wrong);
	require(wrong == NULL && (pkt->gso_type != 0) == (pkt->gso_size != 0));
	if (pkt->gso_type != 0)
		check_super(pkt);
	require(leat_vnet_write(&meta, hdr, hdr_len) == 0);
	require(leat_vnet_read(pkt, hdr, hdr_len) == 0);
	before.hash = pkt->hash; /* of protocols that there is a report for */
	before.hash_type = pkt->hash_type;
	require(memcmp(pkt, &before, sizeof(before)) == 0);
	if (pkt->csum != LEAT_CSUM_PARTIAL)
		return;
	/* Of SCTP's checksum the header tells the first two bytes of four. */
	require(leat_csum_complete(pkt) == 0 || pkt->depth < LEAT_DEPTH_TRANSPORT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t lengths[] = {LEAT_VNET_HDR_MRG_LEN, LEAT_VNET_HDR_TUNNEL_LEN,
					 LEAT_VNET_HDR_HASH_LEN, LEAT_VNET_HDR_LEN};
	struct leat_pkt frame = {0}, *pkt = &frame, before;
	size_t hdr_len;
	uint8_t *bytes;

	if (size < 1 + LEAT_VNET_HDR_LEN_MAX || size > LEAT_PKT_LEN_MAX)
		return 0;
	hdr_len = lengths[data[0] % 4];
	size -= 1 + LEAT_VNET_HDR_LEN_MAX;
	bytes = malloc(size > 0 ? size : 1);
	require(bytes != NULL);
	memcpy(bytes, data + 1 + LEAT_VNET_HDR_LEN_MAX, size);
	leat_pkt_init(pkt, bytes, (uint32_t)size);
	leat_parse(&frame_conf, &pkt, 1);
	before = *pkt;
	if (leat_vnet_read(pkt, data + 1, hdr_len) == 0)
		check(pkt, hdr_len);
	else
		require(memcmp(pkt, &before, sizeof(before)) == 0);
	free(bytes);
	return 0;
}
