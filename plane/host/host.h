/* SPDX-License-Identifier: MIT */
/*
 * host.h - the plane as a host: what answers at its own addresses.
 *
 * No more than UDP endpoints (endpoint.h) need for real clients to reach them. Frames to our link
 * address and one of our IP addresses on the port they came on are taken:
 * - ARP requests and neighbour solicitations are answered, answers are learned (neigh.h);
 * - ICMP and ICMPv6 echo requests are answered, other messages passed over;
 * - UDP goes to its endpoint, or is answered with port unreachable, at most UNREACHABLE_RATE a
 *   second for each worker.
 * All else is passed over: other protocols, VLAN tags, fragments, IPv4 options and IPv6 extension
 * headers, tunnels. Each packet is counted under one reason.
 *
 * Answers go back the way the request came: to the link address it came from, on the same port. So
 * there are no routes, clients behind a router are answered through it, and nobody can redirect an
 * answer but who could send its request.
 *
 * Threads: host_receive() on any worker. Addresses do not change once workers run.
 */
#ifndef PLANE_HOST_HOST_H
#define PLANE_HOST_HOST_H

#include "neigh.h"

#include <jansson.h>
#include <leat/pkt.h>

struct conf;
struct endpoint;
struct lookup;
struct plane;
struct task;
struct worker;

enum {
	HOST_ADDRS_MAX = 16,
	HOST_PORTS_MAX = 64, /* of a plane */
	UNREACHABLE_RATE = 1000,
	UNREACHABLE_BURST = 50,
};

/* What became of a packet. */
enum host_reason {
	HOST_DELIVERED, /* put in an endpoint's inbox */
	/* answered in place: */
	HOST_ARP_REPLY,
	HOST_ND_ADVERT,
	HOST_ECHO_REPLY,
	HOST_PORT_UNREACHABLE,
	/* dropped: */
	HOST_LEARNED, /* a neighbour's answer */
	HOST_UNREACHABLE_LIMITED,
	HOST_INBOX_FULL,
	HOST_NOT_OURS, /* other addresses than ours */
	HOST_MARTIAN,  /* a source that cannot be answered */
	HOST_NOT_IP,   /* another EtherType, or VLAN tags */
	HOST_FRAGMENT,
	HOST_OPTIONS,
	HOST_TUNNEL,
	HOST_PROTOCOL, /* another protocol, or an ICMP message nobody waits for */
	HOST_CSUM,
	HOST_MALFORMED,
	HOST_REASONS,
};

/* One worker's. */
struct host_cpu {
	_Alignas(64) uint64_t count[HOST_REASONS]; /* atomic: read by others */
	uint64_t unreachable; /* ns: when the next unreachable would be on time */
};

struct host {
	struct plane *plane;
	unsigned n_addrs;
	struct addr_own addr[HOST_ADDRS_MAX];
	uint8_t mac[HOST_PORTS_MAX][6]; /* random, locally administered */
	struct leat_flow_key key;	/* of the hash that picks from a group of endpoints */
	struct neigh neigh;
	struct host_cpu *cpu; /* one for each of the plane's workers */
	/* Under the plane's conf_lock: */
	struct endpoint *endpoint; /* all, in the order they were opened */
	unsigned last_port;	   /* of those given, from ENDPOINT_PORT_FIRST on */
};

/* A host without addresses. NULL without memory. */
struct host *host_new(struct plane *plane);

/* Nobody uses it or an endpoint of it any more, and those are closed. */
void host_free(struct host *host);

/* Give it an address, "192.0.2.1/24" or "2001:db8::1/64", on the plane's first port, or with
 * "%PORT" behind it on that one. 0, or with a message -EINVAL, -EEXIST, -ENOSPC. Before the workers
 * run. */
int host_add_address(struct host *host, const char *text, char *err, size_t err_len);

/* Our address that `addr` is, if `port` has it, else NULL. */
const struct addr_own *host_own(const struct host *host, unsigned port, const struct addr *addr);

/* Our address from which `peer` is on the network, NULL if there is none. */
const struct addr_own *host_near(const struct host *host, const struct addr *peer);

/* The way to `peer`, asked for if need be. 0; -EAGAIN it is not known yet; -ENETUNREACH no address of
 * ours is near. The task is away. */
int host_find_path(struct host *host, struct task *task, const struct addr *peer, uint64_t *path);

/* Packets for us, from anywhere. *Takes* them all. */
void host_receive(struct host *host, struct worker *w, const struct conf *conf,
		  struct leat_pkt **pkts, unsigned n);

/* What was counted: {"delivered": n, ...}. The caller's reference. */
json_t *host_stats(const struct host *host);

/* What a packet's fate depends on. */
struct host_view {
	struct host *host;
	struct host_cpu *cpu;
	const struct lookup *lookup;
	uint64_t now; /* ns */
};

/* What is to become of a parsed packet; for HOST_DELIVERED, *to is the endpoint. The packet stays
 * as it is, but for what leat_csum_verify() sets. */
enum host_reason host_judge(const struct host_view *view, struct leat_pkt *pkt,
			    struct endpoint **to);

/* Make the packet, judged to be answered (HOST_ARP_REPLY to HOST_PORT_UNREACHABLE), its answer:
 * a whole frame in place. Of a chain, the first slice alone may be left. */
void host_answer(const struct host *host, enum host_reason reason, struct leat_pkt *pkt);

/* Make the empty packet the question where `dst` is, from our address `own`. */
void host_ask(const struct host *host, const struct addr_own *own, const struct addr *dst,
	      struct leat_pkt *pkt);

#endif
