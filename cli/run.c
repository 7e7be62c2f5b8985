/* SPDX-License-Identifier: MIT */
/*
 * leat run: make a plane of ports, let it run, end it.
 *
 * The main thread only waits: for signals, two timers and the control socket. A signal is for the
 * process, so the kernel gives it to the main thread; it interrupts there what waits for others,
 * as opening a FIFO does. Workers are not interrupted, and one may be in write() for ever: so the
 * first signal ends the run in order, the next one ends the process.
 */
#include "config.h"
#include "main.h"

#include "plane/control.h"
#include "plane/knob.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
	TICK = 20, /* ms between two looks whether all is done, where it may be */
	SLOW_TICK = 200,
	BACKLOG_MAX = 1 << 20, /* packets that rings are made for */
};

#define SOON 0.1 /* s */

enum { SIGNALS, DURATION, STATS, CONTROL, WAITS };

struct run {
	struct config config;
	struct plane plane;
	struct control *control;
	struct pollfd wait[WAITS];
	FILE *out;	/* stderr where a port writes to standard output */
	double started; /* s */
	json_t *last;	/* what was counted when it was last printed */
	json_t *final;	/* what was counted altogether */
	char *report;	/* being printed */
	size_t printed; /* bytes of it */
};

static const int end_signals[] = {SIGINT, SIGTERM, SIGHUP};

static int signals = -1; /* an eventfd: readable after the first */

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int fail(int error, const char *message)
{
	fprintf(stderr, "leat run: %s\n", message);
	if (error == -EPERM || error == -EACCES)
		return EXIT_CANNOT;
	return error == -EINVAL ? EXIT_USAGE : EXIT_WORK;
}

/* Wait for a timer that fires after ns, and every ns if it shall; for none if ns is 0. */
static int make_timer(struct pollfd *wait, uint64_t ns, bool again)
{
	struct timespec ts = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
	struct itimerspec when = {.it_value = ts};

	if (!ns)
		return 0;
	if (again)
		when.it_interval = ts;
	wait->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	return wait->fd < 0 || timerfd_settime(wait->fd, 0, &when, NULL) ? -errno : 0;
}

/* timeout(1) and terminals send one and the same signal twice: what comes so soon is no second. */
static void take_signal(int number)
{
	static double first;
	int error = errno;

	if (!(first > 0)) {
		first = now();
		eventfd_write(signals, 1);
	} else if (now() - first > SOON) {
		signal(number, SIG_DFL);
		raise(number);
	}
	errno = error;
}

/* SIGHUP ends a run too, unless nohup said otherwise. */
static int take_signals(struct pollfd *wait)
{
	const struct sigaction take = {.sa_handler = take_signal}; /* without SA_RESTART */
	struct sigaction hup;

	signals = wait->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (signals < 0)
		return -errno;
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(end_signals) / sizeof(*end_signals); i++) {
		if (end_signals[i] != SIGHUP ||
		    (sigaction(SIGHUP, NULL, &hup) == 0 && hup.sa_handler != SIG_IGN))
			sigaction(end_signals[i], &take, NULL);
	}
	return 0;
}

static void leave_signals(void)
{
	struct sigaction old;

	for (size_t i = 0; i < sizeof(end_signals) / sizeof(*end_signals); i++) {
		if (sigaction(end_signals[i], NULL, &old) == 0 && old.sa_handler == take_signal)
			signal(end_signals[i], SIG_DFL);
	}
}

static bool writes_stdout(const struct config *c)
{
	for (unsigned i = 0; i < c->ports; i++) {
		const char *out = port_option(&c->port[i], "out", "");

		if (strcmp(c->port[i].kind, "pcap") == 0 && strcmp(out, "-") == 0)
			return true;
	}
	return false;
}

/* Rings are made once: for as much as a setting wants. */
static uint32_t backlog_room(const struct config *c)
{
	unsigned long room = 0;

	for (unsigned i = 0; i < c->settings; i++) {
		if (strcmp(c->knob[i], "net/core/netdev_max_backlog") == 0)
			room = strtoul(c->value[i], NULL, 0);
	}
	return room < BACKLOG_MAX ? (uint32_t)room : BACKLOG_MAX;
}

