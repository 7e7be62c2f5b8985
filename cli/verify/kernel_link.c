/* SPDX-License-Identifier: MIT */
/*
 * kernel_link.c - rtnetlink, generic netlink for the ports of FOU and GUE, and ethtool's ioctl
 * for features.
 *
 * A request is a header, a fixed part, and attributes, some of them nested; the kernel answers
 * each with an error number.
 */
#include "kernel_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/fou.h>
#include <linux/genetlink.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_MAX = 1024, ANSWER_MAX = 8192, FEATURE_WORDS = 8 };

union request {
	struct nlmsghdr header;
	char room[REQUEST_MAX];
};

static void *begin(union request *r, uint16_t type, uint16_t flags, size_t size)
{
	memset(r, 0, sizeof(*r));
	r->header.nlmsg_len = (uint32_t)NLMSG_LENGTH(size);
	r->header.nlmsg_type = type;
	r->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	return NLMSG_DATA(&r->header);
}

static struct rtattr *put(union request *r, uint16_t type, const void *value, size_t len)
{
	struct rtattr *a = (struct rtattr *)(r->room + NLMSG_ALIGN(r->header.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(len);
	if (len > 0)
		memcpy(RTA_DATA(a), value, len);
	r->header.nlmsg_len = (uint32_t)(NLMSG_ALIGN(r->header.nlmsg_len) + RTA_ALIGN(a->rta_len));
	return a;
}

static void put_string(union request *r, uint16_t type, const char *s)
{
	put(r, type, s, strlen(s) + 1);
}

static void put_u8(union request *r, uint16_t type, uint8_t value)
{
	put(r, type, &value, sizeof(value));
}

static void put_u32(union request *r, uint16_t type, uint32_t value)
{
	put(r, type, &value, sizeof(value));
}

static void put_port(union request *r, uint16_t type, uint16_t port)
{
	uint8_t wire[2] = {(uint8_t)(port >> 8), (uint8_t)port};

	put(r, type, wire, sizeof(wire));
}

static struct rtattr *nest(union request *r, uint16_t type)
{
	return put(r, type | NLA_F_NESTED, NULL, 0);
}

static void end_nest(union request *r, struct rtattr *a)
{
	a->rta_len = (uint16_t)(r->room + r->header.nlmsg_len - (char *)a);
}

/* Send the request and wait for the answer, which is left in `answer`; 0 or -errno. */
static int ask(int protocol, union request *r, void *answer, size_t room)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	struct nlmsghdr *h = answer;
	ssize_t len = -1;
	int error = 0;

	if (fd < 0)
		return -errno;
	if (send(fd, r, r->header.nlmsg_len, 0) >= 0)
		len = recv(fd, answer, room, 0);
	if (len < 0)
		error = -errno;
	else if (h->nlmsg_type == NLMSG_ERROR)
		error = ((struct nlmsgerr *)NLMSG_DATA(h))->error;
	close(fd);
	return error;
}

static int tell(union request *r)
{
	char answer[ANSWER_MAX];

	return ask(NETLINK_ROUTE, r, answer, sizeof(answer));
}

/* A request about the interface `name`, which is there. */
static int begin_set(union request *r, const char *name)
{
	struct ifinfomsg *info = begin(r, RTM_NEWLINK, 0, sizeof(*info));

	info->ifi_index = (int)if_nametoindex(name);
	return info->ifi_index ? 0 : -errno;
}

/* A request for a new interface, up to its own attributes; gives the two nests that are open. */
static void begin_new(union request *r, const char *name, const char *kind, struct rtattr *open[2])
{
	struct ifinfomsg *info = begin(r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(*info));

	info->ifi_flags = info->ifi_change = IFF_UP;
	put_string(r, IFLA_IFNAME, name);
	open[0] = nest(r, IFLA_LINKINFO);
	put_string(r, IFLA_INFO_KIND, kind);
	open[1] = nest(r, IFLA_INFO_DATA);
}

static int end_new(union request *r, struct rtattr *open[2])
{
	end_nest(r, open[1]);
	end_nest(r, open[0]);
	return tell(r);
}

int kernel_link_bridge(const char *name)
{
	struct rtattr *open[2];
	union request r;
	int e;

	begin_new(&r, name, "bridge", open);
	put_u8(&r, IFLA_BR_MCAST_SNOOPING, 0);
	e = end_new(&r, open);
	if (e != -EOPNOTSUPP)
		return e;
	begin_new(&r, name, "bridge", open); /* without multicast */
	return end_new(&r, open);
}

int kernel_link_join(const char *name, const char *bridge)
{
	uint32_t index = if_nametoindex(bridge);
	struct rtattr *port;
	union request r;
	int e = begin_set(&r, name);

	if (e)
		return e;
	put_u32(&r, IFLA_MASTER, index);
	e = tell(&r);
	if (!e)
		e = begin_set(&r, name);
	if (e)
		return e;
	((struct ifinfomsg *)NLMSG_DATA(&r.header))->ifi_family = AF_BRIDGE;
	port = nest(&r, IFLA_PROTINFO);
	put_u8(&r, IFLA_BRPORT_LEARNING, 0);
	end_nest(&r, port);
	r.header.nlmsg_type = RTM_SETLINK;
	return tell(&r);
}

int kernel_link_vxlan(const char *name, uint16_t port, int remcsum)
{
	struct rtattr *open[2];
	union request r;

	begin_new(&r, name, "vxlan", open);
	put_u8(&r, IFLA_VXLAN_COLLECT_METADATA, 1);
	put_u8(&r, IFLA_VXLAN_LEARNING, 0);
	put_port(&r, IFLA_VXLAN_PORT, port);
	if (remcsum)
		put_u8(&r, IFLA_VXLAN_REMCSUM_RX, 1);
	return end_new(&r, open);
}

int kernel_link_geneve(const char *name, uint16_t port)
{
	struct rtattr *open[2];
	union request r;

	begin_new(&r, name, "geneve", open);
	put(&r, IFLA_GENEVE_COLLECT_METADATA, NULL, 0);
	put_port(&r, IFLA_GENEVE_PORT, port);
	return end_new(&r, open);
}

/* The number of the generic netlink family, or -errno. */
static int find_family(const char *name)
{
	char answer[ANSWER_MAX] = {0};
	struct nlmsghdr *h = (struct nlmsghdr *)answer;
	struct genlmsghdr *g;
	union request r;
	int e;

	g = begin(&r, GENL_ID_CTRL, 0, sizeof(*g));
	g->cmd = CTRL_CMD_GETFAMILY;
	put_string(&r, CTRL_ATTR_FAMILY_NAME, name);
	e = ask(NETLINK_GENERIC, &r, answer, sizeof(answer));
	if (e)
		return e;
	g = NLMSG_DATA(h);
	for (struct nlattr *a = (struct nlattr *)(g + 1);
	     (char *)a < answer + h->nlmsg_len && a->nla_len >= NLA_HDRLEN;
	     a = (struct nlattr *)((char *)a + NLA_ALIGN(a->nla_len))) {
		uint16_t id;

		memcpy(&id, a + 1, sizeof(id));
		if (a->nla_type == CTRL_ATTR_FAMILY_ID)
			return id;
	}
	return -ENOENT;
}

static int add_fou(uint16_t port, uint8_t type, uint8_t protocol, uint8_t family)
{
	int id = find_family(FOU_GENL_NAME);
	char answer[ANSWER_MAX];
	struct genlmsghdr *g;
	union request r;

	if (id < 0)
		return id;
	g = begin(&r, (uint16_t)id, 0, sizeof(*g));
	g->cmd = FOU_CMD_ADD;
	g->version = FOU_GENL_VERSION;
	put_port(&r, FOU_ATTR_PORT, port);
	put_u8(&r, FOU_ATTR_AF, family);
	put_u8(&r, FOU_ATTR_TYPE, type);
	if (type == FOU_ENCAP_DIRECT)
		put_u8(&r, FOU_ATTR_IPPROTO, protocol);
	return ask(NETLINK_GENERIC, &r, answer, sizeof(answer));
}

int kernel_link_gue(uint16_t port)
{
	int e = add_fou(port, FOU_ENCAP_GUE, 0, AF_INET);

	return e ? e : add_fou(port, FOU_ENCAP_GUE, 0, AF_INET6);
}

int kernel_link_fou(uint16_t port, uint8_t protocol, uint8_t family)
{
	return add_fou(port, FOU_ENCAP_DIRECT, protocol, family);
}

int kernel_link_up(const char *name, uint32_t mtu, uint32_t txqueuelen)
{
	struct ifinfomsg *info;
	union request r;
	int e = begin_set(&r, name);

	if (e)
		return e;
	info = NLMSG_DATA(&r.header);
	info->ifi_flags = info->ifi_change = IFF_UP;
	if (mtu)
		put_u32(&r, IFLA_MTU, mtu);
	if (txqueuelen)
		put_u32(&r, IFLA_TXQLEN, txqueuelen);
	return tell(&r);
}

static int do_ethtool(int fd, const char *name, void *data)
{
	struct ifreq ifr = {.ifr_data = data};

	strncpy(ifr.ifr_name, name, IFNAMSIZ - 1);
	return ioctl(fd, SIOCETHTOOL, &ifr) ? -errno : 0;
}

/* How many features there are, or 0. */
static uint32_t count_features(int fd, const char *name)
{
	union {
		struct ethtool_sset_info head;
		char room[sizeof(struct ethtool_sset_info) + sizeof(uint32_t)];
	} info = {.head = {.cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1u << ETH_SS_FEATURES}};

	if (do_ethtool(fd, name, &info) || !info.head.sset_mask ||
	    info.head.data[0] > FEATURE_WORDS * 32)
		return 0;
	return info.head.data[0];
}

/* The bit of the feature and how many words of bits there are, or -errno. */
static int find_feature(int fd, const char *name, const char *feature, uint32_t *words)
{
	struct ethtool_gstrings *strings =
		calloc(1, sizeof(*strings) + FEATURE_WORDS * 32 * ETH_GSTRING_LEN);
	int bit = -ENOMEM;

	if (!strings)
		return bit;
	strings->cmd = ETHTOOL_GSTRINGS;
	strings->string_set = ETH_SS_FEATURES;
	strings->len = count_features(fd, name);
	bit = do_ethtool(fd, name, strings);
	*words = (strings->len + 31) / 32;
	for (unsigned i = 0; bit == 0 && i < strings->len; i++) {
		if (strncmp((char *)strings->data + i * ETH_GSTRING_LEN, feature,
			    ETH_GSTRING_LEN) == 0) {
			free(strings);
			return (int)i;
		}
	}
	free(strings);
	return bit ? bit : -ENOENT;
}

int kernel_link_feature(const char *name, const char *feature, int on)
{
	union {
		struct ethtool_sfeatures head;
		char room[sizeof(struct ethtool_sfeatures) +
			  FEATURE_WORDS * sizeof(struct ethtool_set_features_block)];
	} set = {.head = {.cmd = ETHTOOL_SFEATURES}};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int bit, e;

	if (fd < 0)
		return -errno;
	bit = e = find_feature(fd, name, feature, &set.head.size);
	if (bit >= 0) {
		set.head.features[bit / 32].valid = 1u << bit % 32;
		set.head.features[bit / 32].requested = on ? 1u << bit % 32 : 0;
		e = do_ethtool(fd, name, &set);
	}
	close(fd);
	return e < 0 ? e : 0;
}
