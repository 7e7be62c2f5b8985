/* SPDX-License-Identifier: MIT */
/*
 * Frames of a TAP.
 *
 * How long the next frame is, only reading it tells. So each read has room for the largest: a
 * small buffer, which takes a wire-sized frame and the headers of any, and behind it a big one,
 * which takes the rest of a super-packet; nothing is copied again. Where wire-sized frames are
 * longer than a small buffer they get a big one to themselves, for GRO merges no frame in slices. The virtio_net_hdr goes to the
 * headroom, right in front of the frame. Buffers that the last read left empty go back to the pool,
 * which gives them out first.
 */
#include "tap.h"

#include "../pool.h"
#include "../stats.h"

#include <errno.h>
#include <unistd.h>

/* Where the next frame goes. */
struct room {
	struct leat_pkt *first, *rest;
};

static bool is_jumbo(const struct tap *tap)
{
	return tap->first > POOL_SMALL;
}

/* False: the pool is empty. Wire-sized frames can do without a big buffer. */
static bool make_room(const struct tap *tap, struct pool *pool, struct room *room)
{
	if (!room->first)
		room->first = is_jumbo(tap) ? pool_big(pool) : pool_small(pool);
	if (!room->rest && !is_jumbo(tap))
		room->rest = pool_big(pool);
	return room->first && (room->rest || !tap->supers);
}

static void leave_room(struct pool *pool, const struct room *room)
{
	if (room->first)
		pool_give(pool, &room->first, 1);
	if (room->rest)
		pool_give(pool, &room->rest, 1);
}

/* Read one frame; gives its bytes, 0 if it did not fit, -errno. */
static ssize_t read_frame(int fd, const struct tap *tap, const struct room *room)
{
	struct iovec iov[2] = {{room->first->data - tap->hdr, tap->hdr + tap->first}};
	size_t all = tap->hdr + tap->first;
	ssize_t len;

	if (room->rest) {
		iov[1] = (struct iovec){room->rest->data, POOL_BIG};
		all += POOL_BIG;
	}
	len = readv(fd, iov, room->rest ? 2 : 1);
	if (len < 0)
		return -errno;
	/* What did not fit is lost, and the length read is the room there was. */
	return len <= (ssize_t)tap->hdr || (size_t)len == all ? 0 : len - (ssize_t)tap->hdr;
}

/* The `len` bytes in the room become a packet. */
static struct leat_pkt *take_frame(struct room *room, uint32_t first, uint32_t len)
{
	struct leat_pkt *pkt = room->first;

	room->first = NULL;
	if (len <= first || !room->rest) {
		pkt->len = pkt->headlen = len;
		return pkt;
	}
	pkt->len = pkt->headlen = first;
	room->rest->len = room->rest->headlen = len - first;
	leat_pkt_chain(pkt, room->rest);
	room->rest = NULL;
	return pkt;
}

/* Take over what the headers say; those that lie are dropped. */
unsigned tap_check(struct port *port, unsigned q, struct pool *pool, struct leat_pkt **pkts,
		   unsigned n)
{
	const struct tap *tap = port->priv;
	unsigned good = 0;

	for (unsigned i = 0; i < n; i++) {
		const uint8_t *hdr = pkts[i]->data - tap->hdr;

		/* Flags and type; with neither there is nothing to take over. The kernel gives no
		 * hash. */
		if ((hdr[0] | hdr[1]) && leat_vnet_read(pkts[i], hdr, tap->hdr)) {
			stat_add(&port->rx_stats[q].errors, 1);
			pool_give(pool, &pkts[i], 1);
		} else {
			pkts[good++] = pkts[i];
		}
	}
	port_count_rx(port, q, pkts, good);
	return good;
}

/* The device was deleted. (EIO: the interface is down, and may come up again.) */
static bool is_gone(int error)
{
	return error == EBADFD || error == ENODEV || error == ENXIO;
}

int tap_receive(struct port *port, unsigned q, struct pool *pool, struct leat_pkt **pkts,
		unsigned n)
{
	const struct tap *tap = port->priv;
	struct room room = {NULL, NULL};
	ssize_t len = 0;
	unsigned got = 0, bytes = 0;

	for (unsigned i = 0; i < n && bytes < PORT_BATCH_BYTES && make_room(tap, pool, &room);
	     i++) {
		len = read_frame(tap->fd[q], tap, &room);
		if (len < 0)
			break;
		bytes += (unsigned)len;
		if (len > 0)
			pkts[got++] = take_frame(&room, tap->first, (uint32_t)len);
		else
			stat_add(&port->rx_stats[q].dropped, 1);
	}
	leave_room(pool, &room);
	if (got == 0)
		return len < 0 && is_gone((int)-len) ? -ENODEV : 0;
	return (int)got;
}

/* Put the header in front of the frame and write it; 0 or -errno. */
static int write_frame(int fd, uint32_t hdr_len, struct port_frame *f)
{
	struct iovec *iov = f->iov;
	uint8_t *hdr = (uint8_t *)iov->iov_base - hdr_len;
	ssize_t len;

	if (leat_vnet_write(&f->meta, hdr, hdr_len))
		return -EOPNOTSUPP;
	iov->iov_base = hdr;
	iov->iov_len += hdr_len;
	len = f->niov == 1 ? write(fd, hdr, iov->iov_len) : writev(fd, iov, (int)f->niov);
	return len < 0 ? -errno : 0;
}

int tap_transmit(struct port *port, unsigned q, struct port_frame *frames, unsigned n)
{
	const struct tap *tap = port->priv;
	unsigned sent = 0;

	for (unsigned i = 0; i < n; i++) {
		int e = write_frame(tap->fd[q], tap->hdr, &frames[i]);

		if (!e) {
			port_count_tx(port, q, &frames[i]);
			sent++;
		} else if (is_gone(-e)) {
			stat_add(&port->txq[q].stats.errors, sent ? n - i : 0);
			return sent ? (int)sent : -ENODEV;
		} else {
			stat_add(&port->txq[q].stats.errors, 1);
		}
	}
	return (int)sent;
}
