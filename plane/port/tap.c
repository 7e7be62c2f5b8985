/* SPDX-License-Identifier: MIT */
/*
 * A TAP: a network interface whose other end we are.
 *
 * The device is made by its first descriptor, exclusively, and lives as long as one is open: it is
 * not persistent, so that nothing is left behind however we end. Offloads are what the kernel may
 * hand to us. What we may hand to the kernel it always takes; with offload=none we do not, so that
 * frames are wire-sized and their checksums complete in both directions. UDP tunnels are the
 * exception: a kernel that cannot hand over their super-packets cannot take them, and has no header
 * of 24 bytes. It takes super-packets of IPIP, SIT and GRE too, and drops them.
 *
 * It has no qdisc, which would be between the choice of a queue and the queue, and never holds
 * anything: a TAP does not refuse frames, it drops them.
 *
 * With napi=threaded frames go to a NAPI context of the kernel's with a thread of its own, which
 * merges what a batch left there: its protocols then work on super-packets, and not in our system
 * calls. Without, they work frame by frame.
 *
 * A TAP takes super-packets over 64 KB (BIG TCP; Linux 6.18 up to 512 KB and more), and gives none.
 */
#include "tap.h"

#include "../pool.h"
#include "../text.h"
#include "netns.h"
#include "sysfs.h"
#include "uring.h"

#include <errno.h>
#include <fcntl.h>
#include <leat/gro.h>
#include <limits.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	OFFLOADS = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN,
	USO = 0x60,	     /* TUN_F_USO4 and _USO6 (Linux 6.2): headers may be older */
	UDP_TUNNELS = 0x180, /* TUN_F_UDP_TUNNEL_GSO and _GSO_CSUM (6.17): as well */

	MTU_MIN = 68,
	MTU_MAX = 65535 - 14,
	MTU_DEFAULT = 1500,
	WIRE_TRUESIZE = 2304,  /* bytes of kernel memory that a wire-sized frame takes at most */
	LINK_MAX = 14 + 4 * 4, /* bytes in front of an IP packet: Ethernet and VLAN tags */
};

#define GSO_TCP (LEAT_GSO_TCPV4 | LEAT_GSO_TCPV6 | LEAT_GSO_TCP_ECN | LEAT_GSO_DODGY)

/* What kernels take, from the newest on. */
static const struct {
	int hdr;
	unsigned offloads;
	uint32_t gso;
} levels[] = {
	{LEAT_VNET_HDR_TUNNEL_LEN, OFFLOADS | USO | UDP_TUNNELS,
	 GSO_TCP | LEAT_GSO_UDP_L4 | LEAT_GSO_UDP_TUNNEL | LEAT_GSO_UDP_TUNNEL_CSUM},
	{LEAT_VNET_HDR_MRG_LEN, OFFLOADS | USO, GSO_TCP | LEAT_GSO_UDP_L4},
	{LEAT_VNET_HDR_MRG_LEN, OFFLOADS, GSO_TCP},
};

enum { LEVELS = sizeof(levels) / sizeof(levels[0]) };

/* What is asked for, and where to complain. */
struct tap_request {
	struct port *port;
	const struct port_args *args;
	struct tap *tap;
	const char *netns, *mac;
	unsigned long queues, mtu, txqueuelen;
	bool offload, steering, napi, uring;
	int sysfs; /* -1: not open */
	char *err;
	size_t err_len;
};

/* An option of two words; of these the default is `otherwise`. */
static int parse_choice(const struct tap_request *r, const char *option, const char *yes,
			const char *no, const char *otherwise, bool *chosen)
{
	const char *word = port_option(r->args, option, otherwise);

	*chosen = strcmp(word, yes) == 0;
	if (*chosen || strcmp(word, no) == 0)
		return 0;
	return port_fail(r->err, r->err_len, EINVAL, "%s: %s=%s: not %s or %s", r->args->name,
			 option, word, yes, no);
}

/* The kernel would take a '%' for a pattern to find a free name by. */
static int check_name(struct tap_request *r)
{
	const char *name = r->args->name;

	if (!name[0] || strlen(name) >= IFNAMSIZ)
		return port_fail(r->err, r->err_len, EINVAL,
				 "%s: the name of an interface has 1 to %d characters", name,
				 IFNAMSIZ - 1);
	if (strpbrk(name, "/:% \t\n\v\f\r") || !strcmp(name, ".") || !strcmp(name, ".."))
		return port_fail(r->err, r->err_len, EINVAL, "%s: no name for an interface", name);
	return 0;
}

