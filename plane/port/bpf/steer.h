/* SPDX-License-Identifier: MIT */
/*
 * steer.h - what the steering program and its loader, tap_steer.c, agree on.
 *
 * A struct leat_rxfh becomes three maps that are filled, and then only read: its head (one struct
 * steer_head), its contexts (struct leat_rss as they are) and its rules. The program reaches each
 * through an array of maps. Contexts and rules have two places, the head says which are its own,
 * and it is replaced last: a frame sees the whole of one value. The kernel returns from replacing
 * it when no program still runs that saw the former.
 *
 * The filters of accelerated RFS are in a map that changes entry by entry. There are none while a
 * value is replaced.
 */
#ifndef PLANE_PORT_BPF_STEER_H
#define PLANE_PORT_BPF_STEER_H

#include <leat/parse.h>
#include <leat/rxfh.h>

enum { STEER_PLACES = 2, STEER_FILTERS_MAX = 0xffff };

/* Rules of one flow type and mask. */
struct steer_group {
	struct leat_ntuple_key mask; /* its `flow`: the type's */
	uint32_t first;		     /* index of its first rule: none here is lower */
};

struct steer_head {
	uint32_t place;	 /* below STEER_PLACES: of its other maps */
	uint32_t first;	 /* bytes of a frame that are looked at */
	uint32_t queues; /* of the port */
	uint32_t groups; /* how many there are, by `first` */
	struct leat_parse_conf parse;
	struct steer_group group[LEAT_NTUPLE_GROUPS_MAX];
};

/* What the rules are found by: the masked fields of a packet, with the group's `flow`, and its
 * index in zero[0]. */
#define STEER_GROUP zero[0]

struct steer_rule {
	uint32_t index; /* lower goes first */
	uint16_t queue;
	uint16_t context;
	uint8_t action; /* enum leat_ntuple_action */
	uint8_t zero[3];
};

/* A filter of accelerated RFS, found by the hash. */
struct steer_flow {
	uint16_t queue;
	uint16_t filter;
};

#endif
