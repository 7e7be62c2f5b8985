/* SPDX-License-Identifier: MIT */
/*
 * Configurations published while others read them. Every part of a value says its generation, in
 * memory of its own where the value has such: a value that changes while in use, or is freed, does
 * not say the same any more, and the sanitizers see it.
 */
#include "plane/plane.h"
#include "plane/rxfh.h"
#include "rng.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { READERS = 3, RXQS = 2, VALUES = 1500, LATE = 2000 /* ms */ };

struct thread {
	pthread_t thread;
	unsigned id;
	struct plane *plane;
	struct reader reader;
	struct rng rng;
	bool *stop; /* atomic */
	uint32_t values, slept, late, backwards, inconsistent;
};

/* Write the value's generation wherever it can be. */
static void sign(struct conf *c, struct rng *rng)
{
	uint32_t size = UINT32_C(1) << rng_below(rng, 8);

	c->max_backlog = c->generation;
	for (unsigned q = 0; q < RXQS; q++) {
		struct rxq_conf *qc = &c->port[0].rxq[q];

		qc->rps.len = 1;
		qc->rps.cpus[0] = (uint16_t)c->generation;
		if (rng_once_in(rng, 2))
			assert_int_equal(conf_set_flow_cnt(c, 0, q, size), 0);
	}
	if (rng_once_in(rng, 2))
		assert_int_equal(conf_set_sock_flow_entries(c, size, 4), 0);
	c->port[0].gro_flush_timeout = c->generation;
}

/* Look at every part. The flow tables are shared by values, and each is its queue's worker's own
 * to write: reader q is queue q's. */
static bool is_consistent(const struct conf *c, unsigned reader)
{
	bool good = c->max_backlog == c->generation &&
		    c->port[0].gro_flush_timeout == c->generation &&
		    c->port[0].rxfh->use.n_queues == RXQS;

	for (unsigned q = 0; q < RXQS; q++) {
		const struct rxq_conf *qc = &c->port[0].rxq[q];

		good = good && qc->rps.cpus[0] == (uint16_t)c->generation;
		good = good && (!qc->rps_flow_cnt || qc->rps_flow_cnt == 1u << qc->flows.bits);
		if (q == reader)
			qc->flows.flows[(1u << qc->flows.bits) - 1].last_qtail++;
	}
	leat_rfs_record(&c->sock, c->generation | 1, 3);
	return good && c->sock.size == c->rps_sock_flow_entries;
}

/* As a worker does it: arm, look once more, sleep. */
static void rest(struct thread *t, const struct conf *c)
{
	struct pollfd fd = {.fd = t->reader.wake.fd, .events = POLLIN};

	wake_arm(&t->reader.wake);
	if (__atomic_load_n(&t->plane->conf, __ATOMIC_RELAXED) == c &&
	    !__atomic_load_n(t->stop, __ATOMIC_RELAXED)) {
		t->slept++;
		t->late += poll(&fd, 1, LATE) == 0;
		wake_drain(&t->reader.wake);
	}
	wake_disarm(&t->reader.wake);
}

static void *read_values(void *arg)
{
	struct thread *t = arg;
	uint32_t generation = 0;

	while (!__atomic_load_n(t->stop, __ATOMIC_ACQUIRE)) {
		const struct conf *c = plane_enter(t->plane, &t->reader);

		t->backwards += c->generation < generation;
		t->values += c->generation != generation;
		generation = c->generation;
		for (unsigned i = rng_below(&t->rng, 50); i > 0; i--)
			t->inconsistent += !is_consistent(c, t->id);
		if (rng_once_in(&t->rng, 200))
			rest(t, c);
	}
	return NULL;
}

/* As much of a plane as configurations need. */
static void begin(struct plane *plane, struct worker *worker)
{
	memset(plane, 0, sizeof(*plane));
	pthread_mutex_init(&plane->conf_lock, NULL);
	plane->n_ports = 1;
	plane->port[0].rxqs = RXQS;
	plane->port[0].txqs = 1;
	plane->worker = worker;
	plane->n_workers = plane->n_cpus = 1;
	plane->conf = conf_default(plane);
	assert_non_null(plane->conf);
}

/* `fail`: the change fails, nothing is to happen. */
static void publish(struct plane *plane, struct rng *rng, bool fail)
{
	struct conf *c;

	pthread_mutex_lock(&plane->conf_lock);
	c = conf_copy(plane->conf);
	assert_non_null(c);
	sign(c, rng);
	if (fail)
		conf_free(c, plane->conf);
	else
		plane_publish(plane, c);
	pthread_mutex_unlock(&plane->conf_lock);
}

static void test_publish(void **state)
{
	static struct plane plane;
	static struct worker worker;
	struct rng rng = rng_start("snapshot");
	struct thread t[READERS] = {{0}};
	bool stop = false;

	begin(&plane, &worker);
	publish(&plane, &rng, false);
	for (unsigned i = 0; i < READERS; i++) {
		t[i] = (struct thread){.id = i, .plane = &plane, .stop = &stop};
		t[i].rng.state = rng_next(&rng);
		assert_int_equal(wake_init(&t[i].reader.wake), 0);
		plane_add_reader(&plane, &t[i].reader);
		assert_int_equal(pthread_create(&t[i].thread, NULL, read_values, &t[i]), 0);
	}
	for (unsigned i = 0; i < VALUES; i++)
		publish(&plane, &rng, rng_once_in(&rng, 10));
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < READERS; i++) {
		wake_up(&t[i].reader.wake);
		pthread_join(t[i].thread, NULL);
		printf("reader %u: %u values, slept %u times\n", i, t[i].values, t[i].slept);
		assert_int_equal(t[i].backwards, 0);
		assert_int_equal(t[i].inconsistent, 0);
		assert_int_equal(t[i].late, 0);
		assert_true(t[i].values > VALUES / 2);
		wake_fini(&t[i].reader.wake);
	}
	conf_free(plane.conf, NULL);
	pthread_mutex_destroy(&plane.conf_lock);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(test_publish)};

	alarm(60); /* a hang is a failure */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
