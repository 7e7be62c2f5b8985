/* SPDX-License-Identifier: MIT */
/*
 * The path from receive to application, with two workers, while everything that decides a flow's
 * CPU changes: no flow is processed out of order, or by two CPUs at once, and no packet is lost.
 */
#include "numbered.h"

#include "rxfh.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum {
	SMALLS = 1500,	/* a worker's packets: both workers' fit into one backlog */
	CHANGES = 1000, /* of configuration */
	MOVES = 3000,	/* flows that must have changed CPU meanwhile, at least */
	KICKS = 400,	/* of a port that sleeps in between */
};

static struct plane plane;
static struct rng rng;

static void change_rps(struct conf *c)
{
	struct leat_rps_map *map = &c->port[0].rxq[rng_below(&rng, QUEUES)].rps;
	uint32_t set = rng_below(&rng, 1 << CPUS);

	map->len = 0;
	for (unsigned i = 0; i < CPUS; i++) {
		if (set >> i & 1)
			map->cpus[map->len++] = numbered.cpu[i];
	}
}

static void change_flow_cnt(struct conf *c)
{
	static const uint32_t sizes[] = {0, 1, 16, 256, 4096};

	assert_int_equal(conf_set_flow_cnt(c, 0, rng_below(&rng, QUEUES),
					   sizes[rng_below(&rng, COUNT(sizes))]),
			 0);
}

static void change_sock(struct conf *c)
{
	static const uint32_t sizes[] = {0, 16, 1024};

	assert_int_equal(
		conf_set_sock_flow_entries(c, sizes[rng_below(&rng, COUNT(sizes))], plane.n_cpus),
		0);
}

static void change_affinity(struct conf *c)
{
	c->port[0].rxq[rng_below(&rng, QUEUES)].cpu = numbered.cpu[rng_below(&rng, CPUS)];
}

static void change_rss(struct conf *c)
{
	uint8_t key[LEAT_RSS_KEY_MIN];
	struct leat_rss_conf rss = {.key = key, .key_len = sizeof(key), .n_queues = QUEUES};
	struct rxfh *made;

	for (unsigned i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)rng_next(&rng);
	assert_int_equal(rxfh_set_context(c->port[0].rxfh, 0, &rss, false, &made), 0);
	conf_set_rxfh(&c->port[0], made);
}

static void change_features(struct conf *c)
{
	static const uint32_t bits[] = {CONF_RX_GRO, CONF_RX_UDP_GRO_FWD, CONF_RX_HASH};

	c->port[0].rx ^= bits[rng_below(&rng, COUNT(bits))];
}

static void change_timeout(struct conf *c)
{
	c->port[0].gro_flush_timeout = rng_below(&rng, 2) * 50000;
}

static void change_batch(struct conf *c)
{
	c->gro_normal_batch = 1 + rng_below(&rng, 100);
}

static void change_flow_limit(struct conf *c)
{
	c->flow_limit_table_len = 1u << rng_below(&rng, 6);
	for (unsigned i = 0; i < CPUS; i++)
		assert_int_equal(conf_set_flow_limit(c, i, rng_once_in(&rng, 2)), 0);
}

static void change_backlog(struct conf *c)
{
	c->max_backlog = rng_below(&rng, 100);
}

static void raise_backlog(struct conf *c)
{
	c->max_backlog = CPUS * SMALLS;
}

static void change(void (*how)(struct conf *))
{
	struct conf *c;

	pthread_mutex_lock(&plane.conf_lock);
	c = conf_copy(plane.conf);
	assert_non_null(c);
	how(c);
	plane_publish(&plane, c);
	pthread_mutex_unlock(&plane.conf_lock);
}

static void pause_for(long ns)
{
	nanosleep(&(struct timespec){0, ns}, NULL);
}

static uint64_t count(size_t member)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < CPUS; i++)
		n += stat_read((const uint64_t *)((char *)&plane.worker[i].stats + member));
	return n;
}

/* Also of what chance may leave out: flows over their limit. */
static bool enough(unsigned changes, bool drops)
{
	return changes >= CHANGES && count(offsetof(struct worker_stats, flow_moves)) >= MOVES &&
	       (!drops || count(offsetof(struct worker_stats, flow_limit_count)) > 0);
}

/* Random changes, some kinds more often; the last two make drops. */
static void change_all(bool drops)
{
	static void (*const how[])(struct conf *) = {
		change_rps,	change_rps,	 change_affinity,   change_affinity,
		change_sock,	change_flow_cnt, change_rss,	    change_features,
		change_timeout, change_batch,	 change_flow_limit, change_backlog,
	};

	for (unsigned i = 0; !enough(i, drops); i++) {
		change(how[rng_below(&rng, COUNT(how) - (drops ? 0 : 2))]);
		kick();
		if (rng_once_in(&rng, 2))
			pause_for(1 + (long)rng_below(&rng, 1000000));
	}
}

static void begin(void)
{
	struct port_args port = {.name = "test", .kind = "test", .ops = &numbered_port};
	struct plane_args args = {
		.cpus = numbered.cpu,
		.n_cpus = CPUS,
		.port = &port,
		.n_ports = 1,
		.app_ops = &numbered_app,
		.smalls = SMALLS,
		.bigs = 1,
	};
	char err[200] = "";

	numbered_init(&rng);
	if (plane_open(&plane, &args, err, sizeof(err)) || plane_start(&plane, err, sizeof(err)))
		fail_msg("%s", err);
}

