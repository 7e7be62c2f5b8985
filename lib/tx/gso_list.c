/* SPDX-License-Identifier: MIT */
/*
 * gso_list.c - a fraglist: each member is sent with the headers it came with.
 *
 * They lie in front of its payload, as GRO left them, and are copied from there. The head's are
 * those of the first, but for the lengths, which speak of the whole. Who forwards the packet
 * changes the head alone: its link header is every segment's, and new addresses or ports are
 * carried over with what they change in the checksums, whose other parts stay the member's own.
 */
#include "gso.h"

static uint32_t own_len(const struct leat_pkt *pkt)
{
	return pkt->payload - (uint32_t)pkt->lvl[0].network;
}

static bool is_jumbo(const struct leat_pkt *pkt)
{
	return (pkt->lvl[0].flags | pkt->lvl[pkt->levels - 1].flags) & LEAT_IP_JUMBO;
}

bool leat_gso_list_check(const struct leat_pkt *pkt)
{
	const struct leat_pkt *member = pkt->frag_list;

	if (pkt->payload < pkt->lvl[0].network || is_jumbo(pkt))
		return false;
	for (; member; member = member->frag_list)
		if (!member->head || (uintptr_t)member->data < (uintptr_t)member->head ||
		    (uintptr_t)member->data - (uintptr_t)member->head < own_len(pkt))
			return false;
	return true;
}

/* The addresses from `new` to the IP header at `ip`; gives what changes in sums that have them. */
static uint32_t carry_addresses(const struct leat_level *l, const uint8_t *new, uint8_t *ip)
{
	uint32_t at = l->version == 4 ? IP4_SRC : IP6_SRC;
	uint32_t len = 2 * (l->version == 4 ? IP4_DST - IP4_SRC : IP6_DST - IP6_SRC), delta;

	if (memcmp(ip + at, new + at, len) == 0)
		return 0;
	delta = sum_delta(ip + at, new + at, len);
	memcpy(ip + at, new + at, len);
	if (l->version == 4)
		update_check(ip + IP4_CHECK, delta);
	return delta;
}

static uint32_t carry_ports(const struct leat_level *l, const uint8_t *new, uint8_t *l4)
{
	uint32_t delta;

	if ((l->protocol != PROTO_TCP && l->protocol != PROTO_UDP) ||
	    memcmp(l4, new, L4_PORTS_LEN) == 0)
		return 0;
	delta = sum_delta(l4, new, L4_PORTS_LEN);
	memcpy(l4, new, L4_PORTS_LEN);
	return delta;
}

/* The innermost checksum after what it covers has changed. No checksum stays none. */
static void update_transport(const struct leat_level *l, uint8_t *l4, uint32_t delta)
{
	uint8_t *check = l4 + (l->protocol == PROTO_TCP ? TCP_CHECK : UDP_CHECK);

	if (l->protocol == PROTO_UDP && load_raw16(check) == 0)
		return;
	update_check(check, delta);
	if (l->protocol == PROTO_UDP && load_raw16(check) == 0)
		store_raw16(check, 0xffff);
}

bool leat_gso_list_write(const struct leat_gso *gso, uint8_t *hdr)
{
	const struct leat_pkt *head = gso->pkt;
	uint32_t network = head->lvl[0].network, len = own_len(head);
	bool changed = false;

	memcpy(hdr, head->data, network);
	memcpy(hdr + network, gso->slice->data - len, len);
	for (unsigned i = 0; i < gso->levels; i++) {
		const struct leat_level *l = &gso->lvl[i];
		const uint8_t *new = head->data + l->transport;
		uint8_t *l4 = hdr + l->transport;
		uint32_t delta = carry_addresses(l, head->data + l->network, hdr + l->network);

		delta = leat_csum_add(delta, carry_ports(l, new, l4));
		changed |= delta != 0;
		if (delta != 0 && i + 1u == gso->levels)
			update_transport(l, l4, delta);
	}
	return changed;
}
