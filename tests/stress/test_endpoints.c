/* SPDX-License-Identifier: MIT */
/*
 * Endpoints under change: a port sends numbered requests of many flows to threads that answer them,
 * and checks the numbers of the replies, while the threads are moved between the CPUs, RPS, RFS and
 * queues are changed, and other endpoints are opened, bound and closed. The port keeps some
 * requests of each flow under way, so none may be dropped, and each must be answered, in order.
 *
 * What the port keeps of a flow's replies is written without atomics: the thread sanitizer sees two
 * threads that answer one flow at once.
 */
#include "frame.h"
#include "host/endpoint.h"
#include "host/host.h"
#include "plane/knob.h"
#include "plane/plane.h"
#include "rng.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	QUEUES = 2,
	FLOWS = 64,
	WINDOW = 8,
	CPUS = 2,
	ALONE = 2, /* threads with an endpoint of their own, of one group */
	SHARED =
		2, /* threads that share an endpoint: each request of theirs is a flow's only one */
	THREADS = ALONE + SHARED,
	PORT = 7,
	SHARED_PORT = 8,
	OUR_MAC = 0x11,
	UDP_DATA = 42,
	SECONDS = 3,   /* at least, */
	CHANGES = 200, /* and so many */
};

struct flow {
	_Alignas(64) uint32_t sent;    /* the receive queue's worker's */
	_Alignas(64) uint32_t replied; /* atomic: the next reply's number */
	uint32_t next;		       /* who answers: the same */
	uint32_t window;
	struct frame frame;
};

struct server {
	pthread_t thread;
	struct task task;
	struct endpoint *ep;
	uint16_t cpu; /* atomic */
	uint64_t answered;
};

static struct flow flow[FLOWS];
static int fd[QUEUES];
static bool ending, stopped; /* atomic */
static uint64_t wrong;	     /* atomic: replies that are late or malformed */
static struct plane plane;
static struct host *host;
static struct endpoint *shared;
static struct server server[THREADS];
static struct task visitor; /* of who changes things */

static struct leat_pkt *make_request(struct flow *f, struct pool *pool)
{
	struct leat_pkt *pkt = pool_small(pool);

	if (!pkt)
		return NULL;
	frame_build(&f->frame, pkt->data);
	memcpy(pkt->data + UDP_DATA, (uint32_t[]){(uint32_t)(f - flow), f->sent}, 8);
	pkt->len = pkt->headlen = frame_len(&f->frame);
	pkt->csum = LEAT_CSUM_UNNECESSARY;
	f->sent++;
	return pkt;
}

/* Of each flow of the queue what its window has room for, one at a time. */
static int port_receive(struct port *port, unsigned q, struct pool *pool, struct leat_pkt **pkts,
			unsigned n)
{
	unsigned made = 0;
	eventfd_t count;

	eventfd_read(fd[q], &count);
	for (unsigned i = q; i < FLOWS && !__atomic_load_n(&ending, __ATOMIC_RELAXED);
	     i += QUEUES) {
		struct flow *f = &flow[i];

		while (made < n &&
		       f->sent - __atomic_load_n(&f->replied, __ATOMIC_ACQUIRE) < f->window) {
			pkts[made] = make_request(f, pool);
			if (!pkts[made])
				return (int)made;
			made++;
		}
	}
	return (int)made;
}

static void check_reply(const struct port_frame *frame)
{
	uint8_t bytes[128];
	uint32_t word[2], len = 0;
	struct flow *f;

	for (unsigned i = 0; i < frame->niov && frame->len <= sizeof(bytes); i++) {
		memcpy(bytes + len, frame->iov[i].iov_base, frame->iov[i].iov_len);
		len += (uint32_t)frame->iov[i].iov_len;
	}
	memcpy(word, bytes + UDP_DATA, sizeof(word));
	if (len != UDP_DATA + 8 || frame_wrong(bytes, len, false) || word[0] >= FLOWS ||
	    word[1] != flow[word[0]].next) {
		__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
		return;
	}
	f = &flow[word[0]];
	f->next++;
	__atomic_store_n(&f->replied, f->next, __ATOMIC_RELEASE);
	eventfd_write(fd[word[0] % QUEUES], 1);
}

static int port_transmit(struct port *port, unsigned q, struct port_frame *frames, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		check_reply(&frames[i]);
	return (int)n;
}

