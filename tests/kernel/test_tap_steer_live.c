/* SPDX-License-Identifier: MIT */
/*
 * test_tap_steer_live.c - steering in the kernel beside what goes on meanwhile: values replaced
 * under traffic, tags that lie beside the frame, tables that are full, no privilege, a sudden end.
 */
#include <dirent.h>
#include <linux/bpf.h>
#include <linux/if_tun.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "steer_frames.h"
#include "steer_lab.h"
#include "steer_value.h"

enum {
	FLOWS = 64,
	LEN = 60,
	NUMBER = 42, /* where a frame has its number: behind UDP's header */
	UNREAD = 2000,
	VALUES = 30,
	MOMENTS = 10, /* ms between values */
	TAGGED = 2000,
	FILTERS = 0xffff,
	RULES = 10000,
	IDS = 64,
	PATIENCE = 1000, /* of 10 ms */
};

/* --- values replaced under traffic --- */

struct traffic {
	struct lab lab;
	uint64_t begun, sent, received; /* atomic */
	bool stop;			/* atomic */
};

static void make_frame(uint8_t frame[LEN], uint64_t number)
{
	static const uint8_t headers[NUMBER] = {
		2,    0, 0,   0,	0, 2,	    2, 0, 0,  0,  0, 1, 8,   0, /* Ethernet */
		0x45, 0, 0,   LEN - 14, 0, 0,	    0, 0, 64, 17, 0, 0, 192, 0,
		2,    1, 192, 0,	2, 2,	      /* IP */
		0,    0, 0,   9,	0, LEN - 34}; /* UDP */

	memset(frame, 0, LEN);
	memcpy(frame, headers, sizeof(headers));
	frame[35] = (uint8_t)(number % FLOWS); /* source port */
	memcpy(frame + NUMBER, &number, sizeof(number));
}

