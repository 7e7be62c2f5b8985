/* SPDX-License-Identifier: MIT */
/*
 * Writing captures. A pcapng file is one section, in our byte order, with stamps of nanoseconds.
 */
#include "capture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	SNAPLEN = 262144, /* the most that libpcap takes; longer frames are written all the same */
	BUFFER = 256 << 10,

	NG_SECTION = 0x0a0d0d0a,
	NG_ORDER = 0x1a2b3c4d,
	NG_INTERFACE = 1,
	NG_PACKET = 6,
	OPT_TSRESOL = 9,
	NANOSECONDS = 9,
};

/* All in our own byte order: the first word tells. */
struct header {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, accuracy, snaplen, link_type;
};

struct record {
	uint32_t seconds, fraction, len, orig_len;
};

struct ng_section {
	uint32_t type, size, order;
	uint16_t major, minor;
	uint32_t length[2]; /* not told */
	uint32_t size_again;
};

struct ng_interface {
	uint32_t type, size;
	uint16_t link_type, reserved;
	uint32_t snaplen; /* none: what is merged is longer than what was captured */
	uint16_t code, code_len;
	uint8_t resolution[4];
};

struct ng_packet {
	uint32_t type, size, interface, high, low, len, orig_len;
};

static int put(struct capture_writer *w, const void *p, size_t len)
{
	if (fwrite_unlocked(p, 1, len, w->file) == len)
		return 0;
	if (!w->failed)
		w->failed = -(errno ? errno : EIO);
	return w->failed;
}

static int put_header(struct capture_writer *w)
{
	struct header header = {
		.magic = w->resolution == CAPTURE_NSEC ? CAPTURE_MAGIC_NSEC : CAPTURE_MAGIC_USEC,
		.major = 2,
		.minor = 4,
		.snaplen = SNAPLEN,
		.link_type = w->link_type,
	};
	struct ng_section section = {
		.type = NG_SECTION,
		.size = sizeof(section),
		.order = NG_ORDER,
		.major = 1,
		.length = {UINT32_MAX, UINT32_MAX},
		.size_again = sizeof(section),
	};

	return w->ng ? put(w, &section, sizeof(section)) : put(w, &header, sizeof(header));
}

static bool is_ng(const char *path)
{
	static const char end[] = ".pcapng";
	size_t len = strlen(path), end_len = sizeof(end) - 1;

	return len >= end_len && strcmp(path + len - end_len, end) == 0;
}

/* Standard output by a descriptor of our own, to be closed like any other file. */
static FILE *open_file(const char *path)
{
	FILE *file;
	int fd;

	if (strcmp(path, "-") != 0)
		return fopen(path, "wbe");
	fd = dup(STDOUT_FILENO);
	file = fd < 0 ? NULL : fdopen(fd, "wb");
	if (!file && fd >= 0)
		close(fd);
	return file;
}

int capture_create(struct capture_writer *w, const char *path, uint16_t link_type,
		   enum capture_resolution resolution)
{
	int e;

	*w = (struct capture_writer){
		.file = open_file(path),
		.buffer = malloc(BUFFER),
		.resolution = resolution,
		.link_type = link_type,
		.ng = is_ng(path),
	};
	if (!w->file || !w->buffer) {
		e = -errno;
		if (w->file)
			fclose(w->file);
		free(w->buffer);
		return e;
	}
	setvbuf(w->file, w->buffer, _IOFBF, BUFFER); /* without a buffer glibc ignores the size */
	e = put_header(w);
	if (e)
		capture_finish(w);
	return e;
}

int capture_describe(struct capture_writer *w, const struct capture_interface *interface)
{
	uint32_t size = (uint32_t)sizeof(struct ng_interface) + interface->options_len + 8;
	struct ng_interface block = {
		.type = NG_INTERFACE,
		.size = size,
		.link_type = interface->link_type,
		.code = OPT_TSRESOL,
		.code_len = 1,
		.resolution = {NANOSECONDS},
	};
	uint32_t end[2] = {0, size};
	int e;

	if (!w->ng)
		return interface->link_type == w->link_type ? 0 : -EPROTOTYPE;
	e = put(w, &block, sizeof(block));
	if (!e && interface->options_len)
		e = put(w, interface->options, interface->options_len);
	if (!e)
		e = put(w, end, sizeof(end));
	return e ? e : (int)w->interfaces++;
}

static int put_frame(struct capture_writer *w, const struct iovec *iov, unsigned n)
{
	int e = 0;

	for (unsigned i = 0; !e && i < n; i++)
		e = put(w, iov[i].iov_base, iov[i].iov_len);
	return e;
}

static int put_ng(struct capture_writer *w, const struct iovec *iov, unsigned n,
		  const struct capture_mark *mark, uint32_t len)
{
	static const uint8_t zero[4];
	uint32_t padding = -len & 3, size = (uint32_t)sizeof(struct ng_packet) + len + padding + 4;
	struct ng_packet block = {
		.type = NG_PACKET,
		.size = size,
		.interface = mark->interface,
		.high = (uint32_t)(mark->stamp >> 32),
		.low = (uint32_t)mark->stamp,
		.len = len,
		.orig_len = len + mark->missing,
	};
	uint8_t end[8];
	int e = 0;

	if (w->interfaces == 0)
		e = capture_describe(w, &(struct capture_interface){.link_type = w->link_type});
	if (e >= 0)
		e = put(w, &block, sizeof(block));
	if (!e)
		e = put_frame(w, iov, n);
	memcpy(end, zero, padding);
	memcpy(end + padding, &size, sizeof(size));
	return e ? e : put(w, end, padding + sizeof(size));
}

static int put_record(struct capture_writer *w, const struct iovec *iov, unsigned n,
		      const struct capture_mark *mark, uint32_t len)
{
	struct record record = {
		.seconds = (uint32_t)(mark->stamp / 1000000000),
		.fraction = (uint32_t)(mark->stamp % 1000000000),
		.len = len,
		.orig_len = len + mark->missing,
	};
	int e;

	if (w->resolution == CAPTURE_USEC)
		record.fraction /= 1000;
	e = put(w, &record, sizeof(record));
	return e ? e : put_frame(w, iov, n);
}

int capture_write_marked(struct capture_writer *w, const struct iovec *iov, unsigned n,
			 const struct capture_mark *mark)
{
	size_t len = 0;
	int e;

	for (unsigned i = 0; i < n; i++)
		len += iov[i].iov_len;
	if (len > CAPTURE_FRAME_MAX)
		return -EMSGSIZE;
	e = w->ng ? put_ng(w, iov, n, mark, (uint32_t)len) :
		    put_record(w, iov, n, mark, (uint32_t)len);
	w->frames += !e;
	w->bytes += e ? 0 : len;
	return e;
}

int capture_write(struct capture_writer *w, const struct iovec *iov, unsigned n, uint64_t stamp)
{
	return capture_write_marked(w, iov, n, &(struct capture_mark){.stamp = stamp});
}

int capture_finish(struct capture_writer *w)
{
	int e = w->failed;

	if (fflush(w->file) && !e)
		e = -errno;
	if (ferror(w->file) && !e) /* flushed by another, who has seen why */
		e = -EIO;
	if (fclose(w->file) && !e)
		e = -errno;
	free(w->buffer);
	w->file = NULL;
	w->buffer = NULL;
	return e;
}
