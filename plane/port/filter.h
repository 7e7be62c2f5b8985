/* SPDX-License-Identifier: MIT */
/*
 * filter.h - capture filters as n-tuple rules: libpcap's language, compiled, run on frames.
 *
 * A filter is immutable, and counted by those who have it; the count is the configuring thread's.
 */
#ifndef PLANE_PORT_FILTER_H
#define PLANE_PORT_FILTER_H

#include <leat/pkt.h>
#include <stddef.h>

struct filter;

/* Compile `expression`, `len` bytes of it, for Ethernet frames: a filter with one user; or NULL with
 * what is wrong in err. */
struct filter *filter_new(const char *expression, size_t len, char *err, size_t err_len);

/* One user more, one less: the last frees it. */
void filter_share(struct filter *filter);
void filter_drop(struct filter *filter);

/* Its expression, as it was given. */
const char *filter_text(const struct filter *filter);

/* Whether the struct filter at `arg` takes the packet, by the bytes of its first slice. Any thread. */
bool filter_match(const void *arg, const struct leat_pkt *pkt);

#endif