static void *send_all(void *arg)
{
	struct traffic *t = arg;
	uint8_t frame[LEN];

	for (uint64_t number = 0; !__atomic_load_n(&t->stop, __ATOMIC_RELAXED);) {
		if (number - __atomic_load_n(&t->received, __ATOMIC_RELAXED) >= UNREAD)
			continue;
		__atomic_store_n(&t->begun, number + 1, __ATOMIC_SEQ_CST);
		make_frame(frame, number);
		if (send(t->lab.socket, frame, LEN, 0) != LEN)
			abort();
		__atomic_store_n(&t->sent, ++number, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* What was in force, and what is; `since`: how many frames had begun to be sent when it was. */
struct change {
	struct value *old, *now;
	uint64_t since;
	bool emptied[PORT_QUEUES_MAX]; /* queues that were read empty since */
	uint64_t by_old;	       /* frames that came by the old one after all */
};

static unsigned pick(const struct value *v, const struct leat_pkt *pkt)
{
	struct leat_rxfh_choice c;

	leat_rxfh_pick(&v->rxfh, pkt, &c);
	return c.queue;
}

/* A frame by the old value is one that was in the queue already. */
static void check(struct change *c, const struct leat_pkt *pkt, unsigned q)
{
	uint64_t number;

	memcpy(&number, pkt->data + NUMBER, sizeof(number));
	if (pick(c->now, pkt) == q)
		return;
	assert_int_equal(pick(c->old, pkt), q);
	assert_true(number < c->since);
	assert_false(c->emptied[q]);
	c->by_old++;
}

static void receive_all(struct traffic *t, struct change *c, uint64_t *next)
{
	struct leat_pkt *pkts[PORT_BATCH];

	for (unsigned q = 0; q < t->lab.port.rxqs; q++) {
		bool empty;
		unsigned n = lab_receive(&t->lab, NULL, q, pkts, &empty);

		for (unsigned i = 0; i < n; i++) {
			uint64_t number;

			memcpy(&number, pkts[i]->data + NUMBER, sizeof(number));
			check(c, pkts[i], q);
			next[number % FLOWS]++;
		}
		pool_give(&t->lab.pool, pkts, n);
		c->emptied[q] |= empty;
		__atomic_fetch_add(&t->received, n, __ATOMIC_RELAXED);
	}
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Whether nothing is left that could have been queued by the old value. */
static bool is_over(const struct traffic *t, const struct change *c)
{
	for (unsigned q = 0; q < t->lab.port.rxqs; q++) {
		if (!c->emptied[q])
			return false;
	}
	return true;
}

static void replace(struct traffic *t, struct change *c, struct rng *rng)
{
	struct value *spare = c->old;

	c->old = c->now;
	c->now = spare;
	value_free(c->now);
	value_make(rng, c->now, t->lab.port.rxqs, NULL, 0);
	lab_steer(&t->lab, &c->now->rxfh);
	c->since = __atomic_load_n(&t->begun, __ATOMIC_SEQ_CST);
	memset(c->emptied, 0, sizeof(c->emptied));
}

static void test_replaced(void **state)
{
	struct traffic *t = calloc(1, sizeof(*t));
	struct change c = {
		calloc(1, sizeof(struct value)), calloc(1, sizeof(struct value)), 0, {false}, 0};
	uint64_t next[FLOWS] = {0}, sum = 0;
	struct rng rng = rng_start("replaced");
	pthread_t sender;

	lab_open(&t->lab, "steer0", "5", "1500");
	value_make(&rng, c.now, 5, NULL, 0);
	lab_steer(&t->lab, &c.now->rxfh);
	assert_int_equal(pthread_create(&sender, NULL, send_all, t), 0);
	for (unsigned i = 0; i < VALUES; i++) {
		replace(t, &c, &rng);
		for (uint64_t end = now_ms() + MOMENTS; now_ms() < end || !is_over(t, &c);)
			receive_all(t, &c, next);
	}
	__atomic_store_n(&t->stop, true, __ATOMIC_RELAXED);
	pthread_join(sender, NULL);
	for (unsigned i = 0; i < UNREAD; i++)
		receive_all(t, &c, next);
	for (unsigned f = 0; f < FLOWS; f++)
		sum += next[f];
	printf("%llu frames, %llu queued by a former value\n", (unsigned long long)sum,
	       (unsigned long long)c.by_old);
	assert_int_equal(sum, t->sent);
	assert_true(c.by_old > 0);
	lab_close(&t->lab);
	value_free(c.old);
	value_free(c.now);
	free(c.old);
	free(c.now);
	free(t);
}

/* --- a tag beside the frame --- */

/* Whether a command of the shell's succeeds. */
static bool run(const char *command)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(1);
	}
	return waitpid(child, &status, 0) == child && status == 0;
}

/* Another TAP, whose frames a bridge takes to the first. */
static int open_source(void)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI, .ifr_name = "source"};
	int fd = open("/dev/net/tun", O_RDWR);

	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, TUNSETIFF, &ifr), 0);
	if (!run("ip link add bridge0 type bridge && ip link set bridge0 up && "
		 "ip link set source master bridge0 up && ip link set steer0 master bridge0"))
		lab_skip("no bridge: a tag does not get beside a frame");
	return fd;
}

/* Receiving it, the bridge's host takes the first tag off the frame. */
static void write_tagged(struct frames *f, int fd)
{
	static const uint8_t addresses[12] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};

	do
		frames_next(f);
	while (f->len > 1500);
	frames_tag(f);
	memcpy(f->bytes, addresses, sizeof(addresses));
	assert_int_equal(write(fd, f->bytes, f->len), f->len);
}

