/* SPDX-License-Identifier: MIT */
/*
 * rss.h - Receive Side Scaling: the hash of a packet's header fields, and the receive queue it
 * names.
 *
 * A struct leat_rss is a value: filled once by leat_rss_init(), then only read, by any number of
 * threads. The hash is Toeplitz over addresses, and ports where the flow type's fields say so
 * and the packet is no fragment; the queue is indir[hash mod size]. Field bits are ethtool's
 * RXH_*. The functions on indirection tables are what ethtool -X does. Sources: the RSS
 * verification suite; Linux Documentation/networking/scaling.rst and uapi ethtool.h.
 */
#ifndef LEAT_RSS_H
#define LEAT_RSS_H

#include <leat/pkt.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	LEAT_RSS_KEY_MIN = 40, /* covers the IPv6 4-tuple: 36 bytes of input + 4 */
	LEAT_RSS_KEY_MAX = 256,
	LEAT_RSS_INPUT_MAX = 40,   /* the IPv6 4-tuple, and the flow label */
	LEAT_RSS_INDIR_MAX = 4096, /* entries; sizes are powers of two */
	LEAT_RSS_INDIR_DEFAULT = 128,
};

/* What enters the hash (ethtool RXH_*), in this order; what does not leaves no gap. */
#define LEAT_RXH_IP_SRC	  (1u << 4)
#define LEAT_RXH_IP_DST	  (1u << 5)
#define LEAT_RXH_L4_B_0_1 (1u << 6) /* source port */
#define LEAT_RXH_L4_B_2_3 (1u << 7) /* destination port */
#define LEAT_RXH_IP6_FL	  (1u << 9) /* IPv6 types: the flow label, 32 bits with 12 zeroes first */

/* Flow types with fields of their own. */
enum leat_rss_flow {
	LEAT_RSS_TCP4,
	LEAT_RSS_UDP4,
	LEAT_RSS_SCTP4,
	LEAT_RSS_IP4, /* fragments and other protocols */
	LEAT_RSS_TCP6,
	LEAT_RSS_UDP6,
	LEAT_RSS_SCTP6,
	LEAT_RSS_IP6,
	LEAT_RSS_FLOWS,
};

/* Symmetric input transforms, applied to each pair of fields before the hash. */
enum leat_rss_xfrm {
	LEAT_RSS_XFRM_NONE,
	LEAT_RSS_SYM_XOR,    /* (s^d, s^d) */
	LEAT_RSS_SYM_OR_XOR, /* (s|d, s^d) */
};

struct leat_rss_conf {
	const uint8_t *key; /* key_len bytes, LEAT_RSS_KEY_MIN to _MAX */
	size_t key_len;
	const uint16_t *indir; /* indir_size queues, each below n_queues; NULL: i mod n_queues */
	unsigned indir_size; /* power of two up to LEAT_RSS_INDIR_MAX; 0: LEAT_RSS_INDIR_DEFAULT */
	unsigned n_queues;   /* 1 to 65535 */
	/* LEAT_RXH_*, 0: not hashed; all 0: addresses and ports, and of IP the addresses. */
	uint32_t fields[LEAT_RSS_FLOWS];
	enum leat_rss_xfrm xfrm;
	bool inner; /* hash a tunnel's packet by the headers inside */
};

/* Toeplitz with its key expanded: one table of 16 entries per input nibble, and the key with its
 * first bit lowest, moved up by one, for CPUs that multiply without carries. */
struct leat_toeplitz {
	uint32_t table[2 * LEAT_RSS_INPUT_MAX][16];
	uint64_t reversed[LEAT_RSS_INPUT_MAX / 8 + 1];
};

struct leat_rss {
	struct leat_toeplitz toeplitz;
	uint32_t fields[LEAT_RSS_FLOWS];
	uint8_t xfrm;
	bool inner;
	uint16_t n_queues;
	uint16_t indir_size;
	uint16_t indir[LEAT_RSS_INDIR_MAX];
	uint16_t key_len;
	uint8_t key[LEAT_RSS_KEY_MAX];
};

