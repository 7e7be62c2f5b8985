/* SPDX-License-Identifier: MIT */
#include "main.h"

#include "args.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct subcommand {
	const char *name, *about;
	int (*main)(int argc, char **argv);
} subcommands[] = {
	{"run", "move packets between ports", run_main},
	{"segment", "cut a capture's super-packets into wire-sized frames", segment_main},
	{"coalesce", "merge a capture's frames into super-packets", coalesce_main},
	{"steer", "say which queue and CPU flows go to, and how evenly", steer_main},
	{"get", "read knobs of a running plane", get_main},
	{"set", "set knobs of a running plane", set_main},
	{"show", "what a running plane has counted", show_main},
	{"bench", "measure what each thing costs, in turns with a peer", bench_main},
	{"verify", "ask the running kernel whether GRO and GSO are right", verify_main},
};

enum { SUBCOMMANDS = sizeof(subcommands) / sizeof(subcommands[0]) };

static void print_help(FILE *to)
{
	fprintf(to, "usage: leat COMMAND [OPTION]...\n\n"
		    "Linux's receive and transmit scaling and segmentation offloads, outside the "
		    "kernel.\n\n");
	for (unsigned i = 0; i < SUBCOMMANDS; i++)
		fprintf(to, "  %-8s %s\n", subcommands[i].name, subcommands[i].about);
	fprintf(to, "\n'leat COMMAND --help' says more, and so does leat(1).\n"
		    "'leat --version' prints the version.\n");
}

/* Without standard descriptors the first files opened would take their places, and messages
 * would go into them. */
static void fill_descriptors(void)
{
	int fd = open("/dev/null", O_RDWR);

	while (fd >= 0 && fd <= STDERR_FILENO)
		fd = open("/dev/null", O_RDWR);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	fill_descriptors();
	for (unsigned i = 0; i < SUBCOMMANDS; i++) {
		if (strcmp(name, subcommands[i].name) == 0)
			return subcommands[i].main(argc - 1, argv + 1);
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
		print_help(stdout);
		return args_finish(EXIT_OK);
	}
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
		printf("leat %s\n", LEAT_VERSION);
		return args_finish(EXIT_OK);
	}
	if (*name)
		fprintf(stderr, "leat: no command '%s'\n", name);
	print_help(stderr);
	return EXIT_USAGE;
}
