/* SPDX-License-Identifier: MIT */
#include "dpdk.h"

#include <rte_ring.h>

static void *make(unsigned room)
{
	return rte_ring_create("leat", room, SOCKET_ID_ANY,
			       RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
}

static void drop(void *ring)
{
	rte_ring_free(ring);
}

static unsigned send(void *ring, void *const *items, unsigned n)
{
	return rte_ring_sp_enqueue_bulk(ring, items, n, NULL);
}

static unsigned poll(void *ring, void **items, unsigned n)
{
	return rte_ring_sc_dequeue_bulk(ring, items, n, NULL);
}

const struct peer_ring dpdk_ring = {make, drop, send, poll};
