/* SPDX-License-Identifier: MIT */
/*
 * test_roundtrip.c - the law that GRO and GSO keep: what was merged is cut into the same frames
 * again, byte for byte and in the order of each flow; and what was cut merges into the same
 * super-packet again.
 */
#include <leat/gro.h>
#include <leat/parse.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "../cut.h"

enum { FLOWS = 12, TRAINS = 150, TRAIN = 400, SUPERS = 2000, BATCH = 16, BYTES_MAX = 200000 };

static const struct leat_gso_conf whole;

static const uint8_t hbh[] = {6, 0, 5, 2, 0, 0, 1, 0}, hbh_udp[] = {17, 0, 5, 2, 0, 0, 1, 0};
static const uint8_t timestamps[2][12] = {{1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2},
					  {1, 1, 8, 10, 0, 0, 0, 2, 0, 0, 0, 2}};

static struct leat_gro *start_gro(struct rng *rng)
{
	struct leat_gro_conf conf = {.buckets = rng_once_in(rng, 2) ? 8 : 0,
				     .max_size = rng_once_in(rng, 3) ? 8 * 65535 : 0,
				     .udp = true,
				     .no_jumbogram = true,
				     .key = {{rng_next(rng), rng_next(rng)}}};
	size_t size = leat_gro_size(&conf);
	struct leat_gro *gro = malloc(sizeof(*gro));
	void *mem = aligned_alloc(64, (size + 63) / 64 * 64);

	assert_true(gro != NULL && mem != NULL);
	assert_int_equal(leat_gro_init(gro, &conf, mem), 0);
	return gro;
}

static void stop_gro(struct leat_gro *gro)
{
	assert_int_equal(gro->held, 0);
	free(gro->bucket);
	free(gro);
}

/* How a flow goes on. */
struct flow {
	struct frame f; /* its next frame */
	uint32_t mss;
	uint16_t id_step; /* 0: all IDs are the same */
};

static struct flow random_flow(struct rng *rng, uint8_t i)
{
	struct flow flow = {.f = {.src_mac = i,
				  .version = rng_once_in(rng, 2) ? 4 : 6,
				  .protocol = rng_once_in(rng, 3) ? FRAME_UDP : FRAME_TCP,
				  .src = i % 4,
				  .sport = (uint16_t)(1000 + i),
				  .dport = 80,
				  .id = (uint16_t)rng_next(rng),
				  .frag_off = rng_once_in(rng, 2) ? FRAME_DF : 0,
				  .salt = (uint32_t)rng_next(rng),
				  .seq = (uint32_t)rng_next(rng),
				  .ack = 5,
				  .window = 500},
			    .mss = 1 + rng_below(rng, rng_once_in(rng, 3) ? 1448 : 60),
			    .id_step = !rng_once_in(rng, 3)};
	struct frame *f = &flow.f;

	if (f->version == 6 && rng_once_in(rng, 3)) {
		f->ext = f->protocol == FRAME_UDP ? hbh_udp : hbh;
		f->ext_len = sizeof(hbh);
	}
	if (f->protocol == FRAME_TCP && rng_once_in(rng, 2)) {
		f->opts = timestamps[0];
		f->opts_len = sizeof(timestamps[0]);
	}
	f->vlans = rng_once_in(rng, 4);
	f->vlan[0] = i;
	return flow;
}

/* One of the things that happen to a flow; most change what follows, some one frame only. */
static void disturb(struct rng *rng, struct frame *f, struct frame *next)
{
	switch (rng_below(rng, 16)) {
	case 0: f->flags = FRAME_PSH; break;
	case 1: f->flags = FRAME_FIN | FRAME_PSH; break;
	case 2: f->flags = FRAME_CWR; break;
	case 3: f->flags = FRAME_SYN; break;
	case 4: f->flags = next->flags = FRAME_ECE; break;
	case 5: f->window = ++next->window; break;
	case 6: f->ack = ++next->ack; break;
	case 7: f->tos = next->tos ^= 3; break;
	case 8: f->ttl = next->ttl = (uint8_t)(1 + rng_below(rng, 3)); break;
	case 9: f->id = next->id += 5; break;
	case 10: f->seq += 1; break;
	case 11: f->bad_l4_csum = true; break;
	case 12: f->bad_ip_csum = true; break;
	case 13: f->padding = 1 + rng_below(rng, 9); break;
	case 14: f->no_csum = f->version == 4; break;
	case 15: f->opts = next->opts = timestamps[next->opts == timestamps[0]]; break;
	}
	if (f->opts_len == 0)
		f->opts = next->opts = NULL;
}

static struct frame next_frame(struct rng *rng, struct flow *flow)
{
	struct frame f = flow->f;

	f.payload = flow->mss;
	if (rng_once_in(rng, 20))
		f.payload = rng_below(rng, flow->mss + 2);
	if (rng_once_in(rng, 12))
		disturb(rng, &f, &flow->f);
	flow->f.seq = f.seq + f.payload;
	flow->f.id = (uint16_t)(f.id + flow->id_step);
	return f;
}

