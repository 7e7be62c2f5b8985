/* SPDX-License-Identifier: MIT */
/*
 * flow_text.h - flows as they are written: tcp 192.0.2.1:1000 > 198.51.100.2:80, IPv6 addresses in
 * brackets; without ports where there are none.
 */
#ifndef CLI_FLOW_TEXT_H
#define CLI_FLOW_TEXT_H

#include <leat/flow.h>

enum {
	FLOW_TEXT_MAX = 144,
	FLOW_FRAME = 14 + 40 + 40, /* bytes of a frame made of a text */
};

void flow_format(char text[FLOW_TEXT_MAX], const struct leat_flow *flow);

/* Whether a text begins as a flow does: with the name of a protocol, and more behind it. */
bool flow_is_text(const char *text);

/* The first frame of the flow: Ethernet, IP, and TCP's, UDP's or SCTP's header, as far as it
 * takes to be parsed. "ip" is IP with a protocol that nobody knows. 0, or -1 with a message. */
int flow_parse(const char *text, uint8_t frame[FLOW_FRAME], char *err, size_t err_len);

#endif
