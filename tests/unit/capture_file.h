/* SPDX-License-Identifier: MIT */
/*
 * capture_file.h - capture files built in memory, number by number, in either byte order.
 */
#ifndef LEAT_TESTS_CAPTURE_FILE_H
#define LEAT_TESTS_CAPTURE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A file in the making. */
struct file {
	uint8_t *bytes;
	size_t len, room;
	bool big; /* endian */
};

static inline void put(struct file *f, const void *p, size_t len)
{
	if (len == 0)
		return;
	if (f->len + len > f->room) {
		f->room = 2 * (f->len + len);
		f->bytes = realloc(f->bytes, f->room);
		if (!f->bytes)
			abort();
	}
	memcpy(f->bytes + f->len, p, len);
	f->len += len;
}

static inline void put_number(struct file *f, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++) {
		uint8_t b = (uint8_t)(v >> 8 * (f->big ? bytes - 1 - i : i));

		put(f, &b, 1);
	}
}

static inline void put16(struct file *f, uint16_t v)
{
	put_number(f, v, 2);
}

static inline void put32(struct file *f, uint32_t v)
{
	put_number(f, v, 4);
}

/* Byte i of frame n. */
static inline uint8_t byte_of(unsigned n, uint32_t i)
{
	return (uint8_t)(n * 31 + i * 7 + (i >> 8));
}

/* `len` bytes of frame `n`, padded to a multiple of `align`. */
static inline void put_frame(struct file *f, unsigned n, uint32_t len, unsigned align)
{
	for (uint32_t i = 0; i < len; i++) {
		uint8_t b = byte_of(n, i);

		put(f, &b, 1);
	}
	put(f, "\0\0\0", (align - len % align) % align);
}

static inline void put_pcap_header(struct file *f, uint32_t magic, uint32_t link_type)
{
	put32(f, magic);
	put16(f, 2);
	put16(f, 4);
	put32(f, 0);
	put32(f, 0);
	put32(f, 65535);
	put32(f, link_type);
}

static inline void put_record(struct file *f, unsigned n, uint32_t sec, uint32_t fraction,
			      uint32_t len)
{
	put32(f, sec);
	put32(f, fraction);
	put32(f, len);
	put32(f, len + 1);
	put_frame(f, n, len, 1);
}

static inline size_t begin_block(struct file *f, uint32_t type)
{
	put32(f, type);
	put32(f, 0);
	return f->len - 8;
}

static inline void end_block(struct file *f, size_t at)
{
	uint32_t size = (uint32_t)(f->len + 4 - at);
	struct file len = {.big = f->big};

	put32(&len, size);
	memcpy(f->bytes + at + 4, len.bytes, 4);
	free(len.bytes);
	put32(f, size);
}

static inline void put_section(struct file *f, bool big)
{
	size_t at;

	f->big = big;
	at = begin_block(f, 0x0a0d0d0a);
	put32(f, 0x1a2b3c4d);
	put16(f, 1);
	put16(f, 0);
	put_number(f, UINT64_MAX, 8);
	put16(f, 4); /* shb_userappl */
	put16(f, 3);
	put(f, "abc", 4);
	put32(f, 0);
	end_block(f, at);
}

/* `resolution` -1, `offset` 0: no such option. */
static inline void put_interface(struct file *f, uint16_t link_type, uint32_t snaplen,
				 int resolution, int64_t offset)
{
	size_t at = begin_block(f, 1);

	put16(f, link_type);
	put16(f, 0);
	put32(f, snaplen);
	put16(f, 2); /* if_name */
	put16(f, 4);
	put(f, "eth0", 4);
	if (resolution >= 0) {
		put16(f, 9);
		put16(f, 1);
		put_number(f, (uint32_t)resolution, 1);
		put(f, "\0\0\0", 3);
	}
	if (offset) {
		put16(f, 14);
		put16(f, 8);
		put_number(f, (uint64_t)offset, 8);
	}
	put32(f, 0);
	end_block(f, at);
}

static inline void put_packet(struct file *f, unsigned n, uint32_t interface, uint64_t ticks,
			      uint32_t len)
{
	size_t at = begin_block(f, 6);

	put32(f, interface);
	put32(f, (uint32_t)(ticks >> 32));
	put32(f, (uint32_t)ticks);
	put32(f, len);
	put32(f, len + 1);
	put_frame(f, n, len, 4);
	put16(f, 1); /* a comment, longer than what the reader skips at a time */
	put16(f, 99);
	for (unsigned i = 0; i < 25; i++)
		put(f, "note", 4);
	put32(f, 0);
	end_block(f, at);
}

static inline void put_simple_packet(struct file *f, unsigned n, uint32_t orig_len, uint32_t len)
{
	size_t at = begin_block(f, 3);

	put32(f, orig_len);
	put_frame(f, n, len, 4);
	end_block(f, at);
}

static inline void put_old_packet(struct file *f, unsigned n, uint16_t interface, uint64_t ticks,
				  uint32_t len)
{
	size_t at = begin_block(f, 2);

	put16(f, interface);
	put16(f, 77); /* drops */
	put32(f, (uint32_t)(ticks >> 32));
	put32(f, (uint32_t)ticks);
	put32(f, len);
	put32(f, len + 1);
	put_frame(f, n, len, 4);
	end_block(f, at);
}

static inline void put_unknown(struct file *f, uint32_t type, uint32_t len)
{
	size_t at = begin_block(f, type);

	put_frame(f, 0, len, 4);
	end_block(f, at);
}

static inline void clear(struct file *f)
{
	free(f->bytes);
	*f = (struct file){.len = 0};
}

#endif
