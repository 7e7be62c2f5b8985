/* SPDX-License-Identifier: MIT */
#include "netns.h"

#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct visit {
	const char *name;
	int (*call)(void *arg);
	void *arg;
	const char *who;
	char *err;
	size_t err_len;
	int result;
};

static const char *why(int error)
{
	switch (error) {
	case ENOENT: return "there is none of that name";
	case EPERM: return "entering it needs CAP_SYS_ADMIN";
	case EINVAL: return "that is no network namespace";
	default: return strerror(error);
	}
}

static int open_namespace(const char *name)
{
	char path[PATH_MAX];
	const char *folder = strchr(name, '/') ? "" : "/var/run/netns/";
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s%s", folder, name) >= sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int enter(const char *name)
{
	int fd = open_namespace(name);
	int error = 0;

	if (fd < 0)
		return -fd;
	if (setns(fd, CLONE_NEWNET))
		error = errno;
	close(fd);
	return error;
}

static void *go(void *arg)
{
	struct visit *v = arg;
	int error = enter(v->name);

	if (error)
		v->result = port_fail(v->err, v->err_len, error, "%s: network namespace '%s': %s",
				      v->who, v->name, why(error));
	else
		v->result = v->call(v->arg);
	return NULL;
}

int netns_run(const char *name, int (*call)(void *arg), void *arg, const char *who, char *err,
	      size_t err_len)
{
	struct visit v = {name, call, arg, who, err, err_len, 0};
	pthread_t thread;
	int error;

	if (!name)
		return call(arg);
	error = pthread_create(&thread, NULL, go, &v);
	if (error)
		return port_fail(err, err_len, error, "%s: network namespace '%s': %s", who, name,
				 strerror(error));
	pthread_join(thread, NULL);
	return v.result;
}
