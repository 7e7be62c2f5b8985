/* SPDX-License-Identifier: MIT */
#include "neigh.h"

#include <string.h>
#include <sys/random.h>

void neigh_init(struct neigh *t)
{
	memset(t, 0, sizeof(*t));
	pthread_mutex_init(&t->lock, NULL);
	(void)!getrandom(&t->key, sizeof(t->key), 0);
	t->key |= 1;
}

void neigh_fini(struct neigh *t)
{
	pthread_mutex_destroy(&t->lock);
}

static struct neigh_entry *bucket(struct neigh *t, const struct addr *addr)
{
	uint64_t half[2];

	memcpy(half, addr->ip, sizeof(half));
	half[0] = (half[0] ^ t->key) * t->key;
	half[0] = (half[0] ^ half[0] >> 32 ^ half[1]) * t->key;
	return t->entry[half[0] >> (64 - NEIGH_BITS)];
}

static struct neigh_entry *find(struct neigh_entry *set, const struct addr *addr)
{
	for (unsigned i = 0; i < NEIGH_DEPTH; i++) {
		if (addr_same(&set[i].addr, addr))
			return &set[i];
	}
	return NULL;
}

/* An entry for `addr`, in place of the one that was longest not renewed. */
static struct neigh_entry *make_entry(struct neigh_entry *set, const struct addr *addr)
{
	struct neigh_entry *oldest = set;

	for (unsigned i = 1; i < NEIGH_DEPTH; i++) {
		if (set[i].renewed < oldest->renewed)
			oldest = &set[i];
	}
	*oldest = (struct neigh_entry){.addr = *addr};
	return oldest;
}

void neigh_learn(struct neigh *t, const struct addr *addr, uint64_t path, bool make, uint64_t now)
{
	struct neigh_entry *set = bucket(t, addr), *e;

	pthread_mutex_lock(&t->lock);
	e = find(set, addr);
	if (!e && make)
		e = make_entry(set, addr);
	if (e) {
		e->path = path;
		e->renewed = now;
	}
	pthread_mutex_unlock(&t->lock);
}

uint64_t neigh_find(struct neigh *t, const struct addr *addr, uint64_t now, bool *ask)
{
	struct neigh_entry *set = bucket(t, addr), *e;
	uint64_t path;

	pthread_mutex_lock(&t->lock);
	e = find(set, addr);
	*ask = *ask && (!e || (!e->path && now - e->renewed >= NEIGH_AGAIN));
	if (*ask && !e)
		e = make_entry(set, addr);
	if (*ask)
		e->renewed = now;
	path = e ? e->path : ADDR_NO_PATH;
	pthread_mutex_unlock(&t->lock);
	return path;
}
