/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <inttypes.h>
#include <jansson.h>

static const char *const outcome_names[OUTCOMES] = {
	[OUTCOME_REFUSED] = "refused",
	[OUTCOME_DROPPED] = "dropped",
	[OUTCOME_PASSED] = "passed whole",
	[OUTCOME_SEGMENTED] = "segmented",
};

#define ALL ((1u << WILD_TYPES) - 1)
#define TCP ((1u << WILD_TCP4) | (1u << WILD_TCP6))
#define UDP ((1u << WILD_UDP4) | (1u << WILD_UDP6))
#define ON4 ((1u << WILD_TCP4) | (1u << WILD_UDP4))
#define ON6 ((1u << WILD_TCP6) | (1u << WILD_UDP6))

/* The types, one of which must have been run for a reason to be reachable; 0: it is not, here. */
static const uint32_t reachable_with[LEAT_GRO_REASONS] = {
	[LEAT_GRO_MERGED] = TCP | UDP,	 [LEAT_GRO_HELD] = TCP | UDP,
	[LEAT_GRO_NOT_PARSED] = ALL,	 [LEAT_GRO_IP_OPTIONS] = ON4,
	[LEAT_GRO_IP_FRAGMENT] = ON4,	 [LEAT_GRO_IP_CSUM] = ON4,
	[LEAT_GRO_LENGTH] = TCP | UDP,	 [LEAT_GRO_NO_PAYLOAD] = TCP,
	[LEAT_GRO_TCP_FLAGS] = TCP,	 [LEAT_GRO_L4_CSUM] = TCP | UDP,
	[LEAT_GRO_UDP_ZERO_CSUM] = UDP,	 [LEAT_GRO_PSH_FIRST] = TCP,
	[LEAT_GRO_LINK] = TCP | UDP,	 [LEAT_GRO_TOS] = TCP | UDP,
	[LEAT_GRO_TTL] = TCP | UDP,	 [LEAT_GRO_DF] = ON4,
	[LEAT_GRO_IP_ID] = ON4,		 [LEAT_GRO_FLOW_LABEL] = ON6,
	[LEAT_GRO_EXTENSIONS] = ON6,	 [LEAT_GRO_TCP_WORD] = TCP,
	[LEAT_GRO_TCP_ACK] = TCP,	 [LEAT_GRO_TCP_OPTIONS] = TCP,
	[LEAT_GRO_TCP_SEQ] = TCP,	 [LEAT_GRO_SIZE] = TCP | UDP,
	[LEAT_GRO_MAX_SIZE] = TCP | UDP, [LEAT_GRO_END_SMALL] = TCP | UDP,
	[LEAT_GRO_END_FLAGS] = TCP,	 [LEAT_GRO_END_PASS] = TCP | UDP,
	[LEAT_GRO_EVICTED] = TCP | UDP,	 [LEAT_GRO_TIMEOUT] = TCP | UDP,
};

uint64_t report_unreached(const struct report *report)
{
	uint64_t count[LEAT_GRO_REASONS] = {0}, unreached = 0;
	uint32_t run = 0;

	for (unsigned i = 0; i < report->rows; i++) {
		const struct row *row = &report->row[i];

		if (row->type->mode != TYPE_GRO || row->lacks)
			continue;
		run |= row->type->types;
		for (unsigned r = 0; r < LEAT_GRO_REASONS; r++)
			count[r] += row->reason[r];
	}
	for (unsigned r = 0; r < LEAT_GRO_REASONS; r++) {
		if (count[r] == 0 && (reachable_with[r] & run))
			unreached |= (uint64_t)1 << r;
	}
	return unreached;
}

static void print_row(const struct row *row, FILE *to)
{
	const char *between = "  ";

	if (row->lacks) {
		fprintf(to, "%-22s %9s %9s %9s  %s\n", row->type->name, "-", "-", "-", row->lacks);
		return;
	}
	fprintf(to, "%-22s %9" PRIu64 " %9" PRIu64 " %9" PRIu64, row->type->name, row->cases,
		row->same, row->different);
	for (unsigned r = 0; r < RULES; r++) {
		if (row->rule[r] > 0) {
			fprintf(to, "%s%s %" PRIu64, between, rule_name(r), row->rule[r]);
			between = ", ";
		}
	}
	fprintf(to, "\n");
}

