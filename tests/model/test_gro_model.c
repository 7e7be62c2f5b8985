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

#include "../traffic.h"

enum { ROUNDS = 40, PACKETS = 600, MEMBERS_MAX = PACKETS, FLUSH_MAX = 3 };

struct held {
	uint32_t hash;
	uint64_t stamp;
	bool fixed;
	unsigned n, member[MEMBERS_MAX]; /* indices of packets */
	uint32_t payload;
};

struct model {
	struct leat_gro_conf conf;
	struct traffic_packet packet[PACKETS];
	struct held held[PACKETS]; /* oldest first */
	unsigned n_held;
	struct held out[2 * PACKETS];
	unsigned n_out;
	uint64_t count[LEAT_GRO_REASONS];
};

static bool is_udp(const struct frame *f)
{
	return f->protocol == FRAME_UDP;
}

static bool is_fragment(const struct frame *f, bool later)
{
	if (f->version == 4)
		return (f->frag_off & (later ? 0x1fff : 0x3fff)) != 0;
	return f->ext_len > 0 && f->ext_first == 44 && (!later || (f->ext[3] & 0xf8) != 0);
}

static bool same_data(const uint8_t *a, const uint8_t *b, uint32_t len)
{
	return len == 0 || memcmp(a, b, len) == 0;
}

/* Why the packet has no flow here. */
static enum leat_gro_reason judge_kind(const struct model *m, const struct frame *f)
{
	if (is_fragment(f, true))
		return LEAT_GRO_IP_FRAGMENT;
	if (f->protocol != FRAME_TCP && f->protocol != FRAME_UDP)
		return LEAT_GRO_NOT_PARSED;
	return is_udp(f) && !m->conf.udp ? LEAT_GRO_UDP_OFF : LEAT_GRO_MERGED;
}

static enum leat_gro_reason judge_ip(const struct frame *f)
{
	if (f->version == 4 && f->ext_len > 0)
		return LEAT_GRO_IP_OPTIONS;
	if (is_fragment(f, false))
		return LEAT_GRO_IP_FRAGMENT;
	if (f->bad_ip_csum)
		return LEAT_GRO_IP_CSUM;
	return f->padding > 0 ? LEAT_GRO_LENGTH : LEAT_GRO_MERGED;
}

static enum leat_gro_reason judge_packet(const struct traffic_packet *p, bool is_held)
{
	const struct frame *f = &p->f;
	uint8_t never = FRAME_SYN | FRAME_RST | FRAME_URG | FRAME_CWR;

	if (p->mark == TRAFFIC_GSO)
		return LEAT_GRO_IS_GSO;
	if (judge_ip(f) != LEAT_GRO_MERGED)
		return judge_ip(f);
	if (!is_udp(f) && ((f->flags & never) != 0 || (f->no_ack && (f->flags & FRAME_ACK) == 0)))
		return LEAT_GRO_TCP_FLAGS;
	if (f->payload == 0)
		return LEAT_GRO_NO_PAYLOAD;
	if (is_udp(f) && f->no_csum)
		return LEAT_GRO_UDP_ZERO_CSUM;
	if (!is_udp(f) && (f->flags & (FRAME_PSH | FRAME_FIN)) != 0 && !is_held)
		return LEAT_GRO_PSH_FIRST;
	if (f->bad_l4_csum || p->mark == TRAFFIC_PARTIAL_WRONG)
		return LEAT_GRO_L4_CSUM;
	return LEAT_GRO_MERGED;
}

static enum leat_gro_reason judge_link(const struct frame *a, const struct frame *b)
{
	if (a->dst_mac != b->dst_mac || a->src_mac != b->src_mac || a->vlans != b->vlans)
		return LEAT_GRO_LINK;
	for (unsigned i = 0; i < a->vlans; i++)
		if (a->vlan[i] != b->vlan[i])
			return LEAT_GRO_LINK;
	return LEAT_GRO_MERGED;
}

/* a is the first packet held, last the last, b the new one. */
static enum leat_gro_reason judge_ids(const struct held *h, const struct frame *a,
				      const struct frame *last, const struct frame *b)
{
	bool fixed = b->id == a->id, next = b->id == (uint16_t)(last->id + 1);

	if (h->n == 1)
		return fixed || next ? LEAT_GRO_MERGED : LEAT_GRO_IP_ID;
	return (h->fixed ? fixed : next) ? LEAT_GRO_MERGED : LEAT_GRO_IP_ID;
}

static enum leat_gro_reason judge_ips(const struct held *h, const struct frame *a,
				      const struct frame *last, const struct frame *b)
{
	if (a->version == 6 && a->ext_len != b->ext_len)
		return LEAT_GRO_EXTENSIONS;
	if (a->tos != b->tos)
		return LEAT_GRO_TOS;
	if ((a->ttl == 0 ? 64 : a->ttl) != (b->ttl == 0 ? 64 : b->ttl))
		return LEAT_GRO_TTL;
	if (a->version == 4)
		return a->frag_off != b->frag_off ? LEAT_GRO_DF : judge_ids(h, a, last, b);
	if (a->flow_label != b->flow_label)
		return LEAT_GRO_FLOW_LABEL;
	if (a->ext_len > 0 && a->ext_first != b->ext_first)
		return LEAT_GRO_EXTENSIONS;
	return same_data(a->ext, b->ext, a->ext_len) ? LEAT_GRO_MERGED : LEAT_GRO_EXTENSIONS;
}

