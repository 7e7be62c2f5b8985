/* SPDX-License-Identifier: MIT */
/*
 * knob_plane.h - a plane made by hand that does not run, and its knobs.
 */
#ifndef LEAT_TESTS_KNOB_PLANE_H
#define LEAT_TESTS_KNOB_PLANE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "knob.h"
#include "plane.h"

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { CPUS = 40, ROOM = 4096 };

static struct plane plane;
static struct worker *workers;
static struct worker *on_cpu[CPUS];
static struct rxq rxqs[2][4]; /* as a running plane has them */
static uint16_t app_cpu;

/* CPUs 0 to 3 and 39 have workers. */
static const uint16_t worker_cpu[] = {0, 1, 2, 3, 39};

static int use_app(struct plane *p, const char *path, const char *value, char *text, size_t size)
{
	if (strcmp(path, "threads/0/cpu") != 0)
		return -ENOENT;
	if (!value)
		snprintf(text, size, "%u", app_cpu);
	else if (strcmp(value, "2") != 0)
		return -EINVAL;
	else
		app_cpu = 2;
	return 0;
}

static bool name_app(struct plane *p, unsigned i, char *path, size_t size)
{
	snprintf(path, size, "threads/%u/cpu", i);
	return i == 0;
}

static const struct app_ops app = {.name = "mine", .knob = use_app, .knob_path = name_app};
static const struct port_ops port_able = {.kind = "able"}, port_plain = {.kind = "plain"};

static void make_port(const char *name, const struct port_ops *ops, unsigned queues, uint32_t gso,
		      uint32_t features)
{
	struct port *port = &plane.port[plane.n_ports];

	snprintf(port->name, sizeof(port->name), "%s", name);
	port->ops = ops;
	port->index = plane.n_ports++;
	port->rxqs = port->txqs = queues;
	plane.rxq[port->index] = rxqs[port->index];
	port->gso = gso;
	port->features = features;
}

static int make_plane(void **state)
{
	memset(&plane, 0, sizeof(plane));
	pthread_mutex_init(&plane.conf_lock, NULL);
	workers = calloc(COUNT(worker_cpu), sizeof(*workers));
	plane.worker = workers;
	plane.n_workers = COUNT(worker_cpu);
	plane.n_cpus = CPUS;
	plane.on_cpu = on_cpu;
	for (unsigned i = 0; i < COUNT(worker_cpu); i++) {
		workers[i].cpu = worker_cpu[i];
		workers[i].backlog.mask = ROOM - 1;
		on_cpu[worker_cpu[i]] = &workers[i];
	}
	plane.app = &app;
	app_cpu = 0;
	make_port("left", &port_able, 4,
		  LEAT_GSO_TCPV4 | LEAT_GSO_TCPV6 | LEAT_GSO_TCP_ECN | LEAT_GSO_UDP_L4,
		  PORT_TX_CSUM | PORT_SG | PORT_RX_TRUST);
	make_port("right", &port_plain, 1, 0, 0);
	plane.conf = conf_default(&plane);
	return plane.conf ? 0 : -1;
}

static int free_plane(void **state)
{
	conf_free(plane.conf, NULL);
	free(workers);
	pthread_mutex_destroy(&plane.conf_lock);
	return 0;
}

struct row {
	const char *path, *value;
	int err;
	const char *back; /* how it reads then; where refused, a part of the message */
};

static void check(const struct row *row)
{
	char text[KNOB_TEXT_MAX], before[KNOB_TEXT_MAX], err[1024] = "";
	const struct conf *conf = plane.conf;
	int error;

	print_message("%s=%s\n", row->path, row->value);
	*before = 0;
	knob_get(&plane, row->path, before, sizeof(before), err, sizeof(err));
	error = knob_set(&plane, row->path, row->value, err, sizeof(err));
	assert_int_equal(error, row->err);
	if (error) {
		print_message("    %s\n", err);
		assert_ptr_equal(plane.conf, conf);
		assert_non_null(strstr(err, row->path));
		assert_non_null(strstr(err, row->back));
	}
	if (error == -ENOENT)
		return;
	assert_int_equal(knob_get(&plane, row->path, text, sizeof(text), err, sizeof(err)), 0);
	assert_string_equal(text, error ? before : row->back);
}

static void check_all(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check(&rows[i]);
}

static void expect(const char *path, const char *value)
{
	char text[KNOB_TEXT_MAX], err[256];

	assert_int_equal(knob_get(&plane, path, text, sizeof(text), err, sizeof(err)), 0);
	assert_string_equal(text, value);
}

#define test(name) cmocka_unit_test_setup_teardown(name, make_plane, free_plane)

#endif
