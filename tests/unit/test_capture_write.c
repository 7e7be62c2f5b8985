/* SPDX-License-Identifier: MIT */
/*
 * test_capture_write.c - captures written: pcapng by its name, with interfaces as they were read,
 * original lengths, and stamps of nanoseconds.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture_file.h"
#include "port/capture.h"

enum { FRAMES = 40 };

static char folder[] = "/tmp/leat-test-write-XXXXXX";

static int make_folder(void **state)
{
	return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
	return rmdir(folder);
}

static void name(char path[64], const char *file)
{
	snprintf(path, 64, "%s/%s", folder, file);
}

static struct capture_mark mark_of(unsigned n)
{
	return (struct capture_mark){
		.stamp = UINT64_C(1234567890123456789) * (n + 1),
		.interface = n % 2,
		.missing = n % 3 ? 0 : n * 1000,
	};
}

static void write_frame(struct capture_writer *w, unsigned n)
{
	struct file f = {.len = 0};
	struct capture_mark mark = mark_of(n);
	struct iovec iov[2];

	put_frame(&f, n, n, 1);
	iov[0] = (struct iovec){f.bytes, n / 2};
	iov[1] = (struct iovec){n > 0 ? f.bytes + n / 2 : NULL, n - n / 2};
	assert_int_equal(capture_write_marked(w, iov, 2, &mark), 0);
	clear(&f);
}

static void expect_frame(struct capture_reader *r, unsigned n, const uint16_t *link_types)
{
	struct capture_mark mark = mark_of(n);
	struct capture_frame frame;

	assert_int_equal(capture_read(r, &frame), 1);
	assert_int_equal(frame.len, n);
	assert_int_equal(frame.orig_len, n + mark.missing);
	assert_int_equal(frame.stamp, mark.stamp);
	assert_int_equal(frame.interface, mark.interface);
	assert_int_equal(frame.link_type, link_types[mark.interface]);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(frame.data[i], byte_of(n, i));
}

static void test_pcapng(void **state)
{
	static uint8_t options[] = {2, 0, 4, 0, 'e', 't', 'h', '0'};
	static const uint16_t link_types[] = {1, 113};
	struct capture_interface interface = {
		.link_type = 1, .options = options, .options_len = sizeof(options)};
	struct capture_writer w;
	struct capture_reader r;
	struct capture_frame frame;
	char path[64];

	if (*(uint8_t *)&(uint16_t){1} == 0)
		options[0] = 0, options[1] = 2, options[2] = 0, options[3] = 4;
	name(path, "x.pcapng");
	assert_int_equal(capture_create(&w, path, 1, CAPTURE_USEC), 0);
	assert_int_equal(capture_describe(&w, &interface), 0);
	interface = (struct capture_interface){.link_type = 113};
	assert_int_equal(capture_describe(&w, &interface), 1);
	for (unsigned n = 0; n < FRAMES; n++)
		write_frame(&w, n);
	assert_int_equal(w.frames, FRAMES);
	assert_int_equal(w.bytes, FRAMES * (FRAMES - 1) / 2);
	assert_int_equal(capture_finish(&w), 0);

	assert_int_equal(capture_open(&r, path), 0);
	assert_true(r.ng);
	for (unsigned n = 0; n < FRAMES; n++)
		expect_frame(&r, n, link_types);
	assert_int_equal(capture_read(&r, &frame), 0);
	assert_int_equal(r.interface[0].options_len, sizeof(options));
	assert_memory_equal(r.interface[0].options, options, sizeof(options));
	assert_int_equal(r.interface[1].options_len, 0);
	capture_close(&r);
	unlink(path);
}

/* Who describes no interface has one all the same. */
static void test_undescribed(void **state)
{
	struct capture_writer w;
	struct capture_reader r;
	struct capture_frame frame;
	char path[64];

	name(path, "y.pcapng");
	assert_int_equal(capture_create(&w, path, CAPTURE_ETHERNET, CAPTURE_NSEC), 0);
	for (unsigned n = 0; n < 2; n++)
		assert_int_equal(capture_write(&w, &(struct iovec){(char[]){"abc"}, 3}, 1, n), 0);
	assert_int_equal(capture_finish(&w), 0);
	assert_int_equal(capture_open(&r, path), 0);
	for (unsigned n = 0; n < 2; n++) {
		assert_int_equal(capture_read(&r, &frame), 1);
		assert_int_equal(frame.link_type, CAPTURE_ETHERNET);
		assert_int_equal(frame.stamp, n);
	}
	assert_int_equal(r.interfaces, 1);
	assert_int_equal(capture_read(&r, &frame), 0);
	capture_close(&r);
	unlink(path);
}

