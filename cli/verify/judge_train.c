/* SPDX-License-Identifier: MIT */
/*
 * judge_train.c - trains of frames through GRO, and what came of them through GSO.
 *
 * Where a difference may be owed to frames that GRO passes on, or to flows that push each other
 * out, the question is asked again without them.
 */
#include "judge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 10000, QUESTION = 256, LIST = 8 };

static struct wild_train_conf conf_of_train(const struct wild_kind *kind, bool tags, uint64_t seed,
					    uint64_t number)
{
	static const uint16_t frames[] = {64, 16, 64, 100, 8, 64, 160, 32};
	static const uint16_t flows[] = {8, 1, 3, 1, 2, 12, 1, 4};
	static const uint16_t mtus[] = {1500, 1500, 9000, 600, 1500, 1500, 4000, 1280};
	uint64_t state = seed ^ number << 20;
	uint64_t r = judge_draw(&state);

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
	struct wild_kind kind = judge_pick_kind(type, number);
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

/* Whether frame `i` was made with lengths that disagree, or a tunnel header nobody follows. */
static bool is_malformed(const struct judge *j, unsigned i)
{
	const uint8_t *trouble = j->made_as[i]->trouble;

	return trouble[WILD_IP_LEN] || trouble[WILD_CUT] || trouble[WILD_OUTER_UDP_LEN] ||
	       trouble[WILD_TUNNEL_BAD];
}

/* Whether GRO passed frame `i` on without looking for its flow, and it was made so that it
 * would. */
static bool is_passed(const struct judge *j, unsigned i)
{
	const uint64_t passing = 1u << LEAT_GRO_NOT_PARSED | 1u << LEAT_GRO_IP_OPTIONS |
				 1u << LEAT_GRO_IP_FRAGMENT | 1u << LEAT_GRO_IP_CSUM |
				 1u << LEAT_GRO_LENGTH | 1u << LEAT_GRO_L4_CSUM |
				 1u << LEAT_GRO_UDP_ZERO_CSUM | 1u << LEAT_GRO_NO_PAYLOAD;

	return is_malformed(j, i) ||
	       ((passing >> j->ours.reason[i] & 1) && has_trouble(j->made_as[i]));
}

static unsigned count_malformed(const struct judge *j)
{
	unsigned n = 0;

	for (unsigned i = 0; i < j->in.n; i++)
		n += is_malformed(j, i);
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

/* Leave the frames of one flow; false if there are no others. */
static bool keep_flow(struct judge *j, uint64_t flow)
{
	unsigned to = 0, n = j->in.n;

	for (unsigned i = 0; i < n; i++) {
		if (compare_flow_of(frames_bytes(&j->in, i), j->in.frame[i].len) == flow)
			j->in.frame[to++] = j->in.frame[i];
	}
	j->in.n = to;
	return to < n && to > 0;
}

/* Flows meet only in a list of 8. Where that is what differs, each flow is the same without the
 * others. */
static int ask_alone(struct judge *j, struct verdict_of *v)
{
	struct verdict_of again;

	if (v->verdict != VERDICT_DIFFERENT || j->in.n <= LIST || !keep_flow(j, v->first.flow))
		return 0;
	if (ask_train(j, &again))
		return -EIO;
	if (again.verdict == VERDICT_DIFFERENT) {
		*v = again;
		return 0;
	}
	v->verdict = VERDICT_EXCLUDED;
	v->rules |= again.rules | 1u << RULE_EVICTED;
	return 0;
}

int judge_train(struct judge *j, struct row *row, uint64_t seed, uint64_t number)
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
	if (ask_again(j, &v) || ask_alone(j, &v))
		return -EIO;
	describe_train(&j->train, question, sizeof(question));
	judge_count(row, &v, &j->train.kind, number,
		    (struct report_question){NULL, question, &j->in, j->ours.reason});
	return 0;
}
