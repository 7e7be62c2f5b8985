/* SPDX-License-Identifier: MIT */
/*
 * fuzz_parse.c - the parser and what reads where it says. Input: a byte that says how long the
 * first slice is (0: all), then the frame.
 */
#include <leat/csum.h>
#include <leat/flow.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../tests/sane.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A buffer of just this size, in which a sanitizer sees a step outside. */
static uint8_t *copy_of(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL)
		abort();
	memcpy(copy, data, size);
	return copy;
}

static void check(struct leat_pkt *pkt)
{
	static const struct leat_flow_key key = {{1, 2}};
	const char *wrong = parse_wrong(pkt);
	struct leat_flow flow;

	if (wrong != NULL) {
		fprintf(stderr, "%s: %s\n", wrong, leat_parse_reason_name(pkt->reason));
		abort();
	}
	if (leat_flow_get(pkt, &flow) != (pkt->levels > 0) ||
	    (leat_flow_hash(pkt, &key) != 0) != (pkt->levels > 0))
		abort();
	leat_csum_verify(pkt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct leat_pkt head, member, *pkt = &head;
	uint8_t *first, *rest;
	size_t headlen;

	if (size == 0 || size > LEAT_PKT_LEN_MAX)
		return 0;
	headlen = data[0] == 0 || data[0] > size - 1 ? size - 1 : data[0];
	first = copy_of(data + 1, headlen);
	rest = copy_of(data + 1 + headlen, size - 1 - headlen);
	leat_pkt_init(&head, first, (uint32_t)headlen);
	leat_pkt_init(&member, rest, (uint32_t)(size - 1 - headlen));
	leat_pkt_chain(&head, &member);
	leat_parse(NULL, &pkt, 1);
	check(pkt);
	free(first);
	free(rest);
	return 0;
}
