/* SPDX-License-Identifier: MIT */
/*
 * `leat segment` on a capture of 64 KB frames, to a file, against `cat` to a file.
 *
 * The files are large: however it ends, they are not left behind. So a signal is heeded only where
 * nobody is writing to them.
 */
#include "bench.h"
#include "frames.h"

#include "port/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAYLOAD = 45 * 1448, FRAMES = 16, PATH_LEN = 512 };

struct filing {
	char in[PATH_LEN], out[PATH_LEN];
	bool cat;
	uint64_t megabytes;
};

/* --- signals --- */

static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
static struct sigaction before[BENCH_LEN(ends)];
static volatile sig_atomic_t ended; /* the signal that came, 0: none */

static void take_signal(int number)
{
	ended = number;
}

/* What is ignored stays so. */
static void take_signals(void)
{
	const struct sigaction take = {.sa_handler = take_signal}; /* without SA_RESTART */

	for (size_t i = 0; i < BENCH_LEN(ends); i++) {
		if (sigaction(ends[i], NULL, &before[i]) == 0 && before[i].sa_handler != SIG_IGN)
			sigaction(ends[i], &take, NULL);
	}
}

/* What came meanwhile ends us now. */
static void leave_signals(void)
{
	for (size_t i = 0; i < BENCH_LEN(ends); i++)
		sigaction(ends[i], &before[i], NULL);
	if (ended)
		raise(ended);
}

/* --- the case --- */

static void prepare(void *state)
{
	unlink(((struct filing *)state)->out);
}

static int spawn(struct filing *f, pid_t *pid)
{
	char name[] = "leat", command[] = "segment", json[] = "--json", other[] = "cat";
	char *segment[] = {name, command, json, f->in, f->out, NULL};
	char *cat[] = {other, f->in, NULL};
	const char *to = f->cat ? f->out : "/dev/null"; /* segment tells what it did */
	posix_spawn_file_actions_t stdout_to;
	int e;

	posix_spawn_file_actions_init(&stdout_to);
	posix_spawn_file_actions_addopen(&stdout_to, STDOUT_FILENO, to, O_WRONLY | O_CREAT, 0600);
	if (f->cat)
		e = posix_spawnp(pid, "cat", &stdout_to, NULL, cat, environ);
	else
		e = posix_spawn(pid, "/proc/self/exe", &stdout_to, NULL, segment, environ);
	posix_spawn_file_actions_destroy(&stdout_to);
	return e;
}

/* A signal ends it too. */
static int wait_for(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		kill(pid, SIGTERM);
	return status;
}

static void drop_files(const struct filing *f)
{
	unlink(f->in);
	unlink(f->out);
	leave_signals();
}

static uint64_t run(void *state)
{
	struct filing *f = state;
	int status = -1;
	pid_t pid;

	if (!ended && spawn(f, &pid) == 0)
		status = wait_for(pid);
	if (ended || status) {
		drop_files(f);
		fprintf(stderr, "leat bench: %s of %s failed\n", f->cat ? "cat" : "leat segment",
			f->in);
		exit(1);
	}
	return f->megabytes;
}

static void drop_ours(void *state)
{
	drop_files(state);
	free(state);
}

static void drop_theirs(void *state)
{
	unlink(((struct filing *)state)->out);
	free(state);
}

/* A capture of at least so many bytes; gives its MB, 0 if it could not be written. */
static uint64_t write_capture(const char *path, uint64_t size)
{
	struct capture_writer w;
	struct frames f;
	int e = capture_create(&w, path, CAPTURE_ETHERNET, CAPTURE_NSEC);

	if (e)
		return 0;
	frames_make(&f, &(struct frames_conf){FRAMES_TCP, FRAMES, 1, PAYLOAD, 0});
	for (uint32_t i = 0; !e && !ended && w.bytes < size; i++) {
		struct iovec iov = {f.frame[i % FRAMES], f.len};

		e = capture_write(&w, &iov, 1, i);
	}
	frames_drop(&f);
	size = w.bytes;
	return capture_finish(&w) || e ? 0 : (size + 500000) / 1000000;
}

static int make(const struct bench *b, const struct bench_case *c, struct work *ours,
		struct work *theirs, const char **why)
{
	struct filing *f = bench_alloc(sizeof(*f)), *g = bench_alloc(sizeof(*g));

	(void)c;
	snprintf(f->in, PATH_LEN, "%s/leat-bench-%d.pcap", b->directory, (int)getpid());
	snprintf(f->out, PATH_LEN, "%s/leat-bench-%d-out.pcap", b->directory, (int)getpid());
	f->cat = false;
	take_signals();
	f->megabytes = write_capture(f->in, b->quick ? 4 << 20 : b->capture_size);
	*g = *f;
	g->cat = true;
	*ours = (struct work){
		.prepare = prepare, .run = run, .drop = drop_ours, .state = f, .wall = true};
	*theirs = (struct work){
		.prepare = prepare, .run = run, .drop = drop_theirs, .state = g, .wall = true};
	*why = f->megabytes ? NULL : "the capture could not be written";
	return f->megabytes ? 0 : -1;
}

static const struct bench_case cases[] = {
	{"leat segment, a capture", "cat", "MB", 1.5, 0, make, {0}},
};

const struct subject subject_capture = {cases, BENCH_LEN(cases), NULL, 0};
