/* SPDX-License-Identifier: MIT */
/*
 * Reading pcapng: blocks of sections, interfaces and packets. Others are gone over.
 */
#include "capture_read.h"

#include <errno.h>
#include <stdlib.h>

enum {
	ORDER = 0x1a2b3c4d, /* the third word of a section, in its byte order */

	INTERFACE = 1,
	OLD_PACKET = 2,
	SIMPLE_PACKET = 3,
	PACKET = 6,

	/* Options of an interface block. */
	OPT_END = 0,
	OPT_COMMENT = 1,
	OPT_NAME = 2,
	OPT_EUIADDR = 7,
	OPT_TSRESOL = 9,
	OPT_FILTER = 11,
	OPT_OS = 12,
	OPT_TSOFFSET = 14,
	OPT_HARDWARE = 15,

	HEAD = 8,	    /* of a block: type, length */
	WRAP = 12,	    /* that, and its length again behind the body */
	SECTION_MIN = 28,   /* bytes of a section block */
	SECTION_HEAD = 14,  /* with its major version */
	PACKET_HEAD = 20,   /* of a packet block's body */
	TSRESOL_TWO = 0x80, /* a power of two */
	INTERFACE_MAX = 1 << 20,
};

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

/* Options that say the same in a file of another byte order and resolution. */
static bool is_kept(unsigned code)
{
	return (code >= OPT_COMMENT && code <= OPT_EUIADDR) || code == OPT_FILTER ||
	       code == OPT_OS || code == OPT_HARDWARE;
}

/* Append the option at `p`, padded; false if there is no room. */
static bool keep_option(uint8_t *kept, uint16_t *len, unsigned code, const uint8_t *p,
			unsigned size)
{
	uint16_t head[2] = {(uint16_t)code, (uint16_t)size};
	unsigned padded = (size + 3) & ~3u;

	if (*len + sizeof(head) + padded > CAPTURE_OPTIONS_MAX)
		return false;
	memcpy(kept + *len, head, sizeof(head));
	memset(kept + *len + sizeof(head), 0, padded);
	memcpy(kept + *len + sizeof(head), p, size);
	*len = (uint16_t)(*len + sizeof(head) + padded);
	return true;
}

/* Options of an interface: `len` bytes at `p`. Those to be kept go to `kept`. */
static int read_options(struct capture_reader *r, struct capture_interface *interface,
			const uint8_t *p, size_t len, uint8_t *kept)
{
	while (len >= 4) {
		unsigned code = capture_get16(r, p), size = capture_get16(r, p + 2);
		unsigned whole = 4 + ((size + 3) & ~3u);

		if (code == OPT_END)
			return 0;
		if (whole > len)
			return capture_fail(r, EINVAL, "an option is longer than its block");
		if (code == OPT_TSRESOL && size == 1)
			interface->resolution = p[4];
		else if (code == OPT_TSOFFSET && size == 8)
			interface->offset = capture_get64(r, p + 4) * 1000000000;
		else if (is_kept(code))
			keep_option(kept, &interface->options_len, code, p + 4, size);
		p += whole;
		len -= whole;
	}
	return 0;
}

static int add(struct capture_reader *r, struct capture_interface *interface, const uint8_t *kept)
{
	if (interface->options_len) {
		interface->options = malloc(interface->options_len);
		if (!interface->options)
			return capture_fail(r, ENOMEM, "%s", strerror(ENOMEM));
		memcpy(interface->options, kept, interface->options_len);
	}
	if (capture_add_interface(r, interface))
		free(interface->options);
	return r->failed;
}

static int read_interface(struct capture_reader *r, uint32_t body)
{
	struct capture_interface interface = {.resolution = 6};
	uint8_t kept[CAPTURE_OPTIONS_MAX];
	const uint8_t *p;
	unsigned power;

	if (body < 8 || body > INTERFACE_MAX)
		return capture_fail(r, EINVAL, "an interface block of %u bytes", body);
	p = capture_want(r, HEAD + body);
	if (!p)
		return r->failed;
	interface.link_type = capture_get16(r, p + HEAD);
	interface.snaplen = capture_get32(r, p + HEAD + 4);
	if (read_options(r, &interface, p + HEAD + 8, body - 8, kept))
		return r->failed;
	power = interface.resolution & ~TSRESOL_TWO;
	if (power > (interface.resolution & TSRESOL_TWO ? 63 : 19))
		return capture_fail(r, EINVAL, "time resolution 0x%02x", interface.resolution);
	capture_take(r, HEAD + body);
	r->skip = WRAP - HEAD;
	return add(r, &interface, kept) ? r->failed : 2;
}

