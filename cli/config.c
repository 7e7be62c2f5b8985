/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 3, 4))) static int refuse(char *err, size_t err_len,
							const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err, err_len, format, args);
	va_end(args);
	return -1;
}

static const struct port_ops *find_kind(const char *kind)
{
	unsigned i = 0;

	while (port_kinds[i] && strcmp(port_kinds[i]->kind, kind) != 0)
		i++;
	return port_kinds[i];
}

static int find_port(const struct config *c, const char *name)
{
	for (unsigned i = 0; i < c->ports; i++) {
		if (strcmp(c->port[i].name, name) == 0)
			return (int)i;
	}
	return -1;
}

/* NAME=KIND[,option=value]... */
static int take_port(void *to, char *text, char *err, size_t err_len)
{
	struct config *c = to;
	struct port_args *port = &c->port[c->ports];
	char *name = strsep(&text, "="), *kind = strsep(&text, ","), *option;

	if (c->ports == PLANE_PORTS_MAX)
		return refuse(err, err_len, "more than %d ports", PLANE_PORTS_MAX);
	if (!kind || !*name)
		return refuse(err, err_len, "'%s' is not NAME=KIND[,OPTION=VALUE]...", name);
	if (find_port(c, name) >= 0)
		return refuse(err, err_len, "%s: two ports of this name", name);
	if (!find_kind(kind))
		return refuse(err, err_len, "%s: no port kind '%s'", name, kind);
	*port = (struct port_args){.name = name, .kind = kind};
	while ((option = strsep(&text, ","))) {
		struct port_option *o = &port->option[port->options++];

		if (port->options == sizeof(port->option) / sizeof(port->option[0]))
			return refuse(err, err_len, "%s: too many options", name);
		o->name = strsep(&option, "=");
		o->value = option;
		if (!option)
			return refuse(err, err_len, "%s: '%s' is not OPTION=VALUE", name, o->name);
	}
	c->ports++;
	return 0;
}

static int take_join(void *to, char *text, char *err, size_t err_len)
{
	struct config *c = to;
	char **names = c->join_name[c->joins];

	if (c->joins == CONFIG_JOINS_MAX)
		return refuse(err, err_len, "more than %d joins", CONFIG_JOINS_MAX);
	names[0] = strsep(&text, ":");
	names[1] = text;
	if (!text)
		return refuse(err, err_len, "'%s' is not A:B", names[0]);
	c->joins++;
	return 0;
}

static int take_app(void *to, char *text, char *err, size_t err_len)
{
	struct config *c = to;

	c->app = strsep(&text, ",");
	c->app_args = text;
	for (unsigned i = 0; app_kinds[i]; i++) {
		if (strcmp(app_kinds[i]->name, c->app) == 0)
			return 0;
	}
	return refuse(err, err_len, "no application '%s'", c->app);
}

/* The CPUs of `set` that this process may run on. */
static int choose_cpus(struct config *c, const struct cpulist *set, char *err, size_t err_len)
{
	cpu_set_t mine;

	if (sched_getaffinity(0, sizeof(mine), &mine))
		return refuse(err, err_len, "%s", strerror(errno));
	c->cpus = 0;
	for (unsigned cpu = 0; cpu < LEAT_CPUS_MAX; cpu++) {
		if (set && cpulist_has(set, cpu) && !CPU_ISSET(cpu, &mine))
			return refuse(err, err_len, "CPU %u: this process may not run there", cpu);
		if (CPU_ISSET(cpu, &mine) && (!set || cpulist_has(set, cpu)))
			c->cpu[c->cpus++] = (uint16_t)cpu;
	}
	return 0;
}

static int take_cpus(void *to, char *text, char *err, size_t err_len)
{
	struct cpulist set;

	if (cpulist_parse(&set, text, LEAT_CPUS_MAX) || cpulist_count(&set) == 0)
		return refuse(err, err_len, "'%s' is not a list of CPUs as 0-3,8", text);
	return choose_cpus(to, &set, err, err_len);
}

static int take_set(void *to, char *text, char *err, size_t err_len)
{
	struct config *c = to;
	char *knob = strsep(&text, "=");

	if (c->settings == CONFIG_SETTINGS_MAX)
		return refuse(err, err_len, "more than %d settings", CONFIG_SETTINGS_MAX);
	if (!text)
		return refuse(err, err_len, "'%s' is not KNOB=VALUE", knob);
	c->knob[c->settings] = knob;
	c->value[c->settings++] = text;
	return 0;
}

static int take_duration(void *to, char *text, char *err, size_t err_len)
{
	return args_duration(text, &((struct config *)to)->duration, err, err_len);
}

static int take_stats(void *to, char *text, char *err, size_t err_len)
{
	return args_duration(text, &((struct config *)to)->interval, err, err_len);
}

static int take_json(void *to, char *text, char *err, size_t err_len)
{
	(void)text, (void)err, (void)err_len;
	((struct config *)to)->json = true;
	return 0;
}

static int take_control(void *to, char *text, char *err, size_t err_len)
{
	(void)err, (void)err_len;
	((struct config *)to)->control = text;
	return 0;
}

static int take_config(void *to, char *path, char *err, size_t err_len);

