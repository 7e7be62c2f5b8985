/* SPDX-License-Identifier: MIT */
/*
 * udpload - requests over UDP from many flows, each a connected socket, to a server that echoes.
 *
 * Each flow keeps `window` requests under way; one that gets no answer for LOST ns is given up with
 * all that are, though at the end replies are waited for until SILENCE. Requests of a flow are
 * numbered: a reply below the number expected is late, or, if it was given up, overdue; numbers that
 * were skipped, or given up and not overdue, are lost. Prints one line of JSON.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	PAYLOAD_MAX = 1400,
	LOST = 300000000,     /* ns */
	SILENCE = 1000000000, /* ns, at the end: what is not there by then never comes */
	LOOK = 100000000,     /* ns: how often is looked for what is lost */
	EVENTS = 64,
	STEPS = 32, /* of the histogram, in each power of two */
	BUCKETS = 64 * STEPS,
	GSO_MAX = 32, /* requests in one send */
};

struct request {
	uint32_t flow, number;
	uint64_t sent; /* ns */
};

struct flow {
	int fd;
	uint32_t index, sent, next; /* numbers: of the next request, of the next reply, */
	uint32_t given_up;	    /* of the first request that was not given up */
	uint64_t heard;		    /* ns: when the last reply came, or the first request left */
};

static struct options {
	unsigned flows, window, size, gso;
	double seconds;
} opt = {.flows = 64, .window = 1, .size = 64, .gso = 1, .seconds = 1};

static struct flow *flows;
static int epoll;
static uint64_t requests, replies, late, overdue, lost, strange;
static uint64_t last_reply; /* ns */
static uint64_t histogram[BUCKETS];

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* The histogram's bucket of `ns`: the highest bit, and the five below it. */
static unsigned bucket(uint64_t ns)
{
	unsigned bit = ns < STEPS ? 5 : 63 - (unsigned)__builtin_clzll(ns);

	return ns < STEPS ? (unsigned)ns : (bit - 4) * STEPS + (unsigned)(ns >> (bit - 5)) % STEPS;
}

/* The least `ns` of a bucket. */
static double bucket_ns(unsigned b)
{
	return b < STEPS ? b : (double)((STEPS + b % STEPS) * (UINT64_C(1) << (b / STEPS - 1)));
}

static double percentile_us(double share)
{
	uint64_t sum = 0, all = 0;
	unsigned b = 0;

	for (unsigned i = 0; i < BUCKETS; i++)
		all += histogram[i];
	while (b + 1 < BUCKETS && (double)(sum + histogram[b]) <= share * (double)all)
		sum += histogram[b++];
	return bucket_ns(b) / 1e3;
}

/* Fill the flow's window, as many requests at once as one send may have. */
static void send_requests(struct flow *f)
{
	static uint8_t buf[GSO_MAX * PAYLOAD_MAX];

	while (f->sent - f->next < opt.window) {
		unsigned n = opt.window - (f->sent - f->next);

		n = n < opt.gso ? n : opt.gso;
		for (unsigned i = 0; i < n; i++) {
			struct request r = {f->index, f->sent + i, now()};

			memcpy(buf + (size_t)i * opt.size, &r, sizeof(r));
		}
		if (send(f->fd, buf, (size_t)n * opt.size, 0) < 0) {
			if (errno != EAGAIN && errno != ENOBUFS && errno != ECONNREFUSED)
				fail("send");
			return;
		}
		if (f->sent == f->next)
			f->heard = now();
		f->sent += n;
		requests += n;
	}
}

static void take_reply(struct flow *f, const struct request *r, ssize_t len)
{
	uint64_t t = now();

	last_reply = t;
	if (len != (ssize_t)opt.size || r->flow != f->index) {
		strange++;
		return;
	}
	if (r->number < f->next) {
		overdue += r->number < f->given_up;
		lost -= r->number < f->given_up;
		late += r->number >= f->given_up;
		return;
	}
	lost += r->number - f->next;
	f->next = r->number + 1;
	f->heard = t;
	replies++;
	histogram[bucket(t - r->sent)]++;
}

static void receive(struct flow *f)
{
	uint8_t buf[PAYLOAD_MAX + 1];
	struct request r;
	ssize_t len;

	while ((len = recv(f->fd, buf, sizeof(buf), MSG_DONTWAIT)) >= (ssize_t)sizeof(r)) {
		memcpy(&r, buf, sizeof(r));
		take_reply(f, &r, len);
	}
}

