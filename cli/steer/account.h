/* SPDX-License-Identifier: MIT */
/*
 * account.h - what leat steer says: as text, as JSON, as a picture.
 */
#ifndef CLI_STEER_ACCOUNT_H
#define CLI_STEER_ACCOUNT_H

#include "better.h"
#include "verdict.h"

#include <jansson.h>
#include <stdio.h>

struct account {
	const char *name; /* of the capture, as account_name() gives it */
	const struct card *card;
	const struct tally *tally;
	const struct verdict *verdict;
	const struct better *better; /* NULL: was not asked for */
	const struct flow **largest; /* all flows, by bytes */
	uint64_t snapped;	     /* frames that a snaplen has cut */
	unsigned shown;		     /* how many flows are listed */
};

/* A file's name as UTF-8 that JSON and XML take: what is none becomes U+FFFD. The caller's to free;
 * NULL without memory. */
char *account_name(const char *file);

/* Sort the flows: fills account->largest, which is the caller's to free. 0 or -ENOMEM. */
int account_sort(struct account *account);

void account_print(const struct account *account);

json_t *account_json(const struct account *account);

/* A drawing of flows, queues and CPUs, SVG 1.1. 0 or -ENOMEM. */
int account_draw(const struct account *account, FILE *to);

/* A flow alone: what the card does with it. */
void account_print_flow(const struct card *card, const struct flow *flow);
json_t *account_json_flow(const struct card *card, const struct flow *flow);

/* "tcp 192.0.2.1:1000 > 198.51.100.2:80", or what it is if it is no flow of IP. */
enum { ACCOUNT_FLOW_MAX = 144 };
void account_flow_text(char text[ACCOUNT_FLOW_MAX], const struct flow *flow);

/* What is wrong with a key by its linear algebra, in sentences; gives how many. */
enum { ACCOUNT_FAULTS = 6, ACCOUNT_FAULT_MAX = 128 };
unsigned account_faults(const struct key_quality *quality, char text[][ACCOUNT_FAULT_MAX]);

/* Whether a transform and the key, each of them no fault, cancel each other out: too few hashes are
 * left for the table. With what to say of it. */
bool account_collapse(const struct leat_rss *rss, const struct key_quality *quality,
		      char text[ACCOUNT_FAULT_MAX]);

#endif
