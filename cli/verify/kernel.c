/* SPDX-License-Identifier: MIT */
#include "kernel.h"

#include "../args.h"
#include "kernel_link.h"
#include "kernel_shown.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	/* Newer than the headers may be. */
	USO4 = 0x20,
	USO6 = 0x40,
	UDP_TUNNEL = 0x80,
	UDP_TUNNEL_CSUM = 0x100,
	OFFLOADS = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN,

	HDR_LEN = 12,
	HDR_TUNNEL_LEN = 24,
	QUEUE = 1 << 17, /* more than the segments of one byte of a super-packet */
};

static int fail(char *err, size_t err_len, int e, const char *what)
{
	snprintf(err, err_len, "%s: %s", what, strerror(-e));
	return e;
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	close(fd);
	return n < 0 ? -errno : 0;
}

/* Without privilege: be root in a user namespace of our own. */
static int unshare_all(void)
{
	unsigned uid = geteuid(), gid = getegid();
	char map[64];

	if (unshare(CLONE_NEWNET | CLONE_NEWNS) == 0)
		return 0;
	if (errno != EPERM || unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS))
		return -errno;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	if (write_text("/proc/self/setgroups", "deny") || write_text("/proc/self/uid_map", map))
		return -EPERM;
	snprintf(map, sizeof(map), "0 %u 1", gid);
	return write_text("/proc/self/gid_map", map);
}

/* Nobody but us is to speak in the namespace, so no neighbour discovery; and a bridge is not to
 * look into what it forwards. */
static const char *const sysctls[][2] = {
	{"/proc/sys/net/ipv6/conf/all/disable_ipv6", "1"},
	{"/proc/sys/net/ipv6/conf/default/disable_ipv6", "1"},
	{"/proc/sys/net/bridge/bridge-nf-call-iptables", "0"},
	{"/proc/sys/net/bridge/bridge-nf-call-ip6tables", "0"},
	{"/proc/sys/net/bridge/bridge-nf-call-arptables", "0"},
};

/* A namespace of the network, and a view of /sys that shows it. */
static int enter_namespace(char *err, size_t err_len)
{
	int e = unshare_all();

	if (e)
		return fail(err, err_len, e, "a network namespace");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("sysfs", "/sys", "sysfs", 0, NULL))
		return fail(err, err_len, -errno, "mounting /sys");
	for (unsigned i = 0; i < sizeof(sysctls) / sizeof(sysctls[0]); i++)
		write_text(sysctls[i][0], sysctls[i][1]);
	return 0;
}

static void pin(void)
{
	cpu_set_t set;
	int cpu = sched_getcpu();

	CPU_ZERO(&set);
	CPU_SET(cpu < 0 ? 0 : cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* A TAP with a header of `hdr_len` bytes, to be handed nothing but what is on a wire. */
static int open_tap(const char *name, short flags, int hdr_len, char *err, size_t err_len)
{
	struct ifreq ifr = {.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | flags)};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	int little = 1, sndbuf = 0x7fffffff;

	if (fd < 0)
		return fail(err, err_len, -errno, "/dev/net/tun");
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &ifr) || ioctl(fd, TUNSETVNETHDRSZ, &hdr_len) ||
	    ioctl(fd, TUNSETVNETLE, &little) || ioctl(fd, TUNSETSNDBUF, &sndbuf) ||
	    ioctl(fd, TUNSETOFFLOAD, 0)) {
		fail(err, err_len, -errno, name);
		close(fd);
		return -EIO;
	}
	return fd;
}

static int join_taps(const char *first, const char *second, const char *bridge)
{
	int e = kernel_link_bridge(bridge);

	if (!e)
		e = kernel_link_join(first, bridge);
	if (!e)
		e = kernel_link_join(second, bridge);
	if (!e)
		e = kernel_link_up(first, KERNEL_MTU, QUEUE);
	return e ? e : kernel_link_up(second, KERNEL_MTU, QUEUE);
}