/* Its third word tells the byte order. */
static int read_section(struct capture_reader *r)
{
	const uint8_t *head = capture_want(r, SECTION_HEAD);
	uint32_t order, len;

	if (!head)
		return r->failed;
	memcpy(&order, head + HEAD, sizeof(order));
	r->swapped = order != ORDER;
	if (capture_get32(r, head + HEAD) != ORDER)
		return capture_fail(r, EINVAL, "a section of unknown byte order");
	len = capture_get32(r, head + 4);
	if (len < SECTION_MIN || len % 4)
		return capture_fail(r, EINVAL, "a section header of %u bytes", len);
	if (capture_get16(r, head + WRAP) != 1)
		return capture_fail(r, EPROTONOSUPPORT, "pcapng version %u",
				    capture_get16(r, head + WRAP));
	capture_drop_interfaces(r);
	r->skip = len;
	return 2;
}

int capture_ng_begin(struct capture_reader *r)
{
	return read_section(r) < 0 ? r->failed : 0;
}

/* The frame of a packet block of `body` bytes, `head` of them in front of it. */
static int read_frame(struct capture_reader *r, struct capture_frame *frame, uint32_t head,
		      uint32_t body)
{
	int got;

	if (frame->interface >= r->interfaces)
		return capture_fail(r, EINVAL, "frame %llu: interface %u is not described",
				    (unsigned long long)r->frames + 1, frame->interface);
	if (frame->len > body - head)
		return capture_fail(r, EINVAL, "frame %llu: longer than its block",
				    (unsigned long long)r->frames + 1);
	frame->link_type = r->interface[frame->interface].link_type;
	got = capture_take_frame(r, frame, HEAD + head);
	if (got == 1)
		r->skip = (uint64_t)body - head - frame->len + WRAP - HEAD;
	return got;
}

static int read_packet(struct capture_reader *r, struct capture_frame *frame, uint32_t type,
		       uint32_t body)
{
	const uint8_t *p;
	uint64_t ticks;

	if (body < PACKET_HEAD)
		return capture_fail(r, EINVAL, "a packet block of %u bytes", body);
	p = capture_want(r, HEAD + PACKET_HEAD);
	if (!p)
		return r->failed;
	p += HEAD;
	frame->interface = type == OLD_PACKET ? capture_get16(r, p) : capture_get32(r, p);
	ticks = (uint64_t)capture_get32(r, p + 4) << 32 | capture_get32(r, p + 8);
	frame->len = capture_get32(r, p + 12);
	frame->orig_len = capture_get32(r, p + 16);
	if (read_frame(r, frame, PACKET_HEAD, body) < 0)
		return r->failed;
	frame->stamp = nanoseconds(&r->interface[frame->interface], ticks);
	return 1;
}

/* A frame of the first interface, without a time. */
static int read_simple_packet(struct capture_reader *r, struct capture_frame *frame, uint32_t body)
{
	uint32_t snaplen = r->interfaces ? r->interface[0].snaplen : 0;
	const uint8_t *p;

	if (body < 4)
		return capture_fail(r, EINVAL, "a packet block of %u bytes", body);
	p = capture_want(r, HEAD + 4);
	if (!p)
		return r->failed;
	frame->interface = 0;
	frame->stamp = 0;
	frame->orig_len = frame->len = capture_get32(r, p + HEAD);
	if (snaplen && frame->len > snaplen)
		frame->len = snaplen;
	return read_frame(r, frame, 4, body);
}

int capture_ng_read(struct capture_reader *r, struct capture_frame *frame)
{
	int got = capture_want_first(r, HEAD);
	const uint8_t *head = r->buffer + r->at;
	uint32_t type, len;

	if (got <= 0)
		return got;
	type = capture_get32(r, head);
	if (type == CAPTURE_NG_SECTION)
		return read_section(r);
	len = capture_get32(r, head + 4);
	if (len < WRAP || len % 4)
		return capture_fail(r, EINVAL, "a block of %u bytes after frame %llu", len,
				    (unsigned long long)r->frames);
	switch (type) {
	case PACKET:
	case OLD_PACKET: return read_packet(r, frame, type, len - WRAP);
	case SIMPLE_PACKET: return read_simple_packet(r, frame, len - WRAP);
	case INTERFACE: return read_interface(r, len - WRAP);
	default: r->skip = len; return 2;
	}
}
