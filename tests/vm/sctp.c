/* SPDX-License-Identifier: MIT */
/*
 * The kernel it runs on as referee of SCTP: a socket on host A sends to one on host B, and we carry
 * the frames between their TAPs.
 *
 *     vm-sctp [4|6]
 *
 * A's address is on a veth, which takes super-packets; behind it are a bridge and the TAP, which
 * take none. So a packet socket on the veth has the kernel's super-packets, whose boundaries it does
 * not show, and the TAP has the kernel's segments of them. Cut at the segments' boundaries by us, the
 * super-packet must give the same bytes, CRC32c and all. And a train of segments, merged by our GRO
 * and cut up again, must be what it was; Linux has no GRO of SCTP to compare with.
 */
#define _GNU_SOURCE
#include "ours.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BYTES = 600000, MESSAGE = 5000, PORT = 5000, SCTP_HLEN = 12, VNET = 10, FRAMES = 4096 };

#define VETH                                                                                                \
	"case %1$s in *:*) net='/64 nodad';; *) net=/24;; esac; if ip link show out >/dev/null 2>&1; then " \
	"ip address flush dev out; ip link add v0 type veth peer name v1; "                                 \
	"ip link add br0 type bridge; ip link set v1 master br0 up; ip link set out master br0;"            \
	"echo 0 >/proc/sys/net/ipv6/conf/v0/disable_ipv6; ip link set br0 up;"                              \
	"ip link set v0 mtu 1500 up; "                                                                      \
	"ip address add dev v0 %1$s$net; ip neigh add %2$s lladdr 02:00:00:00:00:0b dev v0;"                \
	"ip link set v0 address 02:00:00:00:00:0a;"                                                         \
	"else ip link set in address 02:00:00:00:00:0b; "                                                   \
	"ip neigh replace %2$s lladdr 02:00:00:00:00:0a dev in; fi"

struct captured {
	unsigned n;
	struct lab_frame frame[FRAMES];
};

static uint8_t pattern(uint32_t i)
{
	return (uint8_t)(i * 2654435761u >> 24);
}

static int make_socket(int version, const char *address, struct sockaddr_storage *at,
		       socklen_t *len)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)at;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)at;
	int fd = socket(version == 4 ? AF_INET : AF_INET6, SOCK_STREAM, IPPROTO_SCTP);

	memset(at, 0, sizeof *at);
	if (version == 4) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons(PORT);
		inet_pton(AF_INET, address, &in4->sin_addr);
		*len = sizeof *in4;
	} else {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(PORT);
		inet_pton(AF_INET6, address, &in6->sin6_addr);
		*len = sizeof *in6;
	}
	if (fd < 0)
		lab_die("SCTP socket");
	return fd;
}

/* Host B: gives 0 if all that was sent came as it was. */
static int receive_all(int listening)
{
	static uint8_t room[65536];
	int fd = accept(listening, NULL, NULL);
	uint32_t got = 0;
	ssize_t n;

	while ((n = read(fd, room, sizeof room)) > 0) {
		for (ssize_t i = 0; i < n; i++, got++)
			if (room[i] != pattern(got))
				return 1;
	}
	return got != BYTES;
}

static int send_all(int version, const char *address)
{
	struct sockaddr_storage to;
	socklen_t len;
	int fd = make_socket(version, address, &to, &len);
	uint8_t message[MESSAGE];

	if (connect(fd, (struct sockaddr *)&to, len))
		lab_die("connect");
	for (uint32_t sent = 0; sent < BYTES; sent += MESSAGE) {
		for (uint32_t i = 0; i < MESSAGE; i++)
			message[i] = pattern(sent + i);
		if (write(fd, message, MESSAGE) != MESSAGE)
			lab_die("write");
	}
	return 0;
}

static void keep(struct captured *to, const uint8_t *bytes, size_t len)
{
	struct lab_frame *f = &to->frame[to->n];

	if (to->n == FRAMES)
		lab_die("too many frames");
	to->n++;
	*f = (struct lab_frame){.len = (uint32_t)len, .data = malloc(len)};
	memcpy(f->data, bytes, len);
}

