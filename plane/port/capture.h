/* SPDX-License-Identifier: MIT */
/*
 * capture.h - capture files, read and written as streams of frames.
 *
 * Read and written: pcap with micro- or nanoseconds, pcapng with any number of interfaces of their
 * own link type and time resolution; frames of up to CAPTURE_FRAME_MAX bytes. Read besides: either
 * byte order, any number of sections. Nothing in the file is believed. Memory does not grow with
 * the file, except by what is known of each interface: at most CAPTURE_OPTIONS_MAX bytes and a few
 * numbers.
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
	CAPTURE_OPTIONS_MAX = 512, /* bytes of an interface's options that are kept */
	CAPTURE_ERROR_MAX = 96,
	CAPTURE_HEADROOM = 14, /* bytes in front of a frame read that may be written to */
};

/* Link types (LINKTYPE_*). */
enum { CAPTURE_ETHERNET = 1, CAPTURE_USER0 = 147 };

/* First word of a pcap file. */
#define CAPTURE_MAGIC_USEC 0xa1b2c3d4u
#define CAPTURE_MAGIC_NSEC 0xa1b23c4du

struct capture_frame {
	uint8_t *data;	    /* until the next read, and to be written to if that helps */
	uint32_t len;	    /* bytes in the file */
	uint32_t orig_len;  /* bytes the frame had */
	uint64_t stamp;	    /* ns since 1970; 0 where the file has none */
	uint32_t interface; /* of its section; 0 in a pcap file */
	uint16_t link_type;
};

struct capture_interface {
	uint16_t link_type;
	uint32_t snaplen;     /* 0: no limit */
	uint8_t resolution;   /* if_tsresol: power of ten, or with the upper bit of two */
	uint64_t offset;      /* if_tsoffset, ns */
	uint16_t options_len; /* its other options, names and addresses, in our byte order */
	uint8_t *options;     /* the reader's */
};

struct capture_reader {
	FILE *file;
	int fd;		 /* of the file; -1 if it has none */
	bool live;	 /* the owner's: do not wait for bytes that are not there yet */
	uint8_t *buffer; /* what has been read ahead: from `at`, `have` bytes */
	size_t at, have;
	uint64_t skip;	  /* bytes to go over before the next block */
	uint64_t offset;  /* bytes of the file that were gone over */
	bool swapped;	  /* the other byte order than ours */
	bool ng;	  /* pcapng */
	uint64_t frames;  /* read so far */
	uint32_t section; /* how many have begun */
	uint32_t interfaces, room;
	struct capture_interface *interface; /* of this section; a pcap file has one */
	int failed;			     /* -errno of the last read */
	char error[CAPTURE_ERROR_MAX];	     /* and what it was */
};

/* Open the file at `path`, "-" is stdin. Gives 0, or -errno with r->error set and nothing left to
 * close. */
int capture_open(struct capture_reader *r, const char *path);

/* The same with an open stream, which is the reader's from now on, also if this fails. */
int capture_attach(struct capture_reader *r, FILE *file);

/* The next frame: 1; 0 at the end; -errno with r->error set when the file is damaged or ends in
 * the middle of a frame. Of a live one, which has a descriptor, -EAGAIN: the next is not all there
 * yet; nothing is lost, and r->error is as it was. */
int capture_read(struct capture_reader *r, struct capture_frame *frame);

/* Begin again with the first frame. Gives 0, or -errno with r->error set (a pipe). */
int capture_rewind(struct capture_reader *r);

void capture_close(struct capture_reader *r);

enum capture_resolution { CAPTURE_USEC, CAPTURE_NSEC };

struct capture_writer {
	FILE *file;
	char *buffer; /* of it */
	enum capture_resolution resolution;
	uint16_t link_type;  /* of a pcap file; of a pcapng file's interface if none is described */
	bool ng;	     /* pcapng */
	uint32_t interfaces; /* described so far */
	uint64_t frames, bytes;
	int failed; /* -errno of the first write that failed */
};

/* What is said of a frame that is written. */
struct capture_mark {
	uint64_t stamp;	    /* ns since 1970 */
	uint32_t interface; /* as capture_describe() gave it */
	uint32_t missing;   /* bytes that the frame had beyond those in the file: orig_len - len */
};

/* Make the file `path`, "-" is stdout: pcapng if its name ends in .pcapng, pcap otherwise. Gives 0
 * or -errno. */
int capture_create(struct capture_writer *w, const char *path, uint16_t link_type,
		   enum capture_resolution resolution);

/* Describe an interface; gives its number, or -errno. A pcap file has none and gives 0, or
 * -EPROTOTYPE where the link type is not the file's. */
int capture_describe(struct capture_writer *w, const struct capture_interface *interface);

/* Write a frame given as slices, of altogether at most CAPTURE_FRAME_MAX bytes. Gives 0 or
 * -errno. */
int capture_write_marked(struct capture_writer *w, const struct iovec *iov, unsigned n,
			 const struct capture_mark *mark);

/* The same with a whole frame of the first interface. */
int capture_write(struct capture_writer *w, const struct iovec *iov, unsigned n, uint64_t stamp);

/* Close the file; gives 0, or -errno when not all of it was written. */
int capture_finish(struct capture_writer *w);

#endif
