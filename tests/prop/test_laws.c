/* SPDX-License-Identifier: MIT */
/*
 * test_laws.c - what GRO and GSO owe each other and their caller, on wild trains of every type and
 * encapsulation: segment(coalesce(x)) = x byte for byte and in the order of each flow; every frame
 * comes out once; just those frames merge that a slow model merges; the same input gives the same
 * output however it is batched; and the trains are wild enough that every reason is given.
 *
 * LEAT_LAW=N tries train N alone, LEAT_KIND=NAME those of that kind, LEAT_TRAINS=N so many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "../frame.h"
#include "../law.h"
#include "../merge.h"
#include "../rng.h"

enum { TRAINS = 6000, FRAMES_MAX = 1000, BIG = 8 * 65535 };

static uint64_t reached[LEAT_GRO_REASONS];
static uint64_t seed;

/* A train through a GRO. */
struct run {
	struct leat_pkt *in[FRAMES_MAX], *out[2 * FRAMES_MAX];
	unsigned n_in, n_out;
};

static void run_start(struct run *run, const struct wild_train *train,
		      const struct leat_gro_conf *conf, bool trusted, unsigned batch)
{
	struct leat_gro *gro = law_gro(conf);

	run->n_in = train->n;
	run->n_out = 0;
	for (unsigned i = 0; i < train->n; i++)
		run->in[i] = law_pkt(train->frame[i].bytes, train->frame[i].len, i);
	for (unsigned i = 0; trusted && i < train->n; i++)
		run->in[i]->csum = LEAT_CSUM_UNNECESSARY;
	for (unsigned i = 0; i < train->n; i += batch) {
		unsigned n = train->n - i < batch ? train->n - i : batch;

		run->n_out += leat_gro_receive(gro, run->in + i, n, i, run->out + run->n_out);
	}
	run->n_out +=
		leat_gro_flush(gro, UINT64_MAX, run->out + run->n_out, 2 * FRAMES_MAX - run->n_out);
	law_gro_end(gro, reached);
}

static void run_end(struct run *run)
{
	for (unsigned i = 0; i < run->n_in; i++)
		law_pkt_free(run->in[i]);
}

/* Which train this is, in words, for who has to find out what went wrong. */
struct story {
	uint64_t number;
	char kind[WILD_NAME];
	const struct wild_train *train;
};

static void list_troubles(const struct wild_frame *f, char *dst, size_t room)
{
	size_t n = 0;

	*dst = 0;
	for (unsigned t = 0; t < WILD_TROUBLES; t++)
		if (f->trouble[t] && n < room)
			n += (size_t)snprintf(dst + n, room - n, " %s", wild_trouble_name(t));
}

/* The frames' headers, when there is but one train. */
static void show_train(const struct wild_train *train)
{
	char troubles[400];

	for (unsigned i = 0; getenv("LEAT_LAW") && i < train->n; i++) {
		const struct wild_frame *f = &train->frame[i];

		list_troubles(f, troubles, sizeof(troubles));
		print_message("%u: flow %u, %u bytes,%s\n ", i, f->flow, f->len, troubles);
		for (uint32_t k = 0; k < f->len && k < f->at.payload; k++)
			print_message("%s%02x", k % 2 ? "" : " ", f->bytes[k]);
		print_message("\n");
	}
}

static void tell(const struct story *story, unsigned frame, const char *what)
{
	const struct wild_train *train = story->train;
	char troubles[400];

	list_troubles(&train->frame[frame], troubles, sizeof(troubles));
	show_train(train);
	fail_msg("LEAT_SEED=%" PRIu64 " LEAT_LAW=%" PRIu64 ": %s, %u vlans: frame %u of %u,"
		 " flow %u, befallen by:%s: %s",
		 seed, story->number, story->kind, train->kind.vlans, frame, train->n,
		 train->frame[frame].flow, troubles, what);
}

static void check_bytes(const struct story *story, unsigned frame, const uint8_t *bytes,
			uint32_t len)
{
	const struct wild_frame *f = &story->train->frame[frame];
	char what[100];

	if (len != f->len) {
		snprintf(what, sizeof(what), "%u bytes came out of %u", len, f->len);
		tell(story, frame, what);
	}
	for (uint32_t i = 0; i < len; i++)
		if (bytes[i] != f->bytes[i]) {
			snprintf(what, sizeof(what),
				 "byte %u is %02x, was %02x (network %u %u transport %u %u payload"
				 " %u)",
				 i, bytes[i], f->bytes[i], f->at.network[0], f->at.network[1],
				 f->at.transport[0], f->at.transport[1], f->at.payload);
			tell(story, frame, what);
		}
}

