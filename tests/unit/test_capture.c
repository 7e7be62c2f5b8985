/* SPDX-License-Identifier: MIT */
/*
 * test_capture.c - capture files: pcap and pcapng in both byte orders, whole, cut and damaged.
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

#include "../rng.h"
#include "capture_file.h"
#include "port/capture.h"

#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))

/* Open the first `len` bytes of it; gives what capture_attach() gave. */
static int attach(struct capture_reader *r, const struct file *f, size_t len)
{
	FILE *stream = len ? fmemopen(f->bytes, len, "rb") : fopen("/dev/null", "rb");

	assert_non_null(stream);
	return capture_attach(r, stream);
}

static void expect(struct capture_reader *r, unsigned n, uint64_t stamp, uint32_t len,
		   uint32_t orig_len, uint16_t link_type)
{
	struct capture_frame frame;

	assert_int_equal(capture_read(r, &frame), 1);
	assert_int_equal(frame.len, len);
	assert_int_equal(frame.orig_len, orig_len);
	assert_int_equal(frame.stamp, stamp);
	assert_int_equal(frame.link_type, link_type);
	for (uint32_t i = 0; i < len; i++)
		assert_int_equal(frame.data[i], byte_of(n, i));
}

static void expect_end(struct capture_reader *r)
{
	struct capture_frame frame;

	assert_int_equal(capture_read(r, &frame), 0);
	assert_int_equal(capture_read(r, &frame), 0);
}

static void test_pcap(void **state)
{
	static const struct {
		uint32_t magic;
		bool big;
		uint32_t unit;
	} rows[] = {
		{CAPTURE_MAGIC_USEC, false, 1000},
		{CAPTURE_MAGIC_USEC, true, 1000},
		{CAPTURE_MAGIC_NSEC, false, 1},
		{CAPTURE_MAGIC_NSEC, true, 1},
	};

	for (unsigned i = 0; i < LENGTH(rows); i++) {
		struct file f = {.big = rows[i].big};
		struct capture_reader r;

		put_pcap_header(&f, rows[i].magic, i ? 1 : 147 | 0xf4000000);
		put_record(&f, 0, 4000000000, 999999, 60);
		put_record(&f, 1, 0, 0, 0);
		put_record(&f, 2, 1, 2, CAPTURE_FRAME_MAX);
		assert_int_equal(attach(&r, &f, f.len), 0);
		for (unsigned round = 0; round < 2; round++) {
			expect(&r, 0, 4000000000000000000 + (uint64_t)999999 * rows[i].unit, 60, 61,
			       i ? 1 : 147);
			expect(&r, 1, 0, 0, 1, i ? 1 : 147);
			expect(&r, 2, 1000000000 + (uint64_t)2 * rows[i].unit, CAPTURE_FRAME_MAX,
			       CAPTURE_FRAME_MAX + 1, i ? 1 : 147);
			expect_end(&r);
			assert_int_equal(capture_rewind(&r), 0);
		}
		capture_close(&r);
		clear(&f);
	}
}

/* Two sections of different order, each with interfaces of its own. */
static void build_pcapng(struct file *f, bool big)
{
	put_section(f, big);
	put_interface(f, 1, 0, -1, 0);
	put_unknown(f, 5, 13);
	put_packet(f, 0, 0, 1500000, 61);
	put_interface(f, 147, 100, 9, 0);
	put_packet(f, 1, 1, 1500000, 62);
	put_packet(f, 2, 0, 2500000, 63);
	put_old_packet(f, 3, 1, 17, 64);
	put_simple_packet(f, 4, 90, 90);
	put_section(f, !big);
	put_unknown(f, 0x0badf00d, 3000000);
	put_interface(f, 1, 20, 3, -1);
	put_packet(f, 5, 0, 5000, 7);
	put_simple_packet(f, 6, 90, 20);
}

static void test_pcapng(void **state)
{
	for (unsigned big = 0; big < 2; big++) {
		struct file f = {.len = 0};
		struct capture_reader r;

		build_pcapng(&f, big);
		assert_int_equal(attach(&r, &f, f.len), 0);
		for (unsigned round = 0; round < 2; round++) {
			expect(&r, 0, 1500000000, 61, 62, 1);
			expect(&r, 1, 1500000, 62, 63, 147);
			expect(&r, 2, 2500000000, 63, 64, 1);
			expect(&r, 3, 17, 64, 65, 147);
			expect(&r, 4, 0, 90, 90, 1);
			expect(&r, 5, 4000000000, 7, 8, 1);
			expect(&r, 6, 0, 20, 90, 1);
			expect_end(&r);
			assert_int_equal(capture_rewind(&r), 0);
		}
		capture_close(&r);
		clear(&f);
	}
}

