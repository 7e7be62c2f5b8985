/* SPDX-License-Identifier: MIT */
/*
 * args.h - options as a table: it is what the command line, a configuration file and --help are
 * made from.
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include <stddef.h>
#include <stdint.h>

enum exit_code {
	EXIT_OK = 0,
	EXIT_WORK = 1,	  /* the work failed */
	EXIT_USAGE = 2,	  /* what was asked for makes no sense */
	EXIT_CANNOT = 77, /* not possible here: no privilege */
};

struct args_option {
	const char *name;
	char letter; /* 0: none */
	const char
		*value; /* how --help calls its value, "[=N]" if it may be left out; NULL: none */
	const char *help;

	/* Take the value, which stays valid and may be written to; NULL if there is none. 0, or -1
	 * with a message. */
	int (*take)(void *to, char *value, char *err, size_t err_len);
};

struct args_command {
	const char *name;
	const char *operands; /* how --help calls them, or "" */
	const char *about;
	const struct args_option *options; /* up to one without a name */
	void (*more)(void);		   /* prints the rest of --help; may be NULL */
};

/* Take the options of argv; gives the index of the first operand, or -1: finished, with the exit
 * code in *code (help was printed, or what is wrong). */
int args_parse(const struct args_command *command, int argc, char **argv, void *to, int *code);

/* Take the option `name`; value is NULL if there was none. 0, or -1 with a message. */
int args_take(const struct args_option *options, const char *name, char *value, void *to, char *err,
	      size_t err_len);

/* Say on stderr what is wrong with how the command was called; gives EXIT_USAGE. */
int args_wrong(const struct args_command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* `code`, unless what was printed could not be written: then EXIT_WORK, and says so. */
int args_finish(int code);

/* "10s", "500ms", "2m": ns, above 0. A number alone is seconds. 0, or -1 with a message. */
int args_duration(const char *text, uint64_t *ns, char *err, size_t err_len);

/* A decimal number from min to max. 0, or -1 with a message. */
int args_number(const char *text, unsigned long min, unsigned long max, unsigned long *value,
		char *err, size_t err_len);

#endif
