/* SPDX-License-Identifier: MIT */
/*
 * get, set and show: requests to a running plane, over its control socket.
 */
#include "args.h"
#include "main.h"

#include "plane/stats.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { ANSWER_SECONDS = 10 }; /* a plane that does not answer for so long never will */

struct client {
	bool json;
	const char *control;
	int fd;
	FILE *from; /* the same, to be read */
};

static int take_json(void *to, char *value, char *err, size_t err_len)
{
	(void)value, (void)err, (void)err_len;
	((struct client *)to)->json = true;
	return 0;
}

static int take_control(void *to, char *value, char *err, size_t err_len)
{
	(void)err, (void)err_len;
	((struct client *)to)->control = value;
	return 0;
}

static const struct args_option options[] = {
	{"control", 0, "SOCKET",
	 "of the plane (root: /run/leat.sock; others: "
	 "$XDG_RUNTIME_DIR/leat.sock)",
	 take_control},
	{"json", 'j', NULL, "print JSON", take_json},
	{0},
};

static const struct args_command get_command = {
	"get", "KNOB...",
	"Print the values of knobs: of one its value, of several, or of a pattern, KNOB=VALUE.",
	options, NULL};
static const struct args_command set_command = {
	"set", "KNOB=VALUE...",
	"Set knobs, one after the other; each at once for all that a pattern matches.", options,
	NULL};
static const struct args_command show_command = {
	"show", "[WHAT [PORT]]",
	"Print what the plane counts: stats (all of it), ports, cpus, gro, parse, steering or app; "
	"softnet and interrupts, as /proc has them; or all knobs.\n"
	"gro (by queue, with every reason) and features (as ethtool -k) may be of one port.",
	options, NULL};

static int complain(const char *path, int error)
{
	bool nobody = error == ENOENT || error == ECONNREFUSED;

	fprintf(stderr, "leat: control socket %s: %s%s\n", path, strerror(error),
		nobody ? " (is there a 'leat run --control'?)" : "");
	return error == EACCES || error == EPERM ? EXIT_CANNOT : EXIT_WORK;
}

static int open_client(struct client *c)
{
	const struct timeval patience = {.tv_sec = ANSWER_SECONDS};
	const char *runtime = getenv("XDG_RUNTIME_DIR"), *path = c->control;
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char own[sizeof(a.sun_path)];

	if (!path) {
		snprintf(own, sizeof(own), "%s/leat.sock",
			 geteuid() != 0 && runtime ? runtime : "/run");
		path = own;
	}
	if (strlen(path) >= sizeof(a.sun_path))
		return complain(path, ENAMETOOLONG);
	memcpy(a.sun_path, path, strlen(path) + 1);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) ||
	    connect(c->fd, (struct sockaddr *)&a, sizeof(a)))
		return complain(a.sun_path, errno);
	c->from = fdopen(c->fd, "r");
	return c->from ? EXIT_OK : complain(a.sun_path, errno);
}

static void close_client(struct client *c)
{
	if (c->from)
		fclose(c->from);
	else if (c->fd >= 0)
		close(c->fd);
}

/* Send the request (whose reference it takes); gives the answer's member `verb`, or NULL with a
 * message printed. */
static json_t *ask(struct client *c, const char *verb, json_t *request)
{
	json_t *answer = NULL, *member;
	bool asked = request != NULL;
	json_error_t e;

	if (asked && json_dumpfd(request, c->fd, JSON_COMPACT) == 0 && write(c->fd, "\n", 1) == 1)
		answer = json_loadf(c->from, JSON_DISABLE_EOF_CHECK, &e);
	json_decref(request);
	member = json_incref(json_object_get(answer, verb));
	if (!asked)
		fprintf(stderr, "leat: not UTF-8\n");
	else if (!answer)
		fprintf(stderr, "leat: the plane does not answer\n");
	else if (!member)
		fprintf(stderr, "leat: %s\n", json_string_value(json_object_get(answer, "error")));
	json_decref(answer);
	return member;
}