static void test_resolutions(void **state)
{
	static const struct {
		int resolution;
		int64_t offset;
		uint64_t ticks, stamp;
	} rows[] = {
		{-1, 0, 1234567, 1234567000},
		{0, 0, 7, 7000000000},
		{3, 0, 1700000000123, 1700000000123000000},
		{6, 100, 5, 100000005000},
		{9, 0, 1700000000123456789, 1700000000123456789},
		{9, -1, 1700000000123456789, 1699999999123456789},
		{12, 0, 1234567890123, 1234567890},
		{19, 0, 12345678900000000000u, 1234567890},
		{0x80, 0, 9, 9000000000},
		{0x80 | 1, 0, 9, 4500000000},
		{0x80 | 10, 0, 1024 + 512, 1500000000},
		{0x80 | 34, 0, UINT64_C(3) << 33, 1500000000},
		{0x80 | 40, 0, UINT64_C(5) << 39, 2500000000},
		{0x80 | 63, 0, UINT64_C(3) << 62, 1500000000},
	};

	for (unsigned i = 0; i < LENGTH(rows); i++) {
		struct file f = {.len = 0};
		struct capture_reader r;

		put_section(&f, i % 2);
		put_interface(&f, 1, 0, rows[i].resolution, rows[i].offset);
		put_packet(&f, 0, 0, rows[i].ticks, 1);
		assert_int_equal(attach(&r, &f, f.len), 0);
		expect(&r, 0, rows[i].stamp, 1, 2, 1);
		capture_close(&r);
		clear(&f);
	}
}

/* What is wrong in the one block or frame after a good beginning. */
enum damage {
	UNKNOWN_INTERFACE,
	NO_INTERFACE,
	LONGER_THAN_BLOCK,
	SHORT_BLOCK,
	ODD_BLOCK,
	SHORT_PACKET,
	TEN_TO_THE_20,
	TWO_TO_THE_64,
	LONG_OPTION,
	BAD_ORDER,
	BAD_VERSION,
	TOO_LONG,
	DAMAGES,
};

static void build_damage(struct file *f, enum damage damage)
{
	size_t at;

	if (damage == TOO_LONG) {
		put_pcap_header(f, CAPTURE_MAGIC_USEC, 1);
		put32(f, 0);
		put32(f, 0);
		put32(f, CAPTURE_FRAME_MAX + 1);
		put32(f, CAPTURE_FRAME_MAX + 1);
		put_frame(f, 0, CAPTURE_FRAME_MAX + 1, 1);
		return;
	}
	put_section(f, true);
	if (damage != NO_INTERFACE)
		put_interface(f, 1, 0, -1, 0);
	switch (damage) {
	case UNKNOWN_INTERFACE: put_packet(f, 0, 1, 0, 60); break;
	case NO_INTERFACE: put_simple_packet(f, 0, 60, 60); break;
	case LONGER_THAN_BLOCK: put_simple_packet(f, 0, 61, 60); break;
	case SHORT_BLOCK:
	case ODD_BLOCK:
		put32(f, 5);
		put32(f, damage == SHORT_BLOCK ? 8 : 14);
		put_frame(f, 0, 100, 4);
		break;
	case SHORT_PACKET: put_unknown(f, 6, 16); break;
	case TEN_TO_THE_20: put_interface(f, 1, 0, 20, 0); break;
	case TWO_TO_THE_64: put_interface(f, 1, 0, 0x80 | 64, 0); break;
	case LONG_OPTION:
		at = begin_block(f, 1);
		put32(f, 1);
		put32(f, 0);
		put16(f, 2);
		put16(f, 9);
		put(f, "eight by", 8);
		end_block(f, at);
		break;
	case BAD_ORDER:
	case BAD_VERSION:
		at = begin_block(f, 0x0a0d0d0a);
		put32(f, damage == BAD_ORDER ? 0x1a2b3c4e : 0x1a2b3c4d);
		put16(f, damage == BAD_VERSION ? 2 : 1);
		put16(f, 0);
		put_number(f, UINT64_MAX, 8);
		end_block(f, at);
		break;
	default: break;
	}
}

static void test_damaged(void **state)
{
	for (unsigned i = 0; i < DAMAGES; i++) {
		struct file f = {.len = 0};
		struct capture_frame frame;
		struct capture_reader r;
		int e;

		build_damage(&f, i);
		assert_int_equal(attach(&r, &f, f.len), 0);
		e = capture_read(&r, &frame);
		if (e >= 0)
			fail_msg("damage %u: read gave %d", i, e);
		assert_string_not_equal(r.error, "");
		assert_int_equal(capture_read(&r, &frame), e);
		capture_close(&r);
		clear(&f);
	}
}

static void test_not_a_capture(void **state)
{
	static const char *const rows[] = {"",
					   "a",
					   "abc",
					   "abcd",
					   "\xa1\xb2\xc3",
					   "\n\r\r\n",
					   "not a capture at all, but long enough for one"};

	for (unsigned i = 0; i < LENGTH(rows); i++) {
		struct file f = {.len = 0};
		struct capture_reader r;

		put(&f, rows[i], strlen(rows[i]));
		assert_int_equal(attach(&r, &f, f.len), -EINVAL);
		assert_string_not_equal(r.error, "");
		clear(&f);
	}
}

