/* SPDX-License-Identifier: MIT */
/*
 * fuzz_parse.c - the parser and what reads where it says. Input: a byte that says how long the
 * first slice is (0: all; 255: all, and there are 70,000 bytes more), then the frame.
 */
#include <leat/csum.h>
#include <leat/flow.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../tests/frame.h"
#include "../tests/sane.h"

enum { MORE = 70000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A buffer of just this size, in which a sanitizer sees a step outside, and `more` zeros in it. */
static uint8_t *copy_of(const uint8_t *data, size_t size, size_t more)
{
	uint8_t *copy = calloc(1, size + more > 0 ? size + more : 1);

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
	leat_csum_verify_tunnel(pkt);
	leat_csum_verify(pkt);
	leat_csum_verify_tunnel(pkt);
	leat_parse_outer(pkt);
	if (pkt->levels > 1)
		abort();
}

/* Behind a packet that differs in a byte, or in none, one parses as it does alone. */
static void check_behind(struct leat_pkt *first, uint32_t at, uint8_t change)
{
	uint8_t *bytes = copy_of(first->data, first->headlen, 0);
	struct leat_pkt alone = *first, second, *one = &alone, *both[] = {first, &second};

	if (first->headlen)
		bytes[at % first->headlen] ^= change;
	alone.data = bytes;
	second = alone;
	leat_parse(&frame_conf, &one, 1);
	leat_parse(&frame_conf, both, 2);
	if (memcmp(second.lvl, alone.lvl, sizeof(alone.lvl)) != 0 ||
	    second.inner_mac != alone.inner_mac || second.payload != alone.payload ||
	    second.levels != alone.levels || second.depth != alone.depth ||
	    second.reason != alone.reason || second.vlans != alone.vlans)
		abort();
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct leat_pkt head, member, *pkt = &head;
	uint8_t *first, *rest;
	size_t headlen, rest_len, more;

	if (size == 0 || size > LEAT_PKT_LEN_MAX - MORE)
		return 0;
	more = data[0] == 255 ? MORE : 0;
	headlen = data[0] == 0 || data[0] == 255 || data[0] > size - 1 ? size - 1 : data[0];
	rest_len = size - 1 - headlen;
	first = copy_of(data + 1, headlen, 0);
	rest = copy_of(data + 1 + headlen, rest_len, more);
	leat_pkt_init(&head, first, (uint32_t)headlen);
	leat_pkt_init(&member, rest, (uint32_t)(rest_len + more));
	leat_pkt_chain(&head, &member);
	check_behind(pkt, data[size / 2], data[size - 1]);
	leat_parse(&frame_conf, &pkt, 1);
	check(pkt);
	free(first);
	free(rest);
	return 0;
}
