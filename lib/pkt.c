/* SPDX-License-Identifier: MIT */
/*
 * pkt.c - the packet descriptor and its chain of slices.
 */
#include <leat/parse.h>
#include <leat/pkt.h>
#include <string.h>

void leat_pkt_init(struct leat_pkt *pkt, uint8_t *data, uint32_t len)
{
	pkt->data = data;
	pkt->frag_list = NULL;
	pkt->len = len;
	pkt->headlen = len;
	pkt->hash = 0;
	pkt->gso_type = 0;
	pkt->gso_size = 0;
	pkt->gso_segs = 0;
	pkt->csum_start = 0;
	pkt->csum_offset = 0;
	memset(pkt->lvl, 0, sizeof(pkt->lvl));

	pkt->frag_tail = NULL;
	pkt->inner_mac = 0;
	pkt->payload = 0;
	pkt->levels = 0;
	pkt->depth = LEAT_DEPTH_NONE;
	pkt->reason = LEAT_PARSE_OK;
	pkt->hash_type = LEAT_HASH_NONE;
	pkt->csum = LEAT_CSUM_NONE;
	pkt->vlans = 0;
	pkt->slices = 0;
}

void leat_pkt_chain(struct leat_pkt *head, struct leat_pkt *member)
{
	struct leat_pkt *last = head->frag_tail ? head->frag_tail : head;

	last->frag_list = member;
	member->frag_list = NULL;
	head->frag_tail = member;
	head->len += member->headlen;
	head->slices++;
}

unsigned leat_pkt_slices(const struct leat_pkt *pkt, uint32_t off, struct leat_slice *slices,
			 unsigned max)
{
	unsigned n = 0;

	for (; pkt && n < max; pkt = pkt->frag_list) {
		if (off >= pkt->headlen) {
			off -= pkt->headlen;
			continue;
		}
		slices[n].base = pkt->data + off;
		slices[n++].len = pkt->headlen - off;
		off = 0;
	}
	return n;
}

uint32_t leat_pkt_copy(const struct leat_pkt *pkt, uint32_t off, void *dst, uint32_t len)
{
	uint8_t *to = dst;
	uint32_t done = 0;

	for (; pkt && done < len; pkt = pkt->frag_list) {
		uint32_t n;

		if (off >= pkt->headlen) {
			off -= pkt->headlen;
			continue;
		}
		n = pkt->headlen - off < len - done ? pkt->headlen - off : len - done;
		memcpy(to + done, pkt->data + off, n);
		done += n;
		off = 0;
	}
	return done;
}
