/* SPDX-License-Identifier: MIT */
/*
 * Frames of a TAP.
 *
 * How long the next frame is, only reading it tells. So each read has room for the largest: a
 * small buffer, which takes a wire-sized frame and the headers of any, and behind it a big one,
 * which takes the rest of a super-packet; nothing is copied again. Where wire-sized frames are
 * longer than a small buffer they get a big one to themselves, for GRO merges no frame in slices.
 * The virtio_net_hdr goes to the headroom, right in front of the frame. Buffers that a read left
 * empty go back to the pool, which gives them out first.
 *
 * A ring reads and writes many frames with one system call. A read of an empty queue costs, too, so
 * as many are asked for as came the last time, and one; if all come, twice as many.
 */
#include "tap.h"

#include "../pool.h"
#include "../stats.h"
#include "uring.h"

#include <errno.h>
#include <unistd.h>

/* One system call. */
static void call_once(int fd, enum uring_call call, struct uring_op *op)
{
	const struct iovec *iov = op->iov;
	ssize_t len;

	if (call == URING_READ)
		len = readv(fd, iov, (int)op->niov);
	else if (op->niov > 1)
		len = writev(fd, iov, (int)op->niov);
	else
		len = write(fd, iov->iov_base, iov->iov_len);
	op->result = len < 0 ? -errno : (int)len;
}

static void call_all(int fd, struct uring *ring, enum uring_call call, struct uring_op *ops,
		     unsigned n)
{
	for (unsigned i = ring && n > 1 ? uring_run(ring, call, ops, n) : 0; i < n; i++)
		call_once(fd, call, &ops[i]);
}

/* Where a frame goes. */
struct room {
	struct leat_pkt *first, *rest; /* NULL: none */
	struct iovec iov[2];
};

static bool is_jumbo(const struct tap *tap)
{
	return tap->first > POOL_SMALL;
}

static void leave_room(struct pool *pool, const struct room *room)
{
	if (room->first)
		pool_give(pool, &room->first, 1);
	if (room->rest)
		pool_give(pool, &room->rest, 1);
}

/* False: the pool is empty. Wire-sized frames can do without a big buffer. */
static bool make_room(const struct tap *tap, struct pool *pool, struct room *room)
{
	room->first = is_jumbo(tap) ? pool_big(pool) : pool_small(pool);
	room->rest = is_jumbo(tap) ? NULL : pool_big(pool);
	if (room->first && (room->rest || !tap->supers))
		return true;
	leave_room(pool, room);
	return false;
}

static struct uring_op read_into(const struct tap *tap, struct room *room)
{
	room->iov[0] = (struct iovec){room->first->data - tap->hdr, tap->hdr + tap->first};
	if (room->rest)
		room->iov[1] = (struct iovec){room->rest->data, POOL_BIG};
	return (struct uring_op){.iov = room->iov, .niov = room->rest ? 2 : 1};
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

/* A batch on its way from a queue. */
struct batch {
	struct leat_pkt **pkts;
	unsigned got, bytes;
	unsigned lost; /* did not fit */
	int error;     /* of the last read, 0 */
};

/* What did not fit is lost, and the length read is the room there was. */
static bool fits(const struct tap *tap, const struct room *room, unsigned len)
{
	return len > tap->hdr && len < tap->hdr + tap->first + (room->rest ? POOL_BIG : 0);
}

static void take(const struct tap *tap, struct batch *b, struct room *room, int result)
{
	unsigned len = (unsigned)result - tap->hdr;

	if (result < 0) {
		b->error = -result;
	} else if (!fits(tap, room, (unsigned)result)) {
		b->lost++;
	} else {
		b->bytes += len;
		b->pkts[b->got++] = take_frame(room, tap->first, len);
	}
}

/* Read up to n frames, at most PORT_BATCH; gives how many there were. */
static unsigned read_frames(const struct tap *tap, const struct tap_queue *queue, struct pool *pool,
			    struct batch *b, unsigned n)
{
	struct room room[PORT_BATCH];
	struct uring_op op[PORT_BATCH];
	unsigned rooms = 0, frames = 0;