static void test_tagged(void **state)
{
	struct frames *f = calloc(1, sizeof(*f));
	struct value *v = calloc(1, sizeof(*v));
	struct change c = {v, v, 0, {false}, 0};
	struct traffic *t = calloc(1, sizeof(*t));
	struct rng rng = rng_start("tagged");
	uint64_t next[FLOWS];
	int fd;

	f->rng = &rng;
	lab_open(&t->lab, "steer0", "7", "9000");
	fd = open_source();
	for (unsigned i = 0; i < TAGGED; i++) {
		if (i % 100 == 0) {
			value_free(v);
			value_make(&rng, v, 7, NULL, 0);
			lab_steer(&t->lab, &v->rxfh);
		}
		write_tagged(f, fd);
		receive_all(t, &c, next);
	}
	assert_true(t->received > TAGGED / 2);
	value_free(v);
	frames_fini(f);
	close(fd);
	assert_true(run("ip link del bridge0"));
	lab_close(&t->lab);
	free(t);
	free(v);
	free(f);
}

/* --- full tables --- */

static void test_full(void **state)
{
	struct lab lab;
	struct value *v = calloc(1, sizeof(*v));
	struct rng rng = rng_start("full");

	lab_open(&lab, "steer0", "2", "1500");
	value_make(&rng, v, 2, NULL, 0);
	lab_steer(&lab, &v->rxfh);
	for (uint32_t hash = 0; hash < FILTERS; hash++)
		assert_int_equal(port_tap.flow_steer(&lab.port, hash, 1, 0), hash);
	assert_int_equal(port_tap.flow_steer(&lab.port, FILTERS, 1, 0), -ENOSPC);
	assert_int_equal(port_tap.flow_steer(&lab.port, 5, 0, 0), 5);
	port_tap.flow_forget(&lab.port, 77);
	port_tap.flow_forget(&lab.port, 77);
	assert_int_equal(port_tap.flow_steer(&lab.port, FILTERS, 1, 0), 77);
	assert_int_equal(port_tap.flow_steer(&lab.port, FILTERS + 1, 1, 0), -ENOSPC);
	lab_close(&lab);
	value_free(v);
	free(v);
}

/* As many rules as there are source ports: each frame goes where its own says. */
static void test_many_rules(void **state)
{
	struct leat_ntuple_rule *rule = calloc(RULES, sizeof(*rule));
	struct value *v = calloc(1, sizeof(*v));
	struct change c = {v, v, 0, {false}, 0};
	struct traffic *t = calloc(1, sizeof(*t));
	struct rng rng = rng_start("many rules");
	uint64_t next[FLOWS] = {0};
	uint8_t frame[LEN];
	unsigned bad;

	lab_open(&t->lab, "steer0", "5", "1500");
	value_make(&rng, v, 5, NULL, 0);
	for (unsigned i = 0; i < RULES; i++) {
		rule[i] = (struct leat_ntuple_rule){.location = i, .queue = (uint16_t)(i % 5)};
		rule[i].value.flow = LEAT_NTUPLE_UDP4;
		rule[i].value.l4[0] = (uint8_t)(i >> 8);
		rule[i].value.l4[1] = (uint8_t)i;
		memset(rule[i].mask.l4, 0xff, 2);
	}
	v->mem = aligned_alloc(64, leat_ntuple_size(RULES));
	assert_int_equal(leat_ntuple_init(&v->ntuple, rule, RULES, v->mem, &bad), 0);
	v->rxfh.ntuple = &v->ntuple;
	lab_steer(&t->lab, &v->rxfh);
	for (unsigned i = 0; i < RULES; i += 7) {
		make_frame(frame, i);
		frame[34] = (uint8_t)(i >> 8);
		frame[35] = (uint8_t)i;
		assert_int_equal(send(t->lab.socket, frame, LEN, 0), LEN);
		receive_all(t, &c, next);
	}
	assert_int_equal(t->received, (RULES + 6) / 7);
	lab_close(&t->lab);
	value_free(v);
	free(rule);
	free(v);
	free(t);
}

/* --- a sudden end, and no privilege --- */

struct id {
	int command; /* that gives a descriptor of it */
	uint32_t id;
};

