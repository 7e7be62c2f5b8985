/* SPDX-License-Identifier: MIT */
#include "args.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS_MAX = 24, HELP = 256 };

static void print_help(const struct args_command *command)
{
	printf("usage: leat %s [OPTION]...%s%s\n\n%s\n\n", command->name,
	       *command->operands ? " " : "", command->operands, command->about);
	for (const struct args_option *o = command->options; o->name; o++) {
		char left[64];

		snprintf(left, sizeof(left), "--%s%s%s", o->name,
			 o->value && *o->value != '[' ? " " : "", o->value ? o->value : "");
		printf("  %c%c%s %-28s %s\n", o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
		       o->letter ? "," : " ", left, o->help);
	}
	printf("  -h, %-28s %s\n", "--help", "this");
	if (command->more)
		command->more();
}

static int has_arg(const struct args_option *o)
{
	if (!o->value)
		return no_argument;
	return *o->value == '[' ? optional_argument : required_argument;
}

/* getopt's two forms of the table; long options have their index as value. */
static void fill(const struct args_option *options, struct option *long_options, char *letters)
{
	unsigned i = 0;

	*letters++ = ':';
	for (; options[i].name; i++) {
		long_options[i] = (struct option){
			.name = options[i].name,
			.has_arg = has_arg(&options[i]),
			.val = HELP + 1 + (int)i,
		};
		if (options[i].letter)
			*letters++ = options[i].letter;
		if (options[i].letter) /* a colon for a value, two for one that may be left out */
			for (int colons = has_arg(&options[i]); colons > 0; colons--)
				*letters++ = ':';
	}
	long_options[i++] = (struct option){.name = "help", .val = HELP};
	long_options[i] = (struct option){0};
	*letters++ = 'h';
	*letters = 0;
}

static const struct args_option *find_letter(const struct args_option *options, int letter)
{
	while (options->name && options->letter != letter)
		options++;
	return options->name ? options : NULL;
}

static int take(const struct args_command *command, int got, char **argv, void *to)
{
	const struct args_option *o =
		got > HELP ? &command->options[got - HELP - 1] : find_letter(command->options, got);
	char err[512];

	if (got == ':')
		return args_wrong(command, "%s wants a value", argv[optind - 1]);
	if (!o)
		return args_wrong(command, "no option '%s'", argv[optind - 1]);
	if (o->take(to, optarg, err, sizeof(err)))
		return args_wrong(command, "--%s: %s", o->name, err);
	return EXIT_OK;
}

int args_parse(const struct args_command *command, int argc, char **argv, void *to, int *code)
{
	struct option long_options[OPTIONS_MAX + 2];
	char letters[3 * OPTIONS_MAX + 3];
	int got;

	fill(command->options, long_options, letters);
	opterr = 0;
	optind = 1;
	while ((got = getopt_long(argc, argv, letters, long_options, NULL)) != -1) {
		if (got == 'h' || got == HELP) {
			print_help(command);
			*code = args_finish(EXIT_OK);
			return -1;
		}
		*code = take(command, got, argv, to);
		if (*code)
			return -1;
	}
	return optind;
}

int args_take(const struct args_option *options, const char *name, char *value, void *to, char *err,
	      size_t err_len)
{
	while (options->name && strcmp(options->name, name) != 0)
		options++;
	if (!options->name)
		snprintf(err, err_len, "no option '%s'", name);
	else if (!options->value != !value && has_arg(options) != optional_argument)
		snprintf(err, err_len, "%s %s", name, value ? "has no value" : "wants a value");
	else
		return options->take(to, value, err, err_len);
	return -1;
}

int args_wrong(const struct args_command *command, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "leat %s: ", command->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, " ('leat %s --help' says more)\n", command->name);
	return EXIT_USAGE;
}

int args_finish(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	if (errno != EPIPE)
		fprintf(stderr, "leat: standard output: %s\n", strerror(errno));
	return code == EXIT_OK ? EXIT_WORK : code;
}

int args_duration(const char *text, uint64_t *ns, char *err, size_t err_len)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = {{"", 1e9}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"m", 60e9}, {"h", 3600e9}};
	double n;
	char *end;

	n = strtod(text, &end);
	for (size_t i = 0; end > text && i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].name) == 0 && n * units[i].ns >= 1 &&
		    n * units[i].ns < 1e18) {
			*ns = (uint64_t)(n * units[i].ns);
			return 0;
		}
	}
	snprintf(err, err_len, "'%s' is not a time as 10s, 500ms or 2m", text);
	return -1;
}

int args_number(const char *text, unsigned long min, unsigned long max, unsigned long *value,
		char *err, size_t err_len)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && !errno && n >= min && n <= max) {
		*value = n;
		return 0;
	}
	snprintf(err, err_len, "'%s' is not a number from %lu to %lu", text, min, max);
	return -1;
}
