/*
 * copyloop: the smallest program that joins two TAPs, the figure `leat run` is measured against.
 *
 *	copyloop left=NS,offload=on right=NS,offload=none [queues=2]
 *
 * Each side is a multi-queue TAP of that name in the network namespace NS, with the flags and the
 * queue length of a leat port. Each queue has one thread per direction: read a frame from one TAP,
 * write it to the other, its virtio_net_hdr untouched. So it never segments: what an offload=on
 * side sends reaches an offload=none side as a super-packet, which the kernel accepts, since
 * TUNSETOFFLOAD governs only what a TAP hands out. Runs until SIGINT or SIGTERM.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	MAX_QUEUES = 64,
	MAX_FRAME = 1 << 17,
	QUEUE_LEN = 10000,
	USO4 = 0x20, /* TUN_F_USO4 and TUN_F_USO6: Debian 12's headers are older than they are */
	USO6 = 0x40,
	OFFLOADS = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN | USO4 | USO6,
};

struct side {
	const char *name, *netns;
	int offload;
	int fd[MAX_QUEUES];
};

struct lane {
	int from, to;
};

static void usage(void)
{
	errx(2, "usage: copyloop left=NS,offload=on|none right=NS,offload=on|none [queues=N]");
}

/* From here on this thread, and so the next open of /dev/net/tun, is in that namespace. */
static void enter_netns(const char *name)
{
	char path[256];
	snprintf(path, sizeof(path), "/run/netns/%s", name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		err(1, "network namespace %s", name);
	close(fd);
}

static int open_queue(const struct side *side)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE};
	strncpy(ifr.ifr_name, side->name, IFNAMSIZ - 1);
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) < 0 || ioctl(fd, TUNSETOFFLOAD, side->offload) < 0)
		err(1, "%s: cannot make the TAP", side->name);
	return fd;
}

static void bring_up(const char *name)
{
	struct ifreq ifr = {.ifr_qlen = QUEUE_LEN};
	strncpy(ifr.ifr_name, name, IFNAMSIZ - 1);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFTXQLEN, &ifr) < 0 || ioctl(fd, SIOCGIFFLAGS, &ifr) < 0)
		err(1, "%s: cannot set the queue length", name);
	ifr.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &ifr) < 0)
		err(1, "%s: cannot bring it up", name);
	close(fd);
}

static void make_side(struct side *side, int queues)
{
	enter_netns(side->netns);
	for (int q = 0; q < queues; q++)
		side->fd[q] = open_queue(side);
	bring_up(side->name);
}

static void *copy(void *arg)
{
	struct lane *lane = arg;
	char *frame = malloc(MAX_FRAME);
	if (!frame)
		err(1, "malloc");
	for (ssize_t n; (n = read(lane->from, frame, MAX_FRAME)) > 0;)
		if (write(lane->to, frame, n) < 0)
			continue; /* the device refused this one frame: the loop has nowhere to put it */
	return NULL;
}

static void start(struct lane *lane, int from, int to)
{
	pthread_t thread;
	*lane = (struct lane){from, to};
	if (pthread_create(&thread, NULL, copy, lane))
		errx(1, "cannot start a thread");
}

/* NS,offload=on|none */
static struct side parse_side(const char *name, char *value)
{
	char *offload = strchr(value, ',');
	if (!offload || (strcmp(offload, ",offload=on") && strcmp(offload, ",offload=none")))
		usage();
	*offload = '\0';
	return (struct side){name, value, strcmp(offload + 1, "offload=on") ? 0 : OFFLOADS, {0}};
}

int main(int argc, char **argv)
{
	static struct lane lanes[2 * MAX_QUEUES];
	if (argc < 3 || strncmp(argv[1], "left=", 5) || strncmp(argv[2], "right=", 6))
		usage();
	struct side left = parse_side("left", argv[1] + 5),
		    right = parse_side("right", argv[2] + 6);
	int sig;
	if (argc > 3 && strncmp(argv[3], "queues=", 7))
		usage();
	long queues = argc > 3 ? strtol(argv[3] + 7, NULL, 10) : 2;
	if (argc > 4 || queues < 1 || queues > MAX_QUEUES)
		usage();

	sigset_t stop;
	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &stop, NULL);

	make_side(&left, queues);
	make_side(&right, queues);
	for (int q = 0; q < queues; q++) {
		start(&lanes[2 * q], left.fd[q], right.fd[q]);
		start(&lanes[2 * q + 1], right.fd[q], left.fd[q]);
	}
	sigwait(&stop, &sig);
	return 0;
}
