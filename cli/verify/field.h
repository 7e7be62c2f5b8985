/* SPDX-License-Identifier: MIT */
/*
 * field.h - which header field a byte of a frame belongs to.
 */
#ifndef CLI_VERIFY_FIELD_H
#define CLI_VERIFY_FIELD_H

#include <leat/pkt.h>

/* Those of the second IP header follow those of the first, from FIELD_INNER on. */
enum field {
	FIELD_LINK,
	FIELD_TUNNEL,
	FIELD_GRE_CSUM,
	FIELD_PAYLOAD,
	FIELD_IP, /* and here they begin */
	FIELD_IP_TOS,
	FIELD_IP_LEN,
	FIELD_IP_ID,
	FIELD_IP_FRAG,
	FIELD_IP_TTL,
	FIELD_IP_CSUM,
	FIELD_IP_EXTRA, /* options or extension headers */
	FIELD_TCP_PORTS,
	FIELD_TCP_SEQ,
	FIELD_TCP_ACK,
	FIELD_TCP_FLAGS,
	FIELD_TCP_WINDOW,
	FIELD_TCP_CSUM,
	FIELD_TCP_URG,
	FIELD_TCP_OPTIONS,
	FIELD_UDP_PORTS,
	FIELD_UDP_LEN,
	FIELD_UDP_CSUM,
	FIELD_OTHER, /* another transport's header */
	FIELD_INNER,
	FIELDS = FIELD_INNER + FIELD_INNER - FIELD_IP,
};

/* A set of fields. */
typedef uint64_t field_set;

static inline field_set field_bit(unsigned field)
{
	return (field_set)1 << field;
}

/* The field's number for the inner header. */
static inline unsigned field_inner(enum field field)
{
	return field + FIELD_INNER - FIELD_IP;
}

/* The field at offset `off` of the parsed packet's frame. */
unsigned field_at(const struct leat_pkt *pkt, uint32_t off);

/* Its name, and whether it is of the inner header. */
const char *field_name(unsigned field);
bool field_is_inner(unsigned field);

#endif
