/* SPDX-License-Identifier: MIT */
/*
 * ops.h - which instructions of the CPU the library's inner loops use.
 *
 * Checksums, CRC32c and the Toeplitz hash are defined by portable C. Where the CPU has instructions
 * that do the same faster there is a variant, which gives the same result to the bit. The fastest
 * that the CPU can do is selected by the first call that has variants; nothing has to be called.
 * To measure or to test the others, leat_ops_select() takes instructions away.
 *
 * Threads: the selection is one for the whole program. Any thread may change it at any time; a call
 * that another thread is in, or begins at that moment, uses the former or the new one.
 */
#ifndef LEAT_OPS_H
#define LEAT_OPS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Instructions of x86-64 that variants use, as bits of a mask. */
enum leat_isa {
	LEAT_ISA_NONE = 0, /* portable C alone */
	LEAT_ISA_SSE42 = 1 << 0,
	LEAT_ISA_PCLMUL = 1 << 1,
	LEAT_ISA_AVX2 = 1 << 2,
	LEAT_ISA_VPCLMUL = 1 << 3, /* VPCLMULQDQ, on vectors of 32 bytes */
	LEAT_ISA_ALL = (1 << 4) - 1,
};

/* What has variants. */
enum leat_op {
	LEAT_OP_CSUM,
	LEAT_OP_CRC32C,
	LEAT_OP_TOEPLITZ,
	LEAT_OP_TOEPLITZ_BULK,
	LEAT_OPS,
};

/* Use those instructions of `mask`, LEAT_ISA_* bits, that this CPU and its operating system have:
 * with LEAT_ISA_ALL the best, as if nothing had been selected. Gives them. */
unsigned leat_ops_select(unsigned mask);

/* The names of an operation ("csum"), and of its variant that is selected ("avx2", "portable"). */
const char *leat_ops_name(enum leat_op op);
const char *leat_ops_variant(enum leat_op op);

#ifdef __cplusplus
}
#endif

#endif
