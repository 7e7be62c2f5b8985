/* SPDX-License-Identifier: MIT */
#include "sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

int sysfs_open(void)
{
	int fs = fsopen("sysfs", FSOPEN_CLOEXEC), fd = -1;

	if (fs < 0)
		return -errno;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		fd = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (fd < 0)
		fd = -errno;
	close(fs);
	return fd;
}

int sysfs_write(int sysfs, const char *name, const char *attribute, const char *value)
{
	char path[PATH_MAX];
	int fd, e = 0;

	if ((size_t)snprintf(path, sizeof(path), "class/net/%s/%s", name, attribute) >=
	    sizeof(path))
		return -ENAMETOOLONG;
	fd = openat(sysfs, path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		e = -errno;
	close(fd);
	return e;
}