/* segment(coalesce(x)) = x, for one packet that came out. */
static void check_inverse(const struct story *story, const struct leat_pkt *pkt)
{
	static const struct leat_gso_conf whole;
	static uint8_t bytes[1 << 16];
	const struct leat_pkt *member = pkt;
	struct law_segments s;

	if (pkt->gso_type == 0) {
		assert_null(pkt->frag_list);
		assert_int_equal(pkt->headlen, pkt->len);
		check_bytes(story, pkt->cookie, pkt->data, pkt->len);
		return;
	}
	s = law_segment(pkt, &whole);
	if (s.n < 2)
		tell(story, pkt->cookie, "what was merged cannot be segmented");
	assert_int_equal(s.n, pkt->gso_segs);
	assert_int_equal(s.n, leat_gso_segs(pkt));
	for (int i = 0; i < s.n; i++, member = member->frag_list) {
		assert_non_null(member);
		check_bytes(story, member->cookie, bytes, law_segment_copy(&s, i, bytes));
	}
	assert_null(member);
	law_segments_end(&s);
}

static bool is_beyond(const struct wild_frame *f)
{
	for (unsigned t = 0; t < WILD_TROUBLES; t++)
		if (f->trouble[t] && merge_beyond(t))
			return true;
	return false;
}

/* Each frame came out once, and after those of its flow that came before it. */
static void check_order(const struct story *story, const struct run *run)
{
	const struct wild_train *train = story->train;
	unsigned order[FRAMES_MAX], n = 0;
	bool seen[FRAMES_MAX] = {false};

	for (unsigned i = 0; i < run->n_out; i++)
		for (const struct leat_pkt *p = run->out[i]; p != NULL; p = p->frag_list) {
			assert_true(n < train->n && !seen[p->cookie]);
			seen[p->cookie] = true;
			order[n++] = p->cookie;
		}
	assert_int_equal(n, train->n);
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = i + 1; k < n; k++)
			if (order[k] < order[i] && !is_beyond(&train->frame[order[i]]) &&
			    !is_beyond(&train->frame[order[k]]) &&
			    merge_same_flow(&train->frame[order[i]], &train->frame[order[k]]))
				tell(story, order[k], "was overtaken in its flow");
}

/* The frames that merged are those that the model merges. */
static void check_model(const struct story *story, const struct run *run,
			const struct leat_gro_conf *conf, bool trusted)
{
	unsigned group[FRAMES_MAX], came[FRAMES_MAX];
	char what[100];

	merge_groups(story->train, conf, trusted, group);
	for (unsigned i = 0; i < run->n_out; i++)
		for (const struct leat_pkt *p = run->out[i]; p != NULL; p = p->frag_list)
			came[p->cookie] = run->out[i]->cookie; /* of a group, the first */
	for (unsigned i = 0; i < run->n_in; i++) {
		unsigned first = 0;

		while (group[first] != group[i])
			first++;
		if (came[i] == first)
			continue;
		snprintf(what, sizeof(what), "merged with frame %u, by the model with frame %u",
			 came[i], first);
		tell(story, i, what);
	}
}

static void check_same(const struct story *story, const struct run *a, const struct run *b)
{
	assert_int_equal(a->n_out, b->n_out);
	for (unsigned i = 0; i < a->n_out; i++) {
		if (a->out[i]->cookie != b->out[i]->cookie ||
		    a->out[i]->slices != b->out[i]->slices ||
		    a->out[i]->gso_type != b->out[i]->gso_type ||
		    a->out[i]->gso_size != b->out[i]->gso_size)
			tell(story, a->out[i]->cookie, "batches of another size, another result");
		assert_int_equal(a->out[i]->len, b->out[i]->len);
		assert_memory_equal(a->out[i]->data, b->out[i]->data, a->out[i]->headlen);
	}
}

/* Enough room for all flows, so that the model need not know the table. */
static struct leat_gro_conf random_conf(struct rng *rng)
{
	struct leat_gro_conf conf = {.buckets = 64,
				     .depth = 64,
				     .flows = 2048,
				     .udp = true,
				     .sctp = true,
				     .key = {{rng_next(rng), rng_next(rng)}}};

	conf.max_size = rng_once_in(rng, 6)  ? BIG :
			rng_once_in(rng, 10) ? 200 + rng_below(rng, 9000) :
					       65536;
	conf.max_size4 = rng_once_in(rng, 8) ? 100 + rng_below(rng, 60000) : conf.max_size;
	conf.max_segs = rng_once_in(rng, 10) ? 2 + rng_below(rng, 20) : 65535;
	conf.fraglist = rng_once_in(rng, 8);
	conf.accecn = rng_once_in(rng, 6);
	conf.no_jumbogram = rng_once_in(rng, 2);
	return conf;
}

