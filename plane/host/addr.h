/* SPDX-License-Identifier: MIT */
/*
 * addr.h - addresses: a peer's, a host's own, and the way to a neighbour.
 *
 * IP addresses are bytes in network order, IPv4 in the first four and the rest 0; ports are in host
 * order.
 */
#ifndef PLANE_HOST_ADDR_H
#define PLANE_HOST_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ADDR_LEN = 16,
	ADDR_TEXT_MAX = 64, /* bytes that hold any as text */
};

/* One end of a flow. version 0: any address of either version, or none given. */
struct addr {
	uint8_t ip[ADDR_LEN];
	uint16_t port;
	uint8_t version; /* 4, 6 or 0 */
};

/* An address of our own: that of a port of the plane, on a network of `bits`. */
struct addr_own {
	struct addr addr; /* its `port` is 0 */
	uint8_t bits;
	uint16_t port; /* of the plane */
};

/* The way to a neighbour: the plane's port and the link address there, in one word, so that it may
 * be loaded and stored by any thread. 0: not known. */
#define ADDR_NO_PATH 0

static inline uint64_t addr_path(unsigned port, const uint8_t mac[6])
{
	uint64_t path = port + 1;

	for (unsigned i = 0; i < 6; i++)
		path = path << 8 | mac[i];
	return path;
}

static inline unsigned addr_path_port(uint64_t path)
{
	return (unsigned)(path >> 48) - 1;
}

static inline void addr_path_mac(uint64_t path, uint8_t mac[6])
{
	for (unsigned i = 6; i-- > 0; path >>= 8)
		mac[i] = (uint8_t)path;
}

/* Bytes of an address of this version. */
static inline size_t addr_len(unsigned version)
{
	return version == 4 ? 4 : ADDR_LEN;
}

/* The address at `ip`, in network order. */
struct addr addr_make(unsigned version, const uint8_t *ip, uint16_t port);

/* Whether the two are one IP address. */
bool addr_same(const struct addr *a, const struct addr *b);

/* Whether the address can be one host's: not unspecified, loopback, multicast or broadcast. */
bool addr_is_unicast(const struct addr *addr);

/* Whether the address is on the network of `own`. */
bool addr_is_near(const struct addr *addr, const struct addr_own *own);

/* Read "192.0.2.1" or "2001:db8::1". False: `text` is neither. */
bool addr_parse(struct addr *addr, const char *text);

/* Read "192.0.2.1/24" likewise; own->port is left alone. False: not one, or not a host's. */
bool addr_parse_own(struct addr_own *own, const char *text);

#endif
