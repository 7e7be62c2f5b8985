/* SPDX-License-Identifier: MIT */
/*
 * linktype.h - link types of captures, and how IP is found behind each.
 *
 * The library knows Ethernet. For the others an Ethernet header is put where the link header was,
 * or in front of the frame if that had none, and whoever writes the frame puts the real one back.
 * What is not of one link header then differs in the other too, as far as 14 bytes can tell.
 *
 * Sources: https://www.tcpdump.org/linktypes.html and the pages it names.
 */
#ifndef PLANE_PORT_LINKTYPE_H
#define PLANE_PORT_LINKTYPE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	LINKTYPE_ETHERNET = 1,
	LINKTYPE_USER0 = 147, /* frames with a virtio_net_hdr, here */
	LINKTYPE_HEADER_MAX = 20,
	LINKTYPE_STAND_IN = 14, /* bytes of the Ethernet header put in place of another */
};

struct linktype {
	const char *name;
	uint16_t number;  /* LINKTYPE_* of the registry */
	uint8_t header;	  /* bytes of the link header; Ethernet's is none that would be replaced */
	uint8_t protocol; /* offset of an EtherType in it, or LINKTYPE_BY_VERSION */
};

enum { LINKTYPE_BY_VERSION = 255 }; /* the IP header's version tells */

/* NULL: not one of ours. */
const struct linktype *linktype_find(uint16_t number);

/* Write to `frame` + t->header - 14, which may lie in front of it, an Ethernet header in place of
 * the real one, which is to be kept before. False, with nothing written: the frame is too short,
 * or there is no telling what is behind the header. */
bool linktype_replace(const struct linktype *t, uint8_t *frame, uint32_t len);

#endif