/* Some tables too small, some protocols off: there the model has no say. */
static bool spoil_conf(struct rng *rng, struct leat_gro_conf *conf)
{
	if (!rng_once_in(rng, 8))
		return false;
	conf->buckets = 1;
	conf->depth = 1 + rng_below(rng, 4);
	conf->udp = rng_once_in(rng, 2);
	conf->sctp = rng_once_in(rng, 2);
	return true;
}

static void try_train(uint64_t number, struct wild_train *train, uint64_t *merged)
{
	static struct run a, b;
	struct rng rng = {seed + number * 0x9e3779b97f4a7c15u};
	struct wild_train_conf wild = {.kind = law_kind(number)};
	struct leat_gro_conf conf = random_conf(&rng);
	bool judged = !spoil_conf(&rng, &conf) && !rng_once_in(&rng, 4) && !law_is_ufo(&wild.kind);
	bool trusted = wild.kind.remcsum && rng_once_in(&rng, 2);
	struct story story = {number, "", train};

	wild_kind_name(&wild.kind, story.kind);
	for (unsigned t = 0; judged && t < WILD_TROUBLES; t++)
		wild.avoid[t] = merge_beyond(t);
	if (wild.kind.type == WILD_SCTP4 || wild.kind.type == WILD_SCTP6)
		wild.avoid[WILD_OUTER_L4_FFFF] = 1; /* each frame a flow of its own: evictions */
	wild.frames = rng_once_in(&rng, 10) ? 600 : 80;
	wild.mtu = rng_once_in(&rng, 10) ? 9000 : 1500;
	wild_train_make(train, &wild, seed, number);
	run_start(&a, train, &conf, trusted, 1);
	run_start(&b, train, &conf, trusted, 1 + rng_below(&rng, 100));
	check_order(&story, &a);
	check_same(&story, &a, &b);
	if (judged)
		check_model(&story, &a, &conf, trusted);
	for (unsigned i = 0; i < a.n_out; i++) {
		check_inverse(&story, a.out[i]);
		*merged += a.out[i]->slices;
	}
	run_end(&a);
	run_end(&b);
}

static void test_coalesce_then_segment(void **state)
{
	const char *trains = getenv("LEAT_TRAINS");
	uint64_t frames = 0, merged = 0, tried = 0, n = trains ? strtoull(trains, NULL, 0) : TRAINS;
	struct wild_train train = {0};

	seed = rng_start("test_laws").state;
	for (uint64_t i = 0; i < n; i++) {
		struct wild_kind kind = law_kind(i);

		if (!law_is_wanted(i, &kind))
			continue;
		try_train(i, &train, &merged);
		frames += train.n;
		tried++;
	}
	wild_train_fini(&train);
	print_message("%" PRIu64 " trains, %" PRIu64 " frames, %" PRIu64 " merges\n", tried, frames,
		      merged);
	assert_true(tried < TRAINS || merged > frames / 3);
}

/* What no train brings about: a super-packet, and a checksum not yet completed among fraglists; and
 * what a train that is not long enough does not. */
static void reach_the_rest(void)
{
	struct wild_train train = {0};
	struct wild_train_conf wild = {.tame = true};
	struct leat_gro_conf conf = {.buckets = 1, .depth = 1, .fraglist = true, .key = {{1, 2}}};
	struct leat_gro *gro = law_gro(&conf);
	struct leat_pkt *out[4], *pkt[2];

	wild_train_make(&train, &wild, seed, 0);
	for (unsigned i = 0; i < 2; i++) {
		pkt[i] = law_pkt(train.frame[i].bytes, train.frame[i].len, i);
		pkt[i]->csum = LEAT_CSUM_PARTIAL;
		pkt[i]->csum_start = train.frame[i].at.transport[0];
		pkt[i]->csum_offset = 16;
	}
	pkt[1]->gso_type = LEAT_GSO_TCPV4;
	pkt[1]->gso_size = 1;
	assert_int_equal(leat_gro_receive(gro, pkt, 2, 0, out), 2);
	law_gro_end(gro, reached);
	law_pkt_free(pkt[0]);
	law_pkt_free(pkt[1]);
	wild_train_fini(&train);
}

static void test_reasons_reached(void **state)
{
	unsigned missing = 0;

	if (getenv("LEAT_LAW") || getenv("LEAT_KIND") || getenv("LEAT_TRAINS"))
		skip();
	reach_the_rest();
	for (unsigned i = 0; i < LEAT_GRO_REASONS; i++) {
		print_message("%10" PRIu64 " %s\n", reached[i], leat_gro_reason_name(i));
		missing += reached[i] == 0;
	}
	assert_int_equal(missing, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_coalesce_then_segment),
		cmocka_unit_test(test_reasons_reached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
