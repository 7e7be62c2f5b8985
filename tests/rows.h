/* SPDX-License-Identifier: MIT */
/*
 * rows.h - for tests: trains of one flow by rows, and the payload sizes that GRO makes of them. Each
 * is given at once and packet by packet, and what comes out is cut up again by frame_segment().
 */
#ifndef LEAT_TESTS_ROWS_H
#define LEAT_TESTS_ROWS_H

#include "train.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* clang-format off */
#define OPTS(o) .opts = (o), .opts_len = sizeof(o)
#define EXT(type, e) .ext_first = (type), .ext = (e), .ext_len = sizeof(e)
#define FIXED(k) ((uint16_t)-(k)) /* packet k has the ID of packet 0 */
#define SEG(...) {.payload = 100, __VA_ARGS__}
#define DGRAM(n, ...) {.protocol = FRAME_UDP, .payload = (n), __VA_ARGS__}
#define SIZES(...) {__VA_ARGS__}
#define ROW(name_, modes_, why_, sizes_, ...)                                                    \
	{.name = (name_), .modes = (modes_), .why = LEAT_GRO_##why_,                               \
	 .sizes = sizes_, .outs = LENGTH(((uint32_t[])sizes_)),                                    \
	 .pkt = {__VA_ARGS__}, .n = LENGTH(((struct frame[]){__VA_ARGS__}))}
/* clang-format on */

/* What the rows' packets are sent in. */
enum {
	V4 = 1,
	V6 = 2,
	IPIP = 4,   /* IPv4 in IPv4 */
	IP6IP6 = 8, /* IPv6 in IPv6 */
	BOTH = V4 | V6,
	ALL4 = V4 | IPIP,
	ALL6 = V6 | IP6IP6,
	ALL = ALL4 | ALL6,

	ROW_MAX = 8,
	ROW_SEQ = 1000,
};

/* A packet's id, seq and ack are added to what they would be in a train that merges. */
struct row {
	const char *name;
	unsigned modes;
	enum leat_gro_reason why; /* must be counted */
	uint32_t sizes[ROW_MAX];
	unsigned n, outs;
	struct frame pkt[ROW_MAX];
	struct frame outer[ROW_MAX]; /* if they have a tunnel: each one's, its id added to too */
};

/* Every row in every mode; marks the reasons the rows name. */
void rows_check(const struct row *rows, unsigned n, const struct leat_gro_conf *conf,
		bool covered[LEAT_GRO_REASONS]);

/* The row's packets, not given yet; what carries them counts its IDs up from `id`. */
void rows_add(struct train *train, const struct row *row, unsigned mode, uint16_t id);

#endif
