/* SPDX-License-Identifier: MIT */
/*
 * steering.h - who chooses a packet's receive queue by the port's struct rxfh: the device, or,
 * where it cannot, the plane.
 *
 * In software the packet stays on the queue that it came on, and with it its order. The queue that
 * the value names becomes its rxq: that one's RPS map, and the CPU that serves it, are where it
 * goes. A value that asks for nothing (all defaults) is left to the device's own spreading.
 *
 * A new value for a device is put into force in steps, so that no flow overtakes itself on its way
 * from one queue to another: see move.h.
 */
#ifndef PLANE_STEERING_H
#define PLANE_STEERING_H

#include <leat/pkt.h>
#include <stdbool.h>

struct conf;
struct plane;
struct port_conf;
struct rxfh;
struct rxq;
struct worker;

/* Ask each port's device to steer by the port's first value. Nothing runs yet. */
void steering_open(struct plane *plane);

/* Put `conf` into force where it changes what chooses the queues of some port, or not: the steps,
 * with the last of them `conf`. 0; or -ENOMEM, and nothing has happened. The caller holds
 * conf_lock. */
int steering_publish(struct plane *plane, struct conf *conf);

/* A worker: hash the n packets read from q, or choose their queue in software; park
 * those that have to wait. *Passes* those that it gives the number of. */
unsigned steering_receive(struct worker *w, const struct conf *conf, struct rxq *q,
			  struct leat_pkt **pkts, unsigned n);

/* The queue that `rxfh` brings a parsed packet to; `otherwise` if it is to be dropped. */
unsigned steering_queue(const struct rxfh *rxfh, const struct leat_pkt *pkt, unsigned otherwise);

/* Likewise the former value of a port where it is being changed, by the tunnels' ports of then. */
unsigned steering_old_queue(const struct conf *conf, unsigned port, const struct leat_pkt *pkt,
			    unsigned otherwise);

/* Whether a packet's hash alone brings it to `queue`. */
bool steering_is_natural(const struct port_conf *pc, const struct leat_pkt *pkt, unsigned queue);

/* "device", or "software (why)". The caller holds conf_lock. */
void steering_describe(const struct plane *plane, unsigned port, char *text, size_t size);

#endif
