/* SPDX-License-Identifier: MIT */
#include "peer.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Where the command is, without its name. */
static void find_self(char *path, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", path, size - 1);
	char *slash;

	path[n > 0 ? n : 0] = 0;
	slash = strrchr(path, '/');
	if (slash)
		*slash = 0;
}

/* Beside the command in a build directory, or where it is installed. */
static bool find_file(const char *name, char *path, size_t size)
{
	static const char *const place[] = {"%s/bench/peer_%s.so", "%s/../lib/leat/peer_%s.so"};
	char self[PATH_MAX];

	if (strchr(name, '/')) {
		snprintf(path, size, "%s", name);
		return access(path, R_OK) == 0;
	}
	find_self(self, sizeof(self));
	snprintf(path, size, place[0], self, name);
	if (access(path, R_OK) == 0)
		return true;
	snprintf(path, size, place[1], self, name);
	return access(path, R_OK) == 0;
}

const struct peer *peer_open(const char *name, bool *missing, char *err, size_t err_len)
{
	char path[PATH_MAX + 64];
	const struct peer *peer;
	void *object;

	*missing = !find_file(name, path, sizeof(path));
	if (*missing) {
		snprintf(err, err_len, "%s: not found", name);
		return NULL;
	}
	object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	peer = object ? dlsym(object, "leat_bench_peer") : NULL;
	if (!peer) {
		snprintf(err, err_len, "%s", dlerror());
		return NULL;
	}
	if (peer->version != PEER_VERSION) {
		snprintf(err, err_len, "%s: of another version of leat", path);
		return NULL;
	}
	return peer->open(err, err_len) ? NULL : peer;
}
