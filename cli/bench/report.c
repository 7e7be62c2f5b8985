/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <leat/ops.h>
#include <stdio.h>

static void print_heads(void)
{
	printf("%-38s %11s %11s  %6s %15s  %8s  %s\n", "case", "ours, ns", "peer, ns", "ratio",
	       "(quartiles)", "target", "per, against");
}

static void print_variants(void)
{
	printf("variants:");
	for (unsigned op = 0; op < LEAT_OPS; op++)
		printf(" %s %s%s", leat_ops_name(op), leat_ops_variant(op),
		       op + 1 < LEAT_OPS ? "," : "\n\n");
}

void report_begin(struct report *r, bool json)
{
	machine_look(&r->machine);
	r->rows = json ? json_array() : NULL;
	if (json)
		return;
	printf("%s, %u CPUs: %s\n", r->machine.cpu, r->machine.cpus, r->machine.features);
	printf("peer: %s\n", r->peer ? r->peer : r->without);
	print_variants();
	print_heads();
}

/* Whether the target is reached. */
static bool is_met(const struct report_row *row)
{
	if (row->of->target_ns > 0)
		return row->figure.ours <= row->of->target_ns;
	return row->figure.ratio <= row->of->target;
}

/* Whether there is one, and what it wants to know. */
static bool has_target(const struct report_row *row)
{
	return row->figure.pairs > 0 &&
	       (row->of->target_ns > 0 || (row->of->target > 0 && row->figure.ratio > 0));
}

static void print_target(const struct report_row *row)
{
	char target[16] = "";

	if (row->of->target_ns > 0)
		snprintf(target, sizeof(target), "%.3g ns", row->of->target_ns);
	else if (row->of->target > 0)
		snprintf(target, sizeof(target), "%.2f", row->of->target);
	printf("  %8s%c", target, has_target(row) && !is_met(row) ? '!' : ' ');
}

static void print_row(const struct report_row *row)
{
	const struct figure *f = &row->figure;
	char spread[32] = "";

	printf("%-38s", row->of->name);
	if (f->pairs)
		printf(" %11.1f", f->ours);
	else
		printf(" %11s", "");
	if (f->ratio > 0) {
		snprintf(spread, sizeof(spread), "(%.3g - %.3g)", f->low, f->high);
		printf(" %11.1f  %6.3f %15s", f->theirs, f->ratio, spread);
	} else {
		printf(" %11s  %6s %15s", "", "", "");
	}
	print_target(row);
	printf(" %s", row->of->unit);
	if (row->against)
		printf(", %s", row->against);
	if (row->why)
		printf(" (%s)", row->why);
	if (row->wrong)
		printf("\n  OUTPUTS DIFFER: %s", row->wrong);
	printf("\n");
	fflush(stdout);
}

static json_t *number(bool is, double value)
{
	return is ? json_real(value) : json_null();
}

static void add_row(const struct report *r, const struct report_row *row)
{
	const struct figure *f = &row->figure;
	const struct bench_case *c = row->of;
	bool measured = f->pairs > 0, paired = f->ratio > 0;
	json_t *target = number(c->target > 0 || c->target_ns > 0,
				c->target_ns > 0 ? c->target_ns : c->target);
	json_t *spread = paired ? json_pack("[f, f]", f->low, f->high) : json_null();

	json_array_append_new(
		r->rows,
		json_pack(
			"{s:s, s:s, s:o, s:o, s:o, s:o, s:s?, s:o, s:o, s:o, s:i, s:I, s:I, s:s?, s:s?, "
			"s:s?, s:s, s:i, s:s, s:s?, s:s?}",
			"case", c->name, "unit", c->unit, "ours", number(measured, f->ours), "peer",
			number(paired, f->theirs), "ratio", number(paired, f->ratio), "target",
			target, "target_of",
			c->target_ns > 0 ? "ours" :
			c->target > 0	 ? "ratio" :
					   NULL,
			"met", has_target(row) ? json_boolean(is_met(row)) : json_null(), "spread",
			spread, "ours_spread",
			measured ? json_pack("[f, f]", f->ours_low, f->ours_high) : json_null(),
			"pairs", (int)f->pairs, "operations", (json_int_t)f->operations[0],
			"peer_operations", (json_int_t)f->operations[1], "against", row->against,
			"why", row->why, "wrong", row->wrong, "cpu", r->machine.cpu, "cpus",
			(int)r->machine.cpus, "features", r->machine.features, "peer_found",
			r->peer, "peer_missing", r->peer ? NULL : r->without));
}

void report_row(struct report *r, const struct report_row *row)
{
	if (r->rows)
		add_row(r, row);
	else
		print_row(row);
}

void report_end(struct report *r)
{
	if (r->rows) {
		json_dumpf(r->rows, stdout, JSON_INDENT(2));
		printf("\n");
		json_decref(r->rows);
		return;
	}
	printf("\nA ratio is ours by the peer's: the median of the pairs, which take turns, and its "
	       "quartiles; ns are medians.\n! misses its target. The host took %.0f %% of the time for others.\n",
	       100 * machine_stolen(&r->machine));
}
