/* SPDX-License-Identifier: MIT */
/*
 * Reading captures. A pcap file is read as a pcapng section with one interface, whose frames have a
 * header of their own kind.
 */
#include "capture.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
	NG_SECTION = 0x0a0d0d0a, /* a pcapng file's first word, the same in both orders */
	NG_ORDER = 0x1a2b3c4d,	 /* its third */

	/* Blocks of a pcapng file. */
	NG_INTERFACE = 1,
	NG_OLD_PACKET = 2,
	NG_SIMPLE_PACKET = 3,
	NG_PACKET = 6,

	/* Options of an interface block. */
	OPT_END = 0,
	OPT_TSRESOL = 9,
	OPT_TSOFFSET = 14,

	NG_WRAP = 12, /* bytes of a block around its body: type, length, length */
	PCAP_HEADER = 24,
	TSRESOL_TWO = 0x80, /* a power of two */
};

static int fail(struct capture_reader *r, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct capture_reader *r, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(r->error, sizeof(r->error), format, args);
	va_end(args);
	r->failed = -error;
	return r->failed;
}

static int fail_short(struct capture_reader *r)
{
	if (ferror(r->file))
		return fail(r, errno ? errno : EIO, "%s", strerror(errno ? errno : EIO));
	return fail(r, EINVAL, "ends in the middle, after frame %llu",
		    (unsigned long long)r->frames);
}

static uint16_t get16(const struct capture_reader *r, const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return r->swapped ? __builtin_bswap16(v) : v;
}

static uint32_t get32(const struct capture_reader *r, const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return r->swapped ? __builtin_bswap32(v) : v;
}

static uint64_t get64(const struct capture_reader *r, const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return r->swapped ? __builtin_bswap64(v) : v;
}

static int read_bytes(struct capture_reader *r, void *to, size_t len)
{
	return fread_unlocked(to, 1, len, r->file) == len ? 0 : fail_short(r);
}

/* The same where the file may end: 1, or 0 at its end. */
static int read_first(struct capture_reader *r, void *to, size_t len)
{
	size_t got = fread_unlocked(to, 1, len, r->file);

	if (got == len)
		return 1;
	return got == 0 && !ferror(r->file) ? 0 : fail_short(r);
}

/* Read on without looking; overwrites the frame. */
static int skip(struct capture_reader *r, size_t len)
{
	while (len > 0) {
		size_t part = len < CAPTURE_FRAME_MAX ? len : CAPTURE_FRAME_MAX;

		if (read_bytes(r, r->frame, part))
			return r->failed;
		len -= part;
	}
	return 0;
}

static int read_frame(struct capture_reader *r, uint32_t len)
{
	if (len > CAPTURE_FRAME_MAX)
		return fail(r, EMSGSIZE, "frame %llu: %u bytes, or the file is damaged",
			    (unsigned long long)r->frames + 1, len);
	return read_bytes(r, r->frame, len);
}

static int add_interface(struct capture_reader *r, const struct capture_interface *interface)
{
	if (r->interfaces == r->room) {
		uint32_t room = r->room ? 2 * r->room : 1;
		void *more = NULL;

		if (room <= CAPTURE_INTERFACES_MAX)
			more = realloc(r->interface, room * sizeof(*interface));
		if (!more)
			return fail(r, ENOMEM, "more than %u interfaces", r->room);
		r->interface = more;
		r->room = room;
	}
	r->interface[r->interfaces++] = *interface;
	return 0;
}

/* Ticks of the interface's clock to ns. */
static uint64_t nanoseconds(const struct capture_interface *i, uint64_t ticks)
{
	static const uint64_t ten[] = {1,	10,	  100,	     1000,	 10000,	     100000,
				       1000000, 10000000, 100000000, 1000000000, 10000000000};
	unsigned power = i->resolution & ~TSRESOL_TWO;
	uint64_t rest;

	if (!(i->resolution & TSRESOL_TWO)) {
		if (power <= 9)
			return ticks * ten[9 - power] + i->offset;
		return ticks / ten[power - 9] + i->offset;
	}
	rest = ticks & ((UINT64_C(1) << power) - 1);
	if (power > 34) /* keep the product below 64 bits; 2^-34 s is finer than 1 ns */
		rest = (rest >> (power - 34)) * 1000000000 >> 34;
	else
		rest = rest * 1000000000 >> power;
	return (ticks >> power) * 1000000000 + rest + i->offset;
}

