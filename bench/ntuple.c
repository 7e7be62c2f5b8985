/* SPDX-License-Identifier: MIT */
/*
 * What a packet costs that is matched against n-tuple rules, by how many there are and how many
 * pairs of flow type and mask they have: each packet matches one rule, at random. Beside it what
 * comparing with every rule in turn costs, and making the table. See doc/decisions/rxfh.md.
 *
 *	ntuple [RULES GROUPS PACKETS]      one case, once, to be counted by callgrind
 */
#include <leat/ntuple.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	RULES_MAX = 16384,
	REPEATS = 9, /* the lower quartile counts: neighbours on the machine only slow down */
	PACKETS = 1 << 16,
	SLOWLY = 1 << 24, /* comparisons in turn, at most */
	FRAME = 54,
};

static struct leat_ntuple_rule rule[RULES_MAX];
static uint32_t order[PACKETS]; /* the rule that each packet matches */

static uint64_t now(void)
{
	struct timespec ts;

	timespec_get(&ts, TIME_UTC);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint32_t next_random(void)
{
	static uint64_t state = 1;

	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33);
}

/* Rule i: a random source address, and a tos that only the rules of its mask have. */
static void make(unsigned rules, unsigned groups)
{
	for (unsigned i = 0; i < rules; i++) {
		uint32_t src = next_random();

		rule[i] = (struct leat_ntuple_rule){.location = i};
		memcpy(rule[i].value.src, &src, sizeof(src));
		memset(rule[i].mask.src, 0xff, sizeof(src));
		rule[i].value.tos = (uint8_t)(i % groups);
		rule[i].mask.tos = 0xff;
		rule[i].mask.l4[0] = (uint8_t)(i % groups); /* all ports are 0 */
	}
	for (unsigned i = 0; i < PACKETS; i++)
		order[i] = next_random() % rules;
}

/* Packets come in the same few buffers, as they do from a device. */
struct packet {
	uint8_t frame[FRAME];
	struct leat_pkt pkt;
};

static void start(struct packet *p)
{
	*p = (struct packet){.frame = {[12] = 8, 0, 0x45, [17] = 40, [22] = 64, 6}};
	p->pkt = (struct leat_pkt){.data = p->frame,
				   .len = FRAME,
				   .headlen = FRAME,
				   .levels = 1,
				   .depth = LEAT_DEPTH_TRANSPORT,
				   .lvl[0] = {14, 34, 4, 6, 0, 0}};
}

static const struct leat_pkt *receive(struct packet *p, unsigned i)
{
	const struct leat_ntuple_rule *r = &rule[order[i]];

	memcpy(p->frame + 26, r->value.src, 4);
	p->frame[15] = r->value.tos;
	return &p->pkt;
}

static bool matches(const struct leat_ntuple_rule *r, const struct leat_ntuple_key *key)
{
	uint64_t k[8], v[8], m[8], differ = 0;

	memcpy(k, key, sizeof(k));
	memcpy(v, &r->value, sizeof(v));
	memcpy(m, &r->mask, sizeof(m));
	for (unsigned i = 0; i < 8; i++)
		differ |= (k[i] ^ v[i]) & m[i];
	return differ == 0;
}

static uint64_t match(const struct leat_ntuple *t, unsigned packets)
{
	struct packet p;
	uint64_t sum = 0;

	start(&p);
	for (unsigned i = 0; i < packets; i++)
		sum += leat_ntuple_match(t, receive(&p, i))->location;
	return sum;
}

static uint64_t match_in_turn(const struct leat_ntuple *t, unsigned packets)
{
	struct packet p;
	uint64_t sum = 0;

	start(&p);
	for (unsigned i = 0; i < packets; i++) {
		struct leat_ntuple_key key;
		unsigned n = 0;

		leat_ntuple_key(receive(&p, i), &key);
		while (!matches(&t->rule[n], &key))
			n++;
		sum += t->rule[n].location;
	}
	return sum;
}

static uint64_t expect(unsigned packets)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < packets; i++)
		sum += order[i];
	return sum;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

typedef uint64_t way(const struct leat_ntuple *t, unsigned packets);

/* ns a packet. */
static double measure(const struct leat_ntuple *t, way *how, unsigned packets)
{
	double ns[REPEATS];

	for (unsigned i = 0; i < REPEATS; i++) {
		uint64_t before = now();

		if (how(t, packets) != expect(packets))
			abort();
		ns[i] = (double)(now() - before) / packets;
	}
	qsort(ns, REPEATS, sizeof(ns[0]), by_size);
	return ns[REPEATS / 4];
}

static void *make_table(struct leat_ntuple *t, unsigned rules)
{
	void *mem = aligned_alloc(64, leat_ntuple_size(rules));
	unsigned bad;

	if (!mem || leat_ntuple_init(t, rule, rules, mem, &bad))
		abort();
	return mem;
}

static void row(unsigned rules, unsigned groups)
{
	unsigned slowly = SLOWLY / rules < PACKETS ? SLOWLY / rules : PACKETS;
	struct leat_ntuple t;
	uint64_t before;
	double made;
	void *mem;

	make(rules, groups);
	before = now();
	mem = make_table(&t, rules);
	made = (double)(now() - before) / 1e6;
	printf("%6u %6u %10.1f %10.1f %10.2f\n", rules, groups, measure(&t, match, PACKETS),
	       measure(&t, match_in_turn, slowly), made);
	free(mem);
}

static void run_once(unsigned rules, unsigned groups, unsigned packets)
{
	struct leat_ntuple t;
	void *mem;

	make(rules, groups);
	mem = make_table(&t, rules);
	match(&t, packets);
	free(mem);
}

/* From 1 to max. */
static unsigned number(const char *text, unsigned max)
{
	unsigned long n = strtoul(text, NULL, 10);

	return n < 1 ? 1 : n > max ? max : (unsigned)n;
}

int main(int argc, char **argv)
{
	if (argc == 4) {
		unsigned rules = number(argv[1], RULES_MAX);

		run_once(rules, number(argv[2], rules), number(argv[3], PACKETS));
		return 0;
	}
	puts(" rules groups  ns/packet    in turn   table, ms");
	for (unsigned groups = 1; groups <= 64; groups *= 8) {
		for (unsigned rules = groups; rules <= RULES_MAX; rules *= 4)
			row(rules, groups);
	}
	return 0;
}
