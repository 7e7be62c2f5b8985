/* SPDX-License-Identifier: MIT */
/*
 * test_gro_model.c - GRO against the slow obvious one: a list of held flows by age, searched from
 * its beginning, rules that compare what the frames were built from. Random traffic, the same
 * packets to both in batches of random size, flushes in between: the same packets out, in the same
 * order, the same bytes, the same counts.
 */
#include <leat/parse.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gro_judge.h"

enum { ROUNDS = 40, FLUSH_MAX = 3 };

static void give(struct model *m, unsigned at, enum leat_gro_reason why)
{
	m->out[m->n_out++] = m->held[at];
	m->count[why]++;
	m->n_held--;
	memmove(&m->held[at], &m->held[at + 1], (m->n_held - at) * sizeof(struct held));
}

static uint32_t bucket_of(const struct model *m, uint32_t hash)
{
	return (m->conf.buckets > 8 ? leat_hash_32(hash, 16) : hash) & (m->conf.buckets - 1);
}

static void make_room(struct model *m, uint32_t hash)
{
	unsigned n = 0, first = 0;

	for (unsigned i = m->n_held; i-- > 0;)
		if (bucket_of(m, m->held[i].hash) == bucket_of(m, hash)) {
			first = i;
			n++;
		}
	if (n == m->conf.depth)
		give(m, first, LEAT_GRO_EVICTED);
	else if (m->n_held == m->conf.flows)
		give(m, 0, LEAT_GRO_EVICTED);
}

static unsigned find(const struct model *m, unsigned i)
{
	unsigned at;

	for (at = 0; at < m->n_held; at++)
		if (m->packet[m->held[at].member[0]].flow == m->packet[i].flow)
			break;
	return at;
}

static void merge(struct model *m, unsigned at, unsigned i)
{
	struct held *h = &m->held[at];
	const struct frame *f = &m->packet[i].f;
	enum leat_gro_reason end;

	if (h->n == 1) {
		const struct traffic_packet *a = &m->packet[h->member[0]], *b = &m->packet[i];

		h->fixed = f->version == 4 && f->id == a->f.id;
		h->outer_fixed = a->outer.version == 4 && a->outer.id == b->outer.id;
	}
	h->member[h->n++] = i;
	h->payload += f->payload;
	m->count[LEAT_GRO_MERGED]++;
	end = judge_end(m, h, f);
	if (end != LEAT_GRO_MERGED)
		give(m, at, end);
}

static void pass(struct model *m, unsigned i, enum leat_gro_reason why)
{
	m->count[why]++;
	m->out[m->n_out++] = (struct held){.n = 1, .member = {i}};
}

static void receive(struct model *m, unsigned i, uint32_t hash, uint64_t now)
{
	const struct traffic_packet *p = &m->packet[i];
	enum leat_gro_reason why = judge_kind(m, p), pair = LEAT_GRO_END_PASS;
	unsigned at = find(m, i);

	if (why != LEAT_GRO_MERGED) {
		pass(m, i, why);
		return;
	}
	why = judge_packet(m, p, at < m->n_held);
	if (at < m->n_held) {
		if (why == LEAT_GRO_MERGED)
			pair = judge_pair(m, &m->held[at], p);
		if (pair == LEAT_GRO_MERGED) {
			merge(m, at, i);
			return;
		}
		give(m, at, pair);
		if (why == LEAT_GRO_MERGED)
			why = judge_packet(m, p, false);
	}
	if (why != LEAT_GRO_MERGED) {
		pass(m, i, why);
		return;
	}
	make_room(m, hash);
	m->held[m->n_held++] = (struct held){
		.hash = hash, .stamp = now, .n = 1, .member = {i}, .payload = p->f.payload};
	m->count[LEAT_GRO_HELD]++;
}

static unsigned flush(struct model *m, uint64_t before, unsigned max)
{
	unsigned n = 0;

	for (; n < max && m->n_held > 0 && m->held[0].stamp < before; n++)
		give(m, 0, LEAT_GRO_TIMEOUT);
	return n;
}