static int open_gso(struct kernel *k, char *err, size_t err_len)
{
	int e;

	k->hdr_len = HDR_TUNNEL_LEN;
	k->gso[0] = open_tap("gso0", 0, HDR_TUNNEL_LEN, err, err_len);
	if (k->gso[0] >= 0 && ioctl(k->gso[0], TUNSETOFFLOAD,
				    OFFLOADS | USO4 | USO6 | UDP_TUNNEL | UDP_TUNNEL_CSUM)) {
		int hdr_len = HDR_LEN;

		k->hdr_len = HDR_LEN;
		if (ioctl(k->gso[0], TUNSETVNETHDRSZ, &hdr_len))
			return fail(err, err_len, -errno, "gso0");
	}
	k->gso[1] = open_tap("gso1", 0, HDR_LEN, err, err_len);
	if (k->gso[0] < 0 || k->gso[1] < 0)
		return -EIO;
	e = join_taps("gso0", "gso1", "gsobr");
	return e ? fail(err, err_len, e, "joining gso0 and gso1") : 0;
}

static const char *reason_of(int e, const char *what)
{
	return e ? what : NULL;
}

/* What the kernel may lack. */
static void open_ports(struct kernel *k)
{
	int e = kernel_link_fou(5554, IPPROTO_IPIP, AF_INET);

	k->udp_gro = reason_of(kernel_link_feature("gro0", "rx-udp-gro-forwarding", 1),
			       "this kernel merges no forwarded UDP (before Linux 5.12)");
	k->vxlan = reason_of(kernel_link_vxlan("vxlan0", 4789, 0), "this kernel has no VXLAN");
	k->vxlan_remcsum = reason_of(kernel_link_vxlan("vxlan1", 4790, 1),
				     "this kernel has no VXLAN with remote checksum");
	k->geneve = reason_of(kernel_link_geneve("geneve0", 6081), "this kernel has no Geneve");
	k->gue = reason_of(kernel_link_gue(6080), "this kernel has no GUE (module fou)");
	if (!e)
		e = kernel_link_fou(5556, IPPROTO_IPV6, AF_INET);
	if (!e)
		e = kernel_link_fou(5554, IPPROTO_IPIP, AF_INET6);
	if (!e)
		e = kernel_link_fou(5556, IPPROTO_IPV6, AF_INET6);
	k->fou = reason_of(e, "this kernel has no FOU (module fou)");
}

static int open_gro(struct kernel *k, char *err, size_t err_len)
{
	int e;

	k->gro[0] = open_tap("gro0", IFF_NAPI, HDR_LEN, err, err_len);
	k->gro[1] = open_tap("gro1", 0, HDR_LEN, err, err_len);
	if (k->gro[0] < 0 || k->gro[1] < 0)
		return -EIO;
	e = join_taps("gro0", "gro1", "grobr");
	if (e)
		return fail(err, err_len, e, "joining gro0 and gro1");
	e = kernel_link_feature("gro0", "rx-gro", 1);
	if (e)
		return fail(err, err_len, e, "turning GRO on");
	k->timeout = open("/sys/class/net/gro0/gro_flush_timeout", O_WRONLY | O_CLOEXEC);
	if (k->timeout < 0)
		return fail(err, err_len, -errno, "gro_flush_timeout");
	k->ticker = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (k->ticker < 0)
		return fail(err, err_len, -errno, "a TCP socket");
	open_ports(k);
	k->shown = kernel_shown_open("gro0");
	return k->shown < 0 ? fail(err, err_len, k->shown, "a packet socket") : 0;
}

int kernel_open(struct kernel *k, int *code, char *err, size_t err_len)
{
	int e;

	*k = (struct kernel){{-1, -1}, {-1, -1}, -1, -1, -1, 0, 0, 0, NULL, 0, 0, 0, 0, 0, 0};
	*code = EXIT_CANNOT;
	k->buffer = malloc(1 << 20);
	if (!k->buffer)
		return -ENOMEM;
	e = enter_namespace(err, err_len);
	if (!e)
		e = open_gso(k, err, err_len);
	if (!e)
		e = open_gro(k, err, err_len);
	if (e) {
		kernel_close(k);
		return e;
	}
	pin();
	return 0;
}

static void close_one(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* The namespace goes with the process. */
void kernel_close(struct kernel *k)
{
	close_one(k->gso[0]);
	close_one(k->gso[1]);
	close_one(k->gro[0]);
	close_one(k->gro[1]);
	close_one(k->shown);
	close_one(k->timeout);
	close_one(k->ticker);
	free(k->buffer);
}
