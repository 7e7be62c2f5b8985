/* SPDX-License-Identifier: MIT */
#include "kernel_shown.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { HDR_LEN = 10, TAG_LEN = 4, RCVBUF = 256 << 20 };

int kernel_shown_open(const char *name)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int one = 1, room = RCVBUF;
	int e;

	if (fd < 0)
		return -errno;
	address.sll_ifindex = (int)if_nametoindex(name);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) == 0 &&
	    setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)) == 0 &&
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) == 0 &&
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	e = -errno;
	close(fd);
	return e;
}

/* The stack takes the first tag out of the frame: put it back, and move what lies behind. */
static int restore_tag(struct msghdr *msg, uint8_t *frame, int len, struct frame_meta *meta)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	struct tpacket_auxdata aux;

	if (!c || c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
		return len;
	memcpy(&aux, CMSG_DATA(c), sizeof(aux));
	if (!(aux.tp_status & TP_STATUS_VLAN_VALID))
		return len;
	memmove(frame + 2 * ETH_ALEN + TAG_LEN, frame + 2 * ETH_ALEN, (size_t)len - 2 * ETH_ALEN);
	memcpy(frame + 2 * ETH_ALEN, &(uint16_t){htons(aux.tp_vlan_tpid)}, 2);
	memcpy(frame + 2 * ETH_ALEN + 2, &(uint16_t){htons(aux.tp_vlan_tci)}, 2);
	if (meta->csum_start)
		meta->csum_start = (uint16_t)(meta->csum_start + TAG_LEN);
	if (meta->hdr_len)
		meta->hdr_len = (uint16_t)(meta->hdr_len + TAG_LEN);
	return len + TAG_LEN;
}

int kernel_shown_read(int fd, uint8_t *buffer, size_t size, uint8_t **frame,
		      struct frame_meta *meta)
{
	char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	struct iovec iov = {buffer, size - TAG_LEN};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(fd, &msg, 0);

	if (n < 0)
		return -errno;
	if (n < HDR_LEN + ETH_HLEN)
		return -EAGAIN;
	*meta = frame_meta_load(buffer);
	*frame = buffer + HDR_LEN;
	return restore_tag(&msg, *frame, (int)n - HDR_LEN, meta);
}
