/* SPDX-License-Identifier: MIT */
/*
 * test_linktype.c - where IP is found behind each link header, and what stands in for that.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "port/linktype.h"

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))

enum { FRONT = LINKTYPE_STAND_IN, ROOM = 64 };

/* A header of bytes 1, 2, 3, ..., with `protocol` at its place, and `first` behind it. */
static void build(uint8_t *frame, const struct linktype *t, uint16_t protocol, uint8_t first)
{
	for (unsigned i = 0; i < ROOM; i++)
		frame[i] = (uint8_t)(i + 1);
	if (t->protocol != LINKTYPE_BY_VERSION) {
		frame[t->protocol] = (uint8_t)(protocol >> 8);
		frame[t->protocol + 1] = (uint8_t)protocol;
	}
	frame[t->header] = first;
}

static void test_rows(void **state)
{
	static const struct {
		uint16_t number, header, protocol;
		uint8_t first;
		uint16_t type; /* 0: none */
	} rows[] = {
		{101, 0, 0, 0x45, 0x0800},
		{101, 0, 0, 0x60, 0x86dd},
		{101, 0, 0, 0x50, 0},
		{12, 0, 0, 0x45, 0x0800},
		{14, 0, 0, 0x45, 0x0800},
		{228, 0, 0, 0x45, 0x0800},
		{229, 0, 0, 0x60, 0x86dd},
		{0, 4, 0, 0x45, 0x0800},
		{0, 4, 0, 0x60, 0x86dd},
		{108, 4, 0, 0x60, 0x86dd},
		{113, 16, 0x0800, 0x45, 0x0800},
		{113, 16, 0x0806, 0x00, 0x0806},
		{276, 20, 0x86dd, 0x60, 0x86dd},
		{276, 20, 0x8100, 0x00, 0x8100},
	};

	for (unsigned i = 0; i < LENGTH(rows); i++) {
		const struct linktype *t = linktype_find(rows[i].number);
		uint8_t buffer[FRONT + ROOM], before[FRONT + ROOM], *frame = buffer + FRONT;
		const uint8_t *eth;

		assert_non_null(t);
		assert_int_equal(t->header, rows[i].header);
		eth = frame + t->header - LINKTYPE_STAND_IN;
		memset(buffer, 0, sizeof(buffer));
		build(frame, t, rows[i].protocol, rows[i].first);
		memcpy(before, buffer, sizeof(before));
		assert_int_equal(linktype_replace(t, frame, t->header + 1u), rows[i].type != 0);
		if (rows[i].type == 0) {
			assert_memory_equal(buffer, before, sizeof(before));
			continue;
		}
		assert_int_equal(eth[12] << 8 | eth[13], rows[i].type);
		assert_memory_equal(eth + LINKTYPE_STAND_IN, before + FRONT + t->header, ROOM - 20);
		assert_memory_equal(buffer, before, (size_t)(eth - buffer));
	}
}

static void test_short(void **state)
{
	static const uint16_t numbers[] = {101, 0, 113, 276};

	for (unsigned i = 0; i < LENGTH(numbers); i++) {
		const struct linktype *t = linktype_find(numbers[i]);
		bool by_version = t->protocol == LINKTYPE_BY_VERSION;
		uint8_t buffer[FRONT + ROOM];

		memset(buffer, 0x45, sizeof(buffer));
		if (t->header > 0)
			assert_false(linktype_replace(t, buffer + FRONT, t->header - 1u));
		assert_int_equal(linktype_replace(t, buffer + FRONT, t->header), !by_version);
	}
}

/* Any one bit of the link header shows in what stands in for it. */
static void test_differs(void **state)
{
	const struct linktype *t = linktype_find(276);
	uint8_t a[ROOM], b[ROOM];

	for (unsigned bit = 16; bit < 8u * t->header; bit++) {
		build(a, t, 0x0800, 0x45);
		build(b, t, 0x0800, 0x45);
		b[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_true(linktype_replace(t, a, ROOM));
		assert_true(linktype_replace(t, b, ROOM));
		assert_memory_not_equal(a + 6, b + 6, LINKTYPE_STAND_IN);
	}
}

static void test_unknown(void **state)
{
	assert_null(linktype_find(127));
	assert_null(linktype_find(LINKTYPE_USER0));
	assert_non_null(linktype_find(LINKTYPE_ETHERNET));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_differs),
		cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
