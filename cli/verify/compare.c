/* SPDX-License-Identifier: MIT */
#include "compare.h"

#include <leat/parse.h>
#include <stdlib.h>
#include <string.h>

#include "wild.h"

enum { TCP = 6, UDP = 17, SCTP = 132 };

static uint64_t mix(uint64_t key, const uint8_t *p, unsigned len)
{
	while (len-- > 0)
		key = (key ^ *p++) * 0x100000001b3u;
	return key;
}

static bool has_ports(const struct leat_level *l)
{
	return l->protocol == TCP || l->protocol == UDP || l->protocol == SCTP;
}

uint64_t compare_flow_of(const uint8_t *frame, uint32_t len)
{
	struct leat_pkt pkt = {0}, *p = &pkt;
	uint64_t key = 0xcbf29ce484222325u;

	leat_pkt_init(&pkt, (uint8_t *)frame, len);
	leat_parse(&wild_ports, &p, 1);
	for (unsigned i = 0; i < pkt.levels; i++) {
		const struct leat_level *l = &pkt.lvl[i];

		key = mix(key, frame + l->network + (l->version == 4 ? 12 : 8),
			  l->version == 4 ? 8 : 32);
		key = mix(key, &l->version, 1);
		key = mix(key, &l->protocol, 1);
		if (pkt.depth == LEAT_DEPTH_TRANSPORT && has_ports(l))
			key = mix(key, frame + l->transport, 4);
	}
	return key;
}

/* A list of frames by flow: index[] has the numbers of the frames, flow by flow. */
struct sorted {
	const struct frames *of;
	uint64_t *key;
	unsigned *index;
	uint8_t *done;
};

static bool sort(struct sorted *s, const struct frames *of)
{
	s->of = of;
	s->key = malloc((of->n + 1) * sizeof(*s->key));
	s->index = malloc((of->n + 1) * sizeof(*s->index));
	s->done = calloc(of->n + 1, 1);
	if (!s->key || !s->index || !s->done)
		return false;
	for (unsigned i = 0; i < of->n; i++)
		s->key[i] = compare_flow_of(frames_bytes(of, i), of->frame[i].len);
	return true;
}

static void unsort(struct sorted *s)
{
	free(s->key);
	free(s->index);
	free(s->done);
}

/* The frames of the flow `key`, which are then done. */
static struct flow_frames pick(struct sorted *s, uint64_t key)
{
	struct flow_frames f = {.of = s->of, .index = s->index};

	for (unsigned i = 0; i < s->of->n; i++) {
		if (s->done[i] || s->key[i] != key)
			continue;
		s->index[f.n++] = i;
		s->done[i] = 1;
	}
	return f;
}

/* A super-packet is also what is said of it. */
static bool is_same_meta(const struct frame_meta *a, const struct frame_meta *b)
{
	if (a->gso_type != b->gso_type)
		return false;
	return a->gso_type == 0 || (a->gso_size == b->gso_size && a->csum_start == b->csum_start &&
				    a->csum_offset == b->csum_offset);
}

static bool is_same(const struct frames *a, unsigned i, const struct frames *b, unsigned j)
{
	return a->frame[i].len == b->frame[j].len &&
	       memcmp(frames_bytes(a, i), frames_bytes(b, j), a->frame[i].len) == 0 &&
	       is_same_meta(&a->frame[i].meta, &b->frame[j].meta);
}

/* Whether the two are the same; else sets the difference. */
static bool agree(const struct flow_frames *a, const struct flow_frames *b, const char *what,
		  struct difference *d)
{
	unsigned n = a->n < b->n ? a->n : b->n, i = 0;

	while (i < n && is_same(a->of, a->index[i], b->of, b->index[i]))
		i++;
	if (i == n && a->n == b->n)
		return true;
	*d = (struct difference){what,
				 a->of,
				 b->of,
				 i < a->n ? a->index[i] : a->of->n,
				 i < b->n ? b->index[i] : b->of->n,
				 0};
	return false;
}

enum { IN, KERNEL_SHOWN, KERNEL_SENT, OURS_SHOWN, OURS_SENT, LISTS };

static void set_different(struct verdict_of *v, const struct difference *d, uint64_t flow)
{
	if (v->verdict == VERDICT_DIFFERENT)
		return;
	v->verdict = VERDICT_DIFFERENT;
	v->first = *d;
	v->first.flow = flow;
}

