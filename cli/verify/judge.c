/* SPDX-License-Identifier: MIT */
/*
 * judge.c - a question is known by its seed, its type and its number alone.
 */
#include "judge.h"

#include <errno.h>
#include <leat/csum.h>
#include <leat/vnet.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 10000, QUESTION = 256 };

/* Whether the kernel merges anything of a train without troubles. */
static bool merges(struct judge *j, const struct wild_kind *kind)
{
	static const struct frame_meta plain;
	struct wild_train_conf conf = {.kind = *kind, .frames = 8, .flows = 1, .tame = true};

	wild_train_make(&j->train, &conf, 1, 1);
	frames_clear(&j->in);
	for (unsigned i = 0; i < j->train.n; i++)
		frames_add(&j->in, j->train.frame[i].bytes, j->train.frame[i].len, &plain);
	return kernel_gro(&j->kernel, &j->in, &j->kernel_shown, &j->kernel_sent) == 0 &&
	       j->kernel_shown.n < j->in.n;
}

const char *judge_lacks(struct judge *j, const struct type *type)
{
	const char *lacks = type_lacks(type, &j->kernel);
	unsigned n;
	const struct wild_kind *kinds = wild_kinds(&n);

	if (lacks || type->mode != TYPE_GRO || type->refused)
		return lacks;
	for (unsigned i = 0; i < n; i++) {
		struct wild_kind kind = kinds[i];

		kind.vlans = type->vlan ? 1 : 0;
		if (type_takes(type, &kind) && merges(j, &kind))
			return NULL;
	}
	return type->vlan ? "this kernel merges no frame with a tag in it (no 8021q)" :
			    "this kernel merges nothing of it";
}

int judge_open(struct judge *j, int *code, char *err, size_t err_len)
{
	memset(j, 0, sizeof(*j));
	if (!frames_init(&j->in) || !frames_init(&j->kernel_shown) ||
	    !frames_init(&j->kernel_sent) || !frames_init(&j->ours_shown) ||
	    !frames_init(&j->ours_sent) || !ours_init(&j->ours)) {
		snprintf(err, err_len, "%s", strerror(ENOMEM));
		*code = 1;
		return -ENOMEM;
	}
	if (kernel_open(&j->kernel, code, err, err_len))
		return -EIO;
	j->vlan = merges(j, &(struct wild_kind){.type = WILD_TCP4, .vlans = 1});
	return 0;
}

void judge_close(struct judge *j)
{
	kernel_close(&j->kernel);
	ours_fini(&j->ours);
	frames_fini(&j->in);
	frames_fini(&j->kernel_shown);
	frames_fini(&j->kernel_sent);
	frames_fini(&j->ours_shown);
	frames_fini(&j->ours_sent);
	wild_train_fini(&j->train);
	wild_super_fini(&j->super);
}

/* The next of the numbers that follow from *state. */
static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* The kind of question `number`: each of the type's in turn. */
static struct wild_kind pick_kind(const struct type *type, uint64_t number)
{
	unsigned n, fit = 0;
	const struct wild_kind *kinds = wild_kinds(&n);

	for (unsigned i = 0; i < n; i++)
		fit += type_takes(type, &kinds[i]);
	number %= fit;
	for (unsigned i = 0; i < n; i++) {
		if (type_takes(type, &kinds[i]) && number-- == 0)
			return kinds[i];
	}
	abort();
}

static void count(struct row *row, const struct verdict_of *v, const struct wild_kind *kind,
		  uint64_t number, struct report_question question)
{
	char name[WILD_NAME], where[WILD_NAME + 64];

	row->cases++;
	row->same += v->verdict == VERDICT_SAME;
	row->excluded += v->verdict == VERDICT_EXCLUDED;
	row->different += v->verdict == VERDICT_DIFFERENT;
	for (unsigned r = 0; r < RULES; r++)
		row->rule[r] += v->rules >> r & 1;
	if (v->verdict != VERDICT_DIFFERENT || row->first)
		return;
	wild_kind_name(kind, name);
	snprintf(where, sizeof(where), "case %llu, %s", (unsigned long long)number, name);
	question.kind = where;
	row->first = report_decode(&v->first, &question);
}

/* Trains: */