/* Set the defaults of others, or the others. */
static int apply(struct run *run, bool defaults)
{
	const struct config *c = &run->config;
	char err[512] = "";

	for (unsigned i = 0; i < c->settings; i++) {
		if ((strcmp(c->knob[i], "net/core/rps_default_mask") == 0) != defaults)
			continue;
		if (knob_set(&run->plane, c->knob[i], c->value[i], err, sizeof(err))) {
			fprintf(stderr, "leat run: --set %s\n", err);
			return EXIT_WORK;
		}
	}
	return EXIT_OK;
}

static int set_up(struct run *run)
{
	const struct config *c = &run->config;
	int code;

	for (unsigned i = 0; i < c->joins; i++)
		plane_join(&run->plane, c->join[i][0], c->join[i][1]);
	code = apply(run, true);
	return code ? code : apply(run, false);
}

static void print_port(FILE *out, const struct port *port, const struct port_args *args)
{
	const char *netns = port_option(args, "netns", NULL);

	fprintf(out, "%s: %s%s%s, %u queue%s, offload %s\n", port->name, port->ops->kind,
		netns ? " in netns " : "", netns ? netns : "", port->rxqs,
		port->rxqs == 1 ? "" : "s", port->gso ? "on" : "off");
}

static json_t *count(struct run *run)
{
	json_t *counted = stats_json(&run->plane);

	json_object_set_new(counted, "seconds", json_real(now() - run->started));
	return counted;
}

/* What was counted since then, as lines; NULL: no memory. */
static char *describe(const struct run *run, const json_t *counted, const json_t *since)
{
	double seconds = json_real_value(json_object_get(counted, "seconds")) -
			 json_real_value(json_object_get(since, "seconds"));
	char *text = run->config.json ? json_dumps(counted, JSON_COMPACT) :
					stats_text(counted, since, seconds);
	char *lines = NULL;

	if (text && asprintf(&lines, "%s\n", text) < 0)
		lines = NULL;
	free(text);
	return lines;
}

/* Print of the report what its reader takes now: the main thread must not wait for them. A pipe
 * that is writable at all takes PIPE_BUF bytes. False if nobody listens any more. */
static bool print_some(struct run *run)
{
	struct pollfd out = {.fd = fileno(run->out), .events = POLLOUT};

	while (run->report && poll(&out, 1, 0) != 0) {
		size_t left = strlen(run->report + run->printed);
		ssize_t n = write(out.fd, run->report + run->printed,
				  left < PIPE_BUF ? left : PIPE_BUF);

		if (n < 0)
			return errno == EINTR || errno == EAGAIN;
		run->printed += (size_t)n;
		if ((size_t)n == left) {
			free(run->report);
			run->report = NULL;
		}
	}
	return true;
}

/* Print what has been counted since the last time; who is slow to read misses some. */
static bool report(struct run *run)
{
	json_t *counted;

	if (!print_some(run))
		return false;
	if (run->report)
		return true;
	counted = count(run);
	run->report = describe(run, counted, run->last);
	run->printed = 0;
	json_decref(run->last);
	run->last = counted;
	return print_some(run);
}

/* Everything, however long its reader takes. */
static void print_final(const struct run *run)
{
	char *text = describe(run, run->final, NULL);

	if (run->report)
		fputs(run->report + run->printed, run->out);
	if (text)
		fputs(text, run->out);
	free(text);
	fflush(run->out);
}

static bool all_gone(const struct plane *plane)
{
	for (unsigned i = 0; i < plane->n_ports; i++) {
		if (!__atomic_load_n(&plane->port[i].gone, __ATOMIC_RELAXED))
			return false;
	}
	return true;
}

static bool fired(struct run *run, unsigned which)
{
	char drain[128]; /* a signal's or a timer's news */

	return run->wait[which].revents && read(run->wait[which].fd, drain, sizeof(drain)) > 0;
}

