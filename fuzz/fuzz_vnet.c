/* SPDX-License-Identifier: MIT */
/*
 * fuzz_vnet.c - an untrusted virtio_net_hdr and its frame. Input: the header's 12 bytes, then the
 * frame. What is accepted can be completed, and says the same when written and read again.
 */
#include <leat/csum.h>
#include <leat/parse.h>
#include <leat/vnet.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool what)
{
	if (!what)
		abort();
}

static void check(struct leat_pkt *pkt)
{
	struct leat_vnet_meta meta = leat_vnet_meta(pkt), again;
	uint8_t hdr[LEAT_VNET_HDR_MRG_LEN];

	require((pkt->gso_type != 0) == (pkt->gso_size != 0));
	if (pkt->gso_type != 0)
		require(pkt->depth == LEAT_DEPTH_TRANSPORT && pkt->len > pkt->payload);
	require(leat_vnet_write(&meta, hdr, sizeof(hdr)) == 0);
	require(leat_vnet_read(pkt, hdr, sizeof(hdr)) == 0);
	again = leat_vnet_meta(pkt);
	require(again.gso_type == meta.gso_type && again.gso_size == meta.gso_size &&
		again.csum == meta.csum);
	if (meta.csum != LEAT_CSUM_PARTIAL)
		return;
	require(again.csum_start == meta.csum_start && again.csum_offset == meta.csum_offset);
	require(leat_csum_complete(pkt) == 0 && pkt->csum == LEAT_CSUM_UNNECESSARY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct leat_pkt frame, *pkt = &frame;
	uint8_t *bytes;

	if (size < LEAT_VNET_HDR_MRG_LEN || size > LEAT_PKT_LEN_MAX)
		return 0;
	size -= LEAT_VNET_HDR_MRG_LEN;
	bytes = malloc(size > 0 ? size : 1);
	require(bytes != NULL);
	memcpy(bytes, data + LEAT_VNET_HDR_MRG_LEN, size);
	leat_pkt_init(pkt, bytes, (uint32_t)size);
	leat_parse(NULL, &pkt, 1);
	if (leat_vnet_read(pkt, data, LEAT_VNET_HDR_MRG_LEN) == 0)
		check(pkt);
	free(bytes);
	return 0;
}