static void print_rules(const struct report *report, FILE *to)
{
	for (unsigned r = 0; r < RULES; r++) {
		uint64_t n = 0;

		for (unsigned i = 0; i < report->rows; i++)
			n += report->row[i].rule[r];
		if (n > 0)
			fprintf(to, "%-12s %s\n", rule_name(r), rule_about(r));
	}
}

static void print_reached(const struct report *report, FILE *to)
{
	uint64_t unreached = report_unreached(report);

	fprintf(to, "\n%-32s %12s\n", "what GRO did, and why", "times");
	for (unsigned r = 0; r < LEAT_GRO_REASONS; r++) {
		uint64_t n = 0;

		for (unsigned i = 0; i < report->rows; i++)
			n += report->row[i].reason[r];
		if (n > 0 || (unreached & (uint64_t)1 << r))
			fprintf(to, "%-32s %12" PRIu64 "%s\n", leat_gro_reason_name(r), n,
				unreached & (uint64_t)1 << r ? "  never reached" : "");
	}
	fprintf(to, "\n%-32s %12s\n", "what became of super-packets", "times");
	for (unsigned o = 0; o < OUTCOMES; o++) {
		uint64_t n = 0;

		for (unsigned i = 0; i < report->rows; i++)
			n += report->row[i].outcome[o];
		fprintf(to, "%-32s %12" PRIu64 "\n", outcome_names[o], n);
	}
}

static void print_rest(const struct report *report, FILE *to)
{
	fprintf(to, "\n");
	print_rules(report, to);
	print_reached(report, to);
	for (unsigned i = 0; i < report->rows; i++) {
		if (report->row[i].first)
			fprintf(to, "\n%s, the first difference:\n%s", report->row[i].type->name,
				report->row[i].first);
	}
	fprintf(to, "\nseed %" PRIu64 "\n", report->seed);
}

static json_t *counts(const uint64_t *count, unsigned n, const char *(*name)(unsigned))
{
	json_t *object = json_object();

	for (unsigned i = 0; i < n; i++) {
		if (count[i] > 0)
			json_object_set_new(object, name(i), json_integer((json_int_t)count[i]));
	}
	return object;
}

static const char *name_of_rule(unsigned i)
{
	return rule_name(i);
}

static const char *name_of_reason(unsigned i)
{
	return leat_gro_reason_name(i);
}

static const char *name_of_outcome(unsigned i)
{
	return outcome_names[i];
}

static json_t *row_as_json(const struct row *row)
{
	if (row->lacks)
		return json_pack("{s:s, s:s}", "type", row->type->name, "lacks", row->lacks);
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:s?}", "type", row->type->name,
			 "cases", (json_int_t)row->cases, "identical", (json_int_t)row->same,
			 "different", (json_int_t)row->different, "excluded",
			 (json_int_t)row->excluded, "exclusions",
			 counts(row->rule, RULES, name_of_rule), "reasons",
			 counts(row->reason, LEAT_GRO_REASONS, name_of_reason), "outcomes",
			 counts(row->outcome, OUTCOMES, name_of_outcome), "first", row->first);
}

static void print_json(const struct report *report, FILE *to)
{
	json_t *rows = json_array(), *unreached = json_array(), *all;
	uint64_t bits = report_unreached(report);

	for (unsigned i = 0; i < report->rows; i++)
		json_array_append_new(rows, row_as_json(&report->row[i]));
	for (unsigned r = 0; r < LEAT_GRO_REASONS; r++) {
		if (bits & (uint64_t)1 << r)
			json_array_append_new(unreached, json_string(leat_gro_reason_name(r)));
	}
	all = json_pack("{s:I, s:I, s:o, s:o}", "seed", (json_int_t)report->seed, "cases",
			(json_int_t)report->cases, "types", rows, "unreached", unreached);
	json_dumpf(all, to, JSON_INDENT(2));
	fprintf(to, "\n");
	json_decref(all);
}

void report_head(const struct report *report, FILE *to)
{
	if (report->json)
		return;
	fprintf(to, "%-22s %9s %9s %9s  %s\n", "type", "cases", "identical", "different",
		"excluded");
	fflush(to);
}

void report_known(const struct report *report, const struct row *row, FILE *to)
{
	if (report->json)
		return;
	print_row(row, to);
	fflush(to);
}

void report_rest(const struct report *report, FILE *to)
{
	if (report->json)
		print_json(report, to);
	else
		print_rest(report, to);
}
