/* SPDX-License-Identifier: MIT */
/*
 * stub_plane.h - a plane whose one port "p", of two queues, and whose application are stubs: a test
 * puts functions of its own into stub_port and stub_app.
 */
#ifndef LEAT_TESTS_STUB_PLANE_H
#define LEAT_TESTS_STUB_PLANE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "knob.h"
#include "plane.h"

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { STUB_QUEUES = 2 };

static struct plane plane;
static int stub_fd[STUB_QUEUES];

static int stub_open(struct port *port, const struct port_args *args, char *err, size_t err_len)
{
	port->rxqs = port->txqs = STUB_QUEUES;
	for (unsigned q = 0; q < STUB_QUEUES; q++)
		stub_fd[q] = eventfd(0, EFD_NONBLOCK);
	return 0;
}

static int stub_up(struct port *port, char *err, size_t err_len)
{
	return 0;
}

static void stub_close(struct port *port)
{
	for (unsigned q = 0; q < STUB_QUEUES; q++)
		close(stub_fd[q]);
}

static int stub_get_fd(const struct port *port, unsigned q)
{
	return stub_fd[q];
}

static int stub_open_app(struct plane *p, const char *args, char *err, size_t err_len)
{
	return 0;
}

static struct port_ops stub_port = {
	.kind = "stub", .open = stub_open, .up = stub_up, .close = stub_close, .fd = stub_get_fd};
static struct app_ops stub_app = {.name = "stub", .open = stub_open_app};

/* Open `plane` on these CPUs; nothing runs yet. smalls: as plane_args has it. */
static inline void stub_plane_open(const uint16_t *cpus, unsigned n_cpus, uint32_t smalls)
{
	const struct port_args port = {.name = "p", .ops = &stub_port};
	const struct plane_args args = {.cpus = cpus,
					.n_cpus = n_cpus,
					.port = &port,
					.n_ports = 1,
					.app_ops = &stub_app,
					.smalls = smalls};
	char err[256];

	if (plane_open(&plane, &args, err, sizeof(err)))
		fail_msg("%s", err);
}

/* Likewise on the CPU that the test is on, which it can run on. */
static inline void stub_plane_open_here(void)
{
	const uint16_t cpu = (uint16_t)sched_getcpu();

	stub_plane_open(&cpu, 1, 0);
}

static inline void stub_plane_start(void)
{
	char err[256];

	if (plane_start(&plane, err, sizeof(err)))
		fail_msg("%s", err);
}

static inline void set(const char *path, const char *value)
{
	char err[256];

	if (knob_set(&plane, path, value, err, sizeof(err)))
		fail_msg("%s", err);
}

#endif