static int parse_request(struct tap_request *r)
{
	static const char *const names[] = {"queues", "netns",	    "offload", "mtu",
					    "mac",    "txqueuelen", "address", "steering",
					    "napi",   "io",	    NULL};
	int e = port_known(r->args, names, r->err, r->err_len);

	if (!e)
		e = check_name(r);
	if (!e)
		e = parse_choice(r, "offload", "on", "none", "on", &r->offload);
	if (!e)
		e = parse_choice(r, "steering", "device", "software", "device", &r->steering);
	if (!e)
		e = parse_choice(r, "napi", "threaded", "off", "off", &r->napi);
	if (!e)
		e = parse_choice(r, "io", "uring", "syscall", r->offload ? "syscall" : "uring",
				 &r->uring);
	if (!e)
		e = port_number(r->args, "queues", 1, 1, PORT_QUEUES_MAX, &r->queues, r->err,
				r->err_len);
	if (!e)
		e = port_number(r->args, "mtu", MTU_DEFAULT, MTU_MIN, MTU_MAX, &r->mtu, r->err,
				r->err_len);
	if (!e)
		e = port_number(r->args, "txqueuelen", 10000, 1, 1u << 24, &r->txqueuelen, r->err,
				r->err_len);
	r->netns = port_option(r->args, "netns", NULL);
	r->mac = port_option(r->args, "mac", NULL);
	return e;
}

/* The kernel refused to make queue `q`. */
static int explain(const struct tap_request *r, unsigned q, int error)
{
	const char *name = r->args->name;

	switch (error) {
	case EPERM:
		return port_fail(r->err, r->err_len, error, "%s: making a TAP needs CAP_NET_ADMIN",
				 name);
	case EBUSY:
	case EEXIST:
		return port_fail(r->err, r->err_len, error,
				 "%s: there is an interface of that name already", name);
	case E2BIG:
		return port_fail(r->err, r->err_len, error,
				 "%s: queues=%lu: the kernel gives no more than %u", name,
				 r->queues, q);
	default:
		return port_fail(r->err, r->err_len, error,
				 "%s: the kernel refuses queue %u of the TAP: %s", name, q,
				 strerror(error));
	}
}

static int open_queue(struct tap_request *r, unsigned q)
{
	struct ifreq ifr = {.ifr_flags =
				    (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE |
					    (q ? 0 : IFF_TUN_EXCL) | (r->napi ? IFF_NAPI : 0))};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return port_fail(r->err, r->err_len, errno, "%s: /dev/net/tun: %s%s", r->args->name,
				 strerror(errno),
				 errno == ENOENT || errno == ENODEV || errno == ENXIO ?
					 " (is the module tun loaded?)" :
					 "");
	r->tap->queue[q].fd = fd;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", r->args->name);
	if (ioctl(fd, TUNSETIFF, &ifr))
		return explain(r, q, errno);
	return 0;
}

static int set_hdr(struct tap_request *r, int size)
{
	int fd = r->tap->queue[0].fd, little = 1;

	if (ioctl(fd, TUNSETVNETHDRSZ, &size) || ioctl(fd, TUNSETVNETLE, &little))
		return -errno;
	r->tap->hdr = (uint32_t)size;
	return 0;
}

/* Say what the kernel may hand to us; this holds for all queues. */
static int negotiate(struct tap_request *r)
{
	int fd = r->tap->queue[0].fd;
	unsigned i = 0;

	r->port->features = r->offload ? PORT_SG | PORT_TX_CSUM : PORT_SG;
	r->port->gso = 0;
	if (!r->offload)
		return ioctl(fd, TUNSETOFFLOAD, 0) ? -errno : set_hdr(r, LEAT_VNET_HDR_MRG_LEN);
	while (i < LEVELS && ioctl(fd, TUNSETOFFLOAD, levels[i].offloads))
		i++;
	if (i == LEVELS)
		return -errno;
	r->port->gso = levels[i].gso;
	r->port->tso_max_size = LEAT_GRO_SIZE_MAX;
	return set_hdr(r, levels[i].hdr);
}

