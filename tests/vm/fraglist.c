/* SPDX-License-Identifier: MIT */
/*
 * The kernel it runs on as referee of fraglists: host B's TAP merges with rx-gro-list, and a bridge
 * passes what it made on to a second TAP, which takes no super-packets.
 *
 * Of a train of frames the kernel and we must make the same number of super-packets, of the same
 * lengths; and what comes out of the second TAP, and of our GSO, must be the train.
 */
#define _GNU_SOURCE
#include "ours.h"
#include "rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BRIDGE                                                                                 \
	"if ip link show in >/dev/null 2>&1; then : %1$s %2$s; ip address flush dev in;"       \
	"ip link add br1 type bridge; ip link set in master br1; ip link set br1 up;"          \
	"ip link add b0 type veth peer name b1; ip link set b0 master br1; ip link set b0 up;" \
	"for f in tx-gso-list tx-udp-segmentation tso sg tx; do ethtool -K b0 $f off; done;"   \
	"ip link set b1 up; fi >/dev/null 2>&1"

struct score {
	unsigned trains, frames, merged, counts, undone, kernel_undone;
};

/* Frames of one flow, most of one size. */
static void draw_train(struct rng *rng, bool tcp, bool v6, struct list *train)
{
	unsigned n = 2 + rng_below(rng, 12);
	struct frame f = {.version = v6 ? 6 : 4,
			  .protocol = tcp ? FRAME_TCP : FRAME_UDP,
			  .dst_mac = 0xb,
			  .sport = 1000,
			  .dport = 2000,
			  .seq = (uint32_t)rng_next(rng),
			  .frag_off = FRAME_DF,
			  .id = (uint16_t)rng_next(rng)};
	uint32_t size = 30 + rng_below(rng, 1300);

	for (train->n = 0; train->n < n; train->n++) {
		struct lab_frame *to = &train->frame[train->n];

		f.payload = rng_once_in(rng, 8) ? 18 + rng_below(rng, size) : size;
		*to = (struct lab_frame){.len = frame_len(&f), .data = malloc(frame_len(&f))};
		frame_build(&f, to->data);
		memcpy(to->data, "\2\0\0\0\0\xb", 6);
		f.seq += f.payload;
		f.id++;
	}
}

static bool same_lengths(const struct list *a, const struct list *b)
{
	if (a->n != b->n)
		return false;
	for (unsigned i = 0; i < a->n; i++)
		if (a->frame[i].len != b->frame[i].len)
			return false;
	return true;
}

/* What the kernel merged, if `shown`. */
static void judge(const struct lab *lab, bool shown, int merged_fd, int out_fd,
		  const struct list *train, struct score *s)
{
	static const struct leat_gro_conf conf = {.buckets = 8, .depth = 8, .fraglist = true};
	struct list kernel = {0}, passed = {0}, ours = {0}, again = {0};

	lab_receive(lab, train->frame, train->n);
	passed.n = lab_read_all(out_fd, passed.frame, OURS_FRAMES);
	if (shown)
		kernel.n = lab_read_all(merged_fd, kernel.frame, OURS_FRAMES);
	ours_coalesce(NULL, &conf, train, &ours, &again);
	s->trains++;
	s->frames += train->n;
	s->merged += kernel.n;
	s->counts += !shown || same_lengths(&kernel, &ours);
	s->kernel_undone +=
		list_same("fraglist passed on", train, &passed, s->trains == s->kernel_undone + 1);
	s->undone += list_same("fraglist again", train, &again, s->trains == s->undone + 1);
	list_clear(&kernel);
	list_clear(&passed);
	list_clear(&ours);
	list_clear(&again);
}

int main(void)
{
	static const char *const kind[] = {"udp4", "udp6", "tcp4", "tcp6"};
	struct rng rng = rng_start("fraglist");
	struct lab lab = lab_start(4, BRIDGE);
	int merged = lab_packet("in", true), out = lab_packet("b1", true), failed = 0;

	lab_sh("ethtool -K in rx-gro-list on");
	for (unsigned k = 0; k < 4; k++) {
		struct score s = {0};
		bool shown = k >= 2 || !lab_older(6, 2);

		for (unsigned i = 0; i < 20; i++) {
			struct list train;

			draw_train(&rng, k >= 2, k & 1, &train);
			judge(&lab, shown, merged, out, &train, &s);
			list_clear(&train);
		}
		printf("fraglist %s: %u trains of %u frames, kernel merged to %u, %u merged alike%s, "
		       "%u undone by us, %u by the kernel\n",
		       kind[k], s.trains, s.frames, s.merged, s.counts,
		       shown ? "" : " (not known: its packet socket does not show them)", s.undone,
		       s.kernel_undone);
		failed += s.counts != s.trains || s.undone != s.trains;
	}
	return failed != 0;
}
