/* SPDX-License-Identifier: MIT */
/*
 * leat bench - what each thing costs, side by side with others who do the same.
 */
#include "bench.h"

#include "../args.h"
#include "../main.h"
#include "measure.h"
#include "plot.h"
#include "report.h"

#include <fnmatch.h>
#include <leat/ops.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MEGABYTES = 256, CASE_MS = 1000, POINT_MS = 200 };

const struct subject *const bench_subjects[] = {
	&subject_gro,	&subject_gso,	&subject_tunnel, &subject_hash,	   &subject_csum,
	&subject_steer, &subject_rules, &subject_hop,	 &subject_capture, NULL};

struct bench_args {
	struct bench bench;
	const char *cases, *peer, *plot;
	unsigned long megabytes, milliseconds; /* 0: the usual time */
	bool json, list;
};

void *bench_alloc(size_t size)
{
	void *p = aligned_alloc(64, (size + 63) / 64 * 64);

	if (!p) {
		fprintf(stderr, "leat bench: no memory\n");
		exit(EXIT_WORK);
	}
	return p;
}

void bench_select_best(void *state)
{
	(void)state;
	leat_ops_select(LEAT_ISA_ALL);
}

void bench_select_portable(void *state)
{
	(void)state;
	leat_ops_select(LEAT_ISA_NONE);
}

uint32_t bench_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(*state >> 32);
}

/* --- options --- */

static int take_case(void *to, char *value, char *err, size_t err_len)
{
	(void)err;
	(void)err_len;
	((struct bench_args *)to)->cases = value;
	return 0;
}

static int take_peer(void *to, char *value, char *err, size_t err_len)
{
	(void)err;
	(void)err_len;
	((struct bench_args *)to)->peer = value;
	return 0;
}

static int take_plot(void *to, char *value, char *err, size_t err_len)
{
	(void)err;
	(void)err_len;
	((struct bench_args *)to)->plot = value;
	return 0;
}

static int take_size(void *to, char *value, char *err, size_t err_len)
{
	return args_number(value, 1, 1 << 20, &((struct bench_args *)to)->megabytes, err, err_len);
}

static int take_directory(void *to, char *value, char *err, size_t err_len)
{
	(void)err;
	(void)err_len;
	((struct bench_args *)to)->bench.directory = value;
	return 0;
}

static int take_time(void *to, char *value, char *err, size_t err_len)
{
	return args_number(value, 1, 1000000, &((struct bench_args *)to)->milliseconds, err,
			   err_len);
}

static int take_quick(void *to, char *value, char *err, size_t err_len)
{
	(void)value;
	(void)err;
	(void)err_len;
	((struct bench_args *)to)->bench.quick = true;
	return 0;
}

static int take_json(void *to, char *value, char *err, size_t err_len)
{
	(void)value;
	(void)err;
	(void)err_len;
	((struct bench_args *)to)->json = true;
	return 0;
}

static int take_list(void *to, char *value, char *err, size_t err_len)
{
	(void)value;
	(void)err;
	(void)err_len;
	((struct bench_args *)to)->list = true;
	return 0;
}

static const struct args_option options[] = {
	{"case", 'c', "PATTERN", "these cases, or plots, alone, as 'gro*'", take_case},
	{"list", 'l', NULL, "say what cases, or plots, there are, and measure nothing", take_list},
	{"peer", 0, "NAME", "measure against it: a file, or none (dpdk)", take_peer},
	{"time", 't', "MS", "about so long for each case (1000), or place in a plot (200)",
	 take_time},
	{"size", 0, "MB", "of the capture to be segmented (256)", take_size},
	{"directory", 'd', "DIR", "where captures are written (TMPDIR, or /tmp)", take_directory},
	{"plot", 0, "DIR", "write plots (SVG) there, instead of the table", take_plot},
	{"quick", 0, NULL, "smallest sizes: that it works, not how fast", take_quick},
	{"json", 'j', NULL, "print JSON", take_json},
	{0},
};

static void print_more(void)
{
	printf("\nExit status: 0, also if a target is missed; 1 if the two sides' outputs differ.\n");
}

static const struct args_command command = {
	.name = "bench",
	.operands = "",
	.about = "Measure what each thing costs, in turns with a peer that does the same with the "
		 "same bytes.",
	.options = options,
	.more = print_more,
};

/* --- running --- */

static void show_progress(const char *what)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%-60s\r", what);
}

static void drop(struct work *work)
{
	if (work->drop)
		work->drop(work->state);
}

static const char *name_against(const struct bench *b, const struct bench_case *c)
{
	if (c->against)
		return c->against;
	return b->peer ? b->peer->name : NULL;
}