/* Whether the frame is of SCTP with a DATA chunk at first. */
static bool is_data(const uint8_t *frame, size_t len)
{
	const uint8_t *ip = frame + LAB_ETH;
	size_t l4 = LAB_ETH + (ip[0] >> 4 == 4 ? 20 : 40);

	return len > l4 + SCTP_HLEN && (ip[0] >> 4 == 4 ? ip[9] : ip[6]) == IPPROTO_SCTP &&
	       frame[l4 + SCTP_HLEN] == 0;
}

/* Carry one frame from a TAP to the other; those of data to B are kept. */
static void carry(int from, int to, struct captured *kept)
{
	static uint8_t room[VNET + 65536];
	ssize_t n = read(from, room, sizeof room);

	if (n < VNET + LAB_ETH)
		return;
	if (kept != NULL && is_data(room + VNET, (size_t)n - VNET))
		keep(kept, room + VNET, (size_t)n - VNET);
	if (write(to, room, (size_t)n) != n && errno != EIO)
		lab_die("TAP");
}

static void take(int spy, struct captured *kept)
{
	static uint8_t room[LAB_FRAME_MAX];
	struct sockaddr_ll from;
	socklen_t len = sizeof from;
	ssize_t n = recvfrom(spy, room, sizeof room, 0, (struct sockaddr *)&from, &len);

	if (n > LAB_ETH && from.sll_pkttype == PACKET_OUTGOING && is_data(room, (size_t)n))
		keep(kept, room, (size_t)n);
}

/* Until the receiver has ended; gives its word. */
static int relay(const struct lab *lab, int spy, pid_t receiver, struct captured *supers,
		 struct captured *segs)
{
	struct pollfd p[3] = {{spy, POLLIN, 0}, {lab->tap[0], POLLIN, 0}, {lab->tap[1], POLLIN, 0}};
	int status;

	while (waitpid(receiver, &status, WNOHANG) == 0) {
		if (poll(p, 3, 20) <= 0)
			continue;
		if (p[0].revents & POLLIN)
			take(spy, supers);
		if (p[1].revents & POLLIN)
			carry(lab->tap[0], lab->tap[1], segs);
		if (p[2].revents & POLLIN)
			carry(lab->tap[1], lab->tap[0], NULL);
	}
	while (poll(p, 1, 0) > 0)
		take(spy, supers);
	return status;
}

static int open_spy(void)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(3), /* ETH_P_ALL */
				 .sll_ifindex = (int)if_nametoindex("v0")};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), room = 8 << 20;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) ||
	    bind(fd, (struct sockaddr *)&at, sizeof at))
		lab_die("v0");
	return fd;
}

static uint32_t hdr_len(const struct lab_frame *f)
{
	return LAB_ETH + (f->data[LAB_ETH] >> 4 == 4 ? 20u : 40u) + SCTP_HLEN;
}

/* How many of these segments the super-packet is; 0 if its bytes are not theirs. */
static unsigned match(const struct lab_frame *super, const struct lab_frame *seg, unsigned n)
{
	uint32_t hdr = hdr_len(super), at = hdr;
	unsigned used = 0;

	while (at < super->len && used < n) {
		uint32_t len = seg[used].len - hdr;

		if (len > super->len - at ||
		    memcmp(super->data + at, seg[used].data + hdr, len) != 0)
			return 0;
		at += len;
		used++;
	}
	return at == super->len ? used : 0;
}

/* The super-packet as a chain of what are the segments' chunks; cut up by us into the list. */
static int cut(const struct lab_frame *super, const struct lab_frame *seg, unsigned n,
	       struct list *ours)
{
	struct arena arena = {0};
	struct leat_pkt *head = ours_parse(NULL, &arena, super);
	uint32_t hdr = hdr_len(super), at = hdr;
	int said;

