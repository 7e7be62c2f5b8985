/* SPDX-License-Identifier: MIT */
#include "type.h"

#define TCP	 ((1u << WILD_TCP4) | (1u << WILD_TCP6))
#define UDP	 ((1u << WILD_UDP4) | (1u << WILD_UDP6))
#define UFO	 ((1u << WILD_UFO4) | (1u << WILD_UFO6))
#define SCTP	 ((1u << WILD_SCTP4) | (1u << WILD_SCTP6))
#define PLAIN	 (1u << WILD_NONE)
#define IP	 (1u << WILD_IP)
#define GRE	 (1u << WILD_GRE)
#define VXLAN	 (1u << WILD_VXLAN)
#define GENEVE	 (1u << WILD_GENEVE)
#define GUE	 (1u << WILD_GUE)
#define FOU	 (1u << WILD_FOU)
#define OVER_UDP (VXLAN | GENEVE | GUE | FOU)

const struct type types[] = {
	{.name = "gso-tcp4", .types = 1u << WILD_TCP4, .encaps = PLAIN},
	{.name = "gso-tcp6", .types = 1u << WILD_TCP6, .encaps = PLAIN},
	{.name = "gso-ecn", .types = TCP, .encaps = PLAIN, .ecn = true},
	{.name = "gso-uso4", .types = 1u << WILD_UDP4, .encaps = PLAIN},
	{.name = "gso-uso6", .types = 1u << WILD_UDP6, .encaps = PLAIN},
	{.name = "gso-ufo4", .types = 1u << WILD_UFO4, .encaps = PLAIN},
	{.name = "gso-ufo6", .types = 1u << WILD_UFO6, .encaps = PLAIN},
	{.name = "gso-udp-tunnel",
	 .types = TCP | UDP,
	 .encaps = OVER_UDP,
	 .csum = TYPE_WITHOUT,
	 .remcsum = TYPE_WITHOUT},
	{.name = "gso-udp-tunnel-csum",
	 .types = TCP | UDP,
	 .encaps = OVER_UDP,
	 .csum = TYPE_WITH,
	 .remcsum = TYPE_WITHOUT},
	{.name = "gso-dodgy", .types = TCP | UDP | UFO, .encaps = PLAIN, .nonsense = true},
	{.name = "gso-dodgy-udp-tunnel",
	 .types = TCP | UDP,
	 .encaps = OVER_UDP,
	 .remcsum = TYPE_WITHOUT,
	 .nonsense = true},

	{.name = "gro-tcp4", .mode = TYPE_GRO, .types = 1u << WILD_TCP4, .encaps = PLAIN},
	{.name = "gro-tcp6", .mode = TYPE_GRO, .types = 1u << WILD_TCP6, .encaps = PLAIN},
	{.name = "gro-tcp4-fixedid",
	 .mode = TYPE_GRO,
	 .types = 1u << WILD_TCP4,
	 .encaps = PLAIN,
	 .fixed_id = true},
	{.name = "gro-udp4", .mode = TYPE_GRO, .types = 1u << WILD_UDP4, .encaps = PLAIN},
	{.name = "gro-udp6", .mode = TYPE_GRO, .types = 1u << WILD_UDP6, .encaps = PLAIN},
	{.name = "gro-vlan", .mode = TYPE_GRO, .types = TCP | UDP, .encaps = PLAIN, .vlan = true},
	{.name = "gro-fragments", .mode = TYPE_GRO, .types = UFO, .encaps = PLAIN, .refused = true},
	{.name = "gro-sctp", .mode = TYPE_GRO, .types = SCTP, .encaps = PLAIN, .refused = true},
	{.name = "gro-ipip",
	 .mode = TYPE_GRO,
	 .types = TCP | UDP,
	 .encaps = IP,
	 .inner = 4,
	 .outer = 4},
	{.name = "gro-sit",
	 .mode = TYPE_GRO,
	 .types = TCP | UDP,
	 .encaps = IP,
	 .inner = 6,
	 .outer = 4},
	{.name = "gro-4in6",
	 .mode = TYPE_GRO,
	 .types = TCP | UDP,
	 .encaps = IP,
	 .inner = 4,
	 .outer = 6},
	{.name = "gro-6in6",
	 .mode = TYPE_GRO,
	 .types = TCP | UDP,
	 .encaps = IP,
	 .inner = 6,
	 .outer = 6},
	{.name = "gro-gre",
	 .mode = TYPE_GRO,
	 .types = TCP | UDP,
	 .encaps = GRE,
	 .csum = TYPE_WITHOUT},
	{.name = "gro-gre-csum",
	 .mode = TYPE_GRO,
	 .types = TCP | UDP,
	 .encaps = GRE,
	 .csum = TYPE_WITH},
	{.name = "gro-vxlan",
	 .mode = TYPE_GRO,
	 .types = TCP | UDP,
	 .encaps = VXLAN,
	 .csum = TYPE_WITHOUT,
	 .remcsum = TYPE_WITHOUT},
	{.name = "gro-vxlan-csum",
	 .mode = TYPE_GRO,
	 .types = TCP | UDP,
	 .encaps = VXLAN,
	 .csum = TYPE_WITH,
	 .remcsum = TYPE_WITHOUT},
	{.name = "gro-vxlan-remcsum",
	 .mode = TYPE_GRO,
	 .types = TCP | UDP,
	 .encaps = VXLAN,
	 .remcsum = TYPE_WITH},
	{.name = "gro-geneve",
	 .mode = TYPE_GRO,
	 .types = TCP | UDP,
	 .encaps = GENEVE,
	 .remcsum = TYPE_WITHOUT},
	{.name = "gro-gue",
	 .mode = TYPE_GRO,
	 .types = TCP | UDP,
	 .encaps = GUE,
	 .remcsum = TYPE_WITHOUT},
	{.name = "gro-gue-remcsum",
	 .mode = TYPE_GRO,
	 .types = TCP | UDP,
	 .encaps = GUE,
	 .remcsum = TYPE_WITH},
	{.name = "gro-fou",
	 .mode = TYPE_GRO,
	 .types = TCP | UDP,
	 .encaps = FOU,
	 .remcsum = TYPE_WITHOUT},
};

