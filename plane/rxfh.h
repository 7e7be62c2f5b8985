/* SPDX-License-Identifier: MIT */
/*
 * rxfh.h - what chooses a port's receive queues, as a value: RSS contexts, n-tuple rules.
 *
 * A struct rxfh is immutable, and made from another by changing one thing; the two share all the
 * rest. It is counted by those who have it, as are its parts; the counts are the configuring
 * thread's, and workers only follow `use`.
 */
#ifndef PLANE_RXFH_H
#define PLANE_RXFH_H

#include <leat/rxfh.h>

enum { RXFH_LOCATIONS = LEAT_NTUPLE_RULES_MAX }; /* of rules: 0 to that - 1 */

struct rxfh_context;
struct rxfh_rules;

struct rxfh {
	struct leat_rxfh use; /* rules left out while they are off */
	unsigned users;
	bool ntuple;					      /* rules are on (rx-ntuple-filter) */
	struct rxfh_context *context[LEAT_RXFH_CONTEXTS_MAX]; /* NULL: there is none */
	struct rxfh_rules *rules;			      /* NULL: none */
};

/* Of `n_queues` queues, with context 0 as `want`, its table the default, without rules. 0, -EINVAL
 * or -ENOMEM. */
int rxfh_new(unsigned n_queues, const struct leat_rss_conf *want, struct rxfh **made);

/* One user more, one less: the last frees it. NULL is nothing to do. */
void rxfh_share(struct rxfh *rxfh);
void rxfh_drop(struct rxfh *rxfh);

/*
 * Each makes another value of `from` that differs in one thing, with one user; or gives an error
 * and makes nothing.
 */

/* Context `id` is as `want`, there or not; `indir_set`: its table is a user's, not the default.
 * 0, -EINVAL, -ENOMEM. */
int rxfh_set_context(const struct rxfh *from, unsigned id, const struct leat_rss_conf *want,
		     bool indir_set, struct rxfh **made);

/* Without context `id`. 0; -ENOENT there is none; -EINVAL it is 0; -EBUSY a rule names it, whose
 * location is then in *rule; -ENOMEM. */
int rxfh_del_context(const struct rxfh *from, unsigned id, uint32_t *rule, struct rxfh **made);

/* With the rule, in place of one at its location. If it has a filter, `arg` is a struct filter. 0;
 * -ENOENT its context is none; -ERANGE its queue is none; -EINVAL, -E2BIG as leat_ntuple_init();
 * -ENOMEM. */
int rxfh_set_rule(const struct rxfh *from, const struct leat_ntuple_rule *rule, struct rxfh **made);

/* Without the rule at `location`. 0; -ENOENT; -ENOMEM. */
int rxfh_del_rule(const struct rxfh *from, uint32_t location, struct rxfh **made);

/* With rules on or off. 0 or -ENOMEM. */
int rxfh_set_ntuple(const struct rxfh *from, bool on, struct rxfh **made);

/* The first rule at `location` or after, NULL if there is none. */
const struct leat_ntuple_rule *rxfh_rule(const struct rxfh *rxfh, uint32_t location);

/* The location behind the last rule's, up to RXFH_LOCATIONS. */
uint32_t rxfh_rules_end(const struct rxfh *rxfh);

/* Whether context `id`, which is there, has a table that a user set. */
bool rxfh_indir_set(const struct rxfh *rxfh, unsigned id);

#endif
