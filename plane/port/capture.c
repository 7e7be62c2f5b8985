/* SPDX-License-Identifier: MIT */
/*
 * Reading captures: the buffer, and pcap files. A pcap file is read as a pcapng section with one
 * interface, whose frames have a header of their own kind.
 *
 * Frames are not copied out of the buffer. It is filled by USUAL bytes, which stay in the cache,
 * or by one frame where that is longer. What is left over is moved to the front when more is
 * wanted than fits behind it.
 */
#include "capture_read.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	FRONT = 64, /* free bytes in front of what was read first */
	USUAL = 256 << 10,
	HEADER_MAX = 28, /* in front of a frame: block and packet header */
	ROOM = FRONT + CAPTURE_FRAME_MAX + HEADER_MAX + USUAL,
	PCAP_HEADER = 24,
	PCAP_RECORD = 16,
};

_Static_assert((int)FRONT >= (int)CAPTURE_HEADROOM && (int)PCAP_RECORD >= (int)CAPTURE_HEADROOM,
	       "headroom");

int capture_fail(struct capture_reader *r, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(r->error, sizeof(r->error), format, args);
	va_end(args);
	r->failed = -error;
	return r->failed;
}

static int fail_read(struct capture_reader *r, int error)
{
	error = error ? error : EIO;
	return capture_fail(r, error, "after frame %llu: %s", (unsigned long long)r->frames,
			    strerror(error));
}

static int fail_short(struct capture_reader *r)
{
	r->offset += r->have;
	return capture_fail(r, EINVAL, "ends in the middle, after frame %llu, at byte %llu",
			    (unsigned long long)r->frames, (unsigned long long)r->offset);
}

/* Whether read() would wait. What has ended or failed does not. */
static bool is_silent(const struct capture_reader *r)
{
	struct pollfd fd = {.fd = r->fd, .events = POLLIN};

	return poll(&fd, 1, 0) == 0;
}

/* As many bytes as there are now, up to n; 0 at the end, -1 with errno: of a live file EAGAIN if
 * there are none yet. */
static ssize_t read_some(struct capture_reader *r, uint8_t *to, size_t n)
{
	size_t got;

	if (r->live && is_silent(r)) {
		errno = EAGAIN;
		return -1;
	}
	if (r->fd >= 0)
		return read(r->fd, to, n);
	got = fread_unlocked(to, 1, n, r->file);
	return got == 0 && ferror(r->file) ? -1 : (ssize_t)got;
}

/* Have n bytes in the buffer, or all that there are: gives how many are there, or -errno. */
static ssize_t fill(struct capture_reader *r, size_t n)
{
	size_t most = n > USUAL ? n : USUAL, room = n > USUAL ? ROOM : FRONT + 2 * USUAL;

	if (r->have >= n)
		return (ssize_t)r->have;
	if (r->at + most > room) {
		memmove(r->buffer + FRONT, r->buffer + r->at, r->have);
		r->at = FRONT;
	}
	while (r->have < n) {
		ssize_t got = read_some(r, r->buffer + r->at + r->have, most - r->have);

		if (got < 0 && r->live && errno == EAGAIN)
			return r->failed = -EAGAIN;
		if (got < 0)
			return fail_read(r, errno);
		if (got == 0)
			break;
		r->have += (size_t)got;
	}
	return (ssize_t)r->have;
}

uint8_t *capture_want(struct capture_reader *r, size_t n)
{
	ssize_t have = fill(r, n);

	if (have >= 0 && (size_t)have < n)
		fail_short(r);
	return have < 0 || (size_t)have < n ? NULL : r->buffer + r->at;
}

int capture_want_first(struct capture_reader *r, size_t n)
{
	ssize_t have = fill(r, n);

	if (have < 0)
		return (int)have;
	if ((size_t)have >= n)
		return 1;
	return have == 0 ? 0 : fail_short(r);
}

/* Go over what is behind the last frame. */
static int skip(struct capture_reader *r)
{
	while (r->skip > 0) {
		size_t part = r->skip < USUAL ? (size_t)r->skip : USUAL;

		if (!capture_want(r, part))
			return r->failed;
		capture_take(r, part);
		r->skip -= part;
	}
	return 0;
}

int capture_take_frame(struct capture_reader *r, struct capture_frame *frame, size_t head)
{
	uint8_t *p;

	if (frame->len > CAPTURE_FRAME_MAX)
		return capture_fail(r, EMSGSIZE, "frame %llu: %u bytes, or the file is damaged",
				    (unsigned long long)r->frames + 1, frame->len);
	p = capture_want(r, head + frame->len);
	if (!p)
		return r->failed;
	frame->data = p + head;
	capture_take(r, head + frame->len);
	return 1;
}

