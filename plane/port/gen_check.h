/* SPDX-License-Identifier: MIT */
/*
 * gen_check.h - a generator port that is declared to segment: what it is sent is checked.
 *
 * So every kind of hardware can be had without any: GSO leaves to the port what was declared, and
 * each frame is held against that, and against its own headers and checksums.
 */
#ifndef PLANE_PORT_GEN_CHECK_H
#define PLANE_PORT_GEN_CHECK_H

#include "port.h"

/* Take the options features, partial and tso_max_size over into the port; 0, or -EINVAL with a
 * message. */
int gen_declare(struct port *port, const struct port_args *args, char *err, size_t err_len);

/* Whether the frame is one that the port can take, and a right one. `room`: LEAT_PKT_LEN_MAX bytes
 * to work in. */
bool gen_check(const struct port *port, const struct port_frame *frame, uint8_t *room);

#endif
