/* SPDX-License-Identifier: MIT */
/*
 * test_ops.c - every variant at every mask gives what portable C gives, reads no byte outside of
 * its input, and is selected where the CPU has its instructions.
 */
#include <leat/csum.h>
#include <leat/ops.h>
#include <leat/rss.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "../rng.h"

enum { PAGES = 4, LONGEST = 4096, MASKS = LEAT_ISA_ALL + 1, ROUNDS = 1000 };

/* Memory between two pages that cannot be touched. */
struct guarded {
	uint8_t *first, *end;
};

static struct guarded guarded_map(size_t pages)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *all =
		mmap(NULL, (pages + 2) * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(all != MAP_FAILED);
	assert_int_equal(mprotect(all + page, pages * page, PROT_READ | PROT_WRITE), 0);
	return (struct guarded){all + page, all + (pages + 1) * page};
}

static void guarded_unmap(const struct guarded *g)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	munmap(g->first - page, (size_t)(g->end - g->first) + 2 * page);
}

/* What an operation gives of an input, to be compared. */
typedef uint32_t apply_fn(const void *with, const uint8_t *p, size_t len, uint32_t start);

static uint32_t apply_csum(const void *with, const uint8_t *p, size_t len, uint32_t start)
{
	return leat_csum_fold(leat_csum_partial(p, len, start));
}

static uint32_t apply_crc32c(const void *with, const uint8_t *p, size_t len, uint32_t start)
{
	return leat_crc32c(p, len, start);
}

static uint32_t apply_toeplitz(const void *with, const uint8_t *p, size_t len, uint32_t start)
{
	return leat_toeplitz_hash(with, p, len);
}

/* Random bytes, or those that carry most, or all the same. */
static void fill(struct rng *rng, const struct guarded *g)
{
	uint32_t kind = rng_below(rng, 4);

	memset(g->first, kind == 0 ? 0 : 0xff, (size_t)(g->end - g->first));
	if (kind < 2)
		return;
	for (uint8_t *p = g->first; p < g->end; p++) {
		if (kind == 2 || rng_once_in(rng, 40))
			*p = (uint8_t)rng_next(rng);
	}
}

/* At the end of the memory, at its begin, or up to 63 bytes from there. */
static const uint8_t *place(struct rng *rng, const struct guarded *g, size_t len)
{
	switch (rng_below(rng, 3)) {
	case 0: return g->end - len;
	case 1: return g->first;
	default: return g->first + rng_below(rng, 64);
	}
}

/* Short inputs as often as long ones. */
static size_t draw_len(struct rng *rng, size_t longest)
{
	return rng_below(rng, 1 + rng_below(rng, (uint32_t)longest + 1));
}

static void compare(struct rng *rng, apply_fn *apply, const void *with, size_t longest)
{
	struct guarded g = guarded_map(PAGES);

	for (unsigned round = 0; round < ROUNDS; round++) {
		size_t len = draw_len(rng, longest);
		const uint8_t *p = place(rng, &g, len);
		uint32_t start = (uint32_t)rng_next(rng), expected;

		if (round % 64 == 0)
			fill(rng, &g);
		assert_int_equal(leat_ops_select(LEAT_ISA_NONE), LEAT_ISA_NONE);
		expected = apply(with, p, len, start);
		for (unsigned mask = 1; mask < MASKS; mask++) {
			leat_ops_select(mask);
			if (apply(with, p, len, start) != expected)
				fail_msg("mask %#x, %zu bytes at %% 64 = %zu", mask, len,
					 (size_t)((uintptr_t)p % 64));
		}
	}
	leat_ops_select(LEAT_ISA_ALL);
	guarded_unmap(&g);
}

static void test_csum(void **state)
{
	struct rng rng = rng_start("test_csum");

	compare(&rng, apply_csum, NULL, LONGEST);
	compare(&rng, apply_csum, NULL, 300);
}

static void test_crc32c(void **state)
{
	struct rng rng = rng_start("test_crc32c");

	compare(&rng, apply_crc32c, NULL, LONGEST);
	compare(&rng, apply_crc32c, NULL, 300);
}

static void draw_key(struct rng *rng, struct leat_toeplitz *t)
{
	uint8_t key[LEAT_RSS_KEY_MAX];
	size_t len = LEAT_RSS_KEY_MIN + rng_below(rng, 20);

	for (size_t k = 0; k < len; k++)
		key[k] = (uint8_t)rng_next(rng);
	leat_toeplitz_init(t, key, len);
}

static void test_toeplitz(void **state)
{
	struct rng rng = rng_start("test_toeplitz");

	for (unsigned i = 0; i < 10; i++) {
		struct leat_toeplitz t;

		draw_key(&rng, &t);
		compare(&rng, apply_toeplitz, &t, LEAT_RSS_INPUT_MAX);
	}
}

/* Any number of inputs, eight at a time or not, at any places: each gives what it does alone, and
 * nothing else is written. */
