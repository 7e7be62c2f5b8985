/* SPDX-License-Identifier: MIT */
/*
 * judge_super.c - super-packets through GSO, described by a virtio_net_hdr.
 */
#include "judge.h"

#include <errno.h>
#include <leat/csum.h>
#include <leat/vnet.h>
#include <string.h>

enum { TRIES = 10000, QUESTION = 256 };

static struct frame_meta meta_of_super(const struct wild_super *s)
{
	const uint32_t tunnels = LEAT_GSO_UDP_TUNNEL | LEAT_GSO_UDP_TUNNEL_CSUM;
	struct frame_meta m = {
		.gso_size = s->gso_size,
		.csum_start = s->csum_start,
		.csum_offset = s->csum_offset,
		.hdr_len = s->at.payload,
	};

	if (s->csum == LEAT_CSUM_PARTIAL)
		m.flags = LEAT_VNET_F_NEEDS_CSUM;
	else
		m.csum_start = m.csum_offset = 0;
	if (s->gso_type & LEAT_GSO_TCPV4)
		m.gso_type = LEAT_VNET_GSO_TCPV4;
	if (s->gso_type & LEAT_GSO_TCPV6)
		m.gso_type = LEAT_VNET_GSO_TCPV6;
	if (s->gso_type & LEAT_GSO_UDP_L4)
		m.gso_type = LEAT_VNET_GSO_UDP_L4;
	if (s->gso_type & LEAT_GSO_UDP)
		m.gso_type = LEAT_VNET_GSO_UDP;
	if (s->gso_type & LEAT_GSO_TCP_ECN)
		m.gso_type |= LEAT_VNET_GSO_ECN;
	if (s->gso_type & tunnels) {
		m.gso_type |= s->kind.outer == 6 ? LEAT_VNET_GSO_UDP_TUNNEL_IPV6 :
						   LEAT_VNET_GSO_UDP_TUNNEL_IPV4;
		m.flags |= s->gso_type & LEAT_GSO_UDP_TUNNEL_CSUM ? LEAT_VNET_F_UDP_TUNNEL_CSUM : 0;
		m.outer_th = s->at.transport[0];
		m.inner_nh = s->at.network[1];
	}
	return m;
}

/* Lie about the packet in one respect or two. */
static void spoil(struct frame_meta *m, uint32_t len, uint64_t *state)
{
	static const uint16_t odd[] = {0,  1,  2,  7,	8,    14,     20,     33,
				       34, 35, 54, 128, 1448, 0x7fff, 0xfffe, 0xffff};

	for (unsigned i = 0; i < 1 + judge_draw(state) % 2; i++) {
		uint16_t value = odd[judge_draw(state) % 16];

		if (judge_draw(state) % 4 == 0)
			value = (uint16_t)(len + judge_draw(state) % 5 - 2);
		switch (judge_draw(state) % 10) {
		case 0: m->flags ^= (uint8_t)(1u << judge_draw(state) % 8); break;
		case 1: m->gso_type ^= (uint8_t)(1u << judge_draw(state) % 8); break;
		case 2: m->gso_type = (uint8_t)(judge_draw(state) % 7); break;
		case 3: m->hdr_len = value; break;
		case 4: m->gso_size = value; break;
		case 5: m->csum_start = value; break;
		case 6: m->csum_offset = value; break;
		case 7:
			m->csum_start = (uint16_t)(m->csum_start + judge_draw(state) % 5 - 2);
			break;
		case 8: m->outer_th = (uint16_t)(m->outer_th + judge_draw(state) % 5 - 2); break;
		default: m->inner_nh = (uint16_t)(m->inner_nh + judge_draw(state) % 5 - 2); break;
		}
	}
}

/* The outer checksum as Linux has it in a super-packet: the sum of the pseudo-header. */
static void set_outer_csum(const struct wild_super *s)
{
	const struct leat_level outer = {.network = s->at.network[0],
					 .transport = s->at.transport[0],
					 .version = s->at.version[0],
					 .protocol = 17};
	uint16_t sum;

	if (!(s->gso_type & LEAT_GSO_UDP_TUNNEL_CSUM) || s->len < outer.transport + 8u)
		return;
	sum = leat_csum_fold(leat_csum_pseudo(s->bytes, &outer, s->len - outer.transport));
	memcpy(s->bytes + outer.transport + 6, &sum, sizeof(sum));
}

static struct frame_meta make_super(struct judge *j, const struct type *type, uint64_t seed,
				    uint64_t number)
{
	static const uint32_t sizes[] = {65535, 65535, 3000, 12000, 40000, 1600, 65535, 20000};
	uint64_t state = seed ^ number << 20;
	struct wild_super_conf conf = {.kind = judge_pick_kind(type, number)};
	struct frame_meta meta;

	conf.max_len = sizes[judge_draw(&state) % 8];
	conf.nonsense = type->nonsense && judge_draw(&state) % 2;
	if (conf.max_len == 65535 && judge_draw(&state) % 64 > 0)
		conf.max_len = 60000;
	for (unsigned i = 0; i < TRIES; i++) {
		wild_super_make(&j->super, &conf, seed, number + ((uint64_t)i << 40));
		if (!type->ecn || (j->super.gso_type & LEAT_GSO_TCP_ECN))
			break;
	}
	set_outer_csum(&j->super);
	meta = meta_of_super(&j->super);
	if (type->nonsense && !conf.nonsense)
		spoil(&meta, j->super.len, &state);
	return meta;
}

static enum outcome find_outcome(int refused, const struct frames *sent)
{
	if (refused)
		return OUTCOME_REFUSED;
	return sent->n == 0 ? OUTCOME_DROPPED : sent->n == 1 ? OUTCOME_PASSED : OUTCOME_SEGMENTED;
}

static void describe_super(const struct super_answers *a, char *text, size_t len)
{
	const struct frame_meta *m = a->meta;

	snprintf(text, len,
		 "  %u bytes; flags %#x gso_type %#x hdr_len %u gso_size %u csum_start %u "
		 "csum_offset %u outer_th %u inner_nh %u; the kernel: %s, we: %s\n",
		 a->len, m->flags, m->gso_type, m->hdr_len, m->gso_size, m->csum_start,
		 m->csum_offset, m->outer_th, m->inner_nh,
		 a->kernel_refused ? strerror(-a->kernel_refused) : "takes it",
		 a->ours_refused ? strerror(-a->ours_refused) : "take it");
}

int judge_super(struct judge *j, struct row *row, uint64_t seed, uint64_t number)
{
	struct frame_meta meta = make_super(j, row->type, seed, number);
	struct super_answers a = {.meta = &meta,
				  .frame = j->super.bytes,
				  .len = j->super.len,
				  .nonsense = row->type->nonsense,
				  .kernel = &j->kernel_sent,
				  .ours = &j->ours_sent};
	char question[QUESTION];
	struct verdict_of v;

	frames_clear(&j->kernel_sent);
	frames_clear(&j->ours_sent);
	a.kernel_refused = kernel_gso(&j->kernel, a.frame, a.len, &meta, &j->kernel_sent);
	a.ours_refused = ours_gso(&j->ours, a.frame, a.len, &meta, &j->ours_sent);
	if (a.kernel_refused == -EIO || a.ours_refused == -EIO)
		return -EIO;
	row->frames++;
	row->sent += j->kernel_sent.n;
	row->outcome[find_outcome(a.kernel_refused, &j->kernel_sent)]++;
	v = compare_super(&a);
	describe_super(&a, question, sizeof(question));
	judge_count(row, &v, &j->super.kind, number, (struct report_question){.about = question});
	return 0;
}