static enum leat_gro_reason judge_tcp(const struct held *h, const struct frame *a,
				      const struct frame *b)
{
	if (a->window != b->window || a->opts_len != b->opts_len || a->reserved != b->reserved ||
	    a->urg_ptr != b->urg_ptr || (a->flags & FRAME_ECE) != (b->flags & FRAME_ECE))
		return LEAT_GRO_TCP_WORD;
	if (a->ack != b->ack)
		return LEAT_GRO_TCP_ACK;
	if (!same_data(a->opts, b->opts, a->opts_len))
		return LEAT_GRO_TCP_OPTIONS;
	return b->seq == a->seq + h->payload ? LEAT_GRO_MERGED : LEAT_GRO_TCP_SEQ;
}

static enum leat_gro_reason judge_sizes(const struct model *m, const struct held *h,
					const struct frame *a, const struct frame *b)
{
	uint32_t limit = is_udp(a) && m->conf.max_size > 65536 ? 65536 : m->conf.max_size;

	if (b->payload > a->payload)
		return LEAT_GRO_SIZE;
	if (frame_hdr_len(a) - 14 - 4 * a->vlans + h->payload + b->payload >= limit)
		return LEAT_GRO_MAX_SIZE;
	return LEAT_GRO_MERGED;
}

static enum leat_gro_reason judge_pair(const struct model *m, const struct held *h,
				       const struct frame *b)
{
	const struct frame *a = &m->packet[h->member[0]].f;
	const struct frame *last = &m->packet[h->member[h->n - 1]].f;
	enum leat_gro_reason why = judge_link(a, b);

	if (why == LEAT_GRO_MERGED)
		why = judge_ips(h, a, last, b);
	if (why == LEAT_GRO_MERGED && !is_udp(a))
		why = judge_tcp(h, a, b);
	return why == LEAT_GRO_MERGED ? judge_sizes(m, h, a, b) : why;
}

static enum leat_gro_reason judge_end(const struct model *m, const struct held *h,
				      const struct frame *b)
{
	unsigned most = is_udp(b) && m->conf.max_segs > 64 ? 64 : m->conf.max_segs;

	if (b->payload < m->packet[h->member[0]].f.payload)
		return LEAT_GRO_END_SMALL;
	if (!is_udp(b) && (b->flags & (FRAME_PSH | FRAME_FIN)) != 0)
		return LEAT_GRO_END_FLAGS;
	return h->n == most ? LEAT_GRO_MAX_SIZE : LEAT_GRO_MERGED;
}

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

	if (h->n == 1)
		h->fixed = f->version == 4 && f->id == m->packet[h->member[0]].f.id;
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
	enum leat_gro_reason why = judge_kind(m, &p->f), pair = LEAT_GRO_END_PASS;
	unsigned at = find(m, i);

	if (why != LEAT_GRO_MERGED) {
		pass(m, i, why);
		return;
	}
	why = judge_packet(p, at < m->n_held);
	if (at < m->n_held) {
		if (why == LEAT_GRO_MERGED)
			pair = judge_pair(m, &m->held[at], &p->f);
		if (pair == LEAT_GRO_MERGED) {
			merge(m, at, i);
			return;
		}
		give(m, at, pair);
		if (why == LEAT_GRO_MERGED)
			why = judge_packet(p, false);
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

/* The bytes a packet or super-packet should have: the first frame with the payload of all. */
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

static void compare_super(const struct model *m, const struct held *h, const struct leat_pkt *pkt)
{
	const struct frame *f = &m->packet[h->member[0]].f;
	uint32_t type = is_udp(f)	? LEAT_GSO_UDP_L4 :
			f->version == 4 ? LEAT_GSO_TCPV4 :
					  LEAT_GSO_TCPV6;
	static uint8_t expected[1 << 17], flat[1 << 17];
	uint32_t len = expect_bytes(m, h, expected);

	assert_int_equal(frame_flatten(pkt, flat), len);
	assert_memory_equal(flat, expected, len);
	assert_int_equal(pkt->gso_size, f->payload);
	assert_int_equal(pkt->gso_segs, h->n);
	assert_int_equal(pkt->gso_type, type | (h->fixed ? LEAT_GSO_TCP_FIXEDID : 0));
	assert_int_equal(pkt->csum, LEAT_CSUM_PARTIAL);
	assert_int_equal(pkt->csum_start, pkt->lvl[0].transport);
	assert_int_equal(pkt->csum_offset, is_udp(f) ? 6 : 16);
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
	struct frame f = m->packet[i].f;
	struct arena arena = {0};
	uint32_t hash = m->packet[i].hash;

	if (!m->packet[i].hashed) {
		if (f.version == 4)
			f.frag_off = 0;
		else if (is_fragment(&f, false))
			f.ext_len = 0;
		hash = leat_flow_hash(arena_frame(&arena, &f), &m->conf.key);
		arena_clear(&arena);
	}
	return hash;
}

static struct leat_gro_conf random_conf(struct rng *rng)
{
	struct leat_gro_conf conf = {.udp = !rng_once_in(rng, 4), .key = {{rng_next(rng), 7}}};

	if (rng_once_in(rng, 4))
		return conf;
	conf.buckets = 1u << rng_below(rng, 7);
	conf.depth = 1 + rng_below(rng, 8);
	conf.flows = 1 + rng_below(rng, 40);
	conf.max_size = rng_once_in(rng, 2) ? 0 : 100 + rng_below(rng, 5000);
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