static void test_no_file(void **state)
{
	struct capture_reader r;
	struct capture_writer w;

	assert_int_equal(capture_open(&r, "/nonexistent/file"), -ENOENT);
	assert_string_not_equal(r.error, "");
	assert_int_equal(capture_create(&w, "/nonexistent/file", 1, CAPTURE_NSEC), -ENOENT);
}

/* Wherever a file is cut, the frames before are read, and what follows is an error. */
static void cut_everywhere(const struct file *f, unsigned frames)
{
	unsigned most = 0, ends = 0;

	for (size_t len = 0; len <= f->len; len++) {
		struct capture_frame frame;
		struct capture_reader r;
		unsigned n = 0;
		int got = attach(&r, f, len);

		if (got)
			continue;
		while ((got = capture_read(&r, &frame)) == 1)
			n++;
		assert_in_range(n, most, most + 1);
		most = n;
		ends += got == 0;
		capture_close(&r);
	}
	assert_int_equal(most, frames);
	assert_in_range(ends, frames, frames + 8); /* between blocks */
}

static void test_cut(void **state)
{
	struct file f = {.len = 0};

	put_pcap_header(&f, CAPTURE_MAGIC_USEC, 1);
	put_record(&f, 0, 1, 2, 60);
	put_record(&f, 1, 1, 2, 20);
	cut_everywhere(&f, 2);
	clear(&f);
	put_section(&f, false);
	put_interface(&f, 1, 0, 9, 0);
	put_packet(&f, 0, 0, 1, 33);
	put_simple_packet(&f, 1, 60, 60);
	put_unknown(&f, 5, 9);
	cut_everywhere(&f, 2);
	clear(&f);
}

/* Write frames in random slices to a file in memory and read them again. */
static void round_trip(struct rng *rng, enum capture_resolution resolution)
{
	enum { FRAMES = 50 };

	static uint8_t bytes[CAPTURE_FRAME_MAX];
	uint32_t len[FRAMES], unit = resolution == CAPTURE_USEC ? 1000 : 1;
	uint64_t stamp[FRAMES];
	char path[] = "/tmp/leat-test-capture-XXXXXX";
	struct capture_writer w;
	struct capture_reader r;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(capture_create(&w, path, CAPTURE_USER0, resolution), 0);
	for (unsigned n = 0; n < FRAMES; n++) {
		struct iovec iov[3];
		uint32_t a, b;

		len[n] = n ? rng_below(rng, n % 10 ? 2000 : 70000) : CAPTURE_FRAME_MAX;
		stamp[n] = rng_next(rng) % 4000000000000000000;
		for (uint32_t i = 0; i < len[n]; i++)
			bytes[i] = byte_of(n, i);
		a = rng_below(rng, len[n] + 1);
		b = a + rng_below(rng, len[n] - a + 1);
		iov[0] = (struct iovec){bytes, a};
		iov[1] = (struct iovec){bytes + a, b - a};
		iov[2] = (struct iovec){bytes + b, len[n] - b};
		assert_int_equal(capture_write(&w, iov, 3, stamp[n]), 0);
	}
	assert_int_equal(
		capture_write(&w, (struct iovec[]){{bytes, sizeof(bytes)}, {bytes, 1}}, 2, 0),
		-EMSGSIZE);
	assert_int_equal(capture_finish(&w), 0);
	assert_int_equal(capture_open(&r, path), 0);
	for (unsigned n = 0; n < FRAMES; n++)
		expect(&r, n, stamp[n] / unit * unit, len[n], len[n], CAPTURE_USER0);
	expect_end(&r);
	capture_close(&r);
	unlink(path);
}

static void test_write(void **state)
{
	struct rng rng = rng_start("test_capture");

	round_trip(&rng, CAPTURE_NSEC);
	round_trip(&rng, CAPTURE_USEC);
}

static void test_disk_full(void **state)
{
	static uint8_t bytes[CAPTURE_FRAME_MAX];
	struct iovec iov = {bytes, sizeof(bytes)};
	struct capture_writer w;

	if (capture_create(&w, "/dev/full", 1, CAPTURE_NSEC))
		skip();
	assert_int_equal(capture_write(&w, &iov, 1, 0), -ENOSPC);
	assert_int_equal(capture_finish(&w), -ENOSPC);
}

static void test_pipe(void **state)
{
	struct file f = {.len = 0};
	struct capture_reader r;
	int fd[2];

	put_pcap_header(&f, CAPTURE_MAGIC_NSEC, 1);
	put_record(&f, 0, 1, 2, 60);
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(write(fd[1], f.bytes, f.len), f.len);
	close(fd[1]);
	assert_int_equal(capture_attach(&r, fdopen(fd[0], "rb")), 0);
	expect(&r, 0, 1000000002, 60, 61, 1);
	expect_end(&r);
	assert_int_equal(capture_rewind(&r), -ESPIPE);
	assert_string_not_equal(r.error, "");
	capture_close(&r);
	clear(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pcap),	      cmocka_unit_test(test_pcapng),
		cmocka_unit_test(test_resolutions),   cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_not_a_capture), cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_cut),	      cmocka_unit_test(test_write),
		cmocka_unit_test(test_disk_full),     cmocka_unit_test(test_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