static void check_bulk(struct rng *rng, const struct guarded *g, const struct leat_toeplitz *t,
		       size_t len)
{
	enum { MANY = 40 };
	unsigned n = rng_below(rng, MANY);
	uint32_t hash[MANY], alone[MANY];
	const uint8_t *input[MANY];

	leat_ops_select(LEAT_ISA_NONE);
	memset(alone, 0x5a, sizeof(alone));
	for (unsigned i = 0; i < n; i++) {
		input[i] = place(rng, g, len);
		alone[i] = leat_toeplitz_hash(t, input[i], len);
	}
	for (unsigned mask = 0; mask < MASKS; mask++) {
		leat_ops_select(mask);
		memset(hash, 0x5a, sizeof(hash));
		leat_toeplitz_bulk(t, input, len, hash, n);
		if (memcmp(hash, alone, sizeof(hash)) != 0)
			fail_msg("mask %#x, %u inputs of %zu bytes", mask, n, len);
	}
}

static void test_toeplitz_bulk(void **state)
{
	struct rng rng = rng_start("test_toeplitz_bulk");
	struct guarded g = guarded_map(PAGES);

	for (unsigned round = 0; round < ROUNDS; round++) {
		struct leat_toeplitz t;

		draw_key(&rng, &t);
		if (round % 16 == 0)
			fill(&rng, &g);
		check_bulk(&rng, &g, &t, round % (LEAT_RSS_INPUT_MAX + 1));
	}
	leat_ops_select(LEAT_ISA_ALL);
	guarded_unmap(&g);
}

/* More than a variant takes at once. */
static void test_csum_huge(void **state)
{
	enum { HUGE = (1 << 30) + 4096 };
	uint8_t *p = mmap(NULL, HUGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	static const uint8_t ends[] = {0xfe, 0xdc, 0xba};
	uint32_t sum;

	if (p == MAP_FAILED)
		skip();
	memcpy(p, ends, sizeof(ends));
	memcpy(p + HUGE - sizeof(ends), ends, sizeof(ends)); /* at an odd offset */
	sum = leat_csum_partial(ends, sizeof(ends), 0);
	sum = leat_csum_add(sum, sum << 8 | sum >> 24);
	assert_int_equal(leat_csum_fold(leat_csum_partial(p, HUGE, 0)), leat_csum_fold(sum));
	munmap(p, HUGE);
}

/* --- selection --- */

static unsigned has(void)
{
	unsigned isa = LEAT_ISA_NONE;

#if defined(__x86_64__)
	isa |= __builtin_cpu_supports("sse4.2") ? LEAT_ISA_SSE42 : 0;
	isa |= __builtin_cpu_supports("pclmul") ? LEAT_ISA_PCLMUL : 0;
	isa |= __builtin_cpu_supports("avx2") ? LEAT_ISA_AVX2 : 0;
	isa |= __builtin_cpu_supports("vpclmulqdq") ? LEAT_ISA_VPCLMUL : 0;
#endif
	return isa;
}

/* What each operation is to use, and its name then; the first that the CPU can. */
static const struct {
	const char *op;
	struct {
		unsigned needs;
		const char *name;
	} variant[3];
} rows[LEAT_OPS] = {
	[LEAT_OP_CSUM] = {"csum", {{LEAT_ISA_AVX2, "avx2"}, {0, "portable"}}},
	[LEAT_OP_CRC32C] = {"crc32c",
			    {{LEAT_ISA_SSE42 | LEAT_ISA_PCLMUL, "sse4.2"}, {0, "portable"}}},
	[LEAT_OP_TOEPLITZ] = {"toeplitz", {{LEAT_ISA_PCLMUL, "pclmul"}, {0, "portable"}}},
	[LEAT_OP_TOEPLITZ_BULK] = {"toeplitz-bulk",
				   {{LEAT_ISA_PCLMUL | LEAT_ISA_AVX2 | LEAT_ISA_VPCLMUL, "vpclmul"},
				    {LEAT_ISA_PCLMUL, "pclmul"},
				    {0, "portable"}}},
};

static void check_variants(unsigned isa)
{
	for (unsigned op = 0; op < LEAT_OPS; op++) {
		unsigned v = 0;

		while ((isa & rows[op].variant[v].needs) != rows[op].variant[v].needs)
			v++;
		assert_string_equal(leat_ops_name(op), rows[op].op);
		assert_string_equal(leat_ops_variant(op), rows[op].variant[v].name);
	}
}

/* Without being asked. What was called first is the first of all tests: nothing had selected. */
static void test_by_default(void **state)
{
	static const uint8_t zeroes[200];

	if (getenv("LEAT_ISA"))
		skip();
	assert_int_equal(leat_csum_partial(zeroes, sizeof(zeroes), 0), 0);
	check_variants(has());
}

static void test_select(void **state)
{
	for (unsigned mask = 0; mask < MASKS; mask++) {
		assert_int_equal(leat_ops_select(mask), mask & has());
		check_variants(mask & has());
	}
	assert_int_equal(leat_ops_select(UINT32_MAX), has());
	for (unsigned op = 0; op < LEAT_OPS; op++)
		printf("%s: %s\n", leat_ops_name(op), leat_ops_variant(op));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_default),    cmocka_unit_test(test_select),
		cmocka_unit_test(test_csum),	      cmocka_unit_test(test_csum_huge),
		cmocka_unit_test(test_crc32c),	      cmocka_unit_test(test_toeplitz),
		cmocka_unit_test(test_toeplitz_bulk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