int capture_add_interface(struct capture_reader *r, const struct capture_interface *interface)
{
	if (r->interfaces == r->room) {
		uint32_t room = r->room ? 2 * r->room : 1;
		void *more = NULL;

		if (room <= CAPTURE_INTERFACES_MAX)
			more = realloc(r->interface, room * sizeof(*interface));
		if (!more)
			return capture_fail(r, ENOMEM, "more than %u interfaces", r->room);
		r->interface = more;
		r->room = room;
	}
	r->interface[r->interfaces++] = *interface;
	return 0;
}

void capture_drop_interfaces(struct capture_reader *r)
{
	for (uint32_t i = 0; i < r->interfaces; i++)
		free(r->interface[i].options);
	r->interfaces = 0;
	r->section++;
}

/* A frame of a pcap file. */
static int read_record(struct capture_reader *r, struct capture_frame *frame)
{
	const struct capture_interface *i = r->interface;
	int got = capture_want_first(r, PCAP_RECORD);
	const uint8_t *head = r->buffer + r->at;

	if (got <= 0)
		return got;
	frame->stamp = (uint64_t)capture_get32(r, head) * 1000000000 +
		       (uint64_t)capture_get32(r, head + 4) * (i->resolution == 6 ? 1000 : 1);
	frame->len = capture_get32(r, head + 8);
	frame->orig_len = capture_get32(r, head + 12);
	frame->interface = 0;
	frame->link_type = i->link_type;
	return capture_take_frame(r, frame, PCAP_RECORD);
}

int capture_read(struct capture_reader *r, struct capture_frame *frame)
{
	int got;

	if (r->live && r->failed == -EAGAIN)
		r->failed = 0;
	if (r->failed)
		return r->failed;
	do {
		if (skip(r))
			return r->failed;
		got = r->ng ? capture_ng_read(r, frame) : read_record(r, frame);
	} while (got == 2);
	r->frames += got == 1;
	return got;
}

/* `magic` is its first word. */
static int read_pcap_header(struct capture_reader *r, uint32_t magic)
{
	struct capture_interface interface = {.resolution = magic == CAPTURE_MAGIC_NSEC ? 9 : 6};
	const uint8_t *head = capture_want(r, PCAP_HEADER);

	if (!head)
		return r->failed;
	if (capture_get16(r, head + 4) != 2)
		return capture_fail(r, EPROTONOSUPPORT, "pcap version %u",
				    capture_get16(r, head + 4));
	interface.snaplen = capture_get32(r, head + 16);
	interface.link_type = (uint16_t)capture_get32(r, head + 20); /* above: length of the FCS */
	capture_take(r, PCAP_HEADER);
	return capture_add_interface(r, &interface);
}

static int read_header(struct capture_reader *r)
{
	ssize_t have = fill(r, 4);
	uint32_t magic;

	if (have < 4)
		return have < 0 ? (int)have : capture_fail(r, EINVAL, "not a capture file");
	memcpy(&magic, r->buffer + r->at, sizeof(magic));
	if (magic == CAPTURE_NG_SECTION) {
		r->ng = true;
		return capture_ng_begin(r);
	}
	r->ng = false;
	r->swapped = magic == __builtin_bswap32(CAPTURE_MAGIC_USEC) ||
		     magic == __builtin_bswap32(CAPTURE_MAGIC_NSEC);
	magic = r->swapped ? __builtin_bswap32(magic) : magic;
	if (magic == CAPTURE_MAGIC_USEC || magic == CAPTURE_MAGIC_NSEC)
		return read_pcap_header(r, magic);
	return capture_fail(r, EINVAL, "not a capture file");
}

static int begin(struct capture_reader *r)
{
	capture_drop_interfaces(r);
	r->frames = r->skip = r->offset = 0;
	r->section = 0;
	r->at = FRONT;
	r->have = 0;
	r->failed = 0;
	return read_header(r);
}

int capture_attach(struct capture_reader *r, FILE *file)
{
	*r = (struct capture_reader){.file = file, .fd = fileno(file), .buffer = malloc(ROOM)};
	if (r->buffer ? begin(r) : capture_fail(r, ENOMEM, "%s", strerror(ENOMEM))) {
		capture_close(r);
		return r->failed;
	}
	return 0;
}

int capture_open(struct capture_reader *r, const char *path)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rbe");

	if (!file) {
		*r = (struct capture_reader){0};
		return capture_fail(r, errno, "%s", strerror(errno));
	}
	return capture_attach(r, file);
}

int capture_rewind(struct capture_reader *r)
{
	if (fseek(r->file, 0, SEEK_SET))
		return capture_fail(r, errno, "not a file that can be read again: %s",
				    strerror(errno));
	return begin(r);
}

void capture_close(struct capture_reader *r)
{
	capture_drop_interfaces(r);
	if (r->file && r->file != stdin)
		fclose(r->file);
	free(r->buffer);
	free(r->interface);
	r->file = NULL;
	r->buffer = NULL;
	r->interface = NULL;
}
