/* SPDX-License-Identifier: MIT */
/*
 * cpu.c - what the CPU can do.
 *
 * Vectors of 32 bytes want the operating system too: it has to save their registers, and says so
 * in XCR0.
 */
#include "ops.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <stdbool.h>

enum {
	XCR0_SSE = 1 << 1,
	XCR0_AVX = 1 << 2,
};

static bool saves_avx(unsigned features)
{
	unsigned low, high, both = XCR0_SSE | XCR0_AVX;

	if (!(features & bit_OSXSAVE))
		return false;
	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (low & both) == both;
}

unsigned leat_cpu_isa(void)
{
	unsigned a, b, c = 0, d, extended = 0, more = 0, isa = LEAT_ISA_NONE;

	__get_cpuid_count(7, 0, &a, &extended, &more, &d);
	__get_cpuid(1, &a, &b, &c, &d);
	if (c & bit_SSE4_2)
		isa |= LEAT_ISA_SSE42;
	if (c & bit_PCLMUL)
		isa |= LEAT_ISA_PCLMUL;
	if (saves_avx(c) && (extended & bit_AVX2))
		isa |= LEAT_ISA_AVX2;
	if (saves_avx(c) && (more & bit_VPCLMULQDQ))
		isa |= LEAT_ISA_VPCLMUL;
	return isa;
}

#else

unsigned leat_cpu_isa(void)
{
	return LEAT_ISA_NONE;
}

#endif