/* 0, or -1 if the outputs differ. */
static int run_case(const struct bench_args *args, const struct bench_case *c, struct report *r)
{
	const struct bench *b = &args->bench;
	uint64_t ms = args->milliseconds ? args->milliseconds : CASE_MS;
	struct measure_conf conf = {1000000, 5, 512, ms * 1000000};
	struct report_row row = {.of = c, .against = name_against(b, c)};
	struct work ours = {0}, theirs = {0};
	char err[256];

	if (b->quick)
		conf = (struct measure_conf){1, 3, 3, 0};
	show_progress(c->name);
	leat_ops_select(LEAT_ISA_ALL);
	if (c->make(b, c, &ours, &theirs, &row.why) == 0) {
		if (measure_compare(&ours, &theirs, err, sizeof(err)))
			row.wrong = err;
		else
			measure(&ours, &theirs, &conf, &row.figure);
	}
	show_progress("");
	if (!theirs.run)
		row.against = NULL;
	report_row(r, &row);
	drop(&theirs);
	drop(&ours);
	return row.wrong ? -1 : 0;
}

/* Each case that was asked for; -1 if one of them gave that. */
static int for_cases(const struct bench_args *args,
		     int (*with)(const struct bench_args *, const struct bench_case *,
				 struct report *),
		     struct report *r)
{
	int e = 0;

	for (unsigned s = 0; bench_subjects[s]; s++) {
		for (unsigned i = 0; i < bench_subjects[s]->n; i++) {
			const struct bench_case *c = &bench_subjects[s]->cases[i];

			if (!args->cases || fnmatch(args->cases, c->name, 0) == 0)
				e |= with(args, c, r);
		}
	}
	return e;
}

static int print_name(const struct bench_args *args, const struct bench_case *c, struct report *r)
{
	(void)args;
	(void)r;
	printf("%s\n", c->name);
	return 0;
}

static int count_case(const struct bench_args *args, const struct bench_case *c, struct report *r)
{
	(void)args;
	(void)c;
	(void)r;
	return -1;
}

/* Whether there is what was asked for. */
static bool is_any(const struct bench_args *args)
{
	return args->plot ? plot_list(args->cases, NULL) > 0 :
			    for_cases(args, count_case, NULL) != 0;
}

static void list(const struct bench_args *args)
{
	if (args->plot)
		plot_list(args->cases, stdout);
	else
		for_cases(args, print_name, NULL);
}

/* Whether there is the directory now, and may be written to. */
static bool have_directory(const char *path)
{
	struct stat st;

	if (mkdir(path, 0777) == 0)
		return true;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode) && access(path, W_OK | X_OK) == 0;
}

static int plot(const struct bench_args *args)
{
	return plot_all(&args->bench, args->plot, args->cases,
			args->milliseconds ? args->milliseconds : POINT_MS);
}

static int run_cases(const struct bench_args *args, struct report *r)
{
	int e;

	report_begin(r, args->json);
	e = for_cases(args, run_case, r);
	report_end(r);
	return e;
}

static void find_cpus(const cpu_set_t *set, int *cpu)
{
	unsigned n = 0;

	cpu[1] = -1;
	for (int i = 0; i < CPU_SETSIZE && n < 2; i++) {
		if (CPU_ISSET(i, set))
			cpu[n++] = i;
	}
}

/* The usual peer may be missing; one that was asked for may not. It may pin this thread, which it
 * then is no more. */
static int open_peer(struct bench_args *args, struct report *r, char *err, size_t err_len)
{
	cpu_set_t set;
	bool missing;

	sched_getaffinity(0, sizeof(set), &set);
	find_cpus(&set, args->bench.cpu);

	r->without = "none";
	if (args->peer && strcmp(args->peer, "none") == 0)
		return 0;
	args->bench.peer = peer_open(args->peer ? args->peer : "dpdk", &missing, err, err_len);
	sched_setaffinity(0, sizeof(set), &set);
	if (args->bench.peer)
		r->peer = args->bench.peer->name;
	else
		r->without = "none (DPDK was not there when leat was built)";
	return args->bench.peer || (missing && !args->peer) ? 0 : -1;
}

int bench_main(int argc, char **argv)
{
	struct bench_args args = {.megabytes = MEGABYTES};
	struct report report = {0};
	int code, at = args_parse(&command, argc, argv, &args, &code), e;
	char err[512];

	if (at < 0)
		return code;
	if (at < argc)
		return args_wrong(&command, "'%s' is too much", argv[at]);
	if (!is_any(&args))
		return args_wrong(&command, "no %s is called '%s'", args.plot ? "plot" : "case",
				  args.cases);
	if (args.list) {
		list(&args);
		return args_finish(EXIT_OK);
	}
	if (args.plot && !have_directory(args.plot))
		return args_wrong(&command, "--plot: '%s' is not a directory to write to",
				  args.plot);
	args.bench.capture_size = (uint64_t)args.megabytes * 1000000;
	if (!args.bench.directory)
		args.bench.directory = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
	if (open_peer(&args, &report, err, sizeof(err))) {
		fprintf(stderr, "leat bench: peer %s\n", err);
		return EXIT_WORK;
	}
	e = args.plot ? plot(&args) : run_cases(&args, &report);
	return args_finish(e ? EXIT_WORK : EXIT_OK);
}
