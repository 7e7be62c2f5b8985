/* SPDX-License-Identifier: MIT */
#include "link.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

enum { REQUEST_MAX = 512, ANSWER_MAX = 8192 };

/* A request under construction. */
union request {
	struct nlmsghdr header;
	char room[REQUEST_MAX];
};

int link_open(struct link *l, const char *name)
{
	*l = (struct link){.index = if_nametoindex(name)};
	if (!l->index)
		return -errno;
	l->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!l->socket)
		return -errno;
	if (mnl_socket_bind(l->socket, 0, MNL_SOCKET_AUTOPID) == 0)
		return 0;
	link_close(l);
	return -errno;
}

void link_close(struct link *l)
{
	int error = errno;

	if (l->socket)
		mnl_socket_close(l->socket);
	l->socket = NULL;
	errno = error;
}

/* Begin a request whose own header has `size` bytes, zeroed; gives that header. */
static void *begin(union request *r, uint16_t type, uint16_t flags, size_t size)
{
	mnl_nlmsg_put_header(r);
	r->header.nlmsg_type = type;
	r->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	return mnl_nlmsg_put_extra_header(&r->header, size);
}

/* Send the request, wait for the kernel's word on it. */
static int send_request(struct link *l, union request *r)
{
	char answer[ANSWER_MAX];
	ssize_t len;

	r->header.nlmsg_seq = ++l->seq;
	if (mnl_socket_sendto(l->socket, r, r->header.nlmsg_len) < 0)
		return -errno;
	len = mnl_socket_recvfrom(l->socket, answer, sizeof(answer));
	if (len < 0)
		return -errno;
	if (mnl_cb_run(answer, (size_t)len, l->seq, mnl_socket_get_portid(l->socket), NULL, NULL) <
	    0)
		return -errno;
	return 0;
}

static int set_attribute(struct link *l, uint16_t type, const void *value, size_t len)
{
	union request r;
	struct ifinfomsg *info = begin(&r, RTM_NEWLINK, 0, sizeof(*info));

	info->ifi_index = (int)l->index;
	mnl_attr_put(&r.header, type, len, value);
	return send_request(l, &r);
}

int link_set_mtu(struct link *l, uint32_t mtu)
{
	return set_attribute(l, IFLA_MTU, &mtu, sizeof(mtu));
}

int link_set_txqueuelen(struct link *l, uint32_t packets)
{
	return set_attribute(l, IFLA_TXQLEN, &packets, sizeof(packets));
}

int link_set_mac(struct link *l, const uint8_t mac[6])
{
	return set_attribute(l, IFLA_ADDRESS, mac, 6);
}

int link_set_up(struct link *l)
{
	union request r;
	struct ifinfomsg *info = begin(&r, RTM_NEWLINK, 0, sizeof(*info));

	info->ifi_index = (int)l->index;
	info->ifi_flags = info->ifi_change = IFF_UP;
	return send_request(l, &r);
}

int link_set_noqueue(struct link *l)
{
	union request r;
	struct tcmsg *tc = begin(&r, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, sizeof(*tc));

	tc->tcm_ifindex = (int)l->index;
	tc->tcm_parent = TC_H_ROOT;
	mnl_attr_put_strz(&r.header, TCA_KIND, "noqueue");
	return send_request(l, &r);
}

struct address {
	uint8_t bytes[16];
	uint8_t family, prefix;
	size_t len;
};

static int parse_address(const char *cidr, struct address *a)
{
	char text[INET6_ADDRSTRLEN];
	size_t len = strcspn(cidr, "/");
	char *end;
	unsigned long prefix;

	if (len >= sizeof(text) || cidr[len] != '/' || !isdigit((unsigned char)cidr[len + 1]))
		return -EINVAL;
	memcpy(text, cidr, len);
	text[len] = '\0';
	a->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	a->len = a->family == AF_INET6 ? 16 : 4;
	prefix = strtoul(cidr + len + 1, &end, 10);
	if (*end || prefix > a->len * 8 || inet_pton(a->family, text, a->bytes) != 1)
		return -EINVAL;
	a->prefix = (uint8_t)prefix;
	return 0;
}

int link_add_address(struct link *l, const char *cidr)
{
	struct address a;
	union request r;
	struct ifaddrmsg *info;

	if (parse_address(cidr, &a))
		return -EINVAL;
	info = begin(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(*info));
	info->ifa_family = a.family;
	info->ifa_prefixlen = a.prefix;
	info->ifa_index = l->index;
	if (a.family == AF_INET6) /* at once usable, not after a second of duplicate detection */
		info->ifa_flags = IFA_F_NODAD;
	mnl_attr_put(&r.header, IFA_LOCAL, a.len, a.bytes);
	mnl_attr_put(&r.header, IFA_ADDRESS, a.len, a.bytes);
	return send_request(l, &r);
}
