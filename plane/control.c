/* SPDX-License-Identifier: MIT */
#include "control.h"

#include "knob.h"
#include "plane.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Reads while it has no answer to send, sends while it has one. */
struct client {
	int fd;		/* -1: not in use */
	bool last;	/* nothing more will be read: close when the answers are sent */
	uint64_t heard; /* when it was last heard of, in events */
	size_t in_len, out_len, out_at;
	char *out; /* the answer being sent, or NULL */
	char in[CONTROL_REQUEST_MAX];
};

struct control {
	struct plane *plane;
	int listener, epoll;
	uint64_t events;
	struct sockaddr_un address;
	struct stat made; /* the socket's file, to remove no other */
	struct client client[CONTROL_CLIENTS];
};

static int fail(char *err, size_t err_len, int error, const char *path, const char *why)
{
	snprintf(err, err_len, "control socket %s: %s", path, why ? why : strerror(error));
	return -error;
}

/* Whether what is at the address is a socket that nobody listens at. */
static bool is_stale(const struct sockaddr_un *address)
{
	struct stat st;
	bool stale;
	int fd;

	if (lstat(address->sun_path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	stale = connect(fd, (const struct sockaddr *)address, sizeof(*address)) &&
		errno == ECONNREFUSED;
	close(fd);
	return stale;
}

static int bind_listener(int fd, const struct sockaddr_un *address)
{
	const struct sockaddr *a = (const struct sockaddr *)address;

	if (fchmod(fd, 0600)) /* the mode its file will be made with */
		return -1;
	if (bind(fd, a, sizeof(*address)) == 0)
		return 0;
	if (errno != EADDRINUSE)
		return -1;
	if (!is_stale(address)) {
		errno = EADDRINUSE;
		return -1;
	}
	unlink(address->sun_path);
	return bind(fd, a, sizeof(*address));
}

static int watch(struct control *c, int fd, int how, uint32_t events, void *who)
{
	struct epoll_event ev = {.events = events, .data.ptr = who};

	return epoll_ctl(c->epoll, how, fd, &ev);
}

static int make_listener(struct control *c)
{
	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->epoll < 0 || c->listener < 0 || bind_listener(c->listener, &c->address))
		return -errno;
	if (stat(c->address.sun_path, &c->made) || listen(c->listener, CONTROL_CLIENTS) ||
	    watch(c, c->listener, EPOLL_CTL_ADD, EPOLLIN, NULL))
		return -errno;
	return 0;
}

int control_open(struct control **control, const char *path, struct plane *plane, char *err,
		 size_t err_len)
{
	struct control *c = calloc(1, sizeof(*c));
	int e;

	if (!c)
		return fail(err, err_len, ENOMEM, path, NULL);
	c->plane = plane;
	c->listener = c->epoll = -1;
	c->address.sun_family = AF_UNIX;
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		c->client[i].fd = -1;
	if (!*path || strlen(path) >= sizeof(c->address.sun_path)) {
		free(c);
		return fail(err, err_len, ENAMETOOLONG, path, "wants a path of 1 to 107 bytes");
	}
	memcpy(c->address.sun_path, path, strlen(path) + 1);
	e = make_listener(c);
	if (e) {
		control_close(c);
		return fail(err, err_len, -e, path,
			    e == -EADDRINUSE ? "in use: another plane, or not a socket" : NULL);
	}
	*control = c;
	return 0;
}

int control_fd(const struct control *c)
{
	return c->epoll;
}

static void drop(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	free(client->out);
	client->fd = -1;
	client->out = NULL;
}

void control_close(struct control *c)
{
	struct stat st;

	if (!c)
		return;
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		drop(&c->client[i]);
	if (c->made.st_ino && lstat(c->address.sun_path, &st) == 0 && st.st_ino == c->made.st_ino &&
	    st.st_dev == c->made.st_dev)
		unlink(c->address.sun_path);
	if (c->listener >= 0)
		close(c->listener);
	if (c->epoll >= 0)
		close(c->epoll);
	free(c);
}

static json_t *complain(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

static json_t *complain(int error, const char *format, ...)
{
	char text[512];
	json_t *answer;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (error < 0)
		error = -error;
	answer = json_pack("{s:s,s:i}", "error", text, "errno", error);
	if (!answer) /* cut within a character */
		answer = json_pack("{s:s,s:i}", "error", strerror(error), "errno", error);
	return answer;
}

static int add_knob(void *object, const char *path, const char *value)
{
	return json_object_set_new(object, path, json_string(value)) ? -ENOMEM : 0;
}

/* {verb: {path: value, ...}} of all knobs that `path` matches; `none`: even if there is none. */
static json_t *list_knobs(struct plane *plane, const char *verb, const char *path, bool none)
{
	json_t *knobs = json_object();
	char err[256] = "";
	int e = knob_list(plane, path, add_knob, knobs, err, sizeof(err));

	if (!e || (none && e == -ENOENT))
		return json_pack("{s:o}", verb, knobs);
	json_decref(knobs);
	return complain(e, "%s", *err ? err : strerror(-e));
}

static json_t *get(struct plane *plane, const char *path, const json_t *request)
{
	(void)request;
	return list_knobs(plane, "get", path, false);
}

static json_t *set(struct plane *plane, const char *path, const json_t *request)
{
	const char *value = json_string_value(json_object_get(request, "value"));
	char err[512];
	int e;

	if (!value)
		return complain(EINVAL, "%s: no \"value\" to set it to", path);
	e = knob_set(plane, path, value, err, sizeof(err));
	return e ? complain(e, "%s", err) : list_knobs(plane, "set", path, true);
}

static json_t *show(struct plane *plane, const char *what, const json_t *request)
{
	const char *port = json_string_value(json_object_get(request, "port"));
	json_t *stats, *answer;

	if (strcmp(what, "knobs") == 0)
		return list_knobs(plane, "show", NULL, false);
	if (strcmp(what, "softnet") == 0)
		return json_pack("{s:o}", "show", stats_softnet(plane));
	if (strcmp(what, "interrupts") == 0)
		return json_pack("{s:o}", "show", stats_interrupts(plane));
	if (strcmp(what, "gro") == 0) {
		answer = stats_gro(plane, port);
		return answer ? json_pack("{s:o}", "show", answer) :
				complain(ENOENT, "%s: no such port", port);
	}
	stats = stats_json(plane);
	if (strcmp(what, "stats") == 0)
		return json_pack("{s:o}", "show", stats);
	if (json_object_get(stats, what))
		answer = json_pack("{s:O}", "show", json_object_get(stats, what));
	else
		answer = complain(ENOENT, "%s: nothing of this name to show", what);
	json_decref(stats);
	return answer;
}

static const struct verb {
	const char *name;
	json_t *(*answer)(struct plane *plane, const char *what, const json_t *request);
} verbs[] = {{"get", get}, {"set", set}, {"show", show}};

static json_t *answer_request(struct plane *plane, const json_t *request)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		const json_t *what = json_object_get(request, verbs[i].name);

		if (json_is_string(what))
			return verbs[i].answer(plane, json_string_value(what), request);
	}
	return complain(EINVAL, "a request is {\"get\": PATH}, {\"set\": PATH, \"value\": TEXT} or "
				"{\"show\": WHAT}");
}

