/* SPDX-License-Identifier: MIT */
/*
 * Two ways for packets to change CPU: one ring per destination CPU that many may fill (plane/ring.h),
 * or one ring per receive queue and destination CPU that one fills, with and without a bitmap of
 * those that are not empty. Between two real CPUs; and between 64 that one thread plays in turn,
 * which shows instructions and cache footprint, but not what a cache line costs that changes hands.
 * See doc/decisions/ring.md.
 */
#include "plane/ring.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	CPUS = 64, /* and as many queues */
	BATCH = 32,
	ROOM = 1024, /* a ring has to take a full backlog */
	REPEATS = 7, /* the lower quartile counts: neighbours on the machine only slow down */
};

#define TIME_NS 20000000 /* of one measurement */

/* --- the other design: one producer, one consumer, free-running counters, peek and release --- */

struct spsc {
	_Alignas(64) uint32_t tail; /* the producer's, as what follows */
	uint32_t seen_head;
	_Alignas(64) uint32_t head; /* the consumer's */
	uint32_t seen_tail;
	_Alignas(64) struct leat_pkt *slot[ROOM];
};

static inline unsigned spsc_enqueue(struct spsc *r, struct leat_pkt *const *pkts, unsigned n)
{
	uint32_t at = r->tail;

	if (ROOM - (at - r->seen_head) < n) {
		r->seen_head = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);
		if (ROOM - (at - r->seen_head) < n)
			n = ROOM - (at - r->seen_head);
	}
	for (unsigned i = 0; i < n; i++)
		r->slot[(at + i) % ROOM] = pkts[i];
	__atomic_store_n(&r->tail, at + n, __ATOMIC_RELEASE);
	return n;
}

static inline unsigned spsc_peek(struct spsc *r, struct leat_pkt **pkts, unsigned n)
{
	if (r->seen_tail == r->head)
		r->seen_tail = __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE);
	if (n > r->seen_tail - r->head)
		n = r->seen_tail - r->head;
	for (unsigned i = 0; i < n; i++)
		pkts[i] = r->slot[(r->head + i) % ROOM];
	return n;
}

static inline void spsc_release(struct spsc *r, unsigned n)
{
	__atomic_store_n(&r->head, r->head + n, __ATOMIC_RELEASE);
}

/* --- designs: how a queue sends to a CPU, how a CPU polls; batches go through a pointer so that
 * neither is favoured --- */

struct design {
	const char *name;
	void (*make)(unsigned n);
	unsigned (*send)(unsigned queue, unsigned cpu, struct leat_pkt *const *pkts, unsigned n);
	unsigned (*poll)(unsigned cpu);
};

static unsigned cpus; /* in use: as many queues */
static struct ring *shared;
static struct spsc *pairs; /* [cpu][queue] */
static struct {
	_Alignas(64) uint64_t bits;
} * filled; /* of each CPU: queues that sent it something */
static volatile uintptr_t sink;

static void use(struct leat_pkt *const *pkts, unsigned n)
{
	uintptr_t sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += (uintptr_t)pkts[i];
	sink = sum;
}

static void make_shared(unsigned n)
{
	for (unsigned i = 0; i < CPUS && shared; i++)
		ring_fini(&shared[i]);
	free(shared);
	shared = aligned_alloc(64, CPUS * sizeof(*shared));
	for (unsigned i = 0; shared && i < CPUS; i++) {
		if (ring_init(&shared[i], ROOM))
			exit(1);
	}
	cpus = n;
}

static unsigned send_shared(unsigned queue, unsigned cpu, struct leat_pkt *const *pkts, unsigned n)
{
	uint32_t tail;

	(void)queue;
	return ring_enqueue(&shared[cpu], pkts, n, ROOM, &tail);
}

static unsigned poll_shared(unsigned cpu)
{
	struct leat_pkt *pkts[BATCH];
	unsigned n, all = 0;

	while ((n = ring_peek(&shared[cpu], pkts, BATCH)) > 0) {
		use(pkts, n);
		ring_release(&shared[cpu], n);
		all += n;
	}
	return all;
}

static void make_pairs(unsigned n)
{
	free(pairs);
	free(filled);
	pairs = aligned_alloc(64, sizeof(*pairs) * CPUS * CPUS);
	filled = aligned_alloc(64, sizeof(*filled) * CPUS);
	if (!pairs || !filled)
		exit(1);
	memset(pairs, 0, sizeof(*pairs) * CPUS * CPUS);
	memset(filled, 0, sizeof(*filled) * CPUS);
	cpus = n;
}