int tap_set_program(const struct tap *tap, enum tap_program which, int fd)
{
	unsigned long request = which == TAP_STEERING ? TUNSETSTEERINGEBPF : TUNSETFILTEREBPF;

	return ioctl(tap->queue[0].fd, request, &fd) ? -errno : 0;
}

static int refuse_napi(const struct tap_request *r, int e)
{
	return port_fail(r->err, r->err_len, -e, "%s: napi=threaded: %s", r->args->name,
			 strerror(-e));
}

/* Before there are queues: whether they can have it. */
static int prepare_napi(struct tap_request *r)
{
	if (!r->napi)
		return 0;
	r->sysfs = sysfs_open();
	return r->sysfs < 0 ? refuse_napi(r, r->sysfs) : 0;
}

/* The thread may lag behind, and what waits for it has no limit but this one: as many frames as wait
 * in the other direction. */
static int start_napi(const struct tap_request *r)
{
	unsigned long room = r->txqueuelen * WIRE_TRUESIZE;
	int e, bytes = room < INT_MAX ? (int)room : INT_MAX;

	if (!r->napi)
		return 0;
	e = sysfs_write(r->sysfs, r->args->name, "threaded", "1");
	if (!e && ioctl(r->tap->queue[0].fd, TUNSETSNDBUF, &bytes))
		e = -errno;
	return e ? refuse_napi(r, e) : 0;
}

/* Rings for queue `q`; 0 or -errno. Super-packets are few enough to be read one by one. */
static int open_rings(const struct tap_request *r, struct tap_queue *q)
{
	q->tx = uring_new(q->fd, PORT_BATCH);
	if (q->tx && !r->offload)
		q->rx = uring_new(q->fd, PORT_BATCH);
	return q->tx && (r->offload || q->rx) ? 0 : -errno;
}

/* Who does not ask for io_uring does without where there is none. */
static int start_uring(const struct tap_request *r)
{
	int e = 0;

	for (unsigned q = 0; !e && r->uring && q < r->queues; q++)
		e = open_rings(r, &r->tap->queue[q]);
	if (!e || !port_option(r->args, "io", NULL))
		return 0;
	return port_fail(r->err, r->err_len, -e, "%s: io=uring: %s", r->args->name, strerror(-e));
}

/* What became of an option that the kernel has the last word on. */
static int check_option(const struct tap_request *r, const char *option, const char *value, int e,
			const char *form)
{
	if (!e)
		return 0;
	return port_fail(r->err, r->err_len, -e, "%s: %s=%s: %s%s", r->args->name, option, value,
			 e == -EINVAL ? "not " : "", e == -EINVAL ? form : strerror(-e));
}

static int set_mac(struct tap_request *r)
{
	uint8_t mac[6];
	int e = -EINVAL;

	if (!r->mac)
		return 0;
	if (text_bytes(r->mac, mac, sizeof(mac)))
		e = link_set_mac(&r->tap->link, mac);
	return check_option(r, "mac", r->mac, e, "an interface's address XX:XX:XX:XX:XX:XX");
}

static int add_addresses(struct tap_request *r)
{
	const struct port_args *args = r->args;
	int e = 0;

	for (unsigned i = 0; !e && i < args->options; i++) {
		const struct port_option *o = &args->option[i];

		if (strcmp(o->name, "address") == 0)
			e = check_option(r, o->name, o->value,
					 link_add_address(&r->tap->link, o->value),
					 "an IP address with a prefix length, IP/N");
	}
	return e;
}

/* The device as it is for all that is not an option. */
static int set_up(struct tap_request *r)
{
	int e = negotiate(r);

	if (!e)
		e = link_open(&r->tap->link, r->args->name);
	if (!e)
		e = link_set_txqueuelen(&r->tap->link, (uint32_t)r->txqueuelen);
	if (!e)
		e = link_set_mtu(&r->tap->link, (uint32_t)r->mtu);
	if (!e)
		e = link_set_noqueue(&r->tap->link);
	return e ? port_fail(r->err, r->err_len, -e, "%s: setting the TAP up: %s", r->args->name,
			     strerror(-e)) :
		   0;
}