	head->headlen = hdr;
	head->len = hdr;
	for (unsigned i = 0; i < n; i++) {
		struct leat_pkt *member = arena_add(&arena, super->data + at, seg[i].len - hdr);

		leat_pkt_chain(head, member);
		at += seg[i].len - hdr;
	}
	head->gso_type = LEAT_GSO_SCTP;
	head->gso_size = LEAT_GSO_BY_FRAGS;
	head->gso_segs = (uint16_t)n;
	said = ours_segment(head, ours);
	arena_clear(&arena);
	return said;
}

static struct list view(const struct lab_frame *seg, unsigned n)
{
	struct list list = {.n = n};

	memcpy(list.frame, seg, n * sizeof *seg);
	return list;
}

/* Every super-packet against the kernel's segments of it. */
static int judge_gso(const struct captured *supers, const struct captured *segs)
{
	unsigned super_packets = 0, cut_up = 0, same = 0, next = 0;

	for (unsigned i = 0; i < supers->n; i++) {
		const struct lab_frame *super = &supers->frame[i], *seg = &segs->frame[next];
		unsigned n = match(super, seg, segs->n - next);
		struct list kernel, ours = {0};

		if (n == 0) {
			printf("  super-packet %u is not what its segments are\n", i);
			return 1;
		}
		next += n;
		if (n == 1)
			continue;
		kernel = view(seg, n);
		super_packets++;
		cut_up += n;
		if (cut(super, seg, n, &ours) < 0)
			printf("  super-packet %u: ours refuses\n", i);
		same += list_same("sctp", &kernel, &ours, same + 1 == super_packets);
		list_clear(&ours);
	}
	printf("sctp: %u super-packets of %u segments, %u cut up alike\n", super_packets, cut_up,
	       same);
	return super_packets < 10 || same != super_packets;
}

/* Trains of segments, merged and cut up again by us. */
static int judge_gro(const struct captured *segs)
{
	static const struct leat_gro_conf conf = {.buckets = 8, .depth = 8, .sctp = true};
	unsigned trains = 0, merged_to = 0, same = 0;

	for (unsigned at = 0; at + LAB_FRAMES <= segs->n; at += LAB_FRAMES, trains++) {
		struct list train = view(&segs->frame[at], LAB_FRAMES), merged = {0}, again = {0};

		ours_coalesce(NULL, &conf, &train, &merged, &again);
		same += list_same("sctp again", &train, &again, same == trains);
		merged_to += merged.n;
		list_clear(&merged);
		list_clear(&again);
	}
	printf("sctp: %u packets merged to %u, %u of %u trains undone\n", trains * LAB_FRAMES,
	       merged_to, same, trains);
	return trains == 0 || same != trains || merged_to > trains * LAB_FRAMES / 2;
}

static pid_t start_receiver(int version, const char *address)
{
	struct sockaddr_storage at;
	socklen_t len;
	int fd = make_socket(version, address, &at, &len);
	pid_t pid;

	if (bind(fd, (struct sockaddr *)&at, len) || listen(fd, 1))
		lab_die("listen");
	pid = fork();
	if (pid == 0)
		exit(receive_all(fd));
	close(fd);
	return pid;
}

int main(int argc, char **argv)
{
	static struct captured supers, segs;
	int version = argc > 1 ? atoi(argv[1]) : 4;
	const char *address = version == 4 ? "10.1.0.2" : "fd01::2";
	struct lab lab = lab_start(version, VETH);
	pid_t receiver = start_receiver(version, address), sender;
	int spy, status;

	lab_enter(&lab, 0);
	spy = open_spy();
	sender = fork();
	if (sender == 0)
		exit(send_all(version, address));
	status = relay(&lab, spy, receiver, &supers, &segs);
	kill(sender, SIGKILL);
	if (status != 0) {
		printf("sctp: what was received is not what was sent\n");
		return 1;
	}
	return judge_gso(&supers, &segs) | judge_gro(&segs);
}
