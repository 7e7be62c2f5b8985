/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <unistd.h>

enum {
	VNET = sizeof(struct virtio_net_hdr),
	FIRST_MS = 3000, /* a device begins to send up to a second after it was set up */
	NEXT_MS = 12,
};

static const uint8_t mac_b[6] = {2, 0, 0, 0, 0, 0xb};

noreturn void lab_die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

void lab_sh(const char *format, ...)
{
	char *command;
	va_list args;

	va_start(args, format);
	if (vasprintf(&command, format, args) < 0)
		lab_die("vasprintf");
	va_end(args);
	if (system(command) != 0) {
		fprintf(stderr, "failed: %s\n", command);
		exit(1);
	}
	free(command);
}

bool lab_older(unsigned major, unsigned minor)
{
	struct utsname name;
	unsigned is_major, is_minor;

	if (uname(&name) || sscanf(name.release, "%u.%u", &is_major, &is_minor) != 2)
		lab_die("uname");
	return is_major < major || (is_major == major && is_minor < minor);
}

static int make_tap(const char *name, int flags)
{
	struct ifreq ifr = {.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | flags)};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) || ioctl(fd, TUNSETOFFLOAD, 0))
		lab_die(name);
	return fd;
}

/* The kernel is to send nothing of its own. */
static const char quiet[] =
	"cd /proc/sys/net/ipv6/conf; echo 0 >all/accept_dad; echo 0 >default/accept_dad;"
	"echo 0 >default/router_solicitations; echo 1 >default/disable_ipv6; cd /;";

/* Its address and its neighbour, then the tunnel. */
static void set_up_host(const char *device, int host, int version, const char *commands)
{
	static const char *const address[2][2] = {{"10.1.0.1", "10.1.0.2"}, {"fd01::1", "fd01::2"}};
	const char *mine = address[version == 6][host], *other = address[version == 6][!host];
	char *tunnel;

	/* NOLINTNEXTLINE(clang-diagnostic-format-nonliteral): the rows are our own */
	if (asprintf(&tunnel, commands, mine, other) < 0)
		lab_die("asprintf");
	/* What is sent to B has not the address of B's device, so that B's GRO has it but its IP has
	 * not: FOU would take its headers off in the very bytes that a packet socket shows. */
	lab_sh("%s echo 0 >/proc/sys/net/ipv6/conf/%s/disable_ipv6;"
	       "ip -batch - <<E && %s\n"
	       "link set lo up\n"
	       "link set %s mtu 1600 up\n"
	       "address add %s/%d dev %s%s\n"
	       "neigh add %s lladdr 02:00:00:00:00:0b dev %s\n"
	       "E\n",
	       quiet, device, tunnel, device, mine, version == 6 ? 64 : 24, device,
	       version == 6 ? " nodad" : "", other, device);
	free(tunnel);
}

static int here(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		lab_die("/proc/self/ns/net");
	return fd;
}

struct lab lab_start(int version, const char *commands)
{
	struct lab lab;

	if (unshare(CLONE_NEWNET))
		lab_die("unshare");
	lab.host[0] = here();
	lab.tap[0] = make_tap("out", 0);
	set_up_host("out", 0, version, commands);

	if (unshare(CLONE_NEWNET | CLONE_NEWNS) || mount("sys", "/sys", "sysfs", 0, NULL))
		lab_die("unshare");
	lab.host[1] = here();
	lab.tap[1] = make_tap("in", IFF_NAPI);
	lab_sh("echo 1 >/sys/class/net/in/threaded");
	set_up_host("in", 1, version, commands);
	return lab;
}

void lab_enter(const struct lab *lab, int host)
{
	if (setns(lab->host[host], CLONE_NEWNET))
		lab_die("setns");
}

int lab_packet(const char *device, bool receives)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET,
				 .sll_protocol = receives ? htons(ETH_P_ALL) : 0,
				 .sll_ifindex = (int)if_nametoindex(device)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), one = 1, room = 8 << 20;

	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof one) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) ||
	    bind(fd, (struct sockaddr *)&at, sizeof at))
		lab_die(device);
	return fd;
}

int lab_send(int fd, uint16_t ethertype, const struct lab_frame *frame)
{
	struct virtio_net_hdr vh = {.flags = frame->flags,
				    .gso_type = frame->gso_type,
				    .gso_size = frame->gso_size,
				    .csum_start = frame->csum_start,
				    .csum_offset = frame->csum_offset};
	struct iovec iov[2] = {{&vh, sizeof vh}, {frame->data, frame->len}};
	struct sockaddr_ll to;
	struct msghdr msg = {
		.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = iov, .msg_iovlen = 2};
	socklen_t len = sizeof to;

	if (getsockname(fd, (struct sockaddr *)&to, &len))
		lab_die("getsockname");
	to.sll_protocol = htons(ethertype);
	to.sll_halen = 0; /* of an IPv6 tunnel's device it would be 16, and refused */
	return sendmsg(fd, &msg, 0) < 0 ? errno : 0;
}

static bool readable(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, ms) > 0;
}

bool lab_read(int fd, struct lab_frame *frame, int ms)
{
	static uint8_t room[LAB_FRAME_MAX];
	struct virtio_net_hdr vh;

	while (readable(fd, ms)) {
		struct iovec iov[2] = {{&vh, sizeof vh}, {room, sizeof room}};
		ssize_t n = readv(fd, iov, 2);

		if (n < VNET + LAB_ETH || memcmp(room, mac_b, sizeof mac_b) != 0)
			continue;
		*frame = (struct lab_frame){.flags = vh.flags,
					    .gso_type = vh.gso_type,
					    .gso_size = vh.gso_size,
					    .csum_start = vh.csum_start,
					    .csum_offset = vh.csum_offset,
					    .len = (uint32_t)n - VNET};
		frame->data = malloc(frame->len);
		if (!frame->data)
			lab_die("malloc");
		memcpy(frame->data, room, frame->len);
		return true;
	}
	return false;
}

void lab_receive(const struct lab *lab, const struct lab_frame *frames, unsigned n)
{
	struct sched_param first = {.sched_priority = 50}, normal = {0};
	struct virtio_net_hdr vh = {0};

	if (sched_setscheduler(0, SCHED_FIFO, &first))
		lab_die("sched_setscheduler");
	for (unsigned i = 0; i < n; i++) {
		struct iovec iov[2] = {{&vh, sizeof vh}, {frames[i].data, frames[i].len}};

		if (writev(lab->tap[1], iov, 2) < 0)
			lab_die("in");
	}
	if (sched_setscheduler(0, SCHED_OTHER, &normal))
		lab_die("sched_setscheduler");
}

unsigned lab_read_all(int fd, struct lab_frame *frames, unsigned max)
{
	unsigned n = 0;

	while (n < max && lab_read(fd, &frames[n], n ? NEXT_MS : FIRST_MS))
		n++;
	return n;
}

void lab_free(struct lab_frame *frames, unsigned n)
{
	while (n)
		free(frames[--n].data);
}
