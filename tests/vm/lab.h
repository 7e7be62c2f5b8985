/* SPDX-License-Identifier: MIT */
/*
 * lab.h - for the checks in the emulated machine: two hosts with a tunnel between them.
 *
 * Each host is a network namespace with one TAP. Host A sends: its TAP `out` takes no super-packets,
 * so the kernel segments what goes there, and we read the segments. Host B receives: its TAP `in` is
 * polled by a thread that cannot run while we write, so a whole train of frames is one poll to GRO,
 * and no clock tick can come between.
 *
 * Nothing here returns an error: what fails ends the process, and says what it was.
 */
#ifndef LEAT_TESTS_VM_LAB_H
#define LEAT_TESTS_VM_LAB_H

#include <stdbool.h>
#include <stdint.h>
#include <stdnoreturn.h>

enum {
	LAB_FRAME_MAX = 128 << 10,
	LAB_FRAMES = 64, /* in one poll */
	LAB_ETH = 14,
};

/* A frame, and what its virtio_net_hdr said. */
struct lab_frame {
	uint8_t flags, gso_type;
	uint16_t gso_size, csum_start, csum_offset;
	uint32_t len;
	uint8_t *data;
};

struct lab {
	int host[2]; /* the namespaces: A and B */
	int tap[2];  /* what A sends comes out here, what is written here B receives */
};

/* Make the hosts. In `commands`, of ip(8), of which each host is given its own copy, %1$s is the host's
 * address and %2$s the other's, of IP version `version`. */
struct lab lab_start(int version, const char *commands);

/* Be on this host: 0 is A, 1 is B. */
void lab_enter(const struct lab *lab, int host);

/* Run this on the host we are on, with /bin/sh. */
void lab_sh(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A packet socket on this device of the host we are on, with virtio_net_hdr; one that receives
 * receives everything. */
int lab_packet(const char *device, bool receives);

/* Send `len` bytes from a packet socket as protocol `ethertype`; gives 0, or the errno. */
int lab_send(int fd, uint16_t ethertype, const struct lab_frame *frame);

/* Read the next frame to host B (from A's TAP, or in B's packet socket), into memory that is the
 * caller's to free; false if none came in `ms`. Other traffic is skipped. */
bool lab_read(int fd, struct lab_frame *frame, int ms);

/* B receives these frames, all in one poll. */
void lab_receive(const struct lab *lab, const struct lab_frame *frames, unsigned n);

/* Read until nothing comes for a while; gives how many, at most `max`. */
unsigned lab_read_all(int fd, struct lab_frame *frames, unsigned max);
void lab_free(struct lab_frame *frames, unsigned n);

/* Whether the kernel is older than this. */
bool lab_older(unsigned major, unsigned minor);

noreturn void lab_die(const char *what);

#endif
