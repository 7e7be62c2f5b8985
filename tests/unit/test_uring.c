/* SPDX-License-Identifier: MIT */
/*
 * test_uring.c - batches of reads and writes of a socket that keeps boundaries: in order, without
 * waiting, and what becomes of them when the kernel will not. What a kernel forbids is forbidden
 * to one thread, by a seccomp filter of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "port/uring.h"

enum { ROOM = 8, OPS = 3 * ROOM + 1, BYTES = 500, SKIP = 77 };

struct bench {
	int fd, other;
	struct uring *ring;
	struct uring_op op[OPS];
	struct iovec iov[OPS][2];
	uint8_t bytes[OPS][BYTES];
};

/* Descriptors that wait, so that only the ring may keep operations from it. */
static void set_up(struct bench *b)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
	*b = (struct bench){.fd = fd[0], .other = fd[1], .ring = uring_new(fd[0], ROOM)};
	for (unsigned i = 0; i < OPS; i++) {
		/* Some in one buffer, some in two. */
		b->iov[i][0] = (struct iovec){b->bytes[i], i % 2 ? BYTES : 10};
		b->iov[i][1] = (struct iovec){b->bytes[i] + 10, BYTES - 10};
		b->op[i] = (struct uring_op){.iov = b->iov[i], .niov = i % 2 ? 1 : 2};
	}
}

static void tear_down(struct bench *b)
{
	uring_free(b->ring);
	close(b->fd);
	close(b->other);
}

static void number(struct bench *b)
{
	for (unsigned i = 0; i < OPS; i++)
		memset(b->bytes[i], (int)i + 1, BYTES);
}

static void assert_number(const uint8_t *bytes, unsigned i)
{
	for (unsigned j = 0; j < BYTES; j++)
		assert_int_equal(bytes[j], i + 1);
}

static void test_writes(void **state)
{
	uint8_t got[BYTES + 1];
	struct bench b;

	set_up(&b);
	number(&b);
	assert_int_equal(uring_run(b.ring, URING_WRITE, b.op, OPS), OPS);
	for (unsigned i = 0; i < OPS; i++) {
		assert_int_equal(b.op[i].result, BYTES);
		assert_int_equal(recv(b.other, got, sizeof(got), MSG_DONTWAIT), BYTES);
		assert_number(got, i);
	}
	tear_down(&b);
}

/* What is there comes in order; the rest is answered, and its buffers are left alone. */
static void test_reads(void **state)
{
	enum { THERE = 5 };
	uint8_t sent[BYTES];
	struct bench b;

	set_up(&b);
	for (unsigned i = 0; i < THERE; i++) {
		memset(sent, (int)i + 1, BYTES);
		assert_int_equal(send(b.other, sent, BYTES, 0), BYTES);
	}
	assert_int_equal(uring_run(b.ring, URING_READ, b.op, OPS), OPS);
	for (unsigned i = 0; i < OPS; i++) {
		assert_int_equal(b.op[i].result, i < THERE ? BYTES : -EAGAIN);
		if (i < THERE)
			assert_number(b.bytes[i], i);
		else
			assert_int_equal(b.bytes[i][0], 0);
	}
	tear_down(&b);
}

/* A queue that is full refuses, and has what came before. */
static void test_full(void **state)
{
	uint8_t got[BYTES];
	unsigned taken = 0;
	int small = 1;
	struct bench b;

	set_up(&b);
	number(&b);
	assert_int_equal(setsockopt(b.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	assert_int_equal(uring_run(b.ring, URING_WRITE, b.op, OPS), OPS);
	while (taken < OPS && b.op[taken].result == BYTES)
		taken++;
	assert_in_range(taken, 1, OPS - 1);
	for (unsigned i = taken; i < OPS; i++)
		assert_int_equal(b.op[i].result, -EAGAIN);
	for (unsigned i = 0; i < taken; i++) {
		assert_int_equal(recv(b.other, got, BYTES, MSG_DONTWAIT), BYTES);
		assert_number(got, i);
	}
	assert_int_equal(recv(b.other, got, BYTES, MSG_DONTWAIT), -1);
	tear_down(&b);
}

static void test_closed(void **state)
{
	struct bench b;

	set_up(&b);
	close(b.other);
	b.other = -1;
	assert_int_equal(uring_run(b.ring, URING_WRITE, b.op, 2), 2);
	assert_int_equal(b.op[0].result, -EPIPE);
	assert_int_equal(b.op[1].result, -EPIPE);
	tear_down(&b);
}

/* From now on the system call `nr` gives `error` to the calling thread. */
static int forbid(unsigned nr, unsigned error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void *make_forbidden(void *arg)
{
	struct bench *b = arg;

	if (forbid(SYS_io_uring_setup, EPERM))
		return (void *)"no filter";
	b->ring = uring_new(b->fd, ROOM);
	return b->ring || errno != EPERM ? (void *)"made, or refused for another reason" : NULL;
}

/* The kernel takes nothing, now and ever after: no result is touched, nothing is written. */
static void *run_forbidden(void *arg)
{
	struct bench *b = arg;

	if (forbid(SYS_io_uring_enter, ENOMEM))
		return (void *)"no filter";
	for (unsigned i = 0; i < OPS; i++)
		b->op[i].result = 1;
	if (uring_run(b->ring, URING_WRITE, b->op, OPS) || b->op[0].result != 1)
		return (void *)"done";
	return NULL;
}

static void run_thread(void *(*run)(void *), struct bench *b)
{
	pthread_t thread;
	void *said;

	assert_int_equal(pthread_create(&thread, NULL, run, b), 0);
	assert_int_equal(pthread_join(thread, &said), 0);
	if (said)
		fail_msg("%s", (const char *)said);
}

static void test_forbidden(void **state)
{
	uint8_t got[BYTES];
	struct bench b;

	set_up(&b);
	run_thread(run_forbidden, &b);
	/* Also not by who may. */
	assert_int_equal(uring_run(b.ring, URING_WRITE, b.op, OPS), 0);
	assert_int_equal(recv(b.other, got, BYTES, MSG_DONTWAIT), -1);
	uring_free(b.ring);
	run_thread(make_forbidden, &b);
	tear_down(&b);
}

/* Half of the descriptors are not for rings. */
static void test_descriptors(void **state)
{
	struct rlimit old, low;
	struct uring *ring;
	struct bench b;

	set_up(&b);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = old;
	low.rlim_cur = 2 * (rlim_t)b.other;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	ring = uring_new(b.fd, ROOM);
	assert_null(ring);
	assert_int_equal(errno, EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	tear_down(&b);
}

/* Nothing waits, or this does for ever. */
int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writes),	  cmocka_unit_test(test_reads),
		cmocka_unit_test(test_full),	  cmocka_unit_test(test_closed),
		cmocka_unit_test(test_forbidden), cmocka_unit_test(test_descriptors),
	};
	struct bench b;

	set_up(&b);
	if (!b.ring) {
		printf("no io_uring here: %s\n", strerror(errno));
		return SKIP;
	}
	tear_down(&b);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