static unsigned send_pairs(unsigned queue, unsigned cpu, struct leat_pkt *const *pkts, unsigned n)
{
	return spsc_enqueue(&pairs[cpu * CPUS + queue], pkts, n);
}

static unsigned poll_pair(unsigned cpu, unsigned queue)
{
	struct spsc *r = &pairs[cpu * CPUS + queue];
	struct leat_pkt *pkts[BATCH];
	unsigned n, all = 0;

	while ((n = spsc_peek(r, pkts, BATCH)) > 0) {
		use(pkts, n);
		spsc_release(r, n);
		all += n;
	}
	return all;
}

static unsigned poll_pairs(unsigned cpu)
{
	unsigned n = 0;

	for (unsigned q = 0; q < cpus; q++)
		n += poll_pair(cpu, q);
	return n;
}

static unsigned send_marked(unsigned queue, unsigned cpu, struct leat_pkt *const *pkts, unsigned n)
{
	n = send_pairs(queue, cpu, pkts, n);
	__atomic_fetch_or(&filled[cpu].bits, UINT64_C(1) << queue, __ATOMIC_ACQ_REL);
	return n;
}

static unsigned poll_marked(unsigned cpu)
{
	uint64_t bits = __atomic_load_n(&filled[cpu].bits, __ATOMIC_RELAXED);
	unsigned n = 0;

	if (bits)
		bits = __atomic_exchange_n(&filled[cpu].bits, 0, __ATOMIC_ACQ_REL);
	for (; bits; bits &= bits - 1)
		n += poll_pair(cpu, (unsigned)__builtin_ctzll(bits));
	return n;
}

static const struct design designs[] = {
	{"one per cpu", make_shared, send_shared, poll_shared},
	{"one per pair", make_pairs, send_pairs, poll_pairs},
	{"pair+bitmap", make_pairs, send_marked, poll_marked},
};

enum { DESIGNS = sizeof(designs) / sizeof(designs[0]) };

/* --- measuring --- */

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* A row: designs take turns, so that a disturbance meets all. */
static void row(const char *what, double (*measure)(const struct design *, unsigned),
		unsigned parameter)
{
	double figure[DESIGNS][REPEATS];

	for (unsigned i = 0; i < REPEATS; i++) {
		for (unsigned d = 0; d < DESIGNS; d++)
			figure[d][i] = measure(&designs[d], parameter);
	}
	printf("  %-44s", what);
	for (unsigned d = 0; d < DESIGNS; d++) {
		qsort(figure[d], REPEATS, sizeof(double), compare);
		printf(" %12.1f", figure[d][REPEATS / 4]);
	}
	printf("\n");
	fflush(stdout);
}

static struct leat_pkt packet[BATCH], *batch[BATCH];

/* --- two CPUs --- */

/* Where CPU 0 and CPU 1 send: each other, or both CPU 0. Only one way: CPU 1 just polls. */
enum mode { ONE_WAY, BOTH_WAYS, TO_ONE };

static const struct design *using;
static unsigned size, at_once;
static enum mode mode;
static bool stop; /* atomic */
static uint16_t place[2];

static void pin(unsigned i)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(place[i], &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static bool stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

static void *other_cpu(void *arg)
{
	(void)arg;
	pin(1);
	while (!stopped()) {
		if (mode != ONE_WAY)
			using->send(1, 0, batch, size);
		using->poll(1);
	}
	return NULL;
}

static double stream(const struct design *d, unsigned n)
{
	uint64_t start, end, sent = 0, received = 0;
	unsigned to = mode == TO_ONE ? 0 : 1;
	pthread_t thread;

	d->make(2);
	using = d;
	size = n;
	stop = false;
	if (pthread_create(&thread, NULL, other_cpu, NULL))
		exit(1);
	pin(0);
	start = now();
	do {
		for (unsigned i = 0; i < 256; i++) {
			sent += d->send(0, to, batch, n);
			if (mode != ONE_WAY)
				received += d->poll(0);
		}
		end = now();
	} while (end - start < TIME_NS);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	return (double)(end - start) / (double)(mode == TO_ONE ? received : sent + received);
}

static void *echo(void *arg)
{
	(void)arg;
	pin(1);
	while (!stopped()) {
		unsigned n = using->poll(1);

		if (n)
			using->send(1, 0, batch, n);
	}
	return NULL;
}

/* There and back, halved: from the beginning of the enqueue until the last was taken. */
static double hop(const struct design *d, unsigned n)
{
	uint64_t start, end, rounds = 0;
	pthread_t thread;

	d->make(2);
	using = d;
	stop = false;
	if (pthread_create(&thread, NULL, echo, NULL))
		exit(1);
	pin(0);
	start = now();
	do {
		for (unsigned i = 0; i < 64; i++, rounds++) {
			unsigned back = 0;

			d->send(0, 1, batch, n);
			while (back < n)
				back += d->poll(0);
		}
		end = now();
	} while (end - start < TIME_NS);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	return (double)(end - start) / (double)rounds / 2;
}

/* --- 64 CPUs in one thread --- */

static uint64_t random_state = 1;

static uint32_t random_below(uint32_t n)
{
	random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)((random_state >> 32) * n >> 32);
}

