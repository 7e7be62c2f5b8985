/* SPDX-License-Identifier: MIT */
/* In every test: LEAT_ISA, a mask of LEAT_ISA_* bits, takes the CPU's other instructions away. */
#include <leat/ops.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((constructor)) static void select_isa(void)
{
	const char *mask = getenv("LEAT_ISA");

	if (mask)
		printf("LEAT_ISA=%#x\n", leat_ops_select((unsigned)strtoul(mask, NULL, 0)));
}
