/* SPDX-License-Identifier: MIT */
/*
 * capture.h - capture files, read and written as streams of frames.
 *
 * Read: pcap with micro- or nanoseconds, pcapng with any number of sections and interfaces of
 * their own link type and time resolution; either byte order; frames of up to CAPTURE_FRAME_MAX
 * bytes. Nothing in the file is believed. Written: pcap. Memory does not grow with the file,
 * except by a few bytes per interface.
 *
 * Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
 */
#ifndef PLANE_PORT_CAPTURE_H
#define PLANE_PORT_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/uio.h>

enum {
	CAPTURE_FRAME_MAX = 1 << 20,
	CAPTURE_INTERFACES_MAX = 65536,
	CAPTURE_ERROR_MAX = 96,
};

/* Link types (LINKTYPE_*). */
enum { CAPTURE_ETHERNET = 1, CAPTURE_USER0 = 147 };

/* First word of a pcap file. */
#define CAPTURE_MAGIC_USEC 0xa1b2c3d4u
#define CAPTURE_MAGIC_NSEC 0xa1b23c4du

struct capture_frame {
	const uint8_t *data; /* until the next read */
	uint32_t len;	     /* bytes in the file */
	uint32_t orig_len;   /* bytes the frame had */
	uint64_t stamp;	     /* ns since 1970; 0 where the file has none */
	uint32_t interface;  /* of its section; 0 in a pcap file */
	uint16_t link_type;
};

struct capture_interface {
	uint16_t link_type;
	uint32_t snaplen;   /* 0: no limit */
	uint8_t resolution; /* if_tsresol: power of ten, or with the upper bit of two */
	uint64_t offset;    /* if_tsoffset, ns */
};

struct capture_reader {
	FILE *file;
	uint8_t *frame;	 /* CAPTURE_FRAME_MAX bytes */
	bool swapped;	 /* the other byte order than ours */
	bool ng;	 /* pcapng */
	uint64_t frames; /* read so far */
	uint32_t interfaces, room;
	struct capture_interface *interface; /* of this section; a pcap file has one */
	int failed;			     /* -errno of an earlier read */
	char error[CAPTURE_ERROR_MAX];	     /* and what it was */
};

/* Open the file at `path`, "-" is stdin. Gives 0, or -errno with r->error set and nothing left to
 * close. */
int capture_open(struct capture_reader *r, const char *path);

/* The same with an open stream, which is the reader's from now on, also if this fails. */
int capture_attach(struct capture_reader *r, FILE *file);

/* The next frame: 1; 0 at the end; -errno with r->error set when the file is damaged or ends in
 * the middle of a frame. */
int capture_read(struct capture_reader *r, struct capture_frame *frame);

/* Begin again with the first frame. Gives 0, or -errno with r->error set (a pipe). */
int capture_rewind(struct capture_reader *r);

void capture_close(struct capture_reader *r);

enum capture_resolution { CAPTURE_USEC, CAPTURE_NSEC };

struct capture_writer {
	FILE *file;
	enum capture_resolution resolution;
	int failed; /* -errno of the first write that failed */
};

/* Make the pcap file `path`, "-" is stdout. Gives 0 or -errno. */
int capture_create(struct capture_writer *w, const char *path, uint16_t link_type,
		   enum capture_resolution resolution);

/* Write a frame given as slices, of altogether at most CAPTURE_FRAME_MAX bytes. Gives 0 or
 * -errno. */
int capture_write(struct capture_writer *w, const struct iovec *iov, unsigned n, uint64_t stamp);

/* Close the file; gives 0, or -errno when not all of it was written. */
int capture_finish(struct capture_writer *w);

#endif
