/* SPDX-License-Identifier: MIT */
/*
 * In place of tap_steer.c, where what compiles and loads the steering program was not there to
 * build with.
 */
#include "tap.h"

#include <errno.h>
#include <stdlib.h>

struct tap_steer {
	char nothing;
};

struct tap_steer *tap_steer_new(void)
{
	return calloc(1, sizeof(struct tap_steer));
}

void tap_steer_free(struct tap_steer *s)
{
	free(s);
}

int tap_steer(struct port *port, const struct leat_rxfh *rxfh, char *err, size_t err_len)
{
	(void)port, (void)rxfh;
	return port_fail(err, err_len, EOPNOTSUPP,
			 "built without clang, llvm-strip, bpftool or libbpf");
}

int tap_flow_steer(struct port *port, uint32_t hash, uint16_t q, uint32_t flow_id)
{
	(void)port, (void)hash, (void)q, (void)flow_id;
	return -EOPNOTSUPP;
}

void tap_flow_forget(struct port *port, uint16_t id)
{
	(void)port, (void)id;
}

uint64_t tap_rule_dropped(const struct port *port)
{
	(void)port;
	return 0;
}
