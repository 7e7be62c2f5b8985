/* SPDX-License-Identifier: MIT */
/*
 * uring.h - reads or writes of one descriptor, many with one system call: io_uring.
 *
 * They are done in order, before the call returns, and none of them waits: what would have to is
 * answered -EAGAIN, whatever flags the descriptor has. So a batch means what as many calls of readv
 * or writev do, one after another; only that after one has failed the next are tried too.
 *
 * A ring is used by one thread at a time, any.
 */
#ifndef PLANE_PORT_URING_H
#define PLANE_PORT_URING_H

#include <sys/uio.h>

struct uring;

enum uring_call { URING_READ, URING_WRITE };

struct uring_op {
	struct iovec *iov;
	unsigned niov;
	int result; /* bytes or -errno */
};

/* A ring for batches of up to `room` operations of `fd`, which stays the caller's. NULL: there is
 * none to be had, and errno says why (ENOSYS, EPERM: the kernel was built or told so, or who runs
 * us; EOPNOTSUPP: it cannot do without waiting with such a descriptor; EMFILE: half of
 * the descriptors that a process may have are in use; ENOMEM). */
struct uring *uring_new(int fd, unsigned room);

/* NULL: nothing to do. */
void uring_free(struct uring *u);

/* Do the operations; gives how many, from the first on, have been done. The others have not, and
 * will not be, so that the caller may do them in another way: the kernel had no memory for them, or
 * a ring failed once and is not used again. */
unsigned uring_run(struct uring *u, enum uring_call call, struct uring_op *ops, unsigned n);

#endif
