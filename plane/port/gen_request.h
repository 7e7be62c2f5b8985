/* SPDX-License-Identifier: MIT */
/*
 * gen_request.h - what is asked of a generator: its options, read and checked.
 */
#ifndef PLANE_PORT_GEN_REQUEST_H
#define PLANE_PORT_GEN_REQUEST_H

#include "port.h"

#include <leat/rss.h>

enum { GEN_KEY_LEN = LEAT_RSS_KEY_MIN };

struct gen_request {
	const char *name;
	unsigned long queues, flows, rate, count, seed, burst, min, max, filters;
	unsigned long depth; /* a power of two, or 0 */
	bool tcp, ip4, ip6;
	uint8_t key[GEN_KEY_LEN];
	char *err;
	size_t err_len;
};

/* Read the options into `r`, whose name and err are set. 0, or -EINVAL with a message. */
int gen_read_request(struct gen_request *r, const struct port_args *args);

#endif
