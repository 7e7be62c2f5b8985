/* SPDX-License-Identifier: MIT */
/*
 * test_capture_live.c - captures that are being written while they are read, in pieces of any size.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture_file.h"
#include "port/capture.h"

/* A file to be written to a pipe, and where its frames end. */
struct stream {
	struct file file;
	size_t head; /* bytes that are there when it is opened */
	size_t end[8];
	unsigned frames;
};

static void end_frame(struct stream *s)
{
	s->end[s->frames++] = s->file.len;
}

static void build_pcap_stream(struct stream *s)
{
	*s = (struct stream){.head = 24};
	put_pcap_header(&s->file, CAPTURE_MAGIC_NSEC, 1);
	for (unsigned i = 0; i < 4; i++) {
		put_record(&s->file, i, i, 7, i ? 10 * i : 60);
		end_frame(s);
	}
}

static void build_pcapng_stream(struct stream *s)
{
	*s = (struct stream){.head = 14};
	put_section(&s->file, true);
	put_interface(&s->file, 1, 0, 9, 0);
	put_packet(&s->file, 0, 0, 1500000, 61);
	end_frame(s);
	put_interface(&s->file, 147, 100, -1, 5);
	put_old_packet(&s->file, 1, 1, 17, 33);
	end_frame(s);
	put_unknown(&s->file, 5, 13);
	put_simple_packet(&s->file, 2, 30, 30);
	end_frame(s);
	put_section(&s->file, false);
	put_interface(&s->file, 1, 20, 3, -1);
	put_packet(&s->file, 3, 0, 5000, 7);
	end_frame(s);
}

/* Read what there is of the live file: the same frames as the whole one gives. */
static unsigned read_on(struct capture_reader *live, struct capture_reader *whole)
{
	struct capture_frame a, b;
	unsigned n = 0;
	int got;

	while ((got = capture_read(live, &a)) == 1) {
		assert_int_equal(capture_read(whole, &b), 1);
		assert_int_equal(a.len, b.len);
		assert_memory_equal(a.data, b.data, a.len);
		assert_int_equal(a.orig_len, b.orig_len);
		assert_int_equal(a.stamp, b.stamp);
		assert_int_equal(a.interface, b.interface);
		assert_int_equal(a.link_type, b.link_type);
		n++;
	}
	assert_int_equal(got, -EAGAIN);
	assert_int_equal(capture_read(live, &a), -EAGAIN);
	assert_string_equal(live->error, "");
	return n;
}

/* Written in pieces of `size` bytes, each frame is given as soon as all of it was written. */
static void write_in_pieces(const struct stream *s, size_t size)
{
	struct capture_reader live, whole;
	struct capture_frame frame;
	unsigned n = 0;
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	assert_int_equal(write(fd[1], s->file.bytes, s->head), s->head);
	assert_int_equal(capture_attach(&live, fdopen(fd[0], "rb")), 0);
	live.live = true;
	assert_int_equal(capture_attach(&whole, fmemopen(s->file.bytes, s->file.len, "rb")), 0);
	assert_int_equal(read_on(&live, &whole), 0);
	for (size_t at = s->head; at < s->file.len; at += size) {
		size_t part = at + size < s->file.len ? size : s->file.len - at;

		assert_int_equal(write(fd[1], s->file.bytes + at, part), part);
		n += read_on(&live, &whole);
		for (unsigned i = 0; i < s->frames; i++)
			assert_true(n > i || s->end[i] > at + part);
	}
	assert_int_equal(n, s->frames);
	close(fd[1]);
	assert_int_equal(capture_read(&live, &frame), 0);
	assert_int_equal(capture_read(&whole, &frame), 0);
	capture_close(&live);
	capture_close(&whole);
}

static void test_live(void **state)
{
	struct stream s;

	for (unsigned ng = 0; ng < 2; ng++) {
		(ng ? build_pcapng_stream : build_pcap_stream)(&s);
		for (size_t size = 1; size <= s.file.len; size++)
			write_in_pieces(&s, size);
		clear(&s.file);
	}
}

/* Longer than what is usually read ahead, and than a pipe holds. */
static void test_live_and_long(void **state)
{
	struct stream s;

	build_pcap_stream(&s);
	put_record(&s.file, 4, 1, 2, CAPTURE_FRAME_MAX);
	end_frame(&s);
	write_in_pieces(&s, 50000);
	clear(&s.file);
	build_pcapng_stream(&s);
	put_unknown(&s.file, 5, 600000);
	put_packet(&s.file, 4, 0, 1, 300000);
	end_frame(&s);
	write_in_pieces(&s, 50000);
	clear(&s.file);
}

/* What ends in the middle is damaged, however long it was silent before. */
static void test_live_and_cut(void **state)
{
	struct capture_frame frame;
	struct capture_reader r;
	struct stream s;
	int fd[2];

	build_pcap_stream(&s);
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(write(fd[1], s.file.bytes, s.end[0] - 1), s.end[0] - 1);
	assert_int_equal(capture_attach(&r, fdopen(fd[0], "rb")), 0);
	r.live = true;
	assert_int_equal(capture_read(&r, &frame), -EAGAIN);
	close(fd[1]);
	assert_int_equal(capture_read(&r, &frame), -EINVAL);
	assert_non_null(strstr(r.error, "ends in the middle"));
	assert_int_equal(capture_read(&r, &frame), -EINVAL);
	capture_close(&r);
	clear(&s.file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_live),
		cmocka_unit_test(test_live_and_long),
		cmocka_unit_test(test_live_and_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
