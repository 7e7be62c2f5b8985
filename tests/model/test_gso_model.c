/* SPDX-License-Identifier: MIT */
/*
 * test_gso_model.c - random super-packets cut by the library and by the slow model, which copies
 * the frame flat, writes every field and sums every byte of every segment: the same bytes, in one
 * call or in many with random room, with finished checksums or partial ones.
 */
#include <leat/gso.h>
#include <leat/parse.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "../cut.h"

enum { ROUNDS = 6000, EXT_MAX = 24, OPTS_MAX = 40, PAYLOAD_MAX = 20000 };

/* What a struct frame points to. */
struct options {
	uint8_t ext[EXT_MAX];
	uint8_t opts[OPTS_MAX];
	struct frame inner;
	uint8_t inner_ext[EXT_MAX];
};

static uint8_t random_byte(struct rng *rng)
{
	return (uint8_t)rng_next(rng);
}

/* IPv6: a hop-by-hop header of PadN, then perhaps destination options; IPv4: no-operations. The
 * last names `protocol`. */
static void add_extensions(struct rng *rng, struct frame *f, uint8_t *ext, uint8_t protocol)
{
	f->ext = ext;
	if (f->version == 4) {
		f->ext_len = (uint8_t)(4 * rng_below(rng, 6));
		memset(ext, 1, f->ext_len);
		return;
	}
	f->ext_len = rng_once_in(rng, 2) ? 8 : 24;
	f->ext_first = f->ext_len == 8 ? 60 : 0;
	memset(ext, 0, EXT_MAX);
	memcpy(ext, (uint8_t[]){f->ext_len == 8 ? protocol : 60, 0, 1, 4}, 4);
	memcpy(ext + 8, (uint8_t[]){protocol, 1, 1, 12}, 4);
}

static void add_transport(struct rng *rng, struct frame *f, struct options *o)
{
	f->sport = (uint16_t)rng_next(rng);
	f->dport = (uint16_t)rng_below(rng, 4096); /* where no tunnel ends */
	if (f->protocol == FRAME_UDP)
		return;
	f->seq = (uint32_t)rng_next(rng);
	f->ack = (uint32_t)rng_next(rng);
	f->flags = random_byte(rng);
	f->reserved = random_byte(rng) & 0xf;
	f->no_ack = true;
	f->window = (uint16_t)rng_next(rng);
	f->urg_ptr = (uint16_t)rng_next(rng);
	f->opts = o->opts;
	f->opts_len = (uint8_t)(4 * rng_below(rng, OPTS_MAX / 4 + 1));
	for (unsigned i = 0; i < f->opts_len; i++)
		o->opts[i] = random_byte(rng);
}

/* Payload and gso_size with at least two segments; small ones often. */
static uint16_t add_sizes(struct rng *rng, struct frame *f)
{
	uint32_t gso_size, most = rng_once_in(rng, 3) ? PAYLOAD_MAX : 300;

	f->payload = 2 + rng_below(rng, most);
	gso_size = 1 + rng_below(rng, rng_once_in(rng, 2) ? f->payload - 1 : (f->payload + 8) / 9);
	if (f->protocol == FRAME_UDP && gso_size * 128 < f->payload)
		gso_size = (f->payload + 127) / 128;
	return (uint16_t)gso_size;
}

static struct frame random_network(struct rng *rng)
{
	return (struct frame){.vlans = rng_once_in(rng, 3) ? (uint8_t)rng_below(rng, 5) : 0,
			      .version = rng_once_in(rng, 2) ? 4 : 6,
			      .tos = random_byte(rng),
			      .ttl = random_byte(rng),
			      .id = (uint16_t)rng_next(rng),
			      .frag_off = rng_once_in(rng, 2) ? FRAME_DF : 0,
			      .flow_label = rng_below(rng, 1 << 20),
			      .src = (uint32_t)rng_next(rng),
			      .dst = (uint32_t)rng_next(rng)};
}

static uint8_t carrier(const struct frame *f)
{
	if (f->tunnel == LEAT_TUNNEL_GRE)
		return FRAME_GRE;
	if (f->tunnel == LEAT_TUNNEL_IP)
		return f->inner->version == 6 ? FRAME_IPV6 : FRAME_IPIP;
	return FRAME_UDP;
}