static int port_open(struct port *port, const struct port_args *args, char *err, size_t err_len)
{
	port->rxqs = port->txqs = QUEUES;
	port->mtu = 1500;
	for (unsigned q = 0; q < QUEUES; q++)
		fd[q] = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
	return 0;
}

static int port_up(struct port *port, char *err, size_t err_len)
{
	return 0;
}

static void port_close(struct port *port)
{
	for (unsigned q = 0; q < QUEUES; q++)
		close(fd[q]);
}

static int port_fd(const struct port *port, unsigned q)
{
	return fd[q];
}

static const struct port_ops requests = {
	.kind = "test",
	.open = port_open,
	.up = port_up,
	.close = port_close,
	.receive = port_receive,
	.transmit = port_transmit,
	.fd = port_fd,
};

static void settle(const struct server *s)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(__atomic_load_n(&s->cpu, __ATOMIC_RELAXED), &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static void *serve(void *arg)
{
	struct server *s = arg;
	struct datagram d[ENDPOINT_BATCH];

	for (;;) {
		int n = endpoint_recv(s->ep, &s->task, d, ENDPOINT_BATCH, -1);

		if (n < 0 && __atomic_load_n(&stopped, __ATOMIC_ACQUIRE))
			return NULL;
		if (n < 0)
			settle(s);
		if (n > 0 && endpoint_send(s->ep, &s->task, d, (unsigned)n) != n)
			__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
		s->answered += n > 0 ? (unsigned)n : 0;
	}
}

static int app_open(struct plane *p, const char *args, char *err, size_t err_len)
{
	const struct addr any = {.port = PORT}, other = {.port = SHARED_PORT};
	int e = 0;

	host = host_new(p);
	assert_non_null(host);
	assert_int_equal(host_add_address(host, "198.51.100.1/24", err, err_len), 0);
	memcpy(host->mac[0], (uint8_t[]){2, 0, 0, 0, 1, OUR_MAC}, 6);
	assert_int_equal(task_init(&visitor, p, 4, 0), 0);
	assert_int_equal(endpoint_open(&shared, host, 0), 0);
	assert_int_equal(endpoint_bind(shared, &other, 0), 0);
	for (unsigned i = 0; !e && i < THREADS; i++) {
		struct server *s = &server[i];

		assert_int_equal(task_init(&s->task, p, 16, 0), 0);
		s->ep = shared;
		if (i < ALONE) {
			assert_int_equal(endpoint_open(&s->ep, host, 0), 0);
			assert_int_equal(endpoint_bind(s->ep, &any, ENDPOINT_REUSEPORT), 0);
		}
		s->cpu = p->worker[i % CPUS].cpu;
		e = thread_start(&s->thread, s->cpu, serve, s);
	}
	return e;
}

/* An interrupt is one thread's: of those that share an endpoint each needs one. */
static void app_stop(struct plane *p)
{
	__atomic_store_n(&stopped, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < THREADS; i++) {
		struct timespec soon;

		do {
			endpoint_interrupt(server[i].ep);
			clock_gettime(CLOCK_REALTIME, &soon);
			soon.tv_nsec += 1000000;
			soon.tv_sec += soon.tv_nsec / 1000000000;
			soon.tv_nsec %= 1000000000;
		} while (pthread_timedjoin_np(server[i].thread, NULL, &soon) == ETIMEDOUT);
	}
}

static void app_close(struct plane *p)
{
	for (unsigned i = 0; i < THREADS; i++) {
		if (i < ALONE)
			endpoint_close(server[i].ep);
		task_fini(&server[i].task);
	}
	endpoint_close(shared);
	task_fini(&visitor);
	host_free(host);
}

static void app_process(struct worker *w, const struct conf *c, struct leat_pkt **pkts, unsigned n)
{
	host_receive(host, w, c, pkts, n);
}

static const struct app_ops servers = {
	.name = "test",
	.open = app_open,
	.stop = app_stop,
	.close = app_close,
	.process = app_process,
};

static void set(const char *path, unsigned value)
{
	char err[256], text[16];

	snprintf(text, sizeof(text), "%u", value);
	if (knob_set(&plane, path, text, err, sizeof(err)))
		fail_msg("%s", err);
}

/* An endpoint that comes and goes: one of its own port, or connected to nobody who answers. */
static void come_and_go(struct rng *rng)
{
	const struct addr nobody = {{198, 51, 100, 200}, 7, 4}, any = {.version = 0};
	struct endpoint *ep;

	assert_int_equal(endpoint_open(&ep, host, 64), 0);
	if (rng_once_in(rng, 2)) {
		neigh_learn(&host->neigh, &nobody, addr_path(0, host->mac[1]), true, 0);
		assert_int_equal(endpoint_connect(ep, &visitor, &nobody, 0), 0);
	} else {
		assert_int_equal(endpoint_bind(ep, &any, 0), 0);
	}
	endpoint_close(ep);
}

static void change(struct rng *rng)
{
	char path[64];
	unsigned q = rng_below(rng, QUEUES), mask = rng_below(rng, 4);
	struct server *s = &server[rng_below(rng, THREADS)];

	switch (rng_below(rng, 6)) {
	case 0:
		snprintf(path, sizeof(path), "in/queues/rx-%u/smp_affinity_list", q);
		set(path, plane.worker[mask % CPUS].cpu);
		break;
	case 1:
		snprintf(path, sizeof(path), "in/queues/rx-%u/rps_cpus", q);
		set(path, (mask & 1) << plane.worker[0].cpu | mask >> 1 << plane.worker[1].cpu);
		break;
	case 2:
		snprintf(path, sizeof(path), "in/queues/rx-%u/rps_flow_cnt", q);
		set(path, mask * 1000);
		break;
	case 3: set("net/core/rps_sock_flow_entries", mask * 1000); break;
	case 4: come_and_go(rng); break;
	default:
		__atomic_store_n(&s->cpu, plane.worker[mask % CPUS].cpu, __ATOMIC_RELAXED);
		endpoint_interrupt(s->ep);
	}
}

static void make_flows(void)
{
	for (unsigned i = 0; i < FLOWS; i++) {
		bool alone = i / QUEUES % 4 != 0;

		flow[i].window = alone ? WINDOW : 1;
		flow[i].frame = (struct frame){.dst_mac = OUR_MAC,
					       .src_mac = 0x22,
					       .src = i,
					       .dst = 1,
					       .protocol = FRAME_UDP,
					       .sport = (uint16_t)(1000 + i),
					       .dport = alone ? PORT : SHARED_PORT,
					       .payload = 8};
	}
}

/* All that was asked was answered: by all threads, and from both of the CPUs. */
static void check(unsigned changes)
{
	uint64_t requests_sent = 0, answered = 0;

	for (unsigned i = 0; i < FLOWS; i++) {
		requests_sent += flow[i].sent;
		assert_int_equal(flow[i].sent, flow[i].next);
		assert_true(flow[i].sent > 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		assert_true(server[i].answered > 0);
		answered += server[i].answered;
	}
	printf("%u changes, %llu requests\n", changes, (unsigned long long)requests_sent);
	assert_int_equal(answered, requests_sent);
	assert_int_equal(wrong, 0);
}

static uint64_t seconds(void)
{
	return worker_clock() / 1000000000;
}

static bool all_answered(void)
{
	for (unsigned i = 0; i < FLOWS; i++) {
		if (flow[i].sent != __atomic_load_n(&flow[i].replied, __ATOMIC_ACQUIRE))
			return false;
	}
	return true;
}

static void test_endpoints(void **state)
{
	static const struct timespec pause = {0, 2000000};
	const struct port_args port = {.name = "in", .ops = &requests};
	const struct plane_args args = {.cpus = (const uint16_t[]){0, 1},
					.n_cpus = CPUS,
					.port = &port,
					.n_ports = 1,
					.app_ops = &servers};
	struct rng rng = rng_start("endpoints");
	char err[256];
	uint64_t end;
	unsigned changes = 0;

	make_flows();
	if (plane_open(&plane, &args, err, sizeof(err)) || plane_start(&plane, err, sizeof(err)))
		fail_msg("%s", err);
	plane.app_state = host; /* so that it is closed */
	for (end = seconds() + SECONDS; seconds() < end || changes < CHANGES; changes++) {
		change(&rng);
		nanosleep(&pause, NULL);
	}
	__atomic_store_n(&ending, true, __ATOMIC_RELAXED);
	plane_stop(&plane);
	assert_true(all_answered());
	check(changes);
	plane_close(&plane);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_endpoints)};
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) || !CPU_ISSET(0, &set) || !CPU_ISSET(1, &set)) {
		puts("skipped: needs the CPUs 0 and 1");
		return 77;
	}
	alarm(120); /* a hang is a failure */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