/* Give up what was not answered. Its number is then past: an answer would be late. */
static void give_up(void)
{
	uint64_t t = now();

	for (unsigned i = 0; i < opt.flows; i++) {
		struct flow *f = &flows[i];

		if (f->sent != f->next && t - f->heard > LOST) {
			lost += f->sent - f->next;
			f->next = f->given_up = f->sent;
		}
		send_requests(f);
	}
}

static void wait_some(void)
{
	struct epoll_event ev[EVENTS];
	int n = epoll_wait(epoll, ev, EVENTS, LOOK / 1000000);

	for (int i = 0; i < n; i++)
		receive(ev[i].data.ptr);
	for (int i = 0; i < n; i++)
		send_requests(ev[i].data.ptr);
}

static bool all_answered(void)
{
	for (unsigned i = 0; i < opt.flows; i++) {
		if (flows[i].sent != flows[i].next)
			return false;
	}
	return true;
}

static void run(void)
{
	uint64_t begin = now(), end = begin + (uint64_t)(opt.seconds * 1e9), look = begin,
		 t = begin;
	double seconds;

	for (unsigned i = 0; i < opt.flows; i++)
		send_requests(&flows[i]);
	for (; t < end; t = now()) {
		wait_some();
		if (t - look > LOOK) {
			give_up();
			look = t;
		}
	}
	seconds = (double)(t - begin) / 1e9;
	opt.window = 0; /* the last replies */
	last_reply = t;
	while ((!all_answered() || lost > 0) && now() - last_reply < SILENCE)
		wait_some();
	for (unsigned i = 0; i < opt.flows; i++)
		lost += flows[i].sent - flows[i].next;
	printf("{\"requests\": %llu, \"replies\": %llu, \"seconds\": %.3f, \"rate\": %.0f, "
	       "\"p50_us\": %.1f, \"p99_us\": %.1f, \"late\": %llu, \"overdue\": %llu, \"lost\": %llu, "
	       "\"strange\": %llu}\n",
	       (unsigned long long)requests, (unsigned long long)replies, seconds,
	       (double)replies / seconds, percentile_us(0.5), percentile_us(0.99),
	       (unsigned long long)late, (unsigned long long)overdue, (unsigned long long)lost,
	       (unsigned long long)strange);
}

static void open_flow(struct flow *f, const struct addrinfo *to)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = f};
	int gso = (int)opt.size;

	f->fd = socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (f->fd < 0 || connect(f->fd, to->ai_addr, to->ai_addrlen))
		fail("connect");
	if (opt.gso > 1 && setsockopt(f->fd, SOL_UDP, UDP_SEGMENT, &gso, sizeof(gso)))
		fail("UDP_SEGMENT");
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, f->fd, &ev))
		fail("epoll");
}

static void usage(void)
{
	fputs("usage: udpload [-f FLOWS] [-w WINDOW] [-s BYTES] [-g REQUESTS-PER-SEND] "
	      "[-t SECONDS] ADDRESS PORT\n",
	      stderr);
	exit(2);
}

static void parse(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "f:w:s:g:t:")) != -1) {
		unsigned n = c == '?' ? 0 : (unsigned)strtoul(optarg, NULL, 10);

		switch (c) {
		case 'f': opt.flows = n; break;
		case 'w': opt.window = n; break;
		case 's': opt.size = n; break;
		case 'g': opt.gso = n; break;
		case 't': opt.seconds = strtod(optarg, NULL); break;
		default: usage();
		}
	}
	if (optind + 2 != argc || !opt.flows || !opt.window || !opt.gso || opt.gso > GSO_MAX ||
	    opt.size < sizeof(struct request) || opt.size > PAYLOAD_MAX)
		usage();
}

int main(int argc, char **argv)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				       .ai_socktype = SOCK_DGRAM};
	struct addrinfo *to;

	parse(argc, argv);
	if (getaddrinfo(argv[optind], argv[optind + 1], &hints, &to))
		usage();
	flows = calloc(opt.flows, sizeof(*flows));
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!flows || epoll < 0)
		fail("udpload");
	for (unsigned i = 0; i < opt.flows; i++) {
		flows[i].index = i;
		open_flow(&flows[i], to);
	}
	freeaddrinfo(to);
	run();
	return 0;
}
