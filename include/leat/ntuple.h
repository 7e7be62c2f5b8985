/* SPDX-License-Identifier: MIT */
/*
 * ntuple.h - rules that choose a packet's receive queue by its header fields, before RSS does
 * (ethtool -N).
 *
 * A rule has a flow type, values and masks of fields, and an action. Of the rules that match, the
 * one with the lowest location decides. Fields of a packet and of rules are one layout, struct
 * leat_ntuple_key, so that a rule is (flow type, mask, masked value): rules of the same type and
 * mask are one group, found by hashing the packet's masked fields, and a packet costs a look-up
 * for each group, however many rules there are. Groups are looked into by their lowest location,
 * and no further than where none has a lower one than what was found.
 *
 * A rule may have a filter too, a function of the caller's that says of each packet whose fields
 * match whether the rule does: what no fields express. Such a rule is a group of its own.
 *
 * A table is a value: built once in the caller's memory, then only read, by any number of threads.
 * Source: uapi ethtool.h (ethtool_rx_flow_spec), ethtool(8); tuple space search: Srinivasan,
 * Suri, Varghese, SIGCOMM 1999.
 */
#ifndef LEAT_NTUPLE_H
#define LEAT_NTUPLE_H

#include <leat/pkt.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	LEAT_NTUPLE_RULES_MAX = 1 << 16,
	LEAT_NTUPLE_GROUPS_MAX = 64, /* pairs of flow type and mask, and filters, in one table */
};

/* What a rule is about; a packet may be of several (TCP4, IP4 and ETHER). */
enum leat_ntuple_flow {
	LEAT_NTUPLE_TCP4,
	LEAT_NTUPLE_UDP4,
	LEAT_NTUPLE_SCTP4,
	LEAT_NTUPLE_AH4,
	LEAT_NTUPLE_ESP4,
	LEAT_NTUPLE_IP4, /* any IPv4; a fragment has only this */
	LEAT_NTUPLE_TCP6,
	LEAT_NTUPLE_UDP6,
	LEAT_NTUPLE_SCTP6,
	LEAT_NTUPLE_AH6,
	LEAT_NTUPLE_ESP6,
	LEAT_NTUPLE_IP6,
	LEAT_NTUPLE_ETHER, /* any frame */
	LEAT_NTUPLE_FLOWS,
};

/* The fields, of the outer or only level, in network order as they are in the frame; 0 where the
 * packet has none. */
struct leat_ntuple_key {
	uint8_t src[16], dst[16]; /* IP addresses, IPv4 in the first four bytes */
	uint8_t l4[4];	  /* ports; AH and ESP: the SPI; else the first four bytes (l4data) */
	uint8_t tos;	  /* or traffic class */
	uint8_t protocol; /* of IP */
	uint8_t vlan_etype[2], vlan_tci[2]; /* the outermost tag */
	uint8_t ether_type[2];		    /* behind the tags */
	uint8_t mac_dst[6], mac_src[6];
	uint8_t flow; /* enum leat_ntuple_flow; not masked */
	uint8_t zero[7];
};

enum leat_ntuple_action {
	LEAT_NTUPLE_QUEUE,   /* to `queue` */
	LEAT_NTUPLE_DROP,    /* drop it, counted */
	LEAT_NTUPLE_CONTEXT, /* to RSS context `context`'s queue for the hash, plus `queue` */
};

/* Whether a rule's filter takes a parsed packet. Called from any thread. */
typedef bool leat_ntuple_filter(const void *arg, const struct leat_pkt *pkt);

struct leat_ntuple_rule {
	struct leat_ntuple_key value; /* its `flow` is the rule's type */
	struct leat_ntuple_key mask;  /* bits that have to match; `flow` and `zero` are ignored */
	uint32_t location;	      /* lower goes first; one rule each */
	uint8_t action;		      /* enum leat_ntuple_action */
	uint16_t queue;
	uint16_t context;
	leat_ntuple_filter *filter; /* NULL: the fields say it all */
	const void *arg;	    /* of the filter; the caller's, and outlives the table */
};

/* A place of a group's hash table, which is searched from place hash mod slots on to the first
 * empty one. */
struct leat_ntuple_slot {
	uint32_t hash;
	uint32_t rule; /* its index + 1; 0: empty */
};

/* The rules of one flow type and mask. A packet matches one if it is of the type, its fields
 * under the mask equal the rule's value, and the filter, if there is one, takes it. */
struct leat_ntuple_group {
	struct leat_ntuple_key mask; /* its `flow` and `zero` are 0 */
	uint8_t flow;		     /* enum leat_ntuple_flow */
	uint8_t words;		     /* bit i: the mask's 8 bytes from 8 * i on are not all 0 */
	uint32_t first;		     /* index of its first rule: none here is lower */
	uint32_t rules;
	uint32_t slots;		       /* a power of two, at least twice `rules` */
	struct leat_ntuple_slot *slot; /* of rules with the same value only the first is here */
};

struct leat_ntuple {
	unsigned n_rules, n_groups;
	struct leat_ntuple_rule *rule;	 /* copies, by location, their values masked */
	struct leat_ntuple_group *group; /* by `first` */
};

/* Bytes of memory leat_ntuple_init() wants for n rules, aligned to 64. */
size_t leat_ntuple_size(unsigned n_rules);

/* Make a table of `n` rules, in any order, in `mem`. Gives 0; -EINVAL for a flow type, action or
 * a mask on fields that the type does not have; -EEXIST for two rules at one location; -E2BIG for
 * more than LEAT_NTUPLE_RULES_MAX rules or LEAT_NTUPLE_GROUPS_MAX groups; *bad is then the index of
 * the rule. Whether queues and contexts exist is the caller's to check. */
int leat_ntuple_init(struct leat_ntuple *t, const struct leat_ntuple_rule *rules, unsigned n,
		     void *mem, unsigned *bad);

/* The rule for a parsed packet, or NULL. */
const struct leat_ntuple_rule *leat_ntuple_match(const struct leat_ntuple *t,
						 const struct leat_pkt *pkt);

/* The packet's fields, `flow` the most specific type it is of; LEAT_NTUPLE_FLOWS, and all fields 0,
 * for what is too short for Ethernet. */
void leat_ntuple_key(const struct leat_pkt *pkt, struct leat_ntuple_key *key);

/* The types that a packet of type `flow` is of, as a set of bits 1 << type. */
uint32_t leat_ntuple_flows(unsigned flow);

/* Set every bit of the fields that a rule of type `flow` may have. */
void leat_ntuple_fields(enum leat_ntuple_flow flow, struct leat_ntuple_key *mask);

/* The names of ethtool -N ("tcp4", "ip6", "ether"), NULL past the last. */
const char *leat_ntuple_flow_name(enum leat_ntuple_flow flow);

#ifdef __cplusplus
}
#endif

#endif
