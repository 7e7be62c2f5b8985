/* SPDX-License-Identifier: MIT */
/*
 * fuzz_capture.c - the capture reader, and what finds IP behind link headers. Input: a file. What
 * it gives is within its limits and may be written to, headroom included; the end stays the end,
 * and a second reading gives the same.
 */
#include "port/capture.h"
#include "port/linktype.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Have an Ethernet header put before what is behind the frame's link header, and then more. */
static void overwrite(struct capture_frame *frame)
{
	const struct linktype *t = linktype_find(frame->link_type);

	if (t && t->number != LINKTYPE_ETHERNET)
		linktype_replace(t, frame->data, frame->len);
	memset(frame->data - CAPTURE_HEADROOM, 0, CAPTURE_HEADROOM + frame->len);
}

/* All frames, as one number; *last becomes what the end was. */
static uint64_t read_all(struct capture_reader *r, int *last)
{
	struct capture_frame frame;
	uint64_t print = 0;

	while ((*last = capture_read(r, &frame)) == 1) {
		if (frame.len > CAPTURE_FRAME_MAX)
			abort();
		for (uint32_t i = 0; i < frame.len; i++)
			print = (print ^ frame.data[i]) * 0x100000001b3;
		print = (print ^ frame.stamp ^ frame.link_type ^ frame.interface) * 0x100000001b3;
		overwrite(&frame);
	}
	if (*last > 0 || capture_read(r, &frame) != *last)
		abort();
	return print;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *file = size > 0 ? fmemopen((void *)data, size, "rb") : NULL;
	struct capture_reader r;
	int first_end, second_end;
	uint64_t print;

	if (file == NULL || capture_attach(&r, file) != 0)
		return 0;
	print = read_all(&r, &first_end);
	if (capture_rewind(&r) != 0 || read_all(&r, &second_end) != print ||
	    second_end != first_end)
		abort();
	capture_close(&r);
	return 0;
}
