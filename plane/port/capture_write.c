/* SPDX-License-Identifier: MIT */
#include "capture.h"

#include <errno.h>
#include <string.h>

/* The most that libpcap takes; longer frames are written all the same. */
enum { SNAPLEN = 262144 };

/* In our own byte order: the first word tells. */
struct header {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, accuracy, snaplen, link_type;
};

struct record {
	uint32_t seconds, fraction, len, orig_len;
};

static int put(struct capture_writer *w, const void *p, size_t len)
{
	if (fwrite_unlocked(p, 1, len, w->file) == len)
		return 0;
	if (!w->failed)
		w->failed = -(errno ? errno : EIO);
	return w->failed;
}

int capture_create(struct capture_writer *w, const char *path, uint16_t link_type,
		   enum capture_resolution resolution)
{
	struct header header = {
		.magic = resolution == CAPTURE_NSEC ? CAPTURE_MAGIC_NSEC : CAPTURE_MAGIC_USEC,
		.major = 2,
		.minor = 4,
		.snaplen = SNAPLEN,
		.link_type = link_type,
	};
	int e;

	w->resolution = resolution;
	w->failed = 0;
	w->file = strcmp(path, "-") == 0 ? stdout : fopen(path, "wbe");
	if (!w->file)
		return -errno;
	setvbuf(w->file, NULL, _IOFBF, 1 << 18);
	e = put(w, &header, sizeof(header));
	if (e)
		capture_finish(w);
	return e;
}

int capture_write(struct capture_writer *w, const struct iovec *iov, unsigned n, uint64_t stamp)
{
	struct record record = {
		.seconds = (uint32_t)(stamp / 1000000000),
		.fraction = (uint32_t)(stamp % 1000000000),
	};
	size_t len = 0;
	int e;

	for (unsigned i = 0; i < n; i++)
		len += iov[i].iov_len;
	if (len > CAPTURE_FRAME_MAX)
		return -EMSGSIZE;
	if (w->resolution == CAPTURE_USEC)
		record.fraction /= 1000;
	record.len = record.orig_len = (uint32_t)len;
	e = put(w, &record, sizeof(record));
	for (unsigned i = 0; !e && i < n; i++)
		e = put(w, iov[i].iov_base, iov[i].iov_len);
	return e;
}

int capture_finish(struct capture_writer *w)
{
	int e = w->failed;

	if (fflush(w->file) && !e)
		e = -errno;
	if (ferror(w->file) && !e) /* flushed by another, who has seen why */
		e = -EIO;
	if (w->file != stdout && fclose(w->file) && !e)
		e = -errno;
	w->file = NULL;
	return e;
}