static const struct args_option options[] = {
	{"port", 'p', "NAME=KIND[,OPT=VAL]", "a port; repeat for more", take_port},
	{"join", 0, "A:B", "join two ports (the first two)", take_join},
	{"app", 'a', "NAME[,OPT=VAL]...", "what is above the path (forward)", take_app},
	{"cpus", 'c', "LIST", "run one worker on each (all this process may use)", take_cpus},
	{"set", 's', "KNOB=VALUE", "set a knob before traffic flows; repeat for more", take_set},
	{"duration", 'd', "TIME", "end after so long, as 10s (endless)", take_duration},
	{"stats", 0, "TIME", "print what was counted, so often (only at the end)", take_stats},
	{"json", 'j', NULL, "print one JSON object per line", take_json},
	{"control", 0, "SOCKET", "serve leat get, set and show there (not served)", take_control},
	{"config", 'f', "FILE", "these options, one per line, without dashes", take_config},
	{0},
};

enum { FILE_MAX = 1 << 20 }; /* bytes */

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = f ? malloc(FILE_MAX) : NULL;
	size_t len = text ? fread(text, 1, FILE_MAX, f) : 0;
	int error = errno;

	if (text && (ferror(f) || len == FILE_MAX || memchr(text, 0, len))) {
		error = ferror(f) ? errno : len == FILE_MAX ? EFBIG : EINVAL;
		free(text);
		text = NULL;
	}
	if (f)
		fclose(f);
	if (text)
		text[len] = 0;
	errno = error;
	return text;
}

static char *trim(char *line)
{
	char *end;

	for (char *c = line; (c = strchr(c, '#')); c++) {
		if (c == line || isspace((unsigned char)c[-1])) {
			*c = 0;
			break;
		}
	}
	while (isspace((unsigned char)*line))
		line++;
	end = line + strlen(line);
	while (end > line && isspace((unsigned char)end[-1]))
		*--end = 0;
	return line;
}

static int take_line(struct config *c, char *line, char *err, size_t err_len)
{
	char *value = line + strcspn(line, "= \t");

	if (!*value)
		return args_take(options, line, NULL, c, err, err_len);
	*value++ = 0;
	value += strspn(value, " \t");
	return args_take(options, line, value, c, err, err_len);
}

/* The options of a file: values stay in its text. */
static int take_config(void *to, char *path, char *err, size_t err_len)
{
	struct config *c = to;
	char *rest, *line, why[512];

	if (c->text)
		return refuse(err, err_len, "one file is read, and it names no other");
	rest = c->text = read_file(path);
	if (!rest)
		return refuse(err, err_len, "%s: %s", path, strerror(errno));
	for (unsigned number = 1; (line = strsep(&rest, "\n")); number++) {
		line = trim(line);
		if (*line && take_line(c, line, why, sizeof(why)))
			return refuse(err, err_len, "%s:%u: %s", path, number, why);
	}
	return 0;
}

static void print_indented(const char *text)
{
	while (*text) {
		int len = (int)strcspn(text, "\n");

		printf("      %.*s\n", len, text);
		text += len + (text[len] != 0);
	}
}

static void print_kinds(void)
{
	printf("\nPort kinds, with their options (and what they are if not given):\n");
	for (unsigned i = 0; port_kinds[i]; i++) {
		printf("  %s\n", port_kinds[i]->kind);
		print_indented(port_kinds[i]->help);
	}
	printf("\nApplications:\n");
	for (unsigned i = 0; app_kinds[i]; i++)
		print_indented(app_kinds[i]->help);
}

static const struct args_command command = {
	"run", "",
	"Move packets between ports, steered and offloaded as knobs say, until a signal, a\n"
	"duration, or the end of what there is to receive.",
	options, print_kinds};

static int resolve_join(struct config *c, unsigned i)
{
	for (unsigned side = 0; side < 2; side++) {
		int port = find_port(c, c->join_name[i][side]);

		if (port < 0)
			return args_wrong(&command, "--join: no port '%s'", c->join_name[i][side]);
		for (unsigned j = 0; j < i; j++) {
			if (c->join[j][0] == (unsigned)port || c->join[j][1] == (unsigned)port)
				return args_wrong(&command, "--join: %s is joined already",
						  c->join_name[i][side]);
		}
		c->join[i][side] = (unsigned)port;
	}
	return EXIT_OK;
}

static int check(struct config *c)
{
	char err[256];

	if (c->ports == 0)
		return args_wrong(&command, "no --port");
	for (unsigned i = 0; i < c->joins; i++) {
		if (resolve_join(c, i))
			return EXIT_USAGE;
	}
	if (c->joins == 0 && c->ports > 1) {
		c->joins = 1;
		c->join[0][0] = 0;
		c->join[0][1] = 1;
	}
	if (c->cpus == 0 && choose_cpus(c, NULL, err, sizeof(err)))
		return args_wrong(&command, "--cpus: %s", err);
	return EXIT_OK;
}

int config_parse(struct config *config, int argc, char **argv, int *code)
{
	int at = args_parse(&command, argc, argv, config, code);

	if (at < 0)
		return -1;
	*code = at < argc ? args_wrong(&command, "what is '%s'?", argv[at]) : check(config);
	return *code ? -1 : 0;
}
