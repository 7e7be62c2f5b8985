/* SPDX-License-Identifier: MIT */
/*
 * app.h - what is above the path: an application that is given packets on the CPU chosen for
 * them.
 */
#ifndef PLANE_APP_APP_H
#define PLANE_APP_APP_H

#include <jansson.h>
#include <leat/pkt.h>
#include <stdbool.h>

struct plane;
struct worker;
struct conf;

struct app_ops {
	const char *name;
	const char *help;

	/* Make app state for `plane`; threads of its own start here. 0, or -errno with a message. */
	int (*open)(struct plane *plane, const char *args, char *err, size_t err_len);

	/* Workers have stopped: threads finish what they were given, and end. May be NULL. */
	void (*stop)(struct plane *plane);

	/* Undo open. May be NULL. */
	void (*close)(struct plane *plane);

	/* Process `n` packets of any flows on `worker`'s thread: *takes* them all (transmits, gives
	 * them to a thread, or gives their buffers back). When it returns the CPU has finished
	 * with them as far as order goes. */
	void (*process)(struct worker *worker, const struct conf *conf, struct leat_pkt **pkts,
			unsigned n);

	/* What the application counts, for stats_json; the caller's reference. May be NULL. */
	json_t *(*stats)(struct plane *plane);

	/* A knob of its own below app/: sink's app/threads/N/cpu. value NULL: read into text.
	 * 0, -ENOENT, -EINVAL. May be NULL. */
	int (*knob)(struct plane *plane, const char *path, const char *value, char *text,
		    size_t text_len);

	/* The path of the i-th of them, as knob takes it; false: there are no more. What one
	 * refuses, all that a pattern may match together refuse. May be NULL with knob. */
	bool (*knob_path)(struct plane *plane, unsigned i, char *path, size_t path_len);
};

/* All applications, NULL at the end. */
extern const struct app_ops *const app_kinds[];
extern const struct app_ops app_forward, app_sink, app_echo;

#endif
