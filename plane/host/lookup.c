/* SPDX-License-Identifier: MIT */
#include "lookup.h"

#include "endpoint.h"
#include "wire.h"

#include <stdlib.h>
#include <string.h>

static struct leat_flow make_key(const struct addr *local, const struct addr *peer)
{
	struct leat_flow key;

	memset(&key, 0, sizeof(key));
	memcpy(key.dst, local->ip, sizeof(key.dst));
	memcpy(key.src, peer->ip, sizeof(key.src));
	key.dport = local->port;
	key.sport = peer->port;
	key.version = local->version;
	key.protocol = PROTO_UDP;
	return key;
}

/* Which endpoints there are nobody on the network decides, so nobody chooses collisions. */
static struct lookup_group **bucket_of(const struct lookup *t, const struct leat_flow *key)
{
	uint64_t word[sizeof(*key) / 8], hash = 0;

	memcpy(word, key, sizeof(word));
	for (size_t i = 0; i < sizeof(word) / sizeof(*word); i++) {
		hash = (hash ^ word[i]) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 32;
	}
	return &t->bucket[hash & ((1u << t->bits) - 1)];
}

static struct lookup_group *find(const struct lookup *t, const struct leat_flow *key)
{
	struct lookup_group *g = *bucket_of(t, key);

	while (g && memcmp(&g->key, key, sizeof(*key)) != 0)
		g = g->next;
	return g;
}

/* One more for the endpoint's group; it is made if there is none. */
static void count(struct lookup *t, const struct endpoint *ep, unsigned *n)
{
	struct leat_flow key = make_key(&ep->local, &ep->peer);
	struct lookup_group *g = find(t, &key), **bucket = bucket_of(t, &key);

	if (g) {
		g->n++;
		return;
	}
	g = &t->group[(*n)++];
	*g = (struct lookup_group){.key = key, .n = 1, .next = *bucket};
	*bucket = g;
	t->connected |= ep->peer.version != 0;
	t->bound |= ep->peer.version == 0 && ep->local.version != 0;
	t->any |= ep->local.version == 0;
}

/* Put it in its group, which was counted. */
static void join(const struct lookup *t, struct endpoint *ep)
{
	struct leat_flow key = make_key(&ep->local, &ep->peer);
	struct lookup_group *g = find(t, &key);

	if (g)
		g->member[g->n++] = ep;
}

static bool allocate(struct lookup *t, size_t n)
{
	while ((size_t)1 << t->bits < n)
		t->bits++;
	t->bucket = calloc((size_t)1 << t->bits, sizeof(struct lookup_group *));
	t->group = calloc(n + 1, sizeof(*t->group));
	t->member = calloc(n + 1, sizeof(struct endpoint *));
	return t->bucket && t->group && t->member;
}

/* Each group's size, then where its members are, then they, in the order of the list. */
static void fill(struct lookup *t, struct endpoint *list)
{
	struct endpoint **member = t->member;
	unsigned groups = 0;

	for (const struct endpoint *ep = list; ep; ep = ep->next) {
		if (ep->local.port)
			count(t, ep, &groups);
	}
	for (unsigned i = 0; i < groups; i++) {
		t->group[i].member = member;
		member += t->group[i].n;
		t->group[i].n = 0;
	}
	for (struct endpoint *ep = list; ep; ep = ep->next) {
		if (ep->local.port)
			join(t, ep);
	}
}

struct lookup *lookup_new(struct endpoint *list)
{
	struct lookup *t = calloc(1, sizeof(*t));
	size_t n = 0;

	for (const struct endpoint *ep = list; ep; ep = ep->next)
		n++;
	if (!t || !allocate(t, n)) {
		lookup_free(t);
		return NULL;
	}
	fill(t, list);
	return t;
}

void lookup_free(struct lookup *t)
{
	if (!t)
		return;
	free(t->bucket);
	free(t->group);
	free(t->member);
	free(t);
}

struct endpoint *lookup_find(const struct lookup *t, const struct leat_pkt *pkt,
			     const struct leat_flow_key *hash_key)
{
	const struct lookup_group *g = NULL;
	struct leat_flow key;

	if (!t || !leat_flow_get(pkt, &key))
		return NULL;
	if (t->connected)
		g = find(t, &key);
	memset(key.src, 0, sizeof(key.src));
	key.sport = 0;
	if (!g && t->bound)
		g = find(t, &key);
	memset(key.dst, 0, sizeof(key.dst));
	key.version = 0;
	if (!g && t->any)
		g = find(t, &key);
	if (!g || g->n == 1)
		return g ? g->member[0] : NULL;
	return g->member[leat_reciprocal_scale(leat_flow_hash(pkt, hash_key), g->n)];
}

const struct lookup_group *lookup_group(const struct lookup *t, const struct addr *local,
					const struct addr *peer)
{
	struct leat_flow key = make_key(local, peer);

	return t ? find(t, &key) : NULL;
}