/* All of it, inside the namespace. */
static int make(void *arg)
{
	struct tap_request *r = arg;
	int e = prepare_napi(r);

	for (unsigned q = 0; !e && q < r->queues; q++)
		e = open_queue(r, q);
	if (!e)
		e = set_up(r);
	if (!e)
		e = start_napi(r);
	if (!e)
		e = start_uring(r);
	if (!e)
		e = set_mac(r);
	return e ? e : add_addresses(r);
}

static struct tap *new_tap(unsigned queues)
{
	struct tap *tap = calloc(1, sizeof(*tap) + queues * sizeof(tap->queue[0]));

	for (unsigned q = 0; tap && q < queues; q++)
		tap->queue[q] = (struct tap_queue){.fd = -1, .want = 1};
	if (tap)
		tap->queues = queues;
	if (tap)
		tap->steer = tap_steer_new();
	if (tap && tap->steer)
		return tap;
	free(tap);
	return NULL;
}

static void free_tap(struct tap *tap)
{
	tap_steer_free(tap->steer);
	link_close(&tap->link);
	for (unsigned q = 0; q < tap->queues; q++) {
		uring_free(tap->queue[q].rx);
		uring_free(tap->queue[q].tx);
		if (tap->queue[q].fd >= 0)
			close(tap->queue[q].fd);
	}
	free(tap);
}

static int open_tap(struct port *port, const struct port_args *args, char *err, size_t err_len)
{
	struct tap_request r = {
		.port = port, .args = args, .sysfs = -1, .err = err, .err_len = err_len};
	int e = parse_request(&r);

	if (e)
		return e;
	r.tap = new_tap((unsigned)r.queues);
	if (!r.tap)
		return port_fail(err, err_len, ENOMEM, "%s: %s", args->name, strerror(ENOMEM));
	r.tap->supers = r.offload;
	r.tap->steering = r.steering;
	r.tap->first = !r.offload && r.mtu + LINK_MAX > POOL_SMALL ? POOL_BIG : POOL_SMALL;
	e = netns_run(r.netns, make, &r, args->name, err, err_len);
	if (r.sysfs >= 0)
		close(r.sysfs);
	if (e) {
		free_tap(r.tap);
		return e;
	}
	port->rxqs = port->txqs = (unsigned)r.queues;
	port->rx_ring = (uint32_t)r.txqueuelen;
	port->mtu = (uint32_t)r.mtu;
	port->priv = r.tap;
	return 0;
}

static int up_tap(struct port *port, char *err, size_t err_len)
{
	struct tap *tap = port->priv;
	int e = link_set_up(&tap->link);

	return e ? port_fail(err, err_len, -e, "%s: bringing the TAP up: %s", port->name,
			     strerror(-e)) :
		   0;
}

static void close_tap(struct port *port)
{
	free_tap(port->priv);
	port->priv = NULL;
}

static int fd_of_queue(const struct port *port, unsigned q)
{
	const struct tap *tap = port->priv;

	return tap->queue[q].fd;
}

const struct port_ops port_tap = {
	.kind = "tap",
	.help = "queues=N         receive and transmit queues, 1 to 256 (1)\n"
		"netns=NAME       the network namespace to make the interface in (this one)\n"
		"offload=on|none  none: only wire-sized frames with complete checksums (on)\n"
		"mtu=N            68 to 65521 (1500)\n"
		"txqueuelen=N     packets the interface queues for us (10000)\n"
		"steering=device|software  what chooses receive queues by PORT/rxfh: a program in the\n"
		"                 kernel, where it takes one; leat itself (device)\n"
		"napi=threaded|off  whether the kernel merges the frames it gets, in threads of its\n"
		"                 own (off); worth it where offload=none\n"
		"io=uring|syscall  whether many frames are read or written with one system call; uring\n"
		"                 is refused where the kernel has none (uring where offload=none and\n"
		"                 there is one)\n"
		"mac=ADDRESS      (random)\n"
		"address=IP/N     an address of the interface; may be repeated\n",
	.open = open_tap,
	.up = up_tap,
	.close = close_tap,
	.receive = tap_receive,
	.check = tap_check,
	.transmit = tap_transmit,
	.fd = fd_of_queue,
	.steer = tap_steer,
	.flow_steer = tap_flow_steer,
	.flow_forget = tap_flow_forget,
	.rule_dropped = tap_rule_dropped,
};