/* The answer to a line, as a line; NULL without memory. */
static char *answer_line(struct plane *plane, const char *line, size_t len)
{
	json_error_t e;
	json_t *request = json_loadb(line, len, 0, &e);
	json_t *answer =
		request ? answer_request(plane, request) : complain(EINVAL, "not JSON: %s", e.text);
	char *text = json_dumps(answer, JSON_COMPACT);
	char *out = NULL;

	if (text && asprintf(&out, "%s\n", text) < 0)
		out = NULL;
	free(text);
	json_decref(request);
	json_decref(answer);
	return out;
}

/* The length of the first line, whole or as long as one may be; -1: it is neither yet. */
static ptrdiff_t line_len(const struct client *client)
{
	const char *end = memchr(client->in, '\n', client->in_len);

	if (end)
		return end - client->in;
	return client->in_len == sizeof(client->in) ? CONTROL_REQUEST_MAX - 1 : -1;
}

/* Take a line out of what was read and make its answer. */
static bool take_line(struct control *c, struct client *client, size_t len)
{
	client->last |= client->in[len] != '\n'; /* too long: where the next begins is unknown */
	client->out = answer_line(c->plane, client->in, len);
	if (!client->out)
		return false;
	client->out_len = strlen(client->out);
	client->out_at = 0;
	client->in_len -= len + 1;
	memmove(client->in, client->in + len + 1, client->in_len);
	return true;
}

/* False: the client is gone. */
static bool send_answer(struct client *client)
{
	ssize_t n = send(client->fd, client->out + client->out_at, client->out_len - client->out_at,
			 MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	client->out_at += (size_t)n;
	if (client->out_at == client->out_len) {
		free(client->out);
		client->out = NULL;
	}
	return true;
}

static bool read_more(struct client *client)
{
	ssize_t n = recv(client->fd, client->in + client->in_len,
			 sizeof(client->in) - client->in_len, 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	client->in_len += (size_t)n;
	client->last |= n == 0;
	return true;
}

/* One answer at a time, so that nobody has to wait for more than one of each other client. */
static void serve_client(struct control *c, struct client *client)
{
	bool ok = true, more;

	client->heard = ++c->events;
	if (!client->out && !client->last && line_len(client) < 0)
		ok = read_more(client);
	if (!client->out && line_len(client) >= 0)
		ok = take_line(c, client, (size_t)line_len(client));
	if (ok && client->out)
		ok = send_answer(client);
	more = client->out || line_len(client) >= 0;
	if (!ok || (client->last && !more) ||
	    watch(c, client->fd, EPOLL_CTL_MOD, more ? EPOLLOUT : EPOLLIN, client))
		drop(client);
}

/* A place for one more: a free one, or that of who was silent for longest. */
static struct client *make_place(struct control *c)
{
	struct client *place = &c->client[0];

	for (unsigned i = 0; i < CONTROL_CLIENTS; i++) {
		struct client *client = &c->client[i];

		if (client->fd < 0)
			return client;
		if (client->heard < place->heard)
			place = client;
	}
	drop(place);
	return place;
}

static bool is_allowed(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 &&
	       (cred.uid == 0 || cred.uid == geteuid());
}

static void accept_client(struct control *c)
{
	int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *client;

	if (fd < 0)
		return;
	if (!is_allowed(fd)) {
		close(fd);
		return;
	}
	client = make_place(c);
	client->fd = fd;
	client->last = false;
	client->heard = ++c->events;
	client->in_len = 0;
	if (watch(c, fd, EPOLL_CTL_ADD, EPOLLIN, client))
		drop(client);
}

void control_serve(struct control *c)
{
	struct epoll_event ev[CONTROL_CLIENTS + 1];
	int n = epoll_wait(c->epoll, ev, CONTROL_CLIENTS + 1, 0);

	for (int i = 0; i < n; i++) {
		struct client *client = ev[i].data.ptr;

		if (!client)
			accept_client(c);
		else if (client->fd >= 0)
			serve_client(c, client);
	}
}
