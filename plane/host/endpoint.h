/* SPDX-License-Identifier: MIT */
/*
 * endpoint.h - UDP endpoints: what sockets are to the kernel, to threads of an application.
 *
 * An endpoint is bound to a port of ours, or connected to a peer, and has an inbox that workers fill.
 * Its datagrams are received and sent in batches, without copying: the packet that a datagram came
 * in is the receiver's, who gives it back (pool_give) or sends it: its payload, changed or not, may be
 * the answer. endpoint_recvfrom() and endpoint_sendto() copy one.
 *
 * Each receive, and each send to a peer that was received from, records the CPU of the calling thread
 * under the flow's hash (RFS), as recvmsg() and sendmsg() do. The kernel does it for connected
 * sockets; here it is for each flow received, so that a server with one endpoint has it too. A send
 * is transmitted by the calling thread, on the transmit queue that XPS gives its CPU.
 *
 * Several datagrams of one size may be sent as one super-packet, whose gso_size is that size (the
 * kernel's UDP_SEGMENT), the last one may be smaller; one that GRO built is received so (UDP_GRO).
 *
 * An endpoint with ENDPOINT_REUSEPORT shares its address and port with others that have it: each gets
 * the flows that its place in the group is given by hash. Flows move within the group when one joins
 * or leaves, and may then be out of order, as in the kernel.
 *
 * IPv4 and IPv6, addresses of both where an endpoint is bound to none. Not done: broadcast,
 * multicast, fragments, errors from ICMP, the loopback: what is sent to an address of our own is sent
 * to the network.
 *
 * Threads: any number may receive from and send to one endpoint, each with its own task; an
 * endpoint's datagrams are then received in order, one by one, by whom it happens. bind, connect and
 * close wait until every worker has seen the change, and are for an endpoint that nobody else uses
 * meanwhile. Close is not for threads that the application's stop waits for.
 */
#ifndef PLANE_HOST_ENDPOINT_H
#define PLANE_HOST_ENDPOINT_H

#include "../port/port.h"
#include "../ring.h"
#include "../wake.h"
#include "addr.h"
#include "task.h"

struct host;

enum {
	ENDPOINT_BATCH = 64,	     /* datagrams in one call are handled so many at a time */
	ENDPOINT_INBOX = 4096,	     /* packets, unless said */
	ENDPOINT_GSO_SEGS_MAX = 128, /* datagrams of a super-packet (UDP_MAX_SEGMENTS) */
	ENDPOINT_PORT_FIRST = 32768, /* those given where none is asked for (ip_local_port_range) */
	ENDPOINT_PORT_LAST = 60999,
	/* Bytes that a packet to be sent has in front of its payload, in its buffer. */
	ENDPOINT_HEADROOM = 14 + 40 + 8 + PORT_HEADROOM,
};

/* Flags of endpoint_bind(). */
#define ENDPOINT_REUSEPORT (1u << 0)

struct endpoint {
	struct host *host;
	struct endpoint *next; /* all of the host's, by when they were opened */
	struct addr local;     /* port 0: not bound; version 0: at all addresses */
	struct addr peer;      /* version 0: not connected */
	unsigned flags;
	uint64_t path;	  /* atomic: to the connected peer */
	uint64_t rx;	  /* atomic: queue + 1 << 32 | hash of its last packet; 0: none yet */
	bool interrupted; /* atomic */
	pthread_mutex_t receiving;
	struct wake wake;
	struct ring inbox;
	uint64_t dropped; /* atomic: packets that the inbox had no room for */
};

/* A datagram, or several of one size. What receive writes here, send takes as it is for an answer;
 * for another, all but pkt and peer may be 0. */
struct datagram {
	struct leat_pkt *pkt; /* its bytes are the payload */
	struct addr peer;     /* from or to whom; version 0 for a connected endpoint's */
	struct addr local;    /* the address it came to; version 0: which is near */
	uint64_t path;	      /* the way it came; ADDR_NO_PATH: by the neighbour table */
	uint32_t hash;	      /* of the flow as received; 0: none */
	uint16_t gso_size;    /* bytes of payload of each datagram but the last; 0: it is one */
};

/* A new endpoint with room for so many packets in its inbox. 0, -ENOMEM or -EMFILE. */
int endpoint_open(struct endpoint **made, struct host *host, uint32_t inbox);

/* Give back what is in the inbox, and free it. */
void endpoint_close(struct endpoint *ep);

/* Receive what is sent to `local`; port 0: one that is free. 0; -EINVAL it is bound already;
 * -EADDRNOTAVAIL no address of ours; -EADDRINUSE; -ENOMEM; -ESHUTDOWN the plane is being stopped. */
int endpoint_bind(struct endpoint *ep, const struct addr *local, unsigned flags);

/* Exchange datagrams with `peer` alone from now on. Binds what is not bound. Asks for the way to the
 * peer, and waits for an answer as many ms as `timeout` says. 0; -EINVAL no address of one host, or of
 * the other version; -ENETUNREACH no address of ours is near; -EHOSTUNREACH no answer; and as bind. A
 * failure leaves it as it was. */
int endpoint_connect(struct endpoint *ep, struct task *task, const struct addr *peer, int timeout);

/* Receive up to `n` datagrams. Waits for the first as many ms as `timeout` says: 0 not at all, -1 for
 * ever. Gives how many; -EAGAIN: none came; -EINTR: endpoint_interrupt(). Their packets are the
 * caller's. */
int endpoint_recv(struct endpoint *ep, struct task *task, struct datagram *datagrams, unsigned n,
		  int timeout);

/* One receive that would wait, or waits, gives -EINTR instead. */
void endpoint_interrupt(struct endpoint *ep);

/* For who waits for more than this endpoint: endpoint_arm() says whether there is nothing to
 * receive, and that the descriptor becomes readable, to poll(), when there is. */
bool endpoint_arm(struct endpoint *ep);
int endpoint_fd(const struct endpoint *ep);

/* Send the first of `n` datagrams until one cannot be. Gives how many: their packets are *taken*, and
 * lost if the port drops them. If it is not even one:
 * -EDESTADDRREQ no peer; -EISCONN another than the connected one;
 * -EAGAIN the way to it is not known, it was asked for; -ENETUNREACH no address of ours is near;
 * -EMSGSIZE more bytes than IP or UDP can have, a datagram larger than the port's MTU;
 * -EINVAL a peer that is none, more than ENDPOINT_GSO_SEGS_MAX datagrams, too little headroom;
 * -EADDRNOTAVAIL `local` is no address of ours; -ENOTCONN the endpoint is not bound. */
int endpoint_send(struct endpoint *ep, struct task *task, const struct datagram *datagrams,
		  unsigned n);

/* Receive one datagram, or several of one size, into `buf`; what has no room is lost. Gives its
 * length, and, where they are not NULL, from whom and its gso_size; errors as receive. */
ssize_t endpoint_recvfrom(struct endpoint *ep, struct task *task, void *buf, size_t len,
			  struct addr *peer, uint16_t *gso_size, int timeout);

/* Send `len` bytes, as datagrams of gso_size if that is not 0. `peer` NULL: the connected one. 0, or
 * as send; -ENOBUFS: all buffers of the task are on their way. */
int endpoint_sendto(struct endpoint *ep, struct task *task, const void *buf, size_t len,
		    const struct addr *peer, uint16_t gso_size);

/* Worker: put packets in the inbox, wake who sleeps. Gives how many had room; the others stay the
 * caller's. */
unsigned endpoint_deliver(struct endpoint *ep, struct leat_pkt *const *pkts, unsigned n);

#endif
