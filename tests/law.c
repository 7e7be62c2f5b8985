/* SPDX-License-Identifier: MIT */
/*
 * law.c - wild packets through the library.
 */
#include "law.h"

#include <leat/parse.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	HEADROOM = 16, /* for a jumbogram option */
	PLAIN = 8,     /* the first kinds are without encapsulation */
};

struct leat_pkt *law_pkt(const uint8_t *bytes, uint32_t len, unsigned cookie)
{
	struct leat_pkt *pkt = calloc(1, sizeof(*pkt));
	uint8_t *buffer = malloc(HEADROOM + len);

	assert_true(pkt != NULL && buffer != NULL);
	memcpy(buffer + HEADROOM, bytes, len);
	pkt->head = buffer;
	pkt->size = HEADROOM + len;
	pkt->cookie = cookie;
	leat_pkt_init(pkt, buffer + HEADROOM, len);
	leat_parse(&wild_ports, &pkt, 1);
	return pkt;
}

void law_pkt_free(struct leat_pkt *pkt)
{
	free(pkt->head);
	free(pkt);
}

struct leat_gro *law_gro(const struct leat_gro_conf *conf)
{
	struct leat_gro *gro = malloc(sizeof(*gro));
	void *mem = aligned_alloc(64, (leat_gro_size(conf) + 63) / 64 * 64);

	assert_true(gro != NULL && mem != NULL);
	assert_int_equal(leat_gro_init(gro, conf, mem), 0);
	return gro;
}

void law_gro_end(struct leat_gro *gro, uint64_t *count)
{
	assert_int_equal(gro->held, 0);
	for (unsigned i = 0; count != NULL && i < LEAT_GRO_REASONS; i++)
		count[i] += gro->count[i];
	free(gro->bucket);
	free(gro);
}

struct law_segments law_segment(const struct leat_pkt *pkt, const struct leat_gso_conf *conf)
{
	struct leat_gso gso;
	struct law_segments s = {.n = leat_gso_init(&gso, pkt, conf)};
	struct leat_gso_out out = {.max_segs = (unsigned)s.n,
				   .max_slices = 2 * (unsigned)s.n + pkt->slices + 2,
				   .hdr_room = (size_t)s.n * (pkt->payload + 64u)};

	if (s.n < 0)
		return s;
	out.segs = s.segs = malloc(out.max_segs * sizeof(*s.segs));
	out.slices = s.slices = malloc(out.max_slices * sizeof(*s.slices));
	out.hdr = s.hdr = malloc(out.hdr_room);
	assert_true(s.segs != NULL && s.slices != NULL && s.hdr != NULL);
	assert_int_equal(leat_gso_segment(&gso, &out), s.n);
	assert_true(leat_gso_done(&gso));
	return s;
}

void law_segments_end(struct law_segments *s)
{
	free(s->segs);
	free(s->slices);
	free(s->hdr);
}

uint32_t law_segment_copy(const struct law_segments *s, int i, uint8_t *dst)
{
	const struct leat_seg *seg = &s->segs[i];
	uint32_t len = 0;

	for (uint32_t k = 0; k < seg->slices; k++) {
		memcpy(dst + len, s->slices[seg->slice + k].base, s->slices[seg->slice + k].len);
		len += (uint32_t)s->slices[seg->slice + k].len;
	}
	assert_int_equal(len, seg->len);
	return len;
}

struct leat_pkt *law_super(const struct wild_super *s)
{
	struct leat_pkt *head = law_pkt(s->bytes, s->part[0], 0);
	uint32_t off = s->part[0];

	for (unsigned i = 1; i < s->parts; off += s->part[i++])
		leat_pkt_chain(head, law_pkt(s->bytes + off, s->part[i], i));
	leat_parse(&wild_ports, &head, 1);
	head->gso_type = s->gso_type;
	head->gso_size = s->gso_size;
	head->gso_segs = s->gso_segs;
	head->csum = s->csum;
	head->csum_start = s->csum_start;
	head->csum_offset = s->csum_offset;
	return head;
}

void law_super_free(struct leat_pkt *pkt)
{
	while (pkt != NULL) {
		struct leat_pkt *next = pkt->frag_list;

		law_pkt_free(pkt);
		pkt = next;
	}
}

bool law_is_wanted(uint64_t number, const struct wild_kind *kind)
{
	const char *only = getenv("LEAT_LAW"), *name = getenv("LEAT_KIND");
	char its[WILD_NAME];

	wild_kind_name(kind, its);
	return (only == NULL || strtoull(only, NULL, 0) == number) &&
	       (name == NULL || strcmp(name, its) == 0);
}

struct wild_kind law_kind(uint64_t number)
{
	unsigned n;
	const struct wild_kind *kinds = wild_kinds(&n);

	return number % 4 == 0 ? kinds[number / 4 % PLAIN] : kinds[number % n];
}

bool law_is_ufo(const struct wild_kind *kind)
{
	return kind->type == WILD_UFO4 || kind->type == WILD_UFO6;
}
