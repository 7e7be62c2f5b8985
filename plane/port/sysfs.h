/* SPDX-License-Identifier: MIT */
/*
 * sysfs.h - attributes of the network interfaces of the namespace that the thread is in.
 *
 * What is mounted at /sys shows the interfaces of the namespace in which it was mounted. So this is
 * a mount of its own, which is nowhere in the file system and goes with its descriptor.
 */
#ifndef PLANE_PORT_SYSFS_H
#define PLANE_PORT_SYSFS_H

/* Gives a descriptor, the caller's to close, or -errno. Needs CAP_SYS_ADMIN and Linux 5.2. */
int sysfs_open(void);

/* Set an attribute of the interface `name`, 0 or -errno. */
int sysfs_write(int sysfs, const char *name, const char *attribute, const char *value);

#endif
