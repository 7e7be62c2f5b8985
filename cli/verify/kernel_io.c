/* SPDX-License-Identifier: MIT */
/*
 * kernel_io.c - questions written to the kernel, and its answers read.
 */
#include "kernel.h"

#include "kernel_shown.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	HDR_LEN = 12,
	BUFFER = 1 << 20,
	PATIENCE = 10000, /* ms for an answer that is on its way */
	TRIES = 1000,	  /* of a train with a tick in it */
	NO_TAG = 0x88b5,  /* an EtherType for local experiments */
};

void kernel_mark(uint8_t *frame, uint64_t name)
{
	static const uint8_t head[14] = {2, 0, 0, 0, 0xfe, 1,		2,
					 0, 0, 0, 0, 0xfe, NO_TAG >> 8, NO_TAG & 0xff};

	static const char text[] = "leat verify";

	memset(frame, 0, KERNEL_MARK_LEN);
	memcpy(frame, head, sizeof(head));
	memcpy(frame + sizeof(head), text, sizeof(text));
	memcpy(frame + 32, &name, sizeof(name));
}

bool kernel_is_mark(const uint8_t *frame, uint32_t len, uint64_t name)
{
	uint8_t mark[KERNEL_MARK_LEN];

	kernel_mark(mark, name);
	return len == sizeof(mark) && memcmp(frame, mark, sizeof(mark)) == 0;
}

static int write_frame(int tap, unsigned hdr_len, const struct frame_meta *meta, const void *frame,
		       uint32_t len)
{
	uint8_t hdr[FRAME_META_LEN];
	struct iovec iov[2] = {{hdr, hdr_len}, {(void *)frame, len}};

	frame_meta_store(meta, hdr);
	return writev(tap, iov, 2) < 0 ? -errno : 0;
}

static int write_mark(struct kernel *k, int tap, unsigned hdr_len)
{
	static const struct frame_meta plain;
	uint8_t mark[KERNEL_MARK_LEN];

	kernel_mark(mark, ++k->marks);
	return write_frame(tap, hdr_len, &plain, mark, sizeof(mark));
}

static bool wait_for(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int n = poll(&p, 1, PATIENCE);

	return n == 1 || (n < 0 && errno == EINTR);
}

/* Append what the TAP gives until the last marker written. */
static int read_tap(struct kernel *k, int tap, struct frames *to)
{
	for (;;) {
		ssize_t n = read(tap, k->buffer, BUFFER);
		struct frame_meta meta;

		/* EINVAL: a packet that no header of the TAP describes, gone now. */
		if (n < 0 && errno != EINVAL && (errno != EAGAIN || !wait_for(tap)))
			return -EIO;
		if (n < HDR_LEN)
			continue;
		if (kernel_is_mark(k->buffer + HDR_LEN, (uint32_t)n - HDR_LEN, k->marks))
			return 0;
		meta = frame_meta_load(k->buffer);
		if (!frames_add(to, k->buffer + HDR_LEN, (uint32_t)n - HDR_LEN, &meta))
			return -EIO;
	}
}

int kernel_gso(struct kernel *k, const void *frame, uint32_t len, const struct frame_meta *meta,
	       struct frames *sent)
{
	int e = write_frame(k->gso[0], k->hdr_len, meta, frame, len);

	if (write_mark(k, k->gso[0], k->hdr_len) || read_tap(k, k->gso[1], sent))
		return -EIO;
	return e;
}

/* The same of what the packet socket shows. */
static int read_shown(struct kernel *k, struct frames *to)
{
	for (;;) {
		struct frame_meta meta;
		uint8_t *frame;
		int n = kernel_shown_read(k->shown, k->buffer, BUFFER, &frame, &meta);

		if (n < 0 && (n != -EAGAIN || !wait_for(k->shown)))
			return -EIO;
		if (n < 0)
			continue;
		if (kernel_is_mark(frame, (uint32_t)n, k->marks))
			return 0;
		if (!frames_add(to, frame, (uint32_t)n, &meta))
			return -EIO;
	}
}

/* The kernel's tick count, by which it ages what GRO holds: a socket that never sent tells how
 * long ago that was. */
static uint32_t read_ticks(const struct kernel *k)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	getsockopt(k->ticker, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info.tcpi_last_data_sent;
}

static int set_timeout(const struct kernel *k, const char *ns)
{
	return pwrite(k->timeout, ns, strlen(ns), 0) < 0 ? -EIO : 0;
}

/* Write the train; a marker that makes GRO let go of everything; and, when that has come out,
 * another, behind which nothing is. Gives 1 if there was a tick. */
static int write_train(struct kernel *k, const struct frames *train, struct frames *sent)
{
	uint32_t before = read_ticks(k), after;

	for (unsigned i = 0; i < train->n; i++)
		write_frame(k->gro[0], HDR_LEN, &train->frame[i].meta, frames_bytes(train, i),
			    train->frame[i].len);
	after = read_ticks(k);
	if (set_timeout(k, "0") || write_mark(k, k->gro[0], HDR_LEN) ||
	    read_tap(k, k->gro[1], sent))
		return -EIO;
	if (set_timeout(k, "10000000000") || write_mark(k, k->gro[0], HDR_LEN) ||
	    read_tap(k, k->gro[1], sent))
		return -EIO;
	return before != after;
}

/* The first marker is before the last in what is shown, somewhere. */
static void drop_mark(struct frames *frames, uint64_t name)
{
	unsigned to = 0;

	for (unsigned i = 0; i < frames->n; i++) {
		if (!kernel_is_mark(frames_bytes(frames, i), frames->frame[i].len, name))
			frames->frame[to++] = frames->frame[i];
	}
	frames->n = to;
}

int kernel_gro(struct kernel *k, const struct frames *train, struct frames *shown,
	       struct frames *sent)
{
	for (unsigned i = 0; i < TRIES; i++) {
		int tick;

		frames_clear(shown);
		frames_clear(sent);
		if (k->marks == 0 && set_timeout(k, "10000000000"))
			return -EIO;
		tick = write_train(k, train, sent);
		if (tick < 0 || read_shown(k, shown))
			return -EIO;
		drop_mark(shown, k->marks - 1);
		if (!tick)
			return 0;
		k->ticks++;
	}
	return -EIO;
}
