/* SPDX-License-Identifier: MIT */
/*
 * rxfh_text.h - an RSS context in the words and letters of ethtool -X and -N rx-flow-hash.
 *
 * Reading gives 0, or -EINVAL with what is wrong in err and the result to be forgotten. Writing
 * gives what reads back as the same; a text of KNOB_TEXT_MAX has room for all of it. Pure functions.
 */
#ifndef PLANE_RXFH_TEXT_H
#define PLANE_RXFH_TEXT_H

#include <leat/rss.h>

/* "6d:5a:...", with or without colons: bytes to key[LEAT_RSS_KEY_MAX]. */
int rxfh_read_key(const char *text, uint8_t *key, size_t *len, char *err, size_t err_len);
void rxfh_write_key(const uint8_t *key, size_t len, char *text, size_t size);

/* A table of `entries` for queues below n_queues: "default", "[start S] equal N", "[start S] weight
 * W...", or the queues "0,1,0,1", repeated where fewer are given. *is_default: it was "default". */
int rxfh_read_indir(const char *text, uint16_t *indir, unsigned entries, unsigned n_queues,
		    bool *is_default, char *err, size_t err_len);
void rxfh_write_indir(const uint16_t *indir, unsigned entries, char *text, size_t size);

/* "udp4:sd,ip6:sdl": fields of flow types; those not named stay as they are. */
int rxfh_read_fields(const char *text, uint32_t fields[LEAT_RSS_FLOWS], char *err, size_t err_len);
void rxfh_write_fields(const uint32_t fields[LEAT_RSS_FLOWS], char *text, size_t size);
const char *rxfh_flow_name(enum leat_rss_flow flow);

/* "none", "symmetric-xor", "symmetric-or-xor". */
int rxfh_read_xfrm(const char *text, enum leat_rss_xfrm *xfrm, char *err, size_t err_len);
const char *rxfh_xfrm_name(enum leat_rss_xfrm xfrm);

#endif