/* Options of an interface: `len` bytes at `p`. */
static int read_options(struct capture_reader *r, struct capture_interface *interface,
			const uint8_t *p, size_t len)
{
	while (len >= 4) {
		unsigned code = get16(r, p), size = get16(r, p + 2), whole = 4 + ((size + 3) & ~3u);

		if (code == OPT_END)
			return 0;
		if (whole > len)
			return fail(r, EINVAL, "an option is longer than its block");
		if (code == OPT_TSRESOL && size == 1)
			interface->resolution = p[4];
		if (code == OPT_TSOFFSET && size == 8)
			interface->offset = get64(r, p + 4) * 1000000000;
		p += whole;
		len -= whole;
	}
	return 0;
}

static int read_interface(struct capture_reader *r, uint32_t body)
{
	struct capture_interface interface = {.resolution = 6};
	unsigned power;

	if (body < 8 || body > CAPTURE_FRAME_MAX)
		return fail(r, EINVAL, "an interface block of %u bytes", body);
	if (read_bytes(r, r->frame, body))
		return r->failed;
	interface.link_type = get16(r, r->frame);
	interface.snaplen = get32(r, r->frame + 4);
	if (read_options(r, &interface, r->frame + 8, body - 8))
		return r->failed;
	power = interface.resolution & ~TSRESOL_TWO;
	if (power > (interface.resolution & TSRESOL_TWO ? 63 : 19))
		return fail(r, EINVAL, "time resolution 0x%02x", interface.resolution);
	return add_interface(r, &interface);
}

/* A section's body after its first word, which tells the byte order. */
static int read_section(struct capture_reader *r, const uint8_t head[12])
{
	uint32_t order, len;
	uint8_t version[2];

	memcpy(&order, head + 8, sizeof(order));
	r->swapped = order != NG_ORDER;
	if (get32(r, head + 8) != NG_ORDER)
		return fail(r, EINVAL, "a section of unknown byte order");
	len = get32(r, head + 4);
	if (len < 28 || len % 4)
		return fail(r, EINVAL, "a section header of %u bytes", len);
	if (read_bytes(r, version, sizeof(version)))
		return r->failed;
	if (get16(r, version) != 1)
		return fail(r, EPROTONOSUPPORT, "pcapng version %u", get16(r, version));
	r->interfaces = 0;
	return skip(r, len - 14);
}

/* The rest of a packet block with `room` bytes for frame and options left in its body. */
static int read_body(struct capture_reader *r, struct capture_frame *frame, uint32_t room)
{
	uint8_t tail[64];
	uint32_t rest, part;

	if (frame->interface >= r->interfaces)
		return fail(r, EINVAL, "frame %llu: interface %u is not described",
			    (unsigned long long)r->frames + 1, frame->interface);
	if (frame->len > room)
		return fail(r, EINVAL, "frame %llu: longer than its block",
			    (unsigned long long)r->frames + 1);
	frame->link_type = r->interface[frame->interface].link_type;
	if (read_frame(r, frame->len))
		return r->failed;
	for (rest = room - frame->len + 4; rest > 0; rest -= part) {
		part = rest < sizeof(tail) ? rest : (uint32_t)sizeof(tail);
		if (read_bytes(r, tail, part))
			return r->failed;
	}
	return 1;
}

static int read_packet(struct capture_reader *r, struct capture_frame *frame, uint32_t type,
		       uint32_t body)
{
	uint8_t head[20];
	uint64_t ticks;

	if (body < sizeof(head))
		return fail(r, EINVAL, "a packet block of %u bytes", body);
	if (read_bytes(r, head, sizeof(head)))
		return r->failed;
	frame->interface = type == NG_OLD_PACKET ? get16(r, head) : get32(r, head);
	ticks = (uint64_t)get32(r, head + 4) << 32 | get32(r, head + 8);
	frame->len = get32(r, head + 12);
	frame->orig_len = get32(r, head + 16);
	if (read_body(r, frame, body - (uint32_t)sizeof(head)) < 0)
		return r->failed;
	frame->stamp = nanoseconds(&r->interface[frame->interface], ticks);
	return 1;
}

/* A frame of the first interface, without a time. */
static int read_simple_packet(struct capture_reader *r, struct capture_frame *frame, uint32_t body)
{
	uint8_t head[4];
	uint32_t snaplen = r->interfaces ? r->interface[0].snaplen : 0;

	if (body < sizeof(head))
		return fail(r, EINVAL, "a packet block of %u bytes", body);
	if (read_bytes(r, head, sizeof(head)))
		return r->failed;
	frame->interface = 0;
	frame->stamp = 0;
	frame->orig_len = frame->len = get32(r, head);
	if (snaplen && frame->len > snaplen)
		frame->len = snaplen;
	return read_body(r, frame, body - (uint32_t)sizeof(head));
}

