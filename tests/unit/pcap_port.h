/* SPDX-License-Identifier: MIT */
/*
 * pcap_port.h - a capture as a port, and numbered frames for it.
 */
#ifndef LEAT_TESTS_PCAP_PORT_H
#define LEAT_TESTS_PCAP_PORT_H

#include "../frame.h"
#include "port/capture.h"
#include "port/port.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

static inline struct frame frame_of(unsigned i)
{
	return (struct frame){.sport = (uint16_t)i, .payload = i % 50 ? i : 1000 * i};
}

static inline void write_frames(struct capture_writer *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct frame f = frame_of(i);
		struct iovec iov = {malloc(frame_len(&f)), frame_len(&f)};

		frame_build(&f, iov.iov_base);
		assert_int_equal(capture_write(w, &iov, 1, i), 0);
		free(iov.iov_base);
	}
}

static inline int try_open(struct port *port, const char *in, const char *out, const char *name,
			   const char *value, char *err)
{
	struct port_args args = {.name = "p", .kind = "pcap"};

	*port = (struct port){.ops = &port_pcap, .name = "p"};
	if (in)
		args.option[args.options++] = (struct port_option){"in", in};
	if (out)
		args.option[args.options++] = (struct port_option){"out", out};
	if (name)
		args.option[args.options++] = (struct port_option){name, value};
	return port_pcap.open(port, &args, err, 256);
}

static inline void open_port(struct port *port, const char *in, const char *out, const char *name,
			     const char *value)
{
	char err[256];

	if (try_open(port, in, out, name, value, err))
		fail_msg("%s", err);
	port->rx_stats = calloc(port->rxqs, sizeof(*port->rx_stats));
	port->txq = aligned_alloc(64, port->txqs * sizeof(*port->txq));
	memset(port->txq, 0, port->txqs * sizeof(*port->txq));
	assert_int_equal(port_pcap.up(port, err, sizeof(err)), 0);
}

static inline void close_port(struct port *port)
{
	port_pcap.close(port);
	free(port->rx_stats);
	free(port->txq);
}

static inline void assert_frame(const struct leat_pkt *pkt, unsigned i)
{
	static uint8_t want[CAPTURE_FRAME_MAX], have[CAPTURE_FRAME_MAX];
	struct frame f = frame_of(i);

	frame_build(&f, want);
	assert_int_equal(pkt->len, frame_len(&f));
	assert_int_equal(frame_flatten(pkt, have), pkt->len);
	assert_memory_equal(want, have, pkt->len);
}

static inline bool is_readable(const struct port *port, unsigned q)
{
	struct pollfd fd = {.fd = port_pcap.fd(port, q), .events = POLLIN};

	return poll(&fd, 1, 0) == 1;
}

#endif