static int choose_tick(const struct plane *plane)
{
	for (unsigned i = 0; i < plane->n_ports; i++) {
		if (!plane->port[i].ops->finished)
			return SLOW_TICK;
	}
	return TICK;
}

/* Until there is a reason to end. */
static int serve(struct run *run)
{
	int tick = choose_tick(&run->plane);

	for (;;) {
		int n = poll(run->wait, WAITS, tick);

		if (n < 0 && errno != EINTR)
			return fail(-errno, strerror(errno));
		if (n > 0 && (fired(run, SIGNALS) || fired(run, DURATION)))
			return EXIT_OK;
		if (n > 0 && fired(run, STATS) && !report(run))
			return EXIT_WORK;
		if (n > 0 && run->wait[CONTROL].revents)
			control_serve(run->control);
		if (plane_idle(&run->plane))
			return EXIT_OK;
		if (all_gone(&run->plane))
			return fail(-ENODEV, "no port is left");
	}
}

static int start(struct run *run)
{
	const struct config *c = &run->config;
	char err[512] = "";
	int e = plane_start(&run->plane, err, sizeof(err));

	if (e)
		return fail(e, err);
	for (unsigned i = 0; i < c->ports && !c->json; i++)
		print_port(run->out, &run->plane.port[i], &c->port[i]);
	fflush(run->out);
	run->started = now();
	e = make_timer(&run->wait[DURATION], c->duration, false);
	if (!e)
		e = make_timer(&run->wait[STATS], c->interval, true);
	return e ? fail(e, strerror(-e)) : EXIT_OK;
}

/* Whether the ports did all of their work, and what they wrote has reached its files. */
static int check_work(const struct plane *plane)
{
	int code = EXIT_OK;

	if (fflush(NULL)) {
		fprintf(stderr, "leat run: not all was written: %s\n", strerror(errno));
		code = EXIT_WORK;
	}
	for (unsigned i = 0; i < plane->n_ports; i++) {
		if (__atomic_load_n(&plane->port[i].failed, __ATOMIC_RELAXED))
			code = EXIT_WORK;
	}
	return code;
}

static int run_plane(struct run *run)
{
	const struct config *c = &run->config;
	struct plane_args args = {
		.cpus = c->cpu,
		.n_cpus = c->cpus,
		.port = c->port,
		.n_ports = c->ports,
		.app = c->app,
		.app_args = c->app_args,
		.backlog_room = backlog_room(c),
	};
	char err[512] = "";
	int code, e = plane_open(&run->plane, &args, err, sizeof(err));

	if (e)
		return fail(e, *err ? err : strerror(-e));
	code = set_up(run);
	if (!code)
		code = start(run);
	if (!code)
		code = serve(run);
	plane_stop(&run->plane);
	if (run->started > 0)
		run->final = count(run);
	if (!code)
		code = check_work(&run->plane);
	plane_close(&run->plane);
	return code;
}

/* Nothing is left behind when the last is printed, so that any signal may now end what waits for
 * a reader. */
static void end(struct run *run)
{
	control_close(run->control);
	for (unsigned i = 0; i < CONTROL; i++) {
		if (run->wait[i].fd >= 0)
			close(run->wait[i].fd);
	}
	if (run->final) {
		leave_signals();
		print_final(run);
	}
	json_decref(run->last);
	json_decref(run->final);
	free(run->report);
	free(run->config.text);
}

int run_main(int argc, char **argv)
{
	static struct run run;
	char err[512] = "";
	int code, e = 0;

	for (unsigned i = 0; i < WAITS; i++)
		run.wait[i] = (struct pollfd){.fd = -1, .events = POLLIN};
	if (config_parse(&run.config, argc, argv, &code) == 0) {
		run.out = writes_stdout(&run.config) ? stderr : stdout;
		e = take_signals(&run.wait[SIGNALS]);
		if (!e && run.config.control)
			e = control_open(&run.control, run.config.control, &run.plane, err,
					 sizeof(err));
		if (run.control)
			run.wait[CONTROL].fd = control_fd(run.control);
		code = e ? fail(e, *err ? err : strerror(-e)) : run_plane(&run);
	}
	end(&run);
	return args_finish(code);
}