/* What was sent, and how much of each flow has come out again. The flow is the last byte of the
 * source's MAC address. */
struct train {
	struct sent {
		uint8_t *bytes;
		uint32_t len;
	} sent[TRAIN];
	unsigned seen[FLOWS]; /* index of the first that has not come out */
	unsigned n, out, merged;
};

static void expect(struct train *train, const uint8_t *frame, uint32_t len)
{
	unsigned *i = &train->seen[frame[11]];

	while (*i < train->n && train->sent[*i].bytes[11] != frame[11])
		++*i;
	assert_true(*i < train->n);
	assert_int_equal(len, train->sent[*i].len);
	assert_memory_equal(frame, train->sent[*i].bytes, len);
	++*i;
	train->out++;
}

static void take_out(struct train *train, struct rng *rng, struct leat_pkt *const *pkts, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct cut cut;

		if (pkts[i]->gso_type == 0) {
			assert_null(pkts[i]->frag_list);
			expect(train, pkts[i]->data, pkts[i]->len);
			continue;
		}
		cut = cut_up(pkts[i], &whole, rng_once_in(rng, 2) ? rng : NULL);
		assert_int_equal(cut.n, pkts[i]->gso_segs);
		for (unsigned k = 0; k < cut.n; k++)
			expect(train, cut.segs[k].frame, cut.segs[k].seg.len);
		train->merged += cut.n;
		cut_clear(&cut);
	}
}

static void flush_all(struct train *train, struct rng *rng, struct leat_gro *gro)
{
	struct leat_pkt *out[BATCH];
	unsigned n;

	while ((n = leat_gro_flush(gro, UINT64_MAX, out, BATCH)) > 0)
		take_out(train, rng, out, n);
}

static void send(struct train *train, struct rng *rng, struct leat_gro *gro, struct arena *arena)
{
	struct leat_pkt *out[2 * BATCH];
	struct flow flows[FLOWS];
	unsigned f;

	for (f = 0; f < FLOWS; f++)
		flows[f] = random_flow(rng, (uint8_t)f);
	for (f = 0; train->n < TRAIN;) {
		unsigned from = train->n, n = 1 + rng_below(rng, BATCH);

		for (; train->n < from + n && train->n < TRAIN; train->n++) {
			struct sent *sent = &train->sent[train->n];
			struct leat_pkt *pkt;
			struct frame frame;

			if (rng_once_in(rng, 3)) /* else another of the same flow */
				f = rng_below(rng, FLOWS);
			frame = next_frame(rng, &flows[f]);
			pkt = arena_frame(arena, &frame);
			sent->len = pkt->len;
			sent->bytes = malloc(pkt->len);
			assert_non_null(sent->bytes);
			memcpy(sent->bytes, pkt->data, pkt->len);
		}
		n = leat_gro_receive(gro, arena->pkts + from, train->n - from, from, out);
		take_out(train, rng, out, n);
		if (rng_once_in(rng, 8))
			flush_all(train, rng, gro);
	}
}

/* segment(coalesce(x)) = x */
static void test_merged_and_cut(void **state)
{
	struct rng rng = rng_start("test_merged_and_cut");
	unsigned merged = 0;

	for (unsigned i = 0; i < TRAINS; i++) {
		struct leat_gro *gro = start_gro(&rng);
		struct arena arena = {0};
		struct train train = {0};

		send(&train, &rng, gro, &arena);
		flush_all(&train, &rng, gro);
		assert_int_equal(train.out, TRAIN);
		merged += train.merged;
		for (unsigned k = 0; k < TRAIN; k++)
			free(train.sent[k].bytes);
		arena_clear(&arena);
		stop_gro(gro);
	}
	print_message("%u of %u frames were merged\n", merged, TRAINS * TRAIN);
	assert_true(merged > TRAINS * TRAIN / 4);
}

/* What GRO could have built: no flags but those it merges, no more than it holds. */
static struct frame random_super(struct rng *rng, const struct leat_gro *gro, uint16_t *gso_size)
{
	struct flow flow = random_flow(rng, 1);
	struct frame *f = &flow.f;
	uint32_t segs = f->protocol == FRAME_UDP ? 64 : 200;
	uint32_t most = gro->conf.max_size > 65536 && f->protocol == FRAME_TCP ? 150000 : 65000;

	*gso_size = (uint16_t)flow.mss;
	f->flags = (uint8_t)(rng_once_in(rng, 3) ? FRAME_ECE : 0);
	f->flags |= (uint8_t)(rng_once_in(rng, 3) ? FRAME_PSH : 0);
	f->flags |= (uint8_t)(rng_once_in(rng, 5) ? FRAME_FIN : 0);
	f->tos = (uint8_t)rng_next(rng);
	f->payload = flow.mss + 1 + rng_below(rng, (segs - 1) * flow.mss);
	if (f->payload > most)
		f->payload = most;
	return *f;
}

