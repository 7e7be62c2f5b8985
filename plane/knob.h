/* SPDX-License-Identifier: MIT */
/*
 * knob.h - everything tunable, under the kernel's names and in the kernel's formats.
 *
 * A knob is a path and a text: left/queues/rx-0/rps_cpus is "3". A value reads back as the kernel
 * would show it. A path may be a pattern (fnmatch with '*' not matching '/'); setting one sets
 * all knobs it matches, at once or not at all. What is below app/ is the application's own.
 *
 * Threads: any; each call takes the plane's conf_lock, and a set returns when every worker uses
 * the new value.
 */
#ifndef PLANE_KNOB_H
#define PLANE_KNOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plane;

enum {
	KNOB_PATH_MAX = 128,
	KNOB_TEXT_MAX = 32768, /* bytes that hold any value */
};

/* Whether a port of this name has knobs that a path can name: printable ASCII without what separates
 * or is special in a pattern, and not what other knobs begin with. */
bool knob_port_name_ok(const char *name);

/* The bits of gso_type that PORT/features/`name` is, `len` bytes long; 0 if it is no segmentation. */
uint32_t knob_gso_bits(const char *name, size_t len);

/* Set `path` to `value`. 0; or, with nothing changed and a message in err that names the knob and
 * what is wrong: -ENOENT no such knob, -EINVAL a wrong value, -EOVERFLOW a CPU this plane has
 * not, -EOPNOTSUPP what the port cannot do, -EBUSY an RSS context that a rule names, -ENOSPC no
 * place for another rule or context, -E2BIG too many kinds of rules, -ENOMEM. A rule of
 * PORT/ntuple/ need not be there to be set, and is no knob any more when it was taken away. */
int knob_set(struct plane *plane, const char *path, const char *value, char *err, size_t err_len);

/* Read the knob `path` into text. 0; or, with a message, -ENOENT, -ENOMEM. */
int knob_get(struct plane *plane, const char *path, char *text, size_t size, char *err,
	     size_t err_len);

/* Called for a knob with its value; other than 0 ends the visits. */
typedef int knob_visit(void *arg, const char *path, const char *value);

/* Visit all knobs that `path` matches, port by port; NULL: all. 0; what visit gave; or, with a
 * message, -ENOENT if there is none. */
int knob_list(struct plane *plane, const char *path, knob_visit *visit, void *arg, char *err,
	      size_t err_len);

#endif