static unsigned left_in_pool(struct pool *p)
{
	unsigned n = 0;

	while (pool_small(p))
		n++;
	return n;
}

/* After plane_stop(): how many packets were dropped because a backlog was full. */
static uint64_t count_dropped(void)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < CPUS; i++) {
		for (unsigned j = 0; j < CPUS; j++)
			n += plane.worker[i].stage[numbered.cpu[j]].dropped;
	}
	return n;
}

/* Everything was processed, or was dropped and counted; and has been given back. */
static void account(bool drops)
{
	uint64_t sent = 0, segments = 0, lost = 0, dropped = count_dropped();

	for (unsigned i = 0; i < FLOWS; i++) {
		sent += numbered.flow[i].sent;
		lost += numbered.flow[i].sent - numbered.flow[i].next;
	}
	for (unsigned i = 0; i < CPUS; i++) {
		segments += numbered.seen[i].segments;
		lost += numbered.seen[i].gaps;
		assert_int_equal(numbered.seen[i].late, 0);
		assert_int_equal(numbered.seen[i].overlaps, 0);
		assert_int_equal(numbered.seen[i].strange, 0);
		assert_int_equal(left_in_pool(&plane.worker[i].pool), SMALLS);
	}
	printf("%ju sent, %ju lost in %ju drops\n", (uintmax_t)sent, (uintmax_t)lost,
	       (uintmax_t)dropped);
	assert_true(drops == (count(offsetof(struct worker_stats, flow_limit_count)) > 0));
	assert_int_equal(segments + lost, sent);
	assert_true(drops ? lost >= dropped : lost + dropped == 0);
	assert_true(drops == (dropped > 0));
}

/* Turns that the workers made in a twentieth of a second. */
static uint64_t count_turns(void)
{
	uint64_t before = count(offsetof(struct worker_stats, turns));

	pause_for(50000000);
	return count(offsetof(struct worker_stats, turns)) - before;
}

/* The port falls silent: what is underway is processed and the workers go to sleep, without being
 * told to by anyone. If they do not, the alarm rings. */
static void fall_silent(void)
{
	bool rest = false;

	__atomic_store_n(&numbered.mode, SILENT, __ATOMIC_RELAXED);
	while (!rest) {
		rest = count_turns() <= 10;
		for (unsigned i = 0; i < CPUS; i++)
			rest = rest && ring_len(&plane.worker[i].backlog) == 0;
	}
}

static void run(bool drops)
{
	begin();
	change(raise_backlog);
	change_all(drops);
	fall_silent();
	plane_stop(&plane);
	for (unsigned i = 0; i < CPUS; i++) {
		const struct worker_stats *s = &plane.worker[i].stats;

		printf("cpu %u: %ju processed, %ju sent to another, %ju flows moved, slept %ju "
		       "times\n",
		       numbered.cpu[i], (uintmax_t)s->processed, (uintmax_t)s->hops,
		       (uintmax_t)s->flow_moves, (uintmax_t)s->sleeps);
		assert_true(s->processed > 0 && s->hops > 0);
	}
	account(drops);
	plane_close(&plane);
}

static void test_changes(void **state)
{
	rng = rng_start("steer");
	run(false);
}

static void test_changes_and_drops(void **state)
{
	rng = rng_start("steer");
	run(true);
}

/* A fence behind which nothing waits keeps nobody awake. */
static void test_silence(void **state)
{
	rng = rng_start("steer");
	begin();
	change(change_rps);
	fall_silent();
	change(change_rss);
	change(change_flow_cnt);
	fall_silent();
	plane_stop(&plane);
	account(false);
	plane_close(&plane);
}

static void change_to_hop(struct conf *c)
{
	for (unsigned i = 0; i < QUEUES; i++) {
		c->port[0].rxq[i].cpu = numbered.cpu[0];
		c->port[0].rxq[i].rps = (struct leat_rps_map){.len = 1, .cpus = {numbered.cpu[1]}};
	}
}

/* A worker that sleeps is woken for what another puts in its backlog. */
static void test_wake(void **state)
{
	rng = rng_start("steer");
	begin();
	__atomic_store_n(&numbered.mode, BATCHES, __ATOMIC_RELAXED);
	change(change_to_hop);
	for (unsigned i = 0; i < KICKS; i++) {
		kick();
		pause_for((long)rng_below(&rng, 300000));
		while (ring_len(&plane.worker[1].backlog) > 0) /* if for ever, the alarm rings */
			sched_yield();
	}
	fall_silent();
	plane_stop(&plane);
	account(false);
	plane_close(&plane);
}

/* The first CPUs this process may use. */
static bool find_cpus(void)
{
	unsigned n = 0;
	cpu_set_t set;

	sched_getaffinity(0, sizeof(set), &set);
	for (uint16_t cpu = 0; cpu < CPU_SETSIZE && n < CPUS; cpu++) {
		if (CPU_ISSET(cpu, &set))
			numbered.cpu[n++] = cpu;
	}
	return n == CPUS;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_changes_and_drops),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_wake),
	};

	if (!find_cpus()) {
		printf("two CPUs are needed\n");
		return 77;
	}
	alarm(100); /* a hang is a failure */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
