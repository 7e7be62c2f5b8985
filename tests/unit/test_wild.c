/* SPDX-License-Identifier: MIT */
/*
 * test_wild.c - the wild traffic is what it says: repeatable, sound unless troubled, and every
 * trouble comes.
 */
#include "../../cli/verify/wild.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../frame.h"

enum { CASES = 4, TROUBLED = 6, SEED = 7 };

static void test_names(void **state)
{
	unsigned n;
	const struct wild_kind *kinds = wild_kinds(&n);
	char a[WILD_NAME], b[WILD_NAME];

	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < i; k++) {
			wild_kind_name(&kinds[i], a);
			wild_kind_name(&kinds[k], b);
			assert_string_not_equal(a, b);
		}
	for (unsigned i = 0; i < n; i++) {
		wild_kind_name(&kinds[i], a);
		assert_true(strlen(a) < WILD_NAME - 1);
	}
	for (unsigned i = 0; i < WILD_TROUBLES; i++)
		assert_true(strlen(wild_trouble_name(i)) > 1);
}

static void check_same(const struct wild_train *a, const struct wild_train *b)
{
	assert_int_equal(a->n, b->n);
	for (unsigned i = 0; i < a->n; i++) {
		assert_int_equal(a->frame[i].len, b->frame[i].len);
		assert_int_equal(a->frame[i].flow, b->frame[i].flow);
		assert_int_equal(a->frame[i].index, b->frame[i].index);
		assert_memory_equal(a->frame[i].bytes, b->frame[i].bytes, a->frame[i].len);
	}
}

static void test_repeatable(void **state)
{
	unsigned n;
	const struct wild_kind *kinds = wild_kinds(&n);
	struct wild_train a = {0}, b = {0};
	struct wild_super s = {0}, t = {0};

	for (unsigned i = 0; i < n * CASES; i++) {
		struct wild_train_conf conf = {.kind = kinds[i % n]};
		struct wild_super_conf super = {.kind = kinds[i % n], .nonsense = i / n % 2};

		wild_train_make(&b, &conf, SEED, i + 1);
		wild_train_make(&a, &conf, SEED, i);
		wild_train_make(&b, &conf, SEED, i);
		check_same(&a, &b);
		wild_super_make(&s, &super, SEED, i);
		wild_super_make(&t, &super, SEED, i);
		assert_int_equal(s.len, t.len);
		assert_memory_equal(s.bytes, t.bytes, s.len);
		assert_int_equal(s.gso_type, t.gso_type);
		assert_int_equal(s.gso_size, t.gso_size);
	}
	wild_train_fini(&a);
	wild_train_fini(&b);
	wild_super_fini(&s);
	wild_super_fini(&t);
}

/* RFC 9260 appendix B. */
static uint32_t crc32c(const uint8_t *p, uint32_t len)
{
	uint32_t crc = ~0u;

	for (uint32_t i = 0; i < 8 * len; i++) {
		uint32_t bit = (crc ^ p[i / 8] >> i % 8) & 1;

		crc = crc >> 1 ^ (bit ? 0x82f63b78 : 0);
	}
	return ~crc;
}

static uint32_t get16(const uint8_t *p)
{
	return (uint32_t)(p[0] << 8 | p[1]);
}

static void check_ip(const uint8_t *ip, uint32_t len)
{
	if (ip[0] >> 4 == 4) {
		assert_int_equal(get16(ip + 2), len);
		assert_int_equal(frame_sum(ip, 4u * (ip[0] & 15), 0), 0xffff);
	} else {
		assert_int_equal(ip[0] >> 4, 6);
		assert_int_equal(get16(ip + 4), len - 40);
	}
}

static void check_l4(const struct wild_kind *kind, const uint8_t *ip, uint8_t *l4, uint32_t len)
{
	bool tcp = kind->type == WILD_TCP4 || kind->type == WILD_TCP6;
	uint8_t protocol = tcp ? FRAME_TCP : FRAME_UDP;
	uint32_t crc;

	if (kind->type == WILD_SCTP4 || kind->type == WILD_SCTP6) {
		memcpy(&crc, l4 + 8, 4);
		memset(l4 + 8, 0, 4);
		assert_int_equal(crc, crc32c(l4, len)); /* as it lies, on little-endian machines */
	} else if (kind->remcsum) {
		assert_int_equal(get16(l4 + (tcp ? 16 : 6)), frame_pseudo(ip, protocol, len));
	} else {
		assert_int_equal(frame_sum(l4, len, frame_pseudo(ip, protocol, len)), 0xffff);
	}
}

