/* SPDX-License-Identifier: MIT */
/*
 * test_super_laws.c - what GSO and GRO owe each other and their caller, on wild super-packets of
 * every type and encapsulation: coalesce(segment(y)) = y for every y that GRO could have built; and
 * of what no sender should say, a refusal or segments with all of the payload.
 *
 * LEAT_LAW=N tries case N alone, LEAT_KIND=NAME those of that kind.
 */
#include <leat/parse.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "../frame.h"
#include "../law.h"
#include "../rng.h"

enum { SUPERS = 4000, BIG = 8 * 65535 };

static uint64_t seed;

/* All segments through a GRO; NULL unless one packet comes out. */
static struct leat_pkt *coalesce(const struct law_segments *s, const struct leat_gro_conf *conf,
				 bool trusted, struct leat_pkt **in)
{
	static uint8_t bytes[1 << 16];
	struct leat_gro *gro = law_gro(conf);
	struct leat_pkt *out[3];
	unsigned n = 0;

	for (int i = 0; i < s->n; i++) {
		in[i] = law_pkt(bytes, law_segment_copy(s, i, bytes), (unsigned)i);
		if (trusted)
			in[i]->csum = LEAT_CSUM_UNNECESSARY;
		n += leat_gro_receive(gro, in + i, 1, (uint64_t)i, out + (n > 0));
	}
	for (unsigned more; (more = leat_gro_flush(gro, UINT64_MAX, out + (n > 0), 1)) > 0;)
		n += more;
	law_gro_end(gro, NULL);
	return n == 1 ? out[0] : NULL;
}

/* Checksums of the outer header: what a super-packet has there is nobody's business. */
static void blank_outer_sums(const struct wild_super *s, uint8_t *bytes)
{
	uint8_t *udp = bytes + s->at.transport[0] + 6, *gre = bytes + s->at.tunnel + 4;

	if (s->at.levels == 1)
		return;
	if (s->kind.encap > WILD_GRE && (udp[0] | udp[1]) != 0)
		memset(udp, 0xff, 2);
	if (s->kind.encap == WILD_GRE && s->kind.csum)
		memset(gre, 0, 2);
}

static const char *compare(const struct wild_super *s, const struct leat_pkt *pkt)
{
	static uint8_t bytes[LEAT_PKT_LEN_MAX];

	if (pkt->len != s->len || frame_flatten(pkt, bytes) != s->len)
		return "the length";
	if (pkt->gso_type != s->gso_type)
		return "gso_type";
	if (pkt->gso_size != s->gso_size || pkt->gso_segs != s->gso_segs)
		return "gso_size or gso_segs";
	if (pkt->csum != LEAT_CSUM_PARTIAL || pkt->csum_start != s->csum_start ||
	    pkt->csum_offset != s->csum_offset)
		return "the checksum's description";
	blank_outer_sums(s, bytes);
	blank_outer_sums(s, s->bytes);
	return memcmp(bytes, s->bytes, s->len) == 0 ? NULL : "the bytes";
}

/* Segment it, merge the segments, compare; gives what is wrong. */
static const char *try_super(struct wild_super *super)
{
	static const struct leat_gso_conf whole;
	static struct leat_pkt *in[LEAT_PKT_SLICES_MAX];
	struct leat_gro_conf conf = {
		.max_size = BIG, .udp = true, .sctp = true, .key = {{seed, 1}}};
	struct leat_pkt *pkt = law_super(super), *merged;
	struct law_segments s = law_segment(pkt, &whole);
	const char *wrong = s.n < 2 ? "not segmented" : NULL;

	conf.no_jumbogram = super->len - super->at.network[0] > 65535 + 40 &&
			    (pkt->lvl[0].flags & LEAT_IP_JUMBO) == 0;
	if (wrong == NULL) {
		merged = coalesce(&s, &conf, super->kind.remcsum, in);
		wrong = merged == NULL ? "not merged into one" : compare(super, merged);
		for (int i = 0; i < s.n; i++)
			law_pkt_free(in[i]);
		law_segments_end(&s);
	}
	law_super_free(pkt);
	return wrong;
}

static void test_segment_then_coalesce(void **state)
{
	struct wild_super super = {0};
	char name[WILD_NAME];
	unsigned tried = 0;

	seed = rng_start("test_super_laws").state;
	for (uint64_t i = 0; i < SUPERS; i++) {
		struct rng rng = {seed + i};
		struct wild_super_conf conf = {.kind = law_kind(i),
					       .max_len = rng_once_in(&rng, 2) ? 500000 : 0,
					       .mergeable = true,
					       .fixed_id = rng_once_in(&rng, 3)};
		const char *wrong;

		if (!law_is_wanted(i, &conf.kind) || law_is_ufo(&conf.kind))
			continue;
		wild_super_make(&super, &conf, seed, i);
		wrong = try_super(&super);
		wild_kind_name(&conf.kind, name);
		if (wrong != NULL)
			fail_msg("LEAT_SEED=%" PRIu64 " LEAT_LAW=%" PRIu64
				 ": %s, %u vlans, %u bytes, gso_size %u, type %x: %s",
				 seed, i, name, super.kind.vlans, super.len, super.gso_size,
				 super.gso_type, wrong);
		tried++;
	}
	wild_super_fini(&super);
	print_message("%u super-packets\n", tried);
}

/* Whatever the sender says, there are segments or a refusal; all payload is in them. */
static void test_nonsense(void **state)
{
	static const struct leat_gso_conf whole;
	struct wild_super super = {0};
	unsigned refused = 0, tried = 0;

	seed = rng_start("test_super_laws").state;
	for (uint64_t i = 0; i < SUPERS; i++) {
		struct wild_super_conf conf = {
			.kind = law_kind(i), .fixed_id = true, .accecn = true, .nonsense = true};
		struct leat_pkt *pkt;
		struct law_segments s;
		uint64_t payload = 0;

		if (!law_is_wanted(i, &conf.kind))
			continue;
		wild_super_make(&super, &conf, seed, i);
		pkt = law_super(&super);
		s = law_segment(pkt, &whole);
		for (int k = 0; k < s.n; k++)
			payload += s.segs[k].len - s.slices[s.segs[k].slice].len;
		if (s.n >= 0 && (s.n < 2 || payload < super.len - pkt->payload))
			fail_msg("LEAT_SEED=%" PRIu64 " LEAT_LAW=%" PRIu64 ": %d segments", seed, i,
				 s.n);
		refused += s.n < 0;
		tried++;
		law_segments_end(&s);
		law_super_free(pkt);
	}
	wild_super_fini(&super);
	print_message("%u of %u refused\n", refused, tried);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_segment_then_coalesce),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
