/* SPDX-License-Identifier: MIT */
/*
 * job.h - what leat segment and leat coalesce share: a capture is read, frame by frame, another is
 * written, and what was done is counted and said. leat steer writes none, and reads likewise.
 *
 * Frames are handed out as Ethernet frames, whatever the link type: struct job_link keeps the real
 * link header, and job_write() puts it back. With --vnet-hdr one of the two captures has a
 * virtio_net_hdr in front of each frame, which is taken off, or put on, here too.
 */
#ifndef CLI_JOB_H
#define CLI_JOB_H

#include "args.h"

#include "plane/port/capture.h"
#include "plane/port/linktype.h"

#include <jansson.h>
#include <leat/pkt.h>
#include <leat/vnet.h>

/* What is counted, frames unless it says otherwise. */
enum job_count {
	JOB_FRAMES_IN,
	JOB_BYTES_IN,
	JOB_FRAMES_OUT,
	JOB_BYTES_OUT,
	JOB_SNAPPED,
	JOB_UNKNOWN,
	JOB_COMPLETED,
	JOB_LEFT_PARTIAL,
	JOB_FILLED,
	JOB_CUT,
	JOB_SEGMENTS,
	JOB_FRAGMENTED,
	JOB_FRAGMENTS,
	JOB_UDP_LARGE,
	JOB_LARGE,
	JOB_BAD_METADATA,
	JOB_SUPERS,
	JOB_MERGED,
	JOB_INEXPRESSIBLE,
	JOB_IRREVERSIBLE,
	JOB_COUNTS,
};

/* A link header that an Ethernet header stands in for. */
struct job_link {
	bool replaced;
	uint8_t len;
	uint8_t bytes[LINKTYPE_HEADER_MAX];
};

struct job_frame {
	uint64_t number; /* from 1, as others count */
	uint8_t *data;	 /* the Ethernet frame; until the next read */
	uint32_t len;
	const uint8_t *vnet; /* its virtio_net_hdr, or NULL */
	bool whole;	     /* not cut by a snaplen */
	bool known;	     /* of a link type, and short enough, to be looked into */
	struct job_link link;
	struct capture_mark mark;
};

struct job {
	const char *command, *in, *out;
	bool json;
	unsigned vnet_in, vnet_out; /* bytes of the header in front of each frame; 0: none */
	struct capture_reader reader;
	struct capture_writer writer;
	struct capture_frame first; /* read to learn the link type */
	int peeked;		    /* what capture_read() gave for it; 2: nothing is peeked */
	int *number;		    /* of each interface of the section, in OUT; or -errno */
	uint32_t numbers, room, section;
	uint64_t count[JOB_COUNTS];
	uint64_t size;	    /* of IN; 0: not known, or nobody looks */
	uint64_t next_look; /* when it is time to show progress, ns */
};

/* Options of both commands, in their tables. `to` begins with a struct job. */
int job_take_json(void *to, char *value, char *err, size_t err_len);

/* Bytes of a virtio_net_hdr: 10, 12, 20 or 24; 12 without a value. */
int job_take_vnet(unsigned *vnet, const char *value, char *err, size_t err_len);

/* Open IN and OUT, the two operands from argv[at] on. EXIT_OK, or another exit code and it was
 * said why; OUT is untouched then, unless it could not be written to. */
int job_open(struct job *j, const struct args_command *command, int argc, char **argv, int at);

/* Open IN alone: job_read() and job_close_in() follow, nothing else. EXIT_OK, or EXIT_WORK and it
 * was said why. */
int job_open_in(struct job *j, const struct args_command *command, const char *in);

/* The next frame: 1; 0 at the end; -1: it was said why not. */
int job_read(struct job *j, struct job_frame *f);

/* Write a frame that is Ethernet: `n` slices, before which one more may be written to. `vnet`: its
 * header, where OUT has them; NULL: an ordinary frame's. Gives 0, or -1: it was said why not. */
int job_write(struct job *j, const struct job_link *link, const struct capture_mark *mark,
	      const void *vnet, struct iovec *iov, unsigned n);

/* Close IN, and end the line of progress. */
void job_close_in(struct job *j);

/* Close OUT and IN, and say what was done. Gives `code`, or EXIT_WORK if not all was written. */
int job_close(struct job *j, int code, json_t *more);

/* Say on stderr what went wrong with a file; gives EXIT_WORK. */
int job_fail(const struct job *j, const char *file, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Where --why and --json go: standard output, unless OUT is that. */
FILE *job_report(const struct job *j);

/* The counters, for people and for machines. */
void job_print_counts(const struct job *j, FILE *to);
json_t *job_json_counts(const struct job *j);

#endif
