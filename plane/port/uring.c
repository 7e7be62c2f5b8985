/* SPDX-License-Identifier: MIT */
/*
 * RWF_NOWAIT is what keeps operations in order: the kernel hands none to a thread of its own, nor
 * waits for a descriptor to become ready, so each is complete when the next one begins.
 *
 * The descriptor is not registered with the ring. A ring ends some time after its process, in a
 * thread of the kernel's; until then a TAP would be there that nobody has.
 */
#include "uring.h"

#include <errno.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>

struct uring {
	struct io_uring ring;
	int fd;
	unsigned room;
	bool failed; /* operations are in it that must not be done any more */
};

static void put(struct uring *u, enum uring_call call, struct uring_op *op)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);

	/* One buffer is told in the operation itself: less to copy than a vector. */
	if (op->niov > 1)
		io_uring_prep_rw(call == URING_WRITE ? IORING_OP_WRITEV : IORING_OP_READV, sqe,
				 u->fd, op->iov, op->niov, 0);
	else
		io_uring_prep_rw(call == URING_WRITE ? IORING_OP_WRITE : IORING_OP_READ, sqe, u->fd,
				 op->iov->iov_base, (unsigned)op->iov->iov_len, 0);
	sqe->rw_flags = RWF_NOWAIT;
	io_uring_sqe_set_data(sqe, op);
}

/* Take the answers there are; gives how many. */
static unsigned reap(struct uring *u)
{
	struct io_uring_cqe *cqe;
	unsigned head, n = 0;

	io_uring_for_each_cqe(&u->ring, head, cqe)
	{
		struct uring_op *op = io_uring_cqe_get_data(cqe);

		op->result = cqe->res;
		n++;
	}
	io_uring_cq_advance(&u->ring, n);
	return n;
}

/* At most as many as there is room for. */
static unsigned run_some(struct uring *u, enum uring_call call, struct uring_op *ops, unsigned n)
{
	unsigned done = 0;

	for (unsigned i = 0; i < n; i++)
		put(u, call, &ops[i]);
	while (done < n && !u->failed) {
		int e = io_uring_submit_and_wait(&u->ring, n - done);

		u->failed = e < 0 && e != -EINTR;
		done += reap(u);
	}
	return done;
}

unsigned uring_run(struct uring *u, enum uring_call call, struct uring_op *ops, unsigned n)
{
	unsigned done = 0;

	while (done < n && !u->failed) {
		unsigned some = n - done < u->room ? n - done : u->room;

		done += run_some(u, call, ops + done, some);
	}
	return done;
}

/* Whether the kernel does without waiting: reading nothing tells, and takes nothing. */
static bool can_do(struct uring *u)
{
	char byte;
	struct iovec nothing = {&byte, 0};
	struct uring_op op = {.iov = &nothing, .niov = 1};

	return uring_run(u, URING_READ, &op, 1) == 1 && op.result != -EOPNOTSUPP;
}

/* One can do without a ring, but not without what else takes descriptors. */
static bool leaves_enough(const struct uring *u)
{
	struct rlimit most;

	return getrlimit(RLIMIT_NOFILE, &most) || (rlim_t)u->ring.ring_fd < most.rlim_cur / 2;
}

/* 0 or -errno. */
static int open_ring(struct uring *u)
{
	int e = io_uring_queue_init(u->room, &u->ring, 0);

	if (e)
		return e;
	if (!leaves_enough(u))
		e = -EMFILE;
	else if (!can_do(u))
		e = -EOPNOTSUPP;
	if (e)
		io_uring_queue_exit(&u->ring);
	return e;
}

struct uring *uring_new(int fd, unsigned room)
{
	struct uring *u = calloc(1, sizeof(*u));
	int e;

	if (!u)
		return NULL;
	*u = (struct uring){.fd = fd, .room = room};
	e = open_ring(u);
	if (!e)
		return u;
	free(u);
	errno = -e;
	return NULL;
}

void uring_free(struct uring *u)
{
	if (!u)
		return;
	io_uring_queue_exit(&u->ring);
	free(u);
}
