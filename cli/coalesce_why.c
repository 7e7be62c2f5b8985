/* SPDX-License-Identifier: MIT */
/*
 * Why: GRO counts its reasons, so the counters that moved while it had one frame say what became
 * of that, and of what it was held with.
 */
#include "coalesce.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <leat/flow.h>
#include <string.h>

enum { FLOW_MAX = 160 };

static const char *protocol_name(uint8_t protocol, char number[4])
{
	switch (protocol) {
	case IPPROTO_TCP: return "tcp";
	case IPPROTO_UDP: return "udp";
	case IPPROTO_SCTP: return "sctp";
	case IPPROTO_ICMP: return "icmp";
	case IPPROTO_ICMPV6: return "icmp6";
	default: snprintf(number, 4, "%u", protocol); return number;
	}
}

static void format_end(char *to, size_t size, const struct leat_flow *flow, const uint8_t *address,
		       uint16_t port)
{
	char text[INET6_ADDRSTRLEN];
	bool six = flow->version == 6;

	inet_ntop(six ? AF_INET6 : AF_INET, address, text, sizeof(text));
	snprintf(to, size, "%s%s%s:%u", six ? "[" : "", text, six ? "]" : "", port);
}

/* tcp 192.0.2.1:1000 > 198.51.100.2:80 */
static void format_flow(char to[FLOW_MAX], const struct leat_pkt *pkt)
{
	char src[64], dst[64], number[4];
	struct leat_flow flow;

	if (!leat_flow_get(pkt, &flow)) {
		snprintf(to, FLOW_MAX, "not ip");
		return;
	}
	format_end(src, sizeof(src), &flow, flow.src, flow.sport);
	format_end(dst, sizeof(dst), &flow, flow.dst, flow.dport);
	snprintf(to, FLOW_MAX, "%s %s > %s", protocol_name(flow.protocol, number), src, dst);
}

/* A reason of those from `first` up to `end` that was counted since, or `end`; it is told then. */
static unsigned find_reason(struct coalesce *c, unsigned first, unsigned end)
{
	while (first < end && c->gro.count[first] == c->before[first])
		first++;
	if (first < end)
		c->before[first]++;
	return first;
}

static void print_frame(struct coalesce *c, const struct place *place, const char *flow,
			unsigned reason)
{
	const char *name = leat_gro_reason_name(reason);
	json_t *o;

	if (!c->job.json) {
		fprintf(job_report(&c->job), "frame %" PRIu64 "  %s: %s\n", place->frame, flow,
			name);
		return;
	}
	o = json_pack("{s:I, s:s, s:s}", "frame", (json_int_t)place->frame, "flow", flow, "reason",
		      name);
	json_dumpf(o, job_report(&c->job), JSON_COMPACT);
	fputc('\n', job_report(&c->job));
	json_decref(o);
}

static void print_given(struct coalesce *c, const struct leat_pkt *pkt, unsigned reason)
{
	const char *name = leat_gro_reason_name(reason);
	uint64_t frame = place_of(c, pkt)->frame;
	unsigned frames = pkt->gso_type ? pkt->slices + 1u : 1;
	json_t *o;

	if (!c->job.json) {
		fprintf(job_report(&c->job),
			"  frame %" PRIu64 " given out, %u frame%s, %u bytes: %s\n", frame, frames,
			frames == 1 ? "" : "s", pkt->len, name);
		return;
	}
	o = json_pack("{s:I, s:I, s:I, s:s}", "given_out", (json_int_t)frame, "frames",
		      (json_int_t)frames, "bytes", (json_int_t)pkt->len, "reason", name);
	json_dumpf(o, job_report(&c->job), JSON_COMPACT);
	fputc('\n', job_report(&c->job));
	json_decref(o);
}

/* Whether the packet is the frame at `place`, passed on as `reason` says, and was never held. */
static bool is_itself(const struct coalesce *c, const struct place *place,
		      const struct leat_pkt *pkt, unsigned reason)
{
	return place == &c->place[pkt->cookie] && reason != LEAT_GRO_HELD &&
	       reason != LEAT_GRO_MERGED;
}

/* Reasons before LEAT_GRO_LINK are of the frame itself, the others of what was held. */
void coalesce_explain(struct coalesce *c, const struct place *place, const struct leat_pkt *parsed,
		      struct leat_pkt *const *out, unsigned n)
{
	unsigned reason = LEAT_GRO_REASONS;
	char flow[FLOW_MAX];

	if (!c->why)
		return;
	if (place) {
		reason = find_reason(c, 0, LEAT_GRO_LINK);
		format_flow(flow, parsed);
		print_frame(c, place, flow, reason);
	}
	for (unsigned i = 0; i < n; i++) {
		if (!place || !is_itself(c, place, out[i], reason))
			print_given(c, out[i], find_reason(c, LEAT_GRO_LINK, LEAT_GRO_REASONS));
	}
}

json_t *coalesce_json(const struct coalesce *c)
{
	json_t *reasons = json_object();

	for (unsigned i = 0; i < LEAT_GRO_REASONS; i++)
		json_object_set_new(reasons, leat_gro_reason_name(i),
				    json_integer((json_int_t)c->gro.count[i]));
	return json_pack("{s:o}", "gro", reasons);
}

void coalesce_print(const struct coalesce *c, FILE *to)
{
	for (unsigned i = 0; i < LEAT_GRO_REASONS; i++) {
		if (c->gro.count[i])
			fprintf(to, "%10" PRIu64 " %s\n", c->gro.count[i], leat_gro_reason_name(i));
	}
}