	for (; rooms < n && make_room(tap, pool, &room[rooms]); rooms++)
		op[rooms] = read_into(tap, &room[rooms]);
	call_all(queue->fd, queue->rx, URING_READ, op, rooms);
	for (unsigned i = 0; i < rooms; i++) {
		take(tap, b, &room[i], op[i].result);
		leave_room(pool, &room[i]);
		frames += op[i].result >= 0;
	}
	return frames;
}

/* How many to ask for after `came` of `asked`. */
static unsigned next_want(const struct tap *tap, const struct tap_queue *queue, unsigned asked,
			  unsigned came)
{
	unsigned most = queue->rx ? PORT_BATCH_BYTES / tap->first : 1;
	unsigned want = came < asked ? came + 1 : 2 * queue->want;

	return want < most ? want : most;
}

int tap_receive(struct port *port, unsigned q, struct pool *pool, struct leat_pkt **pkts,
		unsigned n)
{
	struct tap *tap = port->priv;
	struct tap_queue *queue = &tap->queue[q];
	struct batch b = {.pkts = pkts};
	unsigned asked, came;

	/* What did not fit does not fill the batch; but as many of it end it, too. */
	do {
		asked = queue->want < n - b.got ? queue->want : n - b.got;
		came = read_frames(tap, queue, pool, &b, asked);
		queue->want = next_want(tap, queue, asked, came);
	} while (came == asked && b.got < n && b.lost < n && b.bytes < PORT_BATCH_BYTES);
	stat_add(&port->rx_stats[q].dropped, b.lost);
	if (b.got == 0)
		return is_gone(b.error) ? -ENODEV : 0;
	return (int)b.got;
}

/* Put headers in front of the frames; those that cannot have one are taken out. Gives how many are
 * left. */
static unsigned put_headers(const struct tap *tap, struct port_frame *frames, unsigned n,
			    struct uring_op *ops)
{
	unsigned good = 0;

	for (unsigned i = 0; i < n; i++) {
		struct iovec *iov = frames[i].iov;
		uint8_t *hdr = (uint8_t *)iov->iov_base - tap->hdr;

		if (leat_vnet_write(&frames[i].meta, hdr, tap->hdr))
			continue;
		iov->iov_base = hdr;
		iov->iov_len += tap->hdr;
		ops[good] = (struct uring_op){.iov = iov, .niov = frames[i].niov};
		frames[good++] = frames[i];
	}
	return good;
}

/* At most PORT_BATCH frames. Gives how many it took; -ENODEV. */
static int write_frames(struct port *port, unsigned q, struct port_frame *frames, unsigned n)
{
	const struct tap *tap = port->priv;
	struct uring_op ops[PORT_BATCH];
	unsigned good = put_headers(tap, frames, n, ops), sent = 0;
	int error = 0;

	call_all(tap->queue[q].fd, tap->queue[q].tx, URING_WRITE, ops, good);
	for (unsigned i = 0; i < good; i++) {
		if (ops[i].result >= 0) {
			port_count_tx(port, q, &frames[i]);
			sent++;
		} else {
			error = -ops[i].result;
		}
	}
	if (sent == 0 && is_gone(error))
		return -ENODEV;
	stat_add(&port->txq[q].stats.errors, n - sent);
	return (int)sent;
}

int tap_transmit(struct port *port, unsigned q, struct port_frame *frames, unsigned n)
{
	int sent = 0;

	for (unsigned i = 0; i < n; i += PORT_BATCH) {
		unsigned some = n - i < PORT_BATCH ? n - i : PORT_BATCH;
		int e = write_frames(port, q, frames + i, some);

		if (e < 0) {
			stat_add(&port->txq[q].stats.errors, i ? n - i : 0);
			return i ? sent : e;
		}
		sent += e;
	}
	return sent;
}