static void print_json(const json_t *json)
{
	json_dumpf(json, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
	printf("\n");
}

static void print_knobs(json_t *knobs)
{
	const char *path;
	json_t *value;

	json_object_foreach(knobs, path, value) printf("%s=%s\n", path, json_string_value(value));
}

/* One knob by its name is a value for a script to use as it is. */
static void print_got(json_t *knobs, int operands, const char *path)
{
	if (operands == 1 && json_object_get(knobs, path))
		printf("%s\n", json_string_value(json_object_get(knobs, path)));
	else
		print_knobs(knobs);
}

static int get(struct client *c, int n, char **paths)
{
	json_t *all = json_object(), *knobs = NULL;

	for (int i = 0; i < n; i++) {
		knobs = ask(c, "get", json_pack("{s:s}", "get", paths[i]));
		if (!knobs)
			break;
		json_object_update(all, knobs);
		json_decref(knobs);
	}
	if (knobs && c->json)
		print_json(all);
	else if (knobs)
		print_got(all, n, paths[0]);
	json_decref(all);
	return knobs ? EXIT_OK : EXIT_WORK;
}

static int set(struct client *c, int n, char **settings)
{
	json_t *all = json_object(), *knobs = NULL;

	for (int i = 0; i < n; i++) {
		char *value = strchr(settings[i], '=');

		*value++ = 0;
		knobs = ask(c, "set", json_pack("{s:s,s:s}", "set", settings[i], "value", value));
		if (!knobs)
			break;
		json_object_update(all, knobs);
		json_decref(knobs);
	}
	if (c->json)
		print_json(all);
	json_decref(all);
	return knobs ? EXIT_OK : EXIT_WORK;
}

static void print_stats(const char *what, json_t *shown)
{
	bool all = strcmp(what, "stats") == 0;
	json_t *stats = all ? json_incref(shown) : json_pack("{s:O}", what, shown);
	char *text = stats_text(stats, NULL, 0);

	if (text)
		fputs(text, stdout);
	free(text);
	json_decref(stats);
}

/* What has a form of its own. */
static const struct form {
	const char *what;
	char *(*text)(const json_t *shown);
} forms[] = {
	{"gro", stats_gro_text},
	{"softnet", stats_softnet_text},
	{"interrupts", stats_interrupts_text},
};

/* False: it has none. */
static bool print_form(const char *what, const json_t *shown)
{
	size_t i = 0;
	char *text;

	while (i < sizeof(forms) / sizeof(forms[0]) && strcmp(forms[i].what, what) != 0)
		i++;
	if (i == sizeof(forms) / sizeof(forms[0]))
		return false;
	text = forms[i].text(shown);
	if (text)
		fputs(text, stdout);
	free(text);
	return true;
}

/* "left/features/rx-gro" is rx-gro of left. */
static json_t *sort_features(json_t *knobs)
{
	json_t *ports = json_object(), *value;
	const char *path;

	json_object_foreach(knobs, path, value)
	{
		const char *slash = strchr(path, '/');
		char *port = strndup(path, (size_t)(slash - path));

		if (port && !json_object_get(ports, port))
			json_object_set_new(ports, port, json_object());
		if (port)
			json_object_set(json_object_get(ports, port), strrchr(path, '/') + 1,
					value);
		free(port);
	}
	return ports;
}

static void print_features(json_t *ports)
{
	const char *port, *name;
	json_t *features, *value;

	json_object_foreach(ports, port, features)
	{
		printf("Features for %s:\n", port);
		json_object_foreach(features, name, value)
			printf("%s: %s\n", name, json_string_value(value));
	}
}

static int show_features(struct client *c, const char *port)
{
	json_t *knobs =
		ask(c, "get",
		    json_pack("{s:o}", "get", json_sprintf("%s/features/*", port ? port : "*")));
	json_t *features = knobs ? sort_features(knobs) : NULL;

	if (!knobs)
		return EXIT_WORK;
	if (c->json)
		print_json(features);
	else
		print_features(features);
	json_decref(features);
	json_decref(knobs);
	return EXIT_OK;
}

/* Of each port its features too. */
static json_t *ask_ports(struct client *c)
{
	json_t *ports = ask(c, "show", json_pack("{s:s}", "show", "ports")), *port;
	json_t *knobs = ports ? ask(c, "get", json_pack("{s:s}", "get", "*/features/*")) : NULL;
	json_t *features = knobs ? sort_features(knobs) : NULL;
	size_t i;

	json_array_foreach(features ? ports : NULL, i, port) json_object_set(
		port, "features",
		json_object_get(features, json_string_value(json_object_get(port, "name"))));
	if (!features)
		json_decref(ports);
	json_decref(features);
	json_decref(knobs);
	return features ? ports : NULL;
}

static void print_port(const json_t *port)
{
	json_t *features = json_object_get(port, "features"), *value;
	const char *name;

	printf("%s: %s, %zu rx and %zu tx queues\n  steering: %s\n  offloads:",
	       json_string_value(json_object_get(port, "name")),
	       json_string_value(json_object_get(port, "kind")),
	       json_array_size(json_object_get(port, "rx")),
	       json_array_size(json_object_get(port, "tx")),
	       json_string_value(json_object_get(port, "steering")));
	json_object_foreach(features, name, value)
	{
		if (strncmp(json_string_value(value), "on", 2) == 0)
			printf(" %s", name);
	}
	printf("\n");
}

static int show_ports(struct client *c)
{
	json_t *ports = ask_ports(c), *port;
	size_t i;

	if (!ports)
		return EXIT_WORK;
	if (c->json) {
		print_json(ports);
	} else {
		json_array_foreach(ports, i, port) print_port(port);
		print_stats("ports", ports);
	}
	json_decref(ports);
	return EXIT_OK;
}

static int show(struct client *c, int n, char **operands)
{
	const char *what = n > 0 ? operands[0] : "stats", *port = n > 1 ? operands[1] : NULL;
	json_t *shown;

	if (strcmp(what, "features") == 0)
		return show_features(c, port);
	if (strcmp(what, "ports") == 0)
		return show_ports(c);
	shown = ask(c, "show", json_pack("{s:s,s:s*}", "show", what, "port", port));
	if (!shown)
		return EXIT_WORK;
	if (c->json)
		print_json(shown);
	else if (strcmp(what, "knobs") == 0)
		print_knobs(shown);
	else if (!print_form(what, shown))
		print_stats(what, shown);
	json_decref(shown);
	return EXIT_OK;
}

/* gro and features are had of one port too. */
static bool has_ports(const char *what)
{
	return strcmp(what, "gro") == 0 || strcmp(what, "features") == 0;
}

static int serve(struct client *c, int n, char **operands,
		 int (*request)(struct client *, int, char **))
{
	int code;

	signal(SIGPIPE, SIG_IGN); /* a plane that ends is told as one that does not answer */
	code = open_client(c);
	if (code == EXIT_OK)
		code = request(c, n, operands);
	close_client(c);
	return args_finish(code);
}

int get_main(int argc, char **argv)
{
	struct client c = {.fd = -1};
	int code, at = args_parse(&get_command, argc, argv, &c, &code);

	if (at < 0)
		return code;
	if (at == argc)
		return args_wrong(&get_command, "which knob?");
	return serve(&c, argc - at, argv + at, get);
}

int set_main(int argc, char **argv)
{
	struct client c = {.fd = -1};
	int code, at = args_parse(&set_command, argc, argv, &c, &code);

	if (at < 0)
		return code;
	if (at == argc)
		return args_wrong(&set_command, "which knob?");
	for (int i = at; i < argc; i++) {
		if (!strchr(argv[i], '='))
			return args_wrong(&set_command, "'%s' is not KNOB=VALUE", argv[i]);
	}
	return serve(&c, argc - at, argv + at, set);
}

int show_main(int argc, char **argv)
{
	struct client c = {.fd = -1};
	int code, at = args_parse(&show_command, argc, argv, &c, &code);

	if (at < 0)
		return code;
	if (argc - at > (at < argc && has_ports(argv[at]) ? 2 : 1))
		return args_wrong(&show_command, "one at a time");
	return serve(&c, argc - at, argv + at, show);
}
