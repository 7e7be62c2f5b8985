/* SPDX-License-Identifier: MIT */
/*
 * decode.c - a difference in words: the two frames, and each field that differs.
 */
#include "report.h"

#include <leat/parse.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 160, FIELDS_SHOWN = 24, FRAMES_SHOWN = 64 };

static void print_hex(FILE *to, const char *who, const uint8_t *p, uint32_t len)
{
	fprintf(to, "  %-7s %u bytes:", who, len);
	for (uint32_t i = 0; i < len && i < SHOWN; i++)
		fprintf(to, "%s%02x", i % 4 == 0 ? " " : "", p[i]);
	fprintf(to, "%s\n", len > SHOWN ? " ..." : "");
}

static void print_meta(FILE *to, const char *who, const struct frame_meta *m)
{
	fprintf(to, "  %-7s gso_type %u gso_size %u csum_start %u csum_offset %u\n", who,
		m->gso_type, m->gso_size, m->csum_start, m->csum_offset);
}

/* Runs of differing bytes, each with the field it begins in. */
static void print_fields(FILE *to, const uint8_t *a, uint32_t a_len, const uint8_t *b,
			 uint32_t b_len)
{
	uint32_t len = a_len < b_len ? a_len : b_len;
	struct leat_pkt pkt = {0}, *p = &pkt;
	unsigned shown = 0;

	leat_pkt_init(&pkt, (uint8_t *)a, a_len);
	leat_parse(&wild_ports, &p, 1);
	for (uint32_t i = 0; i < len; i++) {
		unsigned field;
		uint32_t from = i;

		if (a[i] == b[i])
			continue;
		field = field_at(&pkt, i);
		while (i + 1 < len && a[i + 1] != b[i + 1] && field_at(&pkt, i + 1) == field)
			i++;
		if (shown++ == FIELDS_SHOWN)
			break;
		fprintf(to, "  offset %u, %s%s:", from, field_is_inner(field) ? "inner " : "",
			field_name(field));
		for (uint32_t j = from; j <= i && j < from + 8; j++)
			fprintf(to, " %02x", a[j]);
		fprintf(to, " |");
		for (uint32_t j = from; j <= i && j < from + 8; j++)
			fprintf(to, " %02x", b[j]);
		fprintf(to, "\n");
	}
}

static unsigned get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static void print_transport(FILE *to, const struct leat_pkt *pkt)
{
	const uint8_t *t = pkt->data + leat_pkt_inner(pkt)->transport;

	if (leat_pkt_inner(pkt)->protocol == 6)
		fprintf(to, " seq %08x ack %08x flags %03x window %04x urg %04x sum %04x",
			get16(t + 4) << 16 | get16(t + 6), get16(t + 8) << 16 | get16(t + 10),
			get16(t + 12) & 0xfff, get16(t + 14), get16(t + 18), get16(t + 16));
	else
		fprintf(to, " udp %u sum %04x", get16(t + 4), get16(t + 6));
	fprintf(to, " payload %u", pkt->len - pkt->payload);
}

static void print_frame(FILE *to, unsigned i, const uint8_t *frame, uint32_t len, uint8_t reason)
{
	struct leat_pkt pkt = {0}, *p = &pkt;

	leat_pkt_init(&pkt, (uint8_t *)frame, len);
	leat_parse(&wild_ports, &p, 1);
	fprintf(to, "  %4u: %u bytes", i, len);
	for (unsigned l = 0; l < pkt.levels; l++) {
		const uint8_t *ip = frame + pkt.lvl[l].network;

		if (pkt.lvl[l].version == 4)
			fprintf(to, " ip4 id %04x tos %02x ttl %u off %04x sum %04x", get16(ip + 4),
				ip[1], ip[8], get16(ip + 6), get16(ip + 10));
		else
			fprintf(to, " ip6 %04x%04x ttl %u", get16(ip), get16(ip + 2), ip[7]);
	}
	if (pkt.depth == LEAT_DEPTH_TRANSPORT)
		print_transport(to, &pkt);
	fprintf(to, ": %s\n", leat_gro_reason_name(reason));
}

/* The frames of the flow, as they came in. */
static void print_flow(FILE *to, const struct report_question *q, uint64_t flow)
{
	unsigned shown = 0;

	for (unsigned i = 0; i < q->train->n && shown < FRAMES_SHOWN; i++) {
		const uint8_t *frame = frames_bytes(q->train, i);
		uint32_t len = q->train->frame[i].len;

		if (compare_flow_of(frame, len) != flow)
			continue;
		print_frame(to, i, frame, len, q->reason[i]);
		shown++;
	}
}

/* The flow's frames of an answer: their lengths, and gso_size where there is one. */
static void print_list(FILE *to, const char *who, const struct frames *frames, uint64_t flow)
{
	fprintf(to, "  %-7s", who);
	for (unsigned i = 0; i < frames->n; i++) {
		const struct frame_at *f = &frames->frame[i];

		if (compare_flow_of(frames_bytes(frames, i), f->len) != flow)
			continue;
		fprintf(to, " %u", f->len);
		if (f->meta.gso_size > 0)
			fprintf(to, "/%u", f->meta.gso_size);
	}
	fprintf(to, "\n");
}

char *report_decode(const struct difference *d, const struct report_question *question)
{
	bool has_a = d->i < d->a->n, has_b = d->j < d->b->n;
	const struct frame_at *a = &d->a->frame[d->i], *b = &d->b->frame[d->j];
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	fprintf(to, "  %s; %s: %u frames against our %u; frame %u against our %u\n%s",
		question->kind, d->what, d->a->n, d->b->n, d->i, d->j, question->about);
	if (question->train) {
		print_flow(to, question, d->flow);
		print_list(to, "theirs", d->a, d->flow);
		print_list(to, "ours", d->b, d->flow);
	}
	if (has_a) {
		print_hex(to, "theirs", frames_bytes(d->a, d->i), a->len);
		print_meta(to, "theirs", &a->meta);
	}
	if (has_b) {
		print_hex(to, "ours", frames_bytes(d->b, d->j), b->len);
		print_meta(to, "ours", &b->meta);
	}
	if (has_a && has_b)
		print_fields(to, frames_bytes(d->a, d->i), a->len, frames_bytes(d->b, d->j),
			     b->len);
	fclose(to);
	return text;
}