static struct wild_train_conf conf_of_train(const struct wild_kind *kind, bool tags, uint64_t seed,
					    uint64_t number)
{
	static const uint16_t frames[] = {64, 16, 64, 100, 8, 64, 160, 32};
	static const uint16_t flows[] = {8, 1, 3, 1, 2, 12, 1, 4};
	static const uint16_t mtus[] = {1500, 1500, 9000, 600, 1500, 1500, 4000, 1280};
	uint64_t state = seed ^ number << 20;
	uint64_t r = draw(&state);

	return (struct wild_train_conf){
		.kind = *kind,
		.frames = frames[r % 8],
		.flows = flows[r / 8 % 8],
		.mtu = mtus[r / 64 % 8],
		.avoid = {[WILD_TAG] = !tags, [WILD_INNER_TAG] = !tags},
	};
}

/* The first two frames of the first flow have one ID. */
static bool has_fixed_id(const struct wild_train *t)
{
	const struct wild_frame *first = NULL;

	for (unsigned i = 0; i < t->n; i++) {
		const struct wild_frame *f = &t->frame[i];

		if (f->flow != t->frame[0].flow || f->len < f->at.network[0] + 20u)
			continue;
		if (first)
			return memcmp(f->bytes + f->at.network[0] + 4,
				      first->bytes + first->at.network[0] + 4, 2) == 0;
		first = f;
	}
	return false;
}

/* Whether there is a tag behind an encapsulated MAC header. */
static bool has_inner_tag(const struct wild_train *t)
{
	for (unsigned i = 0; i < t->n; i++) {
		const struct wild_frame *f = &t->frame[i];
		const uint8_t *type = f->bytes + f->at.inner_mac + 12;

		if (f->at.inner_mac && f->at.inner_mac + 14u <= f->len &&
		    ((type[0] == 0x81 && type[1] == 0) || (type[0] == 0x88 && type[1] == 0xa8)))
			return true;
	}
	return false;
}

static bool is_wanted(const struct judge *j, const struct type *type)
{
	if (type->fixed_id && !has_fixed_id(&j->train))
		return false;
	return j->vlan || !has_inner_tag(&j->train);
}

static void make_train(struct judge *j, const struct type *type, uint64_t seed, uint64_t number)
{
	static const struct frame_meta plain;
	struct wild_kind kind = pick_kind(type, number);
	struct wild_train_conf conf;

	kind.vlans = !j->vlan ? 0 : type->vlan ? 1 + number % 2 : kind.vlans;
	conf = conf_of_train(&kind, j->vlan, seed, number);

	for (unsigned i = 0; i < TRIES; i++) {
		wild_train_make(&j->train, &conf, seed, number + ((uint64_t)i << 40));
		if (is_wanted(j, type))
			break;
	}
	frames_clear(&j->in);
	for (unsigned i = 0; i < j->train.n; i++) {
		const struct wild_frame *f = &j->train.frame[i];

		if (f->len < 14) /* no TAP takes less */
			continue;
		j->made_as[j->in.n] = f;
		frames_add(&j->in, f->bytes, f->len, &plain);
	}
}

static void describe_train(const struct wild_train *t, char *text, size_t len)
{
	size_t n = (size_t)snprintf(text, len, "  troubles:");

	for (unsigned i = 0; i < WILD_TROUBLES && n < len; i++) {
		if (t->count[i] > 0)
			n += (size_t)snprintf(text + n, len - n, " %s %u;", wild_trouble_name(i),
					      t->count[i]);
	}
	if (n < len)
		snprintf(text + n, len - n, "\n");
}

/* Ask both; -EIO: the machinery failed. */
static int ask_train(struct judge *j, struct verdict_of *v)
{
	struct train_answers answers = {&j->in, &j->kernel_shown, &j->kernel_sent, &j->ours_shown,
					&j->ours_sent};

	if (ours_gro(&j->ours, &j->in, &j->ours_shown, &j->ours_sent) ||
	    kernel_gro(&j->kernel, &j->in, &j->kernel_shown, &j->kernel_sent))
		return -EIO;
	*v = compare_train(&answers);
	return 0;
}

static bool has_trouble(const struct wild_frame *f)
{
	for (unsigned t = 0; t < WILD_TROUBLES; t++) {
		if (f->trouble[t])
			return true;
	}
	return false;
}

/* Whether GRO passed frame `i` on without looking for its flow, and it was made so that it
 * would. */
static bool is_passed(const struct judge *j, unsigned i)
{
	const uint64_t passing = 1u << LEAT_GRO_NOT_PARSED | 1u << LEAT_GRO_IP_OPTIONS |
				 1u << LEAT_GRO_IP_FRAGMENT | 1u << LEAT_GRO_IP_CSUM |
				 1u << LEAT_GRO_LENGTH | 1u << LEAT_GRO_L4_CSUM |
				 1u << LEAT_GRO_UDP_ZERO_CSUM | 1u << LEAT_GRO_NO_PAYLOAD;

	return (passing >> j->ours.reason[i] & 1) && has_trouble(j->made_as[i]);
}

