/* SPDX-License-Identifier: MIT */
/*
 * type.h - the types of traffic that the referee is asked about: the rows of the report.
 */
#ifndef CLI_VERIFY_TYPE_H
#define CLI_VERIFY_TYPE_H

#include "kernel.h"
#include "wild.h"

enum type_mode {
	TYPE_GSO,
	TYPE_GRO,
};

/* What of a kind's flag a row takes. */
enum type_pick {
	TYPE_ANY,
	TYPE_WITH,
	TYPE_WITHOUT,
};

struct type {
	const char *name;
	uint8_t mode;
	uint32_t types, encaps; /* bits of enum wild_type, wild_encap */
	uint8_t inner, outer;	/* IP versions; 0: any */
	uint8_t csum, remcsum;	/* enum type_pick */
	bool nonsense;		/* GSO: what is said of the packet is wrong */
	bool fixed_id;		/* GRO: only trains that begin with two equal IDs */
	bool ecn;		/* GSO: only packets with CWR */
	bool vlan;		/* GRO: always tagged */
	bool refused;		/* GRO: never merged, and so it is to be */
};

extern const struct type types[];
extern const unsigned types_n;

bool type_takes(const struct type *type, const struct wild_kind *kind);

/* Why the running kernel cannot judge the row, or NULL: it can. Asks it. */
const char *type_lacks(const struct type *type, struct kernel *kernel);

#endif