static void compare_flow(const struct flow_frames f[LISTS], uint64_t key, struct verdict_of *v)
{
	struct difference d = {0};
	bool merged, sent;
	uint32_t rules;

	if (!agree(&f[IN], &f[OURS_SENT], "what came in, and what we sent", &d)) {
		set_different(v, &d, key);
		return;
	}
	sent = agree(&f[KERNEL_SENT], &f[OURS_SENT], "sent", &d);
	merged = agree(&f[KERNEL_SHOWN], &f[OURS_SHOWN], "merged", &d);
	if (merged && sent)
		return;
	rules = rule_of_train(&f[IN], &f[KERNEL_SENT]);
	if (merged ? rules : rules & RULES_OF_MERGING) {
		v->rules |= rules;
		v->verdict = v->verdict == VERDICT_SAME ? VERDICT_EXCLUDED : v->verdict;
		return;
	}
	set_different(v, &d, key);
}

/* The first frame that no flow has been compared for; false: all have. */
static bool find_rest(const struct sorted s[LISTS], uint64_t *key)
{
	for (unsigned l = 0; l < LISTS; l++) {
		for (unsigned i = 0; i < s[l].of->n; i++) {
			if (!s[l].done[i]) {
				*key = s[l].key[i];
				return true;
			}
		}
	}
	return false;
}

struct verdict_of compare_train(const struct train_answers *a)
{
	const struct frames *lists[LISTS] = {a->in, a->kernel_shown, a->kernel_sent, a->ours_shown,
					     a->ours_sent};
	struct verdict_of v = {.verdict = VERDICT_SAME};
	struct flow_frames f[LISTS];
	struct sorted s[LISTS];
	bool ok = true;
	uint64_t key;

	for (unsigned l = 0; l < LISTS; l++)
		ok = sort(&s[l], lists[l]) && ok;
	while (ok && find_rest(s, &key)) {
		for (unsigned l = 0; l < LISTS; l++)
			f[l] = pick(&s[l], key);
		compare_flow(f, key, &v);
	}
	for (unsigned l = 0; l < LISTS; l++)
		unsort(&s[l]);
	if (!ok)
		abort();
	return v;
}

static unsigned load_be16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

/* By which rules segment `i` differs: one bit or two, 0 if it does not, all if by others. */
static uint32_t find_rules(const struct super_answers *a, unsigned i)
{
	const uint8_t *p = frames_bytes(a->kernel, i), *q = frames_bytes(a->ours, i);
	uint32_t len = a->kernel->frame[i].len, id, extra;

	if (len != a->ours->frame[i].len)
		return UINT32_MAX;
	if (memcmp(p, q, len) == 0)
		return 0;
	id = rule_find_frag_id(p, len);
	if (id == 0 || memcmp(p, q, id - 2) != 0 || memcmp(p + id + 4, q + id + 4, len - id - 4))
		return UINT32_MAX;
	extra = (load_be16(p + id - 2) - load_be16(q + id - 2)) & 0xffff;
	if (extra == 0)
		return 1u << RULE_UFO6_ID;
	return extra == (i * rule_extensions_len(p, id) & 0xffff) ?
		       1u << RULE_UFO6_ID | 1u << RULE_UFO6_OFFSET :
		       UINT32_MAX;
}

struct verdict_of compare_super(const struct super_answers *a)
{
	struct verdict_of v = {.verdict = VERDICT_SAME};
	unsigned n = a->kernel->n < a->ours->n ? a->kernel->n : a->ours->n, i = 0;
	uint32_t rules = 0;

	for (; i < n && (rules = find_rules(a, i)) != UINT32_MAX; i++)
		v.rules |= rules;
	if (i < a->kernel->n || i < a->ours->n || !a->kernel_refused != !a->ours_refused) {
		enum rule rule = rule_of_super(a);

		v.rules = rule < RULES ? 1u << rule : 0;
		v.verdict = VERDICT_DIFFERENT;
	}
	if (v.rules)
		v.verdict = VERDICT_EXCLUDED;
	v.first = (struct difference){"sent", a->kernel, a->ours, i, i, 0};
	return v;
}
