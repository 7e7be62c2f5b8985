/* SPDX-License-Identifier: MIT */
#include "key.h"

#include <stdlib.h>
#include <string.h>

enum {
	HASH_BITS = 32,
	PORT_BITS = 16,
	ENDS = 4,  /* the fields that have two ends */
	LABEL = 4, /* the field that has not */
	LABEL_BITS = 20,
	LABEL_ZEROES = 12, /* bits of the input in front of it that are never set */
};

static const uint32_t rxh[KEY_FIELDS] = {LEAT_RXH_IP_SRC, LEAT_RXH_IP_DST, LEAT_RXH_L4_B_0_1,
					 LEAT_RXH_L4_B_2_3, LEAT_RXH_IP6_FL};

/* By transform; a symmetric-xor pair counts once. */
static const char *const names[][KEY_FIELDS] = {
	[LEAT_RSS_XFRM_NONE] = {"source address", "destination address", "source port",
				"destination port", "flow label"},
	[LEAT_RSS_SYM_XOR] = {"addresses, xored", NULL, "ports, xored", NULL, NULL},
	[LEAT_RSS_SYM_OR_XOR] = {"addresses, ored", "addresses, xored", "ports, ored",
				 "ports, xored", NULL},
};

/* The columns of each field, in the order of its bits. */
struct matrix {
	unsigned bits[KEY_FIELDS];
	uint32_t column[KEY_FIELDS][KEY_BITS_MAX / 2];
};

unsigned key_rank(const uint32_t *column, unsigned n, uint32_t mask)
{
	uint32_t basis[HASH_BITS] = {0}; /* by highest bit */
	unsigned rank = 0;

	for (unsigned i = 0; i < n; i++) {
		uint32_t v = column[i] & mask;

		while (v && basis[31 - __builtin_clz(v)])
			v ^= basis[31 - __builtin_clz(v)];
		if (v) {
			basis[31 - __builtin_clz(v)] = v;
			rank++;
		}
	}
	return rank;
}

static uint32_t find_column(const struct leat_rss *rss, unsigned bit)
{
	uint8_t input[LEAT_RSS_INPUT_MAX] = {0};

	input[bit / 8] = (uint8_t)(0x80 >> bit % 8);
	return leat_toeplitz_hash(&rss->toeplitz, input, sizeof(input));
}

static unsigned field_bits(enum leat_rss_flow flow, unsigned field)
{
	if (field >= 2)
		return field == LABEL ? LABEL_BITS : PORT_BITS;
	return flow >= LEAT_RSS_TCP4 && flow <= LEAT_RSS_IP4 ? 32 : 128;
}

/* Gives how many bits are hashed. */
static unsigned fill_matrix(const struct leat_rss *rss, enum leat_rss_flow flow, struct matrix *m)
{
	unsigned at = 0;

	for (unsigned f = 0; f < KEY_FIELDS; f++) {
		m->bits[f] = rss->fields[flow] & rxh[f] ? field_bits(flow, f) : 0;
		at += f == LABEL && m->bits[f] ? LABEL_ZEROES : 0;
		for (unsigned i = 0; i < m->bits[f]; i++)
			m->column[f][i] = find_column(rss, at++);
	}
	return at;
}

/* Source xor destination are one field whose bits have both columns. */
static void join_pairs(struct matrix *m)
{
	for (unsigned f = 0; f < ENDS; f += 2) {
		for (unsigned i = 0; i < m->bits[f]; i++)
			m->column[f][i] ^= m->column[f + 1][i];
		m->bits[f + 1] = 0;
	}
}

/* Do source and destination count alike? */
static bool is_symmetric(const struct leat_rss *rss, const struct matrix *m)
{
	if (rss->xfrm != LEAT_RSS_XFRM_NONE)
		return true;
	for (unsigned f = 0; f < ENDS; f += 2) {
		if (m->bits[f] != m->bits[f + 1] ||
		    memcmp(m->column[f], m->column[f + 1], m->bits[f] * sizeof(uint32_t)) != 0)
			return false;
	}
	return m->bits[LABEL] == 0; /* each direction has its own */
}

static unsigned key_bit(const struct leat_rss *rss, unsigned bit)
{
	return bit / 8 < rss->key_len ? rss->key[bit / 8] >> (7 - bit % 8) & 1 : 0;
}

/* Of the key's bits that an input of `bits` meets: there are `bits` windows of 32. */
static unsigned find_period(const struct leat_rss *rss, unsigned bits)
{
	for (unsigned period = 1; period < HASH_BITS; period++) {
		unsigned i = 0;

		while (i + period < bits + HASH_BITS - 1 &&
		       key_bit(rss, i) == key_bit(rss, i + period))
			i++;
		if (i + period == bits + HASH_BITS - 1)
			return period;
	}
	return 0;
}

static unsigned count_dead(const uint32_t *column, unsigned n, uint32_t mask)
{
	unsigned dead = 0;

	for (unsigned i = 0; i < n; i++)
		dead += (column[i] & mask) == 0;
	return dead;
}

static bool contains(const uint32_t *column, unsigned n, uint32_t value)
{
	unsigned i = 0;

	while (i < n && column[i] != value)
		i++;
	return i < n;
}

static bool has_cancelling(const struct matrix *m)
{
	for (unsigned f = 0; f < KEY_FIELDS; f++) {
		for (unsigned p = 2; f < 2 && p < ENDS; p++) {
			for (unsigned i = 0; i < m->bits[p]; i++) {
				if (contains(m->column[f], m->bits[f], m->column[p][i]))
					return true;
			}
		}
	}
	return false;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Sorts them. */
static unsigned count_distinct(uint32_t *column, unsigned n)
{
	unsigned distinct = n > 0;

	qsort(column, n, sizeof(*column), compare);
	for (unsigned i = 1; i < n; i++)
		distinct += column[i] != column[i - 1];
	return distinct;
}

static void judge_field(const struct matrix *m, unsigned f, unsigned xfrm, uint32_t low,
			struct key_field *field)
{
	field->name = names[xfrm][f];
	field->bits = m->bits[f];
	field->dead = count_dead(m->column[f], m->bits[f], low);
	field->rank = key_rank(m->column[f], m->bits[f], low);
}

void key_judge(const struct leat_rss *rss, enum leat_rss_flow flow, struct key_quality *quality)
{
	uint32_t all[KEY_BITS_MAX], low = rss->indir_size - 1u;
	unsigned n = 0, used;
	struct matrix m;

	used = fill_matrix(rss, flow, &m);
	*quality = (struct key_quality){
		.low = (unsigned)__builtin_popcount(low),
		.symmetric = is_symmetric(rss, &m),
		.period = find_period(rss, used),
	};
	if (rss->xfrm == LEAT_RSS_SYM_XOR)
		join_pairs(&m);
	for (unsigned f = 0; f < KEY_FIELDS; f++) {
		judge_field(&m, f, rss->xfrm, low, &quality->field[f]);
		memcpy(all + n, m.column[f], m.bits[f] * sizeof(*all));
		n += m.bits[f];
	}
	quality->bits = n;
	quality->rank = key_rank(all, n, UINT32_MAX);
	quality->low_rank = key_rank(all, n, low);
	quality->dead = count_dead(all, n, UINT32_MAX);
	quality->cancels = has_cancelling(&m);
	quality->distinct = count_distinct(all, n);
}
