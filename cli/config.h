/* SPDX-License-Identifier: MIT */
/*
 * config.h - what leat run was asked for: on the command line, and in a file.
 *
 * The file (--config) holds the same options, one per line and without the dashes: "NAME",
 * "NAME VALUE" or "NAME=VALUE"; # begins a comment at the begin of a line or behind a blank.
 */
#ifndef CLI_CONFIG_H
#define CLI_CONFIG_H

#include "args.h"

#include "plane/cpulist.h"
#include "plane/plane.h"

enum {
	CONFIG_JOINS_MAX = PLANE_PORTS_MAX,
	CONFIG_SETTINGS_MAX = 256,
};

struct config {
	struct port_args port[PLANE_PORTS_MAX];
	unsigned ports;
	unsigned join[CONFIG_JOINS_MAX][2]; /* indexes of ports */
	char *join_name[CONFIG_JOINS_MAX][2];
	unsigned joins;
	char *knob[CONFIG_SETTINGS_MAX], *value[CONFIG_SETTINGS_MAX];
	unsigned settings;
	const char *app, *app_args; /* NULL: the default, none */
	uint16_t cpu[LEAT_CPUS_MAX];
	unsigned cpus;
	uint64_t duration, interval; /* ns; 0: endless, never */
	bool json;
	const char *control; /* NULL: none */
	char *text;	     /* of the file, to be freed */
};

/* Take the command line; EXIT_OK, or -1: finished, with the exit code in *code. */
int config_parse(struct config *config, int argc, char **argv, int *code);

#endif
