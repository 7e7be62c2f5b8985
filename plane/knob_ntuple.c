/* SPDX-License-Identifier: MIT */
/*
 * PORT/ntuple/LOCATION: the rules that choose a receive queue before RSS does, in the words of
 * ethtool -N. Setting "" or "delete" takes one away; ntuple/any is the location behind the last.
 */
#include "knob_at.h"

#include "ntuple_text.h"
#include "port/filter.h"
#include "rxfh.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { WHY_MAX = 512 };

void knob_read_rule(const struct knob_at *at, char *text, size_t size)
{
	const struct leat_ntuple_rule *rule = rxfh_rule(at->port_conf->rxfh, at->n);

	*text = 0;
	if (rule && rule->location == at->n)
		ntuple_write(rule, rule->filter ? filter_text(rule->arg) : NULL, text, size);
}

static int complain_errno(const struct knob_at *at, int err)
{
	return knob_complain(at, err, "%s", strerror(-err));
}

static int complain_rule(const struct knob_at *at, int err, const struct leat_ntuple_rule *rule)
{
	unsigned queues = at->port->rxqs;

	switch (err) {
	case -ENOENT:
		return knob_complain(at, err, "there is no context %u", (unsigned)rule->context);
	case -ERANGE:
		return knob_complain(at, -EINVAL, "queue %u: there are %u, from 0",
				     (unsigned)rule->queue, queues);
	case -E2BIG:
		return knob_complain(at, err,
				     "more than %u pairs of flow type and mask, and filters",
				     LEAT_NTUPLE_GROUPS_MAX);
	default: return complain_errno(at, err);
	}
}

static int put_rule(const struct knob_at *at, const struct leat_ntuple_rule *rule)
{
	struct rxfh *made;
	int err = rxfh_set_rule(at->port_conf->rxfh, rule, &made);

	if (err)
		return complain_rule(at, err, rule);
	conf_set_rxfh(at->port_conf, made);
	return 0;
}

static int delete_rule(const struct knob_at *at)
{
	struct rxfh *made;
	int err = rxfh_del_rule(at->port_conf->rxfh, at->n, &made);

	if (err == -ENOENT)
		return knob_complain(at, err, "there is no such rule");
	if (err)
		return complain_errno(at, err);
	conf_set_rxfh(at->port_conf, made);
	return 0;
}

static int add_rule(const struct knob_at *at, uint32_t location, const char *value)
{
	struct ntuple_expression expression;
	struct leat_ntuple_rule rule;
	struct filter *filter = NULL;
	char why[WHY_MAX];
	int err;

	if (ntuple_read(value, &rule, &expression, why, sizeof(why)))
		return knob_complain(at, -EINVAL, "%s", why);
	rule.location = location;
	if (expression.len) {
		filter = filter_new(expression.at, expression.len, why, sizeof(why));
		if (!filter)
			return knob_complain(at, -EINVAL, "filter %s", why);
		rule.filter = filter_match;
		rule.arg = filter;
	}
	err = put_rule(at, &rule);
	if (filter)
		filter_drop(filter); /* the rule has it */
	return err;
}

int knob_set_rule(const struct knob_at *at, const char *value)
{
	if (!*value || strcmp(value, "delete") == 0)
		return delete_rule(at);
	return add_rule(at, at->n, value);
}

/* The last location, so that after a set it is the new rule's. */
void knob_read_rule_any(const struct knob_at *at, char *text, size_t size)
{
	uint32_t end = rxfh_rules_end(at->port_conf->rxfh);

	*text = 0;
	if (end)
		snprintf(text, size, "%u", end - 1);
}

int knob_set_rule_any(const struct knob_at *at, const char *value)
{
	uint32_t end = rxfh_rules_end(at->port_conf->rxfh);

	if (end == RXFH_LOCATIONS)
		return knob_complain(at, -ENOSPC, "there is a rule at the last location, %u",
				     end - 1);
	return add_rule(at, end, value);
}

void knob_read_ntuple(const struct knob_at *at, char *text, size_t size)
{
	snprintf(text, size, "%s", at->port_conf->rxfh->ntuple ? "on" : "off");
}

int knob_set_ntuple(const struct knob_at *at, const char *value)
{
	struct rxfh *made;
	bool on;
	int err = knob_switch(at, value, &on);

	if (err)
		return err;
	err = rxfh_set_ntuple(at->port_conf->rxfh, on, &made);
	if (err)
		return complain_errno(at, err);
	conf_set_rxfh(at->port_conf, made);
	return 0;
}