const unsigned types_n = sizeof(types) / sizeof(types[0]);

static bool is_picked(uint8_t pick, bool has)
{
	return pick == TYPE_ANY || (pick == TYPE_WITH) == has;
}

static bool is_ip6(uint8_t type)
{
	return type == WILD_TCP6 || type == WILD_UDP6 || type == WILD_UFO6 || type == WILD_SCTP6;
}

bool type_takes(const struct type *t, const struct wild_kind *k)
{
	if (!(t->types & 1u << k->type) || !(t->encaps & 1u << k->encap))
		return false;
	if (t->inner && t->inner != (is_ip6(k->type) ? 6 : 4))
		return false;
	if (t->outer && t->outer != k->outer)
		return false;
	return is_picked(t->csum, k->csum) && is_picked(t->remcsum, k->remcsum);
}

static const char *lacks_port(const struct type *t, const struct kernel *kernel)
{
	if (t->encaps == VXLAN)
		return t->remcsum == TYPE_WITH ? kernel->vxlan_remcsum : kernel->vxlan;
	if (t->encaps == GENEVE)
		return kernel->geneve;
	if (t->encaps == GUE)
		return kernel->gue;
	if (t->encaps == FOU)
		return kernel->fou;
	return t->types == 1u << WILD_UDP4 || t->types == 1u << WILD_UDP6 ? kernel->udp_gro : NULL;
}

const char *type_lacks(const struct type *t, struct kernel *kernel)
{
	if (t->mode == TYPE_GRO)
		return lacks_port(t, kernel);
	if (!(t->encaps & PLAIN) && kernel->hdr_len < FRAME_META_LEN)
		return "this kernel's TAPs take no UDP tunnel's super-packets (before Linux 6.17)";
	return NULL;
}
