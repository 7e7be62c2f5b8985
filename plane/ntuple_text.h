/* SPDX-License-Identifier: MIT */
/*
 * ntuple_text.h - an n-tuple rule in the words of ethtool -N:
 *
 *	flow-type tcp4 src-ip 192.0.2.0 m 0.0.0.255 dst-port 80 action 1
 *
 * A field's bits that are set in the mask behind its "m" may be anything, as ethtool has it. "action"
 * is a queue, or -1 to drop; with "context C" it is added to the queue that the context's table
 * gives. In place of "flow-type TYPE" and fields, "filter EXPRESSION" is a capture filter, up to the
 * first of the action's words that nothing but such words follow. Pure functions.
 */
#ifndef PLANE_NTUPLE_TEXT_H
#define PLANE_NTUPLE_TEXT_H

#include <leat/ntuple.h>

/* A filter's expression, in the text that it was read from; len 0: the rule has none. */
struct ntuple_expression {
	const char *at;
	size_t len;
};

/* Read a rule, all but its location and filter. 0; or -EINVAL with what is wrong in err. */
int ntuple_read(const char *text, struct leat_ntuple_rule *rule,
		struct ntuple_expression *expression, char *err, size_t err_len);

/* Write a rule, so that it reads back as the same; `expression` is its filter's, NULL if it has
 * none. What has no room is left out. */
void ntuple_write(const struct leat_ntuple_rule *rule, const char *expression, char *text,
		  size_t size);

#endif