/* Expand `key` (len >= LEAT_RSS_KEY_MIN bytes; those past input + 4 have no effect, and those that
 * it lacks count as 0). */
void leat_toeplitz_init(struct leat_toeplitz *t, const uint8_t *key, size_t len);

/* The hash of `len` <= LEAT_RSS_INPUT_MAX bytes in network order. */
uint32_t leat_toeplitz_hash(const struct leat_toeplitz *t, const uint8_t *input, size_t len);

/* Those of `n` inputs of `len` <= LEAT_RSS_INPUT_MAX bytes each, in `hash`; n may be 0. */
void leat_toeplitz_bulk(const struct leat_toeplitz *t, const uint8_t *const *input, size_t len,
			uint32_t *hash, unsigned n);

/* Fill `rss`. Gives 0; -EINVAL, with `rss` untouched, for a key length, table size or entry,
 * field or transform out of its range, a key shorter than the longest input and 4 bytes, or a
 * transform with fields it does not allow (source without destination, anything beyond addresses
 * and ports). */
int leat_rss_init(struct leat_rss *rss, const struct leat_rss_conf *conf);

/* The configuration that `rss` was made of, all spelled out; it points into `rss`. */
void leat_rss_conf_of(const struct leat_rss *rss, struct leat_rss_conf *conf);

/* What is hashed of a parsed packet, its fields transformed: fills `input`, gives how many bytes; 0
 * where there is no hash, *type is then LEAT_HASH_NONE. */
size_t leat_rss_input(const struct leat_rss *rss, const struct leat_pkt *pkt,
		      uint8_t input[LEAT_RSS_INPUT_MAX], enum leat_hash_type *type);

/* The hash of a parsed packet's outer (or only) level, UDP's ports included where that begins a
 * tunnel, as network cards have it, or with `inner` of its innermost; *type says what it covers,
 * LEAT_HASH_NONE (and hash 0) when there is no IP header or its flow type has no fields. */
uint32_t leat_rss_hash(const struct leat_rss *rss, const struct leat_pkt *pkt,
		       enum leat_hash_type *type);

/* Sets hash and hash_type of each of `n` parsed packets that has none. Every packet *passes*. */
void leat_rss_receive(const struct leat_rss *rss, struct leat_pkt *const *pkts, unsigned n);

/* The queue `hash` names. */
static inline uint16_t leat_rss_pick(const struct leat_rss *rss, uint32_t hash)
{
	return rss->indir[hash & (rss->indir_size - 1u)];
}

/* --- indirection tables: `size` queues, as leat_rss_conf.indir --- */

/* The size of a table for `n_queues`: LEAT_RSS_INDIR_DEFAULT, or at least 4 entries a queue (with
 * which no queue has over a quarter more than its share), up to LEAT_RSS_INDIR_MAX. */
unsigned leat_rss_indir_size(unsigned n_queues);

/* Entry i is queue `start` + i mod `n`: "equal N", and with all queues "default". */
void leat_rss_indir_equal(uint16_t *indir, unsigned size, unsigned start, unsigned n);

/* Queue `start` + i has entries by its share weight[i] of the sum, in one run: "weight". Gives 0;
 * -EINVAL, with nothing written, if all `n` are 0 or their sum exceeds `size`. */
int leat_rss_indir_weight(uint16_t *indir, unsigned size, unsigned start, const uint32_t *weight,
			  unsigned n);

/* Repeat the first `n` entries up to `size`. -EINVAL, with nothing written, unless n divides it. */
int leat_rss_indir_replicate(uint16_t *indir, unsigned n, unsigned size);

/* Whether a table of `size` entries can become one of `to`, each hash keeping its queue: larger by
 * being repeated, smaller if it is a repetition of its first `to` entries. One size has to be a
 * multiple of the other. */
bool leat_rss_indir_resizable(const uint16_t *indir, unsigned size, unsigned to);

#ifdef __cplusplus
}
#endif

#endif
