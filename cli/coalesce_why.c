/* SPDX-License-Identifier: MIT */
/*
 * Why: GRO counts its reasons, so the counters that moved while it had one frame say what became
 * of that, and of what it was held with.
 */
#include "coalesce.h"
#include "flow_text.h"

#include <inttypes.h>
#include <string.h>

static void format_flow(char to[FLOW_TEXT_MAX], const struct leat_pkt *pkt)
{
	struct leat_flow flow;

	if (leat_flow_get(pkt, &flow))
		flow_format(to, &flow);
	else
		snprintf(to, FLOW_TEXT_MAX, "not ip");
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
	char flow[FLOW_TEXT_MAX];

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