/* The bytes of a super-packet in no tunnel: the first frame with the payload of all. */
static uint32_t expect_bytes(const struct model *m, const struct held *h, uint8_t *dst)
{
	struct frame whole = m->packet[h->member[0]].f;
	uint32_t at = frame_hdr_len(&whole), ip = 14 + 4u * whole.vlans;
	uint32_t l4 = at - (is_udp(&whole) ? 8 : 20 + (uint32_t)whole.opts_len);
	uint8_t one[FRAME_HDRS_MAX + 10000];

	whole.payload = h->payload;
	for (unsigned i = 0; i < h->n; i++)
		whole.flags |= m->packet[h->member[i]].f.flags;
	frame_build(&whole, dst);
	for (unsigned i = 0; i < h->n; i++) {
		const struct frame *f = &m->packet[h->member[i]].f;

		frame_build(f, one);
		memcpy(dst + at, one + frame_hdr_len(f), f->payload);
		at += f->payload;
	}
	if (h->n > 1) {
		uint8_t *field = dst + l4 + (is_udp(&whole) ? 6 : 16);
		uint16_t sum = frame_pseudo(dst + ip, whole.protocol, at - l4);

		field[0] = (uint8_t)(sum >> 8);
		field[1] = (uint8_t)sum;
	}
	return at;
}

static void compare_bytes(const struct model *m, const struct held *h, const struct leat_pkt *pkt)
{
	static uint8_t expected[1 << 17], flat[1 << 17];
	uint32_t len = expect_bytes(m, h, expected);

	assert_int_equal(frame_flatten(pkt, flat), len);
	assert_memory_equal(flat, expected, len);
}

static uint32_t tunnel_type(const struct frame *outer)
{
	uint32_t type = outer->in_gre ? LEAT_GSO_GRE : 0;

	if (outer->tunnel == LEAT_TUNNEL_IP)
		return outer->version == 4 ? LEAT_GSO_IPXIP4 : LEAT_GSO_IPXIP6;
	if (outer->tunnel == LEAT_TUNNEL_GRE)
		return outer->gre_csum ? LEAT_GSO_GRE_CSUM : LEAT_GSO_GRE;
	type |= outer->remcsum ? LEAT_GSO_TUNNEL_REMCSUM : 0;
	return type | (outer->no_csum ? LEAT_GSO_UDP_TUNNEL : LEAT_GSO_UDP_TUNNEL_CSUM);
}

static uint32_t expect_type(const struct model *m, const struct held *h)
{
	const struct traffic_packet *p = &m->packet[h->member[0]];
	const struct frame *f = &p->f;
	uint32_t type = is_udp(f)	? LEAT_GSO_UDP_L4 :
			!is_tcp(f)	? LEAT_GSO_SCTP :
			f->version == 4 ? LEAT_GSO_TCPV4 :
					  LEAT_GSO_TCPV6;

	if (is_tunnelled(p))
		type |= tunnel_type(&p->outer);
	if (is_list(m, f))
		return type | LEAT_GSO_FRAGLIST;
	type |= is_tcp(f) && (f->flags & FRAME_CWR) != 0 ? LEAT_GSO_TCP_ACCECN : 0;
	if (!is_tunnelled(p))
		return type | (h->fixed ? LEAT_GSO_TCP_FIXEDID : 0);
	return type | (h->outer_fixed ? LEAT_GSO_TCP_FIXEDID : 0) |
	       (h->fixed ? LEAT_GSO_TCP_FIXEDID_INNER : 0);
}

static void compare_super(const struct model *m, const struct held *h, const struct leat_pkt *pkt)
{
	const struct traffic_packet *p = &m->packet[h->member[0]];
	bool sctp = p->f.protocol == FRAME_SCTP;

	if (!is_tunnelled(p) && !is_list(m, &p->f) && !sctp)
		compare_bytes(m, h, pkt);
	assert_int_equal(pkt->gso_type, expect_type(m, h));
	assert_int_equal(pkt->gso_size, sctp ? LEAT_GSO_BY_FRAGS : p->f.payload);
	assert_int_equal(pkt->gso_segs, h->n);
	assert_int_equal(pkt->csum, is_list(m, &p->f) ? LEAT_CSUM_UNNECESSARY : LEAT_CSUM_PARTIAL);
	if (is_list(m, &p->f))
		return;
	assert_int_equal(pkt->csum_start, leat_pkt_inner(pkt)->transport);
	assert_int_equal(pkt->csum_offset, is_udp(&p->f) ? 6 : sctp ? 8 : 16);
}

static void compare_out(const struct model *m, const struct train *train, unsigned i)
{
	const struct leat_pkt *pkt = train->out[i];
	const struct held *h = &m->out[i];

	for (unsigned k = 0; k < h->n; k++, pkt = pkt->frag_list) {
		assert_non_null(pkt);
		assert_int_equal(pkt->cookie, h->member[k]);
	}
	assert_null(pkt);
	train_check_inverse(train, i);
	if (h->n > 1)
		compare_super(m, h, train->out[i]);
}