/* One block of any type: 1 if it was a frame, 2 if not, 0 at the end. */
static int read_block(struct capture_reader *r, struct capture_frame *frame)
{
	uint8_t head[12];
	int got = read_first(r, head, 8);
	uint32_t type, body;

	if (got <= 0)
		return got;
	type = get32(r, head);
	if (type == NG_SECTION) {
		if (read_bytes(r, head + 8, 4) || read_section(r, head))
			return r->failed;
		return 2;
	}
	if (get32(r, head + 4) < NG_WRAP || get32(r, head + 4) % 4)
		return fail(r, EINVAL, "a block of %u bytes after frame %llu", get32(r, head + 4),
			    (unsigned long long)r->frames);
	body = get32(r, head + 4) - NG_WRAP;
	switch (type) {
	case NG_PACKET:
	case NG_OLD_PACKET: return read_packet(r, frame, type, body);
	case NG_SIMPLE_PACKET: return read_simple_packet(r, frame, body);
	case NG_INTERFACE:
		if (read_interface(r, body) || skip(r, 4))
			return r->failed;
		return 2;
	default:
		if (skip(r, (size_t)body + 4))
			return r->failed;
		return 2;
	}
}

/* A frame of a pcap file. */
static int read_record(struct capture_reader *r, struct capture_frame *frame)
{
	const struct capture_interface *i = r->interface;
	uint8_t head[16];
	int got = read_first(r, head, sizeof(head));

	if (got <= 0)
		return got;
	frame->stamp = (uint64_t)get32(r, head) * 1000000000 +
		       (uint64_t)get32(r, head + 4) * (i->resolution == 6 ? 1000 : 1);
	frame->len = get32(r, head + 8);
	frame->orig_len = get32(r, head + 12);
	frame->interface = 0;
	frame->link_type = i->link_type;
	return read_frame(r, frame->len) ? r->failed : 1;
}

int capture_read(struct capture_reader *r, struct capture_frame *frame)
{
	int got;

	if (r->failed)
		return r->failed;
	do
		got = r->ng ? read_block(r, frame) : read_record(r, frame);
	while (got == 2);
	if (got == 1) {
		frame->data = r->frame;
		r->frames++;
	}
	return got;
}

/* The rest of a pcap file's header, `magic` being its first word. */
static int read_pcap_header(struct capture_reader *r, uint32_t magic)
{
	uint8_t head[PCAP_HEADER] = {0};
	struct capture_interface interface = {.resolution = magic == CAPTURE_MAGIC_NSEC ? 9 : 6};

	if (read_bytes(r, head + 4, sizeof(head) - 4))
		return r->failed;
	if (get16(r, head + 4) != 2)
		return fail(r, EPROTONOSUPPORT, "pcap version %u", get16(r, head + 4));
	interface.link_type = (uint16_t)get32(r, head + 20); /* above: length of the FCS */
	return add_interface(r, &interface);
}

static int read_header(struct capture_reader *r)
{
	uint8_t head[12];
	uint32_t magic;

	r->frames = r->interfaces = 0;
	r->failed = 0;
	if (fread_unlocked(head, 1, 4, r->file) < 4)
		return ferror(r->file) ? fail_short(r) : fail(r, EINVAL, "not a capture file");
	memcpy(&magic, head, sizeof(magic));
	r->swapped = magic == __builtin_bswap32(CAPTURE_MAGIC_USEC) ||
		     magic == __builtin_bswap32(CAPTURE_MAGIC_NSEC);
	magic = get32(r, head);
	r->ng = magic == NG_SECTION;
	if (r->ng)
		return read_bytes(r, head + 4, 8) ? r->failed : read_section(r, head);
	if (magic == CAPTURE_MAGIC_USEC || magic == CAPTURE_MAGIC_NSEC)
		return read_pcap_header(r, magic);
	return fail(r, EINVAL, "not a capture file");
}

int capture_attach(struct capture_reader *r, FILE *file)
{
	*r = (struct capture_reader){.file = file, .frame = malloc(CAPTURE_FRAME_MAX)};
	if (r->frame ? read_header(r) : fail(r, ENOMEM, "%s", strerror(ENOMEM))) {
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
		return fail(r, errno, "%s", strerror(errno));
	}
	return capture_attach(r, file);
}

int capture_rewind(struct capture_reader *r)
{
	if (fseek(r->file, 0, SEEK_SET))
		return fail(r, errno, "not a file that can be read again: %s", strerror(errno));
	return read_header(r);
}

void capture_close(struct capture_reader *r)
{
	if (r->file && r->file != stdin)
		fclose(r->file);
	free(r->frame);
	free(r->interface);
	r->file = NULL;
	r->frame = NULL;
	r->interface = NULL;
}