/* How many of those there are that are too short for their lengths. */
static unsigned count_malformed(const struct judge *j)
{
	unsigned n = 0;

	for (unsigned i = 0; i < j->in.n; i++) {
		const uint8_t *trouble = j->made_as[i]->trouble;

		n += is_passed(j, i) && (trouble[WILD_IP_LEN] || trouble[WILD_CUT]);
	}
	return n;
}

/* Take them out of the train; gives how many. */
static unsigned drop_passed(struct judge *j)
{
	unsigned to = 0, n = j->in.n;

	for (unsigned i = 0; i < n; i++) {
		if (!is_passed(j, i))
			j->in.frame[to++] = j->in.frame[i];
	}
	j->in.n = to;
	return n - to;
}

/* What was explained by frames that overtake, or could be by malformed ones, has to be the same
 * without such frames. */
static int ask_again(struct judge *j, struct verdict_of *v)
{
	struct verdict_of again;

	if (v->verdict == VERDICT_SAME)
		return 0;
	if (v->verdict == VERDICT_EXCLUDED && !(v->rules & 1u << RULE_OVERTAKE))
		return 0;
	if (v->verdict == VERDICT_DIFFERENT && count_malformed(j) == 0)
		return 0;
	if (drop_passed(j) == 0)
		return 0;
	if (ask_train(j, &again))
		return -EIO;
	if (again.verdict == VERDICT_DIFFERENT) {
		*v = again;
	} else if (v->verdict == VERDICT_DIFFERENT) {
		v->verdict = VERDICT_EXCLUDED;
		v->rules |= again.rules | 1u << RULE_MALFORMED;
	}
	return 0;
}

static int judge_train(struct judge *j, struct row *row, uint64_t seed, uint64_t number)
{
	uint64_t before[LEAT_GRO_REASONS];
	struct verdict_of v;
	char question[QUESTION];

	make_train(j, row->type, seed, number);
	memcpy(before, j->ours.gro.count, sizeof(before));
	if (ask_train(j, &v))
		return -EIO;
	for (unsigned r = 0; r < LEAT_GRO_REASONS; r++)
		row->reason[r] += j->ours.gro.count[r] - before[r];
	row->frames += j->in.n;
	row->shown += j->kernel_shown.n;
	row->sent += j->kernel_sent.n;
	if (ask_again(j, &v))
		return -EIO;
	describe_train(&j->train, question, sizeof(question));
	count(row, &v, &j->train.kind, number,
	      (struct report_question){NULL, question, &j->in, j->ours.reason});
	return 0;
}

/* Super-packets: */

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

	for (unsigned i = 0; i < 1 + draw(state) % 2; i++) {
		uint16_t value = odd[draw(state) % 16];

		if (draw(state) % 4 == 0)
			value = (uint16_t)(len + draw(state) % 5 - 2);
		switch (draw(state) % 10) {
		case 0: m->flags ^= (uint8_t)(1u << draw(state) % 8); break;
		case 1: m->gso_type ^= (uint8_t)(1u << draw(state) % 8); break;
		case 2: m->gso_type = (uint8_t)(draw(state) % 7); break;
		case 3: m->hdr_len = value; break;
		case 4: m->gso_size = value; break;
		case 5: m->csum_start = value; break;
		case 6: m->csum_offset = value; break;
		case 7: m->csum_start = (uint16_t)(m->csum_start + draw(state) % 5 - 2); break;
		case 8: m->outer_th = (uint16_t)(m->outer_th + draw(state) % 5 - 2); break;
		default: m->inner_nh = (uint16_t)(m->inner_nh + draw(state) % 5 - 2); break;
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
	struct wild_super_conf conf = {.kind = pick_kind(type, number)};
	struct frame_meta meta;

	conf.max_len = sizes[draw(&state) % 8];
	conf.nonsense = type->nonsense && draw(&state) % 2;
	if (conf.max_len == 65535 && draw(&state) % 64 > 0)
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

static int judge_super(struct judge *j, struct row *row, uint64_t seed, uint64_t number)
{
	struct frame_meta meta = make_super(j, row->type, seed, number);
	struct super_answers a = {.meta = &meta,
				  .frame = j->super.bytes,
				  .len = j->super.len,
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
	count(row, &v, &j->super.kind, number, (struct report_question){.about = question});
	return 0;
}

int judge_case(struct judge *j, struct row *row, uint64_t seed, uint64_t number)
{
	return row->type->mode == TYPE_GRO ? judge_train(j, row, seed, number) :
					     judge_super(j, row, seed, number);
}