static void compare(const struct model *m, const struct train *train, unsigned from)
{
	assert_int_equal(train->n_out, m->n_out);
	assert_int_equal(train->gro.held, m->n_held);
	assert_int_equal(leat_gro_oldest(&train->gro),
			 m->n_held > 0 ? m->held[0].stamp : UINT64_MAX);
	for (unsigned i = 0; i < LEAT_GRO_REASONS; i++)
		if (train->gro.count[i] != m->count[i])
			fail_msg("%s: %u, model %u", leat_gro_reason_name(i),
				 (unsigned)train->gro.count[i], (unsigned)m->count[i]);
	for (unsigned i = from; i < m->n_out; i++)
		compare_out(m, train, i);
}

/* What the table should hash a packet with: the NIC's, or its flow's, fragment or not. */
static uint32_t hash_of(const struct model *m, unsigned i)
{
	struct traffic_packet p = m->packet[i];
	struct arena arena = {0};
	uint32_t hash = p.hash;
	struct frame f;

	if (!p.hashed) {
		if (p.f.version == 4)
			p.f.frag_off = 0;
		else if (is_fragment(&p.f, false))
			p.f.ext_len = 0;
		f = traffic_frame(&p);
		hash = leat_flow_hash(arena_frame(&arena, &f), &m->conf.key);
		arena_clear(&arena);
	}
	return hash;
}

static struct leat_gro_conf random_conf(struct rng *rng)
{
	struct leat_gro_conf conf = {.udp = !rng_once_in(rng, 4),
				     .sctp = !rng_once_in(rng, 4),
				     .fraglist = rng_once_in(rng, 4),
				     .accecn = rng_once_in(rng, 2),
				     .no_jumbogram = rng_once_in(rng, 2),
				     .key = {{rng_next(rng), 7}}};

	if (rng_once_in(rng, 4))
		return conf;
	conf.buckets = 1u << rng_below(rng, 7);
	conf.depth = 1 + rng_below(rng, 8);
	conf.flows = 1 + rng_below(rng, 40);
	conf.max_size = rng_once_in(rng, 2) ? 0 : 100 + rng_below(rng, 5000);
	conf.max_size4 = rng_once_in(rng, 2) ? 0 : 100 + rng_below(rng, 5000);
	conf.max_segs = rng_once_in(rng, 2) ? 0 : 2 + rng_below(rng, 20);
	return conf;
}

/* A batch in, perhaps a flush after it. */
static void step(struct rng *rng, struct model *m, struct train *train, uint64_t now)
{
	unsigned n = 1 + rng_below(rng, 20), from = m->n_out;

	if (n > PACKETS - train->n_in)
		n = PACKETS - train->n_in;
	for (unsigned i = train->n_in; i < train->n_in + n; i++)
		receive(m, i, hash_of(m, i), now);
	train_receive(train, n, now);
	compare(m, train, from);
	from = m->n_out;
	if (rng_once_in(rng, 4)) {
		uint64_t before = now - rng_below(rng, 30);

		while (flush(m, before, FLUSH_MAX) == FLUSH_MAX)
			;
		train_flush(train, before);
		compare(m, train, from);
	}
}

static void run_round(struct rng *rng, struct model *m, struct traffic *traffic)
{
	struct train train;
	uint64_t now = 1000;
	unsigned from;

	memset(m, 0, sizeof(*m));
	m->conf = random_conf(rng);
	train = train_start(&m->conf);
	m->conf = train.gro.conf; /* with the defaults */
	traffic_start(traffic, rng, 1 + rng_below(rng, rng_once_in(rng, 2) ? 4 : 60),
		      rng_once_in(rng, 2) ? 5 : 30);
	for (unsigned i = 0; i < PACKETS; i++) {
		m->packet[i] = traffic_next(traffic);
		traffic_add(&train, &m->packet[i]);
	}
	for (; train.n_in < PACKETS; now += rng_below(rng, 10))
		step(rng, m, &train, now);
	from = m->n_out;
	flush(m, UINT64_MAX, UINT32_MAX);
	train_flush(&train, UINT64_MAX);
	compare(m, &train, from);
	train_check_balance(&train);
	train_check_conserved(&train);
	train_end(&train);
}

static void test_model(void **state)
{
	struct rng rng = rng_start("test_gro_model");
	struct model *m = malloc(sizeof(*m));
	struct traffic *traffic = malloc(sizeof(*traffic));

	assert_true(m != NULL && traffic != NULL);
	for (unsigned i = 0; i < ROUNDS; i++)
		run_round(&rng, m, traffic);
	free(m);
	free(traffic);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
