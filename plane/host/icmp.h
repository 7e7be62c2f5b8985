/* SPDX-License-Identifier: MIT */
/*
 * icmp.h - ICMP and ICMPv6: echo replies and unreachable ports (RFC 792, RFC 4443).
 */
#ifndef PLANE_HOST_ICMP_H
#define PLANE_HOST_ICMP_H

#include "host.h"

#include "../port/port.h"

/* Bytes in front of a datagram's frame that its unreachable message needs. */
enum { ICMP_HEADROOM = 40 + 8 + PORT_HEADROOM };

/* A message of `len` bytes to one of our addresses, its checksum right. */
enum host_reason icmp_judge(const struct leat_pkt *pkt, uint32_t len);

/* Whether so many unreachables were sent of late that this one is not. */
bool icmp_is_limited(struct host_cpu *cpu, uint64_t now);

/* Make an echo request the reply. */
void icmp_echo_reply(const struct host *host, struct leat_pkt *pkt);

/* Make a datagram to a port of ours the message that nobody is there. It quotes the datagram's first
 * slice as far as a packet of 576 (IPv6: 1280) bytes has room for. */
void icmp_port_unreachable(const struct host *host, struct leat_pkt *pkt);

#endif