/* `f` as GRO would describe it. */
static struct leat_pkt *build_super(struct rng *rng, struct arena *arena, const struct frame *f,
				    uint16_t gso_size)
{
	uint32_t len = frame_len(f), hdr_len = frame_hdr_len(f);
	uint8_t *bytes = malloc(len), *ip = bytes + 14 + 4 * f->vlans;
	bool v6 = f->version == 6, udp = f->protocol == FRAME_UDP;
	uint32_t l4 = hdr_len - (udp ? 8 : 20 + f->opts_len), check = l4 + (udp ? 6 : 16);
	struct leat_pkt *pkt;
	uint16_t sum;

	assert_non_null(bytes);
	frame_build(f, bytes);
	if (len - (uint32_t)(ip - bytes) - (v6 ? 40 : 0) > 0xffff) { /* BIG: the field wrapped */
		memset(ip + (v6 ? 4 : 2), 0, 2);
		memset(ip + 10, 0, v6 ? 0 : 2);
		sum = (uint16_t)~frame_sum(ip, 20, 0);
		if (!v6)
			memcpy(ip + 10, (uint8_t[]){(uint8_t)(sum >> 8), (uint8_t)sum}, 2);
	}
	sum = frame_pseudo(ip, f->protocol, len - l4);
	memcpy(bytes + check, (uint8_t[]){(uint8_t)(sum >> 8), (uint8_t)sum}, 2);
	pkt = cut_scatter(arena, bytes, len, hdr_len + gso_size, 20 + rng_below(rng, 3000), rng);
	free(bytes);
	assert_int_equal(pkt->depth, LEAT_DEPTH_TRANSPORT);
	pkt->gso_type = udp ? LEAT_GSO_UDP_L4 : v6 ? LEAT_GSO_TCPV6 : LEAT_GSO_TCPV4;
	pkt->gso_type |= !v6 && rng_once_in(rng, 3) ? LEAT_GSO_TCP_FIXEDID : 0;
	pkt->gso_size = gso_size;
	pkt->csum = LEAT_CSUM_PARTIAL;
	pkt->csum_start = (uint16_t)l4;
	pkt->csum_offset = (uint16_t)(check - l4);
	return pkt;
}

/* The segments through GRO; gives the one packet that comes out. */
static struct leat_pkt *merge(struct leat_gro *gro, struct arena *arena, const struct cut *cut)
{
	struct leat_pkt *out[3] = {NULL, NULL, NULL};
	unsigned n = 0;

	for (unsigned i = 0; i < cut->n; i++) {
		const struct leat_seg *seg = &cut->segs[i].seg;
		struct leat_pkt *pkt = arena_add(arena, cut->segs[i].frame, seg->len);

		pkt->csum = seg->csum;
		pkt->csum_start = seg->csum_start;
		pkt->csum_offset = seg->csum_offset;
		if (seg->csum == LEAT_CSUM_UNNECESSARY)
			pkt->csum = LEAT_CSUM_NONE; /* let GRO judge */
		assert_int_equal(n, 0);
		n += leat_gro_receive(gro, &pkt, 1, i, out + n);
	}
	n += leat_gro_flush(gro, UINT64_MAX, out + n, 2);
	assert_int_equal(n, 1);
	return out[0];
}

static void check_same(const struct leat_pkt *a, const struct leat_pkt *b)
{
	static uint8_t bytes[2][BYTES_MAX];

	assert_int_equal(a->len, b->len);
	assert_true(a->len <= BYTES_MAX);
	assert_int_equal(frame_flatten(a, bytes[0]), a->len);
	assert_int_equal(frame_flatten(b, bytes[1]), a->len);
	assert_memory_equal(bytes[0], bytes[1], a->len);
	assert_int_equal(a->gso_type, b->gso_type);
	assert_int_equal(a->gso_size, b->gso_size);
	assert_int_equal(leat_gso_segs(a), b->gso_segs);
	assert_int_equal(a->csum, b->csum);
	assert_int_equal(a->csum_start, b->csum_start);
	assert_int_equal(a->csum_offset, b->csum_offset);
}

/* coalesce(segment(y)) = y */
static void test_cut_and_merged(void **state)
{
	struct rng rng = rng_start("test_cut_and_merged");
	struct leat_gro *gro = NULL;

	for (unsigned i = 0; i < SUPERS; i++) {
		struct leat_gso_conf conf = {.csum_partial = rng_once_in(&rng, 2)};
		struct arena arena = {0};
		struct leat_pkt *super;
		struct frame f;
		struct cut cut;
		uint16_t gso_size;

		gro = gro != NULL ? gro : start_gro(&rng);
		f = random_super(&rng, gro, &gso_size);
		super = build_super(&rng, &arena, &f, gso_size);
		cut = cut_up(super, &conf, NULL);
		assert_true(cut.n > 1);
		check_same(super, merge(gro, &arena, &cut));
		cut_clear(&cut);
		arena_clear(&arena);
		if (rng_once_in(&rng, 100)) {
			stop_gro(gro);
			gro = NULL;
		}
	}
	if (gro != NULL)
		stop_gro(gro);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merged_and_cut),
		cmocka_unit_test(test_cut_and_merged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
