/* SPDX-License-Identifier: MIT */
/*
 * knob_at.h - a knob while it is read or set: what the rows of knob.c's table are made of.
 */
#ifndef PLANE_KNOB_AT_H
#define PLANE_KNOB_AT_H

#include "cpulist.h"
#include "knob.h"
#include "plane.h"

struct knob_at {
	struct plane *plane;
	struct conf *conf;	 /* read: the value in force; set: a copy to change */
	const struct port *port; /* of a port's knob, as the next two */
	struct port_conf *port_conf;
	unsigned n;   /* what N stands for: a queue, an RSS context, a rule's location */
	uint32_t bit; /* of the knob's row */
	char path[KNOB_PATH_MAX];
	char *err;
	size_t err_len;
};

typedef void knob_reader(const struct knob_at *at, char *text, size_t size);

/* 0; or what knob_complain() gave. */
typedef int knob_setter(const struct knob_at *at, const char *value);

/* A row of the table. */
struct knob {
	const char *pattern;
	knob_reader *read;
	knob_setter *set;
	uint32_t bit;
	bool alias; /* another name, which no pattern matches */
};

/* No number that N may stand for. */
#define KNOB_NONE UINT32_MAX

/* knob_path.c: the first number from `n` on that N stands for in the row, of at->port; 0 where the
 * row has no N; or KNOB_NONE. */
uint32_t knob_next(const struct knob *knob, const struct knob_at *at, uint32_t n);

/* Spell out the path of at->port's knob, with at->n for N, in KNOB_PATH_MAX bytes. */
void knob_spell(const struct knob *knob, const struct knob_at *at, char *path);

/* Say what is wrong; gives `error`. */
int knob_complain(const struct knob_at *at, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Read "on" or "off". */
int knob_switch(const struct knob_at *at, const char *value, bool *on);

/* Read a number as the kernel does: decimal, 0x hexadecimal or 0 octal. */
int knob_number(const struct knob_at *at, const char *value, uint64_t max, uint64_t *number);

/* cpulist_parse or cpulist_parse_mask. */
typedef int knob_set_parser(struct cpulist *set, const char *text, unsigned n);

/* Read a set of CPUs, each of which must have a worker. */
int knob_cpus(const struct knob_at *at, const char *value, knob_set_parser *parse,
	      struct cpulist *set);

/* Set what is read-only: to what it reads already, so that all knobs can be set to what they read.
 * `why`: what to do instead. */
int knob_keep(const struct knob_at *at, const char *value, knob_reader *read, const char *why);

/* A map of rps_cpus as a mask of them, and back. */
void knob_print_map(const struct knob_at *at, const struct leat_rps_map *map, char *text,
		    size_t size);
int knob_parse_map(const struct knob_at *at, const char *value, struct leat_rps_map *map);

/* knob_queue.c: PORT/queues/rx-N/NAME. */
knob_reader knob_read_rps_cpus, knob_read_rps_flow_cnt, knob_read_affinity, knob_read_affinity_list,
	knob_read_effective_affinity, knob_read_effective_affinity_list;
knob_setter knob_set_rps_cpus, knob_set_rps_flow_cnt, knob_set_affinity, knob_set_affinity_list,
	knob_set_effective_affinity, knob_set_effective_affinity_list;

/* knob_xps.c: PORT/queues/tx-N/NAME and PORT/mqprio. */
knob_reader knob_read_xps_cpus, knob_read_xps_rxqs, knob_read_traffic_class, knob_read_mqprio;
knob_setter knob_set_xps_cpus, knob_set_xps_rxqs, knob_set_traffic_class, knob_set_mqprio;

/* knob_rps.c: net/core/NAME of RPS. */
knob_reader knob_read_flow_limit_cpu_bitmap, knob_read_flow_limit_table_len,
	knob_read_rps_default_mask;
knob_setter knob_set_flow_limit_cpu_bitmap, knob_set_flow_limit_table_len,
	knob_set_rps_default_mask;

/* knob_core.c: net/core/NAME, PORT/gro_flush_timeout and arfs_filters. */
knob_reader knob_read_sock_flow_entries, knob_read_max_backlog, knob_read_busy_poll,
	knob_read_gro_normal_batch, knob_read_gro_flush_timeout, knob_read_arfs_filters;
knob_setter knob_set_sock_flow_entries, knob_set_max_backlog, knob_set_busy_poll,
	knob_set_gro_normal_batch, knob_set_gro_flush_timeout, knob_set_arfs_filters;

/* knob_feature.c: PORT/features/NAME. The bit is of port_conf.rx, port_conf.gso, or, where it
 * cannot be changed, port.features (0: never on). tso: of several bits. */
knob_reader knob_read_rx, knob_read_gso, knob_read_tso, knob_read_csum, knob_read_crc,
	knob_read_fixed;
knob_setter knob_set_rx, knob_set_gso, knob_set_csum, knob_set_crc, knob_set_fixed;

/* knob_limit.c: PORT/NAME. */
knob_reader knob_read_gso_max_size, knob_read_gso_ipv4_max_size, knob_read_gso_max_segs,
	knob_read_gro_max_size, knob_read_gro_ipv4_max_size, knob_read_tso_max_size,
	knob_read_tso_max_segs;
knob_setter knob_set_gso_max_size, knob_set_gso_ipv4_max_size, knob_set_gso_max_segs,
	knob_set_gro_max_size, knob_set_gro_ipv4_max_size, knob_set_tso_max_size,
	knob_set_tso_max_segs;

/* knob_tunnel.c: net/TUNNEL/dstport; the bit is enum leat_tunnel. */
knob_reader knob_read_tunnel;
knob_setter knob_set_tunnel;

/* knob_rxfh.c: PORT/rxfh/NAME and PORT/rxfh/context/N/NAME. */
knob_reader knob_read_key, knob_read_indir, knob_read_indir_size, knob_read_fields, knob_read_xfrm,
	knob_read_inner, knob_read_context;
knob_setter knob_set_key, knob_set_indir, knob_set_indir_size, knob_set_fields, knob_set_xfrm,
	knob_set_inner, knob_set_context;

/* knob_ntuple.c: PORT/ntuple/N, PORT/ntuple/any, PORT/features/rx-ntuple-filter. */
knob_reader knob_read_rule, knob_read_rule_any, knob_read_ntuple;
knob_setter knob_set_rule, knob_set_rule_any, knob_set_ntuple;

#endif