/* A pcap file has one link type. */
static void test_pcap(void **state)
{
	struct capture_interface interface = {.link_type = 101};
	struct capture_writer w;
	struct capture_reader r;
	struct capture_frame frame;
	struct capture_mark mark = {.stamp = 5, .interface = 7, .missing = 9};
	char path[64];

	name(path, "pcapng"); /* no more than the name */
	assert_int_equal(capture_create(&w, path, 101, CAPTURE_NSEC), 0);
	assert_int_equal(capture_describe(&w, &interface), 0);
	interface.link_type = 1;
	assert_int_equal(capture_describe(&w, &interface), -EPROTOTYPE);
	assert_int_equal(capture_write_marked(&w, &(struct iovec){(char[]){"abc"}, 3}, 1, &mark),
			 0);
	assert_int_equal(capture_finish(&w), 0);
	assert_int_equal(capture_open(&r, path), 0);
	assert_false(r.ng);
	assert_int_equal(capture_read(&r, &frame), 1);
	assert_int_equal(frame.link_type, 101);
	assert_int_equal(frame.orig_len, 12);
	assert_int_equal(frame.stamp, 5);
	capture_close(&r);
	unlink(path);
}

/* Options that mean something in another file too are kept, in our byte order. */
static void test_options(void **state)
{
	for (unsigned big = 0; big < 2; big++) {
		static const char kept[] = "eth0";
		struct file f = {.len = 0};
		struct capture_reader r;
		uint16_t head[2];
		struct capture_frame frame;

		put_section(&f, big);
		put_interface(&f, 1, 0, 9, 5); /* its name; clocks are not kept */
		put_packet(&f, 0, 0, 1, 3);
		assert_int_equal(capture_attach(&r, fmemopen(f.bytes, f.len, "rb")), 0);
		assert_int_equal(capture_read(&r, &frame), 1);
		assert_int_equal(r.interface[0].options_len, 8);
		memcpy(head, r.interface[0].options, sizeof(head));
		assert_int_equal(head[0], 2);
		assert_int_equal(head[1], 4);
		assert_memory_equal(r.interface[0].options + 4, kept, 4);
		capture_close(&r);
		clear(&f);
	}
}

/* The bytes in front of a frame are nobody's: writing to them changes no other frame. */
static void test_headroom(void **state)
{
	struct file f = {.len = 0};
	struct capture_reader r;
	struct capture_frame frame;

	put_section(&f, false);
	put_interface(&f, 1, 0, -1, 0);
	for (unsigned n = 0; n < 2000; n++)
		put_simple_packet(&f, n, n, n);
	assert_int_equal(capture_attach(&r, fmemopen(f.bytes, f.len, "rb")), 0);
	for (unsigned n = 0; n < 2000; n++) {
		assert_int_equal(capture_read(&r, &frame), 1);
		assert_int_equal(frame.len, n);
		for (uint32_t i = 0; i < n; i++)
			assert_int_equal(frame.data[i], byte_of(n, i));
		memset(frame.data - CAPTURE_HEADROOM, 0xff, CAPTURE_HEADROOM + frame.len);
	}
	assert_int_equal(capture_read(&r, &frame), 0);
	capture_close(&r);
	clear(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pcapng),	 cmocka_unit_test(test_undescribed),
		cmocka_unit_test(test_pcap),	 cmocka_unit_test(test_options),
		cmocka_unit_test(test_headroom),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