static void check_tunnel(const struct wild_kind *kind, const struct wild_frame *f)
{
	const uint8_t *ip = f->bytes + f->at.network[0], *l4 = f->bytes + f->at.transport[0];
	uint32_t len = f->len - f->at.transport[0];

	if (kind->encap == WILD_GRE) {
		if (kind->csum)
			assert_int_equal(frame_sum(l4, len, 0), 0xffff);
	} else if (kind->encap > WILD_GRE) {
		assert_int_equal(get16(l4 + 4), len);
		if (kind->csum)
			assert_int_equal(frame_sum(l4, len, frame_pseudo(ip, 17, len)), 0xffff);
		else
			assert_int_equal(get16(l4 + 6), 0);
	}
}

/* Lengths and checksums of all levels. */
static void check_sound(const struct wild_kind *kind, const struct wild_frame *f)
{
	unsigned inner = f->at.levels - 1u;
	uint32_t l4 = f->at.transport[inner];

	assert_int_equal(f->at.payload + f->payload, f->len);
	for (unsigned i = 0; i < f->at.levels; i++)
		check_ip(f->bytes + f->at.network[i], f->len - f->at.network[i]);
	check_tunnel(kind, f);
	check_l4(kind, f->bytes + f->at.network[inner], f->bytes + l4, f->len - l4);
}

static void test_tame_is_sound(void **state)
{
	unsigned n;
	const struct wild_kind *kinds = wild_kinds(&n);
	struct wild_train train = {0};

	for (unsigned i = 0; i < n * CASES; i++) {
		struct wild_train_conf conf = {.kind = kinds[i % n], .tame = true};

		if (conf.kind.type == WILD_UFO4 || conf.kind.type == WILD_UFO6)
			continue;
		wild_train_make(&train, &conf, SEED, i);
		assert_true(train.n >= 2);
		for (unsigned k = 0; k < train.n; k++) {
			assert_true(train.frame[k].len - train.frame[k].at.network[0] <= 1500);
			check_sound(&train.kind, &train.frame[k]);
		}
	}
	wild_train_fini(&train);
}

static void test_troubles_come(void **state)
{
	unsigned n, count[WILD_TROUBLES] = {0}, frames = 0;
	const struct wild_kind *kinds = wild_kinds(&n);
	struct wild_train train = {0};

	for (unsigned i = 0; i < n * TROUBLED; i++) {
		struct wild_train_conf conf = {.kind = kinds[i % n], .avoid = {[WILD_PSH] = 1}};

		wild_train_make(&train, &conf, SEED, i);
		for (unsigned t = 0; t < WILD_TROUBLES; t++)
			count[t] += train.count[t];
		frames += train.n;
	}
	wild_train_fini(&train);
	for (unsigned t = 0; t < WILD_TROUBLES; t++) {
		if ((t == WILD_PSH) != (count[t] == 0))
			fail_msg("%s: %u of %u", wild_trouble_name(t), count[t], frames);
	}
}

/* Than an 8-bit number tells. */
static bool has_longer(const struct wild_layout *at)
{
	for (unsigned i = 0; i < at->levels; i++) {
		if (at->transport[i] - at->network[i] >= 40 + 256)
			return true;
	}
	return false;
}

static void test_supers(void **state)
{
	unsigned n, longer = 0;
	const struct wild_kind *kinds = wild_kinds(&n);
	struct wild_super s = {0};

	for (unsigned i = 0; i < n * CASES; i++) {
		struct wild_super_conf conf = {.kind = kinds[i % n],
					       .max_len = i / n % 2 ? 300000 : 0,
					       .mergeable = i / n > 1};
		uint32_t len = 0;

		wild_super_make(&s, &conf, SEED, i);
		for (unsigned k = 0; k < s.parts; k++)
			len += s.part[k];
		assert_int_equal(len, s.len);
		assert_true(s.part[0] >= s.at.payload && s.len > s.at.payload);
		assert_true(s.len - s.at.network[0] <= (conf.max_len ? conf.max_len : 65535));
		assert_int_equal(s.csum_start, s.at.transport[s.at.levels - 1]);
		assert_true(s.at.payload <= WILD_HDRS_MAX);
		longer += has_longer(&s.at);
		if (s.gso_size != LEAT_GSO_BY_FRAGS && conf.kind.type < WILD_UFO4)
			assert_int_equal(s.gso_segs,
					 (s.len - s.at.payload + s.gso_size - 1) / s.gso_size);
	}
	assert_true(longer > 0);
	wild_super_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),	      cmocka_unit_test(test_repeatable),
		cmocka_unit_test(test_tame_is_sound), cmocka_unit_test(test_troubles_come),
		cmocka_unit_test(test_supers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
