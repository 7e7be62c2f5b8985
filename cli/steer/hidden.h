/* SPDX-License-Identifier: MIT */
/*
 * hidden.h - encapsulations: what a network card that hashes the outer header does not see.
 *
 * A tunnel, a PPPoE session or a fragment is one flow to the card, or a few, however many are in
 * it. Looked into are those that the parser enters, and besides: GRE with sequence numbers, GTP-U,
 * PPPoE, MPLS, the ports of first fragments. What is encrypted is known for what it is, and no more.
 *
 * Sources: RFC 2516 (PPPoE), RFC 3032 (MPLS), RFC 2784 and 2890 (GRE), 3GPP TS 29.281 (GTP-U), RFC
 * 3948 (ESP in UDP), WireGuard: Donenfeld, NDSS 2017.
 */
#ifndef CLI_STEER_HIDDEN_H
#define CLI_STEER_HIDDEN_H

#include <leat/parse.h>

enum hidden {
	HIDDEN_NOTHING, /* the flow is what the outer header says */
	HIDDEN_VXLAN,
	HIDDEN_GENEVE,
	HIDDEN_GUE,
	HIDDEN_FOU,
	HIDDEN_IP, /* IP in IP */
	HIDDEN_GRE,
	HIDDEN_GTP,
	HIDDEN_PPPOE,
	HIDDEN_MPLS,
	HIDDEN_IPSEC,
	HIDDEN_WIREGUARD,
	HIDDEN_FRAGMENT,
	HIDDEN_NO_PORTS, /* a protocol without ports */
	HIDDEN_NO_IP,
	HIDDEN_KINDS,
};

/* As leat_parse_default, with the port that Linux gives its VXLAN devices. */
extern const struct leat_parse_conf hidden_parse;

/* What the parsed packet is. *inner is where the IP header in it begins, 0 if it cannot be seen. */
enum hidden hidden_find(const struct leat_pkt *pkt, uint32_t *inner);

/* Make `pkt` what is in it, parsed: from `inner` on, with an Ethernet header written over what is in
 * front of that. False: it is no IP packet. */
bool hidden_enter(struct leat_pkt *pkt, uint32_t inner);

/* "vxlan", and a few words: "VXLAN". */
const char *hidden_name(enum hidden kind);
const char *hidden_words(enum hidden kind);

#endif
