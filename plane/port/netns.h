/* SPDX-License-Identifier: MIT */
/*
 * netns.h - do something inside a named network namespace.
 *
 * A namespace belongs to a thread. What enters one is a thread made for it, which ends when the
 * work is done: so the caller never leaves its own, and needs no privilege to get back there.
 * Descriptors made inside (TAPs, sockets) stay bound to the namespace.
 */
#ifndef PLANE_PORT_NETNS_H
#define PLANE_PORT_NETNS_H

#include <stddef.h>

/* Run call(arg) in the namespace `name` of /var/run/netns (with a slash in it: in that file's;
 * NULL: right here). Gives what the call gives; or -errno with a message to `who`, the call not
 * made. */
int netns_run(const char *name, int (*call)(void *arg), void *arg, const char *who, char *err,
	      size_t err_len);

#endif
