/* SPDX-License-Identifier: MIT */
/*
 * wild_train.c - trains: a few flows that take turns, and a few troubles that befall some frames.
 */
#include <stdlib.h>
#include <string.h>

#include "wild_frame.h"

enum { FRAMES = 64, FLOWS = 8, FLOWS_MAX = 256, DRAWN_MAX = 5, MTU = 1500 };

struct maker {
	struct wild_rng rng;
	struct wild_train *train;
	const struct wild_train_conf *conf;
	unsigned frames, flows, mtu;
	enum wild_trouble drawn[DRAWN_MAX];
	unsigned one_in[DRAWN_MAX]; /* how rare each is */
	unsigned n_drawn;
	struct wild_flow_state flow[FLOWS_MAX];
};

static void *need(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

void wild_train_fini(struct wild_train *train)
{
	for (unsigned i = 0; i < train->n; i++)
		free(train->frame[i].bytes);
	free(train->frame);
	memset(train, 0, sizeof(*train));
}

static void clear(struct wild_train *train, unsigned room)
{
	for (unsigned i = 0; i < train->n; i++)
		free(train->frame[i].bytes);
	train->n = 0;
	memset(train->count, 0, sizeof(train->count));
	if (room > train->room)
		train->frame = need(realloc(train->frame, room * sizeof(struct wild_frame)));
	train->room = room > train->room ? room : train->room;
}

/* None for one train in four, else a few, each rare or frequent. */
static void draw_troubles(struct maker *m)
{
	static const uint8_t rarity[] = {2, 5, 10, 20, 40};
	unsigned most = m->conf->tame || wild_once_in(&m->rng, 4) ? 0 : DRAWN_MAX;

	for (unsigned tries = wild_between(&m->rng, most > 0, most); tries > 0; tries--) {
		enum wild_trouble t = (enum wild_trouble)wild_below(&m->rng, WILD_TROUBLES);
		unsigned one_in = rarity[wild_below(&m->rng, sizeof(rarity))];

		if (!wild_trouble_fits(t, &m->conf->kind) || m->conf->avoid[t]) {
			tries += m->conf->avoid[t] ? 0 : 1;
			continue;
		}
		m->drawn[m->n_drawn] = t;
		m->one_in[m->n_drawn++] = one_in;
	}
}

static void begin_flow(struct maker *m, unsigned i)
{
	const struct wild_place *place = m->conf->place ? m->conf->place : &wild_somewhere;
	struct wild_flow_state *flow = &m->flow[i];

	*flow = (struct wild_flow_state){.made = 0};
	wild_flow(&m->rng, &m->train->kind, place, i, m->mtu, &flow->next);
	for (unsigned l = 0; l < LEAT_LEVELS; l++)
		flow->id_step[l] = !wild_once_in(&m->rng, 3);
}

static void begin(struct maker *m)
{
	uint8_t vlans = m->conf->kind.vlans;

	m->train->kind = m->conf->kind;
	if (vlans == WILD_VLANS_ANY)
		m->train->kind.vlans =
			(uint8_t)(wild_once_in(&m->rng, 2) ? 0 : wild_below(&m->rng, 3));
	draw_troubles(m);
	for (unsigned i = 0; i < m->flows; i++)
		begin_flow(m, i);
}

/* Onward past a frame of so much payload. */
static void advance(struct wild_flow_state *flow, uint32_t payload)
{
	flow->next.stream += payload;
	flow->next.seq += wild_is_sctp(&flow->next.kind) ? 1 : payload;
	for (unsigned l = 0; l < LEAT_LEVELS; l++)
		flow->next.ip[l].id = (uint16_t)(flow->next.ip[l].id + flow->id_step[l]);
}

static void put_frame(struct maker *m, unsigned flow, const struct wild_desc *d)
{
	struct wild_frame *f = &m->train->frame[m->train->n++];

	f->len = wild_frame_len(d);
	f->bytes = need(malloc(f->len));
	f->payload = d->payload;
	f->flow = (uint16_t)flow;
	wild_build(d, f->bytes, &f->at);
	if (f->trouble[WILD_CUT]) {
		f->len = wild_between(&m->rng, 1, f->len);
		f->bytes = need(realloc(f->bytes, f->len));
	}
}

/* No frame is longer than it may be. */
static void fit(const struct maker *m, struct wild_desc *d)
{
	uint32_t len = wild_ip_len(d);

	if (len > m->mtu)
		d->payload -= len - m->mtu < d->payload ? len - m->mtu : d->payload;
}

static void suffer(struct maker *m, struct wild_flow_state *flow, struct wild_desc *d,
		   uint8_t *trouble)
{
	for (unsigned i = 0; i < m->n_drawn; i++) {
		enum wild_trouble t = m->drawn[i];

		if (!wild_once_in(&m->rng, m->one_in[i]) || trouble[t])
			continue;
		trouble[t] = 1;
		wild_befall(&m->rng, t, flow, d);
	}
}

static void next_frame(struct maker *m, unsigned i)
{
	struct wild_flow_state *flow = &m->flow[i];
	struct wild_frame *f = &m->train->frame[m->train->n];
	struct wild_desc d = flow->next;

	memset(f, 0, sizeof(*f));
	suffer(m, flow, &d, f->trouble);
	fit(m, &d);
	put_frame(m, i, &d);
	if (f->trouble[WILD_DUPLICATE] && m->train->n < m->frames) {
		f[1] = *f; /* with the troubles of the first */
		f->trouble[WILD_DUPLICATE] = 0;
		put_frame(m, i, &d);
	}
	advance(flow, d.payload);
}

/* Bytes [off, off + n) of the datagram's `all`, behind `hdr` bytes of headers, as a fragment. */
static void put_fragment(struct maker *m, const struct wild_desc *d, uint8_t *whole,
			 struct wild_frame f, uint32_t off, uint32_t all)
{
	uint32_t v6 = d->ip[0].version == 6 ? 8 : 0, hdr = f.at.transport[0];
	uint32_t more = off + f.payload < all, len = hdr - f.at.network[0] + v6 + f.payload;
	uint8_t *ip = whole + f.at.network[0];

	f.len = hdr + v6 + f.payload;
	f.bytes = need(malloc(f.len));
	f.trouble[WILD_FRAGMENT] = 1;
	if (v6) {
		wild_put16(ip + 4, len - 40);
		ip[6] = 44;
		memset(f.bytes + hdr, 0, 8);
		f.bytes[hdr] = WILD_UDP;
		wild_put16(f.bytes + hdr + 2, off | more);
		wild_put32(f.bytes + hdr + 4, d->salt + d->stream);
	} else {
		wild_put16(ip + 2, len);
		wild_put16(ip + 6, off / 8 | (more ? WILD_MORE_FRAGMENTS : 0));
		wild_put16(ip + 10, 0);
		wild_put16(ip + 10, (uint16_t)~wild_sum_bytes(ip, hdr - f.at.network[0], 0));
	}
	memcpy(f.bytes, whole, hdr);
	memcpy(f.bytes + hdr + v6, whole + hdr + off, f.payload);
	m->train->frame[m->train->n++] = f;
}

/* A datagram as fragments. */
static void next_datagram(struct maker *m, unsigned i)
{
	struct wild_flow_state *flow = &m->flow[i];
	struct wild_desc d = flow->next;
	uint32_t most = 8 * wild_between(&m->rng, 1, 180), all;
	uint8_t *whole;
	struct wild_frame f = {.flow = (uint16_t)i};

	d.ip[0].exts = 0;
	d.payload = wild_between(&m->rng, 1, 8 * most);
	all = 8 + d.payload;
	whole = need(malloc(wild_frame_len(&d)));
	wild_build(&d, whole, &f.at);
	for (uint32_t off = 0; off < all && m->train->n < m->frames; off += most) {
		f.payload = all - off < most ? all - off : most;
		put_fragment(m, &d, whole, f, off, all);
	}
	free(whole);
	advance(flow, d.payload);
}

static void swap_some(struct maker *m)
{
	struct wild_frame *f = m->train->frame;

	for (unsigned i = 0; i + 1 < m->train->n; i++) {
		struct wild_frame first = f[i];

		if (!first.trouble[WILD_SWAPPED])
			continue;
		f[i] = f[i + 1];
		f[i + 1] = first;
		i++;
	}
}

/* Who is which of its flow, now that the order stands; and the count. */
static void number(struct maker *m)
{
	for (unsigned i = 0; i < m->train->n; i++) {
		struct wild_frame *f = &m->train->frame[i];

		f->index = (uint16_t)m->flow[f->flow].made++;
		for (unsigned t = 0; t < WILD_TROUBLES; t++)
			m->train->count[t] += f->trouble[t];
	}
}

static unsigned or_else(unsigned given, unsigned otherwise, unsigned max)
{
	given = given == 0 ? otherwise : given;
	return given < max ? given : max;
}

void wild_train_make(struct wild_train *train, const struct wild_train_conf *conf, uint64_t seed,
		     uint64_t case_number)
{
	struct maker *m = need(calloc(1, sizeof(*m)));
	unsigned most = or_else(conf->frames, FRAMES, WILD_FRAMES_MAX), burst = 0, flow = 0;

	m->rng = wild_rng_start(seed, case_number);
	m->train = train;
	m->conf = conf;
	m->frames = wild_between(&m->rng, wild_once_in(&m->rng, 3) ? 2 : most / 2 + 1, most);
	m->flows = or_else(conf->flows, FLOWS, FLOWS_MAX);
	m->flows = wild_once_in(&m->rng, 2) ? 1 : wild_between(&m->rng, 1, m->flows);
	m->mtu = conf->mtu == 0 ? MTU : conf->mtu;
	clear(train, m->frames + 1);
	begin(m);
	while (train->n < m->frames) {
		if (burst == 0) {
			flow = wild_below(&m->rng, m->flows);
			burst = wild_between(&m->rng, 1, wild_once_in(&m->rng, 3) ? 4 : 50);
		}
		burst--;
		if (wild_is_ufo(&conf->kind))
			next_datagram(m, flow);
		else
			next_frame(m, flow);
	}
	swap_some(m);
	number(m);
	free(m);
}
