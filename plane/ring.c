/* SPDX-License-Identifier: MIT */
#include "ring.h"

#include <errno.h>
#include <stdlib.h>

int ring_init(struct ring *r, uint32_t room)
{
	uint32_t size = 1;

	while (size < room)
		size *= 2;
	*r = (struct ring){.mask = size - 1};
	r->slot = calloc(size, sizeof(struct leat_pkt *));
	return r->slot ? 0 : -ENOMEM;
}

void ring_fini(struct ring *r)
{
	free(r->slot);
	r->slot = NULL;
}
