/* SPDX-License-Identifier: MIT */
/*
 * app_thread.h - an application's own thread, and the knob app/threads/N/cpu that moves it.
 *
 * Who turns the knob says where the thread shall run; the thread goes there by itself, between two
 * packets.
 */
#ifndef PLANE_APP_APP_THREAD_H
#define PLANE_APP_APP_THREAD_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct plane;

struct app_thread {
	pthread_t thread;
	uint16_t cpu;	/* atomic: where it shall run */
	uint16_t on;	/* where it runs */
	uint64_t moves; /* atomic: times it changed CPU */
};

/* Not started yet; its place is the CPU of one of the plane's workers, the i-th's. */
void app_thread_init(struct app_thread *t, const struct plane *plane, unsigned i);

/* The thread: go where it was told to. */
void app_thread_settle(struct app_thread *t);

/* Which of `n` threads the path "threads/N/cpu" names; -ENOENT. */
int app_thread_index(const char *path, unsigned n);

/* The path of the i-th thread's knob. */
void app_thread_path(unsigned i, char *path, size_t path_len);

/* Read where it shall run into text, or, with a value, tell it; the caller then wakes it. 0; -EINVAL:
 * no worker runs there. */
int app_thread_place(struct app_thread *t, const struct plane *plane, const char *value, char *text,
		     size_t text_len);

#endif
