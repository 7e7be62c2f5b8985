/* SPDX-License-Identifier: MIT */
/*
 * endpoint_plane.h - what the tests of endpoints share: their addresses, and opening.
 */
#ifndef LEAT_TESTS_ENDPOINT_PLANE_H
#define LEAT_TESTS_ENDPOINT_PLANE_H

#include "host_plane.h"

enum { UDP4 = 34, UDP6 = 54, PORT = 7 };

static const struct addr us4 = {{198, 51, 100, 1}, 0, 4};
static const struct addr us6 = {{0x20, 1, 0xd, 0xb8, [13] = 2, [15] = 1}, 0, 6};
static const struct addr anywhere;
static const struct addr near4 = {{198, 51, 100, 9}, 5000, 4};
static const struct addr far4 = {{192, 0, 2, 3}, 5000, 4}; /* frame.h's src 3 */

static inline struct addr at(const struct addr *addr, unsigned port)
{
	struct addr a = *addr;

	a.port = (uint16_t)port;
	return a;
}

static inline struct endpoint *open_endpoint(void)
{
	struct endpoint *ep = NULL;

	assert_int_equal(endpoint_open(&ep, host, 256), 0);
	return ep;
}

static inline struct endpoint *open_bound(const struct addr *addr, unsigned port, unsigned flags)
{
	struct addr local = at(addr, port);
	struct endpoint *ep = open_endpoint();

	assert_int_equal(endpoint_bind(ep, &local, flags), 0);
	return ep;
}

/* A neighbour becomes known, at THEIR_MAC. (At 0 it would be taken for a free entry.) */
static inline void know(const struct addr *addr)
{
	neigh_learn(&host->neigh, addr, addr_path(0, their_mac), true, 1);
}

#endif