/* `f`, moved into `o`, in a tunnel of any kind. */
static void add_tunnel(struct rng *rng, struct frame *f, struct options *o)
{
	bool gue, rco;

	o->inner = *f;
	*f = random_network(rng);
	f->inner = &o->inner;
	f->tunnel = (uint8_t)(1 + rng_below(rng, LEAT_TUNNEL_FOU));
	gue = f->tunnel == LEAT_TUNNEL_GUE;
	rco = gue || f->tunnel == LEAT_TUNNEL_VXLAN;
	f->sport = (uint16_t)rng_next(rng);
	f->tunnel_id = rng_below(rng, 1 << 24);
	f->in_gre = (gue || f->tunnel == LEAT_TUNNEL_FOU) && rng_once_in(rng, 3);
	f->eth = rng_once_in(rng, 2);
	f->gre_key = rng_once_in(rng, 2);
	f->gre_csum = f->tunnel == LEAT_TUNNEL_GRE && rng_once_in(rng, 2);
	f->no_csum = rng_once_in(rng, 2);
	f->remcsum = rco && rng_once_in(rng, 3);
	f->direct = gue && !f->remcsum && !f->in_gre && rng_once_in(rng, 3);
	if (f->tunnel == LEAT_TUNNEL_GENEVE) {
		f->tunnel_opts = o->opts;
		f->tunnel_opts_len = (uint8_t)(4 * rng_below(rng, 4));
	}
	if (f->tunnel != LEAT_TUNNEL_VXLAN && !f->eth)
		o->inner.vlans = 0;
	if (rng_once_in(rng, 3))
		add_extensions(rng, f, o->ext, carrier(f));
}

static struct leat_pkt *random_super(struct rng *rng, struct arena *arena)
{
	struct options options;
	struct frame f = random_network(rng);
	uint32_t hdr_len, headlen, slice, payload;
	uint16_t gso_size;
	struct leat_pkt *pkt;
	uint8_t *bytes;

	f.protocol = rng_once_in(rng, 3) ? FRAME_UDP : FRAME_TCP;
	f.salt = (uint32_t)rng_next(rng);
	gso_size = add_sizes(rng, &f);
	payload = f.payload;
	if (rng_once_in(rng, 3))
		add_extensions(rng, &f, options.inner_ext, f.protocol);
	add_transport(rng, &f, &options);
	if (rng_once_in(rng, 2))
		add_tunnel(rng, &f, &options);
	hdr_len = frame_hdr_len(&f);
	headlen = hdr_len + (rng_once_in(rng, 2) ? 0 : rng_below(rng, payload + 1));
	slice = 1 + rng_below(rng, rng_once_in(rng, 3) && payload < 500 ? 3 : payload);
	bytes = malloc(frame_len(&f));
	frame_build(&f, bytes);
	pkt = cut_scatter(arena, bytes, frame_len(&f), headlen, slice, rng);
	free(bytes);
	assert_int_equal(pkt->levels, f.inner != NULL ? 2 : 1);

	pkt->gso_size = gso_size;
	pkt->gso_type = cut_type(pkt);
	if (pkt->gso_type & (LEAT_GSO_TCPV4 | LEAT_GSO_TCPV6) && rng_once_in(rng, 4))
		pkt->gso_type |= LEAT_GSO_TCP_ACCECN;
	if (rng_once_in(rng, 3))
		pkt->gso_type |= LEAT_GSO_TCP_FIXEDID;
	if (pkt->levels > 1 && rng_once_in(rng, 3))
		pkt->gso_type |= LEAT_GSO_TCP_FIXEDID_INNER;
	return pkt;
}

static void check_segments(const struct cut *cut, const struct leat_pkt *pkt, bool partial)
{
	uint8_t *flat = malloc(pkt->len), *frame = malloc(FRAME_HDRS_MAX + pkt->gso_size);
	const struct leat_level *l = leat_pkt_inner(pkt);
	uint32_t check = l->transport + (l->protocol == FRAME_TCP ? 16u : 6u);

	assert_int_equal(frame_flatten(pkt, flat), pkt->len);
	assert_true(cut->promised > 1);
	for (unsigned i = 0; i < cut->n; i++) {
		uint32_t len = frame_segment(pkt, flat, i, frame);

		assert_int_equal(cut->segs[i].seg.len, len);
		if (partial) {
			assert_null(frame_wrong(cut->segs[i].frame, len, true));
			memcpy(frame + check, cut->segs[i].frame + check, 2);
		}
		assert_memory_equal(cut->segs[i].frame, frame, len);
	}
	assert_int_equal(frame_segment(pkt, flat, cut->n, frame), 0);
	free(flat);
	free(frame);
}

static void test_model(void **state)
{
	struct rng rng = rng_start("test_gso_model");

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct leat_gso_conf conf = {.csum_partial = rng_once_in(&rng, 3)};
		struct arena arena = {0};
		struct leat_pkt *pkt = random_super(&rng, &arena);
		struct cut at_once = cut_up(pkt, &conf, NULL);
		struct cut resumed = cut_up(pkt, &conf, &rng);

		check_segments(&at_once, pkt, conf.csum_partial);
		check_segments(&resumed, pkt, conf.csum_partial);
		cut_clear(&at_once);
		cut_clear(&resumed);
		arena_clear(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_model)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
