/* SPDX-License-Identifier: MIT */
/*
 * judge.c - a question is known by its seed, its type and its number alone.
 */
#include "judge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

uint64_t judge_draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

struct wild_kind judge_pick_kind(const struct type *type, uint64_t number)
{
	unsigned n, fit = 0;
	const struct wild_kind *kinds = wild_kinds(&n);

	for (unsigned i = 0; i < n; i++)
		fit += type_takes(type, &kinds[i]);
	if (fit == 0)
		abort();
	number %= fit;
	for (unsigned i = 0; i < n; i++) {
		if (type_takes(type, &kinds[i]) && number-- == 0)
			return kinds[i];
	}
	abort();
}

void judge_count(struct row *row, const struct verdict_of *v, const struct wild_kind *kind,
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

int judge_case(struct judge *j, struct row *row, uint64_t seed, uint64_t number)
{
	return row->type->mode == TYPE_GRO ? judge_train(j, row, seed, number) :
					     judge_super(j, row, seed, number);
}
