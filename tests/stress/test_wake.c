/* SPDX-License-Identifier: MIT */
/* Sleeping and waking: work made visible before wake_up() never finds its sleeper asleep. */
#include "plane/wake.h"
#include "rng.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { ROUNDS = 200000, WAKERS = 3, PER_WAKER = 100000, LATE = 2000 /* ms */ };

/* Someone who sleeps until there is work. */
struct sleeper {
	struct wake wake;
	uint32_t work; /* atomic: ever given */
	uint32_t seen;
	uint32_t slept, lost;
};

static bool has_work(const struct sleeper *s)
{
	return __atomic_load_n(&s->work, __ATOMIC_RELAXED) != s->seen;
}

/* As a worker does it: arm, look once more, sleep. */
static void rest(struct sleeper *s)
{
	struct pollfd fd = {.fd = s->wake.fd, .events = POLLIN};

	wake_arm(&s->wake);
	if (!has_work(s)) {
		s->slept++;
		if (poll(&fd, 1, LATE) == 0 && has_work(s))
			s->lost++;
		wake_drain(&s->wake);
	}
	wake_disarm(&s->wake);
}

static bool give(struct sleeper *s)
{
	__atomic_fetch_add(&s->work, 1, __ATOMIC_RELAXED);
	return wake_up(&s->wake);
}

/* A short time, so that arming and waking meet at every point. */
static void dawdle(struct rng *rng)
{
	for (volatile uint32_t i = rng_below(rng, 100); i > 0; i--)
		;
}

static void init(struct sleeper *s)
{
	*s = (struct sleeper){.work = 0};
	assert_int_equal(wake_init(&s->wake), 0);
}

static void test_states(void **state)
{
	struct sleeper s;
	eventfd_t n;

	init(&s);
	assert_false(wake_up(&s.wake)); /* awake: nothing is written */
	assert_int_equal(eventfd_read(s.wake.fd, &n), -1);
	wake_arm(&s.wake);
	assert_true(wake_up(&s.wake));
	assert_false(wake_up(&s.wake)); /* once is enough */
	assert_int_equal(eventfd_read(s.wake.fd, &n), 0);
	assert_int_equal(n, 1);
	wake_arm(&s.wake);
	wake_disarm(&s.wake);
	assert_false(wake_up(&s.wake));
	wake_fini(&s.wake);
	assert_int_equal(s.wake.fd, -1);
	wake_fini(&s.wake);
}

/* Two who meet at the beginning of each round, on CPUs of their own if there are two: one gives
 * while the other arms. */
struct meeting {
	struct sleeper s;
	uint64_t seed[2];
	uint32_t round; /* atomic: begun */
	uint32_t done;	/* atomic */
};

static void wait_for(const uint32_t *counter, uint32_t value)
{
	for (unsigned i = 0; __atomic_load_n(counter, __ATOMIC_ACQUIRE) != value; i++) {
		if (i % 1024 == 1023)
			sched_yield();
	}
}

/* Put the calling thread on the n-th of the CPUs it may use; where there is none, leave it. */
static void pin(unsigned n)
{
	cpu_set_t may, one;

	sched_getaffinity(0, sizeof(may), &may);
	for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &may) || n-- > 0)
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		sched_setaffinity(0, sizeof(one), &one);
		return;
	}
}

static void *sleep_each_round(void *arg)
{
	struct meeting *m = arg;
	struct rng rng = {m->seed[0]};

	pin(1);
	for (uint32_t i = 1; i <= ROUNDS; i++) {
		wait_for(&m->round, i);
		dawdle(&rng);
		while (!has_work(&m->s))
			rest(&m->s);
		m->s.seen++;
		__atomic_store_n(&m->done, i, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void *wake_each_round(void *arg)
{
	struct meeting *m = arg;
	struct rng rng = {m->seed[1]};

	pin(0);
	for (uint32_t i = 1; i <= ROUNDS; i++) {
		__atomic_store_n(&m->round, i, __ATOMIC_RELEASE);
		dawdle(&rng);
		give(&m->s);
		wait_for(&m->done, i);
	}
	return NULL;
}

static void test_meeting(void **state)
{
	struct rng rng = rng_start("wake");
	struct meeting m = {.seed = {rng_next(&rng), rng_next(&rng)}};
	pthread_t one, two;

	init(&m.s);
	assert_int_equal(pthread_create(&one, NULL, sleep_each_round, &m), 0);
	assert_int_equal(pthread_create(&two, NULL, wake_each_round, &m), 0);
	pthread_join(one, NULL);
	pthread_join(two, NULL);
	printf("%d rounds: slept %u times\n", ROUNDS, m.s.slept);
	assert_int_equal(m.s.lost, 0);
	wake_fini(&m.s.wake);
}

struct waker {
	pthread_t thread;
	struct sleeper *s;
	struct rng rng;
	uint32_t woke;
};

static void *wake_often(void *arg)
{
	struct waker *w = arg;

	for (unsigned i = 0; i < PER_WAKER; i++) {
		w->woke += give(w->s);
		dawdle(&w->rng);
	}
	return NULL;
}

/* Whoever comes first wakes it, the others need not. */
static void test_wakers(void **state)
{
	struct rng rng = rng_start("wake");
	struct waker w[WAKERS] = {{0}};
	struct sleeper s;
	uint32_t woke = 0;

	init(&s);
	for (unsigned i = 0; i < WAKERS; i++) {
		w[i] = (struct waker){.s = &s, .rng = {rng_next(&rng)}};
		assert_int_equal(pthread_create(&w[i].thread, NULL, wake_often, &w[i]), 0);
	}
	while (s.seen < WAKERS * PER_WAKER) {
		while (!has_work(&s))
			rest(&s);
		s.seen = __atomic_load_n(&s.work, __ATOMIC_RELAXED);
		dawdle(&rng);
	}
	for (unsigned i = 0; i < WAKERS; i++) {
		pthread_join(w[i].thread, NULL);
		woke += w[i].woke;
	}
	printf("%d wakers, %d times each: slept %u times, woken %u\n", WAKERS, PER_WAKER, s.slept,
	       woke);
	assert_int_equal(s.lost, 0);
	assert_true(woke <= WAKERS * PER_WAKER);
	wake_fini(&s.wake);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_meeting),
		cmocka_unit_test(test_wakers),
	};

	alarm(100); /* a hang is a failure */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
