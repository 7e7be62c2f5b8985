/* SPDX-License-Identifier: MIT */
#include "../plane.h"
#include "../port/gen.h"
#include "sink.h"

#include <poll.h>

/* The number of one packet, or of one segment of a merged packet. */
static void check(struct sink_thread *t, uint32_t flow, uint64_t number)
{
	if (flow >= t->flows) {
		stat_add(&t->stats.unnumbered, 1);
		return;
	}
	stat_add(&t->stats.packets, 1);
	if (number < t->next[flow]) {
		stat_add(&t->stats.out_of_order, 1);
		return;
	}
	stat_add(&t->stats.gaps, number - t->next[flow]);
	t->next[flow] = number + 1;
}

static void check_all(struct sink_thread *t, const struct leat_pkt *pkt)
{
	uint32_t flow = UINT32_MAX;
	uint64_t number = 0;

	gen_read(pkt, &flow, &number);
	check(t, flow, number);
	for (const struct leat_pkt *s = pkt->frag_list; s; s = s->frag_list) {
		flow = UINT32_MAX;
		gen_read_payload(s->data, s->headlen, &flow, &number);
		check(t, flow, number);
	}
}

static unsigned read_inbox(struct sink_thread *t, const struct conf *c)
{
	struct leat_pkt *pkts[PORT_BATCH];
	unsigned n = ring_peek(&t->inbox, pkts, PORT_BATCH);

	for (unsigned i = 0; i < n; i++) {
		if (c->sock.size)
			leat_rfs_record(&c->sock, pkts[i]->hash, t->app.on);
		check_all(t, pkts[i]);
	}
	if (n) {
		ring_release(&t->inbox, n);
		pool_give(NULL, pkts, n);
	}
	return n;
}

static bool has_work(const struct sink_thread *t, const struct conf *c)
{
	return !ring_empty(&t->inbox) || __atomic_load_n(&t->plane->conf, __ATOMIC_RELAXED) != c ||
	       __atomic_load_n(&t->app.cpu, __ATOMIC_RELAXED) != t->app.on;
}

static void rest(struct sink_thread *t, const struct conf *c, const struct sink *s)
{
	struct pollfd fd = {.fd = t->reader.wake.fd, .events = POLLIN};

	wake_arm(&t->reader.wake);
	if (!has_work(t, c) && !__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE)) {
		poll(&fd, 1, -1);
		wake_drain(&t->reader.wake);
	}
	wake_disarm(&t->reader.wake);
}

void *sink_thread(void *arg)
{
	struct sink_thread *t = arg;
	const struct sink *s = t->plane->app_state;

	for (;;) {
		const struct conf *c = plane_enter(t->plane, &t->reader);

		app_thread_settle(&t->app);
		if (read_inbox(t, c) > 0)
			continue;
		if (__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE))
			return NULL;
		rest(t, c, s);
	}
}
