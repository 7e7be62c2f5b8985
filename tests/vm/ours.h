/* SPDX-License-Identifier: MIT */
/*
 * ours.h - for the checks in the emulated machine: what our GRO and GSO make of the kernel's frames,
 * and whether it is the same.
 */
#ifndef LEAT_TESTS_VM_OURS_H
#define LEAT_TESTS_VM_OURS_H

#include <leat/gro.h>
#include <leat/gso.h>
#include <leat/parse.h>

#include "frame.h"
#include "lab.h"

enum { OURS_FRAMES = 4 * LAB_FRAMES };

struct list {
	unsigned n;
	struct lab_frame frame[OURS_FRAMES];
};

void list_clear(struct list *list);

/* Whether the lists are the same, in bytes and gso_size; else, if `say`, the first difference is
 * shown as that of `name`. */
bool list_same(const char *name, const struct list *kernel, const struct list *ours, bool say);

/* The frame as a parsed packet, with what its virtio_net_hdr says and the bits of the tunnel it is
 * in, which the header does not say. */
struct leat_pkt *ours_parse(const struct leat_parse_conf *conf, struct arena *arena,
			    const struct lab_frame *f);

/* Our segments of the packet are appended to the list. Gives GSO's word. */
int ours_segment(const struct leat_pkt *pkt, struct list *list);

/* What our GRO makes of the train is appended to `merged`, what our GSO makes of that to `again`. */
void ours_coalesce(const struct leat_parse_conf *parse, const struct leat_gro_conf *conf,
		   const struct list *train, struct list *merged, struct list *again);

#endif