static void add_id(const char *path, struct id *ids, unsigned *n)
{
	FILE *f = fopen(path, "r");
	char line[128];

	while (f && *n < IDS && fgets(line, sizeof(line), f)) {
		bool program = strncmp(line, "prog_id:", 8) == 0;

		if (program || strncmp(line, "map_id:", 7) == 0)
			ids[(*n)++] =
				(struct id){program ? BPF_PROG_GET_FD_BY_ID : BPF_MAP_GET_FD_BY_ID,
					    (uint32_t)strtoul(strchr(line, ':') + 1, NULL, 10)};
	}
	if (f)
		fclose(f);
}

/* The programs and maps that a process has descriptors of. */
static unsigned find_ids(pid_t pid, struct id *ids)
{
	char path[300];
	unsigned n = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", (int)pid);
	folder = opendir(path);
	for (struct dirent *e; folder && (e = readdir(folder));) {
		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%.20s", (int)pid, e->d_name);
		add_id(path, ids, &n);
	}
	if (folder)
		closedir(folder);
	return n;
}

static bool exists(const struct id *id)
{
	union bpf_attr attr = {.prog_id = id->id};
	long fd = syscall(SYS_bpf, id->command, &attr, sizeof(attr));

	if (fd >= 0)
		close((int)fd);
	return fd >= 0;
}

static bool wait_until_gone(const struct id *id)
{
	static const struct timespec moment = {0, 10000000};

	for (unsigned i = 0; i < PATIENCE; i++) {
		if (!exists(id))
			return true;
		nanosleep(&moment, NULL);
	}
	return false;
}

static void hold_steering(int ready)
{
	struct lab lab;
	struct value *v = calloc(1, sizeof(*v));
	struct rng rng = {1};

	lab_enter();
	lab_open(&lab, "steer0", "2", "1500");
	value_make(&rng, v, 2, NULL, 0);
	lab_steer(&lab, &v->rxfh);
	if (write(ready, "", 1) == 1)
		pause();
	_exit(1);
}

static void test_left_behind(void **state)
{
	struct id ids[IDS];
	unsigned n, programs = 0;
	int pipes[2];
	char ready;
	pid_t child;

	assert_int_equal(pipe(pipes), 0);
	child = fork();
	if (child == 0)
		hold_steering(pipes[1]);
	assert_int_equal(read(pipes[0], &ready, 1), 1);
	n = find_ids(child, ids);
	for (unsigned i = 0; i < n; i++) {
		programs += ids[i].command == BPF_PROG_GET_FD_BY_ID;
		assert_true(exists(&ids[i]));
	}
	assert_true(programs >= 1 && n - programs >= 2);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	for (unsigned i = 0; i < n; i++)
		assert_true(wait_until_gone(&ids[i]));
	close(pipes[0]);
	close(pipes[1]);
}

/* In a user namespace there are TAPs, but no programs. */
static void refuse(void)
{
	struct port_args args = {.name = "steer0", .option = {{"queues", "2"}}, .options = 1};
	struct port port = {.ops = &port_tap, .name = "steer0"};
	struct value *v = calloc(1, sizeof(*v));
	struct rng rng = {1};
	char err[256] = "";

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) || port_tap.open(&port, &args, err, sizeof(err)))
		_exit(LAB_CANNOT);
	value_make(&rng, v, 2, NULL, 0);
	_exit(port_tap.steer(&port, &v->rxfh, err, sizeof(err)) != -EPERM ||
	      !strstr(err, "CAP_BPF"));
}

static void test_refused(void **state)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		refuse();
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == LAB_CANNOT)
		skip(); /* no user namespaces, or no TAPs in them */
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replaced),    cmocka_unit_test(test_tagged),
		cmocka_unit_test(test_full),	    cmocka_unit_test(test_many_rules),
		cmocka_unit_test(test_left_behind), cmocka_unit_test(test_refused),
	};

	lab_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
