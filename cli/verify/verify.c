/* SPDX-License-Identifier: MIT */
/*
 * leat verify - the running kernel as referee.
 *
 * Random super-packets are cut by the kernel's GSO and by the library's, random trains merged by
 * the kernel's GRO and by the library's, and the answers compared byte for byte.
 */
#include "../args.h"
#include "../main.h"
#include "judge.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	CASES = 1000,
	CASES_FOR_ALL = 1000, /* with so many every reason is to be reached */
};

struct verify_args {
	struct report report;
	const char *types;
	uint64_t first; /* the first case */
	bool has_seed, one;
};

/* A first signal ends the questions, not the report. */
static volatile sig_atomic_t ended;

static void take_signal(int number)
{
	ended = number;
}

static void take_signals(void)
{
	const struct sigaction take = {.sa_handler = take_signal, .sa_flags = (int)SA_RESETHAND};

	sigaction(SIGINT, &take, NULL);
	sigaction(SIGTERM, &take, NULL);
}

static int take_number(const char *text, uint64_t *n, char *err, size_t err_len)
{
	char *end;

	errno = 0;
	*n = strtoull(text, &end, 0);
	if (!errno && end > text && !*end && *text != '-')
		return 0;
	snprintf(err, err_len, "'%s' is not a number", text);
	return -1;
}

static int take_seed(void *to, char *value, char *err, size_t err_len)
{
	struct verify_args *args = to;

	args->has_seed = true;
	return take_number(value, &args->report.seed, err, err_len);
}

static int take_cases(void *to, char *value, char *err, size_t err_len)
{
	struct verify_args *args = to;

	if (take_number(value, &args->report.cases, err, err_len))
		return -1;
	if (args->report.cases > 0 && args->report.cases < (uint64_t)1 << 40)
		return 0;
	snprintf(err, err_len, "'%s' is not a number of cases", value);
	return -1;
}

static int take_case(void *to, char *value, char *err, size_t err_len)
{
	struct verify_args *args = to;

	args->one = true;
	return take_number(value, &args->first, err, err_len);
}

/* Whether one of the patterns of the list matches. */
static bool is_listed(const char *list, const char *name)
{
	while (list) {
		size_t len = strcspn(list, ",");
		char pattern[64];

		snprintf(pattern, sizeof(pattern), "%.*s", (int)len, list);
		if (fnmatch(pattern, name, 0) == 0)
			return true;
		list = list[len] ? list + len + 1 : NULL;
	}
	return false;
}

static int take_types(void *to, char *value, char *err, size_t err_len)
{
	struct verify_args *args = to;

	args->types = value;
	for (unsigned i = 0; i < types_n; i++) {
		if (is_listed(value, types[i].name))
			return 0;
	}
	snprintf(err, err_len, "no type is called '%s'", value);
	return -1;
}

static int take_json(void *to, char *value, char *err, size_t err_len)
{
	(void)value;
	(void)err;
	(void)err_len;
	((struct verify_args *)to)->report.json = true;
	return 0;
}

static const struct args_option options[] = {
	{"cases", 'n', "N", "questions of each type (1000)", take_cases},
	{"type", 't', "LIST", "these types alone; patterns as gro-*,gso-tcp4", take_types},
	{"seed", 's', "N", "make the questions from this number (random)", take_seed},
	{"case", 0, "N", "this question of each type alone", take_case},
	{"json", 'j', NULL, "print JSON", take_json},
	{0},
};

static void print_types(void)
{
	printf("\ntypes:\n");
	for (unsigned i = 0; i < types_n; i++)
		printf("  %s\n", types[i].name);
	printf("\nNeeds root, or a user namespace and /dev/net/tun. Exit status: 0 all identical "
	       "but for named\nexclusions, 1 not, 77 not possible here.\n");
}

static const struct args_command command = {
	.name = "verify",
	.operands = "",
	.about = "Ask the running kernel: random super-packets and segment trains through its GSO "
		 "and GRO,\nits answers compared byte for byte with ours.",
	.options = options,
	.more = print_types,
};

static void show_progress(const struct row *row, uint64_t done, uint64_t of)
{
	static time_t last;
	time_t now = time(NULL);

	if (!isatty(STDERR_FILENO) || now == last)
		return;
	last = now;
	fprintf(stderr, "\r%-22s %10" PRIu64 " of %" PRIu64 "\r", row->type->name, done, of);
}

static int run_row(struct judge *judge, const struct verify_args *args, struct row *row)
{
	row->lacks = ended ? NULL : judge_lacks(judge, row->type);
	if (row->lacks)
		return 0;
	for (uint64_t i = 0; i < args->report.cases && !ended; i++) {
		int e = judge_case(judge, row, args->report.seed, args->first + i);

		if (e) {
			fprintf(stderr,
				"leat verify: %s, case %" PRIu64 ": no answer from the kernel\n",
				row->type->name, args->first + i);
			return e;
		}
		show_progress(row, i, args->report.cases);
	}
	return 0;
}

static int run_rows(struct judge *judge, struct verify_args *args)
{
	int e = 0;

	report_head(&args->report, stdout);
	for (unsigned i = 0; i < types_n; i++) {
		struct row *row = &args->report.row[args->report.rows];

		if (args->types && !is_listed(args->types, types[i].name))
			continue;
		args->report.rows++;
		row->type = &types[i];
		if (run_row(judge, args, row))
			e = -EIO;
		if (isatty(STDERR_FILENO))
			fprintf(stderr, "\r%60s\r", "");
		report_known(&args->report, row, stdout);
	}
	report_rest(&args->report, stdout);
	return e;
}

/* Whether anything was different, or not reached that should have been. */
static bool is_wrong(const struct report *report)
{
	bool wrong = report->cases >= CASES_FOR_ALL && report_unreached(report) != 0;

	for (unsigned i = 0; i < report->rows; i++)
		wrong = wrong || report->row[i].different > 0;
	return wrong;
}

int verify_main(int argc, char **argv)
{
	struct verify_args args = {.report = {.cases = CASES}};
	static struct judge judge;
	char err[256] = "";
	int code = EXIT_WORK;
	int operands = args_parse(&command, argc, argv, &args, &code);

	if (operands < 0)
		return code;
	if (operands < argc)
		return args_wrong(&command, "'%s' is too much", argv[operands]);
	if (!args.has_seed)
		args.report.seed = (uint64_t)time(NULL) << 16 ^ (uint64_t)getpid();
	if (args.one)
		args.report.cases = 1;
	args.report.row = calloc(types_n, sizeof(*args.report.row));
	if (!args.report.row || judge_open(&judge, &code, err, sizeof(err))) {
		fprintf(stderr, "leat verify: %s\n", err);
		free(args.report.row);
		return code;
	}
	take_signals();
	if (run_rows(&judge, &args) || ended)
		code = EXIT_WORK;
	else
		code = is_wrong(&args.report) ? EXIT_WORK : EXIT_OK;
	if (ended)
		fprintf(stderr, "leat verify: ended by a signal, not all was asked\n");
	for (unsigned i = 0; i < args.report.rows; i++)
		free(args.report.row[i].first);
	free(args.report.row);
	judge_close(&judge);
	return args_finish(code);
}
