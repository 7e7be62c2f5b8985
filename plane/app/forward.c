/* SPDX-License-Identifier: MIT */
/*
 * forward: what a port receives leaves from the port it is joined to.
 */
#include "../plane.h"
#include "../xmit.h"

#include <errno.h>
#include <stdio.h>

static int open_forward(struct plane *plane, const char *args, char *err, size_t err_len)
{
	(void)plane;
	if (args && *args) {
		snprintf(err, err_len, "app forward: takes no options, got '%s'", args);
		return -EINVAL;
	}
	return 0;
}

static void drop(struct worker *w, struct leat_pkt **pkts, unsigned n)
{
	stat_add(&w->stats.no_route, n);
	pool_give(&w->pool, pkts, n);
}

/* Packets from one port. */
static void process(struct worker *w, const struct conf *c, struct leat_pkt **pkts, unsigned n)
{
	int to = w->plane->joined[pkts[0]->port];

	if (to < 0)
		drop(w, pkts, n);
	else
		xmit(w, c, &w->plane->port[to], pkts, n);
}

/* Runs of packets from the same port. */
static void process_runs(struct worker *w, const struct conf *c, struct leat_pkt **pkts, unsigned n)
{
	for (unsigned i = 0, j; i < n; i = j) {
		for (j = i + 1; j < n && j - i < PORT_BATCH && pkts[j]->port == pkts[i]->port; j++)
			;
		process(w, c, pkts + i, j - i);
	}
}

const struct app_ops app_forward = {
	.name = "forward",
	.help = "forward            from each port to the one it is joined to (--join)\n",
	.open = open_forward,
	.process = process_runs,
};
