/* SPDX-License-Identifier: MIT */
/*
 * control.h - knobs and counters of a running plane, over a Unix socket.
 *
 * A client connects, sends requests and gets an answer to each, in order; each is one line of
 * JSON:
 *
 *	{"get": PATH}                 {"get": {PATH: VALUE, ...}}
 *	{"set": PATH, "value": TEXT}  {"set": {PATH: VALUE, ...}}   as they read now, if at all
 *	{"show": "ports"}             {"show": {...}}
 *	{"show": "gro", "port": NAME} {"show": {NAME: {"rx-0": {REASON: NUMBER, ...}, ...}}}
 *	anything that fails           {"error": TEXT, "errno": NUMBER}
 *
 * PATH may be a pattern (knob.h). What can be shown is "knobs", "stats", "softnet", "interrupts",
 * and each member of stats_json(), of which "gro" is shown by queue, with all its reasons, and without "port" of all
 * ports. Only root and the user who runs the plane are served.
 *
 * Nothing here waits: who has CONTROL_CLIENTS clients at once loses the one that was silent for
 * longest, and a client that does not read its answer gets no other. Threads: one.
 */
#ifndef PLANE_CONTROL_H
#define PLANE_CONTROL_H

#include <stddef.h>

enum {
	CONTROL_CLIENTS = 16,
	CONTROL_REQUEST_MAX = 65536, /* bytes of a line */
};

struct plane;
struct control;

/* Listen at `path`, mode 0600, for `plane`, which need not be open yet. Takes the place of a
 * socket that nobody listens at any more; -EADDRINUSE if somebody does, or if the path is
 * something else. 0, or -errno with a message. */
int control_open(struct control **control, const char *path, struct plane *plane, char *err,
		 size_t err_len);

/* The descriptor that is readable when control_serve() has something to do. */
int control_fd(const struct control *control);
void control_serve(struct control *control);

/* Close, and remove the socket from its path if it is still there. NULL is nothing to do. */
void control_close(struct control *control);

#endif