/* A turn of each CPU: its queue gives `at_once` times `size` packets, each time for another CPU
 * drawn beforehand; then it polls. */
static double turns(const struct design *d, unsigned n)
{
	static uint8_t to[1 << 16];
	uint64_t start, end, turn = 0, packets = 0, draw = 0;

	for (unsigned i = 0; i < sizeof(to); i++)
		to[i] = (uint8_t)random_below(CPUS);
	d->make(CPUS);
	start = now();
	do {
		for (unsigned cpu = 0; cpu < CPUS; cpu++, turn++) {
			for (unsigned i = 0; i < at_once; i++)
				d->send(cpu, to[draw++ % sizeof(to)], batch, n);
			packets += d->poll(cpu);
		}
		end = now();
	} while (end - start < TIME_NS);
	return (double)(end - start) / (double)(packets ? packets : turn);
}

static void turns_row(const char *what, unsigned times, unsigned n)
{
	at_once = times;
	row(what, turns, n);
}

static void stream_row(const char *what, enum mode m, unsigned n)
{
	mode = m;
	row(what, stream, n);
}

static bool find_places(void)
{
	unsigned n = 0;
	cpu_set_t set;

	sched_getaffinity(0, sizeof(set), &set);
	for (uint16_t cpu = 0; cpu < CPU_SETSIZE && n < 2; cpu++) {
		if (CPU_ISSET(cpu, &set))
			place[n++] = cpu;
	}
	return n == 2;
}

static void print_memory(void)
{
	double ring = sizeof(struct ring) + ROOM * sizeof(struct leat_pkt *);
	double pair = sizeof(struct spsc);

	printf("\nmemory, KB: rings of %u slots\n", ROOM);
	printf("  %-44s %12.0f %12.0f %12.0f\n", "2 queues, 2 CPUs", 2 * ring / 1024,
	       4 * pair / 1024, (4 * pair + 2 * 64) / 1024);
	printf("  %-44s %12.0f %12.0f %12.0f\n", "64 queues, 64 CPUs", CPUS * ring / 1024,
	       CPUS * CPUS * pair / 1024, (CPUS * CPUS * pair + CPUS * 64.0) / 1024);
}

int main(void)
{
	for (unsigned i = 0; i < BATCH; i++)
		batch[i] = &packet[i];
	printf("%-46s %12s %12s %12s\n", "ns", designs[0].name, designs[1].name, designs[2].name);
	if (find_places()) {
		printf("two CPUs, two threads\n");
		stream_row("one way, batches of 32: per packet", ONE_WAY, 32);
		stream_row("both ways, batches of 32: per packet", BOTH_WAYS, 32);
		stream_row("both ways, single packets: per packet", BOTH_WAYS, 1);
		stream_row("both to one, batches of 32: per packet", TO_ONE, 32);
		stream_row("both to one, single packets: per packet", TO_ONE, 1);
		row("latency of a batch of 32", hop, 32);
		row("latency of one packet", hop, 1);
		pin(0);
	}
	printf("64 queues, 64 CPUs, one thread\n");
	turns_row("nothing comes: per turn of a CPU", 0, 0);
	turns_row("1 packet per turn: per packet", 1, 1);
	turns_row("4 packets, 4 CPUs: per packet", 4, 1);
	turns_row("32 packets, 32 CPUs: per packet", 32, 1);
	turns_row("32 packets, 4 CPUs: per packet", 4, 8);
	turns_row("32 packets, 1 CPU: per packet", 1, 32);
	print_memory();
	return 0;
}
